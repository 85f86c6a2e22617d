"""The shape of what is typed about a student meeting. Who can be there, and who is shown, is asked in the actions and queries."""

from wtforms import StringField, TextAreaField
from wtforms.validators import ValidationError

from blueprints.kit.forms import CasewardForm, Choice, LongText, Required, SchoolDateTimeField, ShortText, VersionedForm

UNKNOWN_TYPE = "This type can't be chosen. Choose one from the list."
ATTENDED = (("", "Not known"), ("yes", "Yes"), ("no", "No"))


class _WhoAndWhat(CasewardForm):
    """Stands before WhenAndWhere: a summary of errors lists the fields in the order in which they are made."""

    students = StringField("Students", [ShortText(1000)])
    staff = StringField("Staff", [ShortText(1000)])
    meeting_type = Choice("Type", [Required("Choose a type.")], unknown=UNKNOWN_TYPE)


class WhenAndWhere(CasewardForm):
    """A time that ends after it begins, and a place."""

    starts_at = SchoolDateTimeField("Starts", [Required("Say when the meeting starts.")])
    ends_at = SchoolDateTimeField("Ends", [Required("Say when the meeting ends.")])
    place = StringField("Place", [ShortText(200)])

    def validate_ends_at(self, field):
        if field.data and self.starts_at.data and field.data <= self.starts_at.data:
            raise ValidationError("The meeting ends before it begins. Give a later time.")


class NewMeetingForm(_WhoAndWhat, WhenAndWhere):
    """New meeting."""

    agenda = TextAreaField("Agenda", [LongText()])


class MoveMeetingForm(WhenAndWhere, VersionedForm):
    """Reschedule."""


class EditMeetingForm(VersionedForm):
    meeting_type = Choice("Type", [Required("Choose a type.")], unknown=UNKNOWN_TYPE)
    agenda = TextAreaField("Agenda", [LongText()])


class MeetingStudentsForm(CasewardForm):
    students = StringField("Students", [ShortText(1000)])


class MeetingStaffForm(CasewardForm):
    staff = StringField("Staff", [ShortText(1000)])


class CancelMeetingForm(VersionedForm):
    reason = StringField("Reason", [Required("Say why the meeting is cancelled."), ShortText(250)])


def outcome_form(parts, **options):
    """The form Record outcome: one outcome for all, and for each of `parts` (queries.meeting_students) whether the student was
    there and what it came to for them, as `attended_<ref>` and `outcome_<ref>`."""
    fields = {"outcome": TextAreaField("Outcome", [LongText()])}
    for part in parts:
        fields[f"attended_{part.ref}"] = Choice(f"{part.name} was there", choices=list(ATTENDED))
        fields[f"outcome_{part.ref}"] = TextAreaField(f"Outcome for {part.name}", [LongText()])
    return type("OutcomeForm", (VersionedForm,), fields)(**options)


def outcome_values(parts):
    """What such a form begins with."""
    return {f"attended_{part.ref}": part.attended for part in parts} | {f"outcome_{part.ref}": part.outcome for part in parts}


def typed_parts(form, parts):
    """{reference: (attended, outcome)} as an outcome_form() has them."""
    return {part.ref: (form[f"attended_{part.ref}"].data, form[f"outcome_{part.ref}"].data or "") for part in parts}
