"""Saving, changing and removing saved reports: named filters, no record about a child."""

import events
import permissions
from extensions import db
from models import SavedReport


def save_report(name, query, is_shared, *, actor):
    """Save filters (the query part of the report's address) under a name; returns the SavedReport."""
    permissions.require("report.run", actor)
    with db.atomic():
        row = SavedReport.create(owner=actor, name=name, query=query, is_shared=is_shared)
        events.record("report.saved", actor=actor, target=row.ref, shared=is_shared)
    return row


def change_report(row, version, *, name, is_shared, actor):
    """Rename or share an own report; raises Conflict when it was changed meanwhile."""
    _require_own(row, actor)
    with db.atomic():
        changed = [field for field, value in (("name", name), ("is_shared", is_shared)) if getattr(row, field) != value]
        row.change(version, name=name, is_shared=is_shared)
        events.record("report.changed", actor=actor, target=row.ref, fields=changed)
    return row


def remove_report(row, *, actor):
    """Remove an own report: a set of filters, so nothing about a child goes with it."""
    _require_own(row, actor)
    with db.atomic():
        SavedReport.delete().where(SavedReport.id == row.id).execute()
        events.record("report.removed", actor=actor, target=row.ref)


def _require_own(row, actor):
    permissions.require("report.run", actor)
    if row.owner_id != actor.id:
        raise permissions.Denied("report.run")
