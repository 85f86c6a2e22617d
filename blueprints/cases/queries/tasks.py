"""Tasks: one with what was done about it, many by whose they are, and what the forms about them offer.

Every read starts from permissions.visible_tasks() or asks the same reasons. Of the cases that a task belongs to, and of the
people who see it because of one, a reader learns where they see that case; else the task would tell that there is one.
"""

import json
from datetime import date, datetime
from typing import NamedTuple

from peewee import JOIN, SQL, NodeList, Value
from peewee import Case as When

import events
import permissions
from blueprints.account import queries as accounts
from blueprints.cases.repeating import REPEATS
from blueprints.kit import prepared, records
from blueprints.kit.days import parse_day, show_day
from blueprints.kit.text import one_line
from blueprints.students import queries as students
from models import Account, Case, CaseRecord, Draft, Event, Student, Task, TaskNote

TASK_STATES = {"open": "Open", "completed": "Completed", "cancelled": "Cancelled"}
Assignee, Setter, Ender = (Account.alias(name) for name in ("assignee", "setter", "ender"))
TASK_FIELDS = Task._meta.sorted_fields
PERSON = ("id", "ref", "name", "is_active")
STUDENT = ("id", "ref", "first_name", "last_name", "preferred_name", "year_group", "tutor_group", "is_active")


# --- One task --------------------------------------------------------------------------------------------------------


def task(user, ref, audit=True):
    """The task with `.student`, `.assigned_to`, `.set_by`, `.ended_by`, `.follows_ref` and `.reasons` (why this person sees
    it), or NotVisible. Records the read; `audit=False` for whoever records an event of their own."""
    reasons = permissions.reason_names("task", user.role, user.is_active)
    found = prepared.rows(_loaded, user, ref=ref[:16].replace("\0", "")) if reasons else []
    row = _task(found[0], reasons) if found else None
    if row is None or not row.reasons:
        raise permissions.NotVisible(ref)
    if audit:
        events.record_alone("task.read", actor=user, target=ref, reasons=row.reasons)
    return row


def _loaded(user, ref):
    columns = [getattr(Student, name) for name in STUDENT]
    columns += [getattr(person, name) for person in (Assignee, Setter, Ender) for name in PERSON]
    return (
        Task.select(*TASK_FIELDS, *columns, *permissions.record_reason_columns("task", user))
        .join_from(Task, Student)
        .join_from(Task, Assignee, on=(Task.assigned_to == Assignee.id))
        .join_from(Task, Setter, on=(Task.set_by == Setter.id))
        .join_from(Task, Ender, JOIN.LEFT_OUTER, on=(Task.ended_by == Ender.id))
        .where((Task.ref == ref) & permissions.not_kept_from("task", user))
    )


def _task(values, reasons):
    values = list(values)
    take = records.taking(values)
    fields = take([field.name for field in TASK_FIELDS])
    fields["student"] = Student(**take(STUDENT))
    for name in ("assigned_to", "set_by", "ended_by"):
        person = take(PERSON)
        if person["id"]:
            fields[name] = Account(**person)
    row = Task(**fields)
    row._dirty.clear()
    row.reasons = [name for name, holds in zip(reasons, values, strict=True) if holds]
    return row


def may_manage_task(task):
    """Whether whoever loaded this task may also change, complete, cancel and reopen it."""
    return bool(permissions.MANAGE_TASK & set(task.reasons))


class Note(NamedTuple):
    """What somebody said about a task."""

    at: datetime
    who: str
    text: str


def task_parts(user, task):
    """What the page of a task that was loaded shows beside its fields, in one query: `notes` as Notes, the oldest first;
    `cases`, (reference, title) of those that it belongs to and `user` sees; `draft`, a note that they have not sent yet."""
    found = {"note": [], "case": [], "draft": []}
    for kind, _, *row in sorted(prepared.rows(_parts, user, task_id=task.id, key=note_draft_key(task)), key=lambda row: row[1]):
        found[kind].append(row)
    draft = accounts.saved_draft(found["draft"][0][2], found["draft"][0][0]) if found["draft"] else None
    return {"notes": [Note(*row) for row in found["note"]], "cases": [row[1:] for row in found["case"]], "draft": draft}


