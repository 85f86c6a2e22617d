"""Reads of the admin part, one module a noun. Each asks for the capability of its page; none writes business data."""

from blueprints.admin.queries.audit import events_found, export_events, last_seal
from blueprints.admin.queries.bulk_closing import (
    bulk_closing,
    bulk_closings,
    closed_export,
    closed_incidents,
    preview,
    preview_export,
)
from blueprints.admin.queries.categories import category, category_rows, changed_readers, possible_parents
from blueprints.admin.queries.effects import cases_changed, gained_by_department, gained_by_role, incidents_changed
from blueprints.admin.queries.email import email_row, email_rows, email_state
from blueprints.admin.queries.groups import (
    addable,
    attached_cases,
    department,
    departments,
    director,
    directors,
    group,
    group_choices,
    groups,
    membership_rows,
    opened_categories,
    people,
    person_in,
)
from blueprints.admin.queries.overview import attention, export_list

__all__ = [
    "addable",
    "attached_cases",
    "attention",
    "bulk_closing",
    "bulk_closings",
    "cases_changed",
    "category",
    "category_rows",
    "changed_readers",
    "closed_export",
    "closed_incidents",
    "department",
    "departments",
    "director",
    "directors",
    "email_row",
    "email_rows",
    "email_state",
    "events_found",
    "export_events",
    "last_seal",
    "export_list",
    "gained_by_department",
    "gained_by_role",
    "group",
    "group_choices",
    "groups",
    "incidents_changed",
    "membership_rows",
    "opened_categories",
    "people",
    "person_in",
    "possible_parents",
    "preview",
    "preview_export",
]
