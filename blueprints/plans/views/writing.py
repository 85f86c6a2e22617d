"""Create a Plan; what a plan says from now on; who works on it; its end, and letting it go on."""

from flask import flash, g, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict

import permissions
from blueprints.account import actions as account_actions
from blueprints.account import queries as accounts
from blueprints.kit import presentation
from blueprints.kit.attempt import attempt, sent_from
from blueprints.kit.forms import school_day
from blueprints.kit.picking import settle
from blueprints.kit.text import one_line
from blueprints.plans import actions, queries
from blueprints.plans.forms.plans import EditPlanForm, EndPlanForm, NewPlanForm, PeopleForm, ResumePlanForm
from blueprints.plans.views import bp
from blueprints.plans.views.common import managed, people_chips, pick_people, pick_student, to_plan
from blueprints.students import queries as students

SAID = ("concern", "goal", "measure", "baseline", "target", "starts_on", "review_by")


@bp.route("/plans/new", methods=["GET", "POST"])
@permissions.policy("plan.read")
def new():
    origin, key = _origin()
    draft = accounts.draft(g.user, key) if request.method == "GET" else None
    form = NewPlanForm(formdata=MultiDict(draft)) if draft else NewPlanForm(data={"starts_on": school_day()})
    form.student.label.text = g.school.student_word
    given = request.form if request.method == "POST" else MultiDict(draft or _beginning(origin))
    picked = pick_student(given)
    page = {"form": form, "picked": picked, "origin": origin, "draft": draft, "draft_key": key}
    if request.method == "GET":
        return render_template("plans/new.html", chips=people_chips(pick_people(given, None)), **page)
    form.validate()
    settle(form.student, picked)
    people = pick_people(given, form, picked.row)
    tried = None if form.errors else attempt(form, lambda: _create(form, picked.row, people, key))
    if tried and tried.saved:
        presentation.nudge()
        flash("The plan was created.", "ok")
        return redirect(url_for("plans.plan", ref=tried.result.ref), 303)
    return render_template("plans/new.html", chips=people_chips(people), **page), 422


def _origin():
    """(the reference of the student whom the address names or "", the key of the draft). One who is not there for this reader
    is NotVisible."""
    ref = one_line(request.args.get("student", ""))
    if ref and not students.pick(g.user, [ref]):
        raise permissions.NotVisible(ref)
    return ref, f"plan-new:{ref.lower()}" if ref else "plan-new"


def _beginning(origin):
    """What a new form stands at: whoever writes the plan leads it, until somebody else is chosen."""
    return {"student_ref": origin, "lead_ref": g.user.ref} if origin else {"lead_ref": g.user.ref}


def _create(form, student, people, key):
    return actions.create_plan(
        student, lead=people["lead"][0], staff=people["staff"], interventions=form.interventions(), actor=g.user,
        draft=(key, form.once.data), **form.said(),
    )  # fmt: skip


@bp.route("/plans/new/draft-removal", methods=["POST"])
@permissions.policy("plan.read")
def new_draft_removal():
    origin, key = _origin()
    account_actions.clear_draft(key, actor=g.user)
    flash("The draft was discarded.", "ok")
    return redirect(url_for("plans.new", student=origin or None), 303)


@bp.route("/plans/staff-suggest")
@permissions.policy("plan.read")
def staff_suggest():
    # Not audited: the characters of a name being typed. Staff find each other under Personnel anyway; who is kept from the
    # student is left out without a word.
    ref = one_line(request.args.get("student", ""))
    found = students.pick(g.user, [ref]) if ref else []
    return queries.suggest(g.user, request.args.get("q", ""), found[0] if found else None)


# --- What it says ----------------------------------------------------------------------------------------------------


