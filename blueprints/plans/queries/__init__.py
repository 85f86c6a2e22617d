"""Reads about plans and intervention groups; one module a subject.
Other parts import from here, never from the modules."""

from blueprints.plans.queries.emails import email_review_due
from blueprints.plans.queries.history import history
from blueprints.plans.queries.interventions import (
    by_addresses,
    candidates,
    intervention,
    intervention_groups,
    may_open,
    members,
    newly_running,
    offered,
    staff_group,
    template_steps,
    who_runs,
)
from blueprints.plans.queries.lists import PlanRow, export_rows, filtered, leads, paging
from blueprints.plans.queries.people import chips, pick, resolve, suggest, unfit
from blueprints.plans.queries.plans import (
    may_manage,
    plan,
    reviews,
    staff,
    step,
    steps,
    title_of,
    who_can_see,
    wordings,
)
from blueprints.plans.queries.progress import chart, point, points
from blueprints.plans.queries.words import DECISIONS, STATES, TIERS, number

__all__ = [
    "DECISIONS",
    "STATES",
    "TIERS",
    "PlanRow",
    "by_addresses",
    "candidates",
    "chart",
    "chips",
    "email_review_due",
    "export_rows",
    "filtered",
    "history",
    "intervention",
    "intervention_groups",
    "leads",
    "may_manage",
    "may_open",
    "members",
    "newly_running",
    "number",
    "offered",
    "paging",
    "pick",
    "plan",
    "point",
    "points",
    "resolve",
    "reviews",
    "staff",
    "staff_group",
    "step",
    "steps",
    "suggest",
    "template_steps",
    "title_of",
    "unfit",
    "who_can_see",
    "who_runs",
    "wordings",
]
