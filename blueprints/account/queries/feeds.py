"""The secret addresses that calendar programs read. Knows whose an address is, not what its calendar shows."""

from flask import current_app

import permissions
from blueprints.account import tokens
from models import Account, CalendarFeed


def feed_url(nonce):
    """The address of the feed of this nonce."""
    return f"{current_app.settings.base_url}/calendar/{tokens.feed_token(nonce)}.ics"


def feed_account(token):
    """The account whose feed this token opens; NotVisible for one that is forged or revoked, or whose account is closed."""
    nonce = tokens.feed_nonce(token)
    found = None
    if isinstance(nonce, str):
        query = Account.select(Account, CalendarFeed.id.alias("feed_id")).join(CalendarFeed)
        live = (CalendarFeed.nonce == nonce) & CalendarFeed.revoked_at.is_null() & permissions.signs_in()
        found = query.where(live).objects().first()
    if found is None:
        raise permissions.NotVisible("calendar")
    return found
