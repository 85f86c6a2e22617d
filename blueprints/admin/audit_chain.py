"""Verifies the hash chain of the audit log: in the database, or in a sealed log that was exported from it.

Needs nothing but the file to verify a file, so an auditor can run it on a machine of their own:
`python -m blueprints.admin.audit_chain FILE [--head HEX]`. Must not decide who may export, and must not repair anything.

A sealed log is text, one JSON value a line: a header, then for each seal its events (arrays, byte for byte what was
hashed) followed by the seal itself. The chain shows that nothing before a head was edited, removed, inserted or
reordered. Somebody who can rewrite the whole database can also compute a whole new chain: only a head that was kept
elsewhere (`flask audit head`, copied off the machine) shows that.
"""

import argparse
import hashlib
import json
import sys
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain

from peewee import fn

import events
from events import START_OF_CHAIN
from extensions import clock, db
from models import AuditSeal, Event, is_postgres

FORMAT = 1
SEAL_FIELDS = ("sealed_at", "first_event", "last_event", "events", "digest", "previous", "head")
WINDOW = 20_000  # event ids read at a time
TRIGGERS = {
    "sqlite": {f"{table}_no_{verb}" for table in ("event", "audit_seal") for verb in ("update", "delete")},
    "postgres": {"event_append_only", "audit_seal_append_only", "event_holds_seal"},
}


@dataclass
class Report:
    """What a verification found: `problems` are sentences, empty when the chain holds."""

    problems: list[str] = field(default_factory=list)
    seals: int = 0
    events: int = 0
    unsealed: int = 0
    head: str = START_OF_CHAIN
    sealed_at: str = ""

    @property
    def holds(self):
        return not self.problems


class Verifier:
    """Takes the lines of events and the seals in order, and collects what is wrong and where."""

    def __init__(self, kept_head=None):
        self.report = Report()
        self._kept_head = kept_head
        self._kept_head_at = kept_head == events.START_OF_CHAIN
        self._last_seal_event = 0
        self.newest = 0
        self._begin()

    def _begin(self):
        self._digest = hashlib.sha256()
        self._ids = []

    def problem(self, sentence):
        self.report.problems.append(sentence)

    def event(self, line):
        """One event as its canonical bytes."""
        try:
            number = json.loads(line)[0]
            if type(number) is not int:
                raise ValueError
        except (ValueError, KeyError, IndexError, TypeError):
            return self.problem(f"After event {self.newest} stands a line that is not an event.")
        if number <= self.newest:
            self.problem(f"Event {number} stands after event {self.newest}: it was inserted, doubled or moved.")
        self.newest = max(self.newest, number)
        self._ids.append(number)
        return self._digest.update(hashlib.sha256(line).digest())

    def seal(self, seal):
        """A seal, as a dict with SEAL_FIELDS; the events since the last one were given before."""
        report = self.report
        try:
            sealed_at = datetime.fromisoformat(seal["sealed_at"])
            first, last, count = (int(seal[name]) for name in ("first_event", "last_event", "events"))
            digest, previous, head = (str(seal[name]) for name in ("digest", "previous", "head"))
        except (KeyError, ValueError, TypeError):
            return self.problem(f"After event {self.newest} stands a seal that can't be read.")
        name = f"the seal of {seal['sealed_at']} over events {first} to {last}"
        if previous != report.head:
            self.problem(f"A seal is missing or was replaced before {name}: it does not follow from the one before it.")
        if len(self._ids) != count:
            self.problem(f"{_capital(name)} counts {count} events, but {len(self._ids)} are there.")
        elif not self._ids or self._ids[0] != first or self._ids[-1] != last:
            self.problem(f"The events under {name} begin or end with other numbers: the seal or the events were changed.")
        if self._digest.hexdigest() != digest:
            self.problem(f"Something was changed, added or removed in the events {first} to {last} after they were sealed.")
        if events.head_of(previous, sealed_at, first, last, count, digest) != head:
            self.problem(f"{_capital(name)} was rewritten: its head does not fit what it says.")
        report.seals += 1
        report.events += len(self._ids)
        report.head, report.sealed_at = head, seal["sealed_at"]
        self._kept_head_at = self._kept_head_at or head == self._kept_head
        return self._begin()

    def end(self):
        """No more lines. Returns the report."""
        self.report.unsealed = len(self._ids)
        if self._kept_head and not self._kept_head_at:
            self.problem(
                f"The head {self._kept_head} that was kept elsewhere is not in this chain: "
                "the log was cut short or rewritten since then."
            )
        return self.report


def _capital(text):
    return text[0].upper() + text[1:]


# --- The database ----------------------------------------------------------------------------------------------------


def verify_database(kept_head=None):
    """Verify the log in the open database, and that the triggers which keep it append-only are there."""
    verifier = Verifier(kept_head)
    for missing in sorted(_missing_triggers()):
        verifier.problem(f"The trigger {missing}, which guards the audit log, is missing or switched off.")
    try:
        for kind, item in _sealed(_all_seals(), up_to_end=True):
            (verifier.event if kind == "event" else verifier.seal)(item)
    except (ValueError, TypeError, AttributeError) as problem:
        verifier.problem(f"A row after event {verifier.newest} holds what the application never writes ({problem}).")
    return verifier.end()


