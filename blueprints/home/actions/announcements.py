"""Announcements: what an Admin Key Holder tells all staff on the start page until the end of a day."""

from zoneinfo import ZoneInfo

import events
import permissions
from blueprints.kit.refusing import Refused
from extensions import clock, db
from models import Announcement, School

FIELDS = ("title", "text", "ends_on")


def add_announcement(*, title, text, ends_on, actor):
    """Show an announcement from now on, up to and including the day `ends_on` in school time. Raises Refused."""
    permissions.require("announcement", actor)
    _refuse_past(ends_on)
    with db.atomic():
        row = Announcement.create(title=title, text=text, ends_on=ends_on, author=actor)
        events.record("announcement.added", actor=actor, target=row.ref)
    return row


def change_announcement(row, version, *, title, text, ends_on, actor):
    """Save what differs; raises Refused, or Conflict when it was changed after `version`."""
    permissions.require("announcement", actor)
    _refuse_past(ends_on)
    values = dict(zip(FIELDS, (title, text, ends_on), strict=True))
    with db.atomic():
        changed = [name for name, value in values.items() if getattr(row, name) != value]
        row.change(version, **values)
        events.record("announcement.changed", actor=actor, target=row.ref, fields=changed)
    return row


def remove_announcement(row, *, actor):
    """Take an announcement off the start page and the list; the row stays. Done already is done."""
    permissions.require("announcement", actor)
    with db.atomic():
        shown = (Announcement.id == row.id) & Announcement.removed_at.is_null()
        removed = {"removed_at": clock.now(), "removed_by": actor, "version": Announcement.version + 1}
        if Announcement.update(removed).where(shown).execute():
            events.record("announcement.removed", actor=actor, target=row.ref)


def _refuse_past(ends_on):
    if ends_on < clock.now().astimezone(ZoneInfo(School.get().timezone)).date():
        raise Refused("ends_on", "This day is over. Choose today or a later day.")
