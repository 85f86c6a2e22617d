"""One incident: its page, who can see it, and every wording its text had."""

from flask import g, render_template

import events
import permissions
from blueprints.incidents import queries
from blueprints.incidents.queries.choices import ROLES
from blueprints.incidents.views import bp
from blueprints.incidents.views.common import loaded
from blueprints.kit import bodymap
from blueprints.kit.wording import compare


@bp.route("/incidents/<ref>")
@permissions.policy("incident.read", record=True)
def incident(ref):
    row = loaded(ref)
    files, marks, cases = queries.attachments(g.user, row)
    trail = queries.trail(g.user, row)
    return render_template(
        "incidents/incident.html",
        incident=row,
        parts=queries.parts(g.user, row),
        actions=queries.actions(g.user, row),
        files=files,
        marks=marks,
        trail=trail,
        cases=cases,
        alerted=[step.name for step in reversed(trail) if step.kind == "alerted"],
        readers=queries.who_can_see(g.user, row),
        roles=ROLES,
        regions=bodymap.region,
        may_change=queries.may_change(g.user, row),
        may_set=g.school.cases_module and permissions.can(g.user, "incident.assign"),
    )


@bp.route("/incidents/<ref>/access")
@permissions.policy("incident.read", record=True)
def access(ref):
    row = queries.incident(g.user, ref, audit=False)
    events.record_alone("incident.access_read", actor=g.user, target=ref, reasons=row.reasons)
    return render_template("incidents/access.html", incident=row, readers=queries.who_can_see(g.user, row))


@bp.route("/incidents/<ref>/versions")
@permissions.policy("incident.read", record=True)
def versions(ref):
    row = loaded(ref)
    texts = queries.version_texts(g.user, row)
    older = [*texts[1:], None]
    compared = [(new, compare(old.text, new.text) if old else None) for new, old in zip(texts, older, strict=True)]
    return render_template("incidents/versions.html", incident=row, versions=compared)
