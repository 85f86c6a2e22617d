"""The field Student of a form about one student: chosen from the list, or typed without a script."""

from dataclasses import dataclass, field

from flask import g

from blueprints.kit.text import one_line
from blueprints.students import queries as students


@dataclass
class Picked:
    """What the picker stands at: the student's row, the chips that show it, and what is still to be chosen from."""

    row: object = None
    chips: list = field(default_factory=list)
    choices: list = field(default_factory=list)
    asked: str = ""
    problem: str | None = None


def pick_student(values, what):
    """Picked of the field Student in `values` (a MultiDict); `what` the form is about one student, for the sentences."""
    refs = list(dict.fromkeys(map(one_line, values.getlist("student_ref") + values.getlist("student_choice"))))
    rows = students.pick(g.user, refs)
    picked = Picked(problem="Somebody you chose is not known. Choose again." if len(rows) < len(refs) else None)
    typed = values.get("student", "").strip()
    if typed and not (values.getlist("student_choice") and values.get("student_asked", "").strip() == typed):
        found, problem = students.resolve_typed(g.user, typed)
        rows += [row for row in found if row not in rows]
        if problem:
            picked.problem, picked.asked = problem, typed
            picked.choices = students.suggest(g.user, typed, limit=20)
    word = g.school.student_word.lower()
    if not rows:
        picked.problem = picked.problem or f"Say which {word} this {what} is about."
    elif len(rows) > 1:
        picked.problem = picked.problem or f"A {what} is about one {word}. Choose one."
    picked.chips = [students.chip(row) for row in rows]
    picked.row = rows[0] if len(rows) == 1 else None
    return picked


def settle(field, picked):
    """Put what is wrong with the choice at its field, which keeps what was typed only while it has to be asked about."""
    if picked.problem:
        field.errors = [*field.errors, picked.problem]
    if not picked.asked:
        field.data, field.raw_data = "", None
