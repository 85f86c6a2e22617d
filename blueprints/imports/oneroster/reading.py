"""The files of a OneRoster set put together: who is a student, who is staff, in which year, tutor group and department.

Asks nothing of the database. Every row that says something impossible is named by file and line and is left out; what it
would have said is not guessed. A row whose user or class was refused itself is passed over: one sentence is enough.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from blueprints.imports.oneroster import spec
from blueprints.kit.csvread import CsvProblem
from blueprints.kit.text import email_problem, one_line, plural
from blueprints.students.actions import import_rows
from extensions import clock

MOST_BAD = 5_000  # rows that are refused; with more of them it is the wrong set
STEP = 20_000  # rows of other files than users.csv between two reports of progress
LONGEST_ID = 255
LONGEST_GRADE = 50


class Bad(NamedTuple):
    """A row that is refused: where it is, why, and whom or what it is about."""

    where: str
    sentence: str
    name: str = ""


class Class(NamedTuple):
    """A class that has not ended; only homeroom classes have consequences."""

    title: str
    is_homeroom: bool
    grade: str


class Department(NamedTuple):
    """An org of type department."""

    where: str
    name: str


@dataclass
class User:
    """Somebody of users.csv or, without `cells`, somebody whom other files name and users.csv may leave out (a delta)."""

    source_id: str
    where: str
    line: int = 0
    cells: object = None
    problem: str = ""
    kind: str = ""  # "student", "staff", "family", or "" for one whose role no file tells
    title: str = ""
    is_there: bool = True
    departments: set = field(default_factory=set)  # sourcedIds
    tutor_of: set = field(default_factory=set)  # grades
    homerooms: list = field(default_factory=list)  # (rank, title): the greatest is the tutor group
    born: str = ""

    @property
    def tutor_group(self):
        return max(self.homerooms)[1] if self.homerooms else ""


@dataclass
class Roster:
    """The set as one. `users` in their order; `loose`: those whom users.csv, being a delta, does not have."""

    users: list
    loose: list
    departments: dict  # sourcedId: Department
    bad: list
    notes: list
    users_are_whole: bool
    departments_are_whole: bool
    tutors_are_whole: bool


def parse(bundle, progress=None):
    """The Roster in a Bundle. `progress(done)` is called now and then with rows of users.csv. Raises CsvProblem."""
    return _Reader(bundle, progress or (lambda done: None)).roster()


class _Reader:
    def __init__(self, bundle, progress):
        self.bundle, self.progress = bundle, progress
        self.today = clock.now().date()
        self.bad, self.notes = [], []
        self.loose = {}

    def roster(self):
        self.orgs, departments = self._orgs()
        ended = self._sessions()
        self.classes = self._classes(ended)
        self.users = self._users()
        if self.bundle.has("roles"):
            self._roles()
        else:
            self._roles_of_users()
        self._demographics()
        self._enrollments()
        self._count_others()
        whole = self.bundle.is_whole
        return Roster(
            users=[user for users in self.users.values() for user in users], loose=list(self.loose.values()),
            departments=departments, bad=self.bad, notes=self.notes, users_are_whole=whole("users"),
            departments_are_whole=whole("orgs") and whole("roles" if self.bundle.has("roles") else "users"),
            tutors_are_whole=whole("enrollments") and whole("classes"),
        )  # fmt: skip

    # --- Rows ------------------------------------------------------------------------------------------------------

    def _refuse(self, name, line, sentence, about=""):
        self.bad.append(Bad(f"{name}.csv line {line}", sentence, about))
        if len(self.bad) > MOST_BAD:
            raise CsvProblem(
                f"More than {MOST_BAD:,} rows can't be taken. The last one: {name}.csv line {line}: {sentence}"
            )

    def _rows(self, name):
        """(Row, whether it is active) of a file's good rows with a sourcedId of their own; nothing when it is absent."""
        if not self.bundle.has(name):
            return
        seen = set()
        for count, (line, row, problem) in enumerate(self.bundle.rows(name), 1):
            if count % STEP == 0:
                self.progress(len(self.bundle))
            problem = problem or _row_problem(row)
            if not problem and row.sourcedId in seen and name != "users":
                problem = f"The sourcedId {_shown(row.sourcedId)} stands in the file twice."
            if problem:
                self._refuse(name, line, problem)
                continue
            seen.add(row.sourcedId)
            yield row, spec.STATUSES[row.status.casefold()]

    def _orgs(self):
        """({sourcedId} of all orgs, {sourcedId: Department})."""
        known, departments = set(), {}
        for row, is_active in self._rows("orgs"):
            known.add(row.sourcedId)
            kind, name = row.type.casefold(), one_line(row.name)
            if kind not in spec.ORG_TYPES:
                self._refuse("orgs", row.line, f"{_shown(row.type) or 'Nothing'} is no type of org.", name)
            elif kind == spec.DEPARTMENT and is_active:
                if not name or len(name) > 255:
                    self._refuse("orgs", row.line, "A department needs a name of at most 255 characters.", name[:255])
                else:
                    departments[row.sourcedId] = Department(f"orgs.csv line {row.line}", name)
        return known, departments

    def _sessions(self):
        """{sourcedId: whether it has ended} of the academic sessions."""
        ended = {}
        for row, is_active in self._rows("academicSessions"):
            try:
                ended[row.sourcedId] = not is_active or _day(row.endDate, "endDate", self.today) < self.today
            except ValueError as problem:
                self._refuse("academicSessions", row.line, str(problem))
        return ended

    def _classes(self, ended):
        """{sourcedId: Class, or None for one without consequences}."""
        classes = {}
        for row, is_active in self._rows("classes"):
            title, kind = one_line(row.title), row.classType.casefold()
            classes[row.sourcedId] = None
            if kind not in spec.CLASS_TYPES:
                self._refuse("classes", row.line, f"{_shown(row.classType) or 'Nothing'} is no type of class.", title)
            elif problem := self._org_problem([row.schoolSourcedId]):
                self._refuse("classes", row.line, problem, title)
            elif kind == spec.HOMEROOM and not title:
                self._refuse("classes", row.line, "A homeroom class needs a title.")
            elif len(grade := _first_grade(row.grades)) > LONGEST_GRADE:
                self._refuse("classes", row.line, f"A grade has at most {LONGEST_GRADE} characters.", title[:255])
            elif is_active and not _have_ended(_list(row.termSourcedIds), ended):
                classes[row.sourcedId] = Class(title, kind == spec.HOMEROOM, grade)
        return classes

    def _org_problem(self, ids):
        if self.bundle.is_whole("orgs"):
            for org in ids:
                if org and org not in self.orgs:
                    return f"The org {_shown(org)} is not in orgs.csv."
        return ""

    # --- Users and their roles -------------------------------------------------------------------------------------

    def _users(self):
        """{sourcedId: [User, …]}: more than one when a sourcedId is taken twice; planning.py refuses them."""
        users = defaultdict(list)
        for row, is_active in self._rows("users"):
            user = User(row.sourcedId, f"users.csv line {row.line}", row.line, row)
            enabled = spec.TRUTH.get(row.enabledUser.casefold())
            if enabled is None and is_active:
                user.problem = f"enabledUser is “{_shown(row.enabledUser)}”. It can be true or false."
            user.is_there = bool(enabled) and is_active
            users[row.sourcedId].append(user)
            if len(users) % import_rows.STEP == 0:
                self.progress(len(users))
        return users

    def _user(self, source_id, where):
        """The users of this sourcedId, or a loose one where users.csv need not list everybody; else nobody."""
        if source_id in self.users:
            return self.users[source_id]
        if self.bundle.is_whole("users"):
            return []
        return [self.loose.setdefault(source_id, User(source_id, where))]

    def _roles_of_users(self):
        """1.1: the role and the orgs stand in users.csv."""
        for users in self.users.values():
            for user in users:
                row, role = user.cells, user.cells.role.casefold()
                orgs = _list(row.orgSourcedIds)
                user.kind, user.title = _kind(role), spec.STAFF_TITLES.get(role, "")
                user.departments.update(orgs)
                if user.is_there and role not in spec.ROLES and not role.startswith(spec.EXTENSION):
                    user.problem = user.problem or f"{_shown(row.role) or 'Nothing'} is no role of a user."
                elif user.is_there:
                    user.problem = user.problem or self._org_problem(orgs)

    def _roles(self):
        """1.2: they stand in roles.csv. Of several, the first primary one says who somebody is."""
        first, blamed = {}, {}
        for row, is_active in self._rows("roles"):
            role, kind = row.role.casefold(), row.roleType.casefold()
            users = self._user(row.userSourcedId, f"roles.csv line {row.line}")
            problem = "" if users else _unknown_user(row)
            if role not in spec.ROLES and not role.startswith(spec.EXTENSION):
                problem = f"{_shown(row.role) or 'Nothing'} is no role of a user."
            elif kind not in spec.ROLE_TYPES:
                problem = f"{_shown(row.roleType) or 'Nothing'} is no roleType. It can be primary or secondary."
            try:
                is_active = is_active and self._is_now(row)
            except ValueError as wrong:
                problem = problem or str(wrong)
            if problem := problem or self._org_problem([row.orgSourcedId]):
                self._refuse("roles", row.line, problem)
                blamed[row.userSourcedId] = row.line
                continue
            for user in users if is_active else ():
                user.departments.add(row.orgSourcedId)
                rank = (kind == "primary", -row.line)
                if user.source_id not in first or rank > first[user.source_id]:
                    first[user.source_id] = rank
                    user.kind, user.title = _kind(role), spec.STAFF_TITLES.get(role, "")
        if self.bundle.is_whole("roles"):
            self._blame_missing_roles(first, blamed)

    def _blame_missing_roles(self, found, blamed):
        for source_id, users in self.users.items():
            for user in users if source_id not in found else ():
                sentence = "roles.csv has no role for this user now."
                if source_id in blamed:
                    sentence = f"The role is refused: see roles.csv line {blamed[source_id]}."
                user.problem = user.problem or (sentence if user.is_there else "")

    def _is_now(self, row):
        """Whether today lies between the row's dates; raises ValueError for one that is no date."""
        begin, end = _day(row.beginDate, "beginDate", self.today), _day(row.endDate, "endDate", self.today)
        return begin <= self.today <= end

    # --- What else is said of them ---------------------------------------------------------------------------------

    def _demographics(self):
        for row, is_active in self._rows("demographics"):
            for user in self.users.get(row.sourcedId, ()) if is_active else ():
                user.born = row.birthDate

    def _enrollments(self):
        if self.bundle.has("enrollments") and not self.bundle.has("classes"):
            self.notes.append("classes.csv is absent, so nothing follows from enrollments.csv.")
            return
        unknown = 0
        for row, is_active in self._rows("enrollments"):
            users = self._user(row.userSourcedId, f"enrollments.csv line {row.line}")
            problem = "" if users else _unknown_user(row)
            is_known = row.classSourcedId in self.classes
            if not is_known and self.bundle.is_whole("classes"):
                problem = problem or f"The class {_shown(row.classSourcedId)} is not in classes.csv."
            role = row.role.casefold()
            if role not in spec.ROLES and not role.startswith(spec.EXTENSION):
                problem = problem or f"{_shown(row.role) or 'Nothing'} is no role in a class."
            try:
                begin = _day(row.beginDate, "beginDate", date.min)
                end = _day(row.endDate, "endDate", date.max)
            except ValueError as wrong:
                problem = problem or str(wrong)
            if problem := problem or self._org_problem([row.schoolSourcedId]):
                self._refuse("enrollments", row.line, problem)
            elif not is_known:
                unknown += 1
            elif is_active and end >= self.today:
                self._enroll(users, role, self.classes[row.classSourcedId], begin)
        if unknown:
            many = plural(unknown, "enrollment")
            self.notes.append(f"{many} in classes that classes.csv, a delta, does not have: passed over.")

    def _enroll(self, users, role, into, begin):
        if into is None or not into.is_homeroom:
            return
        for user in users:
            if role == spec.STUDENT:
                # The one that began last; of those still to come, the next.
                began = begin <= self.today
                user.homerooms.append(((began, begin.toordinal() if began else -begin.toordinal()), into.title))
            elif role in spec.STAFF_TITLES and into.grade and begin <= self.today:
                user.tutor_of.add(into.grade)

    def _count_others(self):
        kinds = Counter(user.kind for users in self.users.values() for user in users if not user.problem)
        if kinds["family"]:
            one = "parent, guardian or relative is", "parents, guardians and relatives are"
            self.notes.append(f"{plural(kinds['family'], *one)} not imported: add contacts on a student's page.")
        if kinds["other"]:
            self.notes.append(f"{plural(kinds['other'], 'user')} with a role of the vendor's own (ext:) are not imported.")


