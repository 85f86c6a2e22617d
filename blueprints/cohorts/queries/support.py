"""A student's milestones for the staff who support the student: the tab on the student's page, one milestone or request to act
on, who is told of a request, and what the email about an answer may say. Says nothing of cases or incidents, and lends nobody
access to them. Writes nothing but the audit row of a read."""

import json
from datetime import datetime
from functools import cache
from typing import NamedTuple

from peewee import JOIN, SQL

import events
import permissions
from blueprints.cohorts.queries import states
from blueprints.kit import prepared
from models import (
    Account,
    Cohort,
    CohortCategory,
    CohortStudent,
    Event,
    Milestone,
    MilestoneRequest,
    School,
    StoredFile,
    Student,
    StudentMilestone,
)

STUDENT = ("id", "ref", "first_name", "last_name", "preferred_name", "year_group", "tutor_group", "is_active")
LONGEST_HISTORY = 50
OUTCOMES = {"": "waiting", "confirmed": "confirmed", "declined": "declined", "withdrawn": "taken back"}
HAPPENED = {
    "milestone.marked": "marked it as",
    "milestone.asked": "asked to have it completed",
    "milestone.request_withdrawn": "took the request back",
    "milestone.answered": "answered the request:",
    "milestone.reminded": "was reminded",
}


class File(NamedTuple):
    """A file of a milestone or a request."""

    ref: str
    name: str
    size: int


class Asked(NamedTuple):
    """A request of the student; `outcome` is a key of OUTCOMES."""

    id: int
    ref: str
    note: str
    asked_at: datetime
    outcome: str
    answer: str
    decided_at: datetime | None
    decided_by: str | None
    files: list


class Step(NamedTuple):
    """One line of the history."""

    at: datetime
    who: str
    words: str
    title: str


class Mine:
    """A milestone of the student. `shown` is a word of states.WORDS, `version` that of the state, 0 where there is none."""

    def __init__(self, row, today):
        self.id, self.ref, self.cohort_id, self.title, self.due_on, self.description = row[:6]
        state, version, self.marked_at, self.marked_by = row[6:]
        self.state, self.version = state or states.OPEN, version or 0
        self.files, self.requests, self.waiting = [], [], None
        self._today = today

    @property
    def shown(self):
        return states.shown(self.state, self.waiting is not None, self.due_on, self._today)


class Together(NamedTuple):
    """A cohort of the student with its milestones."""

    id: int
    ref: str
    name: str
    category: str
    is_archived: bool
    milestones: list


# --- The student's tab -----------------------------------------------------------------------------------------------


def student_milestones(user, ref, *, today, audit=True):
    """(student, [Together]): the student's milestones in every cohort in which this person sees them; archived cohorts for
    Admin Key Holders only. NotVisible where there is no such cohort. Records the read. `today` is the school's day."""
    found = prepared.rows(_tied, user, ref=ref) if permissions.can(user, "milestone.support") else []
    if not found:
        raise permissions.NotVisible(ref)
    size, cohorts = len(STUDENT), []
    student = Student(**dict(zip(STUDENT, found[0], strict=False)))
    for row in found:
        id_, cohort_ref, name, archived_at, category = row[size : size + 5]
        cohorts.append(Together(id_, cohort_ref, name, category, archived_at is not None, []))
    if audit:
        held = [any(holds) for holds in zip(*(row[size + 5 :] for row in found), strict=True)]
        reasons = [name for name, holds in zip(_reasons(user.role, user.is_active), held, strict=True) if holds]
        events.record_alone("student.milestones_read", actor=user, target=ref, reasons=reasons)
    _fill(cohorts, student.id, today)
    return student, cohorts


def _tied(user, ref):
    """A row for each cohort of the student that this person supports: the student, the cohort, its category, each reason."""
    fields = [getattr(Student, name) for name in STUDENT]
    fields += [Cohort.id, Cohort.ref, Cohort.name, Cohort.archived_at, CohortCategory.name]
    reasons = [permissions.READ_MILESTONES[name](user).alias(name) for name in _reasons(user.role, user.is_active)]
    query = permissions.supported_students(user, *fields, *reasons)
    query = query.join(CohortCategory, on=(CohortCategory.id == Cohort.category)).where(Student.ref == ref)
    return query.order_by(Cohort.archived_at.is_null(False), CohortCategory.name, Cohort.name)


