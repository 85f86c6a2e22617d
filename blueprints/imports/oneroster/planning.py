"""A roster held against the school: what becomes of every student, account, department and staff group; and writing it.

Students go the way of a class list (import_rows.py), found by sourcedId, then admission number, then email. Staff get
accounts with the role Staff; a role that somebody has is never touched. Departments get a group each, the tutors of each
year another. resolve() writes nothing, save() writes exactly what the plan says, in the caller's transaction.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

import permissions
from blueprints.account import actions as accounts
from blueprints.admin import actions as admin
from blueprints.imports import people
from blueprints.imports.oneroster.reading import staff_values, student_cells
from blueprints.students.actions import import_rows
from blueprints.students.actions import imports as students
from extensions import clock
from models import Student

HAS_STUDENT = "The sourcedId belongs to a student here."
HAS_ACCOUNT = "The sourcedId belongs to an account here that is no student's."
NO_EMAIL = "Staff need an email: it is what they sign in with."
NOT_IN_USERS = "The user {} is not in users.csv, and not known here."
OF_A_STUDENT = "The email belongs to a student's account."
NOT_STAFF = "The email belongs to an account that is no staff account."


@dataclass
class Plan:
    """Students and staff, each with a plan of their own, and the rows about groups and refused ones of other files."""

    students: import_rows.Plan
    staff: people.Plan
    others: list
    notes: list = field(default_factory=list)

    def __post_init__(self):
        """`rows`: all of them, leavers first."""
        both = self.students.rows + self.staff.rows
        self.rows = sorted(both + self.others, key=lambda row: row.outcome != "left")

    @property
    def counts(self):
        found = Counter(row.outcome for row in self.rows)
        return {outcome: found[outcome] for outcome in import_rows.OUTCOMES}

    @property
    def active(self):
        return self.students.active + self.staff.active

    @property
    def empties_school(self):
        """More than a fifth of the students, or of the staff, would leave."""
        return self.students.empties_school or self.staff.empties_school

    def result(self):
        return [row.as_list() for row in self.rows]


def resolve(roster, *, actor, deactivate=False, groups=True, invite=False, reactivate=False):
    """The Plan for a Roster as the school stands now; `actor` None is the command line, which sees every student."""
    there = people.There(actor)
    sorted_users = _Sorted(roster, there)
    student_plan = _students(sorted_users, roster, actor, deactivate)
    wanted = _Groups(roster, there) if groups else None
    staff_plan = _staff(sorted_users, roster, there, wanted, deactivate, invite, reactivate)
    others = [import_rows.Planned(bad.where, "refused", bad.sentence, bad.name) for bad in roster.bad]
    others += [import_rows.Planned(user.where, "refused", NOT_IN_USERS.format(user.source_id)) for user in sorted_users.unknown]
    others += wanted.rows if wanted else []
    plan = Plan(student_plan, staff_plan, others)
    plan.notes = [*_told(plan), *roster.notes, *staff_plan.notes]
    return plan


def _told(plan):
    """What becomes of students, staff and groups in numbers."""
    parts = (("Students", plan.students.rows), ("Staff", plan.staff.rows), ("Groups", [row for row in plan.others if row.what]))
    sentences = []
    for title, rows in parts:
        found = Counter(row.outcome for row in rows)
        numbers = [f"{found[outcome]:,} {word}" for outcome, word in WORDS.items() if found[outcome]]
        if numbers:
            sentences.append(f"{title}: {', '.join(numbers)}.")
    return sentences


WORDS = {"left": "leaving", "added": "added", "changed": "changed", "same": "the same", "refused": "refused"}


class _Sorted:
    """The users of a roster by what they are, also those whose role only Caseward knows."""

    def __init__(self, roster, there):
        known = Student.select(Student.source_id).where(Student.source_id.is_null(False))
        self.student_ids = {source_id.casefold() for (source_id,) in known.tuples()}
        self.students, self.staff, self.gone, self.unclear, self.unknown = [], [], [], [], []
        for user in roster.users:
            if not user.is_there and not user.problem:
                self.gone.append(user)
            else:
                self._lists(user, there).append(user)
        for user in roster.loose:
            lists = self._lists(user, there)
            (self.unknown if lists is self.unclear else lists).append(user)
        self._refuse_shared("sourcedId", lambda user: user.source_id)
        self._refuse_shared("email", lambda user: staff_values(user).get("email", ""))

    def _lists(self, user, there):
        key, kind = user.source_id.casefold(), user.kind
        if kind in ("family", "other") and not user.problem:
            return []
        if not kind or user.cells is None:
            kind = "student" if key in self.student_ids else "staff" if key in there.by_source else ""
        if kind not in ("student", "staff"):
            user.problem = user.problem or "No file says which role this user has."
            return self.unclear
        if kind == "student" and key in there.by_source:
            user.problem = user.problem or HAS_ACCOUNT
        if kind == "staff" and key in self.student_ids:
            user.problem = user.problem or HAS_STUDENT
        return self.students if kind == "student" else self.staff

    def _refuse_shared(self, what, key):
        """Of two with one sourcedId or email neither is taken. What students share among themselves, import_rows tells."""
        of = defaultdict(list)
        for user in self.staff:
            of[key(user).casefold()].append(user)
        of.pop("", None)
        for user in self.students:
            if user.cells is not None and key(user).casefold() in of:
                of[key(user).casefold()].append(user)
        for users in of.values():
            for user in users if len(users) > 1 else ():
                lines = import_rows.lines_but(user.line, [(other.line, None) for other in users])
                user.problem = user.problem or f"{lines} the same {what}."


# --- Students --------------------------------------------------------------------------------------------------------


def _students(of, roster, actor, deactivate):
    # Who can't be told apart from a student, because the row is refused, must not leave because of it.
    rows = [_parsed(user) for user in of.students + of.unclear]
    gone = [_parsed(user) for user in of.gone if _was(user, "student", of.student_ids)]
    plan = import_rows.resolve(rows, actor=actor, deactivate=deactivate, gone=gone, whole=roster.users_are_whole)
    for row in plan.rows:
        row.line = _where(row.line)
    return plan


def _was(user, kind, source_ids):
    """Whether somebody who is gone was of this kind: the files say so or, where they name no role any more, Caseward."""
    return user.kind == kind or user.kind in ("", "other") and user.source_id.casefold() in source_ids


def _parsed(user):
    row = import_rows.parsed(user.line or user.where, student_cells(user), clock.now().date())
    row.problem = user.problem or row.problem
    return row


def _where(line):
    return f"users.csv line {line}" if isinstance(line, int) else line


# --- Staff -----------------------------------------------------------------------------------------------------------


def _staff(of, roster, there, wanted, deactivate, invite, reactivate):
    notes = []
    rows = [_plan_person(user, there, wanted, reactivate) for user in of.staff]
    gone = [(user, _account_of(user, there)) for user in of.gone if _was(user, "staff", there.by_source)]
    leaving = {}
    if deactivate:
        mentioned = {known.id for user in of.staff + of.unclear if (known := _account_of(user, there))}
        told = {known.id for _, known in gone if known}
        if roster.users_are_whole:
            told |= {known.id for known in there.staff if known.source_id}
        leaving = {known.id: known for known in there.staff if known.id in told - mentioned}
    stay = [user for user, known in gone if known is None or known.id not in leaving]
    rows += [people.Planned(user.where, "same", import_rows.NOT_THERE, staff_values(user).get("name", "")) for user in stay]
    rows = people.leavers(there, leaving.values(), notes) + rows
    rows = people.keep_an_admin(rows, there, notes)
    plan = people.Plan(rows, len(there.staff), notes, invite=invite)
    if wanted:
        plan.departments, plan.groups = wanted.departments, wanted.groups
    return plan


def _account_of(user, there):
    """The account that a user is about, by sourcedId or email; None for a student's."""
    email = staff_values(user).get("email", "").casefold()
    known = there.by_source.get(user.source_id.casefold()) or there.by_email.get(email)
    return known if known and known.role != permissions.STUDENT else None


