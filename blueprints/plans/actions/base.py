"""What the writes about plans share: who can be given a plan, and holding the plan that a step is about."""

from blueprints.kit.refusing import Refused
from blueprints.plans.queries.people import unfit
from models import Plan

ACTIVE, ENDED = "active", "ended"
TIERS = (1, 2, 3)


def refuse_unfit(field, accounts, student):
    """Refused at `field` for the first of the accounts that can't be given a plan about the student. Whatever the reason,
    the sentence is the same: an exclusion is nobody's business."""
    for account in accounts:
        if unfit(account, [student]):
            raise Refused(field, f"{account.name} can't be given this. Choose somebody else.")


def refuse_left(field, students):
    """Refused at `field` where one of the students has left the school."""
    for student in students:
        if not student.is_active:
            raise Refused(field, f"{student.name} has left the school: a plan can't be made for them.")


def hold(plan, field):
    """In the open transaction: Refused at `field` where the plan has ended. Holds its row, so that nobody ends it before this
    transaction has ended."""
    if not Plan.update(state=ACTIVE).where((Plan.id == plan.id) & (Plan.state == ACTIVE)).execute():
        raise Refused(field, "This plan has ended. Resume it first.")
