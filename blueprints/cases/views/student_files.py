"""The tab Files of a student: submitting files, downloading one, changing who sees it, taking it off."""

from flask import flash, g, redirect, render_template, request, url_for

import events
import permissions
from blueprints.cases import actions, queries
from blueprints.cases.forms.student_files import FileAudienceForm, SubmitFilesForm
from blueprints.cases.views import bp
from blueprints.incidents.actions import taken
from blueprints.kit import listing, presentation, tables_out, uploads
from blueprints.kit.attempt import attempt, download, upload_folder
from blueprints.kit.forms import school_zone
from blueprints.students import queries as students

FORMATS = {"csv": tables_out.csv_response, "xlsx": tables_out.xlsx_response}


@bp.route("/students/<ref>/files")
@permissions.policy("file.submit", record=True)
def student_files(ref):
    student = students.student(g.user, ref)
    fetch, count = queries.files_of_student(g.user, student)
    page = listing.paginate(fetch, request.args.get("page"), count=count)
    events.record_alone("student.files_listed", actor=g.user, target=student.ref, count=len(page))
    return render_template(
        "cases/student_files.html",
        student=student,
        tabs=students.tabs(g.user, student, "Files"),
        page=page,
        exports=[url_for("cases.student_files_export", ref=ref, kind=kind) for kind in FORMATS],
    )


@bp.route("/students/<ref>/files/export.<any(csv, xlsx):kind>")
@permissions.policy("file.submit", record=True)
def student_files_export(ref, kind):
    student = students.student(g.user, ref, audit=False)
    rows = queries.student_file_export(g.user, student)
    events.record_alone("student.files_exported", actor=g.user, target=student.ref, count=len(rows), format=kind)
    header = ["File", "Category", "Bytes", "Submitted by", "Submitted", "Who may see it"]
    everybody = f"Everybody who works with {student.name}"
    cells = (
        (row.name, row.category or "", row.size, row.who, row.at, ", ".join(row.groups) if row.groups else everybody)
        for row in rows
    )
    return FORMATS[kind]("files", header, cells, tz=school_zone())


@bp.route("/students/<ref>/files/new", methods=["GET", "POST"])
@permissions.policy("file.submit", record=True)
def submit_file(ref):
    student = students.student(g.user, ref, audit=request.method == "GET")
    form = SubmitFilesForm().offer(queries.file_categories(g.user), student)
    if form.validate_on_submit():
        tried = attempt(form, lambda: _submit(student, form))
        if tried.saved:
            presentation.nudge()
            flash("The files were submitted." if len(tried.result) > 1 else "The file was submitted.", "ok")
            return _to_files(ref)
    audience = queries.file_audience(g.user, student)
    page = {"student": student, "form": form, "audience": audience, "uploads": uploads}
    return render_template("cases/submit_file.html", **page), 422 if form.errors else 200


def _submit(student, form):
    groups = _groups(form)
    with taken(upload_folder(), form.files.data) as stored:
        given = {"shown_to": form.shown_to.data, "groups": groups, "category": queries.file_category(form.category.data)}
        return actions.submit_files(student, stored, **given, actor=g.user)


def _groups(form):
    groups, problem = queries.pick_file_groups(form.groups.data or [])
    if problem:
        raise actions.Refused("groups", problem)
    return groups


def _to_files(ref):
    return redirect(url_for("cases.student_files", ref=ref), 303)


# --- One file --------------------------------------------------------------------------------------------------------


@bp.route("/students/<ref>/files/<file_ref>")
@permissions.policy("file.submit", record=True)
def student_file(ref, file_ref):
    student = students.student(g.user, ref, audit=False)
    return download(queries.student_file(g.user, student, file_ref, "student.file_read"), f"{ref}/{file_ref}")


@bp.route("/students/<ref>/files/<file_ref>/access")
@permissions.policy("file.submit", record=True)
def student_file_access(ref, file_ref):
    student = students.student(g.user, ref, audit=False)
    file = queries.student_file(g.user, student, file_ref, "student.file_access_read")
    readers = queries.who_can_see_student_file(g.user, file)
    return render_template("cases/student_file_access.html", student=student, file=file, readers=readers)


def _managed(ref, file_ref):
    """(student, file) for what those alone may do who submitted it, and Admin Key Holders (403 for its other readers)."""
    student = students.student(g.user, ref, audit=False)
    file = queries.student_file(g.user, student, file_ref)
    if not queries.may_manage_student_file(file):
        raise permissions.Denied("file.manage")
    return student, file


@bp.route("/students/<ref>/files/<file_ref>/edit", methods=["GET", "POST"])
@permissions.policy("file.submit", record=True)
def student_file_edit(ref, file_ref):
    student, file = _managed(ref, file_ref)
    now = {"category": file.file_category.ref if file.file_category_id else "", "shown_to": file.shown_to}
    form = FileAudienceForm(data={**now, "groups": queries.student_file_groups(file), "version": file.version})
    form.offer(queries.file_categories(g.user, kept=file.file_category_id), student)
    tried = None
    if form.validate_on_submit():
        tried = attempt(form, lambda: _change(student, file, form))
        if tried.saved:
            flash("What the file is, and who may see it, was saved.", "ok")
            return _to_files(ref)
    code = tried.status if tried else 422 if form.errors else 200
    page = {"student": student, "file": file, "form": form, "tried": tried, "audience": queries.file_audience(g.user, student)}
    return render_template("cases/student_file_edit.html", **page), code


def _change(student, file, form):
    given = {"shown_to": form.shown_to.data, "groups": _groups(form), "category": queries.file_category(form.category.data)}
    return actions.change_student_file(student, file, **given, actor=g.user, version=form.version.data)


@bp.route("/students/<ref>/files/<file_ref>/removal", methods=["POST"])
@permissions.policy("file.submit", record=True)
def student_file_removal(ref, file_ref):
    student, file = _managed(ref, file_ref)
    actions.remove_student_file(student, file, actor=g.user)
    flash("The file was removed from the profile.", "ok")
    return _to_files(ref)
