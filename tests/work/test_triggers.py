"""For each of the six triggers, by the parts' own actions and pages: off nothing opens, on a case does, the next joins; who sees
it; and whoever triggers it can't tell."""

import io
import re
from datetime import UTC, date, datetime

import pytest

import permissions
from blueprints.cases import actions
from blueprints.cases import queries as cases
from blueprints.forms import actions as form_actions
from blueprints.plans import actions as plan_actions
from extensions import db
from models import Case, CaseRecord, CaseType, Event, Form, Plan, Student, Trigger, TriggerGroup, TriggerStaff
from tests import factories
from tests.access.visitor import undone
from tests.work.happenings import TABLES, happen, meeting, ready

KINDS = tuple(TABLES)


@pytest.fixture
def ann(cast, clock):
    student = factories.student("Ann", "Finch")
    ready(student, cast.sam)
    return student


def switch(kind, on=True, groups=(), staff=(), **fields):
    trigger = Trigger.get((Trigger.kind == kind) & Trigger.form.is_null())
    Trigger.update(is_on=on, **fields).where(Trigger.id == trigger.id).execute()
    for one in groups:
        TriggerGroup.create(trigger=trigger, group=one)
    for one in staff:
        TriggerStaff.create(trigger=trigger, account=one)


@pytest.mark.parametrize("kind", KINDS)
def test_what_happens_opens_a_case_and_joins_it(kind, ann, cast):
    happen(kind, ann, cast.sam)
    assert not Case.select().exists()
    switch(kind, groups=[cast.counselling])
    assert not Case.select().exists(), "nothing for the past"
    first = happen(kind, ann, cast.sam)
    case = Case.get()
    assert cases.case(cast.gil, case.ref).ref == case.ref and not permissions.case_reasons(cast.sam, case)
    second = happen(kind, ann, cast.sam)
    assert Case.select().count() == 1
    rows = [(row.kind, row.record_id, row.how, row.by_id) for row in CaseRecord.select().order_by(CaseRecord.id)]
    assert rows == [(kind, first.id, "opened", cast.sam.id), (kind, second.id, "joined", cast.sam.id)]
    assert all(one.row for one in cases.records_of(cast.gil, case)), "whoever is on the case works with the student"
    told = Event.select().where((Event.target == case.ref) & (Event.verb != "case.read")).order_by(Event.id)
    assert [event.verb for event in told] == ["case.opened_itself", "case.record_joined"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_pages_of_the_case_say_it(kind, ann, cast, client_for):
    switch(kind, groups=[cast.counselling])
    row = happen(kind, ann, cast.sam)
    case = Case.get()
    gil = client_for("gil")
    page = gil.get(f"/cases/{case.ref}").text
    assert "Opened by itself" in page and CaseRecord.get().record in (row.ref, getattr(row, "plan", row).ref)
    assert case.ref in gil.get("/cases/mine").text
    assert client_for("sam").get(f"/cases/{case.ref}").status_code == 404


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "file"])
def test_the_record_links_from_the_case_open(kind, ann, cast, client_for):
    switch(kind, groups=[cast.counselling])
    happen(kind, ann, cast.sam)
    url = cases.records_of(cast.gil, Case.get())[0].row.url
    assert client_for("gil").get(url).status_code == 200


def test_a_file_that_the_reader_may_see_opens_from_the_case(ann, cast, client_for):
    switch("file", staff=[cast.kay])
    happen("file", ann, cast.sam)
    row = cases.records_of(cast.kay, Case.get())[0].row
    assert row.title == "letter.pdf" and client_for("kay").get(row.url).status_code in (200, 404)


def test_students_who_are_added_to_a_meeting_later(ann, cast):
    switch("meeting")
    bo, cy = factories.student("Bo", "Brown"), factories.student("Cy", "Coot")
    row = meeting(ann, cast.sam, [bo])
    assert {case.student_id for case in Case.select()} == {ann.id, bo.id}
    actions.add_meeting_students(row, [cy], actor=cast.sam)
    assert {case.student_id for case in Case.select()} == {ann.id, bo.id, cy.id}
    assert CaseRecord.select().count() == 3


def test_an_intervention_group_opens_one_for_each(cast, count_queries):
    switch("plan", staff=[cast.ken])
    students = [factories.student() for _ in range(30)]
    group = factories.intervention_group(cast.kay)
    with db.atomic():
        plan_actions.generate(group, students, actor=cast.kay)
    assert Plan.select().count() == Case.select().count() == CaseRecord.select().count() == 30


