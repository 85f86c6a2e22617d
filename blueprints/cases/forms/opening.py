"""The shape of what is typed about a case as a whole: opening, title and type, closing, reopening, linking."""

from wtforms import HiddenField, StringField, TextAreaField

from blueprints.cases.queries.sections import PRESENTING_LABELS
from blueprints.kit.forms import CasewardForm, Choice, LongText, NotFuture, Required, SchoolDateField, ShortText, VersionedForm

TITLE = ("Title", [Required("Give the case a title."), ShortText(200)])
UNKNOWN_TYPE = "This case type can't be chosen. Choose one from the list."


def choices(offered, first=None):
    """(ref, name) of rows to choose from; `first` stands in front and counts as nothing chosen."""
    return [*([("", first)] if first else []), *((row.ref, row.name) for row in offered)]


class OpenCaseForm(CasewardForm):
    """Open case; what stands under the case type is the section Presenting."""

    student = StringField("Student", [ShortText(200)])
    title = StringField(*TITLE)
    case_type = Choice("Case type", [Required("Choose a case type.")], unknown=UNKNOWN_TYPE)
    referral_date = SchoolDateField("Referral date", [NotFuture()])
    source = StringField("Source", [ShortText(200)])
    concern = TextAreaField("Concern", [LongText()])
    narrative = TextAreaField("Narrative", [LongText()])

    def presenting(self):
        """The section Presenting as a dict; None where nothing was given."""
        given = {name: self[name].data for name in PRESENTING_LABELS}
        return given if any(given.values()) else None


class EditCaseForm(VersionedForm):
    title = StringField(*TITLE)
    case_type = Choice("Case type", [Required("Choose a case type.")], unknown=UNKNOWN_TYPE)


class CloseCaseForm(VersionedForm):
    reason = Choice(
        "Reason", [Required("Choose a reason.")], unknown="This reason can't be chosen. Choose one from the list."
    )
    outcome = TextAreaField("Outcome", [LongText(10_000)])


class ReopenCaseForm(VersionedForm):
    reason = StringField("Reason", [Required("Say why the case is reopened."), ShortText(250)])


class LinkIncidentForm(CasewardForm):
    incident = StringField("Incident number", [Required("Give the incident's number."), ShortText(40)])


class PutRecordForm(CasewardForm):
    """The record stands in the address; `confirmed` says who was shown to gain access to it."""

    confirmed = HiddenField()
