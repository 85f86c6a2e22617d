"""When a reminder of a milestone goes out to a student, or why it does not: functions of days and moments, and nothing else.

A reminder goes out once for each student, milestone and interval, at the school's hour so many days before the due date
(DOMAIN.md, "A reminder goes out…", and ruling 15; docs/adr/0009). Must not ask a table, the clock or the request: whoever
calls says what there is and which moment is meant.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

# Days before the due date, with the words of the reference page.
INTERVALS = {1: "One day", 2: "Two days", 7: "One week", 14: "Two weeks", 30: "30 days"}

SENT, DUE, PLANNED, NOT_SENT = "sent", "due", "planned", "not sent"

# Why an interval does not go out, in the order in which the reasons are looked for.
REASONS = {
    "removed": "the milestone was removed",
    "not_saved": "the milestone has not been saved",
    "no_due_date": "the milestone has no due date",
    "archived": "the cohort is archived",
    "already_past": "its moment had passed when the due date or the reminders were saved",
    "before_added": "its moment had passed when they were added to the cohort",
    "before_visibility": "its moment had passed when Student Visibility was Enabled",
    "superseded": "a later reminder went out instead",
    "taken_out": "they are not in the cohort any more",
    "left": "they have left the school",
    "completed": "completed",
    "waived": "waived",
    "no_email": "they have no email address",
    "no_account": "they have no account",
    "account_off": "their account is deactivated",
    "visibility_off": "Student Visibility is Disabled",
    "due_day_passed": "the due date passed before it could go out",
}


class Terms(NamedTuple):
    """What holds for every student of a milestone at one moment (`now`). `moments`: {days: when that interval falls due}.
    `blocked`: a word of REASONS that stops all of it, or ""."""

    now: datetime
    moments: dict[int, datetime]
    scheduled_at: datetime | None
    visible_since: datetime | None
    blocked: str
    is_over: bool


class Person(NamedTuple):
    """One student. `added_at`: to the cohort, None when no longer in it. `unreachable`: "", or the word of REASONS that says
    why no email reaches them. `sent`: ((days, when it went to the queue), …)."""

    added_at: datetime | None
    is_active: bool = True
    state: str = "open"
    unreachable: str = ""
    sent: tuple[tuple[int, datetime], ...] = ()


class Fate(NamedTuple):
    """What becomes of one interval: `outcome` is SENT (at `moment`), DUE (now), PLANNED (for `moment`) or NOT_SENT because of
    `reason`, a word of REASONS."""

    days: int
    outcome: str
    moment: datetime | None
    reason: str = ""


def moment_of(due_on: date, days: int, zone: ZoneInfo, hour: int) -> datetime:
    """The moment, in UTC, of the school's hour so many days before the due date. An hour that is skipped when clocks go forward
    is the one that comes next; of an hour that happens twice the first is meant. Raises OverflowError in the year 1."""
    local = datetime.combine(due_on - timedelta(days=days), time(hour), tzinfo=zone)
    return local.astimezone(UTC)


def terms(milestone, school, now: datetime) -> Terms:
    """The Terms of a milestone (with `.cohort`) at a school, at a moment."""
    zone, moments = ZoneInfo(school.timezone), {}
    if milestone.due_on is not None:
        moments = {days: moment_of(milestone.due_on, days, zone, school.alert_hour) for days in milestone.reminder_days}
    is_over = milestone.due_on is not None and now.astimezone(zone).date() > milestone.due_on
    since = school.student_visibility_at
    return Terms(now, moments, milestone.scheduled_at, since, _blocked(milestone), is_over)


def _blocked(milestone):
    if milestone.removed_at is not None:
        return "removed"
    if milestone.saved_at is None:
        return "not_saved"
    if milestone.due_on is None:
        return "no_due_date"
    return "archived" if milestone.cohort.archived_at is not None else ""


def nearest(terms: Terms) -> datetime | None:
    """The latest moment that has come and may still be sent for, to somebody who was in the cohort by then; None when there is
    none. Whoever got a reminder since, or was added after it, gets nothing now: it narrows a search, fates() decides."""
    if terms.blocked or terms.is_over or terms.visible_since is None:
        return None
    come = [moment for moment in terms.moments.values() if moment <= terms.now and not _too_early(terms, moment)]
    return max(come, default=None)


def fates(terms: Terms, person: Person) -> list[Fate]:
    """A Fate for each interval of the milestone and for each that went out before, the nearest to the due date first."""
    sent = dict(person.sent)
    found = [Fate(days, SENT, at) for days, at in sent.items()]
    goes_out = False
    for days in sorted(terms.moments.keys() - sent.keys()):
        moment = terms.moments[days]
        reason = _why_not(terms, person, moment)
        if reason:
            found.append(Fate(days, NOT_SENT, moment, reason))
        elif moment > terms.now:
            found.append(Fate(days, PLANNED, moment))
        elif goes_out:
            found.append(Fate(days, NOT_SENT, moment, "superseded"))
        else:
            goes_out = True
            found.append(Fate(days, DUE, moment))
    return sorted(found)


def due(terms: Terms, person: Person) -> int | None:
    """The interval that goes out to this student now, or None. There is never more than one."""
    return next((fate.days for fate in fates(terms, person) if fate.outcome == DUE), None)


def why_none(terms: Terms, person: Person) -> str:
    """The word of REASONS why this student gets none at all of this milestone at the moment, or ""."""
    if terms.blocked:
        return terms.blocked
    if person.added_at is None:
        return "taken_out"
    if not person.is_active:
        return "left"
    if person.state != "open":
        return person.state
    if person.unreachable:
        return person.unreachable
    if terms.visible_since is None:
        return "visibility_off"
    return "due_day_passed" if terms.is_over else ""


def label(days: int) -> str:
    """An interval in words: "One week before"."""
    return f"{INTERVALS.get(days, f'{days} days')} before"


def _too_early(terms, moment):
    return moment < (terms.scheduled_at or moment) or moment < (terms.visible_since or moment)


def _why_not(terms, person, moment):
    """The first reason against an interval whose moment this is, or "". What can't change any more is said first."""
    if terms.blocked:
        return terms.blocked
    if terms.scheduled_at is not None and moment < terms.scheduled_at:
        return "already_past"
    if person.added_at is not None and moment < person.added_at:
        return "before_added"
    if terms.visible_since is not None and moment < terms.visible_since:
        return "before_visibility"
    if any(at >= moment for _, at in person.sent):
        return "superseded"
    return why_none(terms, person)
