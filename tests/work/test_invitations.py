"""Invitations: emails that really go out with a calendar part, held against RFC 5545, 5546 and 6047, and what a calendar program
makes of a meeting that was moved three times."""

from datetime import UTC, datetime, timedelta

import icalendar
import pytest

import tasks
from blueprints.cases import actions
from extensions import clock
from models import Account, Meeting, MeetingStaff, MeetingType, OutboxEmail, School
from tests import factories
from tests.web import text_of

START = datetime(2027, 3, 3, 10, 0, tzinfo=UTC)
NAMES = ("Ann", "Finch", "Gil", "Gannet", "Sam Swift", "Swift", "Room 12", "bruises", "Family meeting", "Counselling", "Kestrel")


@pytest.fixture
def ann(cast):
    return factories.student("Ann", "Finch")


@pytest.fixture
def meeting(cast, ann):
    """Scheduled by Sam for Gil, with the invitation waiting in the outbox."""
    clock.freeze(START - timedelta(days=20))
    kind = MeetingType.get(MeetingType.name == "Family meeting")
    return actions.schedule_meeting(
        actor=cast.sam, students=[ann], staff=[cast.gil], meeting_type=kind.id, starts_at=START,
        ends_at=START + timedelta(minutes=45), place="Room 12", agenda="The bruises.",
    )  # fmt: skip


@pytest.fixture
def send(app, smtp):
    """Deliver what waits; returns what arrived, each as (Received, the calendar part)."""

    def run():
        before = len(smtp.messages)
        with app.app_context():
            count = tasks.deliver()
        arrived = smtp.wait_for(before + count, seconds=5)[before:] if count else []
        return [(mail, calendar_part(mail)) for mail in arrived]

    return run


def calendar_part(mail):
    (part,) = [part for part in mail.message.walk() if part.get_content_type() == "text/calendar"]
    return part


def the_event(part):
    (event,) = icalendar.Calendar.from_ical(part.get_payload(decode=True)).walk("VEVENT")
    return event


def move(meeting, by, days=0, minutes=0, place="Room 12"):
    clock.move(minutes=3)
    row = Meeting.get_by_id(meeting.id)
    shift = timedelta(days=days, minutes=minutes)
    times = {"starts_at": row.starts_at + shift, "ends_at": row.ends_at + shift}
    return actions.move_meeting(row, **times, place=place, actor=by, version=row.version)


class Program:
    """What a calendar program keeps, by the rules for invitations (RFC 5546, 2.1.4 and 2.1.5): an event is known by its UID; of
    two messages the one with the higher SEQUENCE holds, and of the same SEQUENCE the later DTSTAMP."""

    def __init__(self):
        self.known = {}

    def take(self, content):
        found = icalendar.Calendar.from_ical(content)
        for event in found.walk("VEVENT"):
            uid, newness = str(event["UID"]), (event["SEQUENCE"], event.decoded("DTSTAMP"))
            if uid not in self.known or newness >= self.known[uid][0]:
                self.known[uid] = (newness, str(found["METHOD"]), event)

    def events(self):
        return [event for _, method, event in self.known.values() if method != "CANCEL"]


# --- What an email carries -------------------------------------------------------------------------------------------


