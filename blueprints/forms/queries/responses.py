"""Responses to a form: many as a list and an export, one beside the questions that it answered, and what somebody sent
themselves. Every read of staff starts from permissions.visible_responses(); Referral Users and students have their own alone.

Writes nothing but the audit row of a read.
"""

import json
from datetime import date, datetime
from typing import NamedTuple

from peewee import JOIN, SQL, NodeList, fn

import events
import permissions
from blueprints.forms import fields as definition
from blueprints.forms.queries import answers as said
from blueprints.forms.queries.forms import fills_forms, forms_for
from blueprints.incidents import queries as incidents
from blueprints.kit import prepared, records
from blueprints.kit.text import fold, one_line
from blueprints.students import queries as students
from models import Account, Form, FormResponse, FormVersion, Referral, SavedReport, StoredFile, Student

# The one word that a referral's sender reads, and everybody else too.
REFERRAL_STATES = {"received": "Received", "accepted": "Accepted", "declined": "Declined"}
ON_START = 10  # of what one sent, on the start page


class Filters(NamedTuple):
    """What a list of responses is narrowed by: whole days of `zone`, words of the student's and the author's name, and
    `answers` {key of a field: what its answer has to be, or to contain}."""

    since: date | None = None
    until: date | None = None
    zone: object = None
    text: str = ""
    by: str = ""
    answers: dict = {}  # noqa: RUF012 - never written to


class Row(NamedTuple):
    """A response in a list. `referred_as` and `state` are of the referral that it may be; the student is then unknown until
    it is accepted."""

    id: int
    ref: str
    submitted_at: datetime
    number: int
    author: str
    student_ref: str | None
    student: str
    referred_as: str
    state: str
    answers: dict


# --- Many ------------------------------------------------------------------------------------------------------------


def paging(user, form, filters, fields):
    """(fetch, count) for kit.listing.paginate(): Rows, newest first. `fields` {number: {key: Field}} of the form's versions."""
    query = _filtered(user, form, filters)
    if not filters.answers:
        return (
            lambda most, start: _rows(_listed(query).limit(most).offset(start)),
            lambda most: query.limit(most).count(),
        )
    ids = _fitting(query, filters.answers, fields)
    return (
        lambda most, start: _rows(_listed(_among(query, ids[start : start + most]))),
        lambda most: len(ids[:most]),
    )


def export_rows(user, form, filters, fields):
    """Every Row that fits."""
    query = _filtered(user, form, filters)
    rows = _rows(_listed(query))
    return [row for row in rows if _fits(row.answers, fields.get(row.number, {}), filters.answers)]


def _filtered(user, form, filters):
    query = permissions.visible_responses(user, FormResponse.id).where(FormResponse.form == form.id)
    query = query.join_from(FormResponse, Student, JOIN.LEFT_OUTER, on=(Student.id == FormResponse.student))
    query = query.join_from(FormResponse, Account, on=(Account.id == FormResponse.author))
    query = query.join_from(FormResponse, Referral, JOIN.LEFT_OUTER, on=(Referral.response == FormResponse.id))
    if filters.since or filters.until:
        query = query.where(incidents.whole_days(FormResponse.submitted_at, filters.since, filters.until, filters.zone))
    for word in one_line(filters.text)[: students.LONGEST_QUERY].split():
        query = query.where(_names(user, word))
    for word in one_line(filters.by)[: students.LONGEST_QUERY].split():
        query = query.where(has(Account.search_text, word.lower()))
    return query


def _names(user, word):
    """The student's name has the word, or until the student is known the one that the referral gives."""
    in_name = SQL("1 = 1")
    matching = students.matching(user, word)
    for condition in matching:
        in_name &= condition
    typed = FormResponse.student.is_null() & has(Referral.sort_name, fold(word))
    return (FormResponse.student.is_null(False) & in_name | typed) if matching else SQL("1 = 0")


def has(field, word):
    """Expression: the column, which is folded, has this text in it."""
    escaped = word.replace("!", "!!").replace("%", "!%").replace("_", "!_")
    return NodeList((field, SQL("LIKE"), f"%{escaped}%", SQL("ESCAPE '!'")), parens=True)


_NEWEST_FIRST = FormResponse.submitted_at.desc(), FormResponse.id.desc()


def _listed(query):
    names = (Student.ref, Student.preferred_name, Student.first_name, Student.last_name)
    named = (Referral.first_name, Referral.last_name, Referral.state)
    columns = (FormResponse.id, FormResponse.ref, FormResponse.submitted_at, FormResponse.number, Account.name)
    return query.select(*columns, *names, *named, FormResponse.answers).order_by(*_NEWEST_FIRST)


