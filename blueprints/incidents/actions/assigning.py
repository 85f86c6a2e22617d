"""Status and Assigned to. Both exist only while the Cases module is on; permissions.require() sees to that."""

import events
import permissions
from blueprints.incidents.actions.base import Refused, confirm, refuse_beyond, refuse_unreachable
from blueprints.incidents.queries.choices import incident_audience, pick_assignee
from extensions import clock, db
from models import BulkClosingNotice, Conflict, Incident, IncidentAssignment, IncidentClosure


def checked_assignee(account):
    """The account as it stands now if it can be assigned, None for Nobody; else Refused."""
    if account is None:
        return None
    account, problem = pick_assignee(account.ref)
    if problem:
        raise Refused("assigned_to", problem)
    return account


def assign(incident, to, *, actor, version, confirmed=""):
    """Assign the incident to an account, or with None to Nobody. The same person again changes nothing.

    Raises Conflict if the incident is not at `version` any more, Refused, or Unconfirmed.
    """
    permissions.require("incident.assign", actor, incident)
    with db.atomic():
        if (to.id if to else None) == incident.assigned_to_id:
            return incident
        to = checked_assignee(to)
        if to:
            audience = incident_audience(incident, assigned_to=to)
            refuse_unreachable(audience, "assigned_to", [to])
            refuse_beyond(actor, incident, audience, "assigned_to")
            confirm(audience.outside, confirmed)
        old = incident.assigned_to
        incident.change(version, assigned_to=to)
        IncidentAssignment.create(incident=incident, to=to, assigned_by=actor)
        events.record(
            "incident.assigned",
            actor=actor,
            target=incident.ref,
            old=old.ref if old else None,
            new=to.ref if to else None,
        )
        if to:
            events.notify("incident_assigned", [to], actor=actor, target=incident.ref, target_id=incident.id)
    return incident


def set_status(incident, status, *, actor, version, reason=""):
    """Close the incident, or with a reason make it Active again. Raises Conflict or Refused."""
    permissions.require("incident.status", actor, incident)
    with db.atomic():
        if status == incident.status:
            if version != incident.version:
                raise Conflict(Incident.get_by_id(incident.id))
            return incident
        if status == "Active" and not reason:
            raise Refused("reason", "Say why it becomes Active again.")
        incident.change(version, status=status)
        if status == "Closed":
            IncidentClosure.create(incident=incident, closed_by=actor)
            events.record("incident.closed", actor=actor, target=incident.ref)
        else:
            IncidentClosure.update(reopened_by=actor, reopened_at=clock.now(), reopen_reason=reason).where(
                (IncidentClosure.incident == incident.id) & IncidentClosure.reopened_at.is_null()
            ).execute()
            events.record("incident.reopened", actor=actor, target=incident.ref)
    return incident


def see_bulk_notices(*, actor):
    """The dashboard has shown `actor` what bulk closings closed: don't show it again."""
    unseen = (BulkClosingNotice.account == actor) & BulkClosingNotice.seen_at.is_null()
    BulkClosingNotice.update(seen_at=clock.now()).where(unseen).execute()
