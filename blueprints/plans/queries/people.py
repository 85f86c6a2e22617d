"""Who can be given a plan: what the pickers suggest, and names that were typed without a script.

Whoever is kept from the student is not among them, and nothing says so. Must not decide: the actions ask again.
"""

import re
from collections import Counter

import permissions
from blueprints.kit.text import fold
from models import Account


def unfit(account, students):
    """Those of the students whose plans this account can't be given: all where it is no active staff account, else those it
    is kept from. A list in the order given."""
    if not account.is_active or account.role not in permissions.STAFF_ROLES:
        return list(students)
    return permissions.students_kept_from(account, students)


def suggest(user, text, student=None, limit=12):
    """[{ref, label, hint}] of the staff who can be given a plan about the student (with none: any staff) and fit what was
    typed. Two people of one name are told apart by their email."""
    rows = list(_matching(text, student).limit(limit)) if text.strip() else []
    times = Counter(row.name for row in rows)
    return [
        {"ref": row.ref, "label": f"{row.name} ({row.email})" if times[row.name] > 1 else row.name,
         "hint": permissions.ROLES[row.role]}
        for row in rows
    ]  # fmt: skip


def chips(accounts):
    """The accounts as a picker shows them."""
    return [{"ref": one.ref, "label": one.name, "hint": permissions.ROLES.get(one.role, "")} for one in accounts]


def pick(refs):
    """(staff accounts of these references in their order, sentence or None). A deactivated account comes too: whoever
    saves says why not."""
    refs = list(dict.fromkeys(ref.replace("\0", "") for ref in refs if ref))[:200]
    query = Account.select().where(Account.ref.in_(refs) & Account.role.in_(permissions.STAFF_ROLES))
    found = {row.ref: row for row in query} if refs else {}
    problem = None if len(found) == len(refs) else "Somebody you chose is not known. Choose from the list."
    return [found[ref] for ref in refs if ref in found], problem


def resolve(text, student=None):
    """Names (or emails) typed without a script, separated by commas, semicolons or lines: (accounts, sentence or None).
    Each has to fit one person."""
    found, problems = [], []
    for typed in filter(None, (part.strip() for part in re.split(r"[,;\n]", text))):
        candidates = list(_matching(typed, student).limit(20))
        exact = [row for row in candidates if fold(typed) in (fold(row.name), fold(row.email))]
        if len(exact or candidates) == 1:
            found += exact or candidates
        elif candidates:
            problems.append(f"{typed} fits several people. Type the whole name, or the email address.")
        else:
            problems.append(f"{typed} is not known. Check the spelling.")
    return found, " ".join(problems) or None


def _matching(text, student):
    query = permissions.fit_for(student) if student is not None else permissions.staff()
    for word in fold(text[:100]).split():
        query = query.where(Account.search_text.contains(word))
    return query
