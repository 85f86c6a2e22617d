"""The audit log: append-only, sealed, shown in plain words, and every kind of tampering found."""

import json
import random
import subprocess
import sys
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from peewee import DatabaseError

import events
import permissions
from blueprints.admin import audit_chain, queries
from blueprints.admin.audit_words import VERB_WORDS
from extensions import db
from models import AuditSeal, Event, is_postgres
from tests import factories
from tests.web import forms, text_of

URL = "/admin/audit"
ROOT = Path(__file__).resolve().parents[2]


def fill(actor, seals=5, each=4):
    """A log of some seals over some events each, and two events that wait for their seal."""
    for number in range(seals):
        for place in range(each):
            events.record_alone("incident.read", actor=actor, target=f"I-{number}{place}", reasons=("admin",))
        events.seal()
    for place in range(2):
        events.record_alone("search.run", actor=actor, count=place)


@contextmanager
def unguarded():
    """The triggers taken away and put back, as somebody who owns the database could."""
    if is_postgres():
        for table in ("event", "audit_seal"):
            db.execute_sql(f"ALTER TABLE {table} DISABLE TRIGGER {table}_append_only")
            db.execute_sql(f"GRANT UPDATE, DELETE ON {table} TO CURRENT_USER")
        yield
        for table in ("event", "audit_seal"):
            db.execute_sql(f"ALTER TABLE {table} ENABLE TRIGGER {table}_append_only")
        return
    kept = db.execute_sql("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name LIKE '%_no_%'").fetchall()
    for name, _ in kept:
        db.execute_sql(f"DROP TRIGGER {name}")
    yield
    for _, sql in kept:
        db.execute_sql(sql)


# --- Append-only -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", ["event", "audit_seal"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET id = id", "DELETE FROM {}"])
def test_the_database_refuses_to_change_the_log(cast, table, statement):
    fill(cast.ada, 1)
    with pytest.raises(DatabaseError), db.atomic():
        db.execute_sql(statement.format(table))
    assert Event.select().count() == 6 and AuditSeal.select().count() == 1


# --- The chain -------------------------------------------------------------------------------------------------------


def test_an_untouched_log_holds(cast):
    assert audit_chain.verify_database().holds
    fill(cast.ada)
    report = audit_chain.verify_database()
    assert report.holds, report.problems
    assert (report.seals, report.events, report.unsealed) == (5, 20, 2)
    assert report.head == AuditSeal.select().order_by(AuditSeal.id.desc()).get().head
    assert audit_chain.verify_database(report.head).holds
    first = AuditSeal.get_by_id(AuditSeal.select().order_by(AuditSeal.id).get().id).head
    assert audit_chain.verify_database(first).holds
    assert not audit_chain.verify_database("0" * 63 + "1").holds


