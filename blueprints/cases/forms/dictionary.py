"""The shape of the Case Management Dictionary: six times the same fields in one form, and once for a single form of the
builder. Which groups and staff are meant stands among the chips of the pickers; the actions ask what may be saved."""

from wtforms import BooleanField, HiddenField, StringField

from blueprints.cases.queries.triggers import LABELS
from blueprints.kit.forms import CasewardForm, Choice, NotFuture, Required, RowForm, SchoolDateField, ShortText, VersionField

UNKNOWN_TYPE = "This case type can't be chosen. Choose one from the list."
UNKNOWN_ANSWER = "This answer is not one of the form. Choose one from the list."
EMAIL = "Email Staff Being Added to Case"


def _fields(suffix=""):
    return {
        f"case_type{suffix}": Choice("Case type", unknown=UNKNOWN_TYPE),
        f"title{suffix}": StringField("Title", [ShortText(200)]),
        f"groups{suffix}": StringField("Groups", [ShortText(1000)]),
        f"staff{suffix}": StringField("Staff", [ShortText(1000)]),
        f"email{suffix}": BooleanField(EMAIL),
    }


def _all_fields():
    found = {"confirmed": HiddenField()}
    for kind, label in LABELS.items():
        found |= {f"is_on-{kind}": BooleanField(label), **_fields(f"-{kind}"), f"version-{kind}": VersionField()}
    return found


DictionaryForm = type("DictionaryForm", (CasewardForm,), {"__doc__": "All six triggers.", **_all_fields()})


class SinceForm(CasewardForm):
    """How far to look back; it stands in the address."""

    class Meta(CasewardForm.Meta):
        csrf = False

    since = SchoolDateField("Since", [NotFuture()])


class OpenTheseForm(CasewardForm):
    """Who was ticked stands beside it; `confirmed` says who was shown to see the cases."""

    confirmed = HiddenField()


class _OfForm(RowForm):
    confirmed = HiddenField()
    rule = Choice("When this form is submitted")
    answer = Choice("Only for the answer", unknown=UNKNOWN_ANSWER)


FormTriggerForm = type("FormTriggerForm", (_OfForm,), {"__doc__": "What is different for one form.", **_fields()})


class NewEntryForm(CasewardForm):
    """An entry of one of the school's own lists."""

    name = StringField("Name", [Required("Give it a name."), ShortText(100)])


class ListEntryForm(RowForm):
    name = StringField("Name", [Required("Give it a name."), ShortText(100)])
    is_retired = BooleanField("Not in use any more")