@bp.route("/plans/<ref>/edit", methods=["GET", "POST"])
@permissions.policy("plan.read", record=True)
def edit(ref):
    row = managed(ref)
    key = f"plan-text:{row.ref.lower()}"
    draft = accounts.draft(g.user, key) if request.method == "GET" else None
    now = {name: getattr(row, name) for name in SAID} | {"tier": str(row.tier)}
    now["number"] = sent_from(row.version)
    form = EditPlanForm(formdata=MultiDict(draft)) if draft else EditPlanForm(data=now)
    tried = None
    if form.validate_on_submit():
        tried = attempt(form, lambda: actions.change_plan(
            row, number=form.number.data, actor=g.user, draft=(key, form.once.data), **form.said()
        ))  # fmt: skip
        if tried.saved:
            flash("The plan was saved.", "ok")
            return to_plan(ref)
    theirs = _said_now(ref) if tried and tried.theirs else None
    page = {"plan": row, "form": form, "theirs": theirs, "draft": draft, "draft_key": key}
    return render_template("plans/edit.html", **page), tried.status if tried else 422 if form.errors else 200


def _said_now(ref):
    """What the plan says now, after somebody else saved it: a Wording."""
    return queries.wordings(g.user, queries.plan(g.user, ref, audit=False))[0]


@bp.route("/plans/<ref>/edit/draft-removal", methods=["POST"])
@permissions.policy("plan.read", record=True)
def edit_draft_removal(ref):
    row = managed(ref)
    account_actions.clear_draft(f"plan-text:{row.ref.lower()}", actor=g.user)
    flash("The draft was discarded.", "ok")
    return redirect(url_for("plans.edit", ref=row.ref), 303)


# --- Who works on it -------------------------------------------------------------------------------------------------


@bp.route("/plans/<ref>/people", methods=["GET", "POST"])
@permissions.policy("plan.read", record=True)
def people(ref):
    row = managed(ref)
    now = {"lead": [row.lead], "staff": queries.staff(g.user, row)}
    form, chosen, tried = PeopleForm(data={"version": row.version}), now, None
    if request.method == "POST":
        form.validate()
        chosen = pick_people(request.form, form, row.student)
        tried = None if form.errors else attempt(form, lambda: actions.set_people(
            row, lead=chosen["lead"][0], staff=chosen["staff"], actor=g.user, version=form.version.data
        ))  # fmt: skip
        if tried and tried.saved:
            flash("The people on this plan were saved.", "ok")
            return to_plan(ref, "people")
    theirs = None
    if tried and tried.theirs:
        other = queries.plan(g.user, ref, audit=False)
        theirs = {"lead": other.lead, "staff": queries.staff(g.user, other)}
    code = tried.status if tried else 422 if form.errors else 200
    return render_template("plans/people.html", plan=row, form=form, chips=people_chips(chosen), theirs=theirs), code


# --- Its end ---------------------------------------------------------------------------------------------------------


@bp.route("/plans/<ref>/ending", methods=["GET", "POST"])
@permissions.policy("plan.read", record=True)
def ending(ref):
    row = managed(ref)
    if request.method == "GET" and row.state == "ended":
        return redirect(url_for("plans.resumption", ref=ref), 303)
    form = EndPlanForm(data={"version": row.version})
    work = lambda: actions.end_plan(row, reason=form.reason.data, actor=g.user, version=form.version.data)  # noqa: E731
    return _turned(row, form, work, "plans/ending.html", "The plan has ended.")


@bp.route("/plans/<ref>/resumption", methods=["GET", "POST"])
@permissions.policy("plan.read", record=True)
def resumption(ref):
    row = managed(ref)
    if request.method == "GET" and row.state == "active":
        return redirect(url_for("plans.ending", ref=ref), 303)
    form = ResumePlanForm(data={"version": row.version})
    work = lambda: actions.resume_plan(row, actor=g.user, version=form.version.data)  # noqa: E731
    return _turned(row, form, work, "plans/resumption.html", "The plan goes on.")


def _turned(row, form, work, template, said):
    tried = attempt(form, work) if form.validate_on_submit() else None
    if tried and tried.saved:
        flash(said, "ok")
        return to_plan(row.ref)
    code = tried.status if tried else 422 if form.errors else 200
    return render_template(template, plan=row, form=form, tried=tried), code
