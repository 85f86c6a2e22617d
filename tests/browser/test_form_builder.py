"""Building a form in the browser: a referral form from its example in a few steps, and one field at a time."""

from playwright.sync_api import expect

from models import Form
from tests.browser import steps


def save(page, button):
    """Press it and wait for the next page."""
    assert steps.send(page, button).status == 200
    return page


def test_a_referral_form_between_two_lessons(cast, page_for, axe):
    ada = page_for("ada")
    ada.goto("/")
    ada.get_by_role("navigation", name="Main").get_by_role("link", name="Forms", exact=True).click()
    axe(ada)
    ada.get_by_role("link", name="New form").first.click()
    ada.get_by_role("link", name="Referral", exact=True).click()
    expect(ada.get_by_label("Name", exact=True)).to_have_value("Referral")
    axe(ada)
    save(ada, "Add form")
    expect(ada.get_by_role("link", name="What is the concern?")).to_be_visible()
    # The answers stand there for the types that have them, and the next question can be typed at once.
    expect(ada.get_by_label("Answers to choose from")).to_be_hidden()
    ada.get_by_label("Question").fill("How did you hear of it?")
    ada.get_by_label("Type").select_option("one_of")
    ada.get_by_label("Answers to choose from").fill("I saw it\nI was told")
    ada.get_by_label("Required").check()
    axe(ada)
    save(ada, "Add field")
    expect(ada.get_by_label("Question")).to_be_focused()
    expect(ada.get_by_label("Type")).to_have_value("one_of")
    ada.get_by_label("Question").fill("By whom?")
    ada.get_by_label("Type").select_option("text")
    ada.keyboard.press("Tab")
    save(ada, "Add field")
    ada.get_by_role("link", name="By whom?").click()
    expect(ada.get_by_label("If the answer is")).to_have_count(0)
    ada.get_by_label("Shown").select_option(label="Only after an answer to “How did you hear of it?”")
    ada.get_by_label("If the answer is").select_option("I was told")
    axe(ada)
    save(ada, "Save field")
    expect(ada.get_by_role("row", name="By whom?")).to_contain_text("only if “How did you hear of it?” is I was told")
    ada.get_by_role("link", name="Preview").click()
    expect(ada.get_by_label("By whom?")).to_be_hidden()
    ada.get_by_label("I was told").check()
    expect(ada.get_by_label("By whom?")).to_be_visible()
    axe(ada)
    ada.get_by_role("link", name="Who reads").click()
    ada.get_by_label("Counselling").check()
    expect(ada.get_by_text("This gives 1 person access: Gil Gannet.")).to_be_visible()
    axe(ada)
    save(ada, "Save who reads")
    ada.get_by_role("link", name="Publish").click()
    axe(ada)
    save(ada, "Publish version 1")
    assert Form.get().published == 1
    ada.get_by_role("link", name="Versions").click()
    axe(ada)
    rae = page_for("rae", width=390, height=844)
    rae.goto("/forms")
    expect(rae.get_by_role("link", name="+NEW Referral")).to_be_visible()
    axe(rae)


def test_a_retired_form_is_asked_about_first(cast, page_for):
    Form.create(name="Old", created_by=cast.ada, published=0)
    ada = page_for("ada")
    ada.goto("/forms/import")
    ada.get_by_label("Definition").fill('{"caseward_form": 1, "name": "Brought in", "audience": ["staff"], "fields": ['
                                        '{"key": "a", "type": "text", "label": "A", "only_if": {"field": "b", "is": "yes"}}]}')  # fmt: skip
    ada.get_by_role("button", name="Import form").click()
    expect(ada.get_by_role("alert")).to_contain_text("there is no such field")
    box = ada.get_by_label("Definition")
    box.fill(box.input_value().replace('"field": "b", "is": "yes"', '').replace(', "only_if": {}', ''))
    save(ada, "Import form")
    ada.get_by_role("button", name="Retire form").click()
    expect(ada.get_by_role("dialog")).to_contain_text("Nobody can fill in “Brought in” any more.")
    with ada.expect_navigation():
        ada.get_by_role("dialog").get_by_role("button", name="Retire form").click()
    expect(ada.get_by_text("Retired", exact=True)).to_be_visible()
