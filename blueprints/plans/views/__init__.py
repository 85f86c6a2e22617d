"""The pages about plans and intervention groups (MTSS), one module a subject; they share one blueprint."""

from flask import Blueprint

bp = Blueprint("plans", __name__)

from blueprints.plans.views import (  # noqa: E402  the modules put their routes on `bp`
    intervention_members,
    interventions,
    lists,
    progress,
    record,
    writing,
)

__all__ = ["bp", "intervention_members", "interventions", "lists", "progress", "record", "writing"]
