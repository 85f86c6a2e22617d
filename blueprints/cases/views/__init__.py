"""The pages about cases, one module a subject; they share one blueprint."""

from flask import Blueprint

bp = Blueprint("cases", __name__)

from blueprints.cases.views import (  # noqa: E402  the modules put their routes on `bp`
    attaching,
    closing,
    dictionary,
    dictionary_lists,
    entries,
    exclusions,
    files,
    linking,
    lists,
    meeting_lists,
    meeting_people,
    meetings,
    opening,
    people,
    record,
    records,
    sections,
    student_files,
    suggestions,
    task_lists,
    tasks,
)

__all__ = [
    "attaching",
    "bp",
    "closing",
    "dictionary",
    "dictionary_lists",
    "entries",
    "exclusions",
    "files",
    "linking",
    "lists",
    "meeting_lists",
    "meeting_people",
    "meetings",
    "opening",
    "people",
    "record",
    "records",
    "sections",
    "suggestions",
    "student_files",
    "task_lists",
    "tasks",
]
