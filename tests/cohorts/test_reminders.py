"""Reminders of milestones: rows, events and emails of the worker's minute; what is asked again when an email is sent; what the
milestone's page tells of them; the command that says what would go out."""

import threading
from datetime import UTC, date, datetime, timedelta

import pytest

import permissions
import tasks
from blueprints.cohorts import actions, queries
from extensions import db
from models import (
    Account,
    Cohort,
    CohortStudent,
    Event,
    Milestone,
    MilestoneReminder,
    OutboxEmail,
    School,
    Student,
    StudentMilestone,
)
from tests import factories

BEGIN = datetime(2026, 11, 16, 12, tzinfo=UTC)  # a Monday in London's winter
DUE_ON = date(2026, 12, 18)


def december(day, hour=7, minute=0):
    return datetime(2026, 12, day, hour, minute, tzinfo=UTC)


@pytest.fixture
def world(app, cast, smtp, clock):
    """Stu is in a cohort whose milestone is due on 18 December, with reminders a week and a day before."""
    clock.freeze(BEGIN)
    School.update(student_visibility_at=BEGIN, timezone="Europe/London", alert_hour=7).execute()
    # signed in before: the worker's minute need not invite him
    Account.update(password_hash="set", last_sign_in_at=BEGIN).where(Account.id == cast.stu.id).execute()
    cast.cohort = factories.cohort("First years", "Autumn", [cast.student], [cast.counselling], created_by=cast.ada)
    cast.milestone = factories.milestone(cast.cohort, "Zqtitle", DUE_ON, "1,7")
    return cast


@pytest.fixture
def sweep(app, clock):
    """Runs the worker's minute at a moment; returns the intervals that went to the queue so far, in their order."""

    def run(moment):
        clock.freeze(moment)
        with app.app_context():
            tasks.sweep()
        return [row.days for row in MilestoneReminder.select().order_by(MilestoneReminder.id)]

    return run


def another(number=None, account=True, **fields):
    """A student with an account, not in a cohort yet."""
    row = factories.student(email=f"another{number}@school.example.org", **fields)
    if account:
        factories.account(row.name, row.email, role=permissions.STUDENT, password_hash="set", last_sign_in_at=BEGIN)
    return row


def mark(world, state, student=None):
    StudentMilestone.create(
        milestone=world.milestone, student=student or world.student, state=state, marked_by=world.gil
    )


def queue(now):
    return actions.queue_due(now)


# --- What the worker's minute does -------------------------------------------------------------------------------------


def test_each_goes_out_once_at_its_moment(world, sweep, smtp, app):
    assert sweep(december(11) - timedelta(seconds=1)) == []
    assert sweep(december(11)) == sweep(december(11, 7, 1)) == sweep(december(17, 6, 59)) == [7]
    assert sweep(december(17, 7)) == sweep(december(18)) == sweep(december(30)) == [7, 1]
    first, second = smtp.messages
    assert first.to == second.to == ["stu@school.example.org"] and first.message_id != second.message_id
    assert first.subject == "A milestone is due soon"
    assert "due on 18 Dec 2026." in first.text
    assert f"{app.settings.base_url}/my/milestones/{world.milestone.ref}" in first.text
    everything = first.raw.decode().casefold()
    for word in ("zqtitle", "sturgeon", "stu ", "first years", "autumn", "counselling", "student"):
        assert word not in everything


def test_row_email_and_event_are_written_together(world, clock):
    assert queue(december(11, 7, 3)) == 1
    (row,) = MilestoneReminder.select()
    assert (row.student, row.days, row.due_on, row.at) == (world.student, 7, DUE_ON, december(11, 7, 3))
    (email,) = OutboxEmail.select()
    assert (email.kind, email.account, email.target, email.target_id) == (
        "milestone_reminder", world.stu, world.milestone.ref, row.id)  # fmt: skip
    (event,) = Event.select().where(Event.verb == "milestone.reminded")
    assert (event.target, event.actor) == (world.student.ref, None)
    assert event.data == f'{{"days": 7, "milestone": "{world.milestone.ref}"}}'


def test_a_failure_in_between_leaves_nothing(world, monkeypatch):
    def broken(*_arguments, **_fields):
        raise RuntimeError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr("events.record_each", broken)
        with pytest.raises(RuntimeError):
            queue(december(11))
    assert MilestoneReminder.select().count() == OutboxEmail.select().count() == 0
    assert queue(december(11)) == 1


