"""Building forms: adding, changing, retiring and restoring them, who reads the responses. The fields are for fields.py.
Nothing is deleted: responses keep the version they answered."""

from peewee import IntegrityError

import events
import permissions
from blueprints.forms import fields as definition
from blueprints.forms import starters
from blueprints.forms.queries import definitions
from blueprints.kit.refusing import Refused, confirm
from extensions import clock, db
from models import Form, FormGroup, FormVersion, Group

BUILD = "form.build"
AUDIENCE = ("for_staff", "for_referral_users", "for_students")


def add_form(name, description, *, actor, audience, names_student, start=starters.BLANK, copy_of=None):
    """Create a form whose first version is a draft. `audience`: names of AUDIENCE. It starts with the fields of an example
    (a key of starters.STARTERS) or of `copy_of`, a Form. Raises Denied, or Refused where a form has this name."""
    permissions.require(BUILD, actor)
    fields = list(starters.STARTERS[start].fields)
    if copy_of is not None:
        fields = definition.read(definitions.edited(copy_of).fields)
    with db.atomic():
        row = create(name, description, audience, names_student, fields, actor=actor)
        events.record("form.added", actor=actor, target=row.ref, fields=len(fields))
    return row


def create(name, description, audience, names_student, fields, *, actor):
    """In the open transaction: the form and its draft."""
    given = {column: column in audience for column in AUDIENCE} | {"names_student": names_student}
    _refuse_settings(name, given)
    row = _saved(Form.create, name=name, description=description, created_by=actor, **given)
    FormVersion.create(form=row, number=1, fields=definition.write(fields))
    return row


def change_form(form, *, version, actor, name, description, audience, names_student):
    """Save what a form is called, says, whom it is for, and whether it is about a student; holds at once, for the published
    version too. Raises Denied, Refused or Conflict."""
    permissions.require(BUILD, actor)
    given = {column: column in audience for column in AUDIENCE}
    given |= {"name": name, "description": description, "names_student": names_student}
    with db.atomic():
        _refuse_settings(name, given, form)
        now = Form.get_by_id(form.id)
        changed = sorted(column for column, value in given.items() if getattr(now, column) != value)
        _saved(now.change, version, **given)
        if changed:
            events.record("form.changed", actor=actor, target=form.ref, fields=changed)
    return now


def _refuse_settings(name, given, form=None):
    same = definitions.same_name(name, form)
    if same is not None:
        retired = ", which is retired" if same.retired_at else ""
        raise Refused("name", f"There is a form of this name already{retired}.")
    if not any(given[column] for column in AUDIENCE):
        raise Refused("audience", "Choose whom the form is for.")
    if given["for_referral_users"] and not given["names_student"]:
        raise Refused("names_student", "What a Referral User sends is a referral, and a referral is about a student.")


def _saved(write, *values, **fields):
    """Another request may take the name between the look and the write."""
    try:
        with db.atomic():
            return write(*values, **fields)
    except IntegrityError:
        raise Refused("name", "There is a form of this name already.") from None


def set_readers(form, groups, *, version, confirmed, actor):
    """Let exactly these groups read the responses; without one, Key Users do. Raises Denied, Refused for a group that is not
    in use, Conflict, or Unconfirmed with who would come to read them."""
    permissions.require(BUILD, actor)
    with db.atomic():
        before = {group.id for group in definitions.reader_groups(form)}
        wanted = {group.id for group in groups}
        idle = Group.select().where(Group.id.in_(wanted - before) & ~Group.is_active).first()
        if idle is not None:
            raise Refused("groups", f"{idle.name} is not in use any more. Choose another group.")
        gained, _ = definitions.readers_effect(actor, form, groups)
        confirm(gained, confirmed)
        form.change(version)
        FormGroup.delete().where((FormGroup.form == form.id) & FormGroup.group.not_in(wanted)).execute()
        for group in groups:
            if group.id not in before:
                FormGroup.create(form=form, group=group)
        if wanted != before:
            events.record("form.readers_changed", actor=actor, target=form.ref, groups=[group.ref for group in groups])
    return gained


def retire_form(form, *, version, actor):
    """Nobody can fill the form in any more; its responses stay. Raises Denied or Conflict."""
    permissions.require(BUILD, actor)
    with db.atomic():
        form.change(version, retired_at=clock.now(), retired_by=actor)
        events.record("form.retired", actor=actor, target=form.ref)


def restore_form(form, *, version, actor):
    """It can be filled in again, by those it is for. Raises Denied or Conflict."""
    permissions.require(BUILD, actor)
    with db.atomic():
        form.change(version, retired_at=None, retired_by=None)
        events.record("form.restored", actor=actor, target=form.ref)
