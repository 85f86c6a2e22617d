"""A class list through a real browser and the real worker, and every page of the part under axe."""

import pytest
from playwright.sync_api import expect

from models import Student
from tests import factories
from tests.browser import steps
from tests.students.sheets import many, sheet, start, work

pytestmark = pytest.mark.browser


def test_a_class_list_from_file_to_list(app, cast, page_for, live, tmp_path):
    path = tmp_path / "class list.csv"
    path.write_bytes(many(300) + b"Ann,Finch,,nonsense,,,,A1,\r\n")
    page = page_for("ada", server=live())
    page.goto("/students")
    page.get_by_role("link", name="Import students").click()
    page.get_by_label("CSV file").set_input_files(path)
    steps.send(page, "Upload")
    steps.send(page, "Check the file")
    steps.import_result(page)
    expect(page.get_by_text("nonsense is not an email address.")).to_be_visible()
    steps.send(page, "Confirm")
    steps.import_result(page)
    expect(page.get_by_role("heading", name="Import done")).to_be_visible()
    page.goto("/students")
    page.get_by_label("Search students").fill("jose17 o'brien")
    page.get_by_label("Search students").press("Enter")
    page.get_by_role("link", name="José17 O'Brien-17").click()
    page.get_by_role("link", name="Edit").click()
    page.get_by_label("Tutor group").fill("10Z")
    steps.send(page, "Save")
    expect(page.get_by_text("10Z")).to_be_visible()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1366), ("dark", 1366), ("light", 320), ("dark", 320)])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_screen(app, cast, page_for, axe, scheme, width):
    ref = cast.student.ref
    Student.update(address="12 High Street\nLondon", date_of_birth="2012-03-04").where(Student.ref == ref).execute()
    for number in range(60):
        factories.student("Bartholomew-Maximilian", f"Featherstonehaugh-Cholmondeley{number}", preferred_name="Bart")
    factories.exclusion(cast.kay, cast.ada, student=cast.student)
    checked = start(app, cast.ada, sheet("Ann,Finch,,bad,,,,B1,", "Bea,Crane,,,,7,7A,C1,"), deactivate=True)
    work(app)
    waiting = start(app, cast.ada, many(3))
    pages = {
        "ada": (
            "/students", "/students?q=nobody", f"/students/{ref}", f"/students/{ref}/edit", "/students/new",
            f"/students/{ref}/contacts/new", f"/students/{ref}/exclusions", "/students/import",
            f"/import/{checked.ref}", f"/import/{checked.ref}?only=refused",
            f"/import/{checked.ref}/mapping", f"/import/{waiting.ref}",
        ),
        "oli": ("/students?show=all&year=9&q=stu", f"/students/{ref}"),
    }  # fmt: skip
    for who, addresses in pages.items():
        page = page_for(who, width=width, scheme=scheme)
        for address in addresses:
            page.goto(address)
            axe(page)
            fits = page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
            assert fits, f"{address} is wider than {width} px"
