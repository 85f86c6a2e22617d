"""Groups and departments: who is in them, what a membership opens, and who may change it."""

from functools import partial

import pytest

import permissions
from blueprints.admin import actions, queries
from models import Conflict, Department, DepartmentDirector, Event, Group, GroupManager, GroupMember
from tests.browser import steps
from tests.factories import account, category, group, incident, student
from tests.web import filled_in, forms, text_of

URL = "/admin/groups"


@pytest.fixture
def world(cast):
    """A need-to-know category of Counselling with two incidents, and one that Counselling was alerted to."""
    cast.secret = category("Self-harm", need_to_know=[cast.counselling])
    below = category("Online forums", parent=cast.secret)
    incident(cast.sam, [(student(), [cast.secret])])
    incident(cast.sam, [(student(), [below])])
    incident(cast.sam, [(student(), [])], alerted=[cast.counselling])
    return cast


# --- The rules -------------------------------------------------------------------------------------------------------


def test_what_joining_opens_is_what_the_rules_then_show(world):
    for person in (world.oli, world.kay, world.gil, world.ada):
        before = permissions.visible_incidents(person).count()
        says = queries.incidents_changed(world.ada, world.counselling, person, joins=True)
        GroupMember.insert(group=world.counselling, account=person).on_conflict_ignore().execute()
        assert permissions.visible_incidents(person).count() - before == says, person.name
    assert queries.incidents_changed(world.ada, world.counselling, world.oli, joins=False) == 3
    assert GroupMember.select().where(GroupMember.account == world.oli).exists()


def test_asking_changes_nothing(world):
    assert queries.incidents_changed(world.ada, world.counselling, world.oli, joins=True) == 3
    assert not GroupMember.select().where(GroupMember.account == world.oli).exists()


def test_membership_takes_effect_at_once_and_both_ways(world):
    def sees():
        return permissions.visible_incidents(world.oli).count()

    assert sees() == 0
    actions.add_person(world.counselling, world.oli, "member", actor=world.ada)
    actions.add_person(world.counselling, world.oli, "member", actor=world.ada)
    assert sees() == 3
    actions.remove_person(world.counselling, world.oli, "member", actor=world.ada)
    assert sees() == 0
    verbs = [row.verb for row in Event.select().order_by(Event.id)]
    assert verbs == ["group.member_added", "group.member_added", "group.member_removed"]


def test_managing_alone_opens_no_incident(world):
    second = account(role=permissions.GROUP_MANAGER)
    actions.add_person(world.counselling, second, "manager", actor=world.ada)
    assert permissions.visible_incidents(second).count() == 0
    assert GroupManager.get(GroupManager.account == second).added_by_id == world.ada.id


@pytest.mark.parametrize("kind, roles", [("manager", permissions.MANAGER_ROLES), ("director", permissions.DIRECTOR_ROLES)])
def test_only_whose_role_manages_can_be_made_to_manage(world, kind, roles):
    department = Department.create(name="Pastoral")
    of = department if kind == "director" else group()
    for role in permissions.ROLES:
        person = account(role=role)
        offered = person in queries.addable(world.ada, of, kind)
        assert offered == (role in roles), role
        add = actions.add_director if kind == "director" else partial(actions.add_person, kind=kind)
        if offered:
            add(of, person, actor=world.ada)
        else:
            with pytest.raises(permissions.Denied):
                add(of, person, actor=world.ada)


def test_only_active_staff_come_into_a_group(world):
    left, profile = account(is_active=False), account(role="")
    for person in (world.rae, world.stu, left, profile):
        for kind in ("member", "manager"):
            with pytest.raises(permissions.Denied):
                actions.add_person(world.counselling, person, kind, actor=world.ada)
        assert person not in queries.addable(world.ada, world.counselling, "member")
    assert world.gil not in queries.addable(world.ada, world.counselling, "member")


def test_nobody_else_changes_groups(world):
    department = Department.create(name="Pastoral")
    for person in (world.oli, world.kay, world.mo, world.gil, world.rae, world.stu):
        for attempt in (
            lambda who: actions.add_person(world.counselling, who, "manager", actor=who),
            lambda who: actions.remove_person(world.counselling, world.mo, "manager", actor=who),
            lambda who: actions.add_group(name="New", department=None, actor=who),
            lambda who: actions.change_group(world.counselling, 1, name="X", department=None, is_active=True, actor=who),
            lambda who: actions.add_department("New", actor=who),
            lambda who: actions.change_department(department, 1, name="X", actor=who),
            lambda who: actions.add_director(department, who, actor=who),
            lambda who: actions.remove_director(department, who, actor=who),
            lambda who: queries.departments(who),
            lambda who: queries.cases_changed(who, world.counselling, who, "manager", joins=True),
        ):
            with pytest.raises(permissions.Denied):
                attempt(person)


