"""Why somebody sees a task, a meeting, a plan, a response or a file: each reason by itself, what ends it, and what beats it."""

import pytest

import permissions
from extensions import clock
from models import (
    Account,
    CaseRecord,
    FileCategory,
    GroupMember,
    MeetingStaff,
    MeetingStudent,
    PlanReview,
    Referral,
    StoredFile,
    StudentFileGroup,
    Task,
)
from tests import factories

READ = {
    "task": permissions.visible_tasks,
    "meeting": permissions.visible_meetings,
    "plan": permissions.visible_plans,
    "form": permissions.visible_responses,
    "file": permissions.visible_student_files,
}


@pytest.fixture
def ann(cast):
    return factories.student("Ann", "Finch", year_group="7", address="1 Mill Lane")


def reasons(kind, row):
    """{first name: reasons} of everybody who sees the row; asked of all at once, of each alone, and of the lists."""
    at_once = {account.name.split()[0]: found for account, found in permissions.who_can_see_record(kind, row)}
    for account in Account.select():
        found = permissions.record_reasons(kind, account, row)
        assert found == at_once.get(account.name.split()[0], []), account.name
        listed = READ[kind](account).where(type(row).id == row.id).exists()
        assert listed == bool(found), f"{account.name} and the list of each {kind}"
    return at_once


def file_of(student, by, shown_to="related", groups=()):
    row = StoredFile.create(
        student=student, name="plan.pdf", path_name=f"{student.ref}{shown_to}", media_type="application/pdf", size=1, sha256="0",
        uploaded_by=by, file_category=FileCategory.select().first(), shown_to=shown_to,
    )  # fmt: skip
    for group in groups:
        StudentFileGroup.create(file=row, group=group)
    return row


def belongs(case, kind, row, by):
    CaseRecord.create(case=case, kind=kind, record_id=row.id, record=row.ref, how="joined", by=by)


def test_a_task(cast, ann):
    task = factories.task(ann, cast.gil, cast.sam)
    assert reasons("task", task) == {"Ada": ["admin"], "Gil": ["assigned"], "Sam": ["set_it"]}
    belongs(factories.case(ann, cast.kay, staff=[cast.ken]), "task", task, cast.sam)
    assert reasons("task", task) == {
        "Ada": ["case", "admin"], "Gil": ["assigned"], "Sam": ["set_it"], "Kay": ["case"], "Ken": ["case"],
    }  # fmt: skip
    for account in (cast.ada, cast.gil, cast.ken):
        factories.exclusion(account, cast.ada, student=ann)
    assert reasons("task", task) == {"Sam": ["set_it"], "Kay": ["case"]}


def test_being_on_the_record_shows_no_case(cast, ann):
    case = factories.case(ann, cast.kay)
    belongs(case, "task", factories.task(ann, cast.gil, cast.sam), cast.sam)
    belongs(case, "meeting", factories.meeting(cast.sam, [ann], [cast.gil]), cast.sam)
    belongs(case, "plan", factories.plan(ann, cast.gil, cast.sam), cast.sam)
    assert [account.name for account, _ in permissions.who_can_see_case(case)] == ["Ada Adler", "Kay Kestrel"]


def test_a_meeting_and_its_students(cast, ann):
    bo = factories.student("Bo", "Brown")
    meeting = factories.meeting(cast.sam, [ann, bo], [cast.gil])
    belongs(factories.case(ann, cast.kay), "meeting", meeting, cast.sam)
    assert reasons("meeting", meeting) == {"Ada": ["case", "admin"], "Gil": ["invited"], "Kay": ["case"], "Sam": ["scheduled_it"]}
    shown = lambda user: {part.student.first_name for part in _parts(user, meeting)}  # noqa: E731
    assert shown(cast.gil) == shown(cast.sam) == shown(cast.ada) == {"Ann", "Bo"}
    assert shown(cast.kay) == {"Ann"}, "through a case its student alone is seen"
    MeetingStaff.update(removed_at=clock.now()).execute()
    assert "Gil" not in reasons("meeting", meeting)
    factories.exclusion(cast.sam, cast.ada, student=bo)
    assert reasons("meeting", meeting) == {"Ada": ["case", "admin"], "Kay": ["case"]}


def _parts(user, meeting):
    from models import Meeting

    query = MeetingStudent.select().join(Meeting, on=(Meeting.id == MeetingStudent.meeting))
    return query.where((Meeting.id == meeting.id) & permissions.sees_meeting(user) & permissions.sees_meeting_student(user))


def test_a_plan(cast, ann):
    group = factories.intervention_group(cast.ken, group=cast.counselling)
    plan = factories.plan(ann, cast.sam, cast.kay, staff=[cast.oli], intervention_group=group)
    assert reasons("plan", plan) == {
        "Ada": ["admin"], "Kay": ["created_it"], "Ken": ["intervention_group"], "Gil": ["intervention_group"],
        "Sam": ["lead"], "Oli": ["assigned"],
    }  # fmt: skip
    GroupMember.delete().where(GroupMember.account == cast.gil).execute()
    assert "Gil" not in reasons("plan", plan)
    review = PlanReview.create(plan=plan, day=factories.today(), decision="continue", author=cast.sam)
    belongs(factories.case(ann, cast.ada, staff=[cast.gil]), "review", review, cast.sam)
    assert reasons("plan", plan)["Gil"] == ["case"]


