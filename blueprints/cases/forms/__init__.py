"""Shape and choices of the forms about cases; no writes."""
