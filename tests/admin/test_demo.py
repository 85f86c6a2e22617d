"""`flask demo`: the same school for the same seed, only into an empty instance, always with the cast."""

import stat
from datetime import UTC, datetime

import pytest

import events
import permissions
from blueprints.admin import demo_words as words
from blueprints.admin.demo import fill
from extensions import clock, db
from models import (
    Account,
    Announcement,
    AuditSeal,
    BodyMark,
    Case,
    CaseAgency,
    CaseAgencyVersion,
    CaseClosure,
    CaseEntry,
    CaseEntryVersion,
    CaseFollower,
    CaseGroup,
    CaseIncident,
    CasePresenting,
    CaseRecord,
    CaseStaff,
    CategoryGroup,
    Cohort,
    CohortCategory,
    CohortGroup,
    CohortStudent,
    Department,
    Event,
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
    InterventionStep,
    Meeting,
    MeetingStaff,
    MeetingStudent,
    Milestone,
    MilestoneReminder,
    MilestoneRequest,
    MilestoneTemplate,
    Notification,
    OutboxEmail,
    PartCategory,
    Plan,
    PlanIntervention,
    PlanPoint,
    PlanReview,
    Referral,
    School,
    StoredFile,
    Student,
    StudentContact,
    StudentMilestone,
    Task,
    TaskNote,
    Trigger,
)
from tests import factories

DAY = datetime(2026, 11, 18, 15, 30, tzinfo=UTC)
GIVEN = "four calm words here"


@pytest.fixture
def demo(app):
    def run(*arguments):
        return app.test_cli_runner().invoke(args=["demo", *arguments])

    return run


@pytest.fixture
def small(demo):
    clock.freeze(DAY)
    answer = demo("--students", "30", "--staff", "9", "--incidents", "40")
    assert answer.exit_code == 0, answer.output
    return answer


def named(key):
    return Account.get(Account.email == f"{key}@demo.example.org")


def contents():
    """Everything the generator draws, row by row; the hash of the password differs by design."""
    tables = (
        Account, Group, GroupMember, Student, StudentContact, Incident, IncidentVersion, IncidentStudent, PartCategory,
        IncidentAlert, IncidentAssignment, IncidentClosure, IncidentAction, BodyMark, Case, CaseFollower, CaseStaff, CaseGroup,
        CaseEntry, CaseEntryVersion, CasePresenting, CaseAgency, CaseAgencyVersion, CaseClosure, CaseIncident, Notification,
        Announcement, CohortCategory, Cohort, CohortStudent, CohortGroup, Milestone, StudentMilestone, MilestoneRequest,
        MilestoneReminder, MilestoneTemplate, OutboxEmail, Task, TaskNote, Meeting, MeetingStudent, MeetingStaff,
        InterventionGroup, InterventionStep, InterventionMember, Plan, PlanIntervention, PlanPoint, PlanReview, Form, FormVersion,
        FormGroup, FormResponse, Referral, CaseRecord,
    )  # fmt: skip
    found = {}
    for table in tables:
        fields = [field for field in table._meta.sorted_fields if field.name not in ("password_hash",)]
        found[table.__name__] = list(table.select(*fields).order_by(table.id).tuples())
    found["events"] = list(Event.select(Event.at, Event.actor, Event.verb, Event.target, Event.data).order_by(Event.id).tuples())
    return found


def test_the_cast_is_there_in_their_roles(small):
    roles = {key: named(key).role for key, *_ in words.CAST}
    assert roles == {
        "ada": permissions.ADMIN, "kay": permissions.KEY_USER, "ken": permissions.KEY_USER, "gil": permissions.STAFF,
        "mo": permissions.GROUP_MANAGER, "sam": permissions.STAFF, "rae": permissions.REFERRAL_USER,
        "stu": permissions.STUDENT, "oli": permissions.STAFF,
    }  # fmt: skip
    counselling = Group.get(Group.name == "Counselling")
    assert [row.account for row in GroupMember.select().where(GroupMember.group == counselling)] == [named("gil")]
    assert [row.account for row in GroupManager.select().where(GroupManager.group == counselling)] == [named("mo")]
    assert Student.get(Student.email == "stu@demo.example.org").name == "Stu Sturgeon"
    school = School.get()
    assert (school.name, school.demo) == ("Kestrel Hill School", True) and school.set_up_at


def test_as_many_as_asked_for(small):
    assert Student.select().count() == 30
    assert Account.select().where(Account.role != permissions.STUDENT).count() == 9 + len(words.CAST) - 1
    assert Incident.select().count() == IncidentVersion.select().where(IncidentVersion.number == 1).count() == 40


