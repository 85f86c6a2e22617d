"""The queue of referrals for staff, whom each could be about, and which earlier one it could repeat.

Only staff read anything here; what a Referral User sees of their own is in responses.py. A reader is offered only students whom
they may know, and a date of birth speaks only to those who may read one. Writes nothing but the audit row of a read.
"""

from datetime import date, datetime
from typing import NamedTuple

from peewee import JOIN, SQL, NodeList

import events
import permissions
from blueprints.forms.queries.responses import REFERRAL_STATES, has, loaded
from blueprints.kit.text import fold, one_line
from blueprints.students import queries as students
from models import Account, Form, FormResponse, Referral, Student

MOST_MATCHES, MOST_EARLIER = 8, 10
CANDIDATES = 60  # students who are looked at for one page of suggestions
ACCEPTED = "accepted"


class Row(NamedTuple):
    """A referral in the queue; `state` is its word."""

    ref: str
    first_name: str
    last_name: str
    date_of_birth: date | None
    form: str
    author: str
    submitted_at: datetime
    state: str
    student_ref: str | None
    student: str
    decided_by: str
    decided_at: datetime | None


class Match(NamedTuple):
    """A student whom a referral could be about, and why."""

    ref: str
    label: str
    hint: str
    why: str


# --- The queue -------------------------------------------------------------------------------------------------------


def paging(user, *, state="", text=""):
    """(fetch, count) for kit.listing.paginate(): Rows, those that wait the longest first, else the newest first."""
    query = _filtered(user, state, text)
    return (
        lambda most, start: _rows(_listed(query, state).limit(most).offset(start)),
        lambda most: query.limit(most).count(),
    )


def export_rows(user, **filters):
    """Every Row of the queue that fits."""
    return _rows(_listed(_filtered(user, **filters), filters.get("state", "")))


def _filtered(user, state="", text=""):
    query = permissions.visible_responses(user, Referral.id).join(Referral, on=(Referral.response == FormResponse.id))
    if state:
        query = query.where(Referral.state == state)
    for word in fold(one_line(text)[: students.LONGEST_QUERY]).split():
        query = query.where(has(Referral.sort_name, word))
    return query


def _listed(query, state):
    decider = Account.alias("decider")
    columns = (Referral.ref, Referral.first_name, Referral.last_name, Referral.date_of_birth, Form.name, Account.name)
    columns += (FormResponse.submitted_at, Referral.state, Student.ref, Student.preferred_name, Student.first_name)
    query = (
        query.select(*columns, Student.last_name, decider.name, Referral.decided_at)
        .join_from(FormResponse, Form)
        .join_from(FormResponse, Account, on=(Account.id == FormResponse.author))
        .join_from(FormResponse, Student, JOIN.LEFT_OUTER, on=(Student.id == FormResponse.student))
        .join_from(Referral, decider, JOIN.LEFT_OUTER, on=(decider.id == Referral.decided_by))
    )
    waiting = state == "received"
    return query.order_by(FormResponse.submitted_at if waiting else FormResponse.submitted_at.desc(), FormResponse.id)


def _rows(query):
    found = []
    for *row, state, ref, preferred, first, last, decider, decided_at in query.tuples():
        student = f"{preferred or first} {last}" if ref else ""
        found.append(Row(*row, REFERRAL_STATES[state], ref, student, decider or "", decided_at))
    return found


# --- One -------------------------------------------------------------------------------------------------------------


def referral(user, ref, audit=True):
    """The referral with `.response` as responses.response() has it, and `.reasons`; NotVisible for who may not see it."""
    wanted = Referral.ref == (ref or "")[:16].replace("\0", "")
    response = loaded(wanted) if permissions.can(user, "response.read") else None
    reasons = permissions.record_reasons("form", user, response) if response else []
    if not reasons:
        raise permissions.NotVisible(ref)
    if audit:
        events.record_alone("response.read", actor=user, target=response.ref, reasons=reasons)
    response.referral.reasons = response.reasons = reasons
    return response.referral


def may_decide(referral):
    """Whether whoever loaded this referral may also decide on it."""
    return bool(permissions.DECIDE_REFERRAL & set(referral.reasons))


def merged_into(user, referral):
    """The reference of the earlier referral that this one was merged with, as far as the reader sees that one; or None."""
    if referral.merged_into_id is None:
        return None
    query = permissions.visible_responses(user, Referral.ref).join(Referral, on=(Referral.response == FormResponse.id))
    row = query.where(Referral.id == referral.merged_into_id).tuples().first()
    return row and row[0]


# --- Whom it could be about ------------------------------------------------------------------------------------------


def matches(user, named):
    """{key: [Match]} for `named` {key: (first name, last name, date of birth or None)}: the students whom each could be,
    the likeliest first. One query for all of them."""
    found = {key: [] for key in named}
    if not named:
        return found
    sees_birthdays = permissions.can(user, students.DETAILS)
    candidates = _candidates(user, named.values(), sees_birthdays)
    for key, (first, last, born) in named.items():
        scored = [(_score(row, first, last, born if sees_birthdays else None), row) for row in candidates]
        scored = sorted(((place, row) for place, row in scored if place is not None), key=lambda pair: pair[0])
        found[key] = [_match(row, place) for place, row in scored[:MOST_MATCHES]]
    return found


def _candidates(user, named, sees_birthdays):
    columns = list(students.SHORT_FIELDS) + ([Student.date_of_birth] if sees_birthdays else [])
    could_be = SQL("1 = 0")
    for last in {fold(last) for _, last, _ in named}:
        could_be |= _begins(Student.sort_name, f"{last} ")
    birthdays = list({born for *_, born in named if born})
    if sees_birthdays and birthdays:
        could_be |= Student.date_of_birth.in_(birthdays)
    query = permissions.visible_students(user, *columns).where(could_be)
    return list(query.order_by(Student.is_active.desc(), Student.sort_name, Student.id).limit(CANDIDATES * len(named)))


def _begins(field, text):
    escaped = text.replace("!", "!!").replace("%", "!%").replace("_", "!_")
    return NodeList((field, SQL("LIKE"), f"{escaped}%", SQL("ESCAPE '!'")), parens=True)


WHY = ("same name and date of birth", "same name", "same name, another date of birth", "same date of birth", "similar name")


def _score(row, first, last, born):
    """The place of WHY that fits a student, or None for somebody else."""
    same_last = fold(row.last_name) == fold(last)
    firsts = {fold(name) for name in (row.first_name, row.preferred_name) if name}
    same_name = same_last and fold(first) in firsts
    theirs = row.date_of_birth if born else None
    if same_name:
        return 1 if not (born and theirs) else 0 if born == theirs else 2
    similar = same_last and any(name[:1] == fold(first)[:1] for name in firsts)
    if born and born == theirs and (same_last or fold(first) in firsts):
        return 3
    return 4 if similar else None


def _match(row, place):
    chip = students.chip(row)
    return Match(chip["ref"], chip["label"], chip["hint"], WHY[place])


def earlier(user, referral):
    """Referrals that this one could repeat, as Rows: those of the same last name or date of birth, newest first."""
    last = _begins(Referral.sort_name, f"{fold(referral.last_name)} ")
    alike = last | (Referral.date_of_birth == referral.date_of_birth) if referral.date_of_birth else last
    return _rows(_listed(_filtered(user).where(alike & (Referral.id != referral.id)), "").limit(MOST_EARLIER))
