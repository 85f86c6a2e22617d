"""What an email about a case may still say when it is sent: whether the account is on the case is asked again then.

Each function takes the outbox row (`target_id` is the case) and its account, and returns the template's context, or a
sentence why the email is not sent any more. The context is a reference; never a name, a title or a text.
"""

import permissions
from models import Case


def email_case_added(row, account):
    """Somebody was assigned to the case: only for who is still on it."""
    return _context(row, account)


def email_case_changed(row, account):
    """Something was added to the case: only for who is still on it."""
    return _context(row, account)


def _context(row, account):
    case = Case.get_or_none(Case.id == row.target_id)
    if case is None or not permissions.ON_CASE & set(permissions.case_reasons(account, case)):
        return "this account is not on the case any more"
    return {"ref": case.ref}
