"""The staff side of a student's milestones: the tab, marking, answering requests, files, who is told, the list of all students
one supports."""

import json
from datetime import UTC, date, datetime, timedelta
from io import BytesIO

import pytest

import events
import permissions
import tasks
from blueprints.cohorts import actions, queries
from blueprints.kit import uploads
from extensions import clock, db
from models import (
    CohortStudent,
    Conflict,
    DepartmentDirector,
    Event,
    GroupMember,
    Milestone,
    MilestoneRequest,
    Notification,
    OutboxEmail,
    School,
    StoredFile,
    StudentMilestone,
)
from tests import factories
from tests.web import forms, text_of

TODAY = date(2026, 11, 14)
SUPPORT = ("ada", "gil", "mo")
OTHERS = ("kay", "ken", "sam", "oli", "rae", "stu")


@pytest.fixture
def world(cast, clock):
    """Stu is in a cohort that Counselling supports, and in another one that nobody supports."""
    clock.freeze(datetime(2026, 11, 14, 12, tzinfo=UTC))
    cast.cohort = factories.cohort("First years", "Autumn", [cast.student], [cast.counselling], created_by=cast.ada)
    cast.fair = factories.milestone(cast.cohort, "Job fair", due_on=TODAY - timedelta(days=1), description="Bring a pen.")
    cast.form = factories.milestone(cast.cohort, "Hand in the form", due_on=TODAY + timedelta(days=9))
    cast.other = factories.cohort("Clubs", "Chess", [cast.student], created_by=cast.ada)
    cast.hidden = factories.milestone(cast.other, "Learn to castle")
    cast.url = f"/students/{cast.student.ref}/milestones"
    return cast


def visible():
    School.update(student_visibility_at=clock.now()).execute()


def asked(world, milestone=None, note="I was there.", **fields):
    return MilestoneRequest.create(milestone=milestone or world.fair, student=world.student, note=note, **fields)


def stored(app, world, name="proof.txt", **record):
    file = uploads.store(app.settings.instance / "files", BytesIO(b"My proof.\n"), name)
    return StoredFile.create(name=name, path_name=file.path_name, media_type=file.media_type, size=file.size,
                             sha256=file.sha256, uploaded_by=world.ada, **record)  # fmt: skip


def state(milestone, world):
    row = StudentMilestone.get_or_none(StudentMilestone.milestone == milestone, StudentMilestone.student == world.student)
    return row and row.state


def fresh(row):
    return type(row).get_by_id(row.id)


# --- The tab ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", SUPPORT)
def test_support_staff_see_the_milestones_of_their_cohorts(world, client_for, who):
    page = client_for(who).get(world.url)
    words = text_of(page)
    assert "First years: Autumn" in words and "Job fair" in words and "Bring a pen." in words and "Overdue" in words
    assert ("Learn to castle" in words) is (who == "ada"), "a group sees the cohorts that it is attached to"
    assert "Gil Gannet Staff is in a Student Support Group" in words and "Mo Merlin Group Manager manages such a group" in words
    said = Event.select().where(Event.verb == "student.milestones_read").get()
    assert said.target == world.student.ref
    assert said.reasons == {"ada": "admin", "gil": "support_group", "mo": "group_manager"}[who]
    assert f'href="{world.url}"' in client_for(who).get(f"/students/{world.student.ref}").text


@pytest.mark.parametrize("who", OTHERS)
def test_for_everybody_else_there_is_no_such_tab(world, client_for, post, who):
    client, request = client_for(who), asked(world)
    missing = client.get("/students/0000000000/milestones")
    answer = client.get(world.url)
    assert answer.status_code == missing.status_code == 404 and len(answer.data) == len(missing.data)
    home = client.get(f"/students/{world.student.ref}")
    assert home.status_code == 404 or "/milestones" not in home.text.replace('href="/milestones"', "")
    for address in (f"{world.url}/export.csv", f"{world.url}/requests/{request.ref}/answer", f"{world.url}/files/0000000000"):
        assert client.get(address).status_code == 404
    marking = {"state": "completed", "version": "0"}
    assert post(client, f"{world.url}/{world.fair.ref}/state", marking, form_url="/").status_code == 404
    answering = {"outcome": "confirmed", "answer": ""}
    assert post(client, f"{world.url}/requests/{request.ref}/answer", answering, form_url="/").status_code == 404
    assert state(world.fair, world) is None and fresh(request).outcome == ""


