"""Case Management > Dictionary: case types, reasons for closing, meeting types and categories of files, each on a page."""

from flask import flash, g, redirect, render_template, url_for

import events
import permissions
from blueprints.cases import actions, queries
from blueprints.cases.forms.dictionary import ListEntryForm, NewEntryForm
from blueprints.cases.views import bp
from blueprints.kit.attempt import attempt
from blueprints.kit.tables_out import table_response

WHICH = "<any('case-types', 'close-reasons', 'meeting-types', 'file-categories'):list_name>"
HEADER = ("Name", "In use", "Was used")


@bp.route(f"/dictionary/{WHICH}", methods=["GET", "POST"])
@permissions.policy("dictionary", record=True)
def dictionary_list(list_name):
    form, tried = NewEntryForm(), None
    if form.validate_on_submit():
        tried = attempt(form, lambda: actions.add_list_entry(list_name, form.name.data, actor=g.user))
        if tried.saved:
            flash(f"{tried.result.name} was added.", "ok")
            return _to_list(list_name)
    rows = queries.list_entries(g.user, list_name)
    exports = [url_for("cases.dictionary_list_export", list_name=list_name, kind=kind) for kind in ("csv", "xlsx")]
    page = {"list_name": list_name, "words": queries.LISTS[list_name], "lists": queries.LISTS, "rows": rows, "exports": exports}
    code = tried.status if tried else 422 if form.errors else 200
    return render_template("cases/dictionary_list.html", form=form, **page), code


@bp.route(f"/dictionary/{WHICH}.<any(csv, xlsx):kind>")
@permissions.policy("dictionary", record=True)
def dictionary_list_export(list_name, kind):
    rows = queries.list_entries(g.user, list_name)
    events.record_alone("admin.exported", actor=g.user, list=list_name, count=len(rows), format=kind)
    return table_response(kind, list_name, HEADER, ((row.name, not row.is_retired, row.is_used) for row in rows))


@bp.route(f"/dictionary/{WHICH}/<ref>", methods=["GET", "POST"])
@permissions.policy("dictionary", record=True)
def dictionary_list_entry(list_name, ref):
    row = queries.list_entry(g.user, list_name, ref)
    form = ListEntryForm(data={"name": row.name, "is_retired": row.is_retired, "version": row.version})
    tried = None
    if form.validate_on_submit():
        tried = attempt(form, lambda: _change(list_name, ref, form))
        if tried.saved:
            flash(f"{tried.result.name} was saved.", "ok")
            return _to_list(list_name)
    code = tried.status if tried else 422 if form.errors else 200
    page = {"list_name": list_name, "words": queries.LISTS[list_name], "row": row, "tried": tried}
    return render_template("cases/dictionary_entry.html", form=form, **page), code


def _change(list_name, ref, form):
    values = {"name": form.name.data, "is_retired": form.is_retired.data, "version": form.version.data}
    return actions.change_list_entry(list_name, ref, actor=g.user, **values)


@bp.route(f"/dictionary/{WHICH}/<ref>/<any(up, down):way>", methods=["POST"])
@permissions.policy("dictionary", record=True)
def dictionary_list_order(list_name, ref, way):
    actions.move_list_entry(list_name, ref, way == "down", actor=g.user)
    return _to_list(list_name)


@bp.route(f"/dictionary/{WHICH}/<ref>/removal", methods=["POST"])
@permissions.policy("dictionary", record=True)
def dictionary_list_removal(list_name, ref):
    try:
        flash(f"{actions.remove_list_entry(list_name, ref, actor=g.user)} was deleted.", "ok")
    except actions.Refused as problem:
        flash(problem.sentence, "warn")
    return _to_list(list_name)


def _to_list(list_name):
    return redirect(url_for("cases.dictionary_list", list_name=list_name), 303)
