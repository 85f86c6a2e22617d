"""Sending the file of an import, one page for each kind, and the list of one's own imports."""

from flask import current_app, g, redirect, render_template, url_for

import permissions
from blueprints.imports import queries, runs
from blueprints.imports.forms import CsvForm, ZipForm
from blueprints.imports.kinds import KINDS
from blueprints.imports.oneroster.bundle import MAX_ZIP
from blueprints.imports.views import bp
from blueprints.kit import csvread
from blueprints.kit.text import human_size, safe_name

# kind: (its form, what it is a file of, the endings offered, the largest, the page)
FILES = {
    "students": (CsvForm, "A CSV file", ".csv,.txt,.tsv,text/csv", csvread.MAX_BYTES, "imports.students"),
    "staff": (CsvForm, "A CSV file", ".csv,.txt,.tsv,text/csv", csvread.MAX_BYTES, "imports.staff"),
    "oneroster": (ZipForm, "A zip file", ".zip,application/zip", MAX_ZIP, "imports.oneroster"),
}


@bp.route("/import")
@permissions.policy("student.import")
def index():
    kinds = [(kind, FILES[kind.name][-1]) for kind in KINDS.values()]
    return render_template("imports/index.html", kinds=kinds, runs=queries.runs(g.user), titles=_titles())


@bp.route("/students/import", methods=["GET", "POST"])
@permissions.policy("student.import")
def students():
    return _page("students")


@bp.route("/import/staff", methods=["GET", "POST"])
@permissions.policy("student.import")
def staff():
    return _page("staff")


@bp.route("/import/oneroster", methods=["GET", "POST"])
@permissions.policy("student.import")
def oneroster():
    return _page("oneroster")


def _page(name):
    form_class, what, accept, most, _ = FILES[name]
    form = form_class()
    if form.validate_on_submit():
        try:
            run = _upload(name, form.file.data, what, most)
        except csvread.CsvProblem as problem:
            form.file.errors = [str(problem)]
        else:
            return redirect(url_for("imports.mapping", ref=run.ref), 303)
    page = render_template(
        "imports/upload.html", form=form, kind=KINDS[name], accept=accept, most=most,
        runs=queries.runs(g.user), titles=_titles(),
    )  # fmt: skip
    return page, 422 if form.errors else 200


def _titles():
    return {kind.name: kind.title for kind in KINDS.values()}


def _upload(name, file, what, most):
    if not file or not file.filename:
        raise csvread.CsvProblem(f"Choose {what[0].lower()}{what[1:]}.")
    size = getattr(file.stream, "full_size", 0)
    if size > most:
        sent = safe_name(file.filename)
        raise csvread.CsvProblem(f"{sent} is {human_size(size)}. {what} can be at most {human_size(most)}.")
    return runs.upload(file.read(), file.filename, actor=g.user, folder=current_app.settings.files, kind=name)
