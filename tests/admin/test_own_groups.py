"""Case Management > Groups: Directors and Group Managers change who is in their own groups, and are told first what it
changes for whom; nobody else finds a group there."""

import json

import pytest

import permissions
from blueprints.admin import queries
from models import CaseGroup, DepartmentDirector, Event, Group, GroupManager, GroupMember
from tests.factories import account, case, category, exclusion, group, incident, student
from tests.web import filled_in, text_of

URL = "/groups"


@pytest.fixture
def world(cast):
    """Three cases of two students that Counselling is attached to, of which Oli follows one; a case of another group."""
    ann, ben = student("Ann"), student("Ben")
    cast.tutors = group("Year tutors", department="Pastoral")
    cast.cases = [case(of, cast.kay, groups=[cast.counselling]) for of in (ann, ann, ben)]
    cast.other_case = case(student("Cat"), cast.kay, groups=[cast.tutors])
    cast.dee = account("Dee Dunlin", role=permissions.DIRECTOR)
    DepartmentDirector.create(department=cast.tutors.department, account=cast.dee)
    return cast


def address(of, *parts):
    return "/".join([URL, of.ref, *parts])


def sees(person):
    return {row.ref for row in permissions.visible_cases(person)}


# --- What it changes is what changes ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind, link", [("member", GroupMember), ("manager", GroupManager), ("director", DepartmentDirector)])
def test_what_is_said_is_what_the_rules_then_show(world, kind, link):
    """For everybody, with some access already, some excluded, for joining and for leaving."""
    exclusion(world.gil, world.ada, case=world.cases[0])
    exclusion(world.sam, world.ada, student=world.cases[0].student)
    case(world.cases[2].student, staff=[world.ken], groups=[world.counselling, world.tutors])
    Group.update(department=world.tutors.department).where(Group.id == world.counselling.id).execute()
    of = world.tutors.department if kind == "director" else world.counselling
    field = "department" if kind == "director" else "group"
    both = account(role=permissions.DIRECTOR)
    GroupMember.create(group=world.counselling, account=both)
    for person in (world.ada, world.kay, world.ken, world.gil, world.mo, world.sam, world.oli, world.dee, both):
        link.delete().where((link.account == person) & (getattr(link, field) == of)).execute()
        before = sees(person)
        joining = queries.cases_changed(world.ada, of, person, kind, joins=True)
        link.create(account=person, **{field: of})
        after = sees(person)
        leaving = queries.cases_changed(world.ada, of, person, kind, joins=False)
        assert sorted(after - before) == joining.refs == leaving.refs, person.name
        assert joining.count == len(joining.refs)
        students = {row.student_id for row in permissions.visible_cases(world.ada) if row.ref in after - before}
        assert joining.students == len(students)


def test_cases_that_are_closed_to_who_asks_are_neither_named_nor_counted(world):
    everything = queries.cases_changed(world.ada, world.counselling, world.oli, "member", joins=True)
    assert (everything.count, everything.students) == (3, 2)
    exclusion(world.ada, world.kay, case=world.cases[0])
    exclusion(world.mo, world.ada, student=world.cases[2].student)
    for person, left in ((world.ada, world.cases[1:]), (world.mo, world.cases[:2])):
        told = queries.cases_changed(person, world.counselling, world.oli, "member", joins=True)
        assert told.refs == sorted(row.ref for row in left) and told.count == 2


def test_a_manager_is_told_nothing_about_incidents(world, client_for):
    secret = category("Self-harm", need_to_know=[world.counselling])
    incident(world.sam, [(student(), [secret])])
    incident(world.sam, alerted=[world.counselling])
    assert queries.incidents_changed(world.mo, world.counselling, world.oli, joins=True) is None
    page = text_of(client_for("mo").get(address(world.counselling, f"members/effect?staff_member={world.oli.ref}")))
    assert "incidents that they do not see now" not in page and "2 incident" not in page
    assert "Self-harm" in page, "whose need-to-know group it is stays worth knowing"


# --- The pages -------------------------------------------------------------------------------------------------------


