"""Signing in: both steps, refusals that tell nothing, throttling, and what becomes of the cookies."""

import re
import threading
from datetime import UTC, datetime
from urllib.parse import quote

import pytest

from blueprints.account import actions, hashing, tokens
from extensions import db
from models import Account, Event, RecoveryCode, Session, SignInAttempt
from tests.account.people import PASSWORD, code, is_in, sign_in, with_password
from tests.web import filled_in, text_of

KAY = "kay@school.example.org"
SIX_IN_THE_MORNING = datetime(2026, 11, 16, 6, 0, tzinfo=UTC)


@pytest.fixture
def kay(app, cast, clock):
    clock.freeze(SIX_IN_THE_MORNING)
    return with_password(app, cast.kay)


@pytest.fixture
def hashes(monkeypatch):
    """Counts the passwords that are tested."""
    tested, lock, fits = [], threading.Lock(), hashing.fits

    def count(*given):
        with lock:
            tested.append(given)
        return fits(*given)

    monkeypatch.setattr(hashing, "fits", count)
    return tested


def masked(answer):
    """The page without what is random in it."""
    page = answer.get_data(as_text=True)
    page = re.sub(r'(name="(csrf_token|once)"[^>]*value=")[^"]*', r"\1", page)
    return re.sub(r'(name="email"[^>]*value=")[^"]*|value="[^"]*"([^>]*name="(?:csrf_token|once|email)")', r"\1", page)


def test_password_then_code(post, client, kay):
    answer = sign_in(post, client, "  KAY@School.example.org ")
    assert answer.status_code == 303 and answer.location == "/account/two-step"
    assert not is_in(client)
    assert not Session.select().exists()
    answer = post(client, "/account/two-step", {"code": code()})
    assert (answer.status_code, answer.location) == (303, "/")
    assert is_in(client)
    session = Session.get()
    assert session.two_step and session.address == "127.0.0.1"
    event = Event.select().where(Event.verb == "account.signed_in").get()
    assert (event.actor_id, event.target, event.data) == (kay.id, kay.ref, '{"two_step": true}')


def test_wrong_password_keeps_the_email_and_says_one_sentence(post, client, kay):
    answer = sign_in(post, client, KAY, "another-lamp-entirely")
    assert answer.status_code == 422
    page = answer.get_data(as_text=True)
    assert KAY in page and "another-lamp" not in page
    assert 'aria-invalid="true"' in page
    assert "don't belong together" in text_of(answer)
    assert not is_in(client)


def test_unknown_deactivated_and_passwordless_read_like_a_wrong_password(app, post, cast, kay, hashes):
    gil = with_password(app, cast.gil)
    Account.update(is_active=False).where(Account.id == gil.id).execute()
    answers = {
        email: sign_in(post, app.test_client(), email, "another-lamp-entirely" if email == KAY else PASSWORD)
        for email in (KAY, "nobody@school.example.org", gil.email, cast.sam.email)
    }
    assert {answer.status_code for answer in answers.values()} == {422}
    assert len({masked(answer) for answer in answers.values()}) == 1
    assert len(hashes) == 4
    assert Event.select().where(Event.verb == "account.sign_in_failed").count() == 4


def test_known_and_unknown_take_the_same_statements(app, post, kay, count_queries):
    seen = []
    for email in (KAY, "nobody@school.example.org"):
        with count_queries() as queries:
            sign_in(post, app.test_client(), email, "another-lamp-entirely")
        seen.append(queries.statements)
    assert seen[0] == seen[1]


@pytest.mark.parametrize("fields, field", [({"email": ""}, "email"), ({"password": ""}, "password")])
def test_blank_fields_are_not_tested(post, client, kay, hashes, fields, field):
    answer = post(client, "/account/sign-in", {"email": KAY, "password": PASSWORD} | fields)
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.get_data(as_text=True)
    assert not hashes and not SignInAttempt.select().exists()


def test_an_old_hash_is_renewed(app, post, client, cast):
    kay = with_password(app, cast.kay)
    app.config["CHEAP_HASHES"] = False
    sign_in(post, client, KAY)
    assert "m=19456,t=2,p=1" in Account.get_by_id(kay.id).password_hash


