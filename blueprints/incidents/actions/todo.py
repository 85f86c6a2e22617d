"""Actions on an incident: what was done, or is to be done, perhaps by somebody and by some day."""

from datetime import timedelta

import events
import permissions
from blueprints.incidents.actions.alerting import add_alerts
from blueprints.incidents.actions.base import Refused
from blueprints.kit.once import told_already
from extensions import clock, db
from models import Account, Incident, IncidentAction

CATCH_UP = timedelta(days=7)  # how long after its day somebody is still told that an action is due


def add_action(incident, *, text, person=None, due_on=None, actor, confirmed=""):
    """Add an action; everybody who reads the incident may.

    A person who does not see the incident yet is alerted, which has to be confirmed, and which only those may do who
    may change the incident. Raises Refused or Unconfirmed.
    """
    permissions.require("incident.read", actor, incident)
    with db.atomic():
        if person is not None and not permissions.incident_reasons(person, incident):
            _let_in(incident, person, actor, confirmed)
        action = IncidentAction.create(incident=incident, text=text, author=actor, person=person, due_on=due_on)
        events.record("incident.action_added", actor=actor, target=incident.ref, action=action.ref)
    return action


def _let_in(incident, person, actor, confirmed):
    if not permissions.may_change_incident(actor, incident):
        ask = "Ask its author or a Key User to alert them, then add the action."
        raise Refused("person", f"{person.name} does not see this incident. {ask}")
    try:
        add_alerts(incident, [person], [], actor, confirmed, confirm_all=True)
    except Refused:
        raise Refused("person", f"{person.name} can't be given an action on this incident.") from None


def set_done(incident, action, done, *, actor, version):
    """Mark an action as done, or as open again: its author, its person, or who may change the incident.

    Raises Conflict if the action is not at `version` any more.
    """
    permissions.require("incident.read", actor, incident)
    concerned = actor.id in (action.author_id, action.person_id)
    if not concerned and not permissions.may_change_incident(actor, incident):
        raise permissions.Denied("incident.change")
    with db.atomic():
        if done == (action.done_at is not None):
            return action
        action.change(version, done_at=clock.now() if done else None, done_by=actor if done else None)
        verb = "incident.action_done" if done else "incident.action_undone"
        events.record(verb, actor=actor, target=incident.ref, action=action.ref)
    return action


def queue_due_actions(today):
    """Tell the person of every open action that is due today, or fell due on a day that was missed.

    Each is told once of an action and its date, however often this is called. Returns how many were told.
    """
    due = (
        IncidentAction.select(IncidentAction.id, IncidentAction.due_on, IncidentAction.person_id, Incident.ref)
        .join_from(IncidentAction, Incident)
        .join_from(IncidentAction, Account, on=(IncidentAction.person == Account.id))
        .where(
            IncidentAction.done_at.is_null()
            & IncidentAction.due_on.between(today - CATCH_UP, today)
            & Account.is_active
        )
        .order_by(IncidentAction.id)
        .namedtuples()
    )
    waiting = {f"action_due:{row.id}:{row.due_on}": row for row in due}
    if not waiting:
        return 0
    with db.atomic():
        for once in told_already("action_due", {once: _told(row) for once, row in waiting.items()}):
            del waiting[once]
        for once, row in waiting.items():
            person, target_id, detail = _told(row)
            events.notify(
                "action_due", [Account(id=person)], actor=None, target=row.ref, target_id=target_id, detail=detail,
                once=once, digest_on=today,
            )  # fmt: skip
    return len(waiting)


def _told(row):
    return row.person, row.id, row.due_on.isoformat()
