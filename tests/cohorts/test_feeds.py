"""The calendar of a student's milestones: valid, secret, revocable, and gone with everything that ends it."""

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import icalendar
import pytest

from blueprints.account import actions
from blueprints.account.tokens import feed_token, link_token
from extensions import clock
from models import Account, CalendarFeed, Cohort, Event, Milestone, MilestoneRequest, School, Student, StudentMilestone
from tests import factories
from tests.web import text_of


@pytest.fixture
def world(cast):
    School.update(student_visibility_at=clock.now()).execute()
    cohort = factories.cohort("First years", "Autumn", [cast.student], [cast.counselling])
    due = factories.today() + timedelta(days=3)
    milestone = factories.milestone(cohort, "Meet your advisor, soon", due, description="Bring Gil the form.")
    return SimpleNamespace(cast=cast, cohort=cohort, milestone=milestone, due=due)


@pytest.fixture
def address(world, app):
    return make(app, world.cast.stu)


def make(app, account):
    """The path of this student's secret address."""
    actions.make_feed(actor=account)
    nonce = CalendarFeed.get((CalendarFeed.account == account) & CalendarFeed.revoked_at.is_null()).nonce
    with app.app_context():
        return f"/calendar/{feed_token(nonce)}.ics"


def events(answer):
    assert answer.status_code == 200
    return {str(event["SUMMARY"]): event for event in icalendar.Calendar.from_ical(answer.data).walk("VEVENT")}


def test_what_a_calendar_program_reads(world, client, address):
    answer = client.get(address)
    assert answer.content_type == "text/calendar; charset=utf-8" and answer.headers["Cache-Control"] == "no-store"
    assert not answer.headers.getlist("Set-Cookie")
    event = events(answer)["Meet your advisor, soon"]
    assert event.decoded("DTSTART") == world.due and event["SEQUENCE"] == 0
    assert event["URL"].endswith(f"/my/milestones/{world.milestone.ref}")
    for name in ("Stu", "Sturgeon", "Gil", "Gannet", "Counselling", "Kestrel", "Autumn", world.cast.student.ref):
        assert name not in answer.text, "no name of a person, a group or a record of the school"


def test_what_is_in_it(world, client, address):
    draft = factories.milestone(world.cohort, "Draft", world.due, saved=False)
    factories.milestone(world.cohort, "No date")
    factories.milestone(world.cohort, "Removed", world.due, removed_at=clock.now())
    waived = factories.milestone(world.cohort, "Waived", world.due)
    StudentMilestone.create(milestone=waived, student=world.cast.student, state="waived", marked_by=world.cast.gil)
    elsewhere = factories.cohort("First years", "Spring", [factories.student()])
    factories.milestone(elsewhere, "Not mine", world.due)
    found = events(client.get(address))
    assert set(found) == {"Meet your advisor, soon", "Waived"} and draft.saved_at is None
    assert found["Waived"]["STATUS"] == "CANCELLED"


def test_requests_make_no_second_event_of_a_milestone(world, client, address):
    for outcome in ("declined", "withdrawn", ""):
        MilestoneRequest.create(milestone=world.milestone, student=world.cast.student, outcome=outcome)
    assert client.get(address).text.count("BEGIN:VEVENT") == 1


def test_a_change_keeps_the_uid_and_raises_the_sequence(world, client, address):
    before = events(client.get(address))["Meet your advisor, soon"]
    later = datetime(2027, 3, 1, 8, tzinfo=UTC)
    world.milestone.change(world.milestone.version, title="Meet them", due_on=date(2027, 3, 9), scheduled_at=later)
    after = events(client.get(address))["Meet them"]
    assert after["UID"] == before["UID"] and after["SEQUENCE"] > before["SEQUENCE"]
    assert after.decoded("DTSTART") == date(2027, 3, 9) and after.decoded("LAST-MODIFIED") == later


def test_each_read_is_recorded(world, client, address):
    client.get(address)
    event = Event.get(Event.verb == "calendar.feed_read")
    assert (event.actor_id, event.target) == (world.cast.stu.id, world.cast.student.ref)
    assert CalendarFeed.get().read_at is not None


def revoke(world):
    actions.revoke_feed(actor=world.cast.stu)


def leave(world):
    Student.update(is_active=False).where(Student.id == world.cast.student.id).execute()


