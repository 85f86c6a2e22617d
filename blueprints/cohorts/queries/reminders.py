"""Reminders of milestones: which are due at a moment (for the worker and the command line), what an email of one may still say
when it is sent, and what the milestone's page tells of them. What goes out is decided in blueprints/cohorts/reminders.py; here
stands what it is decided from. Writes nothing.
"""

from collections import Counter
from datetime import timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from peewee import JOIN, SQL, Value, fn

import permissions
from blueprints.cohorts import reminders
from blueprints.kit import prepared
from blueprints.kit.presentation import written_day
from extensions import clock
from models import (
    Account,
    Cohort,
    CohortStudent,
    Milestone,
    MilestoneReminder,
    OutboxEmail,
    School,
    Student,
    StudentMilestone,
)

KIND = "milestone_reminder"


class Due(NamedTuple):
    """A reminder that goes out now: to whom, and how many days before the due date."""

    student_id: int
    student_ref: str
    account_id: int
    days: int


# --- What is due -----------------------------------------------------------------------------------------------------


def due_reminders(now):
    """[(milestone, [Due, …])] of what a worker would queue if it looked at this moment, with everything as it is now. For the
    worker and the command line: no person asks."""
    school = School.get()
    today = now.astimezone(ZoneInfo(school.timezone)).date()
    ahead = today + timedelta(days=max(reminders.INTERVALS))
    found = []
    if school.student_visibility:
        for milestone, milestone.cohort in prepared.records(_with_reminders, Milestone, Cohort, first=today, last=ahead):
            if students := due_students(milestone, school, now):
                found.append((milestone, students))
    return found


def _with_reminders(first, last):
    """Saved milestones of cohorts that are not archived, with a reminder and a due date between these days."""
    query = Milestone.select(Milestone, Cohort).join(Cohort).where(Milestone.due_on.between(first, last))
    query = query.where((Milestone.reminders != "") & Milestone.saved_at.is_null(False) & Milestone.removed_at.is_null())
    return query.where(Cohort.archived_at.is_null()).order_by(Milestone.due_on, Milestone.id)


def due_students(milestone, school, now):
    """The Due of one milestone (with `.cohort`) at a moment, by student."""
    terms = reminders.terms(milestone, school, now)
    latest = reminders.nearest(terms)
    if latest is None:
        return []
    rows = prepared.rows(_perhaps_due, milestone=milestone.id, latest=latest)
    if not rows:
        return []
    sent = _sent(milestone)
    found = []
    for row in rows:
        days = reminders.due(terms, _person(row, sent.get(row[0], ())))
        if days is not None:
            found.append(Due(*row[:3], days))
    return found


def _perhaps_due(milestone, latest):
    """Those whom a reminder could go to, see reminders.nearest(): it spares looking at everybody each minute."""
    since = MilestoneReminder.select(SQL("1")).where(
        (MilestoneReminder.milestone == milestone)
        & (MilestoneReminder.student == Student.id)
        & (MilestoneReminder.at >= latest)
    )
    query = _in_cohort(Student.select()).where((Milestone.id == milestone) & (CohortStudent.added_at <= latest))
    query = query.where(StudentMilestone.state.is_null() | (StudentMilestone.state == "open"))
    return query.where(Student.is_active & Account.is_active & ~fn.EXISTS(since)).order_by(Student.id)


def _in_cohort(students):
    """The columns of _person() for the students of this query, a row for each milestone of each cohort they are in."""
    tied = (Account.email_folded == Student.email_folded) & (Account.role == permissions.STUDENT)
    mine = (StudentMilestone.student == Student.id) & (StudentMilestone.milestone == Milestone.id)
    columns = (Student.id, Student.ref, Account.id, CohortStudent.added_at, Student.is_active, StudentMilestone.state,
               Student.email_folded, Account.is_active)  # fmt: skip
    return (
        students.select(*columns)
        .join(CohortStudent, on=(CohortStudent.student == Student.id))
        .join(Milestone, on=(Milestone.cohort == CohortStudent.cohort))
        .join(Account, JOIN.LEFT_OUTER, on=tied)
        .join(StudentMilestone, JOIN.LEFT_OUTER, on=mine)
    )


def _person(row, sent):
    _, _, account, added_at, is_active, state, email, account_is_active = row
    unreachable = ""
    if account is None:
        unreachable = "no_account" if email else "no_email"
    elif not account_is_active:
        unreachable = "account_off"
    return reminders.Person(added_at, bool(is_active), state or "open", unreachable, tuple(sent))


def _sent(milestone):
    """{student id: [(days, when it went to the queue), …]}."""
    sent = {}
    for student, days, at in prepared.rows(_all_sent, milestone=milestone.id):
        sent.setdefault(student, []).append((days, at))
    return sent


def _all_sent(milestone):
    query = MilestoneReminder.select(MilestoneReminder.student, MilestoneReminder.days, MilestoneReminder.at)
    return query.where(MilestoneReminder.milestone == milestone)


# --- The email -------------------------------------------------------------------------------------------------------


def once_of(milestone_id, student_id, days):
    """The name that an email of this reminder can have only once."""
    return f"{KIND}:{milestone_id}:{student_id}:{days}"


