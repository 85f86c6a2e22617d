"""Milestone templates: the list, changing one, its files, removing it. A template comes from a milestone."""

from flask import flash, g, redirect, render_template, url_for

import events
import permissions
from blueprints.cohorts import actions, queries
from blueprints.cohorts.forms.milestones import TemplateForm
from blueprints.cohorts.reminders import INTERVALS
from blueprints.cohorts.views import bp
from blueprints.cohorts.views.common import FORMATS, sent
from blueprints.cohorts.views.milestones import differences, reminders_in_words
from blueprints.incidents.actions import taken
from blueprints.kit import uploads
from blueprints.kit.attempt import download, upload_folder
from blueprints.kit.forms import school_zone


@bp.route("/milestone-templates")
@permissions.policy("cohort.manage", record=True)
def templates():
    return render_template("cohorts/templates.html", rows=queries.templates(g.user), words=INTERVALS)


@bp.route("/milestone-templates/export.<any(csv, xlsx):kind>")
@permissions.policy("cohort.manage", record=True)
def templates_export(kind):
    rows = queries.templates(g.user)
    events.record_alone("cohort.exported", actor=g.user, count=len(rows), format=kind, list="templates")
    header = ["Title", "Reminders", "Files", "Saved by", "Saved"]
    cells = ((row.title, reminders_in_words(row.days), row.files, row.created_by, row.created_at) for row in rows)
    return FORMATS[kind]("milestone-templates", header, cells, tz=school_zone())


@bp.route("/milestone-templates/<ref>", methods=["GET", "POST"])
@permissions.policy("cohort.manage", record=True)
def template(ref):
    row = queries.template(g.user, ref)
    days = [int(one) for one in row.reminders.split(",") if one]
    now = {"title": row.title, "description": row.description, "reminders": days, "version": row.version}
    form = TemplateForm(data=now)
    tried = sent(form, lambda: _save(row, form))
    if tried.saved:
        flash(f"The template “{tried.result.title}” was saved.", "ok")
        return redirect(url_for("cohorts.templates"), 303)
    page = {"files": queries.milestone_files(g.user, row), "theirs": differences(form, tried), "uploads": uploads}
    return render_template("cohorts/template.html", template=row, form=form, **page), tried.status


def _save(row, form):
    with taken(upload_folder(), form.files.data) as stored:
        return actions.save_template(row, actor=g.user, version=form.version.data, stored=stored, **form.values())


@bp.route("/milestone-templates/<ref>/removal", methods=["POST"])
@permissions.policy("cohort.manage", record=True)
def template_removal(ref):
    row = queries.template(g.user, ref)
    actions.remove_template(row, actor=g.user)
    flash(f"The template “{row.title}” was removed. Milestones made from it stay.", "ok")
    return redirect(url_for("cohorts.templates"), 303)


@bp.route("/milestone-templates/<ref>/files/<file_ref>")
@permissions.policy("cohort.manage", record=True)
def template_file(ref, file_ref):
    return download(queries.milestone_file(g.user, queries.template(g.user, ref), file_ref), file_ref)


@bp.route("/milestone-templates/<ref>/files/<file_ref>/removal", methods=["POST"])
@permissions.policy("cohort.manage", record=True)
def template_file_removal(ref, file_ref):
    row = queries.template(g.user, ref)
    actions.remove_template_file(row, queries.milestone_file(g.user, row, file_ref, audit=False), actor=g.user)
    flash("The file was removed from the template.", "ok")
    return redirect(url_for("cohorts.template", ref=ref), 303)
