"""Reading a CSV file that a school information system wrote. Never decides what the columns mean, writes nothing.

A file is checked once from front to back without being kept as rows, so a hostile one costs little; `Sheet.rows` then
reads it again, as often as it is asked.
"""

import codecs
import csv
import io
import re
from collections.abc import Iterator
from typing import NamedTuple

from blueprints.kit.days import parse_day
from blueprints.kit.tables_out import raw_text
from blueprints.kit.text import fold, human_size, plural

__all__ = ["CsvProblem", "Row", "Sheet", "guess_mapping", "parse_day", "read"]

MAX_BYTES = 20 * 1024 * 1024
MAX_COLUMNS = 200
MAX_ROWS = 200_000
MAX_LINES = MAX_ROWS + 100_000  # physical ones, the blank ones among them
MAX_CELL = 10_000  # characters
# The longest row that can be right: all columns full, and as much again for quotation marks.
MAX_RECORD = MAX_COLUMNS * MAX_CELL + 100_000

DELIMITERS = (",", ";", "\t")
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_HINT = re.compile(r"sep=(.)", re.IGNORECASE)


class CsvProblem(Exception):
    """The file as a whole can't be read; its text is the sentence for the person who sent it."""

    @property
    def sentence(self) -> str:
        return str(self)


class _TooManyColumns(CsvProblem):
    """Certain whatever the delimiter: another one must not turn the row into a single long cell."""

    def __init__(self, line: int):
        super().__init__(f"Line {line} has more than {MAX_COLUMNS} columns. A file can have at most {MAX_COLUMNS}.")


class Row(NamedTuple):
    """One row: the line of the file it starts on (1 is the first), its trimmed cells, and what is wrong with it."""

    line: int
    cells: list[str]
    error: str | None = None


class Sheet:
    """A file that could be read. `len(sheet)` is its number of rows under the headings, which stand in line `header_line`;
    blank ones are left out."""

    def __init__(self, data: bytes, encoding: str, delimiter: str, header: Row):
        self._data = data
        self.encoding = encoding
        self.delimiter = delimiter
        self.header, self.duplicates = _names(header.cells)
        self.header_line = header.line
        self._count = sum(1 for _ in self.rows)

    def __len__(self) -> int:
        return self._count

    @property
    def rows(self) -> Iterator[Row]:
        """The rows under the headings, read anew each time."""
        count = 0
        for row in _records(self._data, self.encoding, self.delimiter):
            if row.line <= self.header_line:
                continue
            count += 1
            if count > MAX_ROWS:
                raise CsvProblem(f"The file has more than {MAX_ROWS:,} rows. Split it into several files.")
            yield self._checked(row)

    def _checked(self, row: Row) -> Row:
        """The row without empty cells beyond the last heading, and with its error when the cells don't fit."""
        cells, wanted = row.cells, len(self.header)
        while len(cells) > wanted and not cells[-1]:
            cells.pop()
        if row.error or len(cells) == wanted:
            return row
        return row._replace(error=f"Line {row.line} has {plural(len(cells), 'cell')}, but there are "
                                  f"{plural(wanted, 'heading')}.")


def read(data: bytes) -> Sheet:
    """The sheet in the bytes of a CSV file; raises CsvProblem."""
    if len(data) > MAX_BYTES:
        raise CsvProblem(f"The file is {human_size(len(data))}. A CSV file can be at most {human_size(MAX_BYTES)}.")
    encoding = _encoding(data)
    delimiter, header = _header(data, encoding)
    return Sheet(data, encoding, delimiter, header)


def guess_mapping(header: list[str], fields: dict[str, list[str]]) -> dict[str, int | None]:
    """For each field the number of the column that seems to hold it, judged by the names the field goes by."""
    columns: dict[str, int] = {}
    for number, name in enumerate(header):
        columns.setdefault(_key(name), number)
    found: dict[str, int | None] = {}
    for field, synonyms in fields.items():
        keys = (_key(name) for name in [field, *synonyms])
        free = (columns[key] for key in keys if key in columns and columns[key] not in found.values())
        found[field] = next(free, None)
    return found


def _key(name: str) -> str:
    return "".join(c for c in fold(name) if c.isalnum())


def _encoding(data: bytes) -> str:
    """The name of the encoding all of `data` is in; raises CsvProblem when there is none we read."""
    if not data.strip():
        raise CsvProblem("The file is empty.")
    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise CsvProblem("This is a spreadsheet, not a CSV file. Open it and save it as “CSV UTF-8”.")
    marked = data.startswith(_UTF16_MARKS)
    if not marked and b"\0" in data:
        raise CsvProblem("This is not a text file. Export it again as “CSV UTF-8”.")
    candidates = ("utf-8-sig",) if data.startswith(codecs.BOM_UTF8) else ("utf-8-sig", "cp1252")
    for encoding in ("utf-16",) if marked else candidates:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return encoding
    raise CsvProblem("The letters in this file can't be read: it is neither UTF-8 nor Windows-1252. "
                     "Export it again as “CSV UTF-8”.")


