"""The pages about cohorts and milestones, one module a subject; they share one blueprint."""

from flask import Blueprint

from blueprints.cohorts.commands import commands

bp = Blueprint("cohorts", __name__)

from blueprints.cohorts.views import (  # noqa: E402  the modules put their routes on `bp`
    adding,
    cohorts,
    copying,
    feeds,
    groups,
    milestones,
    own,
    progress,
    set_up,
    support,
    templates,
)

__all__ = [
    "adding",
    "bp",
    "cohorts",
    "commands",
    "copying",
    "feeds",
    "groups",
    "milestones",
    "own",
    "progress",
    "set_up",
    "support",
    "templates",
]
