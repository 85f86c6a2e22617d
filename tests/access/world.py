"""A school in which there is one of everything, each text in it a token that occurs nowhere else.

The tests of access look for these tokens in everything that leaves the house. Rows are made directly, so that no rule of
the application decides what is there to be found. Must not know any page.
"""

import io
import json
from datetime import date, timedelta

from blueprints.account.tokens import feed_token, link_token
from blueprints.kit import uploads
from blueprints.kit.text import fold
from blueprints.students.queries import search_keys
from extensions import clock
from models import (
    Account,
    Announcement,
    BodyMark,
    BulkClosing,
    BulkClosingNotice,
    CalendarFeed,
    CaseAgency,
    CaseAgencyVersion,
    CaseClosure,
    CaseEntry,
    CaseEntryVersion,
    CasePresenting,
    CaseRecord,
    CloseReason,
    DepartmentDirector,
    Draft,
    Event,
    Heartbeat,
    ImportRun,
    IncidentAlert,
    IncidentAssignment,
    IncidentClosure,
    IncidentRemoval,
    IncidentVersion,
    InterventionMember,
    MeetingVersion,
    MilestoneReminder,
    MilestoneRequest,
    MilestoneTemplate,
    Notification,
    OutboxEmail,
    PasswordLink,
    PlanIntervention,
    PlanPoint,
    PlanReview,
    PlanVersion,
    SavedReport,
    School,
    Session,
    StoredFile,
    StudentContact,
    StudentFileGroup,
    TaskNote,
)
from tests import factories
from tests.cast import make as make_cast

OUTCOMES = ("added", "changed", "same", "refused", "left")


class Tokens:
    """Words that mean nothing. Each is remembered with the kind of secret it belongs to."""

    def __init__(self):
        self.kinds = {}

    def __call__(self, kind, what):
        word = f"Zq{what}{len(self.all())}x"
        assert word.isalnum() and fold(word) not in {fold(each) for each in self.all()}
        self.kinds.setdefault(kind, {})[word.casefold()] = what
        return word

    def of(self, kind):
        return set(self.kinds.get(kind, ()))

    def all(self):
        return {word for words in self.kinds.values() for word in words}

    def add(self, kind, what, word):
        """A secret that is there anyway: a reference, a hash."""
        self.kinds.setdefault(kind, {})[str(word).casefold()] = what
        return word

    def name(self, word):
        return next(f"{kind}: {words[word]}" for kind, words in self.kinds.items() if word in words)


class World:
    """What build() made. `tokens` says what is secret, `incident`, `student` … are the rows."""


PERSONAS = ("ada", "kay", "ken", "gil", "mo", "sam", "rae", "stu", "oli")


def make(app, sign_in):
    """The cast, the school around it, and the cookie of a signed-in browser for each persona, at half past ten."""
    clock.freeze(clock.now().replace(hour=10, minute=30, second=0, microsecond=0))
    world = build(app, make_cast())
    world.moment, world.settings = clock.now(), None
    world.cookies = {key: sign_in(app, getattr(world.cast, key)) for key in PERSONAS}
    return world


def build(app, cast):
    """The school. Who may see the secret incident: Ada (admin), Sam (wrote it), Ken (assigned), Gil (its need-to-know
    group), Lou (alerted). Nobody else of the cast. The secret case: Ada (admin), Ken (opened it), Gil (member of the
    attached group), Mo (manages it), Lou (Primary Advocate), Fay (following), Ida (assigned). So Sam sees the incident that is
    linked to the case and not the case, Mo the case and not the incident."""
    world = World()
    world.cast, world.tokens, world.settings = cast, Tokens(), app.settings
    _people(world)
    _categories(world)
    _students(world)
    _open_incidents(world)
    _secret_incident(world)
    _shared_incident(world)
    _secret_case(world)
    _agencies(world)
    _open_cases(world)
    _secret_task(world)
    _secret_meeting(world)
    _secret_student_file(world)
    _secret_plan(world)
    _form(world)
    _secret_response(world)
    _secret_referral(world)
    _cohorts(world)
    _milestones(world)
    _own_cohort(world)
    _own_responses(world)
    _admin_things(world)
    _own_things(world)
    _profile(world)
    _telling(world)
    with app.app_context():
        world.link_token = link_token(world.link.nonce)
        world.feed_token = feed_token(world.feed.nonce)
    return world


