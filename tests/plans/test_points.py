"""Progress points: who measures, what is refused, and the chart they are drawn as."""

from datetime import timedelta

import pytest

import permissions
from blueprints.plans import actions, queries
from blueprints.plans.queries.progress import DRAWN
from extensions import clock
from models import Event, Plan, PlanPoint
from tests import factories
from tests.web import forms, text_of


def day(days=0):
    return factories.today() + timedelta(days=days)


@pytest.fixture
def plan(cast):
    return factories.plan(
        factories.student("Ann", "Finch"), cast.sam, staff=[cast.gil], starts_on=day(-30), baseline=2.0, target=4.5
    )


@pytest.fixture
def url(plan):
    return f"/plans/{plan.ref}"


def measure(plan, cast, values):
    for number, value in enumerate(values):
        actions.add_point(plan, day=day(number - len(values) + 1), value=value, actor=cast.sam)


def test_whoever_works_on_the_plan_measures(cast, plan, client_for, post, url):
    gil = client_for("gil")
    given = {"day": day(-2).isoformat(), "value": "3.5", "note": "By the tutor"}
    assert post(gil, f"{url}/points", given, form_url=url).location == f"{url}#progress"
    point = PlanPoint.get()
    assert (point.day, point.value, point.note, point.author) == (day(-2), 3.5, "By the tutor", cast.gil)
    event = Event.get(Event.verb == "plan.point_added")
    assert event.target == plan.ref and point.ref in event.data and "3.5" not in event.data and "tutor" not in event.data
    assert "By the tutor" in text_of(gil.get(url))


@pytest.mark.parametrize(
    "changes, sentence",
    [
        ({"day": "-31"}, "nothing can be measured in it before."),
        ({"day": "1"}, "This day is in the future."),
        ({"day": ""}, "Say on which day it was measured."),
        ({"day": "30 Feb 2026"}, "is not a date"),
        ({"value": ""}, "Say what was measured: a number."),
        ({"value": "many"}, "many is not a number. Write it like 12 or 4.5."),
        ({"value": "inf"}, "inf is not a number."),
        ({"note": "x" * 501}, "It can be at most 500."),
    ],
)
def test_what_cannot_be_taken_is_said_and_stays_typed(cast, plan, client_for, post, url, changes, sentence):
    if changes.get("day", "").lstrip("-").isdigit():
        changes = {"day": day(int(changes["day"])).isoformat()}
    given = {"day": day().isoformat(), "value": "3", "note": "Kept"} | changes
    answer = post(client_for("sam"), f"{url}/points", given)
    assert answer.status_code == 422 and sentence in text_of(answer)
    kept = next(form for form in forms(answer) if "note" in form.controls).values
    assert {name: kept[name][0] for name in given} == given and not PlanPoint.select().exists()


def test_a_plan_that_starts_later_or_has_ended_takes_no_point(cast, client_for, post):
    later = factories.plan(factories.student(), cast.sam, starts_on=day(5))
    answer = post(client_for("sam"), f"/plans/{later.ref}/points", {"day": day().isoformat(), "value": "1"})
    assert answer.status_code == 422 and "nothing can be measured in it before." in text_of(answer)
    ended = factories.plan(factories.student(), cast.sam, state="ended", ended_at=clock.now())
    answer = post(client_for("sam"), f"/plans/{ended.ref}/points", {"day": day().isoformat(), "value": "1"}, form_url="/")
    assert answer.status_code == 422 and "This plan has ended. Resume it first." in text_of(answer)
    kept = next(form for form in forms(answer) if "note" in form.controls).values
    assert kept["value"] == ["1"] and not PlanPoint.select().exists()


def test_a_point_that_is_removed_stays_in_the_table_and_leaves_the_page(cast, plan, client_for, post, url):
    measure(plan, cast, [1, 99])
    point = PlanPoint.get(PlanPoint.value == 99)
    sam = client_for("sam")
    for _ in range(2):
        assert post(sam, f"{url}/points/{point.ref}/removal", {}, form_url=url).status_code in (303, 404)
    gone = PlanPoint.get_by_id(point.id)
    assert gone.removed_at and gone.removed_by == cast.sam and PlanPoint.select().count() == 2
    assert Event.select().where(Event.verb == "plan.point_removed").count() == 1
    assert "99" not in [cell for cell in text_of(sam.get(f"{url}/points")).split() if cell.isdigit()]
    for who in ("oli", "rae", "stu"):
        other = PlanPoint.get(PlanPoint.value == 1)
        assert post(client_for(who), f"{url}/points/{other.ref}/removal", {}, form_url="/").status_code == 404
        assert post(client_for(who), f"{url}/points", {"day": day().isoformat(), "value": "1"}, form_url="/").status_code == 404


def test_a_point_of_another_plan_is_not_there(cast, plan, client_for, post, url):
    other = factories.plan(factories.student(), cast.oli, starts_on=day(-3))
    theirs = actions.add_point(other, day=day(), value=7, actor=cast.oli)
    assert post(client_for("sam"), f"{url}/points/{theirs.ref}/removal", {}, form_url="/").status_code == 404
    with pytest.raises(permissions.NotVisible):
        actions.remove_point(plan, theirs, actor=cast.sam)
    assert PlanPoint.get().removed_at is None


def test_the_chart_is_drawn_with_its_words_and_its_table(cast, plan, client_for, url):
    measure(plan, cast, [2, 3.5, 4])
    page = client_for("sam").get(url)
    assert page.text.count('class="dot"') == 3 and page.text.count('class="stroke"') == 2
    words = text_of(page)
    assert "Line chart of 3 points. It begins with 2 on" in words and "Lowest 2, highest 4." in words
    assert "Baseline 2" in words and "Target 4.5" in words and "Table" in words
    assert "style=" not in page.text


def test_of_very_many_points_the_last_are_drawn_and_all_are_listed(cast, plan, client_for, url):
    fields = {"plan": plan.id, "author": cast.sam.id, "at": clock.now()}
    rows = [{"ref": f"P{number:09}", "day": day(-25 + number // 10), "value": float(number), "note": "", **fields} for number in range(200)]
    PlanPoint.insert_many(rows).execute()
    page = client_for("sam").get(f"{url}/points?page=4")
    assert page.text.count('class="dot"') == DRAWN and "151–200 of 200 progress points" in text_of(page)
    assert len(page.data) < 90_000
    file = client_for("sam").get(f"{url}/points/export.csv", buffered=True).text
    assert file.count("\n") == 201 and Event.get(Event.verb == "plan.exported").target == plan.ref


def test_several_points_on_one_day_and_a_plan_without_a_measure(cast, client_for):
    bare = factories.plan(factories.student(), cast.sam, measure="", starts_on=day())
    for value in (5, 5):
        actions.add_point(bare, day=day(), value=value, actor=cast.sam)
    chart = queries.chart(Plan.get_by_id(bare.id), queries.points(cast.sam, bare))
    assert chart.title == "Progress" and [x for x, _ in chart.dots()] == [0.0, 0.0]
    assert client_for("sam").get(f"/plans/{bare.ref}").status_code == 200
    assert queries.chart(bare, []) is None
