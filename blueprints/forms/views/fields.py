"""The fields of a form, one at a time: the list to which a field is added, one field's page, moving, copying, removing."""

from flask import flash, g, redirect, render_template, request, url_for

import permissions
from blueprints.forms import actions, queries
from blueprints.forms import fields as definition
from blueprints.forms.forms.building import AddFieldForm, FieldForm, answers_of
from blueprints.forms.views import bp
from blueprints.forms.views.common import loaded, sent
from blueprints.kit.listing import paginate

A_PAGE = 100  # fields


@bp.route("/forms/<ref>/edit", methods=["GET", "POST"])
@permissions.policy("form.build", record=True)
def edit(ref):
    row = loaded(ref)
    fields = definition.read(queries.edited(row).fields)
    added = definition.find(fields, request.args.get("added", ""))
    # Who adds ten questions to be answered with yes or no chooses so once.
    form = AddFieldForm(data={"type": added.type} if added else None)
    tried = sent(form, lambda: actions.add_field(row, form.field(), actor=g.user))
    if tried.saved:
        flash(f"{tried.result.named} was added.", "ok")
        # Not to the field, as below: a page that opens at a part of it does not put the cursor into its first question.
        return redirect(url_for("forms.edit", ref=ref, page=_page(len(fields) + 1), added=tried.result.key), 303)
    return _list(row, fields, form, added if not form.is_submitted() else None), tried.status


def _list(row, fields, form, added=None):
    draft = queries.edited(row)
    numbered = list(enumerate(fields, 1))
    # A refused field goes to the end, so the page with the end is the one to come back to.
    page = paginate(numbered, 10**6 if form.is_submitted() else request.args.get("page"), per_page=A_PAGE)
    when = {field.key: definition.condition_words(field, fields) for _, field in page if field.only_if}
    return render_template("forms/edit.html", row=row, tab="Fields", form=form, page=page, when=when, draft=draft, added=added,
                           is_draft=draft.published_at is None, audience=queries.audience_words(row))  # fmt: skip


def _to_field(ref, key, number):
    """To the field in the list; `number` is its place."""
    return redirect(url_for("forms.edit", ref=ref, page=_page(number), _anchor=f"field-{key}"), 303)


def _page(number):
    """The page of the list that the field with this place is on; None for the first one."""
    page = (number - 1) // A_PAGE + 1
    return page if page > 1 else None


def _place(row, key):
    fields = definition.read(queries.edited(row).fields)
    return next((number for number, field in enumerate(fields, 1) if field.key == key), 1)


# --- One field -------------------------------------------------------------------------------------------------------


@bp.route("/forms/<ref>/fields/<key>", methods=["GET", "POST"])
@permissions.policy("form.build", record=True)
def field(ref, key):
    row = loaded(ref)
    fields = definition.read(queries.edited(row).fields)
    now = definition.find(fields, key)
    if now is None:
        if request.method != "POST":
            raise permissions.NotVisible(f"{ref}/{key}")
        # Somebody else removed it meanwhile: what was typed is shown once more, and refused by the action.
        now = definition.Field(key, "text", "")
        fields.append(now)
    form = FieldForm(data=_typed(now, fields))
    form.offer(fields, key, _types(row, key))
    tried = sent(form, lambda: _change(row, key, form, fields.index(now) + 1))
    if tried.saved:
        flash(f"{tried.result.named} was saved.", "ok")
        return _to_field(ref, key, _place(row, key))
    theirs = None
    if tried.theirs is not None:
        fields = definition.read(tried.theirs.fields)
        now = definition.find(fields, key)
        form.rebase_on(now)
        theirs = _differences(form, now)
    is_asked = now.type in definition.LISTED and definition.waiting_for(fields, key)
    page = {"row": row, "tab": "Fields", "field": now, "place": fields.index(now) + 1, "count": len(fields), "theirs": theirs,
            "waiting": is_asked or []}  # fmt: skip
    return render_template("forms/field.html", form=form, **page), tried.status


def _types(row, key):
    """The types the field can have: as soon as it was published, the one it has."""
    _, published = queries.history_of(row)
    return [published[key]] if key in published else list(definition.TYPES)


def _typed(now, fields):
    condition = now.only_if
    return {
        "type": now.type, "label": now.label, "help": now.help, "required": now.required, "options": "\n".join(now.options),
        "low": str(now.low), "high": str(now.high), "only_if": condition.field if condition else "",
        "answer": condition.answer if condition else "", "place": str(fields.index(now) + 1),
        "before": definition.fingerprint(now),
    }  # fmt: skip


def _change(row, key, form, place):
    moved = int(form.place.data) if int(form.place.data) != place else None
    return actions.change_field(row, key, form.field(key), before=form.before.data, place=moved, actor=g.user)


def _differences(form, now):
    """[(label, what was typed, what somebody else saved meanwhile)] where the two differ."""
    typed, stored = _as_words(form.field(now.key)), _as_words(now)
    return [(form.LABELS[name], typed[name], stored[name]) for name in form.LABELS if typed[name] != stored[name]]


def _as_words(field):
    condition = f"if {field.only_if.field} is {field.only_if.answer}" if field.only_if else "Always"
    return {
        "type": field.type_word, "label": field.label, "help": field.help, "required": "Yes" if field.required else "No",
        "options": "\n".join(field.options), "low": str(field.low), "high": str(field.high), "only_if": condition,
    }  # fmt: skip


@bp.route("/forms/<ref>/answers")
@permissions.policy("form.build", record=True)
def answers(ref):
    """A part of the page before: the answers of the field that was chosen."""
    row = queries.built_form(g.user, ref, audit=False)
    choices = answers_of(definition.read(queries.edited(row).fields), request.args.get("only_if", ""))
    return render_template("forms/_waits_for.html", choices=choices, chosen=request.args.get("answer_now", ""), errors=[])


@bp.route("/forms/<ref>/order", methods=["POST"])
@permissions.policy("form.build", record=True)
def order(ref):
    row = loaded(ref)
    how = actions.UP if "up" in request.form else actions.DOWN
    key = request.form.get(how, "")
    try:
        actions.move_field(row, key, how, actor=g.user)
    except actions.Refused as problem:
        flash(problem.sentence, "warn")
    return _to_field(ref, key, _place(row, key))


@bp.route("/forms/<ref>/fields/<key>/copy", methods=["POST"])
@permissions.policy("form.build", record=True)
def field_copy(ref, key):
    row = loaded(ref)
    try:
        made = actions.copy_field(row, key, actor=g.user)
    except actions.Refused as problem:
        flash(problem.sentence, "warn")
        return _to_field(ref, key, _place(row, key))
    flash(f"{made.named} was added below. Change what is different.", "ok")
    return redirect(url_for("forms.field", ref=ref, key=made.key), 303)


@bp.route("/forms/<ref>/fields/<key>/removal", methods=["POST"])
@permissions.policy("form.build", record=True)
def field_removal(ref, key):
    row = loaded(ref)
    place = _place(row, key)
    try:
        gone = actions.remove_field(row, key, actor=g.user)
    except actions.Refused as problem:
        flash(problem.sentence, "warn")
        return _to_field(ref, key, place)
    flash(f"{gone.named} was removed.", "ok")
    return _to_field(ref, key, max(1, place - 1))
