"""Which forms somebody may fill in, and the version that they answer. Loading is authorising: form() comes first on every
page that fills one in. Writes nothing."""

from peewee import SQL, fn

import permissions
from models import Form, FormGroup, FormResponse, FormVersion, GroupMember, School

# Whom a form can be for: the roles, and the column that says so.
AUDIENCES = {
    "staff": (permissions.STAFF_ROLES, Form.for_staff, "Staff"),
    "referral_users": ((permissions.REFERRAL_USER,), Form.for_referral_users, "Referral Users"),
    "students": ((permissions.STUDENT,), Form.for_students, "Students"),
}


def fills_forms(user):
    """Whether this person may fill in forms at all: a student only while the pages for students are open to them."""
    if not permissions.can(user, "form.fill"):
        return False
    return user.role != permissions.STUDENT or permissions.own_student(user, School.get()) is not None


def fillable(user, *, names_student=False):
    """The Forms that this person may fill in now, by name: published, not retired, for people of their role. Raises
    NotVisible for who fills in none at all. `names_student`: of these the ones that are about a student."""
    if not fills_forms(user):
        raise permissions.NotVisible("forms")
    query = forms_for(user).order_by(fn.LOWER(Form.name), Form.id)
    return list(query.where(Form.names_student) if names_student else query)


def form(user, ref, *, retired=False):
    """One of them; NotVisible otherwise. `retired`: also one that was taken out of use, for what somebody has typed into it
    meanwhile."""
    row = forms_for(user, retired).where(Form.ref == _clean(ref)).first() if fills_forms(user) else None
    if row is None:
        raise permissions.NotVisible(ref)
    return row


def forms_for(user, retired=False):
    """The published forms for people of this role, as a query; whether a student is asked anything is for fills_forms()."""
    columns = [column for roles, column, _ in AUDIENCES.values() if user.role in roles]
    query = Form.select().where(Form.published > 0)
    if not retired:
        query = query.where(Form.retired_at.is_null())
    return query.where(columns[0] if columns else SQL("1 = 0"))


def known_form(user, ref):
    """A form that this person has to do with as staff, also a retired one: who fills it in, builds forms, or reads responses
    to it. NotVisible otherwise."""
    row = Form.get_or_none(Form.ref == _clean(ref)) if permissions.can(user, "response.read") else None
    if row is None or not (_is_for_staff(row) or permissions.can(user, "form.build") or _reads(user, row)):
        raise permissions.NotVisible(ref)
    return row


def _is_for_staff(row):
    return bool(row.published and row.for_staff and row.retired_at is None)


def _reads(user, row):
    """In a group that reads the responses, a Key User where no group does, or with a response that they see."""
    readers = [group_id for (group_id,) in FormGroup.select(FormGroup.group).where(FormGroup.form == row.id).tuples()]
    if row.published and not readers and user.role == permissions.KEY_USER:
        return True
    mine = (GroupMember.account == user.id) & GroupMember.group.in_(readers)
    if readers and GroupMember.select().where(mine).exists():
        return True
    return permissions.visible_responses(user, FormResponse.id).where(FormResponse.form == row.id).exists()


def version(form, number=None):
    """The FormVersion of this number, of a form that was loaded; None for the one that is filled in now. NotVisible where
    there is none."""
    wanted = form.published if number is None else number
    row = FormVersion.get_or_none((FormVersion.form == form.id) & (FormVersion.number == wanted))
    if row is None:
        raise permissions.NotVisible(f"{form.ref}/{wanted}")
    return row


def versions(form):
    """Every FormVersion of a form that was loaded, the first one first."""
    return list(FormVersion.select().where(FormVersion.form == form.id).order_by(FormVersion.number))


def _clean(ref):
    return (ref or "")[:16].replace("\0", "")