def test_nobody_shares_a_first_name_with_the_cast(demo):
    demo("--students", "900", "--staff", "60", "--incidents", "10")
    first_names = {name.split()[0] for _, name, *_ in words.CAST}
    cast = [f"{key}@{words.DOMAIN}" for key, *_ in words.CAST]
    others = [row.name for row in Account.select().where(Account.email.not_in(cast))]
    others += [row.name for row in StudentContact.select()]
    for row in Student.select().where(Student.first_name != "Stu"):
        others += [row.first_name, row.preferred_name or "-"]
    assert not [name for name in others if name.split()[0] in first_names]
    assert not first_names & {*words.FIRST_NAMES, *words.PREFERRED.values()}


def test_every_incident_is_whole(small):
    for row in Incident.select():
        assert row.happened_at <= row.entered_at < clock.now()
        assert "{" not in row.text and row.parts.count() >= 1
        assert row.versions.order_by(IncidentVersion.number.desc()).first().text == row.text
        for part in row.parts:
            assert part.categories.count() >= 1
        closing = row.closures.order_by(IncidentClosure.id.desc()).first()
        assert (row.status == "Closed") == bool(closing and closing.reopened_at is None)
        if row.assigned_to:
            assert row.assigned_to.role in permissions.KEY_ROLES
            assert row.assignments.order_by(IncidentAssignment.id.desc()).first().to == row.assigned_to
        assert Event.select().where((Event.target == row.ref) & (Event.verb == "incident.added")).count() == 1


def test_kay_and_ken_have_something_to_do(demo):
    demo("--students", "1", "--staff", "0", "--incidents", "2")
    for key in ("kay", "ken"):
        mine = (Incident.assigned_to == named(key)) & (Incident.status == "Active")
        assert Incident.select().where(mine).count() == 1


def test_oli_sees_nothing_and_need_to_know_is_kept(demo):
    demo("--incidents", "300")
    assert not permissions.visible_incidents(named("oli")).exists()
    secret = CategoryGroup.get().category
    parts = PartCategory.select(PartCategory.part).where(PartCategory.category == secret)
    ids = IncidentStudent.select(IncidentStudent.incident).where(IncidentStudent.id.in_(parts))
    private = list(Incident.select().where(Incident.id.in_(ids)))
    assert private
    for row in private:
        assert "category_group" in permissions.incident_reasons(named("gil"), row)
        assert "key_user" not in permissions.incident_reasons(named("kay"), row)


def case_reasons(key):
    """{case: reasons} of everything this member of the cast sees."""
    person = named(key)
    return {row: permissions.case_reasons(person, row) for row in permissions.visible_cases(person)}


def with_reason(key, reason):
    return [row for row, reasons in case_reasons(key).items() if reason in reasons]


@pytest.mark.parametrize("cases", ["1", "40"])
def test_the_cast_is_on_cases_each_in_their_own_way(demo, cases):
    demo("--students", "30", "--incidents", "40", "--cases", cases)
    about_stu = Case.get(Case.student == Student.get(Student.email == "stu@demo.example.org"))
    assert about_stu in with_reason("gil", "group") and about_stu in with_reason("mo", "group_manager")
    assert about_stu in with_reason("kay", "opened_it") and about_stu in with_reason("ken", "coordinator")
    assert about_stu in with_reason("sam", "primary_advocate") and not case_reasons("oli")
    assert len(case_reasons("ada")) == Case.select().count() == int(cases)
    if cases != "1":
        assert with_reason("sam", "following")
        assert about_stu.linked_incidents.count() and about_stu.files.count()
        assert 1 < len(case_reasons("gil")) < 30


def test_every_case_is_whole(small):
    assert Case.select().count() == 40
    for row in Case.select():
        opened, last = row.opened_at, row.last_activity_at
        assert opened <= last < clock.now() and opened.weekday() < 5 and row.opened_by.role in permissions.KEY_ROLES
        for entry in row.entries:
            assert opened < entry.at <= last and entry.at.weekday() < 5 and "{" not in entry.text
            newest = entry.versions.order_by(CaseEntryVersion.number.desc()).first()
            assert (newest.text, newest.number) == (entry.text, entry.text_version)
        assert row.presenting.count() >= 1
        for link in row.linked_incidents:
            assert row.student in [part.student for part in link.incident.parts]
            assert link.incident in permissions.visible_incidents(link.linked_by)
        closing = row.closures.order_by(CaseClosure.id.desc()).first()
        assert (row.status == "Closed") == bool(closing and closing.reopened_at is None)
        assert Event.select().where((Event.target == row.ref) & (Event.verb == "case.opened")).count() == 1
    for line in CaseAgency.select():
        assert line.versions.count() == line.version - 1


