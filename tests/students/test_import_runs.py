"""An import from upload to done: once, whole, repeatable, also when a worker dies or the students change meanwhile."""

import json
from datetime import timedelta

import pytest

from blueprints.imports import runs as imports
from blueprints.kit import csvread
from blueprints.students import import_rows, queries
from models import Account, Conflict, Event, ImportRun, Student
from tests import factories
from tests.students.sheets import many, now, sheet, start, whole, work


def students():
    fields = (Student.first_name, Student.last_name, Student.admission_number, Student.year_group, Student.is_active)
    return sorted(Student.select(*fields).where(Student.admission_number.is_null(False)).tuples())


def test_the_dry_run_writes_nothing_and_equals_what_is_saved(app, cast):
    before = students()
    run = start(app, cast.ada, many(60))
    assert now(run).state == "waiting"
    work(app)
    checked = now(run)
    assert (checked.state, json.loads(checked.counts)["added"]) == ("checked", 60)
    assert students() == before
    imports.confirm(checked, "", version=checked.version, actor=cast.ada)
    work(app)
    done = now(run)
    assert done.state == "done"
    assert len(students()) == len(before) + 60
    shown = [row[:4] for row in json.loads(done.result)]
    assert shown == [row[:4] for row in json.loads(checked.result)]
    assert all(ref for *_, ref in json.loads(done.result))
    row = Student.get(Student.admission_number == "000007")
    assert (row.name, row.email_folded, row.sort_name) == ("José7 O'Brien-7", "s7@school.example.org", "obrien 7 jose7")
    assert queries.suggest(cast.oli, "jose7 obrien")[0]["ref"] == row.ref


def test_the_same_file_again_changes_nothing(app, cast):
    whole(app, cast.ada, many(40))
    before = [(row.id, row.version) for row in Student.select().order_by(Student.id)]
    again = whole(app, cast.ada, many(40))
    counts = json.loads(again.counts)
    assert (counts["same"], counts["added"], counts["changed"]) == (40, 0, 0)
    assert [(row.id, row.version) for row in Student.select().order_by(Student.id)] == before


def test_changes_are_written_and_counted_up(app, cast):
    whole(app, cast.ada, many(40))
    first = Student.get(Student.admission_number == "000003")
    Student.update(address="stays").where(Student.id == first.id).execute()
    run = whole(app, cast.ada, many(40, tutor="B"))
    assert json.loads(run.counts)["changed"] == 40
    row = Student.get_by_id(first.id)
    assert (row.tutor_group, row.version, row.address, row.ref) == ("10B", 2, "stays", first.ref)


def test_leavers_are_marked_and_need_their_number_when_they_are_many(app, cast):
    whole(app, cast.ada, many(20))
    stu = cast.student
    run = start(app, cast.ada, many(18), deactivate=True)
    work(app)
    run = now(run)
    assert json.loads(run.counts)["left"] == 3 and not json.loads(run.counts)["empties_school"]
    imports.confirm(run, "", version=run.version, actor=cast.ada)
    work(app)
    row = Student.get_by_id(stu.id)
    assert not row.is_active and row.left_at and row.version == stu.version + 1
    left = Event.get((Event.verb == "student.left") & (Event.target == stu.ref))
    assert left.actor == cast.ada and Event.select().where(Event.verb == "student.left").count() == 3
    whole(app, cast.ada, sheet(f"Stu,Sturgeon,,{stu.email},,,,,"))
    assert Event.select().where((Event.verb == "student.returned") & (Event.target == stu.ref)).count() == 1
    Student.update(is_active=False).where(Student.id == stu.id).execute()

    run = start(app, cast.ada, many(9), deactivate=True)
    work(app)
    run = now(run)
    for typed in ("", "8", "all"):
        with pytest.raises(imports.NotConfirmed, match="9"):
            imports.confirm(run, typed, version=run.version, actor=cast.ada)
    imports.confirm(run, "9", version=run.version, actor=cast.ada)
    work(app)
    assert Student.select().where(Student.is_active).count() == 9
    returned = whole(app, cast.ada, many(12))
    assert json.loads(returned.counts)["changed"] == 3
    assert Student.select().where(Student.is_active & Student.left_at.is_null()).count() == 12


