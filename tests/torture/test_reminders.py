"""Reminders of milestones over a whole year on an injected clock, and while the worker is killed: each goes out exactly once,
or for a stated reason not at all.

The worker looks every few hours and in the minutes around each moment. What is expected is written down here by hand, and the
moments come from a walk over the school's wall clock, not from the rule.
"""

import time
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest

import permissions
import tasks
from blueprints.cohorts import actions, queries
from blueprints.cohorts.reminders import REASONS
from extensions import clock, db
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
from tests.torture.support import children, dice
from tests.torture.test_kills import healthy, settle

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
BEGIN, END = datetime(2027, 10, 1, tzinfo=UTC), datetime(2028, 10, 1, tzinfo=UTC)
ALL = (1, 2, 7, 14, 30)
# Somewhere in the week after a nearer interval; the milestone "downtime" is due on the 13th.
DOWN = (datetime(2028, 1, 9, 20, tzinfo=UTC), datetime(2028, 1, 12, 20, tzinfo=UTC))

# milestone: (due date, intervals)
MILESTONES = {
    "after clocks go back in London": (date(2027, 11, 1), (1, 7)),
    "after clocks go back in New York": (date(2027, 11, 8), (1, 7)),
    "after clocks go forward in New York": (date(2028, 3, 13), (1, 2)),
    "after clocks go forward in London": (date(2028, 3, 27), (1, 2, 14)),
    "on 29 February": (date(2028, 2, 29), ALL),
    "after 29 February": (date(2028, 3, 1), ALL),
    "thirty days after 29 February": (date(2028, 3, 30), ALL),
    "downtime": (date(2028, 1, 13), ALL),
    "downtime, and due in it": (date(2028, 1, 11), (1, 7)),
    "moved later": (date(2028, 5, 20), (1, 7, 14)),
    "moved sooner": (date(2028, 6, 20), (1, 7, 14)),
    "marked an hour before": (date(2028, 7, 10), (1, 7)),
    "removed": (date(2028, 8, 10), (1, 7)),
    "before the late one came": (date(2027, 12, 20), (1, 30)),
    "around the coming of the late one": (date(2028, 2, 10), ALL),
    "after one has left": (date(2028, 4, 20), ALL),
}


def moment(due_on, days, school):
    """The first minute of the day on which the school's wall clock shows the hour, or has passed it."""
    place, wanted = ZoneInfo(school.timezone), datetime.combine(due_on - days * DAY, datetime.min.time())
    wanted += school.alert_hour * HOUR
    at = wanted.replace(tzinfo=UTC) - 15 * HOUR
    while at.astimezone(place).replace(tzinfo=None) < wanted:
        at += 15 * MINUTE
    return at


@pytest.fixture
def world(app, cast, smtp, request):
    """A school in the time zone and with the hour that the test names; all is set up on 1 October 2027."""
    zone, hour = request.param
    clock.freeze(BEGIN)
    School.update(timezone=zone, alert_hour=hour, student_visibility_at=BEGIN).execute()
    made = SimpleNamespace(cast=cast, app=app, smtp=smtp, school=School.get(), students={}, milestones={})
    made.cohort = factories.cohort("First years", "Autumn", created_by=cast.ada)
    for name in ("steady", "leaver", "late", "without account"):
        row = factories.student(name.title(), email=f"{name.replace(' ', '.')}@pupils.example.org")
        made.students[name] = row
        if name != "without account":
            factories.account(row.name, row.email, role=permissions.STUDENT)
        if name != "late":
            join(made, row)
    for title, (due_on, days) in MILESTONES.items():
        reminders = ",".join(map(str, days))
        made.milestones[title] = factories.milestone(made.cohort, title, due_on, reminders)
    return made


def join(world, student):
    CohortStudent.create(cohort=world.cohort, student=student, added_by=world.cast.ada)


def move(world, title, due_on):
    row = world.milestones[title]
    Milestone.update(due_on=due_on, scheduled_at=clock.now()).where(Milestone.id == row.id).execute()


def complete(world, title):
    for row in world.students.values():
        StudentMilestone.create(
            milestone=world.milestones[title], student=row, state="completed", marked_by=world.cast.ada
        )


def leave(world):
    Student.update(is_active=False, left_at=clock.now()).where(Student.id == world.students["leaver"].id).execute()


