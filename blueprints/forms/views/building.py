"""Tools > Forms for those who build them: a new form, what it is called and for whom, who reads the responses, preview,
versions, publishing, retiring, definitions as files. The fields are in views/fields.py."""

from flask import Response, flash, g, redirect, render_template, request, url_for
from wtforms.fields.choices import SelectChoice

import permissions
from blueprints.forms import actions, queries
from blueprints.forms import fields as definition
from blueprints.forms.forms import filling as shape
from blueprints.forms.forms.building import (
    LONGEST_FILE,
    DraftForm,
    ImportForm,
    NewForm,
    ReadersForm,
    SettingsForm,
)
from blueprints.forms.starters import BLANK, STARTERS
from blueprints.forms.views import bp
from blueprints.forms.views.common import loaded, sent
from blueprints.kit import uploads
from blueprints.kit.attempt import blame
from blueprints.kit.forms import RowForm
from blueprints.kit.refusing import confirmation_of
from blueprints.kit.text import safe_name

COPY = "copy-"


# --- A new form ------------------------------------------------------------------------------------------------------


@bp.route("/forms/new", methods=["GET", "POST"])
@permissions.policy("form.build", record=True)
def new():
    start = request.args.get("start", "")
    form = NewForm(data=_of_starter(STARTERS[start if start in STARTERS else BLANK], start))
    copies = queries.copy_choices(g.user)
    form.start.choices = [(key, one.title if key == BLANK else f"Example: {one.title}") for key, one in STARTERS.items()]
    form.start.choices += [(COPY + ref, f"A copy of {name}") for ref, name in copies]
    tried = sent(form, lambda: actions.add_form(actor=g.user, **_start(form.start.data), **form.values()))
    if tried.saved:
        flash(f"The form {tried.result.name} was added. It is a draft until you publish it.", "ok")
        return redirect(url_for("forms.edit", ref=tried.result.ref), 303)
    return render_template("forms/new.html", form=form, starters=STARTERS), tried.status


def _of_starter(starter, key):
    """What the page is filled with for an example."""
    name = queries.free_name(starter.title) if starter.fields else ""
    return {"name": name, "description": starter.description, "audience": list(starter.audience),
            "names_student": starter.names_student, "start": key}  # fmt: skip


def _start(value):
    if value.startswith(COPY):
        return {"copy_of": queries.built_form(g.user, value.removeprefix(COPY), audit=False)}
    return {"start": value}


@bp.route("/forms/import", methods=["GET", "POST"])
@permissions.policy("form.build", record=True)
def import_definition():
    form = ImportForm()
    tried = sent(form, lambda: _import(form))
    if tried.saved:
        flash(f"The form {tried.result.name} was imported. It is a draft until you publish it.", "ok")
        return redirect(url_for("forms.edit", ref=tried.result.ref), 303)
    return render_template("forms/import.html", form=form), tried.status


def _import(form):
    """The file goes into the box below it, so that what is wrong with it can be mended right there."""
    if form.file.data:
        text = form.file.data.read(4 * LONGEST_FILE + 1).decode("utf-8", "replace").replace("\0", "")
        if len(text) > LONGEST_FILE:
            raise actions.Refused("file", f"This file is longer than {LONGEST_FILE:,} characters: it is no definition of a form.")
        form.text.data = text
    if not form.text.data:
        raise actions.Refused("file", "Choose a file, or paste a definition.")
    try:
        return actions.import_form(form.text.data, name=form.name.data, actor=g.user)
    except actions.NotGood as problem:
        for sentence in problem.sentences[:-1]:
            blame(form, "text", sentence)
        raise actions.Refused("text", problem.sentences[-1]) from None


@bp.route("/forms/<ref>/definition.json")
@permissions.policy("form.build", record=True)
def definition_file(ref):
    row = queries.built_form(g.user, ref, audit=False)
    answer = Response(actions.export_form(row, actor=g.user), mimetype="application/json")
    answer.headers.set("Content-Disposition", "attachment", filename=safe_name(f"{row.name}.json"))
    return answer


