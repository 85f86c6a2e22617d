"""The Case Management Dashboard: every case that its reader sees, with the work on its student.

A task, a meeting or a plan counts here when it is about the student of the case and this reader may see it: a reader of the
case sees all that belongs to it, and the rest only for reasons of their own. Nothing is asked about which other case a
record belongs to, so that a case which is closed to the reader leaves no trace in these numbers.

Five questions to the database, whatever the number of cases; what they give is put together, counted, ordered and paged
here, so that a tile and the rows behind it are always of one moment. Must not write.
"""

from datetime import date, datetime, timedelta
from typing import NamedTuple

from peewee import fn

import permissions
from blueprints.cases import queries as cases
from blueprints.kit import prepared
from blueprints.students import queries as students
from models import Case, CaseGroup, CaseRecord, CaseType, Group, Meeting, MeetingStudent, Plan, Student, Task

# Which of the cases one sees: as My Cases has them, or those one is Primary Advocate, Coordinator or Following on.
MINE = ("mine", "after")
SOON, WEEK, QUIET = timedelta(days=14), timedelta(days=7), timedelta(days=30)


class Work(NamedTuple):
    """What there is to do for a student, as far as the reader may see it. `plans` counts the active ones; `tier` is their
    highest, `review_by` the next day on which one is due for review."""

    open_tasks: int = 0
    overdue_tasks: int = 0
    meeting_at: datetime | None = None
    meeting_ref: str = ""
    plans: int = 0
    plan_ref: str = ""
    tier: int = 0
    review_by: date | None = None


class Row(NamedTuple):
    """A case of the dashboard. `opened_by`: what opened it by itself (a kind of models.CaseRecord), "" if somebody did."""

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
    opened_by: str
    work: Work


class Day(NamedTuple):
    """The moment a dashboard is of: the school's day, and the clock."""

    today: date
    now: datetime


class Tile(NamedTuple):
    """A number at the top of the page. `key` narrows the list to the cases that it counts."""

    key: str
    label: str
    count: int


# What the tiles count: key -> (label, whether a Row counts on this Day).
TILES = {
    "overdue": ("Overdue tasks", lambda row, day: row.work.overdue_tasks > 0),
    "meeting": (
        "Meeting within 7 days",
        lambda row, day: row.work.meeting_at is not None and row.work.meeting_at < day.now + WEEK,
    ),
    "review": ("Plan review due", lambda row, day: row.work.review_by is not None and row.work.review_by <= day.today),
    "quiet": ("No activity for 30 days", lambda row, day: row.last_activity_at < day.now - QUIET),
    "itself": ("Opened by itself this week", lambda row, day: bool(row.opened_by) and row.opened_at >= day.now - WEEK),
}


def review_state(review_by, today):
    """ "overdue", "due" (today or within 14 days) or "": how a plan stands that is to be reviewed by this day."""
    if review_by is None or review_by >= today + SOON:
        return ""
    return "overdue" if review_by < today else "due"


# What the list can be ordered by: key -> (what a Row is ordered by, None last in either direction).
SORTS = {
    "student": lambda row: row.sort_name,
    "title": lambda row: (row.title.casefold(), row.case_type),
    "tasks": lambda row: (row.work.overdue_tasks, row.work.open_tasks),
    "meeting": lambda row: row.work.meeting_at,
    "plan": lambda row: row.work.review_by,
    "activity": lambda row: row.last_activity_at,
    "opened": lambda row: row.opened_at,
}
NEWEST_ACTIVITY = "-activity"


class Dashboard(NamedTuple):
    """`rows`: every case with these filters, in order. `total`: how many there are whatever the tile that is chosen; `years`:
    the year groups that can be chosen."""

    rows: list[Row]
    tiles: list[Tile]
    total: int
    years: list[str]


def dashboard(user, day, *, text="", status=None, group=None, mine="", type_ref="", year="", quiet_before=None, tile="",
              sort=NEWEST_ACTIVITY):  # fmt: skip
    """The Dashboard of what `user` may see on this Day.

    `text`: as cases.filtered(); `status`: of models.Case, None for any; `group`: reference of an attached group; `mine`: one
    of MINE; `quiet_before`: a moment since which nothing happened on the case; `tile`: a key of TILES; `sort`: a key of
    SORTS, with a - in front for the other way round.
    """
    found = _with_work(user, day, _cases(user, text, mine, status=status, group=group))
    years = students.in_order({row.year_group for row in found} | {year})
    kept = [row for row in found if _fits(row, type_ref, year, quiet_before)]
    tiles = [Tile(key, label, sum(counts(row, day) for row in kept)) for key, (label, counts) in TILES.items()]
    shown = [row for row in kept if TILES[tile][1](row, day)] if tile else kept
    return Dashboard(_in_order(shown, sort), tiles, len(kept), years)