def test_the_email_and_its_calendar_part(cast, meeting, send):
    [(mail, part)] = send()
    assert mail.to == [cast.gil.email] and mail.subject == "You are to be at a student meeting"
    assert f"/meetings/{meeting.ref}" in mail.text
    assert part.get_param("method") == "REQUEST" and part.get_param("charset") == "utf-8"  # RFC 6047, 2.4
    assert part.get_filename() == "invitation.ics" and mail.message.get_content_type() == "multipart/mixed"
    found = icalendar.Calendar.from_ical(part.get_payload(decode=True))
    assert (found["METHOD"], found["VERSION"]) == ("REQUEST", "2.0") and found["PRODID"]
    event = the_event(part)
    # What a REQUEST must have (RFC 5546, 3.2.2), and what it says.
    assert event["UID"].startswith(f"{meeting.ref}@") and event["SEQUENCE"] == 0
    assert event.decoded("DTSTAMP") == clock.now()
    assert (event.decoded("DTSTART"), event.decoded("DTEND")) == (START, START + timedelta(minutes=45))
    assert str(event["SUMMARY"]) == f"Student meeting {meeting.ref}" and event["STATUS"] == "CONFIRMED"
    assert event["URL"].endswith(f"/meetings/{meeting.ref}") and event["ORGANIZER"].startswith("mailto:")
    assert str(event["ORGANIZER"]).removeprefix("mailto:") == mail.sender
    assert event["ATTENDEE"] == f"mailto:{cast.gil.email}" and event["ATTENDEE"].params["ROLE"] == "REQ-PARTICIPANT"
    assert "LOCATION" not in event and "DESCRIPTION" not in event


def test_its_bytes(meeting, send):
    Account.update(email="gil.gannet.of.the.department.of.mathematics.and.of.the.choir@school.example.org").where(
        Account.name == "Gil Gannet"
    ).execute()
    [(_, part)] = send()
    content = part.get_payload(decode=True)
    assert content.endswith(b"END:VCALENDAR\r\n") and content.replace(b"\r\n", b"").count(b"\n") == 0
    lines = content.split(b"\r\n")
    assert all(len(line) <= 75 for line in lines) and any(line.startswith(b" ") for line in lines), "folded (RFC 5545, 3.1)"
    assert the_event(part)["ATTENDEE"].endswith("choir@school.example.org")


def test_nothing_in_it_names_anybody(cast, ann, meeting, send):
    everything = []
    for step in (
        lambda: None,
        lambda: move(meeting, cast.sam, days=1),
        lambda: actions.add_meeting_staff(meeting, [cast.kay], actor=cast.sam),
        lambda: actions.remove_meeting_staff(meeting, cast.kay.ref, actor=cast.sam),
        lambda: actions.cancel_meeting(
            Meeting.get_by_id(meeting.id), reason="Ann's bruises", actor=cast.sam, version=Meeting.get_by_id(meeting.id).version
        ),
    ):
        step()
        for mail, part in send():
            headers = "\n".join(f"{name}: {value}" for name, value in mail.message.items() if name != "To")
            everything += [headers, mail.text, part.get_payload(decode=True).decode().replace("\r\n ", "")]
    assert len(everything) == 15
    for text in everything:
        for name in NAMES:
            assert name not in text, (name, text)


# --- Moved, cancelled, taken off -------------------------------------------------------------------------------------


def test_a_meeting_moved_three_times_is_one_event(cast, meeting, send, client_for):
    program, backwards, messages = Program(), Program(), [part for _, part in send()]
    for days, minutes in ((1, 0), (7, 30), (-2, -15)):
        move(meeting, cast.sam, days=days, minutes=minutes)
        messages += [part for _, part in send()]
        downloaded = client_for("gil").get(f"/meetings/{meeting.ref}/invitation.ics").data
        program.take(downloaded)
    assert [the_event(part)["SEQUENCE"] for part in messages] == [0, 1, 2, 3]
    assert len({str(the_event(part)["UID"]) for part in messages}) == 1
    stamps = [the_event(part).decoded("DTSTAMP") for part in messages]
    assert stamps == sorted(set(stamps))
    for part in messages:
        program.take(part.get_payload(decode=True))
    for part in messages[::-1]:
        backwards.take(part.get_payload(decode=True))
    for each in (program, backwards):
        [event] = each.events()
        row = Meeting.get_by_id(meeting.id)
        assert (event.decoded("DTSTART"), event.decoded("DTEND")) == (row.starts_at, row.ends_at)
        assert row.starts_at == START + timedelta(days=6, minutes=15) and event["SEQUENCE"] == row.sequence == 3


