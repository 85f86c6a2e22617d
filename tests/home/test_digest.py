"""The daily digest: one email for a person and school day, at the school's hour, about what they still see and have not
read; through both nights on which the clock is changed, and after days on which nothing ran."""

from datetime import UTC, date, datetime, timedelta

import pytest

import events
import tasks
from blueprints.home import actions
from extensions import clock, db
from models import Account, CaseFollower, Notification, NotificationChoice, OutboxEmail, School
from tests import factories

NOON = datetime(2026, 11, 16, 12, 0, tzinfo=UTC)  # a Monday; London is on UTC


@pytest.fixture
def world(app, cast, smtp, clock):
    """Gil follows a case, on which it is Monday noon; the digest goes out at seven in London."""
    clock.freeze(NOON)
    cast.case = factories.case(cast.student, opened_by=cast.kay, following=[cast.gil], title="Zqtitle")
    return cast


@pytest.fixture
def sweep(app):
    """Runs the worker's minute at a moment; returns how many digests were queued in all."""

    def run(moment=None):
        if moment is not None:
            clock.freeze(moment)
        with app.app_context():
            tasks.sweep()
        return OutboxEmail.select().where(OutboxEmail.kind == "digest").count()

    return run


def happen(world, kind="case_changed", to=None):
    """Something that is worth a notification happens to the case, or to its student."""
    about = world.student if kind == "student_changed" else world.case
    with db.atomic():
        events.notify(kind, [to or world.gil], actor=world.kay, target=about.ref, target_id=about.id)


def at(day, hour, minute=0):
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


def test_everything_since_the_last_one_is_one_email_without_a_name(world, sweep, smtp):
    happen(world)
    happen(world)
    assert sweep(at(16, 23)) == 0 and sweep(at(17, 6, 59)) == 0
    happen(world)
    assert [sweep(at(17, 7, minute)) for minute in (0, 1, 2)] == [1, 1, 1]
    (mail,) = smtp.wait_for(1)
    assert mail.to == [world.gil.email] and mail.subject == "What is new for you in Caseward"
    assert "3 new things" in mail.text and "/notifications\r\n" in mail.text and "/notifications/choices" in mail.text
    everything = mail.raw.decode().casefold()
    for word in ("sturgeon", "stu ", "gannet", "kestrel", "zqtitle", "wellbeing", world.case.ref.casefold()):
        assert word not in everything
    assert Notification.select().where(Notification.digested_at.is_null()).count() == 0


def test_one_thing_is_one_thing(world, sweep, smtp):
    happen(world)
    sweep(at(17, 7))
    assert "is one new thing for you" in smtp.messages[0].text


def test_what_comes_in_after_the_hour_waits_for_the_next_day(world, sweep, smtp):
    sweep(at(17, 7))
    happen(world)
    assert sweep(at(17, 23)) == 0 and sweep(at(18, 7)) == 1


def test_an_hour_that_is_moved_loses_and_doubles_nothing(world, sweep, smtp):
    happen(world)
    assert sweep(at(17, 7)) == 1
    School.update(alert_hour=15).execute()
    clock.freeze(at(17, 9))
    happen(world)  # waits for three o'clock of a day that has had its email
    assert sweep(at(17, 15)) == 1 and sweep(at(18, 14)) == 1 and sweep(at(18, 15)) == 2
    assert [("one new thing" in mail.text) for mail in smtp.messages] == [True, True]


def test_each_person_gets_their_own(world, sweep, smtp):
    CaseFollower.create(case=world.case, account=world.oli, added_by=world.kay)
    for person in (world.gil, world.oli):
        happen(world, to=person)
    assert sweep(at(17, 7)) == 2
    assert sorted(mail.to[0] for mail in smtp.messages) == [world.gil.email, world.oli.email]


def test_nothing_new_no_email(world, sweep, smtp):
    NotificationChoice.create(account=world.gil, kind="case_changed", choice=events.NEVER)
    happen(world)
    assert sweep(at(17, 7)) == 0 and smtp.messages == []
    assert Notification.select().count() == 1


@pytest.mark.parametrize("change", ["off the case", "excluded", "read", "all closed", "deactivated", "role lost"])
def test_only_what_is_still_seen_and_unread_when_it_is_sent(world, app, smtp, change):
    happen(world)
    clock.freeze(at(17, 7))
    actions.queue_digests(date(2026, 11, 17))
    if change == "off the case":
        CaseFollower.delete().execute()
    elif change == "excluded":
        factories.exclusion(world.gil, world.ada, student=world.student)
    elif change == "read":
        actions.see_all(Notification.get().ref, actor=world.gil)
    elif change == "all closed":
        factories.exclusion(world.gil, world.ada, case=world.case)
    elif change == "deactivated":
        Account.update(is_active=False).where(Account.id == world.gil.id).execute()
    else:
        Account.update(role="student").where(Account.id == world.gil.id).execute()
    with app.app_context():
        tasks.deliver()
    assert smtp.messages == [] and OutboxEmail.get().dropped_why


def test_what_is_closed_does_not_count(world, sweep, smtp):
    other = factories.case(world.student, opened_by=world.kay, following=[world.gil])
    happen(world)
    happen(world)
    world.case = other
    happen(world)
    CaseFollower.delete().where(CaseFollower.case == other).execute()
    sweep(at(17, 7))
    assert "2 new things" in smtp.messages[0].text


