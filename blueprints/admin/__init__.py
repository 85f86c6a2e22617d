"""Administration: users, groups, categories, bulk closing, settings, email, the audit log, and the demo school."""