def test_three_moves_before_anything_was_sent_are_one_email(cast, meeting, send):
    send()
    for _ in range(3):
        move(meeting, cast.sam, days=1)
    [(mail, part)] = send()
    assert mail.subject == "A student meeting was moved or cancelled" and "was moved" in mail.text
    assert the_event(part)["SEQUENCE"] == 3 and the_event(part).decoded("DTSTART") == START + timedelta(days=3)
    assert OutboxEmail.select().where(OutboxEmail.dropped_why == "a later email says the same").count() == 2


def test_another_place_sends_the_same_event_again(cast, meeting, send):
    program = Program()
    move(meeting, cast.sam, place="Library")
    arrived = send()
    for _, part in arrived:
        program.take(part.get_payload(decode=True))
        assert the_event(part)["SEQUENCE"] == 0 and b"Library" not in part.get_payload(decode=True)
    assert len(arrived) == 2 and len(program.events()) == 1


def test_cancelling_takes_it_out(cast, meeting, send, client_for):
    program = Program()
    [(_, part)] = send()
    program.take(part.get_payload(decode=True))
    clock.move(minutes=1)
    actions.cancel_meeting(meeting, reason="Half term", actor=cast.sam, version=1)
    [(mail, part)] = send()
    assert "was cancelled" in mail.text and part.get_param("method") == "CANCEL"
    event = the_event(part)
    assert (event["STATUS"], event["SEQUENCE"]) == ("CANCELLED", 1), "higher: the status changed (RFC 5546, 2.1.4)"
    program.take(part.get_payload(decode=True))
    assert program.events() == []
    downloaded = client_for("gil").get(f"/meetings/{meeting.ref}/invitation.ics")
    assert downloaded.content_type == "text/calendar; charset=utf-8; method=CANCEL"


def test_being_taken_off_takes_it_out_of_that_calendar_alone(cast, meeting, send):
    actions.add_meeting_staff(meeting, [cast.kay], actor=cast.sam)
    gils, kays = Program(), Program()
    for mail, part in send():
        {cast.gil.email: gils, cast.kay.email: kays}[mail.to[0]].take(part.get_payload(decode=True))
    clock.move(minutes=1)
    actions.remove_meeting_staff(meeting, cast.kay.ref, actor=cast.sam)
    [(mail, part)] = send()
    assert mail.to == [cast.kay.email] and "/meetings/" not in mail.text and part.get_param("method") == "CANCEL"
    event = the_event(part)
    assert "STATUS" not in event, "the meeting itself is not cancelled (RFC 5546, 3.2.5)"
    assert event["ATTENDEE"] == f"mailto:{cast.kay.email}" and event["SEQUENCE"] == 0
    kays.take(part.get_payload(decode=True))
    assert kays.events() == [] and len(gils.events()) == 1
    clock.move(minutes=1)
    actions.add_meeting_staff(meeting, [cast.kay], actor=cast.sam)
    [(_, part)] = send()
    kays.take(part.get_payload(decode=True))
    assert len(kays.events()) == 1, "invited again"


# --- Asked again when it is sent -------------------------------------------------------------------------------------


def exclude(cast, meeting, ann):
    factories.exclusion(cast.gil, cast.ada, student=ann)


def take_off(cast, meeting, ann):
    MeetingStaff.update(removed_at=clock.now()).where(MeetingStaff.account == cast.gil).execute()


def deactivate(cast, meeting, ann):
    Account.update(is_active=False).where(Account.id == cast.gil.id).execute()


def lose_role(cast, meeting, ann):
    Account.update(role="").where(Account.id == cast.gil.id).execute()


def cancel(cast, meeting, ann):
    Meeting.update(state="cancelled").execute()


def let_it_pass(cast, meeting, ann):
    clock.move(days=30)


