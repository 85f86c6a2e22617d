"""Add incident, what the pickers suggest, and who would see what is being written."""

from flask import flash, g, jsonify, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict

import permissions
from blueprints.account import actions as account_actions
from blueprints.account import queries as accounts
from blueprints.incidents import actions, queries
from blueprints.incidents.forms import IncidentForm, people
from blueprints.incidents.queries.choices import ROLES
from blueprints.incidents.views import bp, choosing
from blueprints.incidents.views.common import confirmed, in_school_words
from blueprints.kit import presentation, uploads
from blueprints.kit.attempt import attempt, blame, upload_folder
from extensions import clock

DRAFT = "incident-new"


@bp.route("/incidents/new", methods=["GET", "POST"])
@permissions.policy("incident.add")
def new():
    _refuse_forged()
    tree = queries.category_tree(g.user)
    draft = accounts.draft(g.user, DRAFT) if request.method == "GET" else None
    values = request.form if request.method == "POST" else MultiDict(draft or _asked_for())
    form = _form(values if draft else None)
    picked, alerted = choosing.pick_students(values, tree), choosing.pick_people(values)
    page = {"form": form, "tree": tree, "picked": picked, "alerted": alerted, "roles": ROLES, "draft": draft}
    page |= {"uploads": uploads, "guidance": queries.with_guidance(tree)}
    if request.method == "GET":
        return render_template("incidents/new.html", **page)
    if "preview" in request.form:
        return render_template("incidents/new.html", audience=_audience(values, tree, picked, alerted), **page)
    assigned_to, is_valid = _check(form, picked, alerted)
    tried = attempt(form, lambda: _add(form, picked, alerted, assigned_to)) if is_valid else None
    if tried and tried.saved:
        if alerted.chips or assigned_to:
            presentation.nudge()  # there are emails to send
        flash(f"{tried.result.ref} was added.", "ok")
        return redirect(url_for("incidents.incident", ref=tried.result.ref), 303)
    files_lost = bool(form.files.data) and not form.files.errors
    return render_template("incidents/new.html", tried=tried, files_lost=files_lost, **page), 422


def _may_assign():
    return g.school.cases_module and permissions.can(g.user, "incident.assign")


def _refuse_forged():
    """Status and Assigned to in a form that never had them: nothing of it is saved."""
    if not _may_assign() and {"status", "assigned_to"} & request.form.keys():
        raise permissions.Denied("incident.assign")


def _asked_for():
    """The student whose page the reader comes from."""
    return {"students_ref": request.args["student"]} if "student" in request.args else {}


def _form(formdata=None):
    form = IncidentForm(formdata=formdata) if formdata else IncidentForm()
    if request.method == "GET" and not formdata:
        form.happened_at.data = clock.now()
    return in_school_words(form).offer((lambda: queries.assignable(g.user)) if _may_assign() else None)


def _check(form, picked, alerted):
    """(the account to assign or None, whether everything can be tried)."""
    form.validate()
    choosing.settle(form.students, picked)
    choosing.settle(form.alert, alerted)
    blame(form, "category", picked.category_problem)
    assigned_to = None
    if "assigned_to" in form:
        assigned_to, problem = queries.pick_assignee(form.assigned_to.data)
        blame(form, "assigned_to", problem)
        if problem and assigned_to:  # stays chosen on the page, so that nobody saves "Nobody" unawares
            form.assigned_to.choices += people([(assigned_to.ref, assigned_to.name)])[1:]
    return assigned_to, not form.errors


def _add(form, picked, alerted, assigned_to):
    with actions.taken(upload_folder(), form.files.data) as stored:
        return actions.add(
            actor=g.user,
            text=form.text.data,
            happened_at=form.happened_at.data,
            place=form.place.data,
            parts=picked.parts,
            accounts=alerted.accounts,
            groups=alerted.groups,
            status=form.status.data if "status" in form else None,
            assigned_to=assigned_to,
            stored=stored,
            confirmed=confirmed(),
            draft=(DRAFT, form.once.data),
        )


@bp.route("/incidents/new/draft-removal", methods=["POST"])
@permissions.policy("incident.add")
def draft_removal():
    account_actions.clear_draft(DRAFT, actor=g.user)
    flash("The draft was discarded.", "ok")
    return redirect(url_for("incidents.new"), 303)


# --- Who would see it, and whom to alert -----------------------------------------------------------------------------


def _audience(values, tree, picked, alerted):
    assigned_to = queries.pick_assignee(values.get("assigned_to"))[0] if _may_assign() else None
    return queries.form_audience(
        g.user,
        parts=choosing.asked_parts(picked, values, tree),
        accounts=alerted.accounts,
        groups=alerted.groups,
        assigned_to=assigned_to,
    )


@bp.route("/incidents/access-preview")
@permissions.policy("incident.add")
def access_preview():
    """A piece of the page: who would see the incident as the form stands."""
    tree = queries.category_tree(g.user)
    picked, alerted = choosing.pick_students(request.args, tree), choosing.pick_people(request.args)
    audience = _audience(request.args, tree, picked, alerted)
    return render_template("incidents/_audience.html", audience=audience)


@bp.route("/incidents/alert-suggest")
@permissions.policy("incident.add")
def alert_suggest():
    return jsonify([choice._asdict() for choice in queries.suggest_alerted(g.user, request.args.get("q", ""))])
