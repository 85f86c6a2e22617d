"""Cases that open by themselves: kill -9 between the two writes and at any other moment, and eight processes at once. What
happened and the case that it opened or joined are both there, or neither."""

import json
import time

import pytest

from models import Case, CaseGroup, CaseRecord, Event, Notification, Trigger, TriggerGroup
from tests import factories
from tests.torture.support import children, dice
from tests.torture.test_kills import healthy, killed_at_work, settle
from tests.work.happenings import TABLES, ready

KINDS = tuple(TABLES)
PROCESSES = 4


@pytest.fixture
def students(cast):
    rows = [factories.student() for _ in range(3)]
    for one in rows:
        ready(one, cast.ada)
    return rows


@pytest.fixture
def kills(full, database):
    return {"sqlite": 34, "postgres": 12}[database] if full else 3


def switch_on(kind, group):
    trigger = Trigger.get((Trigger.kind == kind) & Trigger.form.is_null())
    Trigger.update(is_on=True, title="Look into it").where(Trigger.id == trigger.id).execute()
    TriggerGroup.create(trigger=trigger, group=group)


def check(kind, before=0):
    """Every record belongs to one case, and everything that follows from an opening or a joining is there once."""
    rows = list(CaseRecord.select().order_by(CaseRecord.id))
    numbers = [row.record_id for row in rows]
    there = {row.id for row in TABLES[kind].select()}
    assert len(numbers) == len(set(numbers)) == len(there) - before and set(numbers) <= there, "a record without its case"
    cases = list(Case.select())
    assert sorted(row.case_id for row in rows if row.how == "opened") == sorted(case.id for case in cases)
    assert CaseGroup.select().count() == len(cases) == Notification.select().where(Notification.kind == "case_added").count()
    for verb, how in (("case.opened_itself", "opened"), ("case.record_joined", "joined")):
        told = [(event.target, json.loads(event.data)["record"]) for event in Event.select().where(Event.verb == verb)]
        assert sorted(told) == sorted((row.case.ref, row.record) for row in rows if row.how == how)
    still_open = [case.student_id for case in cases if case.status == "Open"]
    assert len(still_open) == len(set(still_open)), "a student with two open cases"


@pytest.mark.parametrize("kind", KINDS)
def test_killed_between_the_two_writes_there_is_neither(app, cast, environ, students, kind, count_of):
    switch_on(kind, cast.counselling)
    ann = students[0]
    before = count_of()
    with children() as start:
        for after in (False, True):
            child = start(environ, "trigger_and_stop", kind, cast.ada.id, ann.id, after)
            assert child.hear() == "written"
            child.kill()
            settle()
            assert count_of() == before, "half of it is there"
    healthy()


@pytest.fixture
def count_of():
    """How many rows there are of everything that a trigger could leave."""
    tables = [*TABLES.values(), Case, CaseRecord, CaseGroup, Notification, Event]
    return lambda: {table.__name__: table.select().count() for table in tables}


@pytest.mark.parametrize("kind", KINDS)
def test_a_record_is_written_with_its_case(app, cast, environ, students, kind, kills, full, figure):
    switch_on(kind, cast.counselling)
    chance = dice(full, f"trigger {kind}")
    before = TABLES[kind].select().count()
    job = ("trigger_for_ever", kind, cast.ada.id, [one.id for one in students])

    def made():
        return TABLES[kind].select().count() - before

    said = killed_at_work(environ, kills, chance, lambda said: check(kind, before), made, *job)
    figure(f"kill -9, a case that opens by itself ({kind})", f"{kills} kills over {len(said)} openings: 0 torn, lost or doubled")


@pytest.mark.parametrize("kind", ["task", "meeting", "file"])
def test_many_at_once_open_one_case_for_each_student(app, cast, environ, students, kind, full, figure):
    switch_on(kind, cast.counselling)
    count = 60 if full else 12
    begin = time.time() + 1.0
    ids = [one.id for one in students]
    with children() as start:
        started = [start(environ, "trigger_at_once", kind, cast.ada.id, ids, count, begin) for _ in range(PROCESSES)]
        problems = [problem for child in started for problem in child.finish(seconds=300)]
    assert not problems, f"{len(problems)} problems a user would have seen, for example {problems[:3]}"
    check(kind)
    assert Case.select().count() == len(students) and CaseRecord.select().count() == PROCESSES * count
    figure(f"one case for each student ({kind})", f"{PROCESSES} processes × {count} at once: {len(students)} cases, 0 errors")
