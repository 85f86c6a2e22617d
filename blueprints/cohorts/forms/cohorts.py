"""The forms about cohorts, categories, who is in them and their support groups. Shape only: choices come from the views."""

import re

from flask_wtf.file import FileField
from wtforms import BooleanField, HiddenField, RadioField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import ValidationError

from blueprints.kit.forms import CasewardForm, Choice, Required, RowForm, SchoolDateField, ShortText
from blueprints.kit.text import LONGEST_EMAIL

LONGEST_NAME = 100
KEEP, YEAR, DAYS, FIRST = "keep", "year", "days", "first"
SHIFTS = [
    (YEAR, "A year later"),
    (DAYS, "Later by a number of days"),
    (FIRST, "So that the first one falls on a day"),
    (KEEP, "As they are"),
]
MOST_DAYS = 3660


def _name(what):
    return StringField("Name", [Required(f"Give the {what} a name."), ShortText(LONGEST_NAME)])


class CategoryForm(RowForm):
    name = _name("category")


class CohortForm(RowForm):
    name = _name("cohort")
    category = Choice("Category", [Required("Choose a category.")])


class RestoreForm(RowForm):
    confirmed = HiddenField()


class UploadForm(CasewardForm):
    file = FileField("Upload CSV")


class EmailForm(CasewardForm):
    email = StringField("Email", [Required("Write an email address."), ShortText(LONGEST_EMAIL)])


class MoveForm(CasewardForm):
    to = Choice("Cohort", [Required("Choose a cohort.")])
    confirmed = HiddenField()


class AttachForm(CasewardForm):
    group = Choice("Group", [Required("Choose a group.")])
    confirmed = HiddenField()


class CopyForm(CasewardForm):
    name = _name("cohort")
    category = Choice("Category", [Required("Choose a category.")])
    dates = RadioField("Due dates", choices=[SelectChoice(*one) for one in SHIFTS], default=YEAR, validate_choice=False)
    days = StringField("Number of days", [ShortText(10)])
    first = SchoolDateField("First due date")
    groups = BooleanField("Attach the same support groups", default=True)

    def validate_dates(self, field):
        if field.data not in dict(SHIFTS):
            raise ValidationError("Choose how the due dates change.")

    def validate_days(self, field):
        if self.dates.data != DAYS:
            return
        text = (field.data or "").replace(",", "").replace(" ", "")
        if not re.fullmatch(r"-?[0-9]{1,5}", text) or abs(int(text)) > MOST_DAYS:
            raise ValidationError(f"Write a whole number of days, at most {MOST_DAYS:,}. A minus before it brings them forward.")
        self.number_of_days = int(text)

    def validate_first(self, field):
        if self.dates.data == FIRST and field.data is None and not field.errors:
            raise ValidationError("Say on which day the first one falls.")
