"""The shape of what is typed about a plan: what it says, who works on it, interventions, progress points, reviews, its end.

A form with long texts carries `number`, the version of the plan it was made from: a field like any other, so that a draft
keeps it and can't overwrite what came in between.
"""

from wtforms import FieldList, Form, FormField, IntegerField, StringField, TextAreaField
from wtforms.validators import ValidationError
from wtforms.widgets import HiddenInput

from blueprints.kit.forms import (
    CasewardForm,
    Choice,
    LongText,
    NotFuture,
    NumberField,
    Required,
    SchoolDateField,
    ShortText,
    VersionedForm,
)
from blueprints.kit.text import one_line
from blueprints.plans.queries.words import DECISIONS, TIERS

NONE_OF_THESE = "Choose a tier from the list."
ROWS = 3  # of interventions on the page of a new plan; more are added on the plan's page


class _AboutForm(CasewardForm):
    """Stands before _SaysForm: a summary of errors lists the fields in the order in which they are made."""

    student = StringField("Student", [ShortText(200)])


class _SaysForm(CasewardForm):
    """What a plan says."""

    tier = Choice("Tier", [Required("Choose a tier.")], unknown=NONE_OF_THESE)
    goal = TextAreaField("Goal", [Required("Say what the plan is to reach."), LongText(10_000)])
    concern = TextAreaField("Concern", [LongText(10_000)])
    measure = StringField("Measure", [ShortText(200)])
    baseline = NumberField("Baseline")
    target = NumberField("Target")
    starts_on = SchoolDateField("Starts", [Required("Say when the plan starts.")])
    review_by = SchoolDateField("Review by")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.tier.choices = [("", "Choose a tier"), *((str(tier), name) for tier, name in TIERS.items())]

    def said(self):
        """The fields of a plan by the names of its columns."""
        texts = {name: self[name].data or "" for name in ("concern", "goal", "measure")}
        return {"tier": int(self.tier.data), "baseline": self.baseline.data, "target": self.target.data,
                "starts_on": self.starts_on.data, "review_by": self.review_by.data, **texts}  # fmt: skip

    def validate_review_by(self, field):
        if field.data and self.starts_on.data and field.data < self.starts_on.data:
            raise ValidationError("The review would be before the plan starts. Give the day it starts, or a later one.")


class StepRow(Form):
    """One of the interventions that a new plan starts with."""

    text = StringField("Intervention", [ShortText(2_000)])
    how_often = StringField("How often", [ShortText(200)])


class NewPlanForm(_AboutForm, _SaysForm):
    """Create a Plan."""

    lead = StringField("Lead", [ShortText(200)])
    staff = StringField("Staff", [ShortText(1_000)])
    steps = FieldList(FormField(StepRow), "Interventions", min_entries=ROWS, max_entries=20)

    def interventions(self):
        """(text, how often) of every row that says something."""
        rows = [(one_line(row.form.text.data or ""), one_line(row.form.how_often.data or "")) for row in self.steps]
        return [(text, how_often) for text, how_often in rows if text]

    def validate_steps(self, field):
        for row in field:
            if one_line(row.form.how_often.data or "") and not one_line(row.form.text.data or ""):
                row.form.text.errors = [*row.form.text.errors, "Say what is done so often."]
                raise ValidationError("Say what is done so often.")


class EditPlanForm(_SaysForm):
    """What the plan says from now on."""

    number = IntegerField(widget=HiddenInput())

    def rebase(self, plan):
        """Let the form be sent again over the plan as it stands now."""
        self.number.raw_data, self.number.data = None, plan.version


class PeopleForm(VersionedForm):
    """Who leads a plan, and who else works on it."""

    lead = StringField("Lead", [ShortText(200)])
    staff = StringField("Staff", [ShortText(1_000)])


class EndPlanForm(VersionedForm):
    reason = StringField("Reason", [Required("Say why the plan ends."), ShortText(250)])


class ResumePlanForm(VersionedForm):
    pass


class StepForm(VersionedForm):
    """An intervention; `version` and the day it ended only where there is one already."""

    text = TextAreaField("Intervention", [Required("Say what is done."), LongText(2_000)])
    how_often = StringField("How often", [ShortText(200)])
    started_on = SchoolDateField("Started", [Required("Say when it started.")])
    ended_on = SchoolDateField("Ended")

    def validate_ended_on(self, field):
        if field.data and self.started_on.data and field.data < self.started_on.data:
            raise ValidationError("It would end before it started.")


class PointForm(CasewardForm):
    """A progress point."""

    day = SchoolDateField("Day", [Required("Say on which day it was measured."), NotFuture()])
    value = NumberField("Value", [Required("Say what was measured: a number.")])
    note = StringField("Note", [ShortText(500)])


class ReviewForm(CasewardForm):
    """Conduct a Plan Review."""

    number = IntegerField(widget=HiddenInput())
    day = SchoolDateField("Day", [Required("Say on which day the plan was reviewed."), NotFuture()])
    decision = Choice("Decision", [Required("Say what was decided.")], unknown="Choose a decision from the list.")
    notes = TextAreaField("Notes", [LongText()])
    next_on = SchoolDateField("Next review")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.decision.choices = [("", "Choose a decision"), *DECISIONS.items()]

    def rebase(self, plan):
        """Let the form be sent again over the plan as it stands now."""
        self.number.raw_data, self.number.data = None, plan.version
