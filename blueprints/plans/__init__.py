"""The part for plans and intervention groups (MTSS)."""
