"""Databases for tests: migrated once, filled once with what many tests start from, and put back before each test.

Must not import Caseward before a test asks for it, and must not decide what a test finds: tests/cast.py and
tests/access/world.py do.
"""

import pickle
import random
import shutil
import sqlite3
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests import services


class SqliteDatabases:
    """A file for each stage, copied for each test. "migrated" is there from the start; keep() adds others."""

    def __init__(self, folder: Path):
        self.folder = folder / "stages"
        self.folder.mkdir()
        _migrate({"CASEWARD_INSTANCE": str(folder)})
        self.keep("migrated", folder)

    def keep(self, stage: str, instance: Path) -> None:
        """Remembers the state of this instance's database, which nobody may have open."""
        connection = sqlite3.connect(instance / "caseward.db")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        shutil.copyfile(instance / "caseward.db", self.folder / stage)

    def clean(self, instance: Path, stage: str = "migrated") -> dict:
        """Settings of a database at this stage for this instance."""
        shutil.copyfile(self.folder / stage, instance / "caseward.db")
        return {}

    def empty(self) -> dict:
        """Settings of a database without any table."""
        return {}

    def borrow(self, settings) -> None:
        """Nothing is kept from test to test: each has a file of its own."""

    def give_back(self) -> None:
        from extensions import db

        db.close()

    def close(self) -> None:
        pass


class PostgresDatabases:
    """One database, put back to one of the stages before each test, in one round trip."""

    def __init__(self, folder: Path):
        self.server = services.PostgresServer()
        self.url = self.server.url("test")
        _migrate({"CASEWARD_INSTANCE": str(folder), "CASEWARD_DATABASE": self.url})
        import psycopg

        self._connection = psycopg.connect(self.url, autocommit=True)
        self._connection.execute(_REMEMBER_STAGES)
        self._made = 0
        self._connected = None
        _make_queue_once(self.url)
        self.keep("migrated", folder)

    def keep(self, stage: str, instance: Path) -> None:
        self._connection.execute("SELECT stages.keep(%s)", [stage])

    def clean(self, instance: Path, stage: str = "migrated") -> dict:
        self._connection.execute("SELECT stages.put_back(%s)", [stage])
        return {"CASEWARD_DATABASE": self.url}

    def empty(self) -> dict:
        self._made += 1
        return {"CASEWARD_DATABASE": self.server.url(f"empty_{self._made}")}

    def borrow(self, settings) -> None:
        """The connection that the test before has left: a new one would have to read up on every table first."""
        from extensions import db

        if settings.database_url == self.url:
            self._connected = self._connected or db.obj
            db.initialize(self._connected)

    def give_back(self) -> None:
        from extensions import db

        if db.obj is not self._connected or not self._is_usable():
            db.close()

    def _is_usable(self) -> bool:
        from psycopg.pq import TransactionStatus

        if self._connected.is_closed():
            return False
        connection = self._connected.connection()
        return not connection.closed and connection.info.transaction_status == TransactionStatus.IDLE

    def close(self) -> None:
        if self._connected is not None:
            self._connected.close()
        self._connection.close()
        self.server.stop()


def _make_queue_once(url: str) -> None:
    """The tables of the queue in the database at `url` are made now; the queue of each test need not look for them."""
    from huey.storage import PostgresStorage

    make = PostgresStorage.initialize_schema
    PostgresStorage("caseward", dsn=url, table_prefix="caseward_huey").close()
    PostgresStorage.initialize_schema = lambda storage: storage.dsn == url or make(storage)


# A stage is a schema with a copy of each table that has rows, and beside it what puts them back.
# Transactions that a test left open, perhaps in a thread, are ended first: the next test would wait for their locks.
# Replica mode lets foreign keys and the append-only triggers rest: only a superuser can set it, the application never.
_REMEMBER_STAGES = """
CREATE SCHEMA stages;
CREATE TABLE stages.statements (stage text, statement text);
CREATE FUNCTION stages.keep(stage text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE t text; filled boolean; kept text := 'stage_' || stage; columns text;
BEGIN
    EXECUTE format('CREATE SCHEMA %I', kept);
    FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM public.%I)', t) INTO filled;
        CONTINUE WHEN NOT filled;
        EXECUTE format('CREATE TABLE %I.%I AS TABLE public.%I', kept, t, t);
        SELECT string_agg(quote_ident(column_name), ', ') INTO columns FROM information_schema.columns
            WHERE table_schema = 'public' AND table_name = t AND is_generated = 'NEVER';
        INSERT INTO stages.statements VALUES (stage, format(
            'INSERT INTO public.%I (%s) OVERRIDING SYSTEM VALUE SELECT %s FROM %I.%I', t, columns, columns, kept, t));
    END LOOP;
    INSERT INTO stages.statements SELECT stage, format('SELECT setval(%L, %s, %L)',
            format('%I.%I', schemaname, sequencename), coalesce(last_value, start_value), last_value IS NOT NULL)
        FROM pg_sequences WHERE schemaname = 'public';
END $$;
CREATE FUNCTION stages.put_back(wanted text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE t text;
BEGIN
    PERFORM pg_terminate_backend(pid, 5000) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
              AND state <> 'idle';
    PERFORM set_config('session_replication_role', 'replica', true);
    FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
        EXECUTE format('DELETE FROM public.%I', t);
    END LOOP;
    FOR t IN SELECT statement FROM stages.statements WHERE stage = wanted LOOP
        EXECUTE t;
    END LOOP;
END $$;
"""


def _migrate(environ: dict) -> None:
    import app
    import config

    app.migrate(config.load(environ))


class Stages:
    """What many tests start from, made once and copied for each: "cast" (tests/cast.py) and "whole_school"
    (tests/access/world.py)."""

    def __init__(self, databases, app, folder: Path, sign_in, seeded: bool):
        """`sign_in(app, account)` returns a cookie; `seeded`: references, by which much is sorted, are those of every run."""
        self._databases, self._app, self._folder, self._made = databases, app, folder, {}
        self._sign_in, self._seeded = sign_in, seeded

    def put(self, stage: str, instance: Path) -> dict:
        """The settings of an instance at this stage: its database, its key and its files."""
        if stage not in self._made:
            self._make(stage)
        shutil.copytree(self._folder / stage, instance, dirs_exist_ok=True)
        return self._databases.clean(instance, stage)

    def rows(self, stage: str):
        """A copy of what its maker returned, of this test alone."""
        return pickle.loads(self._made[stage])

    def _make(self, stage):
        import app as application
        import config
        from extensions import clock, db, workers
        from tests import cast
        from tests.access import world

        instance = self._folder / f"{stage}-made"
        instance.mkdir(mode=0o700)
        application.configure(self._app, config.load({"CASEWARD_INSTANCE": str(instance), **self._databases.clean(instance)}))
        with self._app.app_context(), self._references_of(stage):
            made = {"cast": cast.make, "whole_school": lambda: world.make(self._app, self._sign_in)}[stage]()
        clock.thaw()
        db.close()
        workers.huey.storage.close()
        self._databases.keep(stage, instance)
        ours = shutil.ignore_patterns("caseward.db*", "huey.db*")
        shutil.copytree(instance, self._folder / stage, ignore=ours)
        self._made[stage] = pickle.dumps(made)

    @contextmanager
    def _references_of(self, stage):
        import models

        with pytest.MonkeyPatch.context() as patch:
            if self._seeded:
                patch.setattr(models, "secrets", SimpleNamespace(choice=random.Random(stage).choice))
            yield
