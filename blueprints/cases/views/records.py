"""The records of a case: all of them on a page, putting one onto it, and taking one off."""

from flask import flash, g, redirect, render_template, request, url_for

import permissions
from blueprints.cases import actions, queries
from blueprints.cases.forms.opening import PutRecordForm
from blueprints.cases.views import bp
from blueprints.cases.views.common import loaded, to_case
from blueprints.kit import listing, presentation
from blueprints.kit.attempt import attempt
from blueprints.kit.refusing import confirmation_of

KIND = "<any(task, meeting, plan, review, form, file):record_kind>"


@bp.route("/cases/<ref>/records")
@permissions.policy("case.read", record=True)
def records(ref):
    case = loaded(ref)
    page = listing.paginate(queries.records_of(g.user, case), request.args.get("page"))
    offered = queries.candidates(g.user, case) if case.status == "Open" else []
    shown = {"case": case, "page": page, "may_manage": queries.may_manage(case), "kinds": queries.RECORD_KINDS}
    return render_template("cases/records.html", **shown, offered=listing.paginate(offered, request.args.get("offered")))


@bp.route(f"/cases/<ref>/records/{KIND}/<record_ref>", methods=["GET", "POST"])
@permissions.policy("case.read", record=True)
def put_record(ref, record_kind, record_ref):
    case = loaded(ref)
    shown, _, asked, asked_kind = queries.record_about(g.user, case, record_kind, record_ref)
    queries.require_own_reason(g.user, asked_kind, asked)
    form, tried = PutRecordForm(), None
    confirmed = form.confirmed.data or ""
    if form.validate_on_submit():
        tried = attempt(form, lambda: actions.put_record(case, record_kind, record_ref, confirmed=confirmed, actor=g.user))
        if tried.saved:
            presentation.nudge()
            flash("It belongs to this case now.", "ok")
            return to_case(ref, "records")
    gaining = queries.new_record_readers(g.user, case, record_kind, asked)
    form.confirmed.data = confirmation_of(gaining) if gaining else ""
    page = {"case": case, "kind": record_kind, "row": shown, "gaining": gaining, "tried": tried, "kinds": queries.RECORD_KINDS}
    return render_template("cases/put_record.html", form=form, **page), tried.status if tried else 422 if form.errors else 200


@bp.route(f"/cases/<ref>/records/{KIND}/<record_ref>/removal", methods=["POST"])
@permissions.policy("case.read", record=True)
def record_removal(ref, record_kind, record_ref):
    case = loaded(ref)
    try:
        actions.take_record_off(case, record_kind, record_ref, actor=g.user)
    except actions.Refused as problem:
        flash(problem.sentence, "warn")
    else:
        flash("It does not belong to this case any more. The record itself stays as it is.", "ok")
    return redirect(url_for("cases.records", ref=ref), 303)
