"""Categories: two levels, retired and never deleted, and whom a need-to-know group lets read."""

import pytest

import permissions
from blueprints.admin import actions, queries
from models import Category, CategoryGroup, Conflict, Event
from tests.factories import account, category, group, incident, student
from tests.web import forms, text_of

URL = "/admin/categories"
PLAIN = {"colour": "#2f6f8f", "guidance": "", "position": 0, "is_retired": False, "parent": None}


def readers(world, of):
    """Who reads an incident of this category that nobody has anything to do with, by the real rules."""
    row = incident(world.stranger, [(student(), [of])])
    people = [world.ada, world.kay, world.ken, world.gil, world.mo, world.sam, world.oli, world.rae, world.stu]
    return {person.name for person in people if permissions.incident_reasons(person, row)}


@pytest.fixture
def world(cast):
    cast.stranger = account("Una Author")
    return cast


# --- The rules -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("above", [False, True])
def test_who_would_read_it_is_who_then_does(world, own, above):
    tutors = group("Tutors", members=[world.gil, world.oli, world.rae, world.kay])
    parent = category("Harm", need_to_know=[tutors] if above else [])
    child = category("Self-harm", parent=parent)
    chosen = [world.counselling.ref] if own else []
    says = queries.changed_readers(world.ada, child, parent.ref, chosen)
    actions.change_category(child, 1, groups=chosen, actor=world.ada, name="Self-harm", **PLAIN | {"parent": parent})
    assert set(says.now) == readers(world, child)


def test_who_comes_and_goes(world):
    row = category("Harm")
    change = queries.changed_readers(world.ada, row, "", [world.counselling.ref])
    assert change.now == ["Ada Adler", "Gil Gannet"]
    assert change.gain == ["Gil Gannet"] and change.lose == ["Kay Kestrel", "Ken Kittiwake"]
    new = queries.changed_readers(world.ada, None, "", [])
    assert new.now == ["Ada Adler", "Kay Kestrel", "Ken Kittiwake"] and not new.gain and not new.lose


def test_nobody_else_changes_categories(world):
    row = category("Harm")
    for person in (world.oli, world.kay, world.mo, world.rae, world.stu):
        with pytest.raises(permissions.Denied):
            actions.add_category(actor=person, name="New", **PLAIN)
        with pytest.raises(permissions.Denied):
            actions.change_category(row, 1, actor=person, name="New", **PLAIN)
        with pytest.raises(permissions.Denied):
            queries.category_rows(person)
    assert Category.select().count() == 1


def test_changes_are_recorded(world):
    row = actions.add_category(actor=world.ada, groups=[world.counselling.ref], name="Harm", **PLAIN)
    actions.change_category(row, 1, actor=world.ada, name="Self-harm", **PLAIN | {"is_retired": True})
    verbs = [(event.verb, event.target) for event in Event.select().order_by(Event.id)]
    assert verbs == [(verb, row.ref) for verb in (
        "category.added", "category.need_to_know_changed", "category.changed", "category.need_to_know_changed")]  # fmt: skip
    assert not CategoryGroup.select().exists() and Category.get().is_retired


def test_the_second_of_two_editors_is_told(world):
    row = category("Harm")
    actions.change_category(row, 1, actor=world.ada, name="One", **PLAIN)
    with pytest.raises(Conflict):
        actions.change_category(
            Category.get_by_id(row.id), 1, actor=world.ada, groups=[world.counselling.ref], name="Two", **PLAIN
        )
    assert Category.get_by_id(row.id).name == "One" and not CategoryGroup.select().exists()


# --- The pages -------------------------------------------------------------------------------------------------------


def test_adding_a_category_and_one_below_it(world, client_for, post):
    ada = client_for("ada")
    assert post(ada, f"{URL}/new", {"name": "Bullying", "colour": "#AA3344", "guidance": "Say who."}).status_code == 303
    top = Category.get(Category.name == "Bullying")
    assert (top.colour, top.guidance, top.parent_id) == ("#aa3344", "Say who.", None)
    assert post(ada, f"{URL}/new?parent={top.ref}", {"name": "Online"}, form_url=f"{URL}/new?parent={top.ref}").status_code == 303
    assert Category.get(Category.name == "Online").parent_id == top.id
    text = text_of(ada.get(URL))
    assert "Bullying: Online" in text


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"name": ""}, "Give the category a name."),
        ({"name": "harm"}, "There is a category of this name in this place already."),
        ({"name": "A", "colour": "red"}, "Write a colour"),
        ({"name": "A", "colour": "#12345g"}, "Write a colour"),
        ({"name": "A", "colour": "#123456;x"}, "Write a colour"),
        ({"name": "A", "parent": "ZZZZZZZZZZ"}, "is not known"),
        ({"name": "A", "position": "-1"}, "from 0 to 9999"),
        ({"name": "A", "position": "x"}, "Write a whole number."),
        ({"name": "A", "groups": ["ZZZZZZZZZZ"]}, "is not known"),
        ({"name": "A", "guidance": "x" * 5001}, "at most 5,000"),
    ],
)
def test_bad_input_gets_a_sentence_at_the_field(world, client_for, post, data, sentence):
    category("Harm")
    category("Neglect", parent=category("Home"))
    page = post(client_for("ada"), f"{URL}/new", data)
    assert page.status_code == 422 and sentence in text_of(page)
    assert Category.select().count() == 3