@pytest.mark.parametrize("end", [exclude, take_off, deactivate, lose_role, cancel, let_it_pass])
def test_an_invitation_that_holds_no_more_is_not_sent(cast, ann, meeting, send, end):
    end(cast, meeting, ann)
    assert send() == []
    row = OutboxEmail.get()
    assert row.dropped_why and not row.is_waiting


@pytest.mark.parametrize("end", [exclude, take_off, deactivate, lose_role])
def test_nor_is_word_of_a_move(cast, ann, meeting, send, end):
    send()
    move(meeting, cast.sam, days=1)
    end(cast, meeting, ann)
    assert send() == []


@pytest.mark.parametrize("end", [exclude, deactivate, lose_role])
def test_nor_is_word_of_being_taken_off(cast, ann, meeting, send, end):
    actions.add_meeting_staff(meeting, [cast.kay], actor=cast.sam)
    send()
    actions.remove_meeting_staff(meeting, cast.gil.ref, actor=cast.sam)
    end(cast, meeting, ann)
    assert send() == []


def test_nor_is_it_after_they_were_invited_again(cast, meeting, send):
    actions.add_meeting_staff(meeting, [cast.kay], actor=cast.sam)
    actions.remove_meeting_staff(meeting, cast.kay.ref, actor=cast.sam)
    actions.add_meeting_staff(meeting, [cast.kay], actor=cast.sam)
    assert [(mail.to, part.get_param("method")) for mail, part in send()].count(([cast.kay.email], "CANCEL")) == 0


def test_a_trouble_at_the_server_loses_nothing(cast, meeting, send, smtp):
    smtp.answer(451)
    assert send() == [] and OutboxEmail.get().is_waiting
    move(meeting, cast.sam, days=1)
    smtp.answer(None)
    clock.move(minutes=10)
    sequences = [the_event(part)["SEQUENCE"] for _, part in send()]
    assert sequences == [1, 1], "both say what holds now"


# --- The file on the page --------------------------------------------------------------------------------------------


def test_the_file_on_the_page(cast, meeting, client_for):
    address = f"/meetings/{meeting.ref}/invitation.ics"
    assert address in client_for("gil").get(f"/meetings/{meeting.ref}").text
    answer = client_for("gil").get(address)
    assert answer.content_type == "text/calendar; charset=utf-8; method=REQUEST"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="meeting-{meeting.ref}.ics"'
    (event,) = icalendar.Calendar.from_ical(answer.data).walk("VEVENT")
    assert event["ATTENDEE"] == f"mailto:{cast.gil.email}"
    (told,) = icalendar.Calendar.from_ical(client_for("sam").get(address).data).walk("VEVENT")
    assert told["ATTENDEE"].params["ROLE"] == "NON-PARTICIPANT" and told["UID"] == event["UID"], "Sam is not to be there"
    for who in ("oli", "rae", "stu"):
        gone, missing = client_for(who).get(address), client_for(who).get("/meetings/ZZZZZZZZZZ/invitation.ics")
        assert gone.status_code == 404 and text_of(gone) == text_of(missing)


def test_across_the_change_of_clocks(cast, ann, client_for, post):
    """09:00 in Paris is another moment before and after the last Sunday of March."""
    School.update(timezone="Europe/Paris").execute()
    made = {}
    for day in ("2027-03-27", "2027-03-29"):
        kind = MeetingType.select().first()
        data = {"students_ref": [ann.ref], "meeting_type": kind.ref, "starts_at": f"{day}T09:00", "ends_at": f"{day}T10:00"}
        address = post(client_for("sam"), "/meetings/new", data).location
        answer = client_for("sam").get(f"{address}/invitation.ics")
        (event,) = icalendar.Calendar.from_ical(answer.data).walk("VEVENT")
        made[day] = event.decoded("DTSTART")
    assert (made["2027-03-27"].hour, made["2027-03-29"].hour) == (8, 7)
