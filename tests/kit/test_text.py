"""Words, names and sizes; days and moments."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blueprints.kit.days import DayProblem, parse_day, read_moment
from blueprints.kit.text import clean, fold, human_size, one_line, plural, safe_name

LONDON = ZoneInfo("Europe/London")


@pytest.mark.parametrize(
    ("typed", "folded"),
    [
        ("Zoë  O’Brien-Łoś", "zoe obrien los"),
        ("zoe obrien los", "zoe obrien los"),
        ("Straße", "strasse"),
        ("Øre Æbel", "ore aebel"),
        ("Đorđe", "dorde"),
        ("İpek Işık", "ipek isik"),
        ("Nguyễn\u00a0Thị", "nguyen thi"),
        ("ＡＤＡ＇Ｓ", "adas"),
        ("Ana‐Maria", "ana maria"),
        ("D'Arcy", "darcy"),
        ("  ", ""),
        ("soft\u00adhyphen", "softhyphen"),
        ("राम", "राम"),
    ],
)
def test_names_are_folded(typed, folded):
    assert fold(typed) == folded


@given(st.text())
def test_folding_twice_changes_nothing(text):
    assert fold(fold(text)) == fold(text)


@given(st.text(alphabet=st.characters()))
def test_clean_text_can_be_stored(text):
    cleaned = clean(text)
    assert "\0" not in cleaned and "\r" not in cleaned
    assert cleaned.encode("utf-8").decode() == cleaned
    assert clean(cleaned) == cleaned


def test_clean_keeps_lines_and_tabs():
    assert clean("one\r\ntwo\rthree\t\x07four\ud800") == "one\ntwo\nthree\tfour"
    assert one_line("  one\r\ntwo \t three ") == "one two three"


@given(st.text())
def test_file_names_are_safe(name):
    safe = safe_name(name)
    assert 0 < len(safe) <= 150
    assert not set(safe) & set('/\\\0\r\n"<>:|?*\u202e')
    assert safe not in (".", "..")


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\kay\\note.pdf", "note.pdf"),
        ("inv\u202efdp.exe", "invfdp.exe"),
        ("", "file"),
        (None, "file"),
        ("..", "file"),
        ("a\r\nSet-Cookie: x.pdf", "a Set-Cookie_ x.pdf"),
        ("x" * 300 + ".docx", "x" * 145 + ".docx"),
        (".htaccess", "htaccess"),
    ],
)
def test_file_names_lose_what_is_dangerous(name, safe):
    assert safe_name(name) == safe


def test_sizes_are_rounded_up():
    assert human_size(25 * 1024**2) == "25 MB"
    assert human_size(25 * 1024**2 + 1) == "26 MB"
    assert human_size(212 * 1024**2) == "212 MB"
    assert human_size(3400) == "3.4 kB"
    assert human_size(1) == "1 byte"


def test_plural():
    assert (plural(1, "student"), plural(1204, "student"), plural(2, "child", "children")) == (
        "1 student",
        "1,204 students",
        "2 children",
    )


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-04",
        "4/11/2026",
        "04/11/2026",
        "04.11.2026",
        " 4 Nov 2026",
        "4 november 2026",
        "2026-11-04 00:00:00",
        "2026-11-04T00:00:00Z",
        "4-11-2026",
    ],
)
def test_days_are_read(text):
    assert parse_day(text) == date(2026, 11, 4)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("31/02/2026", "31 February 2026 is not a date."),
        ("2026-02-31", "31 February 2026 is not a date."),
        ("29/2/2025", "29 February 2025 is not a date."),
        ("11/25/2026", "11/25/2026 is not a date: there is no month 25. Write the day first, like 14/11/2026."),
        ("soon", "soon is not a date. Write it like 14/11/2026."),
        ("4/11/26", "4/11/26 is not a date. Write it like 14/11/2026."),
        ("0004-01-01", "The year 4 can't be right. Give one between 1900 and 2199."),
        ("٤/١١/٢٠٢٦", "٤/١١/٢٠٢٦ is not a date. Write it like 14/11/2026."),
        ("1 Ma 2026", "1 Ma 2026 is not a date. Write it like 14/11/2026."),
        ("0/1/2026", "0 January 2026 is not a date."),
    ],
)
def test_impossible_days_get_a_sentence(text, sentence):
    with pytest.raises(DayProblem) as problem:
        parse_day(text)
    assert problem.value.sentence == sentence


@given(st.text())
def test_any_text_is_a_day_or_a_sentence(text):
    for read in (parse_day, lambda typed: read_moment(typed, LONDON)):
        try:
            read(text)
        except DayProblem as problem:
            assert problem.sentence.endswith(".")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-14T09:40", datetime(2026, 11, 14, 9, 40, tzinfo=UTC)),
        ("14/07/2026 09:40", datetime(2026, 7, 14, 8, 40, tzinfo=UTC)),
        ("14 Jul 2026, 9:40", datetime(2026, 7, 14, 8, 40, tzinfo=UTC)),
        ("2026-07-14 09:40:30", datetime(2026, 7, 14, 8, 40, 30, tzinfo=UTC)),
        ("2026-10-25T01:30", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),  # happens twice: the first
    ],
)
def test_moments_are_read_on_the_schools_clock(text, moment):
    assert read_moment(text, LONDON) == moment


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "2026-03-29T01:30",
            "29 March 2026, 01:30 is not a time: the clocks go forward at 01:00 that night and pass over it.",
        ),
        ("2026-02-31T10:00", "31 February 2026 is not a date."),
        ("2026-02-03", "Give a time as well, like 14/11/2026 09:40."),
        ("2026-02-03T25:00", "25:00 is not a time. Give one between 00:00 and 23:59."),
        ("tomorrow", "tomorrow is not a date. Write it like 14/11/2026."),
    ],
)
def test_impossible_moments_get_a_sentence(text, sentence):
    with pytest.raises(DayProblem) as problem:
        read_moment(text, LONDON)
    assert problem.value.sentence == sentence
