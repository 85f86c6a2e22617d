"""What an email about a case or a task may still say when it is sent: whether the account is on it is asked again then.

Each function takes the outbox row (`target_id` is the case or the task) and its account, and returns the template's context, or a
sentence why the email is not sent any more. The context is a reference; never a name, a title or a text.
"""

import permissions
from models import Case, Task


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


def email_task_assigned(row, account):
    """Somebody was given a task: only for who still has it to do."""
    return _task_context(row, account)


def email_task_overdue(row, account):
    """A task is overdue: only for who still has it to do."""
    return _task_context(row, account)


def _task_context(row, account):
    task = Task.get_or_none(Task.id == row.target_id)
    if task is None or "assigned" not in permissions.record_reasons("task", account, task):
        return "the task is not this account's any more"
    if task.state != "open":
        return "the task is not open any more"
    return {"ref": task.ref}
