"""Writes of the admin part, one module a noun. Every action asks for its capability, owns its transaction and records
its event. None may know the request."""

from blueprints.admin.actions.bulk_closing import SetChanged, close_between
from blueprints.admin.actions.categories import add_category, change_category
from blueprints.admin.actions.email import retry_email
from blueprints.admin.actions.groups import (
    Taken,
    add_department,
    add_director,
    add_group,
    add_person,
    change_department,
    change_group,
    remove_director,
    remove_person,
)
from blueprints.admin.actions.imported_groups import NewGroup, save_groups
from blueprints.admin.actions.settings import change_settings

__all__ = [
    "NewGroup",
    "SetChanged",
    "Taken",
    "add_category",
    "add_department",
    "add_director",
    "add_group",
    "add_person",
    "change_category",
    "change_department",
    "change_group",
    "change_settings",
    "close_between",
    "remove_director",
    "remove_person",
    "retry_email",
    "save_groups",
]
