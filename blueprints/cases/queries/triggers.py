"""The words of the six triggers, and what each stands at: the Case Management Dictionary as it was saved. Must not open
anything; who may read it is asked in here."""

import json
from typing import NamedTuple

from peewee import JOIN, SQL, Value, fn

import permissions
from blueprints.kit import prepared
from models import Account, CaseType, Form, Group, Trigger, TriggerGroup, TriggerStaff

# The labels of the dictionary (DOMAIN.md, "Cases that open by themselves"), in their order there.
LABELS = {
    "form": "Submit a Form",
    "plan": "Create a Plan",
    "task": "Assign a Task",
    "meeting": "Schedule a Meeting",
    "review": "Conduct a Plan Review",
    "file": "Submit a File",
}
# What happened, where a page says why a case opened by itself.
HAPPENED = {
    "form": "a form was submitted",
    "plan": "a plan was created",
    "task": "a task was assigned",
    "meeting": "a meeting was scheduled",
    "review": "a plan was reviewed",
    "file": "a file was submitted",
}
# What a case is called where the dictionary gives no title.
TITLES = {
    "form": "Form submitted",
    "plan": "Plan created",
    "task": "Task assigned",
    "meeting": "Meeting scheduled",
    "review": "Plan reviewed",
    "file": "File submitted",
}


class Named(NamedTuple):
    """A group or somebody of the staff that a trigger attaches; `in_use` False: retired or deactivated since, so that it is
    left out when a case opens."""

    id: int
    ref: str
    name: str
    hint: str
    in_use: bool

    @property
    def label(self):
        """What a picker's chip shows."""
        return self.name


class Setting(NamedTuple):
    """What a trigger stands at. `case_type` is the reference of the chosen one, "" for the first in use; `opens` that of the type
    which a case would be opened with now. `form` is a reference, None for a trigger of the dictionary; `field` and `answer`
    bind that of a form to one answer."""

    id: int
    kind: str
    form: str | None
    is_on: bool
    case_type: str
    title: str
    email_staff: bool
    field: str
    answer: str
    version: int
    opens: str | None
    groups: tuple
    staff: tuple

    @property
    def attached(self):
        """(ids of groups, ids of accounts) that a case which opens now would be opened with."""
        return [one.id for one in self.groups if one.in_use], [one.id for one in self.staff if one.in_use]


# What the form for a trigger begins with that is not there yet.
NO_SETTING = Setting(0, "form", None, True, "", "", False, "", "", 0, None, (), ())


def settings(user):
    """{kind: Setting} of the six triggers, in their order."""
    return all_settings(user)[0]


def form_settings(user):
    """{reference of a form: Setting} of the forms that have a trigger of their own."""
    return all_settings(user)[1]


def all_settings(user):
    """Both, in two queries."""
    permissions.require("dictionary", user)
    attached = {"group": {}, "staff": {}}
    for what, trigger, number, ref, name, role, is_active in prepared.rows(_attached):
        in_use = bool(is_active) and (what == "group" or role in permissions.STAFF_ROLES)
        hint = permissions.ROLES.get(role, "Group") if in_use else {"group": "Retired", "staff": "Deactivated"}[what]
        attached[what].setdefault(trigger, []).append(Named(number, ref, name, hint, in_use))
    general, own = {}, {}
    for number, kind, form, is_on, case_type, title, email_staff, *rest in prepared.rows(_triggers):
        lists = [tuple(rows.get(number, ())) for rows in attached.values()]
        setting = Setting(number, kind, form, bool(is_on), case_type or "", title, bool(email_staff), *rest, *lists)
        (general if form is None else own)[form or kind] = setting
    return {kind: general[kind] for kind in LABELS}, own


def _triggers():
    columns = (Trigger.title, Trigger.email_staff, Trigger.field, Trigger.answer, Trigger.version)
    first, chosen = CaseType.alias("first"), CaseType.alias("chosen")
    usable = chosen.select(chosen.ref).where((chosen.id == Trigger.case_type) & ~chosen.is_retired)
    instead = first.select(first.ref).where(~first.is_retired).order_by(first.position, first.name).limit(1)
    columns += (fn.COALESCE(usable, instead),)
    return (
        Trigger.select(Trigger.id, Trigger.kind, Form.ref, Trigger.is_on, CaseType.ref, *columns)
        .join(Form, JOIN.LEFT_OUTER)
        .join_from(Trigger, CaseType, JOIN.LEFT_OUTER)
        .order_by(Trigger.id)
    )


def _attached():
    """Every group and everybody of the staff that a trigger attaches, by name; a group has no role."""
    team = (Group.id, Group.ref, Group.name, Value(""), Group.is_active)
    groups = TriggerGroup.select(Value("group"), TriggerGroup.trigger, *team).join(Group)
    person = (Account.id, Account.ref, Account.name, Account.role, Account.is_active)
    people = TriggerStaff.select(Value("staff"), TriggerStaff.trigger, *person).join(Account)
    return groups.union_all(people).order_by(SQL("5"), SQL("3"))


def fits(field, answer, answers):
    """Whether `answers` (as models.FormResponse has them, a text) have this answer to the field of this key; for no field they
    always do."""
    if not field:
        return True
    given = json.loads(answers or "{}").get(field)
    given = given if isinstance(given, list) else [given]
    return answer in [_as_text(one) for one in given]


def _as_text(value):
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)
