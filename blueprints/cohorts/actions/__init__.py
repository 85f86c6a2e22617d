"""Writes about cohorts and milestones; one module a subject. Other parts import from here, never from the modules."""

from blueprints.cohorts.actions.base import Refused

__all__ = ["Refused"]
