"""The labels that DOMAIN.md fixes: on each page exactly one control answers to each of them."""

import pytest

from tests import factories
from tests.browser import steps

LABELS = {
    "/incidents/new": "Students, Category, What happened, When it happened, Place, Alert, Files, Status, Assigned to",
    "/reports/incidents": "From, To, Category, Student, Year group, Author, Text, Status, Assigned to, Unassigned",
    "/admin/bulk-closing": "From, To",
    "/admin/settings": "Cases module",
    "/account/sign-in": "Email, Password",
}
BUTTONS = {
    "/incidents/new": "Add incident", "/reports/incidents": "Show results", "/admin/bulk-closing": "Preview",
    "/admin/settings": "Update", "/account/sign-in": "Sign in",
}  # fmt: skip
# A part of many another label; whoever looks for it has to look for the whole of it.
SHORT = ("To",)


@pytest.mark.parametrize("address", LABELS)
def test_each_label_names_one_control(site, cast, page_for, address):
    factories.category("Bullying")
    factories.student("Ann", "Finch")
    page = page_for(None if "sign-in" in address else "ada")
    page.goto(address)
    if address == "/incidents/new":
        steps.pick(page, "Students", "Finch", "Ann Finch")
    main = page.get_by_role("main")
    for label in LABELS[address].split(", "):
        assert main.get_by_label(label, exact=True).count() == 1, f"{label} on {address}"
        assert label in SHORT or main.get_by_label(label).count() == 1, f"another label on {address} has {label} in it"
    assert page.get_by_role("button", name=BUTTONS[address], exact=True).count() == 1
    if page.get_by_role("search").count():
        assert page.get_by_role("search").get_by_label("Search", exact=True).count() == 1
