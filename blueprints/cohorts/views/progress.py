"""The tab Progress of a cohort: the grid of students and milestones, marking in it, how far all are with one milestone, the
chart of completion, exports."""

from dataclasses import dataclass, field

from flask import flash, g, redirect, render_template, request, url_for

import events
import permissions
from blueprints.cohorts import actions, queries
from blueprints.cohorts.forms.progress import MOST_STUDENTS, cells, letters, read_ticks, versions
from blueprints.cohorts.views import bp
from blueprints.cohorts.views.common import FORMATS, loaded, searched
from blueprints.kit import charts, listing, presentation
from blueprints.kit.forms import school_day, school_zone
from blueprints.kit.text import plural

COUNTED = 10_000  # students; beyond this the list says "more than"
BECOMES = {"completed": "Completed", "waived": "Waived", "open": "Open"}


@dataclass
class _Sent:
    """What came of a grid that was sent: the ticks, as the places that stay ticked, and why nothing was marked."""

    problem: str = ""
    is_stale: bool = False
    moved: list = field(default_factory=list)
    cells: set = field(default_factory=set)
    state: str = ""

    @property
    def status(self):
        """The HTTP status of the page that shows it."""
        if self.moved or self.is_stale:
            return 409
        return 422 if self.problem else 200


# --- The grid --------------------------------------------------------------------------------------------------------


@bp.route("/cohorts/<ref>/progress", methods=["GET", "POST"])
@permissions.policy("cohort.manage", record=True)
def progress(ref):
    cohort = loaded(ref)
    sent = _Sent()
    if request.method == "POST":
        sent = _mark(cohort)
        if sent.status == 200:
            return redirect(listing.with_args(request.path, request.args), 303)
    columns = queries.progress_columns(g.user, cohort)
    filters, typed = _filters(columns)
    fetch, count = queries.progress_grid(g.user, cohort, columns, today=school_day(), **filters)
    page = listing.paginate(fetch, request.args.get("page"), MOST_STUDENTS, cap=COUNTED, count=count)
    return render_template(
        "cohorts/progress.html", cohort=cohort, tab="Progress", columns=columns, page=page, typed=typed, sent=sent,
        words=queries.STATE_WORDS, chips=_chips(typed, columns), exports=_exports(ref), becomes=BECOMES,
        versions=versions(page.items), names=[letters(place) for place in range(len(columns))],
        cells=[] if cohort.archived_at else cells(page.items, columns, sent.cells),
    ), sent.status  # fmt: skip


def _filters(columns):
    """(what the query takes, what was asked for as text); what can't be asked for counts as not asked for."""
    only = next((column for column in columns if column.ref == request.args.get("milestone")), None)
    state = request.args.get("state") if request.args.get("state") in queries.STATE_WORDS else None
    text = searched()
    typed = {"q": text, "state": state or "", "milestone": only.ref if only and state else ""}
    return {"text": text, "state": state, "only": only.id if only and state else None}, typed


def _chips(typed, columns):
    titles = {column.ref: column.title for column in columns}
    words = {"q": f"Name: {typed['q']}", "state": queries.STATE_WORDS.get(typed["state"])}
    words["milestone"] = f"Milestone: {titles.get(typed['milestone'])}"
    return [
        (words[name], listing.with_args(request.path, request.args, page=None, **{name: None}))
        for name in ("q", "state", "milestone")
        if typed[name]
    ]


def _exports(ref):
    return [listing.with_args(url_for("cohorts.progress_file", ref=ref, kind=kind), request.args, page=None) for kind in FORMATS]


def _mark(cohort):
    """Mark what is ticked; what somebody else was first at stays as it is, and the page says so."""
    state = request.form.get("state", "")
    try:
        ticks = read_ticks(request.form)
    except ValueError:
        raise permissions.NotVisible(cohort.ref) from None
    if state not in BECOMES:
        raise permissions.NotVisible(cohort.ref)
    sent = _Sent(cells=set(ticks.cells) | set(ticks.wide), state=state)
    chosen, seen = _chosen(cohort, ticks, state)
    if not sent.cells:
        sent.problem = "Tick at least one cell, or a whole row or column."
        return sent
    try:
        changed = actions.mark_many(chosen, state, actor=g.user, seen=seen)
    except actions.Refused as problem:
        sent.problem = problem.sentence
    except actions.AlreadyMoved as problem:
        sent.moved = problem.moved
    else:
        presentation.nudge()
        flash(f"{plural(changed, 'cell was', 'cells were')} marked as {BECOMES[state]}.", "ok")
    return sent


