"""Changes to students, their contacts, and who is kept out of a record. Each action asks permissions.py, owns its
transaction and records its event.

The event comes first in a transaction: it uses up the form's one-time key, so that the second of two sends of one form
gets the first one's result and not "another student has this number". Must not know the request; nothing is deleted.
"""

from contextlib import contextmanager

from peewee import IntegrityError

import events
import permissions
from blueprints.students import accounts
from blueprints.students import import_rows as import_rows  # what the part "imports" brings students in with
from blueprints.students import imports as imports
from blueprints.students.forms import LABELS
from blueprints.students.forms import StudentForm as StudentForm  # what a referral is accepted with as a new student
from blueprints.students.queries import search_keys
from blueprints.students.telling import CONTACT, DETAILS, LEFT, RETURNED, tell
from extensions import clock, db
from models import (
    Account,
    Case,
    Exclusion,
    Incident,
    IncidentStudent,
    Meeting,
    MeetingStudent,
    Student,
    StudentContact,
    is_postgres,
    new_ref,
)

UNIQUE = {"email": "email_folded", "admission_number": "admission_number", "upn": "upn"}
SEARCHED = ("first_name", "last_name", "preferred_name", "admission_number", "email")


class Taken(Exception):
    """Another student has it already: `problems` is {field name: sentence}."""

    def __init__(self, problems):
        super().__init__(" ".join(problems.values()))
        self.problems = problems


class NotPossible(Exception):
    """A rule of the house stands against it; its text is the sentence for the person who asked."""


# --- Students --------------------------------------------------------------------------------------------------------


def add_student(values, *, actor):
    """Add a student; `values` as StudentForm.values() gives them. Raises Taken."""
    permissions.require("student.edit", actor)
    ref = new_ref()
    with _unique(values), db.atomic():
        events.record("student.added", actor=actor, target=ref)
        _refuse_taken(values)
        _refuse_account(values)
        return Student.create(ref=ref, **values, **_keys(values))


def change_student(student, values, *, version, actor):
    """Save what differs; raises Conflict when somebody else changed the student after `version`, and Taken."""
    permissions.require("student.edit", actor, student=student)
    with _unique(values, student.id), db.atomic():
        row = Student.get_by_id(student.id)
        changed = {name: value for name, value in values.items() if getattr(row, name) != value}
        if not changed:
            return row
        events.record("student.changed", actor=actor, target=row.ref, fields=sorted(changed))
        _refuse_taken(changed, row.id)
        _refuse_account(changed, row.email)
        merged, before = {name: getattr(row, name) for name in SEARCHED} | changed, row.email_folded
        row.change(version, **changed, **_keys(merged))
        accounts.follow([(before, merged if changed.keys() & set(SEARCHED) else {})], actor=actor)
        tell(row, DETAILS, actor=actor)
        return row


def leave(student, *, actor):
    """Mark a student as left; their record stays. Done already is done."""
    return _set_active(student, False, "student.left", actor)


def take_back(student, *, actor):
    """Mark a student as returned."""
    return _set_active(student, True, "student.returned", actor)


def _set_active(student, active, verb, actor):
    permissions.require("student.edit", actor, student=student)
    with db.atomic():
        row = Student.get_by_id(student.id)
        if row.is_active != active:
            events.record(verb, actor=actor, target=row.ref)
            row.change(row.version, is_active=active, left_at=None if active else clock.now())
            accounts.follow([(row.email_folded, {"is_active": active})], actor=actor)
            tell(row, RETURNED if active else LEFT, actor=actor)
        return row


def _keys(values):
    return search_keys(**{name: values.get(name) for name in SEARCHED})


def _taken(values, but=None):
    """{field: sentence} for what another student has already. The sentence names nobody: that student may be one who
    is closed to the reader."""
    problems = {}
    for name, column in UNIQUE.items():
        value = values.get(name)
        if not value:
            continue
        value = value.casefold() if name == "email" else value
        others = Student.select(Student.id).where(getattr(Student, column) == value)
        if but is not None:
            others = others.where(Student.id != but)
        if others.exists():
            label = LABELS[name] if name == "upn" else LABELS[name].lower()
            problems[name] = f"Another student has this {label} already."
    return problems


def _refuse_taken(values, but=None):
    problems = _taken(values, but)
    if problems:
        raise Taken(problems)


def _refuse_account(values, old=""):
    if "email" in values and (problem := accounts.problem(values["email"], old)):
        raise Taken({"email": problem})


@contextmanager
def _unique(values, but=None):
    """Two people who take the same number at the same moment: the second gets the sentence, not an error page."""
    try:
        yield
    except IntegrityError:
        problems = _taken(values, but)
        if not problems:
            raise
        raise Taken(problems) from None


# --- Contacts --------------------------------------------------------------------------------------------------------


def add_contact(student, values, *, actor):
    """Add somebody to reach about the student; `values` as ContactForm.values()."""
    permissions.require("student.edit", actor, student=student)
    ref = new_ref()
    with db.atomic():
        events.record("student.contact_changed", actor=actor, target=student.ref, contact=ref, how="added")
        tell(student, CONTACT, actor=actor)
        return StudentContact.create(ref=ref, student=student, **values)


