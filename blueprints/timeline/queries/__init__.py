"""Reads about a student's timeline and the Case Management Dashboard; one module a subject.
Other parts import from here, never from the modules."""

__all__ = []
