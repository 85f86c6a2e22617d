"""Departments, groups, their members and managers, and what a membership changes. Writes nothing."""

from collections import namedtuple

from peewee import JOIN, fn

import permissions
from models import (
    Account,
    Category,
    CategoryGroup,
    Department,
    DepartmentDirector,
    Group,
    GroupManager,
    GroupMember,
)

GroupRow = namedtuple("GroupRow", "ref name department is_active members managers categories")
Person = namedtuple("Person", "ref name role is_active since")
LINKS = {"member": GroupMember, "manager": GroupManager}


def departments(user):
    """[(Department, names of its directors, number of its groups)] by name."""
    permissions.require("admin.groups", user)
    names = {}
    directing = DepartmentDirector.select(DepartmentDirector.department, Account.name).join(Account)
    for department_id, name in directing.order_by(Account.name).tuples():
        names.setdefault(department_id, []).append(name)
    counts = dict(Group.select(Group.department, fn.COUNT(Group.id)).group_by(Group.department).tuples())
    rows = Department.select().order_by(fn.LOWER(Department.name))
    return [(row, names.get(row.id, []), counts.get(row.id, 0)) for row in rows]


def department(user, ref):
    """The department behind a ref; NotVisible when there is none."""
    permissions.require("admin.groups", user)
    row = Department.get_or_none(Department.ref == ref)
    if row is None:
        raise permissions.NotVisible(ref)
    return row


def directors(user, of):
    """The directors of a department as Persons."""
    permissions.require("admin.groups", user)
    query = Account.select(Account.ref, Account.name, Account.role, Account.is_active, Department.id)
    query = query.join(DepartmentDirector, on=(DepartmentDirector.account == Account.id)).join(Department)
    return [Person(*row[:4], None) for row in query.where(Department.id == of.id).order_by(Account.name).tuples()]


def director(user, of, ref):
    """The account behind a ref if it directs the department; NotVisible otherwise."""
    permissions.require("admin.groups", user)
    query = Account.select().join(DepartmentDirector, on=(DepartmentDirector.account == Account.id))
    row = query.where((DepartmentDirector.department == of.id) & (Account.ref == ref)).first()
    if row is None:
        raise permissions.NotVisible(ref)
    return row


def groups(user):
    """A GroupRow for every group: those in use first, by name."""
    permissions.require("admin.groups", user)

    def count(link):
        return link.select(fn.COUNT(link.id)).where(link.group == Group.id)

    query = (
        Group.select(
            Group.ref,
            Group.name,
            Department.name,
            Group.is_active,
            count(GroupMember),
            count(GroupManager),
            count(CategoryGroup),
        )
        .join(Department, JOIN.LEFT_OUTER)
        .order_by(Group.is_active.desc(), fn.LOWER(Group.name))
    )
    return [GroupRow(*row) for row in query.tuples()]


def group(user, ref):
    """The group behind a ref with its department; NotVisible when there is none."""
    permissions.require("admin.groups", user)
    row = Group.select(Group, Department).join(Department, JOIN.LEFT_OUTER).where(Group.ref == ref).first()
    if row is None:
        raise permissions.NotVisible(ref)
    return row


def group_choices(user, also=()):
    """[(ref, name)] of the groups that can be chosen, and of `also` (refs) even when they are retired."""
    query = Group.select(Group.ref, Group.name).where(Group.is_active | Group.ref.in_(list(also)))
    return list(query.order_by(fn.LOWER(Group.name)).tuples())


def people(user, of, kind):
    """The members or managers (`kind`) of a group as Persons, deactivated ones last."""
    permissions.require("admin.groups", user)
    link = LINKS[kind]
    query = Account.select(Account.ref, Account.name, Account.role, Account.is_active, link.added_at)
    query = query.join(link, on=(link.account == Account.id)).where(link.group == of.id)
    return [Person(*row) for row in query.order_by(Account.is_active.desc(), Account.name).tuples()]


def person_in(user, of, kind, ref):
    """The account behind a ref if it is a member or manager of the group; NotVisible otherwise."""
    permissions.require("admin.groups", user)
    link = LINKS[kind]
    query = Account.select().join(link, on=(link.account == Account.id))
    row = query.where((link.group == of.id) & (Account.ref == ref)).first()
    if row is None:
        raise permissions.NotVisible(ref)
    return row


def addable(user, of, kind):
    """Active staff who are not a member, manager or director (`kind`) of this group or department yet, by name."""
    permissions.require("admin.groups", user)
    if kind == "director":
        there = DepartmentDirector.select(DepartmentDirector.account).where(DepartmentDirector.department == of.id)
    else:
        there = LINKS[kind].select(LINKS[kind].account).where(LINKS[kind].group == of.id)
    return list(permissions.staff().where(Account.id.not_in(there)))


def opened_categories(user, of):
    """Names of the need-to-know categories whose incidents the members of this group read, children included."""
    permissions.require("admin.groups", user)
    parent = Category.alias()
    mine = CategoryGroup.select(CategoryGroup.category).where(CategoryGroup.group == of.id)
    query = (
        Category.select(Category.name, parent.name)
        .join(parent, JOIN.LEFT_OUTER, on=(Category.parent == parent.id))
        .where(Category.id.in_(mine) | Category.parent.in_(mine))
        .order_by(parent.name, Category.name)
    )
    return [f"{above}: {name}" if above else name for name, above in query.tuples()]


def effect_of_membership(user, of, account, joins):
    """How many incidents this person sees more after joining the group, or fewer after leaving it; those that are closed
    to `user`, who asks, are not counted."""
    permissions.require("admin.groups", user)
    query = GroupMember.select(GroupMember.group_id).where(GroupMember.account == account.id)
    before = {group_id for (group_id,) in query.tuples()}
    after = before | {of.id} if joins else before - {of.id}
    counts = [permissions.count_seen_as_member(account, groups, reader=user) for groups in (before, after)]
    return abs(counts[1] - counts[0])


def membership_rows(user):
    """(group, department, in use, person, email, part) of everybody in every group, for the export."""
    permissions.require("admin.groups", user)
    rows = []
    for kind, link in LINKS.items():
        query = (
            link.select(Group.name, Department.name, Group.is_active, Account.name, Account.email)
            .join(Group)
            .join(Department, JOIN.LEFT_OUTER)
            .switch(link)
            .join(Account, on=(link.account == Account.id))
        )
        rows += [(*row, kind.capitalize()) for row in query.tuples()]
    return sorted(rows, key=lambda row: (row[0].casefold(), row[5], row[3]))
