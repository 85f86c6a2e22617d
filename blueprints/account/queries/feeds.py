"""The secret addresses that calendar programs read. Knows whose an address is, not what its calendar shows."""

from datetime import datetime
from typing import NamedTuple

from flask import current_app

import permissions
from blueprints.account import tokens
from models import Account, CalendarFeed


class Feed(NamedTuple):
    """A live calendar feed: its secret address, when it was made, and when a calendar last asked for it."""

    url: str
    created_at: datetime
    read_at: datetime | None


def own_feed(user):
    """The Feed of this account as its role has it now, or None when there is none."""
    live = (CalendarFeed.account == user) & CalendarFeed.revoked_at.is_null()
    row = CalendarFeed.select().where(live).order_by(CalendarFeed.id.desc()).first()
    return row and Feed(_url(row.nonce, _is_staff(user)), row.created_at, row.read_at)


def _url(nonce, of_staff):
    return f"{current_app.settings.base_url}/calendar/{tokens.feed_token(nonce, of_staff)}.ics"


def _is_staff(account):
    return permissions.can(account, "own.calendar")


def feed_account(token):
    """The account whose feed this token opens; NotVisible for one that is forged or revoked, whose account is closed, or
    that was made when the account was a student's and is a staff member's now, or the other way round."""
    nonce, of_staff = tokens.feed_nonce(token)
    found = None
    if isinstance(nonce, str):
        query = Account.select(Account, CalendarFeed.id.alias("feed_id")).join(CalendarFeed)
        live = (CalendarFeed.nonce == nonce) & CalendarFeed.revoked_at.is_null() & permissions.signs_in()
        found = query.where(live).objects().first()
    if found is None or of_staff != _is_staff(found):
        raise permissions.NotVisible("calendar")
    return found
