"""Every kind of email, sent for a school in which every name and text is hostile: none of it is in what goes out, and no
header can be added to it."""

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
    Group,
    MilestoneReminder,
    MilestoneRequest,
    Notification,
    OutboxEmail,
    PasswordLink,
    School,
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


@pytest.fixture
def hostile(app, cast, clock):
    """An incident, a case and a milestone for each name, with that name in every text about it; Ken or the student could get
    each email."""
    clock.freeze(clock.now())
    School.update(name=NAMES[1], student_word="Zqpupil", student_visibility_at=clock.now()).execute()
    support = factories.group("Zqsupport", members=[cast.ken])
    made = []
    for number, name in enumerate(NAMES):
        writer = factories.account(name, f"zqwriter{number}@school.example.org", title=name[:255])
        student = factories.student(name[:255], name[:255], preferred_name=name[:255], email=f"zq{number}@pupils.example.org")
        category = Category.create(name=f"{name[:200]}{number}", guidance=name)
        row = factories.incident(writer, [(student, [category])], name, place=name[:255], alerted=[cast.ken], assigned_to=cast.ken)
        action = factories.action(row, writer, name, person=cast.ken, due_on=clock.now().date())
        case = factories.case(student, opened_by=writer, title=name[:200], coordinator=cast.ken, staff=[cast.ken], entries=[(writer, name)])
        Group.create(name=f"{name[:200]} {number}")
        own = factories.account(name[:255], student.email, role=permissions.STUDENT)
        cohort = factories.cohort(f"{name[:200]}{number}", name[:200], [student], [support])
        milestone = factories.milestone(cohort, name[:200], clock.now().date() + timedelta(days=7), "7", description=name)
        MilestoneRequest.create(milestone=milestone, student=student, note=name)
        made.append((row, action, case, own, milestone))
    Notification.create(account=cast.ken, kind="student_changed", target=student.ref, target_id=student.id, detail="details",
                        digest_on=clock.now().date(), digested_at=clock.now())  # fmt: skip
    Account.update(name=NAMES[0]).where(Account.id == cast.ken.id).execute()
    return made


def queue_one_of_each(made, ken):
    """Returns {Message-ID: whom it goes to}."""
    wanted = {}
    for number, (row, action, case, own, milestone) in enumerate(made):
        for kind in tasks.EMAILS:
            account = own if kind in TO_STUDENTS else ken
            target, target_id = row.ref, row.id
            if kind == "action_due":
                target_id = action.id
            elif kind.startswith("case_"):
                target, target_id = case.ref, case.id
            elif kind in ("student_changed", "milestone_asked"):
                target, target_id = case.student.ref, case.student_id
            elif kind == "milestone_answered":
                target, target_id = milestone.ref, milestone.id
            elif kind == "milestone_reminder":
                reminder = MilestoneReminder.create(milestone=milestone, student=case.student, days=7, due_on=milestone.due_on)
                target, target_id = milestone.ref, reminder.id
            elif kind == "digest":
                target, target_id = clock.now().date().isoformat(), None
            elif kind in ("invitation", "password_link", "student_invitation"):
                link = PasswordLink.create(account=account, kind="reset", nonce=f"{kind}{number}", expires_at=clock.now().replace(year=2100))
                target, target_id = account.ref, link.id
            OutboxEmail.create(kind=kind, account=account, target=target, target_id=target_id, message_id=f"{kind}{number}")
            wanted[f"{kind}{number}"] = account.email
    return wanted


def test_no_name_and_no_text_is_in_any_email(app, cast, hostile, smtp, figure):
    wanted = queue_one_of_each(hostile, cast.ken)
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
    everything = "\n".join([received.raw.decode("utf-8", "replace"), *map(str, message.values()), *parts]).casefold()
    everything = everything.replace(address, "")
    # Random, so any two letters can be in one: what stands in a set-password link, and references.
    without_tokens = re.sub(r"/password/\S+|\b[ci]-\w{6}\b|/(students|my/milestones)/\w{10}\b", "", everything.replace("=\n", ""))
    assert "zq" not in without_tokens, f"a name or a text is in it:\n{everything}"
    for word in ("sturgeon", "kittiwake", "stu ", "bullying", "pupil"):
        assert word not in everything
    links = re.findall(r"https?://\S+", "\n".join(parts))
    assert links and all(link.startswith(app.settings.base_url + "/") for link in links), links


def test_the_check_finds_a_name(app, cast, hostile, smtp, monkeypatch):
    """The positive control: a template that names the student would be noticed."""
    wanted = queue_one_of_each(hostile[:1], cast.ken)
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
        link = PasswordLink.create(account=account, kind="reset", nonce=f"n{number}", expires_at=clock.now().replace(year=2100))
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
