"""The forms of Admin > Users: shape and choices. Whether an email or a role will do, the actions on accounts say."""

from wtforms import IntegerField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.widgets import HiddenInput

import permissions
from blueprints.kit.forms import CasewardForm, Required, ShortText

ROLE_CHOICES = [SelectChoice("", ""), *(SelectChoice(key, label) for key, label in permissions.ROLES.items())]


class UserForm(CasewardForm):
    name = StringField("Name", [Required("Give the name."), ShortText(255)])
    email = StringField("Email", [Required("Give the email."), ShortText(254)])
    role = SelectField("Role", [Required("Choose a role.")], choices=ROLE_CHOICES)
    title = StringField("Role title", [ShortText(255)])
    phone = StringField("Phone", [ShortText(255)])


class UserEditForm(UserForm):
    version = IntegerField(widget=HiddenInput())