def test_a_manager_adds_and_removes_members(world, client_for, post):
    mo = client_for("mo")
    page = text_of(mo.get(URL))
    assert "Counselling" in page and "Year tutors" not in page and "1 group" in page
    page = text_of(mo.get(address(world.counselling)))
    assert "Gil Gannet" in page and "gil@school.example.org" in page and "Add member" in page
    assert "Add manager" not in page and "Remove" in page
    assert all(row.ref in page for row in world.cases) and world.other_case.ref not in page
    new = mo.get(address(world.counselling, "members/new"))
    assert ">Staff member</label>" in new.get_data(as_text=True)
    first = post(mo, address(world.counselling, "members"), {"staff_member": world.oli.ref},
                 form_url=address(world.counselling, "members/new"))  # fmt: skip
    assert "Oli Ouzel will see 3 cases of 2 students that they do not see now." in text_of(first)
    assert all(f'href="/cases/{row.ref}"' in first.get_data(as_text=True) for row in world.cases)
    assert not sees(world.oli)
    url = address(world.counselling, "members")
    done = mo.post(url, data=filled_in(first, url, {}))
    assert done.status_code == 303 and sees(world.oli) == {row.ref for row in world.cases}
    assert "Oli Ouzel is a member of Counselling now." in text_of(mo.get(done.location))
    url = address(world.counselling, "members", world.oli.ref, "removal")
    assert "Oli Ouzel will no longer see 3 cases of 2 students that they see now." in text_of(mo.get(url))
    assert post(mo, url).status_code == 303 and not sees(world.oli)
    events = [(row.verb, row.actor_id) for row in Event.select().where(Event.verb.startswith("group.")).order_by(Event.id)]
    assert events == [("group.member_added", world.mo.id), ("group.member_removed", world.mo.id)]


def test_a_director_manages_the_groups_of_the_department(world, client_for, post):
    dee = client_for(world.dee)
    assert "Year tutors" in text_of(dee.get(URL)) and "Counselling" not in text_of(dee.get(URL))
    assert world.other_case.ref in text_of(dee.get(address(world.tutors)))
    assert dee.get(address(world.counselling)).status_code == 404
    Group.update(department=world.tutors.department).where(Group.id == world.counselling.id).execute()
    assert dee.get(address(world.counselling)).status_code == 200


def test_a_confirmation_holds_only_for_the_cases_that_were_shown(world, client_for, post):
    mo, url = client_for("mo"), address(world.counselling, "members")
    first = post(mo, url, {"staff_member": world.oli.ref}, form_url=f"{url}/new")
    another = case(groups=[world.counselling])
    CaseGroup.delete().where(CaseGroup.case == world.cases[2]).execute()
    again = mo.post(url, data=filled_in(first, url, {}))
    assert again.status_code == 200 and "This has changed since it was shown" in text_of(again)
    assert another.ref in text_of(again) and world.cases[2].ref not in text_of(again)
    assert not GroupMember.select().where(GroupMember.account == world.oli).exists()


def test_managers_departments_and_names_stay_with_admins(world, client_for, post):
    mo = client_for("mo")
    for url in (f"/admin/groups/{world.counselling.ref}", f"/admin/groups/{world.counselling.ref}/edit",
                address(world.counselling, "managers/new"), address(world.counselling, "edit")):  # fmt: skip
        assert mo.get(url).status_code == 404, url
    second = account(role=permissions.GROUP_MANAGER)
    for url in (address(world.counselling, "managers"), f"/admin/groups/{world.counselling.ref}/managers"):
        assert post(mo, url, {"staff_member": second.ref}, form_url=URL).status_code == 404
    url = address(world.counselling, "managers", world.mo.ref, "removal")
    assert post(mo, url, form_url=URL).status_code == 404
    assert GroupManager.select().count() == 1


@pytest.mark.parametrize("who", ["oli", "kay", "gil", "rae", "stu", "mo", "dee"])
def test_groups_that_one_does_not_manage_do_not_exist(world, client_for, post, who):
    person = getattr(world, who)
    foreign = world.counselling if who != "mo" else world.tutors
    client = client_for(person)
    missing = client.get(f"{URL}/ZZZZZZZZZZ").get_data(as_text=True)
    for part in ("", "members/new", "members/effect", f"members/{world.gil.ref}/removal"):
        answer = client.get(address(foreign, part).rstrip("/"))
        assert answer.status_code == 404, part
        assert text_of(answer) == text_of(missing)
    forged = post(client, address(foreign, "members"), {"staff_member": person.ref, "shown": "x"}, form_url="/account")
    assert forged.status_code == 404
    assert post(client, address(foreign, "members", world.gil.ref, "removal"), {}, form_url="/account").status_code == 404
    status = {"rae": 404, "stu": 404, "mo": 200, "dee": 200}.get(who, 403)
    for url in (URL, f"{URL}.csv"):
        with client.get(url) as answer:
            assert answer.status_code == status
            assert foreign.name not in answer.get_data(as_text=True)
    assert GroupMember.select().count() == 1


