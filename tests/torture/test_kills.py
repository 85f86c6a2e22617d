"""kill -9 in the middle of bulk closing, an import, assignments and groups that come onto cases: nothing torn, lost or
doubled afterwards."""

import json
import time
from datetime import timedelta

import pytest

from blueprints.admin import queries as admin_queries
from blueprints.imports import runs as imports
from extensions import clock, db
from models import (
    BulkClosing,
    BulkClosingNotice,
    CaseGroup,
    Event,
    ImportRun,
    Incident,
    IncidentAssignment,
    IncidentClosure,
    Notification,
    OutboxEmail,
    Student,
    is_postgres,
)
from tests import factories
from tests.torture.support import children, dice


@pytest.fixture
def kills(full, database):
    """How many times each piece of work is killed."""
    return {"sqlite": 200, "postgres": 50}[database] // 3 + 1 if full else 5


def settle():
    """Postgres notices the death of a client a moment later: wait until its transaction is gone."""
    if not is_postgres():
        return
    waiting = ("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
               "AND backend_type = 'client backend' AND state <> 'idle'")  # fmt: skip
    until = time.monotonic() + 20
    while db.execute_sql(waiting).fetchone()[0] and time.monotonic() < until:
        time.sleep(0.01)


def strike(child, after):
    """Kills a child so many seconds after it began; False when it had finished by then."""
    began = time.monotonic()
    while time.monotonic() - began < after and not child.heard():
        time.sleep(0.0005)
    finished = child.heard()
    child.kill()
    settle()
    return not finished


def healthy():
    """The file itself is whole."""
    if not is_postgres():
        assert db.execute_sql("PRAGMA integrity_check").fetchone() == ("ok",)
        assert db.execute_sql("PRAGMA foreign_key_check").fetchall() == []


# --- Bulk closing ----------------------------------------------------------------------------------------------------


def many_incidents(cast, count):
    """Active incidents of the last days, two thirds of them assigned."""
    now = clock.now()
    rows = [
        {"ref": f"I-{number:06}", "text": "It happened.", "happened_at": now - timedelta(days=2), "entered_at": now,
         "author": cast.sam.id, "assigned_to": (cast.kay.id, cast.ken.id, None)[number % 3]}
        for number in range(count)
    ]  # fmt: skip
    with db.atomic():
        for start in range(0, count, 200):
            Incident.insert_many(rows[start : start + 200]).execute()


def closings(count, recorded_before):
    """0 or 1 bulk closings, and everything that belongs to them and nothing else."""
    state = {
        "incidents closed": Incident.select().where(Incident.status == "Closed").count(),
        "closures": IncidentClosure.select().count(),
        "bulk closings": BulkClosing.select().count(),
        "notices": BulkClosingNotice.select().count(),
        "events": Event.select().where(Event.verb == "incident.bulk_closed").count() - recorded_before,
    }
    done = state["bulk closings"]
    whole = {"incidents closed": count, "closures": count, "bulk closings": 1, "notices": 2, "events": 1}
    assert state == (whole if done else dict.fromkeys(whole, 0)), f"half done: {state}"
    return done


def open_again():
    for model in (IncidentClosure, BulkClosingNotice, BulkClosing):
        model.delete().execute()
    Incident.update(status="Active").execute()


def test_bulk_closing_is_all_or_nothing(app, cast, environ, kills, full, figure):
    chance = dice(full, "bulk closing")
    count = 3000
    many_incidents(cast, count)
    day = factories.today()
    days = (day - timedelta(days=9), day + timedelta(days=1))
    preview, _ = admin_queries.preview(cast.ada, *days)
    assert preview.count == count
    job = ("bulk_close", cast.ada.id, *days, preview.count, preview.digest)
    with children() as start:
        child = start(environ, *job)
        child.hear()
        began = time.monotonic()
        assert child.finish() == "done"
        takes = time.monotonic() - began
        assert closings(count, recorded_before=0) == 1
        in_time, recorded, tries = 0, 1, 0
        while tries < kills or (not in_time and tries < 5 * kills):
            tries += 1
            open_again()
            child = start(environ, *job)
            child.hear()
            in_time += strike(child, chance.random() * takes)
            recorded += closings(count, recorded)
    healthy()
    assert in_time, f"no kill came before the end ({takes:.2f} s): strike earlier"
    assert OutboxEmail.select().count() == 0
    figure("kill -9, bulk closing", f"{tries} kills, {in_time} in the middle: 0 torn, lost or doubled")


