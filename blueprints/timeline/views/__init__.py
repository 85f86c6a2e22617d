"""The pages about a student's timeline and the Case Management Dashboard, one module a subject; they share one blueprint."""

from flask import Blueprint

bp = Blueprint("timeline", __name__)

from blueprints.timeline.views import (  # noqa: E402  the modules put their routes on `bp`
    dashboard,
    timeline,
)

__all__ = ["bp", "dashboard", "timeline"]
