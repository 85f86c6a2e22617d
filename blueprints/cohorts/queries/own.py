"""What a student sees of their own: milestones, how far they are, what staff answered, who is there for them, and the calendar.

All of it is None or NotVisible while Case Management System Student Visibility is off. Nothing here knows of a case, an
incident or another student. Writes nothing but the audit row of a read.
"""

from datetime import date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from peewee import JOIN, fn

import events
import permissions
from blueprints.account import queries as accounts
from blueprints.cohorts.queries.support import Asked, File
from blueprints.incidents.queries import room_for_files
from blueprints.kit import prepared
from extensions import clock
from models import Account, CalendarFeed, Group, Milestone, MilestoneRequest, StoredFile, Student, StudentMilestone

OPEN, WAITING, COMPLETED, WAIVED = "open", "waiting", "completed", "waived"
DONE = (COMPLETED, WAIVED)
WITHDRAWN, DECLINED = "withdrawn", "declined"
OWN_ROOM = 200 * 1024 * 1024  # bytes of all files that one student may keep here


class Own(NamedTuple):
    """The student behind an account; `nonce` is that of the calendar feed, None without one."""

    id: int
    ref: str
    nonce: str | None


class Step(NamedTuple):
    """A milestone as its student sees it: `state` is open, waiting, completed or waived; `was_declined` when the last answer
    sent it back; `days_left` None without a date, negative after it; `what` how its description begins; `files` [(ref, name)]."""

    ref: str
    title: str
    due_on: date | None
    state: str
    was_declined: bool
    days_left: int | None
    what: str
    files: list

    @property
    def is_done(self):
        return self.state in DONE

    @property
    def days_late(self):
        """Of one that is still to be done."""
        return -self.days_left if self.days_left is not None and self.days_left < 0 and self.state == OPEN else 0


class Helper(NamedTuple):
    """Somebody of the support network, once, with all groups that they are in it for."""

    ref: str
    name: str
    title: str
    email: str
    phone: str
    booking_url: str
    has_photo: bool
    groups: list


class Dashboard(NamedTuple):
    """`todo` and `done` are Steps by due date, those without one last; `network` is Helpers by name."""

    todo: list
    done: list
    network: list
    has_feed: bool


# --- The dashboard ---------------------------------------------------------------------------------------------------


def own_dashboard(user, school):
    """What stands on a student's start page, or None when there is nothing to see yet. Records the read."""
    own = _own(user, school)
    if own is None:
        return None
    steps = _steps(user, school)
    events.record_alone("student.own_read", actor=user, target=own.ref)
    return Dashboard(
        [step for step in steps if not step.is_done],
        [step for step in steps if step.is_done],
        _network(user),
        own.nonce is not None,
    )


def _own(user, school):
    if not school.student_visibility:
        return None
    for row in prepared.rows(_mine, user):
        return Own(*row)
    return None


def _mine(user):
    feed = (CalendarFeed.account == Account.id) & CalendarFeed.revoked_at.is_null()
    query = permissions.own_students(user, Student.id, Student.ref, CalendarFeed.nonce)
    return query.join(CalendarFeed, JOIN.LEFT_OUTER, on=feed).order_by(CalendarFeed.id.desc()).limit(1)


def _steps(user, school):
    today = clock.now().astimezone(ZoneInfo(school.timezone)).date()
    files = {}
    for milestone, ref, name in prepared.rows(_files, user):
        files.setdefault(milestone, []).append((ref, name))
    return [_step(row, files.get(row[0], []), today) for row in prepared.rows(_milestones, user)]


def _step(row, files, today):
    _, ref, title, due_on, marked, asked, what = row
    days_left = None if due_on is None else (due_on - today).days
    state = _state(marked, asked)
    return Step(ref, title, due_on, state, state == OPEN and asked == DECLINED, days_left, what, files)


def _state(marked, asked):
    if marked in DONE:
        return marked
    return WAITING if asked == "" else OPEN


def _milestones(user):
    """(id, ref, title, due date, how it is marked, outcome of the last request, how the description begins) by due date."""
    query = permissions.own_milestones(
        user, Milestone.id, Milestone.ref, Milestone.title, Milestone.due_on, StudentMilestone.state, MilestoneRequest.outcome,
        fn.SUBSTR(Milestone.description, 1, 200),
    )  # fmt: skip
    return _with_state(query).order_by(Milestone.due_on.is_null(), Milestone.due_on, Milestone.position, Milestone.id)


def _with_state(query):
    """Joined with how the milestone is marked for its student, and with the last request about it."""
    earlier = MilestoneRequest.alias("earlier")
    last = earlier.select(fn.MAX(earlier.id)).where((earlier.milestone == Milestone.id) & (earlier.student == Student.id))
    marked = (StudentMilestone.milestone == Milestone.id) & (StudentMilestone.student == Student.id)
    query = query.join_from(Milestone, StudentMilestone, JOIN.LEFT_OUTER, on=marked)
    return query.join_from(Milestone, MilestoneRequest, JOIN.LEFT_OUTER, on=(MilestoneRequest.id == last))


def _files(user):
    query = permissions.own_milestones(user, Milestone.id, StoredFile.ref, StoredFile.name)
    query = query.join_from(Milestone, StoredFile, on=(StoredFile.milestone == Milestone.id))
    return query.where(StoredFile.removed_at.is_null()).order_by(StoredFile.id)


def _network(user):
    helpers = {}
    for *card, group in prepared.rows(_cards, user):
        groups = helpers.setdefault(card[0], Helper(*card, [])).groups
        if group not in groups:
            groups.append(group)
    return list(helpers.values())