@cache
def _reasons(role, is_active):
    """The reasons that this role admits at all."""
    somebody = Account(id=0, role=role, is_active=is_active)
    return [name for name, reason in permissions.READ_MILESTONES.items() if reason(somebody) is not None]


def _fill(cohorts, student, today):
    ids = [cohort.id for cohort in cohorts]
    mine = {row[0]: Mine(row, today) for row in prepared.rows(_milestones, cohorts=ids, student=student)}
    for cohort in cohorts:
        cohort.milestones.extend(one for one in mine.values() if one.cohort_id == cohort.id)
    requests = {}
    for milestone, *row in prepared.rows(_requests, cohorts=ids, student=student):
        asked = requests[row[0]] = Asked(*row, [])
        mine[milestone].requests.append(asked)
        if asked.outcome == "":
            mine[milestone].waiting = asked
    for milestone, request, *row in prepared.rows(_files, cohorts=ids, student=student):
        (requests[request].files if request else mine[milestone].files).append(File(*row))


def _milestones(cohorts, student):
    m, s = Milestone, StudentMilestone
    query = m.select(m.id, m.ref, m.cohort, m.title, m.due_on, m.description, s.state, s.version, s.marked_at, Account.name)
    query = query.join(s, JOIN.LEFT_OUTER, on=((s.milestone == m.id) & (s.student == student)))
    query = query.join(Account, JOIN.LEFT_OUTER, on=(Account.id == s.marked_by))
    return query.where(m.cohort.in_(cohorts) & states.live()).order_by(m.position, m.id)


def _requests(cohorts, student):
    r = MilestoneRequest
    query = r.select(r.milestone, r.id, r.ref, r.note, r.asked_at, r.outcome, r.answer, r.decided_at, Account.name)
    query = query.join(Milestone).switch(r).join(Account, JOIN.LEFT_OUTER, on=(Account.id == r.decided_by))
    query = query.where(Milestone.cohort.in_(cohorts) & states.live() & (r.student == student))
    return query.order_by(r.asked_at.desc(), r.id.desc())


def _files(cohorts, student):
    """(milestone id, id of the request or None, reference, name, size) of all files that belong to these milestones."""
    return _files_of(student, StoredFile.ref, StoredFile.name, StoredFile.size).where(Milestone.cohort.in_(cohorts))


def _files_of(student, *fields):
    f, r = StoredFile, MilestoneRequest
    query = f.select(Milestone.id, f.milestone_request, *fields)
    query = query.join(r, JOIN.LEFT_OUTER, on=((r.id == f.milestone_request) & (r.student == student)))
    query = query.join(Milestone, on=((Milestone.id == f.milestone) | (Milestone.id == r.milestone)))
    return query.where(states.live() & f.removed_at.is_null()).order_by(f.at, f.id)


def history(user, student, cohorts):
    """[Step], the newest first, of the milestones that student_milestones() gave: who did what when, no notes in it."""
    titles = {one.ref: one.title for cohort in cohorts for one in cohort.milestones}
    steps = []
    for at, who, verb, data in prepared.rows(_events, ref=student.ref):
        said = json.loads(data)
        if said.get("milestone") in titles:
            words = f"{HAPPENED[verb]} {said.get('state') or OUTCOMES.get(said.get('outcome'), '')}".strip()
            steps.append(Step(at, student.name if who is None else who, words, titles[said["milestone"]]))
    return steps[:LONGEST_HISTORY]


def _events(ref):
    query = Event.select(Event.at, Account.name, Event.verb, Event.data).join(Account, JOIN.LEFT_OUTER)
    query = query.where((Event.target == ref) & Event.verb.in_(list(HAPPENED)))
    return query.order_by(Event.id.desc()).limit(4 * LONGEST_HISTORY)


