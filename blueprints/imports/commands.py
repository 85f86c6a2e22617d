"""`flask import students|staff|oneroster`: imports from the command line. Nobody is signed in here: whoever can run it owns
the database anyway. Must not decide what a row means (kinds.py).
"""

from contextlib import contextmanager
from pathlib import Path

import click
from flask.cli import with_appcontext

from blueprints.imports.kinds import KINDS
from blueprints.imports.oneroster import read_folder
from blueprints.kit import csvread
from blueprints.kit.text import plural
from extensions import db

WORDS = {"left": "left", "added": "added", "changed": "changed", "same": "the same", "refused": "refused"}
# What a kind calls those who leave, and what becomes of them.
LEAVING = {
    "students": ("student", "marked as left"),
    "staff": ("account", "deactivated"),
    "oneroster": ("person", "marked as left or deactivated"),
}


@click.group("import")
def import_group():
    """Bring data into Caseward."""


def _options(*decorators):
    """The options that all imports have, after those of their own."""
    everywhere = (
        click.option("--dry-run", is_flag=True, help="Say what would happen and write nothing."),
        click.option("--skip-bad", is_flag=True, help="Take the good rows although some are refused."),
        click.option("--leavers-number", type=int, help="Needed when more than a fifth would leave: how many."),
        with_appcontext,
    )

    def decorate(command):
        for one in reversed((*decorators, *everywhere)):
            command = one(command)
        return command

    return decorate


FILE = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
MAP = click.option("--map", "pairs", multiple=True, metavar='"FIELD=HEADING"', help='e.g. --map "First name=Vorname"')
INVITE = click.option("--invite", is_flag=True, help="Email an invitation to everybody who is added.")
REACTIVATE = click.option("--reactivate", is_flag=True, help="Reactivate deactivated accounts that are in the file.")


@import_group.command("students")
@_options(FILE, MAP, click.option("--leavers", "deactivate", is_flag=True, help="Mark students who are not in the file as left."))
def import_students(file, pairs, dry_run, skip_bad, leavers_number, **options):
    """Add and update students from a CSV FILE.

    Students are found again by admission number, else UPN, else email; empty cells leave what is stored.
    Writes nothing and exits 1 when any row is refused, unless --skip-bad is given.
    """
    _run_csv("students", file, pairs, (dry_run, skip_bad, leavers_number), options)


@import_group.command("staff")
@_options(
    FILE, MAP, INVITE, REACTIVATE,
    click.option("--make-groups", is_flag=True, help="Make groups that are not there yet."),
    click.option("--leavers", "deactivate", is_flag=True, help="Deactivate staff who are not in the file."),
)  # fmt: skip
def import_staff(file, pairs, dry_run, skip_bad, leavers_number, **options):
    """Add and update staff accounts from a CSV FILE.

    Accounts are found again by email; empty cells leave what is stored. Without a role somebody new is Staff.
    Writes nothing and exits 1 when any row is refused, unless --skip-bad is given.
    """
    _run_csv("staff", file, pairs, (dry_run, skip_bad, leavers_number), options)


@import_group.command("oneroster")
@_options(
    click.argument("path", type=click.Path(exists=True, path_type=Path)),
    INVITE, REACTIVATE,
    click.option("--no-groups", is_flag=True, help="Leave departments and staff groups as they are."),
    click.option("--leavers", "deactivate", is_flag=True, help="Mark who is not there any more as left, deactivate such staff."),
)  # fmt: skip
def import_oneroster(path, no_groups, dry_run, skip_bad, leavers_number, **options):
    """Import a OneRoster 1.1 or 1.2 set: PATH is a zip file, or a folder with manifest.csv in it.

    Writes nothing and exits 1 when any row is refused, unless --skip-bad is given.
    """
    with _said():
        parsed = KINDS["oneroster"].parse(read_folder(path), {})
    _run("oneroster", parsed, (dry_run, skip_bad, leavers_number), options | {"groups": not no_groups})


@contextmanager
def _said():
    """What is wrong with a file as a whole, as the command says it."""
    try:
        yield
    except csvread.CsvProblem as problem:
        raise click.ClickException(str(problem)) from None


def _run_csv(name, file, pairs, how, options):
    kind = KINDS[name]
    with _said():
        sheet = kind.read(file.read_bytes())
        mapping = _mapping(kind, sheet, pairs)
        parsed = kind.parse(sheet, mapping)
    _run(name, parsed, how, options)


def _run(name, parsed, how, options):
    """Hold the rows against the school and write them in one transaction, unless there is a reason to stop."""
    kind, (dry_run, skip_bad, leavers_number) = KINDS[name], how
    with db.atomic() as transaction:
        kind.hold()
        plan = kind.resolve(parsed, actor=None, **options)
        stop = _reason_to_stop(name, plan, skip_bad, leavers_number)
        if stop or dry_run:
            transaction.rollback()
        else:
            kind.apply(plan, actor=None, run_ref="command line")
    _tell(plan, written=not (stop or dry_run))
    if stop:
        click.echo(stop, err=True)
        raise SystemExit(1)


def _mapping(kind, sheet, pairs):
    """The guessed mapping with what --map says laid over it."""
    names = {field.label.casefold(): field.name for field in kind.fields}
    columns = {heading.casefold(): number for number, heading in enumerate(sheet.header)}
    mapping, chosen = kind.guess(sheet), {}
    for pair in pairs:
        label, equals, heading = (part.strip() for part in pair.partition("="))
        if not equals or label.casefold() not in names:
            known = ", ".join(field.label for field in kind.fields)
            raise click.BadParameter(f"{pair!r}: write FIELD=HEADING with one of {known}.", param_hint="--map")
        if heading.casefold() not in columns:
            raise click.BadParameter(f"{pair!r}: the file has no heading {heading!r}.", param_hint="--map")
        chosen[names[label.casefold()]] = columns[heading.casefold()]
    mapping = {name: None if column in chosen.values() else column for name, column in mapping.items()} | chosen
    problems = kind.mapping_problems(sheet, mapping)
    if problems:
        missing = [field.label for field in kind.fields if field.name in problems]
        raise click.ClickException(
            f"The file has no column for {' and '.join(missing)}. Its headings are: {', '.join(sheet.header)}. "
            f'Say which it is: --map "{missing[0]}=…"'
        )
    return mapping


def _reason_to_stop(name, plan, skip_bad, leavers_number):
    counts = plan.counts
    if counts["refused"] and not skip_bad:
        return "Nothing was written, because rows were refused. Correct them, or take the good ones with --skip-bad."
    if plan.empties_school and leavers_number != counts["left"]:
        one, becomes = LEAVING[name]
        who = plural(counts["left"], one, "people" if one == "person" else None)
        return (
            f"Nothing was written: {who} of {plan.active:,} would be {becomes}. "
            f"If that is right, add --leavers-number {counts['left']}."
        )
    return None


def _tell(plan, written):
    for row in plan.rows:
        if row.outcome == "refused":
            where = f"line {row.line}" if isinstance(row.line, int) else row.line
            click.echo(f"{where}: {row.name + ': ' if row.name else ''}{row.sentence}")
        elif row.outcome == "left":
            click.echo(f"not in the file: {row.name}" if row.line is None else f"{row.line}: leaves: {row.name}")
    for note in plan.notes:
        click.echo(note)
    counts = ", ".join(f"{plan.counts[outcome]:,} {WORDS[outcome]}" for outcome in WORDS)
    click.echo(f"{'' if written else 'Nothing was written. It would be: '}{counts}.")


commands = [import_group]
