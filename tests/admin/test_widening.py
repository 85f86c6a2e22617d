"""A group that comes under another department, and another role for somebody: who comes to see what is said before it is
saved, by name, and it is what the rules then show."""

import pytest

import permissions
from blueprints.account import actions as account_actions
from blueprints.admin import actions, queries
from models import Account, Case, Department, DepartmentDirector, Event, Group
from tests import factories
from tests.web import filled_in, text_of


@pytest.fixture
def world(cast):
    """Pastoral with a director; Counselling, outside of it, attached whole to two of three cases of two students."""
    cast.dee = factories.account("Dee Dunlin", role=permissions.DIRECTOR)
    cast.pastoral = Department.create(name="Pastoral")
    for person in (cast.dee, cast.ada, factories.account("Una Urchin"), factories.account("Val Vireo", role="director")):
        DepartmentDirector.create(department=cast.pastoral, account=person)
    Account.update(is_active=False).where(Account.name == "Val Vireo").execute()
    cast.first = factories.case(cast.student, cast.kay, groups=[cast.counselling])
    cast.second = factories.case(factories.student("Ann"), cast.kay, groups=[cast.counselling])
    cast.other = factories.case(cast.student, cast.kay)
    return cast


def edit(row, part="groups"):
    return f"/admin/{part}/{row.ref}/edit"


def sees(person):
    cases = {ref for (ref,) in permissions.visible_cases(Account.get_by_id(person.id), Case.ref).tuples()}
    return cases, permissions.visible_incidents(Account.get_by_id(person.id)).count()


# --- A department ----------------------------------------------------------------------------------------------------


def test_who_gains_by_the_department_is_what_the_rules_then_show(world):
    people = list(Account.select())
    before = {person.id: sees(person)[0] for person in people}
    says = queries.gained_by_department(world.ada, world.counselling, world.pastoral)
    assert {person.id: sees(person)[0] for person in people} == before, "asking changes nothing"
    actions.change_group(world.counselling, 1, name="X", department=world.pastoral, is_active=True, actor=world.ada)
    gained = {person.id: sees(person)[0] - before[person.id] for person in people}
    assert {one.person.id: set(one.cases.refs) for one in says} == {id_: refs for id_, refs in gained.items() if refs}
    assert [(one.person, one.cases.count, one.cases.students) for one in says] == [(world.dee, 2, 2)]
    row = Group.get_by_id(world.counselling.id)
    assert queries.gained_by_department(world.ada, row, world.pastoral) == []
    assert queries.gained_by_department(world.ada, row, None) == []


def test_what_is_closed_to_whoever_asks_is_not_counted(world):
    factories.exclusion(world.ada, world.kay, case=world.first)
    (one,) = queries.gained_by_department(world.ada, world.counselling, world.pastoral)
    assert (one.cases.count, one.cases.refs) == (1, [world.second.ref])


def test_the_form_names_them_before_it_saves(world, client_for, post):
    ada, url = client_for("ada"), edit(world.counselling)
    page = post(ada, url, {"name": "Listeners", "department": world.pastoral.ref})
    said = "Nothing is saved yet. This gives 1 person access: Dee Dunlin will see 2 cases of 2 students that they do not see now."
    assert page.status_code == 200 and said in text_of(page) and ">Confirm</button>" in page.text
    assert world.first.ref in page.text and world.second.ref in page.text and world.other.ref not in page.text
    assert Group.get_by_id(world.counselling.id).version == 1
    sent = filled_in(page, url, {})
    assert (sent["name"], sent["department"]) == (["Listeners"], [world.pastoral.ref])
    assert ada.post(url, data=sent).status_code == 303
    row = Group.get_by_id(world.counselling.id)
    assert (row.name, row.department_id) == ("Listeners", world.pastoral.id)
    assert Event.select().where((Event.verb == "case.listed") & (Event.target == row.ref)).exists()


def test_what_has_changed_since_is_said_again(world, client_for, post):
    ada, url = client_for("ada"), edit(world.counselling)
    sent = filled_in(post(ada, url, {"department": world.pastoral.ref}), url, {})
    factories.case(world.student, world.kay, groups=[world.counselling])
    page = ada.post(url, data=sent)
    assert page.status_code == 200 and "Dee Dunlin will see 3 cases of 2 students" in text_of(page)
    assert Group.get_by_id(world.counselling.id).department_id is None


