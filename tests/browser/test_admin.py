"""What an Admin Key Holder does in a browser: the class list, Bulk Management, the Cases module."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from extensions import clock
from models import Incident, Student
from tests import factories
from tests.browser import steps

CLASS_LIST = """Forename,Surname,Known as,Email address,DOB,Yr,Reg group,Adm no,House
Zoë,O’Brien,Zo,zoe@pupils.example.org,07/03/2012,7,7B,A1001,Red
Łukasz,Nowak,,lukasz@pupils.example.org,2011-11-30,8,8C,A1002,Blue
Mia,Söderberg,,mia@pupils.example.org,31/02/2012,7,7B,A1003,Red
"""


def test_a_class_list_comes_in(live, cast, page_for, tmp_path):
    file = tmp_path / "class list.csv"
    file.write_text(CLASS_LIST, encoding="utf-8")
    ada = page_for("ada", live())
    ada.goto("/students")
    ada.get_by_role("main").get_by_role("link", name=re.compile("^Import")).click()
    steps.field(ada, "CSV file").set_input_files(file)
    steps.press(ada, "Upload")

    expect(ada.get_by_role("heading", name="Which column is what?")).to_be_visible()
    chosen = {label: steps.field(ada, label).locator("option:checked").inner_text()
              for label in ("First name", "Last name", "Preferred name", "Date of birth", "Year group")}  # fmt: skip
    assert chosen == {"First name": "Forename", "Last name": "Surname", "Preferred name": "Known as",
                      "Date of birth": "DOB", "Year group": "Yr"}  # fmt: skip
    expect(steps.field(ada, "UPN").locator("option:checked")).to_have_text("Not in the file")
    expect(ada.get_by_role("main")).to_contain_text("Ignored: House")
    steps.choose(ada, "Tutor group", "Reg group")
    steps.send(ada, "Check the file")

    steps.import_result(ada)
    expect(ada.get_by_role("main")).to_contain_text("31 February 2012 is not a date")
    assert Student.select().count() == 1, "a dry run writes nothing"
    steps.send(ada, "Confirm")
    steps.import_result(ada)
    expect(ada.get_by_role("heading", name="Import done")).to_be_visible()

    ada.goto("/students?q=obrien")
    steps.follow(ada, "Zo O’Brien")
    expect(ada.get_by_role("heading", level=1)).to_contain_text("O’Brien")
    expect(ada.get_by_role("main")).to_contain_text("7 Mar 2012")
    assert Student.select().count() == 3


@pytest.fixture
def term(cast):
    """Five Active incidents of this week and one of last year, and one of this week that is closed already."""
    ann = factories.student("Ann", "Finch", year_group="7")
    days = [clock.now() - timedelta(days=days) for days in (1, 2, 3, 4, 5, 400)]
    rows = [factories.incident(cast.sam, [ann], happened_at=at, entered_at=at, assigned_to=cast.kay) for at in days]
    factories.action(rows[0], cast.kay)
    factories.incident(cast.sam, [ann], happened_at=days[1], status="Closed", assigned_to=cast.kay)
    return rows


def test_bulk_management_closes_what_it_showed(site, term, page_for, cast):
    *rows, old = term
    first, last = rows[-1].happened_at, rows[0].happened_at
    ada, kay = page_for("ada"), page_for("kay")
    ada.goto("/")
    navigation = ada.get_by_role("navigation", name="Main")
    navigation.get_by_role("link", name="Admin", exact=True).click()
    navigation.get_by_role("link", name="Bulk Management", exact=True).click()
    expect(ada.get_by_role("main")).to_contain_text("irreversible")
    steps.fill(ada, "From", first.date().isoformat())
    steps.fill(ada, "To", last.date().isoformat())
    steps.press(ada, "Preview")
    main = ada.get_by_role("main")
    expect(main).to_contain_text("5 Active incidents")
    expect(main).to_contain_text("1 of them still has open actions")
    for row in rows:
        expect(main.get_by_role("link", name=row.ref, exact=True)).to_be_visible()

    number = steps.field(ada, "Number of incidents")
    expect(number).to_have_value("")
    number.fill("6")
    steps.press(ada, "Update Status To Closed")
    assert "5" in steps.error_at(ada, "Number of incidents")
    assert Incident.select().where(Incident.status == "Active").count() == 6
    steps.fill(ada, "Number of incidents", "5")
    steps.press(ada, "Update Status To Closed")
    expect(ada.get_by_role("main")).to_contain_text("5 incidents closed")
    assert [row.ref for row in Incident.select().where(Incident.status == "Active")] == [old.ref]

    kay.goto("/")
    expect(kay.get_by_role("main")).to_contain_text("5 of your incidents were closed")
    expect(steps.region(kay, "My Assigned").get_by_role("row")).to_have_count(2)
    expect(steps.region(kay, "My Assigned").get_by_role("link", name=old.ref, exact=True)).to_be_visible()


def test_the_cases_module_goes_and_comes_back(site, term, page_for, cast):
    row = term[0]
    ada, kay = page_for("ada"), page_for("kay")
    _switch(ada, on=False)
    _look(kay, ada, row, there=False)
    _switch(ada, on=True)
    _look(kay, ada, row, there=True)
    expect(steps.region(kay, "My Assigned").get_by_role("link", name=row.ref, exact=True)).to_be_visible()


def _switch(ada, on):
    ada.goto("/admin/settings")
    box = steps.field(ada, "Cases module")
    expect(box).to_be_checked(checked=not on)
    box.set_checked(on)
    steps.press(ada, "Update")
    expect(steps.field(ada, "Cases module")).to_be_checked(checked=on)


def _look(kay, ada, row, there):
    """Everything that belongs to the module is there, or nothing of it is."""
    count = int(there)
    kay.goto(f"/incidents/{row.ref}")
    for fact in ("Status: Active", "Assigned to: Kay Kestrel"):
        expect(kay.get_by_role("link", name=fact, exact=True)).to_have_count(count)
    for page, labels in (("/incidents/new", ("Status", "Assigned to")), ("/incidents", ("Status",)),
                         ("/reports/incidents", ("Status", "Assigned to", "Unassigned"))):  # fmt: skip
        kay.goto(page)
        for label in labels:
            expect(kay.get_by_role("main").get_by_label(label, exact=True)).to_have_count(count)
    for path in (f"/incidents/{row.ref}/status", f"/incidents/{row.ref}/assignment", "/incidents?status=Active"):
        assert kay.goto(path).status == (200 if there else 404)
    assert ada.goto("/admin/bulk-closing").status == (200 if there else 404)
    ada.goto("/admin/settings")
    navigation = ada.get_by_role("navigation", name="Main")
    expect(navigation.get_by_role("link", name="Bulk Management", exact=True)).to_have_count(count)
    kay.goto("/")
    expect(steps.region(kay, "My Assigned")).to_have_count(count)
