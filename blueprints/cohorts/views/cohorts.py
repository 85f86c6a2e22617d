"""Case Management > Cohorts: categories with their cohorts, one cohort with its students, editing and archiving."""

from flask import flash, g, redirect, render_template, request, url_for

import events
import permissions
from blueprints.cohorts import actions, queries
from blueprints.cohorts.forms.cohorts import CategoryForm, CohortForm, RestoreForm
from blueprints.cohorts.views import bp
from blueprints.cohorts.views.common import loaded, searched, sent
from blueprints.kit.forms import RowForm, school_zone
from blueprints.kit.listing import paginate
from blueprints.kit.refusing import confirmation_of
from blueprints.kit.tables_out import table_response

ARCHIVED_A_PAGE = 25
HEADER = ("Category", "Cohort", "Students", "Milestones", "Student Support Groups", "State", "Added")


@bp.route("/cohorts")
@permissions.policy("cohort.manage", record=True)
def index():
    text = searched()
    rows = queries.live_cohorts(g.user, text)
    fetch, count = queries.archived_cohorts(g.user, text)
    old = paginate(fetch, request.args.get("page"), per_page=ARCHIVED_A_PAGE, count=count)
    events.record_alone("cohort.listed", actor=g.user, count=len(rows) + len(old))
    return render_template(
        "cohorts/index.html",
        text=text,
        sections=_sections(queries.categories(g.user), rows, text),
        old=old,
        is_open="page" in request.args or bool(text and old.total),
        exports=[url_for("cohorts.export", kind=kind) for kind in ("csv", "xlsx")],
    )


def _sections(categories, rows, text):
    """[(category, its cohorts)]; a search leaves out categories in which it finds nothing."""
    cohorts = {}
    for row in rows:
        cohorts.setdefault(row.category_id, []).append(row)
    return [(one, cohorts.get(one.id, [])) for one in categories if one.id in cohorts or not text]


@bp.route("/cohorts.<any(csv, xlsx):kind>")
@permissions.policy("cohort.manage", record=True)
def export(kind):
    rows = queries.every_cohort(g.user)
    events.record_alone("cohort.exported", actor=g.user, count=len(rows), format=kind, list="cohorts")
    cells = (
        (row.category, row.name, row.students, row.milestones, row.groups, "Archived" if row.archived_at else "", row.created_at)
        for row in rows
    )
    return table_response(kind, "cohorts", HEADER, cells, tz=school_zone())


# --- Categories ------------------------------------------------------------------------------------------------------


@bp.route("/cohorts/categories/new", methods=["GET", "POST"])
@permissions.policy("cohort.manage", record=True)
def new_category():
    form = CategoryForm()
    tried = sent(form, lambda: actions.add_category(form.name.data, actor=g.user))
    if tried.saved:
        flash(f"The category {tried.result.name} was created. Add its first cohort.", "ok")
        return redirect(url_for("cohorts.index", _anchor=f"category-{tried.result.ref}"), 303)
    return render_template("cohorts/category.html", form=form, tried=tried, row=None), tried.status


@bp.route("/cohorts/categories/<ref>/edit", methods=["GET", "POST"])
@permissions.policy("cohort.manage", record=True)
def edit_category(ref):
    row = queries.category(g.user, ref)
    form = CategoryForm(data={"name": row.name, "version": row.version})
    tried = sent(
        form, lambda: actions.change_category(row, form.name.data, version=form.version.data, actor=g.user)
    )
    if tried.saved:
        flash(f"The category {form.name.data} was saved.", "ok")
        return redirect(url_for("cohorts.index", _anchor=f"category-{ref}"), 303)
    return render_template("cohorts/category.html", form=form, tried=tried, row=row), tried.status


def category_choices(form):
    """Give the form's field Category its choices; returns the categories by ref."""
    rows = queries.categories(g.user)
    form.category.choices = [("", "")] + [(row.ref, row.name) for row in rows]
    return {row.ref: row for row in rows}


# --- A cohort --------------------------------------------------------------------------------------------------------


