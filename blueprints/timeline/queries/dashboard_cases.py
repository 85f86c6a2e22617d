"""Which cases the Case Management Dashboard is about: those that its reader sees, its filters, and what its tiles count.

Everything here is an expression on Case, so that a number and the rows behind it are found by the same one. `values` are what
run() fills in: the filters that are on, and the moments that the tiles count by. Must not write.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

from peewee import SQL, fn

import permissions
from blueprints.cases import queries as cases
from blueprints.kit import prepared
from blueprints.timeline.queries.student_work import active_plans, meetings_to_come, open_tasks
from models import Case, CaseGroup, CaseRecord, CaseType, Group, Meeting, MeetingStudent, Plan, Student, Task

WEEK, QUIET = timedelta(days=7), timedelta(days=30)


class Counted(NamedTuple):
    """What a tile counts. `fits(user, values)`: the expression; `moments`: the names of the values of moments() in it."""

    label: str
    fits: Callable
    moments: tuple[str, ...]


def _overdue(user, values):
    return Case.student.in_(open_tasks(user, Task.student).where(Task.due_on < values["today"]))


def _meets(user, values):
    soon = Meeting.starts_at < values["week_ahead"]
    return Case.student.in_(meetings_to_come(user, values["now"], MeetingStudent.student).where(soon))


def _review_due(user, values):
    return Case.student.in_(active_plans(user, Plan.student).where(Plan.review_by <= values["today"]))


def _quiet(user, values):
    return Case.last_activity_at < values["quiet_since"]


def _opened_itself(user, values):
    return Case.opened_by.is_null() & (Case.opened_at >= values["week_ago"]) & fn.EXISTS(openers(SQL("1")))


TILES = {
    "overdue": Counted("Overdue tasks", _overdue, ("today",)),
    "meeting": Counted("Meeting within 7 days", _meets, ("now", "week_ahead")),
    "review": Counted("Plan review due", _review_due, ("today",)),
    "quiet": Counted("No activity for 30 days", _quiet, ("quiet_since",)),
    "itself": Counted("Opened by itself this week", _opened_itself, ("week_ago",)),
}


def openers(*fields):
    """What opened the Case, where nobody did; as a query on CaseRecord."""
    here = (CaseRecord.case == Case.id) & (CaseRecord.how == "opened")
    return CaseRecord.select(*fields).where(here, Case.opened_by.is_null())


def moments(day, tiles):
    """The moments by which these tiles count, by name."""
    found = {
        "today": day.today, "now": day.now, "week_ahead": day.now + WEEK, "week_ago": day.now - WEEK,
        "quiet_since": day.now - QUIET,
    }  # fmt: skip
    return {name: found[name] for tile in tiles for name in TILES[tile].moments}


def run(build, user, asked, *shape, **values):
    """The rows of `build(user, mine, *shape, **values)`, given the filters that are on besides. With what somebody typed, and
    with several filters at once, it is put together each time: there are too many of these to keep the SQL of each."""
    narrow = {name: getattr(asked, name) for name in ("group", "type_ref", "year", "quiet_before") if getattr(asked, name)}
    if asked.year:
        narrow["year"] = asked.year.replace("\0", "\N{REPLACEMENT CHARACTER}")  # PostgreSQL refuses to look for a NUL
    values |= narrow | ({"status": asked.status} if asked.status else {})
    if asked.text or len(narrow) > 1:
        return list(build(user, asked.mine, *shape, **values, text=asked.text).tuples())
    return prepared.rows(build, user, asked.mine, *shape, **values)


def seen(user, mine, values):
    """Which cases the reader sees, by permissions.py: (expression on Case, None), or (None, their ids as a query) where there
    are reasons or words to ask about."""
    text = values.get("text", "")
    by_role = None if mine or text else permissions.sees_case_by_role(user)
    if by_role is not None:
        return by_role, None
    if mine != "after":
        return None, cases.filtered(user, mine=bool(mine), text=text)
    query = permissions.cases_looked_after(user).select(Case.id)
    return None, query.where(Case.id.in_(cases.filtered(user, text=text))) if text else query


def fitting(user, mine, tile, values):
    """Expressions on Case: the reader sees it, it fits the filters, and the tile ("" for none) counts it."""
    by_role, ids = seen(user, mine, values)
    found = [Case.id.in_(ids) if by_role is None else by_role, *wide(values), *narrow(values)]
    return [*found, TILES[tile].fits(user, values)] if tile else found


def wide(values):
    """The filters that the choice of year groups follows."""
    found = [Case.status == values["status"]] if "status" in values else []
    if "group" in values:
        attached = CaseGroup.select(CaseGroup.case).join(Group).where(Group.ref == values["group"])
        found.append(Case.id.in_(attached))
    return found


def narrow(values):
    """The filters that it doesn't follow, so that another year can be chosen instead."""
    found = []
    if "type_ref" in values:
        found.append(Case.case_type.in_(CaseType.select(CaseType.id).where(CaseType.ref == values["type_ref"])))
    if "year" in values:
        found.append(Case.student.in_(Student.select(Student.id).where(Student.year_group == values["year"])))
    if "quiet_before" in values:
        found.append(Case.last_activity_at < values["quiet_before"])
    return found
