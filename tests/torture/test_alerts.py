"""Emails about incidents, while the worker that sends them is killed again and again: none lost, none doubled."""

import time
from collections import Counter

import tasks
from blueprints.incidents import actions
from extensions import clock
from models import OutboxEmail
from tests import factories
from tests.torture.support import children, dice


def queue(cast, number):
    """So many emails, written by the action that alerts; returns the Message-IDs that must arrive, once each."""
    people = [factories.account(f"Alerted{each} Person", role="staff") for each in range(10)]
    plain = factories.category("Bullying")
    while OutboxEmail.select().count() < number:
        row = factories.incident(cast.kay, [(cast.student, [plain])])
        actions.alert(row, people, [], actor=cast.kay)
    return {message_id for (message_id,) in OutboxEmail.select(OutboxEmail.message_id).tuples()}


def ids(messages):
    return Counter(received.message_id.strip("<>").partition("@")[0] for received in messages)


def test_a_worker_that_is_killed_loses_and_doubles_no_email(app, cast, smtp, environ, full, figure):
    chance = dice(full, "alerts")
    emails, kills = (1000, 100) if full else (60, 6)
    wanted = queue(cast, emails)
    assert len(wanted) == emails
    killed, began = 0, time.monotonic()
    with children() as start:
        while True:
            # each worker lives after the lease of the one that was killed before it
            worker = start(environ, "deliver", 3 * killed)
            worker.hear()
            if killed == kills:
                assert worker.finish(seconds=300) == "idle"
                break
            until = len(smtp.messages) + chance.randrange(0, max(2, 2 * emails // kills))
            while len(smtp.messages) < until and not worker.heard():
                time.sleep(0.001)
            time.sleep(chance.random() * 0.004)
            worker.kill()
            killed += 1
    arrived = ids(smtp.messages)
    lost, unknown = wanted - set(arrived), set(arrived) - wanted
    assert not lost, f"{len(lost)} of {emails} emails never arrived"
    assert not unknown, f"emails arrived that nobody queued: {sorted(unknown)[:3]}"
    assert OutboxEmail.select().where(OutboxEmail.is_waiting).count() == 0
    assert OutboxEmail.select().where(OutboxEmail.sent_at.is_null(False)).count() == emails
    again = sum(arrived.values()) - len(arrived)
    figure("alerts", f"{emails} emails, {killed} kills of the worker: 0 lost, 0 doubled by Message-ID "
                     f"({again} sent again under the same one), {time.monotonic() - began:.0f} s")  # fmt: skip


def test_a_server_that_drops_the_line_after_taking_an_email_gets_the_same_one_again(app, cast, smtp):
    only = next(iter(queue(cast, 1)))
    OutboxEmail.delete().where(OutboxEmail.message_id != only).execute()
    smtp.drop(at="data", keep=True, times=1)
    clock.freeze(clock.now())
    with app.app_context():
        assert tasks.deliver() == 0
        clock.move(minutes=5)
        assert tasks.deliver() == 1
    assert ids(smtp.messages) == {only: 2}, "taken twice, but under one Message-ID"


def test_a_server_that_hangs_holds_up_nothing_for_long(app, cast, smtp, monkeypatch):
    wanted = queue(cast, 10)
    monkeypatch.setattr(tasks, "SMTP_TIMEOUT", 0.2)
    clock.freeze(clock.now())
    with app.app_context():
        for moment in ("connect", "mail", "data"):
            smtp.hang(at=moment)
            began = time.monotonic()
            assert tasks.deliver() == 0
            assert time.monotonic() - began < 5, f"a server that hangs at {moment} held the worker"
            clock.move(minutes=5)
        smtp.answer(None)
        assert tasks.deliver() == len(wanted)
    assert set(ids(smtp.messages)) == wanted


def test_temporary_and_final_refusals_side_by_side(app, cast, smtp):
    """One recipient is refused for good, the server has a bad hour for the others: they all get theirs."""
    wanted = queue(cast, 10)
    clock.freeze(clock.now())
    with app.app_context():
        smtp.answer(550, at="rcpt", times=1)
        assert tasks.deliver() == 9
        assert OutboxEmail.select().where(OutboxEmail.failed_at.is_null(False)).count() == 1
        OutboxEmail.update(sent_at=None, is_waiting=True).where(OutboxEmail.failed_at.is_null()).execute()
        smtp.messages.clear()
        smtp.answer(451)
        for _minute in range(60):
            assert tasks.deliver() == 0
            clock.move(minutes=1)
        smtp.answer(None)
        sent = 0
        for _minute in range(5):
            sent += tasks.deliver()
            clock.move(minutes=1)
    assert sent == 9 and len(set(ids(smtp.messages)) & wanted) == 9
