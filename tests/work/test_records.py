"""The records of a case: what its page shows to whom, putting one onto it, taking one off, and its history."""

import pytest

import events
import permissions
from blueprints.cases import actions, queries
from extensions import clock, db
from models import (
    Case,
    CaseRecord,
    CaseStaff,
    Event,
    FileCategory,
    MeetingStudent,
    Notification,
    PlanReview,
    StoredFile,
    StudentFileGroup,
    Trigger,
)
from tests import factories
from tests.web import text_of

KINDS = ("task", "meeting", "plan", "review", "form", "file")
PUT = {
    "task": "a task", "meeting": "a meeting", "plan": "a plan", "review": "a plan review", "form": "a form response",
    "file": "a file",
}  # fmt: skip


@pytest.fixture
def ann(cast):
    return factories.student("Ann", "Finch", year_group="7")


@pytest.fixture
def case(cast, ann):
    """Gil is on it, Kay opened it, Mo manages Gil's group."""
    return factories.case(ann, cast.kay, groups=[cast.counselling])


@pytest.fixture
def made(cast, ann):
    """{kind: a record of Ann that Sam made and sees, and Gil does not}"""
    plan = factories.plan(ann, cast.sam, goal="Come to school on time")
    upload = StoredFile.create(
        student=ann, name="consent.pdf", path_name="consent", media_type="application/pdf", size=1, sha256="0",
        uploaded_by=cast.sam, file_category=FileCategory.get(), shown_to="groups",
    )  # fmt: skip
    StudentFileGroup.create(file=upload, group=factories.group("Nurses"))
    return {
        "task": factories.task(ann, cast.sam, cast.sam, "Ring the father"),
        "meeting": factories.meeting(cast.sam, [ann], [cast.sam]),
        "plan": plan,
        "review": PlanReview.create(plan=plan, day=factories.today(), decision="step_up", author=cast.sam),
        "form": factories.response(factories.form("Worry", readers=[factories.group("Readers")]), cast.sam, ann),
        "file": upload,
    }


def belongs(case, kind, row, by, how="joined"):
    record = row.plan.ref if kind == "review" else row.ref
    return CaseRecord.create(case=case, kind=kind, record_id=row.id, record=record, how=how, by=by)


def put(case, kind, row, actor):
    _, _, asked, _ = queries.record_about(actor, case, kind, row.ref)
    confirmed = queries.confirmation_of(queries.new_record_readers(actor, case, kind, asked))
    return actions.put_record(case, kind, row.ref, confirmed=confirmed, actor=actor)


def on(case):
    return [(row.kind, row.record_id, row.how) for row in CaseRecord.select().where(CaseRecord.case == case.id)]


# --- What is shown ---------------------------------------------------------------------------------------------------


def test_the_page_lists_what_belongs_to_the_case(cast, case, made, client_for, count_queries):
    for kind in KINDS:
        belongs(case, kind, made[kind], cast.sam, "opened" if kind == "task" else "joined")
    gil = client_for("gil")
    with count_queries(most=10):
        page = gil.get(f"/cases/{case.ref}")
    assert page.status_code == 200
    words = text_of(page)
    for shown in ("Ring the father", "Come to school on time", "Student meeting", "Worry", "Step up", "Opened the case", "A file"):
        assert shown in words, shown
    assert "consent.pdf" not in page.text and made["file"].ref not in page.text, "the file is not Gil's to see"
    for kind, address in (("task", "/tasks/"), ("meeting", "/meetings/"), ("plan", "/plans/"), ("form", "/responses/")):
        assert f'href="{address}{made[kind].ref}"' in page.text
    sam = queries.records_of(cast.sam, case)
    assert next(one for one in sam if one.kind == "file").row.title == "consent.pdf"


