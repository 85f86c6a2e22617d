"""Student meetings: scheduling, moving, who it is about and who is to be there, what came of it, cancelling.

Whoever is to be there, who scheduled it, and Admin Key Holders change a meeting. Must not say whether a case opened, and must
not let anybody in who is kept from one of the students: they are refused in the same words as somebody who has left.
"""

import json
from datetime import timedelta

import events
import permissions
from blueprints.account import actions as account_actions
from blueprints.cases.actions.base import Refused
from blueprints.cases.actions.triggering import happened_to_each
from blueprints.kit.text import plural
from extensions import clock, db
from models import Account, Meeting, MeetingStaff, MeetingStudent, MeetingType, MeetingVersion, Student

PLANNED, HELD, CANCELLED = "planned", "held", "cancelled"
LONGEST = timedelta(days=14)
ATTENDED = ("", "yes", "no")


def schedule_meeting(*, actor, students, staff, meeting_type, starts_at, ends_at, place="", agenda="", draft=None):
    """Schedule a meeting about these students and return it; without `staff` the actor alone is to be there.

    `meeting_type`: an id. `starts_at`, `ends_at`: aware datetimes. `draft` is (key, once) of the form's. Raises Denied,
    NotVisible (of a student whom the actor does not see) or Refused.
    """
    permissions.require("meeting.read", actor)
    _require_seen(actor, students)
    _check_times(starts_at, ends_at)
    if not students:
        raise Refused("students", "Say whom the meeting is about.")
    with db.atomic():
        kind = _type(meeting_type)
        _refuse_left(students)
        people = _fit(staff or [actor], [one.id for one in students])
        now = clock.now()
        times = {"starts_at": starts_at, "ends_at": ends_at, "scheduled_at": now, "changed_at": now}
        meeting = Meeting.create(meeting_type=kind, scheduled_by=actor, place=place, agenda=agenda, **times)
        _put(MeetingStudent, meeting, "student", students, actor)
        _put(MeetingStaff, meeting, "account", people, actor)
        events.record("meeting.scheduled", actor=actor, target=meeting.ref, students=[one.ref for one in students],
                      staff=[one.ref for one in people])  # fmt: skip
        events.notify("meeting_invited", people, actor=actor, target=meeting.ref, target_id=meeting.id)
        happened_to_each("meeting", [(one, meeting) for one in students], actor=actor)
        _forget(draft, actor)
    return meeting


def _forget(draft, actor):
    if draft:
        account_actions.clear_draft(draft[0], actor=actor, once=draft[1])


# --- When, where and what about --------------------------------------------------------------------------------------


def move_meeting(meeting, *, starts_at, ends_at, place, actor, version):
    """Another time or place; everybody who is to be there is told. A new time counts as a move (models.Meeting.sequence).
    Raises NotVisible, Denied, Refused or Conflict."""
    permissions.require_record("meeting", actor, meeting, permissions.MANAGE_MEETING)
    _check_times(starts_at, ends_at)
    with db.atomic():
        now = _as_it_stands(meeting)
        if now.state == HELD:
            raise Refused("starts_at", "The outcome of this meeting is recorded already: its time stays as it is.")
        is_moved = (starts_at, ends_at) != (now.starts_at, now.ends_at)
        if not is_moved and place == now.place:
            return now
        fields = {"place": place}
        if is_moved:
            fields |= {"starts_at": starts_at, "ends_at": ends_at, "sequence": now.sequence + 1, "changed_at": clock.now()}
        was, was_at = now.starts_at, now.place
        now.change(version, **fields)
        if is_moved:
            events.record("meeting.moved", actor=actor, target=now.ref, sequence=now.sequence, was=was.isoformat())
        if place != was_at:
            events.record("meeting.changed", actor=actor, target=now.ref, fields=["place"])
        _tell(now, "time" if is_moved else "place", actor=actor)
    return now


