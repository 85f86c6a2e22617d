"""The forms of the reports: shape and choices only; what a choice stands for is found by queries.filters_of()."""

from wtforms import BooleanField, HiddenField, StringField
from wtforms.validators import ValidationError

from blueprints.kit.forms import CasewardForm, Choice, OpenedForm, Required, SchoolDateField, ShortText

STATUSES = ("Active", "Closed")
CASES_FIELDS = ("status", "assigned_to", "unassigned")


class ReportForm(CasewardForm):
    """Filter Incidents; read from the address, whose names are those of the fields here."""

    from_day = SchoolDateField("From", name="from")
    to_day = SchoolDateField("To", name="to")
    category = Choice("Category", unknown="This category is not known. Choose one from the list.")
    student = StringField("Student", [ShortText(200)])
    year_group = Choice("Year group", unknown="No student is in this year group. Choose one from the list.")
    cohort = Choice("Cohort", unknown="This cohort is not known. Choose one from the list.")
    author = Choice("Author", unknown="This author is not known. Choose one from the list.")
    text = StringField("Text", [ShortText(200)])
    status = Choice("Status", unknown="This status is not known. Choose one from the list.")
    assigned_to = Choice("Assigned to", unknown="This Key User is not known. Choose one from the list.")
    unassigned = BooleanField("Unassigned")

    def offer(self, choices, cases_module):
        """Fill the drop-downs from queries.Choices; without the Cases module its three fields are not there."""
        rows = [row for top, children in choices.tree for row in (top, *children)]
        self.category.choices = [("", "Any"), *((row.ref, row.whole_name) for row in rows)]
        self.year_group.choices = [("", "Any"), *((year, year) for year in choices.years)]
        self.cohort.choices = [("", "Any"), *((cohort.ref, cohort.name) for cohort in choices.cohorts)]
        self.author.choices = choices.people.authors
        if cases_module:
            self.status.choices = [("", "Any"), *((status, status) for status in STATUSES)]
            self.assigned_to.choices = choices.people.assignable
        else:
            for name in CASES_FIELDS:
                del self[name]
        return self

    def validate_to_day(self, field):
        if self.from_day.data and field.data and field.data < self.from_day.data:
            raise ValidationError("This day is before the day in From.")

    def validate_unassigned(self, field):
        if field.data and self.assigned_to.data:
            raise ValidationError("Choose somebody in Assigned to, or tick Unassigned, but not both.")


class SavedReportForm(OpenedForm):
    name = StringField("Name", [Required("Give the report a name."), ShortText(100)])
    is_shared = BooleanField("Share with everybody who may run reports")
    query = HiddenField()
