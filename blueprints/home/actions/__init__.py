"""Writes about what people are told: notifications, choices, the digest, announcements; one module a subject."""

from blueprints.home.actions.announcements import Refused, add_announcement, change_announcement, remove_announcement
from blueprints.home.actions.notifications import queue_digests, save_choices, see, see_all

__all__ = [
    "Refused",
    "add_announcement",
    "change_announcement",
    "queue_digests",
    "remove_announcement",
    "save_choices",
    "see",
    "see_all",
]