def test_several_workers_at_once_queue_each_of_them_once(world):
    for number in range(40):
        CohortStudent.create(cohort=world.cohort, student=another(number), added_by=world.ada)
    ready, counts = threading.Barrier(4), []

    def work():
        with db.connection_context():
            ready.wait()
            counts.append(queue(december(11)))

    workers = [threading.Thread(target=work) for _ in range(4)]
    for each in workers:
        each.start()
    for each in workers:
        each.join()
    assert len(counts) == 4 and sum(counts) == 41
    assert MilestoneReminder.select().count() == OutboxEmail.select().count() == 41


@pytest.mark.parametrize(
    "change",
    [
        lambda world: School.update(student_visibility_at=None).execute(),
        lambda world: Milestone.update(removed_at=BEGIN, removed_by=world.ada).execute(),
        lambda world: Milestone.update(saved_at=None).execute(),
        lambda world: Milestone.update(due_on=None).execute(),
        lambda world: Milestone.update(reminders="").execute(),
        lambda world: Cohort.update(archived_at=BEGIN, archived_by=world.ada).execute(),
        lambda world: CohortStudent.delete().execute(),
        lambda world: Student.update(is_active=False, left_at=BEGIN).execute(),
        lambda world: Student.update(email="", email_folded=None).execute(),
        lambda world: Student.update(email="else@school.example.org", email_folded="else@school.example.org").execute(),
        lambda world: Account.update(is_active=False).where(Account.id == world.stu.id).execute(),
        lambda world: Account.update(role=permissions.STAFF).where(Account.id == world.stu.id).execute(),
        lambda world: mark(world, "completed"),
        lambda world: mark(world, "waived"),
    ],
)
def test_what_stops_it(world, change):
    change(world)
    assert queue(december(11)) == queue(december(17)) == 0


def test_marked_open_again_it_goes_out(world):
    mark(world, "open")
    assert queue(december(11)) == 1


def test_moments_before_the_student_came_or_students_saw_anything_are_not_sent_for(world, sweep):
    CohortStudent.update(added_at=december(11, 7, 1)).execute()
    assert sweep(december(11, 7, 2)) == []
    CohortStudent.update(added_at=BEGIN).execute()
    School.update(student_visibility_at=december(11, 7, 1)).execute()
    assert sweep(december(11, 7, 2)) == []
    assert sweep(december(17)) == [1]


def test_who_came_between_two_moments_gets_the_nearer_one(world, sweep):
    CohortStudent.update(added_at=december(14)).execute()
    assert sweep(december(14, 1)) == [] and sweep(december(17, 9)) == [1]


def test_after_three_days_off_the_nearest_goes_out_once(world, sweep, smtp):
    Milestone.update(reminders="1,2,7,14").execute()
    assert sweep(december(4)) == [14]
    assert sweep(december(16, 12)) == sweep(december(16, 12, 1)) == [14, 2]
    assert sweep(december(19)) == [14, 2]
    assert len(smtp.messages) == 2


def test_a_moved_date_takes_what_was_not_sent_along(world, sweep):
    assert sweep(december(11)) == [7]
    Milestone.update(due_on=date(2026, 12, 30), scheduled_at=december(12)).execute()
    assert sweep(december(17)) == sweep(december(23)) == sweep(december(28, 23)) == [7]
    assert sweep(december(29)) == [7, 1]
    assert {row.days: row.due_on for row in MilestoneReminder.select()} == {7: DUE_ON, 1: date(2026, 12, 30)}


def test_a_removed_student_who_comes_back_is_not_reminded_again(world, sweep):
    assert sweep(december(11)) == [7]
    CohortStudent.delete().execute()
    CohortStudent.create(cohort=world.cohort, student=world.student, added_by=world.ada, added_at=december(12))
    assert sweep(december(13)) == [7]
    assert sweep(december(17)) == [7, 1]


