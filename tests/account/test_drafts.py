"""Drafts: kept for one account, forgotten when the form was sent, and never brought back by a save that came late."""

import pytest

from blueprints.account import actions, queries
from models import Draft, OneTimeKey, Session
from tests.web import forms


def token(client):
    return forms(client.get("/account"))[0].values.get("csrf_token") or next(
        form.values["csrf_token"] for form in forms(client.get("/account")) if "csrf_token" in form.values
    )


def save(client, key="incident-new", **fields):
    return client.post(f"/drafts/{key}", data={"csrf_token": token(client), "once": "once-of-the-form", **fields})


def test_a_draft_comes_back_to_its_writer_only(client_for, cast):
    kay = client_for("kay")
    assert save(kay, text="A long story", students=["a", "b"]).status_code == 204
    draft = queries.draft(cast.kay, "incident-new")
    assert draft == {"text": ["A long story"], "students": ["a", "b"]}
    assert draft.saved_at
    assert queries.draft(cast.oli, "incident-new") is None
    assert queries.draft(cast.kay, "another-form") is None
    save(kay, text="A longer story")
    assert queries.draft(cast.kay, "incident-new") == {"text": ["A longer story"]}
    assert Draft.select().count() == 1
    assert not OneTimeKey.select().exists(), "saving a draft uses no form up"


def test_a_session_that_ended_saves_nothing_and_says_so(client, client_for, cast):
    kay = client_for("kay")
    csrf = token(kay)
    kay.get("/account")
    Session.delete().execute()
    answer = kay.post("/drafts/incident-new", data={"csrf_token": csrf, "text": "x"})
    assert answer.status_code == 401
    assert client.post("/drafts/incident-new", data={"text": "x"}).status_code == 400
    assert not Draft.select().exists()


def test_a_foreign_token_is_refused(client_for, cast):
    assert client_for("kay").post("/drafts/incident-new", data={"text": "x"}).status_code == 400


@pytest.mark.parametrize("key", ["UPPER", "a b", "x" * 81, "dot.dot"])
def test_odd_keys_are_missing(client_for, cast, key):
    assert save(client_for("kay"), key=key, text="x").status_code == 404


def test_a_huge_draft_is_refused(client_for, cast):
    assert save(client_for("kay"), text="x" * 301_000).status_code == 413
    assert save(client_for("kay"), text="x" * 290_000).status_code == 204


def test_a_sent_form_leaves_no_draft(client_for, cast):
    kay = client_for("kay")
    save(kay, text="A long story")
    actions.clear_draft("incident-new", actor=cast.kay, once="once-of-the-form")
    assert queries.draft(cast.kay, "incident-new") is None
    assert save(kay, text="A long story").status_code == 409, "a save that was under way comes too late"
    assert queries.draft(cast.kay, "incident-new") is None
    assert save(kay, text="The next one", once="once-of-the-next").status_code == 204
    assert queries.draft(cast.kay, "incident-new") == {"text": ["The next one"]}


def test_a_save_that_comes_late_without_a_draft_before(app, cast, clock):
    clock.freeze(clock.now())
    actions.clear_draft("incident-new", actor=cast.kay, once="the-one-sent")
    assert not actions.save_draft("incident-new", {"text": ["x"]}, once="the-one-sent", actor=cast.kay)
    assert actions.save_draft("incident-new", {"text": ["y"]}, once="another", actor=cast.kay)


def test_without_the_key_of_the_form_a_few_seconds_decide(app, cast, clock):
    clock.freeze(clock.now())
    actions.clear_draft("incident-new", actor=cast.kay)
    assert not actions.save_draft("incident-new", {"text": ["x"]}, once="some-form", actor=cast.kay)
    clock.move(seconds=6)
    assert actions.save_draft("incident-new", {"text": ["x"]}, once="some-form", actor=cast.kay)


def test_the_oldest_drafts_make_room(app, cast, clock):
    clock.freeze(clock.now())
    for number in range(53):
        clock.move(seconds=1)
        actions.save_draft(f"key-{number}", {"text": ["x"]}, once="o", actor=cast.kay)
    assert Draft.select().count() == 50
    assert queries.draft(cast.kay, "key-0") is None
    assert queries.draft(cast.kay, "key-52")


def test_odd_text_is_kept_as_it_was_typed(app, cast):
    fields = {"text": ["Zoë said “no” 🙂 \\u0000 <b>", ""], "empty": [""]}
    actions.save_draft("k", fields, once="o", actor=cast.kay)
    assert queries.draft(cast.kay, "k") == fields