def _people(world):
    cast = world.cast
    two_step = {"two_step_at": clock.now(), "totp_secret": "A" * 32}
    world.lou = factories.account("Lou Linnet", "lou@school.example.org", **two_step)
    world.ada2 = factories.account("Abe Auk", "abe@school.example.org", role="admin", **two_step)
    world.fay = factories.account("Fay Falcon", "fay@school.example.org", **two_step)
    world.ida = factories.account("Ida Ibis", "ida@school.example.org", **two_step)
    world.left = factories.account("Una Uhu", "una@school.example.org", is_active=False)
    world.other_group = factories.group("Year tutors", members=[cast.oli], managers=[cast.mo], department="Pastoral")
    world.third_group = factories.group("First aiders", members=[world.fay])
    world.department, world.director = world.other_group.department, world.lou
    DepartmentDirector.create(department=world.department, account=world.lou)
    for key in PERSONAS:
        secret = world.tokens.add("never", f"password hash of {key}", f"$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ${key}hash")
        Account.update(password_hash=secret).where(Account.email_folded == f"{key}@school.example.org").execute()


def _categories(world):
    world.open_category = factories.category("Bullying", guidance="Say who was there.")
    world.child_category = factories.category("Online", parent=world.open_category)
    world.secret_category = factories.category("Disclosure", need_to_know=[world.cast.counselling])
    world.retired_category = factories.category("Lateness", is_retired=True)


def _students(world):
    token = world.tokens
    world.ann = factories.student("Ann", "Finch", year_group="7", tutor_group="7A", email="ann@pupils.example.org")
    details = {name: token("details", name) for name in ("email", "address", "admission", "upn")}
    world.student = factories.student(
        token("student", "firstname"), token("student", "lastname"), preferred_name=token("student", "preferredname"),
        year_group="8", tutor_group="8C", email=f"{details['email']}@pupils.example.org", address=details["address"],
        admission_number=details["admission"], upn=details["upn"], date_of_birth=date(2011, 3, 7),
    )  # fmt: skip
    contact = {name: token("details", f"contact{name}") for name in ("name", "relationship", "phone", "email", "notes")}
    world.contact = StudentContact.create(student=world.student, **contact)
    _as_the_application_would(world.student)
    world.gone_student = factories.student("Gus", "Gone", year_group="11", is_active=False, left_at=clock.now())


def _as_the_application_would(student):
    keys = search_keys(student.first_name, student.last_name, student.preferred_name, student.admission_number, student.email)
    type(student).update(**keys).where(type(student).id == student.id).execute()


def _open_incidents(world):
    """Something in every list: Kay and Ken read these because they are Key Users."""
    cast = world.cast
    world.incident = factories.incident(cast.sam, [(world.ann, [world.open_category])], "A ball broke a window.")
    world.closed = factories.incident(
        cast.oli, [(world.ann, [world.child_category])], "A message in a chat.", status="Closed", assigned_to=cast.kay
    )
    world.incident_action = factories.action(world.incident, cast.kay, "Ring the glazier.", person=cast.kay,
                                             due_on=factories.today())  # fmt: skip


