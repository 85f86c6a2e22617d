"""Tasks and meetings of a student that the reader sees; of a meeting no more than its reader is shown there."""

from peewee import Case as When
from peewee import Value

import permissions
from blueprints.timeline.queries.sources.base import Arms, belongs_to
from models import Account, Event, Meeting, MeetingStudent, MeetingType, Task, TaskNote


def add_tasks(arms: Arms, user: Account) -> None:
    """The sources about tasks."""
    # Within a query of their own they are found in an index alone. A task that has ended may still be noted on.
    one = Task.alias("timeline_task")
    recent = one.select(one.id).where(one.student == arms.student, arms.recent(one.ended_at, one.noted_at))
    query = permissions.visible_tasks(user, Task.id, Task.set_at, Task.ended_at).where(Task.id.in_(recent))
    seen = arms.seen(query, "set_at", "ended_at")
    set_, ended = arms.newest(seen, "set_at"), arms.newest(seen, "ended_at")
    noted = arms.newest_of(seen, TaskNote.task, TaskNote.at)
    task = {"ref": Task.ref, "title": Task.title}
    arms.add(
        "task", set_, [Task], belongs_to(Task.id, set_.c.id), at=set_.c.set_at, row=Task.id, who=Task.set_by,
        other=Task.assigned_to, detail=Task.due_on.cast("text"), text=Task.notes, **task,
    )  # fmt: skip
    arms.add(
        "task_note", noted, [TaskNote, Task], belongs_to(TaskNote.id, noted.c.row) & belongs_to(Task.id, noted.c.id),
        at=noted.c.at, row=TaskNote.id, who=TaskNote.author, text=TaskNote.text, **task,
    )  # fmt: skip
    arms.add(
        "task_ended", ended, [Task], belongs_to(Task.id, ended.c.id) & (Task.state != "open"),
        at=ended.c.ended_at, row=Task.id, who=Task.ended_by, detail=Task.state, **task,
    )  # fmt: skip


def add_meetings(arms: Arms, user: Account) -> None:
    """The sources about meetings: only those in which the reader is shown this student, and place, agenda, outcome and why
    one was cancelled only to whoever sees the whole of it."""
    whole = When(None, ((permissions.sees_whole_meeting(user), Value(1).cast("integer")),), Value(0).cast("integer"))
    fields = (
        Meeting.id, Meeting.starts_at, Meeting.ended_at, Meeting.state, Meeting.sequence, MeetingStudent.id, MeetingStudent.at,
    )  # fmt: skip
    query = (
        permissions.visible_meetings(user, *fields, whole)
        .join_from(Meeting, MeetingStudent, on=(MeetingStudent.meeting == Meeting.id))
        .where((MeetingStudent.student == arms.student) & permissions.sees_meeting_student(user))
        # What came of it can be said before it begins, and of a student who was added when it was over.
        .where(arms.recent(Meeting.ended_at, Meeting.starts_at, MeetingStudent.at))
    )
    seen = arms.seen(query, "starts_at", "ended_at", "state", "moves", "part", "added_at", "is_whole")
    added, held = arms.newest(seen, "added_at"), arms.newest(seen, "starts_at", seen.c.state == "held")
    cancelled = arms.newest(seen, "ended_at", seen.c.state == "cancelled")
    meeting = {"ref": Meeting.ref, "title": MeetingType.name}

    def here(table):
        """The meeting, its type, and the student's part in it."""
        return (
            belongs_to(Meeting.id, table.c.id)
            & belongs_to(MeetingType.id, Meeting.meeting_type)
            & belongs_to(MeetingStudent.id, table.c.part)
        )

    def of_whole(table, text):
        return When(None, ((table.c.is_whole == 1, text),), "")

    tables = [Meeting, MeetingType, MeetingStudent]
    arms.add(
        "meeting", added, tables, here(added), at=added.c.added_at, row=Meeting.id, who=MeetingStudent.added_by,
        detail=of_whole(added, Meeting.place), text=of_whole(added, Meeting.agenda), moment=Meeting.starts_at, **meeting,
    )  # fmt: skip
    arms.add(
        "meeting_moved", seen, [Meeting, MeetingType, Event], seen.c.moves > 0,
        belongs_to(Meeting.id, seen.c.id) & belongs_to(MeetingType.id, Meeting.meeting_type),
        (Event.target == Meeting.ref) & (Event.verb == "meeting.moved") & (Event.at >= seen.c.added_at),
        at=Event.at, row=Event.id, who=Event.actor, **meeting,
    )  # fmt: skip
    arms.add(
        "meeting_held", held, tables, here(held), at=held.c.starts_at, row=Meeting.id, who=Meeting.ended_by,
        detail=MeetingStudent.attended, text=of_whole(held, Meeting.outcome).concat("\n").concat(MeetingStudent.outcome),
        moment=Meeting.ends_at, **meeting,
    )  # fmt: skip
    arms.add(
        "meeting_cancelled", cancelled, tables, here(cancelled), at=cancelled.c.ended_at, row=Meeting.id, who=Meeting.ended_by,
        text=of_whole(cancelled, Meeting.cancel_reason), moment=Meeting.starts_at, **meeting,
    )  # fmt: skip
