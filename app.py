"""Wires the parts together: create_app() for any WSGI server, the guard that every request passes, the error pages,
the commands, and `python app.py`, which serves the web pages with the worker beside them.

Nothing about the school's work is decided here: who may see what stands in permissions.py, what happens in the actions.
"""

import gc
import hashlib
import importlib
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import click
import waitress
from flask import Flask, abort, current_app, flash, g, redirect, render_template, request, session, url_for
from flask_wtf.csrf import CSRFError
from peewee import IntegrityError, InterfaceError, OperationalError, SqliteDatabase
from playhouse.db_url import connect as connect_url
from playhouse.migrations import Runner
from werkzeug.exceptions import HTTPException, SecurityError

import config
import events
import permissions
import tasks
from blueprints.account import queries as accounts
from blueprints.home import queries as home
from blueprints.kit import prepared, presentation
from blueprints.kit.uploads import LimitedRequest
from extensions import csrf, db, login, mail, once_key, origin
from models import Conflict, OneTimeKey, School, is_postgres

HERE = Path(__file__).resolve().parent
PARTS = (
    "account", "students", "incidents", "cases", "plans", "forms", "cohorts", "timeline", "reports", "admin", "imports", "home",
)  # fmt: skip
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
# One form: ten files of 25 MB. waitress spools a request to disk up to this size and refuses a larger one by itself.
MAX_REQUEST_BYTES = 256 * 1024 * 1024
MIGRATION_LOCK = 7_203_002


# --- The application -------------------------------------------------------------------------------------------------


def create_app(settings=None):
    """The WSGI application on an instance that is already migrated. Raises ConfigError, or RuntimeError for a view
    that declares no policy."""
    os.umask(0o077)
    app = Flask("caseward", root_path=str(HERE))
    app.request_class, app.jinja_environment = LimitedRequest, presentation.Environment
    configure(app, settings or config.load())
    csrf.init_app(app)
    mail.init_app(app)
    login.init_app(app, add_context_processor=False)  # no template asks for its current_user
    login.session_protection = None
    login.user_loader(lambda token: g.get("signed_in"))
    presentation.register(app)
    app.jinja_env.globals["count_unread"] = lambda: len(home.unread(g.user))  # asked by the header of each page
    for part in PARTS:
        views = importlib.import_module(f"blueprints.{part}.views")
        app.register_blueprint(views.bp)
        if hasattr(views, "commands"):
            for command in views.commands:
                app.cli.add_command(command)
    _register_commands(app)
    _check_policies(app)
    app.before_request(_begin)
    app.before_request(_guard)
    app.before_request(_replay)
    app.after_request(_remember_result)
    app.after_request(_headers)
    app.teardown_request(_end)
    _register_errors(app)
    return app


def configure(app, settings):
    """Point the application at an instance: its settings, its database and its queue."""
    app.settings = settings
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SESSION_COOKIE_NAME="caseward",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.secure_cookies,
        WTF_CSRF_TIME_LIMIT=None,
        MAX_CONTENT_LENGTH=MAX_REQUEST_BYTES,
        TRUSTED_HOSTS=trusted_hosts(settings),
        MAIL_DEFAULT_SENDER=settings.mail_from,
        MAIL_DEBUG=False,
        TEMPLATES_AUTO_RELOAD=False,
    )
    open_database(settings)
    tasks.start(app)


def trusted_hosts(settings):
    """Host names a request may carry; anything else is refused before a page is built."""
    hosts = [urlsplit(settings.base_url).hostname]
    if config.is_loopback(settings.host):
        hosts += ["localhost", "127.0.0.1", "[::1]"]
    elif settings.host not in ("0.0.0.0", "::"):
        hosts.append(settings.host)
    return hosts


def _check_policies(app):
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        if rule.endpoint != "static" and not hasattr(view, "policy"):
            raise RuntimeError(
                f"The page {rule.rule} ({rule.endpoint}) declares no policy. Put @permissions.policy(…) on its view."
            )


# --- The database ----------------------------------------------------------------------------------------------------


def open_database(settings):
    """Point `db` at the instance's database; connections are opened by the threads that use them."""
    if settings.is_postgres:
        database = connect_url(
            settings.database_url,
            unquote_password=True,
            # Compiling a query, or starting workers for it, takes Postgres longer than running any of ours.
            options="-c timezone=UTC -c jit=off -c max_parallel_workers_per_gather=0",
        )
    else:
        database = SqliteDatabase(
            settings.instance / "caseward.db",
            timeout=5,
            lock_type="IMMEDIATE",
            pragmas={"journal_mode": "wal", "foreign_keys": 1, "synchronous": 2, "cache_size": -32_000},
        )
    db.initialize(database)
    return database


