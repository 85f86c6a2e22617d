"""A form of the builder as a WTForms form: one input for each field of its version, and what was typed as answers.

Shape only: which students and staff an answer may name, and who may send it, is asked elsewhere.
"""

import re
from functools import lru_cache

from wtforms import HiddenField, MultipleFileField, RadioField, SelectMultipleField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from blueprints.forms import fields as definition
from blueprints.forms.queries.filling import PICKED, TYPED
from blueprints.kit.forms import (
    CasewardForm,
    Choice,
    Files,
    LongText,
    NotFuture,
    PlainSelectField,
    Required,
    SchoolDateField,
    ShortText,
)

PREFIX = "answer_"
MOST_RADIOS = 7  # answers to choose one of; more of them stand in a list that opens
LONGEST_TEXT, LONGEST_LONG_TEXT = 500, 20_000
NO_ANSWER = "No answer"
UNKNOWN = "This is none of the answers. Choose one of them."
REQUIRED = {
    "one_of": "Choose one.", "several_of": "Choose at least one.", "scale": "Choose one.", "yes_no": "Choose Yes or No.",
    "person": "Say who.", "student": "Say who.", "date": "Give the date.", "number": "Give the number.", "file": "Choose a file.",
}  # fmt: skip
_NUMBER = re.compile(r"[+-]?[0-9]{1,12}([.,][0-9]{1,6})?")


class Number:
    """A number in digits, with a point or a comma."""

    def __call__(self, form, field):
        if field.data and not _NUMBER.fullmatch(field.data):
            raise ValidationError("This is not a number. Write it in digits, for example 12 or 3.5.")


class Radios(RadioField):
    """One of a few answers; without a script an answer can only be taken back where "No answer" stands among them."""

    def pre_validate(self, form):
        if self.data and self.data not in {value for value, *_ in self.iter_choices()}:
            raise ValidationError(UNKNOWN)


class OneOfMany(Choice):
    """One of many answers, in a list that opens."""

    def __init__(self, label, answers, **options):
        super().__init__(label, unknown=UNKNOWN, **options)
        self.choices = [("", "Choose one"), *answers]


class Boxes(SelectMultipleField):
    """Any number of answers, each with a box to tick."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()

    def pre_validate(self, form):
        if set(self.data or ()) - {value for value, *_ in self.iter_choices()}:
            raise ValidationError(UNKNOWN)


def _input(field):
    """The unbound WTForms field for one field of the form."""
    if field.type == "text":
        return StringField(field.label, [ShortText(LONGEST_TEXT)])
    if field.type == "long_text":
        return TextAreaField(field.label, [LongText(LONGEST_LONG_TEXT)])
    if field.type == "number":
        return StringField(field.label, [Number()])
    if field.type == "date":
        return SchoolDateField(field.label)
    if field.type == "several_of":
        return Boxes(field.label, choices=_offered(field))
    if field.type == "file":
        return MultipleFileField(field.label, [Files()])
    if field.type in ("person", "student"):
        return StringField(field.label, [ShortText(200)])
    if field.type == "one_of" and len(field.options) > MOST_RADIOS:
        return OneOfMany(field.label, field.answers())
    choices = _offered(field) if field.required else [*_offered(field), SelectChoice("", NO_ANSWER)]
    return Radios(field.label, choices=choices, default="", validate_choice=False)


def _offered(field):
    return [SelectChoice(value, words) for value, words in field.answers()]


class _Fill(CasewardForm):
    """`number` is the version of the form that was on the page."""

    number = HiddenField()


@lru_cache(64)
def form_class(asked, about, picks_people):
    """The WTForms class for these fields (as FormVersion.fields has them). Kept: a published version never changes. `about` as
    in queries.ToFill; `picks_people`: a person is chosen from a list, not typed."""
    made = type("FillForm", (_Fill,), {})
    if about == PICKED:
        made.student = StringField("Student", [ShortText(200)])
    if about == TYPED:
        made.first_name = StringField("First name", [Required("Give the first name."), ShortText(100)])
        made.last_name = StringField("Last name", [Required("Give the last name."), ShortText(100)])
        made.date_of_birth = SchoolDateField("Date of birth", [NotFuture("A date of birth can't be in the future.")])
        made.about = StringField("About", [ShortText(250)])
    for field in definition.read(asked):
        if field.is_asked:
            is_list = field.type == "person" and picks_people
            setattr(made, PREFIX + field.key, PlainSelectField(field.label, validate_choice=False) if is_list else _input(field))
    return made


def answers_of(form, fields):
    """{key: value} of what was typed, as FormResponse.answers has it; nothing for what was left blank, and nothing for people,
    students and files, which are looked up first."""
    found = {}
    for field in fields:
        if field.is_asked and field.type not in ("person", "student", "file"):
            value = _value(field, form[PREFIX + field.key].data)
            if value not in (None, "", []):
                found[field.key] = value
    return found


def _value(field, data):
    if not data or (field.type == "number" and not _NUMBER.fullmatch(data)):
        return None
    if field.type == "number":
        number = float(data.replace(",", "."))
        return int(number) if number.is_integer() else number
    if field.type == "date":
        return data.isoformat()
    if field.type == "scale":
        return int(data) if data in dict(field.answers()) else None
    if field.type == "yes_no":
        return {definition.YES: True, definition.NO: False}.get(data)
    return data.strip() if isinstance(data, str) else data


def settle(form, fields, answers):
    """Keep only what was asked: take the errors off the fields that were not, blame those that are required and have no answer.
    Returns the answers {key: value} that count."""
    asked = definition.shown(fields, answers)
    for field in fields:
        if not field.is_asked:
            continue
        box = form[PREFIX + field.key]
        if field.key not in asked:
            box.errors = []
        elif field.required and field.key not in answers and not box.errors:
            box.errors = [REQUIRED.get(field.type, "Fill this in.")]
    return {key: value for key, value in answers.items() if key in asked}
