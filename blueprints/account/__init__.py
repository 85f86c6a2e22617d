"""Signing in, sessions, passwords, two-step sign-in, drafts, and the accounts themselves."""
