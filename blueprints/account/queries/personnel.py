"""Reads about personnel: who works here, in which groups, and how to reach them. Tells nothing about what somebody sees.

A profile that has no role yet shows only to those who will give it one.
"""

from peewee import fn

import permissions
from blueprints.kit.text import fold
from models import Account, Group, GroupMember

SORTS = {"name": Account.search_text, "title": fn.LOWER(Account.title), "role": Account.role}


def _visible(user, *fields):
    """The accounts that are personnel in the eyes of this person, as a query."""
    permissions.require("personnel.read", user)
    is_staff = Account.role.in_(permissions.STAFF_ROLES)
    if permissions.can(user, "admin.users"):
        is_staff |= Account.role == ""
    return Account.select(*fields).where(Account.is_active & is_staff)


def personnel(user, *, text="", group="", sort="name"):
    """Personnel as a query of named tuples. `text`: each of its words stands in the name, email, title or a group;
    `group`: the ref of one."""
    columns = (Account.ref, Account.name, Account.role, Account.title, Account.email, Account.phone, Account.booking_url)
    query = _visible(user, Account.id, *columns, (Account.photo_path != "").alias("has_photo"))
    for word in text.split():
        query = query.where(_says(word))
    if group:
        query = query.where(Account.id.in_(_members(Group.ref == group)))
    column = SORTS.get(sort.removeprefix("-"), Account.search_text)
    return query.order_by(column.desc() if sort.startswith("-") else column, Account.search_text, Account.id).namedtuples()


def _says(word):
    in_a_group = Account.id.in_(_members(Group.name.contains(word)))
    return Account.search_text.contains(fold(word)) | Account.title.contains(word) | in_a_group


def _members(which):
    return GroupMember.select(GroupMember.account).join(Group).where(Group.is_active & which)


def groups_of(user, account_ids):
    """{account id: names of the groups in use that it is a member of}, for those that have any."""
    permissions.require("personnel.read", user)
    rows = (
        GroupMember.select(GroupMember.account_id, Group.name)
        .join(Group)
        .where(Group.is_active & GroupMember.account.in_(list(account_ids)))
        .order_by(fn.LOWER(Group.name))
    )
    found = {}
    for account_id, name in rows.tuples():
        found.setdefault(account_id, []).append(name)
    return found


def person(user, ref):
    """One of the personnel; NotVisible for everybody else's account."""
    found = _visible(user).where(Account.ref == ref).first()
    if found is None:
        raise permissions.NotVisible(ref)
    return found


def groups_of_person(user, account):
    """[(ref or None, name)] of the groups somebody is a member of: the ref where `user` manages the group."""
    permissions.require("personnel.read", user)
    managed = permissions.managed_groups(user, Group.id)
    mine = GroupMember.select(GroupMember.group).where(GroupMember.account == account.id)
    query = Group.select(Group.ref, Group.name, Group.id.in_(managed)).where(Group.is_active & Group.id.in_(mine))
    return [(ref if is_managed else None, name) for ref, name, is_managed in query.order_by(fn.LOWER(Group.name)).tuples()]


def group_names(user):
    """[(ref, name)] of the groups in use, to choose one from."""
    permissions.require("personnel.read", user)
    return list(Group.select(Group.ref, Group.name).where(Group.is_active).order_by(fn.LOWER(Group.name)).tuples())


def photo_path(user, ref):
    """Where the photo of one of the personnel lies, "" without one; for those who manage users that of any account."""
    manages = permissions.can(user, "admin.users")
    query = Account.select(Account.photo_path) if manages else _visible(user, Account.photo_path)
    found = query.where(Account.ref == ref).first()
    if found is None:
        raise permissions.NotVisible(ref)
    return found.photo_path