def _secret_incident(world):
    cast, token, settings = world.cast, world.tokens, world.settings
    text = token("incident", "text")
    row = world.secret = factories.incident(
        cast.sam, [(world.student, [world.secret_category])], f"What was said {text} behind the shed.",
        alerted=[world.lou], assigned_to=cast.ken, place=token("incident", "place"),
        happened_at=clock.now() - timedelta(days=3), entered_at=clock.now() - timedelta(days=2),
    )  # fmt: skip
    token.add("incident", "reference", row.ref)
    older = token("incident", "olderwording")
    IncidentVersion.update(number=2, reason=token("incident", "editreason")).where(
        IncidentVersion.incident == row).execute()
    IncidentVersion.create(incident=row, number=1, text=f"An older wording {older}.", author=cast.sam)
    type(row).update(text_version=2).where(type(row).id == row.id).execute()
    world.action = factories.action(row, cast.sam, token("incident", "action"), person=cast.gil,
                                    due_on=factories.today())  # fmt: skip
    token.add("incident", "reference of its action", world.action.ref)
    world.mark = BodyMark.create(incident=row, number=1, view="front", x=80, y=120, region="chest", author=cast.sam,
                                 note=token("incident", "marknote"))  # fmt: skip
    token.add("incident", "reference of its mark", world.mark.ref)
    content = token("incident", "filecontent")
    stored = uploads.store(settings.files, io.BytesIO(f"Notes: {content}\n".encode()), "notes.txt")
    world.file = StoredFile.create(
        incident=row, name=f"{token('incident', 'filename')}.txt", path_name=stored.path_name, size=stored.size,
        media_type=stored.media_type, sha256=stored.sha256, uploaded_by=cast.sam,
    )  # fmt: skip
    token.add("incident", "reference of its file", world.file.ref)
    token.add("never", "path of a file", stored.path_name)
    IncidentClosure.create(incident=row, closed_by=cast.ken, reopened_by=cast.ken, reopened_at=clock.now(),
                           reopen_reason=token("incident", "reopenreason"))  # fmt: skip
    Event.create(actor=cast.sam, verb="incident.added", target=row.ref, data=json.dumps(
        {"students": [world.student.ref], "status": "Active", "assigned_to": cast.ken.ref}))


def _shared_incident(world):
    """Kay sees it through Ann's part, and nothing of the other's."""
    cast, token = world.cast, world.tokens
    world.hidden = factories.student(token("part", "firstname"), token("part", "lastname"), year_group="10")
    world.shared = factories.incident(
        cast.sam, [(world.ann, [world.open_category]), (world.hidden, [world.secret_category], "affected")],
        "Two of them were there.",
    )  # fmt: skip
    _as_the_application_would(world.hidden)
    token.add("part", "reference", world.hidden.ref)
    IncidentRemoval.create(incident=world.shared, student=world.student, role="witness", removed_by=cast.sam,
                           categories=world.secret_category.ref, reason=token("part", "removalreason"))  # fmt: skip


