"""The tree of categories as the admin pages show it, and who reads what a category restricts."""

from collections import namedtuple

from peewee import JOIN, fn

import permissions
from models import Category, CategoryGroup, Group

CategoryRow = namedtuple("CategoryRow", "ref name parent colour guidance position is_retired groups parent_ref")
Change = namedtuple("Change", "now gain lose")


def category_rows(user):
    """A CategoryRow for every category, each parent followed by its children; `groups` are names."""
    permissions.require("admin.categories", user)
    groups = {}
    restricting = CategoryGroup.select(CategoryGroup.category, Group.name).join(Group).order_by(Group.name)
    for category_id, name in restricting.tuples():
        groups.setdefault(category_id, []).append(name)
    parent = Category.alias()
    top = fn.COALESCE(parent.position, Category.position)
    query = (
        Category.select(
            Category.id, Category.ref, Category.name, parent.name, Category.colour, Category.guidance,
            Category.position, Category.is_retired, parent.ref,
        )
        .join(parent, JOIN.LEFT_OUTER, on=(Category.parent == parent.id))
        .order_by(
            top,
            fn.LOWER(fn.COALESCE(parent.name, Category.name)),
            fn.COALESCE(parent.id, Category.id),
            Category.parent.is_null(False),
            Category.position,
            fn.LOWER(Category.name),
        )
    )  # fmt: skip
    return [CategoryRow(*row[1:8], groups.get(row[0], []), row[8]) for row in query.tuples()]


def category(user, ref):
    """(Category, refs of its need-to-know groups); NotVisible when there is none of this ref."""
    permissions.require("admin.categories", user)
    row = Category.get_or_none(Category.ref == ref)
    if row is None:
        raise permissions.NotVisible(ref)
    groups = Group.select(Group.ref).join(CategoryGroup).where(CategoryGroup.category == row.id)
    return row, [ref for (ref,) in groups.tuples()]


def possible_parents(user, of=None):
    """[(ref, name)] of the categories that can stand above `of`: top ones, and none if it has children itself."""
    permissions.require("admin.categories", user)
    query = Category.select(Category.ref, Category.name).where(Category.parent.is_null())
    if of is not None:
        if Category.select().where(Category.parent == of.id).exists():
            return []
        query = query.where(Category.id != of.id)
    return list(query.order_by(Category.position, fn.LOWER(Category.name)).tuples())


def changed_readers(user, of, parent_ref, group_refs):
    """Who reads incidents of this category because of their role or a group, if it were saved like this.

    Returns Change(now, gain, lose): names after the change, and who comes and goes. `of` is None for a new category.
    """
    permissions.require("admin.categories", user)
    chosen = [row_id for (row_id,) in Group.select(Group.id).where(Group.ref.in_(list(group_refs))).tuples()]
    above = Category.get_or_none(Category.ref == parent_ref) if parent_ref else None
    after = permissions.category_readers([chosen, _groups_of(above)])
    before = permissions.category_readers([_groups_of(of), _groups_of(of.parent)]) if of else after
    names = {account.id: account.name for account in [*before, *after]}
    was, will = {account.id for account in before}, {account.id for account in after}

    def sort(ids):
        return sorted((names[one] for one in ids), key=str.casefold)

    return Change(sort(will), sort(will - was), sort(was - will))


def _groups_of(category):
    if category is None:
        return []
    return [row_id for (row_id,) in CategoryGroup.select(CategoryGroup.group).where(
        CategoryGroup.category == category.id).tuples()]  # fmt: skip
