"""Figures for charts, and places on the body."""

from datetime import date

import pytest

from blueprints.kit import bodymap
from blueprints.kit.charts import Chart, bars, by_month, months


def test_bars_are_sorted_and_the_rest_is_summed():
    chart = bars(
        "By category", {"b": 5, "a": 5, "c": 9, "d": 1, "e": 2}, "incidents", limit=4, url=lambda label: f"?c={label}"
    )
    assert chart.rows == [("c", 9, "?c=c"), ("a", 5, "?c=a"), ("b", 5, "?c=b"), ("Other", 3, None)]
    assert (chart.total, chart.largest, chart.unit) == (22, 9, "incidents")
    assert [row[0] for row in bars("As given", [("z", 1), ("a", 2)], order=None).rows] == ["z", "a"]
    assert Chart("Empty").largest == 0


def test_no_month_is_missing():
    chart = by_month(
        "By month",
        {"2025-11": 2, (2026, 1): 3, date(2026, 1, 20): 4},
        date(2025, 11, 14),
        date(2026, 2, 1),
        url=lambda first, last: f"{first}..{last}",
    )
    assert chart.rows == [
        ("Nov 2025", 2, "2025-11-01..2025-11-30"),
        ("Dec 2025", 0, "2025-12-01..2025-12-31"),
        ("Jan 2026", 7, "2026-01-01..2026-01-31"),
        ("Feb 2026", 0, "2026-02-01..2026-02-28"),
    ]
    assert chart.kind == "columns"
    assert months(date(2026, 3, 1), date(2026, 2, 1)) == []


def test_where_the_bars_stand():
    lying = bars("Incidents by category", {"a" * 80: 1500, "b": 500})
    assert (lying.id, lying.is_upright, lying.height) == ("chart-incidents-by-category", False, 72)
    assert lying.lines() == [("a" * 71 + "…", "1,500", 0, 13, 19, 100.0), ("b", "500", 36, 49, 55, 33.33)]
    assert lying.cells == [("a" * 80, "1,500", None), ("b", "500", None)]
    standing = by_month("By month", {(2025, 12): 4, (2026, 1): 1}, date(2025, 12, 1), date(2026, 2, 1))
    assert (standing.is_upright, standing.height, standing.step) == (True, 190, 33.333)
    assert standing.columns() == [
        (0, "4", 16, 22, 130, "Dec", "2025"),
        (33.333, "1", 113.5, 119.5, 32.5, "Jan", "2026"),
        (66.666, "0", 146, 152, 0, "Feb", ""),
    ]
    assert [row[-1] for row in bars("None yet", {"a": 0}).lines()] == [0]
    assert not by_month("A long time", {}, date(2025, 1, 1), date(2026, 1, 31)).is_upright


def test_regions_have_names_of_their_own():
    keys = [region.key for region in bodymap.REGIONS]
    assert len(keys) == len(set(keys)) >= 40
    assert len({(region.view, region.x, region.y) for region in bodymap.REGIONS}) == len(keys)
    assert len({(region.view, region.label) for region in bodymap.REGIONS}) == len(keys)
    assert all(bodymap.clamp(region.x, region.y) == (region.x, region.y) for region in bodymap.REGIONS)


def test_each_region_is_nearest_to_itself():
    for region in bodymap.REGIONS:
        assert bodymap.nearest_region(region.view, region.x, region.y) == region
        assert bodymap.region(region.key) == region
    assert bodymap.region("nowhere") is None
    assert bodymap.nearest_region("front", -50, 900).key == "right-foot"
    assert bodymap.nearest_region("back", 40, 120).key == "left-upper-arm-back"


def test_marks_stay_on_the_picture():
    assert bodymap.clamp(-3, 1e9) == (0, 440)
    assert bodymap.clamp(99.6, float("inf")) == (100, 440)
    with pytest.raises(ValueError):
        bodymap.clamp(float("nan"), 1)
    with pytest.raises(ValueError):
        bodymap.nearest_region("inside", 1, 1)
