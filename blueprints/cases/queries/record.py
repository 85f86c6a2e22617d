"""One case: loading it is authorising. case() comes first on every page; the rest takes what it returned."""

import re
from typing import NamedTuple

from peewee import JOIN

import events
import permissions
from blueprints.kit import prepared, records
from models import Account, Case, CaseClosure, CaseType, CloseReason, Student

REFERENCE = re.compile(r"C-[0-9A-HJKMNP-TV-Z]{6}")

Opener, Primary, Coordinator, Closer = (Account.alias(name) for name in ("opener", "primary", "coordinator", "closer"))
CASE_FIELDS = Case._meta.sorted_fields
PERSON = ("id", "ref", "name", "role", "is_active")
STUDENT = ("id", "ref", "first_name", "last_name", "preferred_name", "year_group", "tutor_group", "is_active")
TYPE = ("id", "ref", "name")


class Closing(NamedTuple):
    """How a closed case was closed."""

    at: object
    by: str
    reason: str
    outcome: str


def case(user, ref, audit=True):
    """The case with `.student`, `.case_type`, `.opened_by`, `.primary_advocate`, `.coordinator`, `.closing` (None while
    it is open) and `.reasons` (why this person sees it), or NotVisible.

    Records the read; `audit=False` is for the side that records an event of its own, and for parts of a page whose
    read is on record.
    """
    reasons = permissions.reason_names("case", user.role, user.is_active)
    found = prepared.rows(_loaded, user, ref=ref) if reasons and REFERENCE.fullmatch(ref) else []
    row = _case(found[0], reasons) if found else None
    if row is None or not row.reasons:
        raise permissions.NotVisible(ref)
    if audit:
        events.record_alone("case.read", actor=user, target=ref, reasons=row.reasons)
    return row


def _loaded(user, ref):
    """The case's fields, its student, its type, the people named on it, how it was closed, each reason of `user`."""
    columns = [getattr(Student, name) for name in STUDENT] + [getattr(CaseType, name) for name in TYPE]
    columns += [getattr(person, name) for person in (Opener, Primary, Coordinator) for name in PERSON]
    columns += [CaseClosure.closed_at, Closer.name, CloseReason.name, CaseClosure.outcome]
    return (
        Case.select(*CASE_FIELDS, *columns, *permissions.case_reason_columns(user))
        .join_from(Case, Student)
        .join_from(Case, CaseType)
        .join_from(Case, Opener, JOIN.LEFT_OUTER, on=(Case.opened_by == Opener.id))
        .join_from(Case, Primary, JOIN.LEFT_OUTER, on=(Case.primary_advocate == Primary.id))
        .join_from(Case, Coordinator, JOIN.LEFT_OUTER, on=(Case.coordinator == Coordinator.id))
        .join_from(
            Case,
            CaseClosure,
            JOIN.LEFT_OUTER,
            on=((CaseClosure.case == Case.id) & CaseClosure.reopened_at.is_null() & (Case.status == "Closed")),
        )
        .join_from(CaseClosure, CloseReason, JOIN.LEFT_OUTER)
        .join_from(CaseClosure, Closer, JOIN.LEFT_OUTER, on=(CaseClosure.closed_by == Closer.id))
        .where((Case.ref == ref) & permissions.not_excluded_from_case(user))
    )


def _case(values, reasons):
    values = list(values)
    take = records.taking(values)
    fields = take([field.name for field in CASE_FIELDS])
    fields["student"], fields["case_type"] = Student(**take(STUDENT)), CaseType(**take(TYPE))
    for name in ("opened_by", "primary_advocate", "coordinator"):
        person = take(PERSON)
        if person["id"]:
            fields[name] = Account(**person)
    closing = Closing(*take(Closing._fields).values())
    row = Case(**fields)
    row._dirty.clear()
    row.closing = closing if closing.by else None
    row.reasons = [name for name, holds in zip(reasons, values, strict=True) if holds]
    return row


def may_manage(case):
    """Whether whoever loaded this case may also attach, detach, close and reopen it."""
    return bool(permissions.MANAGE_CASE & set(case.reasons))


def who_can_see(user, case):
    """[(name, role, [reason in words])] of everybody who sees the case, for somebody who sees it."""
    words = [permissions.CASE_REASON_WORDS[name] for name in permissions.READ_CASE]
    found = []
    for _, _, name, role, *holds in prepared.rows(_readers, case_id=case.id):
        reasons = [word for word, is_true in zip(words, holds, strict=True) if is_true]
        if reasons:
            found.append((name, permissions.ROLES[role], reasons))
    return found


def _readers(case_id):
    return permissions.case_readers_query(case_id)
