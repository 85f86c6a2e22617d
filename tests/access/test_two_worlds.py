"""Two worlds that differ only in what somebody may not see answer them with the same bytes (ruling 10).

The second world is made, asked and taken back, then the same is asked of the first. Time stands still and references
are drawn from the same dice, so that only the hidden record could make a difference.
"""

import io
import itertools
import json
import random
from datetime import timedelta
from types import SimpleNamespace

import pytest

import models
import permissions
from blueprints.cases import actions as case_actions
from blueprints.kit import uploads
from models import (
    BodyMark,
    Case,
    CaseAgency,
    CaseGroup,
    CasePresenting,
    CaseRecord,
    CaseStaff,
    CloseReason,
    CohortStudent,
    Draft,
    Event,
    GroupMember,
    IncidentRemoval,
    IncidentStudent,
    MeetingStudent,
    MilestoneReminder,
    MilestoneRequest,
    Notification,
    OutboxEmail,
    PartCategory,
    PlanPoint,
    PlanReview,
    SavedReport,
    Session,
    StoredFile,
    StudentContact,
    StudentFileGroup,
    StudentMilestone,
    TaskNote,
)
from tests import factories
from tests.access.routes import ROUTES, samples
from tests.access.test_canary import addresses, crawl, forged
from tests.access.visitor import masked, undone
from tests.conftest import FULL


def incident(school, student, **options):
    """An incident with everything that hangs on one, as the application leaves it behind."""
    cast = school.cast
    options = {"alerted": [school.lou, school.other_group], "assigned_to": cast.ken, "place": "The shed"} | options
    row = factories.incident(cast.sam, [(student, [school.secret_category])], "Nobody else may know this.",
                             ref=NEW["incident"], **options)  # fmt: skip
    factories.action(row, cast.sam, "Ring home.", person=cast.kay, due_on=row.happened_at.date())
    BodyMark.create(incident=row, number=1, view="front", x=80, y=120, region="chest", author=cast.sam, note="A bruise")
    stored = uploads.store(school.settings.files, io.BytesIO(b"Notes.\n"), "notes.txt")
    StoredFile.create(incident=row, name="notes.txt", path_name=stored.path_name, size=stored.size,
                      media_type=stored.media_type, sha256=stored.sha256, uploaded_by=cast.sam)  # fmt: skip
    return row


def told(school, row, student):
    """The audit rows and emails that an incident leaves."""
    data = json.dumps({"students": [student.ref], "status": "Active", "assigned_to": school.cast.ken.ref})
    Event.create(actor=school.cast.sam, verb="incident.added", target=row.ref, data=data)
    Event.create(actor=school.cast.ken, verb="incident.read", target=row.ref, reasons="assigned")
    Event.create(actor=school.cast.ken, verb="student.read", target=student.ref)
    OutboxEmail.create(kind="incident_assigned", account=school.cast.ken, target=row.ref, target_id=row.id,
                       message_id="d" * 32, sent_at=row.entered_at, is_waiting=False)  # fmt: skip


# --- What only the second world has ------------------------------------------------------------------------------------


def need_to_know(school, person):
    """An incident of a need-to-know category, about Stu."""
    told(school, incident(school, school.cast.student, alerted=[school.lou]), school.cast.student)


def one_they_are_excluded_from(school, person):
    row = incident(school, school.ann)
    factories.exclusion(person, school.ada2, incident=row)


def one_of_a_student_they_are_excluded_from(school, person):
    incident(school, school.student)


def a_student_they_are_excluded_from(school, person):
    """A student with a year and tutor group that nobody else has, and an incident."""
    row = factories.student("Ivy", "Ibis", year_group="13", tutor_group="13Z", email="ivy@pupils.example.org",
                            upn="Z999", ref=NEW["student"])  # fmt: skip
    StudentContact.create(student=row, name="Ira Ibis")
    factories.exclusion(person, school.ada2, student=row)
    factories.account("Ivy Ibis", "ivy@pupils.example.org", role=permissions.STUDENT)
    incident(school, row)


