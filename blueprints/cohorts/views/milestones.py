"""The tab Milestones of a cohort: Assigned Milestones, Custom Milestone, one milestone with its files, order, removal."""

from flask import flash, g, redirect, render_template, request, url_for

import events
import permissions
from blueprints.cohorts import actions, queries
from blueprints.cohorts.forms.milestones import MilestoneForm
from blueprints.cohorts.reminders import INTERVALS
from blueprints.cohorts.views import bp
from blueprints.cohorts.views.common import FORMATS, loaded, sent
from blueprints.incidents.actions import taken
from blueprints.kit import uploads
from blueprints.kit.attempt import download, upload_folder
from blueprints.kit.forms import school_day, school_zone

WAYS = ("up", "down", "date")


@bp.route("/cohorts/<ref>/milestones")
@permissions.policy("cohort.manage", record=True)
def milestones(ref):
    cohort = loaded(ref)
    page = {"rows": queries.milestones(g.user, cohort), "templates": queries.templates(g.user), "words": INTERVALS}
    return render_template("cohorts/milestones.html", cohort=cohort, tab="Milestones", today=school_day(), **page)


@bp.route("/cohorts/<ref>/milestones/export.<any(csv, xlsx):kind>")
@permissions.policy("cohort.manage", record=True)
def milestones_export(ref, kind):
    cohort = queries.cohort(g.user, ref, audit=False)
    rows = queries.milestones(g.user, cohort)
    said = {"count": len(rows), "format": kind, "list": "milestones"}
    events.record_alone("cohort.exported", actor=g.user, target=cohort.ref, **said)
    header = ["Title", "Due date", "Reminders", "Files", "Saved"]
    cells = ((row.title, row.due_on, reminders_in_words(row.days), row.files, row.saved_at) for row in rows)
    return FORMATS[kind]("milestones", header, cells, tz=school_zone())


def reminders_in_words(days):
    """"One day, one week" for the days before a due date."""
    words = ", ".join(INTERVALS[one] for one in days)
    return words[:1] + words[1:].lower()


@bp.route("/cohorts/<ref>/milestones", methods=["POST"])
@permissions.policy("cohort.manage", record=True)
def add_milestone(ref):
    """Custom Milestone; or, with the reference of a template, one that begins like it."""
    cohort = loaded(ref)
    chosen = request.form.get("template")
    template = queries.template(g.user, chosen) if chosen else None
    files = queries.stored_files(g.user, template) if template else []
    try:
        with actions.copied(upload_folder(), files) as copies:
            given = {"template": template, "files": files, "copies": copies}
            row = actions.add_milestone(cohort, actor=g.user, **given)
    except (actions.Refused, uploads.UploadProblem) as problem:
        flash(problem.sentence, "warn")
        return redirect(url_for("cohorts.milestones", ref=ref), 303)
    if template:
        flash(f"“{row.title}” was added. Give it a due date and save it.", "ok")
        return redirect(url_for("cohorts.milestone", ref=ref, mref=row.ref), 303)
    flash("A New Milestone stands in Assigned Milestones. Open it to fill it in.", "ok")
    return redirect(url_for("cohorts.milestones", ref=ref), 303)


@bp.route("/cohorts/<ref>/milestones/order", methods=["POST"])
@permissions.policy("cohort.manage", record=True)
def milestones_order(ref):
    cohort, how, moved = loaded(ref), request.form.get("how", ""), request.form.get("milestone")
    if how not in WAYS or (moved is None) != (how == "date"):
        raise permissions.NotVisible(ref)
    row = queries.milestone(g.user, cohort, moved) if moved else None
    try:
        actions.order_milestones(cohort, how, actor=g.user, milestone=row)
    except actions.Refused as problem:
        flash(problem.sentence, "warn")
    else:
        flash("The order was saved.", "ok")
    return redirect(url_for("cohorts.milestones", ref=ref), 303)


# --- One milestone ---------------------------------------------------------------------------------------------------


