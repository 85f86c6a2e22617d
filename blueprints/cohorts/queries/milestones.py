"""Milestones as Admin Key Holders set them up: those of a cohort with their files, and the templates to use again. cohort()
comes first on every page; the rest takes what it returned. Writes nothing but the audit row of a read."""

from datetime import date
from typing import NamedTuple

from peewee import JOIN, fn

import events
import permissions
from blueprints.kit import prepared
from models import Account, Milestone, MilestoneTemplate, StoredFile

MANAGE = "cohort.manage"


class Listed(NamedTuple):
    """A milestone in Assigned Milestones."""

    ref: str
    title: str
    due_on: date | None
    reminders: str
    saved_at: object
    files: int

    @property
    def days(self):
        """The reminders as whole days before the due date, rising."""
        return [int(days) for days in self.reminders.split(",") if days]


class Offered(NamedTuple):
    """A template in the list of them."""

    ref: str
    title: str
    reminders: str
    created_at: object
    created_by: str
    files: int

    @property
    def days(self):
        """The reminders as whole days before a due date, rising."""
        return [int(days) for days in self.reminders.split(",") if days]


class File(NamedTuple):
    """A file as a page shows it."""

    ref: str
    name: str
    size: int
    at: object
    who: str


# --- Milestones of a cohort ------------------------------------------------------------------------------------------


def milestone(user, cohort, ref):
    """One milestone of this cohort, saved or not, with `.cohort`; NotVisible when it is missing, removed or another cohort's."""
    found = prepared.records(_milestone, Milestone, cohort=cohort.id, ref=ref) if permissions.can(user, MANAGE) else []
    if not found:
        raise permissions.NotVisible(ref)
    ((row,),) = found
    row.cohort = cohort
    row._dirty.clear()
    return row


def _milestone(cohort, ref):
    here = (Milestone.cohort == cohort) & Milestone.removed_at.is_null()
    return Milestone.select().where(here & (Milestone.ref == ref))


def milestones(user, cohort):
    """Assigned Milestones: every Listed of the cohort in its order, saved or not; none for who does not manage cohorts."""
    if not permissions.can(user, MANAGE):
        return []
    return [Listed(*row) for row in prepared.rows(_milestones, cohort=cohort.id)]


def _milestones(cohort):
    attached = (StoredFile.milestone == Milestone.id) & StoredFile.removed_at.is_null()
    fields = [getattr(Milestone, name) for name in Listed._fields[:-1]]
    return (
        Milestone.select(*fields, fn.COUNT(StoredFile.id))
        .join(StoredFile, JOIN.LEFT_OUTER, on=attached)
        .where((Milestone.cohort == cohort) & Milestone.removed_at.is_null())
        .group_by(Milestone.id, *fields)
        .order_by(Milestone.position, Milestone.id)
    )


# --- Templates -------------------------------------------------------------------------------------------------------


def templates(user):
    """Every Offered template, by title; none for who does not manage cohorts."""
    if not permissions.can(user, MANAGE):
        return []
    return [Offered(*row) for row in prepared.rows(_templates)]


def _templates():
    attached = (StoredFile.milestone_template == MilestoneTemplate.id) & StoredFile.removed_at.is_null()
    fields = [getattr(MilestoneTemplate, name) for name in Offered._fields[:-2]]
    return (
        MilestoneTemplate.select(*fields, Account.name, fn.COUNT(StoredFile.id))
        .join(Account, on=(Account.id == MilestoneTemplate.created_by))
        .switch(MilestoneTemplate)
        .join(StoredFile, JOIN.LEFT_OUTER, on=attached)
        .where(MilestoneTemplate.removed_at.is_null())
        .group_by(MilestoneTemplate.id, *fields, Account.name)
        .order_by(fn.LOWER(MilestoneTemplate.title), MilestoneTemplate.id)
    )


def template(user, ref):
    """One template; NotVisible when it is missing or removed, or for who does not manage cohorts."""
    row = None
    if permissions.can(user, MANAGE):
        row = MilestoneTemplate.get_or_none((MilestoneTemplate.ref == ref) & MilestoneTemplate.removed_at.is_null())
    if row is None:
        raise permissions.NotVisible(ref)
    return row


# --- Files -----------------------------------------------------------------------------------------------------------


def stored_files(user, of):
    """The StoredFiles that are on this milestone or template, which the user has loaded, in the order they came."""
    return list(_stored(user, of).order_by(StoredFile.at, StoredFile.id))


def files(user, of):
    """The same as a page shows them: Files."""
    query = _stored(user, of, StoredFile.ref, StoredFile.name, StoredFile.size, StoredFile.at, Account.name)
    query = query.join(Account, on=(Account.id == StoredFile.uploaded_by)).order_by(StoredFile.at, StoredFile.id)
    return [File(*row) for row in query.tuples()]


def file(user, of, ref, audit=True):
    """One StoredFile of this milestone or template, or NotVisible. Records that it is read, unless `audit` is off."""
    row = _stored(user, of).where(StoredFile.ref == ref).first()
    if row is None:
        raise permissions.NotVisible(ref)
    if audit:
        events.record_alone("milestone.file_read", actor=user, target=of.ref, reasons=(user.role,), file=ref)
    return row


def _stored(user, of, *fields):
    column = StoredFile.milestone if isinstance(of, Milestone) else StoredFile.milestone_template
    if not permissions.can(user, MANAGE):
        raise permissions.NotVisible(of.ref)
    return StoredFile.select(*fields).where((column == of.id) & StoredFile.removed_at.is_null())
