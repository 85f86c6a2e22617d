"""The pages of signing in and of one's own account; they share one blueprint."""

from flask import Blueprint

from blueprints.account.commands import commands

bp = Blueprint("account", __name__)

from blueprints.account.views import drafts, own, passwords, set_up, sign_in, two_step  # noqa: E402  they route on `bp`

__all__ = ["bp", "commands", "drafts", "own", "passwords", "set_up", "sign_in", "two_step"]