def test_it_ends_with_the_membership_the_cohort_or_an_exclusion(world, client_for):
    gil, ada = client_for("gil"), client_for("ada")
    assert gil.get(world.url).status_code == 200
    keep = GroupMember.get(GroupMember.account == world.gil)
    keep.delete_instance()
    assert gil.get(world.url).status_code == 404
    GroupMember.create(group=world.counselling, account=world.gil)
    type(world.cohort).update(archived_at=clock.now()).where(type(world.cohort).id == world.cohort.id).execute()
    assert gil.get(world.url).status_code == 404
    page = ada.get(world.url)
    assert "This cohort is archived" in text_of(page) and f"/{world.fair.ref}/state" not in page.text
    type(world.cohort).update(archived_at=None).execute()
    factories.exclusion(world.gil, world.ada, student=world.student)
    assert gil.get(world.url).status_code == 404
    assert "Sturgeon" not in gil.get("/milestones").text


def test_drafts_and_removed_ones_are_not_there(world, client_for):
    factories.milestone(world.cohort, "Still a draft", saved=False)
    actions.remove_milestone(world.form, actor=world.ada)
    words = text_of(client_for("gil").get(world.url))
    assert "Still a draft" not in words and "Hand in the form" not in words


def test_it_says_nothing_of_cases_and_incidents(world, client_for):
    factories.incident(world.sam, [world.student], "A secret thing.")
    factories.case(world.student, world.ken, "A secret plan")
    assert "secret" not in client_for("gil").get(world.url).text
    assert "No cases here" in text_of(client_for("gil").get(f"/students/{world.student.ref}/cases"))


# --- Marking --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", SUPPORT)
def test_marking(world, client_for, post, who):
    client, address = client_for(who), f"{world.url}/{world.fair.ref}/state"
    for wanted in ("completed", "waived", "open"):
        assert post(client, address, {"state": wanted}, form_url=world.url).status_code == 303
        assert state(world.fair, world) == wanted
    words = text_of(client.get(world.url))
    assert f"{getattr(world, who).name} marked it as waived: Job fair" in words


def completing(page, address):
    """What the page's button Completed sends to this address."""
    found = [form.values for form in forms(page) if form.action == address]
    return next(values for values in found if values["state"] == ["completed"])


def test_what_somebody_else_marked_is_not_overwritten(world, client_for, post):
    gil, address = client_for("gil"), f"{world.url}/{world.fair.ref}/state"
    sent = completing(gil.get(world.url), address)
    actions.mark(world.fair, [world.student], "waived", actor=world.mo)
    answer = gil.post(address, data=sent)
    assert answer.status_code == 409 and "“Job fair” is Waived now: Mo Merlin" in text_of(answer)
    assert state(world.fair, world) == "waived"
    assert gil.post(address, data=completing(answer, address)).status_code == 303 and state(world.fair, world) == "completed"


def test_forged_marks_are_missing_ones(world, client_for, post):
    gil = client_for("gil")
    stranger = factories.student()
    for address, forged in (
        (f"{world.url}/{world.hidden.ref}/state", {}),
        (f"{world.url}/0000000000/state", {}),
        (f"/students/{stranger.ref}/milestones/{world.fair.ref}/state", {}),
        (f"{world.url}/{world.fair.ref}/state", {"state": "expelled"}),
        (f"{world.url}/{world.fair.ref}/state", {"version": "-1"}),
        (f"{world.url}/{world.fair.ref}/state", {"version": ""}),
    ):
        given = {"state": "completed", "version": "0", **forged}
        assert post(gil, address, given, form_url="/").status_code == 404, (address, forged)
    actions.remove_milestone(world.fair, actor=world.ada)
    given = {"state": "completed", "version": "0"}
    assert post(gil, f"{world.url}/{world.fair.ref}/state", given, form_url="/").status_code == 404
    assert not StudentMilestone.select().exists()


