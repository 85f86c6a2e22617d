"""Admin > Bulk Management: preview the Active incidents of a time frame, close exactly those, look back at past ones."""

from flask import flash, g, redirect, render_template, request, url_for

import permissions
from blueprints.admin import actions, queries
from blueprints.admin.forms import BulkClosingConfirmation, BulkClosingForm
from blueprints.admin.views import bp
from blueprints.kit.forms import school_zone
from blueprints.kit.listing import with_args
from blueprints.kit.tables_out import table_response
from blueprints.kit.text import plural

PREVIEW_HEADER = ("Incident", "When it happened", "Assigned to", "Open actions")
CLOSED_HEADER = ("Incident", "When it happened", "Assigned to", "Status now")


@bp.route("/admin/bulk-closing")
@permissions.policy("bulk_closing", module="cases")
def bulk_closing():
    form = BulkClosingForm(request.args, meta={"csrf": False})
    if not request.args.keys() & {"from", "to"}:
        form.process()
        return _page(form)
    if not form.validate():
        return _page(form), 422
    return _preview(form, BulkClosingConfirmation(None))


@bp.route("/admin/bulk-closing", methods=["POST"])
@permissions.policy("bulk_closing", module="cases")
def close_in_bulk():
    form = BulkClosingConfirmation()
    if form.from_day.data is None or form.to_day.data is None or not form.to_day.validate(form):
        form.validate()
        return _page(form), 422
    if not form.validate():
        return _preview(form, form), 422
    days = form.from_day.data, form.to_day.data
    try:
        closing = actions.close_between(*days, form.number.data, form.digest.data, actor=g.user)
    except actions.SetChanged:
        return _preview_again(form)
    flash(f"{plural(closing.count, 'incident')} closed.", "ok")
    return redirect(url_for("admin.bulk_closing_record", ref=closing.ref), 303)


@bp.route("/admin/bulk-closing.<any(csv, xlsx):kind>")
@permissions.policy("bulk_closing", module="cases")
def bulk_closing_export(kind):
    form = BulkClosingForm(request.args, meta={"csrf": False})
    if not form.validate():
        return _page(form), 422
    rows = queries.preview_export(g.user, form.from_day.data, form.to_day.data, kind)
    return table_response(kind, "bulk-closing-preview", PREVIEW_HEADER, rows, school_zone())


@bp.route("/admin/bulk-closing/<ref>")
@permissions.policy("bulk_closing", module="cases", record=True)
def bulk_closing_record(ref):
    closing = queries.bulk_closing(g.user, ref)
    page = queries.closed_incidents(g.user, ref, request.args.get("page"))
    return render_template("admin/bulk_closing_record.html", closing=closing, page=page)


@bp.route("/admin/bulk-closing/<ref>.<any(csv, xlsx):kind>")
@permissions.policy("bulk_closing", module="cases", record=True)
def bulk_closing_record_export(ref, kind):
    queries.bulk_closing(g.user, ref)
    rows = queries.closed_export(g.user, ref, kind)
    return table_response(kind, f"bulk-closing-{ref}", CLOSED_HEADER, rows, school_zone())


def _preview_again(form):
    """What was confirmed is not what is there: nothing was closed, and the page says which of the two went wrong."""
    confirmed = form.digest.data
    found, page = _look(form)
    if found.digest == confirmed:
        words = f"You typed {form.number.data:,}. {plural(found.count, 'incident')} would be closed: type that number."
        form.number.errors = [words]
        return _preview(form, form, found, page), 422
    form.number.errors = ["The incidents of this time frame changed meanwhile, and nothing was closed. Look again."]
    form.number.data, form.number.raw_data = None, None
    return _preview(form, form, found, page), 409


def _address(form):
    return {"from": form.from_day.data.isoformat(), "to": form.to_day.data.isoformat()}


def _look(form):
    def url(number):
        return with_args(url_for("admin.bulk_closing"), _address(form), page=number)

    days = form.from_day.data, form.to_day.data
    return queries.preview(g.user, *days, zone=school_zone(), page=request.args.get("page"), url=url)


def _preview(form, confirmation, found=None, page=None):
    if found is None:
        found, page = _look(form)
    confirmation.from_day.data, confirmation.to_day.data = form.from_day.data, form.to_day.data
    confirmation.digest.data = found.digest
    files = {kind: with_args(url_for("admin.bulk_closing_export", kind=kind), _address(form)) for kind in ("csv", "xlsx")}
    return _page(form, preview=found, confirmation=confirmation, page=page, files=files)


def _page(form, **context):
    history = queries.bulk_closings(g.user, request.args.get("history"))
    history.url = lambda number: with_args(url_for("admin.bulk_closing"), request.args, history=number)
    return render_template("admin/bulk_closing.html", form=form, history=history, **context)
