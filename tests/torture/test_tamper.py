"""Somebody with the database in their hands edits, deletes, cuts off and rewrites sealed audit rows: each is found.

The head of the chain was kept elsewhere, as operators are told to; the triggers are stepped around, as somebody who
owns the database can.
"""

import json

import pytest

import events
from blueprints.admin import audit_chain
from extensions import db
from models import AuditSeal, Event, is_postgres
from tests.torture.support import dice, undone

EVENTS = 60
SEAL_EVERY = 8


@pytest.fixture
def log(app, cast):
    """A log of several seals; returns the kept head."""
    people = [cast.ada, cast.kay, cast.sam, None]
    for number in range(EVENTS):
        verb, data = [
            ("incident.read", {}),
            ("incident.assigned", {"old": "", "new": f"N{number}"}),
            ("search.run", {"count": number}),
        ][number % 3]
        with db.atomic():
            events.record(verb, actor=people[number % 4], target=f"I-{number:06}", reasons=("key_user",), **data)
        if number % SEAL_EVERY == SEAL_EVERY - 1:
            events.seal()
    assert AuditSeal.select().count() == EVENTS // SEAL_EVERY
    return AuditSeal.select().order_by(AuditSeal.id.desc()).first().head


def sql(statement, *values):
    return db.execute_sql(statement.replace("?", "%s") if is_postgres() else statement, values)