def test_nothing_due_costs_a_few_queries_whatever_there_is(world, count_queries):
    for number in range(3):
        factories.milestone(world.cohort, f"Milestone {number}", DUE_ON + number * timedelta(days=1), "1,7")
    for number in range(5):
        CohortStudent.create(cohort=world.cohort, student=another(f"-before-{number}"), added_by=world.ada)
    assert queue(december(10)) == 0
    with count_queries() as before:
        assert queue(december(10)) == 0
    assert len(before) == 2
    assert queue(december(11)) == 12  # two milestones are due on the same day
    with count_queries() as few:
        assert queue(december(11, 8)) == 0
    factories.milestone(world.cohort, "Another", DUE_ON + timedelta(days=20), "1")
    for number in range(10):
        CohortStudent.create(cohort=world.cohort, student=another(number), added_by=world.ada, added_at=december(11, 9))
    with count_queries() as more:
        assert queue(december(11, 10)) == 0
    assert len(more) == len(few) == 4


# --- Asked again when the email is sent ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("why", "change"),
    [
        ("completed", lambda world: mark(world, "completed")),
        ("waived", lambda world: mark(world, "waived")),
        ("the milestone was removed", lambda world: Milestone.update(removed_at=BEGIN, removed_by=world.ada).execute()),
        ("the milestone has no due date", lambda world: Milestone.update(due_on=None).execute()),
        ("the cohort is archived", lambda world: Cohort.update(archived_at=BEGIN, archived_by=world.ada).execute()),
        ("they are not in the cohort any more", lambda world: CohortStudent.delete().execute()),
        ("the student does not see a dashboard any more", lambda world: School.update(student_visibility_at=None).execute()),
        ("the student does not see a dashboard any more", lambda world: Student.update(is_active=False).execute()),
        ("the student does not see a dashboard any more",
         lambda world: Student.update(email="b@c.example", email_folded="b@c.example").execute()),
        ("the account was deactivated", lambda world: Account.update(is_active=False).execute()),
        ("the due date passed before it could go out", lambda world: Milestone.update(due_on=date(2026, 12, 10)).execute()),
    ],
)  # fmt: skip
def test_what_changed_while_it_waited_stops_it(world, app, smtp, clock, why, change):
    clock.freeze(december(11))
    assert queue(december(11)) == 1
    change(world)
    with app.app_context():
        assert tasks.deliver() == 0
    (email,) = OutboxEmail.select()
    assert (email.is_waiting, email.dropped_why) == (False, why) and smtp.messages == []


def test_a_date_that_moved_while_it_waited_is_said_as_it_stands(world, app, smtp, clock):
    clock.freeze(december(11))
    queue(december(11))
    Milestone.update(due_on=date(2027, 1, 8)).execute()
    with app.app_context():
        assert tasks.deliver() == 1
    assert "due on 8 Jan 2027." in smtp.messages[0].text


def test_after_an_outage_of_the_mail_server_only_the_nearest_is_sent(world, sweep, smtp):
    smtp.answer(451)
    assert sweep(december(11)) == [7] and sweep(december(17)) == [7, 1]
    assert smtp.messages == []
    smtp.answer(None)
    sweep(december(17, 8))
    assert len(smtp.messages) == 1
    assert {row.once[-1]: row.dropped_why for row in OutboxEmail.select()} == {"1": "", "7": "a later reminder went out instead"}


def test_after_an_outage_that_outlasts_the_due_day_nothing_is_sent(world, sweep, smtp):
    smtp.answer(451)
    sweep(december(17))
    smtp.answer(None)
    sweep(december(19))
    assert smtp.messages == []
    assert OutboxEmail.get().dropped_why == "the due date passed before it could go out"


# --- What the milestone's page tells -------------------------------------------------------------------------------------


def page(world, user=None):
    milestone = Milestone.select(Milestone, Cohort).join(Cohort).where(Milestone.id == world.milestone.id).get()
    return {each.days: each for each in queries.reminders_page(user or world.ada, milestone)}


def test_the_page_says_what_comes_next_and_what_does_not(world):
    for number, fields in enumerate(({}, {"account": False}, {"is_active": False})):
        CohortStudent.create(cohort=world.cohort, student=another(number, **fields), added_by=world.ada)
    mark(world, "completed")
    assert list(page(world)) == [7, 1]
    week = page(world)[7]
    assert (week.label, week.moment, week.planned, week.is_due, week.went) == ("One week before", december(11), 1, False, [])
    assert week.not_sent == [("they have left the school", 1), ("completed", 1), ("they have no account", 1)]


