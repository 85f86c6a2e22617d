"""The part for a student's timeline and the Case Management Dashboard."""
