"""Saved filters of a form's responses: names for filters, nothing about a student. Whoever opens one sees what they may see."""

import events
import permissions
from blueprints.forms import queries
from extensions import db
from models import SavedReport


def save_filters(form, name, query, is_shared, *, actor):
    """Save filters (the query part of the list's address) under a name, for oneself or for everybody who opens the list of
    responses to this form. Returns the SavedReport; raises NotVisible."""
    queries.known_form(actor, form.ref)
    with db.atomic():
        row = SavedReport.create(owner=actor, name=name, query=query, is_shared=is_shared, form=form)
        events.record("report.saved", actor=actor, target=row.ref, shared=is_shared, form=form.ref)
    return row


def remove_filters(row, *, actor):
    """Remove filters that one has saved oneself; NotVisible for those of somebody else. Done already is done."""
    if row.owner_id != actor.id or not permissions.can(actor, "response.read"):
        raise permissions.NotVisible(row.ref)
    with db.atomic():
        if SavedReport.delete().where(SavedReport.id == row.id).execute():
            events.record("report.removed", actor=actor, target=row.ref)
