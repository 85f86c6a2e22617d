"""Where everything stands in a chart of values over days (templates/_macros/charts.html writes the SVG). Measures nothing.

Across, positions are percentages, so that text keeps its size on every screen; down, pixels.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

from blueprints.kit.days import MONTHS

HEIGHT, TOP, BOTTOM = 220, 24, 190  # pixels: of the drawing, and of the highest and the lowest value in it
STEPS = (1, 2, 2.5, 5, 10)


@dataclass
class Trend:
    """`points`: (day, value) in the order of the days. `lines`: (label, value) of what to compare with, across the whole
    chart. `start`: the first day shown, where that is before the first point. `write`: a value as people read it."""

    title: str
    points: list[tuple[date, float]]
    lines: list[tuple[str, float]] = field(default_factory=list)
    start: date | None = None
    write: Callable[[float], str] = str

    def __post_init__(self) -> None:
        values = [value for _, value in (*self.points, *self.lines)]
        self.ticks = _ticks(min(values), max(values))
        self.first = min(self.start or self.points[0][0], self.points[0][0])
        self.last = self.points[-1][0]

    @property
    def id(self) -> str:
        return "trend-" + re.sub(r"[^a-z0-9]+", "-", self.title.lower()).strip("-")

    @property
    def height(self) -> int:
        return HEIGHT

    @property
    def desc(self) -> str:
        """The drawing in words."""
        (first, begin), (last, end) = self.points[0], self.points[-1]
        told = f"Line chart of {len(self.points)} points. It begins with {self.write(begin)} on {_day(first)}"
        told += f" and ends with {self.write(end)} on {_day(last)}." if len(self.points) > 1 else "."
        values = [value for _, value in self.points]
        told += f" Lowest {self.write(min(values))}, highest {self.write(max(values))}."
        told += "".join(f" {label} {self.write(value)}." for label, value in self.lines)
        return f"{told} The table under it has every value."

    def grid(self) -> list[tuple[float, str]]:
        """(y, text) of each line across with its value."""
        return [(self._y(tick), self._short(tick)) for tick in self.ticks]

    def days(self) -> list[tuple[str, str]]:
        """(day in words, where its text is anchored) of the first and the last day."""
        if self.first == self.last:
            return [(_day(self.first), "start")]
        return [(_day(self.first), "start"), (_day(self.last), "end")]

    def dots(self) -> list[tuple[float, float]]:
        """(x in percent, y) of each point."""
        return [(self._x(day), self._y(value)) for day, value in self.points]

    def cells(self) -> list[tuple[str, str]]:
        """(day, value) of each row of the table, the newest first."""
        return [(_day(day), self.write(value)) for day, value in reversed(self.points)]

    def strokes(self) -> list[tuple[float, float, float, float]]:
        """(x1, y1, x2, y2) from each point to the next."""
        dots = self.dots()
        return [(*here, *there) for here, there in zip(dots, dots[1:], strict=False)]

    def compared(self) -> list[tuple[str, str, float, float, str, str]]:
        """(label, value, y, baseline of its text, its x, anchor) of each line to compare with. The first is named at the left,
        the next at the right, so that two that lie close don't stand on each other."""
        sides = (("0", "start"), ("100%", "end"))
        found = []
        for place, (label, value) in enumerate(self.lines):
            y = self._y(value)
            found.append((label, self.write(value), y, round(y - 6, 1), *sides[place % 2]))
        return found

    def _short(self, tick: float) -> str:
        """The value as it fits beside the drawing."""
        for size, letter in ((1_000_000, "M"), (10_000, "k")):
            if abs(tick) >= size:
                return f"{self.write(tick / (1_000 if letter == 'k' else size))}{letter}"
        return self.write(tick)

    def _x(self, day: date) -> float:
        span = (self.last - self.first).days
        return round(100 * (day - self.first).days / span, 2) if span else 0.0

    def _y(self, value: float) -> float:
        low, high = self.ticks[0], self.ticks[-1]
        return round(BOTTOM - (BOTTOM - TOP) * (value - low) / (high - low), 1)


def _ticks(low: float, high: float) -> list[float]:
    """Four to six round values from at most `low` to at least `high`."""
    if low == high:
        low, high = low - 1, high + 1
    power = 10 ** math.floor(math.log10((high - low) / 4))
    step = next(power * times for times in STEPS if power * times >= (high - low) / 4)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [round(step * place, 10) for place in range(first, last + 1)]


def _day(day: date) -> str:
    return f"{day.day} {MONTHS[day.month - 1][:3]} {day.year}"
