"""Signing in under attack: cookies planted before, kept for later or stolen, thousands of guesses, and what the answers
and their time tell about who has an account."""

import statistics
import time

import pytest

from blueprints.account import actions, hashing
from models import Account, Event, Session
from tests.access.visitor import Visitor, masked
from tests.account.people import PASSWORD, code, is_in, with_password
from tests.torture.support import dice

NEW_PASSWORD = "seven-herons-by-the-weir"


@pytest.fixture
def kay(app, cast, clock):
    clock.freeze(clock.now())
    return with_password(app, cast.kay)


class Thief:
    """Keeps a copy of every cookie that a browser ever had."""

    def __init__(self, app):
        self.app, self.name, self.copies = app, app.config["SESSION_COOKIE_NAME"], []

    def look(self, client):
        cookie = client.get_cookie(self.name)
        if cookie and cookie.value not in self.copies:
            self.copies.append(cookie.value)

    def tries(self):
        """How many of the copies open something that is not open to everybody."""
        opened = []
        for number, copy in enumerate(self.copies):
            browser = self.app.test_client()
            browser.set_cookie(self.name, copy)
            answers = [browser.get(path) for path in ("/account", "/", "/students", "/account/details", "/account/recovery-codes")]
            if any(answer.status_code == 200 for answer in answers):
                opened.append(number)
        return opened


def signed_in_and_watched(app, post, thief):
    """A browser on which Kay signs in, step by step, with the thief looking at each cookie."""
    browser = app.test_client()
    browser.get("/account/sign-in")
    thief.look(browser)
    post(browser, "/account/sign-in", {"email": "kay@school.example.org", "password": PASSWORD})
    thief.look(browser)
    assert thief.tries() == [], "a cookie from before the second step opens something"
    post(browser, "/account/two-step", {"code": code()})
    thief.look(browser)
    assert is_in(browser)
    browser.get("/account")
    thief.look(browser)
    return browser


def sign_out(browser, post, kay, cast, clock, app):
    post(browser, "/account/sign-out", {}, form_url="/")


def change_password(browser, post, kay, cast, clock, app):
    answer = post(browser, "/account/password", {"current": PASSWORD, "password": NEW_PASSWORD, "repeated": NEW_PASSWORD})
    assert answer.status_code == 303, answer.get_data(as_text=True)[:4000]


def set_password_by_link(browser, post, kay, cast, clock, app):
    with app.app_context():
        link = actions.invite(Account.get_by_id(kay.id), actor=cast.ada)
        actions.use_password_link(link, NEW_PASSWORD)


def lose_the_role(browser, post, kay, cast, clock, app):
    with app.app_context():
        account = Account.get_by_id(kay.id)
        actions.change_account(account, version=account.version, role="staff", actor=cast.ada)


def become_admin(browser, post, kay, cast, clock, app):
    with app.app_context():
        account = Account.get_by_id(kay.id)
        actions.change_account(account, version=account.version, role="admin", actor=cast.ada)


def reset_two_step(browser, post, kay, cast, clock, app):
    with app.app_context():
        actions.reset_two_step(Account.get_by_id(kay.id), actor=cast.ada)


def move_two_step_to_another_app(browser, post, kay, cast, clock, app):
    with app.app_context(), app.test_request_context():
        row = Session.select().where(Session.account == kay).order_by(Session.id.desc()).get()
        secret = "A" * 32
        actions.confirm_two_step(row, secret, code(secret=secret), actor=Account.get_by_id(kay.id), password=PASSWORD)


def be_deactivated(browser, post, kay, cast, clock, app):
    with app.app_context():
        actions.deactivate(Account.get_by_id(kay.id), actor=cast.ada)


def be_deactivated_and_reactivated(browser, post, kay, cast, clock, app):
    be_deactivated(browser, post, kay, cast, clock, app)
    with app.app_context():
        actions.reactivate(Account.get_by_id(kay.id), actor=cast.ada)


def be_revoked(browser, post, kay, cast, clock, app):
    with app.app_context():
        actions.revoke_all(kay, actor=cast.ada)


def be_idle(browser, post, kay, cast, clock, app):
    clock.move(minutes=31)


