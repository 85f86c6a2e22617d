"""Saved reports: named filters. They hold no result: whoever opens one runs it with their own access."""

from collections import namedtuple

import permissions
from models import Account, SavedReport

SavedRow = namedtuple("SavedRow", "ref name query is_shared owner is_mine")


def saved_reports(user):
    """(mine, shared by others) as lists of SavedRows, by name."""
    permissions.require("report.run", user)
    query = (
        SavedReport.select(
            SavedReport.ref, SavedReport.name, SavedReport.query, SavedReport.is_shared, Account.name, Account.id
        )
        .join(Account)
        .where(_of_incidents(user))
        .order_by(SavedReport.name, SavedReport.id)
    )
    rows = [SavedRow(*values, owner_id == user.id) for *values, owner_id in query.tuples()]
    return [row for row in rows if row.is_mine], [row for row in rows if not row.is_mine]


def _of_incidents(user):
    """One's own and shared ones. Filters of a form's responses are saved in the same table and stand on that list."""
    return SavedReport.form.is_null() & ((SavedReport.owner == user) | SavedReport.is_shared)


def saved_report(user, ref):
    """A report that is this person's own or shared; NotVisible otherwise."""
    permissions.require("report.run", user)
    row = SavedReport.get_or_none((SavedReport.ref == ref) & _of_incidents(user))
    if row is None:
        raise permissions.NotVisible(ref)
    return row


def own_report(user, ref):
    """The report if this person saved it; a shared one of somebody else can be opened, but not changed (Denied)."""
    row = saved_report(user, ref)
    if row.owner_id != user.id:
        raise permissions.Denied("report.run")
    return row
