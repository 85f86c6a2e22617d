"""The forms about cohorts and milestones; one module a subject."""
