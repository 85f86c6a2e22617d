"""Rows for tests, made directly in the tables: short, with defaults that are valid, and no business rule run.

Whoever tests a rule calls the action; whoever needs a world to test it in calls these.
"""

from datetime import timedelta
from itertools import count

import permissions
from blueprints.kit.text import fold
from extensions import clock
from models import (
    Account,
    Case,
    CaseClosure,
    CaseEntry,
    CaseEntryVersion,
    CaseFollower,
    CaseGroup,
    CaseIncident,
    CaseStaff,
    CaseType,
    Category,
    CategoryGroup,
    CloseReason,
    Department,
    Exclusion,
    Group,
    GroupManager,
    GroupMember,
    Incident,
    IncidentAction,
    IncidentAlert,
    IncidentAssignment,
    IncidentClosure,
    IncidentStudent,
    IncidentVersion,
    PartCategory,
    Student,
)

_numbers = count(1)


def account(name=None, email=None, role=permissions.STAFF, **fields):
    """An active account without a password or a second step."""
    number = next(_numbers)
    name = name or f"Person{number} Test"
    email = email or f"person{number}@school.example.org"
    fields.setdefault("search_text", fold(f"{name} {email}"))
    return Account.create(name=name, email=email, email_folded=email.casefold(), role=role, **fields)


def group(name=None, members=(), managers=(), department=None):
    number = next(_numbers)
    if isinstance(department, str):
        department = Department.create(name=department)
    row = Group.create(name=name or f"Group {number}", department=department)
    for member in members:
        GroupMember.create(group=row, account=member)
    for manager in managers:
        GroupManager.create(group=row, account=manager)
    return row


def category(name=None, parent=None, need_to_know=(), **fields):
    row = Category.create(name=name or f"Category {next(_numbers)}", parent=parent, **fields)
    for one in need_to_know:
        CategoryGroup.create(category=row, group=one)
    return row


def student(first_name="Ann", last_name=None, **fields):
    number = next(_numbers)
    last_name = last_name or f"Finch{number}"
    fields.setdefault("admission_number", f"A{number:05}")
    email = fields.get("email", "")
    names, rest = [first_name, fields.get("preferred_name", ""), last_name], [fields["admission_number"] or "", email]
    return Student.create(
        first_name=first_name,
        last_name=last_name,
        sort_name=fold(f"{last_name} {first_name}"),
        search_text=f"{fold(' '.join(names))} | {fold(' '.join(rest))}",
        email_folded=email.casefold() or None,
        **fields,
    )


def incident(author, students=(), text="Something happened in the corridor.", **options):
    """An incident with a first version of its text.

    `students`: students, or (student, [categories]) or (student, [categories], role). Options: `alerted` (accounts and
    groups), `assigned_to`, `status`, `happened_at`, `entered_at`, `place`.
    """
    now = clock.now()
    alerted = options.pop("alerted", ())
    options.setdefault("happened_at", now - timedelta(hours=2))
    options.setdefault("entered_at", now - timedelta(hours=1))
    row = Incident.create(author=author, text=text, **options)
    IncidentVersion.create(incident=row, number=1, text=text, author=author, at=row.entered_at)
    for one in students or [student()]:
        who, categories, role = (*one, "subject")[:3] if isinstance(one, tuple) else (one, [], "subject")
        part = IncidentStudent.create(incident=row, student=who, role=role)
        for each in categories:
            PartCategory.create(part=part, category=each)
    for one in alerted:
        field = {"group": one} if isinstance(one, Group) else {"account": one}
        IncidentAlert.create(incident=row, alerted_by=author, **field)
    if row.assigned_to_id:
        IncidentAssignment.create(incident=row, to=row.assigned_to, assigned_by=author)
    if row.status == "Closed":
        IncidentClosure.create(incident=row, closed_by=author)
    return row


def action(on, author, text="Spoke to the form tutor.", **fields):
    return IncidentAction.create(incident=on, author=author, text=text, **fields)


def case(of=None, opened_by=None, title="Support plan", **options):
    """An open case. `of`: its student. Options: `groups`, `staff`, `following`, `entries` ((author, text), …),
    `incidents`, `case_type` (a name), `status`, and any field."""
    lists = {name: options.pop(name, ()) for name in ("groups", "staff", "following", "entries", "incidents")}
    kind = CaseType.get_or_create(name=options.pop("case_type", "Wellbeing"))[0]
    by = opened_by or account()
    row = Case.create(student=of or student(), case_type=kind, title=title, opened_by=opened_by, **options)
    for one in lists["groups"]:
        CaseGroup.create(case=row, group=one, attached_by=by)
    for one in lists["staff"]:
        CaseStaff.create(case=row, account=one, attached_by=by)
    for one in lists["following"]:
        CaseFollower.create(case=row, account=one, added_by=by)
    for author, text in lists["entries"]:
        entry(row, author, text)
    for one in lists["incidents"]:
        CaseIncident.create(case=row, incident=one, linked_by=by)
    if row.status == "Closed":
        CaseClosure.create(case=row, closed_by=by, reason=CloseReason.select().first())
    return row


def entry(on, author, text="Spoke to the family."):
    row = CaseEntry.create(case=on, author=author, text=text)
    CaseEntryVersion.create(entry=row, number=1, text=text, author=author)
    return row


def exclusion(person, by, *, student=None, incident=None, case=None):
    return Exclusion.create(
        account=person, excluded_by=by, student=student, incident=incident, case=case, reason="A relative"
    )
