"""`flask import students FILE`: a class list from the command line. Nobody is signed in here: whoever can run it owns
the database anyway. Must not decide what a row means (import_rows.py).
"""

from pathlib import Path

import click
from flask.cli import with_appcontext

from blueprints.kit import csvread
from blueprints.kit.text import plural
from blueprints.students import import_rows, imports
from blueprints.students.forms import FIELDS
from extensions import db

WORDS = {"left": "left", "added": "added", "changed": "changed", "same": "the same", "refused": "refused"}


@click.group("import")
def import_group():
    """Bring data into Caseward."""


@import_group.command("students")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--map", "pairs", multiple=True, metavar='"FIELD=HEADING"', help='e.g. --map "First name=Vorname"')
@click.option("--dry-run", is_flag=True, help="Say what would happen and write nothing.")
@click.option("--skip-bad", is_flag=True, help="Take the good rows although some are refused.")
@click.option("--leavers", is_flag=True, help="Mark students who are not in the file as left.")
@click.option("--leavers-number", type=int, help="Needed when more than a fifth would be marked: how many.")
@with_appcontext
def import_students(file, pairs, dry_run, skip_bad, leavers, leavers_number):
    """Add and update students from a CSV FILE.

    Students are found again by admission number, else UPN, else email; empty cells leave what is stored.
    Writes nothing and exits 1 when any row is refused, unless --skip-bad is given.
    """
    try:
        sheet = csvread.read(file.read_bytes())
        if problem := import_rows.size_problem(sheet):
            raise csvread.CsvProblem(problem)
        mapping = _mapping(sheet.header, pairs)
        parsed = import_rows.parse(sheet, mapping)
    except csvread.CsvProblem as problem:
        raise click.ClickException(str(problem)) from None
    with db.atomic() as transaction:
        import_rows.hold_students()
        plan = import_rows.resolve(parsed, actor=None, deactivate=leavers)
        stop = _reason_to_stop(plan, skip_bad, leavers_number)
        if stop or dry_run:
            transaction.rollback()
        else:
            imports.apply(plan, actor=None, run_ref="command line")
    _tell(plan, written=not (stop or dry_run))
    if stop:
        click.echo(stop, err=True)
        raise SystemExit(1)


def _mapping(header, pairs):
    """The guessed mapping with what --map says laid over it."""
    names = {field.label.casefold(): field.name for field in FIELDS}
    columns = {heading.casefold(): number for number, heading in enumerate(header)}
    mapping, chosen = import_rows.guess(header), {}
    for pair in pairs:
        label, equals, heading = (part.strip() for part in pair.partition("="))
        if not equals or label.casefold() not in names:
            known = ", ".join(field.label for field in FIELDS)
            raise click.BadParameter(f"{pair!r}: write FIELD=HEADING with one of {known}.", param_hint="--map")
        if heading.casefold() not in columns:
            raise click.BadParameter(f"{pair!r}: the file has no heading {heading!r}.", param_hint="--map")
        chosen[names[label.casefold()]] = columns[heading.casefold()]
    mapping = {name: None if column in chosen.values() else column for name, column in mapping.items()} | chosen
    problems = import_rows.mapping_problems(header, mapping)
    if problems:
        missing = [field.label for field in FIELDS if field.name in problems]
        raise click.ClickException(
            f"The file has no column for {' and '.join(missing)}. Its headings are: {', '.join(header)}. "
            f'Say which it is: --map "{missing[0]}=…"'
        )
    return mapping


def _reason_to_stop(plan, skip_bad, leavers_number):
    counts = plan.counts
    if counts["refused"] and not skip_bad:
        return "Nothing was written, because rows were refused. Correct them, or take the good ones with --skip-bad."
    if plan.empties_school and leavers_number != counts["left"]:
        return (
            f"Nothing was written: {plural(counts['left'], 'student')} of {plan.active:,} would be marked as left. "
            f"If that is right, add --leavers-number {counts['left']}."
        )
    return None


def _tell(plan, written):
    for row in plan.rows:
        if row.outcome == "refused":
            click.echo(f"line {row.line}: {row.name + ': ' if row.name else ''}{row.sentence}")
        elif row.outcome == "left":
            click.echo(f"not in the file: {row.name}")
    counts = ", ".join(f"{plan.counts[outcome]:,} {WORDS[outcome]}" for outcome in WORDS)
    click.echo(f"{'' if written else 'Nothing was written. It would be: '}{counts}.")


commands = [import_group]
