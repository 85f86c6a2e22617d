"""The figures a chart is drawn from (templates/_macros/charts.html draws it). Counts nothing itself."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from blueprints.kit.days import MONTHS

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
    return Chart(title, rows, unit, "columns" if len(rows) <= 12 else "bars")


def months(first: date, last: date) -> list[date]:
    """The first day of every month from the one of `first` to the one of `last`."""
    numbers = range(first.year * 12 + first.month - 1, last.year * 12 + last.month)
    return [date(number // 12, number % 12 + 1, 1) for number in numbers]


def month_label(day: date) -> str:
    """`Nov 2026`."""
    return f"{MONTHS[day.month - 1][:3]} {day.year}"


def _month(key: Any) -> tuple[int, int]:
    if isinstance(key, str):
        return int(key[:4]), int(key[5:7])
    return (key.year, key.month) if isinstance(key, date) else (int(key[0]), int(key[1]))


def _last_day(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
