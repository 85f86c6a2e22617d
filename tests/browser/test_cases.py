"""A case from its opening to its reopening, in a browser."""

import re

from playwright.sync_api import expect

from models import Case, CaseAgency, CaseEntry, CasePresenting
from tests import factories
from tests.browser import steps

TEXT = "Sat alone on the steps of the sports hall again."


def test_kay_opens_a_case_from_the_students_page_closes_and_reopens_it(site, page_for, cast):
    kay = page_for("kay")
    kay.goto(f"/students/{cast.student.ref}")
    steps.follow(kay, "Case")
    steps.press(kay, "Open case")
    steps.fill(kay, "Title", "Settling in after a move")
    steps.choose(kay, "Case type", "Wellbeing")
    steps.fill(kay, "Concern", "Has been quiet since the autumn.")
    steps.press(kay, "Open case")
    kay.wait_for_url(re.compile(r"/cases/C-[0-9A-HJKMNP-TV-Z]{6}$"))
    expect(kay.get_by_role("heading", name="Settling in after a move")).to_be_visible()
    ref = kay.url.rsplit("/", 1)[1]
    expect(steps.region(kay, "Who can see this")).to_contain_text("Kay Kestrel")

    steps.press(kay, "Close case")
    steps.choose(kay, "Reason", "Resolved")
    steps.fill(kay, "Outcome", "Has found friends in the choir.")
    steps.press(kay, "Close case")
    expect(kay.get_by_role("link", name="Status: Closed", exact=True)).to_be_visible()
    expect(kay.locator("main")).to_contain_text("Has found friends in the choir.")
    expect(kay.get_by_role("button", name="Assign Group or Staff")).to_have_count(0)

    steps.press(kay, "Reopen case")
    steps.press(kay, "Reopen case")
    assert steps.error_at(kay, "Reason")
    steps.fill(kay, "Reason", "The family asked for help again.")
    steps.press(kay, "Reopen case")
    expect(kay.get_by_role("link", name="Status: Open", exact=True)).to_be_visible()

    kay.goto("/cases/mine")
    expect(kay.get_by_role("link", name=ref, exact=True)).to_be_visible()
    kay.goto(f"/students/{cast.student.ref}/cases")
    expect(kay.get_by_role("link", name=ref, exact=True)).to_be_visible()
    assert CasePresenting.get().concern == "Has been quiet since the autumn."


def test_an_incident_becomes_a_case_with_one_click(site, page_for, cast):
    incident = factories.incident(cast.sam, [cast.student], TEXT)
    kay = page_for("kay")
    kay.goto(f"/incidents/{incident.ref}")
    steps.press(kay, "Open case")
    kay.wait_for_url(re.compile(r"/cases/C-"))
    linked = steps.region(kay, "Linked incidents")
    expect(linked.get_by_role("link", name=incident.ref, exact=True)).to_be_visible()
    expect(kay.locator("main")).not_to_contain_text(TEXT)  # the link alone, never the text

    case = Case.get()
    assert case.student_id == cast.student.id and case.status == "Open"
    kay.goto(f"/incidents/{incident.ref}")
    steps.region(kay, "Cases").get_by_role("link", name=case.ref, exact=True).click()
    kay.wait_for_url(f"**/cases/{case.ref}")


def test_the_case_says_of_an_incident_only_what_its_reader_may_see(site, page_for, cast):
    incident = factories.incident(cast.sam, [cast.student], TEXT)
    case = factories.case(cast.student, cast.kay, staff=[cast.gil], incidents=[incident])
    gil = page_for("gil")
    gil.goto(f"/cases/{case.ref}")
    expect(gil.locator("main")).not_to_contain_text(incident.ref)
    oli = page_for("oli")
    assert oli.goto(f"/cases/{case.ref}").status == 404
    oli.goto(f"/students/{cast.student.ref}/cases")
    expect(oli.locator("main")).not_to_contain_text(case.ref)


def test_gil_adds_an_entry_and_corrects_it(site, page_for, cast):
    case = factories.case(cast.student, cast.kay, groups=[cast.counselling])
    gil = page_for("gil")
    gil.goto(f"/cases/{case.ref}")
    steps.fill(gil, "Entry", "Met Stu at the gate on Monday.")
    steps.press(gil, "Add entry")
    entries = steps.region(gil, "Entries")
    expect(entries).to_contain_text("Met Stu at the gate on Monday.")
    steps.follow(gil, "Edit entry")
    steps.fill(gil, "Entry", "Met Stu at the gate on Tuesday.")
    steps.press(gil, "Save entry")
    assert steps.error_at(gil, "Reason")
    steps.fill(gil, "Reason", "It was Tuesday.")
    steps.press(gil, "Save entry")
    expect(entries).to_contain_text("on Tuesday.")
    entries.get_by_role("link", name=re.compile("Version 2: read all versions")).click()
    for text in ("on Monday.", "on Tuesday.", "It was Tuesday."):
        expect(gil.locator("main")).to_contain_text(text)
    assert CaseEntry.get().text_version == 2


def test_the_sections_of_the_case_tab_are_filled_in(site, page_for, cast):
    case = factories.case(cast.student, cast.kay)
    kay = page_for("kay")
    kay.goto(f"/cases/{case.ref}")
    for name in ("Presenting", "Law Enforcement", "Child Protection Services", "Prosecution"):
        expect(steps.region(kay, name)).to_contain_text("Nothing is filled in.")
    steps.follow(kay, "Fill in Presenting")
    steps.fill(kay, "Source", "Primary school")
    steps.fill(kay, "Concern", "Has been quiet since the move.")
    steps.press(kay, "Save Presenting")
    expect(steps.region(kay, "Presenting")).to_contain_text("Primary school")
    for agency in ("Children's Services, Northfield", "Family Assessment Team"):
        steps.follow(kay, "Add to Child Protection Services")
        steps.fill(kay, "Agency", agency)
        steps.press(kay, "Add to Child Protection Services")
        expect(steps.region(kay, "Child Protection Services")).to_contain_text(agency)
    assert CaseAgency.select().count() == 2


def test_a_section_half_filled_in_is_not_lost(site, page_for, cast):
    case = factories.case(cast.student, cast.kay)
    kay = page_for("kay")
    kay.goto(f"/cases/{case.ref}/presenting")
    with steps.draft_saved(kay, "in the autumn, and"):
        steps.fill(kay, "Narrative", "It began in the autumn, and")
    expect(kay.locator("[data-draft-status]")).to_contain_text("Draft saved")
    kay.goto(f"/cases/{case.ref}")
    steps.region(kay, "Presenting").get_by_role("link", name=re.compile("Draft from")).click()
    expect(steps.field(kay, "Narrative")).to_have_value("It began in the autumn, and")
    assert not CasePresenting.select().exists()
