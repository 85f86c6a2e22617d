"""CSV files as school systems write them, and as nobody should."""

import time
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blueprints.kit import csvread
from blueprints.kit.csvread import CsvProblem, guess_mapping, read

TEXT = "First name,Last name\r\nZoë,O'Brien\r\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_encodings_are_recognised(encoding):
    sheet = read(TEXT.encode(encoding))
    assert sheet.header == ["First name", "Last name"]
    assert [(row.line, row.cells, row.error) for row in sheet.rows] == [(2, ["Zoë", "O'Brien"], None)]
    assert len(sheet) == 1


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_delimiters_are_recognised(delimiter):
    sheet = read(f'A{delimiter}B{delimiter}C\n1{delimiter}"2,;\t"{delimiter}3\n'.encode())
    assert sheet.delimiter == delimiter
    assert next(sheet.rows).cells == ["1", "2,;", "3"]


@pytest.mark.parametrize("hint", ["sep=;\r\n", "SEP=;\n"])
def test_the_spreadsheets_own_hint_is_no_heading(hint):
    sheet = read((hint + "A;B\n1;2\n").encode())
    assert (sheet.header, [row.line for row in sheet.rows]) == (["A", "B"], [3])


def test_blank_rows_are_skipped_and_lines_counted():
    sheet = read(b'A,B\n\n1,"two\nlines"\n , \r\n3,4\r5,6')
    assert [(row.line, row.cells) for row in sheet.rows] == [(3, ["1", "two\nlines"]), (6, ["3", "4"]), (7, ["5", "6"])]
    assert len(list(sheet.rows)) == len(sheet) == 3


def test_a_ragged_row_is_an_error_of_that_row():
    rows = list(read(b"A,B,C\n1,2\n1,2,3,4\n1,2,3,,\n1,2,3\n").rows)
    assert [row.error for row in rows] == [
        "Line 2 has 2 cells, but there are 3 headings.",
        "Line 3 has 4 cells, but there are 3 headings.",
        None,
        None,
    ]


def test_a_stray_quotation_mark_is_an_error_of_that_row():
    rows = list(read(b'A,B\n"John "Johnny" Smith",2\n3,4\n').rows)
    assert rows[0].error == 'Line 2: a quotation mark (") is out of place. Inside a quoted cell write it twice.'
    assert rows[1] == (3, ["3", "4"], None)


def test_headings_are_made_whole():
    sheet = read(b"Email,,email, Year \n1,2,3,4\n")
    assert sheet.header == ["Email", "Column 2", "email (2)", "Year"]
    assert sheet.duplicates == ["email"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "The file is empty."),
        (b" \r\n ,, \n", "Line 2 should name the columns"),
        (b"A,B\n1,\0\n", "This is not a text file."),
        (b"\xff\xfeA\x00\x00\x00", "can't be read"),
        (b"A,B\n\x81,\x8d\n", "can't be read"),
        (b"\xef\xbb\xbfA\n\xe9\n", "can't be read"),
        (b"PK\x03\x04....", "This is a spreadsheet"),
        (b'A,B\n1,2\n3,"4\n5,6\n', 'Line 3: a quotation mark (") is opened and never closed.'),
        (b"A,B\n1," + b"x" * 10_001, "Line 2 has a cell of more than 10,000 characters."),
        (b'A,B\n1,"' + b"x\n" * 200_000, "Line 2 has a cell of more than 10,000 characters."),
        (b",".join([b"a"] * 201), "Line 1 has more than 200 columns."),
        (b'"a",' * 200 + b'"b"', "Line 1 has more than 200 columns."),
        (b"A,B\n1,2\n" + b"," * 300 + b"x", "Line 3 has more than 200 columns."),
        (b"A\n" + b"1\n" * 200_001, "The file has more than 200,000 rows."),
        (b"x" * (20 * 1024**2 + 1), "The file is 21 MB."),
    ],
)
def test_a_file_that_cant_be_read_gets_a_sentence(data, words):
    with pytest.raises(CsvProblem) as problem:
        read(data)
    assert words in problem.value.sentence


@pytest.mark.parametrize(
    "data",
    [
        b"a," * 1_000_000,
        b'"a",' * 1_000_000,
        b"A,B\n" + b"a;b," * 1_000_000,
        b'"\n",' * 1_000_000,
        b'ab","\n' * 3_000_000,
        b'"' * 19_000_000,
        b"," * 19_000_000,
        b'A,B\n"ab\n","cd' + b'\n","ab' * 2_000_000,
        b"\n" * 19_000_000,
        "é".encode() * 9_000_000,
    ],
    ids=range(10),
)
def test_a_hostile_file_is_refused_cheaply(data):
    tracemalloc.start()
    try:
        with pytest.raises(CsvProblem):
            read(data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 128 * 1024**2
    started = time.process_time()
    with pytest.raises(CsvProblem):
        read(data)
    assert time.process_time() - started < 2


@given(st.binary(max_size=300) | st.text(alphabet='a,;\t"\n\r é', max_size=100).map(str.encode))
def test_any_bytes_are_a_sheet_or_a_sentence(data):
    try:
        sheet = read(data)
    except CsvProblem as problem:
        assert problem.sentence.endswith(".")
    else:
        assert len(list(sheet.rows)) == len(sheet)


def test_columns_are_guessed():
    header = ["UPN", "Forename(s)", "SURNAME", "Données", "date_of-birth", "E-mail"]
    assert guess_mapping(
        header,
        {
            "first_name": ["First name", "Forenames", "Given name"],
            "last_name": ["Surname"],
            "email": [],
            "data": ["donnees"],
            "date_of_birth": ["DOB"],
            "upn": ["Unique pupil number"],
            "year": ["Year group", "surname"],
        },
    ) == {"first_name": 1, "last_name": 2, "email": 5, "data": 3, "date_of_birth": 4, "upn": 0, "year": None}


def test_limits_stand_as_promised():
    assert (csvread.MAX_BYTES, csvread.MAX_COLUMNS, csvread.MAX_ROWS, csvread.MAX_CELL) == (
        20 * 1024**2,
        200,
        200_000,
        10_000,
    )