def remove(world, title):
    row = world.milestones[title]
    Milestone.update(removed_at=clock.now(), removed_by=world.cast.ada).where(Milestone.id == row.id).execute()


LATE_CAME, LEFT = datetime(2028, 2, 1, 12, tzinfo=UTC), datetime(2028, 4, 10, 12, tzinfo=UTC)


def happenings(world):
    """[(when, what)]: what people do in this year, in its order."""
    marked = moment(*MILESTONES["marked an hour before"][:1], 1, world.school) - HOUR
    return sorted(
        [
            (LATE_CAME, lambda: join(world, world.students["late"])),
            (LEFT, lambda: leave(world)),
            (datetime(2028, 5, 10, 12, tzinfo=UTC), lambda: move(world, "moved later", date(2028, 6, 1))),
            (datetime(2028, 6, 10, 12, tzinfo=UTC), lambda: move(world, "moved sooner", date(2028, 6, 14))),
            (marked, lambda: complete(world, "marked an hour before")),
            (datetime(2028, 8, 5, 12, tzinfo=UTC), lambda: remove(world, "removed")),
        ],
        key=lambda each: each[0],
    )


def expected(world):
    """{(student, milestone, days): the moment from which on it goes out, or why it does not}."""
    found = {}
    for title, (due_on, intervals) in MILESTONES.items():
        for days in intervals:
            for name in world.students:
                found[name, title, days] = moment(due_on, days, world.school)
    for name in world.students:
        # Saved on 1 October: nothing had come by then. Down from the evening of the 9th to that of the 12th:
        found[name, "downtime", 2] = "superseded"
        found[name, "downtime, and due in it", 1] = "due_day_passed"
        found[name, "downtime, and due in it", 7] = moment(date(2028, 1, 11), 7, world.school)
        # The fortnight's went out for the 20th of May; the rest for the 1st of June.
        for days in (1, 7):
            found[name, "moved later", days] = moment(date(2028, 6, 1), days, world.school)
        # The fortnight's went out for the 20th; of the 14th a week before had passed when it was moved.
        found[name, "moved sooner", 7] = "already_past"
        found[name, "moved sooner", 1] = moment(date(2028, 6, 14), 1, world.school)
        found[name, "marked an hour before", 1] = "completed"
        found[name, "removed", 1] = "removed"
    for (name, title, days), what in found.items():
        found[name, title, days] = _for_others(name, title, what)
    # Said for the date and the state as they are in the end.
    found["leaver", "moved sooner", 14] = found["without account", "moved sooner", 14] = "already_past"
    found["without account", "marked an hour before", 7] = "completed"
    return found


def _for_others(name, title, what):
    """What becomes of it for those who were not there all the year. Of several reasons the page says the one that is there
    to stay."""
    is_sent = not isinstance(what, str)
    if name == "late" and (what < LATE_CAME if is_sent else title.startswith("downtime")):
        return "before_added"
    if name == "leaver" and (what > LEFT if is_sent else what in ("due_day_passed", "completed")):
        return "removed" if title == "removed" else "left"
    if name == "without account" and (is_sent or what in ("superseded", "due_day_passed")):
        return "removed" if title == "removed" else "no_account"
    return what


