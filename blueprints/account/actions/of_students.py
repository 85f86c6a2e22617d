"""The accounts of students. One is made when its student is invited, and from then on keeps in step with the student, whom
the same email ties to it.

Each function is a part of a change to a student, inside its transaction, which has asked who may do that. An account never
moves onto an address that another account has.
"""

from peewee import fn

import permissions
from blueprints.account.actions.base import OPERATOR, by
from blueprints.account.actions.passwords import make_link
from blueprints.account.actions.people import checked, refuse_taken, search_text, void_links
from blueprints.account.actions.sessions import end_all
from blueprints.account.queries.accounts import STUDENT_INVITATION
from events import record
from extensions import clock
from models import Account, OutboxEmail, new_ref


def invite_student(name, email, account=None):
    """Make the account of a student, or take the one whose invitation came to nothing, and queue an invitation. Returns the
    account. Raises Refused for an address that is none or is taken, IntegrityError when another worker was faster."""
    if account is None:
        fields = checked({"name": name[:255], "email": email, "role": permissions.STUDENT})
        refuse_taken(fields["email_folded"])
        account = Account.create(ref=new_ref(), **fields, created_at=clock.now())
        record("account.added", actor=None, target=account.ref, role=account.role, by="student visibility")
    mine = (OutboxEmail.account == account) & (OutboxEmail.kind == STUDENT_INVITATION)
    before = OutboxEmail.select(fn.COUNT(OutboxEmail.id)).where(mine).scalar()
    make_link(account, STUDENT_INVITATION, once=f"{STUDENT_INVITATION}:{account.ref}:{before}")
    return account


def keep_in_step(account, *, actor, **fields):
    """Bring a student's account in step with the student: `name`, `email` ("" when the student has none any more) and
    `is_active`, as far as they are given. Ends its sessions where another may be behind it now; raises Refused."""
    if actor is not OPERATOR:
        permissions.require("student.edit", actor)
    if account.role != permissions.STUDENT:
        raise permissions.NotVisible(account.ref)
    changes = _changes(account, fields)
    if not changes:
        return
    if "email_folded" in changes:
        refuse_taken(changes["email_folded"], but=account)
        void_links(account)
    if changes.keys() & {"email_folded", "is_active"}:
        end_all(account)
    account.change(account.version, **changes)
    _record(account, changes, by(actor))


def _changes(account, fields):
    wanted = {"name": fields["name"][:255]} if "name" in fields else {}
    if fields.get("email"):
        wanted |= {name: value for name, value in checked({"email": fields["email"]}).items() if name.startswith("email")}
    stays = fields.get("is_active", True) and fields.get("email") != ""
    if not stays and account.is_active:
        wanted |= {"is_active": False, "closed_with_student": True}
    elif fields.get("is_active") and account.closed_with_student and fields.get("email") != "":
        wanted |= {"is_active": True, "closed_with_student": False}
    changes = {name: value for name, value in wanted.items() if getattr(account, name) != value}
    if changes.keys() & {"name", "email"}:
        changes["search_text"] = search_text(changes.get("name", account.name), changes.get("email", account.email))
    return changes


def _record(account, changes, who):
    if "is_active" in changes:
        verb = "account.reactivated" if changes["is_active"] else "account.deactivated"
        record(verb, target=account.ref, because="of the student", **who)
    fields = [name for name in ("name", "email") if name in changes]
    if fields:
        record("account.changed", target=account.ref, fields=fields, **who)
