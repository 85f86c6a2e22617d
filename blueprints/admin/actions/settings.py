"""Saving what Admin > Settings decides."""

import events
import permissions
from extensions import db
from models import School


def change_settings(version, *, actor, **fields):
    """Save the school's settings; raises Conflict with the row as it is when somebody else saved first."""
    permissions.require("admin.settings", actor)
    with db.atomic():
        school = School.get()
        changed = [name for name, value in fields.items() if getattr(school, name) != value]
        school.change(version, **fields)
        events.record("settings.changed", actor=actor, fields=changed)
    return school
