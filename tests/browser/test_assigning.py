"""The main job, in a browser: somebody writes an incident and assigns it, the other works it to Closed."""

import re
import time

import pytest
from playwright.sync_api import expect

from models import Incident
from tests import factories
from tests.browser import steps

TEXT = "Marbles were thrown across the canteen, and one of them hit the till."
SECRETS = ("quentin", "zobel", "kay", "kestrel", "bullying", "marbles", "canteen")


@pytest.fixture
def ground(cast):
    """A student with a name that no other word contains, and a category."""
    factories.category("Bullying")
    return factories.student("Quentin", "Zobel", year_group="8", tutor_group="8C")


def test_kay_assigns_ken_closes_and_reopens(live, page_for, ground, smtp, figure):
    server = live()
    kay, ken = page_for("kay", server), page_for("ken", server)
    kay.goto("/")
    steps.follow(kay, "Add incident")
    steps.add_incident(kay, "Zobel", "Bullying", TEXT, Assigned_to="Ken Kittiwake", Status="Active")
    pressed = time.monotonic()
    steps.press(kay, "Add incident")
    kay.wait_for_url(re.compile(r"/incidents/I-[0-9A-HJKMNP-TV-Z]{6}$"))
    ref = kay.url.rsplit("/", 1)[1]
    expect(kay.get_by_role("link", name="Assigned to: Ken Kittiwake", exact=True)).to_be_visible()

    (email,) = smtp.wait_for(1, seconds=5)
    figure("email of an assignment", f"{time.monotonic() - pressed:.1f} s from the button to the mail server")
    assert email.to == ["ken@school.example.org"]
    said = (email.raw.decode() + email.text + email.subject).casefold()
    assert not [word for word in SECRETS if word in said]
    assert f"/incidents/{ref}" in email.text

    ken.goto("/")
    mine = steps.region(ken, "My Assigned")
    expect(mine).to_contain_text("Quentin Zobel")
    expect(mine).to_contain_text("Bullying")
    mine.get_by_role("link", name=ref, exact=True).click()
    expect(ken.get_by_text(TEXT)).to_be_visible()

    _set_status(ken, "Active", "Closed")
    ken.goto("/")
    expect(steps.region(ken, "My Assigned").get_by_role("link", name=ref)).to_have_count(0)

    ken.goto(f"/incidents/{ref}")
    _set_status(ken, "Closed", "Active", reason="It happened again.")
    ken.goto("/")
    expect(steps.region(ken, "My Assigned").get_by_role("link", name=ref, exact=True)).to_be_visible()
    assert len(smtp.messages) == 1


def _set_status(page, now, then, reason=None):
    """The way of the reference: click the status left of the text, change it, submit."""
    page.get_by_role("link", name=f"Status: {now}", exact=True).click()
    steps.choose(page, "Status", then)
    if reason:
        steps.fill(page, "Reason", reason)
    page.locator("main").get_by_role("button", name=re.compile("Save|Status|Submit")).click()
    expect(page.get_by_role("link", name=f"Status: {then}", exact=True)).to_be_visible()


def test_sam_has_neither_field_and_forging_them_saves_nothing(site, page_for, ground, cast):
    sam = page_for("sam")
    sam.goto("/incidents/new")
    expect(steps.field(sam, "Status")).to_have_count(0)
    expect(steps.field(sam, "Assigned to")).to_have_count(0)
    steps.add_incident(sam, "Zobel", "Bullying", TEXT)
    steps.forge(sam, "What happened", status="Active", assigned_to=cast.ken.ref)
    assert steps.send(sam, "Add incident").status == 403
    expect(sam.locator("main")).to_contain_text("Ada Adler")
    assert Incident.select().count() == 0


def test_nothing_is_assigned_to_sam(site, page_for, ground, cast):
    kay = page_for("kay")
    kay.goto("/incidents/new")
    steps.add_incident(kay, "Zobel", "Bullying", TEXT)
    steps.forge(kay, "What happened", assigned_to=cast.sam.ref)
    assert steps.send(kay, "Add incident").status == 422
    assert "Key Users only" in steps.error_at(kay, "Assigned to")
    expect(steps.field(kay, "What happened")).to_have_value(TEXT)
    assert Incident.select().count() == 0

    row = factories.incident(cast.sam, [ground])
    kay.goto(f"/incidents/{row.ref}/assignment")
    steps.forge(kay, "Assigned to", assigned_to=cast.sam.ref)
    with kay.expect_navigation() as answer:
        kay.locator("main").get_by_role("button").first.click()
    assert answer.value.status == 422
    assert Incident.get_by_id(row.id).assigned_to_id is None


def test_a_stranger_reads_the_same_404_for_hidden_and_missing(site, page_for, ground, cast):
    hidden = factories.incident(cast.sam, [ground])
    oli = page_for("oli")
    seen = []
    for ref in (hidden.ref, "I-ZZZZZZ"):
        assert oli.goto(f"/incidents/{ref}").status == 404
        seen.append(oli.locator("main").inner_text())
    assert seen[0] == seen[1]


def test_the_wrong_student_is_taken_off(live, page_for, ground):
    """Chosen by mistake, and somebody sees it at once: the right one is added, the wrong one taken off, as they are told."""
    meant = factories.student("Ursula", "Yates", year_group="8", tutor_group="8C")
    kay = page_for("kay", live())
    kay.goto("/incidents/new")
    steps.add_incident(kay, "Zobel", "Bullying", TEXT)
    steps.send(kay, "Add incident")
    incident = kay.url

    steps.follow(kay, "Edit students and categories")
    expect(kay.get_by_text("The wrong student? Add the right one and save; then Quentin Zobel can be taken off.")).to_be_visible()
    steps.pick(kay, "Students", "Yates", "Ursula Yates")
    steps.choose(kay, "Category", "Bullying")
    steps.send(kay, "Save students and categories")
    steps.follow(kay, "Edit students and categories")
    steps.follow(kay, "Take Quentin Zobel off this incident")
    steps.send(kay, "Take off this incident")
    assert "Say why they are taken off." in steps.error_at(kay, "Reason") and "Quentin Zobel" in kay.title()
    steps.fill(kay, "Reason", "Ursula was meant.")
    steps.send(kay, "Take off this incident")

    assert kay.url == incident
    expect(kay.get_by_text("Quentin Zobel was taken off this incident.")).to_be_visible()
    expect(kay.locator("main")).to_contain_text("took Quentin Zobel off this incident: Ursula was meant.")
    ref = incident.rsplit("/", 1)[1]
    for student, count in ((ground, 0), (meant, 1)):
        kay.goto(f"/students/{student.ref}/incidents")
        expect(kay.get_by_role("link", name=ref, exact=True)).to_have_count(count)