def _among(query, ids):
    return query.where(FormResponse.id.in_(ids or [-1]))


def _rows(query):
    found = []
    for *row, ref, preferred, first, last, named, surname, state, answers in query.tuples():
        student = f"{preferred or first} {last}" if ref else ""
        referred_as = f"{named} {surname}" if named else ""
        found.append(Row(*row, ref, student, referred_as, REFERRAL_STATES.get(state, ""), json.loads(answers)))
    return found


def _fitting(query, wanted, fields):
    """Ids of the responses with these answers, newest first. Read through one by one: an answer is a piece of a JSON text, in
    which neither database finds a word by an index."""
    rows = query.select(FormResponse.id, FormResponse.number, FormResponse.answers).order_by(*_NEWEST_FIRST).tuples()
    return [row_id for row_id, number, text in rows if _fits(json.loads(text), fields.get(number, {}), wanted)]


def _fits(answers, fields, wanted):
    return all(key in fields and key in answers and said.fits(fields[key], answers[key], text) for key, text in wanted.items())


# --- One -------------------------------------------------------------------------------------------------------------


def response(user, ref, audit=True):
    """The response for its page, with `.form`, `.author`, `.student` (None for nobody), `.referral` (None where it is none) and
    `.reasons`; NotVisible when it is missing or closed to this staff member. Records the read."""
    row = loaded(FormResponse.ref == (ref or "")[:16].replace("\0", "")) if permissions.can(user, "response.read") else None
    if row is None:
        raise permissions.NotVisible(ref)
    row.reasons = permissions.record_reasons("form", user, row)
    if not row.reasons:
        raise permissions.NotVisible(ref)
    if audit:
        events.record_alone("response.read", actor=user, target=row.ref, reasons=row.reasons)
    return row


def loaded(condition):
    """The first response that this holds of, with everything that hangs on it; or None. Says nothing about who may see it."""
    decider = Account.alias("decider")
    its_own = (FormVersion.form == FormResponse.form) & (FormVersion.number == FormResponse.number)
    query = (
        FormResponse.select(FormResponse, Form, FormVersion, Account, Student, Referral, decider)
        .join_from(FormResponse, Form)
        .join_from(FormResponse, FormVersion, on=its_own, attr="asked")
        .join_from(FormResponse, Account, on=(Account.id == FormResponse.author), attr="author")
        .join_from(FormResponse, Student, JOIN.LEFT_OUTER, on=(Student.id == FormResponse.student), attr="student")
        .join_from(FormResponse, Referral, JOIN.LEFT_OUTER, on=(Referral.response == FormResponse.id), attr="found")
        .join_from(Referral, decider, JOIN.LEFT_OUTER, on=(decider.id == Referral.decided_by), attr="decided_by")
        .where(condition)
    )
    row = query.first()
    if row is None:
        return None
    row.referral = getattr(row, "found", None)
    if row.referral is not None:
        row.referral.response = row
        row.referral.word = REFERRAL_STATES[row.referral.state]
    return row


def shown(user, response):
    """[Shown] of a response that was loaded: what was asked, as the version that it answers asked it."""
    sent = said.files_of([response.id])
    given = json.loads(response.answers)
    names = said.names(user, [given], [(ref, name) for _, _, ref, name in sent])
    return said.beside_questions(definition.read(response.asked.fields), given, names, sent)


def who_can_see(user, response):
    """[(name, role, [reason in words])] of everybody who sees the response, for somebody who sees it."""
    return records.readers("form", user, response)


def file(user, ref, file_ref):
    """A file that came with a response which this person sees or sent; records the read."""
    row = response(user, ref, audit=False) if permissions.can(user, "response.read") else own_response(user, ref, audit=False)
    found = records.one_of(row, StoredFile.form_response, file_ref)
    events.record_alone("response.file_read", actor=user, target=row.ref, file=found.ref)
    return found


# --- One's own -------------------------------------------------------------------------------------------------------


class Sent(NamedTuple):
    """What somebody sent, as they see it: `name` as they typed it, `state` the one word of a referral."""

    ref: str
    form: str
    submitted_at: datetime
    referral_ref: str | None
    name: str
    state: str

    @property
    def url(self):
        """Where they read it again."""
        return f"/referrals/{self.referral_ref}" if self.referral_ref else f"/responses/{self.ref}"


