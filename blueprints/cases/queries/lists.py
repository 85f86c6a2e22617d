"""Many cases: the rows of a list with the reasons of their reader, filters, and what an export takes.

Every list starts from permissions.visible_cases() or permissions.cases_on(); no text of a case is in one.
"""

from datetime import datetime
from functools import cache
from typing import NamedTuple

from peewee import SQL, NodeList, fn

import permissions
from blueprints.kit import prepared
from blueprints.kit.text import one_line
from blueprints.students import queries as students
from models import Account, Case, CaseType, Student

STATUSES = ("Open", "Closed")
# As the column "Because" says it, to the person themselves; "Who can see this" has whole words (permissions.py).
BECAUSE = {
    "primary_advocate": "Primary Advocate",
    "coordinator": "Coordinator",
    "following": "Following Case",
    "assigned": "Assigned",
    "group": "Member of an attached group",
    "group_manager": "Manager of an attached group",
    "opened_it": "Opened it",
    "admin": "Admin Key Holder",
}
COLUMNS = (
    Case.id,
    Case.ref,
    Case.title,
    Case.status,
    Case.opened_at,
    Case.last_activity_at,
    CaseType.name,
    Student.ref,
    Student.preferred_name,
    Student.first_name,
    Student.last_name,
)


class CaseRow(NamedTuple):
    """One row of a list; `because` says in words why its reader sees it."""

    id: int
    ref: str
    title: str
    status: str
    opened_at: datetime
    last_activity_at: datetime
    case_type: str
    student_ref: str
    student_name: str
    because: str


def paging(user, *, mine=False, text="", **filters):
    """(fetch, count) for kit.listing.paginate(): CaseRows, newest activity first.

    `mine`: only the cases `user` is on. `filters`: those of status, type_id and student_id that are on.
    """
    if text:
        query = filtered(user, mine=mine, text=text, **filters)
        return (
            lambda most, start: _rows(user, _page(query, user, most, start).tuples()),
            lambda most: query.limit(most).count(),
        )
    if mine:
        return _mine(user, filters)
    return (
        lambda most, start: _rows(user, prepared.rows(_all_rows, user, most=most, start=start, **filters)),
        lambda most: len(prepared.rows(_all_ids, user, most=most, **filters)),
    )


def _mine(user, filters):
    """(fetch, count) of the cases one is on. They are all gone through to find the newest, so they are counted with it."""
    counted = []

    def fetch(most, start):
        rows = prepared.rows(_my_rows, user, most=most, start=start, **filters)
        counted[:] = [row[-1] for row in rows[:1]]
        return _rows(user, [row[:-1] for row in rows])

    def count(most):
        return min(counted[0], most) if counted else len(prepared.rows(_my_ids, user, most=most, **filters))

    return fetch, count


def filtered(user, *, mine=False, text="", status=None, type_id=None, student_id=None):
    """The cases `user` may see, or with `mine` is on, that fit, as a query on Case.

    `text`: each word has to be in the title or in the student's name.
    """
    query = permissions.cases_on(user, Case.id) if mine else permissions.visible_cases(user, Case.id)
    if text:
        query = query.join_from(Case, Student)
    if status is not None:
        query = query.where(Case.status == status)
    if type_id is not None:
        query = query.where(Case.case_type == type_id)
    if student_id is not None:
        query = query.where(Case.student == student_id)
    for word in one_line(text)[: students.LONGEST_QUERY].split():
        query = query.where(_has(user, word))
    return query


def _has(user, word):
    escaped = word.lower().replace("!", "!!").replace("%", "!%").replace("_", "!_")
    found = NodeList((fn.LOWER(Case.title), SQL("LIKE"), f"%{escaped}%", SQL("ESCAPE '!'")), parens=True)
    in_name = SQL("1 = 1")
    for condition in (named := students.matching(user, word)):
        in_name &= condition
    return found | in_name if named else found


_NEWEST_FIRST = Case.last_activity_at.desc(), Case.id.desc()


def _listed(user):
    """Every case, as a list shows it to `user`, to be narrowed to those that are shown. Why its reader sees a case is asked
    of these alone: of all thousand of which a page shows fifty it was half of the work."""
    columns = [*COLUMNS, *permissions.case_reason_columns(user)]
    query = Case.select(*columns).join_from(Case, Student).join_from(Case, CaseType)
    return query.order_by(*_NEWEST_FIRST)


def _page(query, user, most, start):
    return _listed(user).where(Case.id.in_(query.order_by(*_NEWEST_FIRST).limit(most).offset(start)))


def _all_rows(user, most, start, **filters):
    return _page(filtered(user, **filters), user, most, start)


def _all_ids(user, most, **filters):
    return filtered(user, **filters).limit(most)


def _my_rows(user, most, start, **filters):
    """The rows of a page, each with the number of all in its last column."""
    query = filtered(user, mine=True, **filters).select(Case.id, fn.COUNT(Case.id).over().alias("many"))
    page = query.order_by(*_NEWEST_FIRST).limit(most).offset(start).alias("page")
    return _listed(user).join_from(Case, page, on=(page.c.id == Case.id)).select_extend(page.c.many)


def _my_ids(user, most, **filters):
    return filtered(user, mine=True, **filters).limit(most)


def _rows(user, rows):
    words = _words(user.role, user.is_active)
    found = []
    for row in rows:
        because = ", ".join([word for word, holds in zip(words, row[11:], strict=True) if holds])
        found.append(CaseRow(*row[:8], f"{row[8] or row[9]} {row[10]}", because))
    return found


@cache
def _words(role, is_active):
    """The words of the reasons that this role admits, in the order of permissions.case_reason_columns()."""
    somebody = Account(id=0, role=role, is_active=is_active)
    return [BECAUSE[name] for name, reason in permissions.READ_CASE.items() if reason(somebody) is not None]


def export_rows(user, **filters):
    """Every CaseRow of filtered() in the order of the list."""
    return _rows(user, _listed(user).where(Case.id.in_(filtered(user, **filters))).tuples())
