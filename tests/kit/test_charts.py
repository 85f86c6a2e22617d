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
