"""The audit log: written with what it reports, append-only, and sealed in a chain."""

import json

import pytest
from peewee import DatabaseError, IntegrityError

import events
from extensions import db, once_key
from models import AuditSeal, Event, OneTimeKey, OutboxEmail
from tests import factories


@pytest.fixture(autouse=True)
def _app(app):
    yield
    once_key.set(None)


def record(actor, **data):
    with db.atomic():
        events.record("incident.assigned", actor=actor, target="I-7K3FQ2", old="", new="x", **data)
    return Event.select().order_by(Event.id.desc()).first()


def test_an_event_carries_who_what_and_its_fields():
    sam = factories.account()
    event = record(sam, reasons=["wrote_it"])
    assert (event.actor_id, event.verb, event.target, event.reasons) == (sam.id, "incident.assigned", "I-7K3FQ2", "wrote_it")
    assert json.loads(event.data) == {"old": "", "new": "x"}


def test_it_refuses_an_unknown_verb_a_missing_field_and_no_transaction():
    with pytest.raises(KeyError), db.atomic():
        events.record("incident.teleported", actor=None)
    with pytest.raises(ValueError, match="new"), db.atomic():
        events.record("incident.assigned", actor=None, old="")
    with pytest.raises(RuntimeError, match="transaction"):
        events.record("incident.assigned", actor=None, old="", new="")


def test_what_is_rolled_back_leaves_no_event():
    before = Event.select().count()
    with pytest.raises(ZeroDivisionError), db.atomic():
        events.record("incident.assigned", actor=None, old="", new="")
        raise ZeroDivisionError
    assert Event.select().count() == before


@pytest.mark.parametrize("table", [Event, AuditSeal])
@pytest.mark.parametrize("verb", ["update", "delete"])
def test_rows_can_be_neither_changed_nor_deleted(table, verb):
    record(None)
    events.seal()
    query = table.delete() if verb == "delete" else table.update(id=table.id)
    with pytest.raises(DatabaseError, match="append-only|permission denied"), db.atomic():
        query.execute()
    assert table.select().count() == 1


def test_a_one_time_key_is_used_once_and_never_by_a_read():
    once_key.set("k" * 64)
    events.record_alone("incident.read", actor=None, target="I-7K3FQ2")
    assert OneTimeKey.select().count() == 0
    record(None)
    assert OneTimeKey.get().key == "k" * 64
    once_key.set("k" * 64)
    with pytest.raises(IntegrityError):
        record(None)
    assert Event.select().where(Event.verb == "incident.assigned").count() == 1


def test_seals_bind_every_event_to_all_before():
    record(None)
    first = events.seal()
    assert events.seal() is None
    record(None)
    record(None)
    second = events.seal()
    assert (first.previous, second.previous) == (events.START_OF_CHAIN, first.head)
    assert second.events == 2
    lines = [events.sealed_line(event) for event in events.sealable(first.last_event)]
    assert events.digest_of(lines) == second.digest


def test_an_email_that_must_go_once_is_queued_once():
    sam = factories.account()
    with db.atomic():
        assert events.email("action_due", sam, once="action_due:1")
        assert events.email("action_due", sam, once="action_due:1") is None
    assert OutboxEmail.select().count() == 1
