"""Setting up the second step, and the recovery codes."""

import pyotp
import segno
from flask import flash, g, redirect, render_template, session, url_for

from blueprints.account import actions, queries, tokens
from blueprints.account.actions import Refused
from blueprints.account.forms import ConfirmForm, TwoStepForm
from blueprints.account.views import bp
from blueprints.account.views.browsers import before_two_step, hold
from permissions import SIGNED_IN, policy


@bp.route("/account/two-step/setup", methods=["GET", "POST"])
@before_two_step
@policy(SIGNED_IN)
def two_step_setup():
    secret = tokens.totp_secret(g.session_row.token_hash)
    form = TwoStepForm()
    if form.validate_on_submit():
        try:
            token, seed = actions.confirm_two_step(
                g.session_row, secret, form.code.data, password=form.current.data or "", actor=g.user
            )
        except Refused as problem:
            problem.show_on(form)
        else:
            hold(token)
            session["codes"] = seed
            return redirect(url_for("account.recovery_codes"), 303)
    page = render_template(
        "account/two_step_setup.html",
        form=form,
        picture=_qr_code(secret),
        key=" ".join(secret[place : place + 4] for place in range(0, len(secret), 4)),
        is_required=queries.must_set_up_two_step(g.user, g.school),
    )
    return page, 422 if form.is_submitted() else 200


def _qr_code(secret):
    """The key for the app's camera: (size, path) of a picture made of unit squares, with the quiet border it needs."""
    issuer = f"Caseward {g.school.name}".replace(":", " ").strip()
    uri = pyotp.TOTP(secret).provisioning_uri(name=g.user.email, issuer_name=issuer)
    rows = segno.make(uri, error="m").matrix
    border = 4
    dark = [(x + border, y + border) for y, row in enumerate(rows) for x, is_dark in enumerate(row) if is_dark]
    return len(rows) + 2 * border, "".join(f"M{x} {y}h1v1h-1z" for x, y in dark)


@bp.route("/account/recovery-codes", methods=["GET", "POST"])
@policy(SIGNED_IN)
def recovery_codes():
    form = ConfirmForm()
    if form.validate_on_submit():
        try:
            session["codes"] = actions.make_recovery_codes(form.current.data, actor=g.user)
        except Refused as problem:
            problem.show_on(form)
        else:
            flash("Your earlier recovery codes don't work any more.", "info")
            return redirect(url_for("account.recovery_codes"), 303)
    seed = None if form.is_submitted() else session.pop("codes", None)
    page = render_template(
        "account/recovery_codes.html",
        form=form,
        codes=tokens.recovery_codes(g.user, seed) if seed else None,
        left=queries.recovery_codes_left(g.user),
    )
    return page, 422 if form.is_submitted() else 200
