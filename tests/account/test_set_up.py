"""The first run: one page, one code, one Admin Key Holder."""

import stat
import threading

import permissions
from blueprints.account import actions, queries
from extensions import db
from models import Account, Event, School
from tests.account.people import is_in
from tests.web import text_of

FIELDS = {
    "school_name": "Heron Lane School",
    "name": "Ada Adler",
    "email": "ada@heron.example",
    "password": "eleven owls at breakfast",
}


def code_of(app):
    return (app.settings.instance / "setup.code").read_text()


def test_everything_leads_to_set_up(app, client):
    answer = client.get("/", follow_redirects=True)
    assert answer.request.path == "/setup"
    assert code_of(app) not in answer.get_data(as_text=True)


def test_the_terminal_names_page_and_code(app):
    with app.app_context():
        lines = "\n".join(queries.first_lines(app.settings))
        assert lines == "\n".join(queries.first_lines(app.settings)), "one code, however often it starts"
    assert f"{app.settings.base_url}/setup" in lines and code_of(app) in lines
    mode = (app.settings.instance / "setup.code").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


def test_setting_up(app, post, client):
    client.get("/setup")
    typed = code_of(app).lower().replace("-", " ")
    answer = post(client, "/setup", FIELDS | {"code": typed})
    assert (answer.status_code, answer.location) == (303, "/account/two-step/setup")
    ada = Account.get()
    assert (ada.role, ada.email, ada.is_active) == (permissions.ADMIN, "ada@heron.example", True)
    school = School.get()
    assert school.name == "Heron Lane School" and school.set_up_at
    assert client.get("/account/two-step/setup").status_code == 200
    assert client.get("/").location == "/account/two-step/setup"
    assert not (app.settings.instance / "setup.code").exists()
    assert client.get("/setup").status_code == 404
    assert app.test_client().get("/setup").status_code == 404
    with app.app_context():
        assert queries.first_lines(app.settings) == []
    assert Event.select().where(Event.verb == "school.set_up").get().actor_id == ada.id


def test_a_wrong_code_keeps_what_was_typed(app, post, client):
    answer = post(client, "/setup", FIELDS | {"code": "AAAAA-BBBBB"})
    assert answer.status_code == 422
    assert "not the set-up code" in text_of(answer)
    assert "Heron Lane School" in answer.get_data(as_text=True)
    assert not Account.select().exists()


def test_codes_are_throttled(app, post, client):
    for _ in range(20):
        post(client, "/setup", FIELDS | {"code": "AAAAA-BBBBB"})
    answer = post(client, "/setup", FIELDS | {"code": code_of(app)})
    assert answer.status_code == 422 and "Too many" in text_of(answer)


def test_a_weak_password_or_a_bad_email_is_refused(app, post, client):
    client.get("/setup")
    for wrong in ({"password": "heronlane2024!"}, {"email": "nobody"}, {"school_name": " "}, {"name": ""}):
        answer = post(client, "/setup", FIELDS | {"code": code_of(app)} | wrong)
        assert answer.status_code == 422, wrong
        assert f'id="{next(iter(wrong))}-error"' in answer.get_data(as_text=True)
    assert not Account.select().exists() and School.get().set_up_at is None


def test_of_two_at_once_one_becomes_the_admin(app, client):
    client.get("/setup")
    shown, outcomes = code_of(app), []

    def go(number):
        with app.app_context():
            try:
                actions.set_up_school(shown, "School", "Ada", f"ada{number}@heron.example", FIELDS["password"],
                                      instance=app.settings.instance)  # fmt: skip
                outcomes.append("made")
            except (permissions.NotVisible, actions.Refused) as problem:
                outcomes.append(type(problem).__name__)
        db.close()

    threads = [threading.Thread(target=go, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count("made") == 1
    assert Account.select().count() == 1


def test_there_is_no_set_up_once_there_is_an_admin(client, client_for, cast):
    assert client.get("/setup").status_code == 404
    assert client_for("oli").get("/setup").status_code == 404
    assert client.get("/account/sign-in").status_code == 200
    assert not is_in(client)
