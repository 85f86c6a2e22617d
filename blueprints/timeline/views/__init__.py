"""The pages about a student's timeline and the Case Management Dashboard, one module a subject; they share one blueprint."""

from flask import Blueprint

bp = Blueprint("timeline", __name__)
