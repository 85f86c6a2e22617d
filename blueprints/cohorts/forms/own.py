"""What a student types about a milestone."""

from wtforms import MultipleFileField, TextAreaField

from blueprints.kit.forms import CasewardForm, Files, LongText


class AskForm(CasewardForm):
    note = TextAreaField("Note", [LongText(2000)])
    files = MultipleFileField("Files", [Files()])
