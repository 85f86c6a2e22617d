"""The school's own lists: case types, reasons for closing, meeting types, categories of files. For those who have the capability
`dictionary`; what the other forms offer of them is asked elsewhere."""

from typing import NamedTuple

from peewee import fn

import permissions
from models import (
    Case,
    CaseClosure,
    CaseType,
    CloseReason,
    FileCategory,
    Meeting,
    MeetingType,
    StoredFile,
    Trigger,
)


class List(NamedTuple):
    """A list: its table, its words, and the columns that use it."""

    model: type
    title: str
    one: str
    used_by: tuple


LISTS = {
    "case-types": List(CaseType, "Case types", "case type", (Case.case_type, Trigger.case_type)),
    "close-reasons": List(CloseReason, "Reasons for closing", "reason for closing", (CaseClosure.reason,)),
    "meeting-types": List(MeetingType, "Meeting types", "meeting type", (Meeting.meeting_type,)),
    "file-categories": List(FileCategory, "Categories of files", "category of files", (StoredFile.file_category,)),
}


class Entry(NamedTuple):
    """An entry of a list. `is_used`: something in the school has it, so that it can be retired and not deleted."""

    id: int
    ref: str
    name: str
    is_retired: bool
    version: int
    is_used: bool


def list_entries(user, which):
    """The Entries of a list, in the school's order."""
    permissions.require("dictionary", user)
    model = LISTS[which].model
    rows = _entries(which).order_by(model.position, model.name).tuples()
    return [Entry(*row[:3], bool(row[3]), row[4], bool(row[5])) for row in rows]


def list_entry(user, which, ref):
    """One of them, or NotVisible."""
    permissions.require("dictionary", user)
    row = _entries(which).where(LISTS[which].model.ref == ref.replace("\0", "")).tuples().first()
    if row is None:
        raise permissions.NotVisible(ref)
    return Entry(*row[:3], bool(row[3]), row[4], bool(row[5]))


def _entries(which):
    model, _, _, columns = LISTS[which]
    used = None
    for column in columns:
        by = fn.EXISTS(column.model.select(column.model.id).where(column == model.id))
        used = by if used is None else used | by
    return model.select(model.id, model.ref, model.name, model.is_retired, model.version, used)
