"""The pages about plans and intervention groups (MTSS), one module a subject; they share one blueprint."""

from flask import Blueprint

bp = Blueprint("plans", __name__)
