"""Why somebody sees a case: each reason by itself, for one case, for lists, and in "Who can see this"."""

import pytest

import permissions
from models import (
    Account,
    Case,
    CaseFollower,
    CaseGroup,
    CaseStaff,
    Department,
    DepartmentDirector,
    Group,
    GroupManager,
    GroupMember,
)
from tests import factories


def sees(person, case):
    """The reasons, asked in each way there is: they must agree."""
    person = Account.get_by_id(person.id)
    reasons = permissions.case_reasons(person, case)
    listed = permissions.visible_cases(person, Case.id).where(Case.id == case.id).exists()
    readers = {account.id: found for account, found in permissions.who_can_see_case(case)}
    assert listed == bool(reasons)
    assert sorted(readers.get(person.id, [])) == sorted(reasons)
    return set(reasons)


@pytest.fixture
def case(cast):
    return factories.case(cast.student, opened_by=cast.kay)


def test_who_opened_it_and_admins_see_a_case_and_nobody_else(cast, case):
    assert sees(cast.kay, case) == {"opened_it"}
    assert sees(cast.ada, case) == {"admin"}
    for who in ("ken", "gil", "mo", "sam", "rae", "stu", "oli"):
        assert sees(getattr(cast, who), case) == set(), who


def test_the_three_single_purpose_fields_are_reasons(cast, case):
    Case.update(primary_advocate=cast.sam, coordinator=cast.ken).where(Case.id == case.id).execute()
    CaseFollower.create(case=case, account=cast.gil, added_by=cast.kay)
    assert sees(cast.sam, case) == {"primary_advocate"}
    assert sees(cast.ken, case) == {"coordinator"}
    assert sees(cast.gil, case) == {"following"}
    assert sees(cast.oli, case) == set()


def test_a_whole_group_gives_its_members_and_managers_access_as_membership_stands(cast, case):
    CaseGroup.create(case=case, group=cast.counselling, attached_by=cast.kay)
    assert sees(cast.gil, case) == {"group"}
    assert sees(cast.mo, case) == {"group_manager"}
    GroupMember.create(group=cast.counselling, account=cast.oli)
    assert sees(cast.oli, case) == {"group"}
    GroupMember.delete().where(GroupMember.account == cast.oli).execute()
    assert sees(cast.oli, case) == set()


def test_a_director_sees_what_is_attached_to_the_groups_of_their_department(cast, case):
    director = factories.account(role=permissions.DIRECTOR)
    department = Department.create(name="Pastoral")
    DepartmentDirector.create(department=department, account=director)
    CaseGroup.create(case=case, group=cast.counselling, attached_by=cast.kay)
    assert sees(director, case) == set()
    Group.update(department=department).where(Group.id == cast.counselling.id).execute()
    assert sees(director, case) == {"group_manager"}


def test_managing_ends_with_the_role(cast, case):
    CaseGroup.create(case=case, group=cast.counselling, attached_by=cast.kay)
    GroupManager.create(group=cast.counselling, account=cast.oli)
    assert sees(cast.oli, case) == set(), "Oli is Staff: a row in a table does not make a manager"
    Account.update(role=permissions.STAFF).where(Account.id == cast.mo.id).execute()
    assert sees(cast.mo, case) == set()


def test_both_ways_keeps_access_when_either_ends(cast, case):
    CaseStaff.create(case=case, account=cast.gil, attached_by=cast.kay)
    CaseGroup.create(case=case, group=cast.counselling, attached_by=cast.kay)
    assert sees(cast.gil, case) == {"assigned", "group"}
    CaseGroup.delete().execute()
    assert sees(cast.gil, case) == {"assigned"}


@pytest.mark.parametrize("on", ["case", "student"])
def test_an_exclusion_beats_every_reason(cast, case, on):
    factories.exclusion(cast.ada, cast.kay, **{on: case if on == "case" else cast.student})
    factories.exclusion(cast.kay, cast.ada, **{on: case if on == "case" else cast.student})
    assert sees(cast.ada, case) == set()
    assert sees(cast.kay, case) == set()


def test_leaving_the_staff_ends_every_reason(cast, case):
    CaseStaff.create(case=case, account=cast.sam, attached_by=cast.kay)
    assert sees(cast.sam, case) == {"assigned"}
    Account.update(is_active=False).where(Account.id == cast.sam.id).execute()
    assert sees(cast.sam, case) == set()
    Account.update(is_active=True, role=permissions.STUDENT).where(Account.id == cast.sam.id).execute()
    assert sees(cast.sam, case) == set()


def test_what_attaching_would_change_is_what_it_changes(cast, case):
    before = {account.id for account, _ in permissions.who_can_see_case(case)}
    asked = permissions.who_would_see_case(case, groups=[cast.counselling.id], staff=[cast.sam.id])
    CaseGroup.create(case=case, group=cast.counselling, attached_by=cast.kay)
    CaseStaff.create(case=case, account=cast.sam, attached_by=cast.kay)
    now = permissions.who_can_see_case(case)
    assert [(account.id, reasons) for account, reasons in asked] == [(account.id, reasons) for account, reasons in now]
    assert {account.id for account, _ in now} - before == {cast.gil.id, cast.mo.id, cast.sam.id}


def test_what_a_membership_would_change_is_what_it_changes(cast, case):
    CaseGroup.create(case=case, group=cast.counselling, attached_by=cast.kay)
    assert permissions.cases_seen_with(cast.oli) == set()
    assert permissions.cases_seen_with(cast.oli, member_of=[cast.counselling.id]) == {case.id}
    assert permissions.cases_seen_with(cast.gil, member_of=[]) == set()
    assert permissions.cases_seen_with(cast.mo, manages=[]) == set()


def test_who_looks_after_a_student_is_told_and_only_who_sees_the_case(cast, case):
    Case.update(primary_advocate=cast.sam, coordinator=cast.ken).where(Case.id == case.id).execute()
    CaseFollower.create(case=case, account=cast.gil, added_by=cast.kay)
    factories.exclusion(cast.ken, cast.ada, case=case)
    assert {account.id for account in permissions.who_looks_after(cast.student)} == {cast.sam.id, cast.gil.id}
    Case.update(status="Closed").where(Case.id == case.id).execute()
    assert permissions.who_looks_after(cast.student) == []


def test_details_of_a_student_need_a_case_or_a_key_user(cast, case):
    assert permissions.may_see_details(cast.kay, cast.student)
    assert not permissions.may_see_details(cast.sam, cast.student)
    CaseStaff.create(case=case, account=cast.sam, attached_by=cast.kay)
    assert permissions.may_see_details(cast.sam, cast.student)
    assert not permissions.may_see_details(cast.sam, factories.student())
    assert not permissions.may_see_details(cast.stu, cast.student)


def test_groups_are_managed_by_their_managers_directors_and_admins(cast):
    other = factories.group("Year tutors", department="Pastoral")
    director = factories.account(role=permissions.DIRECTOR)
    DepartmentDirector.create(department=other.department, account=director)

    def managed(person):
        return {row.id for row in permissions.managed_groups(person)}

    assert managed(cast.ada) == {cast.counselling.id, other.id}
    assert managed(cast.mo) == {cast.counselling.id}
    assert managed(director) == {other.id}
    for who in (cast.kay, cast.gil, cast.sam, cast.rae, cast.stu, cast.oli):
        assert managed(who) == set()