# --- Throttling ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("email", [KAY, "nobody@school.example.org"])
def test_ten_passwords_an_hour(app, post, kay, clock, hashes, email):
    answers = [sign_in(post, app.test_client(), email, f"guess-number-{number}-of-many") for number in range(14)]
    assert [answer.status_code for answer in answers] == [422] * 10 + [429] * 4
    assert len(hashes) == 10
    assert Event.select().where(Event.verb == "account.sign_in_throttled").count() == 1
    clock.move(minutes=61)
    assert sign_in(post, app.test_client(), email, "guess-after-an-hour").status_code == 422


def test_throttled_pages_tell_nothing(app, post, kay):
    pages = set()
    for email in (KAY, "nobody@school.example.org"):
        for _ in range(10):
            sign_in(post, app.test_client(), email, "some-guess-of-mine")
        pages.add(masked(sign_in(post, app.test_client(), email, "some-guess-of-mine")))
    assert len(pages) == 1


def test_the_right_password_is_not_tested_either_when_throttled(app, post, client, kay, hashes):
    for _ in range(10):
        sign_in(post, app.test_client(), KAY, "some-guess-of-mine")
    assert sign_in(post, client, KAY).status_code == 429
    assert len(hashes) == 10 and not is_in(client)


def test_ten_at_once_are_counted_as_ten(app, kay, hashes):
    outcomes, lock = [], threading.Lock()

    def guess(number):
        with app.app_context():
            tried = actions.sign_in(KAY, f"guess-number-{number}-of-many", address="198.51.100.7")
        with lock:
            outcomes.append(tried.outcome.name)
        db.close()

    threads = [threading.Thread(target=guess, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["THROTTLED"] * 6 + ["WRONG"] * 10
    assert len(hashes) == 10


def test_right_passwords_are_not_counted(app, post, kay, clock):
    for _ in range(12):
        sign_in(post, app.test_client(), KAY)
    assert not SignInAttempt.select().exists()


def test_an_address_has_a_hundred_failures(app, kay):
    with app.app_context():
        guesses = [actions.sign_in(f"p{n}@example.org", "some-guess", address="198.51.100.7") for n in range(101)]
        assert [tried.outcome.name for tried in guesses] == ["WRONG"] * 100 + ["THROTTLED"]
        assert actions.sign_in(KAY, PASSWORD, address="198.51.100.7").outcome.name == "THROTTLED"
        assert actions.sign_in(KAY, PASSWORD, address="198.51.100.8").outcome.name == "NEEDS_CODE"


def test_the_owner_with_a_code_is_not_locked_out(app, post, client, kay, clock):
    for _ in range(12):
        sign_in(post, app.test_client(), KAY, "some-guess-of-mine")
    answer = sign_in(post, client, KAY)
    assert answer.status_code == 429 and 'name="code"' in answer.get_data(as_text=True)
    answer = sign_in(post, client, KAY, code=code())
    assert (answer.status_code, answer.location) == (303, "/")
    assert is_in(client) and Session.get().two_step


def test_guessing_codes_from_elsewhere_does_not_use_up_the_owners_tries(app, kay, clock):
    with app.app_context():
        for _ in range(40):
            assert actions.sign_in(KAY, "guess", code="000000", address="203.0.113.9").outcome.name in (
                "WRONG",
                "THROTTLED",
            )
        tried = actions.sign_in(KAY, PASSWORD, code=code(), address="198.51.100.7")
    assert tried.outcome.name == "SIGNED_IN" and tried.two_step


def test_a_valid_code_lets_one_password_be_tested(app, post, client, kay, hashes):
    for _ in range(10):
        sign_in(post, app.test_client(), KAY, "some-guess-of-mine")
    assert sign_in(post, client, KAY, "a-wrong-one-with-code", code=code()).status_code == 429
    assert len(hashes) == 11
    assert sign_in(post, client, KAY, code=code()).status_code == 429  # the code is used up
    assert len(hashes) == 11 and not is_in(client)


def test_a_code_does_not_open_somebody_elses_account(app, post, client, cast, kay, hashes):
    for email in (KAY, cast.ken.email):
        for _ in range(10):
            sign_in(post, app.test_client(), email, "some-guess-of-mine")
    ken = with_password(app, cast.ken)
    Account.update(totp_secret="B" * 32).where(Account.id == ken.id).execute()
    assert sign_in(post, client, ken.email, code=code()).status_code == 429
    assert len(hashes) == 20


# --- The second step -------------------------------------------------------------------------------------------------


def test_a_code_works_once(app, post, kay, clock):
    shown = code()
    assert sign_in(post, app.test_client(), KAY, with_code=shown).status_code == 303
    second = app.test_client()
    assert sign_in(post, second, KAY, with_code=shown).status_code == 422
    assert sign_in(post, second, KAY, with_code=code(-1)).status_code == 422, "an earlier one, never used, neither"
    assert not is_in(second)
    clock.move(seconds=30)
    assert sign_in(post, second, KAY, with_code=code()).status_code == 303


def test_a_code_works_once_at_once(app, kay):
    outcomes, shown = [], code()

    def use():
        with app.app_context():
            outcomes.append(actions.second_step(Account.get_by_id(kay.id), shown).outcome.name)
        db.close()

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["SIGNED_IN"] + ["WRONG"] * 7


def test_ten_wrong_codes_an_hour(post, client, kay, clock):
    sign_in(post, client, KAY)
    statuses = [post(client, "/account/two-step", {"code": "000000"}).status_code for _ in range(12)]
    assert statuses == [422] * 10 + [429] * 2
    assert post(client, "/account/two-step", {"code": code()}).status_code == 429
    clock.move(minutes=61)
    assert sign_in(post, client, KAY, with_code=code()).status_code == 303


def test_a_recovery_code_works_once_and_however_it_is_typed(app, post, kay):
    with app.app_context():
        one = tokens.recovery_codes(kay, "seed")[0]
        RecoveryCode.create(account=kay, code_hash=tokens.recovery_hash(kay.id, one))
    client = app.test_client()
    assert sign_in(post, client, KAY, with_code=f" {one.lower().replace('-', ' ')} ").status_code == 303
    assert is_in(client)
    again = app.test_client()
    assert sign_in(post, again, KAY, with_code=one).status_code == 422
    assert not is_in(again)
    assert Event.select().where(Event.verb == "account.recovery_code_used").count() == 1


def test_the_second_step_waits_ten_minutes(post, client, kay, clock):
    sign_in(post, client, KAY)
    clock.move(minutes=11)
    answer = client.get("/account/two-step")
    assert answer.status_code == 303 and "/account/sign-in" in answer.location


def test_the_second_step_ends_when_the_account_changes(app, post, client, kay):
    sign_in(post, client, KAY)
    with_password(app, kay, password="a-new-password-meanwhile")
    assert client.get("/account/two-step").status_code == 303


def test_the_second_step_alone_leads_nowhere(client, kay):
    assert client.get("/account/two-step").status_code == 303


# --- Cookies and sessions --------------------------------------------------------------------------------------------


def test_nothing_of_the_session_before_stays(post, client, kay):
    with client.session_transaction() as before:
        before["planted"] = "by somebody else"
        before["_user_id"] = "planted"
    sign_in(post, client, KAY, with_code=code())
    assert is_in(client)
    with client.session_transaction() as after:
        assert "planted" not in after and after["_user_id"] != "planted"


def test_signing_in_again_ends_the_session_before(post, client_for, cast, kay):
    client = client_for("ken")
    answer = post(client, "/account/sign-in", {"email": KAY, "password": PASSWORD}, form_url="/account")
    assert answer.status_code == 303
    post(client, "/account/two-step", {"code": code()})
    assert "Kay Kestrel" in text_of(client.get("/account"))
    live = Session.select().where(Session.revoked_at.is_null())
    assert [session.account_id for session in live] == [kay.id]


def test_a_cookie_is_worth_nothing_after_signing_out(app, post, client, kay):
    sign_in(post, client, KAY, with_code=code())
    cookie = client.get_cookie("caseward").value
    answer = post(client, "/account/sign-out", form_url="/account")
    assert answer.status_code == 303
    thief = app.test_client()
    thief.set_cookie("caseward", cookie)
    assert not is_in(thief)
    assert Event.select().where(Event.verb == "account.signed_out").count() == 1


def test_a_session_ends_when_idle(client_for, clock, cast):
    clock.freeze(SIX_IN_THE_MORNING)
    client = client_for("kay")
    for _ in range(4):
        clock.move(minutes=29)
        assert is_in(client)
    clock.move(minutes=30)
    assert not is_in(client)


def test_a_session_ends_after_twelve_hours(client_for, clock, cast):
    clock.freeze(SIX_IN_THE_MORNING)
    client = client_for("kay")
    for _ in range(35):
        clock.move(minutes=20)
        assert is_in(client)
    clock.move(minutes=20)
    assert not is_in(client)


def test_asking_who_somebody_is_costs_one_query(client_for, clock, cast, count_queries):
    clock.freeze(SIX_IN_THE_MORNING)
    client = client_for("sam")
    with count_queries() as queries:
        client.get("/account")
    asked = [statement for statement in queries.statements if '"session"' in statement and '"account"' in statement]
    assert len([statement for statement in asked if "token_hash" in statement]) == 1
    assert not [statement for statement in queries.statements if statement.startswith("UPDATE")]
    assert len(queries) <= 10
    clock.move(minutes=2)
    with count_queries() as queries:
        client.get("/account")
    assert len([statement for statement in queries.statements if statement.startswith("UPDATE")]) == 1


def test_deactivation_takes_effect_in_an_open_session(client_for, cast):
    client = client_for("kay")
    assert is_in(client)
    Account.update(is_active=False).where(Account.id == cast.kay.id).execute()
    assert not is_in(client)


@pytest.mark.parametrize(
    "wanted, goes_to",
    [
        ("/incidents?page=2", "/incidents?page=2"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example/", "/"),
        ("/\t/evil.example", "/"),
        ("incidents", "/"),
        ("/account/sign-out", "/"),
        ("", "/"),
    ],
)
def test_where_signing_in_leads(app, post, client, kay, wanted, goes_to):
    url = f"/account/sign-in?next={quote(wanted)}"
    answer = post(client, url, {"email": KAY, "password": PASSWORD})
    answer = post(client, answer.location, {"code": code()})
    assert answer.location == goes_to


def test_a_signed_out_page_leads_to_sign_in_and_back(client, cast):
    answer = client.get("/account?x=1")
    assert answer.status_code == 302
    assert answer.location == "/account/sign-in?next=/account?x%3D1"


def test_sending_the_sign_in_form_twice_signs_in_once(post, client, cast, app):
    sam = with_password(app, cast.rae, two_step=False)
    page = client.get("/account/sign-in")
    body = filled_in(page, "/account/sign-in", {"email": sam.email, "password": PASSWORD})
    first, second = (client.post("/account/sign-in", data=body) for _ in range(2))
    assert first.status_code == 303
    assert second.status_code in (302, 303, 400)
    assert Session.select().where(Session.account == sam).count() == 1
    assert is_in(client)


def test_a_forged_token_is_refused(client, kay):
    assert client.post("/account/sign-in", data={"email": KAY, "password": PASSWORD}).status_code == 400


def test_a_refused_form_can_be_corrected_and_sent_again(app, client, kay):
    """Refusals leave the one-time key of the form alone, in both steps, even when a recovery code was used up."""
    with app.app_context():
        one = tokens.recovery_codes(kay, "seed")[0]
        RecoveryCode.create(account=kay, code_hash=tokens.recovery_hash(kay.id, one))
        for _ in range(10):
            actions.sign_in(KAY, "some-guess-of-mine", address="203.0.113.9")
    page = client.get("/account/sign-in")
    for fields, status in (
        ({"email": KAY, "password": "some-guess-of-mine"}, 429),
        ({"password": "some-guess-of-mine", "code": one}, 429),
        ({"password": PASSWORD, "code": code()}, 303),
    ):
        body = filled_in(page, "/account/sign-in", fields)
        page = client.post("/account/sign-in", data=body)
        assert page.status_code == status
    assert page.location == "/" and is_in(client)
