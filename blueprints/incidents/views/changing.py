"""Changing an incident: its text (as a new version), its details, its students and their categories, its alerts."""

from flask import flash, g, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict

import permissions
from blueprints.account import actions as account_actions
from blueprints.account import queries as accounts
from blueprints.incidents import actions, queries
from blueprints.incidents.forms import AlertForm, DetailsForm, StudentsForm, TakeOffForm, TextForm
from blueprints.incidents.queries.choices import ROLES
from blueprints.incidents.views import bp, choosing
from blueprints.incidents.views.common import changeable, confirmed, in_school_words, student_words, to_incident
from blueprints.kit import presentation
from blueprints.kit.attempt import attempt, blame, sent_from


@bp.route("/incidents/<ref>/text", methods=["GET", "POST"])
@permissions.policy("incident.read", record=True)
def text(ref):
    incident = changeable(ref)
    draft = accounts.draft(g.user, _draft_of(ref)) if request.method == "GET" else None
    now = {"text": incident.text, "number": sent_from(incident.text_version)}
    form = TextForm(formdata=MultiDict(draft)) if draft else TextForm(data=now)
    tried = None
    if form.validate_on_submit():
        tried = attempt(form, lambda: _edit_text(incident, form))
        if tried.saved:
            flash("The text was saved as a new version.", "ok")
            return to_incident(ref)
    code = tried.status if tried else 422 if form.errors else 200
    page = {"incident": incident, "form": form, "tried": tried, "draft": draft, "draft_key": _draft_of(ref)}
    return render_template("incidents/text.html", **page), code


def _draft_of(ref):
    """The key of the draft of this incident's text; each person has their own."""
    return f"incident-text:{ref.lower()}"


def _edit_text(incident, form):
    given = {"number": form.number.data, "draft": (_draft_of(incident.ref), form.once.data)}
    return actions.edit_text(incident, form.text.data, form.reason.data, actor=g.user, **given)


@bp.route("/incidents/<ref>/text/draft-removal", methods=["POST"])
@permissions.policy("incident.read", record=True)
def text_draft_removal(ref):
    incident = changeable(ref)
    account_actions.clear_draft(_draft_of(incident.ref), actor=g.user)
    flash("The draft was discarded.", "ok")
    return redirect(url_for("incidents.text", ref=ref), 303)


@bp.route("/incidents/<ref>/details", methods=["GET", "POST"])
@permissions.policy("incident.read", record=True)
def details(ref):
    incident = changeable(ref)
    now = {"happened_at": incident.happened_at, "place": incident.place, "version": incident.version}
    form = DetailsForm(data=now)
    tried = None
    if form.validate_on_submit():
        tried = attempt(form, lambda: _change_details(incident, form))
        if tried.saved:
            flash("The details were saved.", "ok")
            return to_incident(ref)
    code = tried.status if tried else 422 if form.errors else 200
    return render_template("incidents/details.html", incident=incident, form=form, tried=tried), code


def _change_details(incident, form):
    happened_at = form.happened_at.data
    if happened_at == incident.happened_at.replace(second=0, microsecond=0):
        happened_at = incident.happened_at  # the field has no seconds: this is not a change
    given = {"happened_at": happened_at, "place": form.place.data}
    return actions.change_details(incident, **given, actor=g.user, version=form.version.data)


# --- Students and categories -----------------------------------------------------------------------------------------


@bp.route("/incidents/<ref>/students", methods=["GET", "POST"])
@permissions.policy("incident.read", record=True)
def students(ref):
    incident = changeable(ref)
    whole_tree = queries.category_tree(g.user, retired=True)
    tree = queries.without_retired(whole_tree)
    form = in_school_words(StudentsForm(data={"version": incident.version}))
    present = choosing.read_present(request.form or None, whole_tree, queries.parts(g.user, incident))
    picked = choosing.pick_students(request.form, tree, present=present)
    tried = None
    if form.validate_on_submit():
        choosing.settle(form.students, picked)
        blame(form, "students", present.problem)
        blame(form, "category", picked.category_problem)
        tried = None if form.errors else attempt(form, lambda: _change_students(incident, form, present, picked))
        if tried and tried.saved:
            flash(f"{student_words()} and categories were saved.", "ok")
            return to_incident(ref)
    page = {"incident": incident, "form": form, "tree": tree, "whole_tree": whole_tree, "roles": ROLES}
    code = tried.status if tried else 422 if form.errors else 200
    return render_template("incidents/students.html", present=present, picked=picked, tried=tried, **page), code


def _change_students(incident, form, present, picked):
    return actions.change_students(
        incident,
        [*present.parts, *picked.parts],
        actor=g.user,
        version=form.version.data,
        confirmed=confirmed(),
    )


@bp.route("/incidents/<ref>/students/<student_ref>/removal", methods=["GET", "POST"])
@permissions.policy("incident.read", record=True)
def take_off(ref, student_ref):
    incident = changeable(ref)
    part = next((part for part in queries.parts(g.user, incident) if part.student_ref == student_ref), None)
    if part is None:
        raise permissions.NotVisible(student_ref)
    form = TakeOffForm(data={"version": incident.version})
    tried = None
    if form.validate_on_submit():
        tried = attempt(form, lambda: _take_off(incident, student_ref, form))
        if tried.saved:
            flash(f"{part.student_name} was taken off this incident.", "ok")
            return to_incident(ref)
    page = {"incident": incident, "part": part, "cases": queries.cases_about(g.user, incident, part.student_id)}
    code = tried.status if tried else 422 if form.errors else 200
    return render_template("incidents/take_off.html", form=form, tried=tried, roles=ROLES, **page), code


def _take_off(incident, student_ref, form):
    given = {"version": form.version.data, "confirmed": confirmed()}
    return actions.take_off(incident, student_ref, form.reason.data, actor=g.user, **given)


# --- Alerts ----------------------------------------------------------------------------------------------------------


@bp.route("/incidents/<ref>/alerts", methods=["GET", "POST"])
@permissions.policy("incident.read", record=True)
def alerts(ref):
    incident = changeable(ref)
    form = AlertForm()
    alerted = choosing.pick_people(request.form)
    page = {"incident": incident, "form": form, "alerted": alerted}
    if request.method == "GET":
        return render_template("incidents/alerts.html", **page)
    form.validate()
    choosing.settle(form.alert, alerted)
    if "preview" in request.form and not form.errors:
        audience = queries.preview(g.user, incident, accounts=alerted.accounts, groups=alerted.groups)
        return render_template("incidents/alerts.html", audience=audience, **page)
    if not form.errors and not alerted.chips:
        blame(form, "alert", "Choose who is alerted.")
    tried = None if form.errors else attempt(form, lambda: _alert(incident, alerted))
    if tried and tried.saved:
        presentation.nudge()
        flash("The alert was sent.", "ok")
        return to_incident(ref)
    return render_template("incidents/alerts.html", tried=tried, **page), tried.status if tried else 422


def _alert(incident, alerted):
    return actions.alert(incident, alerted.accounts, alerted.groups, actor=g.user, confirmed=confirmed())


@bp.route("/incidents/<ref>/access-preview")
@permissions.policy("incident.read", record=True)
def change_preview(ref):
    """A piece of the page: who would come to see the incident as the form stands."""
    incident = queries.incident(g.user, ref, audit=False)
    if not queries.may_change(g.user, incident):
        raise permissions.Denied("incident.change")
    alerted = choosing.pick_people(request.args)
    audience = queries.preview(g.user, incident, accounts=alerted.accounts, groups=alerted.groups)
    return render_template("incidents/_audience.html", audience=audience, only_new=True)
