"""Status and Assigned to of one incident. Both addresses exist only while the Cases module is on."""

from flask import flash, g, render_template

import permissions
from blueprints.incidents import actions, queries
from blueprints.incidents.forms import NOBODY, AssignmentForm, StatusForm, people
from blueprints.incidents.views import bp
from blueprints.incidents.views.common import confirmed, loaded, need, to_incident
from blueprints.kit import presentation
from blueprints.kit.attempt import attempt, blame


@bp.route("/incidents/<ref>/assignment", methods=["GET", "POST"])
@permissions.policy("incident.read", record=True, module="cases")
def assignment(ref):
    incident = loaded(ref)
    need("incident.assign")
    now = incident.assigned_to
    form = AssignmentForm(data={"assigned_to": now.ref if now else "", "version": incident.version})
    form.assigned_to.choices = people(queries.assignable(g.user), NOBODY)
    tried = None
    if form.validate_on_submit():
        to, problem = queries.pick_assignee(form.assigned_to.data)
        blame(form, "assigned_to", problem)
        if not problem:
            tried = attempt(form, lambda: _assign(incident, to, form))
            if tried.saved:
                presentation.nudge()
                flash(f"Assigned to: {to.name if to else 'Nobody'}.", "ok")
                return to_incident(ref)
    code = tried.status if tried else 422 if form.errors else 200
    return render_template("incidents/assignment.html", incident=incident, form=form, tried=tried), code


def _assign(incident, to, form):
    return actions.assign(incident, to, actor=g.user, version=form.version.data, confirmed=confirmed())


@bp.route("/incidents/<ref>/status", methods=["GET", "POST"])
@permissions.policy("incident.read", record=True, module="cases")
def status(ref):
    incident = loaded(ref)
    need("incident.status")
    form = StatusForm(data={"status": incident.status, "version": incident.version})
    tried = None
    if form.validate_on_submit():
        tried = attempt(form, lambda: _set_status(incident, form))
        if tried.saved:
            flash(f"Status: {form.status.data}.", "ok")
            return to_incident(ref)
    open_actions = [row for row in queries.actions(g.user, incident) if row.done_at is None]
    page = {"incident": incident, "form": form, "tried": tried, "open_actions": open_actions}
    return render_template("incidents/status.html", **page), tried.status if tried else 422 if form.errors else 200


def _set_status(incident, form):
    return actions.set_status(
        incident, form.status.data, actor=g.user, version=form.version.data, reason=form.reason.data
    )
