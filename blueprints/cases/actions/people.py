"""Primary Advocate, Coordinator and Following Case: saved together, so that two who save at once see each other's choice."""

import events
import permissions
from blueprints.cases.actions.attaching import refuse_unfit
from blueprints.cases.actions.base import refuse_closed
from extensions import db
from models import CaseFollower


def save_people(case, *, primary_advocate, coordinator, following, actor, version):
    """Save an account or None, an account or None, and accounts. Whoever comes into one of the three is told, also by
    email; the same people again change nothing. Raises NotVisible, Denied, Refused or Conflict."""
    permissions.require_managing(actor, case)
    following = {account.id: account for account in following}
    with db.atomic():
        refuse_closed(case, "primary_advocate")
        followers = {row.account_id for row in CaseFollower.select().where(CaseFollower.case == case.id)}
        chosen = {
            "primary_advocate": _new(primary_advocate, case.primary_advocate_id),
            "coordinator": _new(coordinator, case.coordinator_id),
            "following": [account for account in following.values() if account.id not in followers],
        }
        for field, accounts in chosen.items():
            refuse_unfit(case, field, accounts)
        gone = followers - set(following)
        same = (_id(primary_advocate), _id(coordinator)) == (case.primary_advocate_id, case.coordinator_id)
        if same and not gone and not chosen["following"]:
            return case
        case.change(version, primary_advocate=primary_advocate, coordinator=coordinator)
        _follow(case, chosen["following"], gone, actor)
        events.record(
            "case.people_saved",
            actor=actor,
            target=case.ref,
            primary_advocate=primary_advocate.ref if primary_advocate else None,
            coordinator=coordinator.ref if coordinator else None,
            following=sorted(account.ref for account in following.values()),
        )
        new = [account for accounts in chosen.values() for account in accounts]
        events.notify("case_added", new, actor=actor, target=case.ref, target_id=case.id)
    return case


def _id(account):
    return account.id if account else None


def _new(account, before):
    return [account] if account and account.id != before else []


def _follow(case, new, gone, actor):
    CaseFollower.delete().where((CaseFollower.case == case.id) & CaseFollower.account.in_(list(gone))).execute()
    for account in new:
        CaseFollower.create(case=case, account=account, added_by=actor)
