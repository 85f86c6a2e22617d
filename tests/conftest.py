"""What every test can ask for: the application on a clean database, people signed in on it, and the world around it.

CASEWARD_TEST_DATABASE=sqlite|postgres says which database is meant. CSRF stays on and nothing is mocked here: tests
meet the real database, a real SMTP server and a real browser. Must not import Caseward before a test asks for it.
"""

import gc
import logging
import os
import shutil
import threading
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit

import hypothesis
import pytest

from tests import databases, services, web

DATABASE = os.environ.get("CASEWARD_TEST_DATABASE", "sqlite")
FULL = os.environ.get("CASEWARD_TORTURE") == "full"
FIGURES = services.ROOT / "docs" / "trust-figures.md"
_figures: dict[tuple[str, str], str] = {}


def pytest_configure(config):
    memory = Path("/dev/shm")
    if not config.option.basetemp and memory.is_dir() and os.access(memory, os.W_OK):
        # SQLite waits for the disk at every commit: tests that are not about the disk need not.
        config.option.basetemp = str(memory / f"caseward-tests-{os.getpid()}")
    if DATABASE not in ("sqlite", "postgres"):
        raise pytest.UsageError(f"CASEWARD_TEST_DATABASE is {DATABASE!r}: use sqlite or postgres")
    # no time limit an example: the machine is shared; the same examples each time, except where we go looking for more
    hypothesis.settings.register_profile("caseward", deadline=None, derandomize=not FULL, print_blob=True)
    hypothesis.settings.load_profile("caseward")


def pytest_unconfigure(config):
    if (config.option.basetemp or "").startswith("/dev/shm/caseward-tests-"):
        shutil.rmtree(config.option.basetemp, ignore_errors=True)


def pytest_report_header(config):
    return f"database under test: {DATABASE}"


def pytest_collection_finish(session):
    """What is imported by now stays until the end: the garbage collector need not look through it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def pytest_collection_modifyitems(items):
    """Whatever lies in tests/browser or tests/torture is marked so."""
    for item in items:
        for name in ("browser", "torture"):
            if Path(__file__).parent / name in item.path.parents:
                item.add_marker(name)


# ------------------------------------------------------------------------------- databases and worlds, made once


@pytest.fixture(scope="session")
def _databases(tmp_path_factory):
    kind = {"sqlite": databases.SqliteDatabases, "postgres": databases.PostgresDatabases}[DATABASE]
    made = kind(tmp_path_factory.mktemp("template"))
    yield made
    made.close()


@pytest.fixture(scope="session")
def _stages(_databases, _wired, tmp_path_factory):
    return databases.Stages(_databases, _wired, tmp_path_factory.mktemp("stages"), _sign_in, seeded=not FULL)


@pytest.fixture
def _stage(request) -> str:
    """Where this test starts: it says so by what it asks for."""
    return next((stage for stage in ("whole_school", "cast") if stage in request.fixturenames), "migrated")


# ------------------------------------------------------------------------------------------------ the application


@pytest.fixture
def database() -> str:
    """Which database is under test: "sqlite" or "postgres"."""
    return DATABASE


@pytest.fixture
def environ(request, tmp_path, _databases, _stages, _stage, _smtp_server) -> dict:
    """The environment the application under test is configured with, on a clean database."""
    instance = tmp_path / "instance"
    instance.mkdir(mode=0o700)
    given = {
        "CASEWARD_INSTANCE": str(instance),
        "CASEWARD_BIND": f"127.0.0.1:{services.free_port()}",
        "CASEWARD_SMTP": f"smtp://127.0.0.1:{_smtp_server.port}",
        **(_databases.clean(instance) if _stage == "migrated" else _stages.put(_stage, instance)),
    }
    for marker in request.node.iter_markers("settings"):
        given |= marker.kwargs
    return given


@pytest.fixture
def settings(environ):
    """The Settings made of `environ`."""
    import config

    return config.load(environ)


@pytest.fixture
def app(settings, request, _databases, _wired):
    """The application on a clean, migrated database. No application context is pushed: requests would share its g."""
    import app as application
    from extensions import clock, workers

    if request.node.get_closest_marker("settings"):
        made = _wire(application.create_app(settings), request.getfixturevalue("_bytecode"))
    else:
        made = _wired
        application.configure(made, settings)
        # as new, whatever the test before has done and however long ago the first one was
        made.config["CHEAP_HASHES"] = True
        made.extensions["caseward_started"] = clock.now()
    _databases.borrow(settings)
    yield made
    _databases.give_back()
    workers.huey.storage.close()


@pytest.fixture(scope="session")
def _wired(tmp_path_factory, _databases, _bytecode):
    """One application for all tests that keep the default settings: wiring its routes takes longer than most tests."""
    import app as application
    import config

    folder = tmp_path_factory.mktemp("wired")
    return _wire(application.create_app(config.load({"CASEWARD_INSTANCE": str(folder)})), _bytecode)


def _wire(made, bytecode):
    made.testing = True
    made.config["CHEAP_HASHES"] = True
    made.jinja_env.bytecode_cache = bytecode
    made.teardown_appcontext(_close_in_other_threads)
    return made


@pytest.fixture(scope="session")
def _bytecode(tmp_path_factory):
    """Templates are compiled once for all tests, not once for each."""
    from jinja2 import FileSystemBytecodeCache

    return FileSystemBytecodeCache(str(tmp_path_factory.mktemp("templates")))


def _close_in_other_threads(_problem):
    """Threads of a test server end with their test: they keep no connection for the next one to stumble over."""
    from extensions import db

    if threading.current_thread() is not threading.main_thread() and not db.is_closed():
        db.close()


@pytest.fixture
def clock():
    """The application's clock: freeze(moment), move(hours=1); goes on by itself after the test."""
    from extensions import clock

    yield clock
    clock.thaw()


