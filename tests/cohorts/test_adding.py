"""Adding students to a cohort by a file or one address, the result row by row, moving them and taking them out."""

import io
import json
import time

import pytest

import tasks
from blueprints.cases.queries import confirmation_of
from blueprints.cohorts import actions, queries
from blueprints.kit import addresses, csvread
from models import CohortStudent, Event, Exclusion, ImportRun, Student
from permissions import Denied
from tests.factories import account, cohort, exclusion, student
from tests.web import filled_in, text_of

OTHERS = ("oli", "kay", "mo", "rae", "stu")


@pytest.fixture
def autumn(cast):
    """An empty cohort, and four students: Dan has left."""
    cast.cohort = cohort("First years", "Autumn", created_by=cast.ada)
    cast.ann, cast.bob, cast.cleo = (student(name, email=f"{name.lower()}@x.example.org") for name in ("Ann", "Bob", "Cleo"))
    cast.dan = student("Dan", email="dan@x.example.org", is_active=False)
    cast.url = f"/cohorts/{cast.cohort.ref}/add-students"
    return cast


def send(post, client, url, text, name="list.csv"):
    data = text if isinstance(text, bytes) else text.encode()
    return post(client, url, {"file": (io.BytesIO(data), name)}, form="upload")


def rows_of(text):
    data = text if isinstance(text, bytes) else text.encode()
    return [(row.line, row.address, row.outcome) for row in addresses.read(csvread.read(data))]


def add(autumn, text, actor=None):
    """The result of a file: {line: (outcome, sentence)}."""
    data = text if isinstance(text, bytes) else text.encode()
    run = actions.add_by_file(autumn.cohort, csvread.read(data), "list.csv", actor=actor or autumn.ada)
    return {line: (outcome, sentence) for line, outcome, sentence, _, _ in json.loads(run.result)}


def csv(client, address):
    """The text of an export."""
    with client.get(address) as answer:
        assert answer.status_code == 200
        return answer.data.decode("utf-8-sig")


def members(row):
    return {link.student_id for link in CohortStudent.select().where(CohortStudent.cohort == row.id)}


# --- What a file may look like ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "a@x.org\nb@x.org\n",
        "a@x.org\r\nb@x.org",
        "\ufeffa@x.org\nb@x.org\n".encode(),
        "a@x.org\nb@x.org\n".encode("utf-16"),
        "a@x.org;\nb@x.org;\n",
    ],
)
def test_a_column_of_addresses_needs_no_heading(text):
    assert rows_of(text) == [(1, "a@x.org", ""), (2, "b@x.org", "")]


@pytest.mark.parametrize(
    "text",
    [
        "Email\na@x.org\n",
        "E-Mail Address\na@x.org\n",
        "Name;Student email;Parent email\nAnn;a@x.org;mum@x.org\n",
        "Email,Student Email\nmum@x.org,a@x.org\n",
        "sep=;\nName;EMAIL\nZoë;a@x.org\n".encode("cp1252"),
        "Name\tMail\nAnn\ta@x.org\n",
        '"Email","Note"\n"a@x.org","said, yes"\n',
    ],
)
def test_a_heading_among_others_says_which_column_it_is(text):
    assert [address for _, address, _ in rows_of(text)] == ["a@x.org"]


def test_the_line_is_that_of_the_file():
    assert [line for line, _, _ in rows_of("Email\n\n\na@x.org\n\nb@x.org\n")] == [4, 6]