# --- Import ----------------------------------------------------------------------------------------------------------


def class_list(rows):
    lines = ["First name,Last name,Email,Year group,Admission number"]
    lines += [f"Ann{number},Finch{number},ann{number}@pupils.example.org,7,N{number:05}" for number in range(rows)]
    return "\n".join(lines).encode()


def uploaded(app, cast, rows):
    """An import that was checked and confirmed: a worker has only to save it."""
    with app.app_context():
        run = imports.upload(class_list(rows), "class.csv", actor=cast.ada, folder=app.settings.files)
        imports.set_mapping(
            run, {"first_name": 0, "last_name": 1, "email": 2, "year_group": 3, "admission_number": 4},
            deactivate=False, actor=cast.ada,
        )  # fmt: skip
        imports.run_waiting()
        run = ImportRun.get_by_id(run.id)
        assert run.state == "checked", run.problem
        imports.confirm(run, "", version=run.version, actor=cast.ada)
    return run


def test_an_import_is_saved_whole_and_once(app, cast, environ, kills, full, figure):
    chance = dice(full, "import")
    rows, before = 400, Student.select().count()
    in_time = rounds = struck = 0
    takes = 0.5
    with children() as start:
        while struck < kills:
            Student.delete().where(Student.admission_number.startswith("N")).execute()
            run = uploaded(app, cast, rows)
            minutes, rounds = 0, rounds + 1
            while True:
                minutes += 5  # the lease of a worker that was killed has run out
                child = start(environ, "import_students", minutes)
                child.hear()
                began = time.monotonic()
                if rounds == 1 or struck == kills:
                    assert child.finish() == "done"
                    takes = min(takes, time.monotonic() - began)
                else:
                    struck += 1
                    in_time += strike(child, chance.random() * takes)
                state = ImportRun.get_by_id(run.id).state
                saved = Student.select().count() - before
                recorded = Event.select().where((Event.verb == "student.imported") & (Event.target == run.ref)).count()
                assert (saved, recorded) == ((rows, 1) if state == "done" else (0, 0)), (state, saved, recorded)
                if state == "done":
                    break
    healthy()
    assert in_time, f"no kill came before the end ({takes:.2f} s): strike earlier"
    figure("kill -9, import", f"{kills} kills, {in_time} in the middle: 0 torn, lost or doubled")


# --- Assignment ------------------------------------------------------------------------------------------------------


def killed_at_work(environ, kills, chance, check, made, *job):
    """Starts the job, which says what it has committed, and kills it after a moment, over and over; `check` gets all that
    was said so far, and `made` tells how much there is. Returns what was said."""
    said = []
    with children() as start:
        for turn in range(kills):
            child = start(environ, *job, turn)
            assert child.hear() == "ready"
            said.append(child.hear())  # it is well under way, however slow the machine
            until = time.monotonic() + 0.02 + chance.random() * 0.15
            while time.monotonic() < until:
                if child.heard():
                    said.append(child.hear())
            child.kill()
            settle()
            # what it said last, between our last look and its death
            try:
                while child.heard():
                    said.append(child.hear())
            except AssertionError:
                pass
            check(said)
            # the one that was committed when the kill came may not have been said any more
            assert len(said) <= made() <= len(said) + turn + 1, f"{made()} are there, {len(said)} were made"
    healthy()
    return said


