"""Rows for tests, made directly in the tables: short, with defaults that are valid, and no business rule run.

Whoever tests a rule calls the action; whoever needs a world to test it in calls these.
"""

import json
from datetime import timedelta
from itertools import count
from zoneinfo import ZoneInfo

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
    Cohort,
    CohortCategory,
    CohortGroup,
    CohortStudent,
    Department,
    Exclusion,
    Form,
    FormGroup,
    FormResponse,
    FormVersion,
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
    InterventionGroup,
    InterventionMember,
    Meeting,
    MeetingStaff,
    MeetingStudent,
    MeetingType,
    Milestone,
    PartCategory,
    Plan,
    PlanStaff,
    Referral,
    Student,
    Task,
)

_numbers = count(1)


def today():
    """The day it is at a school that is in London, as the schools of the tests are: in summer an hour ahead of UTC."""
    return clock.now().astimezone(ZoneInfo("Europe/London")).date()


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


def cohort(category=None, name=None, students=(), groups=(), milestones=0, archived=False, **fields):
    """A cohort. `category`: a row, or a name (made where it is missing). `milestones`: how many saved ones without a date."""
    by = fields.pop("created_by", None) or account(role=permissions.ADMIN)
    if not isinstance(category, CohortCategory):
        wanted = category or f"Cohorts {next(_numbers)}"
        category = CohortCategory.get_or_create(name=wanted, defaults={"created_by": by})[0]
    if archived:
        fields |= {"archived_at": clock.now(), "archived_by": by}
    row = Cohort.create(category=category, name=name or f"Cohort {next(_numbers)}", created_by=by, **fields)
    for one in students:
        CohortStudent.create(cohort=row, student=one, added_by=by)
    for one in groups:
        CohortGroup.create(cohort=row, group=one, attached_by=by)
    for number in range(1, milestones + 1):
        Milestone.create(cohort=row, title=f"Milestone {number}", position=number, created_by=by, saved_at=clock.now())
    return row


def milestone(cohort, title="Meet your advisor", due_on=None, reminders="", saved=True, **fields):
    """A milestone of this cohort, behind those that it has. `reminders`: "1,7". Not `saved`: a draft of the admins."""
    fields.setdefault("position", Milestone.select().where(Milestone.cohort == cohort).count() + 1)
    fields.setdefault("created_by", cohort.created_by)
    if saved:
        fields = {"saved_at": clock.now(), "scheduled_at": clock.now()} | fields
    return Milestone.create(cohort=cohort, title=title, due_on=due_on, reminders=reminders, **fields)


def exclusion(person, by, *, student=None, incident=None, case=None):
    return Exclusion.create(
        account=person, excluded_by=by, student=student, incident=incident, case=case, reason="A relative"
    )


def task(student, assigned_to, set_by, title="Ring the family", **fields):
    return Task.create(student=student, assigned_to=assigned_to, set_by=set_by, title=title, **fields)


def meeting(by, students=(), staff=(), **fields):
    """A planned meeting of half an hour, tomorrow at this time unless told."""
    kind = fields.pop("meeting_type", None) or MeetingType.select().order_by(MeetingType.position).first()
    starts_at = fields.pop("starts_at", clock.now() + timedelta(days=1))
    fields.setdefault("ends_at", starts_at + timedelta(minutes=30))
    made = Meeting.create(meeting_type=kind, starts_at=starts_at, scheduled_by=by, **fields)
    for one in students:
        MeetingStudent.create(meeting=made, student=one, added_by=by)
    for one in staff:
        MeetingStaff.create(meeting=made, account=one, added_by=by)
    return made


def plan(student, lead, created_by=None, *, staff=(), **fields):
    """An active plan of tier 2 that began today."""
    fields = {"tier": 2, "starts_on": today(), "goal": "Be on time", "measure": "Days on time a week", **fields}
    made = Plan.create(student=student, lead=lead, created_by=created_by or lead, **fields)
    for one in staff:
        PlanStaff.create(plan=made, account=one, added_by=made.created_by)
    return made


def intervention_group(lead, name=None, students=(), group=None, **fields):
    """An intervention group; each of the students with the plan that it generated."""
    made = InterventionGroup.create(
        name=name or f"Reading club {next(_numbers)}", lead=lead, created_by=lead, group=group, **fields
    )
    for one in students:
        generated = plan(one, lead, intervention_group=made)
        InterventionMember.create(group=made, student=one, plan=generated, added_by=lead)
    return made


def form(name=None, by=None, fields=(), *, published=True, readers=(), **options):
    """A form with these fields (dicts as blueprints/forms/fields.py has them) as its first version."""
    by = by or Account.select().where(Account.role == permissions.ADMIN).order_by(Account.id).first()
    made = Form.create(name=name or f"Form {next(_numbers)}", created_by=by, published=int(published), **options)
    FormVersion.create(
        form=made, number=1, fields=json.dumps(list(fields)), published_at=clock.now() if published else None, published_by=by
    )
    for group in readers:
        FormGroup.create(form=made, group=group)
    return made


def response(form, author, student=None, answers=None, **fields):
    return FormResponse.create(
        form=form, number=form.published or 1, author=author, student=student, answers=json.dumps(answers or {}), **fields
    )


def referral(form, author, first_name="Ann", last_name="Finch", *, answers=None, **fields):
    """A response of a Referral User that waits in the queue."""
    sent = response(form, author, answers=answers)
    sort_name = fold(f"{last_name} {first_name}")
    return Referral.create(response=sent, first_name=first_name, last_name=last_name, sort_name=sort_name, **fields)
