"""The forms of signing in and of accounts: shape only. Whether a password or an email will do, the actions say."""

from flask_wtf.file import FileField
from wtforms import BooleanField, IntegerField, PasswordField, StringField
from wtforms.widgets import HiddenInput

from blueprints.kit.forms import CasewardForm, Required, ShortText


class SignInForm(CasewardForm):
    email = StringField("Email", [Required("Type your email."), ShortText(254)])
    password = PasswordField("Password", [Required("Type your password.")])
    code = StringField("Code", [ShortText(40)])


class CodeForm(CasewardForm):
    code = StringField("Code", [Required("Type the code."), ShortText(40)])


class PasswordLinkForm(CasewardForm):
    email = StringField("Email", [Required("Type your email."), ShortText(254)])


class NewPasswordForm(CasewardForm):
    password = PasswordField("New password", [Required("Type a new password.")])


class ChangePasswordForm(CasewardForm):
    current = PasswordField("Present password", [Required("Type your present password.")])
    password = PasswordField("New password", [Required("Type a new password.")])


class ConfirmForm(CasewardForm):
    current = PasswordField("Present password", [Required("Type your present password.")])


class TwoStepForm(CasewardForm):
    """`current` is asked for only when there is a second step already (see the view)."""

    code = StringField("Code", [Required("Type the six digits that the app shows."), ShortText(40)])
    current = PasswordField("Present password")


class OwnDetailsForm(CasewardForm):
    title = StringField("Role title", [ShortText(255)])
    phone = StringField("Phone", [ShortText(255)])
    version = IntegerField(widget=HiddenInput())


class OwnCardForm(OwnDetailsForm):
    """What staff say of themselves: more of them stands on a card."""

    booking_url = StringField("Booking link", [ShortText(255)])
    photo = FileField("Photo")
    remove_photo = BooleanField("Remove the photo")


class ProfileForm(CasewardForm):
    """A person, before anybody says what they may do."""

    name = StringField("Name", [Required("Give the name."), ShortText(255)])
    email = StringField("Email", [Required("Give the email."), ShortText(254)])
    title = StringField("Role title", [ShortText(255)])
    phone = StringField("Phone", [ShortText(255)])
    booking_url = StringField("Booking link", [ShortText(255)])


class SetUpForm(CasewardForm):
    code = StringField("Set-up code", [Required("Type the set-up code from the terminal."), ShortText(100)])
    school_name = StringField("School name", [Required("Give the school's name."), ShortText(255)])
    name = StringField("Your name", [Required("Give your name."), ShortText(255)])
    email = StringField("Email", [Required("Give your email."), ShortText(254)])
    password = PasswordField("Password", [Required("Choose a password.")])
