"""Accounts: adding, changing, deactivating. There is always an active Admin Key Holder left."""

import re

import permissions
from blueprints.account.actions.base import Refused, by, may_manage
from blueprints.account.actions.passwords import check_password, make_link
from blueprints.account.actions.sessions import end_all
from blueprints.account.hashing import hashed
from blueprints.kit.text import fold, one_line
from events import record
from extensions import clock, db
from models import Account, Conflict, PasswordLink, is_postgres, new_ref

_ADDRESS = re.compile(r"[!-;=?A-Z\[-~]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
DETAILS = ("name", "email", "role", "title", "phone")


def add_account(*, name, email, role, title="", phone="", password=None, actor):
    """Add an account. Without a password it gets an invitation by email. Returns the account."""
    may_manage(actor)
    fields = _checked({"name": name, "email": email, "role": role, "title": title, "phone": phone})
    if password is not None:
        check_password(password, name=name, email=email)
        fields["password_hash"] = hashed(password)
    ref = new_ref()
    with db.atomic():
        # First, so that of two sends of one form the second meets its used key and not "there is an account already".
        record("account.added", target=ref, role=role, **by(actor))
        _refuse_taken(fields["email_folded"])
        account = Account.create(ref=ref, **fields, created_at=clock.now())
        if password is None:
            make_link(account)
            record("account.invited", target=account.ref, kind="invite", **by(actor))
    return account


def change_account(account, *, version, actor, **details):
    """Change name, email, role, title or phone if the account still has `version`, else raise Conflict.

    Another role signs the account out everywhere; another email makes links sent to the old one worthless.
    """
    may_manage(actor)
    fields = _checked(details)
    with db.atomic():
        now = _locked(account)
        changed = [name for name in DETAILS if name in fields and fields[name] != getattr(now, name)]
        if not changed:
            return now
        if now.version != version:
            raise Conflict(now)
        if "email" in changed:
            _refuse_taken(fields["email_folded"], but=now)
            _void_links(now)
        if "role" in changed:
            _keep_an_admin(now, fields["role"])
            end_all(now)
            record("account.role_changed", target=now.ref, old=now.role, new=fields["role"], **by(actor))
        fields["search_text"] = _search_text(fields.get("name", now.name), fields.get("email", now.email))
        now.change(version, **fields)
        record("account.changed", target=now.ref, fields=changed, **by(actor))
    return now


def change_own_details(*, version, title, phone, actor):
    """Change one's own title and phone."""
    fields = _checked({"title": title, "phone": phone})
    with db.atomic():
        changed = [name for name in fields if fields[name] != getattr(actor, name)]
        actor.change(version, **fields)
        record("account.changed", actor=actor, target=actor.ref, fields=changed)


def deactivate(account, *, actor):
    """End somebody's access at once, in open sessions too. What they wrote and are assigned stays as it is."""
    may_manage(actor)
    if actor == account:
        raise Refused("You can't deactivate your own account. Ask another Admin Key Holder.")
    with db.atomic():
        now = _locked(account)
        if not now.is_active:
            return now
        _keep_an_admin(now)
        _void_links(now)
        end_all(now)
        now.change(now.version, is_active=False)
        record("account.deactivated", target=now.ref, **by(actor))
    return now


def reactivate(account, *, actor):
    """Let somebody sign in again, with the password they had."""
    may_manage(actor)
    with db.atomic():
        now = _locked(account)
        if not now.is_active:
            now.change(now.version, is_active=True)
            record("account.reactivated", target=now.ref, **by(actor))
    return now


def _locked(account):
    """The account as it stands, held until the transaction ends together with the Admin Key Holders, always in one
    order: two of them who demote each other at once come one after the other."""
    held = (Account.id == account.id) | (Account.role == permissions.ADMIN)
    query = Account.select().where(held).order_by(Account.id)
    if is_postgres():
        query = query.for_update()
    return next(row for row in query if row.id == account.id)


def _keep_an_admin(account, new_role=None):
    if account.role != permissions.ADMIN or not account.is_active or new_role == permissions.ADMIN:
        return
    others = Account.is_active & (Account.role == permissions.ADMIN) & (Account.id != account.id)
    if not Account.select().where(others).exists():
        raise Refused(
            f"{account.name} is the last active Admin Key Holder. Make somebody else an Admin Key Holder first.", "role"
        )


def _void_links(account):
    PasswordLink.update(used_at=clock.now()).where(
        (PasswordLink.account == account) & PasswordLink.used_at.is_null()
    ).execute()


def _refuse_taken(email_folded, but=None):
    taken = Account.select().where(Account.email_folded == email_folded)
    if but is not None:
        taken = taken.where(Account.id != but.id)
    if taken.exists():
        raise Refused("There is an account with this email already.", "email")


def _checked(details):
    """The details as they are kept; raises Refused for a role or an email that is none."""
    fields = {name: one_line(value) for name, value in details.items()}
    if "name" in fields and not fields["name"]:
        raise Refused("Give the name.", "name")
    if "role" in fields and fields["role"] not in permissions.ROLES:
        raise Refused("This role is not known.", "role")
    for name, value in fields.items():
        if len(value) > 255:
            raise Refused("This can have at most 255 characters.", name)
    if "email" in fields:
        if len(fields["email"]) > 254 or not _ADDRESS.fullmatch(fields["email"]):
            raise Refused("This is not an email address. Write one like kay@school.example.", "email")
        fields["email_folded"] = fields["email"].casefold()
    if "name" in fields and "email" in fields:
        fields["search_text"] = _search_text(fields["name"], fields["email"])
    return fields


def _search_text(name, email):
    # Cut, not refused: a name and an email of full length do not fit the column together, and only searching uses it.
    return fold(f"{name} {email}")[:255]

