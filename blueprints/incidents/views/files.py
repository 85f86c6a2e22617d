"""Files of an incident: adding, downloading, taking one off."""

from flask import flash, g, render_template

import permissions
from blueprints.incidents import actions, queries
from blueprints.incidents.views import bp
from blueprints.incidents.views.common import loaded, to_incident
from blueprints.kit import uploads
from blueprints.kit.attempt import attempt, download, upload_folder
from blueprints.kit.forms import FilesForm


@bp.route("/incidents/<ref>/files", methods=["GET", "POST"])
@permissions.policy("incident.read", record=True)
def add_files(ref):
    incident = loaded(ref)
    form = FilesForm()
    if form.validate_on_submit():
        tried = attempt(form, lambda: _add(incident, form))
        if tried.saved:
            flash("The files were added." if len(tried.result) > 1 else "The file was added.", "ok")
            return to_incident(ref)
    page = {"incident": incident, "form": form, "uploads": uploads}
    return render_template("incidents/files.html", **page), 422 if form.errors else 200


def _add(incident, form):
    with actions.taken(upload_folder(), form.files.data) as stored:
        return actions.add_files(incident, stored, actor=g.user)


@bp.route("/incidents/<ref>/files/<file_ref>")
@permissions.policy("incident.read", record=True)
def file(ref, file_ref):
    incident = queries.incident(g.user, ref, audit=False)
    row = queries.file(g.user, incident, file_ref)
    return download(row, f"{ref}/{file_ref}")


@bp.route("/incidents/<ref>/files/<file_ref>/removal", methods=["POST"])
@permissions.policy("incident.read", record=True)
def file_removal(ref, file_ref):
    incident = loaded(ref)
    actions.remove_file(incident, queries.file(g.user, incident, file_ref, audit=False), actor=g.user)
    flash("The file was removed from the incident.", "ok")
    return to_incident(ref)
