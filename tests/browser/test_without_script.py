"""Add incident with JavaScript switched off: everything on it works, in more steps."""

import re

from playwright.sync_api import expect

from models import BodyMark, Incident, IncidentAlert, StoredFile
from tests import factories
from tests.browser import steps

TEXT = "Two of them met at the gate before school."


def test_add_incident_with_everything_on_it(plain_page_for, cast, tmp_path):
    bullying = factories.category("Bullying", guidance="Say who was there.")
    factories.category("Online", parent=bullying)
    factories.student("Ann", "Finch", year_group="7")
    factories.student("Bo", "Wren", year_group="8")
    note = tmp_path / "note.txt"
    note.write_text("What the caretaker saw.\n")
    kay = plain_page_for("kay")
    kay.goto("/")
    steps.follow(kay, "Add incident")
    steps.fill(kay, "Students", "Ann Finch, Bo Wren")
    expect(kay.get_by_text("Say who was there.")).to_be_attached()
    steps.choose(kay, "Category", "Bullying")
    steps.fill(kay, "What happened", TEXT)
    steps.fill(kay, "Place", "Main gate")
    steps.fill(kay, "Alert", "Counselling, Gil Gannet")
    steps.choose(kay, "Status", "Active")
    steps.choose(kay, "Assigned to", "Ken Kittiwake")
    steps.field(kay, "Files").set_input_files(note)
    steps.press(kay, "Add incident")
    kay.wait_for_url(re.compile("/incidents/I-"))

    row = Incident.get()
    assert (row.text, row.place, row.status, row.assigned_to_id) == (TEXT, "Main gate", "Active", cast.ken.id)
    assert {part.student.name for part in row.parts} == {"Ann Finch", "Bo Wren"}
    assert IncidentAlert.select().count() == 2
    assert StoredFile.get().name == "note.txt"
    _mark_the_body_map(kay, row)


def _mark_the_body_map(page, row):
    """By a click on the picture, and from the list of parts."""
    page.goto(f"/incidents/{row.ref}/body-map")
    page.locator("input[type=image]").first.click(position={"x": 100, "y": 40})
    assert BodyMark.select().count() == 1
    steps.choose(page, "Part of the body", steps.field(page, "Part of the body").locator("option").nth(5).inner_text())
    steps.fill(page, "Note", "A graze, as long as a finger")
    page.get_by_role("main").get_by_role("button", name=re.compile("^Add")).click()
    expect(page.get_by_role("main")).to_contain_text("A graze, as long as a finger")
    assert BodyMark.select().count() == 2


def test_a_name_that_fits_two_is_asked_back(plain_page_for, cast):
    factories.category("Bullying")
    factories.student("Ann", "Finch", year_group="7")
    factories.student("Anna", "Finch", year_group="9")
    kay = plain_page_for("kay")
    kay.goto("/incidents/new")
    steps.fill(kay, "Students", "Finch")
    steps.choose(kay, "Category", "Bullying")
    steps.fill(kay, "What happened", TEXT)
    steps.press(kay, "Add incident")
    expect(steps.field(kay, "What happened")).to_have_value(TEXT)
    assert "Finch" in steps.error_at(kay, "Students")
    kay.get_by_role("main").get_by_role("checkbox", name=re.compile("Anna Finch")).check()
    steps.press(kay, "Add incident")
    kay.wait_for_url(re.compile("/incidents/I-"))
    assert [part.student.name for part in Incident.get().parts] == ["Anna Finch"]