def another_student_in_it(school, person):
    """A second student in an incident that this person reads because of the first."""
    part = IncidentStudent.create(incident=school.incident, student=school.student, role="affected")
    PartCategory.create(part=part, category=school.secret_category)
    data = json.dumps({"added": [school.student.ref], "changed": []})
    Event.create(actor=school.cast.sam, verb="incident.students_changed", target=school.incident.ref, data=data)


def a_student_taken_off_it(school, person):
    """A student whom somebody else took off an incident that this person reads because of another."""
    IncidentRemoval.create(incident=school.incident, student=school.student, role="affected", reason="Know better.",
                           categories=school.secret_category.ref, removed_by=school.cast.sam)  # fmt: skip


def what_belongs_to_somebody_else(school, person):
    ken = school.cast.ken
    SavedReport.create(owner=ken, name="Mine alone", query="text=x")
    Draft.create(account=ken, key="incident-7", body='{"fields": {"text": ["typed"]}}')
    Session.create(account=ken, token_hash="7" * 64, browser="Lynx", address="203.0.113.7")


# --- Cases: what only the second world has -------------------------------------------------------------------------


def case(school, student, **options):
    """A case with everything that hangs on one, as the application leaves it behind."""
    cast = school.cast
    options = {"groups": [cast.counselling, school.third_group], "staff": [school.ida], "following": [school.fay],
               "primary_advocate": school.lou, "incidents": [school.secret]} | options  # fmt: skip
    row = factories.case(student, cast.ken, "Nobody else may know this.", ref=NEW["case"], case_type="Bereavement", **options)
    factories.entry(row, school.fay, "Nobody else may know this either.")
    CasePresenting.create(case=row, number=1, concern="What worries us", narrative="All of it, know it", author=cast.ken)
    CaseAgency.create(case=row, section="prosecution", agency="The court", notes="Knows", author=cast.ken)
    stored = uploads.store(school.settings.files, io.BytesIO(b"Letter.\n"), "letter.txt")
    StoredFile.create(case=row, name="letter.txt", path_name=stored.path_name, size=stored.size, uploaded_by=cast.ken,
                      media_type=stored.media_type, sha256=stored.sha256)  # fmt: skip
    for verb, data in (("case.opened", {"student": student.ref, "case_type": row.case_type.ref}), ("case.read", {})):
        Event.create(actor=cast.ken, verb=verb, target=row.ref, data=json.dumps(data))
    for one in (school.fay, school.lou):
        Notification.create(account=one, kind="case_added", target=row.ref, target_id=row.id)
    OutboxEmail.create(kind="case_added", account=school.fay, target=row.ref, target_id=row.id, message_id="c" * 32,
                       sent_at=row.opened_at, is_waiting=False)  # fmt: skip
    return row


def a_case(school, person):
    """About Ann, of whom everybody finds something in the first world too."""
    case(school, school.ann)


def a_case_they_are_excluded_from(school, person):
    """Every reason at once, and a notification of it: the exclusion beats them all."""
    every = {"staff": [person], "following": [person], "primary_advocate": person, "coordinator": person}
    row = case(school, school.ann, groups=[school.other_group], **every)  # Oli is a member of it, Mo manages it
    factories.exclusion(person, school.ada2, case=row)
    for kind in ("case_added", "case_changed"):
        Notification.create(account=person, kind=kind, target=row.ref, target_id=row.id)


def a_case_they_were_on(school, person):
    """Attached and detached, a member of the group and not any more: what is left are notifications and the outbox."""
    row = case(school, school.ann)
    for kind in ("case_added", "case_changed"):
        Notification.create(account=person, kind=kind, target=row.ref, target_id=row.id, detail="entry")
    OutboxEmail.create(kind="case_added", account=person, target=row.ref, target_id=row.id, message_id="b" * 32)


def a_case_with_an_incident_they_see(school, person):
    """The incident is theirs to read; that a case came of it is not."""
    row = case(school, school.ann, incidents=[])
    case_actions.link_incident(row, school.incident, actor=school.ada2)


def a_group_on_a_case(school, person):
    """A group is attached to a case that is there in both worlds, and takes the place of individuals."""
    CaseStaff.delete().where(CaseStaff.case == school.case).execute()
    CaseGroup.create(case=school.case, group=school.third_group, attached_by=school.cast.ken)
    Event.create(actor=school.cast.ken, verb="case.attached", target=school.case.ref,
                 data=json.dumps({"accounts": [], "groups": [school.third_group.ref]}))  # fmt: skip


