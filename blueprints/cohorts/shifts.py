"""How the due dates of a cohort's copy follow from those it is copied from. Days only; knows no table."""

from datetime import timedelta


class TooFar(ValueError):
    """The day lies beyond the calendar."""


def year_later(day):
    """The same day a year later; 28 February for the 29th."""
    try:
        return day.replace(year=day.year + 1)
    except ValueError:
        if (day.month, day.day) != (2, 29):
            raise TooFar(day) from None
        return day.replace(year=day.year + 1, day=28)


def by_days(days):
    """A shift by this many days, back where it is negative."""

    def shift(day):
        try:
            return day + timedelta(days=days)
        except OverflowError:
            raise TooFar(day) from None

    return shift


def from_first(due_dates, first):
    """The shift that brings the earliest of these days to `first`, the others keeping their distance."""
    return by_days((first - min(due_dates)).days if due_dates else 0)
