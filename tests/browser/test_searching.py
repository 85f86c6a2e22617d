"""The search bar at the top left of every page, in a browser: by keyboard, by mouse, and without script."""

import re

import pytest
from playwright.sync_api import expect

from models import Event
from tests import factories
from tests.browser import steps

TEXT = "Stood by the lighthouse model and would not come in."


@pytest.fixture
def school(cast):
    """Three students whose names share letters, an incident, and a case that Kay opened."""
    students = [factories.student(first, last, year_group="8") for first, last in
                (("Zoë", "O'Brien"), ("Bo", "Brienne"), ("Ann", "Finch"))]  # fmt: skip
    incident = factories.incident(cast.kay, [students[0]], TEXT)
    case = factories.case(students[0], cast.kay, "Settling in", entries=[(cast.kay, "The lighthouse trip went well.")])
    return students, incident, case


def bar(page):
    return page.get_by_role("search").get_by_label("Search", exact=True)


def suggestions(page):
    return page.get_by_role("listbox", name="Suggestions").get_by_role("option")


def test_by_keyboard_to_a_student(site, page_for, school):
    kay = page_for("kay")
    kay.goto("/cases")
    bar(kay).focus()
    kay.keyboard.type("obrien")
    expect(suggestions(kay)).to_have_count(1)
    expect(bar(kay)).to_have_attribute("aria-expanded", "true")
    kay.keyboard.press("ArrowDown")
    expect(suggestions(kay).first).to_have_attribute("aria-selected", "true")
    assert bar(kay).get_attribute("aria-activedescendant") == suggestions(kay).first.get_attribute("id")
    kay.keyboard.press("Enter")
    kay.wait_for_url(f"**/students/{school[0][0].ref}")


def test_arrows_wrap_and_escape_closes(site, page_for, school):
    kay = page_for("kay")
    kay.goto("/")
    bar(kay).focus()
    kay.keyboard.type("brien")
    expect(suggestions(kay)).to_have_count(2)
    for key, chosen in (("ArrowDown", 0), ("ArrowDown", 1), ("ArrowUp", 0), ("ArrowUp", None)):
        kay.keyboard.press(key)
        is_chosen = [one.get_attribute("aria-selected") == "true" for one in suggestions(kay).all()]
        assert is_chosen == [n == chosen for n in range(2)]
    kay.keyboard.press("Escape")
    expect(bar(kay)).to_have_attribute("aria-expanded", "false")
    expect(bar(kay)).to_have_value("brien")
    kay.keyboard.press("Enter")
    kay.wait_for_url(re.compile(r"/search\?q=brien"))
    for name in ("Zoë O'Brien", "Bo Brienne"):
        expect(kay.get_by_role("main").get_by_role("link", name=name, exact=True)).to_be_visible()


def test_by_mouse_to_a_case(site, page_for, school):
    kay = page_for("kay")
    kay.goto("/")
    bar(kay).press_sequentially(school[2].ref)
    suggestions(kay).filter(has_text=school[2].ref).click()
    kay.wait_for_url(f"**/cases/{school[2].ref}")


def test_words_in_texts_are_found_by_who_may_read_them(site, page_for, school):
    _, incident, case = school
    kay, oli = page_for("kay"), page_for("oli")
    for page in (kay, oli):
        page.goto("/")
        bar(page).fill("lighthouse")
        bar(page).press("Enter")
        page.wait_for_url(re.compile(r"/search\?q=lighthouse"))
    for ref in (incident.ref, case.ref):
        expect(kay.get_by_role("main").get_by_role("link", name=ref, exact=True)).to_be_visible()
        expect(oli.get_by_role("main")).not_to_contain_text(ref)
    expect(oli.get_by_role("main")).to_contain_text("Nothing found")
    said = [row.data for row in Event.select().where(Event.verb == "search.run")]
    assert len(said) == 2 and not [line for line in said if "lighthouse" in line]


def test_a_reference_leads_straight_to_its_record(site, page_for, school):
    kay, oli = page_for("kay"), page_for("oli")
    for page in (kay, oli):
        page.goto("/")
        bar(page).fill(school[1].ref.lower())
        bar(page).press("Enter")
    expect(kay.get_by_role("main")).to_contain_text(school[1].ref)
    expect(oli.get_by_role("main")).to_contain_text("Nothing found")


def test_the_students_page_has_its_own(site, page_for, school):
    kay = page_for("kay")
    kay.goto("/students")
    box = kay.get_by_role("main").get_by_role("searchbox").first
    box.fill("brienne")
    box.press("Enter")
    expect(kay.get_by_role("main").get_by_role("link", name="Bo Brienne", exact=True)).to_be_visible()
    expect(kay.get_by_role("main")).not_to_contain_text("Finch")


def test_the_same_without_script(plain_page_for, school):
    kay = plain_page_for("kay")
    kay.goto("/")
    box = bar(kay)
    box.fill("obrien")
    box.press("Enter")
    kay.wait_for_url(re.compile(r"/search\?q=obrien"))
    steps.follow(kay, "Zoë O'Brien")
    kay.wait_for_url(f"**/students/{school[0][0].ref}")