def _secret_case(world):
    cast, token, now = world.cast, world.tokens, clock.now()
    row = world.case = factories.case(
        world.student, cast.ken, f"Plan {token('case', 'title')}", groups=[cast.counselling], staff=[world.ida],
        following=[world.fay], incidents=[world.secret], primary_advocate=world.lou, case_type="Bereavement",
        opened_at=now - timedelta(days=2), last_activity_at=now - timedelta(days=1),
    )  # fmt: skip
    token.add("case", "reference", row.ref)
    entry = world.entry = factories.entry(row, cast.gil, f"A call {token('case', 'entry')} to the family.")
    older, why = token("case", "olderentry"), token("case", "entryreason")
    CaseEntryVersion.update(number=2, reason=why).where(CaseEntryVersion.entry == entry).execute()
    CaseEntryVersion.create(entry=entry, number=1, text=f"An older wording {older}.", author=cast.gil)
    CaseEntry.update(text_version=2).where(CaseEntry.id == entry.id).execute()
    token.add("case", "reference of its entry", entry.ref)
    for number, name in ((1, "older"), (2, "")):
        CasePresenting.create(
            case=row, number=number, referral_date=date(2026, 1, 5), author=cast.ken, source=token("case", f"{name}source"),
            concern=token("case", f"{name}concern"), narrative=token("case", f"{name}narrative"),
        )  # fmt: skip
    CaseClosure.create(
        case=row, closed_by=cast.ken, reason=CloseReason.select().order_by(CloseReason.id).first(), reopened_by=cast.mo,
        outcome=token("case", "outcome"), reopened_at=now, reopen_reason=token("case", "reopenreason"),
    )  # fmt: skip
    content = token("case", "filecontent")
    stored = uploads.store(world.settings.files, io.BytesIO(f"Letter: {content}\n".encode()), "letter.txt")
    world.case_file = StoredFile.create(
        case=row, name=f"{token('case', 'filename')}.txt", path_name=stored.path_name, size=stored.size,
        media_type=stored.media_type, sha256=stored.sha256, uploaded_by=cast.ken,
    )  # fmt: skip
    token.add("case", "reference of its file", world.case_file.ref)
    token.add("never", "path of a file of a case", stored.path_name)
    for verb, data in (("case.opened", {"student": world.student.ref, "case_type": row.case_type.ref}),
                       ("case.read", {}), ("case.incident_linked", {"incident": world.secret.ref})):  # fmt: skip
        Event.create(actor=cast.ken, verb=verb, target=row.ref, data=json.dumps(data))
    world.case_exclusion = factories.exclusion(world.left, cast.ada, case=row)
    reason = token("exclusion", "casereason")
    type(world.case_exclusion).update(reason=reason).where(type(world.case_exclusion).id == world.case_exclusion.id).execute()


def _agencies(world):
    """One of each section, the first with an earlier wording, and one that was removed."""
    cast, token, texts = world.cast, world.tokens, ("agency", "person", "phone", "reference", "status", "notes")
    for section in ("prosecution", "child_protection", "law_enforcement"):
        fields = {name: token("case", f"{section.replace('_', '')}{name}") for name in texts}
        world.agency = CaseAgency.create(case=world.case, section=section, author=cast.ken, version=2, **fields)
        token.add("case", f"reference of its {section}", world.agency.ref)
    older = {name: token("case", f"older{name}") for name in texts} | {"started_on": None, "ended_on": None}
    CaseAgencyVersion.create(agency=world.agency, number=1, fields=json.dumps(older), author=cast.ken)
    CaseAgency.create(case=world.case, section="prosecution", author=cast.ken, agency=token("removed", "agency"),
                      removed_at=clock.now(), removed_by=cast.ken)  # fmt: skip


def _open_cases(world):
    """Something in the lists of those who are not on the secret one: Kay has opened a case of Ann's, Oli is on a closed one."""
    cast = world.cast
    world.open_case = factories.case(world.ann, cast.kay, "Reading support", entries=[(cast.kay, "Rang home.")],
                                     incidents=[world.incident], coordinator=cast.sam)  # fmt: skip
    world.closed_case = factories.case(world.ann, None, "Attendance", staff=[cast.oli], status="Closed")


def _secret_task(world):
    """Sam set it for Gil, and it belongs to the secret case."""
    cast, token = world.cast, world.tokens
    row = world.task = factories.task(world.student, cast.gil, cast.sam, token("task", "title"), notes=token("task", "notes"),
                                      due_on=factories.today() - timedelta(days=1))  # fmt: skip
    token.add("task", "reference", row.ref)
    TaskNote.create(task=row, author=cast.gil, text=token("task", "note"))
    CaseRecord.create(case=world.case, kind="task", record_id=row.id, record=row.ref, how="joined", by=cast.sam)
    Event.create(actor=cast.sam, verb="task.set", target=row.ref, data=json.dumps({"student": world.student.ref}))


