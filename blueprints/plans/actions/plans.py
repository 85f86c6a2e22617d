"""A plan as a whole: creating it, what it says, who works on it, ending and resuming it. What it said before stays
(models.PlanVersion)."""

import json
from datetime import date

from peewee import SQL

import events
import permissions
from blueprints.account import actions as account_actions
from blueprints.cases import actions as cases
from blueprints.kit.refusing import Refused
from blueprints.plans.actions.base import ACTIVE, ENDED, TIERS, hold, refuse_left, refuse_unfit
from extensions import clock, db
from models import Plan, PlanIntervention, PlanPoint, PlanReview, PlanStaff, PlanVersion

# What a plan says: the fields of a PlanVersion.
SAID = ("tier", "concern", "goal", "measure", "baseline", "target", "starts_on", "review_by")


def create_plan(student, *, lead, staff=(), interventions=(), actor, draft=None, **said):
    """Create a plan about `student` and return it; all staff may. `said`: the fields of SAID. `interventions`: (text, how
    often) each. `draft` is (key, once) of the form's draft.

    Opens a case as the dictionary says. Raises NotVisible, Denied, or Refused.
    """
    permissions.require("plan.read", actor, student=student)
    with db.atomic():
        refuse_left("student", [student])
        refuse_unfit("lead", [lead], student)
        refuse_unfit("staff", staff, student)
        _check(said)
        plan = Plan.create(student=student, lead=lead, created_by=actor, created_at=clock.now(), **said)
        events.record("plan.created", actor=actor, target=plan.ref, student=student.ref, tier=plan.tier)
        _put_on(plan, [one for one in staff if one.id != lead.id], actor)
        for text, how_often in interventions:
            PlanIntervention.create(
                plan=plan, text=text, how_often=how_often, started_on=plan.starts_on, author=actor, at=plan.created_at
            )
        cases.happened("plan", student, plan, actor=actor)
        if draft:
            account_actions.clear_draft(draft[0], actor=actor, once=draft[1])
    return plan


def _check(said):
    """Refused where what a plan says can't hold together, whoever says it."""
    if said["tier"] not in TIERS:
        raise Refused("tier", "A plan is of tier 1, 2 or 3.")
    if said.get("review_by") and said["review_by"] < said["starts_on"]:
        raise Refused("review_by", "The review would be before the plan starts. Give the day it starts, or a later one.")
    for name, word in (("baseline", "baseline"), ("target", "target")):
        if said.get(name) is not None and not said.get("measure"):
            raise Refused("measure", f"Say what is measured: without that the {word} means nothing.")


def _put_on(plan, staff, actor):
    people = list({one.id: one for one in staff}.values())
    for one in people:
        PlanStaff.create(plan=plan, account=one, added_by=actor, at=clock.now())
    if people:
        events.record("plan.staff_changed", actor=actor, target=plan.ref, added=[one.ref for one in people], removed=[])


def change_plan(plan, *, number, actor, draft=None, **said):
    """Say something else: the fields of SAID; unchanged is no edit. `number` is the version of the row that was edited.

    Raises NotVisible, Denied, Refused (a plan that ended; a start behind a progress point or review) or Conflict.
    """
    permissions.require_record("plan", actor, plan, permissions.MANAGE_PLAN)
    with db.atomic():
        hold(plan, "goal")
        _check(said)
        _check_start(plan, said["starts_on"])
        changed = {name: said[name] for name in SAID if said[name] != getattr(plan, name)}
        if changed:
            save_wording(plan, number, actor, **changed)
        if draft:
            account_actions.clear_draft(draft[0], actor=actor, once=draft[1])
    return plan


def _check_start(plan, starts_on):
    """A plan can't start after what was measured or reviewed in it."""
    points = PlanPoint.select(PlanPoint.day).where((PlanPoint.plan == plan.id) & PlanPoint.removed_at.is_null())
    reviews = PlanReview.select(PlanReview.day).where(PlanReview.plan == plan.id)
    first = [query.order_by(SQL("1")).limit(1).scalar() for query in (points, reviews)]
    if any(day and starts_on > day for day in first):
        raise Refused("starts_on", "There is a progress point or a review before this day. A plan starts before it is reviewed.")


