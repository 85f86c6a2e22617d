"""The dashboard, the search bar, and /health."""
