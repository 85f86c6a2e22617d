"""Signing in, in two steps, and out."""

from flask import g, redirect, render_template, request, session, url_for

from blueprints.account import actions, queries, tokens
from blueprints.account.actions import Outcome
from blueprints.account.forms import CodeForm, SignInForm
from blueprints.account.views import bp
from blueprints.account.views.browsers import before_two_step, enter, leave, wanted
from permissions import PUBLIC, SIGNED_IN, policy

WRONG = "This email and password don't belong together. Check both."
THROTTLED = (
    "There were too many tries for now. Wait an hour, or sign in at once with the code of your second step as well."
)
WRONG_CODE = "This code doesn't fit. Each code works once, and for about a minute."
THROTTLED_CODE = "There were too many wrong codes. Wait an hour, or use one of your recovery codes."


@bp.route("/account/sign-in", methods=["GET", "POST"])
@policy(PUBLIC)
def sign_in():
    if g.school.set_up_at is None and queries.needs_set_up():
        return redirect(url_for("account.set_up"))
    if g.user is not None and request.method == "GET":
        return redirect(wanted())
    form = SignInForm()
    if not form.validate_on_submit():
        return _page(form, 422 if form.is_submitted() else 200, with_code=bool(form.code.data))
    tried = actions.sign_in(
        form.email.data, form.password.data, code=form.code.data or "", address=request.remote_addr or ""
    )
    if tried.outcome is Outcome.SIGNED_IN:
        return enter(tried.account, two_step=tried.two_step)
    if tried.outcome is Outcome.NEEDS_CODE:
        leave()
        session["pending"] = tokens.pending(tried.account)
        return redirect(url_for("account.two_step", next=request.args.get("next")), 303)
    is_throttled = tried.outcome is Outcome.THROTTLED
    form.password.errors = [THROTTLED if is_throttled else WRONG]
    return _page(form, 429 if is_throttled else 422, with_code=is_throttled)


def _page(form, status, *, with_code):
    return render_template("account/sign_in.html", form=form, with_code=with_code), status


@bp.route("/account/two-step", methods=["GET", "POST"])
@policy(PUBLIC)
def two_step():
    account = queries.pending_account(session.get("pending"))
    if account is None:
        session.pop("pending", None)
        return redirect(url_for("account.sign_in", next=request.args.get("next")), 303)
    form = CodeForm()
    status = 422 if form.is_submitted() else 200
    if form.validate_on_submit():
        tried = actions.second_step(account, form.code.data, address=request.remote_addr or "")
        if tried.outcome is Outcome.SIGNED_IN:
            return enter(account, two_step=True)
        is_throttled = tried.outcome is Outcome.THROTTLED
        form.code.errors = [THROTTLED_CODE if is_throttled else WRONG_CODE]
        status = 429 if is_throttled else 422
    return render_template("account/two_step.html", form=form), status


@bp.route("/account/sign-out", methods=["POST"])
@before_two_step
@policy(SIGNED_IN)
def sign_out():
    leave()
    return redirect(url_for("account.sign_in"), 303)