def test_people_are_told_only_of_what_they_see(small):
    for row in Notification.select():
        assert row.account.role in permissions.STAFF_ROLES and row.at < clock.now()
        if row.kind.startswith("case_"):
            assert permissions.case_reasons(row.account, Case.get_by_id(row.target_id))
        elif row.kind == "incident_assigned":
            assert permissions.incident_reasons(row.account, Incident.get_by_id(row.target_id))
    for key in ("kay", "ken", "sam", "gil"):
        mine = Notification.select().where(Notification.account == named(key))
        assert mine.count() and mine.where(Notification.read_at.is_null()).count()
    assert not Notification.select().where(Notification.account == named("oli")).exists()
    today = factories.today()
    assert [row.ends_on > today for row in Announcement.select().order_by(Announcement.ends_on.desc())] == [True, False]


def test_staff_cards_are_filled(small):
    for row in Account.select().where(Account.role.in_(permissions.STAFF_ROLES)):
        assert row.title and row.phone and row.booking_url.startswith("https://")
    assert not Account.select().where(Account.role == permissions.STUDENT, Account.booking_url != "").exists()


def test_a_large_school_has_many_groups(demo):
    answer = demo("--staff", "120", "--groups", "200", "--cases", "50", "--incidents", "5")
    assert answer.exit_code == 0, answer.output
    assert Group.select().count() == 200
    for row in Group.select().where(Group.name != "Counselling"):
        assert row.members.count() >= 3 and row.department
    assert GroupManager.select().count() == 199  # nobody manages the Safeguarding team
    assert not GroupMember.select().where(GroupMember.account == named("oli")).exists()
    for row in Department.select():
        assert row.groups.count()


def test_the_same_seed_makes_the_same_school(app):
    """In one database: what each run made is rolled back."""
    clock.freeze(DAY)
    made = []
    for seed in (3, 3, 4):
        with app.app_context(), db.atomic() as transaction:
            fill(app.settings, GIVEN, students=20, staff=5, incidents=30, seed=seed)
            made.append(contents())
            transaction.rollback()
    assert made[0] == made[1]
    assert made[0] != made[2]


def test_an_instance_that_holds_anything_is_refused(demo, app):
    for make in (factories.account, factories.student):
        row = make()
        before = [table.select().count() for table in (Account, Student, Incident, Event)]
        answer = demo()
        assert answer.exit_code == 1 and "holds" in answer.output
        assert [table.select().count() for table in (Account, Student, Incident, Event)] == before
        row.delete_instance()
    assert demo("--incidents", "5").exit_code == 0
    assert demo("--incidents", "5").exit_code == 1
    assert School.get().demo


def test_it_prints_a_password_that_signs_in(small, client, post, app):
    password = small.output.partition("password: ")[2].split()[0]
    kept = app.settings.instance / "demo-password"
    assert kept.read_text().strip() == password
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    answer = post(client, "/account/sign-in", {"email": "kay@demo.example.org", "password": password})
    assert answer.status_code in (302, 303)
    assert "My Assigned" in client.get("/").text
    wrong = {"email": "kay@demo.example.org", "password": f"{password}x"}
    assert post(app.test_client(), "/account/sign-in", wrong).status_code == 422


@pytest.mark.settings(CASEWARD_DEMO_PASSWORD=GIVEN)
def test_a_given_password_is_used_and_not_kept(small, client, post, app):
    assert f"password: {GIVEN}" in small.output
    assert not (app.settings.instance / "demo-password").exists()
    answer = post(client, "/account/sign-in", {"email": "ada@demo.example.org", "password": GIVEN})
    assert answer.status_code in (302, 303)


def test_show_prints_the_sign_ins_again(small, demo):
    again = demo("--show")
    assert again.exit_code == 0 and again.output == small.output
    assert "kay@demo.example.org" in again.output and "Key User" in again.output
    Account.update(password_hash="changed").execute()
    assert "password:" not in demo("--show").output


def test_show_fills_what_an_interrupted_start_left_empty(demo):
    assert "password: " in demo("--show", "--incidents", "5", "--students", "3").output
    assert Incident.select().count() == 5


def test_show_says_nothing_about_a_real_school(demo, app):
    factories.account(role=permissions.ADMIN)
    answer = demo("--show")
    assert answer.exit_code == 1 and "password" not in answer.output


def test_the_audit_log_holds_and_goes_on(small, app):
    assert AuditSeal.select().count() >= 1
    newest = Event.select().order_by(Event.id.desc()).first()
    assert newest.verb == "demo.filled"
    assert AuditSeal.select().order_by(AuditSeal.id.desc()).first().last_event == newest.id
    assert app.test_cli_runner().invoke(args=["audit", "verify"]).exit_code == 0
    events.record_alone("search.run", actor=named("kay"), count=0)  # ids go on after those that were given
    factories.incident(named("sam"))


