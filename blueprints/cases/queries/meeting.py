"""One student meeting: loading it is authorising. meeting() comes first on every page; the rest takes what it returned.

Whoever sees a meeting only because of a case is given the times, the staff and that case's student: meeting() leaves the place,
the agenda, the outcome and the reason for cancelling out of the row, so that no page can show them.
"""

import json
from datetime import datetime
from typing import NamedTuple

from peewee import JOIN

import events
import permissions
from blueprints.cases.queries.people import resolve_among, suggest_among
from blueprints.kit import prepared, records
from blueprints.kit.text import one_line
from models import (
    Account,
    Event,
    Meeting,
    MeetingStaff,
    MeetingStudent,
    MeetingType,
    MeetingVersion,
    Student,
)

Scheduler, Ender = Account.alias("scheduler"), Account.alias("ender")
FIELDS = Meeting._meta.sorted_fields
KEPT_BACK = ("place", "agenda", "outcome", "cancel_reason")


def meeting(user, ref, audit=True):
    """The meeting with `.meeting_type`, `.scheduler` and `.ender` (names), `.reasons`, `.is_whole` (whether everything about it
    is shown) and `.may_manage`, or NotVisible. Records the read; `audit=False` as in case()."""
    reasons = permissions.reason_names("meeting", user.role, user.is_active)
    found = prepared.rows(_loaded, user, ref=one_line(ref)[:16]) if reasons else []
    row = _meeting(found[0], reasons) if found else None
    if row is None or not row.reasons:
        raise permissions.NotVisible(ref)
    if audit:
        events.record_alone("meeting.read", actor=user, target=row.ref, reasons=row.reasons)
    return row


def _loaded(user, ref):
    """The meeting's fields, its type's, the names of who scheduled and who ended it, each reason of `user`."""
    columns = permissions.record_reason_columns("meeting", user)
    kind = (MeetingType.id, MeetingType.ref, MeetingType.name)
    return (
        permissions.visible_meetings(user, *FIELDS, *kind, Scheduler.name, Ender.name, *columns)
        .join_from(Meeting, MeetingType)
        .join_from(Meeting, Scheduler, on=(Meeting.scheduled_by == Scheduler.id))
        .join_from(Meeting, Ender, JOIN.LEFT_OUTER, on=(Meeting.ended_by == Ender.id))
        .where(Meeting.ref == ref)
    )


def _meeting(values, reasons):
    many = len(FIELDS)
    fields = dict(zip([field.name for field in FIELDS], values, strict=False))
    kind_id, kind_ref, kind, scheduler, ender = values[many : many + 5]
    found = [name for name, holds in zip(reasons, values[many + 5 :], strict=True) if holds]
    is_whole = bool(set(found) - {"case"})
    if not is_whole:
        fields |= dict.fromkeys(KEPT_BACK, "")
    row = Meeting(**fields | {"meeting_type": MeetingType(id=kind_id, ref=kind_ref, name=kind)})
    row._dirty.clear()
    row.scheduler, row.ender, row.reasons, row.is_whole = scheduler, ender, found, is_whole
    row.may_manage = bool(permissions.MANAGE_MEETING & set(found))
    return row


class Part(NamedTuple):
    """A student of the meeting, with what it came to for them; `attended` is "", yes or no."""

    student_id: int
    ref: str
    name: str
    year_group: str
    tutor_group: str
    is_active: bool
    attended: str
    outcome: str


class Attendee(NamedTuple):
    """Somebody who is to be there."""

    account_id: int
    ref: str
    name: str
    role: str
    is_active: bool


def meeting_students(user, meeting):
    """The Parts of the meeting that this reader is shown, by name."""
    rows = prepared.rows(_parts, user, meeting_id=meeting.id)
    return [Part(*row[:2], f"{row[2] or row[3]} {row[4]}", *row[5:]) for row in rows]


def _parts(user, meeting_id):
    names = (Student.preferred_name, Student.first_name, Student.last_name, Student.year_group, Student.tutor_group)
    return (
        MeetingStudent.select(
            Student.id, Student.ref, *names, Student.is_active, MeetingStudent.attended, MeetingStudent.outcome
        )
        .join_from(MeetingStudent, Student)
        .join_from(MeetingStudent, Meeting)
        .where((MeetingStudent.meeting == meeting_id) & permissions.sees_meeting_student(user))
        .order_by(Student.sort_name, Student.id)
    )


def meeting_staff(meeting):
    """The Attendees of a meeting that somebody was let see, by name."""
    return [Attendee(*row) for row in prepared.rows(_attendees, meeting_id=meeting.id)]


def _attendees(meeting_id):
    return (
        MeetingStaff.select(Account.id, Account.ref, Account.name, Account.role, Account.is_active)
        .join(Account, on=(MeetingStaff.account == Account.id))
        .where((MeetingStaff.meeting == meeting_id) & MeetingStaff.removed_at.is_null())
        .order_by(Account.name, Account.id)
    )