def test_a_referral_when_it_is_accepted(ann, cast):
    switch("form")
    form = factories.form("Referral", for_referral_users=True)
    row = factories.referral(form, cast.rae, "Ann", "Finch")
    assert not Case.select().exists()
    form_actions.accept(row, ann, version=1, actor=cast.kay)
    assert Case.get().student_id == ann.id and CaseRecord.get().by == cast.kay


def test_a_task_set_on_a_case_belongs_to_it_once(ann, cast):
    case = factories.case(ann, cast.kay, case_type=CaseType.select().order_by(CaseType.position).first().name)
    switch("task")
    actions.set_task(actor=cast.kay, student=ann, title="Ring", assigned_to=cast.sam, case=case)
    assert Case.select().count() == 1
    assert [(row.case_id, row.how) for row in CaseRecord.select()] == [(case.id, "linked")]


# --- Whoever triggers it can't tell (DOMAIN.md, ruling 3) ------------------------------------------------------------


def page_of(kind, ann):
    """(the address of the page with the form, what is sent)"""
    plan = Plan.get(Plan.student == ann.id)
    tomorrow, form = "2026-11-23T10:00", Form.get()
    return {
        "task": (f"/tasks/new?student={ann.ref}", {"title": "Ring", "student_ref": [ann.ref]}),
        "meeting": (
            f"/meetings/new?student={ann.ref}",
            {"students_ref": [ann.ref], "starts": tomorrow, "ends": "2026-11-23T11:00", "starts_at": tomorrow,
             "ends_at": "2026-11-23T11:00"},
        ),
        "plan": (f"/plans/new?student={ann.ref}", {"student_ref": [ann.ref], "tier": "2", "goal": "Be on time"}),
        "review": (f"/plans/{plan.ref}/reviews/new", {"decision": "continue", "day": "2026-11-22"}),
        "form": (f"/forms/{form.ref}/responses/new?student={ann.ref}", {"student_ref": [ann.ref]}),
        "file": (f"/students/{ann.ref}/files/new", {}),
    }[kind]  # fmt: skip


def said(client, post, kind, ann, cast):
    """What the browser gets, with everything random masked: the answer, and the page after it."""
    url, data = page_of(kind, ann)
    if kind == "file":
        data = {**data, "files": (io.BytesIO(b"%PDF-1.4 x"), "letter.pdf"), "shown_to": "related"}
    if kind == "task":
        data = {**data, "assigned_to": cast.sam.ref, "assigned_to_ref": [cast.sam.ref]}
    answer = post(client, url, data)
    assert answer.status_code == 303, re.findall(r"error-summary.*?</div>", answer.text, re.S)[:1]
    page = client.get(answer.location)
    assert page.status_code == 200
    shown = [answer.status, dict(answer.headers), answer.text, page.status, dict(page.headers), page.text]
    return [masked(str(one)) for one in shown]


def masked(text):
    text = re.sub(r"[0-9A-HJKMNP-TV-Z]{10}|(?<=[:-])[0-9a-hjkmnp-tv-z]{10}(?=\")", "REF", text)
    text = re.sub(r'name="(csrf_token|once)" (type="hidden" )?value="[^"]*"', r"\1", text)
    return re.sub(r"nonce-[\w-]+|caseward=[^;']+|Expires=[^']+", "", text)


@pytest.mark.parametrize("kind", KINDS)
def test_whoever_triggers_it_gets_the_same_bytes(kind, ann, cast, client_for, post, clock):
    clock.freeze(datetime(2026, 11, 22, 12, tzinfo=UTC))
    Plan.update(starts_on=date(2026, 11, 1)).execute()  # before this moment, whenever the test runs
    sam, worlds = client_for("sam"), {}

    def off():
        pass

    def opens():
        switch(kind, groups=[cast.counselling])

    def joins():
        switch(kind)
        factories.case(ann, cast.kay, case_type=CaseType.select().order_by(CaseType.position).first().name)

    for make in (off, opens, joins):
        with undone():
            make()
            before = CaseRecord.select().count()
            worlds[make.__name__] = said(sam, post, kind, ann, cast)
            assert CaseRecord.select().count() - before == (make is not off)
    assert worlds["off"] == worlds["opens"] == worlds["joins"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_student_who_left_or_whoever_is_kept_away_changes_nothing_for_the_page(kind, ann, cast):
    """Somebody who is named in the dictionary and kept from the student is left out without a word."""
    switch(kind, staff=[cast.ken])
    factories.exclusion(cast.ken, cast.ada, student=ann)
    happen(kind, ann, cast.sam)
    assert [account.name for account, _ in permissions.who_can_see_case(Case.get())] == ["Ada Adler"]
    assert Student.get_by_id(ann.id).version == 1