def migrate(settings):
    """Bring the database to the newest schema, one process at a time. Returns the names of what was applied."""
    os.umask(0o077)
    database = open_database(settings)
    database.connect(reuse_if_open=True)
    try:
        runner = Runner(database, str(HERE / "migrations"))
        if settings.is_postgres:
            database.execute_sql("SELECT pg_advisory_lock(%s)", (MIGRATION_LOCK,))
        try:
            return _run_migrations(runner, settings)
        finally:
            if settings.is_postgres:
                database.execute_sql("SELECT pg_advisory_unlock(%s)", (MIGRATION_LOCK,))
    finally:
        database.close()


def _run_migrations(runner, settings):
    for attempt in range(20):
        try:
            applied = runner.up()
            break
        except (OperationalError, IntegrityError):
            # SQLite only: another process migrates at this moment; what it finished is not pending any more.
            if settings.is_postgres or attempt == 19:
                raise
            time.sleep(0.25)
    if not School.select().exists():
        School.create(timezone=settings.timezone)
    return applied


# --- Every request ---------------------------------------------------------------------------------------------------


# Answered without database and account: /health must still speak when the database does not.
WITHOUT_DATABASE = ("static", "home.health")


def _begin():
    if "\0" in request.path:
        abort(404)  # no address of ours has one, and Postgres refuses to look for it
    if request.endpoint in WITHOUT_DATABASE:
        return
    db.connect(reuse_if_open=True)
    origin.set(request.remote_addr or "")
    once_key.set(None)
    # By the token that Flask-Login keeps in the cookie and asks the loader about.
    g.school, g.signed_in = accounts.who_comes(session.get("_user_id"))


def _end(problem):
    once_key.set(None)
    origin.set(None)
    if isinstance(problem, (OperationalError, InterfaceError)) and not db.is_closed():
        db.close()  # a broken connection must not meet the thread's next request


def _guard():
    """Deny by default: find out who asks, and hold them against the policy of the view."""
    g.user = g.session_row = None
    view = current_app.view_functions.get(request.endpoint) if request.endpoint else None
    if view is None or request.endpoint in WITHOUT_DATABASE:
        return None
    capability, module, record = view.policy
    who = accounts.who_asks(g.school, g.signed_in)
    if who is not None:
        g.user, g.session_row = who.account, who.row
    if capability == permissions.PUBLIC:
        return None
    if g.user is None:
        wanted = request.full_path.rstrip("?") if request.method == "GET" else None
        return redirect(url_for("account.sign_in", next=wanted if wanted != "/" else None))
    if accounts.must_set_up_two_step(g.user, g.school) and not getattr(view, "before_two_step", False):
        return redirect(url_for("account.two_step_setup"))
    if module == "cases" and not g.school.cases_module:
        raise permissions.NotVisible(request.path)
    if capability != permissions.SIGNED_IN and not permissions.can(g.user, capability):
        if record or g.user.role not in permissions.STAFF_ROLES:
            raise permissions.NotVisible(request.path)
        raise permissions.Denied(capability)
    return None


# --- One-time keys: a form sent twice takes effect once ----------------------------------------------------------------


def _replay():
    """Answer a form that has already taken effect with the result it had; else let events.record() use its key up."""
    if request.method != "POST" or request.endpoint is None:
        return None
    key = request.form.get("once", "")[:64]
    if not key:
        return None
    owner = g.session_row.ref if g.session_row else (request.remote_addr or "")
    g.once = hashlib.sha256(f"{owner}:{request.path}:{key}".encode()).hexdigest()
    for (done,) in prepared.records(_done, OneTimeKey, key=g.once):
        return _same_result(done)
    once_key.set(g.once)
    return None


def _done(key):
    return OneTimeKey.select().where(OneTimeKey.key == key)


def _same_result(done):
    for _ in range(50):
        if done.location:
            break
        time.sleep(0.1)  # the first of two simultaneous sends has committed and is about to answer
        done = OneTimeKey.get_by_id(done.id)
    for category, message in json.loads(done.message or "[]"):
        flash(message, category)
    return redirect(done.location or url_for("home.dashboard"), 303)


