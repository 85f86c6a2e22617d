"""Signing in: the password, then the code. Unknown and deactivated accounts, and those without a password or a role, take
the same way as others.

At most ten passwords are tested for an email each hour, and a hundred for an address: a try is counted before it is
tested and given back when it was right. Beyond that nothing is hashed for anybody, except for whoever brings a valid
second factor along, so that a stranger's guesses never lock the owner out.
"""

from enum import Enum, auto
from typing import NamedTuple

import pyotp
from pyotp.exceptions import OTPVerificationError

import permissions
from blueprints.account import hashing, throttle, tokens
from blueprints.account.throttle import Bucket
from events import record_alone
from extensions import clock, db
from models import Account, RecoveryCode

# A code is right for half a minute; clocks of telephones may be off by as much again.
_WINDOW = 1
_NOBODYS_SECRET = "A" * 32


class Outcome(Enum):
    """What became of a try to sign in."""

    SIGNED_IN = auto()  # start the session
    NEEDS_CODE = auto()  # the password was right, the second step follows
    WRONG = auto()
    THROTTLED = auto()


class Tried(NamedTuple):
    """`account` only with SIGNED_IN and NEEDS_CODE; `two_step` whether both factors were shown."""

    outcome: Outcome
    account: Account | None = None
    two_step: bool = False


def password_buckets(email, address=""):
    return [Bucket("password", email.strip().casefold(), 10), Bucket("address", throttle.network(address), 100)]


def code_bucket(account):
    return Bucket("code", account.ref, 10)


def sign_in(email, password, *, code="", address=""):
    """Test one password, and the code that may come with it; starts no session. Never says why it refused."""
    folded = email.strip().casefold()
    account = Account.get_or_none((Account.email_folded == folded) & permissions.signs_in())
    buckets = password_buckets(folded, address)
    tries = throttle.take(*buckets)
    proven = tries is None and _brings_second_factor(account, folded, code, address)
    if tries is None and not proven:
        return Tried(Outcome.THROTTLED)
    if not hashing.fits(account.password_hash if account else None, password):
        _note_failure(account, is_last=tries is not None and throttle.is_full(buckets[0]))
        return Tried(Outcome.THROTTLED if proven else Outcome.WRONG)
    if tries:
        throttle.give_back(tries)
    _renew_hash(account, password)
    if proven or account.two_step_at is None:
        return Tried(Outcome.SIGNED_IN, account, two_step=proven)
    return Tried(Outcome.NEEDS_CODE, account)


def _note_failure(account, *, is_last):
    target = account.ref if account else ""
    record_alone("account.sign_in_failed", actor=None, target=target, step="password")
    if is_last:
        record_alone("account.sign_in_throttled", actor=None, target=target, step="password")


def _renew_hash(account, password):
    if hashing.is_outdated(account.password_hash):
        renewed = hashing.hashed(password)
        Account.update(password_hash=renewed).where(
            (Account.id == account.id) & (Account.password_hash == account.password_hash)
        ).execute()


def _brings_second_factor(account, folded, code, address):
    """Whether a throttled try carries a valid code of the account. Counted for each address by itself: guesses from
    elsewhere must not use up the owner's tries."""
    if not code:
        return False
    bucket = Bucket("throttled code", f"{folded} {throttle.network(address)}", 10)
    return _use_code(account, code, bucket) is Outcome.SIGNED_IN


def second_step(account, code, *, address=""):
    """Test the code of somebody whose password was right; starts no session."""
    bucket = code_bucket(account)
    outcome = _use_code(account, code, bucket)
    if outcome is Outcome.SIGNED_IN:
        return Tried(outcome, account, two_step=True)
    if outcome is Outcome.WRONG:
        record_alone("account.sign_in_failed", actor=None, target=account.ref, step="code")
        if throttle.is_full(bucket):
            record_alone("account.sign_in_throttled", actor=None, target=account.ref, step="code")
    return Tried(outcome)


def _use_code(account, code, bucket):
    """SIGNED_IN for a valid code, which is used up by this; WRONG, or THROTTLED without looking at the code."""
    # A recovery code has 50 random bits: it can't be guessed, so a full bucket need not keep its owner out.
    if _use_recovery_code(account, code):
        return Outcome.SIGNED_IN
    tries = throttle.take(bucket)
    if tries is None:
        return Outcome.THROTTLED
    if not use_totp(account, code):
        return Outcome.WRONG
    throttle.give_back(tries)
    return Outcome.SIGNED_IN


def totp_timecode(secret, code):
    """The half-minute that a code belongs to, or None if it is wrong now."""
    digits = "".join(code.split())
    try:
        return pyotp.TOTP(secret).verify_and_get_timecode(digits, for_time=clock.now(), valid_window=_WINDOW)
    except OTPVerificationError:
        return None


def use_totp(account, code):
    """Whether the code from the app is right and newer than the last one that was used; it is used by this."""
    timecode = totp_timecode((account and account.totp_secret) or _NOBODYS_SECRET, code)
    newer = (
        (Account.id == (account.id if account else 0))
        & Account.two_step_at.is_null(False)
        & (Account.totp_last_timecode < (timecode or 0))
    )
    return bool(Account.update(totp_last_timecode=timecode or 0).where(newer).execute())


def _use_recovery_code(account, code):
    account_id = account.id if account else 0
    with db.atomic():
        used = (
            RecoveryCode.update(used_at=clock.now())
            .where(
                (RecoveryCode.account == account_id)
                & (RecoveryCode.code_hash == tokens.recovery_hash(account_id, code))
                & RecoveryCode.used_at.is_null()
            )
            .execute()
        )
        if used:
            # Not what the form was sent for: its one-time key stays good, should the password be wrong.
            record_alone("account.recovery_code_used", actor=account, target=account.ref)
    return bool(used)
