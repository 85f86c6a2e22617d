"""Actions on an incident: adding one, marking it as done, opening it again."""

from flask import flash, g, render_template, request

import permissions
from blueprints.incidents import actions, queries
from blueprints.incidents.forms import ActionForm
from blueprints.incidents.views import bp, choosing
from blueprints.incidents.views.common import confirmed, loaded, to_incident
from blueprints.kit import presentation
from blueprints.kit.attempt import attempt


@bp.route("/incidents/<ref>/actions", methods=["GET", "POST"])
@permissions.policy("incident.read", record=True)
def add_action(ref):
    incident = loaded(ref)
    form = ActionForm()
    person = choosing.pick_person(request.form)
    tried = None
    if request.method == "POST":
        form.validate()
        choosing.settle(form.person, person)
        tried = None if form.errors else attempt(form, lambda: _add(incident, form, person))
        if tried and tried.saved:
            presentation.nudge()
            flash("The action was added.", "ok")
            return to_incident(ref)
    code = tried.status if tried else 422 if form.errors else 200
    return render_template("incidents/action.html", incident=incident, form=form, person=person, tried=tried), code


def _add(incident, form, person):
    return actions.add_action(
        incident,
        text=form.text.data,
        person=person.accounts[0] if person.accounts else None,
        due_on=form.due_on.data,
        actor=g.user,
        confirmed=confirmed(),
    )


@bp.route("/incidents/<ref>/actions/<action_ref>/completion", methods=["POST"])
@permissions.policy("incident.read", record=True)
def completion(ref, action_ref):
    return _set_done(ref, action_ref, True)


@bp.route("/incidents/<ref>/actions/<action_ref>/reopening", methods=["POST"])
@permissions.policy("incident.read", record=True)
def reopening(ref, action_ref):
    return _set_done(ref, action_ref, False)


def _set_done(ref, action_ref, done):
    incident = loaded(ref)
    action = queries.action(g.user, incident, action_ref)
    # The page shows one button, for the state it saw: two people who press it want the same.
    actions.set_done(incident, action, done, actor=g.user, version=action.version)
    flash("The action is done." if done else "The action is open again.", "ok")
    return to_incident(ref)


@bp.route("/incidents/<ref>/staff-suggest")
@permissions.policy("incident.read", record=True)
def staff_suggest(ref):
    """Staff for an action's person; the same for every incident, the address only keeps it to its readers."""
    queries.incident(g.user, ref, audit=False)
    found = queries.suggest_alerted(g.user, request.args.get("q", ""), groups=False)
    return [choice._asdict() for choice in found]
