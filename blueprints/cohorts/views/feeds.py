"""The calendar of a student's milestones: the page where its secret address is made and revoked, and the calendar itself, which
a calendar program reads without signing in."""

from urllib.parse import urlsplit

from flask import current_app, flash, g, redirect, render_template, url_for

import permissions
from blueprints.cohorts import actions, queries
from blueprints.cohorts.views import bp
from blueprints.kit import ical
from extensions import clock

NAME = "My milestones"  # whose they are, the calendar does not say


@bp.route("/my/calendar")
@permissions.policy("own.milestones", record=True)
def own_calendar():
    return render_template("cohorts/own_calendar.html", feed=queries.own_feed(g.user, g.school))


@bp.route("/my/calendar/address", methods=["POST"])
@permissions.policy("own.milestones", record=True)
def own_address():
    actions.make_feed(actor=g.user)
    flash("Here is your new address.", "ok")
    return redirect(url_for("cohorts.own_calendar"), 303)


@bp.route("/my/calendar/address/revocation", methods=["POST"])
@permissions.policy("own.milestones", record=True)
def own_address_revocation():
    actions.revoke_feed(actor=g.user)
    flash("The address does not work any more.", "ok")
    return redirect(url_for("cohorts.own_calendar"), 303)


@bp.route("/calendar/<token>.ics")
@permissions.policy(permissions.PUBLIC)
def feed(token):
    account, student, milestones = queries.feed_of(token, g.school)
    actions.note_feed_read(student, actor=account)
    host = urlsplit(current_app.settings.base_url).hostname
    return ical.response(ical.calendar(NAME, [_day(row, host) for row in milestones], clock.now()))


def _day(row, host):
    url = f"{current_app.settings.base_url}/my/milestones/{row.ref}"
    is_waived = row.state == "waived"
    return ical.Day(f"{row.ref}@{host}", row.due_on, row.title, url, row.version - 1, row.changed_at, is_waived)
