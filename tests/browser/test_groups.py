"""Case Management > Groups, in a browser: whoever manages a group adds and removes its members, and reads first what that
changes.
"""

import pytest
from playwright.sync_api import expect

from models import GroupMember
from tests import factories
from tests.browser import steps


@pytest.fixture
def cases(cast):
    """Two cases that Counselling works on, one that it does not."""
    factories.case(factories.student("Ann", "Finch"), cast.kay, "Elsewhere")
    return [
        factories.case(cast.student, cast.kay, "Settling in", groups=[cast.counselling]),
        factories.case(factories.student("Bo", "Wren"), cast.kay, "Low mood", groups=[cast.counselling]),
    ]


def to_the_group(page):
    page.goto("/")
    steps.follow(page, "Case Management")
    steps.follow(page, "Groups")
    steps.follow(page, "Counselling")


def test_mo_adds_a_member_and_reads_first_what_it_changes(site, page_for, cast, cases):
    mo, sam = page_for("mo"), page_for("sam", tolerate=True)
    assert sam.goto(f"/cases/{cases[0].ref}").status == 404
    to_the_group(mo)
    steps.press(mo, "Add member")
    steps.choose(mo, "Staff member", "Sam Swift")
    said = mo.locator("main")
    expect(said).to_contain_text("Sam Swift will see 2 cases of 2 students")
    for case in cases:
        expect(said).to_contain_text(case.ref)
    assert GroupMember.select().count() == 1
    steps.press(mo, "Confirm")
    expect(steps.region(mo, "Members")).to_contain_text("Sam Swift")
    assert sam.reload().status == 200

    steps.region(mo, "Members").get_by_role("row").filter(has_text="Sam Swift").get_by_text("Remove").first.click()
    expect(mo.locator("main")).to_contain_text("Sam Swift will no longer see 2 cases of 2 students")
    steps.press(mo, "Confirm")
    expect(steps.region(mo, "Members")).not_to_contain_text("Sam Swift")
    assert sam.reload().status == 404


def test_the_same_without_script(plain_page_for, cast, cases):
    mo = plain_page_for("mo")
    to_the_group(mo)
    steps.press(mo, "Add member")
    steps.choose(mo, "Staff member", "Sam Swift")
    steps.press(mo, "Continue")
    expect(mo.locator("main")).to_contain_text("Sam Swift will see 2 cases of 2 students")
    steps.press(mo, "Confirm")
    expect(steps.region(mo, "Members")).to_contain_text("Sam Swift")
    assert GroupMember.select().where(GroupMember.account == cast.sam).exists()


def test_who_manages_no_group_has_no_such_page(site, page_for, cast, cases):
    sam = page_for("sam", tolerate=True)
    sam.goto("/")
    steps.follow(sam, "Case Management")
    expect(sam.get_by_role("link", name="Groups", exact=True)).to_have_count(0)
    assert sam.goto("/groups").status == 403
    expect(sam.locator("main")).to_contain_text("Contact your Admin Key Holder")
    expect(sam.locator("main")).to_contain_text("Ada Adler")
    assert sam.goto(f"/groups/{cast.counselling.ref}").status in (403, 404)
