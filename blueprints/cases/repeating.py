"""On which day a task that repeats is due next. Pure: knows no table and not what day it is."""

from calendar import monthrange
from datetime import date, timedelta

REPEATS = {"": "Does not repeat", "weekly": "Every week", "fortnightly": "Every two weeks", "monthly": "Every month"}
_DAYS = {"weekly": 7, "fortnightly": 14}


def next_due(due_on: date, repeats: str, today: date, day_of_month: int | None = None) -> date:
    """The first day of the series after `due_on` that has not passed `today`: who is late does not find the next one late as
    well. A month without the day ends on its last; `day_of_month` is the day that the series is meant for."""
    if repeats in _DAYS:
        step = timedelta(days=_DAYS[repeats])
        behind = max(0, (today - due_on).days - 1)
        return due_on + step * (behind // step.days + 1)
    day, months = day_of_month or due_on.day, 1
    while (found := _in_month(due_on.year, due_on.month + months, day)) < today:
        months += 1
    return found


def ends_its_month(day: date) -> bool:
    """Whether it is the last day of a month: then the series may be meant for a later one."""
    return day.day == monthrange(day.year, day.month)[1]


def _in_month(year: int, month: int, day: int) -> date:
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    return date(year, month, min(day, monthrange(year, month)[1]))
