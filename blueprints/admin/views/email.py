"""Admin > Email: the queue, and having a failed one tried again."""

from flask import current_app, flash, g, redirect, render_template, request, url_for

import permissions
from blueprints.admin import actions, queries
from blueprints.admin.views import bp
from blueprints.kit.forms import school_zone
from blueprints.kit.listing import paginate
from blueprints.kit.presentation import nudge
from blueprints.kit.tables_out import table_response

STATES = {"failed": "Failed", "waiting": "Waiting", "dropped": "Dropped", "sent": "Sent"}
HEADER = ("Kind", "Recipient", "Written", "Tries", "State since", "Reason")


@bp.route("/admin/email")
@permissions.policy("admin.email")
def email():
    chosen = request.args.get("state", "failed")
    if chosen not in STATES:
        raise permissions.NotVisible(request.path)
    page = paginate(queries.email_rows(g.user, chosen), request.args.get("page"))
    page.items = [queries.email_row(values) for values in page.items]
    return render_template(
        "admin/email.html",
        chosen=chosen,
        states=STATES,
        state=queries.email_state(g.user),
        page=page,
        is_configured=current_app.settings.smtp is not None,
    )


@bp.route("/admin/email.<any(csv, xlsx):kind>")
@permissions.policy("admin.email")
def email_export(kind):
    chosen = request.args.get("state", "failed")
    if chosen not in STATES:
        raise permissions.NotVisible(request.path)
    rows = queries.export_list(g.user, "email", kind, map(queries.email_row, queries.email_rows(g.user, chosen)))
    return table_response(kind, f"email-{chosen}", HEADER, (row[1:] for row in rows), school_zone())


@bp.route("/admin/email/<key>/retry", methods=["POST"])
@permissions.policy("admin.email", record=True)
def retry_email(key):
    if actions.retry_email(key, actor=g.user) is None:
        flash("This email has not failed, so there is nothing to try again.", "info")
    else:
        nudge()
        flash("The email waits to be sent again.", "ok")
    return redirect(url_for("admin.email"), 303)
