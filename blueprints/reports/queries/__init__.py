"""Reads of the reports: the Custom Report over incidents, and saved reports. The first argument is the user; what that
user may not see is in no row, no count, no chart and no export."""

from blueprints.reports.queries.incidents import Filters, choices, counted, counts, export, filters_of, run
from blueprints.reports.queries.saved import own_report, saved_report, saved_reports

__all__ = [
    "Filters", "choices", "counted", "counts", "export", "filters_of", "own_report", "run", "saved_report", "saved_reports",
]  # fmt: skip
