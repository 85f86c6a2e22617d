"""The set-password link: asking for one, and using it."""

from flask import flash, redirect, render_template, request, url_for

from blueprints.account import actions, queries
from blueprints.account.actions import Refused
from blueprints.account.forms import NewPasswordForm, PasswordLinkForm
from blueprints.account.views import bp
from blueprints.kit.presentation import nudge
from permissions import PUBLIC, policy


@bp.route("/account/password-link", methods=["GET", "POST"])
@policy(PUBLIC)
def ask_password_link():
    form = PasswordLinkForm()
    if not form.validate_on_submit():
        return render_template("account/password_link.html", form=form), 422 if form.is_submitted() else 200
    actions.ask_password_link(form.email.data, address=request.remote_addr or "")
    nudge()
    return redirect(url_for("account.password_link_sent"), 303)


@bp.route("/account/password-link/sent")
@policy(PUBLIC)
def password_link_sent():
    return render_template("account/password_link_sent.html")


@bp.route("/account/password/<token>", methods=["GET", "POST"])
@policy(PUBLIC)
def set_password(token):
    link = queries.password_link(token)
    if link is None:
        return render_template("account/password_link_over.html"), 404
    form = NewPasswordForm()
    if form.validate_on_submit():
        try:
            actions.use_password_link(link, form.password.data)
        except Refused as problem:
            problem.show_on(form)
        else:
            flash("Your password is set. Sign in with it.", "ok")
            return redirect(url_for("account.sign_in"), 303)
    return render_template("account/set_password.html", form=form), 422 if form.is_submitted() else 200
