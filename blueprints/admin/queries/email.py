"""The queue of email as Admin > Email shows it: kinds, recipients and reasons, never what an email is about."""

from collections import namedtuple
from datetime import timedelta

from peewee import fn

import permissions
from extensions import clock
from models import Account, OutboxEmail

LOOK_BACK = timedelta(days=7)
KINDS = {
    "incident_assigned": "An incident was assigned",
    "incident_alerted": "Alerted to an incident",
    "action_due": "An action is due",
    "task_assigned": "A task was assigned",
    "task_overdue": "A task is overdue",
    "plan_review_due": "A plan is due for review",
    "student_changed": "A student's profile was changed",
    "digest": "Daily digest",
    "meeting_invited": "Invited to a student meeting",
    "meeting_changed": "A student meeting was moved or cancelled",
    "meeting_cancelled": "Taken off a student meeting",
    "referral_received": "A referral came in",
    "milestone_asked": "A milestone waits for an answer",
    "milestone_reminder": "A milestone is due soon",
    "student_invitation": "Invitation of a student",
    "invitation": "Invitation",
    "password_link": "Set-password link",
}
State = namedtuple("State", "waiting failed dropped sent oldest")
EmailRow = namedtuple("EmailRow", "key kind recipient written tried state_at reason")


def _conditions():
    since = clock.now() - LOOK_BACK
    return {
        "failed": OutboxEmail.failed_at.is_null(False),
        "waiting": OutboxEmail.is_waiting,
        "dropped": OutboxEmail.dropped_at >= since,
        "sent": OutboxEmail.sent_at >= since,
    }


def email_state(user):
    """How many emails wait and failed (ever), were dropped and sent (in the last seven days), and the oldest waiting."""
    permissions.require("admin.email", user)

    def count(name):
        return OutboxEmail.select(fn.COUNT(OutboxEmail.id)).where(conditions[name]).alias(name)

    conditions = _conditions()
    # Named, or peewee takes the last word of the expression for the column and converts to its type.
    oldest = OutboxEmail.select(fn.MIN(OutboxEmail.created_at)).where(conditions["waiting"]).alias("oldest")
    counts = [count(name) for name in ("waiting", "failed", "dropped", "sent")]
    row = OutboxEmail.select(*counts, oldest).limit(1).tuples().first() or (0, 0, 0, 0, None)
    return State(*row[:4], OutboxEmail.created_at.python_value(row[4]))


def email_rows(user, state):
    """The emails in a state (failed, waiting, dropped, sent), newest first, as a query of tuples for `email_row`; without those
    to students whom `user` is excluded from."""
    permissions.require("admin.email", user)
    at = {
        "failed": OutboxEmail.failed_at,
        "waiting": OutboxEmail.next_try_at,
        "dropped": OutboxEmail.dropped_at,
        "sent": OutboxEmail.sent_at,
    }[state]
    reason = OutboxEmail.dropped_why if state == "dropped" else OutboxEmail.last_error
    return (
        OutboxEmail.select(
            OutboxEmail.message_id, OutboxEmail.kind, Account.name, OutboxEmail.created_at, OutboxEmail.attempts, at, reason
        )
        .join(Account)
        .where(_conditions()[state] & OutboxEmail.account.not_in(permissions.closed_accounts(user)))
        .order_by(at.desc(), OutboxEmail.id.desc())
        .tuples()
    )


def email_row(values):
    """The EmailRow of a tuple, with its kind in words."""
    row = EmailRow(*values)
    return row._replace(kind=KINDS.get(row.kind, row.kind.replace("_", " ").capitalize()))
