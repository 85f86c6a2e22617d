"""Conflicts of interest on one case: who is kept out. Only Admin Key Holders who see the case come here."""

from flask import flash, g, redirect, render_template, url_for

import permissions
from blueprints.cases.views import bp
from blueprints.cases.views.common import loaded, to_case
from blueprints.kit.forms import ExclusionForm
from blueprints.students import actions as students_actions
from blueprints.students import queries as students


@bp.route("/cases/<ref>/exclusions", methods=["GET", "POST"])
@permissions.policy("exclusion", record=True)
def exclusions(ref):
    case = loaded(ref)
    form = ExclusionForm().offer(students.excludable(g.user, case=case))
    if form.validate_on_submit():
        account = students.staff_member(g.user, form.staff_member.data)
        try:
            students_actions.exclude(account, case=case, reason=form.reason.data, actor=g.user)
        except students_actions.NotPossible as problem:
            form.staff_member.errors = [str(problem)]
        else:
            flash(f"{account.name} is excluded from this case.", "ok")
            if account.id == g.user.id:
                return to_case(ref)
            return redirect(url_for("cases.exclusions", ref=ref), 303)
    found = students.exclusions(g.user, case=case)
    page = {"case": case, "form": form, "exclusions": found}
    return render_template("cases/exclusions.html", **page), 422 if form.errors else 200


@bp.route("/cases/<ref>/exclusions/<exclusion_ref>/end", methods=["POST"])
@permissions.policy("exclusion", record=True)
def exclusion_end(ref, exclusion_ref):
    case = loaded(ref)
    row = students.exclusion(g.user, exclusion_ref, case=case)
    ended = students_actions.end_exclusion(row, actor=g.user)
    flash(f"{ended.account.name} is no longer excluded.", "ok")
    return redirect(url_for("cases.exclusions", ref=ref), 303)
