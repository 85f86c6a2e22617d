"""Categories and cohorts: adding, changing, archiving and restoring them. Nothing is deleted. An archived cohort shows
students and support groups nothing, so restoring one gives access, to exactly those who were confirmed."""

from peewee import IntegrityError, fn

import events
import permissions
from blueprints.cohorts.queries.groups import supporters
from blueprints.kit.refusing import Refused, Unconfirmed, confirmation_of
from extensions import clock, db
from models import Cohort, CohortCategory, Conflict

MANAGE = "cohort.manage"


def add_category(name, *, actor):
    """Create a category of cohorts. Raises Denied, or Refused where there is one of this name."""
    permissions.require(MANAGE, actor)
    with db.atomic():
        _refuse_category(name)
        row = _saved("There is a category of this name already.", CohortCategory.create, name=name, created_by=actor)
        events.record("cohort.category_added", actor=actor, target=row.ref)
    return row


def change_category(category, name, *, version, actor):
    """Rename a category. Raises Denied, Refused or Conflict."""
    permissions.require(MANAGE, actor)
    with db.atomic():
        _refuse_category(name, category)
        _saved("There is a category of this name already.", category.change, version, name=name)
        events.record("cohort.category_changed", actor=actor, target=category.ref, fields=["name"])
    return category


def _refuse_category(name, but=None):
    same = CohortCategory.select().where(fn.LOWER(CohortCategory.name) == name.lower())
    if (same if but is None else same.where(CohortCategory.id != but.id)).exists():
        raise Refused("name", "There is a category of this name already.")


def add_cohort(category, name, *, actor):
    """Add a cohort without students to a category. Raises Denied, or Refused where the category has one of this name."""
    permissions.require(MANAGE, actor)
    with db.atomic():
        row = new_cohort(category, name, actor)
        events.record("cohort.added", actor=actor, target=row.ref, category=category.ref)
    return row


def new_cohort(category, name, actor):
    """The row of a new cohort, in the open transaction. Raises Refused."""
    _refuse_name(category, name)
    return _saved(_taken(category), Cohort.create, category=category, name=name, created_by=actor)


def change_cohort(cohort, *, name, category, version, actor):
    """Save name and category of a cohort, archived or not. Raises Denied, Refused or Conflict."""
    permissions.require(MANAGE, actor)
    with db.atomic():
        _refuse_name(category, name, cohort)
        wanted = {"name": name, "category_id": category.id}
        fields = [field.removesuffix("_id") for field, value in wanted.items() if getattr(cohort, field) != value]
        _saved(_taken(category), cohort.change, version, name=name, category=category)
        events.record("cohort.changed", actor=actor, target=cohort.ref, fields=fields)
    return cohort


def _refuse_name(category, name, but=None):
    same = Cohort.select().where((Cohort.category == category.id) & (fn.LOWER(Cohort.name) == name.lower()))
    if (same if but is None else same.where(Cohort.id != but.id)).exists():
        raise Refused("name", _taken(category))


def _taken(category):
    return f"{category.name} has a cohort of this name already. It may be archived."


def _saved(sentence, save, *values, **fields):
    """Two people who choose the same name at the same moment: the second is told, like anybody who comes later."""
    try:
        return save(*values, **fields)
    except IntegrityError:
        raise Refused("name", sentence) from None


# --- The archive -----------------------------------------------------------------------------------------------------


def archive_cohort(cohort, *, version, actor):
    """Put a cohort into the archive. Raises Denied, or Conflict where somebody changed or archived it before."""
    permissions.require(MANAGE, actor)
    with db.atomic():
        if cohort.archived_at is not None:
            raise Conflict(cohort)
        cohort.change(version, archived_at=clock.now(), archived_by=actor)
        events.record("cohort.archived", actor=actor, target=cohort.ref)
    return cohort


def restore_cohort(cohort, *, confirmed, version, actor):
    """Take a cohort out of the archive. `confirmed` is the confirmation_of() those who come to see its students' milestones
    by it. Raises Denied, Conflict or Unconfirmed."""
    permissions.require(MANAGE, actor)
    with db.atomic():
        if cohort.archived_at is None:
            raise Conflict(cohort)
        people = supporters(actor, cohort)
        if confirmed != confirmation_of(people):
            raise Unconfirmed(people)
        cohort.change(version, archived_at=None, archived_by=None)
        events.record("cohort.restored", actor=actor, target=cohort.ref)
    return cohort
