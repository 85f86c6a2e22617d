"""`flask user …`: accounts from the server's command line, for whoever has no Admin Key Holder at hand."""

import sys

import click
from flask import current_app
from flask.cli import AppGroup

import permissions
from blueprints.account import actions, queries
from blueprints.account.actions import OPERATOR, Refused
from extensions import db

user = AppGroup("user", help="Add accounts, deactivate them, take a lost second step off.")
commands = [user]


@user.command("add")
@click.argument("email")
@click.option("--name", required=True, help="The person's name.")
@click.option("--role", required=True, help="A role: " + ", ".join(permissions.ROLES.values()) + ".")
@click.option("--title", default="", help="The role title on the staff card.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input instead of inviting.")
def add(email, name, role, title, password_stdin):
    """Add an account; without a password it is invited by email."""
    db.connect(reuse_if_open=True)
    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else None
    try:
        account = actions.add_account(
            name=name, email=email, role=_role(role), title=title, password=password, actor=OPERATOR
        )
    except Refused as problem:
        raise click.ClickException(problem.sentence) from None
    click.echo(f"{account.name} <{account.email}> is added as {permissions.ROLES[account.role]}.")
    if password is None:
        _say_how_to_start(account)


def _say_how_to_start(account):
    if current_app.settings.smtp is not None:
        click.echo("The invitation goes out by email within a minute, while a worker runs.")
        return
    click.echo("No mail server is set (CASEWARD_SMTP). This link sets the password, once, within an hour:")
    click.echo(queries.newest_link_url(account))


@user.command("reset-two-step")
@click.argument("email")
def reset_two_step(email):
    """Take the second step off an account and sign it out everywhere."""
    account = _account(email)
    actions.reset_two_step(account, actor=OPERATOR)
    click.echo(f"{account.name} sets up two-step sign-in anew at the next sign-in, and is signed out everywhere.")


@user.command("deactivate")
@click.argument("email")
def deactivate(email):
    """End an account's access at once."""
    account = _account(email)
    try:
        actions.deactivate(account, actor=OPERATOR)
    except Refused as problem:
        raise click.ClickException(problem.sentence) from None
    click.echo(f"{account.name} is deactivated and signed out everywhere.")


def _account(email):
    db.connect(reuse_if_open=True)
    found = queries.account_with_email(email)
    if found is None:
        raise click.ClickException(f"There is no account with the email {email}.")
    return found


def _role(text):
    """A role by its name in the interface or in the code, in any case: "Key User", "key-user", key_user."""
    wanted = text.strip().casefold().replace("-", " ").replace("_", " ")
    for key, label in permissions.ROLES.items():
        if wanted in (label.casefold(), key.replace("_", " ")):
            return key
    raise click.ClickException(f"'{text}' is no role. Roles are: {', '.join(permissions.ROLES.values())}.")
