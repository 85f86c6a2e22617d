"""Tests of the student's timeline and of the Case Management Dashboard."""
