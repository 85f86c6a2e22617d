"""Passwords and the links that set them. A link is good once, for an hour, and signs nobody in."""

import secrets
from datetime import timedelta

import permissions
from blueprints.account import hashing, throttle
from blueprints.account.actions.base import Refused, by, may_manage
from blueprints.account.actions.sessions import end_all, rotate_session
from blueprints.account.actions.sign_in import code_bucket, password_buckets
from blueprints.account.throttle import Bucket
from events import email as queue_email
from events import record
from extensions import clock, db
from models import Account, PasswordLink, School

LINK_FOR = timedelta(hours=1)
INVITE, RESET = "invite", "reset"


def check_password(password, *, name="", email=""):
    """Raise Refused with the sentence that says why this can't be somebody's new password."""
    problem = hashing.problem_with(password, about=(name, email, School.get().name))
    if problem:
        raise Refused(problem, "password")


def ask_password_link(email, *, address=""):
    """Email a set-password link if an account that may sign in has this email. Tells nobody whether it did."""
    folded = email.strip().casefold()
    buckets = [Bucket("link", folded, 5), Bucket("link address", throttle.network(address), 50)]
    if throttle.take(*buckets) is None:
        return
    account = Account.get_or_none((Account.email_folded == folded) & permissions.signs_in())
    with db.atomic():
        record("account.password_link_asked", actor=None, target=account.ref if account else "")
        _queue_link(account)


def _queue_link(account):
    """The same work for an unknown email as for a known one, undone at once: how long it takes tells nothing."""
    somebody = Account.select().order_by(Account.id).first()
    if somebody is None:
        return
    with db.atomic() as step:
        make_link(account or somebody)
        # Both are followed by a new savepoint, so the database is asked as often either way.
        step.commit() if account else step.rollback()


def make_link(account, template=None, once=None):
    """Make a link for the account and queue its email; an invitation as long as there is no password. Returns it.
    `template` is the kind of the email unless it is the usual one; `once` as in events.email()."""
    kind = INVITE if account.password_hash is None else RESET
    link = PasswordLink.create(
        account=account, kind=kind, nonce=secrets.token_urlsafe(24), expires_at=clock.now() + LINK_FOR
    )
    template = template or ("invitation" if kind == INVITE else "password_link")
    queue_email(template, account, target=account.ref, target_id=link.id, once=once)
    return link


def invite(account, *, actor):
    """Send the account a link to set its password, again if need be. Returns the link."""
    may_manage(actor)
    if not account.is_active:
        raise Refused("This account is deactivated. Reactivate it first.")
    if not account.role:
        raise Refused("This profile has no role yet, so nobody signs in with it. Give it a role first.")
    refuse_early(account.role)
    with db.atomic():
        link = make_link(account)
        record("account.invited", target=account.ref, kind=link.kind, **by(actor))
    return link


def refuse_early(role):
    """Raise Refused for a student while Case Management System Student Visibility is off: until then they get no email."""
    if role == permissions.STUDENT and not School.get().student_visibility:
        raise Refused(
            "Students are sent nothing before Case Management System Student Visibility is Enabled (Admin > Settings). "
            "Those in cohorts are invited then without a further step.", "role"
        )  # fmt: skip


def use_password_link(link, password):
    """Use up the link: set the password, end every session and every other link. Returns the account."""
    account = link.account
    check_password(password, name=account.name, email=account.email)
    new_hash = hashing.hashed(password)
    with db.atomic():
        record("account.password_set", actor=account, target=account.ref, by_link=True)
        now = clock.now()
        unused = (PasswordLink.account == account) & PasswordLink.used_at.is_null() & (PasswordLink.expires_at > now)
        if not PasswordLink.update(used_at=now).where(unused & (PasswordLink.id == link.id)).execute():
            raise Refused("This link has been used. Ask for a new one.")
        PasswordLink.update(used_at=now).where(unused).execute()
        Account.update(password_hash=new_hash).where(Account.id == account.id).execute()
        end_all(account)
        # Whoever reads the account's email has shown to be its owner: a stranger's guesses no longer count.
        throttle.empty(password_buckets(account.email)[0], code_bucket(account))
    return account


def change_password(row, current, new, *, actor):
    """Change one's own password: ends the other sessions and gives this one (`row`) a new token, which is returned."""
    confirm_password(current, actor=actor)
    check_password(new, name=actor.name, email=actor.email)
    new_hash = hashing.hashed(new)
    with db.atomic():
        Account.update(password_hash=new_hash).where(Account.id == actor.id).execute()
        PasswordLink.update(used_at=clock.now()).where(
            (PasswordLink.account == actor) & PasswordLink.used_at.is_null()
        ).execute()
        end_all(actor, but=row)
        token = rotate_session(row)
        record("account.password_set", actor=actor, target=actor.ref, by_link=False)
    return token


def confirm_password(password, *, actor):
    """Raise Refused unless this is the actor's password. Counted like the tries of a sign-in."""
    tries = throttle.take(Bucket("confirm", actor.ref, 10))
    if tries is None:
        raise Refused("Too many wrong passwords. Try again in an hour.", "current")
    if not hashing.fits(actor.password_hash, password):
        raise Refused("This is not your present password.", "current")
    throttle.give_back(tries)
