"""The shape of what is written on a case: entries, the section Presenting, the agencies of the other sections.

A form that changes something carries `number`, the version it was made from: a field like any other, so that a draft
keeps it and can't overwrite what came in between.
"""

from wtforms import IntegerField, StringField, TextAreaField
from wtforms.validators import ValidationError
from wtforms.widgets import HiddenInput

from blueprints.cases.queries.sections import AGENCY_LABELS, PRESENTING_LABELS
from blueprints.kit.forms import CasewardForm, LongText, NotFuture, Required, SchoolDateField, ShortText

EMPTY = "Fill in at least one field."


class EntryForm(CasewardForm):
    text = TextAreaField("Entry", [Required("Write the entry."), LongText()])


class EditEntryForm(EntryForm):
    """A new version of an entry."""

    number = IntegerField(widget=HiddenInput())
    reason = StringField("Reason", [Required("Say why the entry is changed."), ShortText(250)])

    def rebase(self, entry):
        self.number.raw_data, self.number.data = None, entry.text_version


class _SectionForm(CasewardForm):
    """Part of a section; `labels` says which fields hold what is saved."""

    labels = {}
    number = IntegerField(widget=HiddenInput(), default=0)

    def values(self):
        """What is saved, by the names of the columns; a blank text is "", a blank day None."""
        return {name: self._value(self[name]) for name in self.labels}

    def _value(self, field):
        if isinstance(field, SchoolDateField):
            return field.data
        return field.data if field.data and field.data.strip() else ""

    def validate(self, extra_validators=None):
        """At least one field is filled in, whichever."""
        is_valid = super().validate(extra_validators)
        if is_valid and not any(self.values().values()):
            first = self[next(iter(self.labels))]
            first.errors = [*first.errors, EMPTY]
            return False
        return is_valid


class PresentingForm(_SectionForm):
    labels = PRESENTING_LABELS
    referral_date = SchoolDateField("Referral date", [NotFuture()])
    source = StringField("Source", [ShortText(200)])
    concern = TextAreaField("Concern", [LongText()])
    narrative = TextAreaField("Narrative", [LongText()])

    def rebase(self, row):
        self.number.raw_data, self.number.data = None, row.number


class AgencyForm(_SectionForm):
    labels = AGENCY_LABELS
    agency = StringField("Agency", [ShortText(200)])
    person = StringField("Person", [ShortText(200)])
    phone = StringField("Phone", [ShortText(60)])
    reference = StringField("Reference", [ShortText(200)])
    status = StringField("Status", [ShortText(200)])
    started_on = SchoolDateField("Started")
    ended_on = SchoolDateField("Ended")
    notes = TextAreaField("Notes", [LongText(10_000)])

    def validate_ended_on(self, field):
        if field.data and self.started_on.data and field.data < self.started_on.data:
            raise ValidationError("This day is before the one in Started.")

    def rebase(self, row):
        self.number.raw_data, self.number.data = None, row.version
