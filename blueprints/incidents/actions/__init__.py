"""Writes about incidents; one module a subject. Each checks permission, owns its transaction and records its event.

Refused says what can't be done and at which field; Unconfirmed names the people whom a form would let in, and wants
the same form again with their confirmation.
"""

from blueprints.incidents.actions.adding import NewPart, add
from blueprints.incidents.actions.alerting import alert
from blueprints.incidents.actions.assigning import assign, see_bulk_notices, set_status
from blueprints.incidents.actions.base import Refused, Unconfirmed
from blueprints.incidents.actions.changing import change_details, change_students, edit_text, take_off
from blueprints.incidents.actions.files import add_files, remove_file, taken
from blueprints.incidents.actions.marking import add_mark, change_mark, remove_mark
from blueprints.incidents.actions.todo import add_action, queue_due_actions, set_done

__all__ = [
    "NewPart",
    "Refused",
    "Unconfirmed",
    "add",
    "add_action",
    "add_files",
    "add_mark",
    "alert",
    "assign",
    "change_details",
    "change_mark",
    "change_students",
    "edit_text",
    "queue_due_actions",
    "remove_file",
    "remove_mark",
    "see_bulk_notices",
    "set_done",
    "set_status",
    "take_off",
    "taken",
]
