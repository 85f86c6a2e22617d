"""What a bulk closing would close, and what past ones closed. Writes nothing; actions/bulk_closing.py closes."""

import hashlib
from collections import namedtuple

from peewee import JOIN, Case, fn

import events
import permissions
from blueprints.incidents import queries as incidents
from blueprints.kit.listing import paginate
from models import Account, BulkClosing, Incident, IncidentAction, IncidentClosure

Preview = namedtuple("Preview", "count digest assignees open_actions")
PreviewRow = namedtuple("PreviewRow", "ref happened_at assigned_to open_actions")
ClosedRow = namedtuple("ClosedRow", "ref happened_at assigned_to status")
Closing = namedtuple("Closing", "ref closed_at closed_by from_day to_day count")


def closable(user, from_day, to_day, zone=None):
    """The Active incidents of these days (school time, both included) that this person may see, as a query."""
    permissions.require("bulk_closing", user)
    return incidents.filtered(user, from_day=from_day, to_day=to_day, status="Active", zone=zone)


def digest_of(refs):
    """A name for exactly this set of incidents: any other set has another one."""
    return hashlib.sha256("\n".join(sorted(refs)).encode()).hexdigest()


def preview(user, from_day, to_day, *, zone=None, page=1, url=None):
    """(Preview, a page of PreviewRows in the order they happened). `url` gives the address of a page by its number.

    The Preview says how many would be closed, the digest of which, [(assignee or None, how many)], and how many still
    have open actions. Looking at it is recorded before it answers.
    """
    found = closable(user, from_day, to_day, zone)
    refs = [ref for (ref,) in found.select(Incident.ref).tuples()]
    has_open = Case(None, [(fn.EXISTS(_open_actions()), 1)], 0)
    whose = (
        found.select(Account.name, fn.COUNT(Incident.id), fn.SUM(has_open))
        .join(Account, JOIN.LEFT_OUTER, on=(Incident.assigned_to == Account.id))
        .group_by(Account.id, Account.name)
    )
    whose = sorted(whose.tuples(), key=lambda row: (-row[1], row[0] or ""))
    rows = _preview_rows(found)
    shown = paginate(
        lambda limit, offset: list(rows.limit(limit).offset(offset)),
        page,
        cap=len(refs),
        url=url,
        count=lambda limit: min(limit, len(refs)),
    )
    shown.items = [PreviewRow(*row) for row in shown.items]
    events.record_alone(
        "incident.bulk_closing_previewed", actor=user, count=len(refs), from_day=str(from_day), to_day=str(to_day)
    )
    assignees = [(name, count) for name, count, _ in whose]
    return Preview(len(refs), digest_of(refs), assignees, sum(row[2] for row in whose)), shown


def preview_export(user, from_day, to_day, format):
    """All PreviewRows; the export is recorded first."""
    rows = [PreviewRow(*row) for row in _preview_rows(closable(user, from_day, to_day))]
    events.record_alone("incident.exported", actor=user, count=len(rows), format=format)
    return rows


def _open_actions():
    return IncidentAction.select(IncidentAction.id).where(
        (IncidentAction.incident == Incident.id) & IncidentAction.done_at.is_null()
    )


def _preview_rows(found):
    open_actions = _open_actions().select(fn.COUNT(IncidentAction.id))
    return (
        found.select(Incident.ref, Incident.happened_at, Account.name, open_actions)
        .join(Account, JOIN.LEFT_OUTER, on=(Incident.assigned_to == Account.id))
        .order_by(Incident.happened_at, Incident.id)
        .tuples()
    )


# --- Past ones -------------------------------------------------------------------------------------------------------


def _closings(user):
    """Without the incidents that this person is excluded from in the numbers, nor closings of nothing else."""
    shown = BulkClosing.count - incidents.closed_but_hidden(user)
    return (
        BulkClosing.select(
            BulkClosing.ref,
            BulkClosing.closed_at,
            Account.name,
            BulkClosing.from_day,
            BulkClosing.to_day,
            shown,
        )
        .join(Account)
        .where(shown > 0)
        .order_by(BulkClosing.id.desc())
        .tuples()
    )


def bulk_closings(user, page):
    """A page of Closings, newest first; none for whoever may not close in bulk."""
    if not permissions.can(user, "bulk_closing"):
        raise permissions.Denied("bulk_closing")
    found = paginate(_closings(user), page)
    found.items = [Closing(*row) for row in found.items]
    return found


def bulk_closing(user, ref):
    """The Closing of this ref, or NotVisible."""
    permissions.require("bulk_closing", user)
    row = _closings(user).where(BulkClosing.ref == ref).first()
    if row is None:
        raise permissions.NotVisible(ref)
    return Closing(*row)


def closed_incidents(user, ref, page):
    """A page of ClosedRows: the incidents this bulk closing closed, as far as this person may see them."""
    found = paginate(_closed(user, ref), page)
    found.items = [ClosedRow(*row) for row in found.items]
    events.record_alone("incident.listed", actor=user, target=ref, count=len(found.items), list="bulk closing")
    return found


def closed_export(user, ref, format):
    """All ClosedRows of a bulk closing; the export is recorded first."""
    rows = [ClosedRow(*row) for row in _closed(user, ref)]
    events.record_alone("incident.exported", actor=user, target=ref, count=len(rows), format=format)
    return rows


def _closed(user, ref):
    return (
        permissions.visible_incidents(user, Incident.ref, Incident.happened_at, Account.name, Incident.status)
        .join(IncidentClosure, on=(IncidentClosure.incident == Incident.id))
        .join(BulkClosing, on=(IncidentClosure.bulk_closing == BulkClosing.id))
        .join(Account, JOIN.LEFT_OUTER, on=(Incident.assigned_to == Account.id))
        .where(BulkClosing.ref == ref)
        .order_by(Incident.happened_at, Incident.id)
        .tuples()
    )
