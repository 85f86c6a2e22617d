"""`flask demo`: fills an empty instance with a fictional school, the same one for the same seed on the same day.

All or nothing, in one transaction. Must never touch an instance that holds anything: it writes past every rule.
"""

import contextlib
import io
import os
import random
import secrets
from zoneinfo import ZoneInfo

import click
from flask import current_app
from flask.cli import with_appcontext
from PIL import Image, ImageDraw

import events
import permissions
from blueprints.account.actions import fits, hashed
from blueprints.admin import demo_cohort_words as cohort_words
from blueprints.admin import demo_words as words
from blueprints.admin.demo_cases import DemoCases
from blueprints.admin.demo_cohorts import DemoCohorts
from blueprints.admin.demo_incidents import DemoIncidents
from blueprints.admin.demo_school import MOST_GROUPS, DemoSchool
from blueprints.admin.demo_tables import Table
from blueprints.admin.demo_work import DemoWork
from blueprints.kit import uploads
from extensions import clock, db
from models import Account, Incident, School, StoredFile, Student

PLAN = """Plan for the term

1. A conversation every week, always at the same time.
2. Break times in the library or with the choir.
3. The form tutor phones home on the first Friday of each month.
"""
PASSWORD_FILE = "demo-password"  # noqa: S105  the name of a file


class NotEmpty(Exception):
    """The instance holds something already."""


@click.command("demo")
@click.option("--students", default=120, show_default=True, type=click.IntRange(1), help="Stu Sturgeon among them.")
@click.option("--staff", default=14, show_default=True, type=click.IntRange(0), help="Colleagues of the cast.")
@click.option("--incidents", default=160, show_default=True, type=click.IntRange(2))
@click.option("--groups", default=9, show_default=True, type=click.IntRange(9, MOST_GROUPS), help="Counselling among them.")
@click.option("--cases", default=40, show_default=True, type=click.IntRange(0))
@click.option("--seed", default=1, show_default=True, help="The same seed makes the same school on the same day.")
@click.option("--show", is_flag=True, help="Print the sign-ins of the demo that is here; fill only if empty.")
@with_appcontext
def demo_command(show, **sizes):
    """Fill an empty instance with a fictional school and print how to sign in."""
    if not db.is_closed():
        db.close()  # migrating opens the database anew
    with contextlib.redirect_stdout(io.StringIO()):  # which migrations ran is of no interest here
        click.get_current_context().invoke(current_app.cli.commands["migrate"])
    settings = current_app.settings
    if not (show and _is_filled()):
        password = settings.demo_password or make_password()
        try:
            fill(settings, password, **sizes)
        except NotEmpty as problem:
            raise click.ClickException(str(problem)) from None
        if not settings.demo_password:
            _keep_password(settings, password)
    elif not School.get().demo:
        raise click.ClickException("This instance holds a real school, not the demo.")
    for line in sign_ins(settings):
        click.echo(line)


def fill(settings, password, *, students=120, staff=14, incidents=160, groups=9, cases=40, seed=1):
    """Fill the migrated, empty instance in one transaction. Raises NotEmpty, having written nothing."""
    zone = ZoneInfo(settings.timezone)
    today = clock.now().astimezone(zone).date()
    stored = []
    try:
        with db.atomic():
            if _is_filled():
                raise NotEmpty("This instance holds accounts or records already; the demo only fills an empty one.")
            school = DemoSchool(random.Random(seed), today, zone, hashed(password))  # noqa: S311  no secrets
            School.update(
                name=words.SCHOOL, timezone=settings.timezone, demo=True, set_up_at=clock.now()
            ).execute()
            school.add_accounts(staff)
            school.add_groups(groups)
            school.add_categories()
            school.add_students(students)
            reported = DemoIncidents(school)
            reported.add(incidents)
            opened = DemoCases(school, reported)
            opened.add(cases)
            cohorts = DemoCohorts(school)
            cohorts.add()
            work = DemoWork(school, opened)
            work.add()
            stored = _add_files(settings, school, reported.recent, opened.newest, cohorts.file_for, work.files)
            school.log.write(events.seal)
            sizes = {"students": students, "staff": staff, "incidents": incidents, "groups": groups, "cases": cases}
            events.record("demo.filled", actor=None, **sizes)
            events.seal()
    except BaseException:
        for file in stored:
            uploads.discard(settings.files, file.path_name)
        raise
    _tell_the_planner()


