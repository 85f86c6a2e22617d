"""Adding an incident: one transaction for the record, what hangs on it, its event and who is told."""

from typing import NamedTuple

import events
import permissions
from blueprints.account import actions as account_actions
from blueprints.incidents.actions.alerting import tell_alerted
from blueprints.incidents.actions.assigning import checked_assignee
from blueprints.incidents.actions.base import Refused, confirm, refuse_unreachable
from blueprints.incidents.actions.files import save_stored
from blueprints.incidents.queries.choices import STATUSES, form_audience
from blueprints.kit import prepared
from extensions import clock, db
from models import (
    Incident,
    IncidentAlert,
    IncidentAssignment,
    IncidentClosure,
    IncidentStudent,
    IncidentVersion,
    PartCategory,
    Student,
    new_ref,
)


class NewPart(NamedTuple):
    """A student's part as a form gives it: `role` one of ROLES, `category_ids` at least one."""

    student: Student
    role: str
    category_ids: list


def add(
    *,
    actor,
    text,
    happened_at,
    place="",
    parts,
    accounts=(),
    groups=(),
    status=None,
    assigned_to=None,
    stored=(),
    confirmed="",
    draft=None,
):
    """Add an incident and return it. `parts` are NewParts, `accounts` and `groups` are alerted.

    `status` None means that the form had no Status and no Assigned to; else the actor needs the right to set both.
    `stored` are files that were written already: the caller discards them if this raises. `draft` is (key, once) of
    the form's draft. Raises Denied, Refused or Unconfirmed.
    """
    permissions.require("incident.add", actor)
    if status is not None:
        permissions.require("incident.status", actor)
    if assigned_to is not None:
        permissions.require("incident.assign", actor)
    with db.atomic():
        check_students(actor, parts)
        assigned_to = checked_assignee(assigned_to)
        audience = None
        if accounts or groups or assigned_to:
            asked = [(part.student.id, part.category_ids) for part in parts]
            audience = form_audience(actor, parts=asked, accounts=accounts, groups=groups, assigned_to=assigned_to)
            refuse_unreachable(audience, "alert", accounts)
            refuse_unreachable(audience, "assigned_to", [assigned_to] if assigned_to else [])
            confirm(audience.outside, confirmed)
        incident = _create(actor, text, happened_at, place, status or STATUSES[0], assigned_to)
        add_parts(incident, parts)
        _add_alerts(incident, accounts, groups, actor)
        save_stored(stored, actor, incident=incident)
        events.record(
            "incident.added",
            actor=actor,
            target=incident.ref,
            students=[part.student.ref for part in parts],
            status=incident.status,
            assigned_to=assigned_to.ref if assigned_to else None,
            accounts=[account.ref for account in accounts],
            groups=[group.ref for group in groups],
        )
        if assigned_to:
            events.notify("incident_assigned", [assigned_to], actor=actor, target=incident.ref, target_id=incident.id)
        if audience:
            tell_alerted(incident, audience, accounts, groups, actor)
        if draft:
            account_actions.clear_draft(draft[0], actor=actor, once=draft[1])
    return incident


def check_students(actor, parts):
    """There is a student, and the actor may know each of them."""
    ids = {part.student.id for part in parts}
    if not ids:
        raise Refused("students", "Say which student this is about.")
    if {row[0] for row in prepared.rows(_known, actor, ids=sorted(ids))} != ids:
        raise Refused("students", "Somebody you chose is not known. Choose again.")


def _known(actor, ids):
    return permissions.visible_students(actor, Student.id).where(Student.id.in_(ids))


def _create(actor, text, happened_at, place, status, assigned_to):
    ref = new_ref("I-", 6)
    while prepared.rows(_taken, actor, ref=ref):
        ref = new_ref("I-", 6)
    now = clock.now()
    incident = Incident.create(
        ref=ref,
        text=text,
        happened_at=happened_at,
        entered_at=now,
        place=place,
        author=actor,
        status=status,
        assigned_to=assigned_to,
    )
    IncidentVersion.create(incident=incident, number=1, text=text, author=actor, at=now)
    if assigned_to:
        IncidentAssignment.create(incident=incident, to=assigned_to, assigned_by=actor, at=now)
    if status == "Closed":
        IncidentClosure.create(incident=incident, closed_by=actor, closed_at=now)
    return incident


def _taken(actor, ref):
    return Incident.select(Incident.id).where(Incident.ref == ref)


def add_parts(incident, parts):
    """Rows for new students of an incident, in the open transaction."""
    for part in parts:
        row = IncidentStudent.create(incident=incident, student=part.student, role=part.role)
        PartCategory.insert_many(
            [(row.id, category) for category in dict.fromkeys(part.category_ids)],
            fields=[PartCategory.part, PartCategory.category],
        ).execute()


def _add_alerts(incident, accounts, groups, actor):
    now = clock.now()
    rows = [(incident, account, None, actor, now) for account in accounts]
    rows += [(incident, None, group, actor, now) for group in groups]
    if rows:
        fields = [
            IncidentAlert.incident,
            IncidentAlert.account,
            IncidentAlert.group,
            IncidentAlert.alerted_by,
            IncidentAlert.at,
        ]
        IncidentAlert.insert_many(rows, fields=fields).execute()
