"""What a class list would do: each row's outcome and the sentence for it. Nothing here writes."""

import pytest

from blueprints.kit import csvread
from blueprints.students import import_rows, imports
from models import Student
from tests import factories
from tests.students.sheets import HEADING, many, sheet


def plan(data, actor=None, deactivate=False):
    read = csvread.read(data)
    return imports.check(read, import_rows.guess(read.header), actor=actor, deactivate=deactivate)


def outcomes(data, **options):
    return [row.outcome for row in plan(data, **options).rows]


def refused(data, **options):
    return {row.line: row.sentence for row in plan(data, **options).of("refused")}


def test_the_file_of_a_school_system(app):
    """Semicolons, Windows letters, columns in another order, columns nobody asked for."""
    lines = [
        "Adno;Legal Surname;Legal Forename;Chosen name;DOB;NC Year;Reg group;Unique Pupil Number;Ethnicity;FSM",
        "001234;O’Brien;Zoë;;3.9.2012;7;7A;A123;White British;N",
        "001235;Müller;José;Pepe;30/09/2011 00:00;8;8B;;Other;Y",
        ";;;;;;;;;",
    ]
    read = csvread.read("\r\n".join(lines).encode("cp1252"))
    mapping = import_rows.guess(read.header)
    assert [name for name, column in mapping.items() if column is None] == ["email"]
    rows = imports.check(read, mapping, actor=None).rows
    assert [(row.outcome, row.name) for row in rows] == [("added", "Zoë O’Brien"), ("added", "Pepe Müller")]
    assert rows[1].values["date_of_birth"].isoformat() == "2011-09-30"
    assert rows[0].values["admission_number"] == "001234"


def test_the_headings_of_the_ruling_and_of_our_own_export_are_guessed(app):
    guessed = import_rows.guess(HEADING.split(","))
    assert list(guessed.values()) == list(range(9))


def test_found_again_by_number_then_upn_then_email(app):
    factories.student("Ann", "Finch", admission_number="A1", upn="U1", email="ann@x.org", tutor_group="7A")
    for row in (",,,,,,7B,A1,", ",,,,,,7B,,U1", ",,,ANN@X.org,,,7B,,", ",,,,,,7B,a1,u1"):
        assert outcomes(sheet(row)) == ["changed"]
    assert plan(sheet("Ann,Finch,,,,,7B,A1,")).rows[0].sentence == "Tutor group: 7A → 7B."


def test_empty_cells_leave_what_is_stored_and_equal_rows_are_the_same(app):
    factories.student("Ann", "Finch", admission_number="A1", year_group="7", email="ann@x.org")
    assert outcomes(sheet("Ann,Finch,,,,,,A1,")) == ["same"]
    assert outcomes(sheet("Ann,Finch,,ann@x.org,,7,,A1,")) == ["same"]


def test_identities_that_point_at_two_students(app):
    factories.student("Ann", "Finch", admission_number="A1", email="ann@x.org")
    factories.student("Bea", "Crane", admission_number="A2", email="bea@x.org", upn="U2")
    sentences = refused(sheet("Ann,Finch,,bea@x.org,,,,A1,", "Bea,Crane,,,,,,,U2"))
    assert sentences == {2: "The admission number belongs to one student and the email to another."}
    assert refused(sheet("Ann,Finch,,ann@x.org,,,,A9,")) == {
        2: "The email belongs to a student with another admission number."
    }


def test_a_missing_number_is_filled_in(app):
    factories.student("Ann", "Finch", admission_number=None, email="ann@x.org")
    assert plan(sheet("Ann,Finch,,ann@x.org,,,,A9,")).rows[0].sentence == "Admission number: nothing → A9."


def test_doubles_in_the_file_name_each_other(app):
    data = sheet("Ann,Finch,,,,,,A1,", "Bea,Crane,,,,,,a1,", "Cat,Heron,,c@x.org,,,,A3,U1", "Dan,Heron,,C@X.org,,,,A4,",
                 "Eve,Heron,,,,,,A5,U1")  # fmt: skip
    assert refused(data) == {
        2: "Line 3 has the same admission number (A1).",
        3: "Line 2 has the same admission number (a1).",
        4: "Line 6 has the same UPN (U1). Line 5 has the same email (c@x.org).",
        5: "Line 4 has the same email (C@X.org).",
        6: "Line 4 has the same UPN (U1).",
    }
    long = refused(sheet(*["Ann,Finch,,,,,,A1,"] * 9))
    assert long[2] == "Lines 3, 4, 5 and 5 others have the same admission number (A1)."


def test_two_rows_about_one_student(app):
    factories.student("Ann", "Finch", admission_number="A1", email="ann@x.org")
    data = sheet("Ann,Finch,,,,8,,A1,", "Ann,Finch,,ann@x.org,,9,,,")
    assert refused(data) == {2: "Line 3 is about the same student.", 3: "Line 2 is about the same student."}


