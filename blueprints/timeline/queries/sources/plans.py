"""Plans of a student that the reader sees: creating, interventions, progress points, reviews, ending."""

import permissions
from blueprints.timeline.queries.sources.base import Arms, belongs_to
from models import Account, Plan, PlanIntervention, PlanPoint, PlanReview


def add(arms: Arms, user: Account) -> None:
    """The sources about plans."""
    query = permissions.visible_plans(user, Plan.id, Plan.ref).where(Plan.student == arms.student)
    seen = arms.seen(query.where(arms.recent(Plan.ended_at)), "ref")  # nothing is written about a plan that has ended
    here = Plan.id == seen.c.id
    arms.add(
        "plan", seen, [Plan], here, at=Plan.created_at, row=Plan.id, ref=seen.c.ref, who=Plan.created_by, other=Plan.lead,
        title=Plan.goal, text=Plan.concern, number=Plan.tier,
    )  # fmt: skip
    arms.add(
        "plan_intervention", seen, [PlanIntervention], belongs_to(PlanIntervention.plan, seen.c.id),
        at=PlanIntervention.at, row=PlanIntervention.id, ref=seen.c.ref, who=PlanIntervention.author,
        detail=PlanIntervention.how_often, text=PlanIntervention.text,
    )  # fmt: skip
    measured = arms.newest_of(seen, PlanPoint.plan, PlanPoint.at, PlanPoint.removed_at.is_null())
    arms.add(
        "plan_point", measured, [PlanPoint, Plan], belongs_to(PlanPoint.id, measured.c.row) & belongs_to(Plan.id, measured.c.id),
        at=measured.c.at, row=PlanPoint.id, ref=Plan.ref, who=PlanPoint.author, title=Plan.measure,
        detail=PlanPoint.day.cast("text"), text=PlanPoint.note, number=PlanPoint.value,
    )  # fmt: skip
    arms.add(
        "plan_review", seen, [PlanReview], belongs_to(PlanReview.plan, seen.c.id),
        at=PlanReview.at, row=PlanReview.id, ref=seen.c.ref, who=PlanReview.author, title=PlanReview.day.cast("text"),
        detail=PlanReview.decision, text=PlanReview.notes,
    )  # fmt: skip
    arms.add(
        "plan_ended", seen, [Plan], here & (Plan.state == "ended") & Plan.ended_at.is_null(False),
        at=Plan.ended_at, row=Plan.id, ref=seen.c.ref, who=Plan.ended_by, text=Plan.end_reason,
    )  # fmt: skip
