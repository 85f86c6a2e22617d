"""Attaching Student Support Groups to a cohort and detaching them. Access follows membership as it stands at each request;
nothing is copied."""

import events
import permissions
from blueprints.cohorts.actions.base import hold_cohort
from blueprints.cohorts.queries.groups import gained_by_attaching, pick_group
from blueprints.kit.refusing import Refused, Unconfirmed, confirmation_of
from extensions import db
from models import CohortGroup

MANAGE = "cohort.manage"


def attach_group(cohort, group, *, confirmed, actor):
    """Attach a group. `confirmed` is the confirmation_of() exactly those who come to see the milestones of the cohort's
    students by it, also where that is nobody: it gives access to whoever joins later. Raises Denied, Refused or Unconfirmed."""
    permissions.require(MANAGE, actor)
    with db.atomic():
        hold_cohort(cohort, "group")
        group, problem = pick_group(actor, cohort, group.ref)
        if problem:
            raise Refused("group", problem)
        people = gained_by_attaching(actor, cohort, group)
        if confirmed != confirmation_of(people):
            raise Unconfirmed(people)
        CohortGroup.create(cohort=cohort, group=group, attached_by=actor)
        events.record("cohort.group_attached", actor=actor, target=cohort.ref, group=group.ref)
    return group


def detach_group(cohort, group, *, actor):
    """Detach a group. Raises Denied, or NotVisible where it is not attached any more."""
    permissions.require(MANAGE, actor)
    with db.atomic():
        link = (CohortGroup.cohort == cohort.id) & (CohortGroup.group == group.id)
        if not CohortGroup.delete().where(link).execute():
            raise permissions.NotVisible(group.ref)
        events.record("cohort.group_detached", actor=actor, target=cohort.ref, group=group.ref)
