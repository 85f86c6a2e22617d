"""The field Student of a form about one student: chosen from the list, or typed without a script."""

from flask import g

from blueprints.kit.picking import pick_one
from blueprints.students import queries as students


def pick_student(values, what):
    """Picked of the field Student in `values` (a MultiDict); `what` the form is about one student, for the sentences."""
    word = g.school.student_word.lower()
    several, missing = f"A {what} is about one {word}. Choose one.", f"Say which {word} this {what} is about."
    return pick_one(values, "student", students.picker(g.user), several=several, missing=missing)
