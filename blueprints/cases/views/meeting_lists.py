"""Lists of student meetings: those one sees, a student's, and their exports."""

from datetime import datetime, time, timedelta

from flask import g, render_template, request, url_for

import events
import permissions
from blueprints.cases import queries
from blueprints.cases.views import bp
from blueprints.cases.views.lists import COUNTED, FORMATS
from blueprints.kit import listing, presentation
from blueprints.kit.days import DayProblem, parse_day, show_day
from blueprints.kit.forms import school_zone
from blueprints.kit.text import one_line
from blueprints.students import queries as students

CHIPS = ("q", "type", "state", "mine", "from", "to")


@bp.route("/meetings")
@permissions.policy("meeting.read")
def meetings():
    when = request.args.get("when", "upcoming")
    when = when if when in queries.MEETING_WHEN else "upcoming"
    types = queries.meeting_types(g.user, retired=True)
    typed = _typed(types)
    page = _page(when=when, **_filters(typed, types))
    events.record_alone("meeting.listed", actor=g.user, count=len(page), list=when)
    return render_template(
        "cases/meetings.html",
        when=when,
        tabs=[(label, _here("cases.meetings", when=name), name == when, None) for name, label in queries.MEETING_WHEN.items()],
        page=page,
        typed=typed,
        types=types,
        states=queries.MEETING_STATES,
        chips=_chips(typed, types),
        exports=[_here("cases.export_meetings", when=when, kind=kind) for kind in FORMATS],
    )


def _typed(types):
    """The filters that the address asks for, as text; what is none of them counts as not asked for."""
    asked = {name: one_line(request.args.get(name, ""))[:100] for name in CHIPS}
    known = {
        "type": {row.ref for row in types},
        "state": set(queries.MEETING_STATES),
        "mine": {"1"},
    }
    asked |= {name: asked[name] if asked[name] in values else "" for name, values in known.items()}
    asked |= {name: day.isoformat() if (day := _day(asked[name])) else "" for name in ("from", "to")}
    return asked


def _day(text):
    try:
        return parse_day(text) if text else None
    except DayProblem:
        return None


def _filters(typed, types):
    filters = {}
    if typed["q"]:
        filters["text"] = typed["q"]
    if typed["type"]:
        filters["type_id"] = next(row.id for row in types if row.ref == typed["type"])
    if typed["state"]:
        filters["state"] = typed["state"]
    if typed["mine"]:
        filters["me"] = g.user.id
    if typed["from"]:
        filters["since"] = _midnight(_day(typed["from"]))
    if typed["to"]:
        filters["until"] = _midnight(_day(typed["to"]) + timedelta(days=1))
    return filters


def _midnight(day):
    return datetime.combine(day, time(), school_zone())


def _chips(typed, types):
    """The filters that are on, each with the address without it."""
    names = {row.ref: row.name for row in types}
    words = {
        "q": f"{g.school.student_word}: {typed['q']}",
        "type": f"Type: {names.get(typed['type'])}",
        "state": f"State: {queries.MEETING_STATES.get(typed['state'])}",
        "mine": "Mine",
        "from": f"From: {_shown(typed['from'])}",
        "to": f"To: {_shown(typed['to'])}",
    }
    return [
        (words[name], listing.with_args(request.path, request.args, page=None, **{name: None})) for name in CHIPS if typed[name]
    ]


def _shown(text):
    return show_day(parse_day(text)) if text else ""


def _here(endpoint, when, **values):
    """The address of another list or of a file, with the same filters."""
    return listing.with_args(url_for(endpoint, **values), request.args, page=None, when=when)


def _page(**filters):
    fetch, count = queries.meetings_paging(g.user, **filters)
    return listing.paginate(fetch, request.args.get("page"), cap=COUNTED, count=count)


# --- Files -----------------------------------------------------------------------------------------------------------


@bp.route("/meetings.<any(csv, xlsx):kind>")
@permissions.policy("meeting.read")
def export_meetings(kind):
    when = request.args.get("when", "upcoming")
    types = queries.meeting_types(g.user, retired=True)
    filters = _filters(_typed(types), types)
    return _file(kind, "meetings", when=when if when in queries.MEETING_WHEN else "upcoming", **filters)


def _file(kind, name, target="", **filters):
    rows = queries.meetings_export(g.user, **filters)
    events.record_alone("meeting.exported", actor=g.user, target=target, count=len(rows), format=kind)
    words = presentation.WORDS.get(g.school.student_word, g.school.student_word + "s")
    header = ["Meeting", "Starts", "Ends", "Type", words, "Staff", "Place", "State"]
    cells = (
        (row.ref, row.starts_at, row.ends_at, row.kind, _names(row.students), _names(row.staff), row.place,
         queries.MEETING_STATES[row.state])
        for row in rows
    )  # fmt: skip
    return FORMATS[kind](name, header, cells, tz=school_zone())


def _names(people):
    return ", ".join(one.name for one in people)


# --- A student's meetings --------------------------------------------------------------------------------------------


@bp.route("/students/<ref>/meetings")
@permissions.policy("meeting.read", record=True)
def meetings_of_student(ref):
    student = students.student(g.user, ref)
    page = _page(student_id=student.id)
    events.record_alone("meeting.listed", actor=g.user, target=student.ref, count=len(page), list="student")
    return render_template(
        "cases/meetings_of_student.html",
        student=student,
        tabs=students.tabs(g.user, student, "Meetings"),
        page=page,
        states=queries.MEETING_STATES,
        exports=[url_for("cases.export_meetings_of_student", ref=ref, kind=kind) for kind in FORMATS],
    )


@bp.route("/students/<ref>/meetings/export.<any(csv, xlsx):kind>")
@permissions.policy("meeting.read", record=True)
def export_meetings_of_student(ref, kind):
    student = students.student(g.user, ref, audit=False)
    return _file(kind, "meetings", target=student.ref, student_id=student.id)
