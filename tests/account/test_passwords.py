"""Set-password links and what makes a password too easy."""

import re

import pytest

import tasks
from blueprints.account import actions, hashing, queries, tokens
from models import Account, Event, OutboxEmail, PasswordLink
from tests.account.people import PASSWORD, code, is_in, sign_in, with_password
from tests.web import text_of

NEW = "eleven owls at breakfast"


def link_of(app, account):
    with app.app_context():
        return queries.newest_link_url(account).removeprefix(app.settings.base_url)


def test_a_link_by_email_sets_the_password_once(app, post, client, client_for, cast, smtp):
    kay = with_password(app, cast.kay)
    open_session = client_for("kay")
    answer = post(client, "/account/password-link", {"email": " KAY@school.example.org"})
    assert answer.location == "/account/password-link/sent"
    assert client.get(answer.location).status_code == 200
    with app.app_context():
        tasks.deliver()
    [mail] = smtp.wait_for(1, seconds=5)
    assert mail.to == [kay.email]
    assert "Kay" not in mail.text and "Kestrel" not in mail.text
    url = re.search(r"http://\S+", mail.text)[0].removeprefix(app.settings.base_url)
    assert url == link_of(app, kay)
    answer = post(client, url, {"password": NEW})
    assert answer.location == "/account/sign-in"
    assert not is_in(client), "the link signs nobody in"
    assert not is_in(open_session), "and signs out everywhere"
    assert client.get(url).status_code == 404
    assert sign_in(post, client, kay.email, NEW, with_code=code()).status_code == 303
    assert Event.select().where(Event.verb == "account.password_set").get().data == '{"by_link": true}'


def test_known_and_unknown_emails_get_the_same_answer(app, post, cast, count_queries):
    answers, statements = [], []
    for email in (cast.kay.email, "nobody@school.example.org"):
        client = app.test_client()
        with count_queries() as queries_:
            answer = post(client, "/account/password-link", {"email": email})
        answers.append((answer.status_code, answer.location, text_of(client.get(answer.location))))
        statements.append(queries_.statements)
    assert answers[0] == answers[1]
    assert statements[0] == statements[1]
    assert [row.account_id for row in OutboxEmail.select()] == [cast.kay.id]
    assert PasswordLink.select().count() == 1


def test_asking_is_throttled(app, post, cast):
    for _ in range(8):
        assert post(app.test_client(), "/account/password-link", {"email": cast.kay.email}).status_code == 303
    assert OutboxEmail.select().count() == 5


def test_a_link_ends_after_an_hour_and_is_not_sent_late(app, post, client, cast, clock, smtp):
    clock.freeze(clock.now())
    post(client, "/account/password-link", {"email": cast.kay.email})
    url = link_of(app, cast.kay)
    assert client.get(url).status_code == 200
    clock.move(minutes=61)
    assert client.get(url).status_code == 404
    with app.app_context():
        assert tasks.deliver() == 0
    assert OutboxEmail.get().dropped_why == "the link ran out before it could be sent"


def test_a_used_link_makes_the_others_worthless(app, post, client, cast):
    urls = []
    for _ in range(2):
        post(app.test_client(), "/account/password-link", {"email": cast.kay.email})
        urls.append(link_of(app, cast.kay))
    post(client, urls[0], {"password": NEW})
    assert client.get(urls[1]).status_code == 404


def test_two_who_use_one_link_at_the_same_time(app, cast):
    with app.app_context():
        actions.ask_password_link(cast.kay.email)
        token = link_of(app, cast.kay).rpartition("/")[2]
        first, second = queries.password_link(token), queries.password_link(token)
        actions.use_password_link(first, NEW)
        with pytest.raises(actions.Refused):
            actions.use_password_link(second, "seven owls at dinner time")
        assert hashing.fits(Account.get_by_id(cast.kay.id).password_hash, NEW)


@pytest.mark.parametrize("token", ["x", "a.b", "ImZvcmdlZCI.c2lnbmF0dXJl"])
def test_a_forged_link(client, cast, token):
    assert client.get(f"/account/password/{token}").status_code == 404


def test_a_link_of_a_deactivated_account(app, client, cast):
    with app.app_context():
        actions.ask_password_link(cast.kay.email)
    url = link_of(app, cast.kay)
    Account.update(is_active=False).where(Account.id == cast.kay.id).execute()
    assert client.get(url).status_code == 404


def test_a_weak_password_is_refused_at_its_field(app, post, client, cast):
    with app.app_context():
        actions.ask_password_link(cast.kay.email)
    url = link_of(app, cast.kay)
    answer = post(client, url, {"password": "kestrel-hill-kay"})
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.get_data(as_text=True)
    assert post(client, url, {"password": NEW}).status_code == 303, "the link is still good"


def test_the_mailbox_opens_a_throttled_account(app, post, cast):
    kay = with_password(app, cast.kay, two_step=False)
    for _ in range(11):
        sign_in(post, app.test_client(), kay.email, "some-guess-of-mine")
    with app.app_context():
        actions.ask_password_link(kay.email)
    post(app.test_client(), link_of(app, kay), {"password": NEW})
    assert sign_in(post, app.test_client(), kay.email, NEW).status_code == 303


ABOUT = ("Kay Kestrel", "kay@school.example.org", "Kestrel Hill School")


@pytest.mark.parametrize(
    "password",
    [
        "short-one-1",
        "x" * 201,
        "aaaaaaaaaaaaaa",
        "abababababababab",
        "abcabcabcabcabc",
        "123456789012345",
        "qwertyuiop123456",
        "zyxwvutsrqponm",
        "password1234",
        "Password!2024!",
        "P@ssw0rd2024!!!",
        "passwordpassword",
        "correct horse battery staple",
        "Welcome-2024-!!",
        "safeguarding2025",
        "caseward2026!!",
        "Kay.Kestrel.2024",
        "KestrelHill2024!",
        "kay@school.example.org",
    ],
)
def test_passwords_that_are_refused(password):
    assert hashing.problem_with(password, about=ABOUT)


@pytest.mark.parametrize(
    "password",
    [PASSWORD, NEW, "7392018475620193", "Pfannkuchen mit Zimt", "correct zebra lamp tuesday", "vR7!kq0-zLw2",
     "ein Päckchen Frühling", "密码很长但是很好记住的一句话"],
)  # fmt: skip
def test_passwords_that_will_do(password):
    assert hashing.problem_with(password, about=ABOUT) is None


def test_the_list_is_long_and_clean():
    assert len(hashing._common()) > 500
    assert all(word == word.strip().casefold() and " " not in word for word in hashing._common())


def test_one_password_however_it_is_composed(app):
    with app.app_context():
        assert hashing.fits(hashing.hashed("Cafe\u0301 au lait, deux"), "Caf\u00e9 au lait, deux")
        assert not hashing.fits(None, "anything-at-all")
        assert not hashing.fits("not a hash", "anything-at-all")


def test_tokens_of_one_purpose_are_worth_nothing_for_another(app, cast):
    with app.app_context():
        assert tokens.link_nonce(tokens.pending(cast.kay)) is None
        assert tokens.pending_ref(tokens.link_token("nonce")) is None
