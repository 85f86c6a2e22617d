"""Conducting a plan review: what was decided, and what follows from it for the plan. Reviews are only ever added."""

import events
import permissions
from blueprints.account import actions as account_actions
from blueprints.cases import actions as cases
from blueprints.kit.days import show_day
from blueprints.kit.refusing import Refused
from blueprints.plans.actions.base import ENDED, TIERS
from blueprints.plans.actions.plans import save_wording
from blueprints.plans.queries.plans import today
from extensions import clock, db
from models import Conflict, Plan, PlanReview

CONTINUE, CHANGE, STEP_UP, STEP_DOWN, END = "continue", "change", "step_up", "step_down", "end"
DECISIONS = (CONTINUE, CHANGE, STEP_UP, STEP_DOWN, END)
STEPS = {STEP_UP: 1, STEP_DOWN: -1}
ENDED_BY_REVIEW = "Ended by a review"


def review_plan(plan, *, day, decision, notes="", next_on=None, number, actor, draft=None):
    """Review the plan on a day, and return the PlanReview: the plan goes on to `next_on`, a tier up or down, or ends.

    `number` is the version of the plan that was reviewed. Opens a case as the dictionary says. Raises NotVisible, Denied,
    Refused (a plan that ended, or has not started) or Conflict.
    """
    permissions.require_record("plan", actor, plan, permissions.MANAGE_PLAN)
    with db.atomic():
        now = _held(plan, number)
        _check(now, day, decision, next_on)
        review = PlanReview.create(
            plan=now, day=day, decision=decision, notes=notes, next_on=next_on, author=actor, at=clock.now()
        )
        events.record("plan.reviewed", actor=actor, target=now.ref, review=review.ref, decision=decision)
        _follow(now, number, decision, next_on, actor)
        cases.happened("review", now.student, review, actor=actor, record=now.ref)
        if draft:
            account_actions.clear_draft(draft[0], actor=actor, once=draft[1])
    return review


def _held(plan, number):
    """The plan as it stands, its row held; Refused when it ended, Conflict when it is not the one that was reviewed."""
    Plan.update(version=Plan.version).where(Plan.id == plan.id).execute()
    now = Plan.get_by_id(plan.id)
    if now.state == ENDED:
        raise Refused("decision", "This plan has ended. Resume it first.")
    if now.version != number:
        raise Conflict(now)
    return now


def _check(plan, day, decision, next_on):
    if decision not in DECISIONS:
        raise Refused("decision", "Choose a decision from the list.")
    if plan.starts_on > today():
        raise Refused("day", f"The plan starts on {show_day(plan.starts_on)}: it can't be reviewed before it starts.")
    if day < plan.starts_on:
        raise Refused("day", f"The plan started on {show_day(plan.starts_on)}: give that day or a later one.")
    if day > today():
        raise Refused("day", "This day is in the future.")
    last = plan.reviews.order_by(PlanReview.day.desc()).first()
    if last and day < last.day:
        raise Refused("day", f"The last review was on {show_day(last.day)}: give that day or a later one.")
    if plan.tier + STEPS.get(decision, 0) not in TIERS:
        where = "above" if decision == STEP_UP else "below"
        raise Refused("decision", f"This plan is at tier {plan.tier}: there is no tier {where} it.")
    if next_on and decision == END:
        raise Refused("next_on", "A plan that ends is not reviewed again. Leave this empty, or choose another decision.")
    if next_on and next_on <= day:
        raise Refused("next_on", "The next review comes after this one. Give a later day.")


def _follow(plan, number, decision, next_on, actor):
    """What the decision makes of the plan. It is another version of it in any case: who had it open before sees that it was
    reviewed."""
    if decision == END:
        plan.change(number, state=ENDED, ended_at=clock.now(), ended_by=actor, end_reason=ENDED_BY_REVIEW)
        events.record("plan.ended", actor=actor, target=plan.ref)
        return
    said = {"tier": plan.tier + STEPS.get(decision, 0), "review_by": next_on}
    changed = {name: value for name, value in said.items() if value != getattr(plan, name)}
    if changed:
        save_wording(plan, number, actor, **changed)
    else:
        plan.change(number)
