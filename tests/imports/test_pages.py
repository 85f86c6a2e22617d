"""The pages of the three kinds of import, who may open them, and the worker behind them."""

import csv
import io

import pytest

from blueprints.imports import people, runs
from models import Account, Event, ImportRun, OutboxEmail, Student
from tests import factories
from tests.imports.files import RosterSet, checked, now, school, staff, start, whole, work
from tests.web import text_of

FAY = "Fay,Fulmar,fay@x.org,,,,,"


@pytest.fixture
def upload(post):
    def send(client, kind, data, name):
        return post(client, f"/import/{kind}", {"file": (io.BytesIO(data), name)})

    return send


def test_one_page_leads_to_all_kinds_and_lists_what_was_imported(app, cast, client_for):
    page = client_for("ada").get("/import")
    for address in ("/students/import", "/import/staff", "/import/oneroster"):
        assert f'href="{address}"' in page.text
    whole(app, cast.ada, staff(FAY))
    start(app, cast.ada, school().zip(), "oneroster")
    text = text_of(client_for("ada").get("/import"))
    assert "Staff from a CSV file" in text and "OneRoster 1.1 or 1.2" in text and "Waits for you" not in text
    assert 'href="/import"' in client_for("ada").get("/admin").text


def test_staff_from_file_to_done(app, cast, client_for, post, upload):
    ada = client_for("ada")
    answer = upload(ada, "staff", staff(FAY, "Guy,Gull,nonsense,,,,,"), "staff.csv")
    assert answer.status_code == 303
    mapping = answer.location
    page = ada.get(mapping)
    assert '<label for="booking_url">Booking link' in page.text and "Email an invitation to everybody who is added" in page.text
    home = post(ada, mapping, {"invite": "y"}).location
    work(app)
    text = text_of(ada.get(home))
    assert "1 row will be saved; the 1 row that is refused will be left out." in text
    assert "This is not an email address." in text
    assert post(ada, f"{home}/confirmation", form_url=home).status_code == 303
    work(app)
    fay = Account.get(Account.email_folded == "fay@x.org")
    added = ada.get(f"{home}?only=added").text
    assert f'href="/admin/users/{fay.ref}"' in added and "Staff." in added
    assert OutboxEmail.select().count() == 1
    answer = ada.get(f"{home}/result.csv")
    lines = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))
    answer.close()
    assert lines[1:] == [["2", "Added", "Fay Fulmar", "Staff."],
                         ["3", "Refused", "Guy Gull", "Email: This is not an email address. Write one like kay@school.example."]]  # fmt: skip
    assert Event.select().where((Event.verb == "account.exported") & (Event.target == home.rpartition("/")[2])).count() == 1


def test_a_mapping_that_can_not_be_used_keeps_what_was_chosen(app, cast, client_for, post, upload):
    ada = client_for("ada")
    mapping = upload(ada, "staff", b"A;B\r\n1;2\r\n", "x.csv").location
    answer = post(ada, mapping, {"email": "1", "make_groups": "y"})
    assert answer.status_code == 422
    assert "Choose the columns of first and last name, or that of the whole name." in text_of(answer)
    assert '<option selected value="1">B' in answer.text


def test_oneroster_from_file_to_done(app, cast, client_for, post, upload):
    ada = client_for("ada")
    mapping = upload(ada, "oneroster", school("1.2").enroll("nobody", "7a").zip("set/"), "export.zip").location
    text = text_of(ada.get(mapping))
    assert "export.zip is a OneRoster 1.2 set with 5 users." in text and "roles.csv" in text
    home = post(ada, mapping, {"groups": "y"}).location
    work(app)
    text = text_of(ada.get(home))
    assert "Students: 2 added." in text and "enrollments.csv line 7" in text and "The user nobody is not in users.csv." in text
    assert post(ada, f"{home}/confirmation", form_url=home).status_code == 303
    work(app)
    page = ada.get(f"{home}?only=added").text
    student, account = Student.get(Student.source_id == "s1"), Account.get(Account.source_id == "t1")
    assert f"/students/{student.ref}" in page and f"/admin/users/{account.ref}" in page and "/admin/groups/" in page


@pytest.mark.parametrize(("kind", "data"), [("oneroster", b"hello"), ("oneroster", b""), ("staff", b""), ("staff", b"PK\x03\x04")])
def test_files_that_can_not_be_taken_are_refused_at_the_field(app, cast, client_for, upload, kind, data):
    answer = upload(client_for("ada"), kind, data, "x")
    assert answer.status_code == 422 and 'aria-invalid="true"' in answer.text
    assert not ImportRun.select().exists()


def test_no_file_is_said(cast, client_for, post):
    for kind, word in (("oneroster", "Choose a zip file."), ("staff", "Choose a CSV file.")):
        assert word in text_of(post(client_for("ada"), f"/import/{kind}", {}))


