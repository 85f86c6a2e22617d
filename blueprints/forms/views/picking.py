"""Reads one student of a form: what the picker's chip carries, and a name that was typed without a script."""

from dataclasses import dataclass, field

from flask import g

from blueprints.kit.text import one_line
from blueprints.students import queries as students


@dataclass
class Picked:
    """What a picker stands at: the student's row, the chips that show it, and what is still to be chosen from."""

    row: object = None
    chips: list = field(default_factory=list)
    choices: list = field(default_factory=list)
    asked: str = ""
    problem: str | None = None


def pick(values, name):
    """Picked of the picker `name`, of these values (a MultiDict). Nobody is no problem; two are."""
    refs = list(dict.fromkeys(map(one_line, values.getlist(f"{name}_ref") + values.getlist(f"{name}_choice"))))
    rows = students.pick(g.user, refs)
    picked = Picked(problem="Somebody you chose is not known. Choose again." if len(rows) < len(refs) else None)
    typed = one_line(values.get(name, ""))
    if typed and not (values.getlist(f"{name}_choice") and one_line(values.get(f"{name}_asked", "")) == typed):
        found, problem = students.resolve_typed(g.user, typed)
        rows += [row for row in found if row not in rows]
        if problem:
            picked.problem, picked.asked = problem, typed
            picked.choices = students.suggest(g.user, typed, limit=20)
    if len(rows) > 1:
        picked.problem = picked.problem or f"Choose one {g.school.student_word.lower()}."
    picked.chips = [students.chip(row) for row in rows]
    picked.row = rows[0] if len(rows) == 1 else None
    return picked


def settle(box, picked, missing=None):
    """Put the picker's problem at its field, or `missing` where nobody was chosen; a typed name that became a chip need not be
    typed again."""
    problem = picked.problem or (missing if picked.row is None else None)
    if problem:
        box.errors = [*box.errors, problem]
    if not picked.asked:
        box.data, box.raw_data = "", None