# --- Requests ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", SUPPORT)
def test_confirming_completes_it_and_tells_the_student(app, world, client_for, post, smtp, who):
    visible()
    request, client = asked(world), client_for(who)
    page = client.get(world.url)
    assert "I was there." in text_of(page) and "Asks to have it completed" in text_of(page)
    address = f"{world.url}/requests/{request.ref}/answer"
    assert post(client, address, {"outcome": "confirmed", "answer": "Well done."}).status_code == 303
    request = fresh(request)
    assert (request.outcome, request.answer, request.decided_by.ref) == ("confirmed", "Well done.", getattr(world, who).ref)
    assert state(world.fair, world) == "completed"
    assert json.loads(Event.get(Event.verb == "milestone.answered").data)["outcome"] == "confirmed"
    with app.app_context():
        tasks.deliver()
    (sent,) = smtp.wait_for(1)
    assert sent.to == [world.stu.email] and f"/my/milestones/{world.fair.ref}" in sent.text
    for word in ("Job fair", "Well done", "Stu", "Sturgeon", getattr(world, who).name):
        assert word not in sent.text + sent.subject


def test_declining_needs_a_sentence(world, client_for, post):
    request, gil = asked(world), client_for("gil")
    address = f"{world.url}/requests/{request.ref}/answer"
    answer = post(gil, address, {"outcome": "declined", "answer": "  "})
    assert answer.status_code == 422 and "Say in a sentence why" in text_of(answer)
    answer = post(gil, address, {"outcome": "declined", "answer": "x" * 1_000_000})
    assert answer.status_code == 422 and fresh(request).outcome == ""
    for outcome in ("", "withdrawn", "maybe"):
        assert post(gil, address, {"outcome": outcome, "answer": "No."}).status_code == 422
    assert post(gil, address, {"outcome": "declined", "answer": "The stamp is missing."}).status_code == 303
    assert fresh(request).outcome == "declined" and state(world.fair, world) is None
    assert "The stamp is missing." in text_of(gil.get(world.url))


def test_a_request_is_answered_once(world, client_for, post):
    visible()
    request, gil = asked(world), client_for("gil")
    address = f"{world.url}/requests/{request.ref}/answer"
    sent = next(form.values for form in forms(gil.get(address)) if "answer" in form.values)
    actions.answer(queries.milestone_request(world.mo, world.student.ref, request.ref), "confirmed", "", actor=world.mo)
    answer = gil.post(address, data={**sent, "outcome": "declined", "answer": "Not yet."})
    assert answer.status_code == 409
    assert "answered already: it was confirmed. Your answer is below" in text_of(answer) and "Not yet." in text_of(answer)
    assert fresh(request).outcome == "confirmed" and OutboxEmail.select().count() == 1
    assert "answered already" in text_of(gil.get(address))
    with pytest.raises(Conflict):
        actions.answer(queries.milestone_request(world.mo, world.student.ref, request.ref), "declined", "x", actor=world.mo)


def test_one_that_is_taken_back_is_not_answered(world, client_for, post):
    request = asked(world, outcome="withdrawn")
    answer = post(client_for("gil"), f"{world.url}/requests/{request.ref}/answer",
                  {"outcome": "confirmed", "answer": ""}, form_url=world.url)  # fmt: skip
    assert answer.status_code == 409 and "Stu Sturgeon took it back" in text_of(answer) and state(world.fair, world) is None


def test_requests_elsewhere_are_missing_ones(world, client_for):
    gil, hidden = client_for("gil"), asked(world, world.hidden)
    assert gil.get(f"{world.url}/requests/{hidden.ref}/answer").status_code == 404
    own = asked(world)
    assert gil.get(f"/students/{factories.student().ref}/milestones/requests/{own.ref}/answer").status_code == 404
    actions.remove_milestone(world.fair, actor=world.ada)
    assert gil.get(f"{world.url}/requests/{own.ref}/answer").status_code == 404


@pytest.mark.parametrize("who", OTHERS)
def test_the_action_refuses_everybody_else(app, world, who):
    request = asked(world)
    row = queries.milestone_request(world.ada, world.student.ref, request.ref)
    with pytest.raises((permissions.NotVisible, permissions.Denied)):
        actions.answer(row, "confirmed", "", actor=getattr(world, who))
    with pytest.raises(ValueError, match="is not an answer"):
        actions.answer(row, "withdrawn", "", actor=world.gil)
    assert fresh(request).outcome == ""


# --- The email is checked again when it is sent ---------------------------------------------------------------------------------


