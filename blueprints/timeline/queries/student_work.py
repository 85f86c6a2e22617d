"""What there is to do for students: open tasks, meetings to come, active plans, as far as a reader may see them.

Nothing is asked about which case a record belongs to but what permissions.py asks, so that a case which is closed to the
reader leaves no trace in these numbers. Must not write.
"""

from datetime import date, datetime
from typing import NamedTuple

from peewee import fn

import permissions
from blueprints.kit import prepared
from models import Meeting, MeetingStudent, Plan, Task


class Work(NamedTuple):
    """What there is to do for a student, as far as the reader may see it. `plans` counts the active ones; `tier` is their
    highest, `review_by` the next day on which one is due for review."""

    open_tasks: int = 0
    overdue_tasks: int = 0
    meeting_at: datetime | None = None
    meeting_ref: str = ""
    plans: int = 0
    plan_ref: str = ""
    tier: int = 0
    review_by: date | None = None


NOTHING = Work()


def works(user, day, students=None):
    """{student's id: Work} of those for whom there is anything to do; of all students, or of these (ids, at most 512)."""
    some = {} if students is None else {"students": students}
    tasks = {row[0]: row[1:] for row in prepared.rows(_tasks, user, today=day.today, **some)}
    meetings = {}
    for student, *meeting in prepared.rows(_meetings, user, now=day.now, **some):
        meetings.setdefault(student, meeting)
    plans = {row[0]: row[1:] for row in prepared.rows(_plans, user, **some)}
    return {
        student: Work(*tasks.get(student, NOTHING[:2]), *meetings.get(student, NOTHING[2:4]), *plans.get(student, NOTHING[4:]))
        for student in {*tasks, *meetings, *plans}
    }


def open_tasks(user, *fields):
    """The open tasks that this reader may see, as a query to narrow further."""
    return permissions.visible_tasks(user, *fields).where(Task.state == "open")


def meetings_to_come(user, now, *fields):
    """The planned meetings that this reader may see, with a row for each student whom they are shown in it; as above."""
    query = permissions.visible_meetings(user, *fields).join(MeetingStudent)
    return query.where(Meeting.state == "planned", Meeting.starts_at >= now, permissions.sees_meeting_student(user))


def active_plans(user, *fields):
    """The active plans that this reader may see; as above."""
    return permissions.visible_plans(user, *fields).where(Plan.state == "active")


def _tasks(user, today, students=None):
    overdue = fn.SUM(fn.COALESCE((Task.due_on < today).cast("integer"), 0))
    query = open_tasks(user, Task.student, fn.COUNT(Task.id), overdue).group_by(Task.student)
    return query if students is None else query.where(Task.student.in_(students))


def _meetings(user, now, students=None):
    """The next one first."""
    query = meetings_to_come(user, now, MeetingStudent.student, Meeting.starts_at, Meeting.ref)
    query = query.order_by(Meeting.starts_at, Meeting.id)
    if students is None:
        return query
    # From the students to their meetings: asked only about each meeting, SQLite looks for each of the students in all of them.
    part = MeetingStudent.alias("theirs")
    theirs = part.select(part.meeting).where(part.student.in_(students))
    return query.where(Meeting.id.in_(theirs), MeetingStudent.student.in_(students))


def _plans(user, students=None):
    fields = Plan.student, fn.COUNT(Plan.id), fn.MIN(Plan.ref), fn.MAX(Plan.tier), fn.MIN(Plan.review_by)
    query = active_plans(user, *fields).group_by(Plan.student)
    return query if students is None else query.where(Plan.student.in_(students))