def save_wording(plan, version, actor, **changed):
    """In the open transaction: the plan says something else, and what it said before is kept. Raises Conflict."""
    before = {name: _plain(getattr(plan, name)) for name in SAID}
    plan.change(version, **changed)
    number = plan.versions.count() + 1
    PlanVersion.create(plan=plan, number=number, fields=json.dumps(before, ensure_ascii=False), author=actor, at=clock.now())
    events.record("plan.changed", actor=actor, target=plan.ref, fields=sorted(changed))


def _plain(value):
    return value.isoformat() if isinstance(value, date) else value


def set_people(plan, *, lead, staff, actor, version):
    """Who leads the plan and who else works on it (accounts). Raises NotVisible, Denied, Refused or Conflict."""
    permissions.require_record("plan", actor, plan, permissions.MANAGE_PLAN)
    with db.atomic():
        hold(plan, "lead")
        on_it = {row.account_id: row for row in PlanStaff.select().where(PlanStaff.plan == plan.id)}
        wanted = {one.id: one for one in staff if one.id != lead.id}
        added = [one for id_, one in wanted.items() if id_ not in on_it]
        removed = [row for id_, row in on_it.items() if id_ not in wanted]
        if lead.id != plan.lead_id:
            refuse_unfit("lead", [lead], plan.student)
        refuse_unfit("staff", added, plan.student)
        if lead.id == plan.lead_id and not added and not removed:
            return plan
        moved = lead.id != plan.lead_id
        plan.change(version, **({"lead": lead} if moved else {}))
        if moved:
            events.record("plan.changed", actor=actor, target=plan.ref, fields=["lead"], lead=lead.ref)
        _swap(plan, added, removed, actor)
    return plan


def _swap(plan, added, removed, actor):
    for one in added:
        PlanStaff.create(plan=plan, account=one, added_by=actor, at=clock.now())
    gone = [row.account.ref for row in removed]
    if removed:
        PlanStaff.delete().where(PlanStaff.id.in_([row.id for row in removed])).execute()
    if added or removed:
        events.record("plan.staff_changed", actor=actor, target=plan.ref, added=[one.ref for one in added], removed=gone)


def end_plan(plan, *, reason, actor, version):
    """End the plan; it is kept as it is. Raises NotVisible, Denied, Refused or Conflict."""
    permissions.require_record("plan", actor, plan, permissions.MANAGE_PLAN)
    with db.atomic():
        if plan.state == ENDED:
            raise Refused("reason", "This plan has ended already.")
        plan.change(version, **_ended(reason, actor))
        events.record("plan.ended", actor=actor, target=plan.ref)
    return plan


def _ended(reason, actor):
    return {"state": ENDED, "ended_at": clock.now(), "ended_by": actor, "end_reason": reason}


def end_each(plans, reason, *, actor):
    """In the open transaction, for a caller that has asked who may: end those of the plans that are active. Returns how
    many that were."""
    if not db.in_transaction():
        raise RuntimeError("ending the plans of a group belongs into the transaction of what ends them")
    ids = [plan.id for plan in plans]
    here = Plan.id.in_(ids) & (Plan.state == ACTIVE)
    fields = _ended(reason, actor)
    ended = Plan.update(version=Plan.version + 1, **fields).where(here).returning(Plan.ref).tuples().execute()
    refs = [ref for (ref,) in ended]
    events.record_each("plan.ended", [(ref, {}) for ref in refs], actor=actor)
    return len(refs)


def resume_plan(plan, *, actor, version):
    """Let a plan that ended go on. Raises NotVisible, Denied, Refused or Conflict."""
    permissions.require_record("plan", actor, plan, permissions.MANAGE_PLAN)
    with db.atomic():
        if plan.state == ACTIVE:
            raise Refused("version", "This plan is active already.")
        refuse_left("version", [plan.student])
        refuse_unfit("version", [plan.lead], plan.student)
        plan.change(version, state=ACTIVE, ended_at=None, ended_by=None, end_reason="")
        events.record("plan.resumed", actor=actor, target=plan.ref)
    return plan
