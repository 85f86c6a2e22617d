"""What a list of staff would do: each row added, changed, the same or refused, and who would be deactivated.

parse() reads the file and asks nothing of the database; resolve() holds the rows against the accounts and writes nothing.
An account is found again by its email. Knows nothing of runs, pages or commands.
"""

from collections import defaultdict

import permissions
from blueprints.account import actions as accounts
from blueprints.admin import actions as admin
from blueprints.imports import people
from blueprints.kit.csvread import CsvProblem
from blueprints.kit.text import one_line
from blueprints.students.actions import import_rows

Field, Parsed = import_rows.Field, import_rows.Parsed
# The longest texts are those of accounts.checked(); a list of groups may be longer.
FIELDS = (
    Field("first_name", "First name", 255, ("Forename", "Given name", "Firstname", "Vorname", "Prénom")),
    Field("last_name", "Last name", 255, ("Surname", "Family name", "Lastname", "Nachname", "Nom")),
    Field("name", "Name", 255, ("Full name", "Display name", "Staff name")),
    Field("email", "Email", 254, ("Email address", "E-mail address", "Work email", "School email", "Staff email", "Mail")),
    Field("title", "Title", 255, ("Role title", "Job title", "Position", "Post", "Job")),
    Field("phone", "Phone", 255, ("Phone number", "Telephone", "Extension", "Work phone", "Tel")),
    Field("booking_url", "Booking link", 255, ("Booking URL", "Booking", "Booking page", "Calendar link")),
    Field("role", "Role", 255, ("Caseward role", "Permission set", "Access level")),
    Field("groups", "Groups", 10_000, ("Group", "Staff groups", "Teams", "Team")),
)
REQUIRED = ("email",)
DETAILS = ("name", "title", "phone", "booking_url")
ROLES = {label.casefold(): key for key, label in permissions.ROLES.items()}
ROLES |= {key.replace("_", " "): key for key in permissions.ROLES}
MAX_ROWS = 20_000
OF_A_STUDENT = "This is the account of a student. Change its role under Admin > Users, if that is meant."
STUDENT_HAS_IT = "The email belongs to a student, whose account would be tied to it."


def size_problem(sheet):
    """The sentence for a sheet without rows, or with too many for one transaction; else None."""
    if not len(sheet):
        return "The file has headings but no rows under them."
    if len(sheet) > MAX_ROWS:
        return f"The file has {len(sheet):,} rows. A list of staff can have at most {MAX_ROWS:,}: split it."
    return None


def mapping_problems(header, mapping):
    """{field name: sentence} for a mapping that can't be used: an email, and a name in one column or in two."""
    problems = import_rows.mapping_problems(header, mapping, FIELDS, REQUIRED)
    missing = [name for name in ("first_name", "last_name") if mapping.get(name) is None]
    if mapping.get("name") is None and missing:
        problems.setdefault(missing[0], "Choose the columns of first and last name, or that of the whole name.")
    return problems


def parse(sheet, mapping, progress=None):
    """The rows of the file as Parsed. `progress(done)` is called now and then. Raises CsvProblem."""
    columns = [(one.name, mapping[one.name]) for one in FIELDS if mapping.get(one.name) is not None]
    rows = []
    for row in sheet.rows:
        rows.append(_parse_row(row, columns))
        if progress and len(rows) % import_rows.STEP == 0:
            progress(len(rows))
        if len(rows) > MAX_ROWS:
            raise CsvProblem(size_problem(sheet))
    return rows


def _parse_row(row, columns):
    if row.error:
        return Parsed(row.line, {}, row.error, row.cells)
    given = {name: one_line(row.cells[column]) for name, column in columns}
    given = {name: text for name, text in given.items() if text}
    parts = [given.pop(name) for name in ("first_name", "last_name") if name in given]
    given.setdefault("name", " ".join(parts))
    problems = []
    role = given.pop("role", "")
    if role and _role(role) is None:
        problems.append(f"{_shown(role)} is no role. Roles are: {', '.join(permissions.ROLES.values())}.")
    groups = _each_once(given.pop("groups", "").split(";"))
    problems += [f"The name of a group has more than 255 characters: {_shown(name)}" for name in groups if len(name) > 255]
    values = {name: text for name, text in given.items() if text}
    try:
        accounts.checked(values)
    except accounts.Refused as problem:
        problems.append(f"{people.LABELS[problem.field]}: {problem.sentence}")
    if "email" not in values:
        problems.insert(0, "The email is missing.")
    extra = ({"role": _role(role)} if role else {}) | ({"groups": groups} if groups else {})
    return Parsed(row.line, values | extra, " ".join(problems))


def _each_once(names):
    """The names that say something, as they are first written."""
    found = {}
    for name in map(one_line, names):
        if name:
            found.setdefault(name.casefold(), name)
    return list(found.values())