def state():
    """The last AuditSeal (or None) and how many events wait for the next one."""
    last = AuditSeal.select().order_by(AuditSeal.id.desc()).first()
    waiting = Event.select().where(Event.id > (last.last_event if last else 0)).count()
    return last, waiting


def _missing_triggers():
    if is_postgres():
        rows = db.execute_sql("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'D'").fetchall()
        return TRIGGERS["postgres"] - {name for (name,) in rows}
    rows = db.execute_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
    return TRIGGERS["sqlite"] - {name for (name,) in rows}


def _all_seals():
    query = AuditSeal.select(*(getattr(AuditSeal, name) for name in SEAL_FIELDS)).order_by(AuditSeal.id)
    return [dict(zip(SEAL_FIELDS, (row[0].isoformat(), *row[1:]), strict=True)) for row in query.tuples()]


def _sealed(seals, up_to_end=False):
    """("event", line) and ("seal", dict) in the order of the chain; with `up_to_end` the unsealed events as well."""
    last = seals[-1]["last_event"] if seals else 0
    newest = (Event.select(fn.MAX(Event.id)).scalar() or 0) if up_to_end else last
    lines = _lines(newest)
    held = next(lines, None)
    for seal in seals:
        while held is not None and held[0] <= seal["last_event"]:
            yield "event", held[1]
            held = next(lines, None)
        yield "seal", seal
    for _, line in chain([held] if held else [], lines):
        yield "event", line


def _lines(newest):
    """(id, canonical line) of every event up to an id, a window at a time so that a long log fits in memory."""
    after = 0
    while after < newest:
        for event in events.sealable(after, min(after + WINDOW, newest)):
            yield event["id"], events.sealed_line(event)
        after += WINDOW


# --- A file ----------------------------------------------------------------------------------------------------------


def sealed_log():
    """The lines (bytes, with their ends) of a sealed log: everything that is sealed at this moment."""
    seals = _all_seals()
    header = {
        "caseward_audit": FORMAT,
        "exported_at": clock.now().isoformat(),
        "seals": len(seals),
        "events": sum(seal["events"] for seal in seals),
        "head": seals[-1]["head"] if seals else events.START_OF_CHAIN,
    }
    yield _line(header)
    for kind, item in _sealed(seals):
        yield item + b"\n" if kind == "event" else _line({"seal": item})


def _line(value):
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"


def verify_file(lines, kept_head=None):
    """Verify a sealed log, given as an iterable of its lines (bytes)."""
    verifier = Verifier(kept_head)
    lines = iter(lines)
    header = _header(next(lines, b""))
    if header is None:
        verifier.problem("The first line is not the header of a sealed log: this is another file, or its beginning is gone.")
        return verifier.report
    for line in lines:
        line = line.rstrip(b"\r\n")
        if line.startswith(b'{"seal":'):
            verifier.seal(_seal_of(line))
        else:
            verifier.event(line)
    report = verifier.end()
    if report.unsealed:
        verifier.problem(f"After the last seal stand {report.unsealed} events that no seal covers: a seal is missing.")
    if (report.seals, report.events, report.head) != (header["seals"], header["events"], header["head"]):
        verifier.problem(
            f"The header names {header['seals']} seals, {header['events']} events and the head {header['head']}; "
            f"the file has {report.seals} seals, {report.events} events and ends with {report.head}."
        )
    return report


def _header(line):
    try:
        header = json.loads(line)
        good = header["caseward_audit"] == FORMAT and {"seals", "events", "head"} <= set(header)
    except (ValueError, KeyError, TypeError):
        return None
    return header if good else None


def _seal_of(line):
    try:
        return dict(json.loads(line)["seal"])
    except (ValueError, KeyError, TypeError):
        return {}


# --- Telling it ------------------------------------------------------------------------------------------------------


def words_for(report):
    """The sentences a person reads after a verification."""
    if report.problems:
        more = len(report.problems) - 20
        return [
            "The audit log does NOT hold:",
            *(f"  - {problem}" for problem in report.problems[:20]),
            *([f"  … and {more} more."] if more > 0 else []),
        ]
    if not report.seals:
        return [f"Nothing is sealed yet; {report.unsealed} events wait for their first seal."]
    lines = [
        f"The audit log holds: {report.events} events under {report.seals} seals, the last of {report.sealed_at}.",
        f"Head: {report.head}",
    ]
    if report.unsealed:
        lines.append(f"{report.unsealed} newer events wait for the next seal.")
    return lines


def main(arguments=None):
    """Verify an exported file without any instance or database; returns the exit code."""
    parser = argparse.ArgumentParser(description="Verify a sealed log that was exported from Caseward.")
    parser.add_argument("file", help="the sealed log (.jsonl)")
    parser.add_argument("--head", help="a head of the chain that was kept elsewhere")
    given = parser.parse_args(arguments)
    with open(given.file, "rb") as file:
        report = verify_file(file, given.head)
    sys.stdout.write("\n".join(words_for(report)) + "\n")
    return 0 if report.holds else 1


if __name__ == "__main__":
    sys.exit(main())