def _remember_result(response):
    if response.status_code in (409, 422) and once_key.get() is not None:
        # Refused because of what the same form, sent at the same moment, has just done: it gets that one's result.
        done = OneTimeKey.get_or_none(OneTimeKey.key == once_key.get())
        if done is not None:
            return _same_result(done)
    used = getattr(g, "once", None) and once_key.get() is None
    if used and 300 <= response.status_code < 400:
        with _without_waiting_for_the_disk():
            OneTimeKey.update(
                location=response.location[:500], message=json.dumps(session.get("_flashes", []))
            ).where((OneTimeKey.key == g.once) & (OneTimeKey.location == "")).execute()
    return response


@contextmanager
def _without_waiting_for_the_disk():
    """For what may be lost with the power: the commit does not wait until it is on the disk (SQLite)."""
    if is_postgres() or db.in_transaction():
        yield
        return
    db.pragma("synchronous", 1)
    try:
        yield
    finally:
        db.pragma("synchronous", 2)


def _headers(response):
    policy = response.headers.get("Content-Security-Policy", CONTENT_POLICY)
    response.headers["Content-Security-Policy"] = policy
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["X-Frame-Options"] = "DENY"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=()"
    if request.endpoint == "static":
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    else:
        response.headers["Cache-Control"] = "no-store"
        response.headers["Vary"] = "Cookie"
    if request.is_secure:
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
    return response


# --- Error pages -----------------------------------------------------------------------------------------------------


def _register_errors(app):
    @app.errorhandler(permissions.NotVisible)
    def not_visible(problem):
        """Missing and forbidden take the same way: same audit row, same page."""
        if g.get("user"):
            events.record_alone("access.denied", actor=g.user, asked=problem.asked[:80], how=request.method)
        return _error_page(404)

    @app.errorhandler(permissions.Denied)
    def denied(problem):
        events.record_alone("access.denied", actor=g.user, asked=str(problem), how=request.method)
        return _error_page(403, admins=accounts.admin_names())

    @app.errorhandler(Conflict)
    def conflict(problem):
        return _error_page(409)

    @app.errorhandler(IntegrityError)
    def integrity(problem):
        """Two sends of one form at the same moment: the second finds its key used and gets the first one's result."""
        if getattr(g, "once", None) and (done := OneTimeKey.get_or_none(OneTimeKey.key == g.once)):
            return _same_result(done)
        app.logger.exception("refused by the database")
        return _error_page(500)

    @app.errorhandler(CSRFError)
    def stale_form(problem):
        return _error_page(400)

    @app.errorhandler(HTTPException)
    def http_error(problem):
        if problem.code is None or problem.code < 400 or isinstance(problem, SecurityError):
            return problem  # a redirect; or a host that is not ours, for which no address can be built
        return _error_page(problem.code)

    @app.errorhandler(Exception)
    def unexpected(problem):
        app.logger.exception("unexpected problem at %s %s", request.method, request.endpoint)
        return _error_page(500)


KNOWN_PAGES = {400, 403, 404, 405, 409, 413, 429, 500}


def _error_page(code, **context):
    page = code if code in KNOWN_PAGES else (404 if code < 500 else 500)
    layout = "base.html" if g.get("user") and g.get("school") else "plain.html"
    if code >= 500:
        context["unread_count"] = 0  # the header of this page must not ask a database that may be what has failed
    return render_template(f"errors/{page}.html", layout=layout, **context), code


# --- Commands --------------------------------------------------------------------------------------------------------


def _register_commands(app):
    @app.cli.command("migrate")
    def migrate_command():
        """Bring the database to the newest schema."""
        applied = migrate(app.settings)
        click.echo("\n".join(f"applied {name}" for name in applied) or "Nothing to do: the database is up to date.")

    @app.cli.command("worker")
    def worker_command():
        """Run the background worker by itself (beside `python app.py web`)."""
        consumer = tasks.consumer(signals=True)
        consumer.run()


# --- Serving ---------------------------------------------------------------------------------------------------------


