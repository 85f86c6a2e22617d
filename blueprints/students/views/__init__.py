"""The pages about students: parse, call, render or redirect. Nothing is decided here."""

from flask import Blueprint

bp = Blueprint("students", __name__)

from blueprints.students.views import exclusions, lists, records  # noqa: E402

__all__ = ["bp", "exclusions", "lists", "records"]
