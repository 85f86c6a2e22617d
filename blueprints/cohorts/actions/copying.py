"""Copying a cohort for next year: its milestones with their reminders and files, their dates shifted, and its support groups
if wished. Students are not copied, and nothing that was marked, asked or sent for them."""

import events
import permissions
from blueprints.cohorts.actions.cohorts import new_cohort
from blueprints.cohorts.actions.files import copied, save_copies
from blueprints.cohorts.shifts import TooFar
from blueprints.kit.refusing import Refused
from extensions import clock, db
from models import CohortGroup, Group, Milestone, StoredFile

MANAGE = "cohort.manage"
COPIED = ("title", "description", "reminders", "position")
TOO_FAR = "Some dates would lie beyond the end of the calendar. Choose another way."


def copy_cohort(cohort, name, category, *, shift, groups, folder, actor):
    """A new cohort like this one; returns it. `shift` makes the new due date of an old one (shifts.py), None keeps them;
    `groups`: whether the support groups that are in use are attached to it too. Raises Denied, Refused, UploadProblem."""
    permissions.require(MANAGE, actor)
    milestones = list(_milestones(cohort))
    files = list(StoredFile.select().where(StoredFile.milestone.in_(milestones) & StoredFile.removed_at.is_null()))
    with copied(folder, files) as copies, db.atomic():
        row = new_cohort(category, name, actor)
        for milestone in milestones:
            new = _copy(milestone, row, shift, actor)
            save_copies([file for file in files if file.milestone_id == milestone.id], copies, actor, milestone=new)
        attached = _copy_groups(cohort, row, actor) if groups else 0
        numbers = {"milestones": len(milestones), "groups": attached}
        events.record("cohort.copied", actor=actor, target=row.ref, copied_from=cohort.ref, **numbers)
    return row


def _milestones(cohort):
    there = (Milestone.cohort == cohort.id) & Milestone.removed_at.is_null()
    return Milestone.select().where(there).order_by(Milestone.position, Milestone.id)


def _copy(milestone, cohort, shift, actor):
    try:
        due_on = shift(milestone.due_on) if shift and milestone.due_on else milestone.due_on
    except TooFar:
        raise Refused("dates", TOO_FAR) from None
    fields = {name: getattr(milestone, name) for name in COPIED}
    saved_at = milestone.saved_at and clock.now()
    return Milestone.create(
        cohort=cohort, due_on=due_on, created_by=actor, saved_at=saved_at, scheduled_at=saved_at, **fields
    )


def _copy_groups(cohort, to, actor):
    here = (CohortGroup.cohort == cohort.id) & Group.is_active
    rows = list(Group.select(Group.id).join(CohortGroup).where(here))
    for group in rows:
        CohortGroup.create(cohort=to, group=group, attached_by=actor)
    return len(rows)
