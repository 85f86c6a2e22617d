"""The first page of Admin: what there is, and what needs attention."""

from flask import current_app, g, render_template

import permissions
from blueprints.admin import queries
from blueprints.admin.views import bp

PAGES = (
    ("Users", "admin.users", "admin.users", "Who can sign in, with which role; invitations and two-step sign-in."),
    ("Groups", "admin.groups", "admin.groups", "Departments, groups, their members and managers."),
    ("Categories", "admin.categories", "admin.categories", "The tree of categories, guidance, need-to-know groups."),
    ("Bulk Management", "admin.bulk_closing", "bulk_closing", "Close all Active incidents of a time frame at once."),
    ("Import", "imports.index", "student.import", "Students and staff from CSV files, or a whole OneRoster set."),
    ("Announcements", "home.announcements", "announcement", "What all staff read on their dashboard until the end of a day."),
    ("Settings", "admin.settings", "admin.settings", "School name, time zone, Cases module, session limits."),
    ("Email", "admin.email", "admin.email", "What waits to be sent, what was sent, and what failed."),
    ("Audit log", "admin.audit", "admin.audit", "Who read and changed what, sealed against tampering."),
)


@bp.route("/admin")
@permissions.policy("admin.settings")
def index():
    pages = [page for page in PAGES if page[2] != "bulk_closing" or g.school.cases_module]
    found = queries.attention(g.user, current_app.settings)
    return render_template("admin/index.html", pages=pages, attention=found)
