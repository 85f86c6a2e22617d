"""The filters of a student's timeline, read from the address: shape and choices, nothing written."""

from wtforms import SelectMultipleField, StringField
from wtforms.validators import ValidationError

from blueprints.kit.forms import CasewardForm, SchoolDateField, ShortText
from blueprints.timeline.queries import KINDS


class TimelineForm(CasewardForm):
    """`kind` is any number of KINDS, whose tick boxes the template writes; none of them means all."""

    kind = SelectMultipleField("Show", validate_choice=False)
    from_ = SchoolDateField("From", name="from")
    to = SchoolDateField("To")
    text = StringField("Text", [ShortText(200)])
    author = StringField("Author", [ShortText(100)])

    def validate_kind(self, field):
        if set(field.data) - set(KINDS):
            raise ValidationError("This kind of event is not known. Choose from the list.")

    def validate_to(self, field):
        if self.from_.data and field.data and field.data < self.from_.data:
            raise ValidationError("This day is before the day in From.")