def test_the_page_says_what_went_out_and_what_became_of_it(world, sweep, smtp, clock):
    others = [another(number) for number in range(4)]
    for each in others:
        CohortStudent.create(cohort=world.cohort, student=each, added_by=world.ada)
    smtp.answer(550, at="rcpt", times=1)
    assert sweep(december(11)) == [7] * 5
    (went,) = page(world)[7].went
    assert (went.at, went.total, went.sent, went.failed, went.waiting, went.dropped) == (december(11), 5, 4, 1, 0, [])
    queue(december(17))
    mark(world, "completed")
    assert page(world)[1].went == [(december(17), 5, 0, 5, 0, [])]
    sweep(december(17, 7, 1))
    assert page(world)[1].went == [(december(17), 5, 4, 0, 0, [("completed", 1)])]
    Milestone.update(reminders="").execute()
    CohortStudent.delete().execute()
    assert [(each.days, each.moment, each.went[0].total) for each in page(world).values()] == [(7, None, 5), (1, None, 5)]


def test_one_that_is_due_this_minute_is_said_so(world, clock):
    clock.freeze(december(11))
    assert (page(world)[7].is_due, page(world)[7].planned, page(world)[1].is_due) == (True, 1, False)


def test_a_student_who_is_closed_to_the_reader_is_in_no_count(world, sweep):
    another_admin = factories.account("Eve Egret", role=permissions.ADMIN)
    factories.exclusion(world.ada, another_admin, student=world.student)
    assert page(world)[7].planned == 0 and page(world, another_admin)[7].planned == 1
    sweep(december(11))
    mark(world, "waived")
    assert page(world)[7].went == [] and page(world)[1].not_sent == []
    assert page(world, another_admin)[7].went[0].total == 1 and page(world, another_admin)[1].not_sent == [("waived", 1)]


def test_only_who_manages_cohorts_asks_for_it(world):
    for who in (world.kay, world.gil, world.mo, world.oli, world.rae, world.stu):
        with pytest.raises(permissions.Denied):
            page(world, who)


def test_the_queries_of_the_page_are_constant(world, count_queries):
    page(world)
    with count_queries() as few:
        page(world)
    for number in range(30):
        CohortStudent.create(cohort=world.cohort, student=another(number), added_by=world.ada)
    queue(december(11))
    with count_queries() as more:
        page(world)
    assert len(few) == len(more) <= 4  # and the milestone itself


# --- The command ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def command(app):
    def run(*arguments):
        return app.test_cli_runner().invoke(args=["reminders", "due", *arguments])

    return run


def test_the_command_says_what_would_go_out_and_writes_nothing(world, command):
    line = f"{world.milestone.ref}\t{world.student.ref}\t7\n"
    for moment, expected in (
        ("2026-12-11T07:00", line), ("2026-12-11T06:59", ""), ("2026-12-11T07:00:00+00:00", line), ("2026-12-11", line),
        ("2026-12-11T08:00:00+01:00", line), ("2026-12-11T07:00:00Z", line), ("2026-12-11T07:59+01:00", ""), ("2026-12-17", line[:-2] + "1\n"),
    ):  # fmt: skip
        answer = command("--at", moment)
        assert (answer.exit_code, answer.stdout) == (0, expected), moment
        assert "Sturgeon" not in answer.output and "Zqtitle" not in answer.output
    assert MilestoneReminder.select().count() == OutboxEmail.select().count() == 0
    assert Event.select().where(Event.verb == "milestone.reminded").count() == 0


def test_the_command_without_a_moment_means_now(world, command, clock):
    assert command().stdout == "" and "0 reminders" in command().stderr
    clock.freeze(december(11))
    assert command().stdout.count("\n") == 1 and "1 reminder " in command().stderr


def test_the_moment_is_in_school_time_unless_it_says_otherwise(world, command):
    School.update(timezone="America/New_York").execute()
    assert command("--at", "2026-12-11T06:59").stdout == ""
    assert command("--at", "2026-12-11T07:00").stdout.endswith("\t7\n")


@pytest.mark.parametrize("moment", ["", "soon", "2026-02-30", "2026-12-11T25:00", "0001-01-01", "9999-12-31T23:59-12:00"])
def test_a_moment_that_is_none_is_refused_with_a_sentence(world, command, moment):
    answer = command("--at", moment)
    assert answer.exit_code == 2 and "Traceback" not in answer.output and "is not a moment" in answer.output