def _chosen(cohort, ticks, state):
    """([(milestone, [student, …])], {milestone id: {student id: version}}) as actions.mark_many() takes them. A row or column
    that is ticked as a whole stands for what is open in it; to open again it stands for all of it."""
    milestones = queries.milestones_by_ref(g.user, cohort, ticks.milestones)
    students = queries.students_by_ref(g.user, cohort, ticks.students)
    now = queries.states_now(cohort, students.values())
    pairs = dict.fromkeys(ticks.cells)
    for student, milestone in ticks.wide:
        is_now, version = now.get((students[student].id, milestones[milestone].id), ("open", 0))
        if state == "open" or is_now == "open" or version != ticks.seen[student, milestone]:
            pairs[student, milestone] = None
    chosen, seen = {}, {}
    for student, milestone in pairs:
        row, about = students[student], milestones[milestone]
        chosen.setdefault(about.id, (about, []))[1].append(row)
        seen.setdefault(about.id, {})[row.id] = ticks.seen[student, milestone]
    return list(chosen.values()), seen


@bp.route("/cohorts/<ref>/progress/export.<any(csv, xlsx):kind>")
@permissions.policy("cohort.manage", record=True)
def progress_file(ref, kind):
    cohort = queries.cohort(g.user, ref, audit=False)
    columns = queries.progress_columns(g.user, cohort)
    filters, _ = _filters(columns)
    rows = queries.progress_export(g.user, cohort, columns, today=school_day(), **filters)
    said = {"count": len(rows), "format": kind, "list": "progress"}
    events.record_alone("cohort.exported", actor=g.user, target=cohort.ref, **said)
    header = [g.school.student_word, "Year group", "Tutor group", *(column.title for column in columns)]
    cells = ((row.name, row.year_group, row.tutor_group, *(queries.STATE_WORDS[word] for word, _ in row.cells)) for row in rows)
    return FORMATS[kind]("progress", header, cells, tz=school_zone())


# --- All students with one milestone, and the chart ------------------------------------------------------------------


@bp.route("/cohorts/<ref>/progress/chart")
@permissions.policy("cohort.manage", record=True)
def completion(ref):
    cohort = loaded(ref)
    counts = queries.progress_counts(g.user, cohort, queries.progress_columns(g.user, cohort))
    done = [(one.column.title, one.completed, url_for("cohorts.mark_everybody", ref=ref, mref=one.column.ref)) for one in counts]
    chart = charts.Chart("Completed, by milestone", done, presentation.WORDS.get(g.school.student_word, "Students").lower())
    return render_template("cohorts/completion.html", cohort=cohort, tab="Progress", counts=counts, chart=chart)


@bp.route("/cohorts/<ref>/progress/<mref>", methods=["GET", "POST"])
@permissions.policy("cohort.manage", record=True)
def mark_everybody(ref, mref):
    """How far all are with one milestone, and marking everybody for whom it is open. The number is repeated: if the set has
    changed meanwhile, nothing is marked and the page shows how it stands."""
    cohort = loaded(ref)
    columns = [column for column in queries.progress_columns(g.user, cohort) if column.ref == mref]
    if not columns:
        raise permissions.NotVisible(mref)
    sent = _Sent()
    if request.method == "POST":
        sent = _mark_everybody(cohort, mref)
        if sent.status == 200:
            return redirect(url_for("cohorts.completion", ref=ref), 303)
    (count,) = queries.progress_counts(g.user, cohort, columns)
    return render_template("cohorts/mark_everybody.html", cohort=cohort, tab="Progress", count=count, sent=sent), sent.status


def _mark_everybody(cohort, mref):
    state = request.form.get("state", "")
    if state not in ("completed", "waived"):
        raise permissions.NotVisible(mref)
    milestone = queries.milestones_by_ref(g.user, cohort, [mref])[mref]
    students = queries.open_students(g.user, cohort, milestone)
    now = queries.states_now(cohort, students)
    seen = {row.id: now.get((row.id, milestone.id), ("open", 0))[1] for row in students}
    sent = _Sent(state=state, is_stale=request.form.get("number") != str(len(students)))
    if sent.is_stale:
        return sent
    try:
        changed = actions.mark(milestone, students, state, actor=g.user, seen=seen)
    except actions.Refused as problem:
        sent.problem = problem.sentence
    except actions.AlreadyMoved:
        sent.is_stale = True
    else:
        presentation.nudge()
        flash(f"“{milestone.title}” was marked as {BECOMES[state]} for {_students(changed)}.", "ok")
    return sent


def _students(number):
    word = g.school.student_word
    return plural(number, word.lower(), presentation.WORDS.get(word, f"{word}s").lower())
