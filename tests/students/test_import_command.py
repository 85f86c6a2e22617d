"""`flask import students`."""

import pytest

from models import Event, Student
from tests import factories
from tests.students.sheets import many, sheet


@pytest.fixture
def command(app, tmp_path):
    def run(data, *options):
        path = tmp_path / "list.csv"
        path.write_bytes(data)
        return app.test_cli_runner().invoke(args=["import", "students", str(path), *options])

    return run


def count():
    return Student.select().count()


def test_good_rows_are_imported_and_counted(command):
    result = command(many(12))
    assert (result.exit_code, result.output) == (0, "0 left, 12 added, 0 changed, 0 the same, 0 refused.\n")
    assert count() == 12
    assert Event.get(Event.verb == "student.imported").actor is None
    again = command(many(12))
    assert "0 left, 0 added, 0 changed, 12 the same, 0 refused." in again.output


def test_one_bad_row_stops_everything(command):
    result = command(sheet("Ann,Finch,,,,,,A1,", "Bea,Crane,,nonsense,,,,A2,", "Cat,Heron,,,,,,A1,"))
    assert result.exit_code == 1 and count() == 0
    assert "line 3: Bea Crane: nonsense is not an email address." in result.output
    assert "line 2: Ann Finch: Line 4 has the same admission number (A1)." in result.output
    assert "--skip-bad" in result.output
    assert Event.select().count() == 0


def test_skip_bad_takes_the_good_ones(command):
    result = command(sheet("Ann,Finch,,,,,,A1,", "Bea,Crane,,nonsense,,,,A2,"), "--skip-bad")
    assert result.exit_code == 0 and count() == 1
    assert "1 added" in result.output and "1 refused" in result.output


def test_dry_run_writes_nothing(command):
    result = command(many(5), "--dry-run")
    assert (result.exit_code, count()) == (0, 0)
    assert result.output == "Nothing was written. It would be: 0 left, 5 added, 0 changed, 0 the same, 0 refused.\n"


def test_map(command):
    data = b"Vor;Nach;Nummer\r\nAnn;Finch;A1\r\n"
    missing = command(data)
    assert missing.exit_code == 1 and count() == 0
    assert "no column for First name and Last name. Its headings are: Vor, Nach, Nummer." in missing.output
    mapped = command(data, "--map", "First name=Vor", "--map", "last name = nach", "--map", "Admission number=Nummer")
    assert mapped.exit_code == 0 and Student.get().name == "Ann Finch"
    assert command(data, "--map", "Shoe size=Vor").exit_code == 2
    assert command(data, "--map", "First name=Nope").exit_code == 2
    assert command(data, "--map", "nonsense").exit_code == 2


@pytest.mark.parametrize("data", [b"", b"First name,Last name\r\n", b"\x00\x01\x02", b",".join([b"x"] * 1_000_000)])
def test_files_that_are_no_class_list(command, data):
    result = command(data)
    assert result.exit_code == 1 and result.output.startswith("Error: ") and count() == 0


def test_leavers(command):
    for number in range(4):
        factories.student("Ann", f"Finch{number}", admission_number=f"A{number}")
    assert command(sheet("Ann,Finch0,,,,,,A0,")).exit_code == 0
    assert Student.select().where(Student.is_active).count() == 4
    stopped = command(sheet("Ann,Finch0,,,,,,A0,"), "--leavers")
    assert stopped.exit_code == 1 and "--leavers-number 3" in stopped.output
    assert "not in the file: Ann Finch2" in stopped.output
    assert command(sheet("Ann,Finch0,,,,,,A0,"), "--leavers", "--leavers-number", "3").exit_code == 0
    assert Student.select().where(Student.is_active).count() == 1