def test_somebody_deactivated_is_sent_nothing_then_or_later(world, sweep, smtp):
    happen(world)
    gil = Account.id == world.gil.id
    Account.update(is_active=False).where(gil).execute()
    assert sweep(at(17, 7)) == 0
    Account.update(is_active=True).where(gil).execute()
    assert sweep(at(17, 8)) == 0 and sweep(at(18, 8)) == 0 and smtp.messages == []


def test_a_server_that_was_down_sends_one_for_all_it_missed(world, sweep, smtp):
    for day in (16, 17, 18):
        clock.freeze(at(day, 12))
        happen(world)
    assert sweep(at(20, 3)) == 0 and sweep(at(20, 9)) == 1
    assert "3 new things" in smtp.messages[0].text
    assert sweep(at(20, 10)) == 1 and sweep(at(21, 9)) == 1


def test_down_and_back_between_queueing_and_sending(world, app, sweep, smtp):
    happen(world)
    smtp.stop()
    sweep(at(17, 7))
    smtp.start()
    assert sweep(at(17, 9)) == 1
    assert len(smtp.wait_for(1)) == 1 and "one new thing" in smtp.messages[0].text


@pytest.mark.parametrize(
    ("zone", "night", "hour", "expected"),
    [
        # clocks go back at 02:00 BST: the hour from one to two comes twice
        ("Europe/London", date(2026, 10, 25), 1, datetime(2026, 10, 25, 0, 0, tzinfo=UTC)),
        # clocks go forward at 01:00 GMT: there is no hour from one to two
        ("Europe/London", date(2026, 3, 29), 1, datetime(2026, 3, 29, 1, 0, tzinfo=UTC)),
        ("Europe/London", date(2026, 3, 29), 7, datetime(2026, 3, 29, 6, 0, tzinfo=UTC)),
        ("America/New_York", date(2026, 11, 1), 1, datetime(2026, 11, 1, 5, 0, tzinfo=UTC)),
        ("America/New_York", date(2026, 3, 8), 2, datetime(2026, 3, 8, 7, 0, tzinfo=UTC)),
        ("Australia/Lord_Howe", date(2026, 4, 5), 1, datetime(2026, 4, 4, 14, 0, tzinfo=UTC)),
        ("Europe/London", date(2028, 2, 29), 7, datetime(2028, 2, 29, 7, 0, tzinfo=UTC)),
    ],
)
def test_once_on_the_nights_on_which_the_clock_is_changed(world, app, smtp, zone, night, hour, expected):
    School.update(timezone=zone, alert_hour=hour).execute()
    start = datetime(night.year, night.month, night.day, tzinfo=UTC) - timedelta(hours=20)
    clock.freeze(start)
    Notification.create(account=world.gil, kind="case_changed", target=world.case.ref, target_id=world.case.id,
                        at=start, digest_on=night)  # fmt: skip
    sent = []
    for _ in range(4 * 48):
        clock.move(minutes=15)
        with app.app_context():
            tasks.gather_digests()
            sent += [clock.now()] * tasks.deliver()
    assert sent == [expected]


def test_a_clock_that_jumps_back_an_hour_sends_nothing_twice(world, sweep, smtp):
    happen(world)
    assert sweep(at(17, 7, 30)) == 1
    clock.move(hours=-1)
    happen(world)  # due at seven, of a day that has had its email
    assert sweep(at(17, 7)) == 1 and sweep(at(17, 8)) == 1 and sweep(at(18, 7)) == 2


def test_a_due_action_is_in_the_digest_of_its_own_day(world, sweep, smtp):
    NotificationChoice.create(account=world.kay, kind="action_due", choice=events.DAILY)
    row = factories.incident(world.sam, [world.student], assigned_to=world.kay)
    factories.action(row, world.sam, person=world.kay, due_on=date(2026, 11, 17))
    assert sweep(at(17, 6, 59)) == 0 and sweep(at(17, 7)) == 1
    assert [(mail.to, "one new thing" in mail.text) for mail in smtp.messages] == [([world.kay.email], True)]
    assert sweep(at(18, 7)) == 1


@pytest.mark.parametrize("change", ["nothing", "off the case", "case closed", "excluded", "deactivated"])
def test_the_email_about_a_changed_profile(world, app, smtp, change):
    happen(world, "student_changed")
    if change == "off the case":
        CaseFollower.delete().execute()
    elif change == "case closed":
        world.case.change(1, status="Closed")
    elif change == "excluded":
        factories.exclusion(world.gil, world.ada, student=world.student)
    elif change == "deactivated":
        Account.update(is_active=False).where(Account.id == world.gil.id).execute()
    with app.app_context():
        tasks.deliver()
    if change != "nothing":
        assert smtp.messages == [] and OutboxEmail.get().dropped_why
        return
    (mail,) = smtp.wait_for(1)
    assert f"/students/{world.student.ref}\r\n" in mail.text and mail.to == [world.gil.email]
    said = f"{mail.subject} {mail.text}".replace(world.student.ref, "").casefold()
    assert not any(word in said for word in ("sturgeon", "stu ", "kestrel", "9b", "details"))
