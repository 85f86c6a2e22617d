"""/health: what a monitor is told, and that it is told nothing else."""

import os
from datetime import timedelta

import pytest
from peewee import SqliteDatabase

from extensions import clock, db
from models import Heartbeat, OutboxEmail, Session
from tests import factories


def test_a_fresh_start_is_healthy_and_says_that_no_backup_is_there(client, app):
    answer = client.get("/health")
    assert answer.status_code == 200 and answer.mimetype == "application/json"
    assert answer.json == {
        "status": "ok",
        "database": "ok",
        "queue": {"state": "ok", "oldest_due_email_seconds": None, "worker_seen_seconds_ago": None},
        "mail": "configured",
        "backup": {"state": "missing", "last": None},
    }


def test_it_makes_no_session_and_sets_no_cookie(client, app, cast, client_for):
    assert "Set-Cookie" not in client.get("/health").headers
    kay = client_for("kay")
    seen = Session.get().seen_at
    clock.move(minutes=5)
    kay.get("/health")
    assert Session.get().seen_at == seen


def test_a_worker_that_has_stopped_fails_the_queue(client, app):
    clock.move(minutes=6)
    answer = client.get("/health")
    assert answer.status_code == 503
    assert answer.json["status"] == "failed" and answer.json["queue"]["state"] == "failed"
    assert answer.json["database"] == "ok"
    Heartbeat.create(name="sweep", at=clock.now())
    assert client.get("/health").status_code == 200


def test_email_that_nobody_takes_fails_the_queue(client, app):
    person = factories.account()
    OutboxEmail.create(kind="password_link", account=person, message_id="one")
    assert client.get("/health").json["queue"]["oldest_due_email_seconds"] == 0
    clock.move(minutes=6)
    Heartbeat.create(name="sweep", at=clock.now())
    answer = client.get("/health")
    assert answer.status_code == 503 and answer.json["queue"]["oldest_due_email_seconds"] == 360


def test_email_that_waits_for_its_next_try_is_no_failure(client, app):
    later = clock.now() + timedelta(minutes=30)
    OutboxEmail.create(kind="password_link", account=factories.account(), message_id="one", next_try_at=later)
    clock.move(minutes=20)
    Heartbeat.create(name="sweep", at=clock.now())
    assert client.get("/health").status_code == 200


@pytest.mark.settings(CASEWARD_SMTP="")
def test_without_a_mail_server_email_may_wait(client, app):
    OutboxEmail.create(kind="password_link", account=factories.account(), message_id="one")
    clock.move(minutes=20)
    Heartbeat.create(name="sweep", at=clock.now())
    answer = client.get("/health")
    assert answer.status_code == 200 and answer.json["mail"] == "not configured"


def test_the_newest_backup_is_named(client, app):
    folder = app.settings.backups
    folder.mkdir()
    for name, seconds in (("old.zip", 1_000_000), ("new.zip", 1_700_000_000)):
        (folder / name).write_bytes(b"x")
        os.utime(folder / name, (seconds, seconds))
    assert client.get("/health").json["backup"] == {"state": "taken", "last": "2023-11-14T22:13:20+00:00"}


def test_a_broken_database_is_503_and_says_no_more(client, app, tmp_path):
    working = db.obj
    for broken in (tmp_path, tmp_path / "empty.db"):  # a folder, which can't be opened, and a file without tables
        db.initialize(SqliteDatabase(broken))
        answer = client.get("/health")
        db.close()
        db.initialize(working)
        assert answer.status_code == 503
        assert answer.json["database"] == "failed" and answer.json["queue"] == "unknown"
    assert client.get("/health").status_code == 200
