"""Every unsafe route refuses a form without the right CSRF token and changes nothing; a GET never changes anything.

"Anything" is business data (ruling 10): audit rows, "seen" marks, heartbeats and the last-activity time of the session
are none.
"""

import hashlib

import pytest
from itsdangerous import URLSafeTimedSerializer

import models
from extensions import db
from tests.access.routes import IN, PERSONAS, expected, route_of, samples
from tests.access.test_canary import addresses
from tests.access.visitor import undone

# table: the columns that a GET may change; None: the whole table
NOT_BUSINESS = {
    "event": None, "audit_seal": None, "heartbeat": None, "session": {"seen_at"}, "bulk_closing_notice": {"seen_at"},
    "notification": {"read_at"}, "calendar_feed": {"read_at"},
}  # fmt: skip


def business():
    """{table: checksum of every row} of all business data."""
    found = {}
    for model in models.tables():
        name = model._meta.table_name
        skipped = NOT_BUSINESS.get(name, set())
        if skipped is None:
            continue
        columns = ", ".join(f'"{field.column_name}"' for field in model._meta.sorted_fields if field.name not in skipped)
        rows = db.execute_sql(f'SELECT {columns} FROM "{name}" ORDER BY 1').fetchall()
        found[name] = hashlib.sha256(repr(rows).encode()).hexdigest()
    return found


def changed(before, after):
    return [name for name in before if before[name] != after[name]]


def doer(endpoint):
    """Somebody whom the page would let in, so that only the token stands between them and what the form does."""
    route = route_of(endpoint, "POST")
    return next((person for person in reversed(PERSONAS) if expected(route, person) == IN), "ada")


def unsafe(app, school):
    return [(endpoint, url) for endpoint, methods, url in samples(app, school) if methods - {"GET"}]


def sign(app, raw, salt="wtf-csrf-token", key=None):
    return URLSafeTimedSerializer(key or app.secret_key, salt=salt).dumps(raw)


def wrong_tokens(app, visitors, person):
    """What an attacker could send instead of the token: name → form fields and headers."""
    other = "kay" if person != "kay" else "ken"
    return {
        "missing": ({}, {}),
        "empty": ({"csrf_token": ""}, {}),
        "of another person": ({"csrf_token": visitors[other].token}, {}),
        "of an earlier session": ({"csrf_token": sign(app, "5" * 40)}, {}),
        "signed with another key": ({"csrf_token": sign(app, visitors[person].raw, key="guessed")}, {}),
        "signed for another purpose": ({"csrf_token": sign(app, visitors[person].raw, salt="cookie-session")}, {}),
        "unsigned": ({"csrf_token": visitors[person].raw}, {}),
        "of another person, in the header": ({}, {"X-CSRFToken": visitors[other].token}),
    }


def test_every_unsafe_route_refuses_a_wrong_token(app, school, visitors, full, figure):
    before, wrong, asked = business(), [], 0
    for number, (endpoint, url) in enumerate(unsafe(app, school)):
        person = doer(endpoint)
        tokens = wrong_tokens(app, visitors, person)
        always = ("missing", "of another person", "of an earlier session")
        for place, (name, (form, headers)) in enumerate(tokens.items()):
            if not full and name not in always and number % len(tokens) != place:
                continue  # the bounded run tries the rarer ones in turn
            answer = visitors[person].post(url, form, token=False, headers=headers)
            asked += 1
            if answer.status != 400:
                wrong.append(f"{person}: {answer} with a token that is {name}")
            if touched := changed(before, business()):
                wrong.append(f"{person}: {answer} with a token that is {name} changed {', '.join(touched)}")
                before = business()
    assert not wrong, "\n".join(wrong)
    figure("CSRF", f"{asked} forms with a missing, stale or foreign token over {len(unsafe(app, school))} routes: 0 accepted")


def test_the_right_token_is_accepted(app, school, visitors):
    """The positive control: with it, none of these answers 400, and some of them change something."""
    effects = 0
    for endpoint, url in unsafe(app, school):
        before = business()
        with undone():
            answer = visitors[doer(endpoint)].post(url)
            effects += bool(changed(before, business()))
        assert answer.status != 400, f"{doer(endpoint)}: {answer}"
    assert effects >= 10, f"only {effects} of these forms did anything: the checks above prove little"


def test_a_token_in_a_header_of_a_script_is_accepted(app, school, visitors):
    """The draft saver sends its form's token; nothing but a form or that header counts."""
    kay = visitors["kay"]
    with undone():
        assert kay.post("/drafts/incident-new", {"text": "x"}, token=False, headers={"X-CSRFToken": kay.token}).status == 204
    assert kay.post(f"/drafts/incident-new?csrf_token={kay.token}", {"text": "x"}, token=False).status == 400
    assert kay.send("POST", "/drafts/incident-new", json={"csrf_token": kay.token, "text": "x"}).status == 400


@pytest.mark.parametrize("person", ["ada", "ken", "kay", "rae", "nobody"])
def test_get_changes_nothing(app, school, visitors, full, figure, person):
    wrong, before, count = [], business(), 0
    urls = addresses(app, school) if full else addresses(app, school, every=False)
    if person in ("rae", "nobody") and not full:
        urls = urls[::3]
    for url in urls:
        with undone():
            answer = visitors[person].get(url)
            count += 1
            if touched := changed(before, business()):
                wrong.append(f"{answer} changed {', '.join(touched)}")
    assert not wrong, f"{person} changed data with GET:\n" + "\n".join(wrong)
    figure(f"GET, {person}", f"{count} pages: 0 changes of business data")


def test_no_other_parameter_turns_a_get_into_a_change(app, school, visitors):
    """Method overrides are for frameworks that have them; this one must not."""
    before, wrong = business(), []
    for endpoint, url in unsafe(app, school):
        for address, headers in ((f"{url}?_method=POST", {}), (url, {"X-HTTP-Method-Override": "POST"})):
            with undone():
                visitor = visitors[doer(endpoint)]
                visitor.get(address, headers=headers)
                if changed(before, business()):
                    wrong.append(f"{endpoint} by {address} {headers}")
    assert not wrong, "\n".join(wrong)
