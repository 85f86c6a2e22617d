"""The Case Management Dashboard: tiles, filters and the cases, with the whole state in the address; and its exports."""

from datetime import datetime, time

from flask import g, render_template, request, url_for

import events
import permissions
from blueprints.kit import listing
from blueprints.kit.forms import school_zone
from blueprints.kit.presentation import written_day
from blueprints.kit.tables_out import table_response
from blueprints.timeline import queries
from blueprints.timeline.forms.dashboard import DashboardForm
from blueprints.timeline.views import bp
from extensions import clock

CHOICES = ("type", "year", "group", "mine")
PER_PAGE = 50
COUNTED = 100_000  # they are counted anyway: the count is exact
# What opened a case, as the column says it; the case's page has whole sentences.
OPENED_BY = {"form": "form", "plan": "plan", "task": "task", "meeting": "meeting", "review": "plan review", "file": "file"}
HEADER = (
    "Case", "Title", "Case type", "Status", "Year group", "Tutor group", "Open tasks", "Overdue tasks", "Next meeting",
    "Active plans", "Tier", "Review by", "Last activity", "Opened", "Opened by itself",
)  # fmt: skip


@bp.route("/case-management/dashboard")
@permissions.policy("case.read")
def dashboard():
    form = _form()
    if not form.validate():
        return _page(form, None), 422
    found = queries.counts(g.user, _day(), _asked(form))
    events.record_alone("case_management.read", actor=g.user, count=found.shown)
    return _page(form, found)


@bp.route("/case-management/dashboard.<any(csv, xlsx):kind>")
@permissions.policy("case.read")
def dashboard_export(kind):
    form = _form()
    if not form.validate():
        return _page(form, None), 422
    rows = queries.rows(g.user, _day(), _asked(form))
    events.record_alone("case_management.exported", actor=g.user, count=len(rows), format=kind)
    header = [HEADER[0], g.school.student_word, *HEADER[1:]]
    return table_response(kind, "case-management", header, map(_cells, rows), school_zone())


def _cells(row):
    work = row.work
    return (
        row.ref, row.student_name, row.title, row.case_type, row.status, row.year_group, row.tutor_group, work.open_tasks,
        work.overdue_tasks, work.meeting_at, work.plans, work.tier or None, work.review_by, row.last_activity_at, row.opened_at,
        OPENED_BY.get(row.opened_by, "" if row.opened_by is None else "yes"),
    )  # fmt: skip


# --- What the address asks for ---------------------------------------------------------------------------------------


def _form():
    form = DashboardForm(request.args, meta={"csrf": False})
    form.offer(*queries.choices(g.user), sees_others=g.user.role == permissions.ADMIN)
    form.q.label.text = f"Title or {g.school.student_word.lower()}"
    return form


def _day():
    now = clock.now()
    return queries.Day(now.astimezone(school_zone()).date(), now)


def _tile():
    asked = request.args.get("show", "")
    return asked if asked in queries.TILES else ""


def _sort():
    asked = request.args.get("sort", "")
    return asked if asked.removeprefix("-") in queries.SORTS else queries.NEWEST_ACTIVITY


def _asked(form):
    quiet = form.quiet.data
    return queries.Asked(
        text=form.q.data or "",
        status="" if form.status.data == "Any" else form.status.data,
        type_ref=form.type.data,
        year=form.year.data,
        group=form.group.data,
        mine=form.mine.data,
        quiet_before=quiet and datetime.combine(quiet, time(), school_zone()),
        tile=_tile(),
        sort=_sort(),
    )


# --- The page --------------------------------------------------------------------------------------------------------


def _page(form, found):
    if found is None:
        return render_template("timeline/dashboard.html", form=form, page=None)
    form.offer_years(found.years)
    day = _day()
    page = listing.paginate(
        lambda most, start: queries.rows(g.user, day, _asked(form), most, start),
        min(listing.page_number(request.args.get("page")), -(-found.shown // PER_PAGE) or 1),
        per_page=PER_PAGE,
        cap=COUNTED,
        count=lambda most: min(found.shown, most),
        sort=_sort(),
    )
    return render_template(
        "timeline/dashboard.html",
        form=form,
        page=page,
        reviews={row.id: queries.review_state(row.work.review_by, day.today) for row in page.items},
        opened_by=OPENED_BY,
        zone=school_zone(),
        tiles=_tiles(form, found),
        tile=_tile(),
        sort=_sort(),
        chips=_chips(form),
        exports=[_here(url_for("timeline.dashboard_export", kind=kind)) for kind in ("csv", "xlsx")],
    )


def _here(path=None, **changes):
    """This address, or another one, with the same filters and changes to them."""
    return listing.with_args(path or request.path, request.args, page=None, **changes)


def _tiles(form, found):
    """(label, count, address, is chosen) of each tile. The first stands for the whole list."""
    word = {"Any": "Cases"}.get(form.status.data, f"{form.status.data} cases")
    chosen = _tile()
    tiles = [(word, found.total, _here(show=None), not chosen)]
    for tile in found.tiles:
        tiles.append((tile.label, tile.count, _here(show=tile.key), tile.key == chosen))
    return tiles


def _chips(form):
    """The filters that are on, each with the address without it."""
    values = {
        "q": form.q.data,
        "status": form.status.data if form.status.data != "Open" else "",
        **{name: dict(form[name].pairs()).get(form[name].data) if form[name].data else "" for name in CHOICES},
        "quiet": form.quiet.data and written_day(form.quiet.data),
    }
    chips = [(f"{form[name].label.text}: {value}", _here(**{name: None})) for name, value in values.items() if value]
    if _tile():
        chips.append((queries.TILES[_tile()][0], _here(show=None)))
    return chips
