"""The import in the browser: upload, columns, check, confirmation, result; and every file that can't be taken."""

import csv
import io

import pytest

from models import Event, ImportRun, Student
from tests import factories
from tests.students.sheets import many, sheet, start, work
from tests.web import text_of

BAD = sheet("Ann,Finch,,,,7,7A,A1,", "Bea,Crane,,nonsense,,,,A2,")


@pytest.fixture
def upload(post):
    def send(client, data, name="class list.csv"):
        return post(client, "/students/import", {"file": (io.BytesIO(data), name)})

    return send


def test_from_file_to_done(app, cast, client_for, post, upload):
    ada = client_for("ada")
    answer = upload(ada, BAD)
    assert answer.status_code == 303
    mapping = answer.location
    page = ada.get(mapping)
    assert "Ann" in text_of(page) and '<label for="first_name">First name</label>' in page.text
    answer = post(ada, mapping)
    home = answer.location
    waiting = ada.get(home)
    assert "Waiting for its turn" in text_of(waiting) and 'data-poll="1500"' in waiting.text
    assert b"data-done" not in ada.get(f"{home}/progress").data
    work(app)
    assert b"data-done" in ada.get(f"{home}/progress").data
    text = text_of(ada.get(home))
    assert "Nothing is written yet." in text and "nonsense is not an email address." in text
    assert "1 row will be saved; the 1 row that is refused will be left out." in text
    assert Student.select().count() == 1
    assert post(ada, f"{home}/confirmation", form_url=home).status_code == 303
    work(app)
    done = text_of(ada.get(home))
    assert "Import done" in done and "were left out" in done
    assert Student.get(Student.admission_number == "A1").tutor_group == "7A"
    assert "Imported" in text_of(ada.get("/students/import"))
    added = ada.get(f"{home}?only=added").text
    assert f'href="/students/{Student.get(Student.admission_number == "A1").ref}"' in added


def test_the_result_as_a_file(app, cast, client_for, upload):
    run = start(app, cast.ada, BAD)
    work(app)
    answer = client_for("ada").get(f"/import/{run.ref}/result.csv")
    rows = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))
    answer.close()
    assert rows == [["Line", "Result", "Name", "Reason"], ["2", "Added", "Ann Finch", ""],
                    ["3", "Refused", "Bea Crane", "nonsense is not an email address."]]  # fmt: skip
    assert Event.select().where((Event.verb == "student.exported") & (Event.target == run.ref)).count() == 1
    assert client_for("ada").get(f"/import/{run.ref}/result.xlsx").data[:2] == b"PK"


def test_bad_rows_are_paged(app, cast, client_for):
    run = start(app, cast.ada, sheet(*[f"Ann,Finch,,bad{n},,,,A{n}," for n in range(120)]))
    work(app)
    text = text_of(client_for("ada").get(f"/import/{run.ref}"))
    assert "1–50 of 120 rows" in text and "bad0 is not" in text and "bad70 is not" not in text
    assert "There is nothing to import" in text
    assert "bad70 is not" in text_of(client_for("ada").get(f"/import/{run.ref}?only=refused&page=2"))


def test_other_columns_can_be_chosen_and_are_named_when_ignored(app, cast, client_for, post, upload):
    ada = client_for("ada")
    data = "Vor;Nach;Nummer;Haarfarbe\r\nAnn;Finch;A1;rot\r\n".encode("cp1252")
    address = upload(ada, data).location
    assert "Ignored: Vor, Nach, Nummer, Haarfarbe." in text_of(ada.get(address))
    refused = post(ada, address, {"first_name": "0", "admission_number": "2", "deactivate": "y"})
    assert refused.status_code == 422
    assert "Choose the column that holds the last name" in refused.text and 'aria-invalid="true"' in refused.text
    assert "Ignored: Nach, Haarfarbe." in text_of(refused) and " checked" in refused.text
    twice = post(ada, address, {"first_name": "0", "last_name": "0"})
    assert "is chosen for First name already" in text_of(twice)
    for forged in ("99", "-1", "x", "1" * 400):
        assert post(ada, address, {"first_name": "0", "last_name": forged}).status_code == 422
    assert post(ada, address, {"first_name": "0", "last_name": "1", "admission_number": "2"}).status_code == 303
    work(app)
    run = ImportRun.get()
    assert run.state == "checked" and "Ann Finch" in run.result
    again = post(ada, address, {"first_name": "1", "last_name": "0"})
    assert again.status_code == 303
    work(app)
    assert "Finch Ann" in ImportRun.get().result


def test_leavers_ask_for_their_number(app, cast, client_for, post):
    for n in range(5):
        factories.student("Ann", f"Finch{n}")
    run = start(app, cast.ada, sheet("Stu,Sturgeon,,stu@school.example.org,,,,,"), deactivate=True)
    work(app)
    ada, home = client_for("ada"), f"/import/{run.ref}"
    text = text_of(ada.get(home))
    assert "5 students will be marked as left." in text and "Ann Finch3" in text
    assert "more than a fifth of the 6 students" in text
    refused = post(ada, f"{home}/confirmation", {"leavers": "6"}, form_url=home)
    assert refused.status_code == 422 and "would be marked as left: 5." in refused.text and 'value="6"' in refused.text
    assert post(ada, f"{home}/confirmation", {"leavers": "5"}, form_url=home).status_code == 303
    work(app)
    assert Student.select().where(Student.is_active).count() == 1


