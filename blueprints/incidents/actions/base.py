"""What the writes share. Nothing here writes."""

import permissions
from blueprints.kit.refusing import Refused, Unconfirmed, confirm

__all__ = ["Refused", "Unconfirmed", "confirm", "refuse_beyond", "refuse_unreachable", "require_change"]


def require_change(actor, incident):
    """Raise NotVisible, or Denied for a reader who may not change the incident."""
    permissions.require("incident.read", actor, incident)
    if not permissions.may_change_incident(actor, incident):
        raise permissions.Denied("incident.change")


def refuse_unreachable(audience, field, accounts):
    """Somebody chosen by name has to be able to see the incident; why they can't is nobody's business here."""
    _refuse(field, [account.name for account in accounts if not audience.reads(account)])


def refuse_beyond(actor, incident, audience, field):
    """Whoever sees only some students' parts lets nobody into the others, not themselves either. The sentence is the one for
    somebody who can't see the incident: another would tell that there are others."""
    if audience.outside and not permissions.sees_every_part(actor, incident):
        _refuse(field, [account.name for account in audience.outside])


def _refuse(field, names):
    if names:
        verb = "be assigned" if field == "assigned_to" else "be alerted to"
        raise Refused(field, f"{' and '.join(names)} can't {verb} this incident. Choose somebody else.")
