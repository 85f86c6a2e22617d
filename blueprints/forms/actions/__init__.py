"""What may be done to forms, responses and referrals. Every function takes `actor`, checks, owns its
transaction and records its event."""

from blueprints.forms.actions.building import add_form, change_form, restore_form, retire_form, set_readers
from blueprints.forms.actions.fields import (
    DOWN,
    UP,
    add_field,
    change_field,
    copy_field,
    discard_draft,
    move_field,
    publish,
    remove_field,
)
from blueprints.forms.actions.filling import submit
from blueprints.forms.actions.importing import NotGood, export_form, import_form
from blueprints.forms.actions.referrals import accept, accept_as_new, decline, merge
from blueprints.forms.actions.saving import remove_filters, save_filters
from blueprints.kit.refusing import Refused

__all__ = [
    "DOWN",
    "UP",
    "NotGood",
    "Refused",
    "add_field",
    "add_form",
    "change_field",
    "change_form",
    "copy_field",
    "discard_draft",
    "export_form",
    "import_form",
    "move_field",
    "publish",
    "remove_field",
    "restore_form",
    "retire_form",
    "set_readers",
    "submit",
    "accept",
    "accept_as_new",
    "decline",
    "merge",
    "remove_filters",
    "save_filters",
]
