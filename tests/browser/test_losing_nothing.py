"""Two people at one text, a session that ends, a page that has to vanish: nothing typed is lost."""

import re

import pyotp
import pytest
from playwright.sync_api import expect

from blueprints.account import hashing
from extensions import clock
from models import Account, Incident, IncidentVersion, Session
from tests import factories
from tests.browser import steps

PASSWORD = "three ducks on the weir"


def test_two_people_change_one_text(site, page_for, cast):
    row = factories.incident(cast.sam, [factories.student("Ann", "Finch")], text="He fell off the wall.")
    kay, ken = page_for("kay"), page_for("ken")
    for page in (kay, ken):
        page.goto(f"/incidents/{row.ref}")
        steps.press(page, "Edit text")
    _edit(kay, "He fell off the garden wall.", "Which wall.")
    expect(kay.get_by_role("main")).to_contain_text("He fell off the garden wall.")
    _edit(ken, "He was pushed off the wall.", "Said by a witness.")

    main = ken.get_by_role("main")
    expect(main).to_contain_text("He fell off the garden wall.")
    expect(steps.field(ken, "What happened")).to_have_value("He was pushed off the wall.")
    expect(steps.field(ken, "Reason")).to_have_value("Said by a witness.")
    assert Incident.get_by_id(row.id).text == "He fell off the garden wall."
    steps.fill(ken, "What happened", "He was pushed off the garden wall.")
    _save(ken)
    texts = [version.text for version in IncidentVersion.select().order_by(IncidentVersion.number)]
    assert texts == ["He fell off the wall.", "He fell off the garden wall.", "He was pushed off the garden wall."]
    ken.goto(f"/incidents/{row.ref}/versions")
    for words in ("Which wall.", "Said by a witness.", "Kay Kestrel", "Ken Kittiwake"):
        expect(ken.get_by_role("main")).to_contain_text(words)


def _edit(page, text, reason):
    steps.fill(page, "What happened", text)
    steps.fill(page, "Reason", reason)
    _save(page)


def _save(page):
    page.get_by_role("main").get_by_role("button", name=re.compile("^Save")).click()


def test_a_draft_survives_the_end_of_a_session(app, site, page_for, cast):
    with app.app_context():
        Account.update(password_hash=hashing.hashed(PASSWORD)).where(Account.id == cast.sam.id).execute()
    factories.student("Ann", "Finch")
    factories.category("Bullying")
    sam = page_for("sam")
    sam.goto("/incidents/new")
    with steps.draft_saved(sam, "the bus came late."):
        steps.add_incident(sam, "Finch", "Bullying", "It began when the bus came late.")
    expect(sam.get_by_text(re.compile("^Draft saved"))).to_be_visible()
    Session.update(revoked_at=clock.now()).where(Session.account == cast.sam.id).execute()
    steps.press(sam, "Add incident")
    expect(sam.get_by_role("heading", name="Sign in")).to_be_visible()
    steps.sign_in(sam, cast.sam.email, PASSWORD, pyotp.TOTP("A" * 32).at(clock.now()))
    sam.goto("/incidents/new")
    expect(steps.field(sam, "What happened")).to_have_value("It began when the bus came late.")
    expect(sam.get_by_role("button", name="Remove Ann Finch")).to_be_visible()
    steps.press(sam, "Add incident")
    sam.wait_for_url(re.compile("/incidents/I-"))
    sam.goto("/incidents/new")
    expect(steps.field(sam, "What happened")).to_have_value("")


def test_one_key_and_one_button_blank_the_page(site, page_for, cast):
    row = factories.incident(cast.sam, text="A secret of the playground.")
    kay = page_for("kay")
    kay.goto(f"/incidents/{row.ref}")
    cover = kay.get_by_role("dialog", name="Page hidden")
    kay.keyboard.press("Escape")
    expect(cover).to_have_count(0)
    kay.wait_for_timeout(700)
    kay.keyboard.press("Escape")
    kay.keyboard.press("Escape")
    expect(cover).to_be_visible()
    assert row.ref not in kay.title()
    assert cover.bounding_box() == {"x": 0, "y": 0, "width": 1366, "height": 768}
    kay.keyboard.press("Tab")
    kay.keyboard.press("Tab")
    assert kay.evaluate("document.querySelector('dialog.blank').contains(document.activeElement) "
                        "|| document.activeElement === document.body")  # fmt: skip
    steps.press(kay, "Show page")
    expect(cover).to_have_count(0)
    kay.locator("summary").filter(has_text="account menu").click()
    kay.get_by_role("button", name=re.compile("Blank this page")).click()
    expect(cover).to_be_visible()


@pytest.mark.parametrize(("address", "label"), [("/incidents/new", "Students"), ("/cases", "Search")])
def test_whoever_types_sooner_than_the_script_is_there_gets_suggestions(site, page_for, cast, address, label):
    factories.student("Ann", "Finch")
    sam, held = page_for("sam"), []
    sam.route("**/caseward*.js*", lambda route: held.append(route))
    sam.goto(address, wait_until="commit")
    steps.field(sam, label).press_sequentially("Fin")
    expect(steps.field(sam, label)).to_be_focused()
    while held:
        held.pop().continue_()
    expect(sam.get_by_role("option", name=re.compile("Ann Finch"))).to_be_visible()
    expect(steps.field(sam, label)).to_be_focused()
    expect(steps.field(sam, label)).to_have_value("Fin")
