"""The interventions of a plan: what is done for the student. One that ended stays."""

import events
import permissions
from blueprints.kit.refusing import Refused
from blueprints.plans.actions.base import hold
from extensions import clock, db
from models import PlanIntervention


def add_intervention(plan, *, text, how_often, started_on, actor):
    """Add an intervention and return it. Raises NotVisible, Denied or Refused."""
    permissions.require_record("plan", actor, plan, permissions.MANAGE_PLAN)
    with db.atomic():
        hold(plan, "text")
        _check(plan, started_on, None)
        step = PlanIntervention.create(
            plan=plan, text=text, how_often=how_often, started_on=started_on, author=actor, at=clock.now()
        )
        events.record("plan.intervention_added", actor=actor, target=plan.ref, intervention=step.ref)
    return step


def change_intervention(plan, step, *, text, how_often, started_on, ended_on, actor, version):
    """Change an intervention of this plan, or say when it ended. Raises NotVisible, Denied, Refused or Conflict."""
    permissions.require_record("plan", actor, plan, permissions.MANAGE_PLAN)
    if step.plan_id != plan.id:
        raise permissions.NotVisible(step.ref)
    with db.atomic():
        hold(plan, "text")
        _check(plan, started_on, ended_on)
        said = {"text": text, "how_often": how_often, "started_on": started_on, "ended_on": ended_on}
        changed = {name: value for name, value in said.items() if value != getattr(step, name)}
        if changed:
            step.change(version, **changed)
            fields = sorted(changed)
            events.record("plan.intervention_changed", actor=actor, target=plan.ref, intervention=step.ref, fields=fields)
    return step


def _check(plan, started_on, ended_on):
    if started_on < plan.starts_on:
        raise Refused("started_on", "This is before the plan starts. Give the day it starts, or a later one.")
    if ended_on and ended_on < started_on:
        raise Refused("ended_on", "It would end before it started.")