def test_what_opened_it_is_said(cast, ann, client_for):
    Trigger.update(is_on=True).where(Trigger.kind == "task").execute()
    with db.atomic():
        actions.happened("task", ann, factories.task(ann, cast.sam, cast.kay, "Secret title"), actor=cast.kay)
        actions.happened("task", ann, factories.task(ann, cast.sam, cast.kay), actor=cast.kay)
    case = Case.get()
    ada = client_for("ada")
    words = text_of(ada.get(f"/cases/{case.ref}"))
    assert "Opened by itself a task was assigned" in words
    history = text_of(ada.get(f"/cases/{case.ref}/history"))
    assert "It opened by itself: a task was assigned." in history and "It joined by itself: a task was assigned." in history
    assert "Kay Kestrel" not in history and "Secret title" not in history


def test_nothing_is_told_of_a_record_that_is_closed_to_the_reader(cast, case, ann, client_for):
    """The meeting is about somebody else as well, from whom Gil is kept."""
    bo = factories.student("Bo", "Brown")
    meeting = factories.meeting(cast.sam, [ann, bo], [cast.sam], place="Library")
    belongs(case, "meeting", meeting, cast.sam)
    assert queries.records_of(cast.gil, case)[0].by == "Sam Swift"
    with db.atomic():
        events.record("case.record_joined", actor=cast.sam, target=case.ref, kind="meeting", record=meeting.ref)
        events.record("case.opened_itself", actor=cast.sam, target=case.ref, student=ann.ref, case_type="x", kind="meeting",
                      record=meeting.ref)  # fmt: skip
    gil, url = client_for("gil"), f"/cases/{case.ref}"
    assert "a meeting was scheduled" in text_of(gil.get(f"{url}/history"))
    factories.exclusion(cast.gil, cast.ada, student=bo)
    page = gil.get(f"{url}/records")
    assert "meeting" not in text_of(page).split("Whoever is on the case")[1] and meeting.ref not in page.text
    assert "a meeting was scheduled" not in text_of(gil.get(f"{url}/history"))
    assert queries.records_of(cast.gil, case) == [] and len(queries.records_of(cast.mo, case)) == 1


def test_nobody_is_told_of_a_meeting_that_is_closed_to_them(cast, case, ann):
    """By itself and by hand; Oli, who is on the case too, is told."""
    bo = factories.student("Bo", "Brown")
    CaseStaff.create(case=case, account=cast.oli, attached_by=cast.kay)
    factories.exclusion(cast.gil, cast.ada, student=bo)
    Trigger.update(is_on=True, case_type=case.case_type).where(Trigger.kind == "meeting").execute()
    with db.atomic():
        actions.happened("meeting", ann, factories.meeting(cast.sam, [ann, bo], [cast.sam]), actor=cast.sam)
    put(case, "meeting", factories.meeting(cast.kay, [ann, bo], [cast.kay]), cast.kay)
    assert [row.account.name for row in Notification.select()] == ["Oli Ouzel", "Oli Ouzel"]


def test_whether_a_meeting_is_about_the_student_too_is_told_by_no_answer(cast, case, ann, client_for, post):
    """Gil sees both meetings because of Bo's case, and is on Ann's as well: one is about both, the other about Bo alone."""
    bo = factories.student("Bo", "Brown")
    other = factories.case(bo, cast.kay, staff=[cast.gil])
    both, alone = (factories.meeting(cast.sam, about, [cast.sam]) for about in ([ann, bo], [bo]))
    for meeting in (both, alone):
        belongs(other, "meeting", meeting, cast.sam)
    gil = client_for("gil")
    for meeting in (both, alone):
        url = f"/cases/{case.ref}/records/meeting/{meeting.ref}"
        assert gil.get(url).status_code == 404
        assert post(gil, url, {"confirmed": "x"}, form_url="/account").status_code == 404
        assert post(gil, f"{url}/removal", {}, form_url="/account").status_code == 404


def test_who_was_taken_off_a_meeting_is_shown_nothing_of_it(cast, case, ann):
    meeting = factories.meeting(cast.sam, [ann], [cast.sam])
    belongs(case, "meeting", meeting, cast.sam)
    MeetingStudent.update(removed_at=clock.now()).execute()
    assert queries.records_of(cast.gil, case)[0].row is None