def an_incident_linked_to_their_case(school, person):
    """They are on the case, and may not see the incident that is linked to it."""
    case_actions.link_incident(school.open_case, school.secret, actor=school.ada2)


def what_happens_on_a_case(school, person):
    """A case that they are not on is written on, closed and reopened."""
    row, ken = Case.get_by_id(school.case.id), school.cast.ken
    case_actions.add_entry(row, "Something new.", actor=ken)
    reason = CloseReason.select().first().id
    row = case_actions.close_case(row, reason=reason, outcome="Done", actor=ken, version=row.version)
    case_actions.reopen_case(row, reason="Not done", actor=ken, version=row.version)


# --- Cohorts: what only the second world has ------------------------------------------------------------------------


def cohort_of(school, students, groups):
    """A cohort with everything that hangs on one: a milestone with a file, marks, requests, reminders."""
    cast = school.cast
    row = factories.cohort("Nobody else may know this", "Either", students, groups, created_by=cast.ada, ref=NEW["cohort"])
    milestone = factories.milestone(row, "Know nothing", factories.today() + timedelta(days=5), "1,7", description="Nobody knows", ref=NEW["milestone"])
    stored = uploads.store(school.settings.files, io.BytesIO(b"Form.\n"), "form.txt")
    StoredFile.create(milestone=milestone, name="form.txt", path_name=stored.path_name, size=stored.size, uploaded_by=cast.ada,
                      media_type=stored.media_type, sha256=stored.sha256)  # fmt: skip
    for student in students:
        about(milestone, student, cast.ada)
    return row


def about(milestone, student, marker):
    """What there can be about one student and one milestone."""
    StudentMilestone.create(milestone=milestone, student=student, state="waived", marked_by=marker)
    MilestoneRequest.create(milestone=milestone, student=student, note="Nobody may read this.")
    MilestoneReminder.create(milestone=milestone, student=student, days=7, due_on=milestone.due_on)
    data = json.dumps({"milestone": milestone.ref, "state": "waived"})
    Event.create(actor=marker, verb="milestone.marked", target=student.ref, data=data)


def a_cohort_they_do_not_support(school, person):
    """With Ann, whom everybody finds, and supported by a group that they are not in."""
    cohort_of(school, [school.ann, school.student], [school.third_group])


def a_cohort_they_supported(school, person):
    """They were told of a request, and are not in the group any more."""
    cohort_of(school, [school.ann], [school.third_group])
    Notification.create(account=person, kind="milestone_asked", target=school.ann.ref, target_id=school.ann.id)
    OutboxEmail.create(kind="milestone_asked", account=person, target=school.ann.ref, target_id=school.ann.id, message_id="a" * 32)


def a_student_of_a_cohort_they_are_excluded_from(school, person):
    """In a cohort that is there in both worlds, with marks, a request and reminders: no list, count or chart knows."""
    row = factories.student("Ivy", "Ibis", year_group="8", tutor_group="8B", email="ivy@pupils.example.org", ref=NEW["student"])
    factories.exclusion(person, school.ada2, student=row)
    CohortStudent.create(cohort=school.cohort, student=row, added_by=school.ada2)
    about(school.milestone, row, school.ada2)
    Notification.create(account=person, kind="milestone_asked", target=row.ref, target_id=row.id)


# --- Tasks, meetings, plans, forms, files: what only the second world has ----------------------------------------------


