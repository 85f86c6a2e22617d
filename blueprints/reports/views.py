"""Reporting: the Custom Report with its whole state in the address, its exports, and saved reports."""

from urllib.parse import parse_qsl, quote, urlencode

from flask import Blueprint, flash, g, redirect, render_template, request, url_for

import permissions
from blueprints.kit import charts
from blueprints.kit.forms import school_zone
from blueprints.kit.listing import with_args
from blueprints.kit.presentation import moment, written_day
from blueprints.kit.tables_out import table_response
from blueprints.reports import actions, queries
from blueprints.reports.forms import CASES_FIELDS, ReportForm, SavedReportForm
from models import Conflict

bp = Blueprint("reports", __name__)

FILTERS = ("from", "to", "category", "student", "student_ref", "year_group", "cohort", "author", "text", *CASES_FIELDS)
LONGEST_QUERY = 2000
MOST_BARS = 15
LIST, COUNTS = "reports.incidents", "reports.incident_counts"


@bp.route("/reports")
@permissions.policy("report.run")
def index():
    mine, shared = queries.saved_reports(g.user)
    return render_template("reports/index.html", mine=mine, shared=shared)


# --- Custom Report ---------------------------------------------------------------------------------------------------


@bp.route("/reports/incidents")
@permissions.policy("report.run")
def incidents():
    """The incidents that fit. Their counts are a page of their own: they look at all of them, the list at a page."""
    form, choices = _form()
    if not request.args:
        return _page(form)
    filters, chosen = _filters(form, choices)
    if filters is None:
        return _page(form, chosen=chosen), 422
    page = queries.run(g.user, filters, request.args.get("page"), school_zone())
    return _page(form, chosen=chosen, page=page, rows=_rows(page), **_result(form, filters, page.total, page.total_text))


@bp.route("/reports/incidents/counts")
@permissions.policy("report.run")
def incident_counts():
    """The same filters: how many incidents fit them by month, category, year group and status."""
    form, choices = _form()
    filters, chosen = _filters(form, choices)
    if filters is None:
        return _page(form, chosen=chosen), 422
    counts = queries.counted(g.user, filters, choices, school_zone())
    result = _result(form, filters, counts.total, f"{counts.total:,}")
    return _page(form, chosen=chosen, charts=_charts(counts, choices), **result)


@bp.route("/reports/incidents.<any(csv, xlsx):kind>")
@permissions.policy("report.run")
def incidents_export(kind):
    form, choices = _form()
    filters, chosen = _filters(form, choices)
    if filters is None:
        return _page(form, chosen=chosen), 422
    header, cells = _columns()
    rows = map(cells, queries.export(g.user, filters, school_zone(), kind))
    return table_response(kind, "incidents", header, rows, school_zone())


def _form():
    """The filters as the address has them, and what they offer. Without the Cases module its filters do not exist."""
    if not g.school.cases_module and request.args.keys() & set(CASES_FIELDS):
        raise permissions.NotVisible(request.path)
    choices = queries.choices(g.user)
    form = ReportForm(request.args, meta={"csrf": False}).offer(choices, g.school.cases_module)
    form.student.label.text = g.school.student_word
    return form, choices


def _filters(form, choices):
    """(Filters, chosen students), or (None, …) with the sentences at the fields."""
    good = form.validate()
    filters, chosen, problem = queries.filters_of(g.user, form, choices, request.args.getlist("student_ref"))
    if problem:
        form.student.errors = [*form.student.errors, problem]
    elif chosen:
        form.student.data = ""  # it stands as a chip now
    return (filters if good and not problem else None), chosen


def _page(form, **context):
    return render_template("reports/incidents.html", form=form, home=url_for(_shown()), **context)


def _shown():
    """The endpoint of what is shown: the list, or its counts. Filters that an export refuses stand above the list."""
    return COUNTS if request.endpoint == COUNTS else LIST


def _result(form, filters, total, in_words):
    """What stands around a result, whichever way it is shown. `in_words`: the total, of the list "100+" at most."""
    tabs = [
        (label, _of_result(url_for(endpoint)), endpoint == _shown(), many)
        for label, endpoint, many in (("Incidents", LIST, in_words), ("Counts", COUNTS, None))
    ]
    files = {kind: _narrowed(url_for("reports.incidents_export", kind=kind)) for kind in ("csv", "xlsx")}
    words = {"total": in_words, "chips": _chips(form, filters), "state": _state()}
    return {"tabs": tabs, "is_empty": not total, "files": files, **words}


def _narrowed(path, **changes):
    """An address with the filters of this one, and changes to them."""
    return with_args(path, request.args, page=None, **changes)


def _of_result(path, **changes):
    """The same, where an address without any filter would be the empty form: this one still asks for everything."""
    address = _narrowed(path, **changes)
    return address if "?" in address else address + "?from="


def _state():
    """The filters of this address as its query part, without empty ones and whatever else stands there."""
    pairs = [(name, value) for name, value in request.args.items(multi=True) if name in FILTERS and value]
    return urlencode(pairs)


