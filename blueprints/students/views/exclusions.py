"""Who is kept out of everything about one student: a page for the other Admin Key Holders."""

from flask import flash, g, redirect, render_template, url_for

import permissions
from blueprints.students import actions, queries
from blueprints.students.forms import ExclusionForm
from blueprints.students.views import bp


@bp.route("/students/<ref>/exclusions", methods=["GET", "POST"])
@permissions.policy("exclusion")
def exclusions(ref):
    row = queries.student(g.user, ref)
    form = ExclusionForm().offer(queries.excludable(g.user, student=row))
    if form.validate_on_submit():
        account = queries.staff_member(g.user, form.staff_member.data)
        try:
            actions.exclude(account, student=row, reason=form.reason.data, actor=g.user)
        except actions.NotPossible as problem:
            form.staff_member.errors = [str(problem)]
        else:
            flash(f"{account.name} is excluded from everything about this student.")
            stepped_back = account.id == g.user.id
            target = url_for("students.index") if stepped_back else url_for("students.exclusions", ref=row.ref)
            return redirect(target, 303)
    page = render_template(
        "students/exclusions.html", form=form, student=row, tabs=queries.tabs(g.user, row, "Conflicts of interest"),
        exclusions=queries.exclusions(g.user, student=row),
    )  # fmt: skip
    return page, 422 if form.errors else 200


@bp.route("/students/<ref>/exclusions/<exclusion_ref>/end", methods=["POST"])
@permissions.policy("exclusion")
def exclusion_end(ref, exclusion_ref):
    row = queries.student(g.user, ref, audit=False)
    ended = actions.end_exclusion(queries.exclusion(g.user, exclusion_ref, student=row), actor=g.user)
    flash(f"{ended.account.name} is no longer excluded.")
    return redirect(url_for("students.exclusions", ref=row.ref), 303)