def work(school, student, *, by, to, case=None):
    """A task, a meeting, a plan, a response and a file about the student, with everything that hangs on each, as the
    application leaves it behind: `by` made them, `to` is on them. They belong to `case`. Returns them by kind."""
    today = factories.today()
    made = {"task": factories.task(student, to, by, "Nobody else may know this", notes="Know", due_on=today, ref=NEW["task"])}
    TaskNote.create(task=made["task"], author=to, text="Nobody knows.")
    made["meeting"] = factories.meeting(by, [student], [to], place="Know", agenda="Nobody knows.", ref=NEW["meeting"])
    made["plan"] = factories.plan(student, to, by, goal="Know", measure="Know", ref=NEW["plan"], review_by=today)
    PlanPoint.create(plan=made["plan"], day=today, value=3, author=to)
    PlanReview.create(plan=made["plan"], day=today, decision="continue", notes="Know", author=to)
    made["form"] = factories.response(school.form, by, student, {"f1": "Nobody may know."}, ref=NEW["response"])
    stored = uploads.store(school.settings.files, io.BytesIO(b"Know.\n"), "know.txt")
    made["file"] = StoredFile.create(
        student=student, name="know.txt", path_name=stored.path_name, size=stored.size, media_type=stored.media_type,
        sha256=stored.sha256, uploaded_by=by, shown_to="groups", ref=NEW["file"],
    )  # fmt: skip
    for kind, row in made.items():
        if case is not None:
            CaseRecord.create(case=case, kind=kind, record_id=row.id, record=row.ref, how="joined", by=by)
    for verb, target, data in (
        ("task.set", made["task"].ref, {"student": student.ref}), ("plan.created", made["plan"].ref, {"student": student.ref}),
        ("meeting.scheduled", made["meeting"].ref, {"students": [student.ref], "staff": [to.ref]}),
        ("student.file_added", student.ref, {"file": made["file"].ref, "size": 6}),
    ):  # fmt: skip
        Event.create(actor=by, verb=verb, target=target, data=json.dumps(data))
    return made


TOLD = {"task": ("task_assigned", "task_overdue"), "meeting": ("meeting_invited", "meeting_changed"), "plan": ("plan_review_due",),
        "form": ("referral_received",)}  # fmt: skip


def told_of_work(made, person):
    """The notifications and the email that somebody once on these records was left with."""
    for record, kinds in TOLD.items():
        for kind in kinds:
            Notification.create(account=person, kind=kind, target=made[record].ref, target_id=made[record].id)
            OutboxEmail.create(kind=kind, account=person, target=made[record].ref, target_id=made[record].id, message_id=f"{kind:x<32}")


def work_of_others(school, person):
    """About Ann, of whom everybody finds something in the first world too; they were on it once and were told, if they have
    an account at all."""
    made = work(school, school.ann, by=school.fay, to=school.lou)
    if person is not None:
        told_of_work(made, person)


def work_on_a_hidden_case(school, person):
    """The case is hidden, and so is what belongs to it."""
    work(school, school.ann, by=school.fay, to=school.lou, case=case(school, school.ann))


def work_of_a_student_they_are_excluded_from(school, person):
    """Every reason at once: they set it, it is theirs, they are at it and lead it; the exclusion beats them all. A referral that
    waits names the student."""
    row = factories.student("Ivy", "Ibis", year_group="8", tutor_group="8B", email="ivy@pupils.example.org", ref=NEW["student"])
    factories.exclusion(person, school.ada2, student=row)
    told_of_work(work(school, row, by=person, to=person), person)
    StudentFileGroup.create(file=StoredFile.get(StoredFile.ref == NEW["file"]), group=school.other_group)
    waiting = factories.referral(school.form, school.cast.rae, "Ivy", "Ibis", answers={"f1": "Nobody may know."}, ref=NEW["referral"])
    Notification.create(account=person, kind="referral_received", target=waiting.response.ref, target_id=waiting.response_id)


def own_work_that_opened_a_case(school, person):
    """What they set, are at, lead and sent is there in both worlds; in the second it opened a case that they are not on."""
    row = case(school, school.student)
    records = (("task", school.task), ("meeting", school.meeting), ("plan", school.plan), ("form", school.response),
               ("file", school.student_file))  # fmt: skip
    for kind, record in records:
        CaseRecord.create(case=row, kind=kind, record_id=record.id, record=record.ref, how="opened", by=school.cast.sam)
    data = {"student": school.student.ref, "case_type": row.case_type.ref, "kind": "task", "record": school.task.ref}
    Event.create(actor=school.cast.sam, verb="case.opened_itself", target=row.ref, data=json.dumps(data))


def another_student_in_a_meeting(school, person):
    """They see the meeting because of a case, whose student alone is shown to them."""
    MeetingStudent.create(meeting=school.meeting, student=school.ann, added_by=school.cast.sam)