def test_without_a_known_heading_the_column_with_addresses_is_taken_and_no_row_is_lost():
    assert rows_of("Who,Where\nAnn,a@x.org\nBob,b@x.org\n") == [
        (1, "Where", "not_address"), (2, "a@x.org", ""), (3, "b@x.org", ""),
    ]  # fmt: skip
    assert rows_of("jon.x.org\nb@x.org\n")[0] == (1, "jon.x.org", "not_address")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("Name,Year\nAnn,7\n", "No column of this file holds email addresses."),
        ("Email\n", "The file has a heading but no rows under it."),
        ("", "The file is empty."),
        (b"PK\x03\x04whatever", "This is a spreadsheet"),
    ],
)
def test_a_file_that_can_not_be_used_is_refused_with_a_sentence(client_for, post, autumn, text, sentence):
    ada = client_for("ada")
    answer = send(post, ada, autumn.url, text)
    assert answer.status_code == 422 and sentence in text_of(answer) and "Upload CSV: " in text_of(answer)
    assert not ImportRun.select().exists()


def test_too_many_rows_are_refused(monkeypatch):
    monkeypatch.setattr(addresses, "MAX_ROWS", 2)
    assert len(rows_of("a@x.org\nb@x.org\n")) == 2
    with pytest.raises(csvread.CsvProblem, match="at most 2"):
        rows_of("a@x.org\nb@x.org\nc@x.org\n")


def test_rows_that_are_no_address(autumn):
    result = add(autumn, "Email,Name\nann@x.example.org,Ann\nann at x,Ann\n,Nobody\na@b,X\nbob@x.example.org,Bob,more\n")
    assert result[2][0] == "added"
    assert result[3] == ("not_address", "ann at x is not an email address.")
    assert result[4] == ("not_address", "There is no address in this row.")
    assert result[5][0] == "not_address"
    assert result[6] == ("not_address", "Line 6 has 3 cells, but there are 2 headings.")
    assert members(autumn.cohort) == {autumn.ann.id}


def test_no_file_was_chosen(client_for, post, autumn):
    answer = post(client_for("ada"), autumn.url, {}, form="upload")
    assert answer.status_code == 422 and "Choose a CSV file." in text_of(answer)


# --- What becomes of the rows ----------------------------------------------------------------------------------------


def test_every_row_is_named_and_the_good_ones_are_in(autumn):
    CohortStudent.create(cohort=autumn.cohort, student=autumn.bob, added_by=autumn.ada)
    result = add(autumn, "Email\nANN@x.example.org\nbob@x.example.org\nnobody@x.example.org\nann@x.example.org\nwrong\n"
                         "dan@x.example.org\ncleo@x.example.org\n")  # fmt: skip
    assert {line: outcome for line, (outcome, _) in result.items()} == {
        2: "added", 3: "already", 4: "unknown", 5: "twice", 6: "not_address", 7: "left", 8: "added",
    }  # fmt: skip
    assert result[4][1] == "No student has this email address."
    assert result[5][1] == "Line 2 has the same address."
    assert result[7][1] == "This student has left the school."
    assert members(autumn.cohort) == {autumn.ann.id, autumn.bob.id, autumn.cleo.id}
    link = CohortStudent.get((CohortStudent.cohort == autumn.cohort.id) & (CohortStudent.student == autumn.ann.id))
    assert link.added_by == autumn.ada
    event = Event.get(Event.verb == "cohort.students_added")
    told = json.loads(event.data)
    assert event.target == autumn.cohort.ref and told.pop("run") == ImportRun.get().ref
    assert told == {"added": 2, "already_in": 1, "refused": 4}


def test_sending_it_again_changes_nothing(autumn):
    text = "ann@x.example.org\nbob@x.example.org\nwrong\n"
    add(autumn, text)
    before = list(CohortStudent.select().order_by(CohortStudent.id).dicts())
    again = add(autumn, text)
    assert [outcome for outcome, _ in again.values()] == ["already", "already", "not_address"]
    assert list(CohortStudent.select().order_by(CohortStudent.id).dicts()) == before


def test_a_student_who_left_and_is_in_it_already_stays(autumn):
    CohortStudent.create(cohort=autumn.cohort, student=autumn.dan, added_by=autumn.ada)
    assert add(autumn, "dan@x.example.org\n")[1][0] == "already"


