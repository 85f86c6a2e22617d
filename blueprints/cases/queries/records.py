"""The records of a case: tasks, meetings, plans, reviews, form responses and files that opened it, joined it or were put onto
it. What this reader may not see of them is there as "A file" alone: no name, no person, no address; nothing is there of a meeting
about somebody else, from whom they are excluded."""

from datetime import date, datetime
from functools import reduce
from typing import NamedTuple

from peewee import JOIN, SQL, Value, fn

import permissions
from blueprints.cases.queries.triggers import HAPPENED
from blueprints.kit import prepared
from models import (
    Account,
    CaseRecord,
    FileCategory,
    Form,
    FormResponse,
    Meeting,
    MeetingStudent,
    MeetingType,
    Plan,
    PlanReview,
    StoredFile,
    Student,
    Task,
)

KINDS = {"task": "Task", "meeting": "Meeting", "plan": "Plan", "review": "Plan review", "form": "Form response", "file": "File"}
PAGES = {"task": "/tasks/", "meeting": "/meetings/", "plan": "/plans/", "review": "/plans/", "form": "/responses/"}


class Row(NamedTuple):
    """A record that this reader sees: `ref` is its own reference, `url` the address of its page, `state` a word of the table's,
    `due_on` of an open task or an active plan."""

    kind: str
    ref: str
    title: str
    state: str
    at: datetime
    due_on: date | None
    url: str


class Belonging(NamedTuple):
    """A record of a case: since when, how (opened, joined, linked), and by whom it was put there. `row` None: it is closed to
    this reader, who then learns nothing of the person either."""

    kind: str
    how: str
    at: datetime
    by: str
    by_id: int | None
    row: Row | None


def records(user, case):
    """Every Belonging of the case, the newest first, in two queries."""
    seen = {(kind, number): _row(kind, *about) for kind, number, *about in prepared.rows(_seen, user, case_id=case.id)}
    found = []
    for kind, number, how, at, by, by_id in prepared.rows(_belonging, user, case_id=case.id):
        row = seen.get((kind, number))
        found.append(Belonging(kind, how, at, by if row else "", by_id if row else None, row))
    return found


def opened_by_itself(found):
    """What opened the case, in words, of its Belongings: "a task was assigned"; "" where none of them did."""
    return next((HAPPENED[row.kind] for row in found if row.how == "opened"), "")


def open_tasks(found):
    """The Rows of the open tasks among the Belongings, what is due first."""
    rows = [one.row for one in found if one.kind == "task" and one.row and one.row.state == "open"]
    return sorted(rows, key=lambda row: (row.due_on is None, row.due_on or row.at.date(), row.title))


def _row(kind, ref, page, title, state, at, due_on, student):
    url = f"/students/{student}/files/{ref}" if kind == "file" else f"{PAGES[kind]}{page}"
    return Row(kind, ref, title, state, at, due_on, url)


def _belonging(user, case_id):
    query = CaseRecord.select(CaseRecord.kind, CaseRecord.record_id, CaseRecord.how, CaseRecord.at, Account.name, Account.id)
    query = query.join(Account).where((CaseRecord.case == case_id) & permissions.leaves_a_trace(user))
    return query.order_by(CaseRecord.at.desc(), CaseRecord.id.desc())


def _seen(user, case_id):
    """Those that the reader sees, with the kind and the id of the row."""
    queries = []
    for kind, (query, columns) in _of_each_kind().items():
        number = columns[0]
        on_case = (CaseRecord.kind == kind) & (CaseRecord.record_id == number) & (CaseRecord.case == case_id)
        query = query.select(Value(kind), *columns).join_from(number.model, CaseRecord, on=on_case)
        queries.append(query.where(_SEES[kind](user)))
    return reduce(lambda one, other: one.union_all(other), queries)


# --- What can be put onto a case -------------------------------------------------------------------------------------


def candidates(user, case):
    """[Row] of the records about the case's student that this person may put onto it and that are not there, newest first."""
    rows = prepared.rows(_candidates, user, case_id=case.id, student_id=case.student_id)
    return sorted((_row(kind, *about) for kind, _, *about in rows), key=lambda row: row.at, reverse=True)


