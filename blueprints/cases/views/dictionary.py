"""Case Management > Dictionary: the six triggers on one page, and what is different for a single form. Must not open a case:
the page of suggestions does, for those who are chosen."""

from flask import flash, g, jsonify, redirect, render_template, request, url_for

import events
import permissions
from blueprints.cases import actions, queries
from blueprints.cases.forms.dictionary import DictionaryForm, FormTriggerForm
from blueprints.cases.forms.opening import choices
from blueprints.cases.views import bp
from blueprints.cases.views.suggestions import looked_back
from blueprints.kit.attempt import attempt, blame
from blueprints.kit.refusing import confirmation_of

PICKERS = {"groups": queries.pick_trigger_groups, "staff": queries.pick_trigger_people}
SUGGESTIONS = {"groups": queries.suggest_trigger_groups, "staff": queries.suggest_trigger_people}
NO_SETTING = queries.NO_SETTING
RULES = (
    ("as", "As Submit a Form says in the dictionary"),
    ("own", "It opens a case in its own way, as set below"),
    ("never", "It opens no case"),
)


@bp.route("/dictionary", methods=["GET", "POST"])
@permissions.policy("dictionary", record=True)
def dictionary():
    now, own = queries.all_settings(g.user)
    form, tried = _form(now), None
    is_valid = form.validate_on_submit()
    wanted = {kind: _wanted(form, setting, f"-{kind}") for kind, setting in now.items()}
    if is_valid and not form.errors:
        versions = {kind: form[f"version-{kind}"].data for kind in now}
        tried = attempt(form, lambda: actions.change_dictionary(wanted, versions, confirmed=form.confirmed.data, actor=g.user))
        if tried.saved:
            flash(_said(tried.result), "ok")
            return redirect(url_for("cases.dictionary"), 303)
    if request.method == "GET":
        events.record_alone("dictionary.read", actor=g.user)
    differences = []
    if tried and tried.theirs:
        now, own = queries.all_settings(g.user)
        differences = _rebased(form, now, wanted)
    has_changed = bool(tried and tried.confirmation and form.confirmed.data)
    page = _effect_page(now, wanted) | _looking_back(now, own) | {"differences": differences, "has_changed": has_changed}
    page = render_template("cases/dictionary.html", form=form, kinds=_kinds(now, wanted), rules=_rules(own), tried=tried, **page)
    return page, _status(form, tried, has_changed)


def _looking_back(now, own):
    since, day, moment = looked_back()
    return {"since": since, "day": day, "counts": queries.suggestion_counts(g.user, moment, (now, own)), "lists": queries.LISTS}


def _form(now):
    values = {}
    for kind, setting in now.items():
        values |= _values(setting, f"-{kind}") | {f"is_on-{kind}": setting.is_on, f"version-{kind}": setting.version}
    form = DictionaryForm(data=values)
    for kind, setting in now.items():
        form[f"case_type-{kind}"].choices = _case_types(setting)
    return form


def _values(setting, suffix=""):
    return {
        f"case_type{suffix}": setting.case_type,
        f"title{suffix}": setting.title,
        f"email{suffix}": setting.email_staff,
    }


def _case_types(setting):
    """The case types in use, and the one that a trigger has although it was retired."""
    rows = _types()
    first = next((row.name for row in rows if not row.is_retired), "none yet")
    offered = [row for row in rows if not row.is_retired or row.ref == setting.case_type]
    return choices(offered, f"The first in use: {first}")


def _types():
    """Asked once for a page, which offers them six times."""
    if "case_types" not in g:
        g.case_types = queries.case_types(g.user, retired=True)
    return g.case_types


def _wanted(form, setting, suffix=""):
    """What the form says of one trigger. Who is not known, or fits several, stands as an error at the field."""
    chosen = {name: _chosen(form, name + suffix, pick, getattr(setting, name)) for name, pick in PICKERS.items()}
    plain = {"case_type": form[f"case_type{suffix}"].data, "title": form[f"title{suffix}"].data or ""}
    is_on = form[f"is_on{suffix}"].data if suffix else True
    return actions.Wanted(is_on=is_on, **plain, email_staff=form[f"email{suffix}"].data, **chosen)