def test_an_excluded_student_is_as_unknown_as_nobody(autumn):
    CohortStudent.create(cohort=autumn.cohort, student=autumn.bob, added_by=autumn.ada)
    for one in (autumn.ann, autumn.bob, autumn.dan):
        exclusion(autumn.ada, account(role="admin"), student=one)
    result = add(autumn, "ann@x.example.org\nbob@x.example.org\ndan@x.example.org\nnobody@x.example.org\n")
    assert set(result.values()) == {("unknown", "No student has this email address.")}
    assert members(autumn.cohort) == {autumn.bob.id}
    with pytest.raises(actions.Refused) as refused:
        actions.add_student(autumn.cohort, "ann@x.example.org", actor=autumn.ada)
    assert refused.value.sentence == "No student has this email address."


def test_all_or_nothing(autumn, monkeypatch):
    """The result and the students come together or not at all."""

    def broken(*_, **__):
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(ImportRun, "create", broken)
    with pytest.raises(RuntimeError):
        add(autumn, "ann@x.example.org\n")
    assert not members(autumn.cohort) and not Event.select().where(Event.verb == "cohort.students_added").exists()


def test_an_archived_cohort_takes_nobody(client_for, post, autumn):
    actions.archive_cohort(autumn.cohort, version=1, actor=autumn.ada)
    ada = client_for("ada")
    assert "archived: nobody can be added" in text_of(ada.get(autumn.url))
    for answer in (send(post, ada, autumn.url, "ann@x.example.org\n"),
                   post(ada, autumn.url, {"email": "ann@x.example.org"}, form="one")):  # fmt: skip
        assert answer.status_code == 422 and "This cohort is archived. Restore it first." in text_of(answer)
    assert not members(autumn.cohort)


# --- The result ------------------------------------------------------------------------------------------------------


def test_the_result_is_a_page_that_stays(client_for, post, autumn):
    ada = client_for("ada")
    answer = send(post, ada, autumn.url, "ann@x.example.org\nnobody@x.example.org\nwrong\n")
    assert answer.status_code == 303 and answer.location.startswith(autumn.url + "/")
    page = ada.get(answer.location)
    text = text_of(page)
    assert "1 student was added, 2 rows were refused." in text
    assert "2 nobody@x.example.org Unknown No student has this email address." in text
    assert "3 wrong Not an address wrong is not an email address." in text
    assert "ann@x.example.org" not in text  # the refused rows come first
    assert f'href="/students/{autumn.ann.ref}"' in ada.get(f"{answer.location}?only=added").text
    assert "list.csv" in ada.get(autumn.url).text


def test_the_refused_rows_are_a_file_that_can_be_corrected_and_sent_again(client_for, post, autumn):
    ada = client_for("ada")
    answer = send(post, ada, autumn.url, "Name,Email\nAnn,ann@x.example.org\nBob,bob@x,example.org\nCleo,=cleo\nZed,z@x.example.org\n")
    text = csv(ada, f"{answer.location}/refused.csv")
    assert text.splitlines()[0] == "Email,Line,Result,Reason" and len(text.splitlines()) == 4
    assert "'=cleo" in text  # safe in a spreadsheet
    again = send(post, ada, autumn.url, text.replace("'=cleo", "cleo@x.example.org").replace("bob@x,", "bob@x."))
    assert again.status_code == 303 and autumn.cleo.id in members(autumn.cohort)
    assert json.loads(ImportRun.select().order_by(ImportRun.id.desc()).first().counts)["added"] == 1
    whole = csv(ada, f"{answer.location}/result.csv").splitlines()
    assert len(whole) == 5 and whole[1].startswith("ann@x.example.org,2,Added")
    with ada.get(f"{answer.location}/result.xlsx") as book:
        assert book.status_code == 200
    data = json.loads(Event.select().where(Event.verb == "cohort.exported").order_by(Event.id).first().data)
    assert data == {"count": 3, "format": "csv", "list": "refused"}


