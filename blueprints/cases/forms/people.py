"""The shape of what is chosen about who is on a case. Choices come from the queries; the actions ask who may be chosen."""

from wtforms import BooleanField, IntegerField, SelectField, SelectMultipleField, StringField
from wtforms.validators import ValidationError
from wtforms.widgets import HiddenInput

from blueprints.kit.forms import CasewardForm, Choice, Required, ShortText


class Person(Choice):
    """A drop-down of staff. Who is not in it gets a sentence of their own where the choice is looked up."""

    def pre_validate(self, form):
        pass


class PeopleForm(CasewardForm):
    """Primary Advocate, Coordinator and Following Case, with the version of the case they were filled from."""

    version = IntegerField(widget=HiddenInput())
    primary_advocate = Person("Primary Advocate")
    coordinator = Person("Coordinator")
    following = StringField("Following Case", [ShortText(1000)])

    def offer(self, case, staff):
        """Offer these (ref, label), and whoever holds the field now, also if they could not be chosen any more."""
        known = {ref for ref, _ in staff}
        for name in ("primary_advocate", "coordinator"):
            holder = getattr(case, name)
            held = [(holder.ref, holder.name)] if holder is not None and holder.ref not in known else []
            self[name].choices = [("", "Nobody"), *held, *staff]
        return self

    def rebase(self, row):
        """Make the form good to be sent again over the case as it stands now."""
        self.version.raw_data, self.version.data = None, row.version


class AttachForm(CasewardForm):
    """A group that was chosen, members that were ticked, and whether they are emailed."""

    group = StringField("Group", widget=HiddenInput())
    staff = SelectMultipleField("Staff", id="attach-staff", validate_choice=False)
    email = BooleanField("Email Staff Being Added to Case", id="attach-email")


class ExclusionForm(CasewardForm):
    """Who is kept out of the case, and why."""

    staff_member = SelectField("Staff member", validate_choice=False)
    reason = StringField("Reason", [Required("Give the reason."), ShortText(250)])

    def offer(self, staff):
        self.staff_member.choices = [("", ""), *staff]
        return self

    def validate_staff_member(self, field):
        if not field.data or field.data not in {value for value, _ in field.choices}:
            raise ValidationError("Choose a staff member from the list.")
