"""Alerting people and groups: they read the incident from then on, and whoever is on it now is told once.

Membership of an alerted group is followed for reading; who joins later is not told of the past (ruling 5).
"""

import events
from blueprints.incidents.actions.base import confirm, refuse_beyond, refuse_unreachable, require_change
from blueprints.incidents.queries.choices import incident_audience
from extensions import db
from models import GroupMember, IncidentAlert


def alert(incident, accounts, groups, *, actor, confirmed=""):
    """Alert these accounts and groups, as far as they are not alerted already. Raises Denied, Refused, Unconfirmed."""
    require_change(actor, incident)
    with db.atomic():
        add_alerts(incident, accounts, groups, actor, confirmed)
    return incident


def add_alerts(incident, accounts, groups, actor, confirmed, confirm_all=False):
    """The same inside a caller's transaction; `confirm_all` wants everybody confirmed who gets access."""
    known_accounts, known_groups = _alerted(incident)
    accounts = [account for account in accounts if account.id not in known_accounts]
    groups = [group for group in groups if group.id not in known_groups]
    if not accounts and not groups:
        return
    audience = incident_audience(incident, accounts=accounts, groups=groups)
    refuse_unreachable(audience, "alert", accounts)
    refuse_beyond(actor, incident, audience, "alert")
    confirm(audience.new if confirm_all else audience.outside, confirmed)
    for account in accounts:
        IncidentAlert.create(incident=incident, account=account, alerted_by=actor)
    for group in groups:
        IncidentAlert.create(incident=incident, group=group, alerted_by=actor)
    events.record(
        "incident.alerted",
        actor=actor,
        target=incident.ref,
        accounts=[account.ref for account in accounts],
        groups=[group.ref for group in groups],
    )
    told = known_accounts | _members(known_groups)
    tell_alerted(incident, audience, accounts, groups, actor, told)


def tell_alerted(incident, audience, accounts, groups, actor, told=()):
    """Tell each account, and each member of the groups who was not told before (ids), as far as they can read it."""
    wanted = {account.id for account in accounts} | (_members([group.id for group in groups]) - set(told))
    readers = [reader for reader, _ in audience.readers if reader.id in wanted]
    events.notify("incident_alerted", readers, actor=actor, target=incident.ref, target_id=incident.id)


def _alerted(incident):
    """(ids of accounts, ids of groups) that are alerted already."""
    rows = list(incident.alerts.select(IncidentAlert.account_id, IncidentAlert.group_id).tuples())
    return {account for account, _ in rows if account}, {group for _, group in rows if group}


def _members(group_ids):
    if not group_ids:
        return set()
    rows = GroupMember.select(GroupMember.account_id).where(GroupMember.group.in_(list(group_ids)))
    return {account for (account,) in rows.tuples()}
