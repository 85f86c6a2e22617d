"""The outbox: every email once, to who may still know, through outages and a worker that dies."""

import dataclasses

import pytest

import events
import tasks
from extensions import clock, db
from models import Account, AuditSeal, Event, GroupMember, Heartbeat, Incident, IncidentAlert, OutboxEmail
from tests import factories


@pytest.fixture
def assigned(app, cast, smtp):
    """An incident assigned to Ken, with the email to him waiting."""
    row = factories.incident(cast.sam, [cast.student], assigned_to=cast.ken)
    with db.atomic():
        events.email("incident_assigned", cast.ken, target=row.ref, target_id=row.id)
    return row


@pytest.fixture
def deliver(app):
    def run():
        with app.app_context():
            return tasks.deliver()

    return run


def waiting():
    return OutboxEmail.select().where(OutboxEmail.is_waiting).count()


def test_an_email_goes_out_once_and_names_nobody(assigned, cast, smtp, deliver):
    assert deliver() == 1
    assert deliver() == 0
    [mail] = smtp.wait_for(1, seconds=5)
    assert mail.to == [cast.ken.email]
    assert f"/incidents/{assigned.ref}" in mail.text
    everything = mail.raw.decode().casefold()
    for name in ("sturgeon", "swift", "sam ", "corridor"):
        assert name not in everything
    assert OutboxEmail.get().sent_at is not None


@pytest.mark.parametrize("change", ["deactivated", "role lost", "assigned elsewhere", "excluded"])
def test_recipients_are_checked_again_when_it_is_sent(assigned, cast, smtp, deliver, change):
    if change == "deactivated":
        Account.update(is_active=False).where(Account.id == cast.ken.id).execute()
    elif change == "role lost":
        Account.update(role="staff").where(Account.id == cast.ken.id).execute()
    elif change == "assigned elsewhere":
        Incident.update(assigned_to=cast.kay).execute()
    else:
        factories.exclusion(cast.ken, cast.ada, student=cast.student)
    assert deliver() == 0
    assert waiting() == 0 and smtp.messages == []
    assert OutboxEmail.get().dropped_why


def test_a_member_who_left_the_group_gets_nothing(app, cast, smtp, deliver):
    row = factories.incident(cast.sam, [cast.student])
    IncidentAlert.create(incident=row, group=cast.counselling, alerted_by=cast.sam)
    with db.atomic():
        events.email("incident_alerted", cast.gil, target=row.ref, target_id=row.id)
    GroupMember.delete().execute()
    assert deliver() == 0
    assert smtp.messages == []


def test_a_lease_keeps_two_workers_apart_and_runs_out(assigned):
    [claimed] = tasks.claim()
    assert tasks.claim() == []
    clock.freeze(clock.now())
    clock.move(seconds=tasks.LEASE.seconds + 1)
    [again] = tasks.claim()
    assert again.message_id == claimed.message_id and again.attempts == 2


def test_an_outage_loses_nothing_and_drains_within_five_minutes(assigned, smtp, deliver):
    clock.freeze(clock.now())
    smtp.stop()
    for _minute in range(60):
        assert deliver() == 0
        clock.move(minutes=1)
    assert waiting() == 1
    smtp.start()
    sent = 0
    for _minute in range(5):
        sent += deliver()
        clock.move(minutes=1)
    assert sent == 1 and len(smtp.wait_for(1, seconds=5)) == 1


def test_a_temporary_refusal_is_tried_again(assigned, smtp, deliver):
    clock.freeze(clock.now())
    smtp.answer(451)
    assert deliver() == 0
    assert waiting() == 1
    smtp.answer(None)
    clock.move(minutes=4)
    assert deliver() == 1


def test_a_final_refusal_is_shown_and_recorded(assigned, smtp, deliver):
    smtp.answer(550, at="rcpt")
    assert deliver() == 0
    row = OutboxEmail.get()
    assert row.failed_at and "550" in row.last_error and not row.is_waiting
    assert Event.select().where(Event.verb == "email.failed").count() == 1


def test_without_a_mail_server_email_waits(app, assigned, monkeypatch):
    monkeypatch.setattr(app, "settings", dataclasses.replace(app.settings, smtp=None))
    with app.app_context():
        assert tasks.deliver() == 0
    assert waiting() == 1


def test_the_sweep_seals_and_beats(app, cast):
    with db.atomic():
        events.record("school.set_up", actor=cast.ada)
    with app.app_context():
        tasks.sweep()
    assert AuditSeal.select().count() == 1
    assert Heartbeat.get().name == "sweep"