def _parts(user, task_id, key):
    notes = TaskNote.select(Value("note"), TaskNote.id, TaskNote.at, Account.name, TaskNote.text).join(Account)
    draft = Draft.select(Value("draft"), Draft.id, Draft.changed_at, Draft.key, Draft.body)
    cases = permissions.visible_cases(user, Value("case"), Case.id, SQL("NULL"), Case.ref, Case.title)
    cases = cases.join(CaseRecord, on=(CaseRecord.case == Case.id))
    return (
        notes.where(TaskNote.task == task_id)
        .union_all(draft.where((Draft.account == user.id) & (Draft.key == key)))
        .union_all(cases.where((CaseRecord.kind == "task") & (CaseRecord.record_id == task_id)))
    )


def note_draft_key(task):
    """The key of the draft of a note about this task."""
    return f"task-note:{task.ref.lower()}"


def who_can_see_task(user, task):
    """[(name, role, [reason in words])] of everybody who sees the task, as far as `user`, who sees it, may know why."""
    return records.readers("task", user, task)


# --- What happened to it ---------------------------------------------------------------------------------------------


class TaskStep(NamedTuple):
    """One step: when, who, what."""

    at: datetime
    who: str
    words: str


_FIELDS = {"title": "the title", "assigned_to": "whom it is assigned to", "due_on": "the due date", "repeats": "how it repeats"}
_VERBS = ("task.set", "task.changed", "task.note_added", "task.completed", "task.reopened", "task.cancelled")


def task_history(task):
    """The TaskSteps of a task that was loaded, the newest first. What was written stays where it was written."""
    rows = [(*row[:3], json.loads(row[3])) for row in prepared.rows(_events, ref=task.ref)]
    given_to = [data["assigned_to"] for *_, data in rows if "assigned_to" in data]
    names = dict(Account.select(Account.ref, Account.name).where(Account.ref.in_(given_to)).tuples()) if given_to else {}
    return [TaskStep(at, who, _step(verb, data, names)) for verb, at, who, data in reversed(rows)]


def _events(ref):
    query = Event.select(Event.verb, Event.at, Account.name, Event.data).join(Account)
    return query.where((Event.target == ref) & Event.verb.in_(_VERBS)).order_by(Event.id)


def _step(verb, data, names):
    if verb == "task.set":
        return "completed the task before it; this one followed." if "follows" in data else "set the task."
    if verb == "task.changed":
        return f"changed {_and([_changed(name, data, names) for name in data['fields']])}."
    return {
        "task.note_added": "added a note.",
        "task.completed": "completed it.",
        "task.reopened": "reopened it.",
        "task.cancelled": "cancelled it.",
    }[verb]


def _changed(name, data, names):
    words = _FIELDS[name]
    if name == "assigned_to":
        return f"{words} to {names.get(data['assigned_to'], 'somebody')}"
    if name == "due_on":
        return f"{words} to {show_day(parse_day(data['due_on']))}" if data["due_on"] else f"{words} to none"
    return words


def _and(words):
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


# --- Many tasks ------------------------------------------------------------------------------------------------------


class TaskRow(NamedTuple):
    """One row of a list."""

    ref: str
    title: str
    student_ref: str
    student_name: str
    assigned_to: str
    set_by: str
    set_at: datetime
    due_on: date | None
    state: str
    repeats: str
    ended_at: datetime | None


def state_of(task, today):
    """The state of a task or TaskRow in words; one that should have been done before `today` is Overdue."""
    is_late = task.state == "open" and task.due_on is not None and task.due_on < today
    return "Overdue" if is_late else TASK_STATES[task.state]