def test_many_refused_rows_are_paged(client_for, post, autumn):
    ada = client_for("ada")
    answer = send(post, ada, autumn.url, "".join(f"n{number}@x.example.org\n" for number in range(120)))
    assert "n0@" in ada.get(answer.location).text and "n119@" not in ada.get(answer.location).text
    assert "n119@" in ada.get(f"{answer.location}?page=3").text


def test_a_student_who_is_closed_later_disappears_from_the_result(client_for, post, autumn, clock):
    ada = client_for("ada")
    url = send(post, ada, autumn.url, "ann@x.example.org\nbob@x.example.org\n").location
    exclusion(autumn.ada, account(role="admin"), student=autumn.ann)
    page = ada.get(f"{url}?only=added")
    assert "ann@" not in page.text and autumn.ann.ref not in page.text and "bob@" in page.text
    assert "ann@" not in csv(ada, f"{url}/result.csv")
    (_, counts), = queries.adding_results(autumn.ada, autumn.cohort)
    assert counts["added"] == 1
    Exclusion.update(ended_at=clock.now()).execute()
    assert "ann@" in ada.get(f"{url}?only=added").text


def test_a_result_is_for_whoever_sent_the_file_and_of_one_cohort(client_for, post, autumn):
    other, elsewhere = account(role="admin", totp_secret="A" * 32, two_step_at=autumn.cohort.created_at), cohort()
    url = send(post, client_for("ada"), autumn.url, "ann@x.example.org\n").location
    run = url.rpartition("/")[2]
    for client, page in ((client_for(other), url), (client_for(other), f"{url}/result.csv"),
                         (client_for("ada"), f"/cohorts/{elsewhere.ref}/add-students/{run}")):  # fmt: skip
        assert client.get(page).status_code == 404, page
    for who in OTHERS:
        assert client_for(who).get(url).status_code == 404
    assert client_for("ada").get(f"/students/import/{run}").status_code == 404


def test_results_are_no_import_of_students(app, client_for, post, autumn):
    """The list of imports does not show them, and the worker leaves them alone."""
    send(post, client_for("ada"), autumn.url, "ann@x.example.org\nx\n", name="cohort-of-mine.csv")
    before = ImportRun.get()
    with app.app_context():
        tasks.sweep()
    now = ImportRun.get()
    assert (now.state, now.version, now.result) == ("done", before.version, before.result)
    for page in ("/students/import", "/import"):
        assert "cohort-of-mine" not in client_for("ada").get(page).text


def test_addresses_are_forgotten_after_a_month(client_for, post, autumn, clock):
    ada = client_for("ada")
    clock.freeze(autumn.cohort.created_at)
    url = send(post, ada, autumn.url, "ann@x.example.org\nnobody@x.example.org\n").location
    clock.move(days=29)
    actions.forget_results()
    assert "nobody@x.example.org" in ImportRun.get().result
    clock.move(days=2)
    actions.forget_results()
    assert "@" not in ImportRun.get().result
    text = text_of(client_for("ada").get(url))
    assert "were forgotten after 30 days" in text and "Unknown 1" in text and ImportRun.get().version == 1


def test_a_file_sent_twice_by_a_double_click_is_one_result(client_for, autumn):
    ada = client_for("ada")
    page = ada.get(autumn.url)

    def once():
        file = io.BytesIO(b"ann@x.example.org\n"), "a.csv"
        data = filled_in(page, autumn.url, {"file": file}, "upload")
        return ada.post(autumn.url, data=data, content_type="multipart/form-data")

    first, second = once(), once()
    assert first.location == second.location and ImportRun.select().count() == 1


# --- Size ------------------------------------------------------------------------------------------------------------


def _pat(number):
    email = f"p{number}@x.example.org"
    names = {"first_name": "Pat", "last_name": f"N{number}", "sort_name": f"n{number} pat"}
    return {"ref": f"S{number:09}", "email": email, "email_folded": email, **names}


