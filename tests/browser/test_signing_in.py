"""Signing in through the pages: the first run, the link in an email, setting up the second step, recovery codes."""

import re
from urllib.parse import urlsplit

import pyotp
from playwright.sync_api import expect

import permissions
import tasks
from tests import factories
from tests.browser import steps

PASSWORD = "three ducks on the weir"


def test_from_a_link_in_an_email_to_two_steps(app, site, cast, page_for, smtp, clock):
    factories.account("Nia Nuthatch", "nia@school.example.org", role=permissions.KEY_USER)
    page = page_for()
    page.goto("/")
    steps.follow(page, "Set a new password")
    steps.fill(page, "Email", "NIA@school.example.org")
    steps.send(page, "Send the link")
    with app.app_context():
        tasks.deliver()
    (email,) = smtp.wait_for(1)
    assert email.to == ["nia@school.example.org"]
    link = urlsplit(re.search(r"https?://\S+/account/password/\S+", email.text)[0]).path
    page.goto(link)
    steps.fill(page, "New password", PASSWORD)
    steps.send(page, "Save the password")

    steps.sign_in(page, "nia@school.example.org", PASSWORD)
    expect(page.get_by_role("heading", name="Set up two-step sign-in")).to_be_visible()
    expect(page.get_by_role("img", name=re.compile("QR code"))).to_be_visible()
    app_of_nia = pyotp.TOTP(page.locator("code.key").inner_text().replace(" ", ""))
    steps.fill(page, "Code", app_of_nia.at(clock.now()))
    steps.send(page, "Turn on two-step sign-in")
    codes = page.locator(".codes li").all_inner_texts()
    assert len(set(codes)) == 10
    steps.follow(page, "I have kept them")
    expect(page.get_by_role("heading", name="Dashboard", level=1)).to_be_visible()

    _sign_out(page)
    clock.move(seconds=60)  # a code works once: the next one is for the next half minute
    steps.sign_in(page, "nia@school.example.org", PASSWORD, app_of_nia.at(clock.now()))
    expect(page.get_by_role("heading", name="Dashboard", level=1)).to_be_visible()
    _sign_out(page)
    steps.sign_in(page, "nia@school.example.org", PASSWORD, codes[3])
    expect(page.get_by_role("heading", name="Dashboard", level=1)).to_be_visible()
    _sign_out(page)
    steps.sign_in(page, "nia@school.example.org", PASSWORD, codes[3])
    assert "Code" in steps.summary(page)
    assert page.goto(link).status == 404


def _sign_out(page):
    page.locator("summary").filter(has_text="account menu").click()
    steps.press(page, "Sign out")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_wrong_password_says_nothing_about_the_account(site, cast, page_for):
    page = page_for()
    words = []
    for email in ("kay@school.example.org", "nobody@school.example.org"):
        page.goto("/account/sign-in")
        steps.sign_in(page, email, "not the password")
        words.append(page.locator("main").inner_text())
        expect(steps.field(page, "Email")).to_have_value(email)
        expect(steps.field(page, "Password")).to_have_value("")
    assert words[0] == words[1]


def test_the_first_run_leads_to_the_dashboard(live, page_for):
    server = live(shared=False)
    code = server.wait_for_line("Set-up code:").split(":")[1].strip()
    page = page_for(server=server)
    page.goto("/")
    if "/setup" not in page.url:
        page.goto("/setup")
    steps.fill(page, "Set-up code", code)
    steps.fill(page, "School name", "Weir Lane School")
    steps.fill(page, "Your name", "Ina Ibis")
    steps.fill(page, "Email", "ina@weirlane.example.org")
    steps.fill(page, "Password", PASSWORD)
    steps.send(page, "Set up Caseward")
    if page.get_by_role("heading", name="Sign in").is_visible():
        steps.sign_in(page, "ina@weirlane.example.org", PASSWORD)
    key = page.locator("code.key").inner_text().replace(" ", "")
    steps.fill(page, "Code", pyotp.TOTP(key).now())
    steps.press(page, "Turn on two-step sign-in")
    steps.follow(page, "I have kept them")
    expect(page.get_by_role("heading", name="Dashboard", level=1)).to_be_visible()
    expect(page.get_by_role("navigation", name="Main").get_by_role("link", name="Admin")).to_be_visible()
    assert page.goto("/setup").status == 404