def who_sees_milestones(user, student):
    """[(name, role, [reason in words])] of everybody who sees the student's milestones in the cohorts that this reader
    supports too: somebody who sees them through another one would tell that the student is in it."""
    words = [permissions.MILESTONE_REASON_WORDS[name] for name in permissions.READ_MILESTONES]
    people, held = {}, {}
    for id_, _, name, role, *holds in prepared.rows(_readers, user, student=student.id):
        people[id_] = (name, permissions.ROLES[role])
        held[id_] = [a or b for a, b in zip(held.get(id_, [False] * len(words)), holds, strict=True)]
    rows = ((*people[id_], [word for word, is_true in zip(words, held[id_], strict=True) if is_true]) for id_ in people)
    return [row for row in rows if row[2]]


def _readers(user, student):
    return permissions.milestone_readers_query(student).where(permissions.supports_cohort(user))


# --- One milestone, one request, one file ----------------------------------------------------------------------------


def student_milestone(user, ref, mref):
    """(student, milestone with `.cohort`) to be marked, or NotVisible."""
    query = permissions.supported_students(user, Student.id, Milestone.id).join(Milestone, on=(Milestone.cohort == Cohort.id))
    query = query.where((Student.ref == ref) & (Milestone.ref == mref) & states.live())
    found = query.tuples().first() if permissions.can(user, "milestone.support") else None
    if found is None:
        raise permissions.NotVisible(mref)
    milestone = Milestone.select(Milestone, Cohort).join(Cohort).where(Milestone.id == found[1]).get()
    return Student.get_by_id(found[0]), milestone


def milestone_request(user, ref, rref):
    """One request of the student, waiting or not, with `.student` and `.milestone` (with `.cohort`) and `.asked_files`; or
    NotVisible."""
    r = MilestoneRequest
    query = r.select(r, Milestone, Cohort, Student).join(Milestone).join(Cohort).switch(r).join(Student)
    row = query.where((r.ref == rref) & (Student.ref == ref) & states.live()).first()
    may = row is not None and permissions.can(user, "milestone.support")
    if not may or not permissions.milestone_reasons(user, row.student, row.milestone.cohort):
        raise permissions.NotVisible(rref)
    files = row.files.where(StoredFile.removed_at.is_null()).order_by(StoredFile.id)
    row.asked_files = [File(file.ref, file.name, file.size) for file in files]
    return row


def student_file(user, ref, file_ref):
    """The StoredFile of a milestone or request of this student that the reader sees, or NotVisible. Records the read."""
    cohorts = permissions.supported_students(user, CohortStudent.cohort_id, Student.id).where(Student.ref == ref)
    found = list(cohorts.tuples()) if permissions.can(user, "milestone.support") else []
    row = None
    if found:
        query = _files_of(found[0][1], StoredFile).where(Milestone.cohort.in_([cohort for cohort, _ in found]))
        row = query.where(StoredFile.ref == file_ref).objects().first()
    if row is None:
        raise permissions.NotVisible(file_ref)
    events.record_alone("milestone.file_read", actor=user, target=ref, reasons=(user.role,), file=file_ref)
    return row


# --- Telling ---------------------------------------------------------------------------------------------------------


def told_of_request(student, cohort):
    """The accounts that are told when this student of the cohort asks for something: the staff of its support groups and who
    manages them, as that stands now. An Admin Key Holder who is neither sees it in the lists."""
    query = permissions.milestone_readers_query(student.id).where(Cohort.id == cohort.id)
    return [row for row in query if row.support_group or row.group_manager]


def email_milestone_answered(row, account):
    """What the email about an answer may still say when it is sent: the template's context, or a sentence why it is not sent any
    more. `row.target_id` is the milestone; the account must still be that of a student who sees it."""
    student = permissions.own_student(account, School.get())
    if student is None:
        return "this account does not see a student dashboard any more"
    here = CohortStudent.select(SQL("1")).join(Cohort).join(Milestone, on=(Milestone.cohort == Cohort.id))
    here = here.where((Milestone.id == row.target_id) & states.live() & Cohort.archived_at.is_null())
    if not here.where(CohortStudent.student == student.id).exists():
        return "this account does not see the milestone any more"
    return {"ref": row.target}
