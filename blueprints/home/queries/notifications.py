"""What somebody is told: their notifications, how many they have not read, the announcements of the day, and what the
digest email may say. Every row passes permissions.sees_notified() at the moment it is asked for.

Must not write anything but the audit row of a read.
"""

from datetime import date, datetime
from functools import partial
from typing import NamedTuple

from peewee import JOIN, SQL, Select, Value

import events
import permissions
from blueprints.kit import prepared
from blueprints.kit.days import parse_day, show_day
from blueprints.kit.listing import paginate
from models import Account, Announcement, Notification, NotificationChoice, Student

MOST_COUNTED = 99  # unread ones; where there are more, the header says "99+"
PER_PAGE = 50
ADDRESSES = {
    "incident": "/incidents", "case": "/cases", "student": "/students", "milestones": "/students",
    "plan": "/plans", "task": "/tasks", "form": "/responses",
    "meeting": "/meetings",
}  # fmt: skip
EVERY_RECORD = tuple(permissions.NOTIFIED_OF)
RECORD = {kind: record for record, kinds in permissions.NOTIFIED_OF.items() for kind in kinds}
# The words of events.notify()'s `detail`, for the reader; one that has none here shows as it is.
DETAIL_WORDS = {
    "contact": "contacts",
    "left": "marked as left",
    "returned": "marked as returned",
    "entry": "an entry",
    "section": "a section",
    "file": "a file",
    "task": "a task",
    "meeting": "a meeting",
    "form": "a form response",
    "plan": "a plan",
    "review": "a plan review",
    "incident": "a linked incident",
    "closing": "it was closed",
    "reopening": "it was reopened",
    "time": "its time",
    "place": "its place",
    "cancellation": "it was cancelled",
}


class Told(NamedTuple):
    """One notification: `words` say what happened, `about` names the record, `url` is where it is read."""

    ref: str
    words: str
    about: str
    url: str
    at: datetime
    is_read: bool


class News(NamedTuple):
    """An announcement as staff read it."""

    title: str
    text: str
    author: str
    at: datetime


class Choice(NamedTuple):
    """How one kind of notification reaches somebody; `can_choose` False for those that always email."""

    kind: str
    words: str
    choice: str
    can_choose: bool


# --- The list --------------------------------------------------------------------------------------------------------


def listing(user, number):
    """A page of this person's notifications as Told, newest first. Records the read."""
    page = paginate(partial(_some, user), number, per_page=PER_PAGE, count=partial(_count, user))
    events.record_alone("notification.listed", actor=user, count=len(page))
    return page


def _some(user, most, start):
    return [_told(*row) for row in prepared.rows(_rows, user, most=most, start=start)]


def _count(user, most):
    return len(prepared.rows(_ids, user, most=most))


def _mine(user, records, *fields):
    return Notification.select(*fields).where((Notification.account == user.id) & permissions.sees_notified(user, records))


def _rows(user, most, start):
    names = (Student.preferred_name, Student.first_name, Student.last_name)
    fields = (Notification.ref, Notification.kind, Notification.target, Notification.detail, Notification.at, *names)
    query = _mine(user, EVERY_RECORD, *fields, Notification.read_at)
    query = query.join(Student, JOIN.LEFT_OUTER, on=(Student.ref == Notification.target))
    return query.order_by(Notification.at.desc(), Notification.id.desc()).limit(most).offset(start)


def _ids(user, most):
    return _mine(user, EVERY_RECORD, Notification.id).limit(most)


def _told(ref, kind, target, detail, at, preferred, first, last, read_at):
    record = RECORD[kind]
    about = f"{preferred or first} {last}" if record in ("student", "milestones") else target
    return Told(ref, _words(kind, detail), about, _address(kind, target), at, read_at is not None)


def _words(kind, detail):
    words = events.NOTIFICATIONS[kind][0]
    if kind in ("action_due", "task_overdue", "plan_review_due"):
        return f"{words}: {show_day(parse_day(detail))}" if detail else words
    return f"{words}: {DETAIL_WORDS.get(detail, detail)}" if detail else words