def test_good_rows_are_taken_and_bad_ones_left_out(app, cast):
    run = whole(app, cast.ada, sheet("Ann,Finch,,,,,,A1,", "Bea,Crane,,nonsense,,,,A2,"))
    assert {name: json.loads(run.counts)[name] for name in ("added", "refused")} == {"added": 1, "refused": 1}
    assert not Student.select().where(Student.admission_number == "A2").exists()


def test_what_happened_is_recorded_without_names(app, cast):
    run = whole(app, cast.ada, sheet("Ann,Finch,,,,,,A1,"))
    event = Event.get(Event.verb == "student.imported")
    assert (event.target, event.actor_id) == (run.ref, cast.ada.id)
    assert json.loads(event.data)["added"] == 1
    assert not any("Finch" in row.data for row in Event.select())


def test_the_file_goes_when_the_run_ends(app, cast):
    run = start(app, cast.ada, many(3))
    path = app.settings.files / run.path_name
    assert path.exists() and path.stat().st_mode & 0o077 == 0
    work(app)
    assert path.exists()
    checked = now(run)
    imports.confirm(checked, "", version=checked.version, actor=cast.ada)
    work(app)
    assert not path.exists() and now(run).path_name == ""


def test_a_change_meanwhile_goes_back_to_the_check(app, cast):
    run = start(app, cast.ada, sheet("Ann,Finch,,,,,,A1,", "Bea,Crane,,,,,,A2,"))
    work(app)
    run = now(run)
    imports.confirm(run, "", version=run.version, actor=cast.ada)
    factories.student("Bea", "Other", admission_number="A2")
    work(app)
    run = now(run)
    assert run.state == "checked" and "changed after this was checked" in run.problem
    assert not Student.select().where(Student.admission_number == "A1").exists()
    assert json.loads(run.counts)["changed"] == 1
    imports.confirm(run, "", version=run.version, actor=cast.ada)
    work(app)
    assert now(run).state == "done"


def test_a_stale_confirmation_confirms_nothing(app, cast):
    run = start(app, cast.ada, many(3))
    work(app)
    run = now(run)
    with pytest.raises(Conflict):
        imports.confirm(run, "", version=run.version - 1, actor=cast.ada)
    imports.confirm(run, "", version=run.version, actor=cast.ada)
    with pytest.raises(Conflict):
        imports.confirm(run, "", version=run.version, actor=cast.ada)


def test_a_run_is_claimed_by_one_worker(app, cast, clock):
    run = start(app, cast.ada, many(3))
    first = imports.claim()
    assert first.id == run.id and now(run).state == "checking"
    assert imports.claim() is None
    clock.move(minutes=3)
    second = imports.claim()
    assert second.id == run.id
    imports.work(first, app.settings.files)  # the one that was thought dead comes back: it has lost the run
    assert now(run).state == "checking"
    imports.work(second, app.settings.files)
    assert now(run).state == "checked"


class Killed(BaseException):
    """What no handler in the code catches, like the end of the process."""


@pytest.mark.parametrize("where", ["save", "_end_step", "hold_students", "_discard_file"])
def test_a_worker_killed_while_saving_saves_once(app, cast, clock, monkeypatch, where):
    run = start(app, cast.ada, many(30))
    work(app)
    run = now(run)
    imports.confirm(run, "", version=run.version, actor=cast.ada)
    module = import_rows if where in ("save", "hold_students") else imports
    real = getattr(module, where)

    def die(*given, **named):
        real(*given, **named)
        raise Killed

    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(module, where, die)
        work(app)
    saved = Student.select().where(Student.admission_number.startswith("0000")).count()
    assert saved == (30 if where == "_discard_file" else 0)
    work(app)
    clock.move(minutes=3)
    work(app)
    assert now(run).state == "done"
    assert Student.select().where(Student.admission_number.startswith("0000")).count() == 30
    assert Event.select().where(Event.verb == "student.imported").count() == 1
    assert not list(app.settings.files.rglob("*/*"))


