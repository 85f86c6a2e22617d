"""One task: setting it, its page, changing it, notes, completing, cancelling and reopening it, who can see it."""

from dataclasses import dataclass

from flask import flash, g, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict

import events
import permissions
from blueprints.account import actions as account_actions
from blueprints.account import queries as accounts
from blueprints.cases import actions, queries
from blueprints.cases.forms.tasks import EditTaskForm, NewTaskForm, TaskNoteForm
from blueprints.cases.views import bp
from blueprints.cases.views.picking import pick_student
from blueprints.kit import presentation
from blueprints.kit.attempt import attempt
from blueprints.kit.days import show_day
from blueprints.kit.forms import school_day
from blueprints.kit.picking import settle
from blueprints.kit.text import one_line
from blueprints.students import queries as students

NOBODY = ("", "Choose somebody")


# --- New task --------------------------------------------------------------------------------------------------------


@dataclass
class Origin:
    """What the address names: the student, or the case that the task is to belong to."""

    student: str = ""
    case: object = None

    @property
    def draft(self):
        return ":".join(["task-new", *[ref.lower() for ref in (self.case and self.case.ref or self.student,) if ref]])

    @property
    def args(self):
        """The arguments of the address that leads here again."""
        return {"case": self.case.ref} if self.case else {"student": self.student or None}


def _origin():
    """The Origin of this request. A case or a student that is not there for this reader is NotVisible."""
    if ref := one_line(request.args.get("case", "")):
        case = queries.case(g.user, ref, audit=False)
        return Origin(case.student.ref, case)
    ref = one_line(request.args.get("student", ""))
    if ref and not students.pick(g.user, [ref]):
        raise permissions.NotVisible(ref)
    return Origin(ref)


@bp.route("/tasks/new", methods=["GET", "POST"])
@permissions.policy("task.read")
def new_task():
    origin = _origin()
    draft = accounts.draft(g.user, origin.draft) if request.method == "GET" else None
    form = NewTaskForm(formdata=MultiDict(draft)) if draft else NewTaskForm()
    form.student.label.text = g.school.student_word
    chosen = {"student_ref": origin.student} if origin.student else {}
    picked = pick_student(request.form if request.method == "POST" else MultiDict(draft or chosen), "task")
    form.assigned_to.choices = [NOBODY, *queries.task_assignees(picked.row)]
    form.repeats.choices = queries.task_repeats()
    page = {"form": form, "picked": picked, "origin": origin, "draft": draft}
    if request.method == "GET":
        return render_template("cases/task_form.html", **page)
    form.validate()
    settle(form.student, picked)
    tried = None if form.errors else attempt(form, lambda: _set(form, picked.row, origin))
    if tried and tried.saved:
        presentation.nudge()
        flash("The task was set.", "ok")
        return _to_task(tried.result.ref)
    return render_template("cases/task_form.html", **page), 422


def _set(form, student, origin):
    return actions.set_task(
        actor=g.user,
        student=student,
        title=form.title.data,
        assigned_to=_assignee(form),
        due_on=form.due_on.data,
        notes=form.notes.data or "",
        repeats=form.repeats.data,
        case=origin.case,
        draft=(origin.draft, form.once.data),
    )


def _assignee(form):
    """The account that was chosen; the sentence for one that is not known is that for every other reason."""
    found, _ = queries.pick_staff([form.assigned_to.data])
    if not found:
        raise actions.Refused("assigned_to", "This person can't be given this. Choose somebody else.")
    return found[0]


@bp.route("/tasks/new/draft-removal", methods=["POST"])
@permissions.policy("task.read")
def new_task_draft_removal():
    origin = _origin()
    account_actions.clear_draft(origin.draft, actor=g.user)
    flash("The draft was discarded.", "ok")
    return redirect(url_for("cases.new_task", **origin.args), 303)


# --- Its page --------------------------------------------------------------------------------------------------------


def _loaded(ref):
    return queries.task(g.user, ref, audit=request.method in ("GET", "HEAD"))


def _managed(ref):
    """The same for what only those may do who have the task, set it, or are Admin Key Holders (403 for other readers)."""
    row = _loaded(ref)
    if not queries.may_manage_task(row):
        raise permissions.Denied("task.manage")
    return row


def _to_task(ref):
    return redirect(url_for("cases.task", ref=ref), 303)


