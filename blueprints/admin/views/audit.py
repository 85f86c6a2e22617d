"""Admin > Audit log: filters and exports. The sealed log, which holds every event, is exported on the server only
(`flask audit export`): an Admin Key Holder can be excluded from a record, and then learns nothing of it here."""

from flask import g, render_template, request, url_for

import permissions
from blueprints.admin import queries
from blueprints.admin.forms import AuditFilterForm
from blueprints.admin.views import bp
from blueprints.kit.forms import school_zone
from blueprints.kit.listing import with_args
from blueprints.kit.presentation import written_day
from blueprints.kit.tables_out import table_response

FILTERS = ("from_day", "to_day", "person", "verb", "reference", "denials")
HEADER = ("When", "Who", "What", "Verb", "Reference", "Because", "Details", "Address")


@bp.route("/admin/audit")
@permissions.policy("admin.audit")
def audit():
    form = AuditFilterForm(request.args, meta={"csrf": False})
    if not form.validate():
        return _page(form, None), 422
    return _page(form, queries.events_found(g.user, request.args.get("page"), school_zone(), _chosen(form)))


@bp.route("/admin/audit.<any(csv, xlsx):kind>")
@permissions.policy("admin.audit")
def audit_export(kind):
    form = AuditFilterForm(request.args, meta={"csrf": False})
    if not form.validate():
        return _page(form, None), 422
    rows = queries.export_events(g.user, school_zone(), _chosen(form), kind)
    return table_response(kind, "audit-log", HEADER, rows, school_zone())


def _chosen(form):
    return {name: form[name].data for name in FILTERS}


def _page(form, page):
    files = {kind: with_args(url_for("admin.audit_export", kind=kind), request.args, page=None) for kind in ("csv", "xlsx")}
    return render_template(
        "admin/audit.html", form=form, page=page, chips=_chips(form), last=queries.last_seal(g.user), files=files
    )


def _chips(form):
    """The filters that are on, each with the address without it."""
    words = {
        "from_day": lambda day: f"From {written_day(day)}",
        "to_day": lambda day: f"To {written_day(day)}",
        "person": lambda text: f"Person: {text}",
        "verb": lambda verb: dict(form.verb.choices).get(verb, verb),
        "reference": lambda text: f"Reference: {text}",
        "denials": lambda _: "Denials only",
    }
    return [
        (words[name](form[name].data), with_args(request.path, request.args, page=None, **{form[name].name: None}))
        for name in FILTERS
        if form[name].data
    ]
