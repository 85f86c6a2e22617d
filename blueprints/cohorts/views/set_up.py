"""The first page of Case Management: the set-up checklist with a link on each line for Admin Key Holders; for other staff what
is missing until it is complete, and from then on what the menu offers them."""

from flask import g, render_template

import permissions
from blueprints.cohorts import queries
from blueprints.cohorts.views import bp

OFFERS = (
    ("Milestones", "cohorts.supported", "milestone.support", "The milestones of the {many} whom you support, and what they ask."),
    ("Groups", "admin.own_groups", "group.manage", "Members of the groups that you manage."),
    ("Cohorts", "cohorts.index", "cohort.manage", "Categories, cohorts, their {many}, milestones and support groups."),
)


@bp.route("/case-management")
@permissions.policy("set_up.read")
def set_up():
    found = queries.checklist(g.user)
    offers = [(label, page, words) for label, page, capability, words in OFFERS if permissions.can(g.user, capability)]
    sets_up = permissions.can(g.user, "cohort.manage")
    return render_template("cohorts/set_up.html", checklist=found, offers=offers, sets_up=sets_up)
