"""Calendars as RFC 5545 has them: days on which something is due and meetings with their times, for a calendar program that
subscribes to them; and one meeting as an invitation or its withdrawal (RFC 5546, iTIP).

Must not know whose they are. Written here because it is this little: what comes out is read back by the library
`icalendar` in the tests (docs/adr/0001-dependencies.md).
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import NamedTuple
from urllib.parse import quote

from flask import Response

from blueprints.kit.text import one_line

OCTETS = 75  # of a line, without its end (RFC 5545, 3.1)
REQUEST, CANCEL = "REQUEST", "CANCEL"  # methods of an invitation (RFC 5546, 3.2.2 and 3.2.5)
HEAD = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Caseward//Caseward//EN", "CALSCALE:GREGORIAN"]


class Day(NamedTuple):
    """Something on one day. `uid` stays the same for ever, `sequence` rises with each change (from 0)."""

    uid: str
    day: date
    title: str
    url: str
    sequence: int
    changed_at: datetime | None
    is_cancelled: bool = False


class Timed(NamedTuple):
    """Something from one moment to another; the rest as in Day. `sequence` rises with each change of its times, and when it
    is cancelled (RFC 5546, 2.1.4)."""

    uid: str
    starts_at: datetime
    ends_at: datetime
    title: str
    url: str
    sequence: int
    changed_at: datetime | None
    is_cancelled: bool = False


class Guest(NamedTuple):
    """Whom an invitation is for; `is_expected` False for somebody who is told of the meeting and not to be there."""

    email: str
    is_expected: bool = True


def calendar(name: str, entries: Iterable[Day | Timed], now: datetime) -> bytes:
    """The calendar `name` with these entries, as it stands at the moment `now`."""
    lines = [*HEAD, "METHOD:PUBLISH", f"NAME:{_text(name)}", f"X-WR-CALNAME:{_text(name)}",
             "REFRESH-INTERVAL;VALUE=DURATION:PT6H", "X-PUBLISHED-TTL:PT6H"]  # fmt: skip
    for one in entries:
        lines += _event(one, now, [_status(one)])
    return _written(lines)


def invitation(method: str, one: Timed, organizer: str, guest: Guest, now: datetime) -> bytes:
    """The object that an email with an invitation carries. `organizer`: an email address, the same one for ever.

    REQUEST invites, and moves what is there already (same UID); CANCEL takes it out again: for everybody when `one` is
    cancelled, for this guest alone when it is not (then there must be no STATUS: RFC 5546, 3.2.5).
    """
    role = "REQ-PARTICIPANT" if guest.is_expected else "NON-PARTICIPANT"
    more = [f"ORGANIZER:{_address(organizer)}",
            f"ATTENDEE;CUTYPE=INDIVIDUAL;ROLE={role};PARTSTAT=NEEDS-ACTION;RSVP=FALSE:{_address(guest.email)}"]  # fmt: skip
    if method == REQUEST or one.is_cancelled:
        more.append(_status(one))
    return _written([*HEAD, f"METHOD:{method}", *_event(one, now, more)])


def _written(lines: list[str]) -> bytes:
    return b"".join(_folded(line) for line in [*lines, "END:VCALENDAR"])


def _event(one: Day | Timed, now: datetime, more: list[str]) -> list[str]:
    lines = ["BEGIN:VEVENT", f"UID:{one.uid}", f"DTSTAMP:{_moment(now)}"]
    if isinstance(one, Timed):
        lines += [f"DTSTART:{_moment(one.starts_at)}", f"DTEND:{_moment(one.ends_at)}"]
    else:
        lines += [f"DTSTART;VALUE=DATE:{one.day.isoformat().replace('-', '')}", "TRANSP:TRANSPARENT"]
    lines += [f"SUMMARY:{_text(one.title)}", f"URL:{one.url}", f"SEQUENCE:{one.sequence}"]
    if one.changed_at is not None:
        lines.append(f"LAST-MODIFIED:{_moment(one.changed_at)}")
    return [*lines, *more, "END:VEVENT"]


def _status(one: Day | Timed) -> str:
    return f"STATUS:{'CANCELLED' if one.is_cancelled else 'CONFIRMED'}"


def _address(email: str) -> str:
    """An email address as a URI (RFC 6068): whatever might end the value or be read as something else is written as %XX."""
    return "mailto:" + quote(email, safe="@!$'*+-._~/=")


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


def content_type(method: str = "") -> str:
    """The media type of a calendar; of an invitation with its method (RFC 6047, 2.4)."""
    return f"text/calendar; charset=utf-8{f'; method={method}' if method else ''}"


def response(content: bytes, method: str = "") -> Response:
    """A calendar as an answer."""
    return Response(content, content_type=content_type(method))
