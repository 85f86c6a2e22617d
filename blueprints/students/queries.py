"""Who the students are, as far as the person asking may know. Every read starts from permissions.visible_students().

Name, year and tutor group are all that a reader without `student.details` is given: other columns are not even fetched
for them, except on the page of a student whom they have a relation to. Must not write anything but the audit row of a read.
"""

import re
from functools import partial, reduce
from operator import and_
from typing import NamedTuple

from peewee import SQL, Case, NodeList, fn

import events
import permissions
from blueprints.kit import prepared
from blueprints.kit.picking import Source
from blueprints.kit.text import fold, one_line
from models import Account, CohortStudent, Exclusion, Student, StudentContact

SHORT_FIELDS = (
    Student.id,
    Student.ref,
    Student.first_name,
    Student.last_name,
    Student.preferred_name,
    Student.year_group,
    Student.tutor_group,
    Student.is_active,
)
LIST_FIELDS = (*SHORT_FIELDS, Student.admission_number)
LONGEST_QUERY = 100  # characters of a search that are looked at
MOST_WORDS = 12  # of them, where each number of words is a statement of its own (kit/prepared.py)
DETAILS = "student.details"


def _fields(user):
    return (Student,) if permissions.can(user, DETAILS) else SHORT_FIELDS


def _columns(user):
    """The same, each by itself."""
    return Student._meta.sorted_fields if permissions.can(user, DETAILS) else SHORT_FIELDS


# --- One student -----------------------------------------------------------------------------------------------------


def student(user, ref, audit=True, whole=False):
    """The student for their page; raises NotVisible when missing or closed to the user. Records the read.

    `whole`: for the page that shows the details, also to whoever may read them because of a relation to this student;
    `.shows_details` then says whether it does.
    """
    found = prepared.rows(_known, user, ref=ref)
    if not found:
        raise permissions.NotVisible(ref)
    row = _student(user, found[0])
    if whole:
        shows_details = permissions.may_see_details(user, row)
        if shows_details and not permissions.can(user, DETAILS):
            row = permissions.visible_students(user, Student).where(Student.id == row.id).get()
        row.shows_details = shows_details
    if audit:
        events.record_alone("student.read", actor=user, target=row.ref, reasons=(user.role,))
    return row


def _known(user, ref):
    return permissions.visible_students(user, *_columns(user)).where(Student.ref == ref)


def _student(user, values):
    """The student of a row of _columns()."""
    row = Student(__no_default__=True, **{field.name: value for field, value in zip(_columns(user), values, strict=True)})
    row._dirty.clear()
    return row


def tabs(user, student, current="Overview"):
    """Sections of the student's page for layout.tabs(): (label, address, is current, count)."""
    home = f"/students/{student.ref}"
    sections = [("Overview", home), ("Incidents", f"{home}/incidents")]
    if permissions.can(user, "case.read"):
        sections.append(("Case", f"{home}/cases"))
    if permissions.can(user, "timeline.read"):
        sections.append(("Timeline", f"{home}/timeline"))
    if permissions.can(user, "task.read"):
        sections.append(("Tasks", f"{home}/tasks"))
    if permissions.can(user, "meeting.read"):
        sections.append(("Meetings", f"{home}/meetings"))
    if permissions.can(user, "plan.read"):
        sections.append(("Plans", f"{home}/plans"))
    if permissions.can(user, "file.submit"):
        sections.append(("Files", f"{home}/files"))
    # On that tab itself it has been asked.
    if current == "Milestones" or _is_supported(user, student):
        sections.append(("Milestones", f"{home}/milestones"))
    if permissions.can(user, "exclusion"):
        sections.append(("Conflicts of interest", f"{home}/exclusions"))
    return [(label, address, label == current, None) for label, address in sections]


def _is_supported(user, student):
    return permissions.can(user, "milestone.support") and bool(prepared.rows(_supported, user, student=student.id))


def _supported(user, student):
    return permissions.supported_students(user, SQL("1")).where(CohortStudent.student == student).limit(1)