@pytest.fixture(autouse=True)
def _running_clock():
    yield
    from extensions import clock

    clock.thaw()


@pytest.fixture
def cast(app, request, _stage, _stages):
    """Ada, Kay, Ken, Gil, Mo, Sam, Rae, Stu and Oli, made by tests/cast.py."""
    from tests.cast import make

    if _stage == "whole_school":
        return request.getfixturevalue("whole_school").cast
    if _stage == "cast":
        return _stages.rows("cast")
    with app.app_context():  # asked for in the middle of a test
        return make()


@pytest.fixture
def whole_school(app, clock, _stages):
    """The school of tests/access/world.py with its cast and a session of each, at a moment that stands still."""
    made = _stages.rows("whole_school")
    made.settings = app.settings
    clock.freeze(made.moment)
    return made


# ------------------------------------------------------------------------------------------------------ signing in


def _sign_in(app, account) -> str:
    """The cookie of a browser on which this account has signed in, with two steps."""
    from blueprints.account import actions, queries
    from extensions import clock
    from models import Account, School

    with app.test_request_context():
        if queries.must_set_up_two_step(Account.get_by_id(account.id), School.get()):
            # else every page would first ask this person to set up the second step
            Account.update(totp_secret="A" * 32, two_step_at=clock.now()).where(Account.id == account.id).execute()
        token = actions.start_session(account, two_step=True)
    return app.session_interface.get_signing_serializer(app).dumps({"_user_id": token, "_fresh": True})


@pytest.fixture
def cookie_for(app, request) -> Callable:
    """cookie_for("kay") or cookie_for(account): the value of a signed-in session cookie."""

    def cookie(who):
        return _sign_in(app, getattr(request.getfixturevalue("cast"), who) if isinstance(who, str) else who)

    return cookie


@pytest.fixture
def client(app):
    """A client nobody has signed in on."""
    return app.test_client()


@pytest.fixture
def client_for(app, cookie_for) -> Callable:
    """client_for("kay") or client_for(account): a new client, signed in."""

    def client(who):
        made = app.test_client()
        made.set_cookie(app.config["SESSION_COOKIE_NAME"], cookie_for(who))
        return made

    return client


@pytest.fixture
def post() -> Callable:
    """post(client, url, data, …): sends the page's own form, as a browser would. See tests/web.py."""
    return web.post


# ------------------------------------------------------------------------------------------------ around the house


