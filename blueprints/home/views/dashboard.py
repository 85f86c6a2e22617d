"""The start page."""

from flask import g, render_template

import permissions
from blueprints.cohorts import queries as cohorts
from blueprints.forms import queries as forms
from blueprints.home import queries
from blueprints.home.views import bp
from blueprints.incidents import actions as incidents
from blueprints.kit.forms import school_day


@bp.route("/")
@permissions.policy(permissions.SIGNED_IN)
def dashboard():
    if permissions.can(g.user, "own.milestones") and (own := cohorts.own_dashboard(g.user, g.school)):
        return render_template("home/student.html", found=own, own_forms=forms.own_start(g.user, g.school))
    found = queries.dashboard(g.user, g.school)
    page = render_template(
        "home/dashboard.html",
        found=found,
        own_forms=forms.own_start(g.user, g.school),
        unread_count=found.unread,
        today=school_day(),
        shown=lambda section: f"{len(section.rows)}+" if section.has_more else len(section.rows),
    )
    if found.notices:
        incidents.see_bulk_notices(actor=g.user)
    return page
