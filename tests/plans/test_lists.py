"""Lists of plans: who finds what and why, with which filters, in the files too, and what a list costs."""

from datetime import timedelta

import pytest

from blueprints.plans import queries
from extensions import clock
from models import Event
from tests import factories
from tests.web import text_of


def day(days=0):
    return factories.today() + timedelta(days=days)


@pytest.fixture
def ann(cast):
    return factories.student("Ann", "Finch", year_group="7")


@pytest.fixture
def plan(cast, ann):
    return factories.plan(ann, cast.sam, cast.kay, staff=[cast.gil], starts_on=day(-40))


@pytest.fixture
def others(cast):
    bea = factories.student("Bea", "Brown")
    due = factories.plan(bea, cast.kay, cast.sam, tier=3, goal="Read 100% aloud", starts_on=day(-30), review_by=day())
    ended = factories.plan(bea, cast.sam, goal="Old goal", state="ended", ended_at=clock.now())
    return due, ended


def refs(user, **filters):
    return [row.ref for row in queries.export_rows(user, **filters)]


def test_each_list_says_why_its_reader_sees_a_plan(cast, plan, others):
    due, ended = others
    assert {row.ref: row.because for row in queries.export_rows(cast.sam)} == {
        plan.ref: "Lead", due.ref: "Created it", ended.ref: "Lead, Created it",
    }  # fmt: skip
    assert refs(cast.ada) == [due.ref, ended.ref, plan.ref], "by student, what is active first"
    for who in (cast.oli, cast.ken, cast.rae, cast.stu):
        assert refs(who) == []


def test_filters(cast, plan, others):
    due, ended = others
    assert refs(cast.sam, state="ended") == [ended.ref]
    assert refs(cast.sam, state="active", due_by=day()) == [due.ref] and refs(cast.sam, due_by=day(-1)) == []
    assert refs(cast.sam, tier=3) == refs(cast.sam, lead_id=cast.kay.id) == [due.ref]
    assert refs(cast.sam, text="finch time") == refs(cast.sam, text="ANN") == [plan.ref]
    assert refs(cast.sam, text="100%") == [due.ref] and refs(cast.sam, text="nothing like it") == []


def test_the_pages_and_files_of_the_lists(cast, plan, others, ann, client_for):
    due, ended = others
    sam = client_for("sam")
    for address, there, missing in (
        ("/plans", {plan.ref, due.ref}, {ended.ref}),
        ("/plans?show=due", {due.ref}, {plan.ref, ended.ref}),
        ("/plans?show=ended", {ended.ref}, {plan.ref, due.ref}),
        ("/plans?show=all&q=finch", {plan.ref}, {ended.ref, due.ref}),
        (f"/plans?lead={cast.kay.ref}", {due.ref}, {plan.ref}),
        (f"/students/{ann.ref}/plans", {plan.ref}, {due.ref}),
    ):
        page = sam.get(address).text
        assert all(f"/plans/{ref}" in page for ref in there) and not any(ref in page for ref in missing), address
    assert "Due today" in text_of(sam.get("/plans"))
    file = sam.get("/plans.csv?show=all", buffered=True).text
    assert file.count("\n") == 4 and "Tier" in file and "Created it" in file
    assert sam.get(f"/students/{ann.ref}/plans/export.xlsx", buffered=True).status_code == 200
    listed = [event.data for event in Event.select().where(Event.verb == "plan.listed")]
    assert any('"list": "due"' in data for data in listed) and any('"list": "student"' in data for data in listed)
    assert Event.select().where(Event.verb == "plan.exported").count() == 2


@pytest.mark.parametrize("who", ["rae", "stu"])
def test_referral_users_and_students_find_no_list(cast, plan, ann, client_for, who):
    client = client_for(who)
    for address in ("/plans", "/plans.csv", "/plans/new", "/plans/staff-suggest?q=g", f"/students/{ann.ref}/plans",
                    f"/students/{ann.ref}/plans/export.csv"):  # fmt: skip
        assert client.get(address).status_code == 404, address


def test_oli_sees_the_tab_and_nothing_in_it(cast, plan, ann, client_for):
    page = text_of(client_for("oli").get(f"/students/{ann.ref}/plans"))
    assert "No plans here" in page and "Be on time" not in page and plan.ref not in page
    assert "Be on time" not in client_for("oli").get(f"/students/{ann.ref}/plans/export.csv", buffered=True).text


@pytest.mark.parametrize("text", ['"', "!", "_", "\\", "'; DROP TABLE plan; --", "|", "\0"])
def test_hostile_words_break_nothing(cast, plan, client_for, text):
    query = {"q": text, "show": text, "tier": text, "lead": text, "page": text}
    assert client_for("sam").get("/plans", query_string=query).status_code == 200
    assert client_for("sam").get("/plans/staff-suggest", query_string={"q": text, "student": ""}).status_code == 200
    assert client_for("sam").get(f"/plans/{text}xx").status_code in (404, 400)


def test_a_list_costs_the_same_however_long(cast, plan, client_for, count_queries):
    sam = client_for("sam")
    sam.get("/plans")
    with count_queries(most=10) as few:
        sam.get("/plans")
    for _ in range(60):
        factories.plan(factories.student(), cast.sam)
    with count_queries(most=10) as many:
        page = sam.get("/plans")
    assert len(many) <= len(few) + 1 and "1–50 of 61 plans" in text_of(page), "turning pages counts"
    assert len(page.data) < 60_000


def test_formulas_stay_texts(cast, ann, client_for):
    factories.plan(ann, cast.sam, goal="=HYPERLINK(1)")
    assert "'=HYPERLINK" in client_for("sam").get("/plans.csv", buffered=True).text
