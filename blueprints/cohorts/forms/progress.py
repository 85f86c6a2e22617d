"""The grid of the tab Progress as its page sends it. Students and milestones are named once, in hidden fields; a tick box is
named by its place: 12 is the whole row of the thirteenth student, C the whole column of the third milestone, 12C their cell.
So six hundred cells stay light, and with each student stand the versions of the states that the page showed."""

import re
from typing import NamedTuple

from markupsafe import Markup

MOST_STUDENTS = 50
# What a state shows as, and the letter by which tick boxes and colours refer to it; the legend has the words.
SIGNS = {"open": "", "completed": "✓", "waived": "–", "asked": "?", "overdue": "!"}
LETTERS = {"open": "o", "completed": "c", "waived": "w", "asked": "a", "overdue": "l"}
_STUDENT = re.compile(r"([0-9A-Z]{1,16})((?:\.[0-9]{1,9})*)")
_PLACE = re.compile(r"([0-9]{1,3})?([A-Z]{1,3})?")


class Ticks(NamedTuple):
    """References of the students and milestones on the page, in its order. `seen`: {(student, milestone): version} by
    reference; `cells`: the ticked ones as such pairs; `wide`: those in a row or column that is ticked as a whole."""

    students: list[str]
    milestones: list[str]
    seen: dict
    cells: list
    wide: list


def letters(number):
    """A column's name: A for 0, Z for 25, AA for 26."""
    name = ""
    while number >= 0:
        number, rest = divmod(number, 26)
        name, number = chr(65 + rest) + name, number - 1
    return name


def versions(rows):
    """What the hidden field `s` carries: each student's reference with the versions of the states, in the order of the page."""
    return " ".join([".".join([row.ref, *(str(version) for _, version in row.cells)]) for row in rows])


def cells(rows, columns, ticked=()):
    """The cells of each row as HTML: written together, because one by one the template took three times as long for them as for
    the rest of the page. There is nothing in it but places, letters and signs of ours. `ticked`: pairs of references."""
    names = [letters(place) for place in range(len(columns))]
    return [Markup("".join(_row(place, row, columns, names, ticked))) for place, row in enumerate(rows)]  # noqa: S704


def _row(place, row, columns, names, ticked):
    for name, column, (word, _) in zip(names, columns, row.cells, strict=True):
        letter = LETTERS[word]
        end = " checked>" if ticked and (row.ref, column.ref) in ticked else ">"
        yield f'<td>{SIGNS[word]}<input type=checkbox name={place}{name} aria-labelledby="{place} {name} {letter}"{end}'


def read_ticks(posted):
    """The Ticks of a posted grid (a MultiDict). Raises ValueError for what no page of ours sends."""
    milestones = posted.getlist("m")
    students, seen = [], {}
    for text in posted.get("s", "").split():
        found = _STUDENT.fullmatch(text)
        versions = [int(one) for one in found[2].split(".")[1:]] if found else []
        if found is None or len(versions) != len(milestones):
            raise ValueError("a student without a version for each milestone")
        students.append(found[1])
        seen.update({(found[1], milestone): version for milestone, version in zip(milestones, versions, strict=True)})
    if len(students) > MOST_STUDENTS or len(set(students)) != len(students) or len(set(milestones)) != len(milestones):
        raise ValueError("more students than a page has, or one of them twice")
    ticks = Ticks(students, milestones, seen, [], [])
    columns = {letters(place): ref for place, ref in enumerate(milestones)}
    rows = {str(place): ref for place, ref in enumerate(students)}
    for name in posted:
        if name and (place := _PLACE.fullmatch(name)):
            _tick(ticks, rows, columns, *place.groups())
    return ticks


def _tick(ticks, rows, columns, row, column):
    if row not in (None, *rows) or column not in (None, *columns):
        raise ValueError("a place that the page does not have")
    if row and column:
        ticks.cells.append((rows[row], columns[column]))
    elif row:
        ticks.wide.extend((rows[row], ref) for ref in ticks.milestones)
    else:
        ticks.wide.extend((ref, columns[column]) for ref in ticks.students)
