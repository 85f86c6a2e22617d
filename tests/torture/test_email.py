"""Every kind of email, sent for a school in which every name and text is hostile: none of it is in what goes out, and no
header can be added to it."""

import json
import re
from datetime import timedelta
from email import policy
from email.parser import BytesParser

import pytest

import permissions
import tasks
from extensions import clock
from models import (
    Account,
    Category,
    Form,
    FormVersion,
    Group,
    MeetingStaff,
    MeetingType,
    MilestoneReminder,
    MilestoneRequest,
    Notification,
    OutboxEmail,
    PasswordLink,
    School,
    TaskNote,
)
from tests import factories

# Nothing of these may stand in an email, however it is encoded or folded.
NAMES = [
    "Zqnora Zqnightingale", "zq\r\nBcc: victim@evil.example", "zq\nSubject: Zqforged", "Zq<script>alert(1)</script>",
    "{{ config.zqsecret }}{% zqraw %}", "zq‮evil", "Zq=?utf-8?q?forged?=", "Zq Ünïcödé 💥", "zq" * 55, "Zq\x1b[31m",
]  # fmt: skip
# What goes to the student; everything else goes to Ken.
TO_STUDENTS = ("milestone_answered", "milestone_reminder", "student_invitation")
HEADERS = {"content-type", "content-transfer-encoding", "mime-version", "subject", "from", "to", "date", "message-id"}
PART_HEADERS = {"content-type", "content-transfer-encoding", "content-disposition", "mime-version"}
# Lines of a calendar part; whoever could add another would write into the calendars of the staff.
CALENDAR = {"BEGIN", "END", "VERSION", "PRODID", "CALSCALE", "METHOD", "UID", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY", "URL",
            "SEQUENCE", "LAST-MODIFIED", "ORGANIZER", "ATTENDEE", "STATUS"}  # fmt: skip
# What stands in an email and is random, so that any two letters can be in it: a set-password link, references.
RANDOM = re.compile(
    r"/password/\S+|\b[ci]-\w{6}\b|/(students|my/milestones|tasks|meetings|plans|responses)/\w{10}\b"
    r"|(?<=meeting )(is )?\w{10}\b|(?<=uid:)\w{10}\b"
)
WITH_CALENDAR = {"meeting_invited": "REQUEST", "meeting_changed": "REQUEST", "meeting_cancelled": "CANCEL"}


@pytest.fixture
def hostile(app, cast, clock):
    """For each name a record of every kind that an email is about, with that name in every text about it; Ken or the student
    could get each email. Returns [{kind of the email: (whom it goes to, the row that it is about, target_id)}]."""
    clock.freeze(clock.now())
    School.update(name=NAMES[1], student_word="Zqpupil", student_visibility_at=clock.now()).execute()
    support = factories.group("Zqsupport", members=[cast.ken])
    made = []
    for number, name in enumerate(NAMES):
        writer = factories.account(name, f"zqwriter{number}@school.example.org", title=name[:255])
        student = factories.student(name[:255], name[:255], preferred_name=name[:255], email=f"zq{number}@pupils.example.org")
        category = Category.create(name=f"{name[:200]}{number}", guidance=name)
        row = factories.incident(writer, [(student, [category])], name, place=name[:255], alerted=[cast.ken], assigned_to=cast.ken)
        action = factories.action(row, writer, name, person=cast.ken, due_on=factories.today())
        case = factories.case(student, opened_by=writer, title=name[:200], coordinator=cast.ken, staff=[cast.ken], entries=[(writer, name)])
        Group.create(name=f"{name[:200]} {number}")
        own = factories.account(name[:255], student.email, role=permissions.STUDENT)
        cohort = factories.cohort(f"{name[:200]}{number}", name[:200], [student], [support])
        milestone = factories.milestone(cohort, name[:200], factories.today() + timedelta(days=7), "7", description=name)
        MilestoneRequest.create(milestone=milestone, student=student, note=name)
        reminder = MilestoneReminder.create(milestone=milestone, student=student, days=7, due_on=milestone.due_on)
        told = dict.fromkeys(("incident_assigned", "incident_alerted"), (row, row.id)) | {"action_due": (row, action.id)}
        told |= dict.fromkeys(("case_added", "case_changed"), (case, case.id))
        told |= dict.fromkeys(("student_changed", "milestone_asked"), (student, student.id))
        told |= {"milestone_answered": (milestone, milestone.id), "milestone_reminder": (milestone, reminder.id)}
        told |= work(cast, writer, student, name, number)
        made.append({kind: (own if kind in TO_STUDENTS else cast.ken, *about) for kind, about in told.items()})
        for kind in ("invitation", "password_link", "student_invitation"):
            account = own if kind in TO_STUDENTS else cast.ken
            expires_at = clock.now() + timedelta(days=9999)
            link = PasswordLink.create(account=account, kind="reset", nonce=f"{kind}{number}", expires_at=expires_at)
            made[-1][kind] = (account, account, link.id)
        made[-1]["digest"] = (cast.ken, None, None)
    Notification.create(account=cast.ken, kind="student_changed", target=student.ref, target_id=student.id, detail="details",
                        digest_on=factories.today(), digested_at=clock.now())  # fmt: skip
    Account.update(name=NAMES[0]).where(Account.id == cast.ken.id).execute()
    return made