def test_without_visibility_or_account_nobody_is_told(world):
    request = asked(world)
    actions.answer(queries.milestone_request(world.gil, world.student.ref, request.ref), "confirmed", "", actor=world.gil)
    visible()
    stranger = factories.student(email="nobody@school.example.org")
    cohort = factories.cohort(students=[stranger], groups=[world.counselling])
    request = MilestoneRequest.create(milestone=factories.milestone(cohort), student=stranger)
    actions.answer(queries.milestone_request(world.gil, stranger.ref, request.ref), "confirmed", "", actor=world.gil)
    assert not OutboxEmail.select().exists()


def later(name):
    """What may happen between the answer and the sending."""
    return {
        "visibility off": lambda world: School.update(student_visibility_at=None).execute(),
        "left": lambda world: type(world.student).update(is_active=False).execute(),
        "another address": lambda world: type(world.student).update(email_folded="x@school.example.org").execute(),
        "removed": lambda world: Milestone.update(removed_at=clock.now()).execute(),
        "archived": lambda world: type(world.cohort).update(archived_at=clock.now()).execute(),
        "taken out": lambda world: CohortStudent.delete().execute(),
        "account off": lambda world: type(world.stu).update(is_active=False).where(type(world.stu).id == world.stu.id).execute(),
    }[name]


@pytest.mark.parametrize(
    "what", ["visibility off", "left", "another address", "removed", "archived", "taken out", "account off"]
)
def test_what_is_closed_meanwhile_is_not_sent(app, world, smtp, what):
    visible()
    request = asked(world)
    actions.answer(queries.milestone_request(world.gil, world.student.ref, request.ref), "declined", "No.", actor=world.gil)
    assert OutboxEmail.select().count() == 1
    later(what)(world)
    with app.app_context():
        tasks.deliver()
    assert OutboxEmail.get().dropped_at and not smtp.messages


# --- Who is told of a request ----------------------------------------------------------------------------------------------------


def test_told_are_the_groups_and_their_managers_and_no_plain_admin(world):
    director = factories.account("Di Rector", role=permissions.DIRECTOR)
    excluded = factories.account("Ex Cluded")
    GroupMember.create(group=world.counselling, account=excluded)
    factories.exclusion(excluded, world.ada, student=world.student)
    told = {account.id for account in queries.told_of_request(world.student, world.cohort)}
    assert told == {world.gil.id, world.mo.id} and director.id not in told
    assert queries.told_of_request(world.student, world.other) == []
    GroupMember.create(group=world.counselling, account=world.ada)
    assert world.ada.id in {account.id for account in queries.told_of_request(world.student, world.cohort)}


def test_the_notification_leads_to_the_tab(world, client_for):
    with db.atomic():
        told = queries.told_of_request(world.student, world.cohort)
        events.notify("milestone_asked", told, actor=world.stu, target=world.student.ref, target_id=world.student.id)
    gil = client_for("gil")
    page = gil.get("/notifications")
    assert "A student asks to have a milestone marked as completed" in text_of(page) and "Stu Sturgeon" in text_of(page)
    row = Notification.get(Notification.account == world.gil)
    assert gil.get(f"/notifications/{row.ref}").location == world.url
    GroupMember.delete().execute()
    assert "Stu Sturgeon" not in text_of(gil.get("/notifications"))


# --- Files ----------------------------------------------------------------------------------------------------------------------


def test_files_of_milestones_and_requests(app, world, client_for):
    proof = stored(app, world, milestone_request=asked(world))
    form = stored(app, world, "form.txt", milestone=world.fair)
    hidden = stored(app, world, "hidden.txt", milestone=world.hidden)
    of_hidden = stored(app, world, "hidden2.txt", milestone_request=asked(world, world.hidden))
    removed = stored(app, world, "removed.txt", milestone=world.fair, removed_at=clock.now())
    someone = factories.student()
    theirs = stored(app, world, "theirs.txt", milestone_request=MilestoneRequest.create(milestone=world.fair, student=someone))
    gil = client_for("gil")
    page = gil.get(world.url).text
    assert "proof.txt" in page and "form.txt" in page
    assert not any(name in page for name in ("hidden.txt", "hidden2.txt", "removed.txt", "theirs.txt"))
    for file in (proof, form):
        assert gil.get(f"{world.url}/files/{file.ref}").data == b"My proof.\n"
    assert Event.select().where(Event.verb == "milestone.file_read", Event.target == world.student.ref).count() == 2
    for file in (hidden, of_hidden, removed, theirs):
        assert gil.get(f"{world.url}/files/{file.ref}").status_code == 404, file.name
    assert client_for("oli").get(f"{world.url}/files/{proof.ref}").status_code == 404


