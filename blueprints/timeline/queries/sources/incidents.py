"""Incidents of a student as far as the reader sees this student's part: what happened, what was done since, closing, files."""

import permissions
from blueprints.timeline.queries.sources.base import Arms, belongs_to
from models import Account, Incident, IncidentAction, IncidentClosure, IncidentStudent, StoredFile


def add(arms: Arms, user: Account) -> None:
    """The sources about incidents."""
    student = arms.student
    mine = IncidentStudent.alias("timeline_part")
    of_student = Incident.id.in_(mine.select(mine.incident).where(mine.student == student))
    part = [IncidentStudent.student == student]
    fields = (Incident.id, Incident.ref, Incident.happened_at)
    seen = arms.seen(permissions.visible_incidents(user, *fields, among=[of_student], part=part), "ref", "at")
    # `number` is the part, whose categories are asked for later; `moment` when it was entered.
    arms.add(
        "incident", seen, [Incident, mine],
        Incident.id == seen.c.id, (mine.incident == seen.c.id) & (mine.student == student),
        at=seen.c.at, row=Incident.id, ref=seen.c.ref, who=Incident.author, title=Incident.place,
        detail=mine.role, text=Incident.text, number=mine.id, moment=Incident.entered_at,
    )  # fmt: skip
    action = {"ref": seen.c.ref, "row": IncidentAction.id, "text": IncidentAction.text, "other": IncidentAction.person}
    here = belongs_to(IncidentAction.incident, seen.c.id)
    arms.add(
        "incident_action", seen, [IncidentAction], here, at=IncidentAction.at, who=IncidentAction.author,
        detail=IncidentAction.due_on.cast("text"), **action,
    )  # fmt: skip
    arms.add(
        "incident_action_done", seen, [IncidentAction], here & IncidentAction.done_at.is_null(False),
        at=IncidentAction.done_at, who=IncidentAction.done_by, **action,
    )  # fmt: skip
    closure = {"ref": seen.c.ref, "row": IncidentClosure.id}
    here = belongs_to(IncidentClosure.incident, seen.c.id)
    arms.add(
        "incident_closed", seen, [IncidentClosure], here, at=IncidentClosure.closed_at, who=IncidentClosure.closed_by, **closure
    )
    arms.add(
        "incident_reopened", seen, [IncidentClosure], here & IncidentClosure.reopened_at.is_null(False),
        at=IncidentClosure.reopened_at, who=IncidentClosure.reopened_by, text=IncidentClosure.reopen_reason, **closure,
    )  # fmt: skip
    arms.add(
        "incident_file", seen, [StoredFile], belongs_to(StoredFile.incident, seen.c.id) & StoredFile.removed_at.is_null(),
        at=StoredFile.at, row=StoredFile.id, who=StoredFile.uploaded_by, ref=seen.c.ref, detail=StoredFile.name,
        number=StoredFile.size,
    )  # fmt: skip
