"""Assign Group or Staff: choosing a group, then all of it or some of its members; and detaching. For those who manage
the case. On the page of a case the same pieces stand in a dialog."""

from flask import flash, g, redirect, render_template, request, url_for

import permissions
from blueprints.cases import actions, queries
from blueprints.cases.forms.people import AttachForm
from blueprints.cases.views import bp
from blueprints.cases.views.common import managed, to_case
from blueprints.kit import presentation


@bp.route("/cases/<ref>/assignment")
@permissions.policy("case.read", record=True)
def assignment(ref):
    """The first step on a page of its own: which group."""
    case = managed(ref)
    wanted, problem = request.args.get("group"), None
    if wanted is not None:
        group, problem = queries.pick_group(case, wanted)
        if not problem:
            return redirect(url_for("cases.assignment_of_group", ref=ref, group_ref=group.ref), 303)
    return _choose_group(case, problem)


def _choose_group(case, problem):
    page = {"case": case, "all_groups": queries.all_groups(), "problem": problem}
    return render_template("cases/attach.html", **page), 422 if problem else 200


@bp.route("/cases/<ref>/assignment/<group_ref>")
@permissions.policy("case.read", record=True)
def assignment_of_group(ref, group_ref):
    """The second step on a page of its own: all of the group, or which members."""
    case = managed(ref)
    group, problem = queries.pick_group(case, group_ref)
    if group is None:
        raise permissions.NotVisible(f"{ref}/{group_ref}")
    return _choose_group(case, problem) if problem else _choose_staff(case, group, AttachForm())


@bp.route("/cases/<ref>/assignment/members")
@permissions.policy("case.read", record=True)
def assignment_members(ref):
    """The second step as a piece of the dialog. Part of a page whose read is on record."""
    case = queries.case(g.user, ref, audit=False)
    if not queries.may_manage(case):
        raise permissions.Denied("case.manage")
    group, problem = queries.pick_group(case, request.args.get("group"))
    if problem:
        return render_template("cases/_attach.html", case=case, group=None, problem=problem)
    return render_template("cases/_attach.html", **_second_step(case, group, AttachForm()))


def _second_step(case, group, form):
    gaining = queries.new_readers(case, group)
    return {
        "case": case,
        "group": group,
        "form": form,
        "ticked": set(form.staff.data or ()),
        "members": queries.group_members(case, group),
        "gaining": gaining,
        "confirmation": queries.confirmation_of(gaining),
    }


def _choose_staff(case, group, form):
    page = _second_step(case, group, form)
    return render_template("cases/attach_group.html", **page), 422 if form.errors else 200


# --- Attaching -------------------------------------------------------------------------------------------------------


@bp.route("/cases/<ref>/groups", methods=["POST"])
@permissions.policy("case.read", record=True)
def attach_group(ref):
    case, form = managed(ref), AttachForm()
    group, problem = queries.pick_group(case, form.group.data)
    if problem:
        return _choose_group(case, problem)
    try:
        confirmed = request.form.get("confirmed", "")
        actions.attach_group(case, group, actor=g.user, confirmed=confirmed, email=form.email.data)
    except actions.Unconfirmed as question:
        page = {"case": case, "group": group, "form": form, "gaining": question.people, "has_changed": bool(confirmed)}
        return render_template("cases/attach_whole.html", **page, confirmation=question.confirmation), 422
    except actions.Refused as refused:
        return _refused(case, group, form, refused)
    return _attached(ref, f"{group.name} is attached to this case.")


@bp.route("/cases/<ref>/staff", methods=["POST"])
@permissions.policy("case.read", record=True)
def attach_staff(ref):
    case, form = managed(ref), AttachForm()
    group, problem = queries.pick_group(case, form.group.data)
    if problem:
        return _choose_group(case, problem)
    accounts, problem = queries.pick_staff(form.staff.data or ())
    try:
        if problem:
            raise actions.Refused("staff", problem)
        new = actions.attach_staff(case, group, accounts, actor=g.user, email=form.email.data)
    except actions.Refused as refused:
        return _refused(case, group, form, refused)
    names = " and ".join(account.name for account in new)
    return _attached(ref, f"{names} {'is' if len(new) == 1 else 'are'} assigned to this case.")


def _refused(case, group, form, refused):
    form[refused.field].errors = [refused.sentence]
    return _choose_staff(case, group, form)


def _attached(ref, sentence):
    presentation.nudge()
    flash(sentence, "ok")
    return to_case(ref, "assigned")


# --- Detaching -------------------------------------------------------------------------------------------------------


@bp.route("/cases/<ref>/groups/<group_ref>/removal", methods=["POST"])
@permissions.policy("case.read", record=True)
def detach_group(ref, group_ref):
    return _detach(ref, actions.detach_group, group_ref)


@bp.route("/cases/<ref>/staff/<account_ref>/removal", methods=["POST"])
@permissions.policy("case.read", record=True)
def detach_staff(ref, account_ref):
    return _detach(ref, actions.detach_staff, account_ref)


def _detach(ref, detach, whose):
    case = managed(ref)
    try:
        flash(f"{detach(case, whose, actor=g.user)} is detached from this case.", "ok")
    except actions.Refused as refused:
        flash(refused.sentence, "warn")
    return to_case(ref, "assigned")
