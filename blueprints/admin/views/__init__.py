"""The administration pages, one module a noun; they share one blueprint."""

from flask import Blueprint

from blueprints.admin.commands import commands

bp = Blueprint("admin", __name__)

from blueprints.admin.views import (  # noqa: E402  the modules put their routes on `bp`
    audit,
    bulk_closing,
    categories,
    email,
    groups,
    overview,
    own_groups,
    settings,
    users,
)

__all__ = [
    "audit",
    "bp",
    "bulk_closing",
    "categories",
    "commands",
    "email",
    "groups",
    "overview",
    "own_groups",
    "settings",
    "users",
]