def test_files_can_be_read(small, client_for, app):
    for row in (StoredFile.get(StoredFile.case.is_null()), StoredFile.get(StoredFile.incident.is_null())):
        record = f"/incidents/{row.incident.ref}" if row.incident else f"/cases/{row.case.ref}"
        with client_for(named("ada")).get(f"{record}/files/{row.ref}") as answer:
            assert answer.status_code == 200 and len(answer.data) == row.size


def test_nothing_is_left_when_it_fails(app, monkeypatch):
    monkeypatch.setattr(events, "seal", lambda: 1 / 0)
    with app.app_context(), pytest.raises(ZeroDivisionError):
        fill(app.settings, "x", students=3, staff=1, incidents=10)
    assert not Account.select().exists() and not Event.select().exists() and School.get().demo is False
    assert not [path for path in app.settings.files.rglob("*") if path.is_file()]


def test_stu_has_milestones_a_file_a_support_group_and_waits_for_an_answer(small):
    stu = Student.get(Student.email == "stu@demo.example.org")
    cohorts = [row.cohort for row in CohortStudent.select().where(CohortStudent.student == stu)]
    assert [cohort.archived_at for cohort in cohorts] == [None, None]
    counselling = Group.get(Group.name == "Counselling")
    assert CohortGroup.select().where(CohortGroup.cohort.in_(cohorts) & (CohortGroup.group == counselling)).count() == 1
    (request,) = MilestoneRequest.select()
    assert (request.student, request.outcome) == (stu, "") and request.milestone.cohort in cohorts
    (file,) = StoredFile.select().where(StoredFile.milestone.is_null(False))
    assert file.milestone.cohort in cohorts and file.milestone.due_on > DAY.date()
    assert School.get().student_visibility


def test_every_student_of_a_cohort_with_an_email_can_sign_in(small):
    emails = {row.email for row in Student.select().join(CohortStudent) if row.email}
    accounts = {row.email for row in Account.select().where(Account.role == permissions.STUDENT)}
    assert emails == accounts and len(emails) > 20


def test_reminders_went_out_before_and_only_to_those_who_had_not_finished(small):
    sent = list(MilestoneReminder.select())
    assert sent
    for row in sent:
        assert row.at < clock.now() and row.days in row.milestone.reminder_days
        done = StudentMilestone.get_or_none(
            (StudentMilestone.milestone == row.milestone) & (StudentMilestone.student == row.student)
        )
        assert done is None or done.marked_at > row.at


def test_work_of_every_kind_waits_for_the_cast(small):
    stu = Student.get(Student.email == "stu@demo.example.org")
    today = DAY.date()
    for key in ("kay", "gil", "sam"):
        assert Task.select().where((Task.assigned_to == named(key)) & (Task.state == "open")).exists(), key
    assert Task.select().where((Task.state == "open") & (Task.due_on < today)).exists()
    ahead = Meeting.select().join(MeetingStudent).where((MeetingStudent.student == stu) & (Meeting.state == "planned"))
    assert ahead.get().starts_at > clock.now()
    plan = Plan.get((Plan.student == stu) & (Plan.state == "active"))
    assert plan.points.count() >= 6 and plan.reviews.count() == 1 and plan.interventions.count()
    assert [row.members.count() for row in InterventionGroup.select()] == [8, 8]
    assert {row.state for row in Referral.select()} == {"received", "accepted", "declined"}
    assert Form.select().where(Form.for_referral_users & (Form.published == 1)).exists()
    assert StoredFile.select().where(StoredFile.student == stu).count() == 2
    assert Trigger.select().count() == 6 and not Trigger.select().where(Trigger.is_on).exists()


def test_no_work_is_about_the_future_and_none_is_olis(demo):
    clock.freeze(DAY)
    demo("--students", "200")
    oli, now = named("oli"), clock.now()
    for visible in (permissions.visible_tasks, permissions.visible_meetings, permissions.visible_plans,
                    permissions.visible_responses, permissions.visible_student_files):  # fmt: skip
        assert not visible(oli).exists(), visible.__name__
        assert visible(named("ada")).exists()
    for row in Task.select():
        assert row.set_at < now and (row.state == "open" or row.set_at < row.ended_at < now)
    for row in Meeting.select():
        assert row.scheduled_at < now and row.scheduled_at < row.starts_at < row.ends_at
        assert (row.state == "held") == (row.starts_at < now), "what was to be is over, what is planned is ahead"
    for row in Plan.select():
        assert row.starts_on <= DAY.date() and (row.state == "ended") == (row.ended_at is not None)
        assert all(row.starts_on <= point.day < DAY.date() for point in row.points)
    for row in CaseRecord.select():
        assert row.at < now and row.case.status == "Open"
