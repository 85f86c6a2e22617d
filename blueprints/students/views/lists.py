"""The list of students, its export, and the suggestions of every field in which a student is chosen."""

import json

from flask import Response, abort, g, render_template, request, url_for

import events
import permissions
from blueprints.kit import tables_out
from blueprints.kit.forms import school_zone
from blueprints.kit.listing import paginate, with_args
from blueprints.kit.text import one_line
from blueprints.students import queries
from blueprints.students.views import bp

SHOWN = {"active": True, "left": False, "all": None}
SHOWN_WORDS = {"active": "At the school", "left": "Left", "all": "All"}


def _filters():
    """What the address asks for: (arguments of queries.listing, the same as text for the form)."""
    typed = {name: one_line(request.args.get(name, ""))[:100] for name in ("q", "year", "tutor")}
    typed["show"] = request.args.get("show") if request.args.get("show") in SHOWN else "active"
    wanted = {"text": typed["q"], "year_group": typed["year"], "tutor_group": typed["tutor"]}
    return wanted | {"active": SHOWN[typed["show"]]}, typed


def _chips(typed):
    """The filters that are on, each with the address without it."""
    words = {"q": "Search: {}", "year": "Year group: {}", "tutor": "Tutor group: {}"}
    chips = [(words[name].format(typed[name]), name) for name in words if typed[name]]
    if typed["show"] != "active":
        chips.append((f"Show: {SHOWN_WORDS[typed['show']].lower()}", "show"))
    return [(label, with_args(request.path, request.args, page=None, **{name: None})) for label, name in chips]


@bp.route("/students")
@permissions.policy("student.search")
def index():
    wanted, typed = _filters()
    page = paginate(queries.listing(g.user, **wanted), request.args.get("page"))
    years, tutors = queries.groups(g.user)
    events.record_alone("student.listed", actor=g.user, count=len(page))
    exports = {kind: with_args(url_for("students.export", kind=kind), request.args, page=None) for kind in FILES}
    return render_template(
        "students/index.html", page=page, typed=typed, years=years, tutors=tutors, chips=_chips(typed), exports=exports,
        shown=SHOWN_WORDS,
    )  # fmt: skip


FILES = {"csv": tables_out.csv_response, "xlsx": tables_out.xlsx_response}


@bp.route("/students/export.<kind>")
@permissions.policy("student.search")
def export(kind):
    if kind not in FILES:
        abort(404)
    wanted, _ = _filters()
    header, rows = queries.export(g.user, **wanted)
    events.record_alone("student.exported", actor=g.user, count=len(rows), format=kind)
    return FILES[kind]("students", header, rows, tz=school_zone())


@bp.route("/students/suggest")
@permissions.policy("student.search")
def suggest():
    # Not audited: these are the characters of a word being typed, one request each. They tell names, years and tutor
    # groups only, which all staff read anyway; what is then chosen, searched for or opened has its own audit row.
    found = queries.suggest(g.user, request.args.get("q", ""))
    return Response(json.dumps(found, ensure_ascii=False), mimetype="application/json")