def a_meeting_that_somebody_they_are_excluded_from_is_in_too(school, person):
    """It joined a case that they are on, whose student it is about as well."""
    row = factories.student("Ivy", "Ibis", year_group="8", tutor_group="8B", email="ivy@pupils.example.org", ref=NEW["student"])
    factories.exclusion(person, school.ada2, student=row)
    made = factories.meeting(school.fay, [school.ann, row], [school.lou], place="Know", ref=NEW["meeting"])
    CaseRecord.create(case=school.open_case, kind="meeting", record_id=made.id, record=made.ref, how="joined", by=school.fay)
    data = json.dumps({"kind": "meeting", "record": made.ref})
    Event.create(actor=school.fay, verb="case.record_joined", target=school.open_case.ref, data=data)


def a_student_of_the_name_that_was_referred(school, person):
    """Rae's referral waits: whether the school knows somebody of that name is not for her."""
    waiting = school.referral
    row = factories.student(waiting.first_name, waiting.last_name, year_group="8", ref=NEW["student"])
    type(row).update(sort_name=waiting.sort_name).where(type(row).id == row.id).execute()
    case(school, row)


# Whom each difference comes closest to (the bounded run), and who else is asked by `make torture`.
WORLDS = [
    (need_to_know, ["kay", "stu"], ["oli", "mo", "rae", "nobody"]),
    (one_they_are_excluded_from, ["ada"], ["kay", "ken", "sam"]),
    (one_of_a_student_they_are_excluded_from, ["kay"], ["ada", "sam"]),
    (a_student_they_are_excluded_from, ["ada"], ["kay", "oli"]),
    (another_student_in_it, ["kay"], []),
    (a_student_taken_off_it, ["ada", "kay"], ["ken"]),
    (what_belongs_to_somebody_else, ["kay"], ["oli"]),
    (a_case, ["oli", "stu"], ["kay", "sam", "rae", "nobody"]),
    (a_case_they_are_excluded_from, ["ada", "oli"], ["ken", "gil", "mo"]),
    (a_case_they_were_on, ["oli"], ["kay", "sam", "rae", "stu"]),
    (a_case_with_an_incident_they_see, ["kay"], ["sam", "oli"]),
    (a_group_on_a_case, ["oli"], ["kay", "sam"]),
    (an_incident_linked_to_their_case, ["kay"], []),
    (what_happens_on_a_case, ["oli"], ["kay", "sam"]),
    (a_cohort_they_do_not_support, ["gil", "stu"], ["kay", "oli", "mo", "rae", "nobody"]),
    (a_cohort_they_supported, ["oli"], ["sam", "kay"]),
    (a_student_of_a_cohort_they_are_excluded_from, ["ada", "gil"], ["mo"]),
    (work_of_others, ["oli", "stu"], ["kay", "sam", "rae", "nobody"]),
    (work_on_a_hidden_case, ["oli"], ["kay", "sam", "rae"]),
    (work_of_a_student_they_are_excluded_from, ["ada", "oli"], ["kay", "sam"]),
    (own_work_that_opened_a_case, ["sam"], ["kay"]),
    (another_student_in_a_meeting, ["mo"], ["ken"]),
    (a_meeting_that_somebody_they_are_excluded_from_is_in_too, ["sam"], ["kay"]),
    (a_student_of_the_name_that_was_referred, ["rae"], ["stu"]),
]
# The audit log tells an admin who did what: what it may say about a record closed to them has a test of its own.
AS_EVER = ("/static/", "/account", "/setup")
AUDIT = ("/admin/audit", "/admin/email", "/health")
# What is made in a second world, by the references it gets there.
NEW = {
    "incident": "I-2WRLD2", "student": "2WRLD22222", "case": "C-2WRLD2", "cohort": "2WRLDC2222", "milestone": "2WRLDM2222",
    "task": "2WRLDT2222", "meeting": "2WRLDG2222", "plan": "2WRLDP2222", "response": "2WRLDR2222", "file": "2WRLDF2222",
    "referral": "2WRLDV2222",
}  # fmt: skip


