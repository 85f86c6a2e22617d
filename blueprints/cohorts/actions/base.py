"""What the writes share: holding the cohort or milestone that a step is about."""

import permissions
from blueprints.kit.refusing import Refused
from models import Cohort, Milestone

ARCHIVED = "This cohort is archived. Restore it first."


def hold_cohort(cohort, field):
    """In the open transaction: Refused at `field` where the cohort is archived. Holds its row, so that nobody archives it, and
    nobody else changes what is under it through here, before this transaction has ended."""
    live = (Cohort.id == cohort.id) & Cohort.archived_at.is_null()
    if not Cohort.update(version=Cohort.version).where(live).execute():
        raise Refused(field, ARCHIVED)


def hold_milestone(milestone, field):
    """The same for a milestone: NotVisible where it is removed, Refused at `field` where its cohort is archived."""
    there = (Milestone.id == milestone.id) & Milestone.removed_at.is_null()
    if not Milestone.update(version=Milestone.version).where(there).execute():
        raise permissions.NotVisible(milestone.ref)
    if Cohort.select().where((Cohort.id == milestone.cohort_id) & Cohort.archived_at.is_null(False)).exists():
        raise Refused(field, ARCHIVED)