def _plan_person(user, there, wanted, reactivate):
    values = staff_values(user)
    known = there.by_source.get(user.source_id.casefold())
    by_email = there.by_email.get(values.get("email", "").casefold())
    if any(one is not None and one.id in there.closed for one in (known, by_email)):
        return people.refused(user.where, people.CLOSED, values.get("name", ""))
    problem = user.problem or _problem(user, values, known, by_email, there)
    known = known or by_email
    name = values.get("name") or (known.name if known else "")
    if problem:
        return people.refused(user.where, problem, name)
    joins, ends = wanted.of(user, known) if wanted else ([], [])
    if known is None:
        fields = values | {"role": permissions.STAFF, "source_id": user.source_id}
        told = "; ".join([permissions.ROLES[permissions.STAFF], *people.told_groups(joins, (), there)]) + "."
        return people.Planned(user.where, "added", told, name, fields, joins=joins)
    return people.planned(
        user.where, known, _changes(user, values, known), joins=joins, ends=ends, there=there, reactivate=reactivate
    )


def _problem(user, values, known, by_email, there):
    """The sentence for somebody whose account can't be told or may not be touched; else an empty text."""
    email = values.get("email", "").casefold()
    if known and by_email and known.id != by_email.id:
        return "The sourcedId belongs to one account and the email to another."
    if not known and by_email and by_email.source_id:
        return "The email belongs to an account with another sourcedId."
    if by_email and by_email.role in (permissions.STUDENT, permissions.REFERRAL_USER):
        return OF_A_STUDENT if by_email.role == permissions.STUDENT else NOT_STAFF
    if not known and not by_email and (missing := [name for name in ("name", "email") if name not in values]):
        return NO_EMAIL if missing == ["email"] else "The name is missing."
    if email in there.student_emails and not by_email:
        return "The email belongs to a student, whose account would be tied to it."
    try:
        accounts.checked(values)
    except accounts.Refused as problem:
        return f"{people.LABELS[problem.field]}: {problem.sentence}"
    return ""


