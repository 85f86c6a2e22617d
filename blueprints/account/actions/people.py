"""Accounts: adding, changing, deactivating. There is always an active Admin Key Holder left.

An account without a role is a profile: it can't sign in, and is sent no link, until it is given a role.
"""

from urllib.parse import urlsplit

import permissions
from blueprints.account.actions.base import Refused, by, may_manage
from blueprints.account.actions.passwords import check_password, make_link, refuse_early
from blueprints.account.actions.photos import photo_fields
from blueprints.account.actions.sessions import end_all
from blueprints.account.hashing import hashed
from blueprints.kit.text import fold, one_line, signs_in_with
from events import record
from extensions import clock, db
from models import Account, Conflict, PasswordLink, Student, is_postgres, new_ref

DETAILS = ("name", "email", "role", "title", "phone", "booking_url", "photo_path")


def add_account(*, name, email, role, title="", phone="", booking_url="", password=None, actor):
    """Add an account, or with an empty role a profile. An account without a password gets an invitation by email.
    Returns the account."""
    may_manage(actor)
    details = {"name": name, "email": email, "role": role, "title": title, "phone": phone, "booking_url": booking_url}
    fields = checked(details)
    if password is not None:
        check_password(password, name=name, email=email)
        fields["password_hash"] = hashed(password)
    ref = new_ref()
    with db.atomic():
        # First, so that of two sends of one form the second meets its used key and not "there is an account already".
        record("account.added", target=ref, role=role, **by(actor))
        refuse_taken(fields["email_folded"])
        account = Account.create(ref=ref, **fields, created_at=clock.now())
        if password is None and role:
            _invite(account, actor)
    return account


def _invite(account, actor):
    refuse_early(account.role)
    link = make_link(account)
    record("account.invited", target=account.ref, kind=link.kind, **by(actor))


def change_account(account, *, version, actor, photo=None, **details):
    """Change name, email, role, title, phone, booking link or photo if the account still has `version`, else raise
    Conflict.

    Another role signs the account out everywhere, the first one invites it; another email makes links sent to the old
    one worthless, and so does taking the role away.
    """
    may_manage(actor)
    fields = checked(details)
    with photo_fields(account, photo) as its_photo, db.atomic():
        fields |= its_photo
        now = _locked(account)
        changed = [name for name in DETAILS if name in fields and fields[name] != getattr(now, name)]
        if not changed:
            return now
        if now.version != version:
            raise Conflict(now)
        if "email" in changed:
            _refuse_untying(now)
            refuse_taken(fields["email_folded"], but=now)
            void_links(now)
        if "role" in changed:
            _keep_an_admin(now, fields["role"])
            end_all(now)
            record("account.role_changed", target=now.ref, old=now.role, new=fields["role"], **by(actor))
        is_first_role = "role" in changed and not now.role
        fields["search_text"] = search_text(fields.get("name", now.name), fields.get("email", now.email))
        now.change(version, **fields)
        _record_changes(changed, now, actor)
        if not now.role:
            void_links(now)
        elif is_first_role and now.is_active and now.password_hash is None:
            _invite(now, actor)
    return now


def _record_changes(changed, account, actor):
    if "photo_path" in changed:
        record("account.photo_changed", target=account.ref, **by(actor))
    others = [name for name in changed if name != "photo_path"]
    if others or not changed:
        record("account.changed", target=account.ref, fields=others, **by(actor))


def change_own_details(*, version, title, phone, booking_url=None, photo=None, actor):
    """Change one's own title and phone; staff also what else stands on their card. Students have neither."""
    permissions.require("own.details", actor)
    details = {"title": title, "phone": phone}
    if permissions.can(actor, "personnel.read"):
        details["booking_url"] = booking_url or ""
    else:
        photo = None
    fields = checked(details)
    with photo_fields(actor, photo) as its_photo, db.atomic():
        fields |= its_photo
        changed = [name for name in fields if fields[name] != getattr(actor, name)]
        actor.change(version, **fields)
        _record_changes(changed, actor, actor)


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
        void_links(now)
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
            now.change(now.version, is_active=True, closed_with_student=False)
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


def _refuse_untying(account):
    """The email is what ties a student's account to the student: it is changed there, and the account follows."""
    tied = Student.select().where(Student.email_folded == account.email_folded)
    if account.role == permissions.STUDENT and tied.exists():
        raise Refused("This is the email of a student's record. Change it there: the account goes along.", "email")


def void_links(account):
    """Make the links sent to the account worthless, as part of another step."""
    PasswordLink.update(used_at=clock.now()).where(
        (PasswordLink.account == account) & PasswordLink.used_at.is_null()
    ).execute()


def refuse_taken(email_folded, but=None):
    """Raise Refused when another account has this email."""
    taken = Account.select().where(Account.email_folded == email_folded)
    if but is not None:
        taken = taken.where(Account.id != but.id)
    if taken.exists():
        raise Refused("There is an account with this email already.", "email")


def checked(details):
    """The details as they are kept; raises Refused for a role or an email that is none."""
    fields = {name: one_line(value) for name, value in details.items()}
    if "name" in fields and not fields["name"]:
        raise Refused("Give the name.", "name")
    if fields.get("role") and fields["role"] not in permissions.ROLES:
        raise Refused("This role is not known.", "role")
    for name, value in fields.items():
        if len(value) > 255:
            raise Refused("This can have at most 255 characters.", name)
    if fields.get("booking_url") and not _is_web_address(fields["booking_url"]):
        raise Refused("This is not the address of a web page. Write one like https://booking.example/kay.", "booking_url")
    if "email" in fields:
        if not signs_in_with(fields["email"]):
            raise Refused("This is not an email address. Write one like kay@school.example.", "email")
        fields["email_folded"] = fields["email"].casefold()
    if "name" in fields and "email" in fields:
        fields["search_text"] = search_text(fields["name"], fields["email"])
    return fields


def _is_web_address(text):
    """Whether a link may lead there: http or https, a host, and nobody's password before it."""
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    fits = text.isprintable() and not set(text) & set(" \\<>\"'`")
    return fits and parts.scheme in ("http", "https") and bool(host) and "@" not in parts.netloc


def search_text(name, email):
    """What the search of accounts looks into."""
    # Cut, not refused: a name and an email of full length do not fit the column together, and only searching uses it.
    return fold(f"{name} {email}")[:255]

