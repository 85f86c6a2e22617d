"""Admin > Groups: departments with their directors, groups with their members and managers."""

from flask import flash, g, redirect, render_template, request, url_for

import permissions
from blueprints.admin import actions, queries
from blueprints.admin.forms import DepartmentForm, GroupForm
from blueprints.admin.views import bp, membership
from blueprints.admin.views.widening import part, widening
from models import Conflict


@bp.route("/admin/groups")
@permissions.policy("admin.groups")
def groups():
    return membership.group_list(_base(), departments=queries.departments(g.user))


@bp.route("/admin/groups.<any(csv, xlsx):kind>")
@permissions.policy("admin.groups")
def groups_export(kind):
    return membership.export(kind)


# --- A group ---------------------------------------------------------------------------------------------------------


@bp.route("/admin/groups/new", methods=["GET", "POST"])
@permissions.policy("admin.groups")
def add_group():
    form = _group_form(None)
    if not form.is_submitted():
        return render_template("admin/group_form.html", form=form, row=None)
    if form.validate():
        try:
            row = actions.add_group(name=form.name.data, department=_department_of(form), actor=g.user)
        except actions.Taken:
            form.name.errors = ["There is a group of this name already."]
        else:
            flash(f"The group {row.name} was added.", "ok")
            return redirect(url_for("admin.group", ref=row.ref), 303)
    return render_template("admin/group_form.html", form=form, row=None), 422


@bp.route("/admin/groups/<ref>")
@permissions.policy("admin.groups", record=True)
def group(ref):
    return membership.group_page(_base(), queries.group(g.user, ref), changeable=("member", "manager"))


@bp.route("/admin/groups/<ref>/edit", methods=["GET", "POST"])
@permissions.policy("admin.groups", record=True)
def edit_group(ref):
    row = queries.group(g.user, ref)
    form = _group_form(row)
    if not form.is_submitted():
        return render_template("admin/group_form.html", form=form, row=row)
    status, differences = 422, ()
    if form.validate():
        department = _department_of(form)
        found = _widening(row, department)
        if not found.is_confirmed:
            return render_template("admin/group_form.html", form=form, row=row, widening=found)
        try:
            fields = {"name": form.name.data, "department": department, "is_active": form.is_active.data}
            actions.change_group(row, form.read_version, actor=g.user, **fields)
        except actions.Taken:
            form.name.errors = ["There is a group of this name already."]
        except Conflict as conflict:
            form.version.data = str(conflict.row.version)
            status, differences = 409, _differences(form, queries.group(g.user, ref))
        else:
            flash(f"The group {row.name} was saved.", "ok")
            return redirect(url_for("admin.group", ref=ref), 303)
    return render_template("admin/group_form.html", form=form, row=row, differences=differences), status


@bp.route("/admin/groups/<ref>/edit/effect")
@permissions.policy("admin.groups", record=True)
def effect_of_editing(ref):
    """Who comes to see cases by the department that is chosen: a part of the page before."""
    row, chosen = queries.group(g.user, ref), request.args.get("department", "")
    known = [one for one, _, _ in queries.departments(g.user) if one.ref == chosen]
    return part(_widening(row, known[0] if known else None))


def _widening(row, department):
    gained = queries.gained_by_department(g.user, row, department)
    return widening(gained, row.ref, department.ref if department else "")


def _group_form(row):
    fields = {"name": row.name, "is_active": row.is_active, "version": row.version} if row else {}
    form = GroupForm(**fields, department=row.department.ref if row and row.department_id else "")
    form.department.choices = [("", "None")] + [(one.ref, one.name) for one, _, _ in queries.departments(g.user)]
    return form


def _department_of(form):
    return queries.department(g.user, form.department.data) if form.department.data else None


def _differences(form, row):
    now = (row.name, row.department.name if row.department_id else "None", "yes" if row.is_active else "no")
    typed = (form.name.data, dict(form.department.choices)[form.department.data], "yes" if form.is_active.data else "no")
    labels = (form.name.label.text, form.department.label.text, form.is_active.label.text)
    return [(label, old, new) for label, old, new in zip(labels, now, typed, strict=True) if old != new]


