"""What a trigger would have opened since a day, held against a plain count in Python; and opening those for whom one ticks."""

import json
from datetime import UTC, datetime, timedelta

import pytest

import permissions
from blueprints.cases import actions, queries
from extensions import clock, db
from models import (
    Case,
    CaseGroup,
    CaseRecord,
    CaseStaff,
    CaseType,
    Event,
    FileCategory,
    FormResponse,
    MeetingStudent,
    Notification,
    OutboxEmail,
    Plan,
    PlanReview,
    Referral,
    StoredFile,
    Student,
    Task,
    Trigger,
    TriggerGroup,
    TriggerStaff,
)
from tests import factories
from tests.web import forms, text_of

KINDS = ("form", "plan", "task", "meeting", "review", "file")
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SINCE = NOW - timedelta(days=30)


@pytest.fixture(autouse=True)
def at_noon(clock):
    clock.freeze(NOW)


@pytest.fixture
def school(cast):
    """Six students to whom each of the six things happened on other days, some of them before SINCE."""
    form = factories.form("Worry", fields=[{"key": "f1", "type": "yes_no", "label": "At risk?"}])
    rows = [factories.student(name, f"Bird{number}") for number, name in enumerate(("Ann", "Bo", "Cy", "Di", "Ed", "Flo"))]
    for number, student in enumerate(rows):
        for days in (number * 7, number * 7 + 3):
            happen_to(student, NOW - timedelta(days=days), cast, form, days)
    return rows


def happen_to(student, at, cast, form, number):
    factories.task(student, cast.sam, cast.kay, set_at=at)
    meeting = factories.meeting(cast.kay, [], [cast.sam])
    MeetingStudent.create(meeting=meeting, student=student, added_by=cast.kay, at=at)
    plan = factories.plan(student, cast.kay, created_at=at)
    PlanReview.create(plan=plan, day=at.date(), decision="continue", author=cast.kay, at=at)
    factories.response(form, cast.sam, student, {"f1": number % 2 == 0}, submitted_at=at)
    upload(student, cast.sam, at)


def upload(student, by, at):
    number = StoredFile.select().count()
    return StoredFile.create(
        student=student, name="a.pdf", path_name=f"path{number}", media_type="application/pdf", size=1, sha256="0", at=at,
        uploaded_by=by, file_category=FileCategory.get(), shown_to="related",
    )  # fmt: skip


def computed(kind, since=SINCE):
    """{student id: [ids of records]} without any of the house's queries."""
    rows = {
        "task": [(row.student_id, row.id) for row in Task.select() if row.set_at >= since],
        "meeting": [(row.student_id, row.meeting_id) for row in MeetingStudent.select() if row.at >= since and not row.removed_at],
        "plan": [(row.student_id, row.id) for row in Plan.select() if row.created_at >= since],
        "review": [(row.plan.student_id, row.id) for row in PlanReview.select() if row.at >= since],
        "form": [(row.student_id, row.id) for row in FormResponse.select() if row.student_id and _came(row) >= since],
        "file": [(row.student_id, row.id) for row in StoredFile.select() if row.student_id and not row.removed_at and row.at >= since],
    }[kind]
    known = {(row.case.student_id, row.record_id) for row in CaseRecord.select().where(CaseRecord.kind == kind)}
    found = {}
    for student, record in rows:
        if (student, record) not in known:
            found.setdefault(student, []).append(record)
    return found


def _came(row):
    referral = Referral.get_or_none(Referral.response == row.id)
    return referral.decided_at if referral else row.submitted_at


def suggested(user, kind, since=SINCE):
    rows = queries.suggested(user, kind, since, queries.all_settings(user))
    counts = queries.suggestion_counts(user, since, queries.all_settings(user))
    assert counts[kind] == len(rows)
    ids = {row.ref: row.id for row in Student.select()}
    return {ids[row.ref]: row for row in rows}


def open_these(kind, students, actor, since=SINCE):
    confirmed = queries.confirmation_of(queries.suggestion_readers(actor, kind, queries.all_settings(actor)))
    return actions.open_suggested(kind, since, [one.ref for one in students], confirmed=confirmed, actor=actor)


