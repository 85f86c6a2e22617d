"""Saving what Admin > Settings decides."""

import events
import permissions
from extensions import clock, db
from models import School


def change_settings(version, *, actor, **fields):
    """Save the school's settings; raises Conflict with the row as it is when somebody else saved first. `student_visibility`
    True or False says whether students see their dashboard from now on."""
    permissions.require("admin.settings", actor)
    with db.atomic():
        school = School.get()
        changed = [name for name, value in fields.items() if getattr(school, name) != value]
        school.change(version, **_stored(fields, school))
        events.record("settings.changed", actor=actor, fields=changed)
    return school


def _stored(fields, school):
    """With the moment since when students see their dashboard, which saving it again leaves as it is."""
    fields = dict(fields)
    if "student_visibility" in fields:
        since = school.student_visibility_at or clock.now()
        fields["student_visibility_at"] = since if fields.pop("student_visibility") else None
    return fields
