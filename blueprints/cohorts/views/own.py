"""A student's own pages: one milestone with what to do about it, its files, the photos of the support network. The start page
is home's. For students alone: everybody else gets the 404 of a page that is not there."""

from flask import flash, g, redirect, render_template, url_for
from werkzeug.datastructures import MultiDict

import permissions
from blueprints.account import queries as accounts
from blueprints.cohorts import actions, queries
from blueprints.cohorts.forms.own import AskForm
from blueprints.cohorts.views import bp
from blueprints.incidents.actions import taken
from blueprints.kit import presentation, uploads
from blueprints.kit.attempt import attempt, download, upload_folder


@bp.route("/my/milestones/<ref>")
@permissions.policy("own.milestones", record=True)
def own_milestone(ref):
    milestone = queries.own_milestone(g.user, g.school, ref)
    draft = accounts.draft(g.user, _draft_key(ref))
    return _page(milestone, AskForm(formdata=MultiDict(draft)) if draft else AskForm())


def _draft_key(ref):
    return f"own-milestone-{ref.lower()}"


def _page(milestone, form):
    page = {"milestone": milestone, "step": milestone.step, "form": form, "draft_key": _draft_key(milestone.ref)}
    return render_template("cohorts/own_milestone.html", uploads=uploads, **page)


@bp.route("/my/milestones/<ref>/requests", methods=["POST"])
@permissions.policy("own.milestones", record=True)
def own_request(ref):
    milestone = queries.own_milestone(g.user, g.school, ref, audit=False)
    form = AskForm()
    if form.validate_on_submit() and attempt(form, lambda: _ask(milestone, form)).saved:
        presentation.nudge()
        flash("You have asked. Your school will answer.", "ok")
        return _back(ref)
    return _page(milestone, form), 422


def _ask(milestone, form):
    draft = (_draft_key(milestone.ref), form.once.data)
    with taken(upload_folder(), form.files.data, queries.room_for_own_files(g.user)) as stored:
        return actions.ask(milestone, form.note.data or "", stored, actor=g.user, draft=draft)


@bp.route("/my/milestones/<ref>/requests/<request_ref>/withdrawal", methods=["POST"])
@permissions.policy("own.milestones", record=True)
def own_request_withdrawal(ref, request_ref):
    milestone = queries.own_milestone(g.user, g.school, ref, audit=False)
    try:
        actions.take_back(milestone, queries.own_request(milestone, request_ref).ref, actor=g.user)
    except actions.Refused as problem:
        flash(problem.sentence, "warn")
    else:
        flash("You have taken it back. You can ask again whenever you like.", "ok")
    return _back(ref)


def _back(ref):
    return redirect(url_for("cohorts.own_milestone", ref=ref), 303)


@bp.route("/my/milestones/<ref>/files/<file_ref>")
@permissions.policy("own.milestones", record=True)
def own_file(ref, file_ref):
    return download(queries.own_file(g.user, g.school, ref, file_ref), file_ref)


@bp.route("/my/photos/<ref>")
@permissions.policy("own.milestones", record=True)
def own_photo(ref):
    path_name = queries.own_photo(g.user, g.school, ref)
    try:
        return uploads.portrait_response(upload_folder(), path_name)
    except FileNotFoundError:
        raise permissions.NotVisible(ref) from None