def contacts(user, student):
    """The student's contacts, by name; none for a reader who may not see this student's details. A student that student() has
    loaded as a `whole` says so already."""
    shows_details = getattr(student, "shows_details", None)
    if not (permissions.may_see_details(user, student) if shows_details is None else shows_details):
        return []
    current = StudentContact.removed_at.is_null()
    return list(student.contacts.where(current).order_by(StudentContact.name, StudentContact.id))


def contact(user, student, ref):
    """One contact of this student; raises NotVisible."""
    found = [row for row in contacts(user, student) if row.ref == ref]
    if not found:
        raise permissions.NotVisible(ref)
    return found[0]


# --- Lists and search ------------------------------------------------------------------------------------------------


def listing(user, *, text="", year_group=None, tutor_group=None, active=True):
    """Visible students by name, as a query of named tuples to page through.

    `text`: every word must occur in a name, or for readers of the details in the admission number or email.
    `active`: True for students at the school, False for those who left, None for all.
    """
    fields = LIST_FIELDS if permissions.can(user, DETAILS) else SHORT_FIELDS
    return _narrowed(user, fields, text, year_group, tutor_group, active).namedtuples()


def export(user, *, text="", year_group=None, tutor_group=None, active=True):
    """(headings, rows) of the same list for a file: every column the reader may see."""
    columns = _export_columns(user)
    query = _narrowed(user, [field for _, field in columns], text, year_group, tutor_group, active)
    return [heading for heading, _ in columns], list(query.tuples())


def _export_columns(user):
    """(heading, field); the headings are those that an import understands."""
    columns = [
        ("First name", Student.first_name),
        ("Last name", Student.last_name),
        ("Preferred name", Student.preferred_name),
        ("Year group", Student.year_group),
        ("Tutor group", Student.tutor_group),
        ("Active", Student.is_active),
    ]
    if permissions.can(user, DETAILS):
        columns[3:3] = [("Email", Student.email), ("Date of birth", Student.date_of_birth)]
        columns[7:7] = [("Admission number", Student.admission_number), ("UPN", Student.upn)]
    return columns


def _narrowed(user, fields, text, year_group, tutor_group, active):
    query = permissions.visible_students(user, *fields)
    if active is not None:
        query = query.where(Student.is_active if active else ~Student.is_active)
    if year_group:
        query = query.where(Student.year_group == year_group)
    if tutor_group:
        query = query.where(Student.tutor_group == tutor_group)
    for condition in matching(user, text):
        query = query.where(condition)
    return query.order_by(Student.sort_name, Student.id)


def matching(user, text):
    """Expressions that must all hold for a student to match what was typed: one for each word."""
    return _matches(_patterns(user, _words(text)))


def _words(text):
    return fold(one_line(text or "")[:LONGEST_QUERY]).replace("|", " ").split()


def _patterns(user, words):
    """What search_text is compared with for each word, by names of ours: LIKE patterns."""
    # What stands behind the bar of search_text is for readers of the details, not even a guess that comes true for others.
    behind = "" if permissions.can(user, DETAILS) else "|%"
    return {f"word_{place}": f"%{_escaped(word)}%{behind}" for place, word in enumerate(words)}


def _matches(patterns):
    return [_like(Student.search_text, pattern) for pattern in patterns.values()]


def _escaped(word):
    return re.sub(r"([!%_])", r"!\1", word)


def _like(field, pattern):
    return NodeList((field, SQL("LIKE"), prepared.pattern(pattern), SQL("ESCAPE '!'")), parens=True)


def search_keys(first_name, last_name, preferred_name="", admission_number=None, email=""):
    """The derived columns of a student as a dict: sort_name, search_text and email_folded."""
    names = fold(" ".join([first_name, preferred_name or "", last_name])).replace("|", " ")
    rest = fold(f"{admission_number or ''} {email or ''}").replace("|", " ")
    return {
        "sort_name": fold(f"{last_name} {first_name}")[:255],
        "search_text": f"{names} | {rest}",
        "email_folded": email.casefold() if email else None,
    }