def in_order(claimed, history):
    """Whether all that was claimed is in the history, in its order. There may be gaps: a kill between the commit and the
    word of it leaves something that was never claimed."""
    kept = iter(history)
    return all(each in kept for each in claimed)


def test_an_assignment_is_written_with_everything_that_follows_from_it(app, cast, environ, kills, full, figure):
    chance = dice(full, "assignment")
    category = factories.category("Bullying")
    rows = [factories.incident(cast.sam, [(cast.student, [category])]) for _ in range(5)]
    job = ("assign_for_ever", cast.kay.id, [row.id for row in rows], [cast.ken.id, cast.ada.id])
    made = IncidentAssignment.select().count
    said = killed_at_work(environ, kills, chance, lambda said: check_assignments(rows, said), made, *job)
    figure("kill -9, assignment", f"{kills} kills over {len(said)} assignments: 0 torn, lost or doubled")


def check_assignments(rows, said):
    for row in rows:
        now = Incident.get_by_id(row.id)
        history = list(IncidentAssignment.select().where(IncidentAssignment.incident == row).order_by(IncidentAssignment.id))
        events = Event.select().where((Event.verb == "incident.assigned") & (Event.target == row.ref)).count()
        emails = OutboxEmail.select().where(OutboxEmail.target == row.ref).count()
        claimed = [to for incident, to in said if incident == row.id]
        assert len(history) == events == emails == now.version - 1, f"torn: {len(history)}, {events}, {emails}, {now.version}"
        assert in_order(claimed, [step.to_id for step in history]), "an assignment that was committed is lost"
        if history:
            assert now.assigned_to_id == history[-1].to_id


# --- A group on a case -----------------------------------------------------------------------------------------------


def test_a_group_is_attached_with_everything_that_follows_from_it(app, cast, environ, kills, full, figure):
    chance = dice(full, "attachment")
    cases = [factories.case(cast.student, opened_by=cast.kay) for _ in range(3)]
    groups = [factories.group("Mornings", [cast.gil, cast.sam]), factories.group("Evenings", [cast.oli, cast.ken, cast.mo])]
    job = ("attach_for_ever", cast.kay.id, [case.id for case in cases], [group.id for group in groups])
    made = Event.select().where(Event.verb.in_(["case.attached", "case.detached"])).count
    said = killed_at_work(environ, kills, chance, lambda said: check_attachments(cases, groups, said), made, *job)
    attached = sum(is_attached for _, _, is_attached in said)
    assert attached, "no group was attached"
    figure("kill -9, a group on a case", f"{kills} kills over {attached} attachments: 0 torn, lost or doubled")


def check_attachments(cases, groups, said):
    """The history of a case is what its events say: everything else has to follow from them, row by row."""
    by_ref = {group.ref: group for group in groups}
    for case in cases:
        steps = Event.select().where((Event.target == case.ref) & Event.verb.in_(["case.attached", "case.detached"]))
        history = [
            (by_ref[json.loads(step.data)["groups"][0]].id, step.verb == "case.attached") for step in steps.order_by(Event.id)
        ]
        now = {row.group_id for row in CaseGroup.select().where(CaseGroup.case == case)}
        assert now == {group for group, is_attached in dict(history).items() if is_attached}, f"torn: {now} after {history}"
        for group in groups:
            turns = [is_attached for each, is_attached in history if each == group.id]
            assert turns == [place % 2 == 0 for place in range(len(turns))], f"doubled: {turns}"
            for member in group.members:
                for model in (Notification, OutboxEmail):
                    told = (model.kind == "case_added") & (model.target == case.ref) & (model.account == member.account)
                    assert model.select().where(told).count() == sum(turns), f"torn: {model.__name__} of {turns}"
        claimed = [(group, is_attached) for each, group, is_attached in said if each == case.id]
        assert in_order(claimed, history), "an attachment that was committed is lost"