def work(cast, writer, student, name, number):
    """A task, two meetings, a plan and a referral; Ken was taken off the second meeting. {kind: (row, target_id)}"""
    today = factories.today()
    task = factories.task(student, cast.ken, writer, name[:255], notes=name, due_on=today - timedelta(days=1))
    TaskNote.create(task=task, author=writer, text=name)
    kind = MeetingType.create(name=f"{name[:200]} {number}")
    meetings = [factories.meeting(writer, [student], [cast.ken], meeting_type=kind, place=name[:255], agenda=name, outcome=name)
                for _ in range(2)]  # fmt: skip
    off = (MeetingStaff.meeting == meetings[1]) & (MeetingStaff.account == cast.ken)
    MeetingStaff.update(removed_at=clock.now(), removed_by=writer).where(off).execute()
    run = factories.intervention_group(writer, f"{name[:200]} {number}", description=name, goal=name, concern=name)
    plan = factories.plan(student, cast.ken, writer, goal=name, concern=name, measure=name[:255], review_by=today, intervention_group=run)
    form = Form.create(name=f"{name[:200]} {number}", description=name, for_referral_users=True, published=1, created_by=writer)
    asked = [{"key": "f1", "type": "text", "label": name[:200], "help": name[:200]}]
    FormVersion.create(form=form, number=1, fields=json.dumps(asked), published_at=clock.now(), published_by=writer)
    referral = factories.referral(form, cast.rae, name[:255], name[:255], answers={"f1": name}, about=name[:255])
    return {
        **dict.fromkeys(("task_assigned", "task_overdue"), (task, task.id)), "plan_review_due": (plan, plan.id),
        **dict.fromkeys(("meeting_invited", "meeting_changed"), (meetings[0], meetings[0].id)),
        "meeting_cancelled": (meetings[1], meetings[1].id), "referral_received": (referral.response, referral.response_id),
    }  # fmt: skip


def queue_one_of_each(made):
    """Returns {Message-ID: whom it goes to}."""
    wanted = {}
    for number, about in enumerate(made):
        assert about.keys() == tasks.EMAILS.keys(), "an email is about nothing here"
        for kind, (account, row, target_id) in about.items():
            target = row.ref if row else factories.today().isoformat()
            OutboxEmail.create(kind=kind, account=account, target=target, target_id=target_id, message_id=f"{kind}{number}")
            wanted[f"{kind}{number}"] = account.email
    return wanted


def test_no_name_and_no_text_is_in_any_email(app, cast, hostile, smtp, figure):
    wanted = queue_one_of_each(hostile)
    with app.app_context():
        while tasks.deliver():
            pass
    assert OutboxEmail.select().where(OutboxEmail.sent_at.is_null()).count() == 0, [
        (row.kind, row.dropped_why, row.last_error) for row in OutboxEmail.select().where(OutboxEmail.sent_at.is_null())
    ]
    assert len(smtp.messages) == len(NAMES) * len(tasks.EMAILS) == len(wanted)
    for received in smtp.messages:
        check(received, wanted[received.message_id.strip("<>").partition("@")[0]], app)
    figure("email", f"{len(tasks.EMAILS)} templates × {len(NAMES)} hostile names: none in any email, no header added")


