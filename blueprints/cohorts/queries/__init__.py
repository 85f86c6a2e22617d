"""Reads about cohorts and milestones; one module a subject. Other parts import from here, never from the modules."""
