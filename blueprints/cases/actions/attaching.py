"""Assigning whole groups and individual staff to a case, and detaching them.

A group is a link that membership is read through at each request; individuals are a snapshot, whichever group they were
ticked in. What ends is deleted: its history is the audit log (docs/adr/0008-people-on-a-case.md).
"""

import events
import permissions
from blueprints.cases.actions.base import people_on, refuse_closed
from blueprints.cases.queries.people import assignable, new_readers, pick_group
from blueprints.kit.refusing import Refused, Unconfirmed, confirmation_of
from extensions import db
from models import Account, CaseGroup, CaseStaff, Group, GroupMember, OutboxEmail


def attach_group(case, group, *, actor, confirmed, email=False):
    """Attach the whole group. `confirmed` is the confirmation_of() exactly those who come to see the case by it, also
    where that is nobody: it assigns whoever joins later.

    With `email` each member is emailed, once. Raises NotVisible, Denied, Refused or Unconfirmed.
    """
    permissions.require_managing(actor, case)
    with db.atomic():
        refuse_closed(case, "group")
        group = _still_there(case, group)
        if group.is_attached:
            raise Refused("group", f"{group.name} is attached to this case already.")
        new = new_readers(case, group)
        if confirmed != confirmation_of(new):
            raise Unconfirmed(new)
        before = {account.id for account in people_on(case)}
        CaseGroup.create(case=case, group=group, attached_by=actor)
        events.record("case.attached", actor=actor, target=case.ref, accounts=[], groups=[group.ref])
        _tell(case, _members(case, group), before, actor, email)
    return group


def attach_staff(case, group, accounts, *, actor, email=False):
    """Attach these members of the group as individuals; returns those who were not yet. Raises NotVisible, Denied or
    Refused."""
    permissions.require_managing(actor, case)
    with db.atomic():
        refuse_closed(case, "staff")
        group = _still_there(case, group)
        _refuse_strangers(group, accounts)
        refuse_unfit(case, "staff", accounts)
        known = {row.account_id for row in CaseStaff.select(CaseStaff.account).where(CaseStaff.case == case.id)}
        new = [account for account in accounts if account.id not in known]
        if not new:
            raise Refused("staff", f"{_names(accounts)} assigned to this case already.")
        before = {account.id for account in people_on(case)}
        for account in new:
            CaseStaff.create(case=case, account=account, from_group=group, attached_by=actor)
        refs = [account.ref for account in new]
        events.record("case.attached", actor=actor, target=case.ref, accounts=refs, groups=[])
        _tell(case, new, before, actor, email)
    return new


def detach_group(case, ref, *, actor):
    """Detach the group of this reference; returns its name. Raises NotVisible, Denied or Refused."""
    permissions.require_managing(actor, case)
    with db.atomic():
        refuse_closed(case, "group")
        events.record("case.detached", actor=actor, target=case.ref, accounts=[], groups=[ref])
        group = Group.get_or_none(Group.ref == ref)
        here = (CaseGroup.case == case.id) & (CaseGroup.group == group)
        if group is None or not CaseGroup.delete().where(here).execute():
            raise Refused("group", "This group is not attached to the case any more.")
    return group.name


def detach_staff(case, ref, *, actor):
    """Detach the individual of this reference; returns the name. Raises NotVisible, Denied or Refused."""
    permissions.require_managing(actor, case)
    with db.atomic():
        refuse_closed(case, "staff")
        events.record("case.detached", actor=actor, target=case.ref, accounts=[ref], groups=[])
        account = Account.get_or_none(Account.ref == ref)
        here = (CaseStaff.case == case.id) & (CaseStaff.account == account)
        if account is None or not CaseStaff.delete().where(here).execute():
            raise Refused("staff", "This person is not assigned to the case any more.")
    return account.name


def refuse_unfit(case, field, accounts):
    """Somebody chosen has to be able to see the case; why they can't is nobody's business here."""
    if not accounts:
        return
    fit = {account.id for account in assignable(case.id, Account.id).where(Account.id.in_([one.id for one in accounts]))}
    for account in accounts:
        if account.id in fit:
            continue
        if not Account.select().where((Account.id == account.id) & Account.is_active).exists():
            raise Refused(field, f"{account.name} was deactivated and can't be assigned. Choose somebody else.")
        raise Refused(field, f"{account.name} can't be assigned to this case. Choose somebody else.")


def _still_there(case, group):
    group, problem = pick_group(case, group.ref)
    if problem:
        raise Refused("group", problem)
    return group


def _refuse_strangers(group, accounts):
    if not accounts:
        raise Refused("staff", "Choose at least one staff member.")
    rows = GroupMember.select(GroupMember.account).where(GroupMember.group == group.id)
    members = {row.account_id for row in rows}
    strangers = [account for account in accounts if account.id not in members]
    if strangers:
        raise Refused("staff", f"{_names(strangers)} not in {group.name} any more. Choose again.")


def _members(case, group):
    """The members of the group who now see the case."""
    mine = GroupMember.select(GroupMember.account).where(GroupMember.group == group.id)
    return list(assignable(case.id).where(Account.id.in_(mine)))


def _tell(case, accounts, before, actor, email):
    """Tell those who were not on the case `before` (ids). With the box ticked everybody is emailed, but nobody twice
    who came onto the case in two ways."""
    new = [account for account in accounts if account.id not in before]
    if email:
        ids = [account.id for account in accounts]
        mails = OutboxEmail.select(OutboxEmail.account).where(
            (OutboxEmail.kind == "case_added") & (OutboxEmail.target_id == case.id) & OutboxEmail.account.in_(ids)
        )
        emailed = {row.account_id for row in mails.where(OutboxEmail.dropped_at.is_null())}
        new += [account for account in accounts if account.id in before and account.id not in emailed]
    events.notify("case_added", new, actor=actor, target=case.ref, target_id=case.id, email_too=email)


def _names(accounts):
    """The beginning of a sentence: "Gil Gannet is", "Gil Gannet and Mo Merlin are"."""
    return f"{' and '.join(account.name for account in accounts)} {'is' if len(accounts) == 1 else 'are'}"
