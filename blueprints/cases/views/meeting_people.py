"""Students and staff of a meeting: the pickers of its forms, adding them later, taking them off, and what clashes."""

import re
from dataclasses import dataclass, field

from flask import flash, g, jsonify, redirect, render_template, request, url_for

import permissions
from blueprints.cases import actions, queries
from blueprints.cases.forms.meetings import MeetingStaffForm, MeetingStudentsForm, NewMeetingForm
from blueprints.cases.views import bp
from blueprints.kit import presentation
from blueprints.kit.attempt import attempt
from blueprints.kit.picking import settle
from blueprints.kit.text import one_line
from blueprints.students import queries as students


@dataclass
class Several:
    """What a picker for several stands at: rows that were chosen, the chips that show them, and what is still to be chosen."""

    rows: list = field(default_factory=list)
    chips: list = field(default_factory=list)
    choices: list = field(default_factory=list)
    asked: str = ""
    problem: str | None = None


def pick_students(values):
    """Several of the field Students in `values` (a MultiDict), chosen from the list or typed without a script."""
    refs = list(dict.fromkeys(map(one_line, values.getlist("students_ref") + values.getlist("students_choice"))))
    picked = Several(students.pick(g.user, refs))
    if len(picked.rows) < len(refs):
        picked.problem = "Somebody you chose is not known. Choose again."
    typed = values.get("students", "").strip()
    if typed and not (values.getlist("students_choice") and values.get("students_asked", "").strip() == typed):
        found, problem = students.resolve_typed(g.user, typed)
        picked.rows += [row for row in found if row not in picked.rows]
        if problem:
            picked.problem, picked.asked = problem, typed
            picked.choices = _to_choose(typed, picked.rows)
    if not picked.rows:
        picked.problem = picked.problem or f"Say which {g.school.student_word.lower()} this is about."
    picked.chips = [students.chip(row) for row in picked.rows]
    return picked


def _to_choose(typed, rows):
    known, found = {row.ref for row in rows}, {}
    for part in re.split(r"[;,\n]", typed):
        found |= {chip["ref"]: chip for chip in students.suggest(g.user, part, limit=20) if chip["ref"] not in known}
    return list(found.values())


def pick_staff(values):
    """Several of the field Staff, likewise. Who can't be there is for the action to say."""
    rows, problem = queries.pick_staff(list(map(one_line, values.getlist("staff_ref"))))
    picked = Several(rows, problem=problem)
    if typed := values.get("staff", "").strip():
        found, problem = queries.resolve_meeting_staff(typed)
        picked.rows += [row for row in found if row not in picked.rows]
        if problem:
            picked.problem, picked.asked = problem, typed
    hint = permissions.ROLES.get
    picked.chips = [{"ref": row.ref, "label": row.name, "hint": hint(row.role, "")} for row in picked.rows]
    return picked


@bp.route("/meetings/staff-suggest")
@permissions.policy("meeting.read")
def meeting_staff_suggest():
    """Staff for the picker; with `meeting` those who can be at it, for who may add them. Part of a page that is on record."""
    ref = request.args.get("meeting")
    meeting = queries.meeting(g.user, ref, audit=False) if ref else None
    if meeting is not None and not meeting.may_manage:
        raise permissions.Denied("meeting.manage")
    return jsonify(queries.suggest_meeting_staff(request.args.get("q", ""), meeting))


@bp.route("/meetings/clashes")
@permissions.policy("meeting.read")
def meeting_clashes():
    """A piece of the page: who of those chosen is in another meeting at the time chosen, as far as the reader sees it."""
    form = NewMeetingForm(formdata=request.args, meta={"csrf": False})
    chosen = pick_students(request.args), pick_staff(request.args)
    return render_template("cases/_meeting_clashes.html", clashes=clashes_of(form, *chosen), fits=_is_complete(form, *chosen))


def _is_complete(form, about, there):
    return bool(form.starts_at.data and form.ends_at.data and (about.rows or there.rows))


