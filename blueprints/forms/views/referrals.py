"""Referrals: for staff the queue and what is decided on each, for Referral Users their own with one word of state. The two never
share a template: what staff decide must not show in a byte of what the sender reads."""

from flask import flash, g, redirect, render_template, request, url_for

import events
import permissions
from blueprints.forms import actions, queries
from blueprints.forms.forms.referrals import AcceptForm, DeclineForm, MergeForm
from blueprints.forms.queries import referrals as queue
from blueprints.forms.views import bp
from blueprints.forms.views.responses import own_export, own_page
from blueprints.kit import listing, picking, presentation, tables_out
from blueprints.kit.attempt import attempt, blame
from blueprints.kit.forms import school_zone
from blueprints.kit.text import one_line
from blueprints.students import actions as student_actions
from blueprints.students import queries as students
from models import Conflict

HEADER = ("Referral", "First name", "Last name", "Date of birth", "Form", "Sent by", "Sent", "State")


@bp.route("/referrals")
@permissions.policy("form.fill", record=True)
def referrals():
    if not permissions.can(g.user, "response.read"):
        return _own_referrals()
    typed = _typed()
    fetch, count = queue.paging(g.user, **typed)
    page = listing.paginate(fetch, request.args.get("page"), count=count)
    events.record_alone("referral.listed", actor=g.user, count=len(page))
    waiting = {row.ref: (row.first_name, row.last_name, row.date_of_birth) for row in page if row.state == "Received"}
    return render_template(
        "forms/referrals.html", page=page, typed=typed, states=queries.REFERRAL_STATES, chips=_chips(typed),
        matches=queries.matches(g.user, waiting),
        exports=[listing.with_args(url_for("forms.referrals_export", kind=kind), request.args, page=None)
                 for kind in ("csv", "xlsx")],
    )  # fmt: skip


def _own_referrals():
    fetch, count = queries.own_paging(g.user, referrals=True)
    page = listing.paginate(fetch, request.args.get("page"), count=count)
    events.record_alone("referral.listed", actor=g.user, count=len(page))
    exports = [url_for("forms.referrals_export", kind=kind) for kind in ("csv", "xlsx")]
    return render_template("forms/sent.html", page=page, exports=exports, referrals=True)


def _typed():
    """The filters that the address asks for: the ones that wait, unless it says otherwise."""
    state = request.args.get("state", "received")
    return {"state": state if state in queries.REFERRAL_STATES else "", "text": one_line(request.args.get("q", ""))[:100]}


def _chips(typed):
    chips = [(f"Name: {typed['text']}", {"q": None})] if typed["text"] else []
    if typed["state"]:
        chips.append((f"State: {queries.REFERRAL_STATES[typed['state']]}", {"state": "all"}))
    return [(label, listing.with_args(request.path, request.args, page=None, **change)) for label, change in chips]


@bp.route("/referrals.<any(csv, xlsx):kind>")
@permissions.policy("form.fill", record=True)
def referrals_export(kind):
    if not permissions.can(g.user, "response.read"):
        return own_export(kind, "referrals", referrals=True)
    rows = queue.export_rows(g.user, **_typed())
    events.record_alone("referral.exported", actor=g.user, count=len(rows), format=kind)
    header = [*HEADER, g.school.student_word, "Decided by", "Decided"]
    cells = (
        (row.ref, row.first_name, row.last_name, row.date_of_birth, row.form, row.author, row.submitted_at, row.state,
         row.student, row.decided_by, row.decided_at)
        for row in rows
    )  # fmt: skip
    return tables_out.table_response(kind, "referrals", header, cells, tz=school_zone())


# --- One -------------------------------------------------------------------------------------------------------------


@bp.route("/referrals/<ref>")
@permissions.policy("form.fill", record=True)
def referral(ref):
    if not permissions.can(g.user, "response.read"):
        return own_page(queries.own_referral(g.user, ref))
    row = queries.referral(g.user, ref)
    return _page(row)


def _forms(row):
    """The forms of the page, each as it stands before anything is typed."""
    version = {"version": row.version}
    merging = MergeForm(formdata=None, data=version)
    merging.earlier.choices = []
    accepting = AcceptForm(formdata=None, data=version)
    accepting.student.label.text = g.school.student_word
    merging, declining = MergeForm(formdata=None, data=version), DeclineForm(formdata=None, data=version)
    return {"accepting": accepting, "merging": merging, "declining": declining}


