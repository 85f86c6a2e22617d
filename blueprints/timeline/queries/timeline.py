"""The timeline of a student: everything about them that the reader may see, in the order in which it happened.

What the reader sees is decided by permissions.py, which each of the sources asks; this module merges what they give. Must
not write anything, and keeps nothing between two requests.
"""

from datetime import UTC, datetime, time, timedelta
from typing import NamedTuple

from blueprints.kit import prepared
from blueprints.kit.text import fold
from blueprints.timeline.queries.items import items
from blueprints.timeline.queries.sources import NAMES, OF_CASES_MODULE, SOURCES, SUBJECTS, Row
from models import UtcDateTimeField

PER_PAGE = 25  # an event takes three lines of a screen, with its text
MOST_SKIPPED = 10_000  # events of one and the same moment that a page can begin behind
ALL = 1_000_000
FIRST, LAST = datetime(1, 1, 3, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)
_moment = UtcDateTimeField().python_value


class Filters(NamedTuple):
    """What the reader asked for. `kinds`: names of sources.KINDS, none for all. `from_day`, `to_day`: days of `zone`, both
    included. `text`: words that all have to be in an event. `author`: a part of the name of whoever did it."""

    zone: object
    kinds: tuple = ()
    from_day: object = None
    to_day: object = None
    text: str = ""
    author: str = ""

    @property
    def in_words(self):
        """Whether events must be read to know whether they fit."""
        return bool(fold(self.text) or fold(self.author))


class Cursor(NamedTuple):
    """Where a page begins: after `skip` events of the moment `at`, in the order of the timeline."""

    at: datetime
    skip: int

    def __str__(self):
        return f"{self.at.astimezone(UTC).replace(tzinfo=None).isoformat()}~{self.skip}"


def cursor(text):
    """The Cursor in an address, None for the first page and for anything that is none."""
    at, _, skip = (text or "").partition("~")
    try:
        found = Cursor(datetime.fromisoformat(at).replace(tzinfo=UTC), int(skip))
    except ValueError:
        return None
    return found if FIRST <= found.at <= LAST and 0 <= found.skip <= MOST_SKIPPED else None


def page(user, student, filters, after=None, *, cases_module=True):
    """(Items, Cursor of the next page or None): the newest PER_PAGE events that fit, or those behind the cursor `after`."""
    skip = after.skip if after else 0
    if filters.in_words:
        found = everything(user, student, filters, cases_module=cases_module, before=after.at if after else LAST)
    else:
        rows = _rows(user, student, filters, after.at if after else LAST, PER_PAGE + 1 + skip, cases_module)
        found = items(user, student, rows, filters.zone)
    found = found[_skipped(found, after) :]
    shown = found[:PER_PAGE]
    return shown, _behind(shown, after) if len(found) > PER_PAGE else None


def _skipped(found, after):
    """How many of the first events stood on the page before."""
    return sum(item.at == after.at for item in found[: after.skip]) if after else 0


def _behind(shown, after):
    last = shown[-1].at
    same = sum(item.at == last for item in shown)
    return Cursor(last, same + (after.skip if after and after.at == last else 0))


def everything(user, student, filters, *, cases_module=True, before=LAST):
    """Every Item that fits, newest first."""
    found = items(user, student, _rows(user, student, filters, before, ALL, cases_module), filters.zone)
    if not filters.in_words:
        return found
    words, author = fold(filters.text).split(), fold(filters.author)
    return [item for item in found if author in fold(item.who) and _has_words(item, words)]


def _has_words(item, words):
    text = fold(item.everything_written) if words else ""
    return all(word in text for word in words)


def _rows(user, student, filters, before, most, cases_module):
    """The newest `most` Rows that are not after `before`. Each subject is asked for no older ones than are needed."""
    asked = {"student": student.id, "until": _until(filters), "before": before, "most": most}
    since = _midnight(filters.from_day, filters.zone) if filters.from_day else FIRST
    shown = {name: _is_shown(name, filters, cases_module) for name in SOURCES}
    found = []
    for statement, sources in SUBJECTS.items():
        flags = {f"with_{name}": int(shown[name]) for name in sources}
        if any(flags.values()):
            found += prepared.rows(statement, user, since=since, **asked, **flags)
            if len(found) >= most:
                found.sort(key=_order, reverse=True)
                del found[most:]
                since = max(since, _moment(found[-1][1]))
    found.sort(key=_order, reverse=True)
    return [Row(*row)._replace(source=NAMES[row[0]], at=_moment(row[1]), moment=_moment(row[8])) for row in found]


def _order(row):
    """By moment; of one moment by source and row, as Arms.statement() has it."""
    return row[1], row[0], row[2]


def _is_shown(name, filters, cases_module):
    if name in OF_CASES_MODULE and not cases_module:
        return False
    return not filters.kinds or bool(set(SOURCES[name]) & set(filters.kinds))


def _until(filters):
    return _midnight(filters.to_day + timedelta(days=1), filters.zone) if filters.to_day else LAST


def _midnight(day, zone):
    return datetime.combine(day, time.min, zone).astimezone(UTC)