def test_a_response(cast, ann):
    form = factories.form("Worry")
    response = factories.response(form, cast.sam, ann)
    assert reasons("form", response) == {"Ada": ["admin"], "Kay": ["key_user"], "Ken": ["key_user"], "Sam": ["sent_it"]}
    narrow = factories.response(factories.form("Narrow", readers=[cast.counselling]), cast.oli, ann)
    assert reasons("form", narrow) == {"Ada": ["admin"], "Gil": ["form_group"], "Oli": ["sent_it"]}
    factories.exclusion(cast.gil, cast.ada, student=ann)
    assert "Gil" not in reasons("form", narrow)


def test_a_referral_that_waits_is_kept_from_whoever_is_kept_from_a_student_of_that_name(cast, ann):
    referral = factories.referral(factories.form("Referral", for_referral_users=True), cast.rae, "Ann", "Finch")
    assert set(reasons("form", referral.response)) == {"Ada", "Kay", "Ken"}
    factories.exclusion(cast.ken, cast.ada, student=ann)
    assert set(reasons("form", referral.response)) == {"Ada", "Kay"}
    Referral.update(state="accepted").execute()
    other = factories.student("Ann", "Other")
    type(referral.response).update(student=other).execute()
    assert set(reasons("form", referral.response)) == {"Ada", "Kay", "Ken"}, "it was another Ann"


def test_a_file(cast, ann):
    related = file_of(ann, cast.sam)
    assert reasons("file", related) == {"Ada": ["related", "admin"], "Kay": ["related"], "Ken": ["related"], "Sam": ["uploaded_it"]}
    task = factories.task(ann, cast.oli, cast.sam)
    assert reasons("file", related)["Oli"] == ["related"]
    Task.update(state="completed").where(Task.id == task.id).execute()
    assert "Oli" not in reasons("file", related)
    mine = file_of(ann, cast.sam, "groups", [cast.counselling])
    assert reasons("file", mine) == {"Ada": ["admin"], "Gil": ["file_group"], "Sam": ["uploaded_it"]}


@pytest.mark.parametrize("by", ["case", "cohort", "task", "meeting", "plan"])
def test_a_relation_shows_the_details_and_ends(cast, ann, by):
    assert not permissions.may_see_details(cast.oli, ann)
    if by == "case":
        factories.case(ann, cast.kay, staff=[cast.oli])
    elif by == "cohort":
        factories.cohort(students=[ann], groups=[factories.group(members=[cast.oli])])
    elif by == "task":
        row = factories.task(ann, cast.oli, cast.sam)
    elif by == "meeting":
        row = factories.meeting(cast.sam, [ann], [cast.oli])
    else:
        row = factories.plan(ann, cast.sam, staff=[cast.oli])
    assert permissions.may_see_details(cast.oli, ann) and not permissions.may_see_details(cast.rae, ann)
    over = {"task": "completed", "meeting": "cancelled", "plan": "ended"}
    if by in over:
        type(row).update(state=over[by]).execute()
        assert not permissions.may_see_details(cast.oli, ann)


@pytest.mark.parametrize("by", ["task", "meeting", "plan"])
def test_what_somebody_gives_themselves_shows_no_details(cast, ann, by):
    """Any staff member may set a task, schedule a meeting or create a plan: that must not open every profile to them."""
    if by == "task":
        factories.task(ann, cast.oli, cast.oli)
        factories.task(ann, cast.sam, cast.oli)
    elif by == "meeting":
        factories.meeting(cast.oli, [ann], [cast.oli, cast.sam])
        joined = factories.meeting(cast.sam, [factories.student("Bo", "Brown")], [cast.oli])
        MeetingStudent.create(meeting=joined, student=ann, added_by=cast.oli)
    else:
        factories.plan(ann, cast.oli, staff=[cast.oli])
    assert not permissions.may_see_details(cast.oli, ann)
    assert not permissions.visible_student_files(cast.oli).where(StoredFile.id == file_of(ann, cast.kay).id).exists()


def test_a_role_that_is_lost_takes_every_reason_along(cast, ann):
    task = factories.task(ann, cast.gil, cast.sam)
    Account.update(role="student").where(Account.id == cast.gil.id).execute()
    Account.update(is_active=False).where(Account.id == cast.sam.id).execute()
    assert reasons("task", task) == {"Ada": ["admin"]}


def test_whom_a_record_can_be_given_to(cast, ann):
    factories.exclusion(cast.gil, cast.ada, student=ann)
    names = [account.name for account in permissions.fit_for(ann, Account.name)]
    assert names == ["Ada Adler", "Kay Kestrel", "Ken Kittiwake", "Mo Merlin", "Oli Ouzel", "Sam Swift"]


def test_the_audit_log_is_closed_to_who_is_kept_from_the_student(cast, ann):
    task, plan = factories.task(ann, cast.gil, cast.sam), factories.plan(ann, cast.gil)
    meeting = factories.meeting(cast.sam, [ann], [cast.gil])
    response = factories.response(factories.form("Worry"), cast.sam, ann)
    factories.exclusion(cast.ada, cast.ada, student=ann)
    closed = {ref for (ref,) in permissions.closed_targets(cast.ada).tuples()}
    assert closed == {ann.ref, task.ref, plan.ref, meeting.ref, response.ref}
    assert not list(permissions.closed_targets(cast.kay).tuples())
