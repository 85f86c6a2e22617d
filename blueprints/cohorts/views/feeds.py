"""The calendar of a student's milestones: the page where its secret address is made and revoked; and the calendars themselves,
of students and of staff, which a calendar program reads without signing in."""

from urllib.parse import urlsplit

from flask import current_app, flash, g, redirect, render_template, url_for

import permissions
from blueprints.account import actions as account_actions
from blueprints.account import queries as accounts
from blueprints.cases import queries as cases
from blueprints.cohorts import queries
from blueprints.cohorts.views import bp
from blueprints.kit import ical
from extensions import clock

NAME, STAFF_NAME = "My milestones", "Caseward"  # whose they are, the calendar does not say


@bp.route("/my/calendar")
@permissions.policy("own.milestones", record=True)
def own_calendar():
    return render_template("cohorts/own_calendar.html", feed=queries.own_feed(g.user, g.school))


@bp.route("/my/calendar/address", methods=["POST"])
@permissions.policy("own.milestones", record=True)
def own_address():
    account_actions.make_feed(actor=g.user)
    flash("Here is your new address.", "ok")
    return redirect(url_for("cohorts.own_calendar"), 303)


@bp.route("/my/calendar/address/revocation", methods=["POST"])
@permissions.policy("own.milestones", record=True)
def own_address_revocation():
    account_actions.revoke_feed(actor=g.user)
    flash("The address does not work any more.", "ok")
    return redirect(url_for("cohorts.own_calendar"), 303)


@bp.route("/calendar/<token>.ics")
@permissions.policy(permissions.PUBLIC)
def feed(token):
    account = accounts.feed_account(token)
    if permissions.can(account, "own.calendar"):
        account_actions.note_feed_read(account, actor=account)
        name, entries = STAFF_NAME, cases.staff_calendar(account)
    else:
        student, milestones = queries.dated(account, g.school)
        account_actions.note_feed_read(student, actor=account)
        host = urlsplit(current_app.settings.base_url).hostname
        name, entries = NAME, [_day(row, host) for row in milestones]
    return ical.response(ical.calendar(name, entries, clock.now()))


def _day(row, host):
    url = f"{current_app.settings.base_url}/my/milestones/{row.ref}"
    is_waived = row.state == "waived"
    return ical.Day(f"{row.ref}@{host}", row.due_on, row.title, url, row.version - 1, row.changed_at, is_waived)
