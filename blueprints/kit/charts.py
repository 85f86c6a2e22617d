"""The figures a chart is drawn from, and where each of its bars stands (templates/_macros/charts.html writes the SVG).
Counts nothing itself."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from blueprints.kit.days import MONTHS

MOST_COLUMNS = 12
COLUMNS_HEIGHT, LINE = 190, 36  # pixels: of an upright chart, and of each bar that lies
LONGEST_LABEL = 72

Counts = Mapping[Any, float] | Iterable[tuple[Any, float]]


@dataclass
class Chart:
    """A title and rows of (label, value, address or None); `kind` is "bars" or "columns"."""

    title: str
    rows: list[tuple[str, float, str | None]] = field(default_factory=list)
    unit: str = ""
    kind: str = "bars"
    desc: str = ""

    @property
    def id(self) -> str:
        return "chart-" + re.sub(r"[^a-z0-9]+", "-", self.title.lower())

    @property
    def is_upright(self) -> bool:
        return self.kind == "columns" and len(self.rows) <= MOST_COLUMNS

    @property
    def cells(self) -> list[tuple[str, str, str | None]]:
        """The rows of the table, the value as people read it."""
        return [(label, f"{value:,}", url) for label, value, url in self.rows]

    @property
    def height(self) -> int:
        """Of the drawing, in pixels."""
        return COLUMNS_HEIGHT if self.is_upright else LINE * len(self.rows)

    def lines(self) -> list[tuple[str, str, int, int, int, float]]:
        """(label, value, top, baseline of the value, top of the bar, length in percent) of each bar that lies."""
        most = self.largest or 1
        return [
            (_short(label), f"{value:,}", y, y + 13, y + 19, round(100 * value / most, 2))
            for y, (label, value, _) in zip(range(0, LINE * len(self.rows), LINE), self.rows, strict=True)
        ]

    def columns(self) -> list[tuple[float, str, float, float, float, str, str]]:
        """(x in percent, value, its baseline, top and height of the bar, month, year where it changes) of each bar that
        stands; labels are like "Nov 2026"."""
        most, year, found = self.largest or 1, "", []
        for place, (label, value, _) in enumerate(self.rows):
            month, _, of_year = label.partition(" ")
            height = round(130 * value / most, 1)
            top = round(152 - height, 1)
            changed = of_year if of_year != year else ""
            found.append((round(place * self.step, 3), f"{value:,}", round(top - 6, 1), top, height, month, changed))
            year = of_year
        return found

    @property
    def step(self) -> float:
        """The width of a column in percent."""
        return round(100 / len(self.rows), 3)

    @property
    def total(self) -> float:
        return sum(value for _, value, _ in self.rows)

    @property
    def largest(self) -> float:
        return max((value for _, value, _ in self.rows), default=0)


def bars(title: str, counts: Counts, unit: str = "", limit: int | None = None, other: str = "Other",
         url: Callable[[Any], str | None] | None = None, order: str | None = "value") -> Chart:
    """A chart of counts by label, largest first (order=None leaves them as they come).

    Of more than `limit` the smallest are summed in one last row, so that the total stays true.
    """
    pairs = list(counts.items() if isinstance(counts, Mapping) else counts)
    if order == "value":
        pairs.sort(key=lambda pair: (-pair[1], str(pair[0])))
    kept = pairs if limit is None or len(pairs) <= limit else pairs[: limit - 1]
    rows = [(str(label), value, url(label) if url else None) for label, value in kept]
    if len(kept) < len(pairs):
        rows.append((other, sum(value for _, value in pairs[len(kept) :]), None))
    return Chart(title, rows, unit)


def by_month(title: str, counts: Mapping[Any, float], first: date, last: date, unit: str = "",
             url: Callable[[date, date], str] | None = None) -> Chart:
    """A chart of counts by month, none of them missing. Keys: a day, (year, month) or "2026-11".

    `url` gets the first and the last day of the month.
    """
    found: dict[tuple[int, int], float] = {}
    for key, value in counts.items():
        month = _month(key)
        found[month] = found.get(month, 0) + value
    rows = [(month_label(day), found.get((day.year, day.month), 0), url(day, _last_day(day)) if url else None)
            for day in months(first, last)]
    return Chart(title, rows, unit, "columns" if len(rows) <= MOST_COLUMNS else "bars")


def months(first: date, last: date) -> list[date]:
    """The first day of every month from the one of `first` to the one of `last`."""
    numbers = range(first.year * 12 + first.month - 1, last.year * 12 + last.month)
    return [date(number // 12, number % 12 + 1, 1) for number in numbers]


def month_label(day: date) -> str:
    """`Nov 2026`."""
    return f"{MONTHS[day.month - 1][:3]} {day.year}"


def _short(label: str) -> str:
    return label if len(label) <= LONGEST_LABEL else label[: LONGEST_LABEL - 1] + "…"


def _month(key: Any) -> tuple[int, int]:
    if isinstance(key, str):
        return int(key[:4]), int(key[5:7])
    return (key.year, key.month) if isinstance(key, date) else (int(key[0]), int(key[1]))


def _last_day(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
