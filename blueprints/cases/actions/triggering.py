"""Cases that open by themselves: what the parts call, inside their own transaction, when something happened that the Case
Management Dictionary may open a case for.

Returns nothing on purpose: the page that triggered a case must not be able to tell (DOMAIN.md, ruling 3). Must not ask
whether the actor sees the case: they mostly don't.
"""

import events
import permissions
from blueprints.cases.actions.base import note_activity, people_on
from blueprints.cases.actions.opening import free_ref
from blueprints.cases.queries.triggers import TITLES, fits
from extensions import clock, db
from models import (
    Account,
    Case,
    CaseGroup,
    CaseRecord,
    CaseStaff,
    CaseType,
    Group,
    Student,
    Trigger,
    TriggerGroup,
    TriggerStaff,
    is_postgres,
)


def happened(kind, student, row, *, actor, record=None, form=None, answers=None):
    """In the open transaction: `row` (a FormResponse, Plan, Task, Meeting, PlanReview or StoredFile, by `kind`) came to be
    for this student. Opens a case, or adds the row to the newest open one of the type, if the dictionary says so.

    `record`: what the address of its page ends with, where that is not `row.ref`. `form` (a Form) and `answers` (as
    models.FormResponse has them, a text): for the kind form alone.
    """
    happened_to_each(kind, [(student, row)], actor=actor, record=record, form=form, answers=answers)


def happened_to_each(kind, rows, *, actor, record=None, form=None, answers=None):
    """The same for many at once: `rows` [(student, row)]."""
    if not db.in_transaction():
        raise RuntimeError(f"what a {kind} opens belongs into the transaction of what happened")
    trigger = trigger_for(kind, form, answers)
    case_type = case_type_of(trigger) if trigger else None
    if case_type is None:
        return
    # In one order for everybody: two that hold the same students would else wait for each other.
    for student, row in sorted(rows, key=lambda pair: pair[0].id):
        open_or_join(trigger, case_type, student, row.id, record or row.ref, actor=actor)


def trigger_for(kind, form=None, answers=None):
    """The trigger that is on for this, or None. A form with a trigger of its own goes by that; the dictionary's **Submit a
    Form** has to be on all the same."""
    general = Trigger.get_or_none((Trigger.kind == kind) & Trigger.form.is_null())
    if general is None or not general.is_on or form is None:
        return general if general and general.is_on else None
    own = Trigger.get_or_none((Trigger.kind == kind) & (Trigger.form == form.id))
    if own is None:
        return general
    return own if own.is_on and fits(own.field, own.answer, answers) else None


def case_type_of(trigger):
    """The case type of a trigger; one that can't be chosen any more, or none, stands for the first in use. None where the
    school has none in use at all."""
    if trigger.case_type_id is not None and not trigger.case_type.is_retired:
        return trigger.case_type
    return CaseType.select().where(~CaseType.is_retired).order_by(CaseType.position, CaseType.name).first()


def open_or_join(trigger, case_type, student, record_id, record, *, actor):
    """In the open transaction: the record joins the newest open case of the type, or opens one. Once for each case: what
    belongs to the case already changes nothing."""
    hold(student)
    case = _newest_open(student, case_type)
    how = "joined" if case else "opened"
    if case is None:
        case = _open(trigger, case_type, student, record, actor=actor)
    fields = {"kind": trigger.kind, "record_id": record_id, "record": record, "how": how, "by": actor}
    known = (CaseRecord.case == case.id) & (CaseRecord.kind == trigger.kind) & (CaseRecord.record_id == record_id)
    if CaseRecord.select().where(known).exists():
        return
    CaseRecord.create(case=case, at=clock.now(), **fields)
    if how == "joined":
        events.record("case.record_joined", actor=actor, target=case.ref, kind=trigger.kind, record=record)
        note_activity(case, trigger.kind, actor=actor, record_id=record_id)


def hold(student):
    """In the open transaction, before a case of the student is held: two things that happen to a student at the same moment
    open one case. SQLite has one writer anyway. NO KEY: both may have written a row that refers to the student by now, which
    FOR UPDATE would wait for, each for the other."""
    if is_postgres():
        Student.select(Student.id).where(Student.id == student.id).for_update("FOR NO KEY UPDATE").execute()


def _newest_open(student, case_type):
    """The case to join, held so that nobody closes it before this transaction has ended; None for none."""
    mine = (Case.student == student.id) & (Case.status == "Open") & (Case.case_type == case_type.id)
    while case := Case.select().where(mine).order_by(Case.opened_at.desc(), Case.id.desc()).first():
        if Case.update(status="Open").where((Case.id == case.id) & mine).execute():
            return case
    return None


def _open(trigger, case_type, student, record, *, actor):
    now = clock.now()
    title = trigger.title or TITLES[trigger.kind]
    case = Case.create(ref=free_ref(), student=student, case_type=case_type, title=title, opened_at=now, last_activity_at=now)
    events.record("case.opened_itself", actor=actor, target=case.ref, student=student.ref, case_type=case_type.ref,
                  kind=trigger.kind, record=record)  # fmt: skip
    _attach(trigger, case, student, actor=actor)
    people = people_on(case)
    events.notify("case_added", people, actor=None, target=case.ref, target_id=case.id, email_too=trigger.email_staff)
    return case


def _attach(trigger, case, student, *, actor):
    """Whom the dictionary names: as if whoever saved it there had attached them. Left out, without a word, is who was
    deactivated since, or may see nothing of this student."""
    by = trigger.changed_by_id or actor.id
    groups = Group.select(Group).join(TriggerGroup).where((TriggerGroup.trigger == trigger.id) & Group.is_active)
    for group in groups.order_by(Group.id):
        CaseGroup.create(case=case, group=group, attached_by=by)
    staff = permissions.fit_for(student, Account).join(TriggerStaff).where(TriggerStaff.trigger == trigger.id)
    for account in staff:
        CaseStaff.create(case=case, account=account, attached_by=by)
