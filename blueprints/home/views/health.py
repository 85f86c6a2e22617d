"""What monitors ask."""

from flask import current_app, jsonify

import permissions
from blueprints.home.health import health as look
from blueprints.home.views import bp
from extensions import clock


@bp.record
def _note_start(state):
    """/health gives a process that has just started the time to find its worker."""
    state.app.extensions["caseward_started"] = clock.now()


@bp.route("/health")
@permissions.policy(permissions.PUBLIC)
def health():
    report, ok = look(current_app.settings, current_app.extensions["caseward_started"])
    return jsonify(report), 200 if ok else 503
