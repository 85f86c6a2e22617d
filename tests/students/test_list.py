"""The list of students, its export, and the suggestions as pages."""

import csv
import io

import pytest

from models import Event, Student
from tests import factories
from tests.web import text_of


@pytest.fixture
def many(cast):
    for number in range(120):
        factories.student("Ann", f"Finch{number:03}", year_group="7", tutor_group=f"7{'ABC'[number % 3]}")
    return cast


def test_fifty_a_page_with_count_and_pages(many, client_for):
    page = client_for("kay").get("/students")
    assert page.status_code == 200
    assert page.data.count(b"<tr>") == 51
    assert "1–50 of 121 students" in text_of(page)
    last = text_of(client_for("kay").get("/students?page=3"))
    assert "101–121 of 121 students" in last and "Stu Sturgeon" in last


def test_search_and_filters_stand_in_the_address(many, client_for):
    page = client_for("kay").get("/students?q=finch07&year=7&tutor=7B")
    text = text_of(page)
    assert "Ann Finch070" in text and "Ann Finch071" not in text
    assert "Search: finch07" in text and "Year group: 7" in text
    assert b'aria-label="Remove filter Tutor group: 7B"' in page.data
    assert b"Search students</label>" in page.data


def test_nothing_found_and_nothing_there_yet_say_what_to_do(cast, client_for):
    assert "No students match" in text_of(client_for("oli").get("/students?q=nobody"))
    Student.delete().execute()
    assert "Import a class list" in text_of(client_for("ada").get("/students"))
    assert "An Admin Key Holder imports" in text_of(client_for("oli").get("/students"))


def test_admission_numbers_are_for_readers_of_details(cast, client_for):
    number = cast.student.admission_number
    assert number in text_of(client_for("kay").get("/students"))
    for who in ("oli", "sam", "gil", "mo"):
        text = text_of(client_for(who).get("/students"))
        assert "Stu Sturgeon" in text and "9B" in text
        assert number not in text and "Admission number" not in text
        assert "Add student" not in text and "Import" not in text


def test_buttons_for_those_allowed(cast, client_for):
    assert "Add student" in text_of(client_for("kay").get("/students"))
    assert "/students/import" not in client_for("kay").get("/students").text
    assert "/students/import" in client_for("ada").get("/students").text


def test_students_and_referral_users_get_the_page_that_is_not_there(cast, client_for):
    for who in ("rae", "stu"):
        for address in ("/students", "/students/suggest?q=stu", "/students/export.csv", "/students/new",
                        "/students/import", f"/students/{cast.student.ref}"):  # fmt: skip
            assert client_for(who).get(address).status_code == 404


def test_suggestions_are_json(cast, client_for):
    answer = client_for("oli").get("/students/suggest?q=sturg")
    assert answer.json == [{"ref": cast.student.ref, "label": "Stu Sturgeon", "hint": "Year 9, 9B"}]
    assert client_for("oli").get("/students/suggest").json == []


def rows_of(answer):
    with answer:
        return list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))


def test_export_holds_what_the_reader_may_see_and_is_audited(cast, client_for):
    header, row = rows_of(client_for("kay").get("/students/export.csv?q=stu"))
    assert ",".join(header) == (
        "First name,Last name,Preferred name,Email,Date of birth,Year group,Tutor group,Admission number,UPN,Active"
    )
    assert row[:4] == ["Stu", "Sturgeon", "", "stu@school.example.org"] and row[-1] == "Yes"
    header, row = rows_of(client_for("oli").get("/students/export.csv"))
    assert header == ["First name", "Last name", "Preferred name", "Year group", "Tutor group", "Active"]
    assert row == ["Stu", "Sturgeon", "", "9", "9B", "Yes"]
    event = Event.get((Event.verb == "student.exported") & (Event.actor == cast.oli))
    assert '"count": 1' in event.data and '"format": "csv"' in event.data
    assert client_for("kay").get("/students/export.xlsx").data[:2] == b"PK"
    assert client_for("kay").get("/students/export.pdf").status_code == 404


def test_formulas_stay_text_in_an_export(cast, client_for):
    factories.student("=cmd()", "Zebra")
    assert "'=cmd()" in client_for("kay").get("/students/export.csv").data.decode("utf-8-sig")


def test_reading_the_list_is_audited(cast, client_for):
    client_for("oli").get("/students")
    assert Event.select().where((Event.verb == "student.listed") & (Event.actor == cast.oli)).count() == 1


def test_queries_do_not_grow_with_the_list(many, client_for, count_queries):
    kay = client_for("kay")
    kay.get("/students")
    with count_queries(most=10):
        kay.get("/students?q=finch")


def test_odd_addresses_are_no_error(many, client_for):
    for query in ("page=0", "page=99999999", "page=x", "show=no", "q=%00%FF", "year=%27", "q=" + "a " * 500):
        assert client_for("oli").get(f"/students?{query}").status_code == 200
