"""Many plans: the rows of a list with the reasons of their reader, filters, and what an export takes.

Every list starts from permissions.visible_plans(); no concern, note or measured value is in one.
"""

from datetime import date
from typing import NamedTuple

from peewee import SQL, NodeList, fn

import permissions
from blueprints.kit import prepared
from blueprints.kit.text import one_line
from blueprints.plans.queries.plans import Lead, title_of
from blueprints.plans.queries.words import BECAUSE
from blueprints.students import queries as students
from models import Account, Plan, Student

COLUMNS = (
    Plan.id,
    Plan.ref,
    Plan.goal,
    Plan.tier,
    Plan.state,
    Plan.starts_on,
    Plan.review_by,
    Plan.ended_at,
    Lead.name,
    Student.ref,
    Student.preferred_name,
    Student.first_name,
    Student.last_name,
)


class PlanRow(NamedTuple):
    """One row of a list; `because` says in words why its reader sees it, `may_manage` whether they may do more than that."""

    ref: str
    title: str
    tier: int
    state: str
    starts_on: date
    review_by: date | None
    ended_at: object
    lead: str
    student_ref: str
    student_name: str
    because: str
    may_manage: bool


def paging(user, *, text="", **filters):
    """(fetch, count) for kit.listing.paginate(): PlanRows, by student; with due_by by the day they are due.

    `filters`: those of state, due_by (a day: due for review then or before), tier, lead_id and student_id that are on.
    """
    if text:
        query = filtered(user, text=text, **filters)
        by_day = "due_by" in filters
        return (
            lambda most, start: _rows(user, _page(query, user, most, start, by_day).tuples()),
            lambda most: query.limit(most).count(),
        )
    return (
        lambda most, start: _rows(user, prepared.rows(_page_rows, user, most=most, start=start, **filters)),
        lambda most: len(prepared.rows(_page_ids, user, most=most, **filters)),
    )


def filtered(user, *, text="", state=None, due_by=None, tier=None, lead_id=None, student_id=None):
    """The plans `user` may see that fit, as a query on Plan. `text`: each word is in the goal or in the student's name."""
    query = permissions.visible_plans(user, Plan.id).join_from(Plan, Student)
    if state is not None:
        query = query.where(Plan.state == state)
    if due_by is not None:
        query = query.where(Plan.review_by <= due_by)
    if tier is not None:
        query = query.where(Plan.tier == tier)
    if lead_id is not None:
        query = query.where(Plan.lead == lead_id)
    if student_id is not None:
        query = query.where(Plan.student == student_id)
    for word in one_line(text)[: students.LONGEST_QUERY].split():
        query = query.where(_has(user, word))
    return query


def _has(user, word):
    escaped = word.lower().replace("!", "!!").replace("%", "!%").replace("_", "!_")
    found = NodeList((fn.LOWER(Plan.goal), SQL("LIKE"), f"%{escaped}%", SQL("ESCAPE '!'")), parens=True)
    in_name = SQL("1 = 1")
    for condition in (named := students.matching(user, word)):
        in_name &= condition
    return found | in_name if named else found


def _order(by_day):
    by_student = (Student.sort_name, Plan.state, Plan.starts_on.desc(), Plan.id)
    return (Plan.review_by, *by_student) if by_day else by_student


def _listed(user, by_day):
    """Every plan, as a list shows it to `user`, to be narrowed to those that are shown."""
    query = Plan.select(*COLUMNS, *permissions.record_reason_columns("plan", user)).join_from(Plan, Student)
    return query.join_from(Plan, Lead, on=(Plan.lead == Lead.id)).order_by(*_order(by_day))


def _page(query, user, most, start, by_day):
    """Why its reader sees a plan is asked of the rows of the page alone."""
    return _listed(user, by_day).where(Plan.id.in_(query.order_by(*_order(by_day)).limit(most).offset(start)))


def _page_rows(user, most, start, **filters):
    return _page(filtered(user, **filters), user, most, start, "due_by" in filters)


def _page_ids(user, most, **filters):
    return filtered(user, **filters).limit(most)


def _rows(user, rows):
    reasons = permissions.reason_names("plan", user.role, user.is_active)
    found = []
    for row in rows:
        ref, goal, tier, state, starts_on, review_by, ended_at, lead, student_ref, preferred, first, last = row[1:13]
        mine = [name for name, holds in zip(reasons, row[13:], strict=True) if holds]
        because = ", ".join(BECAUSE[name] for name in mine)
        may_manage = bool(permissions.MANAGE_PLAN & set(mine))
        found.append(PlanRow(ref, title_of(goal, tier), tier, state, starts_on, review_by, ended_at, lead, student_ref,
                             f"{preferred or first} {last}", because, may_manage))  # fmt: skip
    return found


def export_rows(user, **filters):
    """Every PlanRow of filtered() in the order of the list."""
    return _rows(user, _listed(user, "due_by" in filters).where(Plan.id.in_(filtered(user, **filters))).tuples())


def leads(user):
    """(id, reference, name) of everybody who leads a plan that `user` may see, by name."""
    return prepared.rows(_leads, user)


def _leads(user):
    led = permissions.visible_plans(user, Plan.lead)
    return Account.select(Account.id, Account.ref, Account.name).where(Account.id.in_(led)).order_by(Account.name, Account.id)
