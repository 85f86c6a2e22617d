"""The progress points of a plan, and the chart that they are drawn as."""

from datetime import date
from typing import NamedTuple

from blueprints.kit.records import one_of
from blueprints.kit.trend import Trend
from blueprints.plans.queries.words import number
from models import Account, PlanPoint

DRAWN = 120  # points of a chart: what a page carries, and what an eye can tell apart


class Point(NamedTuple):
    """A progress point with the name of who measured it."""

    ref: str
    day: date
    value: float
    note: str
    author: str


def points(user, plan, most=None):
    """The Points of the plan, the newest first, at most so many."""
    row = PlanPoint
    query = row.select(row.ref, row.day, row.value, row.note, Account.name).join(Account, on=(row.author == Account.id))
    query = query.where((row.plan == plan.id) & row.removed_at.is_null()).order_by(row.day.desc(), row.id.desc())
    return [Point(*each) for each in query.limit(most).tuples()]


def point(user, plan, ref):
    """One point of this plan, or NotVisible."""
    return one_of(plan, PlanPoint.plan, ref)


def chart(plan, newest):
    """The Trend of these Points, the newest first; the last DRAWN of them are drawn. None where there is none."""
    drawn = newest[:DRAWN][::-1]
    if not drawn:
        return None
    lines = [(label, value) for label, value in (("Baseline", plan.baseline), ("Target", plan.target)) if value is not None]
    start = plan.starts_on if len(newest) <= DRAWN else None
    return Trend(plan.measure or "Progress", [(point.day, point.value) for point in drawn], lines, start=start, write=number)
