"""Setting a task, changing it, what was done about it, completing it, and telling who is late.

Whoever has the task, set it, or is an Admin Key Holder changes and ends it; whoever sees it adds notes. The notes it was set
with are never overwritten.
"""

from datetime import timedelta

import events
import permissions
from blueprints.account import actions as account_actions
from blueprints.cases import repeating
from blueprints.cases.actions.base import Refused, note_activity, refuse_closed
from blueprints.cases.actions.triggering import happened, hold
from blueprints.kit.once import told_already
from extensions import clock, db
from models import Account, Case, CaseRecord, Conflict, Student, Task, TaskNote

MANAGE = permissions.MANAGE_TASK
CATCH_UP = timedelta(days=7)  # how long after its day somebody is still told that a task is overdue


def set_task(*, actor, student, title, assigned_to, due_on=None, notes="", repeats="", case=None, draft=None):
    """Set a task about `student` for a staff member and return it. With `case`, which the actor sees, it belongs to that.

    `due_on` is a school day, `repeats` a key of repeating.REPEATS, `draft` (key, once) of the form's draft. Raises
    NotVisible, Denied, or Refused at student, assigned_to, repeats or (of the case) case.
    """
    permissions.require("task.read", actor, student=student, case=case)
    with db.atomic():
        _refuse_left(student)
        _refuse_unfit(assigned_to, student)
        _refuse_endless(repeats, due_on)
        fields = {"title": title, "notes": notes, "due_on": due_on, "repeats": repeats}
        task = Task.create(student=student, assigned_to=assigned_to, set_by=actor, set_at=clock.now(), **fields)
        events.record("task.set", actor=actor, target=task.ref, student=student.ref)
        if case is not None:
            hold(student)
            _put_onto(case, student, task, actor=actor)
        _assigned(task, student, actor=actor)
        if draft:
            account_actions.clear_draft(draft[0], actor=actor, once=draft[1])
    return task


def change_task(task, *, title, assigned_to, due_on, repeats, actor, version):
    """Another title, assignee, due date or repetition. Raises NotVisible, Denied, Refused or Conflict."""
    permissions.require_record("task", actor, task, MANAGE)
    given = {"title": title, "assigned_to": assigned_to.id, "due_on": due_on, "repeats": repeats}
    with db.atomic():
        now = Task.get_by_id(task.id)
        if now.state != "open":
            raise Refused("title", "This task is not open any more. Reopen it first.")
        was = {"title": now.title, "assigned_to": now.assigned_to_id, "due_on": now.due_on, "repeats": now.repeats}
        fields = {name: value for name, value in given.items() if value != was[name]}
        _refuse_endless(repeats, due_on)
        if "assigned_to" in fields:
            _refuse_unfit(assigned_to, now.student)
        if not fields and version == now.version:
            return now
        now.change(version, **fields)
        events.record("task.changed", actor=actor, target=now.ref, fields=sorted(fields), **_told_of(fields, assigned_to))
        if "assigned_to" in fields:
            _assigned(now, now.student, actor=actor)
    return now


def _told_of(fields, assigned_to):
    """What the history says of a change beyond its fields: to whom, to which day."""
    told = {"assigned_to": assigned_to.ref} if "assigned_to" in fields else {}
    return told | ({"due_on": fields["due_on"]} if "due_on" in fields else {})


def add_task_note(task, text, *, actor, draft=None):
    """Say what was done about a task, or is to be minded; whoever sees it may, also when it has ended. Raises NotVisible."""
    permissions.require_record("task", actor, task)
    with db.atomic():
        note = TaskNote.create(task=task, author=actor, at=clock.now(), text=text)
        is_newest = Task.noted_at.is_null() | (Task.noted_at < note.at)
        Task.update(noted_at=note.at).where((Task.id == task.id) & is_newest).execute()
        events.record("task.note_added", actor=actor, target=task.ref, note=note.ref)
        if draft:
            account_actions.clear_draft(draft[0], actor=actor, once=draft[1])
    return note


def complete_task(task, *, today, actor, version):
    """The task is done. One that repeats makes the next one, which the answer has as `.successor`: None for one that does
    not, or when its student has left. `today` is the school day. Raises NotVisible, Denied or Conflict."""
    permissions.require_record("task", actor, task, MANAGE)
    with db.atomic():
        now = _end(task, "completed", actor, version)
        events.record("task.completed", actor=actor, target=now.ref)
        now.successor = _successor(now, today, actor=actor) if now.repeats and now.due_on else None
    return now


def cancel_task(task, *, actor, version):
    """The task is not to be done any more, and does not repeat. Raises NotVisible, Denied or Conflict."""
    permissions.require_record("task", actor, task, MANAGE)
    with db.atomic():
        now = _end(task, "cancelled", actor, version)
        events.record("task.cancelled", actor=actor, target=now.ref)
    return now