@pytest.mark.parametrize(
    ("data", "sentence"),
    [(b"", "The file is empty."), (b"First name,Last name\r\n", "no rows under them"),
     (b"\x00\x01\x02\xff" * 50, "not a text file"), (b"PK\x03\x04" + b"x" * 99, "This is a spreadsheet"),
     (b"a,b\r\n\x81\x8d\x8f,\xff\r\n", "can’t be read"), (b'a,b\r\n"x,y\r\n', "never closed"),
     (b",".join([b"x"] * 1_000_000) + b"\r\n", "more than 200 columns"),
     (b"a,b\r\n" + b"1,2\r\n" * 20_001, "at most 20,000"),
     (b"a,b\r\n" + b"x" * (21 * 1024 * 1024), "at most 20 MB"), (b"x" * (27 * 1024 * 1024), "at most 20 MB")],
    ids=["empty", "heading only", "binary", "xlsx", "encoding", "quote", "columns", "rows", "21MB", "27MB"],
)  # fmt: skip
def test_files_that_can_not_be_taken(app, cast, client_for, upload, data, sentence):
    answer = upload(client_for("ada"), data)
    assert answer.status_code == 422
    assert sentence.replace("’", "'") in text_of(answer).replace("’", "'")
    assert 'aria-invalid="true"' in answer.text and "Please check this" in answer.text
    assert ImportRun.select().count() == 0


def test_no_file_chosen(cast, client_for, post):
    answer = post(client_for("ada"), "/students/import", {})
    assert answer.status_code == 422 and "Choose a CSV file." in answer.text


def test_utf16_is_read(app, cast, client_for, upload):
    answer = upload(client_for("ada"), "First name\tLast name\r\nZoë\tŁoś\r\n".encode("utf-16"))
    assert answer.status_code == 303 and "Łoś" in client_for("ada").get(answer.location).text


def test_sent_twice_is_one_import(cast, client_for):
    from tests.web import filled_in

    ada = client_for("ada")
    body = filled_in(ada.get("/students/import"), "/students/import", {})
    answers = []
    for _ in range(2):
        data = body | {"file": (io.BytesIO(many(3)), "x.csv")}
        answers.append(ada.post("/students/import", data=data, content_type="multipart/form-data"))
    assert answers[0].location == answers[1].location
    assert ImportRun.select().count() == 1


def test_only_admins_and_only_their_own(app, cast, client_for, post):
    amy = factories.account("Amy Avocet", role="admin")
    run = start(app, cast.ada, many(3))
    work(app)
    addresses = ["/students/import", *(f"/import/{run.ref}{tail}" for tail in (
        "", "/mapping", "/progress", "/result.csv"))]  # fmt: skip
    for who, code in (("kay", 403), ("oli", 403), ("rae", 404), ("stu", 404)):
        for address in addresses:
            assert client_for(who).get(address).status_code == code
    for tail in ("confirmation", "withdrawal", "mapping"):
        address = f"/import/{run.ref}/{tail}"
        assert post(client_for("oli"), address, {}, form_url="/students").status_code == 403
        assert post(client_for(amy), address, {}, form_url="/students").status_code == 404
    for address in addresses[1:]:
        assert client_for(amy).get(address).status_code == 404
    assert run.file_name not in client_for(amy).get("/students/import").text
    assert ImportRun.get().state == "checked"


def test_a_student_closed_to_the_importer_since_is_in_no_result(app, cast, client_for):
    run = start(app, cast.ada, sheet("Stu,Sturgeon,,stu@school.example.org,,8,,,", "Ann,Finch,,,,,,A1,"))
    work(app)
    factories.exclusion(cast.ada, cast.kay, student=cast.student)
    for address in ("?only=changed", "?only=same", "", "/result.csv"):
        assert "Sturgeon" not in client_for("ada").get(f"/import/{run.ref}{address}").text


def test_withdrawing(app, cast, client_for, post):
    run = start(app, cast.ada, many(3))
    work(app)
    ada, home = client_for("ada"), f"/import/{run.ref}"
    assert post(ada, f"{home}/withdrawal", form_url=home).status_code == 303
    assert "Withdrawn" in text_of(ada.get("/students/import"))
    assert post(ada, f"{home}/confirmation", form_url="/students").status_code == 303
    work(app)
    assert Student.select().count() == 1
    assert ada.get(f"{home}/mapping").status_code == 303


def test_missing_runs_are_not_there(cast, client_for):
    for tail in ("", "/mapping", "/progress", "/result.csv"):
        assert client_for("ada").get(f"/import/ZZZZZZZZZZ{tail}").status_code == 404


def test_the_result_page_takes_few_queries(app, cast, client_for, count_queries):
    run = start(app, cast.ada, many(500))
    work(app)
    ada = client_for("ada")
    ada.get("/students")
    with count_queries(most=6):
        ada.get(f"/import/{run.ref}")
