"""How far students are with a milestone: mark() is the only way in which that changes. Whoever sees a student's milestones may
mark them. What somebody else has changed since the page was made is not overwritten without a word."""

from typing import NamedTuple

import events
import permissions
from blueprints.cohorts.actions.base import hold_milestone
from extensions import clock, db
from models import Account, CohortStudent, Milestone, MilestoneRequest, School, Student, StudentMilestone

OPEN, COMPLETED, WAIVED = "open", "completed", "waived"
STATES = (OPEN, COMPLETED, WAIVED)


class Moved(NamedTuple):
    """What somebody else has made of a student's milestone since the page was shown."""

    milestone: Milestone
    student: Student
    state: str
    by: str
    at: object


class AlreadyMoved(Exception):
    """Somebody else was there first; nothing was marked. `moved`: a list of Moved."""

    def __init__(self, moved):
        super().__init__(f"{len(moved)} states were changed by somebody else")
        self.moved = moved


def mark(milestone, students, state, *, actor, seen=None):
    """Mark a milestone as open, completed or waived for these students of its cohort; returns for how many it changed.

    `seen`: {student id: version of the state on the page, 0 where there was none}; None where no page was shown. Completing
    answers a waiting request as confirmed. Raises ValueError for another state, NotVisible for a student or milestone that the
    actor does not see or that is not in the cohort, Refused (field "state") while the cohort is archived, AlreadyMoved.
    """
    return mark_many([(milestone, list(students))], state, actor=actor, seen=None if seen is None else {milestone.id: seen})


def mark_many(chosen, state, *, actor, seen=None):
    """The same for several milestones, all of it or nothing: `chosen` [(milestone, [student, …])], `seen`
    {milestone id: {student id: version}}."""
    if state not in STATES:
        raise ValueError(f"{state} is not a state of a milestone")
    permissions.require("milestone.support", actor)
    with db.atomic():
        changes, moved = [], []
        # In one order, so that two who mark at the same moment wait for each other and not crosswise.
        for milestone, students in sorted(chosen, key=lambda pair: pair[0].id):
            _require_markable(milestone, students, actor)
            rows = _rows(milestone, students)
            versions = None if seen is None else seen.get(milestone.id, {})
            moved += _moved(milestone, students, state, rows, versions)
            changes.append((milestone, students, rows))
        if moved:
            raise AlreadyMoved(moved)
        return sum(_save(*change, state, actor) for change in changes)


def _require_markable(milestone, students, actor):
    """Who may is asked first: nobody else learns that the cohort is archived."""
    ids = {student.id for student in students}
    inside = permissions.supported_students(actor, CohortStudent.student_id)
    inside = inside.where((CohortStudent.cohort == milestone.cohort_id) & CohortStudent.student.in_(list(ids)))
    saved = Milestone.select().where((Milestone.id == milestone.id) & Milestone.saved_at.is_null(False))
    if {student for (student,) in inside.tuples()} != ids or not saved.exists():
        raise permissions.NotVisible(milestone.ref)
    hold_milestone(milestone, "state")


def _rows(milestone, students):
    ids = [student.id for student in students]
    query = StudentMilestone.select(StudentMilestone, Account).join(Account)
    query = query.where((StudentMilestone.milestone == milestone.id) & StudentMilestone.student.in_(ids))
    return {row.student_id: row for row in query}


def _moved(milestone, students, state, rows, versions):
    """Those whose state is neither the one on the page nor the one that is wanted."""
    if versions is None:
        return []
    there = [(student, rows[student.id]) for student in students if student.id in rows]
    return [
        Moved(milestone, student, row.state, row.marked_by.name, row.marked_at)
        for student, row in there
        if row.version != versions.get(student.id, 0) and row.state != state
    ]


def _save(milestone, students, rows, state, actor):
    now, changed = clock.now(), []
    for student in {student.id: student for student in students}.values():
        row = rows.get(student.id)
        if (row.state if row else OPEN) != state:
            changed.append((student, row))
    known = [row.id for _, row in changed if row]
    if known:
        fields = {"state": state, "marked_by": actor, "marked_at": now, "version": StudentMilestone.version + 1}
        StudentMilestone.update(**fields).where(StudentMilestone.id.in_(known)).execute()
    fresh = [student for student, row in changed if row is None]
    fields = {"milestone": milestone, "state": state, "marked_by": actor, "marked_at": now}
    for start in range(0, len(fresh), 500):
        StudentMilestone.insert_many([{"student": student, **fields} for student in fresh[start : start + 500]]).execute()
    for student, _ in changed:
        events.record("milestone.marked", actor=actor, target=student.ref, milestone=milestone.ref, state=state)
    if state == COMPLETED:
        _confirm_waiting(milestone, students, actor)
    return len(changed)


def _confirm_waiting(milestone, students, actor):
    ids = [student.id for student in students]
    waiting = MilestoneRequest.select(MilestoneRequest, Student).join(Student)
    waiting = waiting.where((MilestoneRequest.milestone == milestone.id) & (MilestoneRequest.outcome == ""))
    for request in waiting.where(MilestoneRequest.student.in_(ids)).order_by(MilestoneRequest.id):
        decide(request, milestone, "confirmed", "", actor)


def decide(request, milestone, outcome, answer, actor):
    """In the open transaction: answer a waiting request (with `.student`) and tell the student by email, while students see
    their dashboard. False where it was no longer waiting."""
    fields = {"outcome": outcome, "answer": answer, "decided_by": actor, "decided_at": clock.now()}
    waiting = (MilestoneRequest.id == request.id) & (MilestoneRequest.outcome == "")
    if not MilestoneRequest.update(version=MilestoneRequest.version + 1, **fields).where(waiting).execute():
        return False
    said = {"milestone": milestone.ref, "request": request.ref, "outcome": outcome}
    events.record("milestone.answered", actor=actor, target=request.student.ref, **said)
    account = Account.get_or_none((Account.email_folded == request.student.email_folded) & Account.is_active)
    if account is not None and permissions.own_student(account, School.get()):
        once = f"milestone_answered:{request.ref}"
        events.email("milestone_answered", account, target=milestone.ref, target_id=milestone.id, once=once)
    return True
