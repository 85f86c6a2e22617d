"""Where the points, lines and words of a chart over days stand."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blueprints.kit.trend import BOTTOM, TOP, Trend

FIRST = date(2026, 9, 1)


def trend(values, lines=(), **options):
    return Trend("Days on time", [(FIRST + timedelta(days=7 * place), value) for place, value in enumerate(values)], list(lines), **options)


def test_points_run_from_the_first_day_to_the_last():
    chart = trend([1, 3, 5])
    assert [x for x, _ in chart.dots()] == [0.0, 50.0, 100.0]
    assert chart.strokes()[0][2:] == chart.strokes()[1][:2] == chart.dots()[1]
    assert chart.days() == [("1 Sep 2026", "start"), ("15 Sep 2026", "end")]
    higher = [y for _, y in chart.dots()]
    assert higher == sorted(higher, reverse=True), "more stands higher"


def test_it_begins_where_it_is_told_to():
    chart = trend([1, 2], start=FIRST - timedelta(days=7))
    assert [x for x, _ in chart.dots()] == [50.0, 100.0] and chart.days()[0][0] == "25 Aug 2026"
    assert trend([1, 2], start=FIRST + timedelta(days=1)).days()[0][0] == "1 Sep 2026", "no point falls out"


def test_the_words_and_the_table_say_what_is_drawn():
    chart = trend([2, 5, 3], [("Target", 4)])
    assert chart.desc == (
        "Line chart of 3 points. It begins with 2 on 1 Sep 2026 and ends with 3 on 15 Sep 2026. Lowest 2, highest 5. Target 4. "
        "The table under it has every value."
    )
    assert chart.cells() == [("15 Sep 2026", "3"), ("8 Sep 2026", "5"), ("1 Sep 2026", "2")]
    assert chart.id == "trend-days-on-time"


def test_two_lines_to_compare_with_are_named_at_different_ends():
    first, second = trend([2], [("Baseline", 2), ("Target", 2)]).compared()
    assert (first[4:], second[4:]) == (("0", "start"), ("100%", "end"))


def test_large_values_are_written_short_beside_the_drawing():
    written = [text for _, text in trend([10_000, 20_000], write="{:g}".format).grid()]
    assert written == ["10k", "12.5k", "15k", "17.5k", "20k"]
    assert trend([3_000_000, 1_000_000], write="{:g}".format).grid()[0][1] == "1M"


@pytest.mark.parametrize("values", [[0], [5, 5, 5], [-3, 4], [0.0001, 0.0002], [1e9, -1e9]])
def test_nothing_leaves_the_drawing(values):
    chart = trend(values)
    assert all(TOP <= y <= BOTTOM for _, y in chart.dots()) and 2 <= len(chart.grid()) <= 8


@given(st.lists(st.floats(-1e9, 1e9, allow_nan=False).map(lambda value: round(value, 4)), min_size=1, max_size=30))
def test_whatever_is_measured_lies_in_the_drawing_between_round_values(values):
    chart = trend(values)
    assert all(0 <= x <= 100 and TOP - 0.1 <= y <= BOTTOM + 0.1 for x, y in chart.dots())
    assert chart.ticks == sorted(set(chart.ticks)) and chart.ticks[0] <= min(values) <= max(values) <= chart.ticks[-1]
