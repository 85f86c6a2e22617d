"""Closing all Active incidents of some days at once: all of what was previewed, or nothing. Must not email anybody."""

from peewee import Value, fn

import events
import permissions
from blueprints.admin.queries.bulk_closing import closable, digest_of
from extensions import clock, db
from models import BulkClosing, BulkClosingNotice, Incident, IncidentClosure


class SetChanged(Exception):
    """The incidents of these days are not the ones that were confirmed; nothing was closed."""


def close_between(from_day, to_day, number, digest, *, actor):
    """Close the Active incidents of these days (school time, both included) that the actor may see; the BulkClosing.

    `number` and `digest` are those of the preview: any other set raises SetChanged and closes nothing. One transaction;
    each incident's closure names the bulk closing, each assignee gets a notice for the next dashboard visit.
    """
    permissions.require("bulk_closing", actor)
    now = clock.now()
    with db.atomic():
        found = closable(actor, from_day, to_day)
        closing = BulkClosing.create(closed_by=actor, closed_at=now, from_day=from_day, to_day=to_day, count=number)
        closed = _close(found, closing, actor, now)
        refs = [
            ref
            for (ref,) in Incident.select(Incident.ref)
            .join(IncidentClosure)
            .where(IncidentClosure.bulk_closing == closing)
            .tuples()
        ]
        if not closed == len(refs) == number or digest_of(refs) != digest:
            raise SetChanged
        _leave_notices(closing)
        events.record(
            "incident.bulk_closed",
            actor=actor,
            target=closing.ref,
            count=number,
            from_day=str(from_day),
            to_day=str(to_day),
        )
    return closing


def _close(found, closing, actor, now):
    """Write the closures, close what they name, and return how many incidents that changed.

    The closures come first and decide which incidents change, so that both are one set even if another transaction on
    Postgres commits in between: an incident that it closed meanwhile makes the counts differ.
    """
    fields = [IncidentClosure.incident, IncidentClosure.closed_by, IncidentClosure.closed_at,
              IncidentClosure.bulk_closing, IncidentClosure.reopen_reason]  # fmt: skip
    rows = found.select(
        Incident.id,
        Value(actor.id, converter=False),
        IncidentClosure.closed_at.to_value(now),
        Value(closing.id, converter=False),
        Value("", converter=False),
    )
    IncidentClosure.insert_from(rows, fields).execute()
    mine = IncidentClosure.select(IncidentClosure.incident).where(IncidentClosure.bulk_closing == closing)
    return (
        Incident.update(status="Closed", version=Incident.version + 1)
        .where(Incident.id.in_(mine) & (Incident.status == "Active"))
        .execute()
    )


def _leave_notices(closing):
    counts = (
        Incident.select(Value(closing.id, converter=False), Incident.assigned_to, fn.COUNT(Incident.id))
        .join(IncidentClosure)
        .where((IncidentClosure.bulk_closing == closing) & Incident.assigned_to.is_null(False))
        .group_by(Incident.assigned_to)
    )
    fields = [BulkClosingNotice.bulk_closing, BulkClosingNotice.account, BulkClosingNotice.count]
    BulkClosingNotice.insert_from(counts, fields).execute()
