"""The pages about cases, one module a subject; they share one blueprint."""

from flask import Blueprint

bp = Blueprint("cases", __name__)

from blueprints.cases.views import (  # noqa: E402  the modules put their routes on `bp`
    attaching,
    closing,
    entries,
    exclusions,
    files,
    linking,
    lists,
    opening,
    people,
    record,
    sections,
)

__all__ = [
    "attaching",
    "bp",
    "closing",
    "entries",
    "exclusions",
    "files",
    "linking",
    "lists",
    "opening",
    "people",
    "record",
    "sections",
]
