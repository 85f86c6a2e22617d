"""Reads about a student's timeline and the Case Management Dashboard; one module a subject.
Other parts import from here, never from the modules."""

from blueprints.timeline.queries.dashboard import NEWEST_ACTIVITY, SORTS, TILES, Day, dashboard, group_choices, review_state
from blueprints.timeline.queries.sources import KINDS
from blueprints.timeline.queries.timeline import Filters, cursor, everything, page

__all__ = [
    "KINDS",
    "NEWEST_ACTIVITY",
    "SORTS",
    "TILES",
    "Day",
    "Filters",
    "cursor",
    "dashboard",
    "everything",
    "group_choices",
    "page",
    "review_state",
]
