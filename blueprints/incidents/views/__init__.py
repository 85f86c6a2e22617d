"""The pages about incidents, one module a subject; they share one blueprint."""

from flask import Blueprint

bp = Blueprint("incidents", __name__)

from blueprints.incidents.views import (  # noqa: E402  the modules put their routes on `bp`
    adding,
    body_map,
    changing,
    exclusions,
    files,
    lists,
    record,
    status,
    todo,
)

__all__ = ["adding", "body_map", "bp", "changing", "exclusions", "files", "lists", "record", "status", "todo"]
