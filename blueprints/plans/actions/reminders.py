"""Telling the people of a plan that it is due for review: the minutely job's part, once for each plan, date and person."""

from datetime import timedelta

import events
import permissions
from blueprints.kit.once import told_already
from blueprints.plans.actions.base import ACTIVE
from extensions import db
from models import Account, Plan, PlanStaff

KIND = "plan_review_due"
CATCH_UP = timedelta(days=7)  # how long after its day somebody is still told that a plan is due for review


def queue_due_reviews(today):
    """Tell the lead of every active plan that is due for review today, or fell due on a day that was missed, and who else
    works on it, as far as they see it. Each is told once of a plan and its date, however often this is called. Returns how
    many were told."""
    waiting = {_once(*row): row for row in _due(today)}
    if not waiting:
        return 0
    with db.atomic():
        told = {once: (account, plan_id, review_by.isoformat()) for once, (plan_id, review_by, _, account) in waiting.items()}
        for once in told_already(KIND, told):
            del waiting[once]
        for once, (plan_id, review_by, ref, account) in waiting.items():
            events.notify(
                KIND, [Account(id=account)], actor=None, target=ref, target_id=plan_id, detail=review_by.isoformat(),
                once=once, digest_on=today,
            )  # fmt: skip
    return len(waiting)


def _once(plan_id, review_by, _ref, account):
    return f"{KIND}:{plan_id}:{review_by}:{account}"


def _due(today):
    """(id of the plan, date, its reference, id of the account) of everybody who is to know, each once, in one order."""
    works = PlanStaff.select(PlanStaff.account).where(PlanStaff.plan == Plan.id)
    here = (Account.id == Plan.lead) | Account.id.in_(works)
    return (
        Plan.select(Plan.id, Plan.review_by, Plan.ref, Account.id)
        .join(Account, on=here)
        .where((Plan.state == ACTIVE) & Plan.review_by.between(today - CATCH_UP, today))
        .where(Account.is_active & permissions.sees_plan(Account))
        .order_by(Plan.id, Account.id)
        .tuples()
    )

