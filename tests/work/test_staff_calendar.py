"""The calendar of a staff member: valid, secret, revocable, without names, and gone with everything that ends it."""

from datetime import UTC, date, datetime, timedelta

import icalendar
import pytest

from blueprints.account import actions as account_actions
from blueprints.account.tokens import feed_token
from blueprints.cases import actions
from extensions import clock
from models import Account, CalendarFeed, Event, Meeting, MeetingStaff, School, Student, Task
from tests import factories
from tests.web import text_of

START = datetime(2027, 3, 3, 10, 0, tzinfo=UTC)


@pytest.fixture
def ann(cast):
    clock.freeze(START - timedelta(days=3))
    return factories.student("Ann", "Finch")


@pytest.fixture
def meeting(cast, ann):
    return factories.meeting(cast.sam, [ann], [cast.gil], starts_at=START, place="Room 12", agenda="The bruises.")


@pytest.fixture
def address(app, cast, ann):
    return make(app, cast.gil)


def make(app, account, of_staff=True):
    account_actions.make_feed(actor=account)
    nonce = CalendarFeed.get((CalendarFeed.account == account) & CalendarFeed.revoked_at.is_null()).nonce
    with app.app_context():
        return f"/calendar/{feed_token(nonce, of_staff)}.ics"


def entries(answer):
    assert answer.status_code == 200
    return {str(event["SUMMARY"]): event for event in icalendar.Calendar.from_ical(answer.data).walk("VEVENT")}


def test_what_a_calendar_program_reads(cast, ann, meeting, client, address):
    task = factories.task(ann, cast.gil, cast.sam, "Ring Ann's mother", due_on=date(2027, 3, 5))
    answer = client.get(address)
    assert answer.content_type == "text/calendar; charset=utf-8" and answer.headers["Cache-Control"] == "no-store"
    found = entries(answer)
    assert set(found) == {f"Student meeting {meeting.ref}", f"Task due {task.ref}"}
    event = found[f"Student meeting {meeting.ref}"]
    assert (event.decoded("DTSTART"), event.decoded("DTEND")) == (START, START + timedelta(minutes=30))
    assert event["URL"].endswith(f"/meetings/{meeting.ref}") and event["STATUS"] == "CONFIRMED"
    due = found[f"Task due {task.ref}"]
    assert due.decoded("DTSTART") == date(2027, 3, 5) and due["URL"].endswith(f"/tasks/{task.ref}")
    for name in ("Ann", "Finch", "Gil", "Gannet", "Sam", "Swift", "Room 12", "bruises", "mother", ann.ref, "Kestrel"):
        assert name not in answer.text, name
    assert all(len(line) <= 75 for line in answer.data.split(b"\r\n"))


def test_it_is_the_event_of_the_invitation(meeting, client, client_for, address):
    (invited,) = icalendar.Calendar.from_ical(client_for("gil").get(f"/meetings/{meeting.ref}/invitation.ics").data).walk("VEVENT")
    (event,) = entries(client.get(address)).values()
    assert invited["UID"] == event["UID"] and invited["SEQUENCE"] == event["SEQUENCE"]


def test_what_is_in_it(cast, ann, meeting, client, address):
    old = factories.meeting(cast.sam, [ann], [cast.gil], starts_at=START - timedelta(days=100))
    off = factories.meeting(cast.sam, [ann], [cast.gil], starts_at=START, state="cancelled")
    factories.meeting(cast.gil, [ann], [cast.sam], starts_at=START)  # scheduled by Gil, who is not to be there
    for fields in ({}, {"due_on": date(2027, 3, 5), "state": "completed"}):
        factories.task(ann, cast.gil, cast.sam, **fields)
    factories.task(ann, cast.sam, cast.gil, due_on=date(2027, 3, 5))
    found = entries(client.get(address))
    assert set(found) == {f"Student meeting {meeting.ref}", f"Student meeting {off.ref}"} and old.ref not in str(found)
    assert found[f"Student meeting {off.ref}"]["STATUS"] == "CANCELLED"
    actions.move_meeting(
        meeting, starts_at=START + timedelta(days=1), ends_at=START + timedelta(days=2), place="", actor=cast.sam, version=1
    )
    event = entries(client.get(address))[f"Student meeting {meeting.ref}"]
    assert event["SEQUENCE"] == 1 and event.decoded("LAST-MODIFIED") == clock.now()


def test_what_one_is_kept_from_goes_out_of_it(cast, ann, meeting, client, address):
    factories.task(ann, cast.gil, cast.sam, due_on=date(2027, 3, 5))
    assert len(entries(client.get(address))) == 2
    MeetingStaff.update(removed_at=clock.now()).execute()
    assert len(entries(client.get(address))) == 1
    MeetingStaff.update(removed_at=None).execute()
    factories.exclusion(cast.gil, cast.ada, student=ann)
    assert entries(client.get(address)) == {}


