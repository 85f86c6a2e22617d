"""Assigning an advocate to a case, step by step as the reference has it: the main search bar at the upper left, the
student, the Case tab, the three fields and Save; then that person's dashboard, and word of changes to the profile.
"""

import re

import pytest
from playwright.sync_api import expect

from models import Case
from tests import factories
from tests.browser import steps

SECRETS = ("stu", "sturgeon", "9b", "9c", "kay", "kestrel", "tutor")


@pytest.fixture
def case(cast):
    return factories.case(cast.student, cast.kay, "Settling in")


def to_the_case(page, case):
    """From any page to the case, by the search bar."""
    page.goto("/incidents")
    bar = page.get_by_role("search").get_by_label("Search", exact=True)
    place = bar.bounding_box()
    assert place["x"] < 1366 / 3 and place["y"] < 60, "the search bar stands at the upper left"
    bar.fill("Sturg")
    bar.press("Enter")
    page.get_by_role("main").get_by_role("link", name="Stu Sturgeon", exact=True).first.click()
    steps.follow(page, "Case")
    steps.follow(page, case.ref)


def each_gets_one(emails, address):
    """One email for each of the four, with this link and without a word about the student."""
    assert sorted(one.to[0].partition("@")[0] for one in emails) == ["gil", "ken", "mo", "sam"]
    for one in emails:
        said = (one.raw.decode() + one.text + one.subject).casefold()
        assert not [word for word in SECRETS if re.search(rf"\b{word}\b", said)]
        assert address in one.text


def test_whoever_is_assigned_has_the_student_on_the_dashboard_and_hears_of_changes(live, page_for, cast, case, smtp):
    server = live()
    kay, sam, gil = (page_for(key, server) for key in ("kay", "sam", "gil"))
    sam.goto("/")
    expect(steps.region(sam, "My students")).to_have_count(0)

    to_the_case(kay, case)
    steps.pick(kay, "Primary Advocate", "Sam", "Sam Swift")
    steps.pick(kay, "Coordinator", "Ken", "Ken Kittiwake")
    steps.pick(kay, "Following Case", "Gil", "Gil Gannet")
    steps.pick(kay, "Following Case", "Mo", "Mo Merlin")
    steps.press(kay, "Save")
    expect(kay.get_by_role("status").first).to_be_visible()
    row = Case.get()
    assert (row.primary_advocate, row.coordinator) == (cast.sam, cast.ken)
    assert {each.account for each in row.followers} == {cast.gil, cast.mo}
    each_gets_one(smtp.wait_for(4, seconds=10), f"/cases/{case.ref}")

    for page, word in ((sam, "Primary Advocate"), (gil, "Following")):
        page.goto("/")
        mine = steps.region(page, "My students")
        expect(mine.get_by_role("link", name="Stu Sturgeon", exact=True)).to_be_visible()
        expect(mine).to_contain_text(re.compile(word, re.I))

    kay.goto(f"/students/{cast.student.ref}")
    steps.follow(kay, "Edit")
    steps.fill(kay, "Tutor group", "9C")
    kay.locator("main").get_by_role("button", name=re.compile("^Save")).click()
    kay.wait_for_url(f"**/students/{cast.student.ref}")
    each_gets_one(smtp.wait_for(8, seconds=10)[4:], f"/students/{cast.student.ref}")
    sam.goto("/")
    sam.get_by_role("link", name=re.compile(r"^Notifications, \d+ unread")).click()
    told = sam.get_by_role("row").filter(has_text="profile of a student you look after")
    expect(told).to_be_visible()
    expect(told).not_to_contain_text("9C")
    told.get_by_role("link").click()
    sam.wait_for_url(f"**/students/{cast.student.ref}")


def test_another_advocate_takes_the_place_of_the_first(site, page_for, cast, case):
    Case.update(primary_advocate=cast.sam).execute()
    kay, sam = page_for("kay"), page_for("sam")
    to_the_case(kay, case)
    steps.pick(kay, "Primary Advocate", "Gil", "Gil Gannet")
    steps.press(kay, "Save")
    expect(kay.get_by_role("status").first).to_be_visible()
    assert Case.get().primary_advocate == cast.gil
    sam.goto("/")
    expect(sam.locator("main")).not_to_contain_text("Stu Sturgeon")


def test_two_coordinators_at_once_lose_nothing(site, page_for, cast, case):
    Case.update(primary_advocate=cast.ken).execute()
    kay, ken = page_for("kay"), page_for("ken", tolerate=True)
    for page in (kay, ken):
        page.goto(f"/cases/{case.ref}")
    steps.pick(kay, "Coordinator", "Mo", "Mo Merlin")
    steps.pick(ken, "Coordinator", "Gil", "Gil Gannet")
    steps.press(kay, "Save")
    expect(kay.get_by_role("status").first).to_be_visible()
    assert steps.send(ken, "Save").status == 409
    expect(ken.locator("main")).to_contain_text("Somebody else changed this case in the meantime")
    expect(ken.locator("main")).to_contain_text("Coordinator: Mo Merlin")
    assert Case.get().coordinator == cast.mo
    steps.press(ken, "Save")
    ken.wait_for_url(f"**/cases/{case.ref}**")
    assert Case.get().coordinator == cast.gil


def test_the_same_without_script(plain_page_for, cast, case):
    kay = plain_page_for("kay")
    to_the_case(kay, case)
    steps.fill(kay, "Primary Advocate", "Sam Swift")
    steps.fill(kay, "Following Case", "Gil Gannet, Mo Merlin")
    steps.press(kay, "Save")
    kay.wait_for_url(f"**/cases/{case.ref}**")
    row = Case.get()
    assert row.primary_advocate == cast.sam
    assert {each.account for each in row.followers} == {cast.gil, cast.mo}
