"""Forms as those who build them see them: every form, its draft, who reads the responses, what else uses a field. They
are there for Admin Key Holders only. Writes nothing but the audit row of a read."""

from collections import namedtuple
from urllib.parse import parse_qs

from peewee import JOIN, fn

import events
import permissions
from blueprints.forms import fields as definition
from blueprints.forms.queries.forms import AUDIENCES
from models import Account, Form, FormGroup, FormResponse, FormVersion, Group, SavedReport, Trigger

BUILD = "form.build"
STATES = {"in_use": "In use", "draft": "Not published yet", "retired": "Retired"}
FormRow = namedtuple("FormRow", "id ref name description for_staff for_referral_users for_students published retired_at "
                                "created_at published_at has_draft responses")  # fmt: skip
VersionRow = namedtuple("VersionRow", "number published_at published_by fields changes responses")


# --- One -------------------------------------------------------------------------------------------------------------


def built_form(user, ref, audit=True):
    """The form, also a retired one; NotVisible when it is missing or the reader builds no forms. Records the read;
    `audit=False` is for the side that records an event of its own."""
    row = Form.get_or_none(Form.ref == ref[:16].replace("\0", "")) if permissions.can(user, BUILD) else None
    if row is None:
        raise permissions.NotVisible(ref)
    if audit:
        events.record_alone("form.read", actor=user, target=row.ref, reasons=(user.role,))
    return row


def edited(form):
    """The FormVersion that is being edited: the draft; without one, the published version, from which the next change
    makes a draft."""
    return FormVersion.select().where(FormVersion.form == form.id).order_by(FormVersion.number.desc()).first()


def published_fields(form):
    """The fields of the version that is filled in now; an empty list while there is none."""
    row = FormVersion.get_or_none((FormVersion.form == form.id) & (FormVersion.number == form.published))
    return definition.read(row.fields) if row else []


def history_of(form):
    """(every key that a version of the form has, {key: type} of those that were published)."""
    keys, types = set(), {}
    for row in FormVersion.select().where(FormVersion.form == form.id):
        found = definition.read(row.fields)
        keys.update(field.key for field in found)
        if row.published_at is not None:
            types.update({field.key: field.type for field in found})
    return keys, types


# --- Many ------------------------------------------------------------------------------------------------------------


def every_form(user, text="", state=""):
    """Every form with what its list shows, as (fetch, count) for listing.paginate(): those in use first, then those not
    published yet, then the retired ones. `responses` are those that this person sees."""
    permissions.require(BUILD, user)
    query = _every(text, state)

    def fetch(limit, offset):
        return with_counts(user, list(query.limit(limit).offset(offset).tuples()))

    return fetch, lambda limit: query.limit(limit).count()


def forms_export(user, text="", state=""):
    """The same as FormRows, for a file."""
    permissions.require(BUILD, user)
    return with_counts(user, list(_every(text, state).tuples()))


def _every(text, state):
    newest, draft = FormVersion.alias("newest"), FormVersion.alias("draft")
    waits = fn.EXISTS(draft.select(draft.id).where((draft.form == Form.id) & draft.published_at.is_null()))
    query = (
        Form.select(Form.id, Form.ref, Form.name, Form.description, Form.for_staff, Form.for_referral_users, Form.for_students,
                    Form.published, Form.retired_at, Form.created_at, newest.published_at, waits)
        .join(newest, JOIN.LEFT_OUTER, on=((newest.form == Form.id) & (newest.number == Form.published)))
        .order_by(Form.retired_at.is_null(False), Form.published == 0, fn.LOWER(Form.name), Form.id)
    )  # fmt: skip
    if text:
        query = query.where(Form.name.contains(text) | Form.description.contains(text))
    if state == "retired":
        return query.where(Form.retired_at.is_null(False))
    if state:
        query = query.where(Form.retired_at.is_null())
        query = query.where(Form.published > 0 if state == "in_use" else Form.published == 0)
    return query


def with_counts(user, rows):
    """FormRows of these rows, with how many responses this person sees."""
    ids = [row[0] for row in rows]
    counts = permissions.visible_responses(user, FormResponse.form, fn.COUNT(FormResponse.id))
    counts = counts.where(FormResponse.form.in_(ids)).group_by(FormResponse.form)
    found = dict(counts.tuples()) if ids else {}
    return [FormRow(*row[:-1], bool(row[-1]), found.get(row[0], 0)) for row in rows]


