"""The Case Management Dashboard: every case that its reader sees, with the work on its student.

A task, a meeting or a plan counts here when it is about the student of the case and this reader may see it: a reader of the
case sees all that belongs to it, and the rest only for reasons of their own.

The database counts, each time anew, and one page of rows is all that is fetched. Must not write.
"""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import reduce
from operator import and_, itemgetter
from typing import NamedTuple

from peewee import SQL, fn
from peewee import Case as When

import permissions
from blueprints.kit import prepared
from blueprints.students import queries as students
from blueprints.timeline.queries.dashboard_cases import TILES, fitting, moments, narrow, openers, run, seen, wide
from blueprints.timeline.queries.student_work import NOTHING, Work, works
from models import Case, CaseGroup, CaseRecord, CaseType, Group, Student

# Which of the cases one sees: as My Cases has them, or those one is Primary Advocate, Coordinator or Following on.
MINE = ("mine", "after")
SOON = timedelta(days=14)
NEWEST_ACTIVITY = "-activity"


class Row(NamedTuple):
    """A case of the dashboard. `opened_by`: what opened it by itself (a kind of models.CaseRecord), "" if that is closed to the
    reader, None if somebody did."""

    id: int
    ref: str
    title: str
    status: str
    opened_at: datetime
    last_activity_at: datetime
    case_type: str
    type_ref: str
    student_id: int
    student_ref: str
    student_name: str
    sort_name: str
    year_group: str
    tutor_group: str
    opened_by: str | None
    work: Work


class Day(NamedTuple):
    """The moment a dashboard is of: the school's day, and the clock."""

    today: date
    now: datetime


class Asked(NamedTuple):
    """What of the dashboard is asked for.

    `text`: as cases.filtered(); `status`: of models.Case, "" for any; `group`: reference of an attached group; `mine`: one
    of MINE; `quiet_before`: a moment since which nothing happened on the case; `tile`: a key of TILES; `sort`: a key of
    SORTS, with a - in front for the other way round.
    """

    text: str = ""
    status: str = ""
    group: str = ""
    mine: str = ""
    type_ref: str = ""
    year: str = ""
    quiet_before: datetime | None = None
    tile: str = ""
    sort: str = NEWEST_ACTIVITY


class Tile(NamedTuple):
    """A number at the top of the page. `key` narrows the list to the cases that it counts."""

    key: str
    label: str
    count: int


class Counts(NamedTuple):
    """`total`: how many cases there are whatever the tile that is chosen; `shown`: how many with it; `years`: the year groups
    that can be chosen."""

    total: int
    shown: int
    tiles: list[Tile]
    years: list[str]


class Sort(NamedTuple):
    """What the list can be ordered by: `columns` as they are; or `key(*columns)`, of names as people order them; or
    `key(Work)`, of the student in the only column. None comes last in either direction."""

    columns: tuple
    key: Callable | None = None
    of_work: bool = False


SORTS = {
    "student": Sort((Student.sort_name,), lambda name: name),
    "title": Sort((Case.title, CaseType.name), lambda title, kind: (title.casefold(), kind)),
    "tasks": Sort((Case.student,), lambda work: (work.overdue_tasks, work.open_tasks), of_work=True),
    "meeting": Sort((Case.student,), lambda work: work.meeting_at, of_work=True),
    "plan": Sort((Case.student,), lambda work: work.review_by, of_work=True),
    "activity": Sort((Case.last_activity_at,)),
    "opened": Sort((Case.opened_at,)),
}


def review_state(review_by, today):
    """ "overdue", "due" (today or within 14 days) or "": how a plan stands that is to be reviewed by this day."""
    if review_by is None or review_by >= today + SOON:
        return ""
    return "overdue" if review_by < today else "due"


# --- What there is to choose from ------------------------------------------------------------------------------------


def choices(user):
    """(case types, groups), each as (ref, name): all types in the school's order, and the active groups that are attached to
    cases of this reader."""
    found = prepared.rows(_choices, user)
    return [row[1:3] for row in found if row[0] == "type"], [row[1:3] for row in found if row[0] == "group"]


def _choices(user):
    types = CaseType.select(SQL("'type'"), CaseType.ref, CaseType.name, CaseType.position, CaseType.id)
    groups = Group.select(SQL("'group'"), Group.ref, Group.name, SQL("0"), Group.id).where(Group.is_active, _is_attached(user))
    return types.union_all(groups).order_by(SQL("1"), SQL("4"), SQL("3"), SQL("5"))


def _is_attached(user):
    """Expression on Group: it is on a case of this reader. Where they see every case, one is looked for on each group;
    where they see few, each of those is asked for its groups."""
    by_role = permissions.sees_case_by_role(user)
    if by_role is not None:
        return fn.EXISTS(CaseGroup.select(SQL("1")).join(Case).where(CaseGroup.group == Group.id, by_role))
    visible = permissions.visible_cases(user, Case.id)
    return Group.id.in_(CaseGroup.select(CaseGroup.group).where(CaseGroup.case.in_(visible)))


# --- Counting --------------------------------------------------------------------------------------------------------


def counts(user, day, asked):
    """The Counts of what `user` may see on this Day."""
    found = run(_counts, user, asked, **moments(day, TILES))
    total, *numbers = [sum(column) for column in zip((0,) * (1 + len(TILES)), *(row[1:] for row in found), strict=True)]
    tiles = [Tile(key, tile.label, number) for (key, tile), number in zip(TILES.items(), numbers, strict=True)]
    shown = {tile.key: tile.count for tile in tiles}.get(asked.tile, total)
    return Counts(total, shown, tiles, students.in_order({row[0] for row in found if row[0]} | {asked.year}))