def _changes():
    """Names and functions: each tampers with one thing of a sealed log."""

    def event(field, value):
        def change(dice):
            row = dice.choice(list(Event.select().where(Event.verb == "incident.read")))
            Event.update({field: value(row)}).where(Event.id == row.id).execute()

        return change

    def seal(field, value):
        def change(dice):
            row = dice.choice(list(AuditSeal.select()))
            AuditSeal.update({field: value(row)}).where(AuditSeal.id == row.id).execute()

        return change

    def delete(model, pick):
        def change(dice):
            rows = list(model.select().where(model.id <= 20).order_by(model.id))
            model.delete().where(model.id.in_([row.id for row in pick(rows, dice)])).execute()

        return change

    def insert(dice):
        row = dice.choice(list(Event.select().where(Event.verb == "incident.read")))
        fields = {name: getattr(row, name) for name in ("at", "actor_id", "verb", "target", "reasons", "data", "address")}
        Event.delete().where(Event.id == row.id).execute()
        Event.insert(id=-row.id, **fields).execute()

    def swap(dice):
        one, other = dice.sample(list(Event.select().where(Event.verb == "incident.read")), 2)
        for row, target in ((one, other.target), (other, one.target)):
            Event.update(target=target).where(Event.id == row.id).execute()

    def rewrite_one_seal(dice):
        """An event changed and its own seal computed anew: the next seal does not follow any more."""
        rows = list(AuditSeal.select().order_by(AuditSeal.id))
        row = dice.choice(rows[:-1])
        Event.update(target="I-OTHER").where(Event.id == row.first_event).execute()
        digest = events.digest_of(events.sealed_line(each) for each in events.sealable(row.first_event - 1, row.last_event))
        head = events.head_of(row.previous, row.sealed_at, row.first_event, row.last_event, row.events, digest)
        AuditSeal.update(digest=digest, head=head).where(AuditSeal.id == row.id).execute()

    return {
        "verb": event("verb", lambda row: "incident.listed"),
        "target": event("target", lambda row: row.target + "X"),
        "actor": event("actor", lambda row: None),
        "moment": event("at", lambda row: row.at + timedelta(microseconds=1)),
        "data": event("data", lambda row: '{"a": 1}'),
        "reasons": event("reasons", lambda row: "wrote_it"),
        "address": event("address", lambda row: "10.0.0.1"),
        "moved event": event("id", lambda row: row.id + 1000),
        "sealed at": seal("sealed_at", lambda row: row.sealed_at + timedelta(seconds=1)),
        "first event": seal("first_event", lambda row: row.first_event + 1),
        "last event": seal("last_event", lambda row: row.last_event + 500),
        "count": seal("events", lambda row: row.events - 1),
        "digest": seal("digest", lambda row: "0" * 64),
        "previous": seal("previous", lambda row: "0" * 63 + "1"),
        "head": seal("head", lambda row: "0" * 64),
        "deleted event": delete(Event, lambda rows, dice: [dice.choice(rows)]),
        "deleted first event": delete(Event, lambda rows, dice: rows[:1]),
        "deleted range": delete(Event, lambda rows, dice: rows[3:9]),
        "deleted seal": delete(AuditSeal, lambda rows, dice: [dice.choice(rows[:-1])]),
        "inserted event": insert,
        "swapped": swap,
        "rewritten seal": rewrite_one_seal,
    }


@pytest.mark.parametrize("name", _changes())
@pytest.mark.parametrize("seed", [1, 2])
def test_every_tampering_is_found(cast, name, seed):
    fill(cast.ada)
    events.seal()
    with unguarded():
        _changes()[name](random.Random(f"{name}{seed}"))
    report = audit_chain.verify_database()
    assert report.problems, f"{name} was not found"


def test_what_a_kept_head_alone_can_show(cast):
    """The end cut off, or the whole chain computed anew: consistent in itself, but not what was there."""
    fill(cast.ada)
    head = audit_chain.verify_database().head
    last = AuditSeal.select().order_by(AuditSeal.id.desc()).get()
    with unguarded():
        Event.delete().where(Event.id >= last.first_event).execute()
        AuditSeal.delete().where(AuditSeal.id == last.id).execute()
    assert audit_chain.verify_database().holds
    cut = audit_chain.verify_database(head)
    assert "cut short or rewritten" in cut.problems[0]
    with unguarded():
        Event.update(target="I-OTHER").where(Event.id == 1).execute()
        AuditSeal.delete().execute()
    events.seal()
    assert audit_chain.verify_database().holds and not audit_chain.verify_database(head).holds


def test_missing_triggers_are_told(cast):
    fill(cast.ada, 1)
    with unguarded():
        problems = audit_chain.verify_database().problems
    assert problems and all("guards the audit log" in problem for problem in problems)
    assert audit_chain.verify_database().holds


# --- The sealed log as a file ----------------------------------------------------------------------------------------


def sealed(actor):
    fill(actor)
    events.seal()
    return list(audit_chain.sealed_log())


def test_a_sealed_log_verifies_by_itself(cast):
    lines = sealed(cast.ada)
    report = audit_chain.verify_file(lines)
    assert report.holds, report.problems
    assert (report.seals, report.events) == (6, 22) and report.head == audit_chain.verify_database().head
    assert audit_chain.verify_file(lines, report.head).holds
    assert not audit_chain.verify_file(lines, "1" * 64).holds
    assert json.loads(lines[0])["head"] == report.head


