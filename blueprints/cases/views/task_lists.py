"""Lists of tasks: one's own, those one has set, all one may see, a student's, and their exports."""

from flask import g, render_template, request, url_for

import events
import permissions
from blueprints.cases import queries
from blueprints.cases.views import bp
from blueprints.kit import listing, tables_out
from blueprints.kit.days import DayProblem, parse_day, show_day
from blueprints.kit.forms import school_day, school_zone
from blueprints.kit.text import one_line
from blueprints.students import queries as students

COUNTED = 500  # beyond this the list says "more than": whoever has more of them filters
FORMATS = {"csv": tables_out.csv_response, "xlsx": tables_out.xlsx_response}
LISTS = {"mine": "My tasks", "set": "Set by me", "all": "All tasks"}
STATES = {"open": "Open", "overdue": "Overdue", "completed": "Completed", "cancelled": "Cancelled", "any": "Any"}


@bp.route("/tasks")
@permissions.policy("task.read")
def tasks():
    typed = _typed("open")
    name = _list_name()
    page = _page(**_whose(name), **_filters(typed))
    events.record_alone("task.listed", actor=g.user, count=len(page), list=name)
    return render_template(
        "cases/tasks.html",
        name=name,
        heading=LISTS[name],
        page=page,
        **_shown(typed, "open"),
        tabs=[(words, _here("cases.tasks", list=key), key == name, None) for key, words in LISTS.items()],
        exports=[_here("cases.tasks_export", kind=kind, list=name) for kind in FORMATS],
    )


def _list_name():
    name = request.args.get("list", "mine")
    return name if name in LISTS else "mine"


def _whose(name):
    return {"mine": {"assigned_to": g.user.id}, "set": {"set_by": g.user.id}, "all": {}}[name]


def _typed(usual):
    """The filters that the address asks for, as text; what is none of them counts as not asked for."""
    state = request.args.get("state", "")
    found = {"q": one_line(request.args.get("q", ""))[:100], "state": state if state in STATES else usual}
    return found | {name: _day(request.args.get(name, "")) for name in ("from", "to")}


def _day(text):
    try:
        return parse_day(one_line(text)[:30]) if text else None
    except DayProblem:
        return None


def _filters(typed):
    """What is on, as queries.task_paging() takes it."""
    filters = {"text": typed["q"]} if typed["q"] else {}
    if typed["state"] == "overdue":
        filters |= {"state": "open", "before": school_day()}
    elif typed["state"] != "any":
        filters["state"] = typed["state"]
    return filters | {f"due_{name}": typed[name] for name in ("from", "to") if typed[name]}


def _shown(typed, usual):
    """What the form of the filters and the chips show. The state that a list has anyway is no filter to take away."""
    words = {"q": f"Text: {typed['q']}", "state": f"State: {STATES[typed['state']]}"}
    words |= {name: f"Due {name}: {show_day(typed[name])}" for name in ("from", "to") if typed[name]}
    on = [name for name in words if typed[name] and (name != "state" or typed[name] != usual)]
    chips = [(words[name], listing.with_args(request.path, request.args, page=None, **{name: None})) for name in on]
    return {"typed": typed, "chips": chips, "states": STATES, "today": school_day(), "repeats": dict(queries.task_repeats())}


def _here(endpoint, **values):
    """The address of another list or of a file, with the same filters."""
    kept = {name: value for name, value in request.args.items() if name in ("q", "state", "from", "to")}
    return url_for(endpoint, **values, **kept)


def _page(**filters):
    fetch, count = queries.task_paging(g.user, **filters)
    return listing.paginate(fetch, request.args.get("page"), cap=COUNTED, count=count)


@bp.route("/tasks/export.<any(csv, xlsx):kind>")
@permissions.policy("task.read")
def tasks_export(kind):
    return _file(kind, **_whose(_list_name()), **_filters(_typed("open")))


def _file(kind, target="", **filters):
    rows = queries.task_export(g.user, **filters)
    events.record_alone("task.exported", actor=g.user, target=target, count=len(rows), format=kind)
    repeats, day = dict(queries.task_repeats()), school_day()
    header = ["Task", g.school.student_word, "Title", "Assigned to", "Due date", "State", "Repeats", "Set by", "Set", "Ended",
              "Notes"]  # fmt: skip
    cells = (
        (row.ref, row.student_name, row.title, row.assigned_to, row.due_on, queries.state_of(row, day),
         repeats[row.repeats] if row.repeats else "", row.set_by, row.set_at, row.ended_at, notes)
        for row, notes in rows
    )  # fmt: skip
    return FORMATS[kind]("tasks", header, cells, tz=school_zone())


# --- A student's tasks -----------------------------------------------------------------------------------------------


@bp.route("/students/<ref>/tasks")
@permissions.policy("task.read", record=True)
def tasks_of_student(ref):
    student = students.student(g.user, ref)
    typed = _typed("any")
    page = _page(student_id=student.id, **_filters(typed))
    events.record_alone("task.listed", actor=g.user, target=student.ref, count=len(page), list="student")
    return render_template(
        "cases/tasks_of_student.html",
        student=student,
        tabs=students.tabs(g.user, student, "Tasks"),
        page=page,
        **_shown(typed, "any"),
        exports=[_here("cases.tasks_export_of_student", ref=ref, kind=kind) for kind in FORMATS],
    )


@bp.route("/students/<ref>/tasks/export.<any(csv, xlsx):kind>")
@permissions.policy("task.read", record=True)
def tasks_export_of_student(ref, kind):
    student = students.student(g.user, ref, audit=False)
    return _file(kind, target=student.ref, student_id=student.id, **_filters(_typed("any")))
