"""What a trigger would have opened since a day: the students to whom such a thing happened then, by name, as far as it belongs
to no case of theirs yet. Whether the trigger is on plays no part. Opens nothing, and knows nothing of a student or a record
that is closed to whoever asks."""

from datetime import UTC, date, datetime, time
from functools import reduce
from typing import NamedTuple

from peewee import JOIN, SQL, Value, fn

import permissions
from blueprints.cases.queries.triggers import LABELS, fits
from models import (
    Case,
    CaseRecord,
    CaseType,
    Form,
    FormResponse,
    Meeting,
    MeetingStudent,
    Plan,
    PlanReview,
    Referral,
    StoredFile,
    Student,
    Task,
)

BEGINS = 9  # the school year, in September


class Happening(NamedTuple):
    """A record of one student that belongs to no case of theirs. `record` is what models.CaseRecord has under this name,
    `form` the reference of the form of a response."""

    student_id: int
    record_id: int
    record: str
    at: datetime
    form: str | None
    answers: str | None
    ref: str
    first_name: str
    last_name: str
    preferred_name: str
    year_group: str
    tutor_group: str
    is_active: bool
    sort_name: str


STUDENT = [getattr(Student, name) for name in Happening._fields[6:]]


class Suggested(NamedTuple):
    """A student with what happened: how often, first and last; `joins` is the (reference, title) of the open case that it would
    join, None where one would be opened."""

    ref: str
    name: str
    year_group: str
    tutor_group: str
    is_active: bool
    count: int
    first: datetime
    last: datetime
    joins: tuple | None


def school_year(today):
    """The first day of the school year that this day lies in."""
    return date(today.year - (today.month < BEGINS), BEGINS, 1)


