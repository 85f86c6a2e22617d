"""What an email about an incident may still say when it is sent: access is asked for again at that moment.

Each function takes the outbox row and its account, and returns the template's context, or a sentence why the email is
not sent any more. The context is a reference and dates; never a name, a category or a text.
"""

import permissions
from models import Incident, IncidentAction, School


def email_assigned(row, account):
    """`target_id` is the incident."""
    incident = Incident.get_or_none(Incident.id == row.target_id)
    if incident is None or incident.assigned_to_id != account.id:
        return "the incident is not assigned to this account any more"
    if not School.get().cases_module:
        return "the Cases module was switched off"
    return _context(incident, account)


def email_alerted(row, account):
    """`target_id` is the incident."""
    return _context(Incident.get_or_none(Incident.id == row.target_id), account)


def email_action_due(row, account):
    """`target_id` is the action."""
    action = IncidentAction.get_or_none(IncidentAction.id == row.target_id)
    if action is None or action.person_id != account.id:
        return "the action is not this account's any more"
    if action.done_at is not None:
        return "the action is done"
    context = _context(action.incident, account)
    return context if isinstance(context, str) else context | {"due_on": action.due_on}


def _context(incident, account):
    if incident is None or not permissions.incident_reasons(account, incident):
        return "this account does not see the incident any more"
    return {"ref": incident.ref}
