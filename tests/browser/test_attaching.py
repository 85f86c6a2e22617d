"""Assigning groups and staff to a case, as the reference describes it: Assign Group or Staff, then either Attach Whole
Group or staff members by checkbox.
"""

import re

import pytest
from playwright.sync_api import expect

from models import CaseGroup, CaseStaff, GroupMember
from tests import factories
from tests.browser import steps

SECTION = "Assigned Groups/Staff Members"
EMAIL = "Email Staff Being Added to Case"
SECRETS = ("stu", "sturgeon", "settling", "kay", "kestrel", "counselling", "wellbeing")


@pytest.fixture
def case(cast):
    """Kay's case about Stu, with a second member in Counselling."""
    GroupMember.create(group=cast.counselling, account=cast.sam)
    return factories.case(cast.student, cast.kay, "Settling in")


def assign(page, case, group):
    """To the second step of the dialog: the group is chosen by typing."""
    page.goto(f"/cases/{case.ref}")
    section = steps.region(page, SECTION)
    section.get_by_role("button", name="Assign Group or Staff", exact=True).click()
    dialog = page.get_by_role("dialog", name="Assign Group or Staff", exact=True)
    box = dialog.get_by_label("Group", exact=True)
    box.press_sequentially(group[:4])
    page.get_by_role("option", name=group, exact=True).click()
    expect(dialog.get_by_role("button", name="Attach to Case", exact=True)).to_be_visible()
    return section, dialog


def is_on(page, case):
    """The case stands under My Cases and on the Case tab of the student's page, and opens."""
    page.goto("/")
    steps.follow(page, "Cases")
    steps.follow(page, "My Cases")
    expect(page.get_by_role("link", name=case.ref, exact=True)).to_be_visible()
    page.goto(f"/students/{case.student.ref}")
    steps.follow(page, "Case")
    page.get_by_role("link", name=case.ref, exact=True).click()
    expect(page.get_by_role("heading", name=case.title)).to_be_visible()


def test_a_whole_group_is_attached_with_what_it_implies(live, page_for, cast, case, smtp):
    server = live()
    kay, gil = page_for("kay", server), page_for("gil", server, tolerate=True)  # Gil meets a 404 on purpose
    assert gil.goto(f"/cases/{case.ref}").status == 404

    section, dialog = assign(kay, case, "Counselling")
    dialog.get_by_label(EMAIL, exact=True).check()
    dialog.get_by_role("button", name="Attach Whole Group", exact=True).click()
    question = kay.get_by_role("dialog", name="Attach Counselling to this case?", exact=True)
    expect(question).to_contain_text("All members of Counselling will have access")
    expect(question).to_contain_text("joins Counselling later")
    expect(question).to_contain_text("Gil Gannet")
    assert not CaseGroup.select().exists()
    question.get_by_role("button", name="Confirm", exact=True).click()
    expect(section.get_by_role("row").filter(has_text="Counselling")).to_be_visible()
    assert not CaseStaff.select().exists()

    received = smtp.wait_for(2, seconds=10)
    assert {one.to[0].partition("@")[0] for one in received} == {"gil", "sam"}
    for one in received:
        said = (one.raw.decode() + one.text + one.subject).casefold()
        assert not [word for word in SECRETS if re.search(rf"\b{word}\b", said)]
        assert f"/cases/{case.ref}" in one.text
    is_on(gil, case)


def test_membership_decides_from_the_next_request_on(site, page_for, cast, case):
    kay, gil, ken = page_for("kay"), page_for("gil", tolerate=True), page_for("ken", tolerate=True)
    _, dialog = assign(kay, case, "Counselling")
    dialog.get_by_role("button", name="Attach Whole Group", exact=True).click()
    kay.get_by_role("button", name="Confirm", exact=True).click()
    kay.wait_for_url(f"**/cases/{case.ref}**")

    assert gil.goto(f"/cases/{case.ref}").status == 200
    assert ken.goto(f"/cases/{case.ref}").status == 404
    GroupMember.delete().where(GroupMember.account == cast.gil).execute()
    GroupMember.create(group=cast.counselling, account=cast.ken)
    assert gil.reload().status == 404 and ken.reload().status == 200


def test_individuals_by_select_all_stay_when_the_group_changes(site, page_for, cast, case, app):
    kay, gil = page_for("kay"), page_for("gil", tolerate=True)
    section, dialog = assign(kay, case, "Counselling")
    dialog.get_by_label("Select All", exact=True).check()
    expect(dialog.get_by_label("Gil Gannet", exact=True)).to_be_checked()
    expect(dialog.get_by_label("Sam Swift", exact=True)).to_be_checked()
    dialog.get_by_label("Sam Swift", exact=True).uncheck()
    expect(dialog.get_by_label("Select All", exact=True)).not_to_be_checked()
    dialog.get_by_label("Select All", exact=True).check()
    dialog.get_by_role("button", name="Attach to Case", exact=True).click()
    expect(section.get_by_role("heading", name="Assigned Staff", exact=True)).to_be_visible()
    for name in ("Gil Gannet", "Sam Swift"):
        expect(section.get_by_role("row").filter(has_text=name)).to_be_visible()
    assert {row.account_id for row in CaseStaff.select()} == {cast.gil.id, cast.sam.id}
    assert not CaseGroup.select().exists()

    GroupMember.delete().execute()
    is_on(gil, case)
    section.get_by_role("button", name="Detach Gil Gannet", exact=True).click()
    question = kay.get_by_role("dialog").filter(has_text="Gil Gannet will no longer see")
    question.get_by_role("button", name="Detach", exact=True).click()
    expect(section.get_by_role("row").filter(has_text="Gil Gannet")).to_have_count(0)
    assert gil.goto(f"/cases/{case.ref}").status == 404


def test_one_staff_member_by_checkbox(site, page_for, cast, case):
    kay = page_for("kay")
    section, dialog = assign(kay, case, "Counselling")
    dialog.get_by_label("Sam Swift", exact=True).check()
    dialog.get_by_role("button", name="Attach to Case", exact=True).click()
    expect(section.get_by_role("row").filter(has_text="Sam Swift")).to_be_visible()
    assert [row.account_id for row in CaseStaff.select()] == [cast.sam.id]


def test_the_same_without_script(plain_page_for, cast, case):
    kay = plain_page_for("kay")
    kay.goto(f"/cases/{case.ref}")
    steps.follow(kay, "Assign on a page of its own")
    steps.choose(kay, "Group", "Counselling")
    steps.press(kay, "Continue")
    steps.field(kay, "Gil Gannet").check()
    steps.press(kay, "Attach to Case")
    expect(steps.region(kay, SECTION)).to_contain_text("Gil Gannet")
    assert [row.account_id for row in CaseStaff.select()] == [cast.gil.id]

    steps.follow(kay, "Assign on a page of its own")
    steps.choose(kay, "Group", "Counselling")
    steps.press(kay, "Continue")
    steps.press(kay, "Attach Whole Group")
    expect(kay.locator("main")).to_contain_text("All members of Counselling will have access")
    steps.send(kay, "Confirm")
    assert CaseGroup.get().group == cast.counselling
