"""One's own notifications: the list, opening one, and how each kind is emailed. For staff; nobody else has such pages."""

from flask import flash, g, redirect, render_template, request, url_for

import permissions
from blueprints.home import actions, queries
from blueprints.home.forms import ChoicesForm
from blueprints.home.views import bp
from blueprints.kit.text import plural


@bp.route("/notifications")
@permissions.policy("incident.read", record=True)
def notifications():
    page = queries.listing(g.user, request.args.get("page"))
    return render_template("home/notifications.html", page=page, unread=queries.unread(g.user))


@bp.route("/notifications/<ref>")
@permissions.policy("incident.read", record=True)
def notification(ref):
    row = queries.notification(g.user, ref)
    actions.see(row, actor=g.user)
    return redirect(row.url)


@bp.route("/notifications/reading", methods=["POST"])
@permissions.policy("incident.read", record=True)
def read_notifications():
    count = actions.see_all(request.form.get("newest", ""), actor=g.user)
    flash(f"{plural(count, 'notification')} marked as read.", "ok")
    return redirect(url_for("home.notifications"), 303)


@bp.route("/notifications/choices", methods=["GET", "POST"])
@permissions.policy("incident.read", record=True)
def notification_choices():
    kinds = queries.choices(g.user)
    form = ChoicesForm(data={each.kind: each.choice for each in kinds})
    if form.validate_on_submit():
        actions.save_choices(form.choices(), actor=g.user)
        flash("Your choices are saved.", "ok")
        return redirect(url_for("home.notification_choices"), 303)
    status = 422 if form.is_submitted() else 200
    return render_template("home/notification_choices.html", form=form, kinds=kinds), status