@pytest.fixture(scope="session")
def _smtp_server():
    server = services.SmtpListener()
    yield server
    server.stop()


@pytest.fixture
def smtp(_smtp_server):
    """The SMTP server that the application under test sends to, healthy and empty."""
    _smtp_server.reset()
    yield _smtp_server
    _smtp_server.reset()


@dataclass
class Queries:
    """The statements counted so far; BEGIN, COMMIT and savepoints are not counted."""

    statements: list[str] = field(default_factory=list)

    def __len__(self):
        return len(self.statements)


class _Collector(logging.Handler):
    def __init__(self, queries: Queries):
        super().__init__(logging.DEBUG)
        self.queries = queries

    def emit(self, record):
        sql = record.msg[0] if isinstance(record.msg, tuple) else ""
        if sql.lstrip("( ").upper().startswith(("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")):
            self.queries.statements.append(sql)


@pytest.fixture
def count_queries() -> Callable:
    """`with count_queries() as q:` then len(q); `with count_queries(most=10):` fails when there were more."""

    @contextmanager
    def count(most: int | None = None):
        queries, logger = Queries(), logging.getLogger("peewee")
        collector, before = _Collector(queries), (logger.level, logger.propagate)
        logger.addHandler(collector)
        logger.setLevel(logging.DEBUG)
        logger.propagate = False
        try:
            yield queries
        finally:
            logger.removeHandler(collector)
            logger.level, logger.propagate = before
            logger.setLevel(before[0])
        if most is not None and len(queries) > most:
            raise AssertionError(f"{len(queries)} queries, at most {most} allowed:\n" + "\n".join(queries.statements))

    return count


class Site:
    """The application under test behind waitress, in threads of this process."""

    def __init__(self, app):
        from waitress.server import create_server

        self.url = f"http://127.0.0.1:{app.settings.port}"
        self._map = {}
        self._server = create_server(app, map=self._map, host="127.0.0.1", port=app.settings.port, threads=2)
        self._thread = threading.Thread(target=self._server.run, name="site", daemon=True)
        self._thread.start()

    def stop(self):
        from waitress import wasyncore

        # closing every channel from inside empties the map, which ends the loop
        self._server.trigger.pull_trigger(lambda: wasyncore.close_all(self._map, ignore_all=True))
        self._thread.join(10)
        self._server.task_dispatcher.shutdown()


@pytest.fixture
def site(app):
    """The app of this test, served over HTTP at site.url; no worker."""
    served = Site(app)
    yield served
    served.stop()


@pytest.fixture
def live(environ, tmp_path, _databases, request) -> Callable:
    """live(): the real `python app.py` on this test's instance and database; live(shared=False): on empty ones.

    Further settings by name: live(CASEWARD_TIMEZONE="Europe/Paris"). `args=("app.py", "web")` starts something else.
    """
    started = []

    def start(shared=True, args=("app.py",), **given):
        if shared:
            base = {name: value for name, value in environ.items() if name != "CASEWARD_BIND"}
        else:
            folder = tmp_path / f"instance-{len(started) + 1}"
            base = {"CASEWARD_INSTANCE": str(folder), "CASEWARD_SMTP": environ["CASEWARD_SMTP"], **_databases.empty()}
        started.append(services.LiveServer(base | given, args=args))
        return started[-1]

    yield start
    for server in started:
        server.kill()


# ---------------------------------------------------------------------------------------------------------- browser


@pytest.fixture(scope="session")
def browser():
    """One Chromium for all tests; every page has a context of its own."""
    from playwright.sync_api import expect

    expect.set_options(timeout=10_000)  # as long as page_for() waits for everything else
    with services.browser() as launched:
        yield launched