def test_the_number_of_queries_does_not_grow(cast, case, ann, client_for, count_queries):
    gil = client_for("gil")
    belongs(case, "task", factories.task(ann, cast.sam, cast.sam), cast.sam)
    with count_queries() as few:
        gil.get(f"/cases/{case.ref}/records")
    for _ in range(20):
        belongs(case, "task", factories.task(ann, cast.sam, cast.sam), cast.sam)
    with count_queries() as many:
        gil.get(f"/cases/{case.ref}/records")
    assert len(many) == len(few) <= 10


# --- Putting one onto it ---------------------------------------------------------------------------------------------


@pytest.fixture
def sam_on_it(case, cast):
    CaseStaff.create(case=case, account=cast.sam, attached_by=cast.kay)
    return case


@pytest.mark.parametrize("kind", KINDS)
def test_it_says_who_gets_access_and_gives_it(kind, sam_on_it, made, cast, client_for, post):
    case, row, sam = sam_on_it, made[kind], client_for("sam")
    url = f"/cases/{case.ref}/records/{kind}/{row.ref}"
    assert f'href="{url}"' in sam.get(f"/cases/{case.ref}/records").text
    page = text_of(sam.get(url))
    shown = row.plan if kind == "review" else row
    of = "plan" if kind == "review" else kind
    before = {account.name for account, _ in permissions.who_can_see_record(of, shown)}
    assert ("Nobody gets access" in page) if kind == "file" else ("Gil Gannet" in page and "Mo Merlin" in page)
    assert post(sam, url, {}).status_code == 303
    assert on(case) == [(kind, row.id, "linked")]
    after = {account.name for account, _ in permissions.who_can_see_record(of, shown)}
    named = {name for name in after | before if name in page.split("access to it:")[-1].split("Whoever")[0]}
    assert after - before == (set() if kind == "file" else {"Gil Gannet", "Kay Kestrel", "Mo Merlin"} - before)
    assert kind == "file" or named == after - before
    assert f'href="{url}"' not in sam.get(f"/cases/{case.ref}/records").text
    assert post(sam, url, {}).status_code == 422
    assert Notification.get(Notification.account == cast.gil).detail == kind
    assert f"put {PUT[kind]} onto the case" in text_of(sam.get(f"/cases/{case.ref}/history"))


def test_a_confirmation_is_for_exactly_these_people(sam_on_it, made, cast, client_for):
    with pytest.raises(actions.Unconfirmed):
        actions.put_record(sam_on_it, "task", made["task"].ref, confirmed="", actor=cast.sam)
    assert not CaseRecord.select().exists()


def test_whoever_sees_it_because_of_another_case_alone_can_not_put_it_onto_one(cast, case, made, client_for, post):
    belongs(case, "task", made["task"], cast.sam)
    other = factories.case(case.student, cast.kay, staff=[cast.gil, cast.oli])
    gil, url = client_for("gil"), f"/cases/{other.ref}/records/task/{made['task'].ref}"
    assert url not in gil.get(f"/cases/{other.ref}/records").text
    assert gil.get(url).status_code == 403
    assert post(gil, url, {"confirmed": "x"}, form_url="/account").status_code == 403
    with pytest.raises(permissions.Denied):
        actions.put_record(other, "task", made["task"].ref, confirmed="x", actor=cast.gil)
    assert on(other) == []


def test_only_what_is_about_the_student_and_seen(cast, case, made, client_for, post):
    kay = client_for("kay")
    elsewhere = factories.task(cast.student, cast.kay, cast.kay)
    for ref in (elsewhere.ref, made["task"].ref, "0000000000", "x\0"):
        assert kay.get(f"/cases/{case.ref}/records/task/{ref}").status_code == 404
        assert post(kay, f"/cases/{case.ref}/records/task/{ref}", {}, form_url="/account").status_code == 404
    assert on(case) == []


def test_whoever_is_kept_from_a_record_is_not_named_as_gaining_it(cast, case, ann):
    bo = factories.student("Bo", "Brown")
    meeting = factories.meeting(cast.kay, [ann, bo], [cast.kay])
    factories.exclusion(cast.gil, cast.ada, student=bo)
    _, _, asked, _ = queries.record_about(cast.kay, case, "meeting", meeting.ref)
    assert [account.name for account in queries.new_record_readers(cast.kay, case, "meeting", asked)] == ["Mo Merlin"]


