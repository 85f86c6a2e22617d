"""The objects that the parts share. Objects only: nothing is decided or configured here (app.py does that)."""

from contextvars import ContextVar
from datetime import UTC, datetime, timedelta

from flask_login import LoginManager
from flask_mail import Mail
from flask_wtf import CSRFProtect
from peewee import DatabaseProxy


class Clock:
    """The one source of "now". Tests freeze and move it; nothing else in the house asks the system for the time."""

    def __init__(self):
        self._frozen = None

    def now(self):
        """The present moment as an aware datetime in UTC."""
        return self._frozen or datetime.now(UTC)

    def freeze(self, moment):
        self._frozen = moment.astimezone(UTC)

    def move(self, **delta):
        self._frozen = self.now() + timedelta(**delta)

    def thaw(self):
        self._frozen = None


class Workers:
    """Holds the Huey instance that app.py made for this process, and the tasks registered on it."""

    huey = None


db = DatabaseProxy()
mail = Mail()
login = LoginManager()
csrf = CSRFProtect()
clock = Clock()
workers = Workers()

# The one-time key of the form being answered; events.record() stores it in the business transaction.
once_key = ContextVar("once_key", default=None)
# The network address and session the present request comes from, for the audit row; None in commands and tasks.
origin = ContextVar("origin", default=None)
