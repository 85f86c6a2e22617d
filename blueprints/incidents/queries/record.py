"""One incident: loading it is authorising. incident() comes first on every page; the rest takes what it returned.

Each function is one query, however much there is to an incident; its SQL is put together once (kit/prepared.py).
"""

from collections import namedtuple
from functools import reduce
from typing import NamedTuple

from peewee import JOIN, SQL, Value, fn

import events
import permissions
from blueprints.incidents.queries.lists import REFERENCE, Assignee, Author
from blueprints.kit import prepared
from blueprints.kit.records import one_of
from models import (
    Account,
    BodyMark,
    BulkClosing,
    Case,
    CaseIncident,
    Category,
    Event,
    Group,
    Incident,
    IncidentAction,
    IncidentAlert,
    IncidentAssignment,
    IncidentClosure,
    IncidentRemoval,
    IncidentStudent,
    IncidentVersion,
    PartCategory,
    StoredFile,
    Student,
    UtcDateTimeField,
)

Other = Account.alias("other")
Parent = Category.alias("parent_of_category")


def incident(user, ref, audit=True):
    """The incident with `.author`, `.assigned_to` and `.reasons` (why this person sees it), or NotVisible.

    Records the read; `audit=False` is for the side that records an event of its own, and for parts of a page whose
    read is on record.
    """
    reasons = permissions.reason_names("incident", user.role, user.is_active)
    found = prepared.rows(_loaded, user, ref=ref) if reasons and REFERENCE.fullmatch(ref) else []
    row = _incident(found[0], reasons) if found else None
    if row is None or not row.reasons:
        raise permissions.NotVisible(ref)
    if audit:
        events.record_alone("incident.read", actor=user, target=ref, reasons=row.reasons)
    return row


FIELDS = Incident._meta.sorted_fields
PERSON = ("id", "ref", "name")


def _loaded(user, ref):
    """The incident's fields, its author, its assignee, and each reason of `user`."""
    people = [getattr(account, name) for account in (Author, Assignee) for name in PERSON]
    return (
        Incident.select(*FIELDS, *people, *permissions.reason_columns(user))
        .join_from(Incident, Author, on=(Incident.author == Author.id))
        .join_from(Incident, Assignee, JOIN.LEFT_OUTER, on=(Incident.assigned_to == Assignee.id))
        .where((Incident.ref == ref) & permissions.not_excluded(user))
    )


def _incident(values, reasons):
    fields = dict(zip((field.name for field in FIELDS), values, strict=False))
    author, assignee, holds = values[len(FIELDS) :][:3], values[len(FIELDS) + 3 :][:3], values[len(FIELDS) + 6 :]
    fields["author"] = Account(**dict(zip(PERSON, author, strict=True)))
    if assignee[0]:
        fields["assigned_to"] = Account(**dict(zip(PERSON, assignee, strict=True)))
    row = Incident(**fields)
    row._dirty.clear()
    row.reasons = [name for name, is_true in zip(reasons, holds, strict=True) if is_true]
    return row


def may_change(user, incident):
    """Whether `user`, who sees the incident, may change its text, details, students and alerts: see permissions.py."""
    return permissions.may_change_incident(user, incident)


# --- Students --------------------------------------------------------------------------------------------------------


class PartOf(NamedTuple):
    """One student's part as the incident's page shows it; `categories` are (ref, whole name, colour)."""

    id: int
    student_id: int
    student_ref: str
    student_name: str
    year_group: str
    role: str
    categories: list


def parts(user, incident):
    """The parts that `user` may see, in the order in which they were entered."""
    # Whoever sees all of the incident sees every part; permissions.sees_part() says the same in one expression.
    build = _every_part if _sees_whole(incident) else _open_parts
    rows = prepared.rows(build, user, incident_id=incident.id)
    found = {}
    for part_id, student_id, ref, preferred, first, last, year, role, category, above, name, colour in rows:
        if part_id not in found:
            found[part_id] = PartOf(part_id, student_id, ref, f"{preferred or first} {last}", year, role, [])
        if category:
            found[part_id].categories.append((category, f"{above}: {name}" if above else name, colour))
    return list(found.values())


