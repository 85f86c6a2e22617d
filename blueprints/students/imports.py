"""A class list on its way into the students: what it would do, and doing it in the caller's transaction.

Must not decide what a row means (import_rows.py), and knows nothing of files, runs and pages (the part "imports").
"""

import events
from blueprints.students import accounts, import_rows, telling


def check(sheet, mapping, *, actor, deactivate=False, progress=None):
    """The Plan for a sheet (see import_rows.Plan), nothing written. `actor` None is the command line."""
    parsed = import_rows.parse(sheet, mapping, progress)
    return import_rows.resolve(parsed, actor=actor, deactivate=deactivate)


def apply(plan, *, actor, run_ref):
    """Write a plan in the open transaction, record it and tell who looks after the students. Refused rows are left out."""
    import_rows.save(plan)
    events.record("student.imported", actor=actor, target=run_ref, run=run_ref, **plan.counts)
    accounts.follow_import(plan, actor=actor)
    telling.tell_of_import(plan, actor=actor)
    # What stands on a student's timeline is recorded for each of them, whoever it was that noticed.
    came_back = [row.known.ref for row in plan.of("changed") if "is_active" in row.values]
    events.record_each("student.returned", [(ref, {}) for ref in came_back], actor=actor)
    events.record_each("student.left", [(row.known.ref, {}) for row in plan.of("left")], actor=actor)
