"""Cases: one student, the people on it, entries, sections, linked incidents, closing."""
