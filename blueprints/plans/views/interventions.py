"""Tools > Intervention groups: the list, one group with its students, its template, the archive."""

from flask import flash, g, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict

import events
import permissions
from blueprints.account import actions as account_actions
from blueprints.account import queries as accounts
from blueprints.cases import queries as cases
from blueprints.kit import listing, presentation
from blueprints.kit.attempt import attempt, blame
from blueprints.kit.forms import RowForm, school_day, school_zone
from blueprints.kit.refusing import confirmation_of
from blueprints.kit.tables_out import table_response
from blueprints.kit.text import one_line
from blueprints.plans import actions, queries
from blueprints.plans.forms.interventions import InterventionForm
from blueprints.plans.views import bp

SHOWN = {"": "All groups", "mine": "Those I run", "archived": "Archived"}
HEADER = ("Name", "Tier", "Lead", "Staff group", "In the group", "State")
MEMBERS = ("Year group", "Tutor group", "Plan", "State", "Starts", "Review by", "Latest value", "Measured on", "Added", "Left")


# --- The list --------------------------------------------------------------------------------------------------------


@bp.route("/interventions")
@permissions.policy("plan.read")
def interventions():
    rows, typed = _rows()
    events.record_alone("intervention.listed", actor=g.user, count=len(rows))
    here = url_for("plans.interventions")
    return render_template(
        "plans/interventions.html",
        page=listing.paginate(rows, request.args.get("page"), cap=len(rows) + 1),
        typed=typed,
        tabs=[
            (word, listing.with_args(here, {}, show=show or None), show == typed["show"], None) for show, word in SHOWN.items()
        ],
        exports=[
            listing.with_args(url_for("plans.interventions_export", kind=kind), request.args, page=None)
            for kind in ("csv", "xlsx")
        ],
    )


def _rows():
    show = request.args.get("show", "")
    typed = {"q": one_line(request.args.get("q", ""))[:100], "show": show if show in SHOWN else ""}
    filters = {"archived": typed["show"] == "archived", "mine": typed["show"] == "mine"}
    return queries.intervention_groups(g.user, text=typed["q"], **filters), typed


@bp.route("/interventions.<any(csv, xlsx):kind>")
@permissions.policy("plan.read")
def interventions_export(kind):
    rows, _ = _rows()
    events.record_alone("intervention.exported", actor=g.user, count=len(rows), format=kind)
    cells = ((row.name, row.tier, row.lead, row.group, row.students, "Archived" if row.is_archived else "") for row in rows)
    return table_response(kind, "intervention-groups", HEADER, cells, school_zone())


# --- One group -------------------------------------------------------------------------------------------------------


def loaded(ref):
    """The group for this request, or 404. A GET records the read; a POST leaves that to its action."""
    return queries.intervention(g.user, ref, audit=request.method in ("GET", "HEAD"))


def changeable(ref):
    """The same for a page that only those may open who may change the template (403 for the rest)."""
    row = loaded(ref)
    if not row.may_change:
        raise permissions.Denied("intervention.manage")
    return row


@bp.route("/interventions/<ref>")
@permissions.policy("plan.read", record=True)
def intervention(ref):
    row = loaded(ref)
    left = request.args.get("show") == "left"
    rows = queries.members(g.user, row, left=left)
    here = url_for("plans.intervention", ref=ref)
    return render_template(
        "plans/intervention_group.html",
        row=row,
        left=left,
        tabs=[("In the group", here, not left, None), ("Left", here + "?show=left", left, None)],
        page=listing.paginate(rows, request.args.get("page"), per_page=100, cap=len(rows) + 1),
        steps=queries.template_steps(g.user, row),
        number=queries.number,
        people=queries.who_runs(g.user, row),
        today=school_day(),
        exports=[
            listing.with_args(url_for("plans.intervention_export", ref=ref, kind=kind), {}, show="left" if left else None)
            for kind in ("csv", "xlsx")
        ],
    )


