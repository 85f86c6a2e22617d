"""Reporting > Custom Report > Filter Incidents, and who can see an incident."""

import csv
import io
import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from extensions import clock
from tests import factories
from tests.browser import steps


@pytest.fixture
def term(cast):
    """Six incidents: two of Bullying in year 7, one of them assigned to Ken, four others."""
    bullying, first_aid = factories.category("Bullying"), factories.category("First aid")
    ann = factories.student("Ann", "Finch", year_group="7")
    bo = factories.student("Bo", "Wren", year_group="8")
    days = iter(range(1, 60, 9))

    def add(student, category, **options):
        at = clock.now() - timedelta(days=next(days))
        return factories.incident(cast.sam, [(student, [category])], happened_at=at, entered_at=at, **options)

    return [
        add(ann, bullying, assigned_to=cast.ken), add(ann, bullying, text="A plain word: rhubarb."),
        add(bo, bullying), add(bo, first_aid, status="Closed"), add(bo, first_aid), add(ann, first_aid),
    ]  # fmt: skip


def test_a_custom_report(site, page_for, cast, term):
    kay = page_for("kay")
    kay.goto("/")
    navigation = kay.get_by_role("navigation", name="Main")
    navigation.get_by_role("link", name="Reporting", exact=True).click()
    navigation.get_by_role("link", name="Custom Report", exact=True).click()
    expect(kay.get_by_role("heading", name="Filter Incidents")).to_be_visible()
    steps.choose(kay, "Category", "Bullying")
    steps.choose(kay, "Status", "Active")
    steps.press(kay, "Show results")
    _results(kay, {term[0].ref, term[1].ref, term[2].ref})
    assert "status=Active" in kay.url
    steps.follow(kay, "Counts")
    for chart in ("month", "category", "year group", "status"):
        drawn = kay.get_by_role("figure").filter(has_text=re.compile(f"by {chart}", re.I))
        expect(drawn.locator("svg[role=img]")).to_be_visible()
        expect(drawn.locator("summary")).to_have_text("Table")
    kay.go_back()

    steps.field(kay, "Unassigned").check()
    steps.choose(kay, "Year group", "7")
    steps.press(kay, "Show results")
    _results(kay, {term[1].ref})

    with kay.expect_download() as download:
        steps.follow(kay, "CSV")
    rows = list(csv.reader(io.StringIO(download.value.path().read_text(encoding="utf-8-sig"))))
    assert len(rows) == 2 and rows[1][0] == term[1].ref
    with kay.expect_download() as download:
        steps.follow(kay, "XLSX")
    assert download.value.path().read_bytes().startswith(b"PK")

    _save_report(kay, "Unassigned in year 7")
    kay.goto("/reports")
    steps.follow(kay, "Unassigned in year 7")
    _results(kay, {term[1].ref})


def _results(page, refs):
    links = page.get_by_role("main").get_by_role("link", name=re.compile("^I-[0-9A-Z]{6}$"))
    expect(links).to_have_count(len(refs))
    assert set(links.all_inner_texts()) == refs


def _save_report(page, name):
    steps.fill(page, "Name", name)
    steps.press(page, "Save report")
    expect(page.get_by_role("status")).to_contain_text(name)


def test_an_assigned_report_without_script(plain_page_for, cast, term):
    kay = plain_page_for("kay")
    kay.goto("/reports/incidents")
    steps.choose(kay, "Assigned to", "Ken Kittiwake")
    steps.fill(kay, "Text", "corridor")
    steps.press(kay, "Show results")
    _results(kay, {term[0].ref})


def test_who_can_see_this(site, page_for, cast):
    need_to_know = factories.category("Disclosure", need_to_know=[cast.counselling])
    ann = factories.student("Ann", "Finch")
    row = factories.incident(cast.sam, [(ann, [need_to_know])], assigned_to=cast.ken)
    ada = page_for("ada")
    ada.goto(f"/incidents/{row.ref}")
    readers = steps.region(ada, "Who can see this")
    reasons = {"Ada Adler": "Admin", "Ken Kittiwake": "assigned", "Gil Gannet": "group", "Sam Swift": "wrote it"}
    for person, reason in reasons.items():
        expect(readers.get_by_role("row").filter(has_text=person)).to_contain_text(reason)
    expect(readers.get_by_role("row")).to_have_count(1 + len(reasons))