def change_contact(contact, values, *, version, actor):
    """Save what differs; raises Conflict when somebody else changed the contact after `version`."""
    permissions.require("student.edit", actor, student=contact.student)
    with db.atomic():
        row = StudentContact.get_by_id(contact.id)
        changed = {name: value for name, value in values.items() if getattr(row, name) != value}
        if not changed:
            return row
        how = {"contact": row.ref, "how": "changed", "fields": sorted(changed)}
        events.record("student.contact_changed", actor=actor, target=row.student.ref, **how)
        row.change(version, **changed)
        tell(row.student, CONTACT, actor=actor)
        return row


def remove_contact(contact, *, actor):
    """Take a contact off the page; the row stays."""
    permissions.require("student.edit", actor, student=contact.student)
    with db.atomic():
        row = StudentContact.get_by_id(contact.id)
        if row.removed_at is None:
            how = {"contact": row.ref, "how": "removed"}
            events.record("student.contact_changed", actor=actor, target=row.student.ref, **how)
            row.change(row.version, removed_at=clock.now(), removed_by=actor)
            tell(row.student, CONTACT, actor=actor)
        return row


# --- Conflicts of interest -------------------------------------------------------------------------------------------


def exclude(account, *, student=None, incident=None, case=None, reason, actor):
    """Keep an account out of one incident, one case, or of everything about one student. Beats every reason to see it.

    Raises NotPossible when no other active Admin Key Holder would be left who sees the record, or an incident or a case
    of the student. Excluding oneself is allowed: it is how somebody steps back.
    """
    permissions.require("exclusion", actor, student=student, incident=incident, case=case)
    on = student or incident or case
    with db.atomic():
        _one_at_a_time()
        events.record("exclusion.added", actor=actor, target=on.ref, account=account.ref, on=_kind(on))
        current = Exclusion.ended_at.is_null() & (Exclusion.account == account)
        if Exclusion.select().where(current & (getattr(Exclusion, _kind(on)) == on)).exists():
            raise NotPossible(f"{account.name} is excluded from this already.")
        row = Exclusion.create(account=account, reason=reason, excluded_by=actor, **{_kind(on): on})
        _refuse_nobody_left(on)
        return row


def end_exclusion(exclusion, *, actor):
    """Let the account back in, as far as other reasons carry. The excluded account itself can't."""
    student, incident, case = exclusion.student, exclusion.incident, exclusion.case
    permissions.require("exclusion", actor, student=student, incident=incident, case=case)
    if exclusion.account_id == actor.id:
        raise permissions.NotVisible(exclusion.ref)
    on = student or incident or case
    with db.atomic():
        row = Exclusion.get_by_id(exclusion.id)
        if row.ended_at is None:
            how = {"account": row.account.ref, "on": _kind(on)}
            events.record("exclusion.ended", actor=actor, target=on.ref, **how)
            Exclusion.update(ended_at=clock.now(), ended_by=actor).where(
                (Exclusion.id == row.id) & Exclusion.ended_at.is_null()
            ).execute()
        return Exclusion.get_by_id(row.id)


def _kind(on):
    """What the record is, which is also the column of an exclusion that names it."""
    return {Student: "student", Incident: "incident", Case: "case"}[type(on)]


def _one_at_a_time():
    """Two admins who exclude each other at the same moment would leave nobody; SQLite writes one at a time anyway."""
    if is_postgres():
        list(Account.select(Account.id).where(Account.role == permissions.ADMIN).order_by(Account.id).for_update())


def _refuse_nobody_left(on):
    """Called with the exclusion written: is an Admin Key Holder left for the record, and for all that is the student's?"""
    admins = list(Account.select().where(Account.is_active & (Account.role == permissions.ADMIN)))
    left = [admin for admin in admins if _sees(admin, on)]
    if not left:
        raise NotPossible("At least one other Admin Key Holder must be left who can see this. Add one first.")
    if isinstance(on, Student) and (orphan := _orphaned(on, left)):
        raise NotPossible(f"{orphan} of this student would be left without an Admin Key Holder who can see it.")


def _sees(admin, on):
    if isinstance(on, Student):
        return permissions.visible_students(admin).where(Student.id == on.id).exists()
    reasons = permissions.case_reasons if isinstance(on, Case) else permissions.incident_reasons
    return bool(reasons(admin, on))


def _orphaned(student, admins):
    """What of the student none of these admins would see: "An incident", "A case", "A meeting", or None."""
    parts = IncidentStudent.select(IncidentStudent.incident).where(IncidentStudent.student == student)
    incidents = {incident for (incident,) in parts.tuples()}
    cases = {case for (case,) in Case.select(Case.id).where(Case.student == student).tuples()}
    about = MeetingStudent.select(MeetingStudent.meeting).where(MeetingStudent.student == student)
    meetings = {meeting for (meeting,) in about.tuples()}
    for admin in admins:
        seen = permissions.visible_incidents(admin, Incident.id).where(Incident.id.in_(parts))
        incidents -= {incident for (incident,) in seen.tuples()}
        seen = permissions.visible_cases(admin, Case.id).where(Case.student == student)
        cases -= {case for (case,) in seen.tuples()}
        seen = permissions.visible_meetings(admin, Meeting.id).where(Meeting.id.in_(about))
        meetings -= {meeting for (meeting,) in seen.tuples()}
    return "An incident" if incidents else "A case" if cases else "A meeting" if meetings else None
