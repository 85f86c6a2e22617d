"""The page where a staff member makes and revokes the secret address of their own calendar of meetings and tasks. The calendar
itself is answered by the part that knows what stands in it (cohorts/views/feeds.py)."""

from flask import flash, g, redirect, render_template, url_for

from blueprints.account import actions, queries
from blueprints.account.views import bp
from permissions import policy


@bp.route("/account/calendar")
@policy("own.calendar", record=True)
def calendar():
    return render_template("account/calendar.html", feed=queries.own_feed(g.user))


@bp.route("/account/calendar/address", methods=["POST"])
@policy("own.calendar", record=True)
def calendar_address():
    actions.make_feed(actor=g.user)
    flash("Here is your new address.", "ok")
    return redirect(url_for("account.calendar"), 303)


@bp.route("/account/calendar/address/revocation", methods=["POST"])
@policy("own.calendar", record=True)
def calendar_address_revocation():
    actions.revoke_feed(actor=g.user)
    flash("The address does not work any more.", "ok")
    return redirect(url_for("account.calendar"), 303)
