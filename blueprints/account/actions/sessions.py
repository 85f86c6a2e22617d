"""Sessions: starting, rotating and ending them. Must not decide whether somebody may sign in (sign_in.py does)."""

import permissions
from blueprints.account import tokens
from events import record
from extensions import clock, db
from models import Account, Session


def start_session(account, *, two_step, address="", browser=""):
    """Sign the account in on one browser; returns the token for its cookie. The table keeps only the token's hash."""
    token = tokens.new_session_token()
    now = clock.now()
    with db.atomic():
        Session.create(
            account=account,
            token_hash=tokens.session_hash(token),
            address=address[:255],
            browser=browser[:255],
            two_step=two_step,
            created_at=now,
            seen_at=now,
        )
        Account.update(last_sign_in_at=now).where(Account.id == account.id).execute()
        record("account.signed_in", actor=account, target=account.ref, two_step=two_step)
    return token


def rotate_session(row, *, two_step=None):
    """Give the session another token after a change of rights and return it; the old cookie is worth nothing then."""
    token = tokens.new_session_token()
    fields = {"token_hash": tokens.session_hash(token)}
    if two_step is not None:
        fields["two_step"] = two_step
    Session.update(**fields).where((Session.id == row.id) & Session.revoked_at.is_null()).execute()
    return token


def sign_out(row, *, actor):
    """End the session this request came with."""
    with db.atomic():
        if _end(Session.id == row.id):
            record("account.signed_out", actor=actor, target=actor.ref)


def revoke_session(account, ref, *, actor):
    """End one session of the account: one's own, or anybody's for those who manage users."""
    _may_revoke(account, actor)
    with db.atomic():
        ended = _end((Session.account == account) & (Session.ref == ref))
        if not ended and not Session.select().where((Session.account == account) & (Session.ref == ref)).exists():
            raise permissions.NotVisible(ref)
        if ended:
            record("account.session_revoked", actor=actor, target=account.ref, session=ref)
    return ended


def revoke_all(account, *, actor, but=None):
    """Sign the account out everywhere, but on the session `but`; returns how many sessions ended."""
    _may_revoke(account, actor)
    with db.atomic():
        ended = end_all(account, but=but)
        which = "others" if but else "all"
        record("account.session_revoked", actor=actor, target=account.ref, session=which, count=ended)
    return ended


def end_all(account, *, but=None):
    """End the sessions as part of another step, which records what it is."""
    others = Session.account == account
    return _end(others & (Session.id != but.id) if but else others)


def _end(condition):
    return Session.update(revoked_at=clock.now()).where(condition & Session.revoked_at.is_null()).execute()


def _may_revoke(account, actor):
    if actor != account:
        permissions.require("admin.users", actor)
