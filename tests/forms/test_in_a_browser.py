"""Filling in a form and deciding on a referral in a real browser: questions that come and go, a draft that stays, and axe."""

import re

import pytest
from playwright.sync_api import expect

from blueprints.forms import actions, queries
from extensions import clock
from models import FormResponse, Referral, Session
from tests import factories
from tests.browser import steps

pytestmark = pytest.mark.browser

FIELDS = [
    {"key": "f1", "type": "text", "label": "Subject", "required": True},
    {"key": "f2", "type": "yes_no", "label": "Told the parents"},
    {"key": "f3", "type": "one_of", "label": "How did they take it", "options": ["Well", "Badly"], "required": True,
     "only_if": {"field": "f2", "is": "yes"}},
    {"key": "f4", "type": "long_text", "label": "What they said", "only_if": {"field": "f3", "is": "Badly"}},
    {"key": "f5", "type": "scale", "label": "How worried", "from": 1, "to": 5},
    {"key": "f6", "type": "file", "label": "Papers"},
]  # fmt: skip


@pytest.fixture
def form(cast):
    return factories.form("Worry", cast.ada, FIELDS)


@pytest.fixture
def ann(cast):
    return factories.student("Ann", "Finch", year_group="7", tutor_group="7A")


def test_questions_come_and_go_and_the_answers_that_count_are_kept(page_for, cast, form, ann):
    sam = page_for("sam")
    sam.goto(f"/forms/{form.ref}/responses/new?student={ann.ref}")
    how, said = sam.get_by_role("group", name="How did they take it"), sam.get_by_label("What they said")
    expect(how).to_be_hidden()
    sam.get_by_label("Subject").fill("Tired")
    sam.get_by_role("radio", name="Yes").check()
    expect(how).to_be_visible()
    expect(said).to_be_hidden()
    sam.get_by_role("radio", name="Badly").check()
    said.fill("Not our business")
    sam.get_by_role("radio", name="No", exact=True).check()
    expect(how).to_be_hidden()
    expect(said).to_be_hidden()
    sam.get_by_role("button", name="Submit").click()
    sam.wait_for_url("**/responses/*")
    assert FormResponse.get().answers == '{"f1": "Tired", "f2": false}'


def test_a_draft_survives_a_session_that_ends_and_a_closed_browser(page_for, cast, form, ann):
    sam = page_for("sam")
    sam.goto(f"/forms/{form.ref}/responses/new")
    sam.get_by_label("Subject").fill("Half a thought")
    sam.get_by_label("Student").fill("Finch")
    sam.get_by_role("option").first.click()
    with steps.draft_saved(sam, "f2=yes"):
        sam.get_by_role("radio", name="Yes").check()
    expect(sam.get_by_text(re.compile("^Draft saved"))).to_be_visible()
    Session.update(revoked_at=clock.now()).where(Session.account == cast.sam.id).execute()
    sam.context.close()
    again = page_for("sam")
    again.goto(f"/forms/{form.ref}/responses/new")
    expect(again.get_by_label("Subject")).to_have_value("Half a thought")
    expect(again.get_by_role("listitem").filter(has_text="Ann Finch")).to_be_visible()
    expect(again.get_by_role("radio", name="Yes")).to_be_checked()
    expect(again.get_by_role("group", name="How did they take it")).to_be_visible()


def test_a_referral_from_sending_to_accepted(page_for, cast, ann):
    form = factories.form("Refer somebody", cast.ada, FIELDS[:1], for_staff=False, for_referral_users=True)
    rae, kay = page_for("rae"), page_for("kay")
    rae.goto("/")
    rae.get_by_role("link", name="+NEW Refer somebody").click()
    for label, text in (("First name", "Ann"), ("Last name", "Finch"), ("Subject", "Bruises")):
        rae.get_by_label(label).fill(text)
    rae.get_by_role("button", name="Submit").click()
    expect(rae.get_by_role("main")).to_contain_text("Received")
    kay.goto("/")
    kay.get_by_role("link", name="Referrals").click()
    kay.get_by_role("link", name="Ann Finch").click()
    kay.get_by_role("button", name="Accept onto Ann Finch").click()
    kay.get_by_role("dialog").get_by_role("button", name="Accept").click()
    expect(kay.get_by_role("main")).to_contain_text("Kay Kestrel accepted the referral")
    rae.reload()
    expect(rae.get_by_role("main")).to_contain_text("Accepted")
    assert FormResponse.get().student_id == ann.id and form.id == FormResponse.get().form_id


@pytest.mark.parametrize("scheme, width", [("light", 1366), ("dark", 320)])
def test_axe_finds_nothing(page_for, axe, cast, form, ann, scheme, width):
    outside = factories.form("Refer somebody", cast.ada, FIELDS[:1], for_staff=False, for_referral_users=True)
    response = factories.response(form, cast.sam, ann, {"f1": "A word", "f2": True})
    first, second = (factories.referral(outside, cast.rae, "Ann", "Finch", answers={"f1": "x"}) for _ in range(2))
    actions.accept(queries.referral(cast.kay, first.ref, audit=False), ann, version=1, actor=cast.kay)
    assert Referral.select().count() == 2
    pages = {
        "kay": [f"/forms/{form.ref}/responses/new", f"/forms/{form.ref}/responses?a_f1=word", f"/responses/{response.ref}",
                "/referrals", f"/referrals/{second.ref}", f"/referrals/{first.ref}", f"/referrals/{second.ref}/new-student"],
        "rae": ["/", "/referrals", f"/referrals/{first.ref}", f"/forms/{outside.ref}/responses/new"],
    }  # fmt: skip
    for who, addresses in pages.items():
        page = page_for(who, width=width, scheme=scheme, tolerate=True)
        for address in addresses:
            page.goto(address)
            axe(page)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{address} scrolls sideways"
        page.goto(addresses[0])
        if who == "kay":
            steps.send(page, "Submit")
            axe(page)
