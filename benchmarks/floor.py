"""The floor: what a page of this size costs with the same parts and nothing else. A bare Flask + Peewee + Jinja
application on the same server settings, with the things every page of ours must do at least: a signed session, the row
of the user, a count, a list of 100 people to choose from, and 50 rows; about 22 kB. And one form with a CSRF token that
adds a row.

It keeps no audit, asks no permission and escapes what Jinja escapes. Must not import Caseward: `app.serve_web` and
`app.listen` alone are taken from it, so that both are served by exactly the same code.

    python -m benchmarks.floor serve DATABASE     (CASEWARD_BIND and CASEWARD_WEB_PROCESSES as for Caseward)
"""

import os
import signal
import socket
import subprocess
import sys
import threading
from types import SimpleNamespace

from flask import Flask, g, redirect, render_template, request, session
from flask_wtf import CSRFProtect, FlaskForm
from peewee import (
    AutoField,
    BooleanField,
    CharField,
    DatabaseProxy,
    DateTimeField,
    ForeignKeyField,
    Model,
    SqliteDatabase,
    TextField,
)
from playhouse.db_url import connect as connect_url
from wtforms import SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired

from extensions import clock

db = DatabaseProxy()
ROWS, USERS = 100_000, 100
STATUSES = ("Active", "Closed", "Closed", "Closed")


class Base(Model):
    id = AutoField()

    class Meta:
        database = db


class User(Base):
    name = CharField()
    role = CharField()
    is_active = BooleanField(default=True)

    class Meta:
        table_name = "floor_user"


class Note(Base):
    ref = CharField(unique=True)
    text = TextField()
    author = ForeignKeyField(User)
    assigned_to = ForeignKeyField(User, null=True)
    status = CharField()
    place = CharField()
    entered_at = DateTimeField()

    class Meta:
        table_name = "floor_note"
        indexes = ((("assigned_to", "status", "entered_at"), False),)


class NoteForm(FlaskForm):
    person = SelectField("Person", coerce=int)
    place = StringField("Place")
    text = TextAreaField("Text", validators=[InputRequired()])


def make_app():
    """The WSGI application on a database that fill() has filled."""
    app = Flask("floor", template_folder=os.path.join(os.path.dirname(__file__), "templates"))
    app.config.update(SECRET_KEY="0" * 64, WTF_CSRF_TIME_LIMIT=None)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    CSRFProtect(app)

    @app.before_request
    def begin():
        db.connect(reuse_if_open=True)
        g.user = User.get_by_id(session["user"]) if "user" in session else None

    @app.get("/health")
    def health():
        return {"status": "ok"}

    @app.get("/in/<int:user>")
    def sign_in(user):
        session["user"] = user
        return redirect("/")

    @app.get("/")
    def page():
        mine = (Note.assigned_to == g.user) & (Note.status == "Active")
        rows = (
            Note.select(Note.ref, Note.text, Note.place, Note.status, Note.entered_at, User.name.alias("author_name"))
            .join(User, on=(User.id == Note.author))
            .where(mine)
            .order_by(Note.entered_at.desc())
            .limit(50)
            .namedtuples()
        )
        return render_template("floor.html", people=people(), rows=list(rows), count=Note.select().where(mine).count())

    @app.route("/new", methods=["GET", "POST"])
    def new():
        form = NoteForm()
        form.person.choices = people()
        if form.validate_on_submit():
            with db.atomic():
                Note.create(
                    ref=os.urandom(6).hex(), text=form.text.data, author=g.user, assigned_to=form.person.data,
                    status="Active", place=form.place.data, entered_at=clock.now().replace(tzinfo=None),
                )  # fmt: skip
            return redirect("/", 303)
        return render_template("floor_form.html", form=form), 422 if request.method == "POST" else 200

    return app


def people():
    """The 100 people of a pick list, as (id, name)."""
    return list(User.select(User.id, User.name).where(User.is_active).order_by(User.name).limit(100).tuples())


def open_database(where):
    """The floor's database: a file for SQLite with Caseward's own pragmas, or a Postgres address."""
    if "://" in where:
        database = connect_url(where, unquote_password=True)
    else:
        pragmas = {"journal_mode": "wal", "foreign_keys": 1, "synchronous": 2, "cache_size": -32_000}
        database = SqliteDatabase(where, timeout=5, lock_type="IMMEDIATE", pragmas=pragmas)
    db.initialize(database)


def fill(where):
    """Make the tables, 100 users and 100,000 rows; every user is assigned some hundreds of Active ones."""
    open_database(where)
    db.connect(reuse_if_open=True)
    with db.atomic():
        db.create_tables([User, Note])
        User.insert_many([(f"Person Number{n:03}", "staff", True) for n in range(USERS)]).execute()
        text = "A sentence about something that happened."
        now = clock.now().replace(tzinfo=None)
        fields = [Note.ref, Note.text, Note.author, Note.assigned_to, Note.status, Note.place, Note.entered_at]
        for start in range(0, ROWS, 4000):
            Note.insert_many(
                [
                    (f"N{n:06}", text, n % 97 + 1, n % USERS + 1, STATUSES[n // 100 % 4], "Canteen", now)
                    for n in range(start, start + 4000)
                ],
                fields=fields,
            ).execute()
    db.execute_sql("ANALYZE")
    db.close()


# --- Serving: the same code that serves Caseward ----------------------------------------------------------------------


def serve(where):
    """Serve the floor until SIGTERM, in as many processes as Caseward would use."""
    import app as caseward

    port = int(os.environ["CASEWARD_BIND"].rpartition(":")[2])
    server = caseward.listen(SimpleNamespace(host="127.0.0.1", port=port))
    count = int(os.environ.get("CASEWARD_WEB_PROCESSES") or caseward.DEFAULT_WEB_PROCESSES)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    if count == 1:
        return _answer(where, server)
    command = [sys.executable, "-m", "benchmarks.floor", "child", where, str(server.fileno())]
    children = [
        subprocess.Popen(command, pass_fds=[server.fileno()], stdin=subprocess.PIPE) for _ in range(count)
    ]
    try:
        signal.pause()
    finally:
        for child in children:
            child.terminate()
    return None


def _answer(where, server):
    import app as caseward

    open_database(where)
    made = make_app()
    made.settings = SimpleNamespace(trusted_proxy=None)
    caseward.serve_web(made, [server])


def _child(where, descriptor):
    """A web process on the inherited socket; it ends with its parent."""
    threading.Thread(target=lambda: (sys.stdin.buffer.read(), os._exit(0)), daemon=True).start()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    _answer(where, socket.socket(fileno=descriptor))


def main(arguments):
    what, where = arguments[:2]
    if what == "fill":
        fill(where)
    elif what == "child":
        _child(where, int(arguments[2]))
    else:
        serve(where)


if __name__ == "__main__":
    main(sys.argv[1:])
