"""A student's own pages: what stands there, in which words, asking and taking back, and that nobody else gets anything."""

import io
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import pytest
from PIL import Image
from werkzeug.datastructures import FileStorage

import permissions
from blueprints.cohorts import actions, queries
from blueprints.cohorts.queries import own as own_queries
from blueprints.kit import uploads
from extensions import clock
from models import (
    Account,
    Cohort,
    CohortGroup,
    CohortStudent,
    Event,
    Group,
    GroupMember,
    Milestone,
    MilestoneRequest,
    Notification,
    NotificationChoice,
    OutboxEmail,
    School,
    StoredFile,
    Student,
    StudentMilestone,
)
from tests import factories
from tests.web import forms, text_of

PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\n%%EOF\n"


@pytest.fixture
def world(app, cast):
    """Stu is in a cohort that Counselling supports, Ann in another one with milestones of its own."""
    School.update(student_visibility_at=clock.now()).execute()
    today = factories.today()
    cohort = factories.cohort("First years", "Autumn", [cast.student], [cast.counselling])
    ann = factories.student("Ann", "Finch", email="ann@pupils.example.org")
    anns = factories.account("Ann Finch", "ann@pupils.example.org", role="student")
    tutors = factories.group("Tutors", members=[factories.account("Tess Tern", role="staff")])
    other = factories.cohort("First years", "Spring", [ann], [tutors])
    return SimpleNamespace(
        cast=cast, cohort=cohort, other=other, ann=ann, anns=anns, tutors=tutors, today=today, app=app,
        milestone=factories.milestone(cohort, "Meet your advisor", today + timedelta(days=3), description="Bring the form."),
        anns_milestone=factories.milestone(other, "Visit the job fair", today + timedelta(days=5)),
    )  # fmt: skip


@pytest.fixture
def stu(world, client_for):
    return client_for("stu")


def file_on(world, **record):
    stored = uploads.store(world.app.settings.files, io.BytesIO(PDF), "form.pdf")
    return StoredFile.create(
        name="form.pdf", path_name=stored.path_name, size=stored.size, media_type=stored.media_type, sha256=stored.sha256,
        uploaded_by=world.cast.ada, **record,
    )  # fmt: skip


def mark(world, state, milestone=None):
    StudentMilestone.create(
        milestone=milestone or world.milestone, student=world.cast.student, state=state, marked_by=world.cast.gil
    )


def url(milestone, rest=""):
    return f"/my/milestones/{milestone.ref}{rest}"


def ask(post, client, milestone, **data):
    return post(client, url(milestone, "/requests"), data, form_url=url(milestone))


# --- The start page ----------------------------------------------------------------------------------------------------


def test_before_visibility_there_is_an_empty_welcome_page(world, stu):
    School.update(student_visibility_at=None).execute()
    text = text_of(stu.get("/"))
    assert "Welcome, Stu Sturgeon" in text and "There is nothing for you to do here at the moment." in text
    assert "advisor" not in text and "milestone" not in text.casefold() and "Gil" not in text
    assert stu.get(url(world.milestone)).status_code == 404 and stu.get("/my/calendar").status_code == 404
    assert not Event.select().where(Event.verb == "student.own_read").exists()


def test_what_stands_on_the_dashboard(world, stu):
    file = file_on(world, milestone=world.milestone)
    page = stu.get("/")
    text = text_of(page)
    assert "Meet your advisor" in text and "0 of 1 done" in text and "You have 3 days left." in text
    assert url(world.milestone, f"/files/{file.ref}") in page.text and "form.pdf" in text
    assert "Gil Gannet" in text and "Counselling" in text and "gil@school.example.org" in text
    for nothing in ("Visit the job fair", "Tess", "Ann", "Mo Merlin", "incident", "Incident", "Case ", "cases"):
        assert nothing not in text
    event = Event.get(Event.verb == "student.own_read")
    assert event.actor_id == world.cast.stu.id and event.target == world.cast.student.ref


