"""Changing departments, groups, and who is in them. Membership is read at each request, so it takes effect at once."""

from peewee import IntegrityError, fn

import events
import permissions
from blueprints.admin.queries.groups import ROLES_FOR
from extensions import db
from models import Department, DepartmentDirector, Group, GroupManager, GroupMember

LINKS = {"member": GroupMember, "manager": GroupManager}


class Taken(Exception):
    """Another row has this name already."""


def add_department(name, *, actor):
    """Add a department; raises Taken when its name is in use."""
    permissions.require("admin.groups", actor)
    with db.atomic():
        _check_free(Department, name)
        row = _saved(Department.create, name=name)
        events.record("department.added", actor=actor, target=row.ref)
    return row


def change_department(row, version, *, name, actor):
    """Rename a department; raises Taken, or Conflict when it was changed meanwhile."""
    permissions.require("admin.groups", actor)
    with db.atomic():
        _check_free(Department, name, row)
        _saved(row.change, version, name=name)
        events.record("department.changed", actor=actor, target=row.ref, fields=["name"])
    return row


def add_director(row, account, *, actor):
    """Make somebody whose role directs a director of a department; doing it again changes nothing."""
    permissions.require("admin.groups", actor)
    _require_role(account, "director")
    with db.atomic():
        DepartmentDirector.insert(department=row, account=account).on_conflict_ignore().execute()
        events.record("department.changed", actor=actor, target=row.ref, fields=["directors"], added=account.ref)


def remove_director(row, account, *, actor):
    """End somebody's directing of a department; doing it again changes nothing."""
    permissions.require("admin.groups", actor)
    with db.atomic():
        link = (DepartmentDirector.department == row.id) & (DepartmentDirector.account == account.id)
        DepartmentDirector.delete().where(link).execute()
        events.record("department.changed", actor=actor, target=row.ref, fields=["directors"], removed=account.ref)


def add_group(*, name, department, actor):
    """Add a group of staff, in a department or in none; raises Taken when its name is in use."""
    permissions.require("admin.groups", actor)
    with db.atomic():
        _check_free(Group, name)
        row = _saved(Group.create, name=name, department=department)
        events.record("group.added", actor=actor, target=row.ref)
    return row


def change_group(row, version, *, name, department, is_active, actor):
    """Save a group's name, department and whether it is in use; retiring it keeps members and what they read."""
    permissions.require("admin.groups", actor)
    with db.atomic():
        _check_free(Group, name, row)
        wanted = {"name": name, "department_id": department.id if department else None, "is_active": is_active}
        fields = [field.removesuffix("_id") for field, value in wanted.items() if getattr(row, field) != value]
        _saved(row.change, version, name=name, department=department, is_active=is_active)
        events.record("group.changed", actor=actor, target=row.ref, fields=fields)
    return row


def add_person(row, account, kind, *, actor):
    """Make active staff a member, or whose role manages a manager (`kind`), of a group; doing it again changes nothing.

    Members are changed by whoever manages the group, managers by Admin Key Holders.
    """
    _require_managing(row, kind, actor)
    _require_role(account, kind)
    with db.atomic():
        LINKS[kind].insert(group=row, account=account, added_by=actor).on_conflict_ignore().execute()
        events.record(f"group.{kind}_added", actor=actor, target=row.ref, account=account.ref)


def remove_person(row, account, kind, *, actor):
    """End a membership or managing (`kind`); what came with it ends with the person's next request."""
    _require_managing(row, kind, actor)
    link = LINKS[kind]
    with db.atomic():
        link.delete().where((link.group == row.id) & (link.account == account.id)).execute()
        events.record(f"group.{kind}_removed", actor=actor, target=row.ref, account=account.ref)


def _require_managing(row, kind, actor):
    permissions.require("group.manage" if kind == "member" else "admin.groups", actor)
    permissions.require_group(actor, row)


def _require_role(account, kind):
    """Referral users, students, profiles without a role and deactivated accounts never come into a group, and nobody
    manages or directs whose role does not, whatever a form says."""
    if not account.is_active or account.role not in ROLES_FOR[kind]:
        raise permissions.Denied("group.manage")


def _check_free(model, name, row=None):
    query = model.select().where(fn.LOWER(model.name) == name.lower())
    if row is not None:
        query = query.where(model.id != row.id)
    if query.exists():
        raise Taken(name)


def _saved(save, *values, **fields):
    """Two people who choose the same name at the same moment: the second is told, like anybody who comes later."""
    try:
        return save(*values, **fields)
    except IntegrityError:
        raise Taken(fields["name"]) from None