def _sees_whole(incident):
    return not permissions.WHOLE_INCIDENT.keys().isdisjoint(incident.reasons)


def _every_part(user, incident_id):
    return (
        IncidentStudent.select(
            IncidentStudent.id,
            Student.id,
            Student.ref,
            Student.preferred_name,
            Student.first_name,
            Student.last_name,
            Student.year_group,
            IncidentStudent.role,
            Category.ref,
            Parent.name,
            Category.name,
            Category.colour,
        )
        .join_from(IncidentStudent, Student)
        .join_from(IncidentStudent, PartCategory, JOIN.LEFT_OUTER)
        .join_from(PartCategory, Category, JOIN.LEFT_OUTER)
        .join_from(Category, Parent, JOIN.LEFT_OUTER, on=(Category.parent == Parent.id))
        .where(IncidentStudent.incident == incident_id)
        .order_by(IncidentStudent.id, PartCategory.id)
    )


def _open_parts(user, incident_id):
    return _every_part(user, incident_id).where(permissions.open_part(user))


# --- Who and when ----------------------------------------------------------------------------------------------------


def who_can_see(user, incident):
    """[(name, role, [reason in words])] of everybody who sees the incident, for somebody who sees it."""
    words = [permissions.REASON_WORDS[name] for name in permissions.READ_INCIDENT]
    found = []
    for _, _, name, role, *holds in prepared.rows(_readers, user, incident_id=incident.id):
        reasons = [word for word, is_true in zip(words, holds, strict=True) if is_true]
        if reasons:
            found.append((name, permissions.ROLES[role], reasons))
    return found


def _readers(user, incident_id):
    return permissions.readers_query(incident_id, reader=user)


class Step(NamedTuple):
    """One step of an incident's history. `kind`: version, assigned, closed, reopened, alerted, details, students, taken_off.

    `text` is a reason somebody typed, `name` whom or which group it concerns, `ref` a bulk closing, `number` a version.
    """

    kind: str
    at: object
    who: str
    number: int | None
    text: str
    name: str
    ref: str


CHANGES = {"incident.details_changed": "details", "incident.students_changed": "students"}


def trail(user, incident):
    """Every Step of the incident that `user` may know of, the newest first."""
    rows = prepared.rows(_trail, user, _sees_whole(incident), incident_id=incident.id, ref=incident.ref)
    moment = UtcDateTimeField().python_value
    found = [Step(CHANGES.get(row[0], row[0]), moment(row[1]), *row[2:]) for row in rows]
    # What was set while adding has the same moment as the first version, which stands below it all.
    return sorted(found, key=lambda step: (step.at, step.kind != "version"), reverse=True)


