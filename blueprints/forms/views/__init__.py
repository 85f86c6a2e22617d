"""The pages about forms, responses and referrals, one module a subject; they share one blueprint."""

from flask import Blueprint

bp = Blueprint("forms", __name__)
