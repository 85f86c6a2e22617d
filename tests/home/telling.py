"""Notifications as rows, for the tests of what is made of them."""

from models import Notification, Student


def tell(account, kind, about, **fields):
    """A notification of `kind` to `account` about a record, unread unless `read_at` is given."""
    fields.setdefault("detail", "details" if isinstance(about, Student) else "")
    return Notification.create(account=account, kind=kind, target=about.ref, target_id=about.id, **fields)
