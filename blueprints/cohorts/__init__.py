"""Cohorts: categories, students in them, milestones, reminders, support groups, the student's own dashboard."""
