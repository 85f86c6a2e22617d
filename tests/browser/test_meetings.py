"""Student Meetings in a browser: found through the menu, scheduled with a warning of clashes, moved, held; with and without script."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from models import Meeting, MeetingStudent
from tests import factories
from tests.browser import steps

START = datetime(2027, 3, 3, 10, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _three_weeks_before(clock):
    """Whenever the tests run, START is still to come."""
    clock.freeze(START - timedelta(days=21))


@pytest.fixture
def ann(cast):
    return factories.student("Ann", "Finch", year_group="7", tutor_group="7A")


def fill_in(page, starts="2027-03-03T10:15", ends="2027-03-03T11:00"):
    steps.choose(page, "Type", "Review meeting")
    steps.fill(page, "Starts", starts)
    steps.fill(page, "Ends", ends)
    steps.fill(page, "Place", "Room 12")
    steps.fill(page, "Agenda", "How the first weeks went.")


def test_scheduling_moving_and_holding_a_meeting(page_for, cast, ann, axe):
    factories.meeting(cast.sam, [ann], [cast.gil], starts_at=START)
    page = page_for("sam")
    page.goto("/")
    steps.follow(page, "Student Meetings")
    steps.follow(page, "New meeting")
    steps.pick(page, "Students", "finch", "Ann Finch")
    steps.pick(page, "Staff", "kes", "Kay Kestrel")
    steps.pick(page, "Staff", "gil", "Gil Gannet")
    fill_in(page)
    steps.field(page, "Agenda").blur()
    expect(page.get_by_text("Ann Finch is in another meeting")).to_be_visible()
    expect(page.get_by_text("Gil Gannet is in another meeting")).to_be_visible()
    axe(page)
    steps.press(page, "New meeting")
    expect(page.get_by_text("The meeting was scheduled.")).to_be_visible()
    expect(steps.region(page, "Staff")).to_contain_text("Kay Kestrel")
    axe(page)

    steps.follow(page, "Reschedule")
    steps.fill(page, "Ends", "2027-03-03T10:00")
    steps.press(page, "Reschedule")
    expect(page.get_by_role("link", name="Ends: The meeting ends before it begins. Give a later time.")).to_be_visible()
    steps.fill(page, "Ends", "2027-03-03T12:00")
    steps.press(page, "Reschedule")
    expect(page.get_by_text("3 Mar 2027, 12:00")).to_be_visible()

    steps.region(page, "Staff").get_by_role("button", name="Take off Gil Gannet", exact=True).click()
    page.get_by_role("dialog", name="Take off Gil Gannet").get_by_role("button", name="Take off", exact=True).click()
    expect(steps.region(page, "Staff")).not_to_contain_text("Gil Gannet")

    steps.follow(page, "Record outcome")
    steps.fill(page, "Outcome", "We agreed.")
    steps.choose(page, "Ann Finch was there", "Yes")
    steps.fill(page, "Outcome for Ann Finch", "Comes every Friday.")
    axe(page)
    steps.press(page, "Save outcome")
    expect(steps.region(page, "Outcome")).to_contain_text("We agreed.")
    expect(steps.region(page, "Students")).to_contain_text("Comes every Friday.")
    assert MeetingStudent.get(MeetingStudent.outcome != "").attended == "yes"


def test_a_draft_outlives_the_browser(page_for, cast, ann):
    page = page_for("sam")
    page.goto(f"/meetings/new?student={ann.ref}")
    fill_in(page)
    expect(page.get_by_text("Draft saved")).to_be_visible()
    page.context.close()
    page = page_for("sam")
    page.goto(f"/meetings/new?student={ann.ref}")
    expect(steps.field(page, "Agenda")).to_have_value("How the first weeks went.")
    expect(steps.field(page, "Starts")).to_have_value("2027-03-03T10:15")


def test_without_script(plain_page_for, cast, ann):
    factories.meeting(cast.sam, [ann], [cast.gil], starts_at=START)
    page = plain_page_for("sam")
    page.goto(f"/meetings/new?student={ann.ref}")
    steps.fill(page, "Staff", "Gil Gannet; Kay Kestrel")
    fill_in(page)
    steps.press(page, "Show who is in another meeting")
    expect(page.get_by_text("Gil Gannet is in another meeting")).to_be_visible()
    expect(steps.field(page, "Agenda")).to_have_value("How the first weeks went.")
    steps.press(page, "New meeting")
    expect(page.get_by_text("The meeting was scheduled.")).to_be_visible()
    row = Meeting.select().order_by(Meeting.id.desc()).first()
    assert {one.account for one in row.staff} == {cast.gil, cast.kay}


@pytest.mark.parametrize(("width", "scheme"), [(1366, "light"), (390, "dark"), (320, "light")])
def test_every_page_for_everybody(page_for, cast, ann, axe, width, scheme):
    bo = factories.student("Bartholomew-Maximilian", "Featherstonehaugh-Cholmondeley")
    meeting = factories.meeting(cast.sam, [ann, bo], [cast.gil, cast.sam], place="Room 12", agenda="First\nSecond")
    factories.meeting(cast.sam, [ann], [cast.gil])
    page = page_for("sam", width=width, scheme=scheme)
    for tail in ("", "/time", "/edit", "/students", "/staff", "/outcome", "/cancellation", "/access", "/history"):
        page.goto(f"/meetings/{meeting.ref}{tail}")
        axe(page)
    for address in ("/meetings", "/meetings?when=all&mine=1", "/meetings/new", f"/students/{ann.ref}/meetings", "/", "/account/calendar"):
        page.goto(address)
        axe(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), address
