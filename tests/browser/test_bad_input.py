"""What can't be taken gets a sentence at its field, and everything typed is still there."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from extensions import clock
from models import Account, ImportRun, Incident
from tests import factories
from tests.browser import steps

TEXT = "She told me that the ladder in the gym has come loose."
MEGABYTE = 1024 * 1024


@pytest.fixture
def form(site, page_for, cast):
    """Kay's Add incident, filled in and ready to be sent."""
    factories.category("Bullying")
    factories.student("Ann", "Finch")
    page = page_for("kay")
    page.goto("/incidents/new")
    steps.add_incident(page, "Finch", "Bullying", TEXT)
    return page


def send(page, status):
    """Send Add incident; nothing is saved, and what was typed stands in the page."""
    assert steps.send(page, "Add incident").status == status
    assert Incident.select().count() == 0
    expect(steps.field(page, "What happened")).to_have_value(TEXT)
    expect(page.get_by_role("main").get_by_text("Ann Finch").first).to_be_visible()


def test_a_day_to_come(form):
    steps.fill(form, "When it happened", (clock.now() + timedelta(days=2)).strftime("%Y-%m-%dT10:15"))
    send(form, 422)
    assert "future" in steps.error_at(form, "When it happened")
    assert "When it happened" in steps.summary(form)
    assert steps.field(form, "When it happened").input_value().endswith("T10:15")


def test_a_day_that_does_not_exist(form):
    # a browser's date field can't hold such a day: this is what somebody types where it is a plain text field
    steps.field(form, "When it happened").evaluate("field => { field.type = 'text'; field.value = '31/02/2026 10:15' }")
    send(form, 422)
    assert "31 February 2026 is not a date" in steps.error_at(form, "When it happened")


def test_a_student_nobody_knows(form):
    form.get_by_role("button", name="Remove Ann Finch").click()
    steps.fill(form, "Students", "Balthasar Nobody")
    assert steps.send(form, "Add incident").status == 422
    assert "Balthasar Nobody" in steps.error_at(form, "Students")
    expect(steps.field(form, "Students")).to_have_value("Balthasar Nobody")
    expect(steps.field(form, "What happened")).to_have_value(TEXT)


def test_an_assignee_who_was_deactivated_meanwhile(form, cast):
    steps.choose(form, "Assigned to", "Ken Kittiwake")
    Account.update(is_active=False).where(Account.id == cast.ken.id).execute()
    send(form, 422)
    assert "Ken Kittiwake was deactivated" in steps.error_at(form, "Assigned to")


def test_a_megabyte_of_text(form):
    text = "All of it, again. " * (MEGABYTE // 18)
    steps.fill(form, "What happened", text)
    assert steps.send(form, "Add incident").status == 422
    assert "100,000" in steps.error_at(form, "What happened")
    assert steps.field(form, "What happened").input_value().strip() == text.strip()


def test_a_file_of_a_kind_that_is_not_taken(form, tmp_path):
    program = tmp_path / "holiday.pdf"
    program.write_bytes(b"MZ\x90\x00" + bytes(2000))
    steps.field(form, "Files").set_input_files(program)
    send(form, 422)
    assert "holiday.pdf" in steps.error_at(form, "Files")


def test_a_film_is_refused_before_it_is_sent(form, tmp_path):
    steps.field(form, "Files").set_input_files(_film(tmp_path))
    sentence = steps.error_at(form, "Files")
    assert "film.mp4 is 200 MB" in sentence and "25 MB" in sentence
    sent = []
    form.on("request", lambda request: sent.append(request.url))
    steps.press(form, "Add incident")
    form.wait_for_timeout(300)
    assert not sent and "/incidents/new" in form.url
    expect(steps.field(form, "What happened")).to_have_value(TEXT)


def test_a_film_without_script(plain_page_for, cast, tmp_path):
    factories.category("Bullying")
    factories.student("Ann", "Finch")
    page = plain_page_for("kay")
    page.goto("/incidents/new")
    steps.fill(page, "Students", "Ann Finch")
    steps.choose(page, "Category", "Bullying")
    steps.fill(page, "What happened", TEXT)
    steps.field(page, "Files").set_input_files(_film(tmp_path))
    send(page, 422)
    sentence = steps.error_at(page, "Files")
    assert "film.mp4 is 200 MB" in sentence and "25 MB" in sentence


def _film(folder):
    path = folder / "film.mp4"
    with path.open("wb") as file:
        file.write(b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom")
        file.truncate(200 * MEGABYTE)  # sparse: it takes no room on the disk
    return path


LISTS = {
    "a missing column": (b"Forename,Year\nAnn,7\n", "Last name"),
    "no text at all": (bytes(range(256)) * 40, ""),
    "a million columns": (b",".join(b"c%d" % n for n in range(1_000_000)) + b"\n1\n", "columns"),
}


@pytest.mark.parametrize("what", LISTS)
def test_a_class_list_that_can_not_be_read(site, page_for, cast, tmp_path, what):
    content, word = LISTS[what]
    file = tmp_path / "class.csv"
    file.write_bytes(content)
    ada = page_for("ada")
    ada.goto("/students/import")
    steps.field(ada, "CSV file").set_input_files(file)
    answer = steps.send(ada, "Upload")
    if answer.ok:  # it is a table, so what is missing shows when the columns are named
        answer = steps.send(ada, "Check the file")
        sentence = steps.error_at(ada, "Last name")
    else:
        sentence = steps.error_at(ada, "CSV file")
        assert word in sentence
        assert not ImportRun.select().exists()
    assert answer.status == 422 and sentence.endswith(".")


def test_an_admission_number_twice_and_a_row_that_is_fine(app, site, page_for, cast, tmp_path):
    from blueprints.imports import runs as imports

    file = tmp_path / "class.csv"
    file.write_text("First name,Last name,Admission number\nAnn,Finch,A1\nBo,Wren,A1\nCy,Tern,A3\n", encoding="utf-8")
    ada = page_for("ada")
    ada.goto("/students/import")
    steps.field(ada, "CSV file").set_input_files(file)
    steps.press(ada, "Upload")
    steps.send(ada, "Check the file")
    with app.app_context():
        imports.run_waiting()
    ada.reload()
    counts = steps.region(ada, "Counts")
    expect(counts.get_by_role("row", name="Added")).to_contain_text("1")
    expect(counts.get_by_role("row", name="Refused")).to_contain_text("2")
    refused = steps.region(ada, "Row by row")
    expect(refused).to_contain_text("A1")
    expect(refused).to_contain_text("Ann Finch")
    expect(refused).to_contain_text("Bo Wren")