def change_meeting(meeting, *, meeting_type, agenda, actor, version, draft=None):
    """Another type (an id) or agenda; the agenda as it was is kept. Raises NotVisible, Denied, Refused or Conflict."""
    permissions.require_record("meeting", actor, meeting, permissions.MANAGE_MEETING)
    with db.atomic():
        now = _as_it_stands(meeting)
        _forget(draft, actor)
        fields = {"agenda": agenda} if agenda != now.agenda else {}
        if meeting_type != now.meeting_type_id:
            fields["meeting_type"] = _type(meeting_type)
        if not fields:
            return now
        before = _texts(now)
        now.change(version, **fields)
        _keep(now, before, actor=actor)
        events.record("meeting.changed", actor=actor, target=now.ref, fields=sorted(fields))
    return now


# --- Whom it is about ------------------------------------------------------------------------------------------------


def add_meeting_students(meeting, students, *, actor):
    """Put students on the meeting; those who are on it already stay as they are. Returns the new ones. Raises NotVisible,
    Denied or Refused."""
    permissions.require_record("meeting", actor, meeting, permissions.MANAGE_MEETING)
    _require_seen(actor, students)
    with db.atomic():
        _hold(meeting, "students")
        new = _not_there(MeetingStudent, meeting, "student", students)
        if not new:
            raise Refused("students", "Choose somebody who is not on the meeting yet.")
        _refuse_left(new)
        _refuse_kept_from(meeting, new)
        _put(MeetingStudent, meeting, "student", new, actor)
        events.record("meeting.students_changed", actor=actor, target=meeting.ref, added=[one.ref for one in new], removed=[])
        happened_to_each("meeting", [(one, meeting) for one in new], actor=actor)
    return new


def remove_meeting_student(meeting, student_ref, *, actor):
    """Take a student off the meeting; the last one stays. Returns their name. Raises NotVisible, Denied or Refused."""
    permissions.require_record("meeting", actor, meeting, permissions.MANAGE_MEETING)
    with db.atomic():
        _hold(meeting, "students")
        part = _one_of(MeetingStudent, meeting, Student, MeetingStudent.student, student_ref)
        if _many(MeetingStudent, meeting) == 1:
            raise Refused("students", "A meeting is about somebody. Put somebody else on it first, or cancel it.")
        _take_off(MeetingStudent, part, actor)
        events.record("meeting.students_changed", actor=actor, target=meeting.ref, added=[], removed=[part.student.ref])
    return part.student.name


# --- Who is to be there ----------------------------------------------------------------------------------------------


def add_meeting_staff(meeting, accounts, *, actor):
    """Invite staff; it shows them the whole meeting. Returns the new ones. Raises NotVisible, Denied or Refused."""
    permissions.require_record("meeting", actor, meeting, permissions.MANAGE_MEETING)
    with db.atomic():
        _hold(meeting, "staff")
        new = _not_there(MeetingStaff, meeting, "account", accounts)
        if not new:
            raise Refused("staff", "Choose somebody who is not to be there yet.")
        _fit(new, _ever_on(meeting))
        _put(MeetingStaff, meeting, "account", new, actor)
        events.record("meeting.staff_changed", actor=actor, target=meeting.ref, added=[one.ref for one in new], removed=[])
        events.notify("meeting_invited", new, actor=actor, target=meeting.ref, target_id=meeting.id)
    return new


def remove_meeting_staff(meeting, account_ref, *, actor):
    """Take somebody off the meeting, and by email out of their calendar; the last one stays. Returns their name. Raises
    NotVisible, Denied or Refused."""
    permissions.require_record("meeting", actor, meeting, permissions.MANAGE_MEETING)
    with db.atomic():
        _hold(meeting, "staff")
        there = _one_of(MeetingStaff, meeting, Account, MeetingStaff.account, account_ref)
        if _many(MeetingStaff, meeting) == 1:
            raise Refused("staff", "Somebody has to be there. Add somebody else first, or cancel the meeting.")
        _take_off(MeetingStaff, there, actor)
        events.record("meeting.staff_changed", actor=actor, target=meeting.ref, added=[], removed=[there.account.ref])
        if there.account_id != actor.id and meeting.state == PLANNED and meeting.ends_at > clock.now():
            events.email("meeting_cancelled", there.account, target=meeting.ref, target_id=meeting.id)
    return there.account.name