def _counts(user, mine, **values):
    """Rows (a year group or None, how many of its cases fit, how many of these each tile counts), to be added up; one at least
    for each year group that can be chosen."""
    by_role, ids = seen(user, mine, values)
    every = [Case.id.in_(ids) if by_role is None else by_role, *wide(values)]
    tiles = [tile.fits(user, values) for tile in TILES.values()]
    count = _count_many if by_role is not None and "group" not in values else _count_few
    return count(every, narrow(values), tiles)


def _count_few(every, fits, tiles):
    """Each of the cases is looked at once: the reasons are asked about once, and how many there are does not matter."""
    year = Student.select(Student.year_group).where(Student.id == Case.student)
    numbers = [_number([*fits, *tile]).alias(f"number_{place}") for place, tile in enumerate(_none_and_each(tiles))]
    return Case.select(year.alias("year"), *numbers).where(*every).group_by(SQL("1"))


def _none_and_each(tiles):
    return [(), *((tile,) for tile in tiles)]


def _number(conditions):
    return fn.COUNT(Case.id).filter(reduce(and_, conditions)) if conditions else fn.COUNT(Case.id)


def _count_many(every, fits, tiles):
    """An index for each number: hardly a case is looked at. A year group is one as soon as its first case is found."""
    numbers = [Case.select(fn.COUNT(Case.id)).where(*every, *fits, *tile) for tile in _none_and_each(tiles)]
    year, pupil = Student.select(Student.year_group).distinct().alias("year"), Student.alias("pupil")
    there = Case.select(SQL("1")).join(pupil, on=(pupil.id == Case.student)).where(pupil.year_group == year.c.year_group, *every)
    years = Student.select(year.c.year_group, *[SQL("0")] * len(numbers)).from_(year).where(fn.EXISTS(there))
    return years.union_all(Student.select(SQL("NULL"), *numbers).from_())


# --- The rows --------------------------------------------------------------------------------------------------------


def rows(user, day, asked, most=None, start=0):
    """The Rows that are asked for, in order: all of them, or so many (at most 512) from `start` on."""
    sort, work = SORTS[asked.sort.removeprefix("-")], None
    if sort.key is None:
        some = {} if most is None else {"most": most, "start": start}
        found = run(_rows, user, asked, asked.tile, asked.sort, **moments(day, _chosen(asked)), **some)
    else:
        work = works(user, day) if sort.of_work else None
        ids = _sorted_here(user, day, asked, sort, work)
        ids = ids if most is None else ids[start : start + most]
        found = _by_id(user, day, asked, ids, most)
    if work is None:
        work = works(user, day, None if most is None else [row[8] for row in found])
    return [_row(row, work) for row in found]


def _row(columns, work):
    *fields, first, last = columns
    fields[10] = f"{fields[10] or first} {last}"
    return Row(*fields, work.get(fields[8], NOTHING))


def _chosen(asked):
    return [asked.tile] if asked.tile else []


def _sorted_here(user, day, asked, sort, work):
    """The ids of all cases in an order that the database doesn't have."""
    found = run(_keys, user, asked, asked.tile, asked.sort.removeprefix("-"), **moments(day, _chosen(asked)))
    if sort.of_work:
        keyed = [(id_, sort.key(work.get(student, NOTHING))) for id_, student in found]
    else:
        keyed = [(id_, sort.key(*columns)) for id_, *columns in found]
    known = sorted((pair for pair in keyed if pair[1] is not None), key=itemgetter(1), reverse=asked.sort.startswith("-"))
    return [id_ for id_, _ in known] + [id_ for id_, key in keyed if key is None]


def _keys(user, mine, tile, sort, **values):
    """(id, what it is sorted by) of each case, newest activity first."""
    query = Case.select(Case.id, *SORTS[sort].columns).join(CaseType).join_from(Case, Student)
    return _in_order(query.where(*fitting(user, mine, tile, values)), NEWEST_ACTIVITY)


def _by_id(user, day, asked, ids, most):
    """The rows of these cases, which were found among those the reader sees, in this order."""
    if most is None:
        found = run(_rows, user, asked, asked.tile, NEWEST_ACTIVITY, **moments(day, _chosen(asked)))
    else:
        found = prepared.rows(_rows_of, user, ids=ids)
    found = {row[0]: row for row in found}
    return [found[id_] for id_ in ids if id_ in found]


def _rows(user, mine, tile, sort, most=None, start=None, **values):
    fits = fitting(user, mine, tile, values)
    if most is not None:
        # The page first: a row's names are looked up for the rows that are shown.
        fits = [Case.id.in_(_in_order(Case.select(Case.id).where(*fits), sort).limit(most).offset(start))]
    return _in_order(_listed(user).where(*fits), sort)


def _rows_of(user, ids):
    return _listed(user).where(Case.id.in_(ids))


def _listed(user):
    """The first columns of a Row, and the names of its student at the end, of each case."""
    told = When(None, [(permissions.leaves_a_trace(user), CaseRecord.kind)], "")
    return (
        Case.select(
            Case.id, Case.ref, Case.title, Case.status, Case.opened_at, Case.last_activity_at, CaseType.name, CaseType.ref,
            Student.id, Student.ref, Student.preferred_name, Student.sort_name, Student.year_group, Student.tutor_group,
            openers(fn.MIN(told)), Student.first_name, Student.last_name,
        )
        .join(CaseType)
        .join_from(Case, Student)
    )  # fmt: skip


def _in_order(query, sort):
    """By a column of the case; of those that are equal in it the newest activity first."""
    (column,) = SORTS[sort.removeprefix("-")].columns
    newest = () if column is Case.last_activity_at else (Case.last_activity_at.desc(),)
    return query.order_by(column.desc() if sort.startswith("-") else column.asc(), *newest, Case.id.desc())
