"""What a change to students means for the accounts they sign in with: leaving closes one, coming back opens it, and another
name or email goes along.

Called inside the transaction of the change. An address that another account has is refused before that; nothing here
gives anybody an account.
"""

import permissions
from blueprints.account import actions as account_actions
from blueprints.account import queries as accounts
from blueprints.kit.text import signs_in_with
from models import Student

FOLLOWED = ("email", "is_active", "first_name", "last_name", "preferred_name")
UNFIT = "Nobody can sign in with this address, and the student has an account."
CLOSED = "The account of a student who left has this email. An Admin Key Holder can change or reactivate it under Users."
TAKEN = "Somebody else signs in with this email. An Admin Key Holder can change that under Users."
NO_STUDENTS = "It belongs to an account that is no student's."


def problem(email, old=""):
    """The sentence for an email that a student with the email `old` can't have, because an account stands against it."""
    return problems([(old, email)])[0]


def problems(pairs):
    """The same for many: a sentence or None for each (old, new)."""
    pairs = [((old or "").casefold(), (new or "").casefold()) for old, new in pairs]
    there = _there(pairs)
    return [_problem(there.get(old), there.get(new), new) for old, new in pairs]


def _there(pairs):
    return accounts.accounts_with({one for pair in pairs for one in pair if one})


def _problem(mine, theirs, new):
    mine = mine if _is_students(mine) else None
    if mine and new and not signs_in_with(new):
        return UNFIT
    if theirs is None or (mine and mine.id == theirs.id):
        return None
    # Without an account of their own the student gets to use the one that is there, unless it was another student's.
    if mine is None and _is_students(theirs) and theirs.closed_with_student:
        return CLOSED
    return TAKEN if mine else None


def _is_students(account):
    return account is not None and account.role == permissions.STUDENT


def follow(changes, *, actor):
    """Bring the accounts in step. `changes`: [(the student's folded email before, {field: value})]; `actor` None is the
    command line. Raises account_actions.Refused."""
    followed = [(old, _wanted(fields)) for old, fields in changes if old and fields.keys() & set(FOLLOWED)]
    there = accounts.accounts_with({old for old, wanted in followed if wanted})
    who = account_actions.OPERATOR if actor is None else actor
    for old, wanted in followed:
        if wanted and _is_students(there.get(old)):
            account_actions.keep_in_step(there[old], actor=who, **wanted)


def _wanted(fields):
    wanted = {name: fields[name] for name in ("email", "is_active") if name in fields}
    if "email" in wanted:
        wanted["email"] = wanted["email"] or ""
    if fields.keys() >= {"first_name", "last_name"}:
        wanted["name"] = Student(**{name: fields.get(name, "") for name in FOLLOWED[2:]}).name
    return wanted


def refuse_in_import(planned):
    """Turn planned rows (import_rows.Planned) whose email can't be had into refused ones, in place. A list that gives a
    student the email of staff is wrong, whoever typed one by hand may know why."""
    given = [place for place, row in enumerate(planned) if row.values.get("email")]
    pairs = [(_folded(planned[place].known), planned[place].values["email"].casefold()) for place in given]
    there = _there(pairs)
    for place, (old, new) in zip(given, pairs, strict=True):
        theirs = there.get(new)
        sentence = _problem(there.get(old), theirs, new)
        if theirs is not None and not _is_students(theirs) and old != new:
            sentence = NO_STUDENTS
        if sentence:
            row = planned[place]
            planned[place] = type(row)(row.line, "refused", f"Email: {sentence}", row.name)


def follow_import(plan, *, actor):
    """The same for every student that an import changed."""
    changes = [(_folded(row.known), _after(row)) for row in plan.of("changed")]
    changes += [(_folded(row.known), {"is_active": False}) for row in plan.of("left")]
    follow(changes, actor=actor)


def _folded(known):
    return (known.email or "").casefold() if known else ""


def _after(row):
    """What changed, with the whole name where a part of it did."""
    if row.values.keys() & set(FOLLOWED[2:]):
        return {name: getattr(row.known, name) for name in FOLLOWED[2:]} | row.values
    return row.values
