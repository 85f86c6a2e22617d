"""Reads about forms, responses and referrals; one module a subject.
Other parts import from here, never from the modules."""

__all__ = []
