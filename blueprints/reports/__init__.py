"""Reporting: the custom report over incidents, saved reports, and their exports."""
