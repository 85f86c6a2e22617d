"""Tools > Forms: the forms that somebody may fill in; for those who build forms every form, with its state."""

from flask import g, render_template, request

import events
import permissions
from blueprints.forms import queries
from blueprints.forms.views import bp
from blueprints.kit.forms import school_zone
from blueprints.kit.listing import paginate, with_args
from blueprints.kit.tables_out import table_response
from blueprints.kit.text import one_line
from blueprints.students import queries as students_queries

HEADER = ("Form", "Description", "For", "State", "Version", "Published", "Responses", "Added")


@bp.route("/forms")
@permissions.policy("form.fill", record=True)
def index():
    rows = queries.fillable(g.user)
    student = _student()
    if student is not None:
        return _list(rows=[row for row in rows if row.names_student], student=student)
    if permissions.can(g.user, "form.build"):
        return _built()
    return _list(rows=rows, student=None)


def _student():
    """The student whose page led here; a Form Response is to be about them."""
    ref = request.args.get("student", "")
    if not ref or not permissions.can(g.user, "student.search"):
        return None
    return students_queries.student(g.user, ref, audit=False)


def _list(rows, student):
    page = paginate(rows, request.args.get("page"))
    events.record_alone("form.listed", actor=g.user, count=len(page))
    return render_template("forms/index.html", page=page, student=student)


def _built():
    text, state = _filters()
    fetch, count = queries.every_form(g.user, text, state)
    page = paginate(fetch, request.args.get("page"), count=count)
    events.record_alone("form.listed", actor=g.user, count=len(page))
    chips = [(f"Words: {text}", with_args("/forms", request.args, q=None, page=None))] if text else []
    if state:
        chips.append((queries.STATES[state], with_args("/forms", request.args, state=None, page=None)))
    exports = [with_args(f"/forms.{kind}", request.args, page=None) for kind in ("csv", "xlsx")]
    return render_template(
        "forms/built.html", page=page, text=text, state=state, states=queries.STATES, chips=chips, exports=exports,
        audiences=queries.audience_words,
    )  # fmt: skip


def _filters():
    """(words, state) that the address asks for."""
    state = request.args.get("state", "")
    return one_line(request.args.get("q", ""))[:100], state if state in queries.STATES else ""


@bp.route("/forms.<any(csv, xlsx):kind>")
@permissions.policy("form.build", record=True)
def export(kind):
    rows = queries.forms_export(g.user, *_filters())
    events.record_alone("form.exported", actor=g.user, format=kind, count=len(rows))
    cells = (
        (row.name, row.description, ", ".join(queries.audience_words(row)), queries.STATES[queries.state_of(row)],
         row.published or None, row.published_at, row.responses, row.created_at)
        for row in rows
    )  # fmt: skip
    return table_response(kind, "forms", HEADER, cells, tz=school_zone())