COLUMNS = (
    Task.ref, Task.title, Student.ref, Student.preferred_name, Student.first_name, Student.last_name, Assignee.name,
    Setter.name, Task.set_at, Task.due_on, Task.state, Task.repeats, Task.ended_at,
)  # fmt: skip
# Open ones by their date, those without one last; then what ended last.
_ORDER = (
    When(None, ((Task.state == "open", 0),), 1),
    Task.ended_at.desc(),
    When(None, ((Task.due_on.is_null(), 1),), 0),
    Task.due_on,
    Task.id.desc(),
)


def task_paging(user, *, text="", **filters):
    """(fetch, count) for kit.listing.paginate(): TaskRows, those due first in front.

    `text`: each word has to be in the title or in the student's name. `filters`: those of assigned_to, set_by, student_id
    (ids), state, before, due_from and due_to (school days) that are on.
    """
    if text:
        query = _narrowed(user, text=text, **filters)
        return (
            lambda most, start: _rows(query.limit(most).offset(start).tuples()),
            lambda most: query.limit(most).count(),
        )
    return (
        lambda most, start: _rows(prepared.rows(_page, user, most=most, start=start, **filters)),
        lambda most: len(prepared.rows(_ids, user, most=most, **filters)),
    )


def my_tasks(user, most):
    """The first open tasks of this person, as TaskRows; none for whoever has no tasks."""
    if not permissions.can(user, "task.read"):
        return []
    return task_paging(user, assigned_to=user.id, state="open")[0](most, 0)


def task_export(user, **given):
    """[(TaskRow, notes)] of everything that fits, in the order of the list."""
    return [(row, notes) for *values, notes in _narrowed(user, notes=True, **given).tuples() for row in _rows([values])]


def _page(user, most, start, **filters):
    return _narrowed(user, **filters).limit(most).offset(start)


def _ids(user, most, **filters):
    return _narrowed(user, **filters).select(Task.id).order_by().limit(most)


def _narrowed(user, *, text="", notes=False, assigned_to=None, set_by=None, student_id=None, state=None, before=None,
              due_from=None, due_to=None):  # fmt: skip
    query = (
        permissions.visible_tasks(user, *COLUMNS, *([Task.notes] if notes else []))
        .join_from(Task, Student)
        .join_from(Task, Assignee, on=(Task.assigned_to == Assignee.id))
        .join_from(Task, Setter, on=(Task.set_by == Setter.id))
    )
    for column, value in ((Task.assigned_to, assigned_to), (Task.set_by, set_by), (Task.student, student_id)):
        query = query if value is None else query.where(column == value)
    query = query if state is None else query.where(Task.state == state)
    query = query if before is None else query.where(Task.due_on < before)
    query = query if due_from is None else query.where(Task.due_on >= due_from)
    query = query if due_to is None else query.where(Task.due_on <= due_to)
    for word in one_line(text)[: students.LONGEST_QUERY].split():
        query = query.where(_has(user, word))
    return query.order_by(*_ORDER)


def _has(user, word):
    escaped = word.lower().replace("!", "!!").replace("%", "!%").replace("_", "!_")
    found = NodeList((SQL("LOWER("), Task.title, SQL(") LIKE"), f"%{escaped}%", SQL("ESCAPE '!'")), parens=True)
    in_name = students.matching(user, word)
    return found | NodeList(in_name, glue=" AND ", parens=True) if in_name else found


def _rows(rows):
    return [TaskRow(*row[:3], f"{row[3] or row[4]} {row[5]}", *row[6:]) for row in rows]


# --- What the forms offer --------------------------------------------------------------------------------------------


def task_assignees(student=None):
    """(reference, name) of the staff who can be given a task about the student; of all staff while there is none yet."""
    if student is None:
        return prepared.rows(_all_staff)
    return prepared.rows(_fit, student_id=student.id)


def _all_staff():
    return permissions.staff(Account.ref, Account.name)


def _fit(student_id):
    return permissions.fit_for(Student(id=student_id), Account.ref, Account.name)


def task_repeats():
    """(key, words) of how a task can repeat."""
    return list(REPEATS.items())
