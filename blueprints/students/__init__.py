"""Students: list, search, page, contacts, conflicts of interest, and the import of a class list."""
