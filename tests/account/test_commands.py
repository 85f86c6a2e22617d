"""`flask user …`: what the operator at the server can do without an Admin Key Holder."""

import json

import pytest

from models import Account, Event, OutboxEmail
from tests.account.people import is_in, sign_in, with_password


@pytest.fixture
def run(app):
    return lambda *words, **options: app.test_cli_runner().invoke(args=["user", *words], **options)


def test_adding_with_a_password(app, run, post, client):
    result = run("add", "Rae@Partner.example", "--name", "Rae Raven", "--role", "referral user", "--password-stdin",
                 input="eleven owls at breakfast\n")  # fmt: skip
    assert result.exit_code == 0, result.output
    assert "Referral User" in result.output and "owls" not in result.output
    rae = Account.get(Account.email == "Rae@Partner.example")
    assert rae.email_folded == "rae@partner.example"
    event = Event.select().where(Event.verb == "account.added").get()
    assert event.actor_id is None and json.loads(event.data) == {"by": "operator", "role": "referral_user"}
    run("add", "a@b.example", "--name", "Ada", "--role", "admin", "--password-stdin", input="eleven owls at breakfast")
    assert sign_in(post, client, "rae@partner.example", "eleven owls at breakfast").status_code == 303


def test_adding_without_one_invites(app, run):
    result = run("add", "kay@school.example", "--name", "Kay Kestrel", "--role", "Key User")
    assert result.exit_code == 0 and "invitation" in result.output
    assert OutboxEmail.get().kind == "invitation"


@pytest.mark.settings(CASEWARD_SMTP="")
def test_without_mail_the_link_is_printed(app, run, client):
    result = run("add", "ada@school.example", "--name", "Ada Adler", "--role", "Admin Key Holder")
    url = result.output.split()[-1]
    assert client.get(url.removeprefix(app.settings.base_url)).status_code == 200


@pytest.mark.parametrize(
    "words, sentence",
    [
        (["kay@school.example.org", "--name", "K", "--role", "staff"], "already"),
        (["nobody", "--name", "K", "--role", "staff"], "not an email"),
        (["k@b.example", "--name", "K", "--role", "boss"], "is no role"),
        (["k@b.example", "--name", " ", "--role", "staff"], "Give the name"),
        (["k@b.example", "--name", "K", "--role", "staff", "--password-stdin"], "at least 12"),
    ],
)
def test_what_is_refused(run, cast, words, sentence):
    before = Account.select().count()
    result = run("add", *words, input="short\n")
    assert result.exit_code == 1
    assert sentence in result.output and "Traceback" not in result.output
    assert Account.select().count() == before


def test_resetting_the_second_step(app, run, client_for, cast):
    kay = with_password(app, cast.kay)
    client = client_for("kay")
    assert run("reset-two-step", "KAY@school.example.org").exit_code == 0
    now = Account.get_by_id(kay.id)
    assert now.two_step_at is None and now.totp_secret is None
    assert not is_in(client)
    assert run("reset-two-step", "nobody@x.example").exit_code == 1


def test_deactivating(run, client_for, cast):
    client = client_for("kay")
    assert run("deactivate", cast.kay.email).exit_code == 0
    assert not is_in(client)
    result = run("deactivate", cast.ada.email)
    assert result.exit_code == 1 and "last active Admin Key Holder" in result.output
    assert Account.get_by_id(cast.ada.id).is_active
