"""The pages about students: parse, call, render or redirect. Nothing is decided here."""

from flask import Blueprint

from blueprints.students.commands import commands

bp = Blueprint("students", __name__)

from blueprints.students.views import exclusions, imports, lists, records  # noqa: E402

__all__ = ["bp", "commands", "exclusions", "imports", "lists", "records"]
