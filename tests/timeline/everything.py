"""One event of every source about a student, each with a word of its own, and what permissions.py says who may find it."""

from datetime import timedelta
from types import SimpleNamespace

import permissions
from extensions import clock
from models import (
    CaseAgency,
    CaseClosure,
    CasePresenting,
    CaseRecord,
    CloseReason,
    CohortStudent,
    Event,
    FileCategory,
    IncidentClosure,
    MeetingStudent,
    PlanIntervention,
    PlanPoint,
    PlanReview,
    StoredFile,
    StudentMilestone,
    TaskNote,
)
from tests import factories

WORRY = [{"key": "f1", "type": "text", "label": "What is it about?"}]


def stored(name, by, at=None, **of):
    """A file of a record, without bytes."""
    return StoredFile.create(
        name=f"{name}.pdf", path_name=name, media_type="application/pdf", size=2048, sha256="0", uploaded_by=by,
        at=at or clock.now(), **of,
    )  # fmt: skip


def everything(student, cast):
    """An event of each source: Sam wrote the incident, Kay is on the case, Gil has the task, Mo is invited, Ken leads the
    plan. Returns the records and `.words` {word: (kind, record)}."""
    made = SimpleNamespace(words={})
    for make in (incident, case, task, meetings, plan, sent, profile):
        make(made, student, cast, clock.now() - timedelta(days=1))
    return made


def incident(made, student, cast, at):
    row = made.incident = factories.incident(
        cast.sam, [(student, [factories.category("Zqcategory")])], "Zqincident was seen.", happened_at=at, status="Closed"
    )
    factories.action(row, cast.sam, "Zqaction to do.", at=at, done_at=at + timedelta(hours=1), done_by=cast.sam)
    again = {"reopened_at": at, "reopened_by": cast.kay, "reopen_reason": "Zqreopened"}
    IncidentClosure.update(again).where(IncidentClosure.incident == row).execute()
    stored("Zqincidentfile", cast.sam, at, incident=row)
    _tell(made, "incident", row, "Zqincident", "Zqaction", "Zqreopened", "Zqincidentfile", "Zqcategory")


def case(made, student, cast, at):
    row = made.case = factories.case(student, cast.kay, "Zqcase", opened_at=at, entries=[(cast.kay, "Zqentry was said.")])
    CasePresenting.create(case=row, number=1, concern="Zqconcern", author=cast.kay, at=at)
    CaseAgency.create(case=row, section="law_enforcement", agency="Zqagency", author=cast.kay, at=at)
    stored("Zqcasefile", cast.kay, at, case=row)
    CaseClosure.create(
        case=row, closed_by=cast.kay, closed_at=at, reason=CloseReason.select().first(), outcome="Zqoutcome",
        reopened_by=cast.kay, reopened_at=at, reopen_reason="Zqagain",
    )  # fmt: skip
    _tell(made, "case", row, "Zqcase", "Zqentry", "Zqconcern", "Zqagency", "Zqcasefile", "Zqoutcome", "Zqagain")


def task(made, student, cast, at):
    row = made.task = factories.task(
        student, cast.gil, cast.sam, "Zqtask", notes="Zqnotes", set_at=at, state="completed", ended_at=at, ended_by=cast.gil
    )
    TaskNote.create(task=row, author=cast.gil, at=at, text="Zqprogress")
    _tell(made, "task", row, "Zqtask", "Zqnotes", "Zqprogress")


def meetings(made, student, cast, at):
    row = made.meeting = factories.meeting(
        cast.sam, [student], [cast.mo], starts_at=at, state="held", agenda="Zqagenda", outcome="Zqheld", ended_by=cast.mo,
        place="Zqplace", sequence=1,
    )  # fmt: skip
    MeetingStudent.update(outcome="Zqownoutcome", at=at).where(MeetingStudent.meeting == row).execute()
    Event.create(actor=cast.sam, verb="meeting.moved", target=row.ref, data='{"sequence": 1}', at=at + timedelta(hours=1))
    called_off = made.cancelled = factories.meeting(
        cast.sam, [student], [cast.mo], state="cancelled", ended_at=at, ended_by=cast.sam, cancel_reason="Zqcancelled"
    )
    _tell(made, "meeting", row, "Zqagenda", "Zqheld", "Zqownoutcome", "Zqplace")
    _tell(made, "meeting", called_off, "Zqcancelled")


def plan(made, student, cast, at):
    row = made.plan = factories.plan(
        student, cast.ken, cast.sam, goal="Zqgoal", concern="Zqworry", measure="Zqmeasure", created_at=at, state="ended",
        ended_at=at, ended_by=cast.ken, end_reason="Zqended",
    )  # fmt: skip
    day = at.date()
    PlanIntervention.create(plan=row, text="Zqintervention", started_on=day, author=cast.ken, at=at)
    PlanPoint.create(plan=row, day=day, value=3.5, note="Zqpoint", author=cast.ken, at=at)
    PlanReview.create(plan=row, day=day, decision="continue", notes="Zqreview", author=cast.ken, at=at)
    _tell(made, "plan", row, "Zqgoal", "Zqworry", "Zqintervention", "Zqpoint", "Zqreview", "Zqended")


def sent(made, student, cast, at):
    form = factories.form("Worry form", cast.ada, WORRY, readers=[cast.counselling])
    row = made.response = factories.response(form, cast.oli, student, {"f1": "Zqanswer"}, submitted_at=at)
    stored("Zqresponsefile", cast.oli, at, form_response=row)
    _tell(made, "form", row, "Zqanswer", "Zqresponsefile")
    for shown_to in ("related", "groups"):
        file = stored(
            f"Zqfile{shown_to}", cast.sam, at, student=student, shown_to=shown_to, file_category=FileCategory.select().first()
        )
        _tell(made, "file", file, f"Zqfile{shown_to}")


def profile(made, student, cast, at):
    Event.create(actor=cast.ada, verb="student.left", target=student.ref, at=at)
    Event.create(actor=cast.ada, verb="student.returned", target=student.ref, at=at)
    cohort = factories.cohort(students=[student], groups=[cast.counselling])
    milestone = factories.milestone(cohort, "Zqmilestone")
    StudentMilestone.create(milestone=milestone, student=student, state="completed", marked_by=cast.gil, marked_at=at)
    _tell(made, "milestone", cohort, "Zqmilestone")
    _tell(made, "student", student, "Left the school", "Returned to the school")


def _tell(made, kind, record, *words):
    made.words |= dict.fromkeys(words, (kind, record))


def belongs(case, kind, row, by):
    CaseRecord.create(case=case, kind=kind, record_id=row.id, record=row.ref, how="joined", by=by)


READ = {
    "incident": permissions.visible_incidents,
    "case": permissions.visible_cases,
    "task": permissions.visible_tasks,
    "meeting": permissions.visible_meetings,
    "plan": permissions.visible_plans,
    "form": permissions.visible_responses,
    "file": permissions.visible_student_files,
    "student": permissions.visible_students,
}


def may_find(made, account, student):
    """The words of the records that this account may see, as permissions.py says it of each record by itself."""
    return {word for word, (kind, record) in made.words.items() if _sees(kind, record, account, student)}


def _sees(kind, record, account, student):
    if kind == "milestone":
        return permissions.supported_students(account, CohortStudent.id).where(CohortStudent.cohort == record).exists()
    return READ[kind](account).where(type(record).id == record.id).exists()