def _candidates(user, case_id, student_id):
    queries = []
    for kind, (query, columns) in _of_each_kind().items():
        there = CaseRecord.select(SQL("1")).where(
            (CaseRecord.case == case_id) & (CaseRecord.kind == kind) & (CaseRecord.record_id == columns[0])
        )
        mine = permissions.puts_onto_case(_asked_of(kind), user) & _SEES[kind](user)
        query = query.select(Value(kind), *columns).where(mine & (Student.id == student_id))
        queries.append(query.where(~fn.EXISTS(there)))
    return reduce(lambda one, other: one.union_all(other), queries)


def record(user, case, kind, ref):
    """(its Row, the table's row, the row whose reasons count, their kind) of a record about the case's student that this person
    sees, by its own reference: a review is seen with its plan. NotVisible otherwise."""
    query, columns = _of_each_kind()[kind]
    model = columns[0].model
    about = (model.ref == ref.replace("\0", "")) & (Student.id == case.student_id) & _SEES[kind](user)
    found = query.select(*columns).where(about).tuples().first()
    if found is None:
        raise permissions.NotVisible(f"{case.ref}/{ref}")
    row = model.get_by_id(found[0])
    return _row(kind, *found[1:]), row, row.plan if kind == "review" else row, _asked_of(kind)


def require_own_reason(user, kind, row):
    """Raises NotVisible or Denied for whoever sees the record (its row and kind as record() has them) because of a case alone."""
    permissions.require_record(kind, user, row, set(permissions.reason_words(kind)) - {"case"})


def new_record_readers(user, case, kind, asked):
    """The accounts, by name, that come to see a record (`asked`: the row whose reasons count) by its being put onto the case."""
    permissions.require("case.read", user, case=case)
    return permissions.who_would_see_on_case(_asked_of(kind), asked, case, user)


def _asked_of(kind):
    return "plan" if kind == "review" else kind


# --- Each kind -------------------------------------------------------------------------------------------------------

_SEES = {
    "task": permissions.sees_task,
    # A student whom this reader is not shown in a meeting is one whom it is not about.
    "meeting": lambda user: permissions.sees_meeting(user) & permissions.sees_meeting_student(user),
    "plan": permissions.sees_plan,
    "review": permissions.sees_plan,
    "form": permissions.sees_response,
    "file": lambda user: StoredFile.removed_at.is_null() & permissions.sees_student_file(user),
}


def _of_each_kind():
    """{kind: (query, its columns)}; a query is about rows joined with Student, the columns are the id, the own reference, the one
    of its page, the title, the state, when, the day it is due, the student's reference. Tasks come first: their days and moments
    say of what type the columns are."""
    none = Value(None).cast("date")
    sent = (FormResponse.id, FormResponse.ref, FormResponse.ref, Form.name, Value(""), FormResponse.submitted_at)
    return {
        "task": (
            Task.select().join(Student),
            (Task.id, Task.ref, Task.ref, Task.title, Task.state, Task.set_at, Task.due_on, Student.ref),
        ),
        "meeting": (
            Meeting.select().join(MeetingType).join_from(Meeting, MeetingStudent).join(Student),
            (Meeting.id, Meeting.ref, Meeting.ref, MeetingType.name, Meeting.state, Meeting.starts_at, none, Student.ref),
        ),
        "plan": (
            Plan.select().join(Student),
            (Plan.id, Plan.ref, Plan.ref, Plan.goal, Plan.state, Plan.created_at, Plan.review_by, Student.ref),
        ),
        "review": (
            PlanReview.select().join(Plan).join(Student),
            (PlanReview.id, PlanReview.ref, Plan.ref, Plan.goal, PlanReview.decision, PlanReview.at, none, Student.ref),
        ),
        "form": (
            FormResponse.select().join(Form).join_from(FormResponse, Student),
            (*sent, none, Student.ref),
        ),
        "file": (
            StoredFile.select().join(Student).join_from(StoredFile, FileCategory, JOIN.LEFT_OUTER),
            (StoredFile.id, StoredFile.ref, StoredFile.ref, StoredFile.name, FileCategory.name, StoredFile.at, none, Student.ref),
        ),
    }
