"""Tasks and meetings of a student that the reader sees; of a meeting no more than its reader is shown there."""

from peewee import Case as When
from peewee import Value

import permissions
from blueprints.timeline.queries.sources.base import Arms, belongs_to
from models import Account, Event, Meeting, MeetingStudent, MeetingType, Task, TaskNote


def add_tasks(arms: Arms, user: Account) -> None:
    """The sources about tasks."""
    fields = (Task.id, Task.ref, Task.title, Task.set_at, Task.ended_at)
    query = permissions.visible_tasks(user, *fields).where(Task.student == arms.student)
    seen = arms.seen(query, "ref", "title", "set_at", "ended_at")
    task = {"ref": seen.c.ref, "title": seen.c.title}
    here = Task.id == seen.c.id
    arms.add(
        "task", seen, [Task], here, at=seen.c.set_at, row=Task.id, who=Task.set_by, other=Task.assigned_to,
        detail=Task.due_on.cast("text"), text=Task.notes, **task,
    )  # fmt: skip
    arms.add(
        "task_note", seen, [TaskNote], belongs_to(TaskNote.task, seen.c.id),
        at=TaskNote.at, row=TaskNote.id, who=TaskNote.author, text=TaskNote.text, **task,
    )  # fmt: skip
    arms.add(
        "task_ended", seen, [Task], here & seen.c.ended_at.is_null(False) & (Task.state != "open"),
        at=seen.c.ended_at, row=Task.id, who=Task.ended_by, detail=Task.state, **task,
    )  # fmt: skip


def add_meetings(arms: Arms, user: Account) -> None:
    """The sources about meetings: only those in which the reader is shown this student, and place, agenda, outcome and why
    one was cancelled only to whoever sees the whole of it."""
    whole = When(None, ((permissions.sees_whole_meeting(user), Value(1).cast("integer")),), Value(0).cast("integer"))
    fields = (
        Meeting.id, Meeting.ref, Meeting.starts_at, Meeting.ended_at, Meeting.sequence, MeetingType.name, MeetingStudent.id,
        MeetingStudent.at,
    )  # fmt: skip
    query = (
        permissions.visible_meetings(user, *fields, whole)
        .join_from(Meeting, MeetingStudent, on=(MeetingStudent.meeting == Meeting.id))
        .join_from(Meeting, MeetingType, on=(MeetingType.id == Meeting.meeting_type))
        .where((MeetingStudent.student == arms.student) & permissions.sees_meeting_student(user))
    )
    seen = arms.seen(query, "ref", "starts_at", "ended_at", "moves", "type", "part", "added_at", "is_whole")
    meeting = {"ref": seen.c.ref, "title": seen.c.type}
    here = (Meeting.id == seen.c.id) & (MeetingStudent.id == seen.c.part)

    def of_whole(text):
        return When(None, ((seen.c.is_whole == 1, text),), "")

    arms.add(
        "meeting", seen, [Meeting, MeetingStudent], here, at=seen.c.added_at, row=Meeting.id, who=MeetingStudent.added_by,
        detail=of_whole(Meeting.place), text=of_whole(Meeting.agenda), moment=Meeting.starts_at, **meeting,
    )  # fmt: skip
    arms.add(
        "meeting_moved", seen, [Event], seen.c.moves > 0,
        (Event.target == seen.c.ref) & (Event.verb == "meeting.moved") & (Event.at >= seen.c.added_at),
        at=Event.at, row=Event.id, who=Event.actor, **meeting,
    )  # fmt: skip
    arms.add(
        "meeting_held", seen, [Meeting, MeetingStudent], here & (Meeting.state == "held"),
        at=seen.c.starts_at, row=Meeting.id, who=Meeting.ended_by, detail=MeetingStudent.attended,
        text=of_whole(Meeting.outcome).concat("\n").concat(MeetingStudent.outcome), moment=Meeting.ends_at, **meeting,
    )  # fmt: skip
    arms.add(
        "meeting_cancelled", seen, [Meeting], (Meeting.id == seen.c.id) & (Meeting.state == "cancelled"),
        seen.c.ended_at.is_null(False),
        at=seen.c.ended_at, row=Meeting.id, who=Meeting.ended_by, text=of_whole(Meeting.cancel_reason),
        moment=Meeting.starts_at, **meeting,
    )  # fmt: skip