def form_versions(user, form):
    """The VersionRows of a form, the newest one first; `changes` are sentences against the version before."""
    permissions.require(BUILD, user)
    query = (
        FormVersion.select(FormVersion.number, FormVersion.published_at, Account.name, FormVersion.fields)
        .join(Account, JOIN.LEFT_OUTER, on=(Account.id == FormVersion.published_by))
        .where(FormVersion.form == form.id)
        .order_by(FormVersion.number)
    )
    counts = permissions.visible_responses(user, FormResponse.number, fn.COUNT(FormResponse.id))
    found = dict(counts.where(FormResponse.form == form.id).group_by(FormResponse.number).tuples())
    rows, before = [], []
    for number, at, by, text in query.tuples():
        now = definition.read(text)
        changes = definition.differences(before, now) if rows else []
        rows.append(VersionRow(number, at, by, now, changes, found.get(number, 0)))
        before = now
    return rows[::-1]


def copy_choices(user):
    """[(ref, name)] of the forms that a new one can be a copy of, those in use first."""
    permissions.require(BUILD, user)
    query = Form.select(Form.ref, Form.name).order_by(Form.retired_at.is_null(False), fn.LOWER(Form.name), Form.id)
    return list(query.tuples())


def same_name(name, but=None):
    """The form that has this name already, in whatever case, or None."""
    query = Form.select().where(fn.LOWER(Form.name) == name.lower())
    return (query if but is None else query.where(Form.id != but.id)).first()


def free_name(name):
    """The name, with a number behind it where a form has it already."""
    number, wanted = 1, name
    while same_name(wanted):
        number += 1
        wanted = f"{name} ({number})"
    return wanted


def state_of(form):
    """The state of a Form or FormRow, a key of STATES."""
    if form.retired_at is not None:
        return "retired"
    return "in_use" if form.published else "draft"


def audience_words(form):
    """Whom the form is for, as words."""
    return [words for _, column, words in AUDIENCES.values() if getattr(form, column.name)]


# --- Who reads the responses -----------------------------------------------------------------------------------------


def reader_groups(form):
    """The groups that read the responses to the form, by name."""
    query = Group.select(Group).join(FormGroup).where(FormGroup.form == form.id)
    return list(query.order_by(fn.LOWER(Group.name), Group.id))


def reader_choices(user, form):
    """The groups that can be chosen to read the responses: those in use, and those that do it already, by name."""
    permissions.require(BUILD, user)
    mine = FormGroup.select(FormGroup.group).where(FormGroup.form == form.id)
    query = Group.select().where(Group.is_active | Group.id.in_(mine))
    return list(query.order_by(fn.LOWER(Group.name), Group.id))


def readers_effect(user, form, groups):
    """(who comes to read the responses, who ceases to) once exactly these groups read them, by name. Leaves out that somebody
    reads one response for a reason of its own, for example because they sent it."""
    permissions.require(BUILD, user)
    now = permissions.response_readers([group.id for group in reader_groups(form)])
    then = permissions.response_readers([group.id for group in groups])
    before, after = {one.id for one in now}, {one.id for one in then}
    return [one for one in then if one.id not in before], [one for one in now if one.id not in after]


def all_readers(user, form):
    """Who reads every response to the form because of their role or a group, by name."""
    permissions.require(BUILD, user)
    return permissions.response_readers([group.id for group in reader_groups(form)])


# --- What else uses a field ------------------------------------------------------------------------------------------


def users_of_field(user, form, field):
    """What beside the form itself uses this field, as ends of a sentence: the trigger of the form, saved filters of its
    responses. Somebody else's filter that is not shared is named after its owner alone."""
    own = Trigger.get_or_none((Trigger.form == form.id) & (Trigger.field == field.key))
    found = ["the Case Management Dictionary opens a case by its answers"] if own else []
    query = SavedReport.select(SavedReport, Account).join(Account).where(SavedReport.form == form.id).order_by(SavedReport.id)
    for report in query:
        if definition.filter_name(field.key) in parse_qs(report.query, keep_blank_values=True):
            named = report.is_shared or report.owner_id == user.id
            what = f"the saved filter “{report.name}”" if named else "a saved filter"
            found.append(f"{what} of {report.owner.name} uses it")
    return found


def answer_in_use(form, field):
    """The answer of this field that the form's trigger is bound to; "" for none."""
    own = Trigger.get_or_none((Trigger.form == form.id) & (Trigger.field == field.key))
    return own.answer if own else ""