def _changes(user, values, known):
    """What the files change on an account: name and email follow them; role title and phone are only filled in, because
    people keep these themselves."""
    changes = {"source_id": user.source_id} if known.source_id != user.source_id else {}
    if values.get("name", known.name) != known.name:
        changes["name"] = values["name"]
    if values.get("email", known.email).casefold() != known.email.casefold():
        changes["email"] = values["email"]
    return changes | {name: values[name] for name in ("title", "phone") if name in values and not getattr(known, name)}


class _Groups:
    """The staff groups that follow from a roster: `org:<sourcedId>` for a department, `tutors:<grade>` for a year.

    A group is found again by this name of its source and keeps whatever it is called here by then. One that somebody made
    by hand under the same name is not joined: whoever is in it may read the cases it is attached to.
    """

    def __init__(self, roster, there):
        self.there, self.rows, self.departments, self.groups = there, [], [], []
        self.keys = {}  # source: a group's id, or the name of one to be made
        self.whole = {"org": roster.departments_are_whole, "tutors": roster.tutors_are_whole}
        names, departments = set(), set(there.departments)
        for source_id, one in roster.departments.items():
            if one.name.casefold() not in departments:
                self.departments.append(one.name)
                departments.add(one.name.casefold())
            self._group(f"org:{source_id}", one.name, one.where, names, one.name)
        for grade in sorted({grade for user in roster.users + roster.loose for grade in user.tutor_of}):
            name = f"Year {grade} tutors" if grade.isdigit() else f"{grade} tutors"
            self._group(f"tutors:{grade}", name, "classes.csv", names, None)

    def _group(self, source, name, where, names, department):
        group = self.there.group_of_source.get(source)
        if group is not None:
            if group.is_active:
                self.keys[source] = group.id
            return
        if name.casefold() in self.there.groups or name.casefold() in names:
            sentence = f"There is another group called “{name}”. Rename it under Groups, if this one is to be made."
            self.rows.append(import_rows.Planned(where, "refused", sentence, name, what="group"))
            return
        names.add(name.casefold())
        self.keys[source] = name
        self.groups.append(admin.NewGroup(name, name, department, source))
        sentence = "New staff group and department." if department in self.departments else "New staff group."
        self.rows.append(import_rows.Planned(where, "added", sentence, name, what="group"))

    def of(self, user, known):
        """(keys of the groups that somebody joins, ids of those they leave)."""
        if known and known.role not in permissions.STAFF_ROLES:
            return [], []
        sources = {f"org:{source_id}" for source_id in user.departments} | {f"tutors:{grade}" for grade in user.tutor_of}
        keys = [self.keys[source] for source in sorted(sources) if source in self.keys]
        mine = self.there.memberships.get(known.id, {}) if known else {}
        ends = [group for group, from_import in mine.items() if from_import and group not in keys and self._is_told(group)]
        return [key for key in keys if key not in mine], ends

    def _is_told(self, group):
        """Whether these files say all about who is in this group."""
        source = self.there.group_by_id[group].source_id or ""
        return self.whole.get(source.partition(":")[0], False)


# --- Writing ---------------------------------------------------------------------------------------------------------


def save(plan, *, actor, run_ref):
    """Write the plan in the open transaction. Gives the rows of what was added their `ref`."""
    if plan.students.rows:
        students.apply(plan.students, actor=actor, run_ref=run_ref)
    made = people.save(plan.staff, actor=actor)
    for row in plan.others:
        row.ref = made.get(row.name, "") if row.outcome == "added" else ""