def hide(world):
    School.update(student_visibility_at=None).execute()


def deactivate(world):
    Account.update(is_active=False).where(Account.id == world.cast.stu.id).execute()


def promote(world):
    Account.update(role="staff").where(Account.id == world.cast.stu.id).execute()


def replace(world):
    actions.make_feed(actor=world.cast.stu)


@pytest.mark.parametrize("end", [revoke, leave, hide, deactivate, promote, replace])
def test_it_ends_like_one_that_never_was(world, client, address, end):
    assert client.get(address).status_code == 200
    end(world)
    gone, missing = client.get(address), client.get("/calendar/nothing.ics")
    assert gone.status_code == missing.status_code == 404
    assert text_of(gone) == text_of(missing)
    assert Event.select().where(Event.verb == "calendar.feed_read").count() == 1


def test_an_archived_cohort_goes_out_of_it(world, client, address):
    Cohort.update(archived_at=clock.now()).where(Cohort.id == world.cohort.id).execute()
    assert events(client.get(address)) == {}


def test_a_token_is_only_good_for_this(world, client, app, address):
    nonce = CalendarFeed.get().nonce
    with app.app_context():
        of_a_link = link_token(nonce)
    forged = [f"/calendar/{nonce}.ics", f"/calendar/{of_a_link}.ics", address.replace(".ics", "x.ics"), address[:-8] + ".ics",
              "/calendar/.ics", "/calendar/%00.ics", address.removesuffix(".ics")]  # fmt: skip
    for each in forged:
        assert client.get(each).status_code == 404, each
    assert client.post(address).status_code == 405


def test_two_students_read_each_their_own(world, client, app, address):
    ann = factories.student("Ann", "Finch", email="ann@pupils.example.org")
    anns = factories.account("Ann Finch", "ann@pupils.example.org", role="student")
    factories.milestone(factories.cohort("First years", "Spring", [ann]), "Visit the job fair", world.due)
    assert set(events(client.get(make(app, anns)))) == {"Visit the job fair"}
    assert set(events(client.get(address))) == {"Meet your advisor, soon"}


def test_whoever_is_signed_in_reads_the_same(world, client, client_for, address):
    clock.freeze(clock.now())
    try:
        assert client_for("oli").get(address).data == client.get(address).data
    finally:
        clock.thaw()


# --- The page ----------------------------------------------------------------------------------------------------------


def test_making_showing_replacing_and_revoking(world, client, client_for, post):
    stu = client_for("stu")
    assert "Put the dates into your calendar" in text_of(stu.get("/"))
    page = post(stu, "/my/calendar/address", {}, form_url="/my/calendar", follow=True)
    first = address_on(page)
    assert client.get(first).status_code == 200
    assert address_on(stu.get("/my/calendar")) == first, "shown again"
    assert "A calendar last looked on" in text_of(stu.get("/my/calendar"))
    second = address_on(post(stu, "/my/calendar/address", {}, form_url="/my/calendar", follow=True))
    assert second != first and client.get(first).status_code == 404 and client.get(second).status_code == 200
    post(stu, "/my/calendar/address/revocation", {}, form_url="/my/calendar")
    assert client.get(second).status_code == 404 and "Make an address" in text_of(stu.get("/my/calendar"))
    post(stu, "/my/calendar/address/revocation", {}, form_url="/my/calendar")
    verbs = [event.verb for event in Event.select().where(Event.verb.startswith("calendar.feed_")).order_by(Event.id)]
    assert verbs.count("calendar.feed_made") == 2 and verbs.count("calendar.feed_revoked") == 1


def address_on(page):
    url = page.text.partition('id="address" value="')[2].partition('"')[0]
    assert url.startswith("http") and url.endswith(".ics")
    return url.partition("/calendar/")[1] + url.partition("/calendar/")[2]


def test_the_dashboard_does_not_show_the_secret(world, client_for, address):
    page = client_for("stu").get("/").text
    assert "Your calendar address" in page and ".ics" not in page


def test_the_milestone_rows_cost_one_query(world, client, address, count_queries):
    client.get(address)
    for number in range(20):
        factories.milestone(world.cohort, f"Number {number}", world.due)
    with count_queries(most=6):
        assert len(events(client.get(address))) == 21
    assert Milestone.select().count() == 21
