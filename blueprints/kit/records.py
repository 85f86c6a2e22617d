"""What belongs to a record that somebody was let see, asked for by its own reference. Decides nothing about who sees it."""

from peewee import ForeignKeyField, Model

import permissions


def one_of(record: Model, link: ForeignKeyField, ref: str, removed: bool = False) -> Model:
    """The row of this reference that `link` ties to the record, or NotVisible; one that was taken off the record only with
    `removed`."""
    model = link.model
    row = model.get_or_none((model.ref == ref[:16].replace("\0", "")) & (link == record.id))
    if row is None or (not removed and getattr(row, "removed_at", None) is not None):
        raise permissions.NotVisible(f"{record.ref}/{ref}")
    return row
