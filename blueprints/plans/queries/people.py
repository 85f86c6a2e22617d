"""Who can be given a plan: what the pickers suggest, and names that were typed without a script.

Whoever is kept from the student is not among them, and nothing says so. Must not decide: the actions ask again.
"""

import permissions
from blueprints.cases.queries import pick_staff, resolve_among, suggest_among

MOST = 200  # people that one form can name


def unfit(account, students):
    """Those of the students whose plans this account can't be given: all where it is no active staff account, else those it
    is kept from. A list in the order given."""
    if not account.is_active or account.role not in permissions.STAFF_ROLES:
        return list(students)
    return permissions.students_kept_from(account, students)


def suggest(user, text, student=None):
    """[{ref, label, hint}] of the staff who can be given a plan about the student (with none: any staff) and fit what was
    typed."""
    return suggest_among(_fit(student), text)


def chips(accounts):
    """The accounts as a picker shows them."""
    return [{"ref": one.ref, "label": one.name, "hint": permissions.ROLES.get(one.role, "")} for one in accounts]


def pick(refs):
    """(staff accounts of these references in their order, sentence or None), as cases.queries.pick_staff()."""
    return pick_staff(refs[:MOST])


def resolve(text, student=None):
    """(accounts, sentence or None) of names typed without a script, as cases.queries.resolve_among()."""
    return resolve_among(_fit(student), text)


def _fit(student):
    return permissions.staff() if student is None else permissions.fit_for(student)
