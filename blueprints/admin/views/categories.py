"""Admin > Categories: the tree, and one category. What a need-to-know change means is shown before it is saved."""

import hashlib

from flask import flash, g, redirect, render_template, request, url_for

import permissions
from blueprints.admin import actions, queries
from blueprints.admin.forms import CategoryForm
from blueprints.admin.views import bp
from blueprints.kit.tables_out import table_response
from models import Conflict

HEADER = ("Category", "Under", "Colour", "Position", "Retired", "Need-to-know groups", "Guidance")
LABELS = ("name", "parent", "colour", "guidance", "position", "is_retired")


@bp.route("/admin/categories")
@permissions.policy("admin.categories")
def categories():
    return render_template("admin/categories.html", rows=queries.category_rows(g.user))


@bp.route("/admin/categories.<any(csv, xlsx):kind>")
@permissions.policy("admin.categories")
def categories_export(kind):
    rows = queries.export_list(g.user, "categories", kind, queries.category_rows(g.user))
    cells = (
        (row.name, row.parent, row.colour, row.position, row.is_retired, ", ".join(row.groups), row.guidance) for row in rows
    )
    return table_response(kind, "categories", HEADER, cells)


@bp.route("/admin/categories/new", methods=["GET", "POST"])
@permissions.policy("admin.categories")
def add_category():
    form = _form(None, data={"parent": request.args.get("parent", "")})
    change = _asked(form, None)
    if change is not None:
        return change
    try:
        row = actions.add_category(groups=form.groups.data, actor=g.user, **_fields(form))
    except actions.Taken:
        return _taken(form, None)
    flash(f"The category {row.name} was added.", "ok")
    return redirect(url_for("admin.categories"), 303)


@bp.route("/admin/categories/<ref>", methods=["GET", "POST"])
@permissions.policy("admin.categories", record=True)
def category(ref):
    row, groups = queries.category(g.user, ref)
    above = row.parent.ref if row.parent_id else ""
    form = _form(row, obj=row, data={"parent": above, "groups": groups})
    change = _asked(form, row)
    if change is not None:
        return change
    try:
        actions.change_category(row, form.read_version, groups=form.groups.data, actor=g.user, **_fields(form))
    except actions.Taken:
        return _taken(form, row)
    except Conflict as conflict:
        form.version.data = str(conflict.row.version)
        return _page(form, row, differences=_differences(form, ref)), 409
    flash(f"The category {row.name} was saved.", "ok")
    return redirect(url_for("admin.categories"), 303)


def _form(row, obj=None, data=None):
    data = data or {}
    form = CategoryForm(**_values(obj), **data)
    form.parent.choices = [("", "None: it stands at the top"), *queries.possible_parents(g.user, row)]
    form.groups.choices = queries.group_choices(g.user, also=data.get("groups", ()))
    return form


def _values(row):
    names = ("name", "colour", "guidance", "position", "is_retired", "version")
    return {name: getattr(row, name) for name in names} if row else {}


def _fields(form):
    parent = queries.category(g.user, form.parent.data)[0] if form.parent.data else None
    names = ("name", "colour", "guidance", "position", "is_retired")
    return {name: form[name].data for name in names} | {"parent": parent}


def _asked(form, row):
    """The page to answer with as long as there is nothing to save: first sight, errors, or readers to be confirmed."""
    if not form.is_submitted():
        return _page(form, row)
    if not form.validate():
        return _page(form, row), 422
    change = queries.changed_readers(g.user, row, form.parent.data, form.groups.data)
    confirmed = _digest(form, change)
    if (change.gain or change.lose or (row is None and form.groups.data)) and form.confirmed.data != confirmed:
        form.confirmed.data = confirmed
        return _page(form, row, change=change)
    return None


def _digest(form, change):
    """Names what the page has shown, so that Confirm saves that and nothing else."""
    shown = [form.parent.data, *sorted(form.groups.data), "", *change.now]
    return hashlib.sha256("\n".join(shown).encode()).hexdigest()[:16]


def _taken(form, row):
    form.name.errors = [*form.name.errors, "There is a category of this name in this place already."]
    return _page(form, row), 422


def _differences(form, ref):
    row, groups = queries.category(g.user, ref)
    now = _values(row) | {"parent": row.parent.name if row.parent_id else "None"}
    typed = {name: form[name].data for name in LABELS}
    typed["parent"] = dict(form.parent.choices).get(form.parent.data) if form.parent.data else "None"
    names = dict(form.groups.choices)
    found = [(form[name].label.text, now[name], typed[name]) for name in LABELS if now[name] != typed[name]]
    if set(groups) != set(form.groups.data):
        both = [
            ", ".join(sorted(names.get(ref, "a retired group") for ref in refs)) or "none"
            for refs in (groups, form.groups.data)
        ]
        found.append((form.groups.label.text, *both))
    return found


def _page(form, row, change=None, differences=()):
    return render_template("admin/category.html", form=form, row=row, change=change, differences=differences)
