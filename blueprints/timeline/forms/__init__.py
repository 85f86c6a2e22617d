"""The forms about a student's timeline and the Case Management Dashboard: shape and choices, one module a subject."""