@bp.route("/tasks/<ref>", methods=["GET", "POST"])
@permissions.policy("task.read", record=True)
def task(ref):
    """The page, and a note that is added to it."""
    row = _loaded(ref)
    form, key = TaskNoteForm(), queries.note_draft_key(row)
    if form.validate_on_submit():
        actions.add_task_note(row, form.text.data, actor=g.user, draft=(key, form.once.data))
        flash("The note was added.", "ok")
        return _to_task(ref)
    parts = queries.task_parts(g.user, row)
    if request.method == "GET" and parts["draft"]:
        form = TaskNoteForm(formdata=MultiDict(parts["draft"]))
    elif request.method == "POST":
        parts["draft"] = None
    return render_template(
        "cases/task.html",
        task=row,
        form=form,
        draft_key=key,
        may_manage=queries.may_manage_task(row),
        state=queries.state_of(row, school_day()),
        repeats=dict(queries.task_repeats())[row.repeats],
        steps=queries.task_history(row),
        readers=queries.who_can_see_task(g.user, row),
        **parts,
    ), 422 if form.errors else 200


@bp.route("/tasks/<ref>/draft-removal", methods=["POST"])
@permissions.policy("task.read", record=True)
def task_draft_removal(ref):
    row = _loaded(ref)
    account_actions.clear_draft(queries.note_draft_key(row), actor=g.user)
    flash("The draft was discarded.", "ok")
    return _to_task(ref)


@bp.route("/tasks/<ref>/access")
@permissions.policy("task.read", record=True)
def task_access(ref):
    row = queries.task(g.user, ref, audit=False)
    events.record_alone("task.access_read", actor=g.user, target=ref, reasons=row.reasons)
    return render_template("cases/task_access.html", task=row, readers=queries.who_can_see_task(g.user, row))


# --- Changing it -----------------------------------------------------------------------------------------------------


@bp.route("/tasks/<ref>/edit", methods=["GET", "POST"])
@permissions.policy("task.read", record=True)
def task_edit(ref):
    row = _managed(ref)
    now = {"title": row.title, "assigned_to": row.assigned_to.ref, "due_on": row.due_on, "repeats": row.repeats}
    form = EditTaskForm(data={**now, "version": row.version})
    offered = queries.task_assignees(row.student)
    # Whoever has it stands in the list, also when it could not be given to them any more.
    kept = [] if any(one == row.assigned_to.ref for one, _ in offered) else [(row.assigned_to.ref, row.assigned_to.name)]
    form.assigned_to.choices = [NOBODY, *kept, *offered]
    form.repeats.choices = queries.task_repeats()
    tried = None
    if form.validate_on_submit():
        tried = attempt(form, lambda: _change(row, form))
        if tried.saved:
            presentation.nudge()
            flash("The task was saved.", "ok")
            return _to_task(ref) if _still_seen(ref) else redirect(url_for("cases.tasks"), 303)
    code = tried.status if tried else 422 if form.errors else 200
    return render_template("cases/task_edit.html", task=row, form=form, tried=tried, repeats=dict(queries.task_repeats())), code


def _change(row, form):
    given = {"title": form.title.data, "due_on": form.due_on.data, "repeats": form.repeats.data}
    return actions.change_task(row, **given, assigned_to=_assignee(form), actor=g.user, version=form.version.data)


def _still_seen(ref):
    """Whoever hands their task on may not see it any more."""
    try:
        queries.task(g.user, ref, audit=False)
    except permissions.NotVisible:
        return False
    return True


def _version():
    """The version of the task that the page with the button showed."""
    text = request.form.get("version", "")
    return int(text) if text.isdecimal() and len(text) < 10 else 0


@bp.route("/tasks/<ref>/completion", methods=["POST"])
@permissions.policy("task.read", record=True)
def task_completion(ref):
    done = actions.complete_task(_loaded(ref), today=school_day(), actor=g.user, version=_version())
    presentation.nudge()
    words = "The task is completed."
    if done.successor:
        words += f" The next one is due on {show_day(done.successor.due_on)}."
    flash(words, "ok")
    return _to_task(ref)


@bp.route("/tasks/<ref>/cancellation", methods=["POST"])
@permissions.policy("task.read", record=True)
def task_cancellation(ref):
    actions.cancel_task(_loaded(ref), actor=g.user, version=_version())
    flash("The task is cancelled.", "ok")
    return _to_task(ref)


@bp.route("/tasks/<ref>/reopening", methods=["POST"])
@permissions.policy("task.read", record=True)
def task_reopening(ref):
    actions.reopen_task(_loaded(ref), actor=g.user, version=_version())
    flash("The task is open again.", "ok")
    return _to_task(ref)