def _header(data: bytes, encoding: str) -> tuple[str, Row]:
    """The delimiter and the row of headings: the delimiter is the one that gives most of them."""
    with io.TextIOWrapper(io.BytesIO(data), encoding, newline="") as lines:
        hint = _HINT.fullmatch(lines.readline(10).strip())
    candidates = (hint[1],) if hint and hint[1] in DELIMITERS else DELIMITERS
    best: tuple[str, Row] | None = None
    problem: CsvProblem | None = None
    for delimiter in candidates:
        try:
            row = next(_records(data, encoding, delimiter), None)
        except _TooManyColumns:
            raise
        except CsvProblem as found:
            problem = problem or found
            continue
        if row and (best is None or len(row.cells) > len(best[1].cells)):
            best = delimiter, row
    if best is None or problem and len(best[1].cells) == 1:
        raise problem or CsvProblem("The file is empty.")
    if best[1].error:
        raise CsvProblem(best[1].error)
    if not any(map(_key, best[1].cells)):
        raise CsvProblem(f"Line {best[1].line} should name the columns, and names none.")
    return best


def _names(cells: list[str]) -> tuple[list[str], list[str]]:
    """Headings that are all there and all different, and those that stood there more than once."""
    names, duplicates, seen = [], [], {}
    while len(cells) > 1 and not cells[-1]:
        cells = cells[:-1]
    for number, cell in enumerate(cells, 1):
        name = " ".join(cell.split()) or f"Column {number}"
        seen[name.casefold()] = times = seen.get(name.casefold(), 0) + 1
        if times == 2:
            duplicates.append(name)
        names.append(name if times == 1 else f"{name} ({times})")
    return names, duplicates


def _records(data: bytes, encoding: str, delimiter: str) -> Iterator[Row]:
    """Every row that isn't blank, the headings among them; refuses what passes a limit before it is taken apart."""
    lines = _Lines(data, encoding, delimiter)
    # strict: a quotation mark that is never closed, or one inside a cell, is told instead of guessed at.
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        start = lines.next_record()
        error = None
        try:
            # A list of ours that comes back: what its export put before a formula is no part of the name.
            cells = [raw_text(cell.strip()) for cell in next(reader)]
        except StopIteration:
            return
        except csv.Error as problem:
            if lines.ended:
                raise CsvProblem(f'Line {start}: a quotation mark (") is opened and never closed.') from None
            if "field limit" in str(problem):
                raise CsvProblem(_long_cell(start)) from None
            cells = []
            error = f'Line {start}: a quotation mark (") is out of place. Inside a quoted cell write it twice.'
        if len(cells) > MAX_COLUMNS:
            raise _TooManyColumns(start)
        if max(map(len, cells), default=0) > MAX_CELL:
            raise CsvProblem(_long_cell(start))
        if error or any(cells) and not (start == 1 and _HINT.fullmatch(delimiter.join(cells))):
            yield Row(start, cells, error)


def _long_cell(line: int) -> str:
    return f'Line {line} has a cell of more than {MAX_CELL:,} characters. Perhaps a quotation mark (") is missing.'


class _Lines:
    """The physical lines of the file, counted, and refused while they are cheap to refuse."""

    def __init__(self, data: bytes, encoding: str, delimiter: str):
        self._lines = io.TextIOWrapper(io.BytesIO(data), encoding, newline="")
        self._delimiter = delimiter
        self._number = 0
        self._start = 1
        self._characters = 0
        self.ended = False

    def next_record(self) -> int:
        """Marks the beginning of a row and gives the number of its first line."""
        self._start, self._characters = self._number + 1, 0
        return self._start

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._lines.readline(MAX_RECORD + 1)
        if not line:
            self.ended = True
            raise StopIteration
        self._number += 1
        if self._number > MAX_LINES:
            raise CsvProblem(f"The file has more than {MAX_LINES:,} lines, most of them empty. Save it again without them.")
        self._characters += len(line)
        # Without a quotation mark each delimiter ends a cell: no need to take the line apart to know.
        if '"' not in line and self._characters == len(line) and line.count(self._delimiter) > MAX_COLUMNS:
            raise _TooManyColumns(self._start)
        if self._characters > MAX_RECORD:
            raise CsvProblem(f'Line {self._start} is too long. Perhaps a quotation mark (") is missing.')
        return line
