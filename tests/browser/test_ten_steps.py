"""The ten steps of Case Management in a browser, from an empty school to a student who reads her dashboard, with the words of
the page that describes them."""

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

import permissions
import tasks
from extensions import clock
from models import Account, Cohort, MilestoneReminder
from tests import factories
from tests.browser import steps

PASSWORD = "three ducks on the weir"
MONDAY = datetime(2027, 3, 1, 10, 0, tzinfo=UTC)
NOT_HERS = ("incident", "case", "bo wren", "advocate", "safeguarding")


@pytest.fixture
def ada(app, page_for, clock):
    """The first Admin Key Holder of an empty school, on a Monday morning."""
    clock.freeze(MONDAY)
    return page_for(factories.account("Ada Adler", "ada@school.example.org", role=permissions.ADMIN))


def checklist(page):
    """How many of the ten lines are done."""
    page.goto("/")
    steps.follow(page, "Case Management")
    return int(re.search(r"Set-up checklist: (\d+) of 10", page.locator("main").inner_text())[1])


def test_all_ten_steps_from_an_empty_school_to_a_students_dashboard(app, site, ada, page_for, smtp, axe):
    assert checklist(ada) == 0
    before_setup(ada)
    assert checklist(ada) == 2

    # 1. On the Case Management menu, select Cohorts. 2. Create Category, +Add Cohort.
    steps.follow(ada, "Cohorts")
    steps.follow(ada, "Create Category")
    steps.fill(ada, "Name", "First-Year Students")
    save(ada, "Create Category")
    steps.follow(ada, "+Add Cohort")
    steps.fill(ada, "Name", "Spring 27")
    save(ada, "Add Cohort")
    # 3. Click the cohort's name.
    ada.goto("/cohorts")
    steps.follow(ada, "Spring 27")
    expect(ada.get_by_role("heading", name="Spring 27", level=1)).to_be_visible()
    assert checklist(ada) == 4

    # 4. and 5. Add Students: a CSV of email addresses, or one at a time.
    to_tab(ada, "Add Students")
    rows = b"Email\r\nann@pupils.example.org\r\nnobody@pupils.example.org\r\n"
    steps.field(ada, "Upload CSV").set_input_files({"name": "first years.csv", "mimeType": "text/csv", "buffer": rows})
    save(ada, "Upload CSV")
    said = ada.locator("main")
    expect(said).to_contain_text("nobody@pupils.example.org")
    expect(said).to_contain_text(re.compile("unknown", re.I))
    to_tab(ada, "Add Students")
    steps.fill(ada, "Email", "bo@pupils.example.org")
    steps.send(ada, "Add student")
    to_tab(ada, "Students")
    for name in ("Ann Finch", "Bo Wren"):
        expect(ada.locator("main")).to_contain_text(name)

    # 6. Custom Milestone. 7. New Milestone. 8. The details, Save Milestone.
    to_tab(ada, "Milestones")
    steps.press(ada, "Custom Milestone")
    box = steps.region(ada, "Assigned Milestones")
    box.get_by_role("link", name="New Milestone", exact=True).click()
    steps.fill(ada, "Title", "Meet with an adviser")
    steps.fill(ada, "Due date", "2027-03-12")
    steps.fill(ada, "Description", "Book a time, and bring two questions.")
    sheet = {"name": "Questions.txt", "mimeType": "text/plain", "buffer": b"What would you like to ask?\n"}
    steps.field(ada, "Files").set_input_files(sheet)
    for interval in ("One day before", "One week before"):
        ada.get_by_label(interval, exact=True).check()
    steps.send(ada, "Save Milestone")
    to_tab(ada, "Milestones")
    expect(steps.region(ada, "Assigned Milestones")).to_contain_text("Meet with an adviser")

    # 9. Attach Student Support Groups, and the tab that lists them.
    to_tab(ada, "Attach Student Support Groups")
    steps.choose(ada, "Group", "Counselling")
    expect(ada.locator("main")).to_contain_text("Gil Gannet")  # whom it gives access is said first
    steps.send(ada, "Attach to Cohort")
    to_tab(ada, "Student Support Groups")
    expect(ada.locator("main")).to_contain_text("Counselling")
    expect(ada.get_by_role("main").get_by_text("Detach", exact=True)).to_be_visible()
    assert checklist(ada) == 9

    # Until step 10 nobody is written to, and nobody has an account.
    with app.app_context():
        tasks.sweep()
    assert not to_pupils(smtp.messages) and not Account.select().where(Account.role == permissions.STUDENT).exists()

    # 10. Admin Settings: Enabled, Update.
    ada.goto("/admin/settings")
    steps.fill(ada, "School name", "Weir Lane School")
    steps.choose(ada, "Case Management System Student Visibility", "Enabled")
    steps.send(ada, "Update")
    assert checklist(ada) == 10

    # The student is invited, chooses a password, and reads her dashboard.
    with app.app_context():
        tasks.sweep()
    invitations = to_pupils(smtp.wait_for(3))
    assert sorted(each.to[0] for each in invitations) == ["ann@pupils.example.org", "bo@pupils.example.org"]
    to_ann = min(invitations, key=lambda each: each.to)
    ann = page_for(width=390, height=844)
    ann.goto(urlsplit(re.search(r"https?://\S+/account/password/\S+", to_ann.text)[0]).path)
    steps.fill(ann, "New password", PASSWORD)
    steps.send(ann, "Save the password")
    steps.sign_in(ann, "ann@pupils.example.org", PASSWORD)
    mine = steps.region(ann, "Your milestones")
    expect(mine).to_contain_text("Meet with an adviser")
    expect(mine).to_contain_text("12 Mar 2027")
    with ann.expect_download() as download:
        mine.get_by_role("link", name="Questions.txt").click()
    assert download.value.path().read_bytes() == b"What would you like to ask?\n"
    card = steps.region(ann, "Your support network")
    for words in ("Gil Gannet", "School counsellor", "Counselling", "gil@school.example.org"):
        expect(card).to_contain_text(words)
    said = ann.locator("body").inner_text().casefold().replace("caseward", "")
    assert not [word for word in NOT_HERS if word in said]
    axe(ann)

    # She asks, Gil confirms, and no reminder goes out to her any more; Bo gets one, a week before.
    mine.get_by_role("link", name="Meet with an adviser").click()
    steps.fill(ann, "Note", "I was there on Monday.")
    steps.send(ann, "Ask to mark as completed")
    gil = page_for(Account.get(Account.email == "gil@school.example.org"))
    gil.goto("/")
    steps.follow(gil, "Case Management")
    steps.follow(gil, "Milestones")
    expect(gil.locator("main")).to_contain_text("Ann Finch")
    steps.follow(gil, "Ann Finch")
    expect(gil.locator("main")).to_contain_text("I was there on Monday.")
    steps.follow(gil, "Answer the request about Meet with an adviser")
    steps.send(gil, "Confirm")
    ann.goto("/")
    expect(steps.region(ann, "Your milestones")).to_contain_text("Completed")
    clock.freeze(MONDAY + timedelta(days=4))
    with app.app_context():
        tasks.sweep()
    reminded = {row.student.first_name: row.days for row in MilestoneReminder.select()}
    assert reminded == {"Bo": 7}
    assert Cohort.select().count() == 1