def requests(app, school, visitor, full):
    """[(address, form or None)]: the URL map with the references of what is hidden, lists, searches, forged posts."""
    if full:
        gets = [answer.url for answer in crawl(visitor, addresses(app, school))]
    else:
        # a page that is closed to the role alone answers the same whatever there is: test_matrix.py sees to that
        closed = {url for endpoint, _, url in samples(app, school)
                  if not ROUTES[endpoint].on and visitor.name not in ROUTES[endpoint].may}  # fmt: skip
        gets = [url for url in addresses(app, school, every=False) if url not in closed and not url.startswith(AS_EVER)]
    gets += ["/", f"/search?q={school.secret.ref}", "/search?q=ib", "/students?q=ib&show=all", "/incidents?q=know"]
    gets += [f"/search?q={school.case.ref}", "/search?q=know", "/search?q=Ann", "/search/suggest?q=Ann", "/cases?q=know"]
    below = ("", "/incidents", "/cases", "/cases/export.csv", "/timeline", "/tasks", "/meetings", "/plans", "/files")
    gets += [f"/students/{student.ref}{page}" for student in (school.ann, school.student) for page in below]
    gets += ["/case-management/dashboard", "/tasks", "/tasks?list=all", "/tasks?list=set", "/meetings", "/meetings?when=all", "/plans",
             "/plans?q=know", "/referrals", "/forms", f"/forms/{school.form.ref}/responses", "/notifications", "/interventions"]
    gets += [f"/incidents/{school.incident.ref}", "/reports/incidents?text=know",
             "/reports/incidents/counts?text=know", f"/cases/{school.open_case.ref}"]  # fmt: skip
    gets += [f"/cases/{school.open_case.ref}/{page}" for page in ("records", "history")]
    gets += [f"/incidents/{school.incident.ref}/access", f"/incidents/{school.incident.ref}/versions"]
    for base, group in itertools.product(("/groups", "/admin/groups"), (school.other_group, school.cast.counselling)):
        gets += [f"{base}/{group.ref}", f"{base}/{group.ref}/members/effect?staff_member={school.cast.kay.ref}"]
    gets += [f"/admin/groups/{school.other_group.ref}/members/{school.cast.oli.ref}/removal",
             f"/admin/departments/{school.department.ref}/directors/effect?staff_member={school.cast.mo.ref}"]  # fmt: skip
    gets += [f"/personnel/{person.ref}" for person in (school.fay, school.lou)] + [f"/personnel?group={school.third_group.ref}"]
    gets += [f"/students/{school.ann.ref}/milestones", "/milestones", "/milestones?list=asking", "/milestones/export.csv", "/cohorts"]
    hidden = {"incident": school.secret, "student": school.student, "case": school.case, "cohort": school.cohort,
              "milestone": school.milestone, "task": school.task, "meeting": school.meeting, "plan": school.plan,
              "response": school.response, "file": school.student_file, "referral": school.referral}  # fmt: skip
    for old, new in ((row.ref, NEW[name]) for name, row in hidden.items()):
        about_it = [url for _, methods, url in samples(app, school) if old in url and "GET" in methods]
        gets += [url.replace(old, new) for url in about_it[:: 1 if full else 4]]
        gets += [f"/search?q={new}", f"/search/suggest?q={new}"]
    gets += [f"/incidents/new?student={NEW['student']}", f"/reports/incidents?student_ref={NEW['student']}",
             f"/reports/incidents/counts?student_ref={NEW['student']}",
             f"/cases/new?student={NEW['student']}", f"/cases/new?incident={NEW['incident']}"]  # fmt: skip
    return [(url, None) for url in dict.fromkeys(gets)] + (forged(app, school) if full else forged(app, school)[-10:])


@pytest.fixture
def same_dice(monkeypatch):
    """References are drawn alike in both worlds; call it before each request. What only the second world has draws with dice
    of its own: with the same, a request that draws many would come to references that are taken there."""

    def again(seed=7):
        chance = random.Random(seed)
        monkeypatch.setattr(models, "secrets", SimpleNamespace(choice=chance.choice))

    yield again


def ask(visitor, asked, same_dice):
    answers = {}
    for number, (url, form) in enumerate(asked):
        same_dice()
        with undone():
            answers[number, url] = masked(visitor.get(url) if form is None else visitor.post(url, form))
    return answers