def _trail(user, whole, incident_id, ref):
    nothing, none = Value("").cast("text"), Value(None).cast("integer")

    def steps(kind, model, at, who, number=none, text=nothing, name=nothing, ref=nothing):
        query = model.select(
            Value(kind).cast("text"),
            at,
            Account.name,
            number,
            fn.COALESCE(text, ""),
            fn.COALESCE(name, ""),
            fn.COALESCE(ref, ""),
        )
        return query.join_from(model, Account, on=(who == Account.id)).where(model.incident == incident_id)

    versions = steps(
        "version",
        IncidentVersion,
        IncidentVersion.at,
        IncidentVersion.author,
        number=IncidentVersion.number,
        text=IncidentVersion.reason,
    )
    assigned = steps(
        "assigned", IncidentAssignment, IncidentAssignment.at, IncidentAssignment.assigned_by, name=Other.name
    ).join_from(IncidentAssignment, Other, JOIN.LEFT_OUTER, on=(IncidentAssignment.to == Other.id))
    closed = steps(
        "closed", IncidentClosure, IncidentClosure.closed_at, IncidentClosure.closed_by, ref=BulkClosing.ref
    ).join_from(IncidentClosure, BulkClosing, JOIN.LEFT_OUTER)
    reopened = steps(
        "reopened",
        IncidentClosure,
        IncidentClosure.reopened_at,
        IncidentClosure.reopened_by,
        text=IncidentClosure.reopen_reason,
    )
    alerted = (
        steps(
            "alerted",
            IncidentAlert,
            IncidentAlert.at,
            IncidentAlert.alerted_by,
            name=fn.COALESCE(Other.name, Group.name),
        )
        .join_from(IncidentAlert, Other, JOIN.LEFT_OUTER, on=(IncidentAlert.account == Other.id))
        .join_from(IncidentAlert, Group, JOIN.LEFT_OUTER, on=(IncidentAlert.group == Group.id))
    )
    first = fn.COALESCE(fn.NULLIF(Student.preferred_name, ""), Student.first_name)
    taken_off = (
        steps(
            "taken_off",
            IncidentRemoval,
            IncidentRemoval.at,
            IncidentRemoval.removed_by,
            text=IncidentRemoval.reason,
            name=first.concat(" ").concat(Student.last_name),
        )
        .join_from(IncidentRemoval, Student)
        .where(permissions.sees_removal(user, whole))
    )
    changed = (
        Event.select(Event.verb, Event.at, Account.name, none, nothing, nothing, nothing)
        .join_from(Event, Account)
        .where((Event.target == ref) & Event.verb.in_(list(CHANGES)))
    )
    if not whole:
        changed = changed.where((Event.verb != "incident.students_changed") | _names_somebody_shown(user, incident_id))
    kept = (assigned, closed, reopened, alerted, taken_off, changed)
    return reduce(lambda query, more: query.union_all(more), kept, versions)


def _names_somebody_shown(user, incident_id):
    """Expression on Event: it was about a student whose part is open to this reader, who is not told that another has changed."""
    shown = IncidentStudent.select(SQL("1")).join(Student).where(IncidentStudent.incident == incident_id)
    return fn.EXISTS(shown.where(permissions.open_part(user), Event.data.contains(Student.ref)))


def version_texts(user, incident):
    """Every wording, the newest first: named tuples number, text, author, at, reason."""
    return list(
        IncidentVersion.select(
            IncidentVersion.number,
            IncidentVersion.text,
            Account.name.alias("author"),
            IncidentVersion.at,
            IncidentVersion.reason,
        )
        .join(Account)
        .where(IncidentVersion.incident == incident.id)
        .order_by(IncidentVersion.number.desc())
        .namedtuples()
    )


# --- Actions, files, marks -------------------------------------------------------------------------------------------


class ActionRow(NamedTuple):
    """An action as the incident's page shows it; names, and None where there is nobody or nothing yet."""

    ref: str
    text: str
    at: object
    due_on: object
    done_at: object
    author_id: int
    person_id: int | None
    author: str
    person: str | None
    done_by: str | None


def actions(user, incident):
    """What was done, or is to be done, as ActionRows in the order of entry."""
    return [ActionRow(*row) for row in prepared.rows(_actions, user, incident_id=incident.id)]


def _actions(user, incident_id):
    done_by = Account.alias("done_by_account")
    return (
        IncidentAction.select(
            IncidentAction.ref,
            IncidentAction.text,
            IncidentAction.at,
            IncidentAction.due_on,
            IncidentAction.done_at,
            IncidentAction.author,
            IncidentAction.person,
            Author.name,
            Other.name,
            done_by.name,
        )
        .join_from(IncidentAction, Author, on=(IncidentAction.author == Author.id))
        .join_from(IncidentAction, Other, JOIN.LEFT_OUTER, on=(IncidentAction.person == Other.id))
        .join_from(IncidentAction, done_by, JOIN.LEFT_OUTER, on=(IncidentAction.done_by == done_by.id))
        .where(IncidentAction.incident == incident_id)
        .order_by(IncidentAction.id)
    )


