"""Many accounts at once, as an import plans them: with few statements, and with the consequences that people.py has for one.

Who may be changed how is planned and shown before (the part "imports"); this refuses whoever may not manage users.
"""

from typing import NamedTuple

from blueprints.account.actions.base import by, may_manage
from blueprints.account.actions.passwords import make_link
from blueprints.account.actions.people import search_text
from blueprints.kit import bulk
from events import record_each
from extensions import clock, db
from models import Account, PasswordLink, Session, new_ref

STORED = ("name", "email", "title", "phone", "booking_url", "role", "is_active", "source_id")
EMPTY = {"title": "", "phone": "", "booking_url": "", "source_id": None, "is_active": True}


class Change(NamedTuple):
    """An account as it was read (a row with id, ref and STORED), and the fields of STORED to change."""

    known: object
    fields: dict


def save_people(added, changed, *, invite, actor):
    """Add accounts (dicts of STORED; what is not given is empty) and make the changes; `invite` whoever can sign in from now
    on and has no password. Another role and deactivation sign out everywhere, another email and deactivation make links
    worthless. Returns the references of the added ones in their order."""
    may_manage(actor)
    rows = [_columns(EMPTY | fields) | {"ref": new_ref(), "created_at": clock.now()} for fields in added]
    with db.atomic():
        bulk.insert_each(Account, rows)
        bulk.update_each(Account, [_changed_row(one) for one in changed], version=Account.version + 1)
        _record("account.added", [(row["ref"], {"role": row["role"]}) for row in rows], actor)
        _follow_up(changed, actor)
        if invite:
            _invite([row["ref"] for row in rows] + [one.known.ref for one in changed if _is_first_role(one)], actor)
    return [row["ref"] for row in rows]


def _columns(fields):
    email = fields["email"]
    return fields | {"email_folded": email.casefold(), "search_text": search_text(fields["name"], email)}


def _changed_row(change):
    before = {name: getattr(change.known, name) for name in STORED}
    return _columns(before | change.fields) | {"id": change.known.id}


def _follow_up(changed, actor):
    """What comes with the changes: sessions and links that end, and an audit row of each kind of change."""
    roles = [one for one in changed if "role" in one.fields]
    off = [one for one in changed if one.fields.get("is_active") is False]
    on = [one for one in changed if one.fields.get("is_active")]
    moved = [one for one in changed if one.fields.get("email", "").casefold() not in ("", one.known.email.casefold())]
    _end(Session, Session.revoked_at, roles + off)
    _end(PasswordLink, PasswordLink.used_at, moved + off)
    for some in bulk.batches([one.known.id for one in on]):
        Account.update(closed_with_student=False).where(Account.id.in_(some)).execute()
    told = [(one.known.ref, {"old": one.known.role, "new": one.fields["role"]}) for one in roles]
    _record("account.role_changed", told, actor)
    _record("account.deactivated", [(one.known.ref, {}) for one in off], actor)
    _record("account.reactivated", [(one.known.ref, {}) for one in on], actor)
    told = [(one.known.ref, {"fields": sorted(one.fields.keys() - {"is_active"})}) for one in changed]
    _record("account.changed", [(ref, data) for ref, data in told if data["fields"]], actor)


def _end(model, moment, changes):
    for some in bulk.batches([one.known.id for one in changes]):
        model.update({moment: clock.now()}).where(model.account.in_(some) & moment.is_null()).execute()


def _is_first_role(change):
    return bool(change.fields.get("role")) and not change.known.role


def _invite(refs, actor):
    links = []
    for some in bulk.batches(refs):
        fits = Account.ref.in_(some) & Account.password_hash.is_null() & Account.is_active & (Account.role != "")
        links += [(account.ref, {"kind": make_link(account).kind}) for account in Account.select().where(fits)]
    _record("account.invited", links, actor)


def _record(verb, about, actor):
    record_each(verb, about, **by(actor))
