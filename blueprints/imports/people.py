"""Staff in an import: the accounts, groups and memberships as they are, and what becomes of them. resolve functions of
staff_rows.py and oneroster plan with it; save() writes a plan in the caller's transaction.

Nobody loses the last Admin Key Holder by an import, nobody takes their own rights away with one, and only memberships that
an import made are ended by one.
"""

from collections import defaultdict
from dataclasses import dataclass, field

import permissions
from blueprints.account import actions as accounts
from blueprints.admin import actions as admin
from blueprints.students.actions import import_rows
from extensions import db
from models import Account, Department, Group, GroupMember, Student, is_postgres

LABELS = {
    "name": "Name", "email": "Email", "title": "Title", "phone": "Phone", "booking_url": "Booking link", "role": "Role",
    "groups": "Groups", "source_id": "Source ID",
}  # fmt: skip
STAYS_OFF = "The account is deactivated and stays so."
CLOSED = "The email can't be used with your account. Ask another Admin Key Holder about this row."
LAST_ADMIN = "{} is the last active Admin Key Holder. Make somebody else an Admin Key Holder first."
OWN_ROLE = "This is your own account. Ask another Admin Key Holder to change its role."


@dataclass(slots=True)
class Planned(import_rows.Planned):
    """What becomes of a row about somebody, or (line None) of an account that no row is about. `values` are the fields to
    change, for an added one all. `joins`: keys of groups; `ends`: ids of groups."""

    joins: list = field(default_factory=list)
    ends: list = field(default_factory=list)
    what: str = "account"


@dataclass
class Plan(import_rows.Plan):
    """All rows, leavers first. `active`: staff accounts that were active when it was made."""

    departments: list = field(default_factory=list)  # names to make
    groups: list = field(default_factory=list)  # admin.NewGroup to make
    invite: bool = False


class There:
    """What there is: every account by email and source ID, every group by name, who is in it, and the emails of students
    that the importer may know of; `closed`, the ids of the accounts of other students. Six queries, whatever their number;
    `actor` None is the command line."""

    def __init__(self, actor):
        self.actor = actor
        fields = (Account.id, Account.ref, Account.version, *(getattr(Account, name) for name in accounts.STORED))
        self.accounts = list(Account.select(*fields).order_by(Account.search_text, Account.id).namedtuples())
        self.by_email = {row.email.casefold(): row for row in self.accounts}
        self.by_source = {row.source_id.casefold(): row for row in self.accounts if row.source_id}
        groups = list(Group.select(Group.id, Group.ref, Group.name, Group.is_active, Group.source_id).namedtuples())
        self.groups = {row.name.casefold(): row for row in groups}
        self.group_of_source = {row.source_id: row for row in groups if row.source_id}
        self.group_by_id = {row.id: row for row in groups}
        self.departments = {name.casefold() for (name,) in Department.select(Department.name).tuples()}
        self.memberships = defaultdict(dict)  # account's id: {group's id: whether an import made it}
        links = GroupMember.select(GroupMember.account_id, GroupMember.group_id, GroupMember.from_import)
        for account, group, from_import in links.tuples():
            self.memberships[account][group] = from_import
        email = Student.email_folded
        students = Student.select(email) if actor is None else permissions.visible_students(actor, email)
        self.student_emails = {folded for (folded,) in students.where(email.is_null(False)).tuples()}
        closed = permissions.closed_accounts(actor).tuples() if actor is not None else ()
        self.closed = {account for (account,) in closed}

    @property
    def staff(self):
        """Active accounts with a staff role."""
        return [row for row in self.accounts if row.is_active and row.role in permissions.STAFF_ROLES]

    def is_own(self, known):
        return self.actor is not None and known.id == self.actor.id


def hold():
    """Keep other writers off accounts and groups until the transaction ends; SQLite writes one at a time anyway."""
    if is_postgres():
        db.execute_sql("LOCK TABLE account, department, staff_group, group_member IN SHARE ROW EXCLUSIVE MODE")


def refused(line, sentence, name=""):
    """A row that is not taken, and why."""
    return Planned(line, "refused", sentence, name)