def groups(user):
    """(year groups, tutor groups) that visible students have, each in the order people count: 7, 8, 10."""
    query = permissions.visible_students(user, Student.year_group, Student.tutor_group).distinct()
    rows = list(query.tuples())
    return in_order({year for year, _ in rows}), in_order({tutor for _, tutor in rows})


def in_order(names):
    """The names of year or tutor groups in the order people count: 7, 8, 10; empty ones left out."""

    def key(name):
        parts = (part for part in re.split(r"([0-9]+)", name) if part)
        return [(0, int(part), "") if part.isdigit() and part.isascii() else (1, 0, fold(part)) for part in parts]

    return sorted((name for name in names if name), key=key)


# --- Choosing students in a form -------------------------------------------------------------------------------------


def pick(user, refs):
    """The visible students of these references, in their order, each once; unknown and closed ones are left out."""
    refs = list(dict.fromkeys(refs))[:500]
    if not refs:
        return []
    found = {row.ref: row for row in (_student(user, values) for values in prepared.rows(_picked, user, refs=refs))}
    return [found[ref] for ref in refs if ref in found]


def _picked(user, refs):
    return permissions.visible_students(user, *_columns(user)).where(Student.ref.in_(refs))


def picker(user):
    """Where a form that picks students finds them, as `user` may."""
    return Source(partial(pick, user), partial(resolve_typed, user), partial(suggest, user, limit=20), chip)


class Found(NamedTuple):
    """What a search shows of a student."""

    id: int
    ref: str
    first_name: str
    last_name: str
    preferred_name: str
    year_group: str
    tutor_group: str
    is_active: bool


def suggest(user, text, limit=12):
    """[{ref, label, hint}] for what was typed so far: names that begin so first, those who left last."""
    words = _words(text)[:MOST_WORDS]
    if not words:
        return []
    begins = _escaped(" ".join(words)) + "%"
    rows = prepared.rows(_suggested, user, begins=begins, most=limit, **_patterns(user, words))
    return [chip(Found(*row)) for row in rows]


def _suggested(user, begins, most, **patterns):
    begins_so = _like(Student.sort_name, begins) | _like(Student.search_text, begins)
    query = permissions.visible_students(user, *SHORT_FIELDS, among=reduce(and_, _matches(patterns)))
    order = (Student.is_active.desc(), Case(None, ((begins_so, 0),), 1), Student.sort_name, Student.id)
    return query.order_by(*order).limit(most)


def found(user, text, start, most):
    """([Found], how many there are) for a search: `most` of them by name after the first `start`."""
    words = _words(text)[:MOST_WORDS]
    rows = prepared.rows(_found, user, start=start, most=most, **_patterns(user, words)) if words else []
    return [Found(*row[:-1]) for row in rows], rows[0][-1] if rows else 0


def _found(user, start, most, **patterns):
    columns = (*SHORT_FIELDS, fn.COUNT(SQL("*")).over())
    query = permissions.visible_students(user, *columns, among=reduce(and_, _matches(patterns)))
    return query.order_by(Student.sort_name, Student.id).limit(most).offset(start)


def chip(row):
    """A student as the picker shows one: {ref, label, hint}."""
    hint = [f"Year {row.year_group}" if row.year_group[:1].isdecimal() else row.year_group, row.tutor_group]
    if not row.is_active:
        hint.append("left")
    label = f"{row.preferred_name or row.first_name} {row.last_name}"
    return {"ref": row.ref, "label": label, "hint": ", ".join(part for part in hint if part)}


def resolve_typed(user, text):
    """(students, sentence or None) for names that were typed and not chosen from the list.

    Several names are separated by semicolons or lines, or by commas ("Finch, Ann" is one name all the same). With a
    sentence the list holds what could be told.
    """
    found, problems = [], []
    for part in re.split(r"[;\n]", text or ""):
        rows, problem = _resolve_part(user, one_line(part)[:LONGEST_QUERY])
        found += [row for row in rows if row not in found]
        problems += [problem] if problem else []
    return found, " ".join(problems) or None


