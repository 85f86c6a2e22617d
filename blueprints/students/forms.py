"""The shape of what is typed about a student: fields, lengths, and the sentence for each that can't be taken.

The import holds its rows against the same fields. Knows no table and no permission.
"""

from typing import NamedTuple

from wtforms import SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import ValidationError

from blueprints.kit.forms import CasewardForm, LongText, NotFuture, Required, RowForm, SchoolDateField, ShortText
from blueprints.kit.text import LONGEST_EMAIL, email_problem


class Field(NamedTuple):
    """A column of a student as people call it, its longest text, and what school systems call it."""

    name: str
    label: str
    longest: int
    synonyms: tuple = ()


# The headings of ruling 13, in their order.
FIELDS = (
    Field("first_name", "First name", 100, ("Forename", "Given name", "Legal forename", "Legal first name", "Firstname",
                                            "Vorname", "Prénom")),
    Field("last_name", "Last name", 100, ("Surname", "Family name", "Legal surname", "Legal last name", "Lastname",
                                          "Nachname", "Familienname", "Nom")),
    Field("preferred_name", "Preferred name", 100, ("Preferred forename", "Preferred first name", "Known as",
                                                    "Chosen name", "Chosen forename", "Rufname")),
    Field("email", "Email", LONGEST_EMAIL, ("Email address", "E-mail address", "Student email", "School email",
                                            "Primary email", "Mail")),
    Field("date_of_birth", "Date of birth", 40, ("DOB", "Birth date", "Birthday", "Birthdate", "Geburtsdatum",
                                                 "Date de naissance")),
    Field("year_group", "Year group", 50, ("Year", "NC year", "National curriculum year", "Year taught in", "Grade",
                                           "Grade level", "Yr", "Jahrgang")),
    Field("tutor_group", "Tutor group", 50, ("Tutor", "Form", "Form group", "Reg", "Reg group", "Registration group",
                                             "Registration form", "Homeroom", "Class", "Klasse")),
    Field("admission_number", "Admission number", 50, ("Admission no", "Adm no", "Adm number", "Adno", "Admno",
                                                       "Student number", "Student ID", "Pupil number", "Pupil ID")),
    Field("upn", "UPN", 50, ("Unique pupil number", "State ID", "State student ID")),
)
LABELS = {field.name: field.label for field in FIELDS} | {"address": "Address"}
LONGEST = {field.name: field.longest for field in FIELDS}
REQUIRED = ("first_name", "last_name")


class Email:
    """Blank, or one address."""

    def __call__(self, form, field):
        if field.data and (problem := email_problem(field.data)):
            raise ValidationError(problem)


class StudentForm(RowForm):
    """Everything that is typed about a student."""

    first_name = StringField("First name", [Required("Give the first name."), ShortText(LONGEST["first_name"])])
    last_name = StringField("Last name", [Required("Give the last name."), ShortText(LONGEST["last_name"])])
    preferred_name = StringField("Preferred name", [ShortText(LONGEST["preferred_name"])])
    year_group = StringField("Year group", [ShortText(LONGEST["year_group"])])
    tutor_group = StringField("Tutor group", [ShortText(LONGEST["tutor_group"])])
    date_of_birth = SchoolDateField("Date of birth", [NotFuture("A date of birth can't be in the future.")])
    email = StringField("Email", [Email()])
    admission_number = StringField("Admission number", [ShortText(LONGEST["admission_number"])])
    upn = StringField("UPN", [ShortText(LONGEST["upn"])])
    address = TextAreaField("Address", [LongText(1000)])

    def values(self):
        """What was typed, as the columns hold it."""
        given = {name: self[name].data or "" for name in LABELS}
        given["address"] = given["address"].strip()
        return given | {name: given[name] or None for name in ("date_of_birth", "admission_number", "upn")}


CONTACT_LABELS = {
    "name": "Name", "relationship": "Relationship", "phone": "Phone", "email": "Email", "notes": "Notes",
}  # fmt: skip


class ContactForm(RowForm):
    """Somebody to reach about the student."""

    name = StringField("Name", [Required("Give the name."), ShortText(200)])
    relationship = StringField("Relationship", [ShortText(100)])
    phone = StringField("Phone", [ShortText(100)])
    email = StringField("Email", [Email()])
    notes = TextAreaField("Notes", [LongText(2000)])

    def values(self):
        return {name: (self[name].data or "").strip() for name in CONTACT_LABELS}


class ExclusionForm(CasewardForm):
    """Who is kept out, and why. `people` are (ref, name)."""

    staff_member = SelectField("Staff member", validate_choice=False)
    reason = StringField("Reason", [Required("Give the reason."), ShortText(255)])

    def offer(self, people):
        self.staff_member.choices = [SelectChoice("", ""), *(SelectChoice(ref, name) for ref, name in people)]
        return self

    def validate_staff_member(self, field):
        if not field.data:
            raise ValidationError("Choose a staff member.")
        if field.data not in {choice.value for choice in field.choices}:
            raise ValidationError("This staff member is not known, or is excluded already.")