def email_milestone_reminder(row, account):
    """The template's context (reference and due date as it is now), or a sentence why the email is not sent any more; access
    and state are asked for again. A date that was moved meanwhile is said as it stands, unless it has passed; `target_id` is
    the MilestoneReminder."""
    reminder = MilestoneReminder.get_or_none(MilestoneReminder.id == row.target_id)
    school = School.get()
    student = permissions.own_student(account, school)
    if reminder is None or student is None or student.id != reminder.student_id:
        return "the student does not see a dashboard any more"
    milestone = Milestone.select(Milestone, Cohort).join(Cohort).where(Milestone.id == reminder.milestone_id).get()
    added_at = CohortStudent.select(CohortStudent.added_at).where(
        (CohortStudent.cohort == milestone.cohort_id) & (CohortStudent.student == student.id)
    )
    state = StudentMilestone.get_or_none(
        (StudentMilestone.milestone == milestone.id) & (StudentMilestone.student == student.id)
    )
    person = reminders.Person(added_at.scalar(), student.is_active, state.state if state else "open")
    reason = reminders.why_none(reminders.terms(milestone, school, clock.now()), person)
    if reason:
        return reminders.REASONS[reason]
    if _replaced(reminder):
        return reminders.REASONS["superseded"]
    return {"ref": milestone.ref, "due_on": written_day(milestone.due_on)}


def _replaced(reminder):
    """Whether one that is nearer to the due date went to the queue while this one waited in it."""
    later = (MilestoneReminder.milestone == reminder.milestone_id) & (MilestoneReminder.student == reminder.student_id)
    later &= (MilestoneReminder.at > reminder.at) & (MilestoneReminder.days < reminder.days)
    return MilestoneReminder.select().where(later).exists()


# --- What the milestone's page tells ---------------------------------------------------------------------------------


class Interval(NamedTuple):
    """One interval of a milestone on its page. `went`: [Went], oldest first. `planned`: to how many it will go at `moment`
    (None for an interval that the milestone does not have any more). `is_due`: that moment has come, the worker's next look
    sends it. `not_sent`: [(why, to how many)]."""

    days: int
    label: str
    moment: object
    is_due: bool
    planned: int
    went: list
    not_sent: list


class Went(NamedTuple):
    """What went out for an interval on one school day, by what became of the emails; `dropped`: [(why, how many)]."""

    at: object
    total: int
    sent: int
    waiting: int
    failed: int
    dropped: list


def reminders_page(user, milestone):
    """[Interval] of a milestone (with `.cohort`), the longest before the due date first: what went out when and to how many,
    what comes next, what was not sent and why. Students who are closed to the reader are in no count."""
    permissions.require("cohort.manage", user)
    school = School.get()
    terms = reminders.terms(milestone, school, clock.now())
    history = prepared.rows(_history, user, milestone=milestone.id)
    sent = {}
    for student, days, at, *_ in history:
        sent.setdefault(student, []).append((days, at))
    people = Counter(
        _person(row, sent.get(row[0], ())) for row in prepared.rows(_everybody, user, milestone=milestone.id)
    )
    outcomes = Counter()
    for person, number in people.items():
        for fate in reminders.fates(terms, person):
            outcomes[fate.days, fate.outcome, fate.reason] += number
    went = _went(history, ZoneInfo(school.timezone))
    every = sorted(terms.moments.keys() | went.keys(), reverse=True)
    return [_interval(days, terms, outcomes, went.get(days, [])) for days in every]


def _everybody(user, milestone):
    return _in_cohort(permissions.visible_students(user)).where(Milestone.id == milestone)


def _history(user, milestone):
    """Every reminder of the milestone with what became of its email; of students who are not in the cohort any more too."""
    once = Value(f"{KIND}:").concat(MilestoneReminder.milestone.cast("text")).concat(":")
    once = once.concat(MilestoneReminder.student.cast("text")).concat(":").concat(MilestoneReminder.days.cast("text"))
    columns = (MilestoneReminder.student, MilestoneReminder.days, MilestoneReminder.at, OutboxEmail.sent_at,
               OutboxEmail.failed_at, OutboxEmail.dropped_at, OutboxEmail.dropped_why)  # fmt: skip
    return (
        permissions.visible_students(user)
        .select(*columns)
        .join(MilestoneReminder, on=(MilestoneReminder.student == Student.id))
        .join(OutboxEmail, JOIN.LEFT_OUTER, on=(OutboxEmail.once == once))
        .where(MilestoneReminder.milestone == milestone)
        .order_by(MilestoneReminder.at)
    )


def _went(history, zone):
    """{days: [Went]}."""
    by_day = {}
    for _, days, at, *email in history:
        first, states, dropped = by_day.setdefault((days, at.astimezone(zone).date()), (at, Counter(), Counter()))
        sent_at, failed_at, dropped_at, why = email
        states["sent" if sent_at else "failed" if failed_at else "dropped" if dropped_at else "waiting"] += 1
        if dropped_at:
            dropped[why] += 1
    went = {}
    for (days, _), (first, states, dropped) in by_day.items():
        counts = Went(first, states.total(), states["sent"], states["waiting"], states["failed"], dropped.most_common())
        went.setdefault(days, []).append(counts)
    return went


def _interval(days, terms, outcomes, went):
    comes = outcomes[days, reminders.PLANNED, ""] + outcomes[days, reminders.DUE, ""]
    not_sent = [(reminders.REASONS[reason], outcomes[days, reminders.NOT_SENT, reason]) for reason in reminders.REASONS]
    return Interval(
        days, reminders.label(days), terms.moments.get(days), bool(outcomes[days, reminders.DUE, ""]), comes, went,
        [(why, number) for why, number in not_sent if number],
    )  # fmt: skip