def test_members_are_changed_by_who_manages_the_group_and_nobody_else(world):
    for person in (world.oli, world.kay, world.gil, world.rae, world.stu):
        for attempt in (
            lambda who: actions.add_person(world.counselling, who, "member", actor=who),
            lambda who: actions.remove_person(world.counselling, world.gil, "member", actor=who),
            lambda who: queries.groups(who),
            lambda who: queries.group(who, world.counselling.ref),
            lambda who: queries.people(who, world.counselling, "member"),
            lambda who: queries.membership_rows(who),
            lambda who: queries.incidents_changed(who, world.counselling, who, joins=True),
            lambda who: queries.cases_changed(who, world.counselling, who, "member", joins=True),
        ):
            with pytest.raises(permissions.Denied):
                attempt(person)
    other = group()
    for attempt in (
        lambda: actions.add_person(other, world.mo, "member", actor=world.mo),
        lambda: actions.remove_person(other, world.mo, "member", actor=world.mo),
        lambda: queries.group(world.mo, other.ref),
        lambda: queries.cases_changed(world.mo, other, world.oli, "member", joins=True),
    ):
        with pytest.raises(permissions.NotVisible):
            attempt()
    assert queries.people(world.mo, other, "member") == queries.addable(world.mo, other, "member") == []
    actions.add_person(world.counselling, world.oli, "member", actor=world.mo)
    actions.remove_person(world.counselling, world.gil, "member", actor=world.mo)
    assert [row.account_id for row in GroupMember.select()] == [world.oli.id]


def test_names_are_free_whatever_their_case(world):
    with pytest.raises(actions.Taken):
        actions.add_group(name="counselling", department=None, actor=world.ada)
    other = group("Year 7 tutors")
    with pytest.raises(actions.Taken):
        actions.change_group(other, 1, name="COUNSELLING", department=None, is_active=True, actor=world.ada)
    assert Group.get_by_id(other.id).name == "Year 7 tutors"


def test_the_second_of_two_editors_is_told(world):
    actions.change_group(world.counselling, 1, name="Counsellors", department=None, is_active=True, actor=world.ada)
    stale = Group.get_by_id(world.counselling.id)
    with pytest.raises(Conflict):
        actions.change_group(stale, 1, name="Listeners", department=None, is_active=True, actor=world.ada)
    assert Group.get_by_id(stale.id).name == "Counsellors"


# --- The pages -------------------------------------------------------------------------------------------------------


def test_adding_a_member_says_first_what_it_changes(world, client_for, post):
    ada = client_for("ada")
    address = f"{URL}/{world.counselling.ref}"
    page = ada.get(address)
    assert "Add member" in text_of(page) and "Remove" in text_of(page)
    adding = ada.get(f"{address}/members/new")
    assert ">Staff member</label>" in adding.get_data(as_text=True)
    effect = ada.get(f"{address}/members/effect?staff_member={world.oli.ref}")
    assert "Oli Ouzel will see 3 incidents that they do not see now." in text_of(effect)
    assert "Self-harm" in text_of(effect) and "Confirm" in text_of(effect)
    first = post(ada, f"{address}/members", {"staff_member": world.oli.ref}, form_url=f"{address}/members/new")
    assert first.status_code == 200 and "Oli Ouzel will see 3 incidents" in text_of(first)
    assert not GroupMember.select().where(GroupMember.account == world.oli).exists()
    form = next(form for form in forms(first) if form.action == f"{address}/members")
    done = ada.post(f"{address}/members", data={name: values[0] for name, values in form.values.items()})
    assert done.status_code == 303
    assert "Oli Ouzel is a member of Counselling now." in text_of(ada.get(done.location))


def test_a_confirmation_holds_only_for_what_was_shown(world, client_for, post):
    ada = client_for("ada")
    address = f"{URL}/{world.counselling.ref}/members"
    first = post(ada, address, {"staff_member": world.oli.ref}, form_url=f"{address}/new")
    body = filled_in(first, address, {})
    incident(world.sam, [(student(), [world.secret])])
    again = ada.post(address, data=body)
    assert again.status_code == 200 and "will see 4 incidents" in text_of(again)
    assert "This has changed since it was shown" in text_of(again) and "This has changed" not in text_of(first)
    assert not GroupMember.select().where(GroupMember.account == world.oli).exists()


