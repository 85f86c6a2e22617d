"""Lists of cases: all one may see, My Cases, a student's, and their exports."""

from flask import g, render_template, request, url_for

import events
import permissions
from blueprints.cases import queries
from blueprints.cases.views import bp
from blueprints.kit import listing, tables_out
from blueprints.kit.forms import school_zone
from blueprints.kit.text import one_line
from blueprints.students import queries as students

COUNTED = 500  # beyond this the list says "more than": whoever has more of them filters
FORMATS = {"csv": tables_out.csv_response, "xlsx": tables_out.xlsx_response}


@bp.route("/cases")
@permissions.policy("case.read")
def index():
    return _list("all", "Cases", url_for("cases.index"))


@bp.route("/cases/mine")
@permissions.policy("case.read")
def mine():
    return _list("mine", "My Cases", url_for("cases.mine"))


def _list(name, heading, address):
    types = queries.case_types(g.user, retired=True)
    typed = _typed(types)
    page = _page(name, **_filters(typed, types))
    events.record_alone("case.listed", actor=g.user, count=len(page), list=name)
    return render_template(
        "cases/index.html",
        name=name,
        heading=heading,
        address=address,
        tabs=[("My Cases", _here("cases.mine"), name == "mine", None), ("All cases", _here("cases.index"), name == "all", None)],
        page=page,
        typed=typed,
        types=types,
        statuses=queries.STATUSES,
        chips=_chips(typed, types),
        exports=[_here("cases.export" if name == "all" else "cases.export_mine", kind=kind) for kind in FORMATS],
    )


def _typed(types):
    """The filters that the address asks for, as text; what is none of them counts as not asked for."""
    status, kind = request.args.get("status", ""), request.args.get("type", "")
    return {
        "q": one_line(request.args.get("q", ""))[:100],
        "status": status if status in queries.STATUSES else "",
        "type": kind if any(row.ref == kind for row in types) else "",
    }


def _filters(typed, types):
    filters = {"text": typed["q"]} if typed["q"] else {}
    if typed["status"]:
        filters["status"] = typed["status"]
    if typed["type"]:
        filters["type_id"] = next(row.id for row in types if row.ref == typed["type"])
    return filters


def _chips(typed, types):
    """The filters that are on, each with the address without it."""
    names = {row.ref: row.name for row in types}
    words = {"q": f"Text: {typed['q']}", "status": f"Status: {typed['status']}"}
    words["type"] = f"Case type: {names.get(typed['type'])}"
    return [
        (words[name], listing.with_args(request.path, request.args, page=None, **{name: None}))
        for name in ("q", "status", "type")
        if typed[name]
    ]


def _here(endpoint, **values):
    """The address of another list or of a file, with the same filters."""
    return listing.with_args(url_for(endpoint, **values), request.args, page=None)


def _page(name, **filters):
    fetch, count = queries.paging(g.user, mine=name == "mine", **filters)
    return listing.paginate(fetch, request.args.get("page"), cap=COUNTED, count=count)


# --- Files -----------------------------------------------------------------------------------------------------------


@bp.route("/cases.<any(csv, xlsx):kind>")
@permissions.policy("case.read")
def export(kind):
    return _export(kind, "cases")


@bp.route("/cases/mine.<any(csv, xlsx):kind>")
@permissions.policy("case.read")
def export_mine(kind):
    return _export(kind, "my-cases", mine=True)


def _export(kind, name, mine=False):
    types = queries.case_types(g.user, retired=True)
    return _file(kind, name, mine=mine, **_filters(_typed(types), types))


def _file(kind, name, target="", **filters):
    rows = queries.export_rows(g.user, **filters)
    events.record_alone("case.exported", actor=g.user, target=target, count=len(rows), format=kind)
    header = ["Case", g.school.student_word, "Title", "Case type", "Status", "Opened", "Last activity", "Because"]
    cells = (
        (row.ref, row.student_name, row.title, row.case_type, row.status, row.opened_at, row.last_activity_at, row.because)
        for row in rows
    )
    return FORMATS[kind](name, header, cells, tz=school_zone())


# --- A student's cases -----------------------------------------------------------------------------------------------


@bp.route("/students/<ref>/cases")
@permissions.policy("case.read", record=True)
def of_student(ref):
    student = students.student(g.user, ref)
    page = _page("student", student_id=student.id)
    events.record_alone("case.listed", actor=g.user, target=student.ref, count=len(page), list="student")
    return render_template(
        "cases/of_student.html",
        student=student,
        tabs=students.tabs(g.user, student, "Case"),
        page=page,
        exports=[url_for("cases.export_of_student", ref=ref, kind=kind) for kind in FORMATS],
    )


@bp.route("/students/<ref>/cases/export.<any(csv, xlsx):kind>")
@permissions.policy("case.read", record=True)
def export_of_student(ref, kind):
    student = students.student(g.user, ref, audit=False)
    return _file(kind, "cases", target=student.ref, student_id=student.id)
