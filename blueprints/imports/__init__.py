"""Imports of staff and of whole school information systems: CSV with mapping, OneRoster 1.1 and 1.2."""
