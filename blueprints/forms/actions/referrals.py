"""What becomes of a referral: accepted onto a known student, as a new one, merged with an earlier referral, or declined. Whoever
sent it is told one word and nothing else: no function here may write anything by which the ways to accept could be told apart
on the sender's pages."""

import events
import permissions
from blueprints.cases import actions as cases
from blueprints.kit.refusing import Refused
from blueprints.students import actions as students
from extensions import clock, db
from models import Conflict, FormResponse, Referral, Student

ACCEPTED, DECLINED, RECEIVED = "accepted", "declined", "received"
KNOWN, NEW, MERGED = "known", "new", "merged"
UNKNOWN = "Somebody you chose is not known. Choose again."
NOT_EARLIER = "This referral can't be merged with that one. Choose again."


def accept(referral, student, *, version, actor):
    """The referral is about this student. Raises NotVisible, Denied, Refused at "student", or Conflict."""
    _require(actor, referral)
    with db.atomic():
        if not permissions.visible_students(actor, Student.id).where(Student.id == student.id).exists():
            raise Refused("student", UNKNOWN)
        _accept(referral, student, version, KNOWN, actor=actor)


def accept_as_new(referral, values, *, version, actor):
    """The referral is about a student whom the school does not know yet: add them, `values` as StudentForm.values() gives
    them; returns the Student. Raises NotVisible, Denied, Conflict, or students.Taken."""
    _require(actor, referral)
    permissions.require("student.edit", actor)
    with db.atomic():
        student = students.add_student(values, actor=actor)
        _accept(referral, student, version, NEW, actor=actor)
    return student


def merge(referral, earlier, *, version, actor):
    """The referral is about the same student as an earlier one that was accepted. Raises NotVisible, Denied, Refused at
    "earlier", or Conflict."""
    _require(actor, referral)
    _require(actor, earlier)
    with db.atomic():
        student = Student.get_or_none(Student.id == earlier.response.student_id)
        if earlier.id == referral.id or earlier.state != ACCEPTED or student is None:
            raise Refused("earlier", NOT_EARLIER)
        _accept(referral, student, version, MERGED, merged_into=earlier, actor=actor)


def decline(referral, reason, *, version, actor):
    """The school does not take the referral on; the reason stays inside. Raises NotVisible, Denied or Conflict."""
    _require(actor, referral)
    with db.atomic():
        events.record("referral.declined", actor=actor, target=referral.response.ref)
        _decide(referral, version, state=DECLINED, reason=reason, actor=actor)


def _require(actor, referral):
    permissions.require_record("form", actor, referral.response, permissions.DECIDE_REFERRAL)


def _accept(referral, student, version, how, *, merged_into=None, actor):
    """In the open transaction."""
    response = referral.response
    events.record("referral.accepted", actor=actor, target=response.ref, how=how, student=student.ref)
    _decide(referral, version, state=ACCEPTED, how=how, merged_into=merged_into, actor=actor)
    FormResponse.update(student=student).where(FormResponse.id == response.id).execute()
    cases.happened("form", student, response, actor=actor, form=response.form, answers=response.answers)


def _decide(referral, version, *, actor, **decision):
    """Compare and set: a referral is decided on once, and whoever comes second sees what the first has decided."""
    row = Referral.get_by_id(referral.id)
    if row.state != RECEIVED:
        raise Conflict(row)
    row.change(version, decided_by=actor, decided_at=clock.now(), **decision)
