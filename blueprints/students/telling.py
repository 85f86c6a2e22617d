"""Who looks after a student is told that something about the student changed: which kind of thing, never what.

Called inside the transaction of the change. Must not be given a value of the record.
"""

import events
import permissions
from models import Case, Student, new_ref

# The kinds of change there are; home says them in words.
DETAILS, CONTACT, LEFT, RETURNED = "details", "contact", "left", "returned"
AT_ONCE = 500  # students asked about with one query


def tell(student, change, *, actor, once=None):
    """Tell the people who look after this student, except `actor`; `once` as in events.notify()."""
    people = permissions.who_looks_after(student)
    given = {"actor": actor, "target": student.ref, "target_id": student.id, "detail": change, "once": once}
    events.notify("student_changed", people, **given)


def tell_of_import(plan, *, actor):
    """The same for every student that an import changed: a row of the list for each, and one email for each person."""
    rows = [(row.known, RETURNED if "is_active" in row.values else DETAILS) for row in plan.of("changed")]
    rows += [(row.known, LEFT) for row in plan.of("left")]
    looked_after = _with_open_cases([known.id for known, _ in rows])
    once = f"student_changed:{new_ref()}:{{account}}"
    for known, change in rows:
        if known.id in looked_after:
            tell(Student(id=known.id, ref=known.ref), change, actor=actor, once=once)


def _with_open_cases(ids):
    found = set()
    for start in range(0, len(ids), AT_ONCE):
        some = Case.student.in_(ids[start : start + AT_ONCE]) & (Case.status == "Open")
        found |= {student for (student,) in Case.select(Case.student_id).where(some).tuples()}
    return found