def _secret_meeting(world):
    """Sam scheduled it for Gil, and it belongs to the secret case: Ken and Mo see its time, and neither agenda nor place."""
    cast, token = world.cast, world.tokens
    row = world.meeting = factories.meeting(cast.sam, [world.student], [cast.gil], place=token("meeting", "place"),
                                            agenda=token("meeting", "agenda"))  # fmt: skip
    token.add("meeting reference", "reference", row.ref)
    said = {"agenda": token("meeting", "olderagenda"), "outcome": "", "students": {}}
    MeetingVersion.create(meeting=row, number=1, fields=json.dumps(said), author=cast.sam)
    CaseRecord.create(case=world.case, kind="meeting", record_id=row.id, record=row.ref, how="joined", by=cast.sam)
    Event.create(actor=cast.sam, verb="meeting.scheduled", target=row.ref,
                 data=json.dumps({"students": [world.student.ref], "staff": [cast.gil.ref]}))  # fmt: skip


def _secret_student_file(world):
    """Sam submitted it for the group Counselling, in which Gil is."""
    cast, token = world.cast, world.tokens
    content = token("file", "content")
    stored = uploads.store(world.settings.files, io.BytesIO(f"Report: {content}\n".encode()), "report.txt")
    row = world.student_file = StoredFile.create(
        student=world.student, shown_to="groups", name=f"{token('file', 'name')}.txt", path_name=stored.path_name,
        size=stored.size, media_type=stored.media_type, sha256=stored.sha256, uploaded_by=cast.sam,
    )  # fmt: skip
    StudentFileGroup.create(file=row, group=cast.counselling)
    token.add("file", "reference", row.ref)
    token.add("never", "path of a student's file", stored.path_name)


def _secret_plan(world):
    """A plan about the secret student that belongs to the secret case: Sam leads it, Gil works on it."""
    cast, token, day = world.cast, world.tokens, factories.today() - timedelta(days=20)
    world.intervention = factories.intervention_group(cast.sam, "Reading club")
    row = world.plan = factories.plan(
        world.student, cast.sam, staff=[cast.gil], intervention_group=world.intervention, starts_on=day, goal=token("plan", "goal"), concern=token("plan", "concern"),
        measure=token("plan", "measure"), baseline=1.0, target=5.0, review_by=factories.today(),
    )  # fmt: skip
    token.add("plan", "reference", row.ref)
    said = {"tier": 1, "concern": "", "goal": token("plan", "oldergoal"), "measure": "", "baseline": None, "target": None,
            "starts_on": day.isoformat(), "review_by": None}  # fmt: skip
    PlanVersion.create(plan=row, number=1, fields=json.dumps(said), author=cast.sam)
    world.plan_step = PlanIntervention.create(plan=row, text=token("plan", "step"), started_on=day, author=cast.sam)
    world.plan_point = PlanPoint.create(plan=row, day=day, value=2, note=token("plan", "pointnote"), author=cast.gil)
    PlanReview.create(plan=row, day=day, decision="continue", notes=token("plan", "reviewnotes"), author=cast.sam)
    CaseRecord.create(case=world.case, kind="plan", record_id=row.id, record=row.ref, how="joined", by=cast.sam)
    Event.create(actor=cast.sam, verb="plan.created", target=row.ref, data=json.dumps({"student": world.student.ref, "tier": 2}))
    InterventionMember.create(group=world.intervention, student=world.student, plan=row, added_by=cast.sam)


def _form(world):
    """A form for everybody, whose responses Counselling reads. What a form asks is no secret."""
    fields = [{"key": "f1", "type": "long_text", "label": "What is the concern?"}, {"key": "f2", "type": "file", "label": "Papers"}]
    open_to_all = {"for_referral_users": True, "for_students": True}
    world.form = factories.form("Concern", world.cast.ada, fields, readers=[world.cast.counselling], **open_to_all)


