"""The shape of what is typed about a task. Who can be given one is for the action to say, whoever was chosen."""

from wtforms import StringField, TextAreaField

from blueprints.kit.forms import (
    CasewardForm,
    Choice,
    LongText,
    PlainSelectField,
    Required,
    SchoolDateField,
    ShortText,
    VersionedForm,
)

TITLE = ("Title", [Required("Say what is to be done."), ShortText(200)])
ASSIGNED_TO = ("Assigned to", [Required("Say who is to do it.")])


class NewTaskForm(CasewardForm):
    """New task."""

    student = StringField("Student", [ShortText(200)])
    title = StringField(*TITLE)
    assigned_to = PlainSelectField(*ASSIGNED_TO, validate_choice=False)
    due_on = SchoolDateField("Due date")
    repeats = Choice("Repeats")
    notes = TextAreaField("Notes", [LongText()])


class EditTaskForm(VersionedForm):
    """What can be changed while a task is open; its notes stay, others are added to them."""

    title = StringField(*TITLE)
    assigned_to = PlainSelectField(*ASSIGNED_TO, validate_choice=False)
    due_on = SchoolDateField("Due date")
    repeats = Choice("Repeats")


class TaskNoteForm(CasewardForm):
    text = TextAreaField("Note", [Required("Write the note."), LongText()])