# --- What it is called, for whom, who reads --------------------------------------------------------------------------


@bp.route("/forms/<ref>/settings", methods=["GET", "POST"])
@permissions.policy("form.build", record=True)
def settings(ref):
    row = loaded(ref)
    form = SettingsForm(data=_settings(row) | {"version": row.version})
    tried = sent(form, lambda: actions.change_form(row, actor=g.user, version=form.version.data, **form.values()))
    if tried.saved:
        flash(f"The form {tried.result.name} was saved.", "ok")
        return redirect(url_for("forms.edit", ref=ref), 303)
    page = {"theirs": _differences(form, tried.theirs), "row": row, "tab": "Settings"}
    return render_template("forms/settings.html", form=form, **page), tried.status


def _settings(row):
    audience = [name for name in ("for_staff", "for_referral_users", "for_students") if getattr(row, name)]
    return {"name": row.name, "description": row.description, "audience": audience, "names_student": row.names_student}


def _differences(form, theirs):
    """[(label, what was typed, what somebody else saved meanwhile)] where the two differ; None without a conflict."""
    if theirs is None:
        return None
    typed, stored = form.values(), _settings(theirs)
    return [(form.LABELS[name], _words(typed[name]), _words(stored[name])) for name in typed if typed[name] != stored[name]]


def _words(value):
    if isinstance(value, bool):
        return "Yes" if value else "No"
    words = {name: text for name, (_, _, text) in zip(("for_staff", "for_referral_users", "for_students"),
                                                     queries.AUDIENCES.values(), strict=True)}  # fmt: skip
    return ", ".join(words[one] for one in value) if isinstance(value, list) else value


@bp.route("/forms/<ref>/readers", methods=["GET", "POST"])
@permissions.policy("form.build", record=True)
def readers(ref):
    row = loaded(ref)
    choices = {group.ref: group for group in queries.reader_choices(g.user, row)}
    now = queries.reader_groups(row)
    form = ReadersForm(data={"groups": [group.ref for group in now], "version": row.version})
    form.groups.choices = [SelectChoice(one.ref, one.name) for one in choices.values()]
    tried = sent(form, lambda: _save_readers(row, form, choices))
    if tried.saved:
        flash("Who reads the responses was saved.", "ok")
        return redirect(url_for("forms.edit", ref=ref), 303)
    asks = bool(tried.confirmation)
    # Asking whom it gives access is the first of two steps where no script has shown it, so it is no refusal.
    has_changed = asks and bool(form.confirmed.data)
    status = (422 if has_changed else 200) if asks else tried.status
    effect = _effect(row, form.groups.data, choices) if form.is_submitted() else None
    page = {"readers": now, "choices": choices, "has_changed": has_changed, "theirs": tried.theirs, "effect": effect}
    people = queries.all_readers(g.user, row)
    return render_template("forms/readers.html", row=row, tab="Who reads", form=form, people=people, **page), status


def _save_readers(row, form, choices):
    groups = [choices[ref] for ref in form.groups.data]
    return actions.set_readers(row, groups, version=form.version.data, confirmed=form.confirmed.data, actor=g.user)


def _effect(row, refs, choices):
    """Whom these groups as readers give access and take it from, for _readers_effect.html."""
    groups = [choices[ref] for ref in refs or () if ref in choices]
    gained, lost = queries.readers_effect(g.user, row, groups)
    return {"gained": gained, "lost": lost, "groups": groups, "confirmation": confirmation_of(gained)}


@bp.route("/forms/<ref>/readers/effect")
@permissions.policy("form.build", record=True)
def readers_effect(ref):
    """A part of the page before, which is on record."""
    row = queries.built_form(g.user, ref, audit=False)
    choices = {group.ref: group for group in queries.reader_choices(g.user, row)}
    return render_template("forms/_readers_effect.html", effect=_effect(row, request.args.getlist("groups"), choices))


