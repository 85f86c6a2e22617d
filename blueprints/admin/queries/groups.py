"""Departments, groups, their members and managers. Writes nothing.

A group is there for whoever manages it (permissions.managed_groups), departments for Admin Key Holders.
"""

from collections import namedtuple

from peewee import JOIN, Value, fn

import permissions
from models import (
    Account,
    Case,
    CaseGroup,
    CaseType,
    Category,
    CategoryGroup,
    Department,
    DepartmentDirector,
    Group,
    GroupManager,
    GroupMember,
    Student,
)

GroupRow = namedtuple("GroupRow", "ref name department is_active members managers categories")
Person = namedtuple("Person", "ref name role is_active since title email phone booking_url has_photo works_here")
LINKS = {"member": GroupMember, "manager": GroupManager}
# The roles with which somebody can be added as one: managing ends with the role, so it can't begin without.
ROLES_FOR = {
    "member": permissions.STAFF_ROLES,
    "manager": permissions.MANAGER_ROLES,
    "director": permissions.DIRECTOR_ROLES,
}


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
    query = _persons(Value(None)).join(DepartmentDirector, on=(DepartmentDirector.account == Account.id))
    return [Person(*row) for row in query.where(DepartmentDirector.department == of.id).order_by(Account.name).tuples()]


def _persons(since):
    card = (Account.title, Account.email, Account.phone, Account.booking_url, Account.photo_path != "")
    works_here = Account.is_active & Account.role.in_(permissions.STAFF_ROLES)
    return Account.select(Account.ref, Account.name, Account.role, Account.is_active, since, *card, works_here)


def director(user, of, ref):
    """The account behind a ref if it directs the department; NotVisible otherwise."""
    permissions.require("admin.groups", user)
    query = Account.select().join(DepartmentDirector, on=(DepartmentDirector.account == Account.id))
    row = query.where((DepartmentDirector.department == of.id) & (Account.ref == ref)).first()
    if row is None:
        raise permissions.NotVisible(ref)
    return row


def groups(user, text=""):
    """The groups this person manages, whose names contain `text`, as a query of GroupRows: those in use first, by name."""
    permissions.require("group.manage", user)

    def count(link):
        return link.select(fn.COUNT(link.id)).where(link.group == Group.id)

    columns = (
        Group.ref,
        Group.name,
        Department.name.alias("department"),
        Group.is_active,
        count(GroupMember).alias("members"),
        count(GroupManager).alias("managers"),
        count(CategoryGroup).alias("categories"),
    )
    query = permissions.managed_groups(user, *columns).join(Department, JOIN.LEFT_OUTER)
    if text:
        query = query.where(Group.name.contains(text))
    return query.order_by(Group.is_active.desc(), fn.LOWER(Group.name)).namedtuples()


def group(user, ref):
    """The group behind a ref with its department; NotVisible when `user` does not manage one of that ref."""
    permissions.require("group.manage", user)
    query = permissions.managed_groups(user, Group, Department).join(Department, JOIN.LEFT_OUTER)
    row = query.where(Group.ref == ref).first()
    if row is None:
        raise permissions.NotVisible(ref)
    return row


def group_choices(user, also=()):
    """[(ref, name)] of the groups that can be chosen, and of `also` (refs) even when they are retired."""
    query = Group.select(Group.ref, Group.name).where(Group.is_active | Group.ref.in_(list(also)))
    return list(query.order_by(fn.LOWER(Group.name)).tuples())


def people(user, of, kind):
    """The members or managers (`kind`) of a group that `user` manages as Persons, deactivated ones last."""
    link = LINKS[kind]
    query = _persons(link.added_at).join(link, on=(link.account == Account.id)).where(_in(user, of, link))
    return [Person(*row) for row in query.order_by(Account.is_active.desc(), Account.name).tuples()]


def person_in(user, of, kind, ref):
    """The account behind a ref if it is a member or manager of the group; NotVisible otherwise."""
    link = LINKS[kind]
    query = Account.select().join(link, on=(link.account == Account.id))
    row = query.where(_in(user, of, link) & (Account.ref == ref)).first()
    if row is None:
        raise permissions.NotVisible(ref)
    return row


def _in(user, of, link):
    """Expression: this membership is one of the group, and `user` manages the group."""
    permissions.require("group.manage", user)
    return (link.group == of.id) & link.group.in_(permissions.managed_groups(user, Group.id))


def addable(user, of, kind):
    """Active staff who are not a member, manager or director (`kind`) of this group or department yet and whose role
    allows it, by name."""
    people = permissions.staff().where(Account.role.in_(ROLES_FOR[kind]))
    if kind == "director":
        permissions.require("admin.groups", user)
        there = DepartmentDirector.select(DepartmentDirector.account).where(DepartmentDirector.department == of.id)
    else:
        permissions.require("group.manage", user)
        there = LINKS[kind].select(LINKS[kind].account).where(LINKS[kind].group == of.id)
        people = people.where(fn.EXISTS(permissions.managed_groups(user, Group.id).where(Group.id == of.id)))
    return list(people.where(Account.id.not_in(there)))


def opened_categories(user, of):
    """Names of the need-to-know categories whose incidents the members of this group read, children included."""
    permissions.require("group.manage", user)
    parent = Category.alias()
    mine = CategoryGroup.select(CategoryGroup.category).where(_in(user, of, CategoryGroup))
    query = (
        Category.select(Category.name, parent.name)
        .join(parent, JOIN.LEFT_OUTER, on=(Category.parent == parent.id))
        .where(Category.id.in_(mine) | Category.parent.in_(mine))
        .order_by(parent.name, Category.name)
    )
    return [f"{above}: {name}" if above else name for name, above in query.tuples()]


def attached_cases(user, of):
    """The cases to which this whole group is attached, as far as `user` sees them, as a query: open ones first."""
    attached = CaseGroup.alias("attached")
    name = (Student.first_name, Student.preferred_name, Student.last_name)
    return (
        permissions.visible_cases(user, Case.ref, Case.title, Case.status, Case.last_activity_at, CaseType.name, *name)
        .join(Student)
        .switch(Case)
        .join(CaseType)
        .where(Case.id.in_(attached.select(attached.case).where(attached.group == of.id)))
        .order_by(Case.status.desc(), Case.last_activity_at.desc(), Case.id)
    )


def membership_rows(user):
    """(group, department, in use, person, email, part) of everybody in every group that `user` manages, for the export."""
    permissions.require("group.manage", user)
    rows = []
    for kind, link in LINKS.items():
        query = (
            link.select(Group.name, Department.name, Group.is_active, Account.name, Account.email)
            .join(Group)
            .join(Department, JOIN.LEFT_OUTER)
            .switch(link)
            .join(Account, on=(link.account == Account.id))
            .where(link.group.in_(permissions.managed_groups(user, Group.id)))
        )
        rows += [(*row, kind.capitalize()) for row in query.tuples()]
    return sorted(rows, key=lambda row: (row[0].casefold(), row[5], row[3]))
