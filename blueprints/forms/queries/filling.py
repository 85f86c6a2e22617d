"""What somebody is asked to fill in: a published form as it stands, the people and files that answers may name. Nothing here
tells a Referral User or a student anything about a student. Writes nothing.
"""

from typing import NamedTuple

from peewee import fn

import permissions
from blueprints.forms import fields as definition
from blueprints.forms.queries import forms
from blueprints.incidents import queries as incidents
from models import Account, Form, FormVersion, StoredFile

# What a response is about, by who fills it in.
NOBODY, PICKED, TYPED, OWN = "nobody", "picked", "typed", "own"
OWN_ROOM = 200 * 1024 * 1024  # bytes of all files that one Referral User or student may send


class ToFill(NamedTuple):
    """A form with its published version: `asked` as FormVersion.fields has it, and read as `fields`. `about` says whom a
    response is about: `nobody`, a student who is `picked`, one who is `typed` as a Referral User knows them, or the student who
    fills it in (`own`)."""

    form: Form
    number: int
    asked: str
    fields: list[definition.Field]
    about: str


def to_fill(user, ref, *, retired=False):
    """The form that this person is asked to fill in, as ToFill; NotVisible for any other. `retired`: also one that was taken
    out of use, so that what somebody has typed into it meanwhile can be shown to them."""
    row = forms.form(user, ref, retired=retired)
    asked = forms.version(row).fields
    return ToFill(row, row.published, asked, definition.read(asked), _about(user, row))


def _about(user, form):
    if user.role == permissions.STUDENT:
        return OWN
    if not form.names_student:
        return NOBODY
    return TYPED if user.role == permissions.REFERRAL_USER else PICKED


def fields_of(form, number):
    """The fields of a published version of the form; none for a number that no published version has."""
    asked = FormVersion.published_at.is_null(False) & (FormVersion.form == form.id) & (FormVersion.number == number)
    row = FormVersion.select(FormVersion.fields).where(asked).tuples().first()
    return definition.read(row[0]) if row else []


def people(user):
    """[(reference, name)] of the staff whom an answer can name, by name; None for whoever has to type it."""
    if not permissions.can(user, "personnel.read"):
        return None
    return [tuple(row) for row in permissions.staff(Account.ref, Account.name).tuples()]


def room_for_files(user):
    """How many bytes of files there is room for: what the school's quota leaves, for outsiders at most their own allowance."""
    room = incidents.room_for_files()
    if permissions.can(user, "response.read"):
        return room
    used = StoredFile.select(fn.SUM(StoredFile.size)).where(StoredFile.uploaded_by == user).scalar() or 0
    return min(room, OWN_ROOM - used)