def _address(kind, target):
    below = {"action_due": "#actions", "milestone_asked": "/milestones"}.get(kind, "")
    return f"{ADDRESSES[RECORD[kind]]}/{target}{below}"


def notification(user, ref):
    """One's own notification, with the `url` that it leads to; NotVisible when there is none or its record is closed."""
    row = _mine(user, EVERY_RECORD, Notification).where(Notification.ref == ref).first()
    if row is None:
        raise permissions.NotVisible(ref)
    row.url = _address(row.kind, row.target)
    return row


# --- What is unread --------------------------------------------------------------------------------------------------


def unread(user):
    """References of what this person has not read, newest first: at most one more than MOST_COUNTED. Nothing, without a
    question to the database, for whoever has no such list."""
    if not permissions.can(user, "incident.read") or not _records(user):
        return []
    return [ref for (ref,) in prepared.rows(_unread, user, _records(user))]


def _records(user):
    """What this person has unread notifications about, of permissions.NOTIFIED_OF, in its order; everything, for an account
    that no session came with. Whether somebody sees a record is a long question for the database to think about, and most
    have been told of a kind or two."""
    kinds = getattr(user, "unread_kinds", None)
    if kinds is None:
        return EVERY_RECORD
    return tuple(record for record, those in permissions.NOTIFIED_OF.items() if kinds.intersection(those))


def _unread(user, records):
    query = _mine(user, records, Notification.ref).where(Notification.read_at.is_null())
    return query.order_by(Notification.at.desc(), Notification.id.desc()).limit(MOST_COUNTED + 1)


def news(user, today, most):
    """(announcements as News, the first `most` unread notifications as Told, how many are unread), newest first, for the
    start page of a staff member. `today` is the day in school time. One query for all."""
    rows = sorted(prepared.rows(_news, user, _records(user), today=today), key=lambda row: row[5], reverse=True)
    announcements = [News(*row[2:6]) for row in rows if row[0]]
    unread = [row for row in rows if not row[0]]
    return announcements, [_told(*row[1:], None) for row in unread[:most]], len(unread)


def _news(user, records, today):
    nothing = [Value("").alias(name) for name in ("preferred", "first", "last")]
    shown = Announcement.removed_at.is_null() & (Announcement.ends_on >= today)
    fields = (Announcement.ref, Announcement.title, Announcement.text, Account.name, Announcement.at, *nothing)
    announcements = Announcement.select(Value(1).alias("is_news"), *fields)
    announcements = announcements.join(Account, on=(Announcement.author == Account.id)).where(shown)
    names = (Student.preferred_name, Student.first_name, Student.last_name)
    fields = (Notification.ref, Notification.kind, Notification.target, Notification.detail, Notification.at, *names)
    told = _mine(user, records, Value(0).alias("is_news"), *fields).where(Notification.read_at.is_null())
    told = told.join(Student, JOIN.LEFT_OUTER, on=(Student.ref == Notification.target))
    told = told.order_by(Notification.at.desc(), Notification.id.desc()).limit(MOST_COUNTED + 1)
    # Wrapped, because SQLite takes no LIMIT in a part of a UNION.
    return announcements.union_all(Select([told.alias("told")], [SQL("*")]))


# --- Choices and the digest ------------------------------------------------------------------------------------------


def choices(user):
    """A Choice for every kind of notification, as this person has it."""
    made = NotificationChoice.select(NotificationChoice.kind, NotificationChoice.choice)
    made = dict(made.where(NotificationChoice.account == user).tuples())
    return [
        Choice(kind, words, made.get(kind, usual) if can_choose else usual, can_choose)
        for kind, (words, usual, can_choose) in events.NOTIFICATIONS.items()
    ]


def email_digest(row, account):
    """What a digest may say when it is sent: how many of its notifications are still unread and still seen; or a sentence
    why it is not sent. `row.target` is its school day."""
    if not permissions.can(account, "incident.read"):
        return "this account has no notifications any more"
    of_the_day = (Notification.digest_on == date.fromisoformat(row.target)) & Notification.digested_at.is_null(False)
    count = _mine(account, EVERY_RECORD, Notification.id).where(of_the_day & Notification.read_at.is_null()).count()
    return {"count": count} if count else "nothing in it is unread and still seen by this account"
