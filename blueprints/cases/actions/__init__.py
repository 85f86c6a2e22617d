"""What may be done to cases. Every function takes `actor`, checks, owns its transaction and records its event."""

from blueprints.cases.actions.attaching import attach_group, attach_staff, detach_group, detach_staff
from blueprints.cases.actions.closing import close_case, reopen_case
from blueprints.cases.actions.entries import add_entry, edit_entry
from blueprints.cases.actions.files import add_files, remove_file
from blueprints.cases.actions.linking import link_incident, unlink_incident
from blueprints.cases.actions.opening import change_case, open_case
from blueprints.cases.actions.people import save_people
from blueprints.cases.actions.sections import add_agency, change_agency, remove_agency, save_presenting
from blueprints.cases.actions.triggering import happened, happened_to_each
from blueprints.kit.refusing import Refused, Unconfirmed

__all__ = [
    "Refused",
    "Unconfirmed",
    "add_agency",
    "add_entry",
    "add_files",
    "attach_group",
    "attach_staff",
    "change_agency",
    "change_case",
    "close_case",
    "detach_group",
    "detach_staff",
    "edit_entry",
    "happened",
    "happened_to_each",
    "link_incident",
    "open_case",
    "remove_agency",
    "remove_file",
    "reopen_case",
    "save_people",
    "save_presenting",
    "unlink_incident",
]