def check(received, address, app):
    message = BytesParser(policy=policy.default).parsebytes(received.raw)
    assert received.to == [address], f"sent to {received.to}"
    assert {name.lower() for name in message.keys()} <= HEADERS, sorted(message.keys())  # noqa: SIM118
    assert not message.defects
    subjects = {subject for subject, _ in tasks.EMAILS.values()}
    assert str(message["Subject"]) in subjects
    assert str(message["To"]) == address and str(message["From"]) == app.settings.mail_from
    parts = [part.get_content() for part in message.walk() if not part.is_multipart()]
    parts = [part.decode() if isinstance(part, bytes) else part for part in parts]
    check_calendar(received, message, address)
    raw = received.raw.decode("utf-8", "replace")
    for part in message.walk():
        if part["Content-Transfer-Encoding"] == "base64":  # what it comes to is in `parts`
            assert part.get_payload() in raw
            raw = raw.replace(part.get_payload(), "")
    everything = "\n".join([raw, *map(str, message.values()), *parts, *unfolded(parts)]).casefold()
    everything = everything.replace(address, "")
    without_tokens = RANDOM.sub("", everything.replace("=\n", ""))
    assert "zq" not in without_tokens, f"a name or a text is in it:\n{everything}"
    for word in ("sturgeon", "kittiwake", "stu ", "bullying", "pupil"):
        assert word not in everything
    links = re.findall(r"https?://\S+", "\n".join(unfolded(parts)))
    assert links and all(link.startswith(app.settings.base_url + "/") for link in links), links


def unfolded(parts):
    """The parts, with what a calendar file broke into lines put together again (RFC 5545, 3.1)."""
    return [part.replace("\r\n", "\n").replace("\n ", "") for part in parts]


def check_calendar(received, message, address):
    """An invitation says whose it is, when and that it is a meeting; nothing else is in it, and nobody else is invited."""
    kind = received.message_id.strip("<>").partition("@")[0].rstrip("0123456789")
    inner = [part for part in message.walk() if part is not message and not part.is_multipart()]
    for part in inner:
        assert {name.lower() for name in part.keys()} <= PART_HEADERS, sorted(part.keys())  # noqa: SIM118
    calendars = [part for part in inner if part.get_content_type() == "text/calendar"]
    assert len(calendars) == (kind in WITH_CALENDAR) and len(inner) == 2 * len(calendars)
    for part in calendars:
        assert part.get_filename() == "invitation.ics" and part.get_param("method") == WITH_CALENDAR[kind]
        lines = [line for line in unfolded([part.get_payload(decode=True).decode()])[0].split("\n") if line]
        names = [re.split("[;:]", line)[0] for line in lines]
        once = [name for name in names if name not in ("BEGIN", "END")]
        assert set(names) <= CALENDAR and len(once) == len(set(once)), names
        said = dict(line.split(":", 1) for line in lines)
        assert said["METHOD"] == WITH_CALENDAR[kind] and said["SUMMARY"].startswith("Student meeting")
        assert [value for name, value in said.items() if name.startswith("ATTENDEE")] == [f"mailto:{address}"]


def test_the_check_finds_a_name(app, cast, hostile, smtp, monkeypatch):
    """The positive control: a template that names the student would be noticed."""
    wanted = queue_one_of_each(hostile[:1])
    subject, context_of = tasks.EMAILS["incident_assigned"]
    monkeypatch.setitem(tasks.EMAILS, "incident_assigned", (f"{subject}: Zqnora", context_of))
    with app.app_context():
        tasks.deliver()
    caught = 0
    for received in smtp.messages:
        try:
            check(received, wanted[received.message_id.strip("<>").partition("@")[0]], app)
        except AssertionError:
            caught += 1
    assert caught == 1


@pytest.mark.parametrize("address", ["a@b.example\r\nBcc: victim@evil.example", "a@b.example, victim@evil.example", "<a@b.example>",
                                     "a b@c.example", "@", "a@", "a@b@c.example"])  # fmt: skip
def test_an_address_that_is_none_never_becomes_an_account(app, cast, client_for, post, address):
    answer = post(client_for("ada"), "/admin/users/new", {"name": "Eve Egret", "email": address, "role": "staff"})
    assert answer.status_code == 422
    assert not Account.select().where(Account.name == "Eve Egret").exists()


def test_an_address_that_came_into_the_table_anyway_adds_no_header(app, cast, smtp):
    """Whatever a script or an import once wrote: it is refused at sending, and the next email still goes out."""
    bad = factories.account("Eve Egret", "eve@b.example\r\nBcc: victim@evil.example")
    for number, account in enumerate((bad, cast.ken)):
        link = PasswordLink.create(account=account, kind="reset", nonce=f"n{number}", expires_at=clock.now() + timedelta(days=9999))
        OutboxEmail.create(kind="password_link", account=account, target_id=link.id, message_id=f"m{number}")
    with app.app_context():
        for _ in range(3):
            try:
                tasks.deliver()
            except Exception as problem:
                print(f"deliver() raised {type(problem).__name__}")
            clock.move(minutes=5)
    assert {address for received in smtp.messages for address in received.to} == {cast.ken.email}
    assert not any(b"victim" in received.raw for received in smtp.messages)
