"""The dictionary in a browser: whom a choice gives access to is said while one chooses, and Update saves in one step, however
fast; without a script it asks once more. Looking back and opening by name."""

import pytest
from playwright.sync_api import expect

from models import Case, Trigger, TriggerGroup
from tests import factories
from tests.browser import steps


@pytest.fixture
def ada(page_for):
    return page_for("ada")


def trigger(page, name):
    return page.get_by_role("group", name=name, exact=True)


def choose_group(page, name, group):
    box = trigger(page, name).get_by_label("Groups", exact=True)
    box.press_sequentially(group[:4])
    page.get_by_role("option", name=group).first.click()


def state(kind):
    row = Trigger.get((Trigger.kind == kind) & Trigger.form.is_null())
    return row.is_on, [one.group.name for one in TriggerGroup.select().where(TriggerGroup.trigger == row.id)]


def test_update_saves_at_once_with_what_is_still_being_said(ada, cast):
    ada.goto("/dictionary")
    held = []
    ada.route("**/dictionary/effect**", lambda route: held.append(route))
    ada.get_by_label("Assign a Task", exact=True).check()
    choose_group(ada, "Assign a Task", "Counselling")
    steps.press(ada, "Update")
    assert not Trigger.select().where(Trigger.is_on).exists(), "what it means has not been said yet"
    for route in held:
        route.continue_()
    ada.unroute("**/dictionary/effect**")
    expect(ada.get_by_text("The dictionary was saved: Assign a Task.")).to_be_visible()
    assert state("task") == (True, ["Counselling"])


def test_it_says_who_gets_access_before_it_saves(ada, cast, axe):
    ada.goto("/dictionary")
    ada.get_by_label("Submit a File", exact=True).check()
    expect(ada.get_by_text("only Admin Key Holders will see these cases")).to_be_visible()
    choose_group(ada, "Submit a File", "Counselling")
    expect(ada.get_by_text("This gives 2 people access")).to_be_visible()
    expect(ada.get_by_text("Submit a File: Gil Gannet, Mo Merlin, and the Admin Key Holders.")).to_be_visible()
    axe(ada)
    ada.get_by_role("button", name="Remove Counselling").click()
    expect(ada.get_by_text("Nobody gets access by this")).to_be_visible()
    assert state("file") == (False, [])


def test_looking_back_and_opening_by_name(ada, cast, axe):
    ann, bo = factories.student("Ann", "Finch"), factories.student("Bo", "Brown")
    for student in (ann, bo):
        factories.task(student, cast.sam, cast.kay)
    ada.goto("/dictionary")
    trigger(ada, "Assign a Task").get_by_role("link", name="2 students").click()
    axe(ada)
    ada.get_by_label("Select All", exact=True).check()
    ada.get_by_label("Bo Brown", exact=True).uncheck()
    steps.press(ada, "Open these")
    expect(ada.get_by_text("Done for 1 student")).to_be_visible()
    expect(ada.get_by_label("Ann Finch", exact=True)).to_have_count(0)
    expect(ada.get_by_label("Bo Brown", exact=True)).to_be_visible()
    assert [case.student_id for case in Case.select()] == [ann.id]
