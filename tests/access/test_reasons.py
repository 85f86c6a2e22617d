"""Each reason to see an incident, alone: it gives access, it is named, and it ends when its cause ends."""

import pytest

import permissions
from extensions import clock
from models import Account, CategoryGroup, GroupMember, Incident, IncidentAlert, School
from tests import factories


def sees(person, incident):
    """Whether the list sees it; the single check and "Who can see this" must agree."""
    person = Account.get_by_id(person.id)
    listed = permissions.visible_incidents(person).where(Incident.id == incident.id).exists()
    reasons = permissions.incident_reasons(person, incident)
    named = {account.id: why for account, why in permissions.who_can_see_incident(incident)}
    assert listed == bool(reasons)
    assert named.get(person.id, []) == reasons
    return reasons


@pytest.fixture
def plain(app, cast):
    return factories.incident(cast.sam, [(cast.student, [factories.category("Bullying")])])


@pytest.fixture
def secret(app, cast):
    private = factories.category("Disclosure", need_to_know=[cast.counselling])
    return factories.incident(cast.sam, [(cast.student, [private])])


def test_outsider_and_other_roles_see_nothing(plain, cast):
    for person in (cast.oli, cast.gil, cast.mo, cast.rae, cast.stu):
        assert sees(person, plain) == []


def test_author(plain, cast):
    assert sees(cast.sam, plain) == ["wrote_it"]


def test_key_user_and_admin(plain, cast):
    assert sees(cast.kay, plain) == ["key_user"]
    assert sees(cast.ada, plain) == ["admin"]


def test_need_to_know_shuts_key_users_out_and_lets_the_group_in(secret, cast):
    assert sees(cast.kay, secret) == []
    assert sees(cast.gil, secret) == ["category_group"]
    assert sees(cast.ada, secret) == ["admin"]


def test_need_to_know_of_the_parent_binds_the_child(app, cast):
    parent = factories.category("Safeguarding", need_to_know=[cast.counselling])
    row = factories.incident(cast.sam, [(cast.student, [factories.category("Neglect", parent=parent)])])
    assert sees(cast.kay, row) == []
    assert sees(cast.gil, row) == ["category_group"]


def test_leaving_the_group_takes_effect_at_once(secret, cast):
    GroupMember.delete().where(GroupMember.account == cast.gil).execute()
    assert sees(cast.gil, secret) == []
    GroupMember.create(group=cast.counselling, account=cast.kay)
    assert sees(cast.kay, secret) == ["key_user", "category_group"]


def test_opening_a_category_lets_key_users_in(secret, cast):
    CategoryGroup.delete().execute()
    assert sees(cast.kay, secret) == ["key_user"]
    assert sees(cast.gil, secret) == []


def test_alerted_by_name_and_by_group(plain, cast):
    IncidentAlert.create(incident=plain, account=cast.oli, alerted_by=cast.sam)
    assert sees(cast.oli, plain) == ["alerted"]
    IncidentAlert.create(incident=plain, group=cast.counselling, alerted_by=cast.sam)
    assert sees(cast.gil, plain) == ["alerted"]
    assert sees(cast.mo, plain) == []
    GroupMember.delete().where(GroupMember.account == cast.gil).execute()
    assert sees(cast.gil, plain) == []


def test_assigned_holds_only_while_the_module_is_on_and_the_role_lasts(secret, cast):
    Incident.update(assigned_to=cast.kay).where(Incident.id == secret.id).execute()
    assert sees(cast.kay, secret) == ["assigned"]
    School.update(cases_module=False).execute()
    assert sees(cast.kay, secret) == []
    School.update(cases_module=True).execute()
    Account.update(role=permissions.STAFF).where(Account.id == cast.kay.id).execute()
    assert sees(cast.kay, secret) == []


@pytest.mark.parametrize("role", [permissions.REFERRAL_USER, permissions.STUDENT])
def test_a_role_outside_staff_ends_every_relation(plain, cast, role):
    IncidentAlert.create(incident=plain, account=cast.sam, alerted_by=cast.kay)
    Account.update(role=role).where(Account.id == cast.sam.id).execute()
    assert sees(cast.sam, plain) == []


def test_a_deactivated_account_sees_nothing(plain, cast):
    Account.update(is_active=False).where(Account.id == cast.sam.id).execute()
    assert sees(cast.sam, plain) == []


@pytest.mark.parametrize("kind", ["incident", "student"])
@pytest.mark.parametrize("who", ["ada", "kay", "sam", "oli"])
def test_exclusion_beats_every_reason(plain, cast, who, kind):
    person = getattr(cast, who)
    Incident.update(assigned_to=cast.kay).where(Incident.id == plain.id).execute()
    IncidentAlert.create(incident=plain, account=cast.oli, alerted_by=cast.sam)
    assert sees(person, plain)
    target = {"incident": plain} if kind == "incident" else {"student": cast.student}
    exclusion = factories.exclusion(person, cast.ada, **target)
    assert sees(person, plain) == []
    exclusion.ended_at = clock.now()
    exclusion.save()
    assert sees(person, plain)


def test_parts_are_shown_one_by_one(app, cast):
    """Kay sees the incident through Ann's part, and neither Bea's name nor her category."""
    private = factories.category("Disclosure", need_to_know=[cast.counselling])
    ann, bea = factories.student("Ann"), factories.student("Bea")
    row = factories.incident(cast.sam, [(ann, [factories.category("Bullying")]), (bea, [private])])

    def parts(person):
        query = row.parts.join(Incident).where(permissions.sees_part(person))
        return {part.student_id for part in query}

    assert sees(cast.kay, row) == ["key_user"]
    assert parts(cast.kay) == {ann.id}
    assert parts(cast.sam) == parts(cast.ada) == {ann.id, bea.id}
    assert sees(cast.gil, row) == ["category_group"]


def test_warned_by_name_about_people_outside_a_need_to_know_group(app, cast):
    private = factories.category("Disclosure", need_to_know=[cast.counselling])
    outside = permissions.would_see_because_of([cast.kay, cast.gil, cast.ada, cast.oli], [private.id])
    assert [person.name for person in outside] == [cast.kay.name, cast.oli.name]