def looks(moments, full):
    """[(true time, what the clock shows)]: when the worker looks. The clock is an hour fast for a minute before every fifth
    moment, and an hour slow for a minute after every seventh."""
    step = HOUR if full else DAY
    around = range(-90, 91) if full else (-1, 0, 1)
    times = {BEGIN + number * step for number in range((END - BEGIN) // step)}
    times |= {each + number * MINUTE for each in moments for number in around}
    found = [(each, each) for each in times]
    found += [(each - 30 * MINUTE, each + 30 * MINUTE) for each in moments[::5]]
    found += [(each + 5 * MINUTE, each - 55 * MINUTE) for each in moments[::7]]
    return sorted(pair for pair in found if not DOWN[0] <= pair[0] < DOWN[1])


ZONES = [("Europe/London", 1), ("America/New_York", 2)]


@pytest.mark.parametrize("world", ZONES, indirect=True, ids=lambda pair: pair[0])
def test_a_year_of_reminders(world, full, figure):
    began, wanted = time.monotonic(), expected(world)
    moments = sorted({at for at in wanted.values() if not isinstance(at, str)})
    schedule, waiting = looks(moments, full), happenings(world)
    with world.app.app_context():
        for true_time, shown in schedule:
            while waiting and waiting[0][0] <= true_time:
                at, happen = waiting.pop(0)
                clock.freeze(at)
                happen()
            clock.freeze(shown)
            if actions.queue_due(clock.now()):
                tasks.deliver()
    assert not waiting
    check_rows(world, wanted, schedule)
    check_emails(world, wanted)
    check_reasons(world, wanted)
    sent = sum(not isinstance(at, str) for at in wanted.values())
    figure(f"reminders, a year in {world.school.timezone}",
           f"{len(schedule)} looks of the worker, {len(wanted)} reminders: {sent} went out exactly once, "
           f"{len(wanted) - sent} not for the stated reason, {time.monotonic() - began:.0f} s")  # fmt: skip


def check_rows(world, wanted, schedule):
    """Each one that is wanted was queued at the first look at which the clock showed its moment or a later one."""
    names = {row.id: name for name, row in world.students.items()}
    titles = {row.id: title for title, row in world.milestones.items()}
    found = {(names[row.student_id], titles[row.milestone_id], row.days): row.at for row in MilestoneReminder.select()}
    shown = [clock_time for _, clock_time in schedule]
    first_look = {at: next(each for each in shown if each >= at) for at in set(wanted.values()) if not isinstance(at, str)}
    assert found == {which: first_look[at] for which, at in wanted.items() if not isinstance(at, str)}
    assert MilestoneReminder.select().count() == len(found)


def check_emails(world, wanted):
    """One email for each, to its student, each Message-ID once."""
    count = Counter(name for (name, _, _), at in wanted.items() if not isinstance(at, str))
    assert Counter(received.to[0] for received in world.smtp.messages) == {
        world.students[name].email: number for name, number in count.items()
    }
    arrived = Counter(received.message_id for received in world.smtp.messages)
    assert set(arrived.values()) == {1}
    assert OutboxEmail.select().where(OutboxEmail.sent_at.is_null()).count() == 0
    assert Event.select().where(Event.verb == "milestone.reminded").count() == count.total()


def check_reasons(world, wanted):
    """The pages of the milestones say how many did not go out for which reason, and nothing else is left."""
    clock.freeze(END)
    stated = Counter()
    for title, row in world.milestones.items():
        milestone = Milestone.select(Milestone, Cohort).join(Cohort).where(Milestone.id == row.id).get()
        for each in queries.reminders_page(world.cast.ada, milestone):
            assert not each.planned and all(went.sent == went.total for went in each.went)
            stated.update({(title, each.days, why): number for why, number in each.not_sent})
    refused = ((title, days, REASONS[what]) for (_, title, days), what in wanted.items() if isinstance(what, str))
    assert stated == Counter(refused)


# --- A whole year group at once ----------------------------------------------------------------------------------------


def test_two_thousand_students_take_few_statements(app, cast, clock, full, figure, count_queries):
    """Twelve milestones of one day are the worst; afterwards the worker looks every minute and finds nothing."""
    milestones = 12 if full else 2
    clock.freeze(BEGIN)
    School.update(timezone="UTC", alert_hour=7, student_visibility_at=BEGIN).execute()
    cohort = factories.cohort("First years", "Autumn", created_by=cast.ada)
    emails = [f"many{number}@pupils.example.org" for number in range(2000)]
    with db.atomic():
        for start in range(0, 2000, 200):
            some = emails[start : start + 200]
            names = {"first_name": "Ann", "last_name": "Finch", "sort_name": "finch ann"}
            Student.insert_many([{"email": each, "email_folded": each, **names} for each in some]).execute()
            tied = {"name": "Ann Finch", "role": permissions.STUDENT}
            Account.insert_many([{"email": each, "email_folded": each, **tied} for each in some]).execute()
        ids = [id_ for (id_,) in Student.select(Student.id).where(Student.email.startswith("many")).tuples()]
        for start in range(0, 2000, 500):
            rows = [{"cohort": cohort, "student": id_, "added_by": cast.ada} for id_ in ids[start : start + 500]]
            CohortStudent.insert_many(rows).execute()
        for _ in range(milestones):
            factories.milestone(cohort, due_on=BEGIN.date() + 10 * DAY, reminders="1,7")
    db.execute_sql("ANALYZE")  # as a database does by itself after so many new rows
    clock.move(days=3, hours=7)
    began = time.monotonic()
    with count_queries() as queueing:
        assert actions.queue_due(clock.now()) == 2000 * milestones
    queued_at = time.monotonic()
    with count_queries() as idle:
        clock.move(minutes=1)
        assert actions.queue_due(clock.now()) == 0
    idle_for = time.monotonic() - queued_at
    assert len(queueing) <= 2 + 15 * milestones, "some fifteen statements for two thousand students"
    assert len(idle) <= 2 + milestones
    figure("reminders, 2,000 students", f"{milestones} milestones due at one moment: {2000 * milestones} reminders queued in "
                                        f"{queued_at - began:.1f} s; a minute in which nothing is due costs {idle_for * 1000:.0f} ms")  # fmt: skip


# --- kill -9 -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def cohort(cast):
    """Students with accounts, long in a cohort of a school whose hour has just come."""
    now, long_ago = clock.now(), clock.now() - 90 * DAY
    School.update(timezone="UTC", alert_hour=now.hour, student_visibility_at=long_ago).execute()
    made = factories.cohort("First years", "Autumn", created_by=cast.ada)
    with db.atomic():
        for number in range(STUDENTS):
            row = factories.student(email=f"reminded{number}@pupils.example.org")
            factories.account(row.name, row.email, role=permissions.STUDENT)
            CohortStudent.create(cohort=made, student=row, added_by=cast.ada, added_at=long_ago)
    return made


STUDENTS = 20


def fall_due(cohort, milestones):
    """So many more milestones whose week's reminder has come: the next look of a worker queues it."""
    long_ago = clock.now() - 90 * DAY
    with db.atomic():
        for _ in range(milestones):
            factories.milestone(cohort, due_on=factories.today() + 7 * DAY, reminders="7,30", saved_at=long_ago, scheduled_at=long_ago)


def queued():
    """How many milestones are queued; each with a row, an email and an event for every student, or with nothing."""
    rows = Counter(one for (one,) in MilestoneReminder.select(MilestoneReminder.milestone).tuples())
    assert set(rows.values()) <= {STUDENTS}, f"half done: {rows}"
    emails = Counter(target for (target,) in OutboxEmail.select(OutboxEmail.target).tuples())
    assert sorted(emails.values()) == sorted(rows.values()), "rows without emails, or the other way round"
    assert Event.select().where(Event.verb == "milestone.reminded").count() == rows.total()
    return len(rows)


def test_a_worker_that_is_killed_loses_and_doubles_no_reminder(app, cohort, smtp, environ, full, figure):
    chance = dice(full, "reminders")
    kills, each_time = (60, 3) if full else (6, 3)
    killed, in_queueing, began = 0, 0, time.monotonic()
    with children() as start:
        while killed < kills or (not in_queueing and killed < 5 * kills):
            fall_due(cohort, each_time)
            # each worker lives after the lease of the one that was killed before it
            worker = start(environ, "remind", 3 * killed)
            worker.hear()
            if killed % 2:
                time.sleep(chance.random() * 0.06)
            else:
                until = len(smtp.messages) + chance.randrange(1, 2 * STUDENTS)
                while len(smtp.messages) < until and not worker.heard():
                    time.sleep(0.001)
            worker.kill()
            settle()
            killed += 1
            in_queueing += queued() < each_time * killed
        for worker in [start(environ, "remind", 3 * killed) for _ in range(2)]:
            assert worker.finish(seconds=300) == "idle"
    healthy()
    total = killed * each_time * STUDENTS
    assert queued() * STUDENTS == total
    assert in_queueing, "no kill came before everything was queued: strike earlier"
    wanted = {message_id for (message_id,) in OutboxEmail.select(OutboxEmail.message_id).tuples()}
    arrived = Counter(received.message_id.strip("<>").partition("@")[0] for received in smtp.messages)
    assert set(arrived) == wanted and len(wanted) == total, f"{len(wanted - set(arrived))} of {total} never arrived"
    assert OutboxEmail.select().where(OutboxEmail.sent_at.is_null()).count() == 0
    again = sum(arrived.values()) - len(arrived)
    figure("kill -9, reminders", f"{total} reminders, {killed} kills, {in_queueing} of them before all were queued: 0 lost, 0 doubled "
                                 f"by Message-ID ({again} sent again under the same one), {time.monotonic() - began:.0f} s")  # fmt: skip