@pytest.mark.parametrize(
    ("row", "sentence"),
    [(",Finch,,,,,,A1,", "The first name is missing."), ("Ann,,,,,,,A1,", "The last name is missing."),
     (",,,,,,,A1,", "The first name and the last name is missing."),
     ("Ann,Finch,,nonsense,,,,A1,", "nonsense is not an email address."),
     ("Ann,Finch,,,31/02/2012,,,A1,", "Date of birth: 31 February 2012 is not a date."),
     ("Ann,Finch,,,2090-01-01,,,A1,", "Date of birth: a date in the future can't be right."),
     ("Ann,Finch,,,12/31/2012,,,A1,", "Date of birth: 12/31/2012 is not a date: there is no month 31. Write the day "
      "first, like 14/11/2026."),
     ("x" * 101 + ",Finch,,,,,,A1,", "First name is 101 characters long. It can be at most 100."),
     ("Ann,Finch,,,,,,A1", "Line 2 has 8 cells, but there are 9 headings.")],
)  # fmt: skip
def test_what_is_wrong_with_a_row_is_said(app, row, sentence):
    assert refused(sheet(row)) == {2: sentence}


def test_rows_without_any_identity(app):
    assert outcomes(sheet("Ann,Finch,,,,7,,,")) == ["added"]
    factories.student("Ann", "Finch", admission_number="A1", year_group="7")
    assert outcomes(sheet("Ann,Finch,,,,7,,,")) == ["same"]
    assert "A student of this name is known." in refused(sheet("Ann,Finch,,,,8,,,"))[2]
    doubles = refused(sheet("Bea,Crane,,,,7,,,", "Bea,Crane,,,,8,,,"))
    assert "Line 3 has the same name" in doubles[2] and "Line 2 has the same name" in doubles[3]


def test_leavers_come_first_and_a_refused_row_still_speaks_for_its_student(app):
    for number in range(6):
        factories.student("Ann", f"Finch{number}", admission_number=f"A{number}", upn=f"U{number}")
    factories.student("Old", "Gone", admission_number="A9", is_active=False)
    data = sheet("Ann,Finch0,,,,,,A0,", "Ann,Finch1,,nonsense,,,,A1,", "Ann,Finch2,A2", "Ann,Finch3,,,,,,A4,U3")
    assert outcomes(data, deactivate=False) == ["same", "refused", "refused", "refused"]
    made = plan(data, deactivate=True)
    assert [row.name for row in made.of("left")] == ["Ann Finch5"]
    assert made.rows[0].outcome == "left"
    assert not made.empties_school
    assert plan(sheet("Ann,Finch0,,,,,,A0,"), deactivate=True).empties_school


def test_a_student_who_left_and_is_on_the_list_returns(app):
    factories.student("Old", "Gone", admission_number="A9", is_active=False)
    assert plan(sheet("Old,Gone,,,,,,A9,")).rows[0].sentence == "Returns to the school."


def test_a_student_who_is_closed_to_the_importer(cast):
    hidden = factories.student("Hid", "Den", admission_number="H1", email="hid@x.org", year_group="7")
    factories.exclusion(cast.ada, cast.kay, student=hidden)
    made = plan(sheet("Hid,Den,,,,8,,H1,"), actor=cast.ada, deactivate=True)
    assert made.counts["refused"] == 1
    assert "can't be used with your account" in made.of("refused")[0].sentence
    assert "Hid Den" not in [row.name for row in made.of("left")]
    assert outcomes(sheet("Hid,Den,,,,7,,,"), actor=cast.ada) == ["added"]  # by name alone nothing is given away
    assert made.active == 1


def test_mapping_that_can_not_be_used(app):
    header = ["A", "B"]
    assert import_rows.mapping_problems(header, {"first_name": 0, "last_name": 1}) == {}
    assert import_rows.mapping_problems(header, {"first_name": 0, "last_name": None}) == {
        "last_name": "Choose the column that holds the last name: the file needs one."
    }
    assert "is chosen for First name already" in import_rows.mapping_problems(
        header, {"first_name": 0, "last_name": 0})["last_name"]  # fmt: skip
    assert import_rows.mapping_problems(header, {"first_name": 0, "last_name": 7})["last_name"]


def test_checking_writes_nothing(app):
    before = Student.select().count()
    assert plan(many(50)).counts["added"] == 50
    assert Student.select().count() == before


def test_five_thousand_rows_take_two_queries_to_check(app, count_queries):
    read = csvread.read(many(5000))
    with count_queries(most=2):
        made = imports.check(read, import_rows.guess(read.header), actor=None)
    assert made.counts["added"] == 5000
