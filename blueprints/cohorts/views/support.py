"""A student's milestones for the staff who support the student: the tab Milestones on the student's page, marking, answering
requests, files; and the list of all students one supports."""

import re

from flask import flash, g, redirect, render_template, request, url_for

import events
import permissions
from blueprints.cohorts import actions, queries
from blueprints.cohorts.forms.milestones import AnswerForm
from blueprints.cohorts.views import bp
from blueprints.cohorts.views.common import FORMATS, searched, sent
from blueprints.cohorts.views.progress import BECOMES, COUNTED
from blueprints.kit import listing, presentation
from blueprints.kit.attempt import download
from blueprints.kit.forms import school_day, school_zone
from blueprints.students import queries as students

VERSION = re.compile(r"[0-9]{1,9}")
OUTCOMES = {"confirmed": "The milestone was marked as Completed.", "declined": "The request was declined."}


# --- The student's tab -----------------------------------------------------------------------------------------------


@bp.route("/students/<ref>/milestones")
@permissions.policy("milestone.support", record=True)
def student_milestones(ref):
    return _tab(ref)


def _tab(ref, moved=None, wanted="", audit=True):
    student, cohorts = queries.student_milestones(g.user, ref, today=school_day(), audit=audit)
    return render_template(
        "cohorts/student_milestones.html", student=student, cohorts=cohorts, words=queries.STATE_WORDS, becomes=BECOMES,
        tabs=students.tabs(g.user, student, "Milestones"), readers=queries.who_sees_milestones(g.user, student),
        history=queries.history(g.user, student, cohorts), moved=moved, wanted=wanted,
        exports=[url_for("cohorts.student_milestones_export", ref=ref, kind=kind) for kind in FORMATS],
    )  # fmt: skip


@bp.route("/students/<ref>/milestones/export.<any(csv, xlsx):kind>")
@permissions.policy("milestone.support", record=True)
def student_milestones_export(ref, kind):
    _, cohorts = queries.student_milestones(g.user, ref, today=school_day(), audit=False)
    rows = [(cohort, one) for cohort in cohorts for one in cohort.milestones]
    events.record_alone("milestone.exported", actor=g.user, target=ref, count=len(rows), format=kind)
    header = ["Cohort", "Milestone", "Due date", "State", "Marked by", "Marked"]
    cells = (
        (f"{cohort.category}: {cohort.name}", one.title, one.due_on, queries.STATE_WORDS[one.shown], one.marked_by, one.marked_at)
        for cohort, one in rows
    )
    return FORMATS[kind]("milestones", header, cells, tz=school_zone())


@bp.route("/students/<ref>/milestones/<mref>/state", methods=["POST"])
@permissions.policy("milestone.support", record=True)
def student_milestone_state(ref, mref):
    state, version = request.form.get("state", ""), request.form.get("version", "")
    student, milestone = queries.student_milestone(g.user, ref, mref)
    if state not in BECOMES or not VERSION.fullmatch(version):
        raise permissions.NotVisible(mref)
    try:
        actions.mark(milestone, [student], state, actor=g.user, seen={student.id: int(version)})
    except actions.Refused as problem:
        flash(problem.sentence, "warn")
    except actions.AlreadyMoved as problem:
        return _tab(ref, moved=problem.moved[0], wanted=state, audit=False), 409
    else:
        presentation.nudge()
        flash(f"“{milestone.title}” is marked as {BECOMES[state]}.", "ok")
    return redirect(url_for("cohorts.student_milestones", ref=ref, _anchor=f"m-{mref}"), 303)


@bp.route("/students/<ref>/milestones/requests/<rref>/answer", methods=["GET", "POST"])
@permissions.policy("milestone.support", record=True)
def answer_request(ref, rref):
    row = queries.milestone_request(g.user, ref, rref)
    if request.method == "GET":
        events.record_alone("student.milestones_read", actor=g.user, target=ref)
    form = AnswerForm()
    tried = sent(form, lambda: actions.answer(row, form.outcome.data, form.answer.data or "", actor=g.user))
    if tried.saved:
        presentation.nudge()
        flash(OUTCOMES[form.outcome.data], "ok")
        return redirect(url_for("cohorts.student_milestones", ref=ref), 303)
    if tried.theirs is not None:
        row = queries.milestone_request(g.user, ref, rref)
    page = {"asked": row, "student": row.student, "form": form, "tried": tried}
    page["tabs"] = students.tabs(g.user, row.student, "Milestones")
    return render_template("cohorts/answer.html", **page), tried.status


@bp.route("/students/<ref>/milestones/files/<file_ref>")
@permissions.policy("milestone.support", record=True)
def student_milestone_file(ref, file_ref):
    return download(queries.student_file(g.user, ref, file_ref), file_ref)


# --- All students one supports ---------------------------------------------------------------------------------------


@bp.route("/milestones")
@permissions.policy("milestone.support")
def supported():
    cohorts = queries.my_cohorts(g.user)
    filters, typed = _filters(cohorts)
    fetch, count = queries.supported(g.user, today=school_day(), **filters)
    page = listing.paginate(fetch, request.args.get("page"), cap=COUNTED, count=count)
    events.record_alone("milestone.listed", actor=g.user, count=len(page), list=typed["show"] or "all")
    return render_template(
        "cohorts/supported.html", page=page, cohorts=cohorts, typed=typed, tabs=_tabs(typed["show"]),
        chips=_chips(typed, cohorts),
        exports=[listing.with_args(url_for("cohorts.supported_export", kind=kind), request.args, page=None) for kind in FORMATS],
    )  # fmt: skip


@bp.route("/milestones/export.<any(csv, xlsx):kind>")
@permissions.policy("milestone.support")
def supported_export(kind):
    filters, _ = _filters(queries.my_cohorts(g.user))
    rows = queries.supported_export(g.user, today=school_day(), **filters)
    events.record_alone("milestone.exported", actor=g.user, count=len(rows), format=kind)
    header = [g.school.student_word, "Year group", "Tutor group", "Cohort", "Milestones", "Completed", "Waived", "Overdue",
              "Asking", "Next due date"]  # fmt: skip
    return FORMATS[kind]("students-milestones", header, (row[1:] for row in rows), tz=school_zone())


def _filters(cohorts):
    """(what the query takes, what was asked for as text); what can't be asked for counts as not asked for."""
    chosen = next((row for row in cohorts if row[1] == request.args.get("cohort")), None)
    show = request.args.get("show") if request.args.get("show") in queries.LISTS else None
    text = searched()
    typed = {"q": text, "cohort": chosen[1] if chosen else "", "show": show or ""}
    return {"text": text, "show": show, "cohort_id": chosen[0] if chosen else None}, typed


def _chips(typed, cohorts):
    names = {ref: name for _, ref, name in cohorts}
    words = {"q": f"Name: {typed['q']}", "cohort": f"Cohort: {names.get(typed['cohort'])}"}
    return [
        (words[name], listing.with_args(request.path, request.args, page=None, **{name: None}))
        for name in ("q", "cohort")
        if typed[name]
    ]


def _tabs(show):
    labels = (("All", None), ("Asking", "asked"), ("Overdue", "overdue"))
    return [
        (label, listing.with_args(request.path, request.args, page=None, show=word), (show or None) == word, None)
        for label, word in labels
    ]
