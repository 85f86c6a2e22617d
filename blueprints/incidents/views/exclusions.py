"""Conflicts of interest on one incident: who is kept out. Only Admin Key Holders who see the incident come here."""

from flask import flash, g, redirect, render_template, url_for

import permissions
from blueprints.incidents.views import bp
from blueprints.incidents.views.common import loaded, to_incident
from blueprints.kit.attempt import blame
from blueprints.kit.forms import ExclusionForm
from blueprints.students import actions as students_actions
from blueprints.students import queries as students


@bp.route("/incidents/<ref>/exclusions", methods=["GET", "POST"])
@permissions.policy("exclusion", record=True)
def exclusions(ref):
    incident = loaded(ref)
    form = ExclusionForm().offer(students.excludable(g.user, incident=incident))
    if form.validate_on_submit():
        account = students.staff_member(g.user, form.staff_member.data)
        try:
            students_actions.exclude(account, incident=incident, reason=form.reason.data, actor=g.user)
        except students_actions.NotPossible as problem:
            blame(form, "staff_member", str(problem))
        else:
            flash(f"{account.name} is excluded from this incident.", "ok")
            if account.id == g.user.id:
                return to_incident(ref)
            return redirect(url_for("incidents.exclusions", ref=ref), 303)
    found = students.exclusions(g.user, incident=incident)
    page = {"incident": incident, "form": form, "exclusions": found}
    return render_template("incidents/exclusions.html", **page), 422 if form.errors else 200


@bp.route("/incidents/<ref>/exclusions/<exclusion_ref>/end", methods=["POST"])
@permissions.policy("exclusion", record=True)
def exclusion_end(ref, exclusion_ref):
    incident = loaded(ref)
    row = students.exclusion(g.user, exclusion_ref, incident=incident)
    ended = students_actions.end_exclusion(row, actor=g.user)
    flash(f"{ended.account.name} is no longer excluded.", "ok")
    return redirect(url_for("incidents.exclusions", ref=ref), 303)
