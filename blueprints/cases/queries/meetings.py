"""Many student meetings: the rows of a list, filters, what an export takes, the next ones, and who or what clashes.

Every list starts from permissions.visible_meetings(); which of the students stand in a row, and whether its place does, is asked
for each reader. No agenda and no outcome is in a list.
"""

from datetime import datetime
from functools import partial
from typing import NamedTuple

from peewee import SQL, fn

import permissions
from blueprints.kit import prepared
from blueprints.students import queries as students
from extensions import clock
from models import Account, Meeting, MeetingStaff, MeetingStudent, MeetingType, Student

PLANNED, HELD, CANCELLED = "planned", "held", "cancelled"
STATES = {PLANNED: "Planned", HELD: "Held", CANCELLED: "Cancelled"}
WHEN = {"upcoming": "Upcoming", "past": "Past", "all": "All"}
COLUMNS = (Meeting.id, Meeting.ref, Meeting.starts_at, Meeting.ends_at, Meeting.place, Meeting.state, MeetingType.name)
AT_ONCE = 500  # meetings whose students and staff are asked for together


class OfMeeting(NamedTuple):
    """A student or a staff member of a meeting."""

    ref: str
    name: str


class MeetingRow(NamedTuple):
    """One row of a list, with the students and the place as far as its reader may see them."""

    id: int
    ref: str
    starts_at: datetime
    ends_at: datetime
    place: str
    state: str
    kind: str
    students: list
    staff: list

    @property
    def waits(self):
        """Whether it is over and nobody has said what came of it."""
        return self.state == PLANNED and self.ends_at < clock.now()


# --- Lists -----------------------------------------------------------------------------------------------------------


def meetings_paging(user, *, when="all", text="", **filters):
    """(fetch, count) for kit.listing.paginate(): MeetingRows; upcoming ones by time, others the latest first.

    `filters`: those of type_id, state, student_id, me (the reader's id: to be there, or scheduled it), since and until
    (moments) that are on. `text`: each word has to be in the name of a student who is shown.
    """
    build, filters = _list(when, filters)
    if text:
        query = partial(build, user, text=text, **filters)
        return (
            lambda most, start: meeting_rows(user, query(most=most, start=start).tuples()),
            lambda most: query(most=most, start=0).count(),
        )
    return (
        lambda most, start: meeting_rows(user, prepared.rows(build, user, most=most, start=start, **filters)),
        lambda most: len(prepared.rows(build, user, most=most, start=0, **filters)),
    )


def meetings_export(user, *, when="all", **filters):
    """Every MeetingRow of the list, for a file."""
    build, filters = _list(when, filters)
    return meeting_rows(user, build(user, **filters).tuples())


def _list(when, filters):
    return _LISTS[when], filters if when == "all" else filters | {"now": clock.now()}


def _upcoming(user, now, **filters):
    query = _listed(user, **filters).where((Meeting.state == PLANNED) & (Meeting.ends_at >= now))
    return query.order_by(Meeting.starts_at, Meeting.id)


def _past(user, now, **filters):
    over = (Meeting.ends_at < now) | (Meeting.state == HELD)
    return _listed(user, **filters).where(over).order_by(*_LATEST_FIRST)


def _all(user, **filters):
    return _listed(user, **filters).order_by(*_LATEST_FIRST)


_LISTS = {"upcoming": _upcoming, "past": _past, "all": _all}
_LATEST_FIRST = Meeting.starts_at.desc(), Meeting.id.desc()