def test_each_read_is_recorded(cast, client, address):
    client.get(address)
    event = Event.get(Event.verb == "calendar.feed_read")
    assert (event.actor, event.target) == (cast.gil, cast.gil.ref) and CalendarFeed.get().read_at == clock.now()


def revoke(cast):
    account_actions.revoke_feed(actor=cast.gil)


def replace(cast):
    account_actions.make_feed(actor=cast.gil)


def deactivate(cast):
    Account.update(is_active=False).where(Account.id == cast.gil.id).execute()


def lose_role(cast):
    Account.update(role="").where(Account.id == cast.gil.id).execute()


def become_referral_user(cast):
    Account.update(role="referral_user").where(Account.id == cast.gil.id).execute()


def become_student(cast):
    """With a student's record of the same email, whose milestones that address must not show."""
    School.update(student_visibility_at=clock.now()).execute()
    Student.update(email=cast.gil.email, email_folded=cast.gil.email).where(Student.id == cast.student.id).execute()
    Account.update(role="student").where(Account.id == cast.gil.id).execute()


@pytest.mark.parametrize("end", [revoke, replace, deactivate, lose_role, become_referral_user, become_student])
def test_it_ends_like_one_that_never_was(cast, meeting, client, address, end):
    assert client.get(address).status_code == 200
    end(cast)
    gone, missing = client.get(address), client.get("/calendar/nothing.ics")
    assert gone.status_code == missing.status_code == 404 and text_of(gone) == text_of(missing)
    assert Event.select().where(Event.verb == "calendar.feed_read").count() == 1


def test_a_token_of_the_other_kind_opens_nothing(app, cast, ann, client):
    assert client.get(make(app, cast.gil, of_staff=False)).status_code == 404


def test_another_role_of_staff_keeps_it(cast, meeting, client, address):
    Account.update(role="key_user").where(Account.id == cast.gil.id).execute()
    assert len(entries(client.get(address))) == 1


def test_two_read_each_their_own(app, cast, ann, meeting, client, address):
    other = factories.meeting(cast.sam, [ann], [cast.kay], starts_at=START)
    assert set(entries(client.get(make(app, cast.kay)))) == {f"Student meeting {other.ref}"}
    assert set(entries(client.get(address))) == {f"Student meeting {meeting.ref}"}


def test_rows_cost_nothing_more(cast, ann, meeting, client, address, count_queries):
    client.get(address)
    for number in range(30):
        factories.meeting(cast.sam, [ann], [cast.gil], starts_at=START + timedelta(days=number + 1))
        factories.task(ann, cast.gil, cast.sam, due_on=date(2027, 3, 5) + timedelta(days=number))
    with count_queries(most=6):
        assert len(entries(client.get(address))) == 61
    assert Meeting.select().count() == 31 and Task.select().count() == 30


# --- The page --------------------------------------------------------------------------------------------------------


def test_making_showing_replacing_and_revoking(cast, ann, client, client_for, post):
    gil = client_for("gil")
    assert 'href="/account/calendar"' in gil.get("/account").text
    first = address_on(post(gil, "/account/calendar/address", {}, form_url="/account/calendar", follow=True))
    assert client.get(first).status_code == 200 and address_on(gil.get("/account/calendar")) == first
    assert "A calendar last looked on" in text_of(gil.get("/account/calendar"))
    second = address_on(post(gil, "/account/calendar/address", {}, form_url="/account/calendar", follow=True))
    assert second != first and client.get(first).status_code == 404 and client.get(second).status_code == 200
    post(gil, "/account/calendar/address/revocation", {}, form_url="/account/calendar")
    assert client.get(second).status_code == 404 and "Make an address" in text_of(gil.get("/account/calendar"))
    verbs = [event.verb for event in Event.select().where(Event.verb.startswith("calendar.feed_"))]
    assert verbs.count("calendar.feed_made") == 2 and verbs.count("calendar.feed_revoked") == 1


def address_on(page):
    url = page.text.partition('id="address" value="')[2].partition('"')[0]
    assert url.startswith("http") and url.endswith(".ics")
    return "/calendar/" + url.partition("/calendar/")[2]


def test_whose_page_it_is(cast, client_for, post):
    for who in ("rae", "stu"):
        assert client_for(who).get("/account/calendar").status_code == 404
        for tail in ("address", "address/revocation"):
            assert post(client_for(who), f"/account/calendar/{tail}", {}, form_url="/").status_code == 404
        assert "/account/calendar" not in client_for(who).get("/account").text
    assert CalendarFeed.select().count() == 0
    for who in ("ada", "kay", "mo", "sam", "oli"):
        assert client_for(who).get("/account/calendar").status_code == 200
