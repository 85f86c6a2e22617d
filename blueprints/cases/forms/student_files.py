"""The shape of what is said about files on a student's profile: what they are, and who may see them."""

from wtforms import MultipleFileField, RadioField, SelectMultipleField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import ValidationError

from blueprints.kit.forms import CasewardForm, Choice, Files, VersionedForm


class _AudienceForm(CasewardForm):
    """What a file is, and who may see it."""

    category = Choice("Category")
    shown_to = RadioField("Who may see it", default="related", validate_choice=False)
    groups = SelectMultipleField("Groups", validate_choice=False)

    def offer(self, categories, student):
        """Let these categories (reference, name) be chosen, and whoever works with the student or groups see it."""
        self.category.choices = [("", "No category"), *categories]
        self.shown_to.choices = [
            SelectChoice("related", f"Everybody who works with {student.name}"),
            SelectChoice("groups", "Only members of the groups ticked here"),
        ]
        return self


class FileAudienceForm(_AudienceForm, VersionedForm):
    """The same of a file that is there."""


class SubmitFilesForm(_AudienceForm):
    files = MultipleFileField("Files", [Files()])

    def validate_files(self, field):
        if not field.data and not field.errors:
            raise ValidationError("Choose a file.")
