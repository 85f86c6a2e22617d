"""What a monitor may know: whether the database and the queue work, whether mail is set up, when the last backup was.

Must not tell anything else: no version, no name, no address, no count of records.
"""

from datetime import UTC, datetime, timedelta

from peewee import DatabaseError, InterfaceError, fn

from extensions import clock, db
from models import Heartbeat, OutboxEmail, School

# The worker sweeps every minute; a web process that has just started gives it the time to do so for the first time.
LATE = timedelta(minutes=5)


def health(settings, started):
    """(report, ok) for the process that `started` then; ok is False when the database or the queue fails."""
    report = {"status": "ok", "database": "ok", "queue": None, "mail": _mail(settings), "backup": _backup(settings)}
    try:
        db.connect(reuse_if_open=True)
        School.get()
        report["queue"], queue_works = _queue(settings, started)
    except (DatabaseError, InterfaceError, School.DoesNotExist):
        if not db.is_closed():
            db.close()  # whatever is wrong with this connection, the next request gets a new one
        return report | {"status": "failed", "database": "failed", "queue": "unknown"}, False
    return report if queue_works else report | {"status": "failed"}, queue_works


def _queue(settings, started):
    now = clock.now()
    beat = Heartbeat.get_or_none(Heartbeat.name == "sweep")
    waiting = OutboxEmail.select(fn.MIN(OutboxEmail.next_try_at), fn.MIN(OutboxEmail.created_at)).where(
        OutboxEmail.is_waiting & (OutboxEmail.next_try_at <= now)
    )
    due, oldest = waiting.tuples().get()
    worker_works = now - max(beat.at if beat else started, started) < LATE
    # Without a mail server email waits for ever, and that is no failure of the queue.
    email_flows = settings.smtp is None or due is None or now - max(due, started) < LATE
    report = {
        "state": "ok" if worker_works and email_flows else "failed",
        "oldest_due_email_seconds": _seconds(now, oldest),
        "worker_seen_seconds_ago": _seconds(now, beat.at if beat else None),
    }
    return report, worker_works and email_flows


def _seconds(now, moment):
    return None if moment is None else max(0, round((now - moment).total_seconds()))


def _mail(settings):
    return "configured" if settings.smtp else "not configured"


def _backup(settings):
    try:
        newest = max((path.stat().st_mtime for path in settings.backups.iterdir() if path.is_file()), default=None)
    except OSError:
        newest = None
    if newest is None:
        return {"state": "missing", "last": None}
    return {"state": "taken", "last": datetime.fromtimestamp(newest, UTC).isoformat(timespec="seconds")}
