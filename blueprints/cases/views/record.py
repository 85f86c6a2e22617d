"""One case: its page, title and type, who can see it, and its history."""

from flask import flash, g, render_template, request

import events
import permissions
from blueprints.cases import actions, queries
from blueprints.cases.forms.opening import EditCaseForm, choices
from blueprints.cases.views import bp
from blueprints.cases.views.common import loaded, managed, to_case
from blueprints.cases.views.people import people_on_page
from blueprints.kit import listing
from blueprints.kit.attempt import attempt


@bp.route("/cases/<ref>")
@permissions.policy("case.read", record=True)
def case(ref):
    row = loaded(ref)
    found = queries.records_of(g.user, row)
    return render_template(
        "cases/case.html",
        case=row,
        records=found,
        kinds=queries.RECORD_KINDS,
        opened_by_itself=queries.opened_by_itself(found),
        may_manage=queries.may_manage(row),
        incidents=queries.linked_incidents(g.user, row),
        **queries.written_page(g.user, row),
        **people_on_page(row),
    )


@bp.route("/cases/<ref>/edit", methods=["GET", "POST"])
@permissions.policy("case.read", record=True)
def edit(ref):
    row = managed(ref)
    form = EditCaseForm(data={"title": row.title, "case_type": row.case_type.ref, "version": row.version})
    types = [one for one in queries.case_types(g.user, retired=True) if not one.is_retired or one.id == row.case_type_id]
    form.case_type.choices = choices(types)
    tried = None
    if form.validate_on_submit():
        tried = attempt(form, lambda: _change(row, form, types))
        if tried.saved:
            flash("The case was saved.", "ok")
            return to_case(ref)
    code = tried.status if tried else 422 if form.errors else 200
    names = {one.id: one.name for one in types}
    return render_template("cases/edit.html", case=row, form=form, tried=tried, names=names), code


def _change(row, form, types):
    kind = next(one.id for one in types if one.ref == form.case_type.data)
    return actions.change_case(row, title=form.title.data, case_type=kind, actor=g.user, version=form.version.data)


@bp.route("/cases/<ref>/access")
@permissions.policy("case.read", record=True)
def access(ref):
    row = queries.case(g.user, ref, audit=False)
    events.record_alone("case.access_read", actor=g.user, target=ref, reasons=row.reasons)
    return render_template("cases/access.html", case=row, readers=queries.who_can_see(g.user, row))


@bp.route("/cases/<ref>/history")
@permissions.policy("case.read", record=True)
def history(ref):
    row = loaded(ref)
    page = listing.paginate(queries.history(g.user, row), request.args.get("page"))
    return render_template("cases/history.html", case=row, page=page)