def _listed(user, type_id=None, state=None, student_id=None, me=None, since=None, until=None, text="", most=None, start=None):
    query = permissions.visible_meetings(user, *COLUMNS, permissions.sees_whole_meeting(user).alias("is_whole"))
    query = query.join_from(Meeting, MeetingType)
    if type_id is not None:
        query = query.where(Meeting.meeting_type == type_id)
    if state is not None:
        query = query.where(Meeting.state == state)
    if since is not None:
        query = query.where(Meeting.ends_at >= since)
    if until is not None:
        query = query.where(Meeting.starts_at < until)
    if me is not None:
        there = MeetingStaff.select(MeetingStaff.meeting)
        there = there.where((MeetingStaff.account == me) & MeetingStaff.removed_at.is_null())
        query = query.where((Meeting.scheduled_by == me) | Meeting.id.in_(there))
    if student_id is not None:
        query = query.where(_with(user, MeetingStudent.student == student_id))
    for word in text.split():
        named = students.matching(user, word)
        query = query.where(_with(user, *named)) if named else query.where(SQL("1 = 0"))
    return query.limit(most).offset(start)


def _with(user, *conditions):
    """The meeting has a student whom this reader is shown, and for whom the conditions hold."""
    shown = MeetingStudent.select(SQL("1")).join(Student, on=(Student.id == MeetingStudent.student))
    shown = shown.where((MeetingStudent.meeting == Meeting.id) & permissions.sees_meeting_student(user), *conditions)
    return fn.EXISTS(shown)


def meeting_rows(user, rows):
    """MeetingRows of tuples as _listed() selects them."""
    rows = [tuple(row) for row in rows]
    ids = [row[0] for row in rows]
    about, there = {}, {}
    for start in range(0, len(ids), AT_ONCE):
        some = ids[start : start + AT_ONCE]
        for meeting, ref, preferred, first, last in prepared.rows(_students_of, user, ids=some):
            about.setdefault(meeting, []).append(OfMeeting(ref, f"{preferred or first} {last}"))
        for meeting, ref, name in prepared.rows(_staff_of, ids=some):
            there.setdefault(meeting, []).append(OfMeeting(ref, name))
    return [
        MeetingRow(*row[:4], row[4] if row[7] else "", *row[5:7], about.get(row[0], []), there.get(row[0], [])) for row in rows
    ]


def _students_of(user, ids):
    names = (Student.ref, Student.preferred_name, Student.first_name, Student.last_name)
    return (
        MeetingStudent.select(MeetingStudent.meeting, *names)
        .join_from(MeetingStudent, Student)
        .join_from(MeetingStudent, Meeting)
        .where(MeetingStudent.meeting.in_(ids) & permissions.sees_meeting_student(user))
        .order_by(Student.sort_name, Student.id)
    )


def _staff_of(ids):
    return (
        MeetingStaff.select(MeetingStaff.meeting, Account.ref, Account.name)
        .join(Account, on=(MeetingStaff.account == Account.id))
        .where(MeetingStaff.meeting.in_(ids) & MeetingStaff.removed_at.is_null())
        .order_by(Account.name, Account.id)
    )


# --- What the forms offer --------------------------------------------------------------------------------------------


class OfferedType(NamedTuple):
    """A type of meetings; a retired one stays where it was used and is offered no more."""

    id: int
    ref: str
    name: str
    is_retired: bool


def meeting_types(user, *, retired=False):
    """The types of meetings that can be chosen, in the school's order; `retired` for lists, which filter by all of them."""
    rows = [OfferedType(*row) for row in prepared.rows(_types)]
    return [row for row in rows if retired or not row.is_retired]


def _types():
    query = MeetingType.select(MeetingType.id, MeetingType.ref, MeetingType.name, MeetingType.is_retired)
    return query.order_by(MeetingType.position, MeetingType.name)


# --- The next ones ---------------------------------------------------------------------------------------------------


class NextMeeting(NamedTuple):
    """A meeting that the reader is to be at; `students` are (ref, name)."""

    ref: str
    starts_at: datetime
    ends_at: datetime
    place: str
    kind: str
    students: list