@bp.route("/interventions/<ref>/students.<any(csv, xlsx):kind>")
@permissions.policy("plan.read", record=True)
def intervention_export(ref, kind):
    row = queries.intervention(g.user, ref, audit=False)
    rows = queries.members(g.user, row, left=request.args.get("show") == "left")
    events.record_alone("intervention.exported", actor=g.user, target=row.ref, count=len(rows), format=kind)
    cells = (
        (one.student_name, one.year_group, one.tutor_group, one.plan_title, queries.STATES[one.state], one.starts_on,
         one.review_by, one.latest, one.measured_on, one.at, one.left_at)
        for one in rows
    )  # fmt: skip
    return table_response(kind, "intervention-students", [g.school.student_word, *MEMBERS], cells, school_zone())


# --- What it says ----------------------------------------------------------------------------------------------------


@bp.route("/interventions/new", methods=["GET", "POST"])
@permissions.policy("intervention.manage")
def new_intervention():
    key = "intervention-new"
    draft = accounts.draft(g.user, key) if request.method == "GET" else None
    form = InterventionForm(formdata=MultiDict(draft)) if draft else InterventionForm(data={"tier": "2", "review_weeks": 6.0})
    form.offer(cases.all_groups())
    lead, problem = _lead(form, MultiDict(draft or {"lead_ref": g.user.ref}))
    tried = None
    if form.is_submitted() and _is_good(form, problem):
        tried = attempt(form, lambda: actions.add_intervention_group(
            lead=lead[0], group=_group(form), steps=form.rows(), actor=g.user, draft=(key, form.once.data), **form.said()
        ))  # fmt: skip
        if tried.saved:
            people = presentation.student_words().lower()
            flash(f"The intervention group {tried.result.name} was added. Next: add {people} to it.", "ok")
            return redirect(url_for("plans.add_to_intervention", ref=tried.result.ref), 303)
    return _writing(form, lead, tried, row=None, draft=draft, draft_key=key)


@bp.route("/interventions/<ref>/edit", methods=["GET", "POST"])
@permissions.policy("plan.read", record=True)
def edit_intervention(ref):
    row = changeable(ref)
    key = f"intervention:{row.ref.lower()}"
    draft = accounts.draft(g.user, key) if request.method == "GET" else None
    form = InterventionForm(formdata=MultiDict(draft)) if draft else InterventionForm(data=_now(row))
    form.offer(_groups(row))
    lead, problem = _lead(form, MultiDict(draft or {"lead_ref": row.lead.ref}))
    tried = None
    if form.is_submitted() and _is_good(form, problem):
        tried = attempt(form, lambda: actions.change_intervention_group(
            row, lead=lead[0], group=_group(form), steps=form.rows(), number=form.number.data,
            confirmed=request.form.get("confirmed", ""), actor=g.user, draft=(key, form.once.data), **form.said(),
        ))  # fmt: skip
        if tried.saved:
            flash(f"The intervention group {form.name.data} was saved.", "ok")
            return redirect(_after(ref), 303)
    return _writing(form, lead, tried, row=row, draft=draft, draft_key=key)


def _now(row):
    names = ("name", "description", "concern", "goal", "measure", "baseline", "target", "review_weeks")
    steps = [{"text": step.text, "how_often": step.how_often} for step in queries.template_steps(g.user, row)]
    return {name: getattr(row, name) for name in names} | {
        "tier": str(row.tier), "group": row.group.ref if row.group else "", "number": row.version, "steps": steps,
    }  # fmt: skip


def _groups(row):
    """The groups to choose from; the one that runs it stays, in use or not."""
    found = list(cases.all_groups())
    if row.group and all(ref != row.group.ref for ref, _ in found):
        found.append((row.group.ref, row.group.name))
    return found


def _group(form):
    return queries.staff_group(g.user, form.group.data) if form.group.data else None


def _lead(form, otherwise):
    """(the accounts that the field Lead stands at, what is wrong with that or None). A name that is typed takes the place of
    the one who stood there."""
    given = request.form if form.is_submitted() else otherwise
    found, problem = queries.pick(given.getlist("lead_ref"))
    if typed := given.get("lead", "").strip():
        found, problem = queries.resolve(typed)
        if not problem:
            form.lead.data, form.lead.raw_data = "", None
    if len(found) != 1 and not problem:
        problem = "A group has one lead. Choose one person." if found else "Say who leads the group."
    return found, problem


