"""Student meetings: scheduling one, its page, moving it, what came of it, cancelling it, its invitation and history."""

from flask import flash, g, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict

import events
import permissions
from blueprints.account import actions as account_actions
from blueprints.account import queries as accounts
from blueprints.cases import actions, queries
from blueprints.cases.forms.meetings import (
    CancelMeetingForm,
    EditMeetingForm,
    MoveMeetingForm,
    NewMeetingForm,
    outcome_form,
    outcome_values,
    typed_parts,
)
from blueprints.cases.forms.opening import choices
from blueprints.cases.views import bp
from blueprints.cases.views.meeting_people import clashes_of, managed_meeting, pick_staff, pick_students, to_meeting
from blueprints.kit import ical, listing, presentation
from blueprints.kit.attempt import attempt
from blueprints.kit.picking import settle
from blueprints.kit.text import one_line
from blueprints.students import queries as students

# --- New meeting -----------------------------------------------------------------------------------------------------


@bp.route("/meetings/new", methods=["GET", "POST"])
@permissions.policy("meeting.read")
def new_meeting():
    origin = _origin()
    draft = accounts.draft(g.user, _draft_of(origin)) if request.method == "GET" else None
    chosen = MultiDict(draft or ({"students_ref": origin} if origin else {}))
    values = request.form if request.method == "POST" else chosen
    form, types = _new_form(draft)
    about, there = pick_students(values), pick_staff(values)
    page = {"form": form, "about": about, "there": there, "origin": origin, "draft": draft, "draft_key": _draft_of(origin)}
    if request.method == "GET":
        return render_template("cases/meeting_form.html", **page)
    if "preview" in request.form:
        return render_template("cases/meeting_form.html", clashes=clashes_of(form, about, there), **page)
    form.validate()
    settle(form.students, about)
    settle(form.staff, there)
    tried = None if form.errors else attempt(form, lambda: _schedule(form, types, about.rows, there.rows, origin))
    if tried and tried.saved:
        presentation.nudge()
        flash("The meeting was scheduled.", "ok")
        return redirect(url_for("cases.meeting", ref=tried.result.ref), 303)
    return render_template("cases/meeting_form.html", clashes=clashes_of(form, about, there), **page), 422


def _origin():
    """The reference of the student that the address names, or ""; one who is not there for this reader is NotVisible."""
    ref = one_line(request.args.get("student", ""))
    if ref and not students.pick(g.user, [ref]):
        raise permissions.NotVisible(ref)
    return ref


def _draft_of(origin):
    return f"meeting-new:{origin.lower()}" if origin else "meeting-new"


def _new_form(draft):
    types = queries.meeting_types(g.user)
    form = NewMeetingForm(formdata=MultiDict(draft)) if draft else NewMeetingForm()
    form.students.label.text = presentation.WORDS.get(g.school.student_word, g.school.student_word + "s")
    form.meeting_type.choices = choices(types, "Choose a type")
    if request.method == "GET" and not draft and types:
        form.meeting_type.data = types[0].ref
    return form, types


def _schedule(form, types, about, there, origin):
    return actions.schedule_meeting(
        actor=g.user,
        students=about,
        staff=there,
        meeting_type=_type(form, types),
        starts_at=form.starts_at.data,
        ends_at=form.ends_at.data,
        place=form.place.data or "",
        agenda=form.agenda.data or "",
        draft=(_draft_of(origin), form.once.data),
    )


def _type(form, types):
    return next(row.id for row in types if row.ref == form.meeting_type.data)


@bp.route("/meetings/new/draft-removal", methods=["POST"])
@permissions.policy("meeting.read")
def new_meeting_draft_removal():
    origin = _origin()
    account_actions.clear_draft(_draft_of(origin), actor=g.user)
    flash("The draft was discarded.", "ok")
    return redirect(url_for("cases.new_meeting", student=origin or None), 303)


# --- Its page --------------------------------------------------------------------------------------------------------


@bp.route("/meetings/<ref>")
@permissions.policy("meeting.read", record=True)
def meeting(ref):
    row = queries.meeting(g.user, ref)
    about, there = queries.meeting_students(g.user, row), queries.meeting_staff(row)
    ids = {"student_ids": [one.student_id for one in about], "account_ids": [one.account_id for one in there]}
    clashes = []
    if row.may_manage and row.state == "planned":
        clashes = queries.meeting_clashes(g.user, row.starts_at, row.ends_at, **ids, but=row.id)
    page = {"about": about, "there": there, "clashes": clashes, "readers": queries.who_can_see_meeting(g.user, row)}
    return render_template("cases/meeting.html", meeting=row, states=queries.MEETING_STATES, **page)


@bp.route("/meetings/<ref>/access")
@permissions.policy("meeting.read", record=True)
def meeting_access(ref):
    row = queries.meeting(g.user, ref, audit=False)
    events.record_alone("meeting.access_read", actor=g.user, target=row.ref, reasons=row.reasons)
    return render_template("cases/meeting_access.html", meeting=row, readers=queries.who_can_see_meeting(g.user, row))


@bp.route("/meetings/<ref>/history")
@permissions.policy("meeting.read", record=True)
def meeting_history(ref):
    row = queries.meeting(g.user, ref)
    page = listing.paginate(queries.meeting_history(g.user, row), request.args.get("page"))
    wordings = queries.meeting_wordings(g.user, row)
    return render_template("cases/meeting_history.html", meeting=row, page=page, wordings=wordings)


