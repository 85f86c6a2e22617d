"""The shape of what is typed about an incident. Choices come from the queries; nothing is written here, and who may
set what is asked in the actions."""

from wtforms import (
    IntegerField,
    MultipleFileField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import ValidationError
from wtforms.widgets import HiddenInput

from blueprints.incidents.queries.choices import STATUSES
from blueprints.kit import bodymap
from blueprints.kit.forms import (
    CasewardForm,
    Files,
    LongText,
    NotFuture,
    PlainSelectField,
    Required,
    SchoolDateField,
    SchoolDateTimeField,
    ShortText,
    VersionedForm,
    school_day,
)


def people(pairs, nobody=""):
    """Choices of a list of (ref, name), with an empty one in front."""
    return [("", nobody), *pairs]


NOBODY = "Nobody"


class PickStudents(CasewardForm):
    """Who was part of it, and what it counts as for each who has no categories of their own."""

    students = StringField("Students", [ShortText(1000)])
    category = SelectField("Category", validate_choice=False)
    further = SelectMultipleField("Further categories", validate_choice=False)


class StudentsForm(PickStudents, VersionedForm):
    """The students and categories of an incident that is there already."""


class IncidentForm(PickStudents):
    """Add incident. Status and Assigned to are taken out for those who may not set them."""

    text = TextAreaField("What happened", [Required("Say what happened."), LongText()])
    happened_at = SchoolDateTimeField("When it happened", [Required("Say when it happened."), NotFuture()])
    place = StringField("Place", [ShortText(200)])
    alert = StringField("Alert", [ShortText(1000)])
    files = MultipleFileField("Files", [Files()])
    status = SelectField("Status", choices=list(STATUSES), default=STATUSES[0])
    assigned_to = PlainSelectField("Assigned to", validate_choice=False)

    def offer(self, assignable):
        """Offer Status and Assigned to with the people that this function gives, or with None neither of the fields."""
        if assignable is None:
            del self.status, self.assigned_to
        else:
            self.assigned_to.choices = lambda: people(assignable(), NOBODY)
        return self


class AssignmentForm(VersionedForm):
    assigned_to = PlainSelectField("Assigned to", validate_choice=False)


class StatusForm(VersionedForm):
    status = SelectField("Status", choices=list(STATUSES))
    reason = StringField("Reason", [ShortText(250)])


class TextForm(CasewardForm):
    """A new version of the text; `number` is the version it was made from."""

    number = IntegerField(widget=HiddenInput())
    text = TextAreaField("What happened", [Required("Say what happened."), LongText()])
    reason = StringField("Reason", [Required("Say why the text is changed."), ShortText(250)])

    def rebase(self, incident):
        self.number.raw_data, self.number.data = None, incident.text_version


class TakeOffForm(VersionedForm):
    reason = StringField("Reason", [Required("Say why they are taken off."), ShortText(250)])


class DetailsForm(VersionedForm):
    happened_at = SchoolDateTimeField("When it happened", [Required("Say when it happened."), NotFuture()])
    place = StringField("Place", [ShortText(200)])


class AlertForm(CasewardForm):
    alert = StringField("Alert", [ShortText(1000)])


class ActionForm(CasewardForm):
    text = TextAreaField("Action", [Required("Say what was done, or is to be done."), LongText(10_000)])
    person = StringField("Person", [ShortText(200)])
    due_on = SchoolDateField("Due date")

    def validate_due_on(self, field):
        if field.data and field.data < school_day():
            raise ValidationError("This day has passed. Give today or a later day.")


class MarkForm(CasewardForm):
    """A mark placed from the list: no pointer needed."""

    region = SelectField(
        "Part of the body",
        choices=[SelectChoice("", "Choose a part"), *(SelectChoice(row.key, row.label) for row in bodymap.REGIONS)],
        validate_choice=False,
    )
    note = StringField("Note", [ShortText(500)])

    def validate_region(self, field):
        if bodymap.region(field.data or "") is None:
            raise ValidationError("Choose a part of the body from the list.")


class NoteForm(VersionedForm):
    note = StringField("Note", [ShortText(500)])
