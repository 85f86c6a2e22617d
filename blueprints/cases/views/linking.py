"""The incidents linked to a case: linking by number, and taking a link away."""

from flask import flash, g, redirect, render_template, url_for

import permissions
from blueprints.cases import actions, queries
from blueprints.cases.forms.opening import LinkIncidentForm
from blueprints.cases.views import bp
from blueprints.cases.views.common import loaded
from blueprints.incidents import queries as incident_queries
from blueprints.kit import presentation
from blueprints.kit.attempt import attempt

# Of a missing incident and of one that the reader may not see.
UNKNOWN = "No incident with this number is known. Check it letter by letter."


@bp.route("/cases/<ref>/incidents", methods=["GET", "POST"])
@permissions.policy("case.read", record=True)
def incidents(ref):
    case = loaded(ref)
    form = LinkIncidentForm()
    tried = None
    if form.validate_on_submit():
        tried = attempt(form, lambda: _link(case, form))
        if tried.saved:
            presentation.nudge()
            flash(f"{tried.result.ref} is linked.", "ok")
            return redirect(url_for("cases.incidents", ref=ref), 303)
    links = {link.ref: link for link in queries.linked_incidents(g.user, case)}
    return render_template(
        "cases/incidents.html",
        case=case,
        form=form,
        links=links,
        rows=queries.linked_summaries(g.user, case),
        may_manage=queries.may_manage(case),
    ), tried.status if tried else 422 if form.errors else 200


def _link(case, form):
    found = incident_queries.by_reference(g.user, form.incident.data)
    if found is None:
        raise actions.Refused("incident", UNKNOWN)
    incident = incident_queries.incident(g.user, found.ref, audit=False)
    return actions.link_incident(case, incident, actor=g.user)


@bp.route("/cases/<ref>/incidents/<incident_ref>/removal", methods=["POST"])
@permissions.policy("case.read", record=True)
def incident_removal(ref, incident_ref):
    case = loaded(ref)
    incident = queries.linked_incident(g.user, case, incident_ref)
    try:
        actions.unlink_incident(case, incident, actor=g.user)
    except actions.Refused as problem:
        flash(problem.sentence, "warn")
    else:
        flash(f"{incident_ref} is not linked to this case any more.", "ok")
    return redirect(url_for("cases.incidents", ref=ref), 303)