def without_triggers(tamper):
    """Runs `tamper` as the owner of the database can: past the triggers, which stand there again afterwards."""
    if is_postgres():
        sql("SET LOCAL session_replication_role = replica")
        tamper()
        sql("SET LOCAL session_replication_role = origin")
        return
    kept = sql("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for name, _ in kept:
        sql(f'DROP TRIGGER "{name}"')
    tamper()
    for _, text in kept:
        sql(text)


def sealed_ids():
    last = AuditSeal.select(AuditSeal.last_event).order_by(AuditSeal.id.desc()).scalar()
    return [number for (number,) in Event.select(Event.id).where(Event.id <= last).order_by(Event.id).tuples()]


def seal_ids():
    return [number for (number,) in AuditSeal.select(AuditSeal.id).order_by(AuditSeal.id).tuples()]


def reseal(seals):
    """Computes the chain anew over what now stands in the table, as a careful forger would."""
    previous = events.START_OF_CHAIN
    after = 0
    for seal in seals:
        row = AuditSeal.get_by_id(seal)
        found = list(events.sealable(after, row.last_event))
        digest = events.digest_of(events.sealed_line(event) for event in found)
        first = found[0]["id"] if found else row.first_event
        last = found[-1]["id"] if found else row.last_event
        head = events.head_of(previous, row.sealed_at, first, last, len(found), digest)
        sql("UPDATE audit_seal SET first_event = ?, last_event = ?, events = ?, digest = ?, previous = ?, head = ? "
            "WHERE id = ?", first, last, len(found), digest, previous, head, seal)
        previous, after = head, row.last_event


# Each takes the dice and changes the tables in one way.


def edit_event(chance):
    column, value = chance.choice([
        ("at", "2020-01-01 00:00:00"), ("verb", "incident.closed"), ("target", "I-ZZZZZZ"), ("reasons", "admin"),
        ("data", '{"new":"forged"}'), ("address", "203.0.113.9"), ("actor_id", None),
    ])  # fmt: skip
    rows = [each for each in sealed_ids() if column != "actor_id" or Event.get_by_id(each).actor_id is not None]
    sql(f"UPDATE event SET {column} = ? WHERE id = ?", value, chance.choice(rows))


def give_event_to_somebody_else(chance):
    row = Event.get_by_id(chance.choice(sealed_ids()))
    others = [who for (who,) in Event.select(Event.actor).distinct().tuples() if who not in (None, row.actor_id)]
    sql("UPDATE event SET actor_id = ? WHERE id = ?", chance.choice(others), row.id)


def delete_event(chance):
    sql("DELETE FROM event WHERE id = ?", chance.choice(sealed_ids()))


def delete_some(chance):
    ids = sealed_ids()
    first, last = sorted(chance.sample(ids, 2))
    sql("DELETE FROM event WHERE id BETWEEN ? AND ?", first, last)


def swap_two(chance):
    one, other = (Event.get_by_id(each) for each in chance.sample(sealed_ids(), 2))
    for row, taken in ((one, other), (other, one)):
        sql("UPDATE event SET target = ?, verb = ?, data = ? WHERE id = ?", taken.target, taken.verb, taken.data, row.id)


def insert_event(chance):
    """One more row where another stood: the gap is made by moving an event away."""
    ids = sealed_ids()
    number = chance.choice(ids)
    sql("UPDATE event SET id = ? WHERE id = ?", ids[-1] + 1_000_000, number)
    sql("INSERT INTO event (id, at, verb, target, reasons, data, address) VALUES (?, ?, ?, ?, ?, ?, ?)",
        number, "2026-01-01 00:00:00", "incident.read", "I-000001", "", "{}", "")


def cut_off_events(chance):
    sql("DELETE FROM event WHERE id >= ?", chance.choice(sealed_ids()))


def cut_off_cleanly(chance):
    """Events and seals from some point on, so that what is left is a shorter chain that holds by itself."""
    seal = AuditSeal.get_by_id(chance.choice(seal_ids()))
    sql("DELETE FROM event WHERE id >= ?", seal.first_event)
    sql("DELETE FROM audit_seal WHERE id >= ?", seal.id)


def empty_the_log(chance):
    sql("DELETE FROM event")
    sql("DELETE FROM audit_seal")


def delete_seal(chance):
    sql("DELETE FROM audit_seal WHERE id = ?", chance.choice(seal_ids()))


def edit_seal(chance):
    row = AuditSeal.get_by_id(chance.choice(seal_ids()))
    column, value = chance.choice([
        ("sealed_at", "2020-01-01 00:00:00"), ("first_event", row.first_event + 1), ("events", row.events - 1),
        ("digest", "0" * 64), ("previous", "1" * 64), ("head", "2" * 64), ("last_event", row.last_event + 1_000_000),
    ])  # fmt: skip
    sql(f"UPDATE audit_seal SET {column} = ? WHERE id = ?", value, row.id)


def rewrite_from_there(chance):
    """The perfect forgery: one event edited and the whole chain computed anew. Only the kept head tells."""
    edit_event(chance)
    reseal(seal_ids())


def remove_and_rewrite(chance):
    delete_event(chance)
    reseal(seal_ids())


def switch_a_trigger_off(chance):
    table = chance.choice(["event", "audit_seal"])
    if is_postgres():
        sql(f"ALTER TABLE {table} DISABLE TRIGGER {table}_append_only")
    else:
        sql(f"DROP TRIGGER {table}_no_{chance.choice(['update', 'delete'])}")


KINDS = [edit_event, give_event_to_somebody_else, delete_event, delete_some, swap_two, insert_event, cut_off_events,
         cut_off_cleanly, empty_the_log, delete_seal, edit_seal, rewrite_from_there, remove_and_rewrite]  # fmt: skip


def test_every_tampering_with_the_database_is_found(log, full, figure):
    chance = dice(full, "tamper")
    times = 240 if full else 2 * len(KINDS)
    assert audit_chain.verify_database(log).holds, "the log must hold before anybody touches it"
    missed = []
    for number in range(times):
        kind = KINDS[number % len(KINDS)]
        with undone():
            without_triggers(lambda kind=kind: kind(chance))
            if audit_chain.verify_database(log).holds:
                missed.append(f"{number}: {kind.__name__}")
    assert not missed, f"not found: {missed}"
    assert audit_chain.verify_database(log).holds, "the log must hold again once everything is taken back"
    figure("tamper, database", f"{times} edits, deletions, truncations and rewrites, {times} found")


def test_a_trigger_that_is_gone_is_found(log, full):
    chance = dice(full, "trigger")
    for _ in range(4):
        with undone():
            switch_a_trigger_off(chance)
            report = audit_chain.verify_database(log)
        assert any("trigger" in problem for problem in report.problems), report.problems


def edit_line(chance, lines):
    at = chance.randrange(1, len(lines))
    place = chance.randrange(1, len(lines[at]) - 2)
    byte = chance.choice([each for each in b"0123456789abcdefXYZ" if each != lines[at][place]])
    lines[at] = lines[at][:place] + bytes([byte]) + lines[at][place + 1 :]


def delete_line(chance, lines):
    del lines[chance.randrange(1, len(lines))]


def double_line(chance, lines):
    at = chance.randrange(1, len(lines))
    lines.insert(at, lines[at])


def swap_lines(chance, lines):
    one, other = chance.sample(range(1, len(lines)), 2)
    lines[one], lines[other] = lines[other], lines[one]


def cut_lines(chance, lines):
    del lines[chance.randrange(1, len(lines)) :]


def cut_at_a_seal(chance, lines):
    """A shorter file with a header to match: only the kept head tells."""
    seals = [place for place, line in enumerate(lines) if line.startswith(b'{"seal":')]
    keep = chance.choice(seals[:-1])
    del lines[keep + 1 :]
    header, last = json.loads(lines[0]), json.loads(lines[keep])["seal"]
    counted = [place for place in seals if place <= keep]
    header |= {"seals": len(counted), "events": keep - len(counted), "head": last["head"]}
    lines[0] = json.dumps(header, separators=(",", ":")).encode() + b"\n"


FILE_KINDS = [edit_line, delete_line, double_line, swap_lines, cut_lines, cut_at_a_seal]


def test_every_tampering_with_an_exported_log_is_found(log, full, figure):
    chance = dice(full, "tamper file")
    whole = list(audit_chain.sealed_log())
    assert audit_chain.verify_file(whole, log).holds
    times = 120 if full else 2 * len(FILE_KINDS)
    missed = []
    for number in range(times):
        lines, kind = list(whole), FILE_KINDS[number % len(FILE_KINDS)]
        kind(chance, lines)
        if audit_chain.verify_file(lines, log).holds:
            missed.append(f"{number}: {kind.__name__}")
    assert not missed, f"not found: {missed}"
    figure("tamper, exported file", f"{times} edits, deletions and truncations, {times} found")