@pytest.fixture
def page_for(request, browser, app, cookie_for) -> Callable:
    """page_for("kay"): a page signed in as Kay. Script errors, CSP reports and foreign requests fail the test."""
    opened = []

    def page(who=None, server=None, width=1366, height=768, scheme="light", tolerate=False):
        served = server or request.getfixturevalue("site")
        context = browser.new_context(
            base_url=served.url, viewport={"width": width, "height": height}, color_scheme=scheme,
            locale="en-GB", timezone_id="Europe/London", reduced_motion="reduce")
        context.set_default_timeout(10_000)
        if who is not None:
            name = app.config["SESSION_COOKIE_NAME"]
            context.add_cookies([{"name": name, "value": cookie_for(who), "url": served.url, "httpOnly": True}])
        made = context.new_page()
        made.problems = _watch(made, urlsplit(served.url).netloc)
        opened.append((context, made.problems, tolerate))
        return made

    yield page
    problems = []
    for context, found, tolerate in opened:
        context.close()
        problems += [] if tolerate else found
    assert not problems, "the browser complained:\n" + "\n".join(problems)


def _watch(page, host: str) -> list[str]:
    """Collects what a page does wrong, as sentences."""
    problems: list[str] = []

    def console(message):
        # the browser also reports each answer of 4xx so; tests look at those themselves
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            problems.append(f"{page.url}: {message.text}")

    def asked(request):
        if urlsplit(request.url).scheme in ("http", "https") and urlsplit(request.url).netloc != host:
            problems.append(f"{page.url}: asked another host for {request.url}")

    page.on("console", console)
    page.on("pageerror", lambda error: problems.append(f"{page.url}: {error}"))
    page.on("request", asked)
    return problems


@pytest.fixture(scope="session")
def axe() -> Callable:
    """axe(page): fails with what axe-core finds on the page as it stands; axe(page, [rules]): with what these find."""
    source = files("axe_playwright_python").joinpath("axe.min.js").read_text()
    run = "options => axe.run(document, options).then(result => result.violations)"

    def check(page, only=None):
        if not page.evaluate("'axe' in window"):
            page.evaluate(source)
        rules = {"runOnly": {"type": "rule", "values": only}} if only else {"rules": {"target-size": {"enabled": True}}}
        found = page.evaluate(run, {"resultTypes": ["violations"], **rules})
        assert not found, f"axe found {len(found)} on {page.url}:\n" + "\n".join(map(_axe_words, found))

    return check


def _axe_words(violation: dict) -> str:
    lines = [f"{violation['id']} ({violation['impact']}): {violation['help']}"]
    for node in violation["nodes"][:5]:
        lines.append(f"    {' '.join(map(str, node['target']))}: {node['html'][:200]}")
        lines.append(f"        {(node.get('failureSummary') or '').replace(chr(10), ' ')[:300]}")
    return "\n".join(lines)


# ---------------------------------------------------------------------------------------------------------- figures


@pytest.fixture
def full() -> bool:
    """True in `make torture`: full counts; False: the bounded run of `make test`."""
    return FULL


@pytest.fixture
def figure(request) -> Callable:
    """figure("kill -9", "200 kills, 0 lost"): what a test measured; `make torture` keeps it (docs/trust-figures.md)."""

    def keep(what: str, text: str) -> None:
        request.node.user_properties.append(("figure", (what, text)))

    return keep


def pytest_runtest_logreport(report):
    """Reports arrive here from every process that runs tests."""
    for name, value in report.user_properties:
        if name == "figure":
            what, text = value
            _figures[what, DATABASE] = text


def pytest_terminal_summary(terminalreporter):
    if not _figures:
        return
    terminalreporter.section("figures")
    for (what, kind), text in sorted(_figures.items()):
        terminalreporter.write_line(f"{what} ({kind}): {text}")
    if FULL:
        _write_figures()


def _write_figures() -> None:
    """Lays the new figures over those that the other database's run, or an earlier one, left."""
    kept = {}
    if FIGURES.exists():
        rows = [line.strip("| \n").split(" | ") for line in FIGURES.read_text().splitlines() if line.startswith("| ")]
        kept = {(row[0], row[1]): row[2] for row in rows[2:] if len(row) == 3}
    kept |= _figures
    lines = [f"| {what} | {kind} | {text} |" for (what, kind), text in sorted(kept.items())]
    head = "# Figures of trust\n\nWritten by `make torture`, on the machine that ran it last.\n\n"
    FIGURES.parent.mkdir(exist_ok=True)
    FIGURES.write_text(head + "\n".join(["| what | database | figure |", "| --- | --- | --- |", *lines]) + "\n")