def next_meetings(user, most):
    """The first `most` NextMeetings of this person, by time, in one query."""
    if not permissions.can(user, "meeting.read"):
        return []
    found = {}
    for ref, starts_at, ends_at, place, kind, student_ref, preferred, first, last in prepared.rows(
        _next, user, now=clock.now(), most=most
    ):
        row = found.setdefault(ref, NextMeeting(ref, starts_at, ends_at, place, kind, []))
        row.students.append((student_ref, f"{preferred or first} {last}"))
    return list(found.values())


def _next(user, now, most):
    chosen = invited_meetings(user, Meeting.id).where((Meeting.state == PLANNED) & (Meeting.ends_at >= now))
    chosen = chosen.order_by(Meeting.starts_at, Meeting.id).limit(most).alias("chosen")
    student = (Student.ref, Student.preferred_name, Student.first_name, Student.last_name)
    return (
        Meeting.select(Meeting.ref, Meeting.starts_at, Meeting.ends_at, Meeting.place, MeetingType.name, *student)
        .join(chosen, on=(chosen.c.id == Meeting.id))
        .join_from(Meeting, MeetingType)
        .join_from(Meeting, MeetingStudent, on=((MeetingStudent.meeting == Meeting.id) & MeetingStudent.removed_at.is_null()))
        .join_from(MeetingStudent, Student)
        .order_by(Meeting.starts_at, Meeting.id, Student.sort_name, Student.id)
    )


def invited_meetings(user, *fields):
    """The meetings that this person is to be at and may see (no conflict of interest), as a query over Meeting and
    MeetingStaff."""
    query = permissions.visible_meetings(user, *fields)
    mine = (MeetingStaff.meeting == Meeting.id) & (MeetingStaff.account == user.id) & MeetingStaff.removed_at.is_null()
    return query.join_from(Meeting, MeetingStaff, on=mine)


# --- Clashes ---------------------------------------------------------------------------------------------------------


class Clash(NamedTuple):
    """Somebody who is in another meeting at that time."""

    who: str
    ref: str
    starts_at: datetime
    ends_at: datetime


def clashes(user, starts_at, ends_at, *, student_ids, account_ids, but=-1):
    """Clashes of these students and staff with meetings other than `but` (an id) at this time, by name: as far as `user` sees
    those meetings, and these people in them."""
    if starts_at is None or ends_at is None or ends_at <= starts_at:
        return []
    given = {"starts_at": starts_at, "ends_at": ends_at, "but": but}
    found = []
    if account_ids:
        found += [Clash(*row) for row in prepared.rows(_busy_staff, user, ids=account_ids[:AT_ONCE], **given)]
    if student_ids:
        rows = prepared.rows(_busy_students, user, ids=student_ids[:AT_ONCE], **given)
        found += [Clash(f"{preferred or first} {last}", *rest) for preferred, first, last, *rest in rows]
    return sorted(found, key=lambda clash: (clash.who, clash.starts_at, clash.ref))


def _at_that_time(user, starts_at, ends_at, but):
    overlap = (Meeting.starts_at < ends_at) & (Meeting.ends_at > starts_at)
    return (Meeting.id != but) & (Meeting.state != CANCELLED) & overlap & permissions.sees_meeting(user)


def _busy_staff(user, ids, **when):
    query = MeetingStaff.select(Account.name, Meeting.ref, Meeting.starts_at, Meeting.ends_at)
    query = query.join(Account, on=(MeetingStaff.account == Account.id)).join_from(MeetingStaff, Meeting)
    there = MeetingStaff.account.in_(ids) & MeetingStaff.removed_at.is_null()
    return query.where(there & _at_that_time(user, **when))


def _busy_students(user, ids, **when):
    names = (Student.preferred_name, Student.first_name, Student.last_name)
    query = MeetingStudent.select(*names, Meeting.ref, Meeting.starts_at, Meeting.ends_at)
    query = query.join_from(MeetingStudent, Student).join_from(MeetingStudent, Meeting)
    there = MeetingStudent.student.in_(ids) & permissions.sees_meeting_student(user)
    return query.where(there & _at_that_time(user, **when))
