"""The shape of what is typed about milestones and their templates, and of the answer to a student's request."""

from wtforms import IntegerField, MultipleFileField, SelectMultipleField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import ValidationError
from wtforms.widgets import CheckboxInput, HiddenInput, ListWidget

from blueprints.cohorts.reminders import INTERVALS
from blueprints.kit.forms import CasewardForm, Files, LongText, Required, SchoolDateField, ShortText

DESCRIPTION = 20_000  # characters


class _Reminders(SelectMultipleField):
    """Tick boxes; `data` holds whole days."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()

    def __init__(self, label=None, validators=None, **options):
        choices = [SelectChoice(days, f"{words} before") for days, words in INTERVALS.items()]
        super().__init__(label, validators, coerce=int, choices=choices, **options)

    def pre_validate(self, form):
        """Nothing but what is offered; what is no number at all has been put away by `coerce`, and counts as forged too."""
        if self.raw_data and len(self.data or ()) != len(self.raw_data) or not set(self.data or ()) <= INTERVALS.keys():
            raise ValidationError("One of these reminders can't be chosen. Tick those you want.")


class TemplateForm(CasewardForm):
    title = StringField("Title", [Required("Give the milestone a title."), ShortText(200)])
    description = TextAreaField("Description", [LongText(DESCRIPTION)])
    files = MultipleFileField("Files", [Files()])
    reminders = _Reminders("Reminders")
    version = IntegerField(widget=HiddenInput())

    LABELS = {"title": "Title", "description": "Description", "reminders": "Reminders"}

    def rebase(self, row):
        """After a conflict: the form can be sent again over the row as it stands now."""
        self.version.raw_data, self.version.data = None, row.version

    def values(self):
        """What is saved, by the names of the action."""
        names = [name for name in self.LABELS if name != "reminders"]
        return {name: self[name].data for name in names} | {"reminders": self.reminders.data or []}


class MilestoneForm(TemplateForm):
    due_on = SchoolDateField("Due date")

    LABELS = {"title": "Title", "due_on": "Due date", "description": "Description", "reminders": "Reminders"}

    def validate_reminders(self, field):
        """They count back from a date."""
        if field.data and self.due_on.data is None and not self.due_on.errors:
            raise ValidationError("Reminders count back from the due date: give one, or untick them.")


class AnswerForm(CasewardForm):
    """`outcome` comes from the button that is pressed."""

    outcome = StringField(widget=HiddenInput())
    answer = TextAreaField("Answer", [LongText(5_000)])

    def validate_answer(self, field):
        """A student who is told no is told why."""
        if self.outcome.data == "declined" and not (field.data or "").strip():
            raise ValidationError("Say in a sentence why, or what is still missing.")

    def validate_outcome(self, field):
        """The page has two buttons, and no third."""
        if field.data not in ("confirmed", "declined"):
            raise ValidationError("Choose Confirm or Decline.")
