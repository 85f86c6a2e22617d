"""Eight processes write at once, on one incident and on many: nobody sees a lock, no write is lost."""

import time
from collections import Counter

import pytest

from models import BodyMark, Event, Incident, IncidentAction, IncidentAssignment, IncidentVersion, OutboxEmail
from tests import factories
from tests.torture.support import children

PROCESSES = 8


@pytest.mark.parametrize("records", [1, 20], ids=["one incident", "twenty incidents"])
def test_nobody_meets_a_lock_and_nothing_is_lost(app, cast, environ, full, figure, records):
    count = 250 if full else 15
    category = factories.category("Bullying")
    people = [cast.kay, cast.ken, cast.ada]
    rows = [factories.incident(cast.kay, [(cast.student, [category])]) for _ in range(records)]
    begin = time.time() + 1.0
    with children() as start:
        started = [
            start(environ, "write", number, count, [row.id for row in rows], [one.id for one in people], begin)
            for number in range(PROCESSES)
        ]
        results = [child.finish(seconds=600) for child in started]
    took = time.time() - begin
    problems = [problem for _, found in results for problem in found]
    assert not problems, f"{len(problems)} problems a user would have seen, for example {problems[:3]}"
    done = sum((Counter(each) for each, _ in results), Counter())
    assert sum(done.values()) == PROCESSES * count
    nothing_is_lost(rows, done, cast)
    figure(f"writers, {records} incident{'s' if records > 1 else ''}",
           f"{PROCESSES} processes × {count} writes in {took:.1f} s: 0 locked, 0 lost, "
           f"{done['conflict']} told that somebody was faster")  # fmt: skip


def nothing_is_lost(rows, done, cast):
    ids = [row.id for row in rows]
    mine = Incident.select().where(Incident.id.in_(ids))
    events = Counter(verb for (verb,) in Event.select(Event.verb).tuples())
    versions = IncidentVersion.select().where(IncidentVersion.incident.in_(ids))
    assert events["incident.text_changed"] == done["text"] == versions.count() - len(rows)
    for row in mine:
        wordings = [each.text for each in versions.where(IncidentVersion.incident == row).order_by(IncidentVersion.number)]
        assert wordings[-1] == row.text and len(wordings) == row.text_version
        pairs = zip(wordings, wordings[1:], strict=False)
        assert all(new.startswith(old) for old, new in pairs), "a wording was written over one that its author never saw"
    assert events["incident.action_added"] == done["action"] == IncidentAction.select().count()
    assert events["incident.marked"] == done["mark"] == BodyMark.select().count()
    numbers = Counter((mark.incident_id, mark.number) for mark in BodyMark.select())
    assert all(count == 1 for count in numbers.values()), "two marks have one number"
    assert events["incident.assigned"] == done["assign"] == IncidentAssignment.select().count()
    closed_and_opened = events["incident.closed"] + events["incident.reopened"]
    assert closed_and_opened == done["status"]
    assert events["incident.details_changed"] == done["details"]
    assert events["incident.added"] == done["add"] == Incident.select().count() - len(rows)
    # every change but marks, actions and new incidents moved the version of its incident by one
    moved = done["text"] + done["details"] + done["status"] + done["assign"]
    assert sum(row.version - 1 for row in mine) == moved
    to_others = Event.select().where(Event.verb == "incident.assigned").count()
    assert OutboxEmail.select().where(OutboxEmail.kind == "incident_assigned").count() <= to_others
