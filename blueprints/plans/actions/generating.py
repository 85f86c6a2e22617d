"""Plans that an intervention group's template makes for many students at once: what adding students to a group calls inside
its own transaction. Must not ask who may add students, and must not touch the group's members: that is the group's business."""

from datetime import timedelta

import events
from blueprints.cases import actions as cases
from blueprints.kit import bulk
from blueprints.kit.refusing import Refused
from blueprints.plans.actions.base import refuse_left
from blueprints.plans.queries.people import unfit
from blueprints.plans.queries.plans import today
from extensions import clock, db
from models import InterventionStep, Plan, PlanIntervention, new_ref


def generate(group, students, *, actor):
    """In the open transaction: a plan from the group's template for each of these students, starting today; returns the
    Plans in the order of the students.

    Raises Refused (field "students") where a student has left, or can't be led by the group's lead. Opens cases as the
    dictionary says. Records plan.created of each; the group's own event is the caller's.
    """
    if not db.in_transaction():
        raise RuntimeError("the plans of a group belong into the transaction that adds its students")
    refuse_left("students", students)
    _refuse_lead(group, students)
    plans = _insert(group, students, actor)
    _interventions(group, plans, actor)
    about = [(plan.ref, {"student": plan.student.ref}) for plan in plans]
    events.record_each("plan.created", about, actor=actor, tier=group.tier, group=group.ref)
    # In one order of the students, so that two who add the same ones at the same moment wait for each other, not crosswise.
    happened = sorted(((plan.student, plan) for plan in plans), key=lambda pair: pair[0].id)
    cases.happened_to_each("plan", happened, actor=actor)
    return plans


def _refuse_lead(group, students):
    """The same sentence whatever the reason (plans/actions/base.py)."""
    found = unfit(group.lead, students)
    if found:
        names = ", ".join(student.name for student in found)
        sentence = f"{group.lead.name} can't be given a plan for {names}. Choose another lead for this group first."
        raise Refused("students", sentence)


def _insert(group, students, actor):
    day, now = today(), clock.now()
    review_by = day + timedelta(weeks=group.review_weeks) if group.review_weeks else None
    fields = {
        "tier": group.tier, "concern": group.concern, "goal": group.goal, "measure": group.measure,
        "baseline": group.baseline, "target": group.target, "starts_on": day, "review_by": review_by, "lead": group.lead_id,
        "intervention_group": group.id, "created_by": actor.id, "created_at": now,
    }  # fmt: skip
    by_ref = {new_ref(): student for student in students}
    bulk.insert_each(Plan, [{**fields, "ref": ref, "student": student.id} for ref, student in by_ref.items()])
    found = {plan.ref: plan for refs in bulk.batches(list(by_ref)) for plan in Plan.select().where(Plan.ref.in_(refs))}
    for ref, student in by_ref.items():
        found[ref].student = student
        found[ref]._dirty.clear()
    return [found[ref] for ref in by_ref]


def _interventions(group, plans, actor):
    steps = list(InterventionStep.select().where(InterventionStep.group == group.id).order_by(InterventionStep.position))
    rows = [
        {
            "ref": new_ref(), "plan": plan.id, "text": step.text, "how_often": step.how_often, "started_on": plan.starts_on,
            "author": actor.id, "at": plan.created_at,
        }
        for plan in plans
        for step in steps
    ]  # fmt: skip
    bulk.insert_each(PlanIntervention, rows)
