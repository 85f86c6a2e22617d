"""What the pages of records share: what belongs to one that somebody was let see, asked for by its own reference, who else sees
it, and its row put together again. Decides nothing about who sees it."""

from collections.abc import Callable, Iterable
from typing import Any

from peewee import ForeignKeyField, Model

import permissions
from blueprints.kit import prepared
from models import Account


def one_of(record: Model, link: ForeignKeyField, ref: str, removed: bool = False) -> Model:
    """The row of this reference that `link` ties to the record, or NotVisible; one that was taken off the record only with
    `removed`."""
    model = link.model
    row = model.get_or_none((model.ref == ref[:16].replace("\0", "")) & (link == record.id))
    if row is None or (not removed and getattr(row, "removed_at", None) is not None):
        raise permissions.NotVisible(f"{record.ref}/{ref}")
    return row


def readers(kind: str, user: Account, record: Model) -> list[tuple[str, str, list[str]]]:
    """(name, role, reasons in words) of everybody who sees a task, meeting, plan, response or file (`kind` as in
    models.CaseRecord), by name, as far as `user`, who sees it, may know why."""
    words = list(permissions.reason_words(kind).values())
    found = []
    for _, _, name, role, *holds in prepared.rows(_readers, user, kind, record_id=record.id):
        reasons = [word for word, is_true in zip(words, holds, strict=True) if is_true]
        if reasons:
            found.append((name, permissions.ROLES[role], reasons))
    return found


def _readers(user, kind, record_id):
    return permissions.record_readers_query(kind, record_id, user)


def taking(values: list) -> Callable[[Iterable[str]], dict[str, Any]]:
    """A function that takes the next values away from the list, as a dict with these names: the columns of a joined row, table by
    table."""

    def take(names):
        names = list(names)
        taken = dict(zip(names, values, strict=False))
        del values[: len(names)]
        return taken

    return take
