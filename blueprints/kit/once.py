"""Whom a job has told already: a reminder goes out once, however often the job runs. Decides nothing about who is told."""

from collections.abc import Mapping

from models import Notification, OutboxEmail


def told_already(kind: str, waiting: Mapping[str, tuple[int, int, str]]) -> set[str]:
    """Of `waiting`, {the email's `once`: (id of the account, target_id, detail of the notification)}, the keys that an email
    stands for, or for those who want none at once a row of their list."""
    emails = OutboxEmail.select(OutboxEmail.once).where(OutboxEmail.once.in_(list(waiting)))
    told = {once for (once,) in emails.tuples()}
    left = {told_of: once for once, told_of in waiting.items() if once not in told}
    if left:
        people, targets = {account for account, _, _ in left}, {target for _, target, _ in left}
        rows = Notification.select(Notification.account_id, Notification.target_id, Notification.detail)
        rows = rows.where((Notification.kind == kind) & Notification.account.in_(people) & Notification.target_id.in_(targets))
        told |= {left[row] for row in rows.tuples() if row in left}
    return told