def beginning(day, zone):
    """The moment in which a school day begins."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def happenings(user, kind, since, settings, students=None):
    """Every Happening of this kind since that moment, the oldest first; with `students` (references), of these alone.
    `settings`: as triggers.all_settings() has them."""
    query = _rows(user, kind, since)
    if students is not None:
        query = query.where(Student.ref.in_(list(students)))
    rows = [Happening(*row) for row in query.tuples()]
    rows = [row for row in rows if row.form is None or _opens(settings[1].get(row.form), row.answers)]
    return sorted(rows, key=lambda row: (row.at, row.record_id))


def suggestion_counts(user, since, settings):
    """{kind: how many students} since that moment, in one query. `settings`: as triggers.all_settings() has them."""
    queries = [_count(kind, _rows(user, kind, since)) for kind in LABELS if kind != "form"]
    asked = reduce(lambda one, other: one.union_all(other), [*queries, *_form_students(user, since, settings[1])])
    found, students = dict.fromkeys(LABELS, 0), set()
    for kind, number, form, answers in asked.tuples():
        if kind != "form":
            found[kind] = number
        elif _opens(settings[1].get(form), answers):
            students.add(number)
    return found | {"form": len(students)}


def suggested(user, kind, since, settings):
    """[Suggested] by name."""
    happened = {}
    for row in happenings(user, kind, since, settings):
        happened.setdefault(row.student_id, []).append(row)
    joins = _joins(user, kind, happened, settings)
    by_name = sorted(happened.values(), key=lambda rows: (rows[0].sort_name, rows[0].student_id))
    return [_suggested(rows, joins.get(rows[0].student_id)) for rows in by_name]


def _suggested(rows, joins):
    one = rows[0]
    name = f"{one.preferred_name or one.first_name} {one.last_name}"
    about = (one.ref, name, one.year_group, one.tutor_group, bool(one.is_active))
    return Suggested(*about, len(rows), one.at, rows[-1].at, joins)


# --- What happened ---------------------------------------------------------------------------------------------------


def _rows(user, kind, since):
    """The records of this kind since `since` that belong to no case of their student, in the columns of Happening."""
    query, number, ref, at = _OF_KIND[kind](user, since)
    belongs = CaseRecord.select(SQL("1")).join(Case, on=(Case.id == CaseRecord.case))
    belongs = belongs.where((CaseRecord.kind == kind) & (CaseRecord.record_id == number) & (Case.student == Student.id))
    answered = (Form.ref, FormResponse.answers) if kind == "form" else (Value(None), Value(None))
    return query.select(Student.id, number, ref, at, *answered, *STUDENT).where(~fn.EXISTS(belongs))


def _tasks(user, since):
    query = permissions.visible_tasks(user).join(Student).where(Task.set_at >= since)
    return query, Task.id, Task.ref, Task.set_at


def _meetings(user, since):
    """Since the student was added, if they still are on it."""
    query = permissions.visible_meetings(user).join(MeetingStudent).join(Student).where(MeetingStudent.at >= since)
    return query.where(MeetingStudent.removed_at.is_null()), Meeting.id, Meeting.ref, MeetingStudent.at


def _plans(user, since):
    query = permissions.visible_plans(user).join(Student).where(Plan.created_at >= since)
    return query, Plan.id, Plan.ref, Plan.created_at


def _reviews(user, since):
    query = PlanReview.select().join(Plan).join(Student).where(permissions.sees_plan(user) & (PlanReview.at >= since))
    return query, PlanReview.id, Plan.ref, PlanReview.at


def _responses(user, since):
    """A referral counts from the day on which it was accepted."""
    query = permissions.visible_responses(user).join(Student, on=(FormResponse.student == Student.id))
    query = query.join_from(FormResponse, Form).join_from(FormResponse, Referral, JOIN.LEFT_OUTER)
    accepted = (Referral.state == "accepted") & (Referral.decided_at >= since)
    query = query.where((Referral.id.is_null() & (FormResponse.submitted_at >= since)) | accepted)
    at = fn.COALESCE(Referral.decided_at, FormResponse.submitted_at)
    return query, FormResponse.id, FormResponse.ref, at.converter(FormResponse.submitted_at.python_value)


def _files(user, since):
    query = permissions.visible_student_files(user).join(Student).where(StoredFile.at >= since)
    return query, StoredFile.id, StoredFile.ref, StoredFile.at


_OF_KIND = {"form": _responses, "plan": _plans, "task": _tasks, "meeting": _meetings, "review": _reviews, "file": _files}


def _opens(own, answers):
    """Whether a response would open something: by its form's own trigger, or without one."""
    return own is None or (own.is_on and fits(own.field, own.answer, answers))


# --- How many --------------------------------------------------------------------------------------------------------


def _count(kind, query):
    return query.select(Value(kind), fn.COUNT(fn.DISTINCT(Student.id)), Value(""), Value(""))


def _form_students(user, since, own):
    """A row for each student and form, and with the answers where the form's trigger asks for one."""
    asks = [ref for ref, setting in own.items() if setting.is_on and setting.field]
    query = _rows(user, "form", since)
    plain = query.select(Value("form"), Student.id, Form.ref, Value("")).where(Form.ref.not_in(asks)).distinct()
    return [plain, query.select(Value("form"), Student.id, Form.ref, FormResponse.answers).where(Form.ref.in_(asks))]


# --- What would be joined --------------------------------------------------------------------------------------------


def _joins(user, kind, happened, settings):
    """{student id: (reference, title)} of the newest open case of the type, among those that `user` sees."""
    opens = {None: settings[0][kind].opens} | {ref: setting.opens for ref, setting in settings[1].items()}
    wanted = {number: opens.get(rows[0].form, opens[None]) for number, rows in happened.items()}
    query = permissions.visible_cases(user, Case.student, CaseType.ref, Case.ref, Case.title).join(CaseType)
    query = query.where((Case.status == "Open") & Case.student.in_(list(happened))).order_by(Case.opened_at, Case.id)
    return {student: (ref, title) for student, kind, ref, title in query.tuples() if kind == wanted[student]}
