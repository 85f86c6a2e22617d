"""Having a failed email tried again. Must not send anything: the worker does."""

import events
import permissions
from extensions import clock, db
from models import OutboxEmail


def retry_email(key, *, actor):
    """Put a failed email (named by its Message-ID) back into the queue; the OutboxEmail, or None if it has not failed."""
    permissions.require("admin.email", actor)
    with db.atomic():
        row = OutboxEmail.get_or_none(OutboxEmail.message_id == key)
        if row is None:
            raise permissions.NotVisible(key)
        waiting = {"failed_at": None, "is_waiting": True, "next_try_at": clock.now(), "attempts": 0}
        failed = (OutboxEmail.id == row.id) & OutboxEmail.failed_at.is_null(False)
        if not OutboxEmail.update(**waiting).where(failed).execute():
            return None
        events.record("email.retried", actor=actor, email=key)
    return row
