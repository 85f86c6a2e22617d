"""kill -9 in the middle of migrating, again and again: the next start goes on, and ends with the same schema."""

import time

import pytest
from playhouse.schema_diff import diff_models

import app as application
import config
import models
from extensions import db
from models import School
from tests.torture.support import children, dice


@pytest.fixture
def empty(request, environ, tmp_path):
    """The environment of an instance without any table; called, it makes another one."""
    number = iter(range(10_000))

    def make():
        folder = tmp_path / f"empty-{next(number)}"
        folder.mkdir(mode=0o700)
        without = {name: value for name, value in environ.items() if name != "CASEWARD_DATABASE"}
        return without | {"CASEWARD_INSTANCE": str(folder)} | request.getfixturevalue("_databases").empty()

    return make


def test_a_killed_migration_goes_on_where_it_was(app, empty, full, figure):
    chance, kills = dice(full, "migration"), 60 if full else 4
    in_time = 0
    with children() as start:
        child = start(empty(), "migrate")
        child.hear()
        began = time.monotonic()
        assert child.finish() == "done"
        takes = time.monotonic() - began
        for _ in range(kills):
            environ = empty()
            for _attempt in range(2):
                child = start(environ, "migrate")
                child.hear()
                until = time.monotonic() + chance.random() * takes
                while time.monotonic() < until and not child.heard():
                    time.sleep(0.0005)
                in_time += not child.heard()
                child.kill()
            assert start(environ, "migrate").finish() == "done"
            whole(environ)
    assert in_time, f"no kill came before the end ({takes:.2f} s): strike earlier"
    figure("kill -9, migration", f"{2 * kills} kills, {in_time} in the middle: the next start ends with the same schema")


def whole(environ):
    """The schema is that of models.py, there is one school, and there is nothing left to do."""
    before = db.obj
    try:
        assert application.migrate(config.load(environ)) == []
        db.connect(reuse_if_open=True)
        found = diff_models(db.obj, models.tables())
        # Postgres keeps the search index of incident texts in a column of its own, which no model has a use for
        extra = [each for each in [*found.drop_columns, *found.drop_indexes] if "text_index" not in str(each)]
        assert not extra and not found._replace(drop_columns=[], drop_indexes=[]), found
        assert School.select().count() == 1
        db.close()
    finally:
        db.initialize(before)
