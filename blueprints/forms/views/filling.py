"""Filling in a form. What is typed is kept as a draft for whoever types it, until it is sent or discarded."""

from flask import flash, g, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict

import permissions
from blueprints.account import actions as account_actions
from blueprints.account import queries as accounts
from blueprints.forms import actions, queries
from blueprints.forms import fields as definition
from blueprints.forms.forms import filling as shape
from blueprints.forms.views import bp
from blueprints.incidents.actions import taken
from blueprints.kit import picking, presentation, uploads
from blueprints.kit.attempt import attempt, upload_folder
from blueprints.kit.text import one_line
from blueprints.students import queries as students


@bp.route("/forms/<ref>/responses/new", methods=["GET", "POST"])
@permissions.policy("form.fill", record=True)
def fill(ref):
    asked = queries.to_fill(g.user, ref, retired=request.method == "POST")
    student = _student(asked)
    draft = accounts.draft(g.user, _draft_key(asked, student)) if request.method == "GET" else None
    values = request.form if request.method == "POST" else MultiDict(draft or {"student_ref": [student] if student else []})
    form = _form(asked, values if draft else None)
    one, found = f"Choose one {g.school.student_word.lower()}.", students.picker(g.user)
    pickers = {name: picking.pick_one(values, name, found, several=one) for name in _picker_names(asked)}
    page = {"asked": asked, "form": form, "pickers": pickers, "student": student, "draft": draft, "uploads": uploads}
    page |= {"draft_key": _draft_key(asked, student), "lost": [], "readers": _readers(asked)}
    page["conditions"] = {field.key: definition.condition_words(field, asked.fields) for field in asked.fields}
    if request.method == "GET":
        form.number.data = str(asked.number)
        return render_template("forms/fill.html", **page)
    answers = _check(form, asked, pickers)
    tried = None if form.errors else attempt(form, lambda: _send(form, asked, answers, pickers, student))
    if tried and tried.saved:
        presentation.nudge()
        flash("Your referral was sent." if tried.result.referral_ref else "The form was submitted.", "ok")
        return redirect(_where_to(tried.result), 303)
    if form.number.data != str(asked.number):
        page["lost"] = _no_longer_asked(asked, form.number.data)
        form.number.raw_data, form.number.data = None, str(asked.number)
    page["files_lost"] = any(name.startswith(shape.PREFIX) and files for name, files in request.files.items())
    return render_template("forms/fill.html", tried=tried, **page), 409 if tried and tried.theirs else 422


def _student(asked):
    """The reference of the student whose page the reader comes from; NotVisible for one who is not there for them."""
    ref = one_line(request.args.get("student", ""))
    if not ref or asked.about != queries.PICKED:
        return None
    if not students.pick(g.user, [ref]):
        raise permissions.NotVisible(ref)
    return ref


def _draft_key(asked, student):
    return ":".join(["form", asked.form.ref.lower(), *([student.lower()] if student else [])])


def _form(asked, formdata):
    people = queries.people(g.user) if any(field.type == "person" for field in asked.fields) else None
    made = shape.form_class(asked.asked, asked.about, people is not None)
    form = made(formdata=formdata) if formdata else made()
    if "student" in form:
        form.student.label.text = g.school.student_word
    for field in asked.fields:
        if field.type == "person" and people is not None:
            form[shape.PREFIX + field.key].choices = [("", "Choose one"), *people]
    return form


def _readers(asked):
    """Who will read the response, in words for staff; outsiders are not told how the school divides its work."""
    if not permissions.can(g.user, "response.read"):
        return ""
    groups = [group.name for group in queries.reader_groups(asked.form)]
    return f"{', '.join(groups or ['Key Users'])}, Admin Key Holders and you"


def _picker_names(asked):
    """The pickers for students on the page; who may not look for students types names instead."""
    if not permissions.can(g.user, "student.search"):
        return []
    names = [shape.PREFIX + field.key for field in asked.fields if field.type == "student"]
    return ["student", *names] if asked.about == queries.PICKED else names


# --- What was typed --------------------------------------------------------------------------------------------------


def _check(form, asked, pickers):
    """The answers that count; what is wrong stands at the fields."""
    form.validate()
    word = g.school.student_word.lower()
    for name, picked in pickers.items():
        picking.settle(form[name], picked, f"Say which {word} this is about." if name == "student" else None)
    answers = shape.answers_of(form, asked.fields)
    for field in asked.fields:
        if field.type in ("person", "student", "file") and (value := _looked_up(form, field, pickers)):
            answers[field.key] = value
    return shape.settle(form, asked.fields, answers)


def _looked_up(form, field, pickers):
    """The answer that is a person, a student or files, or None."""
    name = shape.PREFIX + field.key
    box = form[name]
    if field.type == "file":
        return [file.filename for file in box.data or () if file.filename]
    if name in pickers:
        row = pickers[name].row
        return {"ref": row.ref, "name": row.name} if row else None
    if not box.data:
        return None
    if field.type == "person" and (offered := getattr(box, "choices", None)) is not None:
        chosen = dict(offered).get(box.data)
        if chosen is None:
            box.errors = [*box.errors, "This person is not known. Choose one from the list."]
        return {"ref": box.data, "name": chosen} if chosen else None
    return {"ref": None, "name": box.data}


def _number(text):
    """The version that was on the page; 0, which none has, for what is no number."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 6 else 0


def _no_longer_asked(asked, number):
    """[(question, what was typed)] of the version that was on the page and not of the one that is there now."""
    now = {field.key for field in asked.fields}
    gone = [field for field in queries.fields_of(asked.form, _number(number)) if field.is_asked and field.key not in now]
    typed = [(field.label, ", ".join(filter(None, request.form.getlist(shape.PREFIX + field.key)))) for field in gone]
    return [pair for pair in typed if pair[1]]


# --- Sending ---------------------------------------------------------------------------------------------------------


def _send(form, asked, answers, pickers, student):
    files = {field.key: form[shape.PREFIX + field.key].data for field in asked.fields
             if field.type == "file" and field.key in answers}  # fmt: skip
    with taken(upload_folder(), sum(files.values(), []), queries.room_for_files(g.user) if files else None) as stored:
        stored = iter(stored)
        return actions.submit(
            actor=g.user,
            form=asked.form,
            number=_number(form.number.data),
            answers={key: value for key, value in answers.items() if key not in files},
            student=pickers["student"].row if "student" in pickers else None,
            referral=_referral(form) if asked.about == queries.TYPED else None,
            stored={key: [next(stored) for _ in several] for key, several in files.items()},
            draft=(_draft_key(asked, student), form.once.data),
        )


def _referral(form):
    return {name: form[name].data for name in ("first_name", "last_name", "date_of_birth", "about")}


def _where_to(response):
    """Where its sender reads it again. The same for whatever else came of it."""
    if response.referral_ref:
        return url_for("forms.referral", ref=response.referral_ref)
    return url_for("forms.response", ref=response.ref)


@bp.route("/forms/<ref>/responses/draft-removal", methods=["POST"])
@permissions.policy("form.fill", record=True)
def fill_draft_removal(ref):
    asked = queries.to_fill(g.user, ref)
    student = _student(asked)
    account_actions.clear_draft(_draft_key(asked, student), actor=g.user)
    flash("The draft was discarded.", "ok")
    return redirect(url_for("forms.fill", ref=ref, student=student), 303)
