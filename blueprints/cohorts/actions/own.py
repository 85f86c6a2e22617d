"""What a student does about their own milestones: asking to have one marked as completed, and taking that back. Answering is
the staff's side (requests.py)."""

from peewee import SQL

import events
import permissions
from blueprints.account import actions as account_actions
from blueprints.cohorts import queries
from blueprints.cohorts.actions.base import hold_milestone
from blueprints.cohorts.actions.marking import OPEN
from blueprints.incidents.actions.files import save_stored
from blueprints.kit.refusing import Refused
from extensions import clock, db
from models import Cohort, Milestone, MilestoneRequest, School, StoredFile, StudentMilestone

WITHDRAWN = "withdrawn"


def ask(milestone, note, stored=(), *, actor, draft=None):
    """Ask the staff to mark one's own milestone as completed, with a note, files that are written already, both or neither; they
    are told. `draft` is (key, once) of the form's draft. Returns the request.

    Raises NotVisible for a milestone that is not the actor's, Refused (field "note") where it is done or waits already.
    """
    student = _require_own(actor, milestone)
    with db.atomic():
        hold_milestone(milestone, "note")
        _refuse_again(milestone, student)
        request = MilestoneRequest.create(milestone=milestone, student=student, note=note, asked_at=clock.now())
        said = {"milestone": milestone.ref, "request": request.ref, "files": len(stored)}
        events.record("milestone.asked", actor=actor, target=student.ref, **said)
        save_stored(stored, actor, milestone_request=request)
        people = queries.told_of_request(student, Cohort(id=milestone.cohort_id))
        events.notify("milestone_asked", people, actor=actor, target=student.ref, target_id=student.id)
        if draft:
            account_actions.clear_draft(draft[0], actor=actor, once=draft[1])
    return request


def _require_own(actor, milestone):
    """The student whose account this is; NotVisible unless the milestone is theirs."""
    student = permissions.own_student(actor, School.get())
    mine = student and permissions.own_milestones(actor, SQL("1")).where(Milestone.id == milestone.id).exists()
    if not mine:
        raise permissions.NotVisible(milestone.ref)
    return student


def _refuse_again(milestone, student):
    """Called with the milestone held: nobody marks it, and no second request comes in, before the transaction has ended."""
    theirs = (StudentMilestone.milestone == milestone.id) & (StudentMilestone.student == student.id)
    marked = StudentMilestone.get_or_none(theirs)
    if marked is not None and marked.state != OPEN:
        raise Refused("note", "Your school has marked this one already. There is nothing more to do.")
    waiting = (MilestoneRequest.milestone == milestone.id) & (MilestoneRequest.student == student.id)
    if MilestoneRequest.select().where(waiting & (MilestoneRequest.outcome == "")).exists():
        raise Refused("note", "You have asked already. Wait for an answer, or take it back first.")


def take_back(milestone, request_ref, *, actor):
    """Take back one's own request about a milestone; its files go with it. Done already is done.

    Raises NotVisible for a request that is not the actor's, Refused (field "note") when it has been answered.
    """
    student = _require_own(actor, milestone)
    with db.atomic():
        hold_milestone(milestone, "note")
        mine = (MilestoneRequest.milestone == milestone.id) & (MilestoneRequest.student == student.id)
        row = MilestoneRequest.get_or_none(mine & (MilestoneRequest.ref == request_ref))
        if row is None:
            raise permissions.NotVisible(request_ref)
        if row.outcome == WITHDRAWN:
            return
        if row.outcome:
            raise Refused("note", "It has been answered already.")
        now = clock.now()
        row.change(row.version, outcome=WITHDRAWN, decided_at=now)
        there = (StoredFile.milestone_request == row) & StoredFile.removed_at.is_null()
        StoredFile.update(removed_at=now, removed_by=actor).where(there).execute()
        said = {"milestone": milestone.ref, "request": row.ref}
        events.record("milestone.request_withdrawn", actor=actor, target=student.ref, **said)