# --- Members and managers --------------------------------------------------------------------------------------------


@bp.route("/admin/groups/<ref>/<any(members, managers):part>/new")
@permissions.policy("admin.groups", record=True)
def add_person(ref, part):
    return membership.adding(_base(), queries.group(g.user, ref), part[:-1])


@bp.route("/admin/groups/<ref>/<any(members, managers):part>/effect")
@permissions.policy("admin.groups", record=True)
def effect_of_adding(ref, part):
    return membership.effect_of_adding(_base(), queries.group(g.user, ref), part[:-1])


@bp.route("/admin/groups/<ref>/<any(members, managers):part>", methods=["POST"])
@permissions.policy("admin.groups", record=True)
def save_person(ref, part):
    return membership.added(_base(), queries.group(g.user, ref), part[:-1])


@bp.route("/admin/groups/<ref>/<any(members, managers):part>/<person>/removal", methods=["GET", "POST"])
@permissions.policy("admin.groups", record=True)
def remove_person(ref, part, person):
    return membership.removal(_base(), queries.group(g.user, ref), part[:-1], person)


def _base():
    return url_for("admin.groups")


# --- Departments -----------------------------------------------------------------------------------------------------


@bp.route("/admin/departments/new", methods=["GET", "POST"])
@permissions.policy("admin.groups")
def add_department():
    form = DepartmentForm()
    if not form.is_submitted():
        return render_template("admin/department.html", form=form, row=None)
    if form.validate():
        try:
            row = actions.add_department(form.name.data, actor=g.user)
        except actions.Taken:
            form.name.errors = ["There is a department of this name already."]
        else:
            flash(f"The department {row.name} was added.", "ok")
            return redirect(url_for("admin.department", ref=row.ref), 303)
    return render_template("admin/department.html", form=form, row=None), 422


@bp.route("/admin/departments/<ref>", methods=["GET", "POST"])
@permissions.policy("admin.groups", record=True)
def department(ref):
    row = queries.department(g.user, ref)
    form = DepartmentForm(name=row.name, version=row.version)
    if not form.is_submitted():
        return _department_page(row, form)
    status, differences = 422, ()
    if form.validate():
        try:
            actions.change_department(row, form.read_version, name=form.name.data, actor=g.user)
        except actions.Taken:
            form.name.errors = ["There is a department of this name already."]
        except Conflict as conflict:
            form.version.data = str(conflict.row.version)
            status, differences = 409, [(form.name.label.text, conflict.row.name, form.name.data)]
        else:
            flash(f"The department {row.name} was saved.", "ok")
            return redirect(url_for("admin.department", ref=ref), 303)
    return _department_page(row, form, differences), status


def _department_page(row, form, differences=()):
    return render_template(
        "admin/department.html",
        row=row,
        form=form,
        differences=differences,
        directors=queries.directors(g.user, row),
        director_roles=permissions.DIRECTOR_ROLES,
    )


# --- Directors: a person of a department, like a manager of a group ----------------------------------------------------


@bp.route("/admin/departments/<ref>/directors/new")
@permissions.policy("admin.groups", record=True)
def new_director(ref):
    return membership.adding(_departments(), queries.department(g.user, ref), "director")


@bp.route("/admin/departments/<ref>/directors/effect")
@permissions.policy("admin.groups", record=True)
def effect_of_director(ref):
    return membership.effect_of_adding(_departments(), queries.department(g.user, ref), "director")


@bp.route("/admin/departments/<ref>/directors", methods=["POST"])
@permissions.policy("admin.groups", record=True)
def add_director(ref):
    return membership.added(_departments(), queries.department(g.user, ref), "director")


@bp.route("/admin/departments/<ref>/directors/<person>/removal", methods=["GET", "POST"])
@permissions.policy("admin.groups", record=True)
def remove_director(ref, person):
    return membership.removal(_departments(), queries.department(g.user, ref), "director", person)


def _departments():
    return url_for("admin.add_department").removesuffix("/new")