def test_only_admins_and_only_their_own(app, cast, client_for, post):
    amy = factories.account("Amy Avocet", email="amy@x.org", role="admin")
    for kind, data in (("staff", staff(FAY)), ("oneroster", school().zip())):
        run = checked(app, cast.ada, data, kind)
        addresses = ["/import", f"/import/{kind}", *(f"/import/{run.ref}{tail}" for tail in ("", "/mapping", "/progress",
                     "/result.csv", "/result.xlsx"))]  # fmt: skip
        for who, code in (("kay", 403), ("oli", 403), ("rae", 404), ("stu", 404)):
            for address in addresses:
                assert client_for(who).get(address).status_code == code, (who, address)
        for address in addresses[2:]:
            assert client_for(amy).get(address).status_code == 404
        assert run.ref not in client_for(amy).get("/import").text
        for tail in ("confirmation", "withdrawal", "mapping"):
            assert post(client_for("oli"), f"/import/{run.ref}/{tail}", {}, form_url="/students").status_code == 403
            assert post(client_for(amy), f"/import/{run.ref}/{tail}", {}, form_url="/students").status_code == 404
        assert now(run).state == "checked"


def test_results_that_other_parts_keep_are_left_alone(app, cast, client_for, clock):
    other = ImportRun.create(account=cast.ada, kind="cohort_students", file_name="cohort.csv", path_name="", state="done",
                             result='[["x"]]', mapping="{}", counts="{}")  # fmt: skip
    waiting = ImportRun.create(account=cast.ada, kind="cohort_students", file_name="cohort.csv", path_name="00/x", state="waiting")
    ada = client_for("ada")
    assert "cohort.csv" not in ada.get("/import").text
    for tail in ("", "/mapping", "/progress", "/result.csv"):
        assert ada.get(f"/import/{other.ref}{tail}").status_code == 404
    clock.move(days=40)
    assert work(app) == 0
    assert (now(other).result, now(other).mapping, now(waiting).state, now(waiting).path_name) == ('[["x"]]', "{}", "waiting", "00/x")


def test_the_pages_take_few_queries(app, cast, client_for, count_queries):
    run = checked(app, cast.ada, staff(*(f"Fay{n},Fulmar,fay{n}@x.org,,,,," for n in range(500))))
    ada = client_for("ada")
    ada.get("/import")
    for address in ("/import", f"/import/{run.ref}", f"/import/{run.ref}/mapping"):
        with count_queries(most=7):
            ada.get(address)


class Killed(BaseException):
    """What no handler in the code catches, like the end of the process."""


@pytest.mark.parametrize("kind", ["staff", "oneroster"])
@pytest.mark.parametrize("where", ["save", "hold", "_end_step", "_discard_file"])
def test_a_worker_killed_while_saving_saves_once(app, cast, clock, monkeypatch, kind, where):
    data = staff(*(f"T{n},Fulmar,t{n}@x.org,,,,,Counselling" for n in range(20)))
    if kind == "oneroster":
        made = RosterSet().org("school", "Kestrel Hill").org("d", "Drama", "department")
        for number in range(20):
            made.user(f"t{number}", "teacher", f"T{number}", "Fulmar", "d", email=f"t{number}@x.org")
            made.user(f"s{number}", identifier=f"A{number}")
        data = made.zip()
    run = checked(app, cast.ada, data, kind)
    runs.confirm(run, "", version=run.version, actor=cast.ada)
    module = people if where in ("save", "hold") else runs
    real = getattr(module, where)

    def die(*given, **named):
        real(*given, **named)
        raise Killed

    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(module, where, die)
        work(app)

    def saved():
        accounts = Account.select().where(Account.name.endswith("Fulmar")).count()
        return accounts, Event.select().where(Event.verb == "import.saved").count()

    assert saved() == ((20, 1) if where == "_discard_file" else (0, 0))
    assert Student.select().count() == (21 if where == "_discard_file" and kind == "oneroster" else 1)
    clock.move(minutes=3)
    work(app)
    assert now(run).state == "done" and saved() == (20, 1)
    assert not list(app.settings.files.rglob("*/*"))


def test_who_lost_a_right_meanwhile_imports_nothing(app, cast):
    run = checked(app, cast.ada, staff(FAY))
    runs.confirm(run, "", version=run.version, actor=cast.ada)
    Account.update(role="key_user").where(Account.id == cast.ada.id).execute()
    work(app)
    assert now(run).state == "failed" and "may not import any more" in now(run).problem
    assert not Account.select().where(Account.email_folded == "fay@x.org").exists()


def test_names_go_after_a_while(app, cast, clock):
    run = whole(app, cast.ada, staff("Sam,Swift,sam@school.example.org,,,,Admin Key Holder,", "Guy,Gull,nonsense,,,,,"))
    clock.move(days=31)
    work(app)
    for text in ("Swift", "Gull", "Admin"):
        assert text not in now(run).result + now(run).counts
    assert cast.sam.ref in now(run).result
