"""The tab Progress of a cohort: the grid of students and milestones, the counts, what a marking needs. cohort() comes first
on every page. Students who have left are not in it, nor are those closed to the reader by a conflict of interest."""

from datetime import date
from typing import NamedTuple

from peewee import fn

import permissions
from blueprints.cohorts.queries import states
from blueprints.kit import prepared
from blueprints.kit.text import one_line
from blueprints.students import queries as students_queries
from models import CohortStudent, Milestone, MilestoneRequest, Student, StudentMilestone

MANAGE = "cohort.manage"
MOST_AT_ONCE = 500  # ids in one prepared statement, see kit/prepared.py


class Column(NamedTuple):
    """A milestone of the grid."""

    id: int
    ref: str
    title: str
    due_on: date | None


class Row(NamedTuple):
    """A student of the grid. `cells`: (word of states.WORDS, version of the state, 0 where there is none) in the order of the
    columns."""

    id: int
    ref: str
    name: str
    year_group: str
    tutor_group: str
    cells: list


class Count(NamedTuple):
    """How far the students of a cohort are with one milestone."""

    column: Column
    open: int
    completed: int
    waived: int
    asked: int


def columns(user, cohort):
    """The saved milestones of the cohort in its order; none for who does not manage cohorts."""
    if not permissions.can(user, MANAGE):
        return []
    return [Column(*row) for row in prepared.rows(_columns, cohort=cohort.id)]


def _columns(cohort):
    fields = [getattr(Milestone, name) for name in Column._fields]
    saved = Milestone.select(*fields).where((Milestone.cohort == cohort) & states.live())
    return saved.order_by(Milestone.position, Milestone.id)


# --- The grid --------------------------------------------------------------------------------------------------------


def grid(user, cohort, columns, *, today, text="", state=None, only=None):
    """(fetch, count) for kit.listing.paginate(): Rows by name. `state`: only students of whom a milestone is in this state, a
    word of states.WORDS; `only`: the id of the one milestone that this is asked of. `today` is the school's day."""
    if not permissions.can(user, MANAGE):
        raise permissions.NotVisible(cohort.ref)
    if text or state:
        query = _filtered(user, cohort.id, text, state, only, today)
        return (
            lambda most, start: _rows(cohort.id, _in_order(query).limit(most).offset(start).tuples(), columns, today),
            lambda most: query.limit(most).count(),
        )
    id_ = cohort.id
    return (
        lambda most, start: _rows(id_, prepared.rows(_page, user, cohort=id_, most=most, start=start), columns, today),
        lambda most: min(prepared.rows(_number, user, cohort=id_)[0][0], most),
    )


def _students(user, cohort, *fields):
    names = (Student.first_name, Student.last_name, Student.preferred_name)
    fields = fields or (Student.id, Student.ref, *names, Student.year_group, Student.tutor_group)
    here = (CohortStudent.cohort == cohort) & Student.is_active
    return permissions.supported_students(user, *fields).where(here)


def _in_order(query):
    return query.order_by(Student.sort_name, Student.id)


def _page(user, cohort, most, start):
    return _in_order(_students(user, cohort)).limit(most).offset(start)


def _number(user, cohort):
    return _students(user, cohort, fn.COUNT(CohortStudent.id))


def _filtered(user, cohort, text, state, only, today):
    query = _students(user, cohort)
    if state:
        query = query.where(states.has(state, cohort, Student.id, today=today, only=only))
    for condition in students_queries.matching(user, one_line(text)):
        query = query.where(condition)
    return query


def _rows(cohort, students, columns, today):
    students = list(students)
    found, waiting = _states(cohort, [row[0] for row in students])
    rows = []
    for id_, ref, first, last, preferred, year, tutor in students:
        cells = []
        for column in columns:
            state, version = found.get((id_, column.id), ("open", 0))
            cells.append((states.shown(state, (id_, column.id) in waiting, column.due_on, today), version))
        rows.append(Row(id_, ref, f"{preferred or first} {last}", year, tutor, cells))
    return rows


