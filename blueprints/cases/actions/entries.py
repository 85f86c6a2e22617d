"""Entries of a case. A text is never overwritten: each edit is a version of its own."""

import events
import permissions
from blueprints.account import actions as account_actions
from blueprints.cases.actions.base import note_activity, refuse_closed
from extensions import clock, db
from models import CaseEntry, CaseEntryVersion, Conflict


def add_entry(case, text, *, actor, draft=None):
    """Add an entry and return it; everybody who sees the case may. `draft` is (key, once) of the form's draft.

    Raises NotVisible, or Refused while the case is closed.
    """
    permissions.require("case.read", actor, case=case)
    with db.atomic():
        refuse_closed(case, "text")
        now = clock.now()
        entry = CaseEntry.create(case=case, author=actor, at=now, text=text)
        CaseEntryVersion.create(entry=entry, number=1, text=text, author=actor, at=now)
        events.record("case.entry_added", actor=actor, target=case.ref, entry=entry.ref)
        note_activity(case, "entry", actor=actor)
        if draft:
            account_actions.clear_draft(draft[0], actor=actor, once=draft[1])
    return entry


def edit_entry(case, entry, text, reason, *, actor, number, draft=None):
    """Add a version of an entry of this case; `number` is the version that was edited, and its text unchanged is no
    edit. For whoever wrote the entry or manages the case. Raises NotVisible, Denied, Refused, or Conflict if there is a
    newer version.
    """
    permissions.require("case.read", actor, case=case)
    if entry.author_id != actor.id:
        permissions.require_managing(actor, case)
    with db.atomic():
        refuse_closed(case, "text")
        now = CaseEntry.get_or_none((CaseEntry.id == entry.id) & (CaseEntry.case == case.id))
        if now is None:
            raise permissions.NotVisible(entry.ref)
        if now.text_version != number:
            raise Conflict(now)
        if text != now.text:
            _add_version(now, text, reason, actor)
            events.record("case.entry_changed", actor=actor, target=case.ref, entry=entry.ref, number=number + 1)
            note_activity(case, "entry", actor=actor)
        if draft:
            account_actions.clear_draft(draft[0], actor=actor, once=draft[1])
    return now


def _add_version(entry, text, reason, actor):
    """The case's row is held: nobody else adds a version of one of its entries meanwhile."""
    entry.text, entry.text_version = text, entry.text_version + 1
    CaseEntry.update(text=text, text_version=entry.text_version).where(CaseEntry.id == entry.id).execute()
    CaseEntryVersion.create(entry=entry, number=entry.text_version, text=text, author=actor, at=clock.now(), reason=reason)