def _secret_response(world):
    """Sam sent it about the secret student, with a file; Counselling reads it (Gil), and it belongs to the secret case."""
    cast, token = world.cast, world.tokens
    row = world.response = factories.response(world.form, cast.sam, world.student, {"f1": f"He said {token('response', 'answer')}."})
    token.add("response", "reference", row.ref)
    CaseRecord.create(case=world.case, kind="form", record_id=row.id, record=row.ref, how="joined", by=cast.sam)
    Event.create(actor=cast.sam, verb="response.submitted", target=row.ref, data=json.dumps({"form": world.form.ref, "number": 1}))
    stored = uploads.store(world.settings.files, io.BytesIO(f"Seen: {token('response', 'filecontent')}\n".encode()), "seen.txt")
    world.response_file = StoredFile.create(
        form_response=row, form_field="f2", name=f"{token('response', 'filename')}.txt", path_name=stored.path_name,
        size=stored.size, media_type=stored.media_type, sha256=stored.sha256, uploaded_by=cast.sam,
    )  # fmt: skip
    token.add("response", "reference of its file", world.response_file.ref)
    type(row).update(answers=json.dumps(json.loads(row.answers) | {"f2": [world.response_file.ref]})).execute()
    token.add("never", "path of a file of a response", stored.path_name)


def _secret_referral(world):
    """Rae's, about somebody whom the school does not know; it waits for Counselling (Gil)."""
    cast, token = world.cast, world.tokens
    names = token("referral", "firstname"), token("referral", "lastname")
    row = world.referral = factories.referral(world.form, cast.rae, *names, answers={"f1": f"I saw {token('referral', 'answer')}."},
                                              about=token("referral", "about"))  # fmt: skip
    token.add("referral", "reference", row.ref)
    token.add("referral", "reference of its response", row.response.ref)
    world.filters = SavedReport.create(owner=cast.ken, name=token("own", "filtersname"), query="q=x", form=world.form)


def _cohorts(world):
    """The student is in a cohort that Counselling supports: Gil is a member of it, Mo manages it. Ada sent a file for it."""
    cast, token = world.cast, world.tokens
    names = (f"First years {token('milestones', 'cohortcategory')}", f"Autumn {token('milestones', 'cohort')}")
    world.cohort = factories.cohort(*names, [world.student], [cast.counselling], created_by=cast.ada)
    world.cohort_category = world.cohort.category
    token.add("milestones", "reference of a cohort", world.cohort.ref)
    rows = [[1, "added", "", world.student.email, world.student.ref],
            [2, "unknown", "No student has this email address.", f"{token('import', 'address')}@example.org", ""]]  # fmt: skip
    world.cohort_run = ImportRun.create(account=cast.ada, kind="cohort_students", path_name="", state="done", total=2,
                                        file_name=f"{token('import', 'addresses')}.csv", result=json.dumps(rows),
                                        options=json.dumps({"cohort": world.cohort.ref}))  # fmt: skip


def _milestones(world):
    """A milestone of the secret student's cohort, with a file, a request that waits and its file; a template with a file."""
    cast, token, due = world.cast, world.tokens, factories.today() + timedelta(days=20)
    world.milestone = factories.milestone(
        world.cohort, token("milestones", "milestonetitle"), due, "1,7", description=token("milestones", "description")
    )
    world.request = MilestoneRequest.create(
        milestone=world.milestone, student=world.student, note=token("milestones", "requestnote")
    )
    world.template = MilestoneTemplate.create(title=token("cohorts", "templatetitle"), created_by=cast.ada)
    files = {}
    for name, record, kind in (("milestone", world.milestone, "milestones"), ("milestone_request", world.request, "milestones"),
                               ("milestone_template", world.template, "cohorts")):  # fmt: skip
        content = token(kind, f"{name.replace('_', '')}filecontent")
        stored = uploads.store(world.settings.files, io.BytesIO(f"Bring {content}.\n".encode()), "form.txt")
        token.add("never", "path of a file", stored.path_name)
        files[name] = StoredFile.create(
            **{name: record}, name=f"{token(kind, name.replace('_', '') + 'filename')}.txt", path_name=stored.path_name,
            size=stored.size, uploaded_by=cast.ada, media_type=stored.media_type, sha256=stored.sha256,
        )  # fmt: skip
    world.milestone_file, world.request_file, world.template_file = files.values()


