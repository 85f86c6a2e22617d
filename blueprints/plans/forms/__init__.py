"""The forms about plans and intervention groups (MTSS): shape and choices, one module a subject."""