def _chosen(form, name, pick, known):
    if request.method == "GET":
        return list(known)
    field = form[name]
    found, problem = pick(g.user, request.form.getlist(f"{name}_ref"), field.data, known)
    blame(form, name, problem)
    if not problem:
        field.data, field.raw_data = "", None  # it stands among the chips now
    return found


def _kinds(now, wanted):
    """[(kind, label, Setting, the chips of its two pickers)]"""
    return [
        (kind, label, now[kind], {name: getattr(wanted[kind], name) for name in PICKERS})
        for kind, label in queries.TRIGGER_LABELS.items()
    ]


def _status(form, tried, has_changed):
    """Asking whom it gives access is the first of two steps where no script has shown it, so it is no refusal."""
    if tried and tried.confirmation:
        return 422 if has_changed else 200
    return tried.status if tried else 422 if form.errors else 200


def _said(kinds):
    labels = [queries.TRIGGER_LABELS[kind] for kind in queries.TRIGGER_LABELS if kind in kinds]
    return f"The dictionary was saved: {', '.join(labels)}." if labels else "The dictionary was saved. Nothing was different."


# --- Somebody else saved first ---------------------------------------------------------------------------------------


def _rebased(form, now, wanted):
    """[(trigger, field, as it is now, as it was typed)] of what is different; the form can then be sent again over it."""
    found = []
    for kind, setting in now.items():
        if form[f"version-{kind}"].data != setting.version:
            rows = zip(_shown(setting), _shown(wanted[kind]), strict=True)
            label = queries.TRIGGER_LABELS[kind]
            found += [(label, name, theirs, mine) for (name, theirs), (_, mine) in rows if theirs != mine]
        form[f"version-{kind}"].data = setting.version
    return found


def _shown(setting):
    """[(field, its value in words)] of a Setting or what is wanted."""
    types = {row.ref: row.name for row in _types()}
    return [
        ("On", "yes" if setting.is_on else "no"),
        ("Case type", types.get(setting.case_type, "the first in use")),
        ("Title", setting.title or "none"),
        ("Groups", ", ".join(sorted(one.name for one in setting.groups)) or "none"),
        ("Staff", ", ".join(sorted(one.name for one in setting.staff)) or "nobody"),
        ("Email", "yes" if setting.email_staff else "no"),
        ("Only for the answer", setting.answer or "any"),
    ]


# --- Whom it gives access --------------------------------------------------------------------------------------------


def _effect_page(now, wanted):
    before, after = ({kind: (row.is_on, row.attached) for kind, row in rows.items()} for rows in (now, wanted))
    return _shown_effect(queries.trigger_effects(g.user, before, after))


def _shown_effect(found):
    """What _dictionary_effect.html shows."""
    gains = [gain for effect in found for gain in effect.gains]
    people = sorted({gain.name for gain in gains})
    return {"effects": found, "gaining": people, "confirmation": confirmation_of(gains) if gains else ""}


@bp.route("/dictionary/effect")
@permissions.policy("dictionary", record=True)
def dictionary_effect():
    """A part of the page before, which is on record."""
    now = queries.trigger_settings(g.user)
    wanted = {kind: _asked(setting, f"-{kind}", f"is_on-{kind}" in request.args) for kind, setting in now.items()}
    return render_template("cases/_dictionary_effect.html", **_effect_page(now, wanted))


def _asked(setting, suffix, is_on):
    refs = {name: request.args.getlist(f"{name}{suffix}_ref") for name in PICKERS}
    chosen = {name: pick(g.user, refs[name], "", getattr(setting, name))[0] for name, pick in PICKERS.items()}
    return actions.Wanted(is_on=is_on, case_type="", title="", email_staff=False, **chosen)


@bp.route("/dictionary/suggest/<any(groups, staff):picker>")
@permissions.policy("dictionary", record=True)
def dictionary_suggest(picker):
    """For the pickers. Part of a page whose read is on record."""
    found = SUGGESTIONS[picker](g.user, request.args.get("q", ""))
    return jsonify([{"ref": one.ref, "label": one.name, "hint": one.hint} for one in found])


