"""The grid of the tab Progress with the keyboard alone, without JavaScript, and on a phone."""

from datetime import timedelta

from playwright.sync_api import expect

from models import StudentMilestone
from tests import factories


def a_cohort(cast):
    students = [factories.student("Ann", "Adams"), factories.student("Bea", "Brown")]
    cohort = factories.cohort("First years", "Autumn", students, [cast.counselling], created_by=cast.ada)
    factories.milestone(cohort, "Job fair", factories.today() - timedelta(days=2))
    factories.milestone(cohort, "Hand in the form")
    return f"/cohorts/{cohort.ref}/progress"


def states():
    rows = StudentMilestone.select().order_by(StudentMilestone.id)
    return {(row.student.first_name, row.milestone.title): row.state for row in rows}


def test_marking_with_the_keyboard_and_without_script(plain_page_for, cast):
    address = a_cohort(cast)
    page = plain_page_for("ada")
    page.goto(address)
    page.get_by_role("checkbox", name="Ann Adams Job fair Overdue", exact=True).focus()
    page.keyboard.press("Space")
    page.get_by_role("checkbox", name="All of Hand in the form", exact=True).focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Mark Waived").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("3 cells were marked as Waived.")).to_be_visible()
    waived = [("Ann", "Job fair"), ("Ann", "Hand in the form"), ("Bea", "Hand in the form")]
    assert states() == dict.fromkeys(waived, "waived")
    expect(page.get_by_role("checkbox", name="Ann Adams Job fair Waived", exact=True)).to_be_visible()


def test_on_a_phone_the_grid_scrolls_and_the_page_does_not(page_for, cast, axe):
    page = page_for("ada", width=390, height=844)
    page.goto(a_cohort(cast))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    box = page.get_by_role("checkbox", name="Bea Brown Hand in the form Open", exact=True)
    box.check()
    size = box.bounding_box()
    assert min(size["width"], size["height"]) >= 20, "with its cell around it a finger finds it"
    page.get_by_role("button", name="Mark Completed").click()
    expect(page.get_by_text("1 cell was marked as Completed.")).to_be_visible()
    assert states() == {("Bea", "Hand in the form"): "completed"}
    axe(page)
