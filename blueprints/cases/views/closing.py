"""Closing a case and reopening it; for those who manage it."""

from flask import flash, g, redirect, render_template, request, url_for

import permissions
from blueprints.cases import actions, queries
from blueprints.cases.forms.opening import CloseCaseForm, ReopenCaseForm, choices
from blueprints.cases.views import bp
from blueprints.cases.views.common import managed, to_case
from blueprints.kit import presentation
from blueprints.kit.attempt import attempt


@bp.route("/cases/<ref>/closure", methods=["GET", "POST"])
@permissions.policy("case.read", record=True)
def closure(ref):
    row = managed(ref)
    if request.method == "GET" and row.status == "Closed":
        return redirect(url_for("cases.reopening", ref=ref), 303)
    reasons = queries.close_reasons(g.user)
    form = CloseCaseForm(data={"version": row.version})
    form.reason.choices = choices(reasons, "Choose a reason")
    tried = None
    if form.validate_on_submit():
        tried = attempt(form, lambda: _close(row, form, reasons))
        if tried.saved:
            return _said(ref, "The case is closed.")
    code = tried.status if tried else 422 if form.errors else 200
    tasks = queries.open_tasks(queries.records_of(g.user, row))
    return render_template("cases/closure.html", case=row, form=form, tried=tried, tasks=tasks), code


def _close(row, form, reasons):
    reason = next(one.id for one in reasons if one.ref == form.reason.data)
    return actions.close_case(row, reason=reason, outcome=form.outcome.data, actor=g.user, version=form.version.data)


@bp.route("/cases/<ref>/reopening", methods=["GET", "POST"])
@permissions.policy("case.read", record=True)
def reopening(ref):
    row = managed(ref)
    if request.method == "GET" and row.status == "Open":
        return redirect(url_for("cases.closure", ref=ref), 303)
    form = ReopenCaseForm(data={"version": row.version})
    tried = None
    if form.validate_on_submit():
        tried = attempt(form, lambda: _reopen(row, form))
        if tried.saved:
            return _said(ref, "The case is open again.")
    code = tried.status if tried else 422 if form.errors else 200
    return render_template("cases/reopening.html", case=row, form=form, tried=tried), code


def _reopen(row, form):
    return actions.reopen_case(row, reason=form.reason.data, actor=g.user, version=form.version.data)


def _said(ref, sentence):
    presentation.nudge()
    flash(sentence, "ok")
    return to_case(ref)