# --- What came of it -------------------------------------------------------------------------------------------------


def record_outcome(meeting, *, outcome, parts, actor, version, draft=None):
    """Say what came of the meeting: `outcome` for all, `parts` {reference of a student on it: (attended, outcome)}. May be
    corrected; what it said before is kept. Raises NotVisible, Denied, Refused or Conflict."""
    permissions.require_record("meeting", actor, meeting, permissions.MANAGE_MEETING)
    with db.atomic():
        now = _as_it_stands(meeting)
        rows = {row.student.ref: row for row in _there(MeetingStudent, meeting)}
        if parts.keys() - rows.keys():
            raise Refused("outcome", "Somebody was taken off this meeting meanwhile. Check who is on it now.")
        before = _texts(now)
        now.change(version, state=HELD, outcome=outcome, ended_by=actor, ended_at=clock.now())
        for ref, (attended, text) in parts.items():
            if attended not in ATTENDED:
                raise Refused("outcome", "Choose yes, no, or nothing where it is not known.")
            MeetingStudent.update(attended=attended, outcome=text).where(MeetingStudent.id == rows[ref].id).execute()
        _keep(now, before, actor=actor)
        events.record("meeting.held", actor=actor, target=now.ref)
        _forget(draft, actor)
    return now


def cancel_meeting(meeting, *, reason, actor, version):
    """Cancel the meeting; everybody who was to be there is told. It can't be undone. Raises NotVisible, Denied, Refused or
    Conflict."""
    permissions.require_record("meeting", actor, meeting, permissions.MANAGE_MEETING)
    with db.atomic():
        now = _as_it_stands(meeting)
        if now.state == HELD:
            raise Refused("reason", "The outcome of this meeting is recorded: it was held.")
        # A calendar program takes a change of the status for newer only with a higher number (RFC 5546, 2.1.4).
        ended = {"ended_by": actor, "ended_at": clock.now(), "changed_at": clock.now(), "sequence": now.sequence + 1}
        now.change(version, state=CANCELLED, cancel_reason=reason, **ended)
        events.record("meeting.cancelled", actor=actor, target=now.ref)
        _tell(now, "cancellation", actor=actor)
    return now


def _tell(meeting, detail, *, actor):
    people = [row.account for row in _there(MeetingStaff, meeting)]
    events.notify("meeting_changed", people, actor=actor, target=meeting.ref, target_id=meeting.id, detail=detail)


def _texts(meeting):
    """What is written about the meeting as it stands, as models.MeetingVersion keeps it."""
    students = {row.student.ref: row.outcome for row in _there(MeetingStudent, meeting) if row.outcome}
    return {"agenda": meeting.agenda, "outcome": meeting.outcome, "students": students}


def _keep(meeting, before, *, actor):
    """Keep what was overwritten of the texts as they were `before`."""
    after = _texts(meeting)
    kept = {name: before[name] if before[name] != after[name] else "" for name in ("agenda", "outcome")}
    kept["students"] = {ref: text for ref, text in before["students"].items() if text != after["students"].get(ref)}
    if any(kept.values()):
        number = MeetingVersion.select().where(MeetingVersion.meeting == meeting.id).count() + 1
        fields = json.dumps(kept, ensure_ascii=False)
        MeetingVersion.create(meeting=meeting, number=number, fields=fields, author=actor, at=clock.now())


# --- The state that a change starts from -----------------------------------------------------------------------------


def _as_it_stands(meeting):
    """The row as it is now; Refused where it was cancelled. change() finds out whether it stays so."""
    now = Meeting.get_by_id(meeting.id)
    if now.state == CANCELLED:
        raise Refused("", "This meeting was cancelled.")
    return now


def _hold(meeting, field):
    """In the open transaction: Refused at `field` where the meeting was cancelled. Holds its row, so that nobody cancels it,
    and nobody takes somebody off it, before this transaction has ended."""
    there = (Meeting.id == meeting.id) & (Meeting.state != CANCELLED)
    if not Meeting.update(state=Meeting.state).where(there).execute():
        raise Refused(field, "This meeting was cancelled.")


