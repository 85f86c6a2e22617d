"""Linking incidents to a case: the link alone, never the text.

A link is told only to people who see the incident, and does not move the case in anybody's list: for the others on the
case nothing has happened.
"""

from peewee import IntegrityError

import events
import permissions
from blueprints.cases.actions.base import Refused, refuse_closed
from extensions import db
from models import CaseIncident


def link_incident(case, incident, *, actor):
    """Link an incident that `actor` sees to a case they are on. Raises NotVisible or Refused."""
    permissions.require("case.read", actor, case=case)
    permissions.require("incident.read", actor, incident)
    with db.atomic():
        refuse_closed(case, "incident")
        add_link(case, incident, actor=actor)
    return incident


def add_link(case, incident, *, actor):
    """The same in a caller's transaction, which has asked whether `actor` sees both."""
    try:
        with db.atomic():
            CaseIncident.create(case=case, incident=incident, linked_by=actor)
    except IntegrityError:
        raise Refused("incident", "This incident is linked already.") from None
    events.record("case.incident_linked", actor=actor, target=case.ref, incident=incident.ref)
    _tell(case, incident, actor)


def _tell(case, incident, actor):
    """Whoever works on the case and sees the incident learns that something came in."""
    seeing = {account.id for account, _ in permissions.who_can_see_incident(incident)}
    people = [
        account
        for account, reasons in permissions.who_can_see_case(case)
        if account.id in seeing and permissions.ON_CASE & set(reasons)
    ]
    events.notify("case_changed", people, actor=actor, target=case.ref, target_id=case.id, detail="incident")


def unlink_incident(case, incident, *, actor):
    """Take the link away again: for whoever made it, and those who manage the case. Raises NotVisible, Denied or Refused."""
    permissions.require("incident.read", actor, incident)
    reasons = permissions.case_reasons(actor, case)
    link = CaseIncident.get_or_none((CaseIncident.case == case.id) & (CaseIncident.incident == incident.id))
    if not reasons or link is None:
        raise permissions.NotVisible(f"{case.ref}/{incident.ref}")
    if link.linked_by_id != actor.id and not permissions.MANAGE_CASE & set(reasons):
        raise permissions.Denied("case.manage")
    with db.atomic():
        refuse_closed(case, "incident")
        CaseIncident.delete().where(CaseIncident.id == link.id).execute()
        events.record("case.incident_unlinked", actor=actor, target=case.ref, incident=incident.ref)