def test_who_lost_the_role_meanwhile_imports_nothing(app, cast):
    run = start(app, cast.ada, many(3))
    work(app)
    run = now(run)
    imports.confirm(run, "", version=run.version, actor=cast.ada)
    Account.update(role="staff").where(Account.id == cast.ada.id).execute()
    work(app)
    assert now(run).state == "failed" and "may not import any more" in now(run).problem
    assert Student.select().count() == 1


def test_a_fault_is_told_and_changes_nothing(app, cast, monkeypatch, caplog):
    run = start(app, cast.ada, many(3))
    monkeypatch.setattr(import_rows, "resolve", lambda *given, **named: 1 / 0)
    work(app)
    assert now(run).state == "failed" and "fault in Caseward" in now(run).problem
    assert now(run).path_name == "" and not list(app.settings.files.rglob("*/*"))


def test_a_file_that_is_gone_is_told(app, cast):
    run = start(app, cast.ada, many(3))
    (app.settings.files / run.path_name).unlink()
    work(app)
    assert now(run).problem == "The file is not there any more. Send it again."


def test_withdrawing(app, cast):
    run = start(app, cast.ada, many(3))
    imports.withdraw(now(run), actor=cast.ada, folder=app.settings.files)
    work(app)
    assert now(run).state == "withdrawn" and not list(app.settings.files.rglob("*/*"))


def test_names_and_forgotten_files_go_after_a_while(app, cast, clock):
    run = whole(app, cast.ada, sheet("Ann,Finch,,,,,,A1,", "Bea,Crane,,nonsense,,,,A2,"))
    waiting = start(app, cast.ada, many(3))
    work(app)
    clock.move(days=8)
    work(app)
    assert now(waiting).state == "withdrawn" and now(waiting).path_name == ""
    assert "Finch" in now(run).result
    clock.move(days=30)
    work(app)
    assert "Finch" not in now(run).result and "nonsense" not in now(run).result
    assert json.loads(now(run).counts)["added"] == 1
    assert json.loads(now(run).result)[0][4] == Student.get(Student.admission_number == "A1").ref


@pytest.mark.parametrize("data", [b"", b"First name,Last name\r\n", b"\xff\xfe\x00\xd8\x00", b"PK\x03\x04" + b"x" * 50])
def test_files_that_are_no_class_list_are_refused_before_anything_is_kept(app, cast, data):
    with pytest.raises(csvread.CsvProblem):
        imports.upload(data, "x.csv", actor=cast.ada, folder=app.settings.files)
    assert ImportRun.select().count() == 0
    assert not app.settings.files.exists() or not list(app.settings.files.rglob("*/*"))


def test_twenty_thousand_rows_are_the_most(app, cast):
    with pytest.raises(csvread.CsvProblem, match="at most 20,000"):
        imports.upload(sheet(*["a,b"] * 20_001), "x.csv", actor=cast.ada, folder=app.settings.files)


def test_five_thousand_rows_take_few_statements_both_ways(app, cast, count_queries):
    for tutor in ("A", "B"):
        run = start(app, cast.ada, many(5000, tutor))
        work(app)
        run = now(run)
        imports.confirm(run, "", version=run.version, actor=cast.ada)
        with count_queries(most=40):
            work(app)
        assert now(run).state == "done"
    assert Student.select().where(Student.tutor_group == "7B").count() > 700


def test_the_lease_is_renewed_by_progress(app, cast, clock, monkeypatch):
    run = start(app, cast.ada, many(1200))
    seen = []
    real = imports._report

    def report(run, done):
        clock.move(minutes=1)
        real(run, done)
        seen.append(done)

    monkeypatch.setattr(imports, "_report", report)
    started = clock.now()
    work(app)
    assert seen == [500, 1000]
    assert now(run).state == "checked" and now(run).changed_at - started >= timedelta(minutes=2)
