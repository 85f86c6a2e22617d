"""The school that is measured: a demo instance of 100,000 incidents and 10,000 cases, made once and copied for each run.

It is kept in CASEWARD_BENCH_FOLDER, or below the system's temporary folder, under a name that changes with the tables
and with the generator. On Postgres nothing is kept.
"""

import contextlib
import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from tests.services import ROOT, postgres

PASSWORD = "measuring tape and ladder"
MADE_FROM = ("migrations/*.py", "models.py", "blueprints/admin/demo*.py")


class Size(NamedTuple):
    """How much of everything `flask demo` is to make."""

    incidents: int = 100_000
    students: int = 2_000
    staff: int = 300
    groups: int = 200
    cases: int = 10_000


@dataclass
class World:
    """What to serve: the environment of Caseward, the database of the floor, and how to ask Caseward's directly."""

    environ: dict
    floor: str
    ask: object
    seconds_to_fill: float | None


@contextlib.contextmanager
def world(database, size):
    """The World on SQLite or on a PostgreSQL of its own; everything that is written to is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="caseward-bench-run-") as folder:
        made = _on_postgres if database == "postgres" else _on_sqlite
        with made(Path(folder), size) as found:
            yield found


@contextlib.contextmanager
def _on_sqlite(folder, size):
    name = "-".join(map(str, size))
    kept = _kept_folder() / f"{_fingerprint()}-{name}"
    seconds = None
    if not (kept / "ready").exists():
        for older in _kept_folder().glob(f"*-{name}"):
            shutil.rmtree(older, ignore_errors=True)
        kept.mkdir(parents=True, mode=0o700)
        seconds = _fill({"CASEWARD_INSTANCE": str(kept / "instance")}, size)
        _floor(str(kept / "floor.db"))
        (kept / "ready").touch()
    shutil.copytree(kept / "instance", folder / "instance")
    shutil.copy(kept / "floor.db", folder / "floor.db")
    place = folder / "instance" / "caseward.db"

    def ask(statement, *values):
        with contextlib.closing(sqlite3.connect(place)) as connection:
            return connection.execute(statement, values).fetchall()

    yield World({"CASEWARD_INSTANCE": str(folder / "instance")}, str(folder / "floor.db"), ask, seconds)


@contextlib.contextmanager
def _on_postgres(folder, size):
    with postgres() as server:
        environ = {"CASEWARD_INSTANCE": str(folder / "instance"), "CASEWARD_DATABASE": server.url("bench")}
        seconds = _fill(environ, size)
        _floor(server.url("floor"))

        def ask(statement, *values):
            import psycopg

            with psycopg.connect(environ["CASEWARD_DATABASE"], options="-c timezone=UTC") as connection:
                return connection.execute(statement.replace("?", "%s"), values).fetchall()

        yield World(environ, server.url("floor"), ask, seconds)


def _kept_folder():
    return Path(os.environ.get("CASEWARD_BENCH_FOLDER") or Path(tempfile.gettempdir()) / "caseward-bench")


def _fingerprint():
    digest = hashlib.sha256()
    for pattern in (*MADE_FROM, "benchmarks/floor.py"):
        for path in sorted(ROOT.glob(pattern)):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _fill(environ, size):
    """`flask demo`; returns how many seconds it took."""
    start = time.perf_counter()
    sizes = [word for name, number in size._asdict().items() for word in (f"--{name}", str(number))]
    run(["-m", "flask", "--app", "app", "demo", *sizes, "--seed", "7"], environ | {"CASEWARD_DEMO_PASSWORD": PASSWORD})
    return time.perf_counter() - start


def _floor(where):
    run(["-m", "benchmarks.floor", "fill", where], {})


def run(arguments, environ):
    """Python with these arguments and nothing else of the environment about Caseward; returns what it printed."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("CASEWARD_", "FLASK_"))}
    command = [sys.executable, *arguments]
    done = subprocess.run(command, cwd=ROOT, env=inherited | environ, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout
