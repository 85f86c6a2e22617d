"""Departments, groups and memberships as an import plans them. Only memberships that an import made are ended by one."""

from typing import NamedTuple

import events
import permissions
from blueprints.account.actions import OPERATOR
from blueprints.kit import bulk
from extensions import clock, db
from models import Department, Group, GroupMember, new_ref


class NewGroup(NamedTuple):
    """A group to make: `key` is what the joins call it; `department` a department's name or None."""

    key: object
    name: str
    department: str | None = None
    source_id: str | None = None


def save_groups(*, departments=(), groups=(), joins=(), ends=(), actor):
    """Make departments (names) and NewGroups, let accounts join (`joins`: (key or group's id, account's id, its ref)) and
    end memberships (`ends`: (group's id, account's id, its ref)). Returns {key: the new group's ref}."""
    who = {"actor": None, "by": "operator"} if actor is OPERATOR else {"actor": actor}
    if actor is not OPERATOR:
        permissions.require("admin.groups", actor)
    with db.atomic():
        _make_departments(departments, who)
        made = _make_groups(groups, who)
        refs = dict(Group.select(Group.id, Group.ref).tuples())
        joins = [(made[key].id if key in made else key, account, ref) for key, account, ref in joins]
        fields = {"from_import": True, "added_at": clock.now(), "added_by": who["actor"]}
        bulk.insert_each(GroupMember, [{"group": group, "account": account, **fields} for group, account, _ in joins])
        for group, account, _ in ends:
            imported = (GroupMember.group == group) & (GroupMember.account == account) & GroupMember.from_import
            GroupMember.delete().where(imported).execute()
        for verb, links in (("group.member_added", joins), ("group.member_removed", ends)):
            events.record_each(verb, [(refs[group], {"account": ref}) for group, _, ref in links], **who)
    return {key: row.ref for key, row in made.items()}


def _make_departments(names, who):
    bulk.insert_each(Department, [{"ref": new_ref(), "name": name} for name in names])
    made = Department.select(Department.ref).where(Department.name.in_(list(names))).tuples() if names else ()
    events.record_each("department.added", [(ref, {}) for (ref,) in made], **who)


def _make_groups(groups, who):
    there = Department.select(Department.name, Department.id).tuples() if groups else ()
    departments = {name.casefold(): number for name, number in there}
    made = {}
    for one in groups:
        department = departments.get((one.department or "").casefold())
        made[one.key] = Group.create(name=one.name, department=department, source_id=one.source_id)
    events.record_each("group.added", [(row.ref, {}) for row in made.values()], **who)
    return made
