"""Importing a class list, step by step: the file, which column is what, the result of the check, the result."""

import json

from flask import abort, current_app, flash, g, redirect, render_template, request, url_for

import events
import permissions
from blueprints.kit import csvread, tables_out
from blueprints.kit.listing import paginate, with_args
from blueprints.kit.presentation import nudge
from blueprints.kit.text import human_size, safe_name
from blueprints.students import import_rows, imports, queries
from blueprints.students.forms import FIELDS, ConfirmForm, ImportForm, mapping_form
from blueprints.students.views import bp
from models import Conflict

SAMPLE_ROWS = 5
OUTCOMES = {
    "left": "Would leave", "added": "Added", "changed": "Changed", "same": "The same", "refused": "Refused",
}  # fmt: skip


def _run_page(run):
    return redirect(url_for("students.import_run", ref=run.ref), 303)


@bp.route("/students/import", methods=["GET", "POST"])
@permissions.policy("student.import")
def import_index():
    form = ImportForm()
    if form.validate_on_submit():
        try:
            run = _upload(form.file.data)
        except csvread.CsvProblem as problem:
            form.file.errors = [str(problem)]
        else:
            return redirect(url_for("students.import_mapping", ref=run.ref), 303)
    page = render_template(
        "students/import.html", form=form, runs=queries.import_runs(g.user), fields=FIELDS, most=csvread.MAX_BYTES
    )
    return page, 422 if form.errors else 200


def _upload(file):
    if not file or not file.filename:
        raise csvread.CsvProblem("Choose a CSV file.")
    size = getattr(file.stream, "full_size", 0)
    if size > csvread.MAX_BYTES:
        name, most = safe_name(file.filename), human_size(csvread.MAX_BYTES)
        raise csvread.CsvProblem(f"{name} is {human_size(size)}. A CSV file can be at most {most}.")
    return imports.upload(file.read(), file.filename, actor=g.user, folder=current_app.settings.files)


@bp.route("/students/import/<ref>/mapping", methods=["GET", "POST"])
@permissions.policy("student.import")
def import_mapping(ref):
    run = queries.import_run(g.user, ref)
    sheet = imports.sheet_of(run, current_app.settings.files) if run.state in ("uploaded", "checked") else None
    if sheet is None:
        return _run_page(run)
    form = mapping_form(sheet.header)
    if form.is_submitted():
        mapping = {field.name: _column(form[field.name].data) for field in FIELDS}
        if form.validate() and not _blame(form, import_rows.mapping_problems(sheet.header, mapping)):
            imports.set_mapping(run, mapping, deactivate=form.deactivate.data, actor=g.user)
            nudge("run_imports")
            return _run_page(run)
    else:
        mapping = json.loads(run.mapping) or import_rows.guess(sheet.header)
        for field in FIELDS:
            column = mapping.get(field.name)
            form[field.name].data = "" if column is None else str(column)
        form.deactivate.data = json.loads(run.options).get("deactivate", False)
    page = render_template("students/import_mapping.html", run=run, form=form, fields=FIELDS, **_sample(sheet, mapping))
    return page, 422 if form.errors else 200


def _column(text):
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 5 else None if not text else -1


def _blame(form, problems):
    for name, sentence in problems.items():
        form[name].errors = [sentence]
    return problems


def _sample(sheet, mapping):
    """The first rows, and the headings that no field is taken from."""
    rows = [row.cells for row, _ in zip(sheet.rows, range(SAMPLE_ROWS), strict=False)]
    used = set(mapping.values())
    ignored = [name for number, name in enumerate(sheet.header) if number not in used]
    return {"header": sheet.header, "rows": rows, "ignored": ignored, "duplicates": sheet.duplicates}


@bp.route("/students/import/<ref>")
@permissions.policy("student.import")
def import_run(ref):
    run = queries.import_run(g.user, ref)
    if run.state == "uploaded":
        return redirect(url_for("students.import_mapping", ref=run.ref), 303)
    form = ConfirmForm()
    form.version.data = run.version
    return _run_view(run, form)


def _run_view(run, form):
    counts, rows = imports.shown(run, g.user)
    only = request.args.get("only")
    only = only if only in OUTCOMES else next((name for name in ("left", "refused") if counts.get(name)), "added")
    page = paginate([row for row in rows if row[1] == only], request.args.get("page"))
    links = [(name, with_args(request.path, {}, only=name)) for name in OUTCOMES]
    shown = render_template(
        "students/import_run.html", run=run, form=form, counts=counts, page=page, only=only, links=links,
        words=OUTCOMES, at_work=run.state in imports.AT_WORK,
    )  # fmt: skip
    return shown, 422 if form.errors else 200


@bp.route("/students/import/<ref>/progress")
@permissions.policy("student.import")
def import_progress(ref):
    run = queries.import_run(g.user, ref)
    return render_template("students/_progress.html", run=run, at_work=run.state in imports.AT_WORK)


@bp.route("/students/import/<ref>/confirmation", methods=["POST"])
@permissions.policy("student.import")
def import_confirmation(ref):
    run = queries.import_run(g.user, ref)
    form = ConfirmForm()
    if run.state != "checked" or not form.validate_on_submit():
        return _run_page(run)
    try:
        imports.confirm(run, form.leavers.data or "", version=form.version.data, actor=g.user)
    except Conflict:
        flash("The result changed meanwhile. Look at it once more and confirm again.", "warn")
    except imports.NotConfirmed as problem:
        form.leavers.errors = [str(problem)]
        return _run_view(run, form)
    else:
        nudge("run_imports")
    return _run_page(run)


@bp.route("/students/import/<ref>/withdrawal", methods=["POST"])
@permissions.policy("student.import")
def import_withdrawal(ref):
    run = queries.import_run(g.user, ref)
    if run.state in imports.ENDED:
        return _run_page(run)
    try:
        imports.withdraw(run, actor=g.user, folder=current_app.settings.files)
    except Conflict:
        flash("It is being imported already and can't be withdrawn any more.", "warn")
        return _run_page(run)
    flash(f"{run.file_name} was withdrawn. Nothing was imported from it.")
    return redirect(url_for("students.import_index"), 303)


@bp.route("/students/import/<ref>/result.<kind>")
@permissions.policy("student.import")
def import_result(ref, kind):
    run = queries.import_run(g.user, ref)
    if kind not in ("csv", "xlsx"):
        abort(404)
    _, rows = imports.shown(run, g.user)
    lines = [(line, OUTCOMES[outcome], name, sentence) for line, outcome, sentence, name, _ in rows]
    events.record_alone("student.exported", actor=g.user, target=run.ref, count=len(lines), format=kind)
    write = tables_out.csv_response if kind == "csv" else tables_out.xlsx_response
    return write(f"import-{run.ref}", ["Line", "Result", "Name", "Reason"], lines)