def _page(row, tried=None, picked=None, **sent):
    """The page of a referral; `sent` is the form that was refused, by its name."""
    may_decide = queries.may_decide(row) and row.state == "received"
    found = {"forms_on_page": _forms(row) | sent, "matches": [], "earlier": []}
    if may_decide:
        named = {row.ref: (row.first_name, row.last_name, row.date_of_birth)}
        found["matches"] = queries.matches(g.user, named)[row.ref]
        found["earlier"] = queries.earlier(g.user, row)
        found["forms_on_page"]["merging"].earlier.choices = [(one.ref, one.ref) for one in found["earlier"]]
    theirs = tried.theirs if tried else None
    errors = any(form.errors for form in sent.values())
    page = render_template(
        "forms/referral.html", referral=row, response=row.response, shown=queries.shown(g.user, row.response), theirs=theirs,
        may_decide=may_decide, merged_into=queries.merged_into(g.user, row), picked=picked or picking.Picked(), **found,
    )  # fmt: skip
    return page, 409 if theirs is not None else 422 if errors else 200


def _decided(row, tried, **sent):
    """After a decision: back to the referral. After a conflict: the page as it stands now, with what was typed."""
    if tried.saved:
        presentation.nudge()
        flash(tried.result or "The referral was accepted.", "ok")
        return redirect(url_for("forms.referral", ref=row.ref), 303)
    if tried.theirs is not None:
        row = queries.referral(g.user, row.ref, audit=False)
    return _page(row, tried, **sent)


def _loaded(ref):
    """The referral for a decision; NotVisible for who can't see it, Denied for who can't decide."""
    row = queries.referral(g.user, ref, audit=False)
    if not queries.may_decide(row):
        raise permissions.Denied("referral.decide")
    return row


@bp.route("/referrals/<ref>/acceptance", methods=["POST"])
@permissions.policy("response.read", record=True)
def referral_acceptance(ref):
    row, form = _loaded(ref), AcceptForm()
    form.student.label.text = g.school.student_word
    form.validate()
    word = g.school.student_word.lower()
    picked = picking.pick_one(request.form, "student", students.picker(g.user), several=f"Choose one {word}.")
    picking.settle(form.student, picked, f"Say which {word} it is about.")
    if form.errors:
        return _page(row, accepting=form, picked=picked)
    tried = attempt(form, lambda: actions.accept(row, picked.row, version=form.version.data, actor=g.user))
    return _decided(row, tried, accepting=form, picked=picked)


@bp.route("/referrals/<ref>/merging", methods=["POST"])
@permissions.policy("response.read", record=True)
def referral_merging(ref):
    row, form = _loaded(ref), MergeForm()
    form.earlier.choices = [(one.ref, one.ref) for one in queries.earlier(g.user, row) if one.state == "Accepted"]
    if not form.validate():
        return _page(row, merging=form)
    earlier = queries.referral(g.user, form.earlier.data, audit=False)
    tried = attempt(form, lambda: actions.merge(row, earlier, version=form.version.data, actor=g.user))
    return _decided(row, tried, merging=form)


@bp.route("/referrals/<ref>/declining", methods=["POST"])
@permissions.policy("response.read", record=True)
def referral_declining(ref):
    row, form = _loaded(ref), DeclineForm()
    if not form.validate():
        return _page(row, declining=form)
    tried = attempt(form, lambda: actions.decline(row, form.reason.data.strip(), version=form.version.data, actor=g.user))
    tried.result = "The referral was declined."
    return _decided(row, tried, declining=form)


# --- As a new student ------------------------------------------------------------------------------------------------


@bp.route("/referrals/<ref>/new-student", methods=["GET", "POST"])
@permissions.policy("response.read", record=True)
def referral_new_student(ref):
    row = _loaded(ref)
    if not permissions.can(g.user, "student.edit"):
        raise permissions.Denied("student.edit")
    given = {"first_name": row.first_name, "last_name": row.last_name, "date_of_birth": row.date_of_birth, "version": row.version}
    form = student_actions.StudentForm(data=given)
    theirs = None
    if form.validate_on_submit():
        try:
            actions.accept_as_new(row, form.values(), version=form.version.data, actor=g.user)
        except student_actions.Taken as problem:
            for name, sentence in problem.problems.items():
                blame(form, name, sentence)
        except Conflict:
            theirs = queries.referral(g.user, ref, audit=False)
        else:
            presentation.nudge()
            flash("The referral was accepted.", "ok")
            return redirect(url_for("forms.referral", ref=row.ref), 303)
    matches = queries.matches(g.user, {ref: (row.first_name, row.last_name, row.date_of_birth)})[ref]
    page = render_template("forms/new_student.html", referral=row, form=form, theirs=theirs, matches=matches)
    return page, 409 if theirs is not None else 422 if form.errors else 200
