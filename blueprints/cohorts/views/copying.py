"""Copying a cohort for next year."""

from flask import flash, g, redirect, render_template, url_for

import permissions
from blueprints.cohorts import actions, queries
from blueprints.cohorts.forms.cohorts import DAYS, FIRST, KEEP, YEAR, CopyForm
from blueprints.cohorts.shifts import by_days, from_first, year_later
from blueprints.cohorts.views import bp
from blueprints.cohorts.views.cohorts import category_choices
from blueprints.cohorts.views.common import loaded, sent
from blueprints.kit.attempt import upload_folder


@bp.route("/cohorts/<ref>/copy", methods=["GET", "POST"])
@permissions.policy("cohort.manage", record=True)
def copy(ref):
    row = loaded(ref)
    form = CopyForm(data={"category": row.category.ref})
    categories = category_choices(form)
    milestones = queries.milestones(g.user, row)
    due_dates = [one.due_on for one in milestones if one.due_on]
    tried = sent(form, lambda: _copy(row, form, categories, due_dates))
    if tried.saved:
        flash(f"{tried.result.name} is a copy of {row.name} without its students. Next: add its own.", "ok")
        return redirect(url_for("cohorts.milestones", ref=tried.result.ref), 303)
    return render_template("cohorts/copy.html", cohort=row, form=form, milestones=milestones), tried.status


def _copy(row, form, categories, due_dates):
    shift = {
        KEEP: lambda: None,
        YEAR: lambda: year_later,
        DAYS: lambda: by_days(form.number_of_days),
        FIRST: lambda: from_first(due_dates, form.first.data),
    }[form.dates.data]()
    return actions.copy_cohort(
        row,
        form.name.data,
        categories[form.category.data],
        shift=shift,
        groups=form.groups.data,
        folder=upload_folder(),
        actor=g.user,
    )
