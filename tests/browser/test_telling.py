"""Notifications and announcements, in a browser."""

import re
from datetime import timedelta

from playwright.sync_api import expect

from models import Notification, NotificationChoice
from tests import factories
from tests.browser import steps


def bell(page, unread):
    return page.get_by_role("link", name=f"Notifications, {unread} unread", exact=True)


def test_who_is_on_a_case_is_told_that_something_came_in(site, page_for, cast):
    case = factories.case(cast.student, cast.kay, groups=[cast.counselling], following=[cast.sam])
    kay, gil, oli = page_for("kay"), page_for("gil"), page_for("oli")
    kay.goto(f"/cases/{case.ref}")
    steps.press(kay, "Close case")
    steps.choose(kay, "Reason", "Resolved")
    steps.press(kay, "Close case")
    expect(kay.get_by_role("link", name="Status: Closed", exact=True)).to_be_visible()

    gil.goto("/")
    bell(gil, 1).click()
    expect(gil.get_by_role("heading", name="Notifications", exact=True)).to_be_visible()
    row = gil.get_by_role("row").filter(has_text=case.ref)
    expect(row).to_contain_text("New")
    row.get_by_role("link").first.click()
    gil.wait_for_url(f"**/cases/{case.ref}")
    gil.goto("/")
    expect(bell(gil, "none")).to_be_visible()
    oli.goto("/notifications")
    expect(oli.locator("main")).to_contain_text("No notifications")


def test_gil_chooses_how_to_be_told_and_marks_all_as_read(site, page_for, cast):
    case = factories.case(cast.student, cast.kay, groups=[cast.counselling])
    for _ in range(3):
        Notification.create(account=cast.gil, kind="case_changed", target=case.ref, target_id=case.id, detail="entry")
    gil = page_for("gil")
    gil.goto("/notifications")
    steps.press(gil, "Mark all as read")
    expect(bell(gil, "none")).to_be_visible()
    steps.follow(gil, "Choose how you are told")
    steps.choose(gil, "Something was added to a case you are on", "Never")
    gil.locator("main").get_by_role("button", name=re.compile("^Save")).click()
    expect(gil.get_by_role("status").first).to_be_visible()
    chosen = NotificationChoice.get(NotificationChoice.account == cast.gil, NotificationChoice.kind == "case_changed")
    assert chosen.choice == "never"


def test_ada_announces_something_until_a_day(site, page_for, cast):
    ada, sam = page_for("ada"), page_for("sam")
    ada.goto("/")
    steps.follow(ada, "Admin")
    steps.follow(ada, "Announcements")
    steps.follow(ada, "Add announcement")
    steps.fill(ada, "Title", "Briefing on Thursday")
    steps.fill(ada, "Text", "All staff, at a quarter to four in the library.")
    last = factories.today() + timedelta(days=3)
    steps.fill(ada, "Ends on", last.isoformat())
    steps.press(ada, "Add announcement")
    expect(ada.locator("main")).to_contain_text("Briefing on Thursday")
    sam.goto("/")
    expect(steps.region(sam, "Briefing on Thursday")).to_contain_text("in the library")
