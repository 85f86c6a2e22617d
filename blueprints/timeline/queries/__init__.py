"""Reads about a student's timeline and the Case Management Dashboard; one module a subject.
Other parts import from here, never from the modules."""

from blueprints.timeline.queries.dashboard import NEWEST_ACTIVITY, SORTS, Asked, Day, choices, counts, review_state, rows
from blueprints.timeline.queries.dashboard_cases import TILES
from blueprints.timeline.queries.sources import KINDS
from blueprints.timeline.queries.timeline import Filters, cursor, everything, page

__all__ = [
    "KINDS",
    "NEWEST_ACTIVITY",
    "SORTS",
    "TILES",
    "Asked",
    "Day",
    "Filters",
    "choices",
    "counts",
    "cursor",
    "everything",
    "page",
    "review_state",
    "rows",
]
