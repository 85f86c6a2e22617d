"""Two-step sign-in: setting it up, recovery codes, and taking it back for somebody who lost both."""

import secrets

from blueprints.account import throttle, tokens
from blueprints.account.actions.base import Refused, by, may_manage
from blueprints.account.actions.passwords import confirm_password
from blueprints.account.actions.sessions import end_all, rotate_session
from blueprints.account.actions.sign_in import code_bucket, totp_timecode
from events import record
from extensions import clock, db
from models import Account, RecoveryCode


def confirm_two_step(row, secret, code, *, actor, password=""):
    """Set up two-step sign-in with the app that holds `secret`; a change of app needs the password as well.

    Ends the other sessions. Returns (token, seed): the session's new token, and what its recovery codes derive from.
    """
    if actor.two_step_at is not None:
        confirm_password(password, actor=actor)
    timecode = totp_timecode(secret, code)
    if timecode is None:
        raise Refused("This code doesn't fit. Type the six digits that the app shows now.", "code")
    with db.atomic():
        Account.update(totp_secret=secret, totp_last_timecode=timecode, two_step_at=clock.now()).where(
            Account.id == actor.id
        ).execute()
        seed = _replace_codes(actor)
        end_all(actor, but=row)
        token = rotate_session(row, two_step=True)
        record("account.two_step_set_up", actor=actor, target=actor.ref)
    return token, seed


def make_recovery_codes(password, *, actor):
    """Replace the recovery codes by ten new ones; returns the seed they derive from (see tokens.recovery_codes)."""
    if actor.two_step_at is None:
        raise Refused("Set up two-step sign-in first.", "current")
    confirm_password(password, actor=actor)
    with db.atomic():
        seed = _replace_codes(actor)
        record("account.recovery_codes_made", actor=actor, target=actor.ref)
    return seed


def _replace_codes(account):
    seed = secrets.token_urlsafe(24)
    RecoveryCode.delete().where(RecoveryCode.account == account).execute()
    for code in tokens.recovery_codes(account, seed):
        RecoveryCode.create(account=account, code_hash=tokens.recovery_hash(account.id, code))
    return seed


def reset_two_step(account, *, actor):
    """Take the second step off an account whose owner lost phone and codes; it is set up anew at the next sign-in."""
    may_manage(actor)
    with db.atomic():
        Account.update(totp_secret=None, totp_last_timecode=0, two_step_at=None).where(
            Account.id == account.id
        ).execute()
        RecoveryCode.delete().where(RecoveryCode.account == account).execute()
        end_all(account)
        throttle.empty(code_bucket(account))
        record("account.two_step_reset", target=account.ref, **by(actor))
