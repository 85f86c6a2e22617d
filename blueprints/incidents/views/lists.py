"""Lists of incidents: /incidents with its tabs and filters, a student's incidents, and their exports."""

from flask import g, render_template, request, url_for

import events
import permissions
from blueprints.incidents import queries
from blueprints.incidents.queries.choices import ROLES, STATUSES
from blueprints.incidents.views import bp
from blueprints.incidents.views.common import student_words
from blueprints.kit import listing, tables_out
from blueprints.kit.forms import school_zone
from blueprints.kit.text import one_line
from blueprints.students import queries as students

# name in the URL: (label, the filter it stands for, capability that shows it)
TABS = {
    "all": ("All", lambda user: {}, "incident.read"),
    "assigned": ("Assigned to me", lambda user: {"assigned_to": user}, "incident.be_assigned"),
    "unassigned": ("Unassigned", lambda user: {"unassigned": True}, "incident.assign"),
    "alerted": ("Alerted to me", lambda user: {"alerted_to": user}, "incident.read"),
    "written": ("Written by me", lambda user: {"author": user}, "incident.read"),
}
FORMATS = {"csv": tables_out.csv_response, "xlsx": tables_out.xlsx_response}


def _has(capability):
    if capability in permissions.CASES_MODULE and not g.school.cases_module:
        return False
    return permissions.can(g.user, capability)


def _state():
    """(tab, status, text) that the address asks for; a tab or filter that this reader doesn't have is NotVisible."""
    tab, status = request.args.get("list", "all"), request.args.get("status", "")
    if tab not in TABS or not _has(TABS[tab][2]) or (status and not g.school.cases_module):
        raise permissions.NotVisible(request.full_path)
    return tab, status if status in STATUSES else "", one_line(request.args.get("q", ""))[:200]


def _filters(tab, status, text):
    filters = {"status": status, "text": text} | TABS[tab][1](g.user)
    return {name: value for name, value in filters.items() if value}


def _page(**filters):
    fetch, count = queries.paging(g.user, **filters)
    page = listing.paginate(fetch, request.args.get("page"), cap=queries.COUNTED, count=count)
    page.items = queries.summaries(g.user, page.items)
    return page


@bp.route("/incidents")
@permissions.policy("incident.read")
def index():
    tab, status, text = _state()
    page = _page(**_filters(tab, status, text))
    events.record_alone("incident.listed", actor=g.user, count=len(page), list=tab)
    return render_template(
        "incidents/index.html",
        page=page,
        tab=tab,
        tabs=_tabs(tab),
        status=status,
        statuses=STATUSES,
        text=text,
        chips=_chips(status, text),
        exports=[_export_url(kind) for kind in FORMATS],
        roles=ROLES,
    )


def _tabs(current):
    shown = [(name, label) for name, (label, _, capability) in TABS.items() if _has(capability)]
    return [
        (label, _address(list=None if name == "all" else name, page=None), name == current, None)
        for name, label in shown
    ]


def _address(path=None, **changes):
    return listing.with_args(path or request.path, request.args, **changes)


def _chips(status, text):
    found = [(f"Status: {status}", _address(status=None, page=None))] if status else []
    return found + ([(f"Text: {text}", _address(q=None, page=None))] if text else [])


def _export_url(kind):
    return _address(url_for("incidents.export", kind=kind), page=None)


@bp.route("/incidents/export.<any(csv, xlsx):kind>")
@permissions.policy("incident.read")
def export(kind):
    query = queries.filtered(g.user, **_filters(*_state()))
    events.record_alone("incident.exported", actor=g.user, count=query.count(), format=kind)
    rows = (_exported(row) for row in queries.export_rows(g.user, query))
    return FORMATS[kind]("incidents", _columns(), rows, tz=school_zone())


def _columns():
    columns = ["Incident", student_words(), "Categories", "When it happened", "Entered", "Place", "Author"]
    return [*columns, "Open actions", *(["Status", "Assigned to"] if g.school.cases_module else [])]


def _exported(row):
    students_told = "; ".join(f"{part.student_name} ({ROLES.get(part.role, part.role).lower()})" for part in row.parts)
    categories = "; ".join(dict.fromkeys(name for part in row.parts for name, _ in part.categories))
    cells = [row.ref, students_told, categories, row.happened_at, row.entered_at, row.place]
    cells += [row.author_name, row.open_actions]
    return cells + ([row.status, row.assigned_name or "Nobody"] if g.school.cases_module else [])


# --- A student's incidents -------------------------------------------------------------------------------------------


@bp.route("/students/<ref>/incidents")
@permissions.policy("student.search", record=True)
def of_student(ref):
    student = students.student(g.user, ref)
    page = _page(student_id=student.id)
    events.record_alone("incident.listed", actor=g.user, target=student.ref, count=len(page), list="student")
    return render_template(
        "incidents/of_student.html",
        student=student,
        tabs=students.tabs(g.user, student, "Incidents"),
        page=page,
        roles=ROLES,
        exports=[url_for("incidents.export_of_student", ref=ref, kind=kind) for kind in FORMATS],
    )


@bp.route("/students/<ref>/incidents/export.<any(csv, xlsx):kind>")
@permissions.policy("student.search", record=True)
def export_of_student(ref, kind):
    student = students.student(g.user, ref, audit=False)
    query = queries.filtered(g.user, student=student)
    events.record_alone("incident.exported", actor=g.user, target=ref, count=query.count(), format=kind)
    rows = (_exported(row) for row in queries.export_rows(g.user, query))
    return FORMATS[kind]("incidents", _columns(), rows, tz=school_zone())