def clashes_of(form, about, there):
    """queries.Clashes of the people chosen at the time that the form has."""
    ids = {"student_ids": [row.id for row in about.rows], "account_ids": [row.id for row in there.rows]}
    return queries.meeting_clashes(g.user, form.starts_at.data, form.ends_at.data, **ids)


# --- Adding and taking off -------------------------------------------------------------------------------------------


def managed_meeting(ref):
    """The meeting for a page that changes it (403 for other readers). A GET records the read; a POST leaves that to its
    action."""
    row = queries.meeting(g.user, ref, audit=request.method in ("GET", "HEAD"))
    if not row.may_manage:
        raise permissions.Denied("meeting.manage")
    return row


def to_meeting(ref, anchor=None):
    """After saving: back to the meeting, unless the change has closed it to whoever made it."""
    try:
        queries.meeting(g.user, ref, audit=False)
    except permissions.NotVisible:
        return redirect(url_for("cases.meetings"), 303)
    return redirect(url_for("cases.meeting", ref=ref, _anchor=anchor), 303)


@bp.route("/meetings/<ref>/students", methods=["GET", "POST"])
@permissions.policy("meeting.read", record=True)
def meeting_students(ref):
    meeting, form = managed_meeting(ref), MeetingStudentsForm()
    form.students.label.text = presentation.WORDS.get(g.school.student_word, g.school.student_word + "s")
    picked = Several()
    if request.method == "POST":
        picked = pick_students(request.form)
        form.validate()
        settle(form.students, picked)
        add = lambda: actions.add_meeting_students(meeting, picked.rows, actor=g.user)  # noqa: E731
        tried = None if form.errors else attempt(form, add)
        if tried and tried.saved:
            return _added(ref, tried.result, "on the meeting", "students")
    page = {"meeting": meeting, "form": form, "picked": picked}
    return render_template("cases/meeting_students.html", **page), 422 if form.errors else 200


@bp.route("/meetings/<ref>/staff", methods=["GET", "POST"])
@permissions.policy("meeting.read", record=True)
def meeting_staff(ref):
    meeting, form = managed_meeting(ref), MeetingStaffForm()
    picked = Several()
    if request.method == "POST":
        picked = pick_staff(request.form)
        form.validate()
        settle(form.staff, picked)
        if not picked.rows and not form.errors:
            form.staff.errors = ["Say who is to be there."]
        add = lambda: actions.add_meeting_staff(meeting, picked.rows, actor=g.user)  # noqa: E731
        tried = None if form.errors else attempt(form, add)
        if tried and tried.saved:
            return _added(ref, tried.result, "to be there", "staff")
    page = {"meeting": meeting, "form": form, "picked": picked}
    return render_template("cases/meeting_staff.html", **page), 422 if form.errors else 200


def _added(ref, new, what, anchor):
    presentation.nudge()
    flash(f"{' and '.join(row.name for row in new)} {'is' if len(new) == 1 else 'are'} {what}.", "ok")
    return to_meeting(ref, anchor)


@bp.route("/meetings/<ref>/students/<student_ref>/removal", methods=["POST"])
@permissions.policy("meeting.read", record=True)
def meeting_student_removal(ref, student_ref):
    return _removed(ref, actions.remove_meeting_student, student_ref, "students")


@bp.route("/meetings/<ref>/staff/<account_ref>/removal", methods=["POST"])
@permissions.policy("meeting.read", record=True)
def meeting_staff_removal(ref, account_ref):
    return _removed(ref, actions.remove_meeting_staff, account_ref, "staff")


def _removed(ref, remove, whose, anchor):
    try:
        name = remove(managed_meeting(ref), whose, actor=g.user)
    except actions.Refused as problem:
        flash(problem.sentence, "warn")
    else:
        presentation.nudge()
        flash(f"{name} was taken off the meeting.", "ok")
    return to_meeting(ref, anchor)