def _own_cohort(world):
    """What Stu sees on their own pages: a milestone with a file and a request that waits, and Gil, in a cohort of their own."""
    cast = world.cast
    School.update(student_visibility_at=clock.now()).execute()
    own = factories.cohort("First years", "Spring", [cast.student], [cast.counselling], created_by=cast.ada)
    world.own_milestone = factories.milestone(own, "Meet your advisor", factories.today() + timedelta(days=3))
    world.own_request = MilestoneRequest.create(milestone=world.own_milestone, student=cast.student, note="I met her.")
    sent = {"milestone": world.own_milestone, "student": cast.student, "due_on": world.own_milestone.due_on}
    world.own_reminder = MilestoneReminder.create(days=7, **sent)
    world.own_link = PasswordLink.create(account=cast.stu, kind="invite", expires_at=clock.now() + timedelta(hours=1),
                        nonce=world.tokens.add("never", "nonce of an invitation", "n0nce" + "8" * 27))  # fmt: skip
    stored = uploads.store(world.settings.files, io.BytesIO(b"Bring this form.\n"), "form.txt")
    world.own_file = StoredFile.create(
        milestone=world.own_milestone, name="form.txt", path_name=stored.path_name, size=stored.size,
        media_type=stored.media_type, sha256=stored.sha256, uploaded_by=cast.ada,
    )  # fmt: skip
    picture = uploads.store(world.settings.files, io.BytesIO(b"Not a picture either.\n"), "gil.txt")
    Account.update(photo_path=picture.path_name).where(Account.id == cast.gil.id).execute()
    world.feed = CalendarFeed.create(account=cast.stu, nonce=world.tokens.add("never", "nonce of a feed", "fe3d" + "9" * 28))


def _own_responses(world):
    """What Stu sent about themselves, with a file, and Rae to a form that is about nobody: each reads their own again."""
    cast = world.cast
    world.stus_response = factories.response(world.form, cast.stu, cast.student, {"f1": "I am cold."})
    stored = uploads.store(world.settings.files, io.BytesIO(b"A coat.\n"), "coat.txt")
    world.stus_file = StoredFile.create(
        form_response=world.stus_response, form_field="f2", name="coat.txt", path_name=stored.path_name, size=stored.size,
        media_type=stored.media_type, sha256=stored.sha256, uploaded_by=cast.stu,
    )  # fmt: skip
    world.open_form = factories.form("Visit", cast.ada, [{"key": "f1", "type": "text", "label": "When do you come?"}],
                                     readers=[cast.counselling], for_referral_users=True, names_student=False)  # fmt: skip
    world.raes_response = factories.response(world.open_form, cast.rae, None, {"f1": "On Monday."})


def _profile(world):
    """Ken's staff card: read by all staff, and by nobody else."""
    token = world.tokens
    picture = uploads.store(world.settings.files, io.BytesIO(b"Not really a picture.\n"), "ken.txt")
    Account.update(
        title=token("personnel", "title"), phone=token("personnel", "phone"), photo_path=picture.path_name,
        booking_url=f"https://book.example.org/{token('personnel', 'booking')}",
    ).where(Account.id == world.cast.ken.id).execute()  # fmt: skip
    token.add("never", "path of a photo", picture.path_name)