@pytest.mark.parametrize("who", ["", "ZZZZZZZZZZ", "rae", "stu", "gil", "profile", "gone"])
def test_who_cannot_be_added_is_refused_at_the_field(world, client_for, post, who):
    world.profile, world.gone = account("Pia Pipit", role=""), account("Gus Gull", is_active=False)
    url = address(world.counselling, "members")
    ref = getattr(world, who).ref if hasattr(world, who) else who
    page = post(client_for("mo"), url, {"staff_member": ref}, form_url=f"{url}/new")
    assert page.status_code == 422 and 'aria-invalid="true"' in page.get_data(as_text=True)
    assert "Pia Pipit" not in page.get_data(as_text=True) and "Gus Gull" not in page.get_data(as_text=True)
    assert GroupMember.select().count() == 1


def test_whoever_stops_managing_gets_404_at_once_in_an_open_session(world, client_for):
    mo, dee = client_for("mo"), client_for(world.dee)
    assert mo.get(address(world.counselling)).status_code == dee.get(address(world.tutors)).status_code == 200
    GroupManager.delete().execute()
    DepartmentDirector.delete().execute()
    assert mo.get(address(world.counselling)).status_code == dee.get(address(world.tutors)).status_code == 404
    assert "You manage no group" in text_of(mo.get(URL))


def test_a_member_who_leaves_gets_404_at_once_in_an_open_session(world, client_for, post):
    url, gil, mo = f"/cases/{world.cases[0].ref}", client_for("gil"), client_for("mo")
    assert gil.get(url).status_code == mo.get(url).status_code == 200
    post(mo, address(world.counselling, "members", world.gil.ref, "removal"))
    assert gil.get(url).status_code == 404
    GroupManager.delete().execute()
    assert mo.get(url).status_code == 404


def test_a_case_that_is_closed_to_the_manager_is_not_on_the_group(world, client_for):
    exclusion(world.mo, world.ada, case=world.cases[0])
    page = text_of(client_for("mo").get(address(world.counselling)))
    assert world.cases[0].ref not in page and world.cases[1].ref in page and "Cases 2" in page


def test_managers_without_the_role_show_as_having_no_effect(world, client_for):
    GroupManager.create(group=world.counselling, account=world.sam)
    page = text_of(client_for("ada").get(address(world.counselling)))
    assert "Sam Swift Without effect: not by role" in page and "Mo Merlin Without" not in page


def test_lists_and_exports(world, client_for):
    ada = client_for("ada")
    assert "2 groups" in text_of(ada.get(URL)) and "1 group" in text_of(ada.get(f"{URL}?q=TUTOR"))
    assert "No group found" in text_of(ada.get(f"{URL}?q=%25"))
    with client_for("mo").get(f"{URL}.csv") as file:
        assert "Gil Gannet" in file.text and "Year tutors" not in file.text
    with client_for("mo").get(f"{URL}.xlsx") as file:
        assert file.data.startswith(b"PK")
    rows = Event.select().where(Event.verb == "admin.exported")
    assert {json.loads(row.data)["count"] for row in rows} == {2}


def test_pages_cost_the_same_for_many(world, client_for, count_queries):
    mo = client_for("mo")
    pages = (URL, address(world.counselling), address(world.counselling, "members/new"),
             address(world.counselling, f"members/effect?staff_member={world.oli.ref}"))  # fmt: skip
    few = {}
    for page in pages:
        mo.get(page)
        with count_queries(most=12) as few[page]:
            mo.get(page)
    for _ in range(20):
        GroupManager.create(group=group(members=[world.kay]), account=world.mo)
        GroupMember.create(group=world.counselling, account=account())
        case(groups=[world.counselling])
    for page in pages:
        with count_queries(most=12) as many:
            mo.get(page)
        assert len(many) == len(few[page]), page
    assert len(few[address(world.counselling)]) <= 10


def test_the_menu_leads_there(world, client_for):
    for who, shown in (("mo", True), ("ada", True), ("oli", False), ("kay", False)):
        menu = client_for(who).get("/case-management").get_data(as_text=True).partition("<main")[0]
        assert ('href="/groups"' in menu) == shown and "Personnel" in menu
    page = client_for("mo").get(address(world.counselling)).get_data(as_text=True)
    assert page.partition("<main")[0].count('aria-current="page"') == 1
