"""Days and moments as people type them and school systems write them. Never asks what time it is."""

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo

MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
          "November", "December")
# Outside these a year is a slip of the finger, and time zone arithmetic at the very edges overflows.
FIRST_YEAR, LAST_YEAR = 1900, 2199

_ISO = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})")
_DAY_FIRST = re.compile(r"([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{4})")
_WRITTEN = re.compile(r"([0-9]{1,2})(?:st|nd|rd|th)? ([A-Za-z]{3,9}) ([0-9]{4})")
# What spreadsheets and databases write behind a day that has no time.
_MIDNIGHT = re.compile(r"[T ]00:00(:00(\.0+)?)?Z?$")
_MOMENT = re.compile(r"(.+?)(?:T|,? +|, *)([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:\.[0-9]+)?)?")


class DayProblem(ValueError):
    """A day or moment that can't be taken; its text is the sentence for the person who typed it."""

    @property
    def sentence(self) -> str:
        return str(self)


def show_day(day: date) -> str:
    """`14 November 2026`."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def parse_day(text: str) -> date:
    """The day that `2026-11-14`, `14/11/2026`, `14.11.2026` or `14 Nov 2026` names; raises DayProblem."""
    typed = " ".join(text.split())
    year, month, day = _parts(_MIDNIGHT.sub("", typed), typed)
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise DayProblem(f"The year {year} can't be right. Give one between {FIRST_YEAR} and {LAST_YEAR}.")
    if not 1 <= month <= 12:
        raise DayProblem(f"{_short(typed)} is not a date: there is no month {month}. "
                         "Write the day first, like 14/11/2026.")
    try:
        return date(year, month, day)
    except ValueError:
        raise DayProblem(f"{day} {MONTHS[month - 1]} {year} is not a date.") from None


def read_moment(text: str, tz: tzinfo) -> datetime:
    """The moment, in UTC, that a day and a time on the school's clock name; raises DayProblem.

    When clocks go back an hour happens twice: the first is meant. When they go forward one doesn't happen: refused.
    """
    typed = " ".join(text.split())
    match = _MOMENT.fullmatch(typed)
    if not match:
        parse_day(typed)  # says so when the day itself is wrong
        raise DayProblem("Give a time as well, like 14/11/2026 09:40.")
    day = parse_day(match[1])
    try:
        clock_time = time(int(match[2]), int(match[3]), int(match[4] or 0))
    except ValueError:
        raise DayProblem(f"{match[2]}:{match[3]} is not a time. Give one between 00:00 and 23:59.") from None
    local = datetime.combine(day, clock_time)
    moment = local.replace(tzinfo=tz, fold=0).astimezone(UTC)
    shown = moment.astimezone(tz).replace(tzinfo=None, fold=0)
    if shown != local:
        raise DayProblem(f"{show_day(day)}, {local:%H:%M} is not a time: the clocks go forward at "
                         f"{_gap_start(local, tz):%H:%M} that night and pass over it.")
    return moment


def _gap_start(local: datetime, tz: tzinfo) -> datetime:
    """The last time on the clock before it jumped over `local`."""
    step = timedelta(minutes=1)
    moment = local.replace(tzinfo=tz, second=0)
    while (moment - step).astimezone(UTC).astimezone(tz).replace(tzinfo=None) != (moment - step).replace(tzinfo=None):
        moment -= step
    return moment


def _parts(text: str, typed: str) -> tuple[int, int, int]:
    """Year, month and day as numbers that need not make a date; raises DayProblem when the shape is wrong."""
    if match := _ISO.fullmatch(text):
        return int(match[1]), int(match[2]), int(match[3])
    if match := _DAY_FIRST.fullmatch(text):
        return int(match[3]), int(match[2]), int(match[1])
    if match := _WRITTEN.fullmatch(text):
        name = match[2].lower()
        months = [n for n, month in enumerate(MONTHS, 1) if month.lower().startswith(name) or name == "sept" and n == 9]
        if len(months) == 1:
            return int(match[3]), months[0], int(match[1])
    raise DayProblem(f"{_short(typed)} is not a date. Write it like 14/11/2026.")


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:40] + "…"
