"""The start page, the search of the header, and what monitors ask."""

from flask import Blueprint, current_app, g, jsonify, redirect, render_template, request, url_for

import permissions
from blueprints.home import queries
from blueprints.home.health import health as look
from blueprints.incidents import actions as incidents
from blueprints.kit import presentation
from extensions import clock

bp = Blueprint("home", __name__)


@bp.record
def _note_start(state):
    """/health gives a process that has just started the time to find its worker."""
    state.app.extensions["caseward_started"] = clock.now()


@bp.route("/")
@permissions.policy(permissions.SIGNED_IN)
def dashboard():
    found = queries.dashboard(g.user, g.school)
    page = render_template(
        "home/dashboard.html",
        found=found,
        today=clock.now().astimezone(presentation.zone()).date(),
        shown=lambda section: f"{len(section.rows)}+" if section.has_more else len(section.rows),
    )
    if found.notices:
        incidents.see_bulk_notices(actor=g.user)
    return page


@bp.route("/search")
@permissions.policy("search")
def search():
    found = queries.search(g.user, request.args.get("q"), request.args.get("page"))
    if found.reference:
        return redirect(url_for("incidents.incident", ref=found.reference))
    return render_template("home/search.html", found=found)


@bp.route("/health")
@permissions.policy(permissions.PUBLIC)
def health():
    report, ok = look(current_app.settings, current_app.extensions["caseward_started"])
    return jsonify(report), 200 if ok else 503
