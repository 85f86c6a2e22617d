"""The forms of imports: a file, which column is what, the last question. Shape only."""

from flask_wtf.file import FileField
from wtforms import BooleanField, IntegerField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.widgets import HiddenInput

from blueprints.kit.forms import CasewardForm

NOT_IN_FILE = ""


class CsvForm(CasewardForm):
    """A CSV file."""

    file = FileField("CSV file")


class ZipForm(CasewardForm):
    """A OneRoster set."""

    file = FileField("Zip file")


def mapping_form(kind, source, **given):
    """The form of an import's choices: for each of its fields a list of the file's headings, named like the field, and a
    tick box for each of its options."""

    class Mapping(CasewardForm):
        pass

    headings = [SelectChoice(str(number), name) for number, name in enumerate(source.header)] if kind.fields else []
    choices = [SelectChoice(NOT_IN_FILE, "Not in the file"), *headings]
    for field in kind.fields:
        setattr(Mapping, field.name, SelectField(field.label, choices=choices, default=NOT_IN_FILE, validate_choice=False))
    for option in kind.options:
        setattr(Mapping, option.name, BooleanField(option.label))
    return Mapping(**given)


class ConfirmForm(CasewardForm):
    """The last question before an import is written."""

    leavers = StringField("Number of leavers")
    version = IntegerField(widget=HiddenInput())
