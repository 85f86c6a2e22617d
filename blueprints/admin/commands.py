"""The commands of the admin part. They print; what is true stands in audit_chain.py."""

import os
import sys
from pathlib import Path

import click
from flask.cli import AppGroup

import events
from blueprints.admin import audit_chain
from blueprints.admin.demo import demo_command
from extensions import db

audit_group = AppGroup("audit", help="The audit log: verify its hash chain, export it, show its head.")

@audit_group.command("verify")
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--head", help="A head of the chain that was kept elsewhere.")
def verify_command(file, head):
    """Verify the hash chain of this instance's log, or of a sealed log that was exported before. Exits 1 if it does
    not hold."""
    if file is None:
        db.connect(reuse_if_open=True)
        report = audit_chain.verify_database(head)
    else:
        with file.open("rb") as lines:
            report = audit_chain.verify_file(lines, head)
    click.echo("\n".join(audit_chain.words_for(report)))
    sys.exit(0 if report.holds else 1)


@audit_group.command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def export_command(file):
    """Write the sealed log to FILE, which must not exist yet."""
    db.connect(reuse_if_open=True)
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as problem:
        raise click.ClickException(f"{file} can't be written ({problem.strerror}). Name a file that is not there yet.") from None
    waiting = audit_chain.state()[1]
    events.record_alone("audit.exported", actor=None, count=waiting, format="sealed")
    events.seal()
    with os.fdopen(handle, "wb") as out:
        out.writelines(audit_chain.sealed_log())
    last, _ = audit_chain.state()
    click.echo(f"Written to {file}. Head: {last.head}")


@audit_group.command("head")
def head_command():
    """Show the head of the chain. Keep it off this machine: it proves later that nothing before it was changed."""
    db.connect(reuse_if_open=True)
    last, waiting = audit_chain.state()
    if last is None:
        click.echo(f"Nothing is sealed yet; {waiting} events wait for their first seal.")
        return
    click.echo(f"{last.head}  sealed {last.sealed_at.isoformat()}, up to event {last.last_event}; {waiting} wait")


commands = [audit_group, demo_command]