def _is_good(form, problem):
    good = form.validate()
    blame(form, "lead", problem)
    return good and not problem


def _writing(form, lead, tried, **context):
    theirs = tried.theirs if tried else None
    page = {
        "form": form,
        "chips": queries.chips(lead),
        "people": tried.people if tried else (),
        "confirmation": tried.confirmation if tried else "",
        "number": queries.number,
        "theirs": theirs,
        "their_steps": queries.template_steps(g.user, theirs) if theirs else (),
        **context,
    }
    return render_template("plans/intervention_edit.html", **page), tried.status if tried else 422 if form.errors else 200


def _after(ref):
    """The group, unless the change has closed it to whoever made it."""
    try:
        queries.intervention(g.user, ref, audit=False)
    except permissions.NotVisible:
        return url_for("plans.interventions")
    return url_for("plans.intervention", ref=ref)


@bp.route("/interventions/new/draft-removal", methods=["POST"])
@permissions.policy("intervention.manage")
def new_intervention_draft_removal():
    account_actions.clear_draft("intervention-new", actor=g.user)
    flash("The draft was discarded.", "ok")
    return redirect(url_for("plans.new_intervention"), 303)


@bp.route("/interventions/<ref>/edit/draft-removal", methods=["POST"])
@permissions.policy("plan.read", record=True)
def edit_intervention_draft_removal(ref):
    row = changeable(ref)
    account_actions.clear_draft(f"intervention:{row.ref.lower()}", actor=g.user)
    flash("The draft was discarded.", "ok")
    return redirect(url_for("plans.edit_intervention", ref=ref), 303)


@bp.route("/interventions/<ref>/effect")
@permissions.policy("plan.read", record=True)
def intervention_effect(ref):
    """Whom the lead and staff group that are chosen at the moment would give access: a part of the page, for its script."""
    row = queries.intervention(g.user, ref, audit=False)
    if not row.may_change:
        raise permissions.Denied("intervention.manage")
    found, problem = queries.pick(request.args.getlist("lead_ref"))
    group = request.args.get("group", "")
    people = []
    if not problem and len(found) == 1:
        people = queries.newly_running(row, found[0], queries.staff_group(g.user, group) if group else None)
    return render_template("plans/_intervention_effect.html", people=people, confirmation=confirmation_of(people))


# --- The archive -----------------------------------------------------------------------------------------------------


@bp.route("/interventions/<ref>/archive", methods=["GET", "POST"])
@permissions.policy("plan.read", record=True)
def archive_intervention(ref):
    row = changeable(ref)
    if request.method == "GET" and row.archived_at is not None:
        return redirect(url_for("plans.intervention", ref=ref), 303)
    work = lambda form: actions.archive_intervention(row, version=form.version.data, actor=g.user)  # noqa: E731
    return _turned(row, work, f"{row.name} is archived. It can be restored from here.", archive=True)


@bp.route("/interventions/<ref>/restore", methods=["GET", "POST"])
@permissions.policy("plan.read", record=True)
def restore_intervention(ref):
    row = changeable(ref)
    if request.method == "GET" and row.archived_at is None:
        return redirect(url_for("plans.intervention", ref=ref), 303)
    work = lambda form: actions.restore_intervention(row, version=form.version.data, actor=g.user)  # noqa: E731
    return _turned(row, work, f"{row.name} is in use again.", archive=False)


def _turned(row, work, said, archive):
    form = RowForm(data={"version": row.version})
    tried = attempt(form, lambda: work(form)) if form.validate_on_submit() else None
    if tried and tried.saved:
        flash(said, "ok")
        return redirect(url_for("plans.intervention", ref=row.ref), 303)
    code = tried.status if tried else 422 if form.errors else 200
    return render_template("plans/intervention_archive.html", row=row, form=form, tried=tried, archive=archive), code