# --- Preview, versions, publishing -----------------------------------------------------------------------------------


@bp.route("/forms/<ref>/preview")
@permissions.policy("form.build", record=True)
def preview(ref):
    row = loaded(ref)
    return _shown(row, queries.edited(row), "Preview")


@bp.route("/forms/<ref>/versions")
@permissions.policy("form.build", record=True)
def versions(ref):
    row = loaded(ref)
    return render_template("forms/versions.html", row=row, tab="Versions", rows=queries.form_versions(g.user, row))


@bp.route("/forms/<ref>/versions/<int:number>")
@permissions.policy("form.build", record=True)
def version(ref, number):
    row = loaded(ref)
    return _shown(row, queries.version(row, min(number, 2**31 - 1)), "Versions")


def _shown(row, version, tab):
    """The page on which a version is filled in, without a way to send it."""
    fields = definition.read(version.fields)
    conditions = {field.key: definition.condition_words(field, fields) for field in fields}
    form = shape.form_class(version.fields, queries.NOBODY, False)(formdata=None)
    page = {"fields": fields, "conditions": conditions, "form": form, "uploads": uploads}
    return render_template("forms/preview.html", row=row, tab=tab, version=version, **page)


@bp.route("/forms/<ref>/publication", methods=["GET", "POST"])
@permissions.policy("form.build", record=True)
def publication(ref):
    row = loaded(ref)
    draft = queries.edited(row)
    form = DraftForm(data={"version": draft.version})
    tried = sent(form, lambda: actions.publish(row, version=form.version.data, actor=g.user))
    if tried.saved:
        flash(f"Version {tried.result.number} of {row.name} is published.", "ok")
        return redirect(url_for("forms.edit", ref=ref), 303)
    new, old = definition.read(queries.edited(row).fields), queries.published_fields(row)
    page = {"row": row, "draft": draft, "fields": new, "changes": definition.differences(old, new) if row.published else [],
            "problems": definition.problems(new), "audience": queries.audience_words(row), "tried": tried,
            "groups": queries.reader_groups(row)}  # fmt: skip
    return render_template("forms/publication.html", form=form, **page), tried.status


@bp.route("/forms/<ref>/draft/removal", methods=["POST"])
@permissions.policy("form.build", record=True)
def draft_removal(ref):
    row = loaded(ref)
    form = RowForm()
    tried = sent(form, lambda: actions.discard_draft(row, version=form.version.data, actor=g.user))
    return _said(tried, ref, f"The changes since version {row.published} were discarded.")


@bp.route("/forms/<ref>/retirement", methods=["POST"])
@permissions.policy("form.build", record=True)
def retirement(ref):
    row = loaded(ref)
    form = RowForm()
    tried = sent(form, lambda: actions.retire_form(row, version=form.version.data, actor=g.user))
    return _said(tried, ref, f"{row.name} is retired: nobody can fill it in. Its responses stay.")


@bp.route("/forms/<ref>/restoration", methods=["POST"])
@permissions.policy("form.build", record=True)
def restoration(ref):
    row = loaded(ref)
    form = RowForm()
    tried = sent(form, lambda: actions.restore_form(row, version=form.version.data, actor=g.user))
    return _said(tried, ref, f"{row.name} can be filled in again.")


def _said(tried, ref, sentence):
    """Back to the form with what came of it: of a step that is one button, what stops it is a message."""
    if tried.saved:
        flash(sentence, "ok")
    elif tried.theirs is not None:
        flash("Somebody else changed the form meanwhile. Look at it as it stands now, then try again.", "warn")
    for problems in tried.form.errors.values():
        for problem in problems:
            flash(problem, "warn")
    return redirect(url_for("forms.edit", ref=ref), 303)