def test_five_thousand_rows_with_two_in_a_hundred_bad(client_for, post, autumn, figure, count_queries):
    """In at most 5 s from the click to the page with the result."""
    people = [_pat(number) for number in range(4900)]
    for start in range(0, 4900, 500):
        Student.insert_many(people[start : start + 500]).execute()
    lines = [f"p{number}@x.example.org" for number in range(4900)]
    bad = {}
    for place in range(100):
        address = ("wrong", f"nobody{place}@x.example.org")[place % 2] + str(place)
        lines.insert(place * 49, address)
        bad[place * 49 + 2] = address
    text = "Email\n" + "\n".join(lines) + "\n"
    ada = client_for("ada")
    for outcome in ("added", "already"):
        began = time.perf_counter()
        with count_queries() as asked:
            answer = send(post, ada, autumn.url, text)
            page = ada.get(answer.location)
        took = time.perf_counter() - began
        assert page.status_code == 200 and len(asked) <= 46, "of which some thirty are the guard and the pages"
        run = ImportRun.select().order_by(ImportRun.id.desc()).first()
        rows = json.loads(run.result)
        assert {row[0]: row[3] for row in rows if row[1] in addresses.REFUSED} == bad
        assert all(row[2] for row in rows if row[1] in addresses.REFUSED)
        assert sum(row[1] == outcome for row in rows) == 4900
        assert len(members(autumn.cohort)) == 4900
        figure(f"5,000 addresses, 100 bad, {outcome}", f"{took:.1f} s from the click to the result")
    with count_queries(most=60):
        add(autumn, text)


# --- One address -----------------------------------------------------------------------------------------------------


def test_one_student_by_email(client_for, post, autumn):
    ada = client_for("ada")
    answer = post(ada, autumn.url, {"email": " Ann@X.example.org "}, form="one")
    assert answer.status_code == 303 and members(autumn.cohort) == {autumn.ann.id}
    assert f"{autumn.ann.name} was added to Autumn." in text_of(ada.get(answer.location))
    told = json.loads(Event.get(Event.verb == "cohort.students_added").data)
    assert told == {"added": 1, "already_in": 0, "refused": 0}
    for typed, sentence in (
        ("ann@x.example.org", "This student is in the cohort already."),
        ("nobody@x.example.org", "No student has this email address."),
        ("dan@x.example.org", "This student has left the school."),
        ("ann", "ann is not an email address."),
        ("", "Write an email address."),
    ):
        refused = post(ada, autumn.url, {"email": typed}, form="one")
        assert refused.status_code == 422 and f"Email: {sentence}" in text_of(refused) and f'value="{typed}"' in refused.text
    assert members(autumn.cohort) == {autumn.ann.id} and not ImportRun.select().exists()


def test_the_page_says_who_will_support_them(client_for, autumn):
    ada = client_for("ada")
    assert "support groups" not in text_of(ada.get(autumn.url)).replace("Support Groups", "")
    actions.attach_group(autumn.cohort, autumn.counselling, confirmed=gains(autumn, autumn.counselling), actor=autumn.ada)
    assert "2 people of the support groups see the milestones of everybody added here: Gil Gannet, Mo Merlin." in text_of(
        ada.get(autumn.url))  # fmt: skip


def gains(autumn, one):
    return confirmation_of(queries.gained_by_attaching(autumn.ada, autumn.cohort, one))


def test_the_actions_refuse_by_themselves(autumn):
    sheet = csvread.read(b"bob@x.example.org\n")
    for who in (autumn.oli, autumn.kay, autumn.mo, autumn.rae, autumn.stu):
        with pytest.raises(Denied):
            actions.add_by_file(autumn.cohort, sheet, "a.csv", actor=who)
        with pytest.raises(Denied):
            actions.add_student(autumn.cohort, "bob@x.example.org", actor=who)
    assert not members(autumn.cohort)
