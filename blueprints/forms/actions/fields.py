"""The fields of a form: adding, changing, moving and removing one at a time, and publishing them. A published version never
changes: the first change after it makes a draft with the next number."""

from dataclasses import replace

import events
import permissions
from blueprints.forms import fields as definition
from blueprints.forms.queries import definitions
from blueprints.kit.refusing import Refused
from extensions import clock, db
from models import Conflict, Form, FormVersion

BUILD = "form.build"
UP, DOWN = "up", "down"
GONE = "Somebody else removed this field meanwhile."


def add_field(form, field, *, actor, place=None):
    """Put a field (its key is given here) at this place of the draft, counted from 1, or at the end. Returns it. Raises
    Denied, or Refused."""
    permissions.require(BUILD, actor)
    with db.atomic():
        draft, fields = _draft(form)
        keys, _ = definitions.history_of(form)
        new = replace(field, key=definition.new_key(keys))
        _refuse_own(new)
        if len(fields) >= definition.MOST_FIELDS:
            raise Refused("label", f"A form can have at most {definition.MOST_FIELDS} fields, and this one has them.")
        _save(form, draft, definition.put(fields, new, place), actor, "only_if")
    return new


def change_field(form, key, field, *, before, actor, place=None):
    """Save the field of this key as `field` (whose key does not count), at another place where one is given. `before`: its
    fingerprint as the page was opened. Raises Denied, Refused, or Conflict with the draft."""
    permissions.require(BUILD, actor)
    with db.atomic():
        draft, fields = _draft(form)
        now = definition.find(fields, key)
        if now is None:
            raise Refused("label", GONE)
        if before != definition.fingerprint(now):
            raise Conflict(draft)
        new = replace(field, key=key)
        _refuse_own(new)
        _refuse_change(form, now, new, actor)
        _save(form, draft, definition.put(fields, new, place), actor, _to_blame(now, new))
    return new


def _refuse_own(field):
    for name, sentence in definition.own_problems(field):
        raise Refused(name, sentence)


def _refuse_change(form, now, new, actor):
    _, types = definitions.history_of(form)
    if types.get(now.key, new.type) != new.type:
        was = definition.TYPES[types[now.key]].lower()
        raise Refused("type", f"This field was published as {was}, and may have been answered so. Add a new field instead.")
    answer = definitions.answer_in_use(form, now)
    if answer and new.type in definition.LISTED and answer not in dict(new.answers()):
        words = dict(now.answers()).get(answer, answer)
        sentence = f"The answer “{words}” has to stay: the Case Management Dictionary opens a case when it is given."
        raise Refused(_to_blame(now, new), sentence)


def _to_blame(now, new):
    """Where a sentence about what else depends on a changed field stands."""
    for name in ("only_if", "type", "options", "low", "high"):
        if getattr(now, name) != getattr(new, name):
            return name
    return "place"


def copy_field(form, key, *, actor):
    """Put a copy of the field right below it. Returns the copy. Raises Denied or Refused."""
    permissions.require(BUILD, actor)
    with db.atomic():
        _, fields = _draft(form)
        now = _there(fields, key)
        label = f"{now.label[: definition.LONGEST_LABEL - 7]} (copy)"
        return add_field(form, replace(now, label=label), actor=actor, place=fields.index(now) + 2)


def remove_field(form, key, *, actor):
    """Take the field out of the draft; the versions and responses so far keep it. Raises Denied, or Refused with what else
    uses it: another field, the form's trigger, a saved filter."""
    permissions.require(BUILD, actor)
    with db.atomic():
        draft, fields = _draft(form)
        field = _there(fields, key)
        uses = [f"{one.named} is shown only after an answer to it" for one in definition.waiting_for(fields, key)]
        _refuse_removal(field, uses + definitions.users_of_field(actor, form, field))
        _save(form, draft, definition.without(fields, key), actor, "field")
    return field


def _refuse_removal(field, uses):
    if uses:
        raise Refused("field", f"{field.named} can't be removed: {'; '.join(uses)}.")


def move_field(form, key, how, *, actor):
    """Move the field one place "up" or "down". Raises Denied, Refused where it would stand above what it waits for,
    ValueError for another `how`."""
    permissions.require(BUILD, actor)
    if how not in (UP, DOWN):
        raise ValueError(f"fields do not move {how}")
    with db.atomic():
        draft, fields = _draft(form)
        field = _there(fields, key)
        place = fields.index(field) + 1 + (-1 if how == UP else 1)
        if 1 <= place <= len(fields):
            _save(form, draft, definition.put(fields, field, place), actor, "field")
    return field


def _there(fields, key):
    field = definition.find(fields, key)
    if field is None:
        raise Refused("field", GONE)
    return field


# --- The draft -------------------------------------------------------------------------------------------------------


def _draft(form):
    """In the open transaction: (the draft, its fields). Holds the form, so that two people who change two fields at the same
    moment both keep their change."""
    Form.update(version=Form.version).where(Form.id == form.id).execute()
    row = definitions.edited(form)
    if row.published_at is not None:
        row = FormVersion.create(form=form, number=row.number + 1, fields=row.fields)
    return row, definition.read(row.fields)


def _save(form, draft, fields, actor, blame):
    """Write the fields of the draft, unless what the fields wait for does not fit together any more: Refused at `blame`."""
    for sentence in definition.condition_problems(fields):
        raise Refused(blame, sentence)
    draft.change(draft.version, fields=definition.write(fields))
    events.record("form.fields_changed", actor=actor, target=form.ref, number=draft.number)


def discard_draft(form, *, version, actor):
    """Drop what was changed since the form was published. Raises Denied, Refused where it was not published or nothing was
    changed, Conflict."""
    permissions.require(BUILD, actor)
    with db.atomic():
        draft = _waiting(form)
        if not form.published:
            raise Refused("draft", "This form was never published: there is nothing to go back to. It can be retired.")
        draft.change(version)
        FormVersion.delete().where(FormVersion.id == draft.id).execute()
        events.record("form.draft_discarded", actor=actor, target=form.ref, number=draft.number)


def publish(form, *, version, actor):
    """Let people fill in the draft from now on; returns its FormVersion. `version`: of the draft as the page showed it.

    Raises Denied, Refused (field "draft") where it can't be published as it is, Conflict.
    """
    permissions.require(BUILD, actor)
    with db.atomic():
        Form.update(version=Form.version).where(Form.id == form.id).execute()
        draft = _waiting(form)
        new, old = definition.read(draft.fields), definitions.published_fields(form)
        if not any(field.is_asked for field in new):
            raise Refused("draft", "There is nothing to answer yet. Add a field first.")
        for sentence in definition.problems(new):
            raise Refused("draft", sentence)
        if form.published and new == old:
            raise Refused("draft", f"Nothing is different from version {form.published}.")
        # Something may have come to use a field after it was taken out of the draft.
        kept = {field.key for field in new}
        for field in old:
            if field.key not in kept:
                _refuse_use(form, field, actor)
        draft.change(version, published_at=clock.now(), published_by=actor)
        Form.update(published=draft.number, version=Form.version + 1).where(Form.id == form.id).execute()
        events.record("form.published", actor=actor, target=form.ref, number=draft.number)
    return draft


def _refuse_use(form, field, actor):
    uses = definitions.users_of_field(actor, form, field)
    if uses:
        raise Refused("draft", f"{field.named} was taken out of the draft, but {'; '.join(uses)}.")


def _waiting(form):
    draft = definitions.edited(form)
    if draft.published_at is not None:
        raise Refused("draft", f"Nothing was changed since version {draft.number} was published.")
    return draft
