"""What may be done to plans and intervention groups. Every function takes `actor`, checks, owns its
transaction and records its event."""

from blueprints.kit.refusing import Refused
from blueprints.plans.actions.generating import generate
from blueprints.plans.actions.interventions import (
    add_intervention_group,
    add_students,
    archive_intervention,
    change_intervention_group,
    leave_group,
    restore_intervention,
)
from blueprints.plans.actions.plans import change_plan, create_plan, end_each, end_plan, resume_plan, set_people
from blueprints.plans.actions.progress import add_point, remove_point
from blueprints.plans.actions.reminders import queue_due_reviews
from blueprints.plans.actions.reviews import review_plan
from blueprints.plans.actions.steps import add_intervention, change_intervention

__all__ = [
    "Refused",
    "add_intervention",
    "add_intervention_group",
    "add_point",
    "add_students",
    "archive_intervention",
    "change_intervention",
    "change_intervention_group",
    "change_plan",
    "create_plan",
    "end_each",
    "end_plan",
    "generate",
    "leave_group",
    "queue_due_reviews",
    "remove_point",
    "restore_intervention",
    "resume_plan",
    "review_plan",
    "set_people",
]
