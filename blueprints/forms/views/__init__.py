"""The pages about forms, responses and referrals, one module a subject; they share one blueprint."""

from flask import Blueprint

bp = Blueprint("forms", __name__)

from blueprints.forms.views import (  # noqa: E402  the modules put their routes on `bp`
    building,
    fields,
    filling,
    lists,
    referrals,
    responses,
)

__all__ = ["bp", "building", "fields", "lists", "responses", "referrals", "filling"]
