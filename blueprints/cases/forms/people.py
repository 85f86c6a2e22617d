"""The shape of what is chosen about who is on a case. The views look up who is meant; the actions ask who may be chosen."""

from wtforms import BooleanField, SelectMultipleField, StringField
from wtforms.widgets import HiddenInput

from blueprints.kit.forms import CasewardForm, ShortText, VersionedForm


class PeopleForm(VersionedForm):
    """Primary Advocate, Coordinator and Following Case: what was typed, with the version of the case they were filled
    from. Who was chosen stands among the chips of the pickers."""

    primary_advocate = StringField("Primary Advocate", [ShortText(200)])
    coordinator = StringField("Coordinator", [ShortText(200)])
    following = StringField("Following Case", [ShortText(1000)])

class AttachForm(CasewardForm):
    """A group that was chosen, members that were ticked, and whether they are emailed."""

    group = StringField("Group", widget=HiddenInput())
    staff = SelectMultipleField("Staff", id="attach-staff", validate_choice=False)
    email = BooleanField("Email Staff Being Added to Case", id="attach-email")
