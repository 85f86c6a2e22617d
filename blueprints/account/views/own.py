"""One's own account: details, password, second step, sessions, and what was recorded about signing in."""

from flask import current_app, flash, g, redirect, render_template, url_for

from blueprints.account import actions, queries
from blueprints.account.actions import Refused
from blueprints.account.forms import ChangePasswordForm, OwnCardForm, OwnDetailsForm
from blueprints.account.views import bp
from blueprints.account.views.browsers import hold
from blueprints.kit import uploads
from blueprints.kit.text import plural
from models import Conflict
from permissions import SIGNED_IN, can, policy


@bp.route("/account")
@policy(SIGNED_IN)
def index():
    return render_template(
        "account/index.html",
        sessions=queries.sessions(g.user, g.user, g.school),
        codes_left=queries.recovery_codes_left(g.user),
        events=queries.own_events(g.user),
        words=queries.EVENT_WORDS,
    )


@bp.route("/account/details", methods=["GET", "POST"])
@policy("own.details", record=True)
def details():
    form = OwnCardForm(obj=g.user) if can(g.user, "personnel.read") else OwnDetailsForm(obj=g.user)
    status, theirs = 422 if form.is_submitted() else 200, None
    if form.validate_on_submit():
        try:
            actions.change_own_details(**_typed(form), version=form.version.data, actor=g.user)
        except Refused as problem:
            problem.show_on(form)
        except Conflict as conflict:
            status, theirs = 409, conflict.row
            form.version.data, form.version.raw_data = theirs.version, None
        else:
            flash("Your details are saved.", "ok")
            return redirect(url_for("account.index"), 303)
    return render_template("account/details.html", form=form, theirs=theirs, account=g.user, uploads=uploads), status


def _typed(form):
    typed = {name: form[name].data or "" for name in ("title", "phone", "booking_url") if name in form}
    if "photo" in form:
        folder = current_app.settings.instance / "files"
        typed["photo"] = actions.Photo(folder, form.photo.data or None, form.remove_photo.data)
    return typed


@bp.route("/account/password", methods=["GET", "POST"])
@policy(SIGNED_IN)
def change_password():
    form = ChangePasswordForm()
    if form.validate_on_submit():
        try:
            token = actions.change_password(g.session_row, form.current.data, form.password.data, actor=g.user)
        except Refused as problem:
            problem.show_on(form)
        else:
            hold(token)
            flash("Your password is changed. You are signed out everywhere else.", "ok")
            return redirect(url_for("account.index"), 303)
    return render_template("account/change_password.html", form=form), 422 if form.is_submitted() else 200


@bp.route("/account/sessions/<ref>/revocation", methods=["POST"])
@policy(SIGNED_IN)
def revoke_session(ref):
    actions.revoke_session(g.user, ref, actor=g.user)
    flash("That browser is signed out.", "ok")
    return redirect(url_for("account.index"), 303)


@bp.route("/account/sessions/revocation", methods=["POST"])
@policy(SIGNED_IN)
def revoke_other_sessions():
    ended = actions.revoke_all(g.user, but=g.session_row, actor=g.user)
    flash(f"You are signed out on {plural(ended, 'other browser')}.", "ok")
    return redirect(url_for("account.index"), 303)