# --- What is suggested -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_the_list_is_what_one_counts_by_hand(kind, school, cast):
    for since in (SINCE, NOW - timedelta(days=7), NOW - timedelta(days=400), NOW + timedelta(seconds=1)):
        wanted = computed(kind, since)
        assert {number: row.count for number, row in suggested(cast.ada, kind, since).items()} == {
            number: len(rows) for number, rows in wanted.items()
        }
    Trigger.update(is_on=True).execute()
    assert suggested(cast.ada, kind).keys() == computed(kind).keys(), "on or off, it is the same"


@pytest.mark.parametrize("kind", KINDS)
def test_what_belongs_to_a_case_of_the_student_is_left_out(kind, school, cast):
    ann, bo = school[:2]
    records = computed(kind)
    case = factories.case(ann, cast.kay)
    other = factories.case(bo, cast.kay)
    for record in records[ann.id]:
        CaseRecord.create(case=case, kind=kind, record_id=record, record="x", how="linked", by=cast.kay)
    # the record of Bo stands on a case of another student: that is no case of Bo's
    CaseRecord.create(case=case, kind=kind, record_id=records[bo.id][0], record="x", how="linked", by=cast.kay)
    CaseRecord.create(case=other, kind="task", record_id=10_000, record="x", how="linked", by=cast.kay)
    found = suggested(cast.ada, kind)
    assert found.keys() == computed(kind).keys() and ann.id not in found and found[bo.id].count == 2


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_of_a_student_who_is_closed_to_the_admin(kind, school, cast, client_for):
    ann = school[0]
    factories.exclusion(cast.ada, factories.account(role=permissions.ADMIN), student=ann)
    assert ann.id not in suggested(cast.ada, kind) and len(suggested(cast.ada, kind)) == len(computed(kind)) - 1
    page = client_for("ada").get(f"/dictionary/suggestions/{kind}?since=2026-01-01")
    assert "Bo Bird1" in page.text and "Ann Bird0" not in page.text and ann.ref not in page.text
    confirmed = queries.confirmation_of(queries.suggestion_readers(cast.ada, kind, queries.all_settings(cast.ada)))
    with pytest.raises(actions.Refused):
        actions.open_suggested(kind, SINCE, [ann.ref], confirmed=confirmed, actor=cast.ada)
    assert not Case.select().exists()


def test_a_meeting_with_somebody_closed_is_no_reason_for_the_others(school, cast):
    ann, bo = school[:2]
    MeetingStudent.delete().execute()
    factories.meeting(cast.kay, [ann, bo], [cast.sam])
    factories.exclusion(cast.ada, factories.account(role=permissions.ADMIN), student=ann)
    assert not suggested(cast.ada, "meeting")


def test_who_was_taken_off_a_meeting_or_whose_file_was_removed_is_left_out(school, cast):
    MeetingStudent.update(removed_at=clock.now()).execute()
    StoredFile.update(removed_at=clock.now()).execute()
    assert not suggested(cast.ada, "meeting") and not suggested(cast.ada, "file")


def test_a_referral_counts_from_the_day_it_was_accepted(school, cast):
    FormResponse.delete().execute()
    form = factories.form("Referral", for_referral_users=True)
    old = NOW - timedelta(days=90)
    ann, bo, cy = school[:3]
    rows = [factories.referral(form, cast.rae) for _ in range(3)]
    for row, student, at in zip(rows, (ann, bo, cy), (NOW, old, NOW), strict=True):
        FormResponse.update(submitted_at=old, student=student).where(FormResponse.id == row.response_id).execute()
        Referral.update(state="accepted", decided_at=at).where(Referral.id == row.id).execute()
    Referral.update(state="declined").where(Referral.id == rows[2].id).execute()
    assert suggested(cast.ada, "form").keys() == {ann.id}