def _telling(world):
    """Notifications of the secret case and incident, to those who see them and to some who don't any more; announcements."""
    cast, token, today = world.cast, world.tokens, factories.today()
    for person in (cast.ken, cast.gil, cast.mo, cast.sam, cast.oli, cast.rae, cast.stu, world.lou):
        for kind in ("case_added", "case_changed"):
            Notification.create(account=person, kind=kind, target=world.case.ref, target_id=world.case.id, detail="entry")
        Notification.create(account=person, kind="incident_alerted", target=world.secret.ref, target_id=world.secret.id)
    everybody = [getattr(cast, key) for key in ("ada", "kay", "ken", "gil", "mo", "sam", "oli")]
    about_ann = {"kind": "student_changed", "target": world.ann.ref, "target_id": world.ann.id, "detail": "contact"}
    world.notifications = {each.id: Notification.create(account=each, **about_ann).ref for each in everybody}
    world.notification = Notification.get((Notification.account == cast.ken) & (Notification.kind == "case_changed"))
    world.announcement = Announcement.create(title=token("announcement", "title"), text=token("announcement", "text"),
                                             author=cast.ada, ends_on=today + timedelta(days=3))  # fmt: skip
    Announcement.create(title=token("over", "title"), text=token("over", "text"), author=cast.ada,
                        ends_on=today - timedelta(days=3))  # fmt: skip


def _admin_things(world):
    cast, token = world.cast, world.tokens
    now = clock.now()
    Heartbeat.create(name="sweep", at=now)
    # of somebody who left: no relation of the cast changes
    world.exclusion = factories.exclusion(world.left, cast.ada, incident=world.secret)
    world.student_exclusion = factories.exclusion(world.left, cast.ada, student=world.student)
    for row, what in ((world.exclusion, "reason"), (world.student_exclusion, "studentreason")):
        type(row).update(reason=token("exclusion", what)).where(type(row).id == row.id).execute()
    day = now.date()
    world.bulk = BulkClosing.create(closed_by=cast.ada, from_day=day - timedelta(days=300), to_day=day, count=1)
    IncidentClosure.create(incident=world.closed, closed_by=cast.ada, bulk_closing=world.bulk)
    BulkClosingNotice.create(bulk_closing=world.bulk, account=cast.kay, count=1)
    world.email = OutboxEmail.create(kind="incident_assigned", account=cast.kay, target=world.incident.ref,
                                     target_id=world.incident.id, message_id="e" * 32, failed_at=now,
                                     is_waiting=False, last_error="550 no such mailbox")  # fmt: skip
    world.import_run = ImportRun.create(account=cast.ada, file_name=f"{token('import', 'filename')}.csv",
                                        path_name="00/" + "0" * 32, state="done", total=1,
                                        counts=json.dumps(dict.fromkeys(OUTCOMES, 0) | {"added": 1, "active": 2}),
                                        result=json.dumps([[2, "added", "", "Ann Finch", world.ann.ref]]))  # fmt: skip
    world.link = PasswordLink.create(account=cast.oli, kind="reset", expires_at=now + timedelta(hours=1),
                        nonce=token.add("never", "nonce of a password link", "n0nce" + "7" * 27))  # fmt: skip


def _own_things(world):
    """What belongs to one person alone: Ken's report, draft and browser."""
    cast, token = world.cast, world.tokens
    world.report = SavedReport.create(owner=cast.ken, name=token("own", "reportname"), query="status=Active")
    world.shared_report = SavedReport.create(owner=cast.ken, name="All of it", query="", is_shared=True)
    Draft.create(account=cast.ken, key="incident-new", body=json.dumps({"fields": {"text": [token("own", "draft")]}}))
    world.session = Session.create(account=cast.ken, token_hash=token.add("never", "hash of a session", "5e55" * 16),
                                   browser=token("session", "browser"), address="198.51.100.7")  # fmt: skip


# --- Relations to the secret incident: each changes the world so that one person has exactly this reason ---------------


def alone(world, person, reason):
    """Takes every other reason away from the incident and gives `person` this one (a role reason comes with the role)."""
    row, model = world.secret, type(world.secret)
    IncidentAlert.delete().where(IncidentAlert.incident == row).execute()
    IncidentAssignment.delete().where(IncidentAssignment.incident == row).execute()
    model.update(assigned_to=None).where(model.id == row.id).execute()
    if reason == "alerted":
        IncidentAlert.create(incident=row, account=person, alerted_by=world.cast.sam)
    elif reason == "assigned":
        model.update(assigned_to=person).where(model.id == row.id).execute()
