"""Saving the Case Management Dictionary: what each trigger does from now on. Opens nothing for the past
(suggestions.py does that, for those who are chosen)."""

from typing import NamedTuple

from peewee import IntegrityError

import events
import permissions
from blueprints.cases.queries.dictionary import effects, form_effects
from blueprints.cases.queries.triggers import LABELS, settings
from blueprints.kit.refusing import Refused, confirm
from extensions import clock, db
from models import CaseType, Conflict, Trigger, TriggerGroup, TriggerStaff

MANAGE = "dictionary"


class Wanted(NamedTuple):
    """What a trigger is to stand at. `groups` and `staff`: queries.triggers.Named; `case_type`: a reference, "" for the first
    in use. `field` and `answer` are for a form's own trigger alone."""

    is_on: bool
    case_type: str
    title: str
    email_staff: bool
    groups: list
    staff: list
    field: str = ""
    answer: str = ""

    @property
    def attached(self):
        """(ids of groups, ids of accounts) of those in use."""
        return [one.id for one in self.groups if one.in_use], [one.id for one in self.staff if one.in_use]


def change_dictionary(wanted, versions, *, confirmed, actor):
    """Save {kind: Wanted}, each over the version of {kind: version} that it was filled from; returns the kinds that were
    changed. `confirmed` is the confirmation_of() exactly those who come to see cases by it. Raises Denied, Refused (the field
    is "<name>-<kind>"), Unconfirmed or Conflict, and then saves nothing."""
    permissions.require(MANAGE, actor)
    with db.atomic():
        now = settings(actor)
        changed = {kind: fields for kind in wanted if (fields := _changes(now[kind], wanted[kind]))}
        for kind in changed:
            _refuse_stale(now[kind], versions.get(kind))
            _refuse_without_type(kind, wanted[kind])
        before = {kind: (row.is_on, row.attached) for kind, row in now.items()}
        after = before | {kind: (row.is_on, row.attached) for kind, row in wanted.items()}
        confirm([gain for effect in effects(actor, before, after) for gain in effect.gains], confirmed)
        for kind, fields in changed.items():
            _save(Trigger.get_by_id(now[kind].id), wanted[kind], versions[kind], actor)
            events.record("dictionary.changed", actor=actor, kind=kind, fields=fields)
    return list(changed)


def _changes(now, wanted):
    """The names of what is different, as the audit log has them."""
    plain = ("is_on", "case_type", "title", "email_staff", "field", "answer")
    found = [name for name in plain if getattr(now, name) != getattr(wanted, name)]
    lists = ("groups", "staff")
    return found + [name for name in lists if _ids(getattr(now, name)) != _ids(getattr(wanted, name))]


def _ids(rows):
    return {one.id for one in rows}


def _refuse_stale(now, version):
    if version != now.version:
        raise Conflict(Trigger.get_by_id(now.id))


def _refuse_without_type(kind, wanted):
    if wanted.is_on and not CaseType.select().where(~CaseType.is_retired).exists():
        raise Refused(f"is_on-{kind}", f"{LABELS[kind]}: no case type is in use, so no case could be opened. Add one first.")


def _save(row, wanted, version, actor):
    case_type = CaseType.get_or_none(CaseType.ref == wanted.case_type) if wanted.case_type else None
    row.change(
        version, is_on=wanted.is_on, case_type=case_type, title=wanted.title, email_staff=wanted.email_staff,
        field=wanted.field, answer=wanted.answer, changed_by=actor, changed_at=clock.now(),
    )  # fmt: skip
    for link, name, rows in ((TriggerGroup, "group", wanted.groups), (TriggerStaff, "account", wanted.staff)):
        link.delete().where(link.trigger == row.id).execute()
        for one in rows:
            link.create(trigger=row.id, **{name: one.id})


# --- What is different for one form ----------------------------------------------------------------------------------


def change_form_trigger(form, now, wanted, version, *, confirmed, actor):
    """Give a form (a FormRow) a trigger of its own (Wanted), or none (None): it goes by the dictionary then. `now` is its
    Setting, None where it has none; `version` the one that the form was filled from, 0 for none. Raises Denied, Refused,
    Unconfirmed or Conflict."""
    permissions.require(MANAGE, actor)
    with db.atomic():
        row = Trigger.get_or_none((Trigger.kind == "form") & (Trigger.form == form.id))
        if (row.version if row else 0) != version:
            raise Conflict(row or Trigger(kind="form", form=form.id, version=0))
        confirm([gain for effect in form_effects(actor, now, wanted) for gain in effect.gains], confirmed)
        if wanted is None:
            _remove(row)
        else:
            row = row or _added(form)
            _save(row, wanted, row.version, actor)
        fields = ["trigger"] if wanted is None or now is None else _changes(now, wanted)
        events.record("dictionary.changed", actor=actor, target=form.ref, kind="form", fields=fields)


def _added(form):
    try:
        with db.atomic():
            return Trigger.create(kind="form", form=form.id)
    except IntegrityError:
        raise Conflict(Trigger.get((Trigger.kind == "form") & (Trigger.form == form.id))) from None


def _remove(row):
    if row is None:
        return
    for link in (TriggerGroup, TriggerStaff):
        link.delete().where(link.trigger == row.id).execute()
    if not Trigger.delete().where((Trigger.id == row.id) & (Trigger.version == row.version)).execute():
        raise Conflict(row)