@bp.route("/cohorts/<ref>/milestones/<mref>", methods=["GET", "POST"])
@permissions.policy("cohort.manage", record=True)
def milestone(ref, mref):
    cohort = loaded(ref)
    row = queries.milestone(g.user, cohort, mref)
    now = {"title": row.title, "due_on": row.due_on, "description": row.description, "reminders": row.reminder_days}
    form = MilestoneForm(data={**now, "version": row.version})
    tried = sent(form, lambda: _save(row, form))
    if tried.saved:
        return _saved(cohort, tried.result)
    page = {"milestone": row, "form": form, "theirs": differences(form, tried), "uploads": uploads, "words": INTERVALS}
    page |= {"files": queries.milestone_files(g.user, row), "intervals": queries.reminders_page(g.user, row)}
    return render_template("cohorts/milestone.html", cohort=cohort, tab="Milestones", **page), tried.status


def _save(row, form):
    with taken(upload_folder(), form.files.data) as stored:
        return actions.save_milestone(row, actor=g.user, version=form.version.data, stored=stored, **form.values())


def _saved(cohort, row):
    flash(f"“{row.title}” was saved.", "ok")
    if row.due_on and row.due_on < school_day():
        flash("Its due date is in the past: it counts as overdue at once, and no reminders go out.", "warn")
    return redirect(url_for("cohorts.milestones", ref=cohort.ref), 303)


def differences(form, tried):
    """[(label, what was typed, what somebody else saved meanwhile)] where the two differ; None without a conflict."""
    if tried.theirs is None:
        return None
    typed, stored = form.values(), {name: getattr(tried.theirs, name) for name in form.LABELS}
    typed["reminders"] = reminders_in_words(sorted(typed["reminders"]))
    stored["reminders"] = reminders_in_words([int(days) for days in stored["reminders"].split(",") if days])
    return [(form.LABELS[name], typed[name], stored[name]) for name in form.LABELS if typed[name] != stored[name]]


@bp.route("/cohorts/<ref>/milestones/<mref>/removal", methods=["POST"])
@permissions.policy("cohort.manage", record=True)
def milestone_removal(ref, mref):
    cohort = loaded(ref)
    row = queries.milestone(g.user, cohort, mref)
    try:
        actions.remove_milestone(row, actor=g.user)
    except actions.Refused as problem:
        flash(problem.sentence, "warn")
    else:
        flash(f"“{row.title}” was removed.", "ok")
    return redirect(url_for("cohorts.milestones", ref=ref), 303)


@bp.route("/cohorts/<ref>/milestones/<mref>/template", methods=["POST"])
@permissions.policy("cohort.manage", record=True)
def milestone_as_template(ref, mref):
    row = queries.milestone(g.user, loaded(ref), mref)
    files = queries.stored_files(g.user, row)
    try:
        with actions.copied(upload_folder(), files) as copies:
            template = actions.add_template(row, actor=g.user, files=files, copies=copies)
    except uploads.UploadProblem as problem:
        flash(problem.sentence, "warn")
        return redirect(url_for("cohorts.milestone", ref=ref, mref=mref), 303)
    flash(f"“{template.title}” was saved as a template.", "ok")
    return redirect(url_for("cohorts.templates"), 303)


@bp.route("/cohorts/<ref>/milestones/<mref>/files/<file_ref>")
@permissions.policy("cohort.manage", record=True)
def milestone_file(ref, mref, file_ref):
    row = queries.milestone(g.user, queries.cohort(g.user, ref, audit=False), mref)
    return download(queries.milestone_file(g.user, row, file_ref), file_ref)


@bp.route("/cohorts/<ref>/milestones/<mref>/files/<file_ref>/removal", methods=["POST"])
@permissions.policy("cohort.manage", record=True)
def milestone_file_removal(ref, mref, file_ref):
    row = queries.milestone(g.user, loaded(ref), mref)
    try:
        actions.remove_file(row, queries.milestone_file(g.user, row, file_ref, audit=False), actor=g.user)
    except actions.Refused as problem:
        flash(problem.sentence, "warn")
    else:
        flash("The file was removed from the milestone.", "ok")
    return redirect(url_for("cohorts.milestone", ref=ref, mref=mref), 303)