@pytest.mark.parametrize(
    ("days", "state", "words"),
    [
        (0, None, "It is due today."),
        (1, None, "It is due tomorrow."),
        (-1, None, "Overdue It was due 1 day ago."),
        (-9, None, "Overdue It was due 9 days ago."),
        (-9, "completed", "Completed"),
        (-9, "waived", "Waived You don't need to do it."),
        (4, "open", "Open You have 4 days left."),
        (None, None, "No due date Open"),
    ],
)
def test_each_state_in_words(world, stu, days, state, words):
    due = None if days is None else world.today + timedelta(days=days)
    Milestone.update(due_on=due).where(Milestone.id == world.milestone.id).execute()
    if state:
        mark(world, state)
    text = text_of(stu.get("/"))
    assert words in text
    assert ("Overdue" in text) == words.startswith("Overdue")
    assert text_of(stu.get(url(world.milestone))).count("Overdue") == words.startswith("Overdue")


def test_the_school_day_decides_what_is_overdue(world, client_for, clock):
    School.update(timezone="Pacific/Auckland").execute()
    clock.freeze(datetime(2026, 11, 22, 20, 0, tzinfo=UTC))  # the next day there
    Milestone.update(due_on=date(2026, 11, 22)).where(Milestone.id == world.milestone.id).execute()
    assert "It was due 1 day ago." in text_of(client_for("stu").get("/"))


def test_they_are_sorted_by_due_date_and_done_ones_stand_apart(world, stu):
    for title, days in (("Zebra", 1), ("Aardvark", 9), ("Undated", None), ("Old one", -3)):
        factories.milestone(world.cohort, title, None if days is None else world.today + timedelta(days=days))
    mark(world, "completed", factories.milestone(world.cohort, "Over and done", world.today - timedelta(days=40)))
    text = text_of(stu.get("/"))
    order = [text.index(title) for title in ("Old one", "Zebra", "Meet your", "Aardvark", "Undated", "Over and done")]
    assert order == sorted(order) and "1 of 6 done" in text


@pytest.mark.parametrize("hidden", ["draft", "removed", "archived", "taken out"])
def test_what_is_not_shown(world, stu, hidden):
    row, now = world.milestone, clock.now()
    if hidden == "archived":
        Cohort.update(archived_at=now).where(Cohort.id == world.cohort.id).execute()
    elif hidden == "taken out":
        CohortStudent.delete().where(CohortStudent.student == world.cast.student).execute()
    else:
        fields = {"saved_at": None} if hidden == "draft" else {"removed_at": now}
        Milestone.update(**fields).where(Milestone.id == row.id).execute()
    text = text_of(stu.get("/"))
    assert "advisor" not in text and "There is nothing for you to do yet." in text
    assert stu.get(url(row)).status_code == 404
    assert ("Gil Gannet" in text) == (hidden in ("draft", "removed"))


def test_each_person_of_the_network_stands_there_once(world, stu):
    gil = world.cast.gil
    Account.update(title="School counsellor", phone="01632 960 222", booking_url="https://book.example.org/gil").where(
        Account.id == gil.id).execute()  # fmt: skip
    second = factories.group("Careers", members=[gil])
    CohortGroup.create(cohort=world.cohort, group=second, attached_by=world.cast.ada)
    CohortStudent.create(cohort=world.other, student=world.cast.student, added_by=world.cast.ada)
    CohortGroup.create(cohort=world.other, group=second, attached_by=world.cast.ada)
    page = stu.get("/")
    text = text_of(page)
    assert text.count("Gil Gannet") == 2, "once as a heading, once after Book a time"
    assert "School counsellor Careers, Counselling" in text
    assert 'href="tel:01632960222"' in page.text and 'href="https://book.example.org/gil"' in page.text
    assert "Tess Tern" in text


def test_the_network_follows_membership_and_leaves_out_who_is_kept_away(world, stu):
    cast = world.cast
    assert "Gil" in text_of(stu.get("/"))
    GroupMember.create(group=cast.counselling, account=cast.sam)
    factories.exclusion(cast.gil, cast.ada, student=cast.student)
    text = text_of(stu.get("/"))
    assert "Sam Swift" in text and "Gil" not in text
    Account.update(is_active=False).where(Account.id == cast.sam.id).execute()
    assert "Nobody stands here yet." in text_of(stu.get("/"))


def test_the_pages_cost_the_same_however_much_there_is(world, stu, count_queries):
    stu.get("/")
    with count_queries(most=8) as few:
        stu.get("/")
    for number in range(12):
        row = factories.milestone(world.cohort, f"Number {number}", world.today + timedelta(days=number))
        file_on(world, milestone=row)
    factories.group("More", members=[factories.account() for _ in range(9)])
    CohortGroup.create(cohort=world.cohort, group=Group.get(Group.name == "More"), attached_by=world.cast.ada)
    with count_queries(most=len(few)):
        stu.get("/")
    stu.get(url(world.milestone))
    with count_queries(most=10):
        stu.get(url(world.milestone))


