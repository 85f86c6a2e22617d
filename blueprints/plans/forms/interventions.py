"""The shape of what is typed about an intervention group: its template, the students to bring in, the archive."""

from wtforms import FieldList, FileField, FormField, IntegerField, StringField, TextAreaField
from wtforms.validators import ValidationError
from wtforms.widgets import HiddenInput

from blueprints.kit.forms import CasewardForm, Choice, LongText, NumberField, Required, ShortText
from blueprints.kit.text import one_line
from blueprints.plans.forms.plans import NONE_OF_THESE, StepRow
from blueprints.plans.queries.words import TIERS

ROWS = 3  # empty rows for further interventions
MOST_WEEKS = 104


class InterventionForm(CasewardForm):
    """A group and the template of its plans. It carries `number`, the version it was made from: a field like any other, so
    that a draft keeps it and can't overwrite what came in between."""

    number = IntegerField(widget=HiddenInput())
    name = StringField("Name", [Required("Give the group a name."), ShortText(100)])
    description = TextAreaField("Description", [LongText(10_000)])
    lead = StringField("Lead", [ShortText(200)])
    group = Choice("Staff group", unknown="This group is not known. Choose one from the list.")
    tier = Choice("Tier", [Required("Choose a tier.")], unknown=NONE_OF_THESE)
    concern = TextAreaField("Concern", [LongText(10_000)])
    goal = TextAreaField("Goal", [Required("Say what the plans are to reach."), LongText(10_000)])
    measure = StringField("Measure", [ShortText(200)])
    baseline = NumberField("Baseline")
    target = NumberField("Target")
    review_weeks = NumberField("Weeks until the review")
    steps = FieldList(FormField(StepRow), "Interventions", max_entries=30)

    def offer(self, groups):
        """`groups`: (ref, name) of the staff groups that can be chosen. Leaves empty rows at the end of the interventions."""
        self.tier.choices = [(str(tier), name) for tier, name in TIERS.items()]
        self.group.choices = [("", "Nobody but the lead"), *groups]
        while len(self.steps) < 30 and len([row for row in self.steps if not row.form.text.data]) < ROWS:
            self.steps.append_entry()
        return self

    def said(self):
        """The fields of a group by the names of its columns."""
        texts = {name: self[name].data or "" for name in ("name", "description", "concern", "goal", "measure")}
        weeks = None if self.review_weeks.data is None else int(self.review_weeks.data)
        numbers = {"baseline": self.baseline.data, "target": self.target.data, "review_weeks": weeks}
        return {"tier": int(self.tier.data), **numbers, **texts}

    def rows(self):
        """(text, how often) of every intervention that says something."""
        rows = [(one_line(row.form.text.data or ""), one_line(row.form.how_often.data or "")) for row in self.steps]
        return [(text, how_often) for text, how_often in rows if text]

    def validate_review_weeks(self, field):
        if field.data is not None and not (field.data == int(field.data) and 1 <= field.data <= MOST_WEEKS):
            raise ValidationError(f"Give a whole number of weeks from 1 to {MOST_WEEKS}, or leave it empty for no review.")

    def validate_steps(self, field):
        for row in field:
            if one_line(row.form.how_often.data or "") and not one_line(row.form.text.data or ""):
                row.form.text.errors = [*row.form.text.errors, "Say what is done so often."]
                raise ValidationError("Say what is done so often.")

    def rebase(self, group):
        """Let the form be sent again over the group as it stands now."""
        self.number.raw_data, self.number.data = None, group.version


class AddStudentsForm(CasewardForm):
    """Students by name, or by their addresses: typed, pasted or from a file."""

    students = StringField("Students", [ShortText(1_000)])
    emails = TextAreaField("Email addresses", [LongText(100_000)])
    file = FileField("CSV file")
