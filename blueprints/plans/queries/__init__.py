"""Reads about plans and intervention groups; one module a subject.
Other parts import from here, never from the modules."""

__all__ = []