def _resolve_part(user, text):
    if not text:
        return [], None
    row, problem = _resolve_one(user, text.replace(",", " "))
    if row is not None or "," not in text:
        return ([row] if row else []), problem
    results = [_resolve_one(user, name.strip()) for name in text.split(",") if name.strip()]
    found = [one for one, _ in results if one]
    return found, (problem if not found else " ".join(why for _, why in results if why) or None)


def _resolve_one(user, text):
    query = permissions.visible_students(user, *_fields(user))
    for condition in matching(user, text):
        query = query.where(condition)
    rows = list(query.order_by(Student.is_active.desc(), Student.sort_name, Student.id).limit(30))
    exact = [row for row in rows if fold(text) in _known_as(row)]
    candidates = exact or rows
    if len(candidates) == 1:
        return candidates[0], None
    # The same sentence for a student who is not there and for one who is closed to this reader.
    why = "Choose one from the list." if candidates else "Check the spelling, or choose from the list."
    many = f"Several students match “{text}”." if candidates else f"No student called “{text}” is known."
    return None, f"{many} {why}"


def _known_as(row):
    names = {f"{row.first_name} {row.last_name}", f"{row.last_name} {row.first_name}", row.name}
    return {fold(name) for name in (*names, row.admission_number or "", row.email or "") if name}


# --- Email -----------------------------------------------------------------------------------------------------------


def email_student_changed(row, account):
    """What the email about a changed profile may still say when it is sent: the template's context, or a sentence why it is
    not sent any more. `row.target_id` is the student."""
    found = permissions.visible_students(account, Student.id, Student.ref).where(Student.id == row.target_id).first()
    if found is None:
        return "this account does not see the student any more"
    if account.id not in {person.id for person in permissions.who_looks_after(found)}:
        return "this account does not look after the student any more"
    return {"ref": found.ref}


# --- Conflicts of interest -------------------------------------------------------------------------------------------


def exclusions(user, student=None, incident=None, case=None):
    """Who is kept out of a student, an incident or a case now, newest first, without the reader themselves.

    Only for Admin Key Holders who see the record; raises NotVisible or Denied for everybody else.
    """
    permissions.require("exclusion", user, student=student, incident=incident, case=case)
    kept_out, by = Account.alias("kept_out"), Account.alias("excluder")
    about = ((Exclusion.student, student), (Exclusion.incident, incident), (Exclusion.case, case))
    ((column, record),) = [(column, record) for column, record in about if record is not None]
    query = (
        Exclusion.select(Exclusion, kept_out, by)
        .join(kept_out, on=(Exclusion.account == kept_out.id), attr="account")
        .switch(Exclusion)
        .join(by, on=(Exclusion.excluded_by == by.id), attr="excluded_by")
        .where(Exclusion.ended_at.is_null() & (Exclusion.account != user.id))
        .where(column == record)
        .order_by(Exclusion.at.desc(), Exclusion.id.desc())
    )
    return list(query)


def exclusion(user, ref, **about):
    """One of exclusions(), which takes `about`; raises NotVisible."""
    found = [row for row in exclusions(user, **about) if row.ref == ref]
    if not found:
        raise permissions.NotVisible(ref)
    return found[0]


def excludable(user, **about):
    """(ref, name) of the active staff who are not excluded from this record yet, by name; `about` as for exclusions()."""
    already = {row.account.ref for row in exclusions(user, **about)}
    rows = permissions.staff(Account.ref, Account.name, Account.role).tuples()
    return [(ref, f"{name}, {permissions.ROLES[role]}") for ref, name, role in rows if ref not in already]


def staff_member(user, ref):
    """The active account of a staff member by reference, or None."""
    return permissions.staff().where(Account.ref == ref).first()
