"""The tabs Student Support Groups and Attach Student Support Groups of a cohort."""

from flask import flash, g, redirect, render_template, request, url_for

import events
import permissions
from blueprints.cohorts import actions, queries
from blueprints.cohorts.forms.cohorts import AttachForm
from blueprints.cohorts.views import bp
from blueprints.cohorts.views.common import loaded, sent
from blueprints.kit.refusing import confirmation_of
from blueprints.kit.tables_out import table_response

HEADER = ("Group", "Department", "Person", "Role title", "Email", "Phone", "Booking link")


@bp.route("/cohorts/<ref>/support-groups")
@permissions.policy("cohort.manage", record=True)
def support_groups(ref):
    row = loaded(ref)
    exports = [url_for("cohorts.support_groups_export", ref=ref, kind=kind) for kind in ("csv", "xlsx")]
    page = {"groups": queries.support_groups(g.user, row), "students": queries.count_students(g.user, row)}
    return render_template("cohorts/support_groups.html", cohort=row, tab="Student Support Groups", exports=exports, **page)


@bp.route("/cohorts/<ref>/support-groups.<any(csv, xlsx):kind>")
@permissions.policy("cohort.manage", record=True)
def support_groups_export(ref, kind):
    row = queries.cohort(g.user, ref, audit=False)
    cells = [
        (group.name, group.department, one.name, one.title, one.email, one.phone, one.booking_url)
        for group in queries.support_groups(g.user, row)
        for one in group.members
    ]
    events.record_alone("cohort.exported", actor=g.user, target=row.ref, count=len(cells), format=kind, list="groups")
    return table_response(kind, "support-groups", HEADER, cells)


@bp.route("/cohorts/<ref>/support-groups/<group_ref>/removal", methods=["GET", "POST"])
@permissions.policy("cohort.manage", record=True)
def detach_group(ref, group_ref):
    row = loaded(ref)
    group = queries.attached_group(g.user, row, group_ref)
    if request.method == "POST":
        actions.detach_group(row, group, actor=g.user)
        flash(f"{group.name} is detached from {row.name}.", "ok")
        return redirect(url_for("cohorts.support_groups", ref=ref), 303)
    page = {"lost": queries.lost_by_detaching(g.user, row, group), "students": queries.count_students(g.user, row)}
    return render_template("cohorts/detach.html", cohort=row, tab="Student Support Groups", group=group, **page)


# --- Attaching -------------------------------------------------------------------------------------------------------


@bp.route("/cohorts/<ref>/attach-support-groups", methods=["GET", "POST"])
@permissions.policy("cohort.manage", record=True)
def attach_support_groups(ref):
    row = loaded(ref)
    choices = queries.available_groups(g.user, row)
    form = _form(choices)
    tried = sent(form, lambda: _attach(row, form))
    if tried.saved:
        flash(f"{tried.result.name} is attached to {row.name}.", "ok")
        return redirect(url_for("cohorts.support_groups", ref=ref), 303)
    asks = bool(tried.confirmation)
    has_changed = asks and bool(form.confirmed.data)
    effect = _effect(row, form.group.data) if asks else None
    page = {"form": form, "choices": choices, "effect": effect, "has_changed": has_changed}
    # Asking whom it gives access is the first of two steps where no script has shown it, so it is no refusal.
    status = (422 if has_changed else 200) if asks else tried.status
    return render_template("cohorts/attach_support_groups.html", cohort=row, tab="Attach Student Support Groups", **page), status


def _form(choices):
    form = AttachForm()
    form.group.choices = [("", ""), *((one.ref, one.name) for one in choices)]
    return form


def _attach(row, form):
    group, problem = queries.pick_group(g.user, row, form.group.data)
    if problem:
        raise actions.Refused("group", problem)
    return actions.attach_group(row, group, confirmed=form.confirmed.data, actor=g.user)


def _effect(row, group_ref):
    """Whom attaching the group gives access to what, for _attach_effect.html; None for a group that can't be attached."""
    group, problem = queries.pick_group(g.user, row, group_ref)
    if problem:
        return None
    gained = queries.gained_by_attaching(g.user, row, group)
    students = queries.count_students(g.user, row)
    return {"group": group, "gained": gained, "students": students, "confirmation": confirmation_of(gained)}


@bp.route("/cohorts/<ref>/attach-support-groups/effect")
@permissions.policy("cohort.manage", record=True)
def attach_effect(ref):
    """A part of the page before, which is on record."""
    row = queries.cohort(g.user, ref, audit=False)
    return render_template("cohorts/_attach_effect.html", effect=_effect(row, request.args.get("group", "")), cohort=row)