def _fits(row, type_ref, year, quiet_before):
    return (
        (not type_ref or row.type_ref == type_ref)
        and (not year or row.year_group == year)
        and (quiet_before is None or row.last_activity_at < quiet_before)
    )


def _in_order(rows, sort):
    key, backwards = SORTS[sort.removeprefix("-")], sort.startswith("-")
    rows = sorted(rows, key=lambda row: row.last_activity_at, reverse=True)
    known = sorted((row for row in rows if key(row) is not None), key=key, reverse=backwards)
    return known + [row for row in rows if key(row) is None]


def group_choices(user):
    """(ref, name) of the active groups that are attached to cases of this reader."""
    return prepared.rows(_groups, user)


def _groups(user):
    attached = CaseGroup.select(CaseGroup.group).where(CaseGroup.case.in_(permissions.visible_cases(user, Case.id)))
    return Group.select(Group.ref, Group.name).where(Group.is_active, Group.id.in_(attached)).order_by(Group.name, Group.id)


# --- The cases -------------------------------------------------------------------------------------------------------


def _cases(user, text, mine, **filters):
    """The first columns of a Row, and the names of its student at the end, of each case."""
    filters = {name: value for name, value in filters.items() if value}
    build = {"": _visible, "mine": _mine, "after": _looked_after}[mine]
    if text:
        return build(user, **filters).where(Case.id.in_(cases.filtered(user, text=text))).tuples()
    return prepared.rows(build, user, **filters)


def _visible(user, **filters):
    return _listed(permissions.visible_cases(user, Case.id), **filters)


def _mine(user, **filters):
    return _listed(permissions.cases_on(user, Case.id), **filters)


def _looked_after(user, **filters):
    return _listed(permissions.cases_looked_after(user).select(Case.id), **filters)


def _listed(visible, status=None, group=None):
    """`visible`: the ids of the cases, as a query of permissions that decides which they are."""
    opener = CaseRecord.select(fn.MIN(CaseRecord.kind)).where(
        (CaseRecord.case == Case.id) & (CaseRecord.how == "opened"), Case.opened_by.is_null()
    )
    query = (
        Case.select(
            Case.id, Case.ref, Case.title, Case.status, Case.opened_at, Case.last_activity_at, CaseType.name, CaseType.ref,
            Student.id, Student.ref, Student.preferred_name, Student.sort_name, Student.year_group, Student.tutor_group,
            opener, Student.first_name, Student.last_name,
        )
        .join(CaseType)
        .join_from(Case, Student)
        .where(Case.id.in_(visible))
        .order_by(Case.id.desc())
    )  # fmt: skip
    if status:
        query = query.where(Case.status == status)
    if group:
        attached = CaseGroup.select(CaseGroup.case).join(Group).where(Group.ref == group)
        query = query.where(Case.id.in_(attached))
    return query


# --- The work --------------------------------------------------------------------------------------------------------


def _with_work(user, day, rows):
    tasks = {row[0]: row[1:] for row in prepared.rows(_tasks, user, today=day.today)}
    meetings = {}
    for student, starts_at, ref in prepared.rows(_meetings, user, now=day.now):
        meetings.setdefault(student, (starts_at, ref))
    plans = {row[0]: row[1:] for row in prepared.rows(_plans, user)}
    nothing = Work()
    found = []
    for *fields, first, last in rows:
        id_, preferred = fields[8], fields[10]
        fields[10], fields[14] = f"{preferred or first} {last}", fields[14] or ""
        work = nothing
        if id_ in tasks or id_ in meetings or id_ in plans:
            work = Work(*tasks.get(id_, nothing[:2]), *meetings.get(id_, nothing[2:4]), *plans.get(id_, nothing[4:]))
        found.append(Row(*fields, work))
    return found


def _tasks(user, today):
    overdue = fn.SUM(fn.COALESCE((Task.due_on < today).cast("integer"), 0))
    query = permissions.visible_tasks(user, Task.student, fn.COUNT(Task.id), overdue)
    return query.where(Task.state == "open").group_by(Task.student)


def _meetings(user, now):
    """A row for each student of each meeting that is still to come, the next one first."""
    query = permissions.visible_meetings(user, MeetingStudent.student, Meeting.starts_at, Meeting.ref).join(MeetingStudent)
    shown = permissions.sees_meeting_student(user)
    return query.where(Meeting.state == "planned", Meeting.starts_at >= now, shown).order_by(Meeting.starts_at, Meeting.id)


def _plans(user):
    fields = Plan.student, fn.COUNT(Plan.id), fn.MIN(Plan.ref), fn.MAX(Plan.tier), fn.MIN(Plan.review_by)
    return permissions.visible_plans(user, *fields).where(Plan.state == "active").group_by(Plan.student)