def test_a_closed_case_takes_nothing(cast, ann, made):
    case = factories.case(ann, cast.sam, status="Closed")
    with pytest.raises(actions.Refused, match="closed"):
        put(case, "task", made["task"], cast.sam)
    link = belongs(case, "task", made["task"], cast.sam, "linked")
    with pytest.raises(actions.Refused, match="closed"):
        actions.take_record_off(case, "task", made["task"].ref, actor=cast.sam)
    assert CaseRecord.get_or_none(CaseRecord.id == link.id)


# --- Taking one off --------------------------------------------------------------------------------------------------


def test_what_was_put_there_can_be_taken_off(sam_on_it, made, cast, client_for, post):
    case, task = sam_on_it, made["task"]
    put(case, "task", task, cast.sam)
    url = f"/cases/{case.ref}/records/task/{task.ref}/removal"
    assert post(client_for("gil"), url, {}, form_url=f"/cases/{case.ref}/records").status_code == 403
    assert f'action="{url}"' not in client_for("gil").get(f"/cases/{case.ref}/records").text
    assert post(client_for("mo"), url, {}, form_url=f"/cases/{case.ref}/records").status_code == 303
    assert on(case) == [] and not permissions.record_reasons("task", cast.gil, task)
    assert post(client_for("sam"), url, {}, form_url=f"/cases/{case.ref}/records").status_code == 404
    verbs = [row.verb for row in Event.select().where(Event.verb.contains("case.record")).order_by(Event.id)]
    assert verbs == ["case.record_linked", "case.record_unlinked"]


@pytest.mark.parametrize("how", ["opened", "joined"])
def test_what_came_by_itself_stays(how, case, made, cast, client_for, post):
    belongs(case, "task", made["task"], cast.sam, how)
    url = f"/cases/{case.ref}/records/task/{made['task'].ref}/removal"
    page = client_for("kay").get(f"/cases/{case.ref}/records")
    assert url not in page.text
    answer = post(client_for("kay"), url, {}, form_url=f"/cases/{case.ref}/records", follow=True)
    assert "stays on it" in text_of(answer) and on(case) == [("task", made["task"].id, how)]


# --- Others, and closing ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["oli", "sam", "rae", "stu"])
def test_whoever_does_not_see_the_case_finds_nothing(who, case, made, cast, client_for, post):
    belongs(case, "task", made["task"], cast.kay, "linked")
    client, base = client_for(who), f"/cases/{case.ref}/records"
    missing = client.get("/cases/C-000000/records")
    answer = client.get(base)
    assert answer.status_code == missing.status_code == 404
    assert text_of(answer) == text_of(missing) and case.ref not in answer.text
    for url in (f"{base}/plan/{made['plan'].ref}", f"{base}/task/{made['task'].ref}/removal"):
        assert post(client, url, {}, form_url="/account").status_code == 404
    assert on(case) == [("task", made["task"].id, "linked")]


def test_closing_warns_of_open_tasks(case, made, cast, client_for, post):
    kay, url = client_for("kay"), f"/cases/{case.ref}/closure"
    assert "still open" not in text_of(kay.get(url))
    belongs(case, "task", made["task"], cast.sam)
    belongs(case, "task", factories.task(case.student, cast.sam, cast.sam, "Done already", state="completed"), cast.sam)
    page = text_of(kay.get(url))
    assert "1 task is still open on this case" in page and "Ring the father" in page and "Done already" not in page
    reason = queries.close_reasons(cast.kay)[0].ref
    assert post(kay, url, {"reason": reason}).status_code == 303, "it warns, and closes"


def test_actions_ask(case, made, cast):
    for who in (cast.oli, cast.rae, cast.stu):
        with pytest.raises(permissions.NotVisible):
            actions.put_record(case, "task", made["task"].ref, confirmed="", actor=who)
        with pytest.raises(permissions.NotVisible):
            actions.take_record_off(case, "task", made["task"].ref, actor=who)