def who_can_see_meeting(user, meeting):
    """[(name, role, [reason in words])] of everybody who sees the meeting, for somebody who sees it: without those who see it
    by a case that this reader does not see."""
    return records.readers("meeting", user, meeting)


# --- History ---------------------------------------------------------------------------------------------------------


class MeetingStep(NamedTuple):
    """One step: when, who, what; `was` is the time that the meeting had before it was moved."""

    at: datetime
    who: str
    words: str
    was: datetime | None = None


class Wording(NamedTuple):
    """What was written until somebody changed it: [(label, text)]."""

    at: datetime
    who: str
    texts: list


CHANGED = {"meeting_type": "the type", "agenda": "the agenda", "place": "the place"}
# Who sees the meeting by a case alone is told of these; the others speak of other students, or of what stays kept back.
TOLD_TO_ALL = ("meeting.scheduled", "meeting.moved", "meeting.held", "meeting.cancelled")
PEOPLE = ("meeting.students_changed", "meeting.staff_changed")
STEPS = (*TOLD_TO_ALL, *PEOPLE, "meeting.changed")


def meeting_history(user, meeting):
    """Every MeetingStep, the newest first."""
    rows = [
        (verb, at, who or "Somebody", json.loads(data))
        for verb, at, who, data in prepared.rows(_steps, ref=meeting.ref)
        if meeting.is_whole or verb in TOLD_TO_ALL
    ]
    names = _names(user, {ref for verb, *_, data in rows if verb in PEOPLE for ref in data["added"] + data["removed"]})
    steps = [MeetingStep(at, who, _words(meeting, verb, data, names), _was(verb, data)) for verb, at, who, data in rows]
    return steps[::-1]


def _steps(ref):
    return (
        Event.select(Event.verb, Event.at, Account.name, Event.data)
        .join(Account, JOIN.LEFT_OUTER)
        .where((Event.target == ref) & Event.verb.in_(list(STEPS)))
        .order_by(Event.id)
    )


def _words(meeting, verb, data, names):
    if verb == "meeting.cancelled":
        return f"cancelled it: {meeting.cancel_reason}" if meeting.cancel_reason else "cancelled it."
    if verb == "meeting.changed":
        return f"changed {' and '.join(CHANGED.get(name, name) for name in data['fields'])}."
    if verb in PEOPLE:
        told = [f"{word} {_joined(data[key], names)}" for key, word in (("added", "added"), ("removed", "took off")) if data[key]]
        return f"{' and '.join(told)}."
    return {"meeting.scheduled": "scheduled it.", "meeting.moved": "moved it.", "meeting.held": "recorded the outcome."}[verb]


def _joined(refs, names):
    return ", ".join(names.get(ref, "somebody") for ref in refs)


def _was(verb, data):
    return datetime.fromisoformat(data["was"]) if verb == "meeting.moved" else None


def _names(user, refs):
    """{reference: name} of these students, as far as the reader sees them, and staff."""
    if not refs:
        return {}
    people = dict(Account.select(Account.ref, Account.name).where(Account.ref.in_(list(refs))).tuples())
    rows = permissions.visible_students(user, Student).where(Student.ref.in_(list(refs)))
    return people | {row.ref: row.name for row in rows}


def meeting_wordings(user, meeting):
    """The earlier Wordings, the newest first; none for whoever sees the meeting by a case alone."""
    if not meeting.is_whole:
        return []
    rows = MeetingVersion.select(MeetingVersion.at, Account.name, MeetingVersion.fields).join(Account)
    rows = rows.where(MeetingVersion.meeting == meeting.id).order_by(MeetingVersion.number.desc()).tuples()
    rows = [(at, who, json.loads(fields)) for at, who, fields in rows]
    names = _names(user, {ref for *_, fields in rows for ref in fields["students"]})
    return [Wording(at, who, _texts(fields, names)) for at, who, fields in rows]


def _texts(fields, names):
    texts = [("Agenda", fields["agenda"]), ("Outcome", fields["outcome"])]
    texts += [(f"Outcome for {names.get(ref, 'somebody')}", text) for ref, text in fields["students"].items()]
    return [(label, text) for label, text in texts if text]


# --- Who can be there ------------------------------------------------------------------------------------------------


def suggest_meeting_staff(text, meeting=None):
    """{ref, label, hint} of the staff who fit what was typed, for the picker; for a meeting that is there, of those who can be
    at it."""
    if meeting is None:
        return suggest_among(permissions.staff(), text)
    ever = MeetingStudent.select(MeetingStudent.student).where(MeetingStudent.meeting == meeting.id)
    return suggest_among(permissions.fit_for_all([student_id for (student_id,) in ever.tuples()]), text)


def resolve_meeting_staff(text):
    """(accounts, sentence or None) for names that were typed without a script; as resolve_staff()."""
    return resolve_among(permissions.staff(), text)