def test_where_nobody_gains_it_is_saved_at_once(world, client_for, post):
    row = factories.group("Mornings", [world.oli])
    assert post(client_for("ada"), edit(row), {"department": world.pastoral.ref}).status_code == 303
    assert post(client_for("ada"), edit(world.counselling), {"name": "Listeners"}).status_code == 303


# --- A role ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", [*permissions.ROLES, ""])
@pytest.mark.parametrize("who", ["sam", "mo", "kay", "dee", "rae", "stu"])
def test_what_a_role_opens_is_what_the_rules_then_show(world, who, role):
    person = getattr(world, who)
    secret = factories.category("Self-harm", need_to_know=[world.counselling])
    factories.incident(world.oli, [(world.student, [secret])])
    for author in (world.oli, world.sam):
        factories.incident(author, [world.student])
    factories.incident(world.oli, [world.student], alerted=[person])
    Group.update(department=world.pastoral).where(Group.id == world.counselling.id).execute()
    before = sees(person)
    says = queries.gained_by_role(world.ada, person, role)
    account_actions.change_account(person, version=1, role=role, actor=world.ada)
    after = sees(person)
    cases = {ref for one in says for ref in one.cases.refs}
    assert cases == after[0] - before[0]
    # Each role here shows more of the incidents than the one before, or fewer: none shows others.
    assert sum(one.incidents for one in says) == max(0, after[1] - before[1])


def test_the_user_form_says_what_the_role_opens(world, client_for, post):
    factories.incident(world.oli, [world.student])
    ada, url = client_for("ada"), edit(world.sam, "users")
    page = post(ada, url, {"title": "Head of Year", "role": "admin"})
    said = "This gives 1 person access: Sam Swift will see 3 cases of 2 students and 1 incident that they do not see now."
    assert page.status_code == 200 and said in text_of(page) and "Nothing is saved yet." in text_of(page)
    assert Account.get_by_id(world.sam.id).role == "staff"
    factories.incident(world.oli, [world.student])  # how many incidents there are is not asked about twice
    sent = filled_in(page, url, {})
    assert sent["title"] == ["Head of Year"] and ada.post(url, data=sent | {"role": "staff"}).status_code == 303
    sent = filled_in(post(ada, url, {"role": "key_user"}), url, {})
    again = ada.post(url, data=sent | {"role": "admin"})
    assert again.status_code == 200 and "3 cases of 2 students" in text_of(again), "what was shown is what is confirmed"
    assert ada.post(url, data=sent).status_code == 303
    assert Account.get_by_id(world.sam.id).role == "key_user"


# --- While choosing --------------------------------------------------------------------------------------------------


def test_the_parts_of_the_forms_say_the_same(world, client_for):
    ada = client_for("ada")
    part = f"{edit(world.counselling)}/effect"
    assert "Dee Dunlin will see 2 cases" in text_of(ada.get(f"{part}?department={world.pastoral.ref}"))
    for query in ("", "?department=", "?department=ZZZZZZZZZZ"):
        assert text_of(ada.get(part + query)) == ""
    part = f"{edit(world.sam, 'users')}/effect"
    assert "Sam Swift will see 3 cases of 2 students that they" in text_of(ada.get(f"{part}?role=admin"))
    for query in ("", "?role=", "?role=staff", "?role=boss"):
        assert text_of(ada.get(part + query)) == ""


@pytest.mark.parametrize("who", ["kay", "mo", "dee", "oli", "rae", "stu"])
def test_for_others_there_are_no_such_pages(world, client_for, who):
    client = client_for(getattr(world, who))
    for row, part in ((world.counselling, "groups"), (world.sam, "users")):
        assert client.get(f"{edit(row, part)}/effect?role=admin").status_code == 404
    with pytest.raises((permissions.Denied, permissions.NotVisible)):
        queries.gained_by_role(getattr(world, who), world.sam, "admin")
    with pytest.raises((permissions.Denied, permissions.NotVisible)):
        queries.gained_by_department(getattr(world, who), world.counselling, world.pastoral)
