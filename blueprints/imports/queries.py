"""Reads about imports for the pages and the worker."""
