"""Files of a case: adding, downloading, taking one off."""

from flask import flash, g, render_template

import permissions
from blueprints.cases import actions, queries
from blueprints.cases.views import bp
from blueprints.cases.views.common import loaded, to_case
from blueprints.incidents.actions import taken
from blueprints.kit import presentation, uploads
from blueprints.kit.attempt import attempt, download, upload_folder
from blueprints.kit.forms import FilesForm


@bp.route("/cases/<ref>/files", methods=["GET", "POST"])
@permissions.policy("case.read", record=True)
def add_files(ref):
    case = loaded(ref)
    form = FilesForm()
    if form.validate_on_submit():
        tried = attempt(form, lambda: _add(case, form))
        if tried.saved:
            presentation.nudge()
            flash("The files were added." if len(tried.result) > 1 else "The file was added.", "ok")
            return to_case(ref, "files")
    return render_template("cases/files.html", case=case, form=form, uploads=uploads), 422 if form.errors else 200


def _add(case, form):
    with taken(upload_folder(), form.files.data) as stored:
        return actions.add_files(case, stored, actor=g.user)


@bp.route("/cases/<ref>/files/<file_ref>")
@permissions.policy("case.read", record=True)
def file(ref, file_ref):
    case = queries.case(g.user, ref, audit=False)
    row = queries.file(g.user, case, file_ref)
    return download(row, f"{ref}/{file_ref}")


@bp.route("/cases/<ref>/files/<file_ref>/removal", methods=["POST"])
@permissions.policy("case.read", record=True)
def file_removal(ref, file_ref):
    case = loaded(ref)
    try:
        actions.remove_file(case, queries.file(g.user, case, file_ref, audit=False), actor=g.user)
    except actions.Refused as problem:
        flash(problem.sentence, "warn")
    else:
        presentation.nudge()
        flash("The file was removed from the case.", "ok")
    return to_case(ref, "files")
