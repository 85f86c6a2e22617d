"""Admin > Groups: departments with their directors, groups with their members and managers."""

from flask import flash, g, redirect, render_template, request, url_for

import permissions
from blueprints.admin import actions, queries
from blueprints.admin.forms import DepartmentForm, GroupForm, StaffMemberForm
from blueprints.admin.views import bp
from blueprints.kit.tables_out import table_response
from models import Conflict

HEADER = ("Group", "Department", "In use", "Person", "Email", "Part")


@bp.route("/admin/groups")
@permissions.policy("admin.groups")
def groups():
    return render_template("admin/groups.html", groups=queries.groups(g.user), departments=queries.departments(g.user))


@bp.route("/admin/groups.<any(csv, xlsx):kind>")
@permissions.policy("admin.groups")
def groups_export(kind):
    rows = queries.export_list(g.user, "groups", kind, queries.membership_rows(g.user))
    return table_response(kind, "groups", HEADER, rows)


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
    row = queries.group(g.user, ref)
    return render_template(
        "admin/group.html",
        row=row,
        members=queries.people(g.user, row, "member"),
        managers=queries.people(g.user, row, "manager"),
        opened=queries.opened_categories(g.user, row),
    )


@bp.route("/admin/groups/<ref>/edit", methods=["GET", "POST"])
@permissions.policy("admin.groups", record=True)
def edit_group(ref):
    row = queries.group(g.user, ref)
    form = _group_form(row)
    if not form.is_submitted():
        return render_template("admin/group_form.html", form=form, row=row)
    status, differences = 422, ()
    if form.validate():
        try:
            fields = {"name": form.name.data, "department": _department_of(form), "is_active": form.is_active.data}
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
    row, kind = queries.group(g.user, ref), part[:-1]
    form, _ = _staff_form(row, kind)
    return _adding(row, kind, form)


@bp.route("/admin/groups/<ref>/<any(members, managers):part>/effect")
@permissions.policy("admin.groups", record=True)
def effect_of_adding(ref, part):
    """What adding the chosen person changes, with the button that does it: a part of the page before."""
    row, kind = queries.group(g.user, ref), part[:-1]
    person = _chosen(row, kind, request.args.get("staff_member", ""))
    effect = _effect(row, kind, person, joins=True) if person else None
    return render_template("admin/_effect.html", effect=effect)


@bp.route("/admin/groups/<ref>/<any(members, managers):part>", methods=["POST"])
@permissions.policy("admin.groups", record=True)
def save_person(ref, part):
    row, kind = queries.group(g.user, ref), part[:-1]
    form, people = _staff_form(row, kind)
    if not form.validate():
        return _adding(row, kind, form), 422
    person = people[form.staff_member.data]
    effect = _effect(row, kind, person, joins=True)
    if request.form.get("shown") != effect["shown"]:
        return _adding(row, kind, form, effect)
    actions.add_person(row, person, kind, actor=g.user)
    flash(f"{person.name} is a {kind} of {row.name} now.", "ok")
    return redirect(url_for("admin.group", ref=ref), 303)


@bp.route("/admin/groups/<ref>/<any(members, managers):part>/<person>/removal", methods=["GET", "POST"])
@permissions.policy("admin.groups", record=True)
def remove_person(ref, part, person):
    row, kind = queries.group(g.user, ref), part[:-1]
    account = queries.person_in(g.user, row, kind, person)
    if request.method == "GET":
        return render_template("admin/removal.html", row=row, effect=_effect(row, kind, account, joins=False))
    actions.remove_person(row, account, kind, actor=g.user)
    flash(f"{account.name} is not a {kind} of {row.name} any more.", "ok")
    return redirect(url_for("admin.group", ref=ref), 303)


def _adding(row, kind, form, effect=None):
    return render_template("admin/adding.html", row=row, kind=kind, form=form, effect=effect)


def _staff_form(row, kind):
    """The form with everybody who can be added, and those people by ref."""
    people = {account.ref: account for account in queries.addable(g.user, row, kind)}
    form = StaffMemberForm()
    form.staff_member.choices = [("", "")] + [(ref, account.name) for ref, account in people.items()]
    return form, people


def _chosen(row, kind, ref):
    return next((account for account in queries.addable(g.user, row, kind) if account.ref == ref), None)


def _effect(row, kind, person, joins):
    """What the page says before it saves; `shown` names exactly that."""
    count = queries.effect_of_membership(g.user, row, person, joins) if kind == "member" else None
    opened = queries.opened_categories(g.user, row) if kind == "member" else []
    shown = f"{person.ref}:{count}:{len(opened)}"
    return {"person": person, "group": row, "kind": kind, "joins": joins, "count": count, "opened": opened, "shown": shown}


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
    adding, _ = _staff_form(row, "director")
    directors = queries.directors(g.user, row)
    return render_template(
        "admin/department.html", row=row, form=form, differences=differences, directors=directors, adding=adding
    )


@bp.route("/admin/departments/<ref>/directors", methods=["POST"])
@permissions.policy("admin.groups", record=True)
def add_director(ref):
    row = queries.department(g.user, ref)
    form, people = _staff_form(row, "director")
    if not form.validate():
        page = render_template(
            "admin/department.html",
            row=row,
            form=DepartmentForm(None, name=row.name, version=row.version),
            directors=queries.directors(g.user, row),
            adding=form,
        )
        return page, 422
    actions.add_director(row, people[form.staff_member.data], actor=g.user)
    flash(f"{people[form.staff_member.data].name} is a director of {row.name} now.", "ok")
    return redirect(url_for("admin.department", ref=ref), 303)


@bp.route("/admin/departments/<ref>/directors/<person>/removal", methods=["POST"])
@permissions.policy("admin.groups", record=True)
def remove_director(ref, person):
    row = queries.department(g.user, ref)
    account = queries.director(g.user, row, person)
    actions.remove_director(row, account, actor=g.user)
    flash(f"{account.name} is not a director of {row.name} any more.", "ok")
    return redirect(url_for("admin.department", ref=ref), 303)