@bp.route("/meetings/<ref>/invitation.ics")
@permissions.policy("meeting.read", record=True)
def meeting_invitation(ref):
    """The meeting for a calendar program; for a reader who is not to be there, as something they are told of."""
    row = queries.meeting(g.user, ref, audit=False)
    events.record_alone("meeting.file_read", actor=g.user, target=row.ref, reasons=row.reasons)
    method, content = queries.meeting_invitation(row, g.user, is_expected="invited" in row.reasons)
    answer = ical.response(content, method)
    answer.headers["Content-Disposition"] = f'attachment; filename="meeting-{row.ref}.ics"'
    return answer


# --- Changing it -----------------------------------------------------------------------------------------------------


@bp.route("/meetings/<ref>/time", methods=["GET", "POST"])
@permissions.policy("meeting.read", record=True)
def move_meeting(ref):
    row = managed_meeting(ref)
    form = MoveMeetingForm(data={name: getattr(row, name) for name in ("starts_at", "ends_at", "place", "version")})

    def move():
        times = {"starts_at": form.starts_at.data, "ends_at": form.ends_at.data, "place": form.place.data or ""}
        return actions.move_meeting(row, **times, actor=g.user, version=form.version.data)

    return _change(row, form, move, "cases/meeting_move.html", "The meeting was rescheduled.")


@bp.route("/meetings/<ref>/edit", methods=["GET", "POST"])
@permissions.policy("meeting.read", record=True)
def edit_meeting(ref):
    row = managed_meeting(ref)
    types = [one for one in queries.meeting_types(g.user, retired=True) if not one.is_retired or one.id == row.meeting_type_id]
    typed = _typed_before(row, "edit")
    now = {"meeting_type": row.meeting_type.ref, "agenda": row.agenda, "version": row.version}
    form = EditMeetingForm(formdata=MultiDict(typed)) if typed else EditMeetingForm(data=now)
    form.meeting_type.choices = choices(types)

    def change():
        given = {"meeting_type": _type(form, types), "agenda": form.agenda.data or "", "draft": _sent("edit", row, form)}
        return actions.change_meeting(row, **given, actor=g.user, version=form.version.data)

    return _change(row, form, change, "cases/meeting_edit.html", "The meeting was saved.", typed=typed)


@bp.route("/meetings/<ref>/outcome", methods=["GET", "POST"])
@permissions.policy("meeting.read", record=True)
def meeting_outcome(ref):
    row = managed_meeting(ref)
    parts = queries.meeting_students(g.user, row)
    typed = _typed_before(row, "outcome")
    now = {"outcome": row.outcome, "version": row.version, **outcome_values(parts)}
    form = outcome_form(parts, formdata=MultiDict(typed)) if typed else outcome_form(parts, data=now)

    def record():
        given = {"outcome": form.outcome.data or "", "parts": typed_parts(form, parts), "draft": _sent("outcome", row, form)}
        return actions.record_outcome(row, **given, actor=g.user, version=form.version.data)

    return _change(row, form, record, "cases/meeting_outcome.html", "The outcome was recorded.", typed=typed, parts=parts)


@bp.route("/meetings/<ref>/cancellation", methods=["GET", "POST"])
@permissions.policy("meeting.read", record=True)
def cancel_meeting(ref):
    row = managed_meeting(ref)
    form = CancelMeetingForm(data={"version": row.version})

    def cancel():
        return actions.cancel_meeting(row, reason=form.reason.data, actor=g.user, version=form.version.data)

    people = queries.meeting_staff(row)
    return _change(row, form, cancel, "cases/meeting_cancel.html", "The meeting was cancelled.", people=people)


def _change(row, form, work, template, sentence, typed=None, **page):
    """One of the forms above; `typed` is the draft that it was filled from. A meeting that was cancelled has none of them."""
    if row.state == "cancelled" and request.method == "GET":
        return to_meeting(row.ref)
    if typed:
        form.rebase(row)
    tried = attempt(form, work) if form.validate_on_submit() else None
    if tried and tried.saved:
        presentation.nudge()
        flash(sentence, "ok")
        return to_meeting(row.ref)
    code = tried.status if tried else 422 if form.errors else 200
    theirs = tried.theirs if tried else None
    return render_template(template, meeting=row, form=form, theirs=theirs, draft=typed, **page), code


# --- What was typed and not sent -------------------------------------------------------------------------------------


def _key(what, row):
    return f"meeting-{what}:{row.ref.lower()}"


def _typed_before(row, what):
    return accounts.draft(g.user, _key(what, row)) if request.method == "GET" else None


def _sent(what, row, form):
    """The draft that the form has been saved as so far, for the action to forget it."""
    return _key(what, row), form.once.data


@bp.route("/meetings/<ref>/<any(edit, outcome):what>/draft-removal", methods=["POST"])
@permissions.policy("meeting.read", record=True)
def meeting_draft_removal(ref, what):
    row = managed_meeting(ref)
    account_actions.clear_draft(_key(what, row), actor=g.user)
    flash("The draft was discarded.", "ok")
    return redirect(url_for("cases.edit_meeting" if what == "edit" else "cases.meeting_outcome", ref=row.ref), 303)