def own_response(user, ref, audit=True):
    """What a Referral User or a student sent themselves; NotVisible otherwise. The student whom staff found it to be about is
    never a part of it. Records the read."""
    mine = permissions.is_own_response(user)
    row = loaded(mine & (FormResponse.ref == (ref or "")[:16].replace("\0", ""))) if _has_own(user) else None
    return _own(user, ref, row, audit)


def own_referral(user, ref, audit=True):
    """The same by the reference of the referral."""
    mine = permissions.is_own_response(user)
    row = loaded(mine & (Referral.ref == (ref or "")[:16].replace("\0", ""))) if _has_own(user) else None
    return _own(user, ref, row, audit)


def _has_own(user):
    return user.role not in permissions.STAFF_ROLES and fills_forms(user)


def _own(user, ref, row, audit):
    if row is None:
        raise permissions.NotVisible(ref)
    if audit:
        events.record_alone("response.read", actor=user, target=row.ref, reasons=("sent_it",))
    return row


def own_paging(user, *, referrals=False):
    """(fetch, count) for kit.listing.paginate(): what this Referral User or student sent as Sent, newest first. `referrals`:
    of it only those. NotVisible for everybody else."""
    if not _has_own(user) or (referrals and not permissions.can(user, "own.referrals")):
        raise permissions.NotVisible("responses")
    query = permissions.own_responses(user, FormResponse.id)
    if referrals:
        query = query.where(fn.EXISTS(Referral.select(SQL("1")).where(Referral.response == FormResponse.id)))
    return (
        lambda most, start: _as_sent(_newest(query).limit(most).offset(start).tuples()),
        lambda most: query.limit(most).count(),
    )


class OwnStart(NamedTuple):
    """What stands on the start page of a Referral User or a student: the forms they are asked to fill in [(reference, name,
    description)], and the newest of what they Sent."""

    forms: list
    sent: list
    has_more: bool


def own_start(user, school):
    """OwnStart, or None for staff and whoever has neither, or sees nothing yet. Two queries."""
    is_student = user.role == permissions.STUDENT
    if user.role in permissions.STAFF_ROLES or (is_student and not school.student_visibility):
        return None
    asked, sent = prepared.rows(_own_forms, user), _as_sent(prepared.rows(_own_sent, user))
    return OwnStart(asked, sent[:ON_START], len(sent) > ON_START) if asked or sent else None


def _own_forms(user):
    query = forms_for(user).select(Form.ref, Form.name, Form.description).order_by(Form.name, Form.id)
    return query.where(_is_there(user))


def _own_sent(user):
    return _newest(permissions.own_responses(user).where(_is_there(user))).limit(ON_START + 1)


def _is_there(user):
    """Expression: a student is at the school, as permissions.own_student() asks it."""
    own = permissions.own_students(user, SQL("1"))
    return fn.EXISTS(own) if user.role == permissions.STUDENT else SQL("1 = 1")


def _newest(query):
    columns = (FormResponse.ref, Form.name, FormResponse.submitted_at, Referral.ref, Referral.first_name, Referral.last_name)
    query = query.select(*columns, Referral.state).join_from(FormResponse, Form)
    query = query.join_from(FormResponse, Referral, JOIN.LEFT_OUTER, on=(Referral.response == FormResponse.id))
    return query.order_by(*_NEWEST_FIRST)


def _as_sent(rows):
    return [
        Sent(*row, f"{first} {last}" if first else "", REFERRAL_STATES.get(state, "")) for *row, first, last, state in rows
    ]


# --- Saved filters ---------------------------------------------------------------------------------------------------


class Saved(NamedTuple):
    """Filters that somebody saved for the responses to a form."""

    ref: str
    name: str
    query: str
    owner: str
    is_mine: bool


def saved_filters(user, form):
    """The Saved filters of a form that was loaded: one's own and those that are shared, by name."""
    query = (
        SavedReport.select(SavedReport.ref, SavedReport.name, SavedReport.query, Account.name, Account.id)
        .join(Account)
        .where((SavedReport.form == form.id) & ((SavedReport.owner == user.id) | SavedReport.is_shared))
        .order_by(SavedReport.name, SavedReport.id)
    )
    return [Saved(*row, owner == user.id) for *row, owner in query.tuples()]


def own_filters(user, form, ref):
    """The SavedReport of this form that one has saved oneself, or NotVisible."""
    mine = (SavedReport.form == form.id) & (SavedReport.owner == user.id)
    row = SavedReport.get_or_none(mine & (SavedReport.ref == ref[:16].replace("\0", "")))
    if row is None:
        raise permissions.NotVisible(ref)
    return row
