"""The pages about cohorts and milestones, one module a subject; they share one blueprint."""

from flask import Blueprint

bp = Blueprint("cohorts", __name__)

__all__ = ["bp"]
