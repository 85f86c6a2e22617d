"""The secret address under which a calendar program reads a student's milestones, or a staff member's meetings and tasks: made
and revoked by that person alone."""

import secrets

import events
import permissions
from extensions import clock, db
from models import Account, CalendarFeed, School, is_postgres


def make_feed(*, actor):
    """Make a new secret address; the one before it stops working."""
    _require_own(actor)
    with db.atomic():
        _one_at_a_time(actor)
        _revoke(actor)
        CalendarFeed.create(account=actor, nonce=secrets.token_urlsafe(24))
        events.record("calendar.feed_made", actor=actor, target=actor.ref)


def revoke_feed(*, actor):
    """Revoke the secret address: calendars that know it find nothing any more. Done already is done."""
    _require_own(actor)
    with db.atomic():
        if _revoke(actor):
            events.record("calendar.feed_revoked", actor=actor, target=actor.ref)


def note_feed_read(about, *, actor):
    """A calendar asked for the feed of `actor`, which shows what is of `about` (a student, or the staff account itself): kept
    for the log before the answer leaves."""
    if not permissions.can(actor, "own.calendar" if about == actor else "own.milestones"):
        raise permissions.NotVisible("calendar")
    with db.atomic():
        live = (CalendarFeed.account == actor.id) & CalendarFeed.revoked_at.is_null()
        CalendarFeed.update(read_at=clock.now()).where(live).execute()
        events.record("calendar.feed_read", actor=actor, target=about.ref)


def _require_own(actor):
    if not permissions.can(actor, "own.calendar") and permissions.own_student(actor, School.get()) is None:
        raise permissions.NotVisible("calendar")


def _one_at_a_time(actor):
    """Two at the same moment would leave two addresses; SQLite writes one at a time anyway."""
    if is_postgres():
        list(Account.select(Account.id).where(Account.id == actor.id).for_update())


def _revoke(actor):
    live = (CalendarFeed.account == actor) & CalendarFeed.revoked_at.is_null()
    return CalendarFeed.update(revoked_at=clock.now()).where(live).execute()
