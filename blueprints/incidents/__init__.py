"""Incidents: adding, reading, assigning, closing, alerting, actions, files and the body map."""