def action(user, incident, ref):
    """One action of this incident, or NotVisible."""
    return one_of(incident, IncidentAction.incident, ref)


def mark(user, incident, ref):
    """One mark of this incident that was not removed, or NotVisible."""
    return one_of(incident, BodyMark.incident, ref)


def file(user, incident, ref, audit=True):
    """One file of this incident that was not removed, or NotVisible; its reading is on record before it leaves."""
    row = one_of(incident, StoredFile.incident, ref)
    if audit:
        events.record_alone(
            "incident.file_read", actor=user, target=incident.ref, reasons=incident.reasons, file=row.ref
        )
    return row


FileRow = namedtuple("FileRow", "ref name at who size uploaded_by_id")
MarkRow = namedtuple("MarkRow", "ref note at who number author_id region view x y version")
CaseRow = namedtuple("CaseRow", "ref title opened_at status")


def attachments(user, incident):
    """(files, marks, cases) of the incident: files and marks without what was removed, and the cases it is linked to as far
    as `user` sees them (of the others there is no trace), each in the order of entry."""
    moment = UtcDateTimeField().python_value
    rows = sorted(prepared.rows(_attachments, user, incident_id=incident.id), key=lambda row: row[1])
    rows = [(row[0], [*row[2:4], moment(row[4]), *row[5:]]) for row in rows]
    return (
        [FileRow(*row[:6]) for kind, row in rows if kind == "file"],
        [MarkRow(*row) for kind, row in rows if kind == "mark"],
        [CaseRow(*row[:4]) for kind, row in rows if kind == "case"],
    )


def _attachments(user, incident_id):
    nothing, none, no_place = Value("").cast("text"), Value(None).cast("integer"), Value(None).cast("real")
    files = (
        StoredFile.select(
            Value("file").cast("text"),
            StoredFile.id,
            StoredFile.ref,
            StoredFile.name,
            StoredFile.at,
            Account.name,
            StoredFile.size,
            StoredFile.uploaded_by,
            nothing,
            nothing,
            no_place,
            no_place,
            none,
        )
        .join(Account, on=(StoredFile.uploaded_by == Account.id))
        .where((StoredFile.incident == incident_id) & StoredFile.removed_at.is_null())
    )
    marked = (
        BodyMark.select(
            Value("mark").cast("text"),
            BodyMark.id,
            BodyMark.ref,
            BodyMark.note,
            BodyMark.at,
            Account.name,
            BodyMark.number,
            BodyMark.author,
            BodyMark.region,
            BodyMark.view,
            BodyMark.x,
            BodyMark.y,
            BodyMark.version,
        )
        .join(Account, on=(BodyMark.author == Account.id))
        .where((BodyMark.incident == incident_id) & BodyMark.removed_at.is_null())
    )
    linked = (
        Case.select(
            Value("case").cast("text"),
            Case.id,
            Case.ref,
            Case.title,
            Case.opened_at,
            Case.status,
            none,
            none,
            nothing,
            nothing,
            no_place,
            no_place,
            none,
        )
        .join_from(Case, CaseIncident)
        .where((CaseIncident.incident == incident_id) & permissions.sees_case(user))
    )
    return files.union_all(marked).union_all(linked)


def cases_about(user, incident, student_id):
    """[(ref, title)] of the cases of this student that the incident is linked to, as far as `user` sees them."""
    return list(
        Case.select(Case.ref, Case.title)
        .join_from(Case, CaseIncident)
        .where((CaseIncident.incident == incident.id) & (Case.student == student_id) & permissions.sees_case(user))
        .order_by(Case.id)
        .tuples()
    )


def marks(user, incident):
    """The marks of the body map alone."""
    return attachments(user, incident)[1]
