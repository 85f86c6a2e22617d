"""What is typed about a form and its fields while it is built. Shape only: choices that depend on the form come from the
views, and what a field has to be is said by blueprints/forms/fields.py."""

from flask_wtf.file import FileField
from wtforms import BooleanField, HiddenField, SelectMultipleField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from blueprints.forms import fields as definition
from blueprints.forms.starters import BLANK
from blueprints.kit.forms import CasewardForm, Choice, LongText, Required, RowForm, ShortText

LONGEST_NAME, LONGEST_DESCRIPTION, LONGEST_FILE = 120, 2_000, 1_000_000
LONGEST_OPTIONS = definition.MOST_OPTIONS * (definition.LONGEST_OPTION + 2)
AUDIENCE = [("for_staff", "Staff"), ("for_referral_users", "Referral Users"), ("for_students", "Students")]
STEPS = [(str(step), str(step)) for step in range(definition.LOWEST, definition.HIGHEST + 1)]


class Boxes(SelectMultipleField):
    """Tick boxes; nothing but what is offered is taken."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()

    def pre_validate(self, form):
        """A forged value is refused by what it is, not by its place."""
        if not set(self.data or ()) <= {value for value, *_ in self.iter_choices()}:
            raise ValidationError("One of these can't be chosen any more. Tick those you want.")


class SettingsForm(RowForm):
    name = StringField("Name", [Required("Give the form a name."), ShortText(LONGEST_NAME)])
    description = TextAreaField("Description", [LongText(LONGEST_DESCRIPTION)])
    audience = Boxes("Who may fill it in", choices=[SelectChoice(*one) for one in AUDIENCE])
    names_student = BooleanField("Each response is about one student")

    LABELS = {"name": "Name", "description": "Description", "audience": "Who may fill it in", "names_student": "About a student"}

    def values(self):
        """What is saved, by the names of the action."""
        return {name: self[name].data for name in self.LABELS}


class NewForm(SettingsForm):
    start = Choice("Start from", default=BLANK, unknown="Choose what to start from.")


class ReadersForm(RowForm):
    groups = Boxes("Groups")
    confirmed = HiddenField()


class AddFieldForm(CasewardForm):
    label = StringField("Question", [Required("Say what is asked."), ShortText(definition.LONGEST_LABEL)])
    type = Choice("Type", default="text")
    required = BooleanField("Required")
    options = TextAreaField("Answers to choose from", [LongText(LONGEST_OPTIONS)])

    def __init__(self, *values, **options):
        super().__init__(*values, **options)
        self.type.choices = list(definition.TYPES.items())

    def field(self, key=""):
        """What was typed, as a Field without what its type does not have."""
        kind = self.type.data
        return definition.Field(
            key=key,
            type=kind,
            label=self.label.data,
            required=self.required.data and kind != "heading",
            options=_lines(self.options.data) if kind in definition.WITH_OPTIONS else (),
        )


def _lines(text):
    return tuple(line for line in (" ".join(line.split()) for line in (text or "").split("\n")) if line)


class FieldForm(AddFieldForm):
    help = TextAreaField("Help", [LongText(definition.LONGEST_HELP)])
    low = Choice("Lowest", default="1")
    high = Choice("Highest", default="5")
    only_if = Choice("Shown", unknown="This field is not there any more. Choose another one.")
    answer = Choice("If the answer is", unknown="This is none of its answers. Choose one of them.")
    place = Choice("Place in the form")
    before = HiddenField()

    LABELS = {"type": "Type", "label": "Question", "help": "Help", "required": "Required", "options": "Answers",
              "low": "Lowest", "high": "Highest", "only_if": "Shown"}  # fmt: skip

    def validate_answer(self, field):
        """Without the answer nobody knows when it is shown."""
        if self.only_if.data and not field.data:
            raise ValidationError("Choose the answer that brings this field up.")

    def offer(self, fields, key, types):
        """Take the choices from the `fields` of the draft, for the field with this key; `types`: those it can have."""
        others = [one for one in fields if one.key != key and one.type in definition.LISTED]
        self.type.choices = [(kind, definition.TYPES[kind]) for kind in types]
        self.low.choices = self.high.choices = STEPS
        self.only_if.choices = [("", "Always")] + [(one.key, f"Only after an answer to {one.named}") for one in others]
        self.answer.choices = answers_of(fields, self.only_if.data)
        if not self.only_if.data:
            self.answer.data = ""
        self.place.choices = [(str(number), place_words(number, fields, key)) for number in range(1, len(fields) + 1)]

    def field(self, key=""):
        """As above, with everything a field has."""
        found = super().field(key)
        condition = definition.Condition(self.only_if.data, self.answer.data) if self.only_if.data else None
        low, high = (int(self.low.data), int(self.high.data)) if found.type == "scale" else (1, 5)
        return definition.Field(found.key, found.type, found.label, (self.help.data or "").strip(), found.required,
                                found.options, low, high, condition)  # fmt: skip

    def rebase_on(self, field):
        """After a conflict: the form can be sent again over the field as it is now."""
        self.before.data = definition.fingerprint(field)


def answers_of(fields, key):
    """The choices of "If the answer is" for the field with this key."""
    field = definition.find(fields, key) if key else None
    return [("", "Choose the answer")] + (field.answers() if field else [])


def place_words(number, fields, key):
    """A place in the form as a choice: after which of the other fields it comes."""
    others = [one for one in fields if one.key != key]
    return f"{number}: at the start" if number == 1 else f"{number}: after {others[number - 2].named}"


class DraftForm(RowForm):
    draft = HiddenField()


class ImportForm(CasewardForm):
    file = FileField("File")
    name = StringField("Name", [ShortText(LONGEST_NAME)])
    text = TextAreaField("Definition", [LongText(LONGEST_FILE)])