def _cards(user):
    query = permissions.own_network(
        user, Account.ref, Account.name, Account.title, Account.email, Account.phone, Account.booking_url,
        Account.photo_path != "", Group.name,
    )  # fmt: skip
    return query.order_by(Account.search_text, Account.id, Group.name)


# --- One milestone, its files, photos --------------------------------------------------------------------------------


def own_milestone(user, school, ref, audit=True):
    """One of the student's own milestones with `.student`, `.step`, `.files`, `.requests` (the newest first) and `.waiting`, the
    one that waits for an answer or None. NotVisible for every other. Records the read."""
    student = _own(user, school)
    rows = prepared.rows(_one, user, ref=ref) if student else []
    if not rows:
        raise permissions.NotVisible(ref)
    ((*shown, found_cohort, description),) = rows
    found = Milestone(id=shown[0], ref=ref, title=shown[2], due_on=shown[3], cohort=found_cohort, description=description)
    today = clock.now().astimezone(ZoneInfo(school.timezone)).date()
    found.files = _files_of(StoredFile.milestone == found.id)
    found.student, found.step = student, _step(shown, found.files, today)
    found.requests = _requests(student, found)
    found.waiting = next((one for one in found.requests if one.outcome == ""), None)
    if audit:
        events.record_alone("student.own_read", actor=user, target=student.ref, milestone=found.ref)
    return found


def _one(user, ref):
    return _milestones(user).select_extend(Milestone.cohort, Milestone.description).where(Milestone.ref == ref)


def _requests(student, milestone):
    columns = [getattr(MilestoneRequest, name) for name in Asked._fields[:7]]
    query = MilestoneRequest.select(*columns, Account.name)
    query = query.join(Account, JOIN.LEFT_OUTER, on=(Account.id == MilestoneRequest.decided_by))
    mine = (MilestoneRequest.milestone == milestone.id) & (MilestoneRequest.student == student.id)
    rows = list(query.where(mine).order_by(MilestoneRequest.id.desc()).limit(20).tuples())
    files = {}
    for request, *file in StoredFile.select(
        StoredFile.milestone_request_id, StoredFile.ref, StoredFile.name, StoredFile.size
    ).where(StoredFile.milestone_request.in_([row[0] for row in rows]) & StoredFile.removed_at.is_null()).tuples():
        files.setdefault(request, []).append(File(*file))
    return [Asked(*row, files.get(row[0], [])) for row in rows]


def _files_of(condition):
    query = StoredFile.select(StoredFile.ref, StoredFile.name, StoredFile.size)
    return list(query.where(condition & StoredFile.removed_at.is_null()).order_by(StoredFile.id).tuples())


def own_file(user, school, ref, file_ref):
    """A file of one's own milestone, or of one's own request about it. Records the read."""
    milestone = own_milestone(user, school, ref, audit=False)
    asked = [request.id for request in milestone.requests]
    where = (StoredFile.milestone == milestone.id) | StoredFile.milestone_request.in_(asked)
    row = StoredFile.get_or_none((StoredFile.ref == file_ref) & where & StoredFile.removed_at.is_null())
    if row is None:
        raise permissions.NotVisible(f"{ref}/{file_ref}")
    events.record_alone("milestone.file_read", actor=user, target=milestone.ref, file=row.ref)
    return row


def own_request(milestone, ref):
    """A request of own_milestone()'s; NotVisible for every other."""
    found = next((request for request in milestone.requests if request.ref == ref), None)
    if found is None:
        raise permissions.NotVisible(ref)
    return found


def own_photo(user, school, ref):
    """Where the photo of somebody of one's own support network lies, "" without one; NotVisible for everybody else's."""
    card = permissions.own_network(user, Account.photo_path).where(Account.ref == ref)
    found = card.tuples().first() if school.student_visibility else None
    if found is None:
        raise permissions.NotVisible(ref)
    return found[0]


def room_for_own_files(user):
    """How many bytes of files this student may still send: of their own allowance, and of the school's."""
    used = StoredFile.select(fn.SUM(StoredFile.size)).where(StoredFile.uploaded_by == user).scalar() or 0
    return min(OWN_ROOM - used, room_for_files())


# --- The calendar ----------------------------------------------------------------------------------------------------


class Dated(NamedTuple):
    """What a calendar shows of a milestone; `version` counts its changes."""

    ref: str
    title: str
    due_on: date
    version: int
    changed_at: datetime
    state: str | None


def own_feed(user, school):
    """The student's feed (account.queries.Feed), or None when there is none; NotVisible when the student sees nothing yet.
    Records the read."""
    own = _own(user, school)
    if own is None:
        raise permissions.NotVisible("calendar")
    events.record_alone("student.own_read", actor=user, target=own.ref, page="calendar")
    return accounts.own_feed(user)


def dated(account, school):
    """(student, [Dated]) for the calendar of a student's account; NotVisible, as for an address that never was, when the
    student has left or students see nothing at the moment."""
    student = permissions.own_student(account, school)
    if student is None:
        raise permissions.NotVisible("calendar")
    return student, [Dated(*row) for row in prepared.rows(_dated, account)]


def _dated(user):
    changed_at = fn.COALESCE(Milestone.scheduled_at, Milestone.saved_at).alias("changed_at")
    query = permissions.own_milestones(
        user, Milestone.ref, Milestone.title, Milestone.due_on, Milestone.version, changed_at, StudentMilestone.state
    )
    query = _with_state(query).where(Milestone.due_on.is_null(False))
    return query.order_by(Milestone.due_on, Milestone.position, Milestone.id)
