"""The shape of what is decided about a referral, and of a name for filters. Choices come from the queries."""

from wtforms import BooleanField, HiddenField, RadioField, StringField, TextAreaField
from wtforms.validators import ValidationError

from blueprints.kit.forms import CasewardForm, LongText, Required, ShortText, VersionedForm


class AcceptForm(VersionedForm):
    """Onto which student: one that is suggested, or one that is looked for."""

    student = StringField("Student", [ShortText(200)])


class MergeForm(VersionedForm):
    """With which earlier referral."""

    earlier = RadioField("Earlier referral", validate_choice=False)

    def validate_earlier(self, field):
        if field.data not in {value for value, _ in field.choices}:
            raise ValidationError("Choose the earlier referral.")


class DeclineForm(VersionedForm):
    reason = TextAreaField("Reason", [Required("Give the reason."), LongText(250)])


class SaveFiltersForm(CasewardForm):
    """A name for the filters that are on; `query` is their part of the address."""

    name = StringField("Name", [Required("Give it a name."), ShortText(100)])
    is_shared = BooleanField("Share with everybody who opens this list")
    query = HiddenField(validators=[ShortText(2_000)])
