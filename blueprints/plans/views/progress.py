"""What is done in a plan and what comes of it: interventions, progress points, reviews."""

from flask import flash, g, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict

import events
import permissions
from blueprints.account import actions as account_actions
from blueprints.account import queries as accounts
from blueprints.kit import listing, presentation
from blueprints.kit.attempt import attempt, sent_from
from blueprints.kit.forms import school_day, school_zone
from blueprints.plans import actions, queries
from blueprints.plans.forms.plans import PointForm, ReviewForm, StepForm
from blueprints.plans.views import bp
from blueprints.plans.views.common import FORMATS, loaded, managed, to_plan

# --- Interventions ---------------------------------------------------------------------------------------------------


@bp.route("/plans/<ref>/interventions/new", methods=["GET", "POST"])
@permissions.policy("plan.read", record=True)
def add_step(ref):
    row = managed(ref)
    form = StepForm(data={"started_on": max(school_day(), row.starts_on), "version": 0})
    del form.ended_on
    work = lambda: actions.add_intervention(row, actor=g.user, **_step(form))  # noqa: E731
    tried = attempt(form, work) if form.validate_on_submit() else None
    if tried and tried.saved:
        flash("The intervention was added.", "ok")
        return to_plan(ref, "interventions")
    code = 422 if form.errors else 200
    return render_template("plans/intervention.html", plan=row, form=form, step=None, tried=tried), code


def _step(form):
    names = ("text", "how_often", "started_on", "ended_on")
    return {name: form[name].data for name in names if name in form}


@bp.route("/plans/<ref>/interventions/<step_ref>", methods=["GET", "POST"])
@permissions.policy("plan.read", record=True)
def step(ref, step_ref):
    row = managed(ref)
    one = queries.step(g.user, row, step_ref)
    names = ("text", "how_often", "started_on", "ended_on", "version")
    form = StepForm(data={name: getattr(one, name) for name in names})
    tried = None
    if form.validate_on_submit():
        tried = attempt(form, lambda: actions.change_intervention(
            row, one, actor=g.user, version=form.version.data, **_step(form)
        ))  # fmt: skip
        if tried.saved:
            flash("The intervention was saved.", "ok")
            return to_plan(ref, "interventions")
    code = tried.status if tried else 422 if form.errors else 200
    return render_template("plans/intervention.html", plan=row, form=form, step=one, tried=tried), code


# --- Progress points -------------------------------------------------------------------------------------------------


@bp.route("/plans/<ref>/points", methods=["GET", "POST"])
@permissions.policy("plan.read", record=True)
def points(ref):
    row = loaded(ref) if request.method == "GET" else managed(ref)
    form = PointForm(data={"day": school_day()})
    if form.validate_on_submit():
        given = {"day": form.day.data, "value": form.value.data, "note": form.note.data or ""}
        if attempt(form, lambda: actions.add_point(row, actor=g.user, **given)).saved:
            flash("The progress point was added.", "ok")
            return to_plan(ref, "progress")
    every = queries.points(g.user, row)
    page = {"plan": row, "form": form, "may_manage": queries.may_manage(row), "number": queries.number}
    page["page"] = listing.paginate(every, request.args.get("page"))
    page["chart"] = queries.chart(row, every)
    page["exports"] = [url_for("plans.export_points", ref=row.ref, kind=kind) for kind in FORMATS]
    return render_template("plans/points.html", **page), 422 if form.errors else 200


@bp.route("/plans/<ref>/points/export.<any(csv, xlsx):kind>")
@permissions.policy("plan.read", record=True)
def export_points(ref, kind):
    row = queries.plan(g.user, ref, audit=False)
    every = queries.points(g.user, row)
    events.record_alone("plan.exported", actor=g.user, target=row.ref, count=len(every), format=kind)
    cells = ((one.day, one.value, one.note, one.author) for one in every)
    return FORMATS[kind]("progress-points", ["Day", row.measure or "Value", "Note", "Measured by"], cells, tz=school_zone())


@bp.route("/plans/<ref>/points/<point_ref>/removal", methods=["POST"])
@permissions.policy("plan.read", record=True)
def remove_point(ref, point_ref):
    row = managed(ref)
    try:
        actions.remove_point(row, queries.point(g.user, row, point_ref), actor=g.user)
    except actions.Refused as problem:
        flash(problem.sentence, "warn")
    else:
        flash("The progress point was removed.", "ok")
    return to_plan(ref, "progress")


# --- Reviews ---------------------------------------------------------------------------------------------------------


@bp.route("/plans/<ref>/reviews/new", methods=["GET", "POST"])
@permissions.policy("plan.read", record=True)
def review(ref):
    row = managed(ref)
    key = f"plan-review:{row.ref.lower()}"
    draft = accounts.draft(g.user, key) if request.method == "GET" else None
    now = {"day": school_day(), "number": sent_from(row.version)}
    form = ReviewForm(formdata=MultiDict(draft)) if draft else ReviewForm(data=now)
    tried = None
    if form.validate_on_submit():
        tried = attempt(form, lambda: _review(row, form, key))
        if tried.saved:
            return _reviewed(row, form.decision.data)
    page = {"plan": row, "form": form, "tried": tried, "draft": draft, "draft_key": key, "today": school_day()}
    page |= {"points": queries.points(g.user, row, most=5), "reviews": queries.reviews(g.user, row), "number": queries.number,
             "decisions": queries.DECISIONS}  # fmt: skip
    return render_template("plans/review.html", **page), tried.status if tried else 422 if form.errors else 200


def _review(row, form, key):
    return actions.review_plan(
        row, day=form.day.data, decision=form.decision.data, notes=form.notes.data or "", next_on=form.next_on.data,
        number=form.number.data, actor=g.user, draft=(key, form.once.data),
    )  # fmt: skip


def _reviewed(row, decision):
    """The same answer whether the review opened a case or not (DOMAIN.md, ruling 3)."""
    presentation.nudge()
    if decision == "change":
        flash("The review was saved. Now say what changes in the plan.", "ok")
        return redirect(url_for("plans.edit", ref=row.ref), 303)
    flash("The review was saved.", "ok")
    return to_plan(row.ref, "reviews")


@bp.route("/plans/<ref>/reviews/draft-removal", methods=["POST"])
@permissions.policy("plan.read", record=True)
def review_draft_removal(ref):
    row = managed(ref)
    account_actions.clear_draft(f"plan-review:{row.ref.lower()}", actor=g.user)
    flash("The draft was discarded.", "ok")
    return redirect(url_for("plans.review", ref=row.ref), 303)