def planned(line, known, changes, *, joins=(), ends=(), there, reactivate):
    """The row of an account that is there: changed, or the same. A deactivated one stays as it is unless `reactivate`."""
    name = changes.get("name", known.name)
    if not known.is_active and not reactivate:
        return Planned(line, "same", STAYS_OFF, name, {}, known, known.ref)
    if not known.is_active:
        changes = changes | {"is_active": True}
    if not (changes or joins or ends):
        return Planned(line, "same", "", name, {}, known, known.ref)
    told = ["Is reactivated"] if "is_active" in changes else []
    told += [_told(field, getattr(known, field), value) for field, value in changes.items() if field != "is_active"]
    sentence = "; ".join(told + told_groups(joins, ends, there)) + "."
    return Planned(line, "changed", sentence, name, changes, known, known.ref, joins=list(joins), ends=list(ends))


def _told(field, old, new):
    if field == "role":
        old, new = permissions.ROLES.get(old, "none"), permissions.ROLES[new]
    return f"{LABELS[field]}: {old or 'nothing'} → {new}"


def told_groups(joins, ends, there):
    """["joins Counselling", "leaves Year 7 tutors"]: keys of joins that are no id are names of groups to be made."""
    names = [there.group_by_id[key].name if key in there.group_by_id else f"{key} (new)" for key in joins]
    told = [f"joins {', '.join(names)}"] if names else []
    gone = [there.group_by_id[key].name for key in ends]
    return told + ([f"leaves {', '.join(gone)}"] if gone else [])


def leavers(there, known_rows, notes):
    """The rows of accounts that are to be deactivated, without one's own and without the last Admin Key Holder."""
    rows = []
    for known in known_rows:
        if there.is_own(known):
            notes.append("Your own account would be among those who leave. It stays as it is.")
        else:
            rows.append(Planned(None, "left", "", known.name, {"is_active": False}, known, known.ref))
    return rows


def keep_an_admin(rows, there, notes):
    """The rows, changed where they would leave the school without an active Admin Key Holder."""
    admins = [row for row in there.staff if row.role == permissions.ADMIN]
    losing = {row.known.id: place for place, row in enumerate(rows) if row.known is not None and _loses_admin(row)}
    if not admins or any(admin.id not in losing for admin in admins):
        return rows
    last = admins[0]
    place, sentence = losing[last.id], LAST_ADMIN.format(last.name)
    if rows[place].outcome == "left":
        notes.append(f"{last.name} is the last active Admin Key Holder and stays.")
        return rows[:place] + rows[place + 1 :]
    return [*rows[:place], refused(rows[place].line, sentence, rows[place].name), *rows[place + 1 :]]


def _loses_admin(row):
    is_admin = row.known.role == permissions.ADMIN and row.known.is_active
    return is_admin and (row.outcome == "left" or row.values.get("role", permissions.ADMIN) != permissions.ADMIN)


def notes_on_admins(rows):
    """A sentence for each account that would become an Admin Key Holder's."""
    raised = [row.name for row in rows if row.outcome in ("added", "changed") and row.values.get("role") == permissions.ADMIN]
    return [f"{name} becomes an Admin Key Holder, who may do and read everything." for name in raised]


def save(plan, *, actor):
    """Write the plan in the open transaction. Gives added rows their `ref`."""
    by = actor or accounts.OPERATOR
    added = [row for row in plan.of("added") if row.what == "account"]
    changed = [row for row in plan.of("changed") + plan.of("left") if row.what == "account"]
    changes = [accounts.Change(row.known, row.values) for row in changed if row.values]
    refs = accounts.save_people([row.values for row in added], changes, invite=plan.invite, actor=by)
    for row, ref in zip(added, refs, strict=True):
        row.ref = ref
    ids = _ids(refs)
    joins = [(key, row.known.id if row.known else ids[row.ref], row.ref) for row in added + changed for key in row.joins]
    ends = [(key, row.known.id, row.ref) for row in changed for key in row.ends]
    return admin.save_groups(departments=plan.departments, groups=plan.groups, joins=joins, ends=ends, actor=by)


def _ids(refs):
    found = {}
    for start in range(0, len(refs), 500):
        some = Account.ref.in_(refs[start : start + 500])
        found |= dict(Account.select(Account.ref, Account.id).where(some).tuples())
    return found
