"""The nightly end of what has run out. Deletes nothing that says what somebody did: that stands in the audit log."""

from datetime import timedelta

from blueprints.account.throttle import WINDOW
from extensions import clock
from models import Draft, OneTimeKey, PasswordLink, School, Session, SignInAttempt


def tidy_up():
    """Delete sessions that ended 30 days ago, links and drafts of 30 days, one-time keys of two days, old tries."""
    now = clock.now()
    month = now - timedelta(days=30)
    over = now - timedelta(hours=School.get().session_absolute_hours) - timedelta(days=30)
    Session.delete().where((Session.created_at < over) | (Session.revoked_at < month)).execute()
    PasswordLink.delete().where(PasswordLink.expires_at < month).execute()
    Draft.delete().where(Draft.changed_at < month).execute()
    OneTimeKey.delete().where(OneTimeKey.created_at < now - timedelta(days=2)).execute()
    SignInAttempt.delete().where(SignInAttempt.at < now - 2 * WINDOW).execute()
