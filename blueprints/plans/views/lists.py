"""Lists of plans: all one may see, a student's, and their exports."""

from flask import g, render_template, request, url_for

import events
import permissions
from blueprints.kit import listing
from blueprints.kit.forms import school_day, school_zone
from blueprints.kit.text import one_line
from blueprints.plans import queries
from blueprints.plans.views import bp
from blueprints.plans.views.common import FORMATS
from blueprints.students import queries as students

COUNTED = 500  # beyond this the list says "more than": whoever has more of them filters
SHOWN = (("Active", "active"), ("Due for review", "due"), ("Ended", "ended"), ("All", "all"))


@bp.route("/plans")
@permissions.policy("plan.read")
def index():
    leads = queries.leads(g.user)
    typed = _typed(leads)
    page = _page(**_filters(typed, leads))
    events.record_alone("plan.listed", actor=g.user, count=len(page), list=typed["show"])
    return render_template(
        "plans/index.html",
        page=page,
        typed=typed,
        leads=leads,
        tiers=queries.TIERS,
        today=school_day(),
        tabs=[(label, _here("plans.index", show=name), name == typed["show"], None) for label, name in SHOWN],
        chips=_chips(typed, leads),
        exports=[_here("plans.export", kind=kind) for kind in FORMATS],
    )


@bp.route("/plans.<any(csv, xlsx):kind>")
@permissions.policy("plan.read")
def export(kind):
    leads = queries.leads(g.user)
    return _file(kind, **_filters(_typed(leads), leads))


def _typed(leads):
    """The filters that the address asks for, as text; what is none of them counts as not asked for."""
    show, tier, lead = (request.args.get(name, "") for name in ("show", "tier", "lead"))
    return {
        "show": show if show in dict(SHOWN).values() else "active",
        "q": one_line(request.args.get("q", ""))[:100],
        "tier": tier if tier in map(str, queries.TIERS) else "",
        "lead": lead if any(ref == lead for _, ref, _ in leads) else "",
    }


def _filters(typed, leads):
    filters = {"text": typed["q"]} if typed["q"] else {}
    if typed["show"] != "all":
        filters["state"] = "ended" if typed["show"] == "ended" else "active"
    if typed["show"] == "due":
        filters["due_by"] = school_day()
    if typed["tier"]:
        filters["tier"] = int(typed["tier"])
    if typed["lead"]:
        filters["lead_id"] = next(id_ for id_, ref, _ in leads if ref == typed["lead"])
    return filters


def _chips(typed, leads):
    """The filters that are on, each with the address without it."""
    names = {ref: name for _, ref, name in leads}
    words = {"q": f"Text: {typed['q']}", "tier": f"Tier: {typed['tier']}", "lead": f"Lead: {names.get(typed['lead'])}"}
    return [(words[name], _here("plans.index", **{name: None})) for name in words if typed[name]]


def _here(endpoint, kind=None, **changes):
    """The address of another list or of a file, with the same filters but for `changes`."""
    address = url_for(endpoint, kind=kind) if kind else url_for(endpoint)
    return listing.with_args(address, request.args, page=None, **changes)


def _page(**filters):
    fetch, count = queries.paging(g.user, **filters)
    return listing.paginate(fetch, request.args.get("page"), cap=COUNTED, count=count)


def _file(kind, target="", **filters):
    rows = queries.export_rows(g.user, **filters)
    events.record_alone("plan.exported", actor=g.user, target=target, count=len(rows), format=kind)
    header = ["Plan", g.school.student_word, "Goal", "Tier", "State", "Lead", "Starts", "Review by", "Ended", "Because"]
    cells = (
        (row.ref, row.student_name, row.title, row.tier, queries.STATES[row.state], row.lead, row.starts_on, row.review_by,
         row.ended_at, row.because)
        for row in rows
    )  # fmt: skip
    return FORMATS[kind]("plans", header, cells, tz=school_zone())


# --- A student's plans -----------------------------------------------------------------------------------------------


@bp.route("/students/<ref>/plans")
@permissions.policy("plan.read", record=True)
def of_student(ref):
    student = students.student(g.user, ref)
    page = _page(student_id=student.id)
    events.record_alone("plan.listed", actor=g.user, target=student.ref, count=len(page), list="student")
    return render_template(
        "plans/of_student.html",
        student=student,
        tabs=students.tabs(g.user, student, "Plans"),
        page=page,
        today=school_day(),
        exports=[url_for("plans.export_of_student", ref=ref, kind=kind) for kind in FORMATS],
    )


@bp.route("/students/<ref>/plans/export.<any(csv, xlsx):kind>")
@permissions.policy("plan.read", record=True)
def export_of_student(ref, kind):
    student = students.student(g.user, ref, audit=False)
    return _file(kind, target=student.ref, student_id=student.id)