def before_setup(page):
    """The pre-setup tasks: a group with a member who has a card, and students with the email they will sign in with."""
    page.goto("/admin/users/new")
    steps.fill(page, "Name", "Gil Gannet")
    steps.fill(page, "Email", "gil@school.example.org")
    steps.choose(page, "Role", "Staff")
    steps.fill(page, "Role title", "School counsellor")
    with page.expect_navigation():
        page.get_by_role("main").get_by_role("button").last.click()
    Account.update(two_step_at=MONDAY).where(Account.email == "gil@school.example.org").execute()
    page.goto("/admin/groups/new")
    steps.fill(page, "Name", "Counselling")
    steps.press(page, "Add group")
    steps.press(page, "Add member")
    steps.choose(page, "Staff member", "Gil Gannet")
    steps.send(page, "Confirm")
    for first, last in (("Ann", "Finch"), ("Bo", "Wren")):
        page.goto("/students/new")
        steps.fill(page, "First name", first)
        steps.fill(page, "Last name", last)
        steps.fill(page, "Email", f"{first.casefold()}@pupils.example.org")
        page.get_by_role("main").get_by_role("button").last.click()
        expect(page.get_by_role("heading", name=f"{first} {last}", level=1)).to_be_visible()


def to_pupils(messages):
    return [each for each in messages if each.to[0].endswith("@pupils.example.org")]


def to_tab(page, name):
    """A tab of the cohort that is open; from elsewhere, through the list."""
    if "/cohorts/" not in page.url:
        page.goto("/cohorts")
        steps.follow(page, "Spring 27")
    page.get_by_role("main").get_by_role("link", name=name, exact=True).first.click()


def save(page, name):
    """The button of the form that is open."""
    with page.expect_navigation():
        page.get_by_role("main").get_by_role("button", name=re.compile(re.escape(name), re.I)).last.click()
