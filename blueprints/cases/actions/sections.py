"""The sections of a case: Presenting, and the agencies of Law Enforcement, Child Protection Services and Prosecution.

Everybody who sees the case fills them in. Nothing is overwritten: Presenting gets a row for each save, an agency leaves
its earlier values in CaseAgencyVersion, and one that is removed stays readable. `number` is always the version that the
form was made from, and the case's row is held while it is compared.
"""

import json

import events
import permissions
from blueprints.account import actions as account_actions
from blueprints.cases.actions.base import Refused, note_activity, refuse_closed
from blueprints.cases.queries.sections import AGENCY_LABELS, SECTIONS
from extensions import clock, db
from models import CaseAgency, CaseAgencyVersion, CasePresenting, Conflict


def save_presenting(case, values, *, actor, number, draft=None):
    """Save the section Presenting anew; `values` are its four fields, `number` is 0 while it was never filled in.

    Raises NotVisible, Refused, or Conflict if somebody saved it meanwhile. `draft` is (key, once) of the form's draft.
    """
    permissions.require("case.read", actor, case=case)
    with db.atomic():
        refuse_closed(case, "referral_date")
        now = CasePresenting.select().where(CasePresenting.case == case.id).order_by(CasePresenting.number.desc()).first()
        if now is not None and now.number != number:
            raise Conflict(now)
        if now is None or _differing(now, values):
            number = now.number + 1 if now else 1
            now = CasePresenting.create(case=case, number=number, author=actor, at=clock.now(), **values)
            events.record("case.presenting_saved", actor=actor, target=case.ref, number=number)
            note_activity(case, "section", actor=actor)
        _forget(draft, actor)
    return now


def add_agency(case, section, values, *, actor, draft=None):
    """Add an agency to one of SECTIONS; `values` are the fields of AGENCY_LABELS. Raises NotVisible or Refused."""
    permissions.require("case.read", actor, case=case)
    if section not in SECTIONS:
        raise permissions.NotVisible(section)
    with db.atomic():
        refuse_closed(case, "agency")
        row = CaseAgency.create(case=case, section=section, author=actor, at=clock.now(), **values)
        events.record("case.agency_added", actor=actor, target=case.ref, agency=row.ref, section=section)
        note_activity(case, "section", actor=actor)
        _forget(draft, actor)
    return row


def change_agency(case, agency, values, *, actor, number, draft=None):
    """Change an agency of this case; its author is then whoever did. Raises NotVisible, Refused or Conflict."""
    permissions.require("case.read", actor, case=case)
    with db.atomic():
        refuse_closed(case, "agency")
        now = _as_it_stands(case, agency)
        if now.removed_at is not None:
            raise Refused("agency", "Somebody removed this while you were typing. Copy what you need into a new one.")
        if now.version != number:
            raise Conflict(now)
        fields = _differing(now, values)
        if fields:
            was = json.dumps({name: getattr(now, name) for name in AGENCY_LABELS}, default=str, ensure_ascii=False)
            CaseAgencyVersion.create(agency=now, number=number, fields=was, author=now.author_id, at=now.at)
            now.change(number, **values, author=actor, at=clock.now())
            events.record("case.agency_changed", actor=actor, target=case.ref, agency=now.ref, fields=fields)
            note_activity(case, "section", actor=actor)
        _forget(draft, actor)
    return now


def remove_agency(case, agency, *, actor):
    """Take an agency off the case's page; all its wordings stay readable. Raises NotVisible or Refused."""
    permissions.require("case.read", actor, case=case)
    with db.atomic():
        refuse_closed(case, "agency")
        now = _as_it_stands(case, agency)
        if now.removed_at is None:
            removed = {"removed_at": clock.now(), "removed_by": actor}
            CaseAgency.update(**removed).where(CaseAgency.id == now.id).execute()
            events.record("case.agency_removed", actor=actor, target=case.ref, agency=now.ref)
            note_activity(case, "section", actor=actor)


def _as_it_stands(case, agency):
    row = CaseAgency.get_or_none((CaseAgency.id == agency.id) & (CaseAgency.case == case.id))
    if row is None:
        raise permissions.NotVisible(agency.ref)
    return row


def _differing(row, values):
    return [name for name, value in values.items() if getattr(row, name) != value]


def _forget(draft, actor):
    if draft:
        account_actions.clear_draft(draft[0], actor=actor, once=draft[1])