def _is_filled():
    return any(model.select(model.id).limit(1).exists() for model in (Account, Student, Incident))


def _tell_the_planner():
    """So many new rows change which index is best; SQLite and Postgres both want to be told."""
    db.execute_sql("ANALYZE")


# --- Files -----------------------------------------------------------------------------------------------------------


def _add_files(settings, school, recent, case, milestone, of_students):
    """A few harmless files on the newest incidents, on the case that is promised to Kay, on a milestone of Stu's and on Stu's
    profile."""
    table = Table(
        StoredFile, "ref", "incident", "case", "milestone", "name", "path_name", "media_type", "size", "sha256", "uploaded_by",
        "at", "student", "file_category", "shown_to",
    )  # fmt: skip
    stored = []

    def add(name, content, author, at, incident=None, case=None, milestone=None, student=None, category=None):
        file = uploads.store(settings.files, io.BytesIO(content), name)
        stored.append(file)
        ref = school.ref()
        row = (file.original_name, file.path_name, file.media_type, file.size, file.sha256, author, at)
        table.add(ref, incident, case, milestone, *row, student, category, "related" if student else "")
        return ref, file.size

    for (incident, author, at), (name, content) in zip(reversed(recent[-8:-1:3]), _files(), strict=False):
        add(name, content, author, at, incident=incident)
    if case:
        number, name, opener, at = case
        file, size = add("Plan for the term.txt", PLAN.encode(), opener.id, at, case=number)
        school.log.add(at, opener, "case.file_added", name, file=file, size=size)
    if milestone:
        number, ref, at = milestone
        ada = school.person("ada")
        file, size = add(cohort_words.FORM_NAME, cohort_words.FORM.encode(), ada.id, at, milestone=number)
        school.log.add(at, ada, "milestone.file_added", ref, file=file, size=size)
    for pupil, name, category, text, person, at in of_students:
        file, size = add(name, text.encode(), person.id, at, student=pupil.id, category=category)
        school.log.add(at, person, "student.file_added", pupil.ref, file=file, size=size)
    table.close()
    return stored


def _files():
    note = "Notes of the phone call\n\nThe family was glad of the call.\nWe speak again at the end of next week.\n"
    yield "Phone call.txt", note.encode()
    plan = Image.new("RGB", (480, 320), "#f4f1e8")
    draw = ImageDraw.Draw(plan)
    for row in range(4):
        for column in range(6):
            left, top = 30 + column * 72, 70 + row * 58
            draw.rectangle((left, top, left + 52, top + 34), outline="#5b6b7a", width=2)
    draw.rectangle((180, 16, 300, 44), fill="#d9e4e0", outline="#5b6b7a")
    picture = io.BytesIO()
    plan.save(picture, "PNG")
    yield "Seating plan.png", picture.getvalue()
    yield "Lateness.csv", b"Day,Minutes late\r\nMonday,10\r\nTuesday,0\r\nWednesday,25\r\n"


# --- Signing in ------------------------------------------------------------------------------------------------------


def make_password():
    """Four words and a number: easy to type, different on every instance."""
    return "-".join([*(secrets.choice(words.PASSWORD_WORDS) for _ in range(4)), str(secrets.randbelow(90) + 10)])


def _keep_password(settings, password):
    path = settings.instance / PASSWORD_FILE
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(password + "\n")


def sign_ins(settings):
    """Lines that say how to sign in to the demo school; the password only if it is known and still right."""
    emails = [f"{key}@{words.DOMAIN}" for key, *_ in words.CAST]
    rows = Account.select(Account.email, Account.name, Account.role).where(Account.email_folded.in_(emails)).tuples()
    roles = {email: f"{name:<14}  {permissions.ROLES[role]}" for email, name, role in rows}
    yield f"{School.get().name}: sign in as one of these."
    for email in emails:
        if email in roles:
            yield f"  {email:<24} {roles[email]}"
    password = _known_password(settings)
    if password:
        yield f"password: {password}"


def _known_password(settings):
    path = settings.instance / PASSWORD_FILE
    candidates = [settings.demo_password, path.read_text().strip() if path.exists() else None]
    ada = Account.get_or_none(Account.email_folded == f"ada@{words.DOMAIN}")
    return next((each for each in candidates if each and ada and fits(ada.password_hash, each)), None)