def stay_for_ever(browser, post, kay, cast, clock, app):
    for _ in range(12 * 60 // 20 + 1):
        browser.get("/account")
        clock.move(minutes=20)


def sign_in_again(browser, post, kay, cast, clock, app):
    clock.move(minutes=2)
    assert sign_in_over(post, browser, kay).status_code == 303


def sign_in_over(post, browser, kay, offset=0):
    """Signs in on a browser that may be signed in already: its sign-in page would lead on, so the form is forged."""
    form = {"email": kay.email, "password": PASSWORD}
    assert post(browser, "/account/sign-in", form, form_url="/").status_code == 303
    return post(browser, "/account/two-step", {"code": code(offset)})


ENDS = [sign_out, change_password, set_password_by_link, lose_the_role, become_admin, reset_two_step,
        move_two_step_to_another_app, be_deactivated, be_deactivated_and_reactivated, be_revoked, be_idle, stay_for_ever,
        sign_in_again]  # fmt: skip


@pytest.mark.parametrize("end", ENDS, ids=[each.__name__ for each in ENDS])
def test_no_cookie_from_before_is_worth_anything_after(app, post, kay, cast, clock, figure, end):
    thief = Thief(app)
    browser = signed_in_and_watched(app, post, thief)
    assert thief.tries(), "the copies of a live session open something, or this test proves nothing"
    end(browser, post, kay, cast, clock, app)
    assert thief.tries() == [], f"after {end.__name__} a copied cookie still opens something"
    figure("sign-in, replay", f"{len(ENDS)} ways in which a session ends or changes: 0 old cookies accepted")


def test_a_planted_cookie_does_not_become_the_victims_session(app, post, kay, cast, client_for):
    """The attacker puts a cookie they know into the victim's browser: before, half-way through, or of their own session."""
    name = app.config["SESSION_COOKIE_NAME"]
    anonymous, half = app.test_client(), app.test_client()
    anonymous.get("/account/sign-in")
    oli = with_password(app, cast.oli)
    post(half, "/account/sign-in", {"email": oli.email, "password": PASSWORD})
    planted = [browser.get_cookie(name).value for browser in (anonymous, half, client_for("oli"))]
    for number, cookie in enumerate(planted):
        victim = app.test_client()
        victim.set_cookie(name, cookie)
        assert sign_in_over(post, victim, kay, number - 1).status_code == 303
        assert victim.get_cookie(name).value != cookie
        attacker = app.test_client()
        attacker.set_cookie(name, cookie)
        page = attacker.get("/account")
        assert page.status_code != 200 or b"Kay Kestrel" not in page.data


# --- Guesses -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def tested(monkeypatch):
    """Every password that was really held against a hash, with the hash."""
    seen, fits = [], hashing.fits

    def noting(password_hash, password):
        seen.append((password_hash, password))
        return fits(password_hash, password)

    monkeypatch.setattr(hashing, "fits", noting)
    return seen


def guess(visitor, email, password, address, **fields):
    return visitor.post("/account/sign-in", {"email": email, "password": password, **fields},
                        environ_overrides={"REMOTE_ADDR": address})  # fmt: skip


def test_thousands_of_guesses_test_ten_passwords_an_hour(app, kay, tested, clock, full, figure):
    """From one address and from thousands, however the email is written, over three hours."""
    chance, nobody = dice(full, "guesses"), Visitor(app, "nobody")
    hours, each = 3, (3400 if full else 70)
    for _ in range(hours):
        before = len(tested)
        for number in range(each):
            address = "203.0.113.9" if number % 4 == 0 else f"198.{chance.randrange(18, 20)}.{chance.randrange(256)}.{number % 256}"
            email = chance.choice([kay.email, kay.email.upper(), f" {kay.email} ", kay.email.title()])
            answer = guess(nobody, email, f"guess number {number}", address, **({"code": f"{number:06}"} if number % 3 == 0 else {}))
            assert answer.status in (422, 429), answer
        now = [password for password_hash, password in tested[before:] if password_hash == kay.password_hash]
        assert len(now) <= 10, f"{len(now)} passwords were tested within an hour"
        clock.move(minutes=61)
    failed = Event.select().where(Event.verb == "account.sign_in_failed").count()
    figure("sign-in, guesses", f"{hours * each} guesses over {hours} hours: at most 10 tested an account and hour, {failed} recorded")


def test_after_all_these_guesses_the_owner_gets_in(app, kay, clock):
    nobody = Visitor(app, "nobody")
    for number in range(30):
        guess(nobody, kay.email, f"guess {number}", f"203.0.113.{number}", code="123456")
    assert guess(nobody, kay.email, PASSWORD, "192.0.2.1").status == 429
    answer = guess(nobody, kay.email, PASSWORD, "192.0.2.1", code=code())
    assert (answer.status, answer.location) == (303, "/")


def test_ten_codes_an_hour_whoever_knows_the_password(app, post, kay, full, figure):
    """Half-way through: the six digits are guessed, from browsers that each gave the right password."""
    right, tries = code(), 200 if full else 40
    outcomes = []
    for number in range(tries):
        with app.app_context():
            outcomes.append(actions.second_step(Account.get_by_id(kay.id), f"{(int(right) + 1 + number) % 10**6:06}").outcome.name)
    assert outcomes.count("WRONG") <= 10 and set(outcomes) == {"WRONG", "THROTTLED"}
    with app.app_context():
        assert actions.second_step(Account.get_by_id(kay.id), right).outcome.name == "THROTTLED"
    figure("sign-in, codes", f"{tries} codes: at most 10 tested an hour")


# --- What the answers tell ----------------------------------------------------------------------------------------------


@pytest.fixture
def strangers(app, cast, kay):
    """Emails that must look alike to whoever has no password: known, unknown, deactivated, invited, a student's."""
    gone = with_password(app, cast.gil)
    Account.update(is_active=False).where(Account.id == gone.id).execute()
    return {"known": kay.email, "unknown": "nobody.at.all@school.example.org", "deactivated": gone.email,
            "invited": cast.mo.email, "student": cast.stu.email, "half an address": "kay@"}  # fmt: skip


def same(answers):
    return len({body for _, body in answers}) == 1, {name: len(body) for name, body in answers}


def test_the_answers_are_the_same_for_known_and_unknown(app, strangers):
    for path, fields in (("/account/sign-in", {"password": "not the right one"}), ("/account/password-link", {})):
        answers = []
        for name, email in strangers.items():
            if path == "/account/password-link" and name == "half an address":
                continue
            nobody = Visitor(app, "nobody")
            answer = nobody.post(path, {"email": email, **fields}, once=False)
            answers.append((name, masked(answer).replace(email.encode(), b"")))
        alike, sizes = same(answers)
        assert alike, f"{path} answers differently: {sizes}"
    throttled = []
    for name, email in strangers.items():
        nobody = Visitor(app, "nobody")
        for number in range(12):
            answer = guess(nobody, email, f"guess {number}", f"203.0.113.{number}")
        throttled.append((name, masked(answer).replace(email.encode(), b"")))
    alike, sizes = same(throttled)
    assert alike, f"the page of somebody throttled differs: {sizes}"


@pytest.mark.alone
def test_they_take_the_same_time(app, strangers, full, figure):
    """Processor time with hashes of the real cost, known and unknown by turns."""
    app.config["CHEAP_HASHES"] = False
    nobody, spent = Visitor(app, "nobody"), {"known": [], "unknown": []}
    with app.app_context():
        real = hashing.hashed(PASSWORD)
    Account.update(password_hash=real).where(Account.email == strangers["known"]).execute()
    rounds = 9 if full else 4
    for number in range(rounds):
        for name in ("known", "unknown"):
            began = time.process_time()
            assert guess(nobody, strangers[name], f"guess {number}", f"203.0.113.{number}").status == 422
            spent[name].append(time.process_time() - began)
    known, unknown = (statistics.median(spent[name][1:]) for name in ("known", "unknown"))
    assert abs(known - unknown) < 0.25 * max(known, unknown), f"known {1000 * known:.1f} ms, unknown {1000 * unknown:.1f} ms"
    figure("sign-in, timing", f"known {1000 * known:.1f} ms, unknown {1000 * unknown:.1f} ms of processor time (medians of {rounds - 1})")
