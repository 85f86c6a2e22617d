"""Add incident, forms, the dictionary and referrals with JavaScript switched off: everything works, in more steps."""

import re

from playwright.sync_api import expect

from models import BodyMark, FormResponse, Incident, IncidentAlert, Referral, StoredFile, Trigger, TriggerStaff
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




def test_a_form_is_built_published_and_filled_in(plain_page_for, cast):
    """A question that waits for another stands there with the words when it counts; what it is left with is not sent."""
    ada = plain_page_for("ada")
    ada.goto("/forms/new")
    steps.fill(ada, "Name", "Worry")
    steps.press(ada, "Add form")
    steps.fill(ada, "Question", "Did you see it?")
    steps.choose(ada, "Type", "Yes / no")
    steps.press(ada, "Add field")
    steps.fill(ada, "Question", "What did you see?")
    steps.choose(ada, "Type", "Text")
    steps.press(ada, "Add field")
    steps.follow(ada, "What did you see?")
    steps.choose(ada, "Shown", "Only after an answer to “Did you see it?”")
    steps.press(ada, "Save field")
    steps.choose(ada, "If the answer is", "Yes")
    steps.press(ada, "Save field")
    steps.follow(ada, "Publish")
    steps.press(ada, "Publish version 1")
    expect(ada.get_by_text("Version 1 of Worry is published.")).to_be_visible()

    student = factories.student("Ann", "Finch", year_group="7")
    sam = plain_page_for("sam")
    sam.goto(f"/students/{student.ref}")
    sam.get_by_label("Add", exact=True).click()
    steps.follow(sam, "Form Response")
    sam.get_by_role("link", name="+NEW Worry").click()
    expect(sam.get_by_text("Only if “Did you see it?” is Yes.")).to_be_visible()
    sam.get_by_label("Yes", exact=True).check()
    steps.fill(sam, "What did you see?", "Two of them at the gate.")
    steps.press(sam, "Submit")
    sam.wait_for_url(re.compile("/responses/"))
    sent = FormResponse.get()
    assert sent.student == student and "Two of them at the gate." in sent.answers


def test_the_dictionary_asks_once_more_before_it_gives_access(plain_page_for, cast):
    ada = plain_page_for("ada")
    ada.goto("/dictionary")
    ada.get_by_label("Assign a Task", exact=True).check()
    ada.get_by_role("group", name="Assign a Task").get_by_label("Staff", exact=True).fill("Gil Gannet")
    steps.press(ada, "Update")
    expect(ada.get_by_text("This gives 1 person access")).to_be_visible()
    assert not Trigger.select().where(Trigger.is_on).exists()
    steps.press(ada, "Update")
    expect(ada.get_by_text("The dictionary was saved: Assign a Task.")).to_be_visible()
    assert [row.account for row in TriggerStaff.select()] == [cast.gil]


def test_a_referral_is_accepted_onto_a_student(plain_page_for, cast):
    student = factories.student("Ann", "Finch", year_group="7")
    form = factories.form("Referral", cast.ada, [{"key": "what", "type": "text", "label": "What"}], for_referral_users=True)
    referral = factories.referral(form, cast.rae, "Anne", "Fynch", answers={"what": "Quiet."})
    kay = plain_page_for("kay")
    kay.goto("/referrals")
    steps.follow(kay, "Anne Fynch")
    steps.fill(kay, "Student", "Ann Finch")
    kay.get_by_role("button", name="Accept", exact=True).last.click()
    expect(kay.get_by_role("main").get_by_text("Accepted", exact=True).first).to_be_visible()
    row = Referral.get()
    assert (row.state, row.response.student) == ("accepted", student) and row == referral