def test_every_change_of_the_file_is_found(cast):
    lines = sealed(cast.ada)
    dice = random.Random(5)
    for number in range(60):
        changed = list(lines)
        place = dice.randrange(len(changed))
        match number % 6:
            case 0:
                del changed[place]
            case 1:
                changed.insert(place, changed[dice.randrange(1, len(lines))])
            case 2:
                changed = changed[:place]
            case 3:
                body = bytearray(changed[place])
                spot = dice.choice([spot for spot, byte in enumerate(body) if chr(byte).isdigit()])
                body[spot] = ord("1") if body[spot] != ord("1") else ord("2")
                if place == 0 and json.loads(body) | {"exported_at": ""} == json.loads(lines[0]) | {"exported_at": ""}:
                    continue  # when the file was written is the header's own word
                changed[place] = bytes(body)
            case 4:
                other = dice.choice([index for index in range(len(lines)) if lines[index] != lines[place]])
                changed[place], changed[other] = changed[other], changed[place]
            case 5:
                changed[place] = b"not a line of the log\n"
        if changed != lines:
            assert audit_chain.verify_file(changed).problems, (number, place)


def test_nonsense_is_no_sealed_log():
    for lines in ([], [b"\n"], [b"\xff\xfe"], [b"{}\n"], [b"[1]\n"], [b'{"caseward_audit":1,"seals":0}\n']):
        assert not audit_chain.verify_file(lines).holds


# --- Commands --------------------------------------------------------------------------------------------------------


def test_commands(app, cast, tmp_path):
    fill(cast.ada)
    runner = app.test_cli_runner()
    held = runner.invoke(args=["audit", "verify"])
    assert held.exit_code == 0 and "The audit log holds: 20 events under 5 seals" in held.output
    head = runner.invoke(args=["audit", "head"]).output.split()[0]
    file = tmp_path / "log.jsonl"
    assert "Written to" in runner.invoke(args=["audit", "export", str(file)]).output
    assert file.stat().st_mode & 0o077 == 0
    assert runner.invoke(args=["audit", "export", str(file)]).exit_code == 1
    assert runner.invoke(args=["audit", "verify", str(file), "--head", head]).exit_code == 0
    assert runner.invoke(args=["audit", "verify", "--head", "1" * 64]).exit_code == 1
    with unguarded():
        Event.update(target="I-OTHER").where(Event.id == 3).execute()
    broken = runner.invoke(args=["audit", "verify"])
    assert broken.exit_code == 1 and "Something was changed" in broken.output
    file.write_bytes(file.read_bytes().replace(b"I-00", b"I-99"))
    assert runner.invoke(args=["audit", "verify", str(file)]).exit_code == 1


def test_the_offline_verifier_needs_no_instance(cast, tmp_path):
    file = tmp_path / "log.jsonl"
    file.write_bytes(b"".join(sealed(cast.ada)))
    run = [sys.executable, "-m", "blueprints.admin.audit_chain", str(file)]
    good = subprocess.run(run, cwd=ROOT, env={"PATH": "/usr/bin"}, capture_output=True, text=True)
    assert good.returncode == 0 and "The audit log holds" in good.stdout, good.stderr
    file.write_bytes(file.read_bytes().replace(b"admin", b"nobody", 1))
    bad = subprocess.run(run, cwd=ROOT, env={"PATH": "/usr/bin"}, capture_output=True, text=True)
    assert bad.returncode == 1 and "does NOT hold" in bad.stdout


# --- The page --------------------------------------------------------------------------------------------------------


@pytest.fixture
def log(cast, clock):
    """A log of three days with all that the filters tell apart."""
    clock.freeze(datetime(2026, 11, 18, 9, tzinfo=UTC))
    events.record_alone("incident.read", actor=cast.kay, target="I-AAAAAA", reasons=("key_user",))
    clock.move(days=1)
    events.record_alone("incident.assigned", actor=cast.kay, target="I-BBBBBB", old=None, new=cast.ken.ref)
    clock.move(days=1)
    events.record_alone("access.denied", actor=cast.oli, asked="I-CCCCCC", how="GET")
    return cast