# --- A milestone: asking, taking back, what was answered -----------------------------------------------------------------


def test_the_page_of_a_milestone(world, stu):
    text = text_of(stu.get(url(world.milestone)))
    assert "Bring the form." in text and "Ask to mark as completed" in text and "What you asked" not in text


@pytest.mark.parametrize("data", [{}, {"note": "I met her on Monday."}, {"files": (io.BytesIO(PDF), "proof.pdf")}])
def test_asking_with_a_note_a_file_or_neither(world, stu, post, data):
    if "files" in data:
        data = {"files": (io.BytesIO(PDF), "proof.pdf")}
    answer = ask(post, stu, world.milestone, **data)
    assert answer.status_code == 303
    request = MilestoneRequest.get()
    assert (request.milestone_id, request.student_id, request.outcome) == (world.milestone.id, world.cast.student.id, "")
    assert request.note == data.get("note", "")
    assert request.files.count() == len(data.get("files", ())) // 2
    page = stu.get(url(world.milestone))
    assert "Waiting" in text_of(page) and "Ask to mark as completed" not in text_of(page)
    assert "You have asked. Your school will answer." in text_of(stu.get("/"))
    for file in request.files:
        with stu.get(url(world.milestone, f"/files/{file.ref}")) as answer:
            assert answer.data == PDF
    event = Event.get(Event.verb == "milestone.asked")
    assert event.target == world.cast.student.ref and "Monday" not in event.data


def test_the_support_staff_are_told_and_nobody_else(world, stu, post):
    """Gil is in the group and Mo manages it; Tess supports another cohort, Sam none."""
    ask(post, stu, world.milestone, note="Done")
    told = {row.account.name for row in Notification.select()}
    assert told == {"Gil Gannet", "Mo Merlin"}
    assert {row.kind for row in Notification.select()} == {"milestone_asked"}
    assert not OutboxEmail.select().exists(), "by daily digest unless somebody chose otherwise"


def test_the_email_is_checked_when_it_is_sent(world, stu, post):
    NotificationChoice.create(account=world.cast.gil, kind="milestone_asked", choice="at_once")
    ask(post, stu, world.milestone)
    row = OutboxEmail.get()
    assert row.kind == "milestone_asked"
    assert queries.email_milestone_asked(row, world.cast.gil) == {"ref": world.cast.student.ref}
    assert isinstance(queries.email_milestone_asked(row, world.cast.oli), str)
    actions.take_back(world.milestone, MilestoneRequest.get().ref, actor=world.cast.stu)
    assert queries.email_milestone_asked(row, world.cast.gil) == "nothing waits for an answer any more"


def test_asking_twice_asks_once(world, stu, post):
    ask(post, stu, world.milestone)
    late = ask(post, stu, world.milestone, note="Again")
    assert late.status_code == 422 and "You have asked already." in text_of(late) and "Again" in late.text
    assert MilestoneRequest.select().count() == 1


@pytest.mark.parametrize("state", ["completed", "waived"])
def test_what_is_marked_cannot_be_asked_about(world, stu, post, state):
    mark(world, state)
    assert "Ask to mark" not in text_of(stu.get(url(world.milestone)))
    answer = ask(post, stu, world.milestone, note="Please")
    assert answer.status_code == 422 and "marked this one already" in text_of(answer)
    assert not MilestoneRequest.select().exists()


def test_taking_back(world, stu, post):
    ask(post, stu, world.milestone, note="Too early", files=(io.BytesIO(PDF), "proof.pdf"))
    request = MilestoneRequest.get()
    address = url(world.milestone, f"/requests/{request.ref}/withdrawal")
    assert post(stu, address, {}, form_url=url(world.milestone)).status_code == 303
    assert MilestoneRequest.get().outcome == "withdrawn"
    text = text_of(stu.get(url(world.milestone)))
    assert "You took it back" in text and "Ask to mark as completed" in text and "proof.pdf" not in text
    assert stu.get(url(world.milestone, f"/files/{StoredFile.get().ref}")).status_code == 404
    post(stu, address, {}, form_url=url(world.milestone))
    assert Event.select().where(Event.verb == "milestone.request_withdrawn").count() == 1, "done already is done"
    assert ask(post, stu, world.milestone).status_code == 303, "and it can be asked again"


