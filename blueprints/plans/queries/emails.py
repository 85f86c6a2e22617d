"""What emails about plans may still say when they are sent. Each returns the template's context, or a sentence why the
email is not sent any more."""

import permissions
from blueprints.plans.queries.plans import today
from models import Plan, PlanStaff


def email_review_due(row, account):
    """`target_id` is the plan."""
    plan = Plan.get_or_none(Plan.id == row.target_id)
    if plan is None or not permissions.record_reasons("plan", account, plan):
        return "this account does not see the plan any more"
    works = PlanStaff.select().where((PlanStaff.plan == plan.id) & (PlanStaff.account == account.id)).exists()
    if plan.lead_id != account.id and not works:
        return "this account does not work on the plan any more"
    if plan.state != "active":
        return "the plan has ended"
    if plan.review_by is None or plan.review_by > today():
        return "the plan was reviewed, or its review was put off"
    return {"ref": plan.ref, "due_on": plan.review_by}
