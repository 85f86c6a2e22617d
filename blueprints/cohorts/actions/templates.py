"""Milestone templates: milestones to use again in other cohorts, without a due date and with files of their own."""

import events
import permissions
from blueprints.cohorts.actions.files import save_copies
from blueprints.incidents.actions.files import save_stored
from extensions import clock, db
from models import MilestoneTemplate


def add_template(milestone, *, actor, files=(), copies=None):
    """Save a milestone as a template and return that. Of its `files` it takes the `copies` that are written already
    (files.copied()). Raises Denied."""
    permissions.require("cohort.manage", actor)
    fields = {name: getattr(milestone, name) for name in ("title", "description", "reminders")}
    with db.atomic():
        row = MilestoneTemplate.create(created_by=actor, **fields)
        events.record("milestone.template_added", actor=actor, target=row.ref)
        for file in save_copies(files, copies or {}, actor, milestone_template=row):
            events.record("milestone.file_added", actor=actor, target=row.ref, file=file.ref, size=file.size)
    return row


def save_template(template, *, actor, version, title, description, reminders, stored=()):
    """Change a template; milestones made from it stay as they are. `reminders` whole days, `stored` files that are written
    already. Raises Denied, NotVisible for a removed one, Conflict."""
    permissions.require("cohort.manage", actor)
    given = {"title": title, "description": description}
    given["reminders"] = ",".join(str(days) for days in sorted(set(reminders)))
    with db.atomic():
        now = MilestoneTemplate.get_or_none((MilestoneTemplate.id == template.id) & MilestoneTemplate.removed_at.is_null())
        if now is None:
            raise permissions.NotVisible(template.ref)
        changed = {name: value for name, value in given.items() if getattr(now, name) != value}
        now.change(version, **changed)
        if changed:
            events.record("milestone.template_changed", actor=actor, target=template.ref, fields=sorted(changed))
        for file in save_stored(stored, actor, milestone_template=template):
            events.record("milestone.file_added", actor=actor, target=template.ref, file=file.ref, size=file.size)
    return now


def remove_template(template, *, actor):
    """Take a template away; one that is gone already stays so. Milestones made from it stay. Raises Denied."""
    permissions.require("cohort.manage", actor)
    there = (MilestoneTemplate.id == template.id) & MilestoneTemplate.removed_at.is_null()
    fields = {"removed_at": clock.now(), "removed_by": actor, "version": MilestoneTemplate.version + 1}
    with db.atomic():
        if MilestoneTemplate.update(**fields).where(there).execute():
            events.record("milestone.template_removed", actor=actor, target=template.ref)
