"""The pages of signing in and of one's own account; they share one blueprint."""

from flask import Blueprint

from blueprints.account.commands import commands

bp = Blueprint("account", __name__)

from blueprints.account.views import (  # noqa: E402  they route on `bp`
    calendar,
    drafts,
    own,
    passwords,
    personnel,
    set_up,
    sign_in,
    two_step,
)

__all__ = ["bp", "calendar", "commands", "drafts", "own", "passwords", "personnel", "set_up", "sign_in", "two_step"]
