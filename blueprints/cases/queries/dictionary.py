"""The Case Management Dictionary as a form: whom a trigger may attach, whom the cases that it opens would be seen by, and
the forms with a trigger of their own. For those who have the capability `dictionary`."""

import json
import re
from collections import Counter
from typing import NamedTuple

import permissions
from blueprints.cases.queries.triggers import LABELS, Named
from blueprints.cases.queries.triggers import settings as trigger_settings
from blueprints.kit.text import fold
from models import Account, Form, FormVersion, Group

# --- Whom a trigger may attach ---------------------------------------------------------------------------------------


def suggest_groups(user, text, limit=12):
    """Named groups in use that fit what was typed."""
    permissions.require("dictionary", user)
    words = fold(text[:100]).split()
    return [one for one in _groups() if words and all(word in fold(one.name) for word in words)][:limit]


def _groups():
    query = Group.select(Group.id, Group.ref, Group.name).where(Group.is_active).order_by(Group.name, Group.id)
    return [Named(*row, "Group", True) for row in query.tuples()]


def suggest_people(user, text, limit=12):
    """Named staff who fit what was typed. Two people of one name are told apart by their email."""
    permissions.require("dictionary", user)
    words = fold(text[:100]).split()
    query = permissions.staff()
    for word in words:
        query = query.where(Account.search_text.contains(word))
    rows = list(query.order_by(Account.name, Account.id).limit(limit)) if words else []
    times = Counter(row.name for row in rows)
    return [_person(row, f"{row.name} ({row.email})" if times[row.name] > 1 else row.name) for row in rows]


def _person(row, label=None):
    return Named(row.id, row.ref, label or row.name, permissions.ROLES[row.role], True)


def pick_groups(user, refs, typed, known=()):
    """(Named groups, sentence or None): chosen by reference, or typed without a script. One of `known`, which the trigger
    has already, may be out of use by now."""
    return _picked(known, refs, typed, lambda missing: _groups(), lambda text: suggest_groups(user, text, 20))


def pick_people(user, refs, typed, known=()):
    """The same for staff."""
    return _picked(known, refs, typed, _people, lambda text: suggest_people(user, text, 20))


def _people(refs):
    return [_person(row) for row in permissions.staff().where(Account.ref.in_(refs))]


def _picked(known, refs, typed, load, suggest):
    refs = list(dict.fromkeys(ref.replace("\0", "") for ref in refs if ref))
    found = {one.ref: one for one in known}
    missing = [ref for ref in refs if ref not in found]
    found |= {one.ref: one for one in (load(missing) if missing else ())}
    chosen = {ref: found[ref] for ref in refs if ref in found}
    problems = [] if len(chosen) == len(refs) else ["One that you chose is not there any more. Choose again."]
    for text in filter(None, (part.strip() for part in re.split(r"[,;\n]", typed or ""))):
        fits = suggest(text)
        fits = [one for one in fits if fold(one.name) == fold(text)] or fits
        if len(fits) == 1:
            chosen[fits[0].ref] = fits[0]
        else:
            problems.append(f"{text} fits several. Type the whole name." if fits else f"{text} is not known. Check the spelling.")
    return list(chosen.values()), " ".join(problems) or None


# --- Whom it gives access to -----------------------------------------------------------------------------------------


class Gain(NamedTuple):
    """Somebody who comes to see the cases of a trigger that did not before; `ref` stands for both."""

    ref: str
    name: str


class Effect(NamedTuple):
    """What saving means for one trigger: `readers` (account, reasons) beside the Admin Key Holders, `gains` of them."""

    kind: str
    label: str
    readers: list
    gains: list


def effects(user, now, then):
    """[Effect] of each trigger that is on `then`. `now` and `then`: {key: (is on, (ids of groups, ids of accounts))}; a key is
    a kind."""
    permissions.require("dictionary", user)
    asked = {("then", key): attached for key, (is_on, attached) in then.items() if is_on}
    asked |= {("now", key): attached for key, (is_on, attached) in now.items() if is_on and ("then", key) in asked}
    found = permissions.who_would_see_opened(asked) if asked else {}
    seen = {name: [row for row in rows if "admin" not in row[1]] for name, rows in found.items()}
    return [_effect(key, seen["then", key], seen.get(("now", key), ())) for when, key in asked if when == "then"]


def _effect(kind, readers, before):
    before = {account.id for account, _ in before}
    gains = [Gain(f"{kind}:{account.ref}", account.name) for account, _ in readers if account.id not in before]
    return Effect(kind, LABELS[kind], readers, gains)


def form_effects(user, now, wanted):
    """The same for one form: `now` is its Setting, `wanted` what it is to be; None for as the dictionary says. What a form's own
    trigger gives is said while Submit a Form is off as well: switching that on asks about its own people alone."""
    general = trigger_settings(user)["form"]
    before, after = now or general, wanted or general
    return effects(user, {"form": (before.is_on, before.attached)}, {"form": (after.is_on, after.attached)})


def suggestion_readers(user, kind, settings):
    """The accounts, by name, that will see a case which is opened for what happened, beside the Admin Key Holders; where forms
    have triggers of their own, of any of these. `settings`: as triggers.all_settings() has them."""
    permissions.require("dictionary", user)
    general, own = settings
    rows = [general[kind]] + ([row for row in own.values() if row.is_on] if kind == "form" else [])
    found = permissions.who_would_see_opened({number: row.attached for number, row in enumerate(rows)})
    people = {account.id: account for readers in found.values() for account, reasons in readers if "admin" not in reasons}
    return sorted(people.values(), key=lambda account: (account.name, account.id))


# --- Forms -----------------------------------------------------------------------------------------------------------


class FormRow(NamedTuple):
    """A form that people fill in, as far as its trigger is concerned."""

    id: int
    ref: str
    name: str
    is_retired: bool


def trigger_forms(user):
    """FormRows of the forms that a response about a student can come from, by name; retired ones last."""
    permissions.require("dictionary", user)
    return sorted((FormRow(*row) for row in _forms().tuples()), key=lambda row: (row.is_retired, fold(row.name)))


def _forms():
    query = Form.select(Form.id, Form.ref, Form.name, Form.retired_at.is_null(False))
    return query.where((Form.published > 0) & (Form.names_student | Form.for_referral_users))


def trigger_form(user, ref):
    """One of them, or NotVisible."""
    permissions.require("dictionary", user)
    row = _forms().where(Form.ref == ref.replace("\0", "")).tuples().first()
    if row is None:
        raise permissions.NotVisible(ref)
    return FormRow(*row)


def answers(user, form):
    """[(key, answer, words)] that the trigger of this form can be bound to: every answer there is to choose from in the
    version that people fill in (one of, several of, scale, yes/no)."""
    permissions.require("dictionary", user)
    current = (FormVersion.form == form.id) & (FormVersion.number == Form.published)
    row = FormVersion.select(FormVersion.fields).join(Form).where(current).tuples().first()
    fields = json.loads(row[0]) if row else []
    return [(field["key"], answer, f"{field['label']}: {words}") for field in fields for answer, words in _answers(field)]


def _answers(field):
    kind = field["type"]
    if kind in ("one_of", "several_of"):
        return [(one, one) for one in field.get("options") or ()]
    if kind == "yes_no":
        return [("yes", "Yes"), ("no", "No")]
    if kind == "scale":
        return [(str(one), str(one)) for one in range(field.get("from") or 1, (field.get("to") or 5) + 1)]
    return []
