"""The six triggers of the Case Management Dictionary as people set them off: off, nothing opens; on, the case is on the
dashboard of whom the dictionary names when the page answers; again, it joins the case that is open. And referrals from outside.
"""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from models import Case, CaseRecord, Form, FormResponse
from tests import factories
from tests.browser import steps

FIELDS = [{"key": "what", "type": "long_text", "label": "What is it about?", "required": True}]


@pytest.fixture
def form(cast):
    return factories.form("Worry", cast.ada, FIELDS, for_referral_users=True)


@pytest.fixture
def plan(cast):
    return factories.plan(cast.student, cast.sam)


def start(page, cast, entry):
    """The student's page, and an entry of its menu +."""
    page.goto(f"/students/{cast.student.ref}")
    page.get_by_label("Add", exact=True).click()
    page.get_by_role("link", name=entry, exact=True).click()


def send(page, name):
    """Press the button, and wait for the page that answers."""
    steps.send(page, name)
    expect(page.get_by_text("Please check this")).to_have_count(0)


def submit_a_form(page, cast, number):
    start(page, cast, "Form Response")
    page.get_by_role("link", name=re.compile("NEW")).first.click()
    steps.fill(page, "What is it about?", f"The {number}. time.")
    send(page, "Submit")


def create_a_plan(page, cast, number):
    start(page, cast, "Create a Plan")
    steps.field(page, "Tier").select_option("2")
    steps.fill(page, "Goal", f"Goal {number}")
    send(page, "Create a Plan")


def assign_a_task(page, cast, number):
    start(page, cast, "New task")
    steps.fill(page, "Title", f"Task {number}")
    steps.choose(page, "Assigned to", "Oli Ouzel")
    send(page, "New task")


def schedule_a_meeting(page, cast, number):
    start(page, cast, "New meeting")
    day = factories.today() + timedelta(days=300)
    steps.fill(page, "Starts", f"{day}T1{number}:00")
    steps.fill(page, "Ends", f"{day}T1{number}:30")
    send(page, "New meeting")


def conduct_a_plan_review(page, cast, number):
    page.goto(f"/students/{cast.student.ref}/plans")
    page.get_by_role("button", name="Conduct a Plan Review").first.click()
    steps.field(page, "Decision").select_option("continue")
    steps.fill(page, "Notes", f"Review {number}")
    send(page, "Save review")


def submit_a_file(page, cast, number):
    page.goto(f"/students/{cast.student.ref}/files")
    send(page, "Submit a File")
    steps.field(page, "Files").set_input_files({"name": f"{number}.txt", "mimeType": "text/plain", "buffer": b"Hello\n"})
    send(page, "Submit a File")


TRIGGERS = {
    "Submit a Form": submit_a_form,
    "Create a Plan": create_a_plan,
    "Assign a Task": assign_a_task,
    "Schedule a Meeting": schedule_a_meeting,
    "Conduct a Plan Review": conduct_a_plan_review,
    "Submit a File": submit_a_file,
}


def switch_on(page, label):
    """The checkbox of the dictionary, with the group Counselling to attach."""
    page.goto("/dictionary")
    box = page.get_by_role("checkbox", name=label, exact=True)
    box.check()
    sheet = page.locator("fieldset", has=box)
    sheet.get_by_label("Title", exact=True).fill("Look into it")
    sheet.get_by_label("Groups", exact=True).press_sequentially("Couns")
    page.get_by_role("option", name=re.compile("Counselling")).first.click()
    expect(page.get_by_text("Gil Gannet").first).to_be_visible()
    send(page, "Update")
    expect(page.get_by_role("checkbox", name=label, exact=True)).to_be_checked()


def cases_of(page):
    """The references under My Cases on the dashboard."""
    page.goto("/")
    section = steps.region(page, "My Cases")
    return section.get_by_role("link", name=re.compile("^C-")).all_inner_texts() if section.count() else []


@pytest.mark.parametrize("label", TRIGGERS)
def test_a_trigger(page_for, cast, form, plan, label):
    sam, ada, gil = page_for("sam"), page_for("ada"), page_for("gil")
    act = TRIGGERS[label]
    act(sam, cast, 1)
    off = sam.url
    assert not Case.select().exists() and cases_of(gil) == []

    switch_on(ada, label)
    assert not Case.select().exists(), "switching on opens nothing for the past"

    act(sam, cast, 2)
    assert [re.sub(r"[0-9A-Z]{10}", "", url) for url in (off, sam.url)] == [re.sub(r"[0-9A-Z]{10}", "", off)] * 2
    case = Case.get()
    assert cases_of(gil) == [case.ref]
    gil.goto("/case-management/dashboard")
    expect(gil.get_by_role("link", name=case.ref)).to_be_visible()
    assert "Look into it" not in sam.content() and case.ref not in sam.content(), "nobody on the page learns of it"

    act(sam, cast, 3)
    assert Case.select().count() == 1 and cases_of(gil) == [case.ref]
    assert [row.how for row in CaseRecord.select().order_by(CaseRecord.id)] == ["opened", "joined"]
    gil.goto(f"/cases/{case.ref}")
    expect(gil.get_by_role("heading", name="Look into it")).to_be_visible()


def test_a_referral_from_outside(page_for, cast, form):
    rae, kay, ada, gil = (page_for(who) for who in ("rae", "kay", "ada", "gil"))
    switch_on(ada, "Submit a Form")
    for first, last in (("Stu", "Sturgeon"), ("Nobody", "Known")):
        rae.goto("/forms")
        rae.get_by_role("link", name=re.compile("NEW")).first.click()
        steps.fill(rae, "First name", first)
        steps.fill(rae, "Last name", last)
        steps.fill(rae, "What is it about?", f"I saw {first}.")
        send(rae, "Submit")
    rae.goto("/referrals")
    assert rae.locator("main").inner_text().count("Received") == 2
    assert not Case.select().exists(), "a referral triggers when it is accepted"

    kay.goto("/referrals")
    kay.get_by_role("link", name=re.compile("Sturgeon")).first.click()
    kay.get_by_role("button", name="Accept onto Stu Sturgeon").click()
    with kay.expect_navigation():
        kay.get_by_role("dialog").get_by_role("button", name="Accept").click()
    rae.goto("/referrals")
    assert (rae.locator("main").inner_text().count("Received"), rae.locator("main").inner_text().count("Accepted")) == (1, 1)
    case = Case.get()
    assert case.student == cast.student and cases_of(gil) == [case.ref]
    assert FormResponse.get(FormResponse.student == cast.student).form == Form.get()