@pytest.mark.parametrize("who", ["", "ZZZZZZZZZZ", "rae", "stu", "gil"])
def test_who_cannot_be_added_is_refused_at_the_field(world, client_for, post, who):
    address = f"{URL}/{world.counselling.ref}/members"
    ref = getattr(world, who).ref if hasattr(world, who) else who
    page = post(client_for("ada"), address, {"staff_member": ref}, form_url=f"{address}/new")
    assert page.status_code == 422 and 'aria-invalid="true"' in page.get_data(as_text=True)
    assert GroupMember.select().count() == 1


def test_removing_says_first_what_it_changes(world, client_for, post):
    ada = client_for("ada")
    address = f"{URL}/{world.counselling.ref}/members/{world.gil.ref}/removal"
    page = ada.get(address)
    assert "Gil Gannet will no longer see 3 incidents that they see now." in text_of(page)
    stale = filled_in(page, address, {})
    incident(world.sam, [(student(), [world.secret])])
    again = ada.post(address, data=stale)
    assert again.status_code == 200 and "will no longer see 4 incidents" in text_of(again)
    assert GroupMember.select().count() == 1
    assert post(ada, address).status_code == 303
    assert GroupMember.select().count() == 0
    assert ada.get(address).status_code == 404


def test_managers(world, client_for, post):
    ada = client_for("ada")
    address = f"{URL}/{world.counselling.ref}/managers"
    second = account("Una Urchin", role=permissions.GROUP_MANAGER)
    shown = post(ada, address, {"staff_member": second.ref}, form_url=f"{address}/new")
    assert "Una Urchin will manage Counselling. This opens no incident" in text_of(shown)
    assert ada.post(address, data=filled_in(shown, address, {})).status_code == 303
    assert GroupManager.select().where(GroupManager.account == second).exists()
    assert post(ada, f"{address}/{second.ref}/removal").status_code == 303
    assert not GroupManager.select().where(GroupManager.account == second).exists()
    refused = post(ada, address, {"staff_member": world.oli.ref}, form_url=f"{address}/new")
    assert refused.status_code == 422 and "Oli Ouzel" not in refused.get_data(as_text=True)


def test_adding_and_editing_a_group(world, client_for, post):
    ada = client_for("ada")
    pastoral = Department.create(name="Pastoral")
    page = ada.get(f"{URL}/new").get_data(as_text=True)
    assert ">Name</label>" in page and ">Department</label>" in page
    added = post(ada, f"{URL}/new", {"name": "Year 7 tutors", "department": pastoral.ref})
    row = Group.get(Group.name == "Year 7 tutors")
    assert added.status_code == 303 and added.location.endswith(row.ref) and row.department_id == pastoral.id
    edit = f"{URL}/{row.ref}/edit"
    assert post(ada, edit, {"name": "Year 7", "department": "", "is_active": None}).status_code == 303
    row = Group.get_by_id(row.id)
    assert (row.name, row.department_id, row.is_active, row.version) == ("Year 7", None, False, 2)
    for data, sentence in (
        ({"name": " "}, "Give the group a name."),
        ({"name": "counselling"}, "There is a group of this name already."),
        ({"name": "x" * 101}, "at most 100"),
        ({"name": "Fine", "department": "ZZZZZZZZZZ"}, "is not known"),
    ):
        for address in (f"{URL}/new", edit):
            refused = post(ada, address, data)
            assert refused.status_code == 422 and sentence in text_of(refused), (address, data)


def test_two_editors_see_both_versions(world, client_for, post):
    ada = client_for("ada")
    edit = f"{URL}/{world.counselling.ref}/edit"
    assert post(ada, edit, {"name": "Counsellors"}).status_code == 303
    late = post(ada, edit, {"name": "Listeners", "version": "1"})
    assert late.status_code == 409
    assert "Counsellors" in text_of(late) and 'value="Listeners"' in late.get_data(as_text=True)
    again = next(form for form in forms(late) if "name" in form.controls)
    assert ada.post(edit, data={name: values[0] for name, values in again.values.items()}).status_code == 303
    assert Group.get_by_id(world.counselling.id).name == "Listeners"


