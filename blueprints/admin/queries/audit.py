"""The audit log as Admin > Audit log shows and exports it. Shows references only, and records that it was read."""

import json
from collections import namedtuple
from datetime import UTC, datetime, time, timedelta

from peewee import JOIN, SQL, fn

import events
import permissions
from blueprints.admin import audit_chain
from blueprints.admin.audit_words import details, verb_words
from blueprints.kit.listing import paginate
from blueprints.kit.text import fold
from models import Account, Event

# The verbs of the events that name a record beside their target: what was put onto a case, what was asked for in vain, the
# student of a report.
NAMING = [
    "access.denied", "case.incident_linked", "case.incident_unlinked", "case.opened_itself", "case.record_joined",
    "case.record_linked", "case.record_unlinked", "report.exported", "report.run",
]  # fmt: skip
RECORDS = {"task": "task", "meeting": "meeting", "plan": "plan", "response": "form", "file": "file"}  # verbs, and kinds
EventRow = namedtuple("EventRow", "at who what verb target reasons details address")


def events_found(user, page, zone, filters):
    """A page of EventRows, newest first; `filters` are AuditFilterForm.data. The reading is recorded before it answers."""
    permissions.require("admin.audit", user)
    found = paginate(_matching(user, zone, filters), page)
    found.items = [_row(values) for values in found.items]
    events.record_alone("audit.read", actor=user, count=len(found.items), **_named(filters))
    return found


def export_events(user, zone, filters, format):
    """All matching EventRows, newest first, as an iterator; the export is recorded first."""
    permissions.require("admin.audit", user)
    query = _matching(user, zone, filters)
    events.record_alone("audit.exported", actor=user, count=query.count(), format=format, **_named(filters))
    return map(_row, query.iterator())


def last_seal(user):
    """The newest AuditSeal, or None. How many events wait for the next is not said: a count of everybody's events would
    tell of records that are closed to `user`."""
    permissions.require("admin.audit", user)
    return audit_chain.state()[0]


def _named(filters):
    """The filters that are set, for the event: the log tells what was looked at, as references and words of ours."""
    kept = {name: str(filters[name]) for name in ("from_day", "to_day", "verb", "reference") if filters.get(name)}
    if filters.get("person"):
        kept["by_person"] = True
    if filters.get("denials"):
        kept["denials"] = True
    return {"filters": kept}


def _matching(user, zone, filters):
    """The events that fit, without those of records that `user` is excluded from: for them they do not exist."""
    query = (
        Event.select(
            Event.at, Account.name, Event.verb, Event.target, Event.reasons, Event.data, Event.address
        )
        .join(Account, JOIN.LEFT_OUTER)
        .order_by(Event.id.desc())
        .tuples()
    )  # fmt: skip
    if permissions.is_excluded(user):  # hardly anybody is, and the log is long
        query = _without_closed(query, user)
    if filters.get("from_day"):
        query = query.where(Event.at >= _midnight(filters["from_day"], zone))
    if filters.get("to_day"):
        query = query.where(Event.at < _midnight(filters["to_day"] + timedelta(days=1), zone))
    if filters.get("person"):
        text = filters["person"]
        people = Account.select(Account.id).where(
            Account.search_text.contains(fold(text)) | (Account.email_folded == text.casefold())
        )
        query = query.where(Event.actor.in_(people))
    if filters.get("verb"):
        query = query.where(Event.verb == filters["verb"])
    if filters.get("reference"):
        query = query.where(Event.target == filters["reference"])
    if filters.get("denials"):
        query = query.where(Event.verb == "access.denied")
    return query


def _without_closed(query, user):
    """Neither what was done to a closed record or by a closed student, nor what names one."""
    closed = permissions.closed_targets(user).cte("closed", materialized=True)  # worked out once, not anew for each event
    query = query.where(Event.target.not_in(closed.select_from(closed.c.ref)))
    query = query.where(Event.verb.not_in(NAMING) | ~fn.EXISTS(_named_in(closed)))
    theirs = permissions.closed_accounts(user)
    return query.where(Event.actor.is_null() | Event.actor.not_in(theirs)).with_cte(closed)


def _named_in(closed):
    """The closed references that stand in what an event carries: what was linked or asked for is not its target."""
    return closed.select_from(SQL("1")).where(Event.data.contains(closed.c.ref))


def _midnight(day, zone):
    return datetime.combine(day, time.min, zone).astimezone(UTC)


def _row(values):
    at, who, verb, target, reasons, data, address = values
    names = _reason_words(verb)
    words = [names.get(reason) or permissions.ROLES.get(reason, reason) for reason in reasons.split(",") if reason]
    return EventRow(at, who or "", verb_words(verb), verb, target, ", ".join(words), details(json.loads(data)), address)


def _reason_words(verb):
    """What to say for each reason that an event of this verb can carry: those of the kind of record that it is about."""
    if verb == "student.milestones_read":
        return permissions.MILESTONE_REASON_WORDS
    part = verb.partition(".")[0]
    if part in RECORDS:
        return permissions.reason_words(RECORDS[part])
    return permissions.CASE_REASON_WORDS if part == "case" else permissions.REASON_WORDS