def test_there_are_two_levels(world, client_for, post):
    top, other = category("Harm"), category("Home")
    below = category("Self-harm", parent=top)
    ada = client_for("ada")
    assert post(ada, f"{URL}/{top.ref}", {"parent": other.ref}).status_code == 422  # it has one below it
    assert post(ada, f"{URL}/{other.ref}", {"parent": below.ref}).status_code == 422  # would be a third level
    assert post(ada, f"{URL}/{other.ref}", {"parent": other.ref}).status_code == 422
    assert Category.select().where(Category.parent.is_null(False)).count() == 1


def test_a_need_to_know_change_is_shown_before_it_is_saved(world, client_for, post):
    row = category("Harm")
    ada = client_for("ada")
    address = f"{URL}/{row.ref}"
    shown = post(ada, address, {"groups": [world.counselling.ref]})
    text = text_of(shown)
    assert shown.status_code == 200 and "Nothing is saved yet" in text
    assert "2 people read incidents of this category" in text and "Ada Adler, Gil Gannet" in text
    assert "New among them: Gil Gannet." in text and "No longer among them: Kay Kestrel, Ken Kittiwake." in text
    assert not CategoryGroup.select().exists()
    form = next(form for form in forms(shown) if "colour" in form.controls)
    done = ada.post(address, data=form.values)
    assert done.status_code == 303
    assert CategoryGroup.get().category_id == row.id


def test_a_confirmation_holds_only_for_who_was_shown(world, client_for, post):
    row = category("Harm")
    ada = client_for("ada")
    address = f"{URL}/{row.ref}"
    shown = post(ada, address, {"groups": [world.counselling.ref]})
    form = next(form for form in forms(shown) if "colour" in form.controls)
    actions.add_person(world.counselling, world.oli, "member", actor=world.ada)
    again = ada.post(address, data=form.values)
    assert again.status_code == 200 and "3 people read" in text_of(again)
    assert not CategoryGroup.select().exists()


def test_retiring_keeps_the_category(world, client_for, post):
    row = category("Harm")
    ada = client_for("ada")
    assert post(ada, f"{URL}/{row.ref}", {"is_retired": "y"}).status_code == 303
    assert "Retired" in text_of(ada.get(URL))
    assert post(ada, f"{URL}/{row.ref}", {"is_retired": None}).status_code == 303
    assert not Category.get_by_id(row.id).is_retired


def test_two_editors_see_both_versions(world, client_for, post):
    row = category("Harm")
    ada = client_for("ada")
    post(ada, f"{URL}/{row.ref}", {"name": "Injury", "guidance": "Call first."})
    late = post(ada, f"{URL}/{row.ref}", {"name": "Wounds", "version": "1"})
    assert late.status_code == 409
    assert "Injury" in text_of(late) and 'value="Wounds"' in late.get_data(as_text=True)
    form = next(form for form in forms(late) if "colour" in form.controls)
    assert ada.post(f"{URL}/{row.ref}", data=form.values).status_code == 303
    assert Category.get_by_id(row.id).name == "Wounds"


def test_who_may_not(world, client_for, post):
    row = category("Harm")
    for who, status in (("oli", 403), ("kay", 403), ("rae", 404), ("stu", 404)):
        client = client_for(who)
        for url in (URL, f"{URL}.csv", f"{URL}/new"):
            assert client.get(url).status_code == status
        assert client.get(f"{URL}/{row.ref}").status_code == 404
        assert post(client, f"{URL}/new", {"name": "X"}, form_url="/account").status_code == status
    assert client_for("ada").get(f"{URL}/ZZZZZZZZZZ").status_code == 404


def test_export_and_cost(world, client_for, count_queries):
    for number in range(30):
        category(f"C{number}", need_to_know=[world.counselling])
    ada = client_for("ada")
    with ada.get(f"{URL}.xlsx") as file:
        assert file.status_code == 200
    with count_queries(most=10):
        assert text_of(ada.get(URL)).count("Counselling") == 30
