"""Tables as files to keep: CSV and XLSX, safe to open in a spreadsheet. Decides nothing about who may have them.

All rows are written to a temporary file before the answer begins: a query that fails midway is an error page and never
a file that looks whole and isn't. Whoever calls writes the audit row first.
"""

import csv
import io
import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, time, tzinfo
from decimal import Decimal
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from flask import Response, send_file
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font

from blueprints.kit.text import clean, safe_name

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
EXCEL_CELL = 32_767  # characters; openpyxl would cut what is longer without a word
_CUT = " … (cut here: the CSV export has the whole text)"
_IN_MEMORY = 1024 * 1024
_TRIGGERS = tuple("=+-@")
_LEADING = tuple("\t\r\n")
# Spreadsheets set to another separator (German, French) take a comma file apart at `;`, tab and line end, where a
# formula could then begin, also behind what nobody sees there: white space, characters without a width, and a quotation
# mark, which is written twice and read as an empty text. A dash and a space after a line end is a list, and stays one.
_WIDTHLESS = (
    r'"\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb'
    r"\U000e0001-\U000e007f"
)
_SPACE = r" \x0b\x0c\x1c-\x1f\x85\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"


def _inner(before: str) -> re.Pattern[str]:
    # No separator among them: the last one before the formula counts, and many in a row are gone through once.
    unseen = rf"[{_SPACE}{_WIDTHLESS}]*"
    return re.compile(
        rf"([;\t\r\n](?:{unseen}(?={before}(?:[=+@＝＋＠﹦﹢﹫－﹣]|-(?! )))|{unseen}[{_WIDTHLESS}](?={before}-))){before}"
    )


_INNER_START, _INNER_MADE_SAFE = _inner(""), _inner("'")


def csv_response(filename: str, header: Sequence[str], rows: Iterable[Sequence[Any]], tz: tzinfo = UTC) -> Response:
    """The table as a CSV file to download; moments are shown in `tz`."""
    return _download(lambda file: _write_csv(file, header, rows, tz), filename, ".csv", "text/csv")


def csv_bytes(header: Sequence[str], rows: Iterable[Sequence[Any]], tz: tzinfo = UTC) -> bytes:
    """The same file as bytes, for commands."""
    file = io.BytesIO()
    _write_csv(file, header, rows, tz)
    return file.getvalue()


def xlsx_response(filename: str, header: Sequence[str], rows: Iterable[Sequence[Any]], tz: tzinfo = UTC,
                  sheet: str = "Sheet1") -> Response:
    """The table as an Excel workbook to download; moments are shown in `tz`."""
    book = Workbook(write_only=True)
    page = book.create_sheet(re.sub(r"[\[\]:*?/\\]", " ", clean(sheet))[:31] or "Sheet1")
    page.freeze_panes = "A2"
    page.append([_bold(page, name) for name in header])
    for row in rows:
        page.append([_xlsx_cell(page, value, tz) for value in row])
    return _download(book.save, filename, ".xlsx", XLSX)


def table_response(kind: str, filename: str, header: Sequence[str], rows: Iterable[Sequence[Any]],
                   tz: tzinfo = UTC) -> Response:
    """The table as the `kind` of file that was asked for, "csv" or "xlsx"."""
    return {"csv": csv_response, "xlsx": xlsx_response}[kind](filename, header, rows, tz)


def safe_text(text: str) -> str:
    """The text as a CSV cell that no spreadsheet takes for a formula: a `'` stands before what could begin one."""
    text = clean(text)
    text = _INNER_START.sub(r"\1'", text)
    # A text that begins like one of ours made safe gets another `'`, so that raw_text() can tell them apart.
    return "'" + text if text.startswith(_LEADING) or _begins_formula(text.lstrip("'")) else text


def raw_text(cell: str) -> str:
    """What safe_text() made this cell of; the cell itself when it made no difference."""
    for text in (cell.removeprefix("'"), cell):
        inner = _INNER_MADE_SAFE.sub(r"\1", text)
        if safe_text(inner) == cell:
            return inner
    return cell


def _begins_formula(text: str) -> bool:
    """Whether the first visible character, full-width forms included, is one that starts a formula."""
    for character in text:
        if unicodedata.category(character)[0] not in "ZC":
            return unicodedata.normalize("NFKC", character).startswith(_TRIGGERS)
    return False


def _write_csv(file: IO[bytes], header: Sequence[str], rows: Iterable[Sequence[Any]], tz: tzinfo) -> None:
    text = io.TextIOWrapper(file, "utf-8-sig", newline="")
    writer = csv.writer(text)
    writer.writerow([safe_text(name) for name in header])
    writer.writerows([_csv_cell(value, tz) for value in row] for row in rows)
    text.flush()
    text.detach()


def _csv_cell(value: Any, tz: tzinfo) -> Any:
    value = _plain(value, tz)
    if isinstance(value, str):
        return safe_text(value)
    if isinstance(value, datetime):
        return value.isoformat(" ", "minutes")
    return value.isoformat() if isinstance(value, date | time) else value


def _xlsx_cell(page: Any, value: Any, tz: tzinfo) -> Any:
    value = _plain(value, tz)
    if not isinstance(value, str):
        return value
    value = clean(value)
    if len(value) > EXCEL_CELL:
        value = value[: EXCEL_CELL - len(_CUT)] + _CUT
    # openpyxl writes every other text as text by itself; these it takes for a formula or an error value.
    if not value.startswith(("=", "#")) and not _begins_formula(value):
        return value
    cell = WriteOnlyCell(page, value)
    cell.data_type = "s"
    cell.quotePrefix = True  # stays text when somebody edits the cell
    return cell


def _bold(page: Any, name: str) -> WriteOnlyCell:
    cell = WriteOnlyCell(page, clean(name))
    cell.data_type = "s"
    cell.font = Font(bold=True)
    return cell


def _plain(value: Any, tz: tzinfo) -> Any:
    """The value as text, number, day, or a moment on the clock of `tz` without a zone of its own."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, datetime):
        return value.astimezone(tz).replace(tzinfo=None) if value.tzinfo else value
    if isinstance(value, int | float | Decimal) and math.isfinite(value):
        return value
    return value if isinstance(value, date | time) else str(value)


def _download(write: Callable[[IO[bytes]], None], filename: str, extension: str, media_type: str) -> Response:
    """The answer with what `write` writes; it closes the temporary file when it has been sent."""
    file = SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115
    try:
        write(file)
    except BaseException:
        file.close()
        raise
    name = safe_name(filename)
    if not name.lower().endswith(extension):
        name += extension
    size = file.tell()
    file.seek(0)
    response = send_file(file, media_type, as_attachment=True, download_name=name, conditional=False, etag=False)
    response.content_length = size
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "no-store"
    return response
