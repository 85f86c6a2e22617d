"""Marks on the body map. Removing one keeps its row, and its number is not given again."""

from peewee import fn

import events
import permissions
from blueprints.kit import bodymap
from extensions import clock, db
from models import BodyMark, Incident


def add_mark(incident, *, view, x, y, note="", actor):
    """Place a mark on a view of the body, in the outline's units; it gets the next number. Everybody who reads may."""
    permissions.require("incident.read", actor, incident)
    x, y = bodymap.clamp(x, y)
    with db.atomic():
        # The update locks the incident, so that two marks placed at once get two numbers (on Postgres as well).
        Incident.update(version=Incident.version).where(Incident.id == incident.id).execute()
        last = BodyMark.select(fn.MAX(BodyMark.number)).where(BodyMark.incident == incident.id).scalar() or 0
        mark = BodyMark.create(
            incident=incident,
            number=last + 1,
            view=view,
            x=x,
            y=y,
            region=bodymap.nearest_region(view, x, y).key,
            note=note,
            author=actor,
        )
        events.record("incident.marked", actor=actor, target=incident.ref, mark=mark.ref)
    return mark


def change_mark(incident, mark, *, note, actor, version):
    """Change the note of a mark: whoever placed it, or may change the incident. Raises Conflict."""
    _require(actor, incident, mark)
    with db.atomic():
        if note != mark.note:
            mark.change(version, note=note)
            events.record("incident.marked", actor=actor, target=incident.ref, mark=mark.ref)
    return mark


def remove_mark(incident, mark, *, actor):
    """Take a mark off the body map; the same people may."""
    _require(actor, incident, mark)
    with db.atomic():
        mark.change(mark.version, removed_at=clock.now(), removed_by=actor)
        events.record("incident.mark_removed", actor=actor, target=incident.ref, mark=mark.ref)


def _require(actor, incident, mark):
    permissions.require("incident.read", actor, incident)
    if mark.author_id != actor.id and not permissions.may_change_incident(actor, incident):
        raise permissions.Denied("incident.change")
