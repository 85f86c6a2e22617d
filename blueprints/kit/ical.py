"""Calendars as RFC 5545 has them: days on which something is due, for a calendar program that subscribes to them.

Must not know whose they are. Written here because it is this little: what comes out is read back by the library
`icalendar` in the tests (docs/adr/0001-dependencies.md).
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import NamedTuple

from flask import Response

from blueprints.kit.text import one_line

OCTETS = 75  # of a line, without its end (RFC 5545, 3.1)


class Day(NamedTuple):
    """Something on one day. `uid` stays the same for ever, `sequence` rises with each change (from 0)."""

    uid: str
    day: date
    title: str
    url: str
    sequence: int
    changed_at: datetime
    is_cancelled: bool = False


def calendar(name: str, days: Iterable[Day], now: datetime) -> bytes:
    """The calendar `name` with these days, as it stands at the moment `now`."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Caseward//Caseward//EN", "CALSCALE:GREGORIAN", "METHOD:PUBLISH",
             f"NAME:{_text(name)}", f"X-WR-CALNAME:{_text(name)}", "REFRESH-INTERVAL;VALUE=DURATION:PT6H",
             "X-PUBLISHED-TTL:PT6H"]  # fmt: skip
    for one in days:
        lines += _event(one, now)
    lines.append("END:VCALENDAR")
    return b"".join(_folded(line) for line in lines)


def _event(one: Day, now: datetime) -> list[str]:
    return [
        "BEGIN:VEVENT",
        f"UID:{one.uid}",
        f"DTSTAMP:{_moment(now)}",
        f"DTSTART;VALUE=DATE:{one.day.isoformat().replace('-', '')}",
        f"SUMMARY:{_text(one.title)}",
        f"URL:{one.url}",
        f"SEQUENCE:{one.sequence}",
        f"LAST-MODIFIED:{_moment(one.changed_at)}",
        f"STATUS:{'CANCELLED' if one.is_cancelled else 'CONFIRMED'}",
        "TRANSP:TRANSPARENT",
        "END:VEVENT",
    ]


def _moment(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _text(value: str) -> str:
    """A text value (3.3.11): one line here, with what would end it or split it escaped."""
    escaped = one_line(value).replace("\\", "\\\\")
    return escaped.replace(";", "\\;").replace(",", "\\,")


def _folded(line: str) -> bytes:
    """The line with its end, broken into pieces of at most OCTETS bytes, never inside a character."""
    pieces, piece = [], b""
    for character in line:
        more = character.encode()
        # A continuation begins with a blank, which counts.
        if len(piece) + len(more) > OCTETS - bool(pieces):
            pieces.append(piece)
            piece = b""
        piece += more
    return b"\r\n ".join([*pieces, piece]) + b"\r\n"


def response(content: bytes) -> Response:
    """A calendar as an answer."""
    return Response(content, content_type="text/calendar; charset=utf-8")