# --- Cells -----------------------------------------------------------------------------------------------------------


def _row_problem(row):
    if not row.sourcedId:
        return "The sourcedId is missing."
    if len(row.sourcedId) > LONGEST_ID or not row.sourcedId.isprintable():
        return f"A sourcedId has at most {LONGEST_ID} characters, all of them visible."
    if row.status.casefold() not in spec.STATUSES:
        return f"{_shown(row.status)} is no status. It can be active or tobedeleted."
    return ""


def _unknown_user(row):
    return f"The user {_shown(row.userSourcedId)} is not in users.csv." if row.userSourcedId else "The userSourcedId is missing."


def _kind(role):
    if role == spec.STUDENT:
        return "student"
    if role in spec.FAMILY:
        return "family"
    return "staff" if role in spec.STAFF_TITLES else "other"


def _day(text, heading, otherwise):
    if not text:
        return otherwise
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        raise ValueError(f"{heading} is “{_shown(text)}”, which is no date like 2026-09-01.") from None


def _list(text):
    return [part for part in (part.strip() for part in text.split(",")) if part]


def _first_grade(text):
    return next((spec.year_group(grade) for grade in _list(text)), "")


def _have_ended(terms, ended):
    return bool(terms) and all(ended.get(term, False) for term in terms)


def _shown(text):
    return text if len(text) <= 40 else text[:40] + "…"


def student_cells(user):
    """(field, text) of a student as the class list's rows have them."""
    row = user.cells
    given = [("source_id", user.source_id), ("tutor_group", user.tutor_group), ("date_of_birth", user.born)]
    if row is not None:
        given += [
            ("first_name", row.givenName), ("last_name", row.familyName), ("preferred_name", row.preferredGivenName),
            ("email", row.email), ("year_group", _first_grade(row.grades)), ("admission_number", row.identifier),
        ]  # fmt: skip
    return given


def staff_values(user):
    """{field: text} of somebody on the staff: name, email, title and phone, as far as the files say them."""
    row = user.cells
    if row is None:
        return {}
    email = row.email or ("" if email_problem(row.username) else row.username)
    name = " ".join(part for part in (row.preferredGivenName or row.givenName, row.familyName) if part)
    values = {"name": name, "email": email, "title": user.title, "phone": row.phone or row.sms}
    return {name: one_line(text) for name, text in values.items() if one_line(text)}
