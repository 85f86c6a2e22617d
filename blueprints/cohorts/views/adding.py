"""The tab Add Students: a CSV file of addresses with its result row by row, or one address; moving a student to another
cohort and taking them out."""

from flask import flash, g, redirect, render_template, request, url_for

import events
import permissions
from blueprints.cohorts import actions, queries
from blueprints.cohorts.forms.cohorts import EmailForm, MoveForm, UploadForm
from blueprints.cohorts.views import bp
from blueprints.cohorts.views.common import loaded, sent
from blueprints.kit import csvread
from blueprints.kit.addresses import OUTCOMES, REFUSED, told
from blueprints.kit.listing import paginate, with_args
from blueprints.kit.refusing import confirmation_of
from blueprints.kit.tables_out import table_response
from blueprints.kit.text import human_size, safe_name

TAB = "Add Students"


@bp.route("/cohorts/<ref>/add-students", methods=["GET", "POST"])
@permissions.policy("cohort.manage", record=True)
def add_students(ref):
    row = loaded(ref)
    upload, email = UploadForm(), EmailForm()
    if request.method == "POST" and "email" in request.form:
        tried = sent(email, lambda: actions.add_student(row, email.email.data, actor=g.user))
        if tried.saved:
            student = queries.student_in(g.user, row, tried.result)
            flash(f"{student.name} was added to {row.name}.", "ok")
            return redirect(url_for("cohorts.add_students", ref=ref), 303)
        return _adding(row, UploadForm(formdata=None), email), tried.status
    tried = sent(upload, lambda: _upload(row, upload.file.data))
    if tried.saved:
        flash(told(queries.adding_result(g.user, row, tried.result.ref)[1]), "ok")
        return redirect(url_for("cohorts.add_students_result", ref=ref, run_ref=tried.result.ref), 303)
    return _adding(row, upload, EmailForm(formdata=None)), tried.status


def _adding(row, upload, email):
    page = {"upload": upload, "email": email, "most": csvread.MAX_BYTES, "people": queries.supporters(g.user, row)}
    return render_template("cohorts/add_students.html", cohort=row, tab=TAB, results=queries.adding_results(g.user, row), **page)


def _upload(row, file):
    """Read the file that was sent and add its students. Raises Refused at the field for a file that can't be read."""
    try:
        if not file or not file.filename:
            raise csvread.CsvProblem("Choose a CSV file.")
        size = getattr(file.stream, "full_size", 0)
        if size > csvread.MAX_BYTES:
            name, most = safe_name(file.filename), human_size(csvread.MAX_BYTES)
            raise csvread.CsvProblem(f"{name} is {human_size(size)}. A CSV file can be at most {most}.")
        return actions.add_by_file(row, csvread.read(file.read()), file.filename, actor=g.user)
    except csvread.CsvProblem as problem:
        raise actions.Refused("file", problem.sentence) from None


@bp.route("/cohorts/<ref>/add-students/<run_ref>")
@permissions.policy("cohort.manage", record=True)
def add_students_result(ref, run_ref):
    row = loaded(ref)
    run, counts, rows = queries.adding_result(g.user, row, run_ref)
    refused = [one for one in rows if one[1] in REFUSED]
    only = request.args.get("only")
    only = only if only in OUTCOMES else ""
    shown = [one for one in rows if one[1] == only] if only else refused
    page = paginate(shown, request.args.get("page"), cap=len(shown) + 1)
    return render_template(
        "cohorts/result.html",
        cohort=row,
        tab=TAB,
        run=run,
        counts=counts,
        words=OUTCOMES,
        only=only,
        refused=len(refused),
        is_forgotten=run.mapping == queries.FORGOTTEN,
        page=page,
        links=[(name, with_args(request.path, {}, only=name or None)) for name in ("", *OUTCOMES)],
    )


@bp.route("/cohorts/<ref>/add-students/<run_ref>/<any(result, refused):which>.<any(csv, xlsx):kind>")
@permissions.policy("cohort.manage", record=True)
def add_students_file(ref, run_ref, which, kind):
    """The whole result; or its refused rows under a heading that the next upload reads."""
    row = queries.cohort(g.user, ref, audit=False)
    _, _, rows = queries.adding_result(g.user, row, run_ref)
    lines = [
        (address, line, OUTCOMES[outcome], sentence)
        for line, outcome, sentence, address, _ in rows
        if which == "result" or outcome in REFUSED
    ]
    events.record_alone("cohort.exported", actor=g.user, target=row.ref, count=len(lines), format=kind, list=which)
    return table_response(kind, f"cohort-{which}", ("Email", "Line", "Result", "Reason"), lines)


# --- Going -----------------------------------------------------------------------------------------------------------


@bp.route("/cohorts/<ref>/students/<student_ref>/removal", methods=["GET", "POST"])
@permissions.policy("cohort.manage", record=True)
def remove_student(ref, student_ref):
    row = loaded(ref)
    student = queries.student_in(g.user, row, student_ref)
    if request.method == "POST":
        actions.remove_student(row, student, actor=g.user)
        flash(f"{student.name} is not in {row.name} any more.", "ok")
        return redirect(url_for("cohorts.cohort", ref=ref), 303)
    _, lost = queries.changed_by_moving(g.user, student, row)
    return render_template("cohorts/removal.html", cohort=row, tab="Students", student=student, lost=lost)


@bp.route("/cohorts/<ref>/students/<student_ref>/move", methods=["GET", "POST"])
@permissions.policy("cohort.manage", record=True)
def move_student(ref, student_ref):
    row = loaded(ref)
    student = queries.student_in(g.user, row, student_ref)
    form = _move_form(row)
    tried = sent(form, lambda: _move(row, student, form))
    if tried.saved:
        flash(f"{student.name} was moved from {row.name} to {tried.result.name}.", "ok")
        return redirect(url_for("cohorts.cohort", ref=ref), 303)
    asks = bool(tried.confirmation)
    has_changed = asks and bool(form.confirmed.data)
    page = {"form": form, "has_changed": has_changed, "effect": _effect(row, student, _chosen(form) if asks else None)}
    # Asking what it changes is the first of two steps, so it is no refusal.
    status = (422 if has_changed else 200) if asks else tried.status
    return render_template("cohorts/move.html", cohort=row, tab="Students", student=student, **page), status


def _move_form(row):
    form = MoveForm()
    form.to.choices = [("", ""), *queries.cohort_choices(g.user, but=row)]
    return form


def _chosen(form):
    return queries.cohort(g.user, form.to.data, audit=False)


def _move(row, student, form):
    to = _chosen(form)
    actions.move_student(row, student, to, confirmed=form.confirmed.data, actor=g.user)
    return to


def _effect(row, student, to):
    """What moving the student changes, for _move_effect.html; None while no cohort is chosen."""
    if to is None:
        return None
    gained, lost = queries.changed_by_moving(g.user, student, row, to)
    return {"to": to, "gained": gained, "lost": lost, "confirmation": confirmation_of(gained)}


@bp.route("/cohorts/<ref>/students/<student_ref>/move/effect")
@permissions.policy("cohort.manage", record=True)
def move_effect(ref, student_ref):
    """A part of the page before, which is on record."""
    row = queries.cohort(g.user, ref, audit=False)
    student = queries.student_in(g.user, row, student_ref)
    wanted = request.args.get("to", "")
    known = wanted in dict(queries.cohort_choices(g.user, but=row))
    to = queries.cohort(g.user, wanted, audit=False) if known else None
    return render_template("cohorts/_move_effect.html", student=student, effect=_effect(row, student, to))
