"""The labels that DOMAIN.md fixes: on each page exactly one control answers to each of them."""

import pytest
from playwright.sync_api import expect

from tests import factories
from tests.browser import steps

LABELS = {
    "/incidents/new": "Students, Category, What happened, When it happened, Place, Alert, Files, Status, Assigned to",
    "/reports/incidents": "From, To, Category, Student, Year group, Author, Text, Status, Assigned to, Unassigned",
    "/admin/bulk-closing": "From, To",
    "/admin/settings": "Cases module",
    "/account/sign-in": "Email, Password",
    "/tasks/new": "Title, Assigned to, Due date, Notes",
    "/meetings/new": "Students, Staff, Type, Starts, Ends, Place, Agenda",
    "/dictionary": "Submit a Form, Create a Plan, Assign a Task, Schedule a Meeting, Conduct a Plan Review, Submit a File",
}
BUTTONS = {
    "/incidents/new": "Add incident", "/reports/incidents": "Show results", "/admin/bulk-closing": "Preview",
    "/admin/settings": "Update", "/account/sign-in": "Sign in", "/tasks/new": "New task", "/meetings/new": "New meeting",
    "/dictionary": "Update",
}  # fmt: skip
# A part of many another label; whoever looks for it has to look for the whole of it.
SHORT = ("To",)


@pytest.mark.parametrize("address", LABELS)
def test_each_label_names_one_control(site, cast, page_for, address):
    factories.category("Bullying")
    factories.student("Ann", "Finch")
    page = page_for(None if "sign-in" in address else "ada")
    page.goto(address)
    if address == "/incidents/new":
        steps.pick(page, "Students", "Finch", "Ann Finch")
    main = page.get_by_role("main")
    for label in LABELS[address].split(", "):
        assert main.get_by_label(label, exact=True).count() == 1, f"{label} on {address}"
        assert label in SHORT or main.get_by_label(label).count() == 1, f"another label on {address} has {label} in it"
    assert page.get_by_role("button", name=BUTTONS[address], exact=True).count() == 1
    if page.get_by_role("search").count():
        assert page.get_by_role("search").get_by_label("Search", exact=True).count() == 1


# What the navigation of an Admin Key Holder names, in this order; other pages may stand between.
NAVIGATION = ("Dashboard", "Students", "Incidents", "Cases", "Case Management", "Dashboard", "Groups", "Cohorts", "Dictionary", "Tools",
              "Forms", "Student Meetings", "Tasks", "Plans", "Referrals", "Reporting", "Admin")  # fmt: skip


def test_the_navigation_names_every_part_in_its_order(site, cast, page_for):
    page = page_for("ada")
    page.goto("/")
    said = iter(page.get_by_role("navigation", name="Main").inner_text().split("\n"))
    missing = [name for name in NAVIGATION if name not in said]  # each is looked for after the one before it
    assert not missing, f"not there, or not in this order: {missing}"


def test_the_students_page_has_its_menu_and_buttons(site, cast, page_for):
    student = factories.student("Ann", "Finch")
    factories.plan(student, cast.sam)
    page = page_for("sam")
    page.goto(f"/students/{student.ref}")
    expect(page.get_by_label("Add", exact=True)).to_have_count(1)
    page.get_by_label("Add", exact=True).click()
    for name in ("New task", "New meeting", "Create a Plan", "Submit a File", "Form Response"):
        expect(page.get_by_role("main").get_by_role("link", name=name, exact=True)).to_be_visible()
    page.goto(f"/students/{student.ref}/plans")
    for name in ("Create a Plan", "Conduct a Plan Review"):
        expect(page.get_by_role("button", name=name, exact=True)).to_have_count(1)
    page.goto(f"/students/{student.ref}/files")
    expect(page.get_by_role("button", name="Submit a File", exact=True)).to_have_count(1)


def test_nothing_new_is_offered_about_a_student_who_left(site, cast, page_for):
    student = factories.student("Kit", "Away", is_active=False)
    page = page_for("sam")
    page.goto(f"/students/{student.ref}")
    page.get_by_label("Add", exact=True).click()
    expect(page.get_by_role("link", name="Submit a File", exact=True)).to_be_visible()
    for name in ("New task", "New meeting", "Create a Plan"):
        expect(page.get_by_role("main").get_by_role("link", name=name, exact=True)).to_have_count(0)
    page.goto(f"/students/{student.ref}/plans")
    expect(page.get_by_role("button", name="Create a Plan", exact=True)).to_have_count(0)


def test_a_form_is_filled_in_from_the_menu(site, cast, page_for):
    factories.form("Worry", cast.ada, [{"key": "what", "type": "text", "label": "What"}], for_staff=True)
    page = page_for("sam")
    page.goto("/")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Forms", exact=True).click()
    page.get_by_role("link", name="+NEW").click()
    expect(page.get_by_label("What", exact=True)).to_be_visible()


def test_a_task_is_completed_by_the_button_complete(site, cast, page_for):
    task = factories.task(factories.student("Ann", "Finch"), cast.gil, cast.sam)
    page = page_for("gil")
    page.goto(f"/tasks/{task.ref}")
    expect(page.get_by_role("button", name="Complete", exact=True)).to_have_count(1)
