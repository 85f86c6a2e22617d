"""Announcements for those who write them. What staff read of them on the start page is in notifications.py."""

import permissions
from blueprints.kit.listing import paginate
from models import Account, Announcement


def announcements(user, number):
    """A page of all announcements that were not removed, the last to end first, each with its `author`."""
    permissions.require("announcement", user)
    query = Announcement.select(Announcement, Account).join(Account, on=(Announcement.author == Account.id))
    query = query.where(Announcement.removed_at.is_null())
    return paginate(query.order_by(Announcement.ends_on.desc(), Announcement.id.desc()), number)


def announcement(user, ref):
    """One announcement; NotVisible when there is none, or it was removed."""
    permissions.require("announcement", user)
    row = Announcement.get_or_none((Announcement.ref == ref) & Announcement.removed_at.is_null())
    if row is None:
        raise permissions.NotVisible(ref)
    return row