def _states(cohort, students):
    """({(student id, milestone id): (state, version)}, {(student id, milestone id) of the waiting requests})."""
    found, waiting = {}, set()
    for start in range(0, len(students), MOST_AT_ONCE):
        given = {"students": students[start : start + MOST_AT_ONCE], "cohort": cohort}
        found.update({(row[0], row[1]): row[2:] for row in prepared.rows(_marked, **given)})
        waiting.update(prepared.rows(_waiting, **given))
    return found, waiting


def _marked(students, cohort):
    row = StudentMilestone
    query = row.select(row.student, row.milestone, row.state, row.version)
    return query.join(Milestone).where((Milestone.cohort == cohort) & row.student.in_(students))


def _waiting(students, cohort):
    row = MilestoneRequest
    query = row.select(row.student, row.milestone).join(Milestone).where(Milestone.cohort == cohort)
    return query.where(row.student.in_(students) & (row.outcome == ""))


def export_rows(user, cohort, columns, *, today, text="", state=None, only=None):
    """Every Row of the grid with these filters."""
    fetch, _ = grid(user, cohort, columns, today=today, text=text, state=state, only=only)
    return fetch(1_000_000, 0)


# --- Counts ----------------------------------------------------------------------------------------------------------


def counts(user, cohort, columns):
    """A Count for each of these milestones, in their order."""
    total = prepared.rows(_number, user, cohort=cohort.id)[0][0]
    by_state = {(row[0], row[1]): row[2] for row in prepared.rows(_by_state, user, cohort=cohort.id)}
    asked = dict(prepared.rows(_asked, user, cohort=cohort.id))
    found = []
    for column in columns:
        completed, waived = (by_state.get((column.id, state), 0) for state in (states.COMPLETED, states.WAIVED))
        found.append(Count(column, total - completed - waived, completed, waived, asked.get(column.id, 0)))
    return found


def _of_cohort(user, cohort, table, *fields):
    query = _students(user, cohort, *fields).switch(CohortStudent)
    query = query.join(table, on=(table.student == CohortStudent.student))
    return query.join(Milestone, on=((Milestone.id == table.milestone) & (Milestone.cohort == cohort)))


def _by_state(user, cohort):
    row = StudentMilestone
    counted = _of_cohort(user, cohort, row, row.milestone, row.state, fn.COUNT(row.id))
    return counted.group_by(row.milestone, row.state)


def _asked(user, cohort):
    row = MilestoneRequest
    counted = _of_cohort(user, cohort, row, row.milestone, fn.COUNT(row.id))
    return counted.where(row.outcome == "").group_by(row.milestone)


# --- What a marking needs --------------------------------------------------------------------------------------------


def milestones_by_ref(user, cohort, refs):
    """{reference: Milestone} of saved milestones of the cohort; NotVisible where one of these is none."""
    query = Milestone.select().where((Milestone.cohort == cohort.id) & states.live() & Milestone.ref.in_(list(refs)))
    return _all_of(refs, query if permissions.can(user, MANAGE) else [])


def students_by_ref(user, cohort, refs):
    """{reference: Student} of students in the cohort whom the reader sees; NotVisible where one of these is none."""
    inside = _students(user, cohort.id, CohortStudent.student).where(Student.ref.in_(list(refs)))
    return _all_of(refs, Student.select().where(Student.id.in_(inside)) if permissions.can(user, MANAGE) else [])


def _all_of(refs, rows):
    found = {row.ref: row for row in rows}
    for ref in refs:
        if ref not in found:
            raise permissions.NotVisible(ref)
    return found


def states_now(cohort, students):
    """{(student id, milestone id): (state, version)} of those that have one; for students loaded above."""
    return _states(cohort.id, [row.id for row in students])[0]


def open_students(user, cohort, milestone):
    """Every Student of the cohort for whom this milestone is open, by name."""
    query = _students(user, cohort.id, CohortStudent.student)
    query = query.where(states.has(states.OPEN, cohort.id, Student.id, today=None, only=milestone.id))
    return list(_in_order(Student.select().where(Student.id.in_(query))))
