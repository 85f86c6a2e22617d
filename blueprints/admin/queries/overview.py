"""What needs an administrator's attention, from the real state; references and counts only."""

from collections import namedtuple
from datetime import UTC, datetime, timedelta

import events
import permissions
from blueprints.admin import audit_chain
from blueprints.admin.queries.email import email_state
from blueprints.kit.text import plural
from extensions import clock

Attention = namedtuple("Attention", "kind sentence page")
LATE = timedelta(minutes=10)
OLD_BACKUP = timedelta(days=2)


def attention(user, settings):
    """[Attention(kind of notice, sentence, page that helps or None)], the most urgent first; empty when all is well."""
    permissions.require("admin.settings", user)
    return [*_email(user, settings), *_audit(), *_backup(settings)]


def _email(user, settings):
    state = email_state(user)
    found = []
    if settings.smtp is None:
        waiting = f" {plural(state.waiting, 'email waits', 'emails wait')}." if state.waiting else ""
        found.append(Attention("warn", f"No mail server is configured (CASEWARD_SMTP), so nothing is sent.{waiting}", "email"))
    elif state.oldest and clock.now() - state.oldest > LATE:
        words = plural(state.waiting, "email waits", "emails wait")
        found.append(Attention("warn", f"{words}, the oldest for more than ten minutes.", "email"))
    if state.failed:
        found.insert(0, Attention("danger", f"{plural(state.failed, 'email')} could not be sent.", "email"))
    return found


def _audit():
    last, waiting = audit_chain.state()
    if waiting and (last is None or clock.now() - last.sealed_at > LATE):
        since = "never" if last is None else "not in the last ten minutes"
        sentence = f"The audit log was {since} sealed, though events wait. Is the worker running?"
        yield Attention("warn", sentence, "audit")


def _backup(settings):
    newest = last_backup(settings)
    if newest is None:
        yield Attention("warn", "There is no backup in the instance folder yet.", None)
    elif clock.now() - newest > OLD_BACKUP:
        yield Attention("warn", f"The last backup was taken {(clock.now() - newest).days} days ago.", None)


def last_backup(settings):
    """When the newest file of the backups folder was written, or None."""
    try:
        newest = max((path.stat().st_mtime for path in settings.backups.iterdir() if path.is_file()), default=None)
    except OSError:
        return None
    return None if newest is None else datetime.fromtimestamp(newest, UTC)


def export_list(user, name, kind, rows):
    """The rows of an admin list as a list; its export is recorded before they are given out."""
    rows = list(rows)
    events.record_alone("admin.exported", actor=user, list=name, count=len(rows), format=kind)
    return rows
