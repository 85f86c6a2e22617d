"""The pages about cases, one module a subject; they share one blueprint."""

from flask import Blueprint

bp = Blueprint("cases", __name__)
