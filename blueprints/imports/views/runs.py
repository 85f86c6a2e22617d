"""An import, step by step: what is to be done with the file, the result of the check, the result."""

import json

from flask import abort, current_app, flash, g, redirect, render_template, request, url_for

import events
import permissions
from blueprints.imports import queries, runs
from blueprints.imports.forms import ConfirmForm, mapping_form
from blueprints.imports.kinds import KINDS
from blueprints.imports.views import bp
from blueprints.kit import tables_out
from blueprints.kit.listing import paginate, with_args
from blueprints.kit.presentation import nudge
from models import Conflict

SAMPLE_ROWS = 5
OUTCOMES = {
    "left": "Would leave", "added": "Added", "changed": "Changed", "same": "The same", "refused": "Refused",
}  # fmt: skip
ADDRESSES = {"": "/students/{}", "account": "/admin/users/{}", "group": "/admin/groups/{}"}


def _run_page(run):
    return redirect(url_for("imports.run", ref=run.ref), 303)


@bp.route("/import/<ref>/mapping", methods=["GET", "POST"])
@permissions.policy("student.import")
def mapping(ref):
    run = queries.run(g.user, ref)
    source = runs.sheet_of(run, current_app.settings.files) if run.state in ("uploaded", "checked") else None
    if source is None:
        return _run_page(run)
    kind = KINDS[run.kind]
    form = mapping_form(kind, source)
    if form.is_submitted():
        chosen = {field.name: _column(form[field.name].data) for field in kind.fields}
        if form.validate() and not _blame(form, kind.mapping_problems(source, chosen)):
            options = {option.name: form[option.name].data for option in kind.options}
            runs.set_mapping(run, chosen, actor=g.user, **options)
            nudge("run_imports")
            return _run_page(run)
    else:
        chosen = json.loads(run.mapping) or kind.guess(source)
        _fill(form, kind, chosen, json.loads(run.options))
    page = render_template("imports/mapping.html", run=run, form=form, kind=kind, **_sample(kind, source, chosen))
    return page, 422 if form.errors else 200


def _fill(form, kind, chosen, options):
    for field in kind.fields:
        column = chosen.get(field.name)
        form[field.name].data = "" if column is None else str(column)
    for option in kind.options:
        form[option.name].data = options.get(option.name, option.usual)


def _column(text):
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 5 else None if not text else -1


def _blame(form, problems):
    for name, sentence in problems.items():
        form[name].errors = [sentence]
    return problems


def _sample(kind, source, chosen):
    """What is in the file: the first rows, and the headings that no field is taken from; or its files."""
    if not kind.fields:
        return {"version": source.version, "modes": source.modes}
    rows = [row.cells for row, _ in zip(source.rows, range(SAMPLE_ROWS), strict=False)]
    used = set(chosen.values())
    ignored = [name for number, name in enumerate(source.header) if number not in used]
    return {"header": source.header, "rows": rows, "ignored": ignored, "duplicates": source.duplicates}


@bp.route("/import/<ref>")
@permissions.policy("student.import")
def run(ref):
    found = queries.run(g.user, ref)
    if found.state == "uploaded":
        return redirect(url_for("imports.mapping", ref=found.ref), 303)
    form = ConfirmForm()
    form.version.data = found.version
    return _run_view(found, form)


def _run_view(run, form):
    counts, rows = queries.shown(g.user, run)
    only = request.args.get("only")
    only = only if only in OUTCOMES else next((name for name in ("left", "refused") if counts.get(name)), "added")
    page = paginate([row for row in rows if row[1] == only], request.args.get("page"))
    links = [(name, with_args(request.path, {}, only=name)) for name in OUTCOMES]
    lines = [(line, sentence, name, ref and ADDRESSES[what].format(ref)) for line, _, sentence, name, ref, what in page]
    shown = render_template(
        "imports/run.html", run=run, kind=KINDS[run.kind], form=form, counts=counts, page=page, lines=lines, only=only,
        links=links, words=OUTCOMES, at_work=run.state in runs.AT_WORK,
    )  # fmt: skip
    return shown, 422 if form.errors else 200


@bp.route("/import/<ref>/progress")
@permissions.policy("student.import")
def progress(ref):
    run = queries.run(g.user, ref)
    return render_template("imports/_progress.html", run=run, at_work=run.state in runs.AT_WORK)


@bp.route("/import/<ref>/confirmation", methods=["POST"])
@permissions.policy("student.import")
def confirmation(ref):
    run = queries.run(g.user, ref)
    form = ConfirmForm()
    if run.state != "checked" or not form.validate_on_submit():
        return _run_page(run)
    try:
        runs.confirm(run, form.leavers.data or "", version=form.version.data, actor=g.user)
    except Conflict:
        flash("The result changed meanwhile. Look at it once more and confirm again.", "warn")
    except runs.NotConfirmed as problem:
        form.leavers.errors = [str(problem)]
        return _run_view(run, form)
    else:
        nudge("run_imports")
    return _run_page(run)


@bp.route("/import/<ref>/withdrawal", methods=["POST"])
@permissions.policy("student.import")
def withdrawal(ref):
    run = queries.run(g.user, ref)
    if run.state in runs.ENDED:
        return _run_page(run)
    try:
        runs.withdraw(run, actor=g.user, folder=current_app.settings.files)
    except Conflict:
        flash("It is being imported already and can't be withdrawn any more.", "warn")
        return _run_page(run)
    flash(f"{run.file_name} was withdrawn. Nothing was imported from it.")
    return redirect(url_for("imports.index"), 303)


@bp.route("/import/<ref>/result.<kind>")
@permissions.policy("student.import")
def result(ref, kind):
    run = queries.run(g.user, ref)
    if kind not in ("csv", "xlsx"):
        abort(404)
    _, rows = queries.shown(g.user, run)
    lines = [(line, OUTCOMES[outcome], name, sentence) for line, outcome, sentence, name, *_ in rows]
    events.record_alone(KINDS[run.kind].exported, actor=g.user, target=run.ref, count=len(lines), format=kind)
    return tables_out.table_response(kind, f"import-{run.ref}", ["Line", "Result", "Name", "Reason"], lines)
