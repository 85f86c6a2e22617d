"""The start page, the search of the header, notifications and announcements, and what monitors ask; they share one
blueprint."""

from flask import Blueprint

bp = Blueprint("home", __name__)

from blueprints.home.views import announcements, dashboard, health, notifications, search  # noqa: E402  they route on `bp`

__all__ = ["announcements", "bp", "dashboard", "health", "notifications", "search"]