def test_what_was_answered_stays(world, stu, post):
    ask(post, stu, world.milestone, note="Look")
    fields = {"outcome": "declined", "answer": "The form has no signature.", "decided_by": world.cast.gil}
    MilestoneRequest.update(decided_at=clock.now(), **fields).execute()
    assert "Your school has answered" in text_of(stu.get("/"))
    text = text_of(stu.get(url(world.milestone)))
    assert "Not yet Gil Gannet" in text and "The form has no signature." in text and "Ask to mark as completed" in text
    late = post(stu, url(world.milestone, f"/requests/{MilestoneRequest.get().ref}/withdrawal"), {},
                form_url=url(world.milestone), follow=True)  # fmt: skip
    assert "It has been answered already." in text_of(late) and MilestoneRequest.get().outcome == "declined"


def test_a_refused_form_keeps_what_was_typed(world, stu, post):
    answer = ask(post, stu, world.milestone, note="x" * 2001)
    assert answer.status_code == 422 and "at most 2,000" in text_of(answer) and "x" * 2001 in answer.text
    answer = ask(post, stu, world.milestone, note="kept", files=(io.BytesIO(b"MZ\x90" + b"0" * 99), "virus.exe"))
    assert answer.status_code == 422 and "kept" in answer.text and 'aria-invalid="true"' in answer.text
    assert not MilestoneRequest.select().exists() and not StoredFile.select().exists()


def test_a_student_cannot_fill_the_disk(world, stu, post, monkeypatch):
    monkeypatch.setattr(own_queries, "OWN_ROOM", len(PDF) + 5)
    assert ask(post, stu, world.milestone, files=(io.BytesIO(PDF), "one.pdf")).status_code == 303
    actions.take_back(world.milestone, MilestoneRequest.get().ref, actor=world.cast.stu)
    before = sorted(world.app.settings.files.rglob("*"))
    answer = ask(post, stu, world.milestone, files=(io.BytesIO(PDF), "two.pdf"))
    assert answer.status_code == 422 and 'id="files-error"' in answer.text
    assert sorted(world.app.settings.files.rglob("*")) == before and StoredFile.select().count() == 1


def test_what_was_typed_comes_back_after_the_session_ended(world, stu, post):
    form = next(form for form in forms(stu.get(url(world.milestone))) if "note" in form.controls)
    key = f"own-milestone-{world.milestone.ref.lower()}"
    sent = {"note": "Half a sentence", "once": form.values["once"], "csrf_token": form.values["csrf_token"]}
    assert stu.post(f"/drafts/{key}", data=sent).status_code == 204
    assert "Half a sentence" in stu.get(url(world.milestone)).text
    ask(post, stu, world.milestone)
    actions.take_back(world.milestone, MilestoneRequest.get().ref, actor=world.cast.stu)
    page = next(form for form in forms(stu.get(url(world.milestone))) if "note" in form.controls)
    assert page.values["note"] == [""], "a draft that was sent is not shown again"


# --- Nobody else's -------------------------------------------------------------------------------------------------------


def test_two_students_see_nothing_of_each_other(world, stu, client_for, post):
    ann, cast = client_for(world.anns), world.cast
    post(ann, url(world.anns_milestone, "/requests"), {"files": (io.BytesIO(PDF), "a.pdf")}, form_url=url(world.anns_milestone))
    request, asked_file = MilestoneRequest.get(), StoredFile.get()
    file, tess = file_on(world, milestone=world.anns_milestone), Account.get(Account.name == "Tess Tern")
    foreign = [
        url(world.anns_milestone), url(world.anns_milestone, f"/files/{file.ref}"),
        url(world.anns_milestone, f"/files/{asked_file.ref}"), url(world.milestone, f"/files/{file.ref}"),
        url(world.milestone, f"/files/{asked_file.ref}"), f"/my/photos/{tess.ref}", f"/my/photos/{world.anns.ref}",
        f"/my/photos/{cast.stu.ref}", f"/my/photos/{cast.mo.ref}",
    ]  # fmt: skip
    for address in foreign:
        assert stu.get(address).status_code == 404, address
    for milestone in (world.milestone, world.anns_milestone):
        address = url(milestone, f"/requests/{request.ref}/withdrawal")
        assert post(stu, address, {}, form_url="/account").status_code == 404
    assert post(stu, url(world.anns_milestone, "/requests"), {"note": "Mine?"}, form_url="/account").status_code == 404
    assert MilestoneRequest.select().count() == 1 and MilestoneRequest.get().outcome == ""
    with ann.get(url(world.anns_milestone, f"/files/{asked_file.ref}")) as answer:
        assert answer.status_code == 200


