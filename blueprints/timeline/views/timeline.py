"""A student's timeline: a page at a time with its filters in the address, its exports, and the chronology to print."""

from typing import NamedTuple

from flask import g, render_template, request, url_for

import events
import permissions
from blueprints.kit.forms import school_zone
from blueprints.kit.listing import with_args
from blueprints.kit.presentation import moment, written_day
from blueprints.kit.tables_out import table_response
from blueprints.students import queries as students
from blueprints.timeline import queries
from blueprints.timeline.forms.timeline import TimelineForm
from blueprints.timeline.views import bp

FILTERS = ("kind", "from", "to", "text", "author")
HEADER = ("When", "Kind", "What", "Reference", "Details", "Categories", "By", "File", "Text")


@bp.route("/students/<ref>/timeline")
@permissions.policy("timeline.read", record=True)
def timeline(ref):
    student, form, filters = _asked(ref)
    if filters is None:
        return _page(student, form), 422
    after = queries.cursor(request.args.get("after"))
    found, following = queries.page(g.user, student, filters, after, cases_module=g.school.cases_module)
    events.record_alone("student.timeline_read", actor=g.user, target=student.ref, count=len(found))
    return _page(student, form, filters, items=found, after=after, following=following and _address(after=str(following)))


@bp.route("/students/<ref>/timeline.<any(csv, xlsx):kind>")
@permissions.policy("timeline.read", record=True)
def timeline_export(ref, kind):
    student, form, filters = _asked(ref)
    if filters is None:
        return _page(student, form), 422
    found = queries.everything(g.user, student, filters, cases_module=g.school.cases_module)
    events.record_alone("student.timeline_exported", actor=g.user, target=student.ref, count=len(found), format=kind)
    return table_response(kind, "timeline", HEADER, map(_cells, found), school_zone())


@bp.route("/students/<ref>/timeline/print")
@permissions.policy("timeline.read", record=True)
def chronology(ref):
    """Everything that fits, the oldest first, as people read a file."""
    student, form, filters = _asked(ref, whole=True)
    if filters is None:
        return _page(student, form), 422
    found = queries.everything(g.user, student, filters, cases_module=g.school.cases_module)[::-1]
    events.record_alone("student.chronology_printed", actor=g.user, target=student.ref, count=len(found))
    attached = [(number, item) for number, item in enumerate(found, 1) if item.file]
    return render_template(
        "timeline/print.html",
        student=student,
        filters=filters,
        shown=[label for name, label in queries.KINDS.items() if name in filters.kinds],
        items=found,
        attached=attached,
        places={number: place for place, (number, _) in enumerate(attached, 1)},
        back=_address(url_for("timeline.timeline", ref=student.ref)),
    )


class Written(NamedTuple):
    """An event as the page writes it, every part in words."""

    when: str
    kind: str
    address: str
    what: str
    categories: list
    facts: str
    text: str
    who: str


def _written(item, zone):
    what = f"{item.what} {item.ref}" if item.ref else item.what
    facts = [item.file[0], *item.facts] if item.file else item.facts
    return Written(
        moment(item.at, zone), item.kind_word, item.address, what, item.categories, " · ".join(facts), item.short, item.who
    )


def _cells(item):
    names = "; ".join(name for name, _ in item.categories)
    facts = "; ".join(item.facts)
    file = item.file[0] if item.file else ""
    return item.at, item.kind_word, item.what, item.ref, facts, names, item.who, file, item.text


# --- What the address asks for ---------------------------------------------------------------------------------------


def _asked(ref, whole=False):
    """(student, form, Filters), the last None where a filter can't be understood."""
    student = students.student(g.user, ref, audit=False, whole=whole)
    form = TimelineForm(request.args, meta={"csrf": False})
    if not form.validate():
        return student, form, None
    filters = queries.Filters(
        school_zone(), tuple(form.kind.data), form.from_.data, form.to.data, form.text.data or "", form.author.data or ""
    )
    return student, form, filters


def _address(path=None, **changes):
    """An address with the filters of this one, on its first page unless told otherwise."""
    return with_args(path or request.path, request.args, **{"after": None} | changes)


def _page(student, form, filters=None, items=(), after=None, following=None):
    home, zone = f"/students/{student.ref}/timeline", school_zone()
    return render_template(
        "timeline/timeline.html",
        student=student,
        tabs=students.tabs(g.user, student, "Timeline"),
        form=form,
        home=home,
        kinds=queries.KINDS,
        chips=_chips(filters) if filters else [],
        rows=[_written(item, zone) for item in items],
        newest=after and _address(),
        following=following,
        files=[_address(f"{home}.{kind}") for kind in ("csv", "xlsx")],
        print_url=_address(f"{home}/print"),
    )


def _chips(filters):
    """The filters that are on, each with the address without it."""
    chips = []
    for name in filters.kinds:
        others = [kind for kind in filters.kinds if kind != name]
        chips.append((f"Show: {queries.KINDS[name]}", _address(kind=others)))
    values = {
        "from": ("From", filters.from_day and written_day(filters.from_day)),
        "to": ("To", filters.to_day and written_day(filters.to_day)),
        "text": ("Text", filters.text),
        "author": ("Author", filters.author),
    }
    return chips + [(f"{label}: {value}", _address(**{name: None})) for name, (label, value) in values.items() if value]
