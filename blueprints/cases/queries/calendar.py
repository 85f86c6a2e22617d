"""Meetings and tasks as calendars have them: the calendar that a staff member subscribes to, the invitation of a meeting, and
what an email about a meeting may say when it is sent.

A calendar says "Student meeting" or "Task due", a reference and a link: no name, no initials, no place, no text (DOMAIN.md,
ruling 15). Whether the account is to be at the meeting, and sees it, is asked again when it is sent.
"""

from datetime import timedelta
from urllib.parse import urlsplit

from flask import current_app

import permissions
from blueprints.cases.queries.meetings import CANCELLED, PLANNED, invited_meetings
from blueprints.kit import ical, prepared
from extensions import clock
from models import Account, Meeting, MeetingStaff, OutboxEmail, Task

LOOK_BACK = timedelta(days=90)  # how long a meeting stays in the calendar that is subscribed to
FIELDS = (Meeting.ref, Meeting.starts_at, Meeting.ends_at, Meeting.sequence, Meeting.changed_at, Meeting.state)


# --- The calendar that is subscribed to ------------------------------------------------------------------------------


def staff_calendar(account):
    """The ical entries of this person: the meetings they are to be at, and the due dates of their open tasks."""
    rows = prepared.rows(_meetings, account, since=clock.now() - LOOK_BACK)
    return [_entry(*row) for row in rows] + [_task(*row) for row in prepared.rows(_tasks, account)]


def _meetings(user, since):
    return invited_meetings(user, *FIELDS).where(Meeting.ends_at >= since).order_by(Meeting.starts_at, Meeting.id)


def _tasks(user):
    query = permissions.visible_tasks(user, Task.ref, Task.due_on, Task.version).where(Task.assigned_to == user.id)
    return query.where((Task.state == "open") & Task.due_on.is_null(False)).order_by(Task.due_on, Task.id)


def _entry(ref, starts_at, ends_at, sequence, changed_at, state):
    title, is_cancelled = f"Student meeting {ref}", state == CANCELLED
    return ical.Timed(_uid(ref), starts_at, ends_at, title, _url("meetings", ref), sequence, changed_at, is_cancelled)


def _task(ref, due_on, version):
    return ical.Day(_uid(ref), due_on, f"Task due {ref}", _url("tasks", ref), version - 1, None)


def _uid(ref):
    return f"{ref}@{urlsplit(current_app.settings.base_url).hostname}"


def _url(kind, ref):
    return f"{current_app.settings.base_url}/{kind}/{ref}"


# --- Invitations -----------------------------------------------------------------------------------------------------


def invitation(meeting, account, *, is_expected=True, method=None):
    """(method, bytes) of the invitation of this account as the meeting stands: REQUEST, or CANCEL once it was cancelled."""
    entry = _entry(meeting.ref, meeting.starts_at, meeting.ends_at, meeting.sequence, meeting.changed_at, meeting.state)
    method = method or (ical.CANCEL if entry.is_cancelled else ical.REQUEST)
    guest = ical.Guest(account.email, is_expected)
    return method, ical.invitation(method, entry, current_app.settings.mail_from, guest, clock.now())


def email_meeting_invited(row, account):
    """An invitation, to who is still to be there; none to a meeting that is over or was cancelled."""
    meeting = _loaded(row)
    if not _is_invited(meeting, account):
        return "this account is not to be at the meeting any more"
    if meeting.state != PLANNED or meeting.ends_at < clock.now():
        return "the meeting is over, or was cancelled"
    return {"ref": meeting.ref, "invitation": invitation(meeting, account)}


def email_meeting_changed(row, account):
    """The meeting was moved or cancelled. Each says what holds when it is sent, so the last one is enough."""
    meeting = _loaded(row)
    if not _is_invited(meeting, account):
        return "this account is not to be at the meeting any more"
    later = (OutboxEmail.kind == row.kind) & (OutboxEmail.account == account.id) & (OutboxEmail.target_id == row.target_id)
    later &= (OutboxEmail.id > row.id) & (OutboxEmail.is_waiting | OutboxEmail.sent_at.is_null(False))
    if OutboxEmail.select().where(later).exists():
        return "a later email says the same"
    is_cancelled = meeting.state == CANCELLED
    return {"ref": meeting.ref, "is_cancelled": is_cancelled, "invitation": invitation(meeting, account)}


def email_meeting_cancelled(row, account):
    """The account was taken off the meeting: takes it out of their calendar, and says no more than they knew."""
    meeting = _loaded(row)
    there = (MeetingStaff.meeting == meeting.id) & (MeetingStaff.account == account.id) & MeetingStaff.removed_at.is_null(False)
    if not MeetingStaff.select().where(there).exists():
        return "this account is to be at the meeting again, or never was"
    students = [part.student_id for part in meeting.students]
    if not permissions.fit_for_all(students).where(Account.id == account.id).exists():
        return "this account has nothing to do with the meeting any more"
    return {"invitation": invitation(meeting, account, method=ical.CANCEL)}


def _loaded(row):
    return Meeting.get_by_id(row.target_id)


def _is_invited(meeting, account):
    return "invited" in permissions.record_reasons("meeting", account, meeting)
