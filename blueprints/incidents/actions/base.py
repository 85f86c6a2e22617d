"""What the writes share. Nothing here writes."""

import permissions
from blueprints.kit.refusing import Refused, Unconfirmed, confirm

__all__ = ["Refused", "Unconfirmed", "confirm", "refuse_unreachable", "require_change"]


def require_change(actor, incident):
    """Raise NotVisible, or Denied for a reader who may not change the incident."""
    permissions.require("incident.read", actor, incident)
    if not permissions.may_change_incident(actor, incident):
        raise permissions.Denied("incident.change")


def refuse_unreachable(audience, field, accounts):
    """Somebody chosen by name has to be able to see the incident; why they can't is nobody's business here."""
    lost = [account.name for account in accounts if not audience.reads(account)]
    if lost:
        verb = "be assigned" if field == "assigned_to" else "be alerted to"
        raise Refused(field, f"{' and '.join(lost)} can't {verb} this incident. Choose somebody else.")
