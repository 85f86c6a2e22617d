"""What browser tests need beside tests/conftest.py: a browser that runs no script."""

import pytest


@pytest.fixture
def plain_page_for(browser, site, app, cookie_for):
    """plain_page_for("kay"): a page signed in as Kay, in a browser with JavaScript switched off."""
    opened = []

    def page(who, server=None):
        url = (server or site).url
        context = browser.new_context(base_url=url, java_script_enabled=False, locale="en-GB",
                                      viewport={"width": 1366, "height": 768})  # fmt: skip
        context.set_default_timeout(10_000)
        name = app.config["SESSION_COOKIE_NAME"]
        context.add_cookies([{"name": name, "value": cookie_for(who), "url": url, "httpOnly": True}])
        opened.append(context)
        return context.new_page()

    yield page
    for context in opened:
        context.close()
