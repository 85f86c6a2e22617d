"""Settings: each wrong one stops the start with a sentence that names it and says how it is mended."""

import os

import pytest

import config


def load(tmp_path, **environ):
    return config.load({"CASEWARD_INSTANCE": str(tmp_path / "instance"), **environ})


def test_defaults(tmp_path):
    settings = load(tmp_path)
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert settings.base_url == "http://127.0.0.1:8000"
    assert settings.database_url is None and settings.smtp is None
    assert not settings.secure_cookies


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CASEWARD_BIND", "8000"),
        ("CASEWARD_BIND", "example.org:80"),
        ("CASEWARD_BIND", "127.0.0.1:99999"),
        ("CASEWARD_DATABASE", "mysql://localhost/x"),
        ("CASEWARD_DATABASE", "postgresql://localhost"),
        ("CASEWARD_SMTP", "mail.school.example"),
        ("CASEWARD_SMTP", "smtp://"),
        ("CASEWARD_SMTP", "smtp://host:port"),
        ("CASEWARD_MAIL_FROM", "nobody"),
        ("CASEWARD_MAIL_FROM", "a@b.example\r\nBcc: x@y.example"),
        ("CASEWARD_BASE_URL", "caseward.school.example"),
        ("CASEWARD_BASE_URL", "http://caseward.school.example"),
        ("CASEWARD_TRUSTED_PROXY", "proxy"),
        ("CASEWARD_TIMEZONE", "Mars/Olympus"),
        ("CASEWARD_WEB_PROCESSES", "many"),
    ],
)
def test_a_wrong_setting_stops_the_start_and_is_named(tmp_path, name, value):
    with pytest.raises(config.ConfigError) as problem:
        load(tmp_path, **{name: value})
    assert name in str(problem.value)
    assert str(problem.value).rstrip().endswith((".", "out."))


def test_passwords_of_addresses_never_reach_the_sentence(tmp_path):
    for name, value in {
        "CASEWARD_SMTP": "smtp://user:hunter2hunter2@",
        "CASEWARD_DATABASE": "mysql://u:hunter2hunter2@h/d",
    }.items():
        with pytest.raises(config.ConfigError) as problem:
            load(tmp_path, **{name: value})
        assert "hunter2" not in str(problem.value)


def test_smtp_in_its_three_kinds(tmp_path):
    smtp = load(tmp_path, CASEWARD_SMTP="smtp+starttls://me%40x:p%3Aw@mail.example:2587").smtp
    assert (smtp.host, smtp.port, smtp.security) == ("mail.example", 2587, "starttls")
    assert (smtp.username, smtp.password) == ("me@x", "p:w")
    assert load(tmp_path, CASEWARD_SMTP="smtps://mail.example").smtp.port == 465
    assert load(tmp_path, CASEWARD_SMTP="smtp://mail.example").smtp.username is None


def test_the_key_is_made_once_and_kept_private(tmp_path):
    first, second = load(tmp_path), load(tmp_path)
    assert first.secret_key == second.secret_key and len(first.secret_key) == 32
    path = first.instance / "secret.key"
    assert path.stat().st_mode & 0o077 == 0
    os.chmod(path, 0o644)
    with pytest.raises(config.ConfigError, match="chmod 600"):
        load(tmp_path)


def test_a_short_key_is_refused(tmp_path):
    path = load(tmp_path).instance / "secret.key"
    path.write_text("short")
    with pytest.raises(config.ConfigError, match="too short"):
        load(tmp_path)


def test_an_instance_that_can_not_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(config.ConfigError, match="CASEWARD_INSTANCE"):
        config.load({"CASEWARD_INSTANCE": str(tmp_path / "file" / "below")})


def test_https_makes_cookies_secure(tmp_path):
    assert load(tmp_path, CASEWARD_BASE_URL="https://caseward.school.example").secure_cookies
