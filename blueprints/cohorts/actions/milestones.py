"""Setting milestones up: adding, saving, ordering and removing them. For Admin Key Holders; how far students are with them is
marking.py's."""

from peewee import fn

import events
import permissions
from blueprints.cohorts.actions.base import hold_cohort, hold_milestone
from blueprints.cohorts.actions.files import save_copies
from blueprints.incidents.actions.files import save_stored
from extensions import clock, db
from models import Milestone

UP, DOWN, BY_DATE = "up", "down", "date"


def add_milestone(cohort, *, actor, template=None, files=(), copies=None):
    """Put a New Milestone behind those of the cohort and return it: a draft until it is saved. From a `template` it takes
    title, description and reminders, and of its `files` the `copies` that are written already (files.copied()).

    Raises Denied, or Refused (field "milestone") while the cohort is archived.
    """
    permissions.require("cohort.manage", actor)
    fields = {}
    if template is not None:
        fields = {"title": template.title, "description": template.description, "reminders": template.reminders}
    with db.atomic():
        hold_cohort(cohort, "milestone")
        last = Milestone.select(fn.MAX(Milestone.position)).where(Milestone.cohort == cohort.id).scalar() or 0
        row = Milestone.create(cohort=cohort, position=last + 1, created_by=actor, **fields)
        events.record("milestone.added", actor=actor, target=row.ref, cohort=cohort.ref)
        for file in save_copies(files, copies or {}, actor, milestone=row):
            events.record("milestone.file_added", actor=actor, target=row.ref, file=file.ref, size=file.size)
    return row


def save_milestone(milestone, *, actor, version, title, due_on, description, reminders, stored=()):
    """Save Milestone: from then on students and support staff see it. `due_on` a school day or None, `reminders` whole days
    before it, `stored` files that are written already.

    Raises Denied, NotVisible for a removed one, Refused while its cohort is archived, Conflict.
    """
    permissions.require("cohort.manage", actor)
    given = {"title": title, "due_on": due_on, "description": description}
    given["reminders"] = ",".join(str(days) for days in sorted(set(reminders)))
    with db.atomic():
        hold_milestone(milestone, "title")
        now = Milestone.get_by_id(milestone.id)
        changed = {name: value for name, value in given.items() if getattr(now, name) != value}
        steps = {}
        if now.saved_at is None:
            steps["saved_at"] = clock.now()
        if now.saved_at is None or {"due_on", "reminders"} & changed.keys():
            steps["scheduled_at"] = clock.now()  # reminders for moments before it are not sent
        now.change(version, **changed, **steps)
        if changed or "saved_at" in steps:
            events.record("milestone.changed", actor=actor, target=milestone.ref, fields=sorted([*changed, *steps]))
        for file in save_stored(stored, actor, milestone=milestone):
            events.record("milestone.file_added", actor=actor, target=milestone.ref, file=file.ref, size=file.size)
    return now


def remove_milestone(milestone, *, actor):
    """Take a milestone off its cohort: nobody sees it any more, no reminder of it goes out, and what was marked is kept.
    Raises Denied, NotVisible for one that is removed already, Refused while its cohort is archived."""
    permissions.require("cohort.manage", actor)
    with db.atomic():
        hold_milestone(milestone, "title")
        fields = {"removed_at": clock.now(), "removed_by": actor, "version": Milestone.version + 1}
        Milestone.update(**fields).where(Milestone.id == milestone.id).execute()
        events.record("milestone.removed", actor=actor, target=milestone.ref)


def order_milestones(cohort, how, *, actor, milestone=None):
    """Move a milestone one place up or down; or with "date" put all of the cohort in the order of their due dates, those
    without one last. Raises Denied, Refused (field "milestone") while the cohort is archived, ValueError for another `how`.
    """
    permissions.require("cohort.manage", actor)
    with db.atomic():
        hold_cohort(cohort, "milestone")
        rows = list(
            Milestone.select()
            .where((Milestone.cohort == cohort.id) & Milestone.removed_at.is_null())
            .order_by(Milestone.position, Milestone.id)
        )
        ordered = _ordered(rows, how, milestone)
        moved = [(row, place) for place, row in enumerate(ordered, 1) if row.position != place]
        for row, place in moved:
            Milestone.update(position=place).where(Milestone.id == row.id).execute()
        if [row.id for row in rows] != [row.id for row in ordered]:
            about = milestone or cohort
            events.record("milestone.changed", actor=actor, target=about.ref, fields=["position"])


def _ordered(rows, how, milestone):
    if how == BY_DATE:
        return sorted(rows, key=lambda row: (row.due_on is None, row.due_on or row.created_at.date()))
    if how not in (UP, DOWN):
        raise ValueError(f"milestones are not ordered by {how}")
    place = [row.id for row in rows].index(milestone.id) if milestone.id in {row.id for row in rows} else None
    other = None if place is None else place - 1 if how == UP else place + 1
    if other is not None and 0 <= other < len(rows):
        rows = rows.copy()
        rows[place], rows[other] = rows[other], rows[place]
    return rows
