"""All the students one supports, with how far they are: one row for each cohort of a student. Every query starts from
permissions.supported_students(); archived cohorts and students who have left are not in it."""

from datetime import date
from typing import NamedTuple

from peewee import fn

import permissions
from blueprints.cohorts.queries import states
from blueprints.kit import prepared
from blueprints.kit.text import one_line
from blueprints.students import queries as students_queries
from models import Cohort, CohortCategory, CohortStudent, Milestone, MilestoneRequest, Student, StudentMilestone

LISTS = (states.ASKED, states.OVERDUE)
MOST_AT_ONCE = 500  # ids in one prepared statement, see kit/prepared.py


class Row(NamedTuple):
    """A student in a cohort. `asked`: how many requests wait; `next_due`: the nearest day, from today on, of what is open."""

    ref: str
    name: str
    year_group: str
    tutor_group: str
    cohort: str
    total: int
    completed: int
    waived: int
    overdue: int
    asked: int
    next_due: date | None


def supported(user, *, today, show=None, text="", cohort_id=None):
    """(fetch, count) for kit.listing.paginate(): Rows by name. `show`: one of LISTS, for those only; `today` the school's day."""
    if show or text:
        query = _filtered(user, show, text, cohort_id, today)
        return (
            lambda most, start: _rows(_in_order(query).limit(most).offset(start).tuples(), today),
            lambda most: query.limit(most).count(),
        )
    given = {"cohort": cohort_id} if cohort_id else {}
    return (
        lambda most, start: _rows(prepared.rows(_page, user, most=most, start=start, **given), today),
        lambda most: min(prepared.rows(_number, user, **given)[0][0], most),
    )


def my_cohorts(user):
    """[(id, reference, name)] of the cohorts whose students' milestones this person sees, by category and name; archived ones
    are not in it."""
    return prepared.rows(_cohorts, user) if permissions.can(user, "milestone.support") else []


def _cohorts(user):
    return supported_cohorts(user, Cohort.id, Cohort.ref, whole_name()).order_by(CohortCategory.name, Cohort.name)


def supported_cohorts(user, *fields):
    """The same as a query on Cohort, joined with its category, to narrow further or to ask beside others."""
    query = Cohort.select(*fields).join(CohortCategory)
    return query.where(permissions.supports_cohort(user), Cohort.archived_at.is_null())


def whole_name():
    """Expression on a cohort joined with its category: "First-Year Students: Fall 21"."""
    return CohortCategory.name.concat(": ").concat(Cohort.name)


def export_rows(user, **filters):
    """Every Row of the list with these filters."""
    return supported(user, **filters)[0](1_000_000, 0)


def _students(user, *fields, cohort=None):
    names = (Student.first_name, Student.last_name, Student.preferred_name, Student.year_group, Student.tutor_group)
    fields = fields or (CohortStudent.student, CohortStudent.cohort, Student.ref, *names, Cohort.name)
    query = permissions.supported_students(user, *fields).where(Student.is_active & Cohort.archived_at.is_null())
    return query if cohort is None else query.where(CohortStudent.cohort == cohort)


def _in_order(query):
    return query.order_by(Student.sort_name, Student.id, Cohort.id)


def _page(user, most, start, cohort=None):
    return _in_order(_students(user, cohort=cohort)).limit(most).offset(start)


def _number(user, cohort=None):
    return _students(user, fn.COUNT(CohortStudent.id), cohort=cohort)


def _filtered(user, show, text, cohort, today):
    query = _students(user, cohort=cohort)
    if show:
        query = query.where(states.has(show, CohortStudent.cohort, CohortStudent.student, today=today))
    for condition in students_queries.matching(user, one_line(text)):
        query = query.where(condition)
    return query


def _rows(found, today):
    found = list(found)
    due = {}
    for cohort, milestone, due_on in _some(_due, sorted({row[1] for row in found})):
        due.setdefault(cohort, []).append((milestone, due_on))
    students = sorted({row[0] for row in found})
    marked = {(student, milestone): state for student, milestone, state in _some(_marked, students)}
    waiting = set(_some(_waiting, students))
    return [_row(row, due.get(row[1], ()), marked, waiting, today) for row in found]


def _some(build, ids):
    parts = [ids[start : start + MOST_AT_ONCE] for start in range(0, len(ids), MOST_AT_ONCE)]
    return [row for part in parts for row in prepared.rows(build, ids=part)]


def _row(row, due, marked, waiting, today):
    student, _, ref, first, last, preferred, year, tutor, cohort = row
    shown = [states.shown(marked.get((student, id_), "open"), (student, id_) in waiting, None, today) for id_, _ in due]
    open_days = [day for (_, day), word in zip(due, shown, strict=True) if day and word in (states.OPEN, states.ASKED)]
    return Row(
        ref, f"{preferred or first} {last}", year, tutor, cohort,
        total=len(due), completed=shown.count(states.COMPLETED), waived=shown.count(states.WAIVED),
        asked=shown.count(states.ASKED), overdue=sum(day < today for day in open_days),
        next_due=min((day for day in open_days if day >= today), default=None),
    )  # fmt: skip


def _due(ids):
    query = Milestone.select(Milestone.cohort, Milestone.id, Milestone.due_on)
    return query.where(Milestone.cohort.in_(ids) & states.live())


def _marked(ids):
    row = StudentMilestone
    return row.select(row.student, row.milestone, row.state).where(row.student.in_(ids) & (row.state != states.OPEN))


def _waiting(ids):
    row = MilestoneRequest
    return row.select(row.student, row.milestone).where(row.student.in_(ids) & (row.outcome == ""))
