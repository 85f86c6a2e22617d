"""Putting a task, a meeting, a plan, a review, a form response or a file onto a case by hand, and taking off what was put there.

It shows the record to those who are on the case, so whoever puts it there sees it for another reason than a case, and has
said yes to exactly those who gain access. What opened the case or joined it by itself stays.
"""

from peewee import IntegrityError

import events
import permissions
from blueprints.cases.actions.base import Refused, note_activity, refuse_closed
from blueprints.cases.queries.records import new_record_readers, record, require_own_reason
from blueprints.kit.refusing import confirm
from extensions import clock, db
from models import CaseRecord


def put_record(case, kind, ref, *, confirmed, actor):
    """Put the record of this kind (as in models.CaseRecord) and reference onto a case of its student; returns its Row.
    `confirmed` is the confirmation_of() those who come to see it. Raises NotVisible, Denied, Refused or Unconfirmed."""
    permissions.require("case.read", actor, case=case)
    shown, row, asked, asked_kind = record(actor, case, kind, ref)
    require_own_reason(actor, asked_kind, asked)
    with db.atomic():
        refuse_closed(case, "record")
        confirm(new_record_readers(actor, case, kind, asked), confirmed)
        fields = {"kind": kind, "record_id": row.id, "record": asked.ref, "how": "linked", "by": actor, "at": clock.now()}
        try:
            with db.atomic():
                CaseRecord.create(case=case, **fields)
        except IntegrityError:
            raise Refused("record", "This belongs to the case already.") from None
        events.record("case.record_linked", actor=actor, target=case.ref, kind=kind, record=asked.ref)
        note_activity(case, kind, actor=actor, record_id=row.id)
    return shown


def take_record_off(case, kind, ref, *, actor):
    """Take off a record that was put there by hand: for whoever did, and those who manage the case. Returns its Row. Raises
    NotVisible, Denied or Refused."""
    reasons = permissions.case_reasons(actor, case)
    if not reasons:
        raise permissions.NotVisible(case.ref)
    shown, row, asked, _ = record(actor, case, kind, ref)
    there = (CaseRecord.case == case.id) & (CaseRecord.kind == kind) & (CaseRecord.record_id == row.id)
    link = CaseRecord.get_or_none(there)
    if link is None:
        raise permissions.NotVisible(f"{case.ref}/{ref}")
    if link.by_id != actor.id and not permissions.MANAGE_CASE & set(reasons):
        raise permissions.Denied("case.manage")
    with db.atomic():
        refuse_closed(case, "record")
        if link.how != "linked":
            raise Refused("record", "What opened a case or joined it by itself stays on it.")
        CaseRecord.delete().where(CaseRecord.id == link.id).execute()
        events.record("case.record_unlinked", actor=actor, target=case.ref, kind=kind, record=asked.ref)
    return shown
