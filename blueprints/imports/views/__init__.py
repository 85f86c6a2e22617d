"""The pages of imports, one module a subject; they share one blueprint."""

from flask import Blueprint

bp = Blueprint("imports", __name__)

__all__ = ["bp"]