def test_a_form_of_its_own_way_is_asked(school, cast):
    form = FormResponse.get().form
    other = factories.form("Praise")
    factories.response(other, cast.sam, school[5])
    own = Trigger.create(kind="form", form=form, is_on=False)
    assert suggested(cast.ada, "form").keys() == {school[5].id}
    Trigger.update(is_on=True, field="f1", answer="yes").where(Trigger.id == own.id).execute()
    risky = {
        row.student_id for row in FormResponse.select()
        if row.submitted_at >= SINCE and (row.form_id == other.id or json.loads(row.answers)["f1"])
    }  # fmt: skip
    assert suggested(cast.ada, "form").keys() == risky


# --- Opening them ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_each_student_gets_one_case_with_all_that_happened(kind, school, cast):
    ann, bo = school[:2]
    trigger = Trigger.get((Trigger.kind == kind) & Trigger.form.is_null())
    TriggerGroup.create(trigger=trigger, group=cast.counselling)
    Trigger.update(title="Looked back", email_staff=True, changed_by=cast.ada).where(Trigger.id == trigger.id).execute()
    wanted = computed(kind)
    assert open_these(kind, [bo, ann], cast.ada) == 2
    for student in (ann, bo):
        case = Case.get(Case.student == student.id)
        assert (case.title, case.opened_by) == ("Looked back", None)
        rows = CaseRecord.select().where(CaseRecord.case == case.id).order_by(CaseRecord.id)
        assert [row.how for row in rows] == ["opened", "joined"]
        assert {row.record_id for row in rows} == set(wanted[student.id])
    assert CaseGroup.select().count() == 2 and OutboxEmail.select().where(OutboxEmail.kind == "case_added").count() == 2
    assert {ann.id, bo.id}.isdisjoint(suggested(cast.ada, kind))
    event = Event.get(Event.verb == "dictionary.opened")
    assert json.loads(event.data) == {"kind": kind, "count": 2}
    with pytest.raises(actions.Refused):
        open_these(kind, [ann], cast.ada)
    assert Case.select().count() == 2


def test_an_open_case_of_the_type_is_joined_and_widened_for_nobody(school, cast):
    ann = school[0]
    case = factories.case(ann, cast.kay, case_type=CaseType.select().order_by(CaseType.position).first().name, staff=[cast.ken])
    TriggerStaff.create(trigger=Trigger.get(Trigger.kind == "task"), account=cast.oli)
    assert suggested(cast.ada, "task")[ann.id].joins == (case.ref, case.title)
    assert suggested(cast.ada, "task")[school[1].id].joins is None
    open_these("task", [ann], cast.ada)
    assert Case.select().count() == 1 and not CaseStaff.select().where(CaseStaff.account == cast.oli).exists()
    assert {row.account.name for row in Notification.select()} == {"Ken Kittiwake"}


def test_the_type_of_a_forms_own_trigger_is_the_one_that_is_joined(school, cast):
    kind = CaseType.create(name="Worries")
    ann, form = school[0], FormResponse.get().form
    case = factories.case(ann, cast.kay, case_type="Worries")
    Trigger.create(kind="form", form=form, is_on=True, case_type=kind)
    assert suggested(cast.ada, "form")[ann.id].joins == (case.ref, case.title)
    open_these("form", [ann], cast.ada)
    assert {row.case_id for row in CaseRecord.select()} == {case.id}


def test_a_case_that_is_closed_to_the_admin_is_not_named(school, cast):
    ann = school[0]
    case = factories.case(ann, cast.kay, case_type=CaseType.select().order_by(CaseType.position).first().name)
    factories.exclusion(cast.ada, factories.account(role=permissions.ADMIN), case=case)
    assert suggested(cast.ada, "task")[ann.id].joins is None


def test_readers_have_to_be_confirmed(school, cast):
    TriggerStaff.create(trigger=Trigger.get(Trigger.kind == "task"), account=cast.oli)
    with pytest.raises(actions.Unconfirmed):
        actions.open_suggested("task", SINCE, [school[0].ref], confirmed="", actor=cast.ada)
    assert not Case.select().exists() and open_these("task", school[:1], cast.ada) == 1