def reopen_task(task, *, actor, version):
    """A task that was completed or cancelled is open again; what followed it stays. Raises NotVisible, Denied or Conflict."""
    permissions.require_record("task", actor, task, MANAGE)
    with db.atomic():
        now = Task.get_by_id(task.id)
        if now.state == "open":
            raise Conflict(now)
        now.change(version, state="open", ended_at=None, ended_by=None)
        events.record("task.reopened", actor=actor, target=now.ref)
    return now


def _end(task, state, actor, version):
    now = Task.get_by_id(task.id)
    if now.state != "open":
        raise Conflict(now)
    return now.change(version, state=state, ended_at=clock.now(), ended_by=actor)


# --- What follows ----------------------------------------------------------------------------------------------------


def _assigned(task, student, *, actor):
    """In the open transaction: somebody was given this task."""
    happened("task", student, task, actor=actor)
    events.notify("task_assigned", [task.assigned_to], actor=actor, target=task.ref, target_id=task.id)


def _put_onto(case, student, task, *, actor):
    if case.student_id != student.id:
        raise Refused("student", f"The case {case.ref} is about somebody else.")
    refuse_closed(case, "case")
    _link(case, task, actor=actor)
    note_activity(case, "task", actor=actor)


def _link(case, task, *, actor):
    CaseRecord.create(case=case, kind="task", record_id=task.id, record=task.ref, how="linked", by=actor, at=clock.now())
    events.record("case.record_linked", actor=actor, target=case.ref, kind="task", record=task.ref)


def _successor(task, today, *, actor):
    """The next task of a series, on the open cases that this one was put onto. Who can't be given it any more is replaced: by
    whoever set the last one, or has just completed it."""
    student = Student.get_by_id(task.student_id)
    if not student.is_active or Task.select().where(Task.follows == task.id).exists():
        return None
    fit = {account.id: account for account in permissions.fit_for(student)}
    assignee, by = fit.get(task.assigned_to_id) or fit.get(task.set_by_id) or actor, fit.get(task.set_by_id) or actor
    due_on = repeating.next_due(task.due_on, task.repeats, today, _meant_day(task))
    fields = {"title": task.title, "notes": task.notes, "repeats": task.repeats, "due_on": due_on, "follows": task}
    found = Task.create(student=student, assigned_to=assignee, set_by=by, set_at=clock.now(), **fields)
    events.record("task.set", actor=actor, target=found.ref, student=student.ref, follows=task.ref)
    on_case = (CaseRecord.kind == "task") & (CaseRecord.record_id == task.id) & (CaseRecord.how == "linked")
    for case in Case.select(Case).join(CaseRecord).where(on_case & (Case.status == "Open")).order_by(Case.id):
        _link(case, found, actor=actor)
    _assigned(found, student, actor=actor)
    return found


def _meant_day(task):
    """The day of the month that a monthly series is meant for: 31, also where February or April cut it short."""
    day = task.due_on.day
    while task.repeats == "monthly" and task.follows_id and repeating.ends_its_month(task.due_on):
        task = task.follows
        day = max(day, task.due_on.day) if task.due_on else day
        if not task.due_on or task.due_on.day == 31:
            break
    return day


# --- What can't be done ----------------------------------------------------------------------------------------------


def _refuse_left(student):
    if not Student.select().where((Student.id == student.id) & Student.is_active).exists():
        raise Refused("student", f"{student.name} has left the school: no task can be set about them.")


def _refuse_unfit(account, student):
    """One sentence, whatever the reason: an exclusion is nobody's business."""
    if not permissions.fit_for(student).where(Account.id == account.id).exists():
        raise Refused("assigned_to", f"{account.name} can't be given this. Choose somebody else.")


def _refuse_endless(repeats, due_on):
    if repeats and due_on is None:
        raise Refused("due_on", "Give the first due date: a task that repeats needs one.")


# --- Reminders -------------------------------------------------------------------------------------------------------


def queue_overdue_tasks(today):
    """Tell whoever has an open task that was due before `today`, or fell due on a day that was missed. Each is told once of a
    task and its date, however often this is called. Returns how many were told."""
    columns = (Task.id, Task.ref, Task.assigned_to, Task.due_on)
    overdue = (
        Task.select(*columns)
        .join(Account, on=(Task.assigned_to == Account.id))
        .where((Task.state == "open") & Task.due_on.between(today - CATCH_UP, today - timedelta(days=1)))
        .where(Account.is_active & Account.role.in_(permissions.STAFF_ROLES) & permissions.not_kept_from("task", Account))
        .order_by(Task.id)
        .tuples()
    )
    waiting = {f"task_overdue:{id_}:{day}": (who, id_, day.isoformat(), ref) for id_, ref, who, day in overdue}
    if not waiting:
        return 0
    with db.atomic():
        for once in told_already("task_overdue", {once: row[:3] for once, row in waiting.items()}):
            del waiting[once]
        for once, (who, task_id, day, ref) in waiting.items():
            events.notify(
                "task_overdue", [Account(id=who)], actor=None, target=ref, target_id=task_id, detail=day, once=once,
                digest_on=today,
            )  # fmt: skip
    return len(waiting)
