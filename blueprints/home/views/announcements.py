"""Announcements, for Admin Key Holders: what all staff read on their start page until the end of a day."""

from flask import flash, g, redirect, render_template, request, url_for

import permissions
from blueprints.home import actions, queries
from blueprints.home.forms import AnnouncementForm
from blueprints.home.views import bp
from blueprints.kit.days import show_day
from blueprints.kit.forms import school_day
from models import Conflict

FIELDS = ("title", "text", "ends_on")


@bp.route("/announcements")
@permissions.policy("announcement")
def announcements():
    today = school_day()
    page = queries.announcements(g.user, request.args.get("page"))
    return render_template("home/announcements.html", page=page, today=today)


@bp.route("/announcements/new", methods=["GET", "POST"])
@permissions.policy("announcement")
def add_announcement():
    form = AnnouncementForm()
    if form.validate_on_submit():
        try:
            actions.add_announcement(**_values(form), actor=g.user)
        except actions.Refused as problem:
            _blame(form, problem)
        else:
            flash("The announcement is shown to all staff from now on.", "ok")
            return redirect(url_for("home.announcements"), 303)
    return _page(form, None, 422 if form.is_submitted() else 200)


@bp.route("/announcements/<ref>", methods=["GET", "POST"])
@permissions.policy("announcement", record=True)
def announcement(ref):
    row = queries.announcement(g.user, ref)
    form = AnnouncementForm(obj=row)
    if form.validate_on_submit():
        try:
            actions.change_announcement(row, form.read_version, **_values(form), actor=g.user)
        except actions.Refused as problem:
            _blame(form, problem)
        except Conflict as conflict:
            return _conflict(form, queries.announcement(g.user, conflict.row.ref))
        else:
            flash("The announcement was saved.", "ok")
            return redirect(url_for("home.announcements"), 303)
    return _page(form, row, 422 if form.is_submitted() else 200)


@bp.route("/announcements/<ref>/removal", methods=["POST"])
@permissions.policy("announcement", record=True)
def remove_announcement(ref):
    actions.remove_announcement(queries.announcement(g.user, ref), actor=g.user)
    flash("The announcement is not shown any more.", "ok")
    return redirect(url_for("home.announcements"), 303)


def _values(form):
    return {name: form[name].data for name in FIELDS}


def _blame(form, problem):
    form[problem.field].errors = [*form[problem.field].errors, problem.sentence]


def _conflict(form, theirs):
    """Both announcements; sent again, the form is saved over what stands there now."""
    form.version.data, form.version.raw_data = str(theirs.version), None
    both = [(form[name], getattr(theirs, name)) for name in FIELDS]
    differences = [(field.label.text, _words(now), _words(field.data)) for field, now in both if field.data != now]
    return _page(form, theirs, 409, differences)


def _words(value):
    return value if isinstance(value, str) else show_day(value)


def _page(form, row, status, differences=()):
    return render_template("home/announcement.html", form=form, row=row, differences=differences), status