def test_without_a_case_type_nothing_opens(school, cast):
    CaseType.update(is_retired=True).execute()
    with pytest.raises(actions.Refused, match="No case type"):
        open_these("task", school[:1], cast.ada)
    assert not Case.select().exists() and not Event.select().where(Event.verb == "dictionary.opened").exists()


def test_for_admins_alone(school, cast):
    for who in (cast.kay, cast.mo, cast.sam, cast.rae, cast.stu):
        with pytest.raises(permissions.Denied):
            actions.open_suggested("task", SINCE, [school[0].ref], confirmed="", actor=who)
        with pytest.raises(permissions.Denied):
            queries.suggestion_readers(who, "task", ({}, {}))


# --- The pages -------------------------------------------------------------------------------------------------------


def test_the_dictionary_says_how_many_beside_each_trigger(school, client_for, count_queries):
    ada = client_for("ada")
    with count_queries(most=10):
        page = ada.get("/dictionary?since=2026-10-23").text
    for kind in KINDS:
        number = len(computed(kind, datetime(2026, 10, 22, 23, tzinfo=UTC)))
        assert f'/dictionary/suggestions/{kind}?since=2026-10-23">{number} students<' in page
    assert "Since 1 Sep 2026" in text_of(ada.get("/dictionary"))
    assert "31 February 2026 is not a date" in text_of(ada.get("/dictionary?since=2026-02-31"))


def test_ticking_and_open_these(school, client_for, post, cast, count_queries):
    ada, url = client_for("ada"), "/dictionary/suggestions/task?since=2026-10-01"
    TriggerStaff.create(trigger=Trigger.get(Trigger.kind == "task"), account=cast.oli)
    with count_queries(most=10):
        page = ada.get(url)
    assert "gives 1 person access" in text_of(page) and "Oli Ouzel" in page.text and ">Open these</button>" in page.text
    assert len(forms(page.text)[-1].values) and "Ann Bird0" in page.text
    nobody = post(ada, url, {"students": []})
    assert nobody.status_code == 422 and "Choose at least one" in text_of(nobody)
    answer = post(ada, url, {"students": [school[0].ref, school[1].ref]})
    assert answer.status_code == 303 and Case.select().count() == 2
    after = text_of(ada.get(url))
    assert "Done for 2 students" in after and "Ann Bird0" not in after and "Cy Bird2" in after


def test_the_number_of_queries_does_not_grow(client_for, cast, count_queries):
    ada, url = client_for("ada"), "/dictionary/suggestions/task?since=2026-10-01"
    factories.task(factories.student(), cast.sam, cast.kay)
    with count_queries() as few:
        ada.get(url)
    for _ in range(30):
        factories.task(factories.student(), cast.sam, cast.kay)
    with count_queries() as many:
        ada.get(url)
    assert len(many) == len(few)


def test_somebody_else_opened_them_meanwhile(school, client_for, post, cast):
    ada, url = client_for("ada"), "/dictionary/suggestions/task?since=2026-10-01"
    page = forms(ada.get(url).text)[-1]
    open_these("task", [school[0]], cast.ada, NOW - timedelta(days=300))
    answer = ada.post(url, data={**page.values, "students": [school[0].ref]})
    assert answer.status_code == 422 and Case.select().count() == 1


@pytest.mark.parametrize("who", ["kay", "mo", "oli", "rae", "stu"])
def test_for_everybody_else_there_are_no_suggestions(who, school, client_for, post):
    client, url = client_for(who), "/dictionary/suggestions/task"
    assert client.get(url).status_code == 404
    assert post(client, url, {"students": [school[0].ref]}, form_url="/account").status_code == 404
    assert not Case.select().exists()


def test_the_same_students_opened_by_two_at_once_get_one_case(school, cast):
    with db.atomic():
        open_these("task", school[:2], cast.ada)
        first = Case.select().count()
    with pytest.raises(actions.Refused):
        open_these("task", school[:2], cast.ada)
    assert Case.select().count() == first == 2