@bp.route("/cohorts/new", methods=["GET", "POST"])
@permissions.policy("cohort.manage", record=True)
def new():
    form = CohortForm(data={"category": request.args.get("category", "")})
    rows = category_choices(form)
    tried = sent(form, lambda: actions.add_cohort(rows[form.category.data], form.name.data, actor=g.user))
    if tried.saved:
        flash(f"The cohort {tried.result.name} was added. Next: add its students.", "ok")
        return redirect(url_for("cohorts.add_students", ref=tried.result.ref), 303)
    return render_template("cohorts/edit.html", form=form, tried=tried, cohort=None), tried.status


@bp.route("/cohorts/<ref>")
@permissions.policy("cohort.manage", record=True)
def cohort(ref):
    row, text = loaded(ref), searched()
    page = paginate(queries.in_cohort(g.user, row, text), request.args.get("page"), cap=20_000)
    events.record_alone("student.listed", actor=g.user, target=row.ref, count=len(page))
    exports = [url_for("cohorts.students_export", ref=ref, kind=kind, q=text or None) for kind in ("csv", "xlsx")]
    return render_template("cohorts/cohort.html", cohort=row, tab="Students", page=page, text=text, exports=exports)


@bp.route("/cohorts/<ref>/students.<any(csv, xlsx):kind>")
@permissions.policy("cohort.manage", record=True)
def students_export(ref, kind):
    row = queries.cohort(g.user, ref, audit=False)
    header, rows = queries.students_export(g.user, row, searched())
    events.record_alone("cohort.exported", actor=g.user, target=row.ref, count=len(rows), format=kind, list="students")
    return table_response(kind, "cohort-students", header, rows, tz=school_zone())


@bp.route("/cohorts/<ref>/edit", methods=["GET", "POST"])
@permissions.policy("cohort.manage", record=True)
def edit(ref):
    row = loaded(ref)
    form = CohortForm(data={"name": row.name, "category": row.category.ref, "version": row.version})
    rows = category_choices(form)
    tried = sent(
        form,
        lambda: actions.change_cohort(
            row, name=form.name.data, category=rows[form.category.data], version=form.version.data, actor=g.user
        ),
    )
    if tried.saved:
        flash(f"The cohort {form.name.data} was saved.", "ok")
        return redirect(url_for("cohorts.cohort", ref=ref), 303)
    return render_template("cohorts/edit.html", form=form, tried=tried, cohort=row), tried.status


# --- The archive -----------------------------------------------------------------------------------------------------


@bp.route("/cohorts/<ref>/archive", methods=["GET", "POST"])
@permissions.policy("cohort.manage", record=True)
def archive(ref):
    row = loaded(ref)
    if row.archived_at is not None:
        return redirect(url_for("cohorts.cohort", ref=ref), 303)
    form = RowForm(data={"version": row.version})
    tried = sent(form, lambda: actions.archive_cohort(row, version=form.version.data, actor=g.user))
    if tried.saved:
        flash(f"{row.name} is archived. It can be restored from here.", "ok")
        return redirect(url_for("cohorts.cohort", ref=ref), 303)
    return render_template("cohorts/archive.html", form=form, tried=tried, **_effect(row)), tried.status


def _effect(row):
    """How many students and which staff an archiving or restoring is about."""
    return {"cohort": row, "students": queries.count_students(g.user, row), "people": queries.supporters(g.user, row)}


@bp.route("/cohorts/<ref>/restore", methods=["GET", "POST"])
@permissions.policy("cohort.manage", record=True)
def restore(ref):
    row = loaded(ref)
    if row.archived_at is None:
        return redirect(url_for("cohorts.cohort", ref=ref), 303)
    form = RestoreForm(data={"version": row.version})
    confirmed = form.confirmed.data
    tried = sent(form, lambda: actions.restore_cohort(row, confirmed=confirmed, version=form.version.data, actor=g.user))
    if tried.saved:
        flash(f"{row.name} is in use again.", "ok")
        return redirect(url_for("cohorts.cohort", ref=ref), 303)
    effect = _effect(row)
    form.confirmed.data = confirmation_of(effect["people"])
    has_changed = bool(tried.confirmation)
    page = render_template("cohorts/restore.html", form=form, tried=tried, has_changed=has_changed, **effect)
    return page, 422 if has_changed else tried.status
