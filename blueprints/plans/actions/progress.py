"""Progress points of a plan: what was measured on a day. A point that was removed keeps its row."""

import events
import permissions
from blueprints.kit.days import show_day
from blueprints.kit.refusing import Refused
from blueprints.plans.actions.base import hold
from blueprints.plans.queries.plans import today
from extensions import clock, db
from models import PlanPoint


def add_point(plan, *, day, value, note="", actor):
    """Add a point and return it. Raises NotVisible, Denied, or Refused (a plan that ended; a day before the plan starts, or
    that has not come)."""
    permissions.require_record("plan", actor, plan, permissions.MANAGE_PLAN)
    with db.atomic():
        hold(plan, "value")
        if day < plan.starts_on:
            raise Refused("day", f"The plan starts on {show_day(plan.starts_on)}: nothing can be measured in it before.")
        if day > today():
            raise Refused("day", "This day is in the future.")
        point = PlanPoint.create(plan=plan, day=day, value=value, note=note, author=actor, at=clock.now())
        events.record("plan.point_added", actor=actor, target=plan.ref, point=point.ref)
    return point


def remove_point(plan, point, *, actor):
    """Take a point of this plan off it; one that is off changes nothing. Raises NotVisible, Denied or Refused."""
    permissions.require_record("plan", actor, plan, permissions.MANAGE_PLAN)
    if point.plan_id != plan.id:
        raise permissions.NotVisible(point.ref)
    with db.atomic():
        hold(plan, "value")
        here = (PlanPoint.id == point.id) & PlanPoint.removed_at.is_null()
        if PlanPoint.update(removed_at=clock.now(), removed_by=actor).where(here).execute():
            events.record("plan.point_removed", actor=actor, target=plan.ref, point=point.ref)
