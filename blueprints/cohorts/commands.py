"""`flask reminders …`: what the worker would send, for whoever looks after the server. Prints references, never a name."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import click
from flask.cli import AppGroup

from blueprints.cohorts import queries
from blueprints.kit.text import plural
from extensions import clock, db
from models import School

reminders = AppGroup("reminders", help="The reminders of milestones.")
commands = [reminders]


@reminders.command("due")
@click.option("--at", "moment", help="A moment as ISO 8601, in school time unless it carries an offset; a day alone means the "
                                     "school's hour on it. Now, unless given.")  # fmt: skip
def due(moment):
    """Print what a worker would queue that looked at this moment, with everything as it is now: a line for each reminder, with
    the references of milestone and student and the days before the due date. Writes nothing."""
    db.connect(reuse_if_open=True)
    now = clock.now() if moment is None else _read(moment)
    count = 0
    for milestone, students in queries.due_reminders(now):
        for each in students:
            click.echo(f"{milestone.ref}\t{each.student_ref}\t{each.days}")
            count += 1
    click.echo(f"{plural(count, 'reminder')} would go out at {now.isoformat(timespec='seconds')}.", err=True)


def _read(moment):
    school = School.get()
    try:
        if len(moment) == len("2026-11-14"):
            found = datetime.combine(date.fromisoformat(moment), time(school.alert_hour))
        else:
            found = datetime.fromisoformat(moment)
        if not 2000 <= found.year < 2200:
            raise ValueError("far beyond any milestone")
    except ValueError:
        raise click.BadParameter(f"{moment!r} is not a moment. Give one like 2026-11-14T07:00.", param_hint="--at") from None
    return (found if found.tzinfo else found.replace(tzinfo=ZoneInfo(school.timezone))).astimezone(UTC)
