"""The students of an intervention group: bringing them in by name, by address or by ticking a list, and letting them leave."""

from flask import flash, g, redirect, render_template, request, url_for

import permissions
from blueprints.kit import addresses, csvread, listing, presentation
from blueprints.kit.attempt import Attempt, attempt, blame
from blueprints.kit.picking import Picked
from blueprints.kit.text import human_size, one_line, plural, safe_name
from blueprints.plans import actions, queries
from blueprints.plans.forms.interventions import AddStudentsForm
from blueprints.plans.views import bp
from blueprints.plans.views.interventions import loaded
from blueprints.students import queries as students

FILTERS = ("year", "tutor", "cohort")
MOST_TOLD = 10  # bad addresses that a refusal names


# --- Coming ----------------------------------------------------------------------------------------------------------


@bp.route("/interventions/<ref>/students", methods=["GET", "POST"])
@permissions.policy("plan.read", record=True)
def add_to_intervention(ref):
    row = loaded(ref)
    form = AddStudentsForm()
    form.students.label.text = presentation.student_words()
    picked, ticked = Picked(), set()
    if form.is_submitted():
        tried, picked, ticked = _sent(form, row)
        if tried.saved:
            presentation.nudge()
            flash(_told(row, *tried.result), "ok")
            return redirect(url_for("plans.intervention", ref=ref), 303)
    offered, typed = queries.offered(g.user), {name: one_line(request.args.get(name, ""))[:100] for name in FILTERS}
    found, has_more = queries.candidates(g.user, row, **typed)
    return render_template(
        "plans/intervention_add.html",
        row=row,
        form=form,
        picked=picked,
        ticked=ticked,
        offered=offered,
        typed=typed,
        found=found,
        has_more=has_more,
        people=queries.who_runs(g.user, row),
        most=csvread.MAX_BYTES,
        here=listing.with_args(request.path, request.args),
    ), 422 if form.errors else 200


def _sent(form, row):
    """(what came of it, the Picked of the field Students, the references that were ticked in the list)."""
    form.validate()
    ticked = set(request.form.getlist("student"))
    picked, chosen = _by_name()
    blame(form, "students", picked.problem)
    if not picked.asked:
        form.students.data, form.students.raw_data = "", None
    from_list = students.pick(g.user, sorted(ticked))
    written, problem = _by_address(form)
    blame(form, "emails", problem)
    found = list({student.id: student for student in (*chosen, *from_list, *written)}.values())
    if not found and not form.errors:
        blame(form, "students", f"Choose at least one {g.school.student_word.lower()}.")
    if form.errors:
        return Attempt(form), picked, ticked
    tried = attempt(form, lambda: (actions.add_students(row, found, actor=g.user), len(found)))
    return tried, picked, ticked


def _by_name():
    """Picked of the field Students, chosen from the list or typed without a script, and the students."""
    refs = list(dict.fromkeys(map(one_line, request.form.getlist("students_ref") + request.form.getlist("students_choice"))))
    rows = students.pick(g.user, refs)
    picked = Picked(problem="Somebody you chose is not known. Choose again." if len(rows) < len(refs) else None)
    typed = request.form.get("students", "").strip()
    if typed and not (request.form.getlist("students_choice") and request.form.get("students_asked", "").strip() == typed):
        found, problem = students.resolve_typed(g.user, typed)
        rows += [row for row in found if row not in rows]
        if problem:
            picked.problem, picked.asked = problem, typed
            picked.choices = students.suggest(g.user, typed, limit=20)
    picked.chips = [students.chip(row) for row in rows]
    return picked, rows


def _by_address(form):
    """(students, sentence or None) of the addresses that were written and those of the file. What the file said stands in
    the field from then on, so that it can be mended there."""
    text = form.emails.data or ""
    try:
        text = "\n".join(filter(None, [text, *(row.address for row in _from_file(form.file.data) if row.outcome != "twice")]))
    except csvread.CsvProblem as problem:
        blame(form, "file", problem.sentence)
    form.emails.data, form.emails.raw_data = text, None
    rows = addresses.written(text)
    found = queries.by_addresses(g.user, rows)
    bad = [row for row in rows if row.outcome]
    told = "; ".join(f"{row.address}: {row.sentence.rstrip('.')}" for row in bad[:MOST_TOLD])
    more = f"; and {len(bad) - MOST_TOLD} more" if len(bad) > MOST_TOLD else ""
    return found, f"Nobody was added. {told}{more}." if bad else None


def _from_file(file):
    """The rows of the file that was sent, none where there is none. Raises CsvProblem."""
    if not file or not file.filename:
        return []
    size = getattr(file.stream, "full_size", 0)
    if size > csvread.MAX_BYTES:
        most = human_size(csvread.MAX_BYTES)
        raise csvread.CsvProblem(f"{safe_name(file.filename)} is {human_size(size)}. A CSV file can be at most {most}.")
    return addresses.read(csvread.read(file.read()))


def _told(row, added, asked):
    """What to say after students came; who was in the group before makes no plan twice."""
    said = f"{_counted(added)} came to {row.name}, each with a plan."
    return said + (f" {asked - added:,} already in it: nothing changed for them." if asked > added else "")


def _counted(number):
    return plural(number, g.school.student_word.lower(), presentation.student_words().lower())


# --- Going -----------------------------------------------------------------------------------------------------------


@bp.route("/interventions/<ref>/leaving", methods=["GET", "POST"])
@permissions.policy("plan.read", record=True)
def leave_intervention(ref):
    row = loaded(ref)
    chosen = set(request.values.getlist("plan"))
    rows = [member for member in queries.members(g.user, row) if member.plan_ref in chosen]
    if request.method == "POST" and chosen:
        left = actions.leave_group(row, list(chosen), actor=g.user)
        flash(f"{_counted(left)} left {row.name}. The plans have ended and are kept.", "ok")
        return redirect(url_for("plans.intervention", ref=ref), 303)
    return render_template("plans/intervention_leave.html", row=row, members=rows), 422 if request.method == "POST" else 200
