"""The forms of Admin > Users: shape and choices. Whether an email or a role will do, the actions on accounts say."""

from flask_wtf.file import FileField
from wtforms import BooleanField, IntegerField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.widgets import HiddenInput

import permissions
from blueprints.kit.forms import CasewardForm, Required, ShortText

ROLE_CHOICES = [SelectChoice(key, label) for key, label in permissions.ROLES.items()]
# What a new account starts with is chosen, so "no role" is a choice of its own there and not the empty one.
NO_ROLE = "none"


class UserForm(CasewardForm):
    name = StringField("Name", [Required("Give the name."), ShortText(255)])
    email = StringField("Email", [Required("Give the email."), ShortText(254)])
    role = SelectField(
        "Role",
        [Required("Choose a role.")],
        choices=[SelectChoice("", ""), *ROLE_CHOICES, SelectChoice(NO_ROLE, "No role yet")],
    )
    title = StringField("Role title", [ShortText(255)])
    phone = StringField("Phone", [ShortText(255)])
    booking_url = StringField("Booking link", [ShortText(255)])


class UserEditForm(UserForm):
    role = SelectField("Role", choices=[*ROLE_CHOICES, SelectChoice("", "No role")])
    photo = FileField("Photo")
    remove_photo = BooleanField("Remove the photo")
    version = IntegerField(widget=HiddenInput())
