"""What every form shares: one-time key, cleaned text, days and moments in school time, limits with their sentences.

Shape only: nothing in here reads a table or decides who may do what.
"""

import re
import secrets
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, tzinfo
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from flask import g, has_app_context
from flask_wtf import FlaskForm
from markupsafe import Markup, escape
from werkzeug.datastructures import CombinedMultiDict, FileStorage, MultiDict
from wtforms import (
    Field,
    FileField,
    HiddenField,
    IntegerField,
    MultipleFileField,
    PasswordField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import StopValidation, ValidationError
from wtforms.widgets import DateInput, DateTimeLocalInput, HiddenInput, TextInput, html_params

from blueprints.kit import uploads
from blueprints.kit.days import parse_day, read_moment
from blueprints.kit.text import clean, one_line
from extensions import clock

__all__ = ["CasewardForm", "Choice", "ExclusionForm", "Files", "FilesForm", "LongText", "NotFuture", "NumberField", "OpenedForm",
           "Required", "SchoolDateField", "SchoolDateTimeField", "ShortText", "VersionedForm", "parse_day", "read_moment",
           "school_day", "school_zone"]

MOST_NUMBER = 1_000_000_000  # of a NumberField
_ONCE = re.compile(r"[A-Za-z0-9_-]{8,64}")
_NUMBER = re.compile(r"[-+]?[0-9]{1,12}(\.[0-9]{1,4})?")


def school_zone() -> tzinfo:
    """The school's time zone; UTC where there is no school yet."""
    school = g.get("school") if has_app_context() else None
    return ZoneInfo(school.timezone) if school else UTC


def school_day() -> date:
    """Today, at the school."""
    return clock.now().astimezone(school_zone()).date()


def _new_once() -> str:
    return secrets.token_urlsafe(12)


def _valid_once(value: str | None) -> str:
    return value if value and _ONCE.fullmatch(value) else _new_once()


class CasewardForm(FlaskForm):
    """A form with clean text (no control characters) and a one-time key that makes posting it twice harmless."""

    class Meta(FlaskForm.Meta):
        def bind_field(self, form: Any, unbound_field: Any, options: dict[str, Any]) -> Field:
            kind = unbound_field.field_class
            if issubclass(kind, StringField):
                tidy = clean if issubclass(kind, TextAreaField | PasswordField) else one_line
                filters = [lambda text: tidy(text) if isinstance(text, str) else text,
                           *unbound_field.kwargs.get("filters", ())]
                return unbound_field.bind(form=form, **options, filters=filters)
            return unbound_field.bind(form=form, **options)

        def wrap_formdata(self, form: Any, formdata: Any) -> Any:
            """What was posted, files under the names of file fields and texts under all other names only: a text sent
            as a file, or a file as a text, counts as not sent. A version that was not sent is none: it must not fall back
            to the newest one, which would win every race."""
            found = super().wrap_formdata(form, formdata)
            if not isinstance(found, CombinedMultiDict | MultiDict):
                return found
            takes_files = {field.name for field in form if isinstance(field, FileField | MultipleFileField)}
            pairs = [
                (name, value)
                for name, values in found.to_dict(flat=False).items()
                for value in values
                if isinstance(value, FileStorage) == (name in takes_files)
            ]
            if "version" in form and "version" not in found:
                pairs.append(("version", ""))
            return MultiDict(pairs)

    once = HiddenField(default=_new_once, filters=[_valid_once])


class VersionedForm(CasewardForm):
    """Carries the version it was filled from; `rebase` lets the form be sent again over the row as it stands now."""

    version = IntegerField(widget=HiddenInput())

    def rebase(self, row: Any) -> None:
        self.version.raw_data, self.version.data = None, row.version


class OpenedForm(CasewardForm):
    """A form on a row that others may save meanwhile; `version` is missing where a row is added."""

    version = HiddenField()

    @property
    def read_version(self) -> int:
        """The version this form was opened on; 0, which no row has, when it was tampered with."""
        text = str(self.version.data or "")
        return int(text) if text.isdecimal() and len(text) < 10 else 0


class VersionField(HiddenField):
    """The version a form was filled from: a number; None for what isn't one, which no row has."""

    def process_formdata(self, valuelist: list[str]) -> None:
        text = valuelist[0] if valuelist else ""
        self.data = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


class RowForm(CasewardForm):
    """A form that adds a row, when it has no version, or changes one that others may save meanwhile."""

    version = VersionField()

    def rebase(self, row: Any) -> None:
        """Make the form good to be sent again over the row as it stands now."""
        self.version.data = row.version


class _TypedField(Field):
    """One input whose text `read` understands; blank is None, and what can't be read stays as it was typed."""

    def read(self, text: str) -> Any:
        raise NotImplementedError

    def show(self, value: Any) -> str:
        raise NotImplementedError

    def process_formdata(self, valuelist: list[str]) -> None:
        if not valuelist:
            return
        self.data = None
        text = one_line(str(valuelist[0]))
        if text:
            self.data = self.read(text)

    def _value(self) -> str:
        if self.data is not None:
            return self.show(self.data)
        return clean(str(self.raw_data[0])) if self.raw_data else ""


class SchoolDateField(_TypedField):
    """A day: a date, or None when left blank."""

    widget = DateInput()

    def read(self, text: str) -> date:
        return parse_day(text)

    def show(self, value: date) -> str:
        return value.isoformat()


class NumberField(_TypedField):
    """A number like 12 or 4.5, of at most a billion either way: a float, or None when left blank."""

    widget = TextInput()

    def read(self, text: str) -> float:
        if not _NUMBER.fullmatch(text):
            raise ValueError(f"{text[:40]} is not a number. Write it like 12 or 4.5.")
        if abs(float(text)) > MOST_NUMBER:
            raise ValueError(f"{text[:40]} is too large a number.")
        return float(text)

    def show(self, value: float) -> str:
        return f"{value:.4f}".rstrip("0").rstrip(".")


class SchoolDateTimeField(_TypedField):
    """A moment typed by the school's clock: an aware datetime in UTC, or None when left blank."""

    widget = DateTimeLocalInput()

    def __init__(self, label: str | None = None, validators: Any = None, tz: Callable[[], tzinfo] = school_zone,
                 **options: Any):
        super().__init__(label, validators, **options)
        self.tz = tz

    def read(self, text: str) -> datetime:
        return read_moment(text, self.tz())

    def show(self, value: datetime) -> str:
        return value.astimezone(self.tz()).strftime("%Y-%m-%dT%H:%M")


def options(pairs: Iterable[tuple[str, str]], chosen: str | None = None) -> Markup:
    """The <option> elements of these (value, label), the one with the value `chosen` selected."""
    written = _options(tuple(map(tuple, pairs)))
    if chosen is not None:
        start = f'<option value="{escape(chosen)}"'
        written = written.replace(f"{start}>", f"{start} selected>", 1)
    return Markup(written)  # noqa: S704


@lru_cache(maxsize=16)
def _options(pairs: tuple[tuple[str, str], ...]) -> str:
    """The same three hundred people stand on page after page: they are written once."""
    return "".join(f'<option value="{escape(value)}">{escape(label)}</option>' for value, label in pairs)


class _PlainSelect:
    """A drop-down written as plain text: WTForms takes ten times as long over the hundred people on many pages."""

    validation_attrs = ("required", "disabled")

    def __call__(self, field: Field, **attributes: Any) -> Markup:
        attributes.setdefault("id", field.id)
        if field.flags.required:
            attributes.setdefault("required", True)
        return Markup(f"<select {html_params(name=field.name, **attributes)}>{field.options()}</select>")  # noqa: S704


class PlainSelectField(SelectField):
    """A drop-down that is written as plain text. Its choices are pairs of value and label, or labels alone."""

    widget = _PlainSelect()

    def __init__(self, label: str | None = None, validators: Any = None, choices: Any = None, **options: Any):
        super().__init__(label, validators, **options)
        self.choices = choices  # given to the constructor, WTForms would want objects of its own

    def pairs(self) -> list[tuple[str, str]]:
        """(value, label) of every choice; a choice may be given as its label alone."""
        return [(choice, choice) if isinstance(choice, str) else choice for choice in self.choices or ()]

    def options(self) -> Markup:
        """The <option> elements, for a template that writes its <select> itself."""
        return options(self.pairs(), self.data)


class Choice(PlainSelectField):
    """A drop-down; a value that is not one of its choices is refused with a sentence, whoever sent it."""

    def __init__(self, label: str | None = None, validators: Any = None,
                 unknown: str = "This is not known. Choose one from the list.", **options: Any):
        options.setdefault("default", "")
        super().__init__(label, validators, **options)
        self.unknown = unknown

    def pre_validate(self, form: Any) -> None:
        if all(self.data != value for value, _ in self.pairs()):
            raise ValidationError(self.unknown)


class Required:
    """Something must be given; white space is nothing. A field's own error (a date that isn't one) stays."""

    def __init__(self, sentence: str = "Fill this in."):
        self.sentence = sentence
        self.field_flags = {"required": True}

    def __call__(self, form: Any, field: Field) -> None:
        given = [value for value in field.raw_data or [] if not isinstance(value, str) or value.strip()]
        if not given or field.data in (None, "", []) and not field.errors:
            field.errors = []
            raise StopValidation(self.sentence)
        if field.errors:
            raise StopValidation()


class _MaxLength:
    def __init__(self, maximum: int):
        self.maximum = maximum

    def __call__(self, form: Any, field: Field) -> None:
        length = len(field.data or "")
        if length > self.maximum:
            raise ValidationError(f"This is {length:,} characters long. It can be at most {self.maximum:,}.")


class ShortText(_MaxLength):
    """At most so many characters. Sets no maxlength: browsers would cut what is pasted without a word."""


class LongText(_MaxLength):
    """The same for narrative."""

    def __init__(self, maximum: int = 100_000):
        super().__init__(maximum)


class NotFuture:
    """The day or moment has been, by the school's clock."""

    def __init__(self, sentence: str | None = None):
        self.sentence = sentence

    def __call__(self, form: Any, field: Field) -> None:
        now = clock.now()
        zone = field.tz() if hasattr(field, "tz") else school_zone()
        if isinstance(field.data, datetime):
            future, words = field.data > now, f"This is in the future: it is {now.astimezone(zone):%H:%M} now."
        elif isinstance(field.data, date):
            future, words = field.data > now.astimezone(zone).date(), "This day is in the future."
        else:
            return
        if future:
            raise ValidationError(self.sentence or words)


class Files:
    """The files of a MultipleFileField can be taken; afterwards its data is only those that somebody chose."""

    def __init__(self, max_files: int = uploads.MAX_FILES):
        self.max_files = max_files

    def __call__(self, form: Any, field: Field) -> None:
        try:
            field.data = uploads.chosen(field.data or [], self.max_files)
        except uploads.UploadProblem as problem:
            raise StopValidation(problem.sentence) from None
        problems = []
        for file in field.data:
            try:
                uploads.check(file)
            except uploads.UploadProblem as problem:
                problems.append(problem.sentence)
        if problems:
            raise StopValidation(" ".join(problems))


class FilesForm(CasewardForm):
    """Files to add to a record."""

    files = MultipleFileField("Files", [Files()])

    def validate_files(self, field: Field) -> None:
        if not field.data and not field.errors:
            raise ValidationError("Choose a file.")


class ExclusionForm(CasewardForm):
    """Who is kept out of a record, and why."""

    staff_member = SelectField("Staff member", validate_choice=False)
    reason = StringField("Reason", [Required("Give the reason."), ShortText(250)])

    def offer(self, staff: Iterable[tuple[str, str]]) -> "ExclusionForm":
        """Let one of these (reference, name) be chosen."""
        self.staff_member.choices = [("", ""), *staff]
        return self

    def validate_staff_member(self, field: Field) -> None:
        if not field.data or field.data not in {value for value, _ in field.choices}:
            raise ValidationError("Choose a staff member from the list.")