def differences(app, school, visitor, makes, same_dice, full, skip=()):
    """{make: sentences about answers that differ from those of the first world}, and how many were compared."""
    account = getattr(school.cast, visitor.name, None)
    asked = [each for each in requests(app, school, visitor, full) if not each[0].startswith(tuple(skip))]
    first, found = ask(visitor, asked, same_dice), {}
    for make in makes:
        with undone():
            same_dice(seed=11)
            make(school, account)
            second = ask(visitor, asked, same_dice)
        different = [key for key in first if first[key] != second[key]]
        found[make] = [f"{key[1]}: {where(first[key], second[key])}" for key in different]
    return found, len(first)


def where(one, other):
    """The first place at which two answers differ."""
    at = next((place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    return f"{one[max(0, at - 60) : at + 60]!r} … {other[max(0, at - 60) : at + 60]!r}"


PEOPLE = sorted({person for _, closest, others in WORLDS for person in closest + (others if FULL else [])})
# Here the first world knows the exclusion already: what differs is what happens to whom it keeps out.
AFTER_AN_EXCLUSION = (one_of_a_student_they_are_excluded_from, a_student_taken_off_it)


def check(app, school, visitors, same_dice, full, figure, person, makes):
    skip = AUDIT if person == "ada" else ("/health",)
    found, count = differences(app, school, visitors[person], makes, same_dice, full, skip)
    wrong = [f"{make.__name__}: {sentence}" for make, sentences in found.items() for sentence in sentences]
    assert not wrong, f"{person} can tell the worlds apart:\n" + "\n".join(wrong)
    for make in found:
        figure(f"two worlds, {make.__name__.replace('_', ' ')}, {person}", f"{count} answers: 0 differing bytes")


def makes_for(person, after_an_exclusion):
    asked = [make for make, closest, others in WORLDS if person in closest + (others if FULL else [])]
    return [make for make in asked if (make in AFTER_AN_EXCLUSION) == after_an_exclusion]


@pytest.mark.parametrize("person", PEOPLE)
def test_both_worlds_look_the_same(app, school, visitors, same_dice, full, figure, person):
    check(app, school, visitors, same_dice, full, figure, person, makes_for(person, False))


@pytest.mark.parametrize("person", [person for person in PEOPLE if makes_for(person, True)])
def test_both_worlds_look_the_same_to_whom_is_excluded(app, school, visitors, same_dice, full, figure, person):
    factories.exclusion(getattr(school.cast, person), school.ada2, student=school.student)
    check(app, school, visitors, same_dice, full, figure, person, makes_for(person, True))


def test_the_audit_log_tells_an_excluded_admin_nothing(app, school, visitors, same_dice, full):
    """Whoever reads, writes and is emailed about a record: to an admin who is excluded from it nothing of it happened."""
    factories.exclusion(school.cast.ada, school.ada2, student=school.student)

    def reported(school, person):
        told(school, incident(school, school.student), school.student)

    def opened(school, person):
        case(school, school.student)

    makes = (reported, opened, what_happens_on_a_case)
    found, _ = differences(app, school, visitors["ada"], makes, same_dice, False, skip=("/admin/email", "/health"))
    wrong = [sentence for sentences in found.values() for sentence in sentences]
    assert not wrong, "Ada can tell the worlds apart:\n" + "\n".join(wrong)


def test_the_comparison_notices_a_difference(app, school, visitors, same_dice):
    """The positive control: to Ada, who sees the incident, and to Kay, once she may, the two worlds differ."""
    pages = ["/incidents", "/incidents/export.csv", "/reports/incidents?from=", "/reports/incidents/counts?from=",
             "/reports/incidents.xlsx?from="]
    for person, make in (("ada", need_to_know), ("kay", one_of_a_student_they_are_excluded_from)):
        GroupMember.insert(group=school.cast.counselling, account=school.cast.kay).on_conflict_ignore().execute()
        asked = [(url, None) for url in pages]
        with undone():
            make(school, None)
            second = ask(visitors[person], asked, same_dice)
        first = ask(visitors[person], asked, same_dice)
        assert all(first[key] != second[key] for key in first), [key for key in first if first[key] == second[key]]
