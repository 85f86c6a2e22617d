"""Adding, changing and retiring categories, and whom they are need-to-know for. Nothing is ever deleted."""

from peewee import fn

import events
import permissions
from blueprints.admin.actions.groups import Taken
from extensions import db
from models import Category, CategoryGroup, Group


def add_category(*, groups=(), actor, **fields):
    """Add a category; `groups` are refs of need-to-know groups, `fields` name, parent, colour, guidance, position."""
    permissions.require("admin.categories", actor)
    with db.atomic():
        _check_free(fields["name"], fields["parent"])
        row = Category.create(**fields)
        events.record("category.added", actor=actor, target=row.ref)
        if groups:
            _restrict(row, groups, actor)
    return row


def change_category(row, version, *, groups=(), actor, **fields):
    """Save a category and its need-to-know groups; raises Conflict when somebody else saved it first."""
    permissions.require("admin.categories", actor)
    with db.atomic():
        _check_free(fields["name"], fields["parent"], row)
        changed = [name for name, value in fields.items() if _plain(getattr(row, name)) != _plain(value)]
        before = {ref for (ref,) in _groups_of(row)}
        row.change(version, **fields)
        if changed:
            events.record("category.changed", actor=actor, target=row.ref, fields=changed)
        if before != set(groups):
            _restrict(row, groups, actor)
    return row


def _groups_of(row):
    return Group.select(Group.ref).join(CategoryGroup).where(CategoryGroup.category == row.id).tuples()


def _restrict(row, refs, actor):
    CategoryGroup.delete().where(CategoryGroup.category == row.id).execute()
    for group in Group.select().where(Group.ref.in_(list(refs))):
        CategoryGroup.create(category=row, group=group)
    events.record("category.need_to_know_changed", actor=actor, target=row.ref, groups=sorted(refs))


def _check_free(name, parent, row=None):
    beside = Category.parent == parent.id if parent else Category.parent.is_null()
    query = Category.select().where(beside & (fn.LOWER(Category.name) == name.lower()))
    if row is not None:
        query = query.where(Category.id != row.id)
    if query.exists():
        raise Taken(name)


def _plain(value):
    return value.id if isinstance(value, Category) else value
