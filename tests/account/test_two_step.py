"""Two-step sign-in: setting it up, being made to, recovery codes, moving to another app."""

import re
from types import SimpleNamespace

import pytest

from blueprints.account import queries, tokens
from models import Account, Event, RecoveryCode, School, Session
from tests.account.people import PASSWORD, code, is_in, sign_in, with_password
from tests.web import text_of


@pytest.fixture
def new_kay(app, cast, post, client, clock):
    """Kay on her first sign-in: a password and no second step."""
    clock.freeze(clock.now())
    with_password(app, cast.kay, two_step=False)
    assert sign_in(post, client, cast.kay.email).location == "/"
    return client


def key_on(page):
    return re.search(r'class="key">([A-Z2-7 ]+)<', page.get_data(as_text=True))[1].replace(" ", "")


def test_required_before_anything_else(new_kay):
    for url in ("/", "/account", "/incidents", "/account/recovery-codes", "/admin/users"):
        answer = new_kay.get(url)
        assert (answer.status_code, answer.location) == (302, "/account/two-step/setup"), url


def test_setting_it_up(app, post, new_kay, cast):
    page = new_kay.get("/account/two-step/setup")
    assert page.status_code == 200
    html = page.get_data(as_text=True)
    assert "<svg" in html and "data:" not in html and "style=" not in html
    secret = key_on(page)
    assert key_on(new_kay.get("/account/two-step/setup")) == secret, "the same on each look"
    assert Account.get_by_id(cast.kay.id).totp_secret is None, "looking sets nothing up"
    before = new_kay.get_cookie("caseward").value
    answer = post(new_kay, "/account/two-step/setup", {"code": code(secret=secret)})
    assert (answer.status_code, answer.location) == (303, "/account/recovery-codes")
    shown = text_of(new_kay.get("/account/recovery-codes"))
    codes = re.findall(r"\b[0-9A-Z]{5}-[0-9A-Z]{5}\b", shown)
    assert len(set(codes)) == 10
    again = text_of(new_kay.get("/account/recovery-codes"))
    assert not set(codes) & set(again.split()), "shown once"
    assert "10 of your 10" in again
    assert new_kay.get("/account").status_code == 200
    thief = app.test_client()
    thief.set_cookie("caseward", before)
    assert not is_in(thief), "the session was rotated"
    session = Session.select().where(Session.revoked_at.is_null()).get()
    assert session.two_step
    stored = [row.code_hash for row in RecoveryCode.select()]
    assert len(stored) == 10 and not any(one in hash_ for one in codes for hash_ in stored)
    other = app.test_client()
    assert sign_in(post, other, cast.kay.email, with_code=codes[3]).status_code == 303
    assert "9 recovery codes left" in text_of(other.get("/account"))


def test_the_code_that_set_it_up_does_not_sign_in_as_well(app, post, new_kay, cast, clock):
    secret = key_on(new_kay.get("/account/two-step/setup"))
    shown = code(secret=secret)
    post(new_kay, "/account/two-step/setup", {"code": shown})
    assert sign_in(post, app.test_client(), cast.kay.email, with_code=shown).status_code == 422


def test_a_wrong_code_sets_nothing_up(post, new_kay, cast):
    answer = post(new_kay, "/account/two-step/setup", {"code": "123456"})
    assert answer.status_code == 422
    assert Account.get_by_id(cast.kay.id).two_step_at is None


def test_the_demo_school_leaves_it_optional(new_kay):
    School.update(demo=True).execute()
    assert new_kay.get("/account").status_code == 200
    assert "Set up two-step sign-in" in text_of(new_kay.get("/account"))


@pytest.mark.parametrize("who, required", [("ada", True), ("oli", True), ("rae", False), ("stu", False)])
def test_who_must(app, cast, who, required):
    Account.update(two_step_at=None).execute()
    cast = SimpleNamespace(**{who: Account.get_by_id(getattr(cast, who).id)})
    assert queries.must_set_up_two_step(getattr(cast, who), School.get()) is required


def test_one_can_sign_out_instead(post, new_kay):
    assert post(new_kay, "/account/sign-out", form_url="/account/two-step/setup").status_code == 303
    assert new_kay.get("/account/two-step/setup").status_code == 302


def test_moving_to_another_app_needs_the_password(app, post, client_for, cast, clock):
    clock.freeze(clock.now())
    kay = with_password(app, cast.kay)
    client, other = client_for("kay"), client_for("kay")
    secret = key_on(client.get("/account/two-step/setup"))
    fields = {"code": code(secret=secret)}
    answer = post(client, "/account/two-step/setup", fields | {"current": "not-my-password"})
    assert answer.status_code == 422 and "not your present password" in text_of(answer)
    assert Account.get_by_id(kay.id).totp_secret == kay.totp_secret
    assert post(client, "/account/two-step/setup", fields | {"current": PASSWORD}).status_code == 303
    assert Account.get_by_id(kay.id).totp_secret == secret
    assert is_in(client) and not is_in(other)


def test_new_recovery_codes_replace_the_old(app, post, client_for, cast):
    kay = with_password(app, cast.kay)
    with app.app_context():
        old = tokens.recovery_codes(kay, "old")[0]
        RecoveryCode.create(account=kay, code_hash=tokens.recovery_hash(kay.id, old))
    client = client_for("kay")
    assert post(client, "/account/recovery-codes", {"current": "not-my-password"}).status_code == 422
    assert RecoveryCode.select().count() == 1
    assert post(client, "/account/recovery-codes", {"current": PASSWORD}).status_code == 303
    assert old not in text_of(client.get("/account/recovery-codes"))
    assert RecoveryCode.select().count() == 10
    assert sign_in(post, app.test_client(), kay.email, with_code=old).status_code == 422
    assert Event.select().where(Event.verb == "account.recovery_codes_made").count() == 1