def _check_times(starts_at, ends_at):
    if ends_at <= starts_at:
        raise Refused("ends_at", "The meeting ends before it begins.")
    if ends_at - starts_at > LONGEST:
        raise Refused("ends_at", f"The meeting would last {plural((ends_at - starts_at).days, 'day')}. Check the dates.")


def _type(meeting_type):
    kind = MeetingType.get_or_none((MeetingType.id == meeting_type) & ~MeetingType.is_retired)
    if kind is None:
        raise Refused("meeting_type", "This type can't be chosen any more. Choose another.")
    return kind


# --- People ----------------------------------------------------------------------------------------------------------


def _require_seen(actor, students):
    seen = permissions.visible_students(actor, Student.id).where(Student.id.in_([one.id for one in students]))
    seen = {student_id for (student_id,) in seen.tuples()}
    for one in students:
        if one.id not in seen:
            raise permissions.NotVisible(one.ref)


def _refuse_left(students):
    here = Student.select(Student.id).where(Student.id.in_([one.id for one in students]) & Student.is_active)
    here = {student_id for (student_id,) in here.tuples()}
    gone = [one.name for one in students if one.id not in here]
    if gone:
        raise Refused("students", f"{' and '.join(gone)} left the school: no meeting can be scheduled about them any more.")


def _fit(accounts, student_ids):
    """The accounts, each once; Refused with the same words for everybody who can't be there, whatever the reason."""
    people = list({account.id: account for account in accounts}.values())
    fit = {row.id for row in permissions.fit_for_all(student_ids, Account.id)}
    unfit = [account.name for account in people if account.id not in fit]
    if unfit:
        raise Refused("staff", f"{' and '.join(unfit)} can't be at this meeting. Choose somebody else.")
    return people


def _refuse_kept_from(meeting, students):
    """Who is to be there already must be able to see the meeting afterwards as well."""
    there = [row.account for row in _there(MeetingStaff, meeting) if row.account.is_active]
    fit = {row.id for row in permissions.fit_for_all([one.id for one in students], Account.id)}
    unfit = [account.name for account in there if account.id not in fit]
    if unfit:
        names = " and ".join(unfit)
        raise Refused("students", f"{names} can't be at a meeting about them. Take {names} off this meeting first.")


def _ever_on(meeting):
    """Ids of the students whom the meeting is or was about: each keeps somebody out."""
    rows = MeetingStudent.select(MeetingStudent.student).where(MeetingStudent.meeting == meeting.id)
    return [student_id for (student_id,) in rows.tuples()]


def _there(model, meeting):
    """The rows of `model` (MeetingStudent, MeetingStaff) that stand, with the student or account."""
    whose = Student if model is MeetingStudent else Account
    query = model.select(model, whose).join(whose, on=(model.student if whose is Student else model.account))
    return list(query.where((model.meeting == meeting.id) & model.removed_at.is_null()).order_by(model.id))


def _many(model, meeting):
    return model.select().where((model.meeting == meeting.id) & model.removed_at.is_null()).count()


def _one_of(model, meeting, whose, link, ref):
    query = model.select(model, whose).join(whose, on=(link == whose.id))
    row = query.where((model.meeting == meeting.id) & (whose.ref == ref[:16]) & model.removed_at.is_null()).first()
    if row is None:
        raise permissions.NotVisible(f"{meeting.ref}/{ref}")
    return row


def _not_there(model, meeting, name, people):
    there = {getattr(row, f"{name}_id") for row in _there(model, meeting)}
    return [one for one in {one.id: one for one in people}.values() if one.id not in there]


def _put(model, meeting, name, people, actor):
    """A row for each; who was taken off once is put back where they stood."""
    link, now = getattr(model, name), clock.now()
    for one in {one.id: one for one in people}.values():
        fields = {"added_by": actor, "at": now, "removed_at": None, "removed_by": None}
        back = model.update(**fields).where((model.meeting == meeting.id) & (link == one.id)).execute()
        if not back:
            model.create(meeting=meeting, **{name: one}, **fields)


def _take_off(model, row, actor):
    model.update(removed_at=clock.now(), removed_by=actor).where(model.id == row.id).execute()