def rows(client, **args):
    page = client.get(URL, query_string=args)
    assert page.status_code == 200
    body = page.get_data(as_text=True)
    return {name for name in ("I-AAAAAA", "I-BBBBBB", "I-CCCCCC") if name in body.split("<tbody>")[-1]}


def test_plain_words(log, client_for):
    text = text_of(client_for("ada").get(URL))
    assert "Kay Kestrel Read an incident I-AAAAAA is a Key User" in text
    assert f"Kay Kestrel Assigned an incident I-BBBBBB from: nobody; to: {log.ken.ref}" in text
    assert "Oli Ouzel Was denied asked for: I-CCCCCC; by: opening a page" in text
    assert "Ken Kittiwake" not in text


@pytest.mark.parametrize(("verb", "reason", "words"), [
    ("plan.read", "created_it", "created it"), ("plan.read", "assigned", "works on it"), ("response.read", "sent_it", "sent it"),
    ("meeting.read", "invited", "is to be there"), ("case.read", "following", "is following the case"),
    ("student.milestones_read", "support_group", "is in a Student Support Group of the student's cohort"),
    ("student.read", "group_manager", "Group Manager"),
])  # fmt: skip
def test_a_reason_is_said_in_the_words_of_what_was_read(cast, client_for, verb, reason, words):
    events.record_alone(verb, actor=cast.mo, target="ABCDEFGHJK", reasons=(reason,))
    assert f"ABCDEFGHJK {words} " in text_of(client_for("ada").get(URL))


def test_filters(log, client_for):
    ada = client_for("ada")
    assert rows(ada) == {"I-AAAAAA", "I-BBBBBB", "I-CCCCCC"}
    assert rows(ada, **{"from": "2026-11-19", "to": "2026-11-19"}) == {"I-BBBBBB"}
    assert rows(ada, person="kestrel") == {"I-AAAAAA", "I-BBBBBB"}
    assert rows(ada, person=log.oli.email) == {"I-CCCCCC"}
    assert rows(ada, verb="incident.read") == {"I-AAAAAA"}
    assert rows(ada, reference="I-BBBBBB") == {"I-BBBBBB"}
    assert rows(ada, denials="y") == {"I-CCCCCC"}
    assert rows(ada, person="nobody at all") == set()


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        ({"from": "2026-13-01"}, "is not a date"),
        ({"from": "2026-11-09", "to": "2026-11-01"}, "before the day in From"),
        ({"verb": "incident.eaten"}, "is not known"),
        ({"reference": "x" * 81}, "at most 80"),
    ],
)
def test_bad_filters(log, client_for, args, sentence):
    page = client_for("ada").get(URL, query_string=args)
    assert page.status_code == 422 and sentence in text_of(page)
    assert client_for("ada").get(f"{URL}.csv", query_string=args).status_code == 422


def test_reading_and_exporting_the_log_is_in_the_log(log, client_for):
    ada = client_for("ada")
    ada.get(URL, query_string={"person": "kestrel", "denials": "y"})
    read = Event.get(Event.verb == "audit.read")
    assert read.actor_id == log.ada.id and "kestrel" not in read.data and '"denials": true' in read.data
    with ada.get(f"{URL}.csv", query_string={"verb": "incident.read"}) as file:
        assert len(file.text.splitlines()) == 2 and "I-AAAAAA" in file.text
    with ada.get(f"{URL}.xlsx") as file:
        assert file.status_code == 200
    assert Event.select().where(Event.verb == "audit.exported").count() == 2


def test_an_admin_excluded_from_a_record_finds_nothing_of_it_in_the_log(log, client_for):
    row = factories.incident(log.sam, [log.student])
    with db.atomic():
        events.record("incident.closed", actor=log.sam, target=row.ref)
        events.record("student.changed", actor=log.sam, target=log.student.ref, fields=["email"])
    ada = client_for("ada")
    assert row.ref in ada.get(URL).text and log.student.ref in ada.get(URL).text
    factories.exclusion(log.ada, log.kay, student=log.student)
    for url in (URL, f"{URL}.csv"):
        with ada.get(url) as page:
            assert row.ref not in page.text and log.student.ref not in page.text


