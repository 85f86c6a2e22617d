"""The incidents linked to a case, as far as this reader sees them: of the others there is no trace, in no count either."""

from datetime import datetime
from typing import NamedTuple

from peewee import JOIN

import permissions
from blueprints.incidents import queries as incidents
from blueprints.kit import prepared
from models import Account, CaseIncident, Incident

Linker, Assignee = Account.alias("linker"), Account.alias("linked_assignee")


class Link(NamedTuple):
    """A linked incident, and who linked it when."""

    ref: str
    status: str
    happened_at: datetime
    assigned_name: str | None
    linked_at: datetime
    linked_by: str
    linked_by_id: int


def linked_incidents(user, case):
    """Links, what happened last first."""
    return [Link(*row) for row in prepared.rows(_linked, user, case_id=case.id)]


def _linked(user, case_id):
    return (
        permissions.visible_incidents(user, among=[Incident.id.in_(_ids(case_id))])
        .select(
            Incident.ref,
            Incident.status,
            Incident.happened_at,
            Assignee.name,
            CaseIncident.at,
            Linker.name,
            CaseIncident.linked_by,
        )
        .join_from(Incident, CaseIncident, on=((CaseIncident.incident == Incident.id) & (CaseIncident.case == case_id)))
        .join_from(CaseIncident, Linker, on=(CaseIncident.linked_by == Linker.id))
        .join_from(Incident, Assignee, JOIN.LEFT_OUTER, on=(Incident.assigned_to == Assignee.id))
        .order_by(Incident.happened_at.desc(), Incident.id.desc())
    )


def _ids(case_id):
    of_case = CaseIncident.alias("of_case")
    return of_case.select(of_case.incident).where(of_case.case == case_id)


def linked_summaries(user, case):
    """The same as Summaries of incidents: with the parts that this reader may see."""
    query = permissions.visible_incidents(user, among=[Incident.id.in_(_ids(case.id))])
    return incidents.summaries(user, incidents.listed(query))


def linked_incident(user, case, ref):
    """One incident that is linked to this case and that `user` sees, or NotVisible."""
    row = incidents.incident(user, ref, audit=False)
    if not CaseIncident.select().where((CaseIncident.case == case.id) & (CaseIncident.incident == row.id)).exists():
        raise permissions.NotVisible(f"{case.ref}/{ref}")
    return row