def _chips(form, filters):
    """The filters that are on, each with the address without it."""
    labels = {each.name: each.label.text for each in form}
    people = dict(form.author.choices)
    values = {
        "from": filters.from_day and written_day(filters.from_day),
        "to": filters.to_day and written_day(filters.to_day),
        "category": ", ".join(row.whole_name for row in filters.categories),
        "student": filters.student and filters.student.name,
        "year_group": filters.year_group,
        "cohort": filters.cohort and filters.cohort.name,
        "author": filters.author and people[filters.author.ref],
        "text": filters.text,
        "status": filters.status,
        "assigned_to": filters.assigned_to and people[filters.assigned_to.ref],
        "unassigned": filters.unassigned and "yes",
    }
    chips = []
    for name, value in values.items():
        if value:
            without = {name: None} | ({"student_ref": None} if name == "student" else {})
            chips.append((f"{labels[name]}: {value}", _of_result(url_for(_shown()), **without)))
    return chips


def _charts(counts, choices):
    """Counts by month, category, year group and (with the Cases module) status; each bar leads to the narrower report."""
    rows = {row.id: row for top, children in choices.tree for row in (top, *children)}
    refs = {row.whole_name: row.ref for row in rows.values()}
    by_category = [(rows[key].whole_name, count) for key, count in counts.by_category.items() if key in rows]
    by_year = [(year or "None", count) for year, count in counts.by_year.items()]
    of_month, of_category, of_year, of_status = map(_narrowing, (("from", "to"), ("category",), ("year_group",), ("status",)))
    made = [
        charts.by_month("Incidents by month", counts.by_month, counts.first, counts.last, "incidents", lambda first, last:
            of_month(max(first, counts.first), min(last, counts.last))),
        charts.bars("Incidents by category", by_category, "incidents", MOST_BARS,
            url=lambda name: of_category(refs.get(name))),
        charts.bars("Incidents by year group", by_year, "incidents", MOST_BARS,
            url=lambda year: of_year(year) if year in choices.years else None),
    ]  # fmt: skip
    if g.school.cases_module:
        by_status = [(status, counts.by_status.get(status, 0)) for status in ("Active", "Closed")]
        made.append(charts.bars("Incidents by status", by_status, "incidents", order=None, url=of_status))
    return made


def _narrowing(names):
    """A function from values of these filters to the list with them: what all those addresses share is written once."""
    shared = _narrowed(url_for(LIST), **dict.fromkeys(names))
    start = shared + ("&" if "?" in shared else "?")
    return lambda *values: start + urlencode(list(zip(names, values, strict=True)), quote_via=quote)


def _rows(page):
    """What stands in the cells of the table, ready to be written."""
    zone = school_zone()
    return [
        (row.ref, moment(row.happened_at, zone), row.student_names, ", ".join(row.category_names), row.author_name, row.status,
         row.status.lower(), row.assigned_name or "Nobody")
        for row in page.items
    ]  # fmt: skip


def _columns():
    """(heading, function from a Summary to the cells) of the exports."""
    header = ["Incident", "When it happened", "Entered", "Place", "Author", f"{g.school.student_word}", "Category"]
    with_cases = g.school.cases_module

    def cells(row):
        names = "; ".join(part.student_name for part in row.parts)
        categories = "; ".join(dict.fromkeys(name for part in row.parts for name, _ in part.categories))
        plain = [row.ref, row.happened_at, row.entered_at, row.place, row.author_name, names, categories]
        return plain + ([row.status, row.assigned_name or "Nobody"] if with_cases else []) + [row.open_actions]

    return header + (["Status", "Assigned to"] if with_cases else []) + ["Open actions"], cells


# --- Saved reports ---------------------------------------------------------------------------------------------------


@bp.route("/reports/saved", methods=["POST"])
@permissions.policy("report.run")
def save_report():
    form = SavedReportForm()
    form.query.data = _known(form.query.data)
    if not form.validate():
        return render_template("reports/saved_form.html", form=form, row=None), 422
    row = actions.save_report(form.name.data, form.query.data, form.is_shared.data, actor=g.user)
    flash(f"The report {row.name} was saved.", "ok")
    return redirect(url_for("reports.index"), 303)


@bp.route("/reports/saved/<ref>")
@permissions.policy("report.run", record=True)
def saved_report(ref):
    row = queries.saved_report(g.user, ref)
    return redirect(f"{url_for('reports.incidents')}?{row.query or 'from='}")


@bp.route("/reports/saved/<ref>/edit", methods=["GET", "POST"])
@permissions.policy("report.run", record=True)
def edit_report(ref):
    row = queries.own_report(g.user, ref)
    form = SavedReportForm(name=row.name, is_shared=row.is_shared, version=row.version)
    if not form.is_submitted():
        return render_template("reports/saved_form.html", form=form, row=row)
    if not form.validate():
        return render_template("reports/saved_form.html", form=form, row=row), 422
    try:
        fields = {"name": form.name.data, "is_shared": form.is_shared.data}
        actions.change_report(row, form.read_version, **fields, actor=g.user)
    except Conflict as conflict:
        form.version.data = str(conflict.row.version)
        return render_template("reports/saved_form.html", form=form, row=conflict.row, changed=True), 409
    flash(f"The report {row.name} was saved.", "ok")
    return redirect(url_for("reports.index"), 303)


@bp.route("/reports/saved/<ref>/removal", methods=["POST"])
@permissions.policy("report.run", record=True)
def remove_report(ref):
    row = queries.own_report(g.user, ref)
    actions.remove_report(row, actor=g.user)
    flash(f"The report {row.name} was removed.", "ok")
    return redirect(url_for("reports.index"), 303)


def _known(query):
    """The filters of a query part that a form carried; anything else in it is left out."""
    pairs = parse_qsl((query or "")[:LONGEST_QUERY], keep_blank_values=False)
    return urlencode([(name, value) for name, value in pairs if name in FILTERS])
