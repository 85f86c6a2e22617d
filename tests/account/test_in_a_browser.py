"""The pages of signing in and of accounts in a real browser, from the first sign-in on; axe finds nothing on them."""

import pytest
from playwright.sync_api import expect

from blueprints.account import actions
from tests.account.people import PASSWORD, code, with_password
from tests.browser import steps

pytestmark = pytest.mark.browser


@pytest.fixture(params=[("light", 1366), ("dark", 320)], ids=["light-1366", "dark-320"])
def look(request):
    return dict(zip(("scheme", "width"), request.param, strict=True))


@pytest.fixture
def check(axe):
    def checked(page, url=None):
        if url:
            page.goto(url)
        axe(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{page.url} scrolls sideways"

    return checked


def fill_in(page, email, password):
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    steps.send(page, "Sign in")


def test_the_first_sign_in(app, cast, page_for, check, look):
    kay = with_password(app, cast.kay, two_step=False)
    page = page_for(None, **look)
    check(page, "/account/sign-in")
    fill_in(page, kay.email, "not the right one")
    check(page)
    fill_in(page, kay.email, PASSWORD)
    page.wait_for_url("**/account/two-step/setup")
    check(page)
    secret = page.locator("code.key").inner_text().replace(" ", "")
    page.get_by_label("Code", exact=True).fill(code(secret=secret))
    page.get_by_role("button", name="Turn on two-step sign-in").click()
    page.wait_for_url("**/account/recovery-codes")
    check(page)
    one = page.locator(".codes li").first.inner_text()
    other = page_for(None, **look)
    other.goto("/account/sign-in?next=/account")
    fill_in(other, kay.email, PASSWORD)
    other.wait_for_url("**/account/two-step?next=/account")
    check(other)
    other.get_by_label("Code", exact=True).fill(one)
    other.get_by_role("button", name="Sign in").click()
    other.wait_for_url("**/account")
    expect(other.get_by_role("region", name="Where you are signed in").get_by_role("row")).to_have_count(3)


def test_the_other_pages_of_signing_in(app, cast, page_for, check, look):
    page = page_for(None, **look)
    with app.app_context():
        for _ in range(10):
            actions.sign_in(cast.kay.email, "some-guess-of-mine", address="203.0.113.9")
    page.goto("/account/sign-in")
    fill_in(page, cast.kay.email, "some-guess-of-mine")
    page.get_by_label("Code").wait_for()
    check(page)
    for url in ("/account/password-link", "/account/password-link/sent", "/account/password/over"):
        check(page, url)


def test_the_first_run(app, page_for, check, look):
    check(page_for(None, **look), "/")


def test_account_and_users(cast, page_for, check, look):
    page = page_for("ada", **look)
    ref = cast.kay.ref
    for url in ("/account", "/account/details", "/account/password", "/account/two-step/setup",
                "/account/recovery-codes", "/admin/users", "/admin/users/new", f"/admin/users/{ref}",
                f"/admin/users/{ref}/edit"):  # fmt: skip
        check(page, url)
    page.goto(f"/admin/users/{ref}")
    page.get_by_role("button", name="Deactivate").click()
    check(page)
    page.get_by_role("dialog").get_by_role("button", name="Deactivate").click()
    page.get_by_text("is deactivated and signed out everywhere").wait_for()