# --- What is different for one form ----------------------------------------------------------------------------------


def _rules(own):
    """[(form, what happens when it is submitted, in words)]"""
    return [(row, _rule_in_words(own.get(row.ref))) for row in queries.trigger_forms(g.user)]


def _rule_in_words(setting):
    if setting is None:
        return "As set above"
    if not setting.is_on:
        return "Opens no case"
    return "In its own way" + (f", for the answer {setting.answer}" if setting.answer else "")


@bp.route("/dictionary/forms/<ref>", methods=["GET", "POST"])
@permissions.policy("dictionary", record=True)
def dictionary_form(ref):
    row = queries.trigger_form(g.user, ref)
    now = queries.form_settings(g.user).get(ref)
    answers = queries.trigger_answers(g.user, row)
    form, tried = _own_form(now, answers), None
    is_valid = form.validate_on_submit()
    wanted = _own_wanted(form, now or NO_SETTING)
    if is_valid and not form.errors:
        tried = attempt(form, lambda: _save_own(row, now, wanted, form))
        if tried.saved:
            flash(f"What happens when {row.name} is submitted was saved.", "ok")
            return redirect(url_for("cases.dictionary", _anchor="forms"), 303)
    if request.method == "GET":
        events.record_alone("dictionary.read", actor=g.user, target=ref)
    differences = _own_rebased(form, ref, wanted) if tried and tried.theirs else []
    page = _own_effect(now, wanted, form.rule.data) | {"row": row, "form": form, "differences": differences}
    has_changed = bool(tried and tried.confirmation and form.confirmed.data)
    chips = {name: getattr(wanted, name) for name in PICKERS}
    page = render_template("cases/dictionary_form.html", **page, chips=chips, tried=tried, has_changed=has_changed)
    return page, _status(form, tried, has_changed)


def _rule(setting):
    return "as" if setting is None else "own" if setting.is_on else "never"


def _own_form(now, answers):
    shown = now or NO_SETTING
    value = f"{shown.field}:{shown.answer}" if shown.field else ""
    form = FormTriggerForm(data=_values(shown) | {"rule": _rule(now), "answer": value, "version": now.version if now else 0})
    form.rule.choices = RULES
    offered = [(f"{key}:{answer}", words) for key, answer, words in answers]
    if value and value not in dict(offered):
        offered.append((value, f"{shown.answer} (not in the form any more)"))
    form.answer.choices = [("", "Any answer"), *offered]
    form.case_type.choices = _case_types(shown)
    return form


def _own_wanted(form, setting):
    field, _, answer = (form.answer.data or "").partition(":")
    return _wanted(form, setting)._replace(is_on=form.rule.data != "never", field=field, answer=answer)


def _save_own(row, now, wanted, form):
    wanted = None if form.rule.data == "as" else wanted
    return actions.change_form_trigger(
        row, now, wanted, form.version.data, confirmed=form.confirmed.data, actor=g.user
    )


def _own_rebased(form, ref, wanted):
    now = queries.form_settings(g.user).get(ref)
    form.version.data = now.version if now else 0
    names = dict(RULES)
    found = [("When it is submitted", names[_rule(now)], names[form.rule.data])]
    found += [(name, theirs, mine) for (name, theirs), (_, mine) in zip(_shown(now or NO_SETTING), _shown(wanted), strict=True)]
    return [row for row in found if row[1] != row[2] and row[0] != "On"]


def _own_effect(now, wanted, rule):
    wanted = None if rule == "as" else wanted._replace(is_on=rule == "own")
    return _shown_effect(queries.form_trigger_effects(g.user, now, wanted))


@bp.route("/dictionary/forms/<ref>/effect")
@permissions.policy("dictionary", record=True)
def dictionary_form_effect(ref):
    """A part of the page before, which is on record."""
    queries.trigger_form(g.user, ref)
    now = queries.form_settings(g.user).get(ref)
    wanted = _asked(now or NO_SETTING, "", True)
    return render_template("cases/_dictionary_effect.html", **_own_effect(now, wanted, request.args.get("rule", "")))
