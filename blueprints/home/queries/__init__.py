"""What the start page (dashboard.py), the search of the header (search.py) and the pages about notifications and
announcements show."""

from blueprints.home.queries.announcements import announcement, announcements
from blueprints.home.queries.dashboard import dashboard
from blueprints.home.queries.notifications import choices, email_digest, listing, notification, unread
from blueprints.home.queries.search import search, suggest

__all__ = [
    "announcement",
    "announcements",
    "choices",
    "dashboard",
    "email_digest",
    "listing",
    "notification",
    "search",
    "suggest",
    "unread",
]