# --- All students one supports -----------------------------------------------------------------------------------------------------


def rows(client, query=""):
    page = client.get(f"/milestones{query}")
    assert page.status_code == 200
    return text_of(page)


def test_the_list_of_supported_students(world, client_for):
    other = factories.student("Bea", "Brown", year_group="10")
    CohortStudent.create(cohort=world.cohort, student=other, added_by=world.ada)
    actions.mark(world.fair, [other], "completed", actor=world.gil)
    asked(world, world.form)
    for who in ("gil", "mo"):
        words = rows(client_for(who))
        assert "Bea Brown 10 Autumn 1 of 2 – – 23 Nov 2026 –" in words
        assert "Stu Sturgeon 9 9B Autumn 0 of 2 – 1 23 Nov 2026 1" in words and "Chess" not in words
    gil = client_for("gil")
    assert "Bea Brown" not in rows(gil, "?show=overdue") and "Stu Sturgeon" in rows(gil, "?show=overdue")
    assert "Bea Brown" not in rows(gil, "?show=asked") and "Stu Sturgeon" in rows(gil, "?show=asked")
    assert "Stu Sturgeon" not in rows(gil, "?q=brown") and "Bea Brown" in rows(gil, "?q=brown")
    assert "Bea Brown" in rows(gil, f"?cohort={world.cohort.ref}&show=nonsense")
    assert "Bea Brown" in rows(gil, f"?cohort={world.other.ref}"), "a cohort one does not support is no filter"
    assert "Chess" in rows(client_for("ada"))


@pytest.mark.parametrize("who", ["kay", "sam", "oli"])
def test_who_supports_nobody_sees_an_empty_list(world, client_for, who):
    words = rows(client_for(who))
    assert "You support nobody yet" in words and "Sturgeon" not in words and "Autumn" not in words


@pytest.mark.parametrize("who", ["rae", "stu"])
def test_the_list_is_for_staff(world, client_for, who):
    for address in ("/milestones", "/milestones/export.csv"):
        assert client_for(who).get(address).status_code == 404


def test_directors_see_the_students_of_their_department(cast, client_for):
    group = factories.group("Careers", department="Guidance")
    director = factories.account("Di Rector", role=permissions.DIRECTOR, totp_secret="A" * 32, two_step_at=clock.now())
    DepartmentDirector.create(department=group.department, account=director)
    factories.cohort("First years", "Autumn", [cast.student], [group], created_by=cast.ada)
    client = client_for(director)
    assert "Stu Sturgeon" in rows(client) and client.get(f"/students/{cast.student.ref}/milestones").status_code == 200


def test_exports(world, client_for):
    gil = client_for("gil")
    lines = gil.get("/milestones/export.csv").data.decode("utf-8-sig").splitlines()
    assert lines[1] == "Stu Sturgeon,9,9B,Autumn,2,0,0,1,0,2026-11-23" and len(lines) == 2
    lines = gil.get(f"{world.url}/export.csv").data.decode("utf-8-sig").splitlines()
    assert lines[1] == "First years: Autumn,Job fair,2026-11-13,Overdue,," and len(lines) == 3
    assert client_for("oli").get("/milestones/export.csv").data.decode("utf-8-sig").count("\n") == 1


# --- What it costs -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["ada", "gil"])
def test_queries_do_not_grow(world, client_for, count_queries, who):
    client = client_for(who)

    def counted(address):
        client.get(address)
        with count_queries(most=10) as found:
            assert client.get(address).status_code == 200
        return len(found)

    before = counted(world.url), counted("/milestones")
    for number in range(12):
        row = factories.milestone(world.cohort, f"Part {number}", due_on=TODAY)
        asked(world, row)
        student = factories.student()
        factories.cohort(students=[student, world.student], groups=[world.counselling], created_by=world.ada, milestones=2)
        actions.mark(row, [world.student], "waived", actor=world.ada)
    assert (counted(world.url), counted("/milestones")) == before
