"""The forms of the admin part: shape and choices only. Choices that depend on tables are set by the views."""

import re
from zoneinfo import available_timezones

from wtforms import (
    BooleanField,
    HiddenField,
    IntegerField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import ValidationError
from wtforms.widgets import CheckboxInput, ColorInput, ListWidget, NumberInput

import events
from blueprints.admin.audit_words import verb_words
from blueprints.kit.forms import CasewardForm, Choice, LongText, NotFuture, OpenedForm, Required, SchoolDateField, ShortText
from blueprints.kit.presentation import WORDS

COLOUR = re.compile(r"#[0-9a-f]{6}")


class WholeNumber(IntegerField):
    """A whole number; anything else gets a sentence instead of a conversion error. At most nine digits."""

    widget = NumberInput()

    def process_formdata(self, valuelist):
        self.data = None
        text = valuelist[0].strip().replace(",", "").replace(" ", "") if valuelist else ""
        if not text:
            return
        if not re.fullmatch(r"-?[0-9]{1,9}", text):
            raise ValueError("Write a whole number.")
        self.data = int(text)


class Between:
    """The number lies within these limits, both included."""

    def __init__(self, least, most, unit=""):
        self.least, self.most, self.unit = least, most, unit

    def __call__(self, form, field):
        if field.data is not None and not self.least <= field.data <= self.most:
            unit = f" {self.unit}" if self.unit else ""
            raise ValidationError(f"Write a number from {self.least} to {self.most}{unit}.")


class Checkboxes(SelectMultipleField):
    """Any of several, as tick boxes."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()

    def pre_validate(self, form):
        known = {value for value, *_ in self.iter_choices()}
        if any(value not in known for value in self.data or []):
            raise ValidationError("One of these is not known. Choose from the list.")


class DepartmentForm(OpenedForm):
    name = StringField("Name", [Required("Give the department a name."), ShortText(100)])


class GroupForm(OpenedForm):
    name = StringField("Name", [Required("Give the group a name."), ShortText(100)])
    department = Choice("Department")
    is_active = BooleanField("In use")


class StaffMemberForm(CasewardForm):
    """Who is to be added to a group, or to the directors of a department."""

    staff_member = Choice("Staff member", [Required("Choose a staff member.")])


class CategoryForm(OpenedForm):
    name = StringField("Name", [Required("Give the category a name."), ShortText(100)])
    parent = Choice("Under")
    colour = StringField("Colour", [Required("Choose a colour.")], widget=ColorInput(), default="#5b6b7a")
    guidance = TextAreaField("Guidance", [LongText(5_000)])
    position = WholeNumber("Position", [Required("Write a number."), Between(0, 9999)], default=0)
    groups = Checkboxes("Need-to-know groups")
    is_retired = BooleanField("Retired")
    confirmed = HiddenField()

    def validate_colour(self, field):
        field.data = (field.data or "").lower()
        if not COLOUR.fullmatch(field.data):
            raise ValidationError("Write a colour as # and six digits or letters from a to f, for example #2f6f8f.")


def on_or_off(value):
    """How the choices of Student Visibility are written: the school's yes or no as one of them."""
    return {True: "Enabled", False: "Disabled"}.get(value, value)


class SettingsForm(OpenedForm):
    name = StringField("School name", [Required("Give the school's name."), ShortText(200)])
    timezone = Choice("Time zone", choices=sorted(zone for zone in available_timezones() if "/" in zone or zone == "UTC"))
    student_word = Choice("Word for student", choices=list(WORDS))
    cases_module = BooleanField("Cases module")
    session_idle_minutes = WholeNumber(
        "Sign out after minutes without activity", [Required("Write a number of minutes."), Between(5, 240, "minutes")]
    )
    session_absolute_hours = WholeNumber(
        "Sign out after hours in any case", [Required("Write a number of hours."), Between(1, 24, "hours")]
    )
    alert_hour = WholeNumber("Hour for reminders", [Required("Write an hour."), Between(0, 23)])
    student_visibility = Choice(
        "Case Management System Student Visibility", choices=["Disabled", "Enabled"], coerce=on_or_off
    )


class BulkClosingForm(CasewardForm):
    """The time frame; read from the address as well as from the form that confirms it."""

    from_day = SchoolDateField("From", [Required("Say from which day.")], name="from")
    to_day = SchoolDateField("To", [Required("Say to which day."), NotFuture()], name="to")

    def validate_to_day(self, field):
        if self.from_day.data and field.data and field.data < self.from_day.data:
            raise ValidationError("This day is before the day in From.")


class BulkClosingConfirmation(BulkClosingForm):
    """The time frame again, the number typed by hand, and the digest of what the preview showed."""

    from_day = SchoolDateField("From", [Required("Say from which day.")], name="from", id="confirmed-from")
    to_day = SchoolDateField("To", [Required("Say to which day."), NotFuture()], name="to", id="confirmed-to")
    number = WholeNumber("Number of incidents", [Required("Type how many incidents will be closed.")])
    digest = HiddenField()


class AuditFilterForm(CasewardForm):
    """What part of the log to show; read from the address."""

    from_day = SchoolDateField("From", name="from")
    to_day = SchoolDateField("To", name="to")
    person = StringField("Person", [ShortText(100)])
    verb = Choice("What")
    reference = StringField("Reference", [ShortText(80)])
    denials = BooleanField("Denials only")

    def __init__(self, *values, **options):
        super().__init__(*values, **options)
        words = sorted(((verb, verb_words(verb)) for verb in events.VERBS), key=lambda choice: choice[1].casefold())
        self.verb.choices = [("", "Everything"), *words]

    def validate_to_day(self, field):
        if self.from_day.data and field.data and field.data < self.from_day.data:
            raise ValidationError("This day is before the day in From.")
