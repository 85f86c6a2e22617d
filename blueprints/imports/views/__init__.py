"""The pages of imports, one module a subject; they share one blueprint."""

from flask import Blueprint

from blueprints.imports.commands import commands

bp = Blueprint("imports", __name__)

from blueprints.imports.views import runs, uploads  # noqa: E402

__all__ = ["bp", "commands", "runs", "uploads"]
