"""`flask import staff` and `flask import oneroster`."""

import pytest

from models import Account, Event, Group, OutboxEmail, Student
from tests import factories
from tests.imports.files import RosterSet, school, staff
from tests.imports.test_oneroster import many


@pytest.fixture
def command(app, tmp_path):
    def run(kind, data, *options):
        path = tmp_path / "file"
        path.write_bytes(data)
        return app.test_cli_runner().invoke(args=["import", kind, str(path), *options])

    return run


FAY = "Fay,Fulmar,fay@x.org,Head,,,Key User,Counselling"


def test_staff_are_imported_and_counted(command, cast):
    result = command("staff", staff(FAY))
    assert (result.exit_code, result.output) == (0, "0 left, 1 added, 0 changed, 0 the same, 0 refused.\n")
    fay = Account.get(Account.email_folded == "fay@x.org")
    assert fay.role == "key_user" and not OutboxEmail.select().exists()
    event = Event.get(Event.verb == "account.added")
    assert event.actor is None and '"by": "operator"' in event.data
    assert Event.get(Event.verb == "import.saved").target == "command line"
    assert "0 added, 0 changed, 1 the same" in command("staff", staff(FAY)).output


def test_one_bad_row_stops_all_staff(command, cast):
    data = staff(FAY, "Guy,Gull,nonsense,,,,,", "Hal,Heron,hal@x.org,,,,,Nowhere")
    result = command("staff", data)
    assert result.exit_code == 1 and not Account.select().where(Account.email_folded == "fay@x.org").exists()
    assert "line 3: Guy Gull: Email: This is not an email address." in result.output
    assert "line 4: Hal Heron: There is no group called “Nowhere”." in result.output
    assert command("staff", data, "--skip-bad").exit_code == 0
    assert Account.select().where(Account.email_folded == "fay@x.org").exists()
    assert command("staff", staff("Hal,Heron,hal@x.org,,,,,Nowhere"), "--make-groups", "--invite").exit_code == 0
    assert Group.select().where(Group.name == "Nowhere").exists() and OutboxEmail.select().count() == 1


def test_dry_run_and_map(command, cast):
    data = b"Who,Mail\r\nFay Fulmar,fay@x.org\r\n"
    missing = command("staff", data)
    assert missing.exit_code == 1 and "no column for First name. Its headings are: Who, Mail." in missing.output
    result = command("staff", data, "--map", "Name=who", "--map", "email=Mail", "--dry-run")
    assert result.output == "Nothing was written. It would be: 0 left, 1 added, 0 changed, 0 the same, 0 refused.\n"
    assert not Account.select().where(Account.email_folded == "fay@x.org").exists()
    assert command("staff", data, "--map", "Shoe size=Who").exit_code == 2


def test_staff_who_leave(command, cast):
    data = staff("Ada,Adler,ada@school.example.org,,,,,", "Kay,Kestrel,kay@school.example.org,,,,,")
    stopped = command("staff", data, "--leavers")
    assert stopped.exit_code == 1
    assert "Nothing was written: 5 accounts of 7 would be deactivated. If that is right, add --leavers-number 5." in stopped.output
    assert "not in the file: Oli Ouzel" in stopped.output
    assert command("staff", data, "--leavers", "--leavers-number", "5").exit_code == 0
    active = Account.select().where(Account.is_active & Account.role.not_in(["student", "referral_user"]))
    assert {row.name for row in active} == {"Ada Adler", "Kay Kestrel"}
    Account.update(is_active=True).execute()
    Account.update(is_active=False).where(Account.id == cast.sam.id).execute()
    back = staff("Sam,Swift,sam@school.example.org,,,,,")
    assert "1 the same" in command("staff", back).output
    assert "1 changed" in command("staff", back, "--reactivate").output


def test_a_new_admin_is_named(command, cast):
    result = command("staff", staff("Sam,Swift,sam@school.example.org,,,,Admin Key Holder,"), "--dry-run")
    assert "Sam Swift becomes an Admin Key Holder" in result.output


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_a_oneroster_zip(command, cast, version):
    result = command("oneroster", school(version).zip())
    assert result.exit_code == 0
    assert result.output.splitlines() == [
        "Students: 2 added.", "Staff: 2 added.", "Groups: 3 added.",
        "1 parent, guardian or relative is not imported: add contacts on a student's page.",
        "0 left, 7 added, 0 changed, 0 the same, 0 refused.",
    ]  # fmt: skip
    assert Student.select().where(Student.source_id.is_null(False)).count() == 2
    assert "4 the same" in command("oneroster", school(version).zip()).output


def test_a_oneroster_folder(app, tmp_path, cast):
    for name, data in school().files().items():
        (tmp_path / name).write_bytes(data)
    result = app.test_cli_runner().invoke(args=["import", "oneroster", str(tmp_path), "--no-groups", "--invite"])
    assert result.exit_code == 0 and Group.select().count() == 1 and OutboxEmail.select().count() == 2


def test_one_wrong_row_stops_the_whole_set(command, cast):
    made = school().enroll("nobody", "7a").zip()
    result = command("oneroster", made)
    assert result.exit_code == 1 and not Student.select().where(Student.source_id.is_null(False)).exists()
    assert "enrollments.csv line 7: The user nobody is not in users.csv." in result.output
    assert "--skip-bad" in result.output
    assert command("oneroster", made, "--dry-run", "--skip-bad").output.endswith(
        "Nothing was written. It would be: 0 left, 7 added, 0 changed, 0 the same, 1 refused.\n"
    )
    assert command("oneroster", made, "--skip-bad").exit_code == 0
    assert Student.select().where(Student.source_id.is_null(False)).count() == 2


def test_who_leaves_a_oneroster_school(command, cast):
    Student.update(is_active=False).execute()
    command("oneroster", many().zip())
    gone = many(gone={"s0", "s1", "s2"}).zip()
    assert "0 left, 0 added, 0 changed, 21 the same" in command("oneroster", gone).output
    stopped = command("oneroster", gone, "--leavers")
    assert stopped.exit_code == 1 and "--leavers-number 3" in stopped.output and "not in the file: Ann1 Finch" in stopped.output
    assert command("oneroster", gone, "--leavers", "--leavers-number", "3").exit_code == 0
    assert Student.select().where(Student.is_active).count() == 9
    delta = RosterSet(mode="delta").add("users", sourcedId="s3", status="tobedeleted", enabledUser="false", role="student")
    assert "users.csv line 2: leaves: Ann3 Finch" in command("oneroster", delta.zip(), "--leavers").output


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"First name,Last name\r\nA,B\r\n"])
def test_what_is_no_set(command, cast, data):
    result = command("oneroster", data)
    assert result.exit_code == 1 and result.output.startswith("Error: ")


def test_the_command_sees_students_that_are_closed_to_an_admin(command, cast):
    hidden = factories.student("Hid", "Den", source_id="h1", admission_number="H1")
    factories.exclusion(cast.ada, cast.kay, student=hidden)
    assert "1 changed" in command("oneroster", RosterSet().user("h1", identifier="H1", grades="07").zip()).output
