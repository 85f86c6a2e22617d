"""Closing a case with a reason and an outcome, and reopening it with a reason."""

import events
import permissions
from blueprints.cases.actions.base import Refused, note_activity
from extensions import clock, db
from models import CaseClosure, CloseReason


def close_case(case, *, reason, outcome, actor, version):
    """Close the case; `reason` is the id of a CloseReason. Raises NotVisible, Denied, Refused or Conflict."""
    permissions.require_managing(actor, case)
    with db.atomic():
        chosen = CloseReason.get_or_none((CloseReason.id == reason) & ~CloseReason.is_retired)
        if chosen is None:
            raise Refused("reason", "This reason can't be chosen any more. Choose another.")
        if case.status == "Closed":
            raise Refused("reason", "This case is closed already.")
        case.change(version, status="Closed")
        CaseClosure.create(case=case, closed_by=actor, closed_at=clock.now(), reason=chosen, outcome=outcome)
        events.record("case.closed", actor=actor, target=case.ref, reason=chosen.ref)
        note_activity(case, "closing", actor=actor)
    return case


def reopen_case(case, *, reason, actor, version):
    """Make the case Open again; `reason` is said in its history. Raises NotVisible, Denied, Refused or Conflict."""
    permissions.require_managing(actor, case)
    with db.atomic():
        if case.status == "Open":
            raise Refused("reason", "This case is open already.")
        case.change(version, status="Open")
        CaseClosure.update(reopened_by=actor, reopened_at=clock.now(), reopen_reason=reason).where(
            (CaseClosure.case == case.id) & CaseClosure.reopened_at.is_null()
        ).execute()
        events.record("case.reopened", actor=actor, target=case.ref)
        note_activity(case, "reopening", actor=actor)
    return case
