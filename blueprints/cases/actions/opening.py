"""Opening a case by hand, and its title and type."""

import events
import permissions
from blueprints.account import actions as account_actions
from blueprints.cases.actions.base import Refused, refuse_closed
from blueprints.cases.actions.linking import add_link
from blueprints.incidents import queries as incidents
from extensions import clock, db
from models import Case, CasePresenting, CaseType, new_ref


def open_case(*, actor, student, title, case_type, presenting=None, incident=None, draft=None):
    """Open a case about `student` and return it. Raises Denied, NotVisible or Refused.

    `case_type`: an id. `presenting`: the section Presenting (referral_date, source, concern, narrative) or None.
    `incident` is linked; the actor has to see it, and this student's part in it. `draft` is (key, once) of the form's.
    """
    permissions.require("case.open", actor, student=student)
    if incident is not None:
        _require_part(actor, incident, student)
    with db.atomic():
        kind = CaseType.get_or_none((CaseType.id == case_type) & ~CaseType.is_retired)
        if kind is None:
            raise Refused("case_type", "This case type can't be chosen any more. Choose another.")
        now = clock.now()
        case = Case.create(
            ref=free_ref(), student=student, case_type=kind, title=title, opened_by=actor, opened_at=now, last_activity_at=now
        )
        events.record("case.opened", actor=actor, target=case.ref, student=student.ref, case_type=kind.ref)
        if presenting:
            CasePresenting.create(case=case, number=1, author=actor, at=now, **presenting)
            events.record("case.presenting_saved", actor=actor, target=case.ref, number=1)
        if incident is not None:
            add_link(case, incident, actor=actor)
        if draft:
            account_actions.clear_draft(draft[0], actor=actor, once=draft[1])
    return case


def _require_part(actor, incident, student):
    """The incident is linked only by who sees it, and for a student whose part in it they see."""
    permissions.require("incident.read", actor, incident)
    loaded = incidents.incident(actor, incident.ref, audit=False)
    if student.id not in {part.student_id for part in incidents.parts(actor, loaded)}:
        raise Refused("student", f"Choose somebody who has a part in the incident {incident.ref}.")


def free_ref():
    """A reference that no case has."""
    ref = new_ref("C-", 6)
    while Case.select(Case.id).where(Case.ref == ref).exists():
        ref = new_ref("C-", 6)
    return ref


def change_case(case, *, title, case_type, actor, version):
    """Another title or type (an id). Raises NotVisible, Denied, Refused or Conflict."""
    permissions.require_managing(actor, case)
    with db.atomic():
        refuse_closed(case, "title")
        fields = {"title": title} if title != case.title else {}
        if case_type != case.case_type_id:
            if not CaseType.select().where((CaseType.id == case_type) & ~CaseType.is_retired).exists():
                raise Refused("case_type", "This case type can't be chosen any more. Choose another.")
            fields["case_type"] = case_type
        if fields:
            case.change(version, **fields)
            events.record("case.changed", actor=actor, target=case.ref, fields=sorted(fields))
    return case
