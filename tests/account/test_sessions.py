"""Sessions are listed and can be ended: by their owner, and by Admin Key Holders."""

import pytest

from models import Account, Event, Session
from tests.account.people import PASSWORD, is_in, with_password
from tests.web import filled_in, text_of


def newest(account):
    return Session.select().where(Session.account == account).order_by(Session.id.desc()).get()


def test_the_account_page_lists_browsers(app, client_for, cast):
    client = client_for("kay")
    other = client_for("kay")
    other.get("/account")
    words = text_of(client.get("/account"))
    assert "This one" in words and "Sign out everywhere else" in words
    assert words.count("127.0.0.1") <= 2


@pytest.mark.parametrize("who", ["ada", "oli", "rae", "stu"])
def test_everybody_has_an_account_page(client_for, who):
    assert client_for(who).get("/account").status_code == 200


def test_nobody_signed_out_has_one(client, cast):
    for url in ("/account", "/account/details", "/account/password", "/account/two-step/setup"):
        assert client.get(url).status_code == 302


def test_ending_another_browser(post, client_for, cast):
    lost, here = client_for("kay"), client_for("kay")
    ref = Session.select().order_by(Session.id).first().ref
    answer = post(here, f"/account/sessions/{ref}/revocation", form_url="/account")
    assert answer.status_code == 303
    assert not is_in(lost) and is_in(here)
    event = Event.select().where(Event.verb == "account.session_revoked").get()
    assert (event.actor_id, event.target) == (cast.kay.id, cast.kay.ref)


def test_oli_cannot_end_kays_session(post, client_for, cast):
    kay, oli = client_for("kay"), client_for("oli")
    answers = [
        post(oli, f"/account/sessions/{ref}/revocation", form_url="/account")
        for ref in (newest(cast.kay).ref, "ZZZZZZZZZZ")
    ]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert is_in(kay)


def test_signing_out_everywhere_else(post, client_for, cast):
    others, here = [client_for("kay"), client_for("kay")], client_for("kay")
    answer = post(here, "/account/sessions/revocation", form_url="/account", follow=True)
    assert "2 other browsers" in text_of(answer)
    assert is_in(here) and not any(map(is_in, others))


def test_changing_the_password_rotates_this_session_and_ends_the_others(app, post, client_for, cast):
    with_password(app, cast.kay)
    other, here = client_for("kay"), client_for("kay")
    before = here.get_cookie("caseward").value
    answer = post(here, "/account/password", {"current": PASSWORD, "password": "eleven owls at breakfast"})
    assert answer.status_code == 303
    assert is_in(here) and not is_in(other)
    thief = app.test_client()
    thief.set_cookie("caseward", before)
    assert not is_in(thief)
    assert Event.select().where(Event.verb == "account.password_set").get().data == '{"by_link": false}'


def test_a_wrong_present_password_changes_nothing(app, post, client_for, cast):
    kay = with_password(app, cast.kay)
    client = client_for("kay")
    fields = {"current": "not-the-one-i-have", "password": "eleven owls at breakfast"}
    answers = [post(client, "/account/password", fields) for _ in range(11)]
    assert {answer.status_code for answer in answers} == {422}
    assert "not your present password" in text_of(answers[0])
    assert "Too many" in text_of(answers[-1])
    assert Account.get_by_id(kay.id).password_hash == kay.password_hash


def test_changing_own_details(post, client_for, cast):
    client = client_for("sam")
    post(client, "/account/details", {"title": "Head of Year 9", "phone": "0123"})
    sam = Account.get_by_id(cast.sam.id)
    assert (sam.title, sam.phone, sam.role) == ("Head of Year 9", "0123", "staff")


def test_a_role_smuggled_into_own_details_does_nothing(post, client_for, cast):
    post(client_for("sam"), "/account/details", {"title": "x", "role": "admin", "email": "a@b.example", "name": "Ada"})
    sam = Account.get_by_id(cast.sam.id)
    assert (sam.role, sam.name, sam.email) == ("staff", "Sam Swift", "sam@school.example.org")


def test_two_browsers_change_own_details(post, client_for, cast):
    client = client_for("sam")
    page = client.get("/account/details")
    Account.get_by_id(cast.sam.id).change(1, title="Set elsewhere")
    body = filled_in(page, "/account/details", {"title": "Typed here"})
    answer = client.post("/account/details", data=body)
    assert answer.status_code == 409
    assert "Set elsewhere" in text_of(answer) and "Typed here" in answer.get_data(as_text=True)
    body = filled_in(answer, "/account/details", {})
    assert client.post("/account/details", data=body).status_code == 303
    assert Account.get_by_id(cast.sam.id).title == "Typed here"