def _role(text):
    return ROLES.get(text.casefold().replace("-", " ").replace("_", " "))


def _shown(text):
    return text if len(text) <= 40 else text[:40] + "…"


# --- The plan --------------------------------------------------------------------------------------------------------


def resolve(parsed, *, actor, deactivate=False, invite=False, make_groups=False, reactivate=False):
    """The people.Plan for parsed rows as the accounts stand now; `actor` None is the command line."""
    there = people.There(actor)
    doubles = _doubles(parsed)
    new_groups, rows, notes = {}, [], []
    for row in parsed:
        rows.append(_plan_row(row, doubles, there, new_groups, make_groups, reactivate))
    if deactivate:
        mentioned = _mentioned(parsed, there)
        gone = [known for known in there.staff if known.id not in mentioned]
        rows = people.leavers(there, gone, notes) + rows
    rows = people.keep_an_admin(rows, there, notes)
    wanted = {key for row in rows for key in row.joins}
    groups = [admin.NewGroup(name, name) for name in new_groups.values() if name in wanted]
    return people.Plan(rows, len(there.staff), notes + people.notes_on_admins(rows), groups=groups, invite=invite)


def _mentioned(parsed, there):
    """Ids of the accounts that a row is about, also a refused one: they must not be deactivated because of it."""
    cells = (cell.casefold() for row in parsed for cell in [row.values.get("email", ""), *row.stray])
    return {there.by_email[cell].id for cell in cells if cell in there.by_email}


def _doubles(parsed):
    """{line: sentence} for rows that share an email with another row of the file."""
    lines = defaultdict(list)
    for row in parsed:
        if "email" in row.values:
            lines[row.values["email"].casefold()].append((row.line, row.values["email"]))
    return {
        line: f"{import_rows.lines_but(line, places)} the same email ({email})."
        for places in lines.values() if len(places) > 1 for line, email in places
    }  # fmt: skip


def _plan_row(row, doubles, there, new_groups, make_groups, reactivate):
    values = row.values
    known = there.by_email.get(values.get("email", "").casefold())
    if known is not None and known.id in there.closed:
        return people.refused(row.line, people.CLOSED, values.get("name", ""))
    name = values.get("name") or (known.name if known else "")
    problem = " ".join(part for part in (row.problem, doubles.get(row.line)) if part) or _problem(values, known, there)
    if problem:
        return people.refused(row.line, problem, name)
    joins, ends, problem = _groups(values, known, there, new_groups, make_groups)
    if problem:
        return people.refused(row.line, problem, name)
    if known is None:
        fields = {field: values.get(field, "") for field in (*DETAILS, "email")}
        fields["role"] = values.get("role", permissions.STAFF)
        told = "; ".join([permissions.ROLES[fields["role"]], *people.told_groups(joins, (), there)]) + "."
        return people.Planned(row.line, "added", told, name, fields, joins=joins)
    changes = {field: values[field] for field in (*DETAILS, "role") if field in values and values[field] != getattr(known, field)}
    return people.planned(row.line, known, changes, joins=joins, ends=ends, there=there, reactivate=reactivate)


def _problem(values, known, there):
    """The sentence for a row that must not be taken although each of its values could be; else an empty text."""
    role = values.get("role")
    if known is None:
        if "name" not in values:
            return "The name is missing."
        is_students = values["email"].casefold() in there.student_emails
        return STUDENT_HAS_IT if is_students and role != permissions.STUDENT else ""
    if known.role == permissions.STUDENT and role != permissions.STUDENT:
        return OF_A_STUDENT
    return people.OWN_ROLE if there.is_own(known) and role not in (None, known.role) else ""


def _groups(values, known, there, new_groups, make_groups):
    """(keys of the groups to join, ids of those to leave, problem). A row without groups leaves them as they are."""
    names = values.get("groups", ())
    role = values.get("role", known.role if known else permissions.STAFF)
    if names and role not in permissions.STAFF_ROLES:
        return [], [], f"Only staff are in groups, and the role is {permissions.ROLES.get(role, 'none')}."
    keys, problems = [], []
    for name in names:
        group = there.groups.get(name.casefold())
        if group is None and make_groups:
            keys.append(new_groups.setdefault(name.casefold(), name))
        elif group is None:
            problems.append(f"There is no group called “{name}”.")
        elif not group.is_active:
            problems.append(f"The group “{group.name}” is not in use any more.")
        else:
            keys.append(group.id)
    mine = there.memberships.get(known.id, {}) if known else {}
    ends = [group for group, from_import in mine.items() if names and from_import and group not in keys]
    # what came with OneRoster goes with it
    ends = [group for group in ends if not there.group_by_id[group].source_id]
    return [key for key in keys if key not in mine], ends, " ".join(problems)
