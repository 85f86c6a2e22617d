"""Calendars: what is written is read back by a library that is not ours, byte rules are looked at by hand."""

from datetime import UTC, date, datetime, timedelta
from urllib.parse import unquote

import icalendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blueprints.kit.ical import CANCEL, REQUEST, Day, Guest, Timed, calendar, invitation

NOW = datetime(2026, 11, 14, 9, 40, tzinfo=UTC)


def day(title="Meet your advisor", **fields):
    return Day(**{"uid": "A1@caseward.example", "day": date(2026, 12, 1), "title": title, "sequence": 2, "changed_at": NOW,
                  "url": "https://caseward.example/my/milestones/A1", **fields})  # fmt: skip


def events(content):
    return icalendar.Calendar.from_ical(content).walk("VEVENT")


def test_what_an_event_says():
    (event,) = events(calendar("My milestones", [day()], NOW))
    assert event["UID"] == "A1@caseward.example" and str(event["SUMMARY"]) == "Meet your advisor"
    assert event.decoded("DTSTART") == date(2026, 12, 1), "a day, not a moment"
    assert event.decoded("DTSTAMP") == NOW and event.decoded("LAST-MODIFIED") == NOW
    assert (event["SEQUENCE"], event["STATUS"], event["TRANSP"]) == (2, "CONFIRMED", "TRANSPARENT")
    assert event["URL"] == "https://caseward.example/my/milestones/A1"


def test_the_calendar_around_them():
    found = icalendar.Calendar.from_ical(calendar("My milestones", [], NOW))
    assert (found["VERSION"], found["METHOD"], found["CALSCALE"]) == ("2.0", "PUBLISH", "GREGORIAN")
    assert found["PRODID"] and found["X-WR-CALNAME"] == "My milestones" and not found.walk("VEVENT")


def test_what_is_waived_is_cancelled():
    (event,) = events(calendar("x", [day(is_cancelled=True)], NOW))
    assert event["STATUS"] == "CANCELLED"


@pytest.mark.parametrize(
    "title",
    ["a;b,c\\d", "BEGIN:VEVENT", "line one\r\nEND:VCALENDAR", "Ünïcødé 🎓 " * 30, "x" * 400, ":;\"',\\n", "\\", "a" * 66, "ö" * 33],
)
def test_any_title_comes_back_and_breaks_nothing(title):
    content = calendar("x", [day(title), day("The next", uid="B2")], NOW)
    first, second = events(content)
    assert str(first["SUMMARY"]) == " ".join(title.split()) and str(second["SUMMARY"]) == "The next"
    assert_lines(content)


@given(st.text(max_size=300))
def test_lines_keep_the_rules_whatever_the_title(title):
    content = calendar(title, [day(title)], NOW)
    assert_lines(content)
    assert len(events(content)) == 1


def assert_lines(content):
    """CRLF alone ends a line, none has more than 75 octets, and each piece is whole UTF-8 (RFC 5545, 3.1)."""
    assert content.endswith(b"\r\n")
    for line in content.removesuffix(b"\r\n").split(b"\r\n"):
        assert len(line) <= 75 and b"\n" not in line and b"\r" not in line
        line.decode()


# --- Meetings and invitations ----------------------------------------------------------------------------------------


def timed(**fields):
    return Timed(**{"uid": "M1@caseward.example", "starts_at": NOW, "ends_at": NOW + timedelta(hours=1), "title": "Student meeting",
                    "url": "https://caseward.example/meetings/M1", "sequence": 3, "changed_at": NOW, **fields})  # fmt: skip


def test_a_meeting_beside_a_day():
    found = {str(event["UID"]): event for event in events(calendar("x", [day(), timed(changed_at=None)], NOW))}
    event = found["M1@caseward.example"]
    assert (event.decoded("DTSTART"), event.decoded("DTEND")) == (NOW, NOW + timedelta(hours=1))
    assert "TRANSP" not in event and "LAST-MODIFIED" not in event, "busy, and nobody knows when it was changed"
    assert len(found) == 2


@pytest.mark.parametrize(("method", "is_cancelled", "status"), [
    (REQUEST, False, "CONFIRMED"), (CANCEL, True, "CANCELLED"), (CANCEL, False, None),
])  # fmt: skip
def test_an_invitation_has_what_its_method_asks_for(method, is_cancelled, status):
    content = invitation(method, timed(is_cancelled=is_cancelled), "school@example.org", Guest("gil@example.org"), NOW)
    found = icalendar.Calendar.from_ical(content)
    (event,) = found.walk("VEVENT")
    assert found["METHOD"] == method and event.get("STATUS") == status
    for name in ("UID", "DTSTAMP", "DTSTART", "DTEND", "SEQUENCE", "SUMMARY", "ORGANIZER", "ATTENDEE"):
        assert name in event, name


@given(st.emails() | st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=200))
def test_no_address_breaks_out_of_its_line(email):
    content = invitation(REQUEST, timed(), email, Guest(email, is_expected=False), NOW)
    (event,) = events(content)
    assert unquote(str(event["ATTENDEE"])) == f"mailto:{email}" == unquote(str(event["ORGANIZER"]))
    assert all(len(line) <= 75 for line in content.split(b"\r\n")) and content.count(b"BEGIN:") == 2