def test_in_one_cohort_too(world, stu, client_for, post):
    """Both see the milestone; the request, its note and its file are the one's alone."""
    CohortStudent.create(cohort=world.cohort, student=world.ann, added_by=world.cast.ada)
    ann = client_for(world.anns)
    ask(post, ann, world.milestone, note="Only mine", files=(io.BytesIO(PDF), "private.pdf"))
    mark_of_ann = StudentMilestone.create(
        milestone=world.milestone, student=world.ann, state="completed", marked_by=world.cast.gil
    )
    text = text_of(stu.get("/")) + text_of(stu.get(url(world.milestone)))
    for word in ("Only mine", "private", "Ann", "Completed", "Waiting"):
        assert word not in text
    assert stu.get(url(world.milestone, f"/files/{StoredFile.get().ref}")).status_code == 404
    request = MilestoneRequest.get()
    address = url(world.milestone, f"/requests/{request.ref}/withdrawal")
    assert post(stu, address, {}, form_url=url(world.milestone)).status_code == 404
    assert MilestoneRequest.get().outcome == "" and mark_of_ann.state == "completed"


@pytest.mark.parametrize("who", ["ada", "kay", "gil", "mo", "sam", "rae", "oli"])
def test_the_pages_are_nobody_elses(world, client_for, post, who):
    client, missing = client_for(who), url(SimpleNamespace(ref="ZZZZZZZZZZ"))
    there, not_there = client.get(url(world.milestone)), client.get(missing)
    assert (there.status_code, not_there.status_code) == (404, 404)
    for address in ("/my/calendar", f"/my/photos/{world.cast.gil.ref}"):
        assert client.get(address).status_code == 404
    for address in (url(world.milestone, "/requests"), "/my/calendar/address", "/my/calendar/address/revocation"):
        assert post(client, address, {}, form_url="/account").status_code == 404
    assert not MilestoneRequest.select().exists()


def test_the_actions_refuse_too(world):
    cast = world.cast
    for person in (cast.ada, cast.gil, cast.mo, cast.oli, cast.rae, world.anns):
        with pytest.raises(permissions.NotVisible):
            actions.ask(world.milestone, "x", actor=person)
    request = actions.ask(world.milestone, "x", actor=cast.stu)
    with pytest.raises(permissions.NotVisible):
        actions.take_back(world.milestone, request.ref, actor=world.anns)
    School.update(student_visibility_at=None).execute()
    with pytest.raises(permissions.NotVisible):
        actions.take_back(world.milestone, request.ref, actor=cast.stu)


def test_who_has_left_sees_nothing(world, stu):
    Student.update(is_active=False).where(Student.id == world.cast.student.id).execute()
    assert "Welcome, Stu Sturgeon" in text_of(stu.get("/")) and stu.get(url(world.milestone)).status_code == 404


def test_photos_of_the_network(world, stu, client_for):
    picture = io.BytesIO()
    Image.new("RGB", (30, 30), "teal").save(picture, "PNG")
    picture.seek(0)
    path = uploads.store_portrait(world.app.settings.files, FileStorage(picture, "me.png"))
    gil = world.cast.gil
    assert stu.get(f"/my/photos/{gil.ref}").status_code == 404, "there is none"
    Account.update(photo_path=path).where(Account.id.in_([gil.id, world.cast.kay.id])).execute()
    assert f"/my/photos/{gil.ref}" in stu.get("/").text
    with stu.get(f"/my/photos/{gil.ref}") as answer:
        assert answer.status_code == 200 and answer.mimetype == "image/jpeg"
    assert stu.get(f"/my/photos/{world.cast.kay.ref}").status_code == 404
    assert client_for(world.anns).get(f"/my/photos/{gil.ref}").status_code == 404
