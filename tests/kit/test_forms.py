"""What all forms share: cleaned text, school time, limits that say what they are, and a key that survives."""

import io
from datetime import UTC, date, datetime
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from flask import Flask, g
from flask_wtf.file import MultipleFileField
from werkzeug.datastructures import FileStorage, MultiDict
from wtforms import HiddenField, PasswordField, StringField, TextAreaField
from wtforms.validators import Optional

from blueprints.kit.forms import (
    CasewardForm,
    Files,
    LongText,
    NotFuture,
    Required,
    SchoolDateField,
    SchoolDateTimeField,
    ShortText,
    school_zone,
)
from extensions import clock

PARIS = ZoneInfo("Europe/Paris")


class Form(CasewardForm):
    place = StringField("Place", [ShortText(20)])
    text = TextAreaField("What happened", [Required("Say what happened."), LongText()])
    when = SchoolDateTimeField("When it happened", [Required("Say when."), NotFuture()], tz=lambda: PARIS)
    day = SchoolDateField("Day", [Optional(), NotFuture()])
    secret = PasswordField("Password")
    hidden = HiddenField()
    files = MultipleFileField("Files", [Files()])


@pytest.fixture(autouse=True)
def context():
    app = Flask("test")
    app.config.update(SECRET_KEY="k" * 32, WTF_CSRF_ENABLED=False)
    clock.freeze(datetime(2026, 11, 14, 9, 40, tzinfo=UTC))
    with app.test_request_context("/", method="POST"):
        yield
    clock.thaw()


def form(**typed):
    return Form(MultiDict({"text": "It happened.", "when": "2026-11-14T10:00"} | typed))


def errors(**typed):
    filled = form(**typed)
    filled.validate()
    return filled.errors


def test_a_good_form():
    filled = form(
        place="  Hall\x00 \t 2 ", text="  one\r\ntwo\x07\n", day="13/11/2026", secret=" p\x00w ", hidden=" h "
    )
    assert filled.validate(), filled.errors
    assert (filled.place.data, filled.text.data, filled.secret.data, filled.hidden.data) == (
        "Hall 2",
        "  one\ntwo\n",
        " pw ",
        "h",
    )
    assert filled.when.data == datetime(2026, 11, 14, 9, 0, tzinfo=UTC)
    assert filled.day.data == date(2026, 11, 13)
    assert 'value="2026-11-14T10:00"' in filled.when() and 'type="datetime-local"' in filled.when()
    assert 'value="2026-11-13"' in filled.day() and 'type="date"' in filled.day()


def test_a_fresh_form():
    fresh = Form(formdata=None, when=datetime(2026, 7, 1, 8, 40, tzinfo=UTC), day=date(2026, 7, 1))
    assert 'value="2026-07-01T10:40"' in fresh.when() and 'value="2026-07-01"' in fresh.day()
    assert (Form(formdata=None).when.data, Form(formdata=None).place()) == (
        None,
        '<input id="place" name="place" type="text" value="">',
    )


@pytest.mark.parametrize(
    ("typed", "field", "sentence"),
    [
        ({"text": ""}, "text", "Say what happened."),
        ({"text": " \r\n "}, "text", "Say what happened."),
        ({"text": "\x00"}, "text", "Say what happened."),
        ({"text": "x" * 1_000_000}, "text", "This is 1,000,000 characters long. It can be at most 100,000."),
        ({"place": "x" * 21}, "place", "This is 21 characters long. It can be at most 20."),
        ({"when": ""}, "when", "Say when."),
        ({"when": "2026-02-31T10:00"}, "when", "31 February 2026 is not a date."),
        (
            {"when": "2026-03-29T02:30"},
            "when",
            "29 March 2026, 02:30 is not a time: the clocks go forward at 02:00 that night and pass over it.",
        ),
        ({"when": "2026-11-14T10:41"}, "when", "This is in the future: it is 10:40 now."),
        ({"day": "31/2/2026"}, "day", "31 February 2026 is not a date."),
        ({"day": "2026-11-15"}, "day", "This day is in the future."),
    ],
)
def test_bad_input_gets_one_sentence(typed, field, sentence):
    assert errors(**typed) == {field: [sentence]}


@pytest.mark.parametrize("typed", ["31/2/2026", "<soon>", "2026-02-31"])
def test_what_was_typed_stays(typed):
    filled = form(day=typed)
    filled.validate()
    assert filled.day._value() == typed and filled.day.data is None


def test_today_is_the_schools_day():
    clock.freeze(datetime(2026, 11, 14, 23, 30, tzinfo=UTC))
    assert "day" in errors(day="2026-11-15")
    g.school = SimpleNamespace(timezone="Europe/Paris")
    assert school_zone() == PARIS
    assert errors(day="2026-11-15") == {}


def test_the_key_is_new_on_a_fresh_form_and_kept_on_a_returned_one():
    assert len(Form(formdata=None).once.data) == 16
    assert Form(formdata=None).once.data != Form(formdata=None).once.data
    assert form(once="abcDEF_-12345678").once.data == "abcDEF_-12345678"
    assert 'value="abcDEF_-12345678"' in form(once="abcDEF_-12345678").once()
    for forged in ("", "short", "x" * 65, "a'--;\x00aaaaaaaa"):
        assert len(form(once=forged).once.data) == 16


def test_files_are_checked_and_the_empty_input_is_dropped():
    def upload(data, name):
        return FileStorage(io.BytesIO(data), name)

    def files(*chosen):
        filled = Form(MultiDict([("text", "x"), ("when", "2026-11-14T10:00"), *(("files", file) for file in chosen)]))
        filled.validate()
        return filled

    good = files(upload(b"hello", "a.txt"), upload(b"", ""))
    assert (
        not good.errors
        and [file.filename for file in good.files.data] == ["a.txt"]
        and good.files.data[0].read() == b"hello"
    )
    assert files(upload(b"", "")).files.data == []
    assert form().validate()
    bad = files(upload(b"hello", "a.txt"), upload(b"MZ", "setup.exe"), upload(b"", "b.txt")).errors["files"]
    assert bad[0].startswith("setup.exe is a program. Send a PDF") and bad[0].endswith("b.txt is empty.")
    assert files(*(upload(b"x", f"{n}.txt") for n in range(11))).errors["files"] == [
        "You chose 11 files. At most 10 can be sent at once."
    ]
