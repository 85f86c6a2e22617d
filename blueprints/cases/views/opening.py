"""Open case: from the list, from a student's page, or from an incident with one click."""

from dataclasses import dataclass, field

from flask import flash, g, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict

import permissions
from blueprints.account import actions as account_actions
from blueprints.account import queries as accounts
from blueprints.cases import actions, queries
from blueprints.cases.forms.opening import OpenCaseForm, choices
from blueprints.cases.views import bp
from blueprints.cases.views.picking import pick_student
from blueprints.incidents import queries as incidents
from blueprints.kit import presentation
from blueprints.kit.attempt import attempt
from blueprints.kit.picking import settle
from blueprints.kit.text import one_line
from blueprints.students import queries as students


@bp.route("/cases/new", methods=["GET", "POST"])
@permissions.policy("case.open")
def new():
    origin = _origin()
    draft = accounts.draft(g.user, origin.draft) if request.method == "GET" else None
    types = queries.case_types(g.user)
    form = _form(origin, types, draft)
    picked = pick_student(request.form if request.method == "POST" else MultiDict(draft or origin.picked), "case")
    page = {"form": form, "picked": picked, "origin": origin, "draft": draft}
    if request.method == "GET":
        return render_template("cases/new.html", **page)
    form.validate()
    settle(form.student, picked)
    tried = None if form.errors else attempt(form, lambda: _open(form, picked.row, origin, types))
    if tried and tried.saved:
        if origin.incident:
            presentation.nudge()
        flash(f"{tried.result.ref} was opened.", "ok")
        return redirect(url_for("cases.case", ref=tried.result.ref), 303)
    return render_template("cases/new.html", **page), 422


# --- Where it comes from ---------------------------------------------------------------------------------------------


@dataclass
class Origin:
    """What the address names: the incident a case is to be opened from with the parts that the reader sees, a student,
    and the key of the draft, which is another one for each of them."""

    incident: object = None
    parts: list = field(default_factory=list)
    student: str = ""

    @property
    def draft(self):
        return ":".join(["case-new", *[ref.lower() for ref in (self.incident and self.incident.ref, self.student) if ref]])

    @property
    def picked(self):
        return {"student_ref": self.student} if self.student else {}

    @property
    def args(self):
        """The arguments of the address that leads here again."""
        return {"incident": self.incident and self.incident.ref, "student": self.student or None}


def _origin():
    """The Origin of this request. An incident or a student that is not there for this reader is NotVisible."""
    origin = Origin()
    if ref := one_line(request.args.get("incident", "")):
        origin.incident = incidents.incident(g.user, ref, audit=request.method == "GET")
        origin.parts = incidents.parts(g.user, origin.incident)
    if ref := one_line(request.args.get("student", "")):
        if not students.pick(g.user, [ref]):
            raise permissions.NotVisible(ref)
        origin.student = ref
    elif len(origin.parts) == 1:
        origin.student = origin.parts[0].student_ref
    return origin


def _form(origin, types, draft):
    now = {"title": title_of(types[0]), "case_type": types[0].ref} if origin.incident and types else {}
    form = OpenCaseForm(formdata=MultiDict(draft)) if draft else OpenCaseForm(data=now)
    form.student.label.text = g.school.student_word
    form.case_type.choices = choices(types, "Choose a case type")
    return form


def title_of(kind):
    """What a case is called that comes from an incident, until somebody finds better words. Never by the incident: whoever
    is on the case reads the title, and may not see that incident."""
    return kind.name


def _open(form, student, origin, types):
    return actions.open_case(
        actor=g.user,
        student=student,
        title=form.title.data,
        case_type=next(row.id for row in types if row.ref == form.case_type.data),
        presenting=form.presenting(),
        incident=origin.incident,
        draft=(origin.draft, form.once.data),
    )


@bp.route("/cases/new/draft-removal", methods=["POST"])
@permissions.policy("case.open")
def draft_removal():
    origin = _origin()
    account_actions.clear_draft(origin.draft, actor=g.user)
    flash("The draft was discarded.", "ok")
    return redirect(url_for("cases.new", **origin.args), 303)


# --- From an incident ------------------------------------------------------------------------------------------------


@bp.route("/incidents/<ref>/case", methods=["POST"])
@permissions.policy("case.read", record=True)
def from_incident(ref):
    incident = incidents.incident(g.user, ref, audit=False)
    if not permissions.can(g.user, "case.open"):
        raise permissions.Denied("case.open")
    parts, types = incidents.parts(g.user, incident), queries.case_types(g.user)
    form = redirect(url_for("cases.new", incident=ref), 303)
    if len(parts) != 1 or not types:
        return form
    try:
        case = actions.open_case(
            actor=g.user,
            student=students.student(g.user, parts[0].student_ref, audit=False),
            title=title_of(types[0]),
            case_type=types[0].id,
            incident=incident,
        )
    except actions.Refused as problem:
        flash(problem.sentence, "warn")
        return form
    presentation.nudge()
    flash(f"{case.ref} was opened. It carries the link to the incident, not its text.", "ok")
    return redirect(url_for("cases.case", ref=case.ref), 303)