def test_who_may_not(log, client_for):
    for who, status in (("oli", 403), ("kay", 403), ("mo", 403), ("rae", 404), ("stu", 404)):
        for url in (URL, f"{URL}.csv", f"{URL}.xlsx"):
            assert client_for(who).get(url).status_code == status
    for person in (log.oli, log.kay, log.rae, log.stu):
        with pytest.raises(permissions.Denied):
            queries.last_seal(person)


def test_pages_and_their_cost(log, client_for, count_queries):
    ada = client_for("ada")
    ada.get(URL)
    with count_queries(most=10) as few:
        ada.get(URL)
    with db.atomic():
        for _ in range(120):
            events.record_alone("search.run", actor=log.kay, count=1)
    with count_queries(most=10) as many:
        ada.get(URL)
    assert len(many) <= len(few) + 1
    assert len(forms(ada.get(URL, query_string={"page": 2}))) > 1


def test_every_verb_has_words():
    assert not set(events.VERBS) - set(VERB_WORDS), "give these verbs words in blueprints/admin/audit_words.py"


def test_a_link_to_an_incident_is_not_in_the_log_of_an_admin_who_is_excluded_from_it(cast):
    shown, hidden = factories.incident(cast.sam, [cast.student]), factories.incident(cast.sam, [cast.student])
    case = factories.case(cast.student, opened_by=cast.kay)
    factories.exclusion(cast.ada, cast.kay, incident=hidden)
    with db.atomic():
        for incident in (shown, hidden):
            events.record("case.incident_linked", actor=cast.kay, target=case.ref, incident=incident.ref)
    filters = {"verb": "case.incident_linked"}
    assert [row.details for row in queries.events_found(cast.ada, 1, UTC, filters).items] == [f"incident: {shown.ref}"]
    other = factories.account(role="admin")
    assert len(queries.events_found(other, 1, UTC, filters).items) == 2


def test_what_an_excluded_admin_finds_names_no_closed_record_at_all(cast, client_for):
    """Beside its target an event can name another record: what was put onto a case, what was asked for in vain, the student of
    a report. A student signs in with their name."""
    bo = factories.student("Bo", "Brown", email="bo@school.example.org")
    theirs = factories.account("Bo Brown", "bo@school.example.org", role=permissions.STUDENT)
    case, hidden = factories.case(cast.student, cast.kay), factories.case(bo, cast.kay)
    meeting = factories.meeting(cast.kay, [cast.student, bo], [cast.kay])
    with db.atomic():
        events.record("case.record_linked", actor=cast.kay, target=case.ref, kind="meeting", record=meeting.ref)
        events.record("account.signed_in", actor=theirs, target=theirs.ref, two_step=False)
        events.record("set_up.read", actor=theirs)
    for who, url in (("oli", f"/cases/{hidden.ref}"), ("oli", f"/cases/{hidden.ref.lower()}"), ("rae", f"/cases/{hidden.ref}/history"),
                     ("kay", f"/cases/{case.ref}/records/meeting/{meeting.ref}x"), ("kay", f"/reports/incidents?student_ref={bo.ref}"),
                     ("kay", f"/reports/incidents.csv?student_ref={bo.ref}")):  # fmt: skip
        client_for(who).get(url)
    refs, ada = (bo.ref, hidden.ref, meeting.ref, theirs.ref, "Bo Brown"), client_for("ada")
    found = ada.get(f"{URL}.csv").text
    assert all(ref in found for ref in refs) and found.count(hidden.ref) == 2
    factories.exclusion(cast.ada, cast.kay, student=bo)
    for url in (URL, f"{URL}.csv"):
        with ada.get(url) as page:
            assert not [ref for ref in refs if ref.casefold() in page.text.casefold()]
    assert case.ref not in ada.get(f"{URL}.csv", query_string={"verb": "case.record_linked"}).text
    assert "set_up.read" in client_for(factories.account(role="admin")).get(f"{URL}.csv").text