def test_departments_and_directors(world, client_for, post):
    ada = client_for("ada")
    added = post(ada, "/admin/departments/new", {"name": "Pastoral"})
    row = Department.get(Department.name == "Pastoral")
    address = f"/admin/departments/{row.ref}"
    assert added.location.endswith(address)
    dee = account("Dee Dunlin", role=permissions.DIRECTOR)
    directors = f"{address}/directors"
    shown = post(ada, directors, {"staff_member": dee.ref}, form_url=f"{directors}/new")
    assert "Dee Dunlin will direct Pastoral." in text_of(shown) and not DepartmentDirector.select().exists()
    assert ada.post(directors, data=filled_in(shown, directors, {})).status_code == 303
    assert "Dee Dunlin" in text_of(ada.get(address)) and "Dee Dunlin" in text_of(ada.get(URL))
    for who in (world.rae, world.mo):
        refused = post(ada, directors, {"staff_member": who.ref}, form_url=f"{directors}/new")
        assert refused.status_code == 422
    assert post(ada, address, {"name": "Wellbeing"}).status_code == 303
    late = post(ada, address, {"name": "Care", "version": "1"})
    assert late.status_code == 409 and "Wellbeing" in text_of(late)
    assert post(ada, f"{directors}/{dee.ref}/removal").status_code == 303
    assert not DepartmentDirector.select().exists()
    assert post(ada, "/admin/departments/new", {"name": "wellbeing"}).status_code == 422


def test_who_may_not(world, client_for, post):
    pastoral = Department.create(name="Pastoral")
    group_url = f"{URL}/{world.counselling.ref}"
    for who, status in (("oli", 403), ("kay", 403), ("mo", 403), ("rae", 404), ("stu", 404)):
        client = client_for(who)
        for url in (URL, f"{URL}.csv", f"{URL}/new", "/admin/departments/new"):
            assert client.get(url).status_code == status, (who, url)
        for url in (group_url, f"{group_url}/edit", f"{group_url}/members/new", f"/admin/departments/{pastoral.ref}"):
            assert client.get(url).status_code == 404, (who, url)
        forged = post(client, f"{group_url}/members", {"staff_member": getattr(world, who).ref}, form_url="/account")
        assert forged.status_code == 404
    assert GroupMember.select().count() == 1


def test_what_is_not_there(world, client_for, post):
    ada = client_for("ada")
    for url in (f"{URL}/ZZZZZZZZZZ", f"{URL}/ZZZZZZZZZZ/edit", f"{URL}/ZZZZZZZZZZ/members/new", "/admin/departments/ZZZZZZZZZZ"):
        assert ada.get(url).status_code == 404
    assert post(ada, f"{URL}/{world.counselling.ref}/members/{world.oli.ref}/removal", form_url="/account").status_code == 404


def test_exports_are_recorded(world, client_for):
    ada = client_for("ada")
    with ada.get(f"{URL}.csv") as file:
        assert "Gil Gannet" in file.text and "Member" in file.text
    assert Event.get(Event.verb == "admin.exported").actor_id == world.ada.id


def test_lists_cost_the_same_for_many_groups(world, client_for, count_queries):
    ada = client_for("ada")
    ada.get(URL)
    with count_queries(most=10) as few:
        ada.get(URL)
    for number in range(30):
        group(f"G{number}", members=[world.kay], department=f"D{number}")
    with count_queries(most=10) as many:
        ada.get(URL)
    assert len(few) == len(many)


def test_hostile_names_stay_text(world, client_for, post):
    ada = client_for("ada")
    hostile = '"><script>alert(1)</script>'
    department = Department.create(name=hostile)
    row = group(hostile, members=[account(hostile)], department=None)
    for url in (URL, f"{URL}/new", f"{URL}/{row.ref}", f"{URL}/{row.ref}/edit", f"/admin/departments/{department.ref}"):
        page = ada.get(url)
        assert page.status_code == 200 and "<script>alert" not in page.text, url
    assert post(ada, f"{URL}/{row.ref}/edit", {"department": department.ref}).status_code == 303


@pytest.mark.browser
def test_through_the_browser_nothing_is_saved_before_it_is_said(world, page_for):
    page = page_for("ada")
    page.goto(f"{URL}/{world.counselling.ref}")
    page.get_by_role("button", name="Add member").click()
    steps.choose(page, "Staff member", "Oli Ouzel")
    page.get_by_text("Oli Ouzel will see 3 incidents that they do not see now.").wait_for()
    assert not GroupMember.select().where(GroupMember.account == world.oli).exists()
    page.get_by_role("button", name="Confirm").click()
    page.get_by_text("Oli Ouzel is a member of Counselling now.").wait_for()
    page.get_by_role("row", name="Oli Ouzel").get_by_role("button", name="Remove").click()
    page.get_by_text("Oli Ouzel will no longer see 3 incidents").wait_for()
    page.get_by_role("button", name="Confirm").click()
    page.get_by_text("Oli Ouzel is not a member of Counselling any more.").wait_for()
