"""A file of email addresses that students are added to something by: which column holds them, and what each row says.

Asks nothing of the database and knows no student: what a good address leads to is found by whoever reads the file.
"""

import re
from dataclasses import dataclass

from blueprints.kit.csvread import CsvProblem, guess_mapping
from blueprints.kit.text import email_problem, one_line, plural

MAX_ROWS = 20_000  # added in one transaction that keeps other writers waiting
LOOKED_AT = 50  # rows that tell which column holds addresses when no heading does
LONGEST_SHOWN = 300  # characters of a cell that is no address
HEADINGS = {"Student email": ["Student email address", "Pupil email", "Pupil email address", "Email", "Email address",
                              "E-mail address", "School email", "Primary email", "Mail", "Mail address"]}  # fmt: skip
NO_COLUMN = (
    "No column of this file holds email addresses. Put them into one column, with the heading Email or without a heading."
)

# What becomes of a row, in the words of the page, and which of them can be corrected and sent again.
OUTCOMES = {
    "added": "Added",
    "already": "Already in",
    "unknown": "Unknown",
    "left": "Has left",
    "twice": "Twice in the file",
    "not_address": "Not an address",
}
REFUSED = ("unknown", "left", "twice", "not_address")


@dataclass(slots=True)
class Row:
    """A row of the file. `outcome` is "" as long as nothing is wrong with it; `ref` is that of the student it leads to."""

    line: int
    address: str
    outcome: str = ""
    sentence: str = ""
    ref: str = ""

    def refuse(self, outcome, sentence):
        self.outcome, self.sentence = outcome, sentence

    def as_list(self):
        return [self.line, self.outcome, self.sentence, self.address, self.ref]


def read(sheet):
    """The rows of a csvread.Sheet, blank ones left out; each is good, no address, or an address that stood there before.
    Raises CsvProblem for a file without addresses or with too many rows."""
    column, has_heading = _column(sheet)
    if len(sheet) + (not has_heading) > MAX_ROWS:
        raise CsvProblem(f"The file has {len(sheet):,} rows. It can have at most {MAX_ROWS:,}: split it.")
    rows = [] if has_heading else [_row(sheet.header_line, sheet.header[column])]
    rows += [_of(row, column) for row in sheet.rows]
    if not rows:
        raise CsvProblem("The file has a heading but no rows under it.")
    _refuse_doubles(rows)
    return rows


def written(text):
    """The rows of addresses that were typed or pasted, each only once: separated by lines, commas, semicolons or white space;
    "Ann Finch <ann@example.org>" is one address."""
    parts = []
    for piece in re.split(r"[,;\n]", text):
        named = re.search(r"<([^<>]*)>", piece)
        parts += [named[1]] if named else piece.split()
    rows = [_row(number, part) for number, part in enumerate(parts, 1)]
    _refuse_doubles(rows)
    return [row for row in rows if row.outcome != "twice"]


def _column(sheet):
    """(the number of the column with the addresses, whether its first cell is a heading). A first cell that is no heading we
    know counts as a row: better one row that is named as wrong than one that is lost."""
    known = guess_mapping(sheet.header, HEADINGS)["Student email"]
    if known is not None:
        return known, True
    if len(sheet.header) == 1:
        return 0, False
    looked_at = [sheet.header, *(row.cells for row, _ in zip(sheet.rows, range(LOOKED_AT), strict=False))]
    counts = [sum("@" in cells[number] for cells in looked_at if number < len(cells)) for number in range(len(sheet.header))]
    if not max(counts):
        raise CsvProblem(NO_COLUMN)
    return counts.index(max(counts)), False


def _of(row, column):
    if not row.error:
        return _row(row.line, row.cells[column])
    address = next((cell for cell in row.cells if "@" in cell), ", ".join(filter(None, row.cells)))
    return Row(row.line, one_line(address)[:LONGEST_SHOWN], "not_address", row.error)


def _row(line, cell):
    address = one_line(cell)
    problem = email_problem(address) if address else "There is no address in this row."
    return Row(line, address[:LONGEST_SHOWN], "not_address" if problem else "", problem or "")


def _refuse_doubles(rows):
    first = {}
    for row in rows:
        if not row.outcome and (line := first.setdefault(row.address.casefold(), row.line)) != row.line:
            row.refuse("twice", f"Line {line} has the same address.")


def counted(rows):
    """{outcome: how many rows of a result have it}, every outcome in it; `rows` as as_list() writes them."""
    counts = dict.fromkeys(OUTCOMES, 0)
    for row in rows:
        counts[row[1]] += 1
    return counts


def told(counts):
    """A result in one sentence: "3 students were added, 2 were in it already, 1 row was refused."."""
    refused = sum(counts[outcome] for outcome in REFUSED)
    parts = [f"{plural(counts['added'], 'student')} {'was' if counts['added'] == 1 else 'were'} added"]
    if counts["already"]:
        parts.append(f"{counts['already']:,} {'was' if counts['already'] == 1 else 'were'} in it already")
    if refused:
        parts.append(f"{plural(refused, 'row')} {'was' if refused == 1 else 'were'} refused")
    return ", ".join(parts) + "."