def listen(settings):
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    server = socket.socket(family, socket.SOCK_STREAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        server.bind((settings.host, settings.port))
    except OSError as problem:
        raise config.ConfigError(
            f"{settings.host}:{settings.port} can't be used ({problem.strerror}). "
            "Another program has it, or set CASEWARD_BIND to an address of this machine."
        ) from None
    server.listen(1024)
    server.set_inheritable(True)
    return server


def serve_web(app, sockets):
    """Answer requests in this process until it is told to stop."""
    settings = app.settings
    options = {}
    if settings.trusted_proxy:
        options = {
            "trusted_proxy": settings.trusted_proxy,
            "trusted_proxy_count": 1,
            "trusted_proxy_headers": "x-forwarded-for x-forwarded-host x-forwarded-proto",
            "clear_untrusted_proxy_headers": True,
        }
    server = waitress.create_server(
        app,
        sockets=sockets,
        threads=WEB_THREADS,
        connection_limit=1000,
        channel_timeout=60,
        max_request_body_size=MAX_REQUEST_BYTES,
        ident=None,
        **options,
    )
    _leave_room(server)
    server.run()


def _leave_room(server):
    """Let the process that has fewer connections take the next one: browsers keep theirs, and four on one of two processes
    leave half of the machine idle. Whoever has more looks a moment later whether the connection is still there."""
    accept = server.accept

    def in_turn():
        time.sleep(min(len(server.active_channels), MOST_TURNS) * TURN)
        return accept()

    server.accept = in_turn


def _collect_seldom():
    """Spare the collector of circular garbage what was loaded for good, and let it look less often than at each 700 objects, as
    Python begins with: that took a tenth of every page."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)


# For the C library, which knows these names: what a large statement needed for a moment is kept for the next one. Given back
# each time, it is asked for again page by page, 240 times for one timeline: half a millisecond.
KEEP_MEMORY = {"MALLOC_TRIM_THRESHOLD_": str(64 * 1024 * 1024), "MALLOC_TOP_PAD_": str(4 * 1024 * 1024)}
WEB_THREADS = 2
TURN, MOST_TURNS = 0.0005, 8  # seconds for each connection, and for how many at most
# Two web processes on the one socket served most on two cores: docs/adr/0004-two-web-processes.md has the figures.
DEFAULT_WEB_PROCESSES = 2


def main(arguments):
    """`python app.py` serves web and worker; `python app.py web` the web alone (the worker is `flask worker`)."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("huey").setLevel(logging.WARNING)
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    if arguments[:1] == ["child"]:
        return _serve_child(int(arguments[1]))
    try:
        settings = config.load()
        migrate(settings)
        app = create_app(settings)
        server = listen(settings)
    except config.ConfigError as problem:
        print(problem, file=sys.stderr)
        return 2
    with app.app_context():
        for line in accounts.first_lines(settings):
            print(line, flush=True)
    print(f"Caseward serves {settings.base_url}", flush=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    consumer = None if arguments[:1] == ["web"] else tasks.consumer()
    processes = settings.web_processes or (DEFAULT_WEB_PROCESSES if os.name == "posix" else 1)
    try:
        if consumer:
            consumer.start()
        if processes == 1:
            _collect_seldom()
            serve_web(app, [server])
        else:
            _serve_children(server, processes)
    except KeyboardInterrupt:
        pass
    finally:
        if consumer:
            consumer.stop(graceful=True)
    return 0


def _serve_children(server, count):
    """Keep `count` web processes on one socket; a child that dies is replaced, all end with this process."""
    children = [_start_child(server) for _ in range(count)]
    try:
        while True:
            time.sleep(0.5)
            for place, child in enumerate(children):
                if child.poll() is not None:
                    logging.getLogger("caseward").warning("a web process ended (%s); starting another", child.returncode)
                    time.sleep(0.5)
                    children[place] = _start_child(server)
    finally:
        for child in children:
            child.terminate()
        for child in children:
            try:
                child.wait(timeout=10)
            except subprocess.TimeoutExpired:
                child.kill()


def _start_child(server):
    # The pipe tells the child that its parent is gone, even after kill -9: reading it then ends at once.
    return subprocess.Popen(
        [sys.executable, str(HERE / "app.py"), "child", str(server.fileno())],
        pass_fds=[server.fileno()],
        stdin=subprocess.PIPE,
        env=KEEP_MEMORY | os.environ,
    )


def _serve_child(descriptor):
    def end_with_parent():
        sys.stdin.buffer.read()
        os._exit(0)

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent ends its children
    threading.Thread(target=end_with_parent, daemon=True).start()
    server = socket.socket(fileno=descriptor)
    app = create_app(config.load())
    _collect_seldom()
    serve_web(app, [server])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
