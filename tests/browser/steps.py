"""What a person does with a page, in one line each. Fields, buttons and sections are found by the words they show.

Must not look at anything that a person can't see, except where a test forges a request on purpose.
"""

import re
from urllib.parse import unquote_plus

from playwright.sync_api import expect

# What a form sends for fields that the page never had, or with values it never offered.
_FORGE = """(form, fields) => fields.forEach(([name, value]) => {
    form.querySelectorAll(`[name="${name}"]`).forEach((field) => field.removeAttribute('name'));
    form.append(Object.assign(document.createElement('input'), {type: 'hidden', name, value}));
})"""


def field(page, label):
    """The one control with this label."""
    return page.get_by_label(label, exact=True)


def fill(page, label, text):
    field(page, label).fill(text)


def choose(page, label, option):
    """Choose from a drop-down, whether it is a plain one or one that suggests while typing."""
    page.wait_for_load_state()  # the script makes the one of the other, and nobody chooses before a page is there
    box = field(page, label)
    if box.evaluate("element => element.tagName") == "SELECT":
        box.select_option(label=option)
    else:
        box.fill(option)
        page.get_by_role("option", name=option, exact=True).click()


def pick(page, label, typed, name):
    """Type into a picker and take the first suggestion that has this in its name."""
    page.wait_for_load_state()
    field(page, label).press_sequentially(typed)
    page.get_by_role("option", name=re.compile(re.escape(name))).first.click()


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()
    page.wait_for_load_state()  # of the page that it leads to, if it does: whole, and with its script


def send(page, name):
    """Press a button that sends a form, and wait for the page that answers: for a next step that looks elsewhere."""
    with page.expect_navigation() as answer:
        press(page, name)
    return answer.value


def draft_saved(page, words):
    """With this around what is typed: waits for the draft that has these words in it. Typing slowly saves more than one."""
    return page.expect_response(
        lambda answer: "/drafts/" in answer.url and answer.ok and words in unquote_plus(answer.request.post_data or ""),
        timeout=20_000,
    )


def import_result(page):
    """Go on to the result of an import. A quick worker has it ready before the page that would show its progress."""
    result = page.get_by_role("heading", name=re.compile("^(What the import would do|Import done)$"), level=1)
    link = page.get_by_role("link", name="Show the result")
    result.or_(link).wait_for(timeout=20_000)
    if link.is_visible():
        link.click()
        result.wait_for()


def follow(page, name):
    page.get_by_role("link", name=name, exact=True).first.click()
    page.wait_for_load_state()


def region(page, name):
    """The section of the page with this heading."""
    return page.get_by_role("region", name=name, exact=True)


def forge(page, label, **fields):
    """Put fields into the form around a control, as somebody would who writes requests by hand."""
    field(page, label).evaluate(f"(control, fields) => ({_FORGE})(control.form, fields)", list(fields.items()))


def add_incident(page, student, category, text, **choices):
    """Fill in Add incident as far as everybody must, and `choices` by label."""
    pick(page, "Students", student, student)
    choose(page, "Category", category)
    fill(page, "What happened", text)
    for label, option in choices.items():
        choose(page, label.replace("_", " "), option)


def sign_in(page, email, password, code=None):
    """Sign in on the page that is open, with the second step if a code is given."""
    fill(page, "Email", email)
    fill(page, "Password", password)
    send(page, "Sign in")
    if code is not None:
        fill(page, "Code", code)
        send(page, "Sign in")


def error_at(page, label):
    """The sentence at a field that was refused. Fails unless the field says so to everybody."""
    box = field(page, label)
    expect(box, f"{label} is not marked as invalid").to_have_attribute("aria-invalid", "true")
    described = (box.get_attribute("aria-describedby") or "").split()
    words = [page.locator(f"[id='{each}']").inner_text() for each in described if each.endswith(("-error", "-size"))]
    assert words, f"no sentence is tied to {label}"
    return " ".join(words).replace("Error: ", "").strip()


def summary(page):
    """The words of the error summary."""
    return page.get_by_role("alert").filter(has_text="Please check this").inner_text()
