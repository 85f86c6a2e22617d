"""What every request passes: the guard, the headers, one-time keys, error pages, and plain WSGI."""

import re
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest

from models import Event, Incident, IncidentAction, OneTimeKey
from tests import factories

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
}


def test_it_is_a_plain_wsgi_application(app, cast):
    def call(path):
        environ = {"SCRIPT_NAME": "", "PATH_INFO": path, "QUERY_STRING": ""}
        setup_testing_defaults(environ)
        answers = []
        body = validator(app)(environ, lambda status, headers, problem=None: answers.append(status) or (lambda _: None))
        try:
            text = b"".join(body)
        finally:
            body.close()
        return answers[0], text

    assert call("/health")[0] == "200 OK"
    status, text = call("/account/sign-in")
    assert status == "200 OK" and b"Password" in text
    assert call("/nowhere")[0].startswith("404")


@pytest.mark.parametrize("path", ["/", "/incidents", "/nowhere", "/incidents/I-ZZZZZZ", "/account"])
def test_headers_on_every_answer(client_for, cast, path):
    answer = client_for("kay").get(path)
    for name, value in HEADERS.items():
        assert answer.headers[name] == value
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy


def test_nobody_signed_in_is_led_to_sign_in_and_back(client, app):
    answer = client.get("/incidents?status=Active")
    assert answer.status_code == 302
    assert answer.location.endswith("/account/sign-in?next=/incidents?status%3DActive")


def test_a_foreign_host_is_refused(client, app):
    assert client.get("/account/sign-in", headers={"Host": "evil.example"}).status_code == 400


def test_cookies_are_closed_to_scripts_and_other_sites(client, cast):
    cookie = client.get("/account/sign-in").headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie


@pytest.mark.parametrize("who", ["kay", "oli"])
def test_missing_and_forbidden_are_one_404(client_for, cast, who):
    """Byte for byte, but for what masks: CSRF token, one-time keys, and the reference that was asked for."""
    hidden = factories.incident(cast.sam, [(cast.student, [factories.category(need_to_know=[cast.counselling])])])
    client = client_for(who)
    answers = [client.get(f"/incidents/{ref}") for ref in (hidden.ref, "I-ZZZZZZ")]
    assert [answer.status_code for answer in answers] == [404, 404]
    masked = [mask(answer.text) for answer in answers]
    assert masked[0] == masked[1]
    headers = [{name: value for name, value in answer.headers if name != "Set-Cookie"} for answer in answers]
    assert headers[0].keys() == headers[1].keys()
    denied = Event.select().where(Event.verb == "access.denied")
    assert denied.count() == 2


def mask(html):
    html = re.sub(r'name="csrf_token"[^>]*value="[^"]*"', "", html)
    return re.sub(r'name="once"[^>]*value="[^"]*"', "", html)


def test_no_token_no_change(client_for, cast):
    row = factories.incident(cast.sam, [cast.student])
    client = client_for("kay")
    assert client.post(f"/incidents/{row.ref}/status", data={"status": "Closed"}).status_code == 400
    assert Incident.get_by_id(row.id).status == "Active"


def test_a_form_sent_five_times_takes_effect_once(client_for, cast, post):
    row = factories.incident(cast.sam, [cast.student])
    client = client_for("kay")
    data = {"text": "Rang home.", "once": "the-same-key"}
    answers = [post(client, f"/incidents/{row.ref}/actions", data, form_url=f"/incidents/{row.ref}") for _ in range(5)]
    assert {answer.status_code for answer in answers} == {answers[0].status_code}
    assert {answer.location for answer in answers} == {answers[0].location}
    assert IncidentAction.select().count() == 1
    assert OneTimeKey.select().count() == 1


def test_a_refused_form_may_be_sent_again_with_its_key(client_for, cast, post):
    row = factories.incident(cast.sam, [cast.student])
    client = client_for("kay")
    page = f"/incidents/{row.ref}"
    assert post(client, f"{page}/actions", {"text": "", "once": "k"}, form_url=page).status_code == 422
    assert post(client, f"{page}/actions", {"text": "Done.", "once": "k"}, form_url=page).status_code < 400
    assert IncidentAction.select().count() == 1


def test_an_unexpected_problem_says_nothing_about_itself(app, client_for, cast, monkeypatch):
    from blueprints.incidents import queries

    def broken(*_arguments, **_options):
        raise RuntimeError("a secret in the message")

    monkeypatch.setattr(queries, "incident", broken)
    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)
    answer = client_for("kay").get("/incidents/I-ZZZZZZ")
    assert answer.status_code == 500 and "secret" not in answer.text and "Traceback" not in answer.text
