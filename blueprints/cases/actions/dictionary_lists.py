"""The school's own lists: adding, renaming, ordering, retiring, and deleting what was never used. What was used stays where it
was used, under its name as it is now."""

from peewee import IntegrityError, fn

import events
import permissions
from blueprints.cases.queries.dictionary_lists import LISTS, list_entries, list_entry
from blueprints.kit.refusing import Refused
from extensions import db

TAKEN = "There is one of this name already. It may not be in use any more."


def add_list_entry(which, name, *, actor):
    """Add an entry to the end of the list `which` (a key of queries LISTS); returns it. Raises Denied or Refused."""
    permissions.require("dictionary", actor)
    model = LISTS[which].model
    with db.atomic():
        _refuse_name(model, name)
        last = model.select(fn.MAX(model.position)).scalar()
        row = _saved(model.create, name=name, position=0 if last is None else last + 1)
        events.record("dictionary.list_changed", actor=actor, target=row.ref, list=which, entry=row.ref, fields=["added"])
    return row


def change_list_entry(which, ref, *, name, is_retired, version, actor):
    """Rename an entry, retire it or take it back into use. Raises Denied, NotVisible, Refused or Conflict."""
    permissions.require("dictionary", actor)
    with db.atomic():
        now = list_entry(actor, which, ref)
        row = LISTS[which].model.get_by_id(now.id)
        fields = {key: value for key, value in (("name", name), ("is_retired", is_retired)) if getattr(row, key) != value}
        if "name" in fields:
            _refuse_name(type(row), name, row)
        if fields.get("is_retired"):
            _refuse_last(which, ref, "is_retired", actor)
        _saved(row.change, version, **fields)
        events.record("dictionary.list_changed", actor=actor, target=ref, list=which, entry=ref, fields=sorted(fields))
    return row


def move_list_entry(which, ref, down, *, actor):
    """One place down the list, or up; at its end nothing happens. Raises Denied or NotVisible."""
    permissions.require("dictionary", actor)
    with db.atomic():
        rows = list_entries(actor, which)
        place = next((number for number, row in enumerate(rows) if row.ref == ref), None)
        if place is None:
            raise permissions.NotVisible(ref)
        other = place + (1 if down else -1)
        if not 0 <= other < len(rows):
            return
        rows[place], rows[other] = rows[other], rows[place]
        model = LISTS[which].model
        for number, row in enumerate(rows):
            model.update(position=number).where(model.id == row.id).execute()
        events.record("dictionary.list_changed", actor=actor, target=ref, list=which, entry=ref, fields=["position"])


def remove_list_entry(which, ref, *, actor):
    """Delete an entry that nothing in the school has; returns its name. Raises Denied, NotVisible or Refused."""
    permissions.require("dictionary", actor)
    with db.atomic():
        now = list_entry(actor, which, ref)
        _refuse_last(which, ref, "name", actor)
        model = LISTS[which].model
        try:
            with db.atomic():
                gone = not now.is_used and model.delete().where(model.id == now.id).execute()
        except IntegrityError:  # somebody has just used it
            gone = False
        if not gone:
            raise Refused("name", f"{now.name} was used, so it can't be deleted. Retire it: it is offered no more then.")
        events.record("dictionary.list_changed", actor=actor, target=ref, list=which, entry=ref, fields=["removed"])
    return now.name


def _refuse_name(model, name, but=None):
    same = model.select().where(fn.LOWER(model.name) == name.lower())
    if (same if but is None else same.where(model.id != but.id)).exists():
        raise Refused("name", TAKEN)


def _refuse_last(which, ref, field, actor):
    rows = list_entries(actor, which)
    if all(row.is_retired or row.ref == ref for row in rows) and any(row.ref == ref and not row.is_retired for row in rows):
        raise Refused(field, f"It is the only {LISTS[which].one} in use. Add another one first.")


def _saved(save, *values, **fields):
    """Two people who choose the same name at the same moment: the second is told, like anybody who comes later."""
    try:
        with db.atomic():
            return save(*values, **fields)
    except IntegrityError:
        raise Refused("name", TAKEN) from None
