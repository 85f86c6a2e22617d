"""The demo school without its incidents and cases: accounts, groups, categories, students. Drawn from one random generator, so
that the same seed makes the same school. Must not read the clock: `today` is given.
"""

from datetime import UTC, date, datetime, time, timedelta

import permissions
from blueprints.admin import demo_case_words as case_words
from blueprints.admin import demo_words as words
from blueprints.admin.demo_tables import Log, Table
from blueprints.kit.text import fold
from blueprints.students.queries import search_keys
from models import (
    REF_ALPHABET,
    Account,
    Category,
    CategoryGroup,
    Department,
    DepartmentDirector,
    Group,
    GroupManager,
    GroupMember,
    Student,
    StudentContact,
)

YEARS = ("7", "8", "9", "10", "11")
MOST_GROUPS = 1 + len(words.GROUPS) + len(case_words.GROUP_SUBJECTS) * len(case_words.GROUP_KINDS)
TUTORS = "ABCDEF"


class Person:
    """An account as the generator knows it."""

    def __init__(self, key, name, role):
        self.key, self.name, self.role = key, name, role
        self.id = self.ref = self.email = None


class Pupil:
    """A student as the generator knows it; `name` is what an incident calls them, `email` "" or what they sign in with."""

    def __init__(self, id, ref, name, year, full_name, email):
        self.id, self.ref, self.name, self.year, self.full_name, self.email = id, ref, name, year, full_name, email


class DemoSchool:
    """Fills the tables, and remembers what the incidents and the cases need."""

    def __init__(self, rng, today, zone, password_hash):
        self.rng, self.today, self.zone = rng, today, zone
        # As the tables hold it: naive, in UTC.
        self.midnight = datetime.combine(today, time(), zone).astimezone(UTC).replace(tzinfo=None)
        self.password_hash = password_hash
        self.staff, self.groups, self.categories, self.pupils = [], {}, [], []
        self.cast = {}  # by key, whatever the role
        self.members, self.managers = {}, {}  # by the group's name
        self.log = Log()
        self._refs, self._emails = set(), set()

    def ref(self, prefix="", length=10):
        """A reference nobody else has, the same for the same seed."""
        while True:
            ref = prefix + "".join(self.rng.choices(REF_ALPHABET, k=length))
            if ref not in self._refs:
                self._refs.add(ref)
                return ref

    def person(self, key):
        return next(one for one in self.staff if one.key == key)

    # --- When, and whom a text is about ---

    def midnight_of(self, day):
        """The midnight that a day's school hours count from (by its offset at noon), as the tables hold it."""
        return datetime.combine(day, time()) - datetime.combine(day, time(12), self.zone).utcoffset()

    def later(self, moment, days):
        """A school morning up to so many days after a moment, but never after midnight of today."""
        later = moment + timedelta(days=self.rng.randrange(1, days + 1), minutes=self.rng.randrange(-120, 120))
        return min(later, self.midnight - timedelta(minutes=self.rng.randrange(30, 300)))

    def fill_ins(self, pupils):
        """What stands between braces in a text of demo_words."""
        rng = self.rng
        return {
            "name": pupils[0].name,
            "other": pupils[1].name if len(pupils) > 1 else "another student",
            "place": rng.choice(words.WHERE),
            "lesson": rng.choice(words.LESSONS),
            "day": rng.choice(words.DAYS),
        }

    # --- Accounts ---

    def add_accounts(self, count):
        """The cast, and `count` colleagues."""
        table = Table(
            Account, "ref", "email", "email_folded", "name", "search_text", "title", "phone", "role", "created_at",
            "booking_url", password_hash=self.password_hash,
        )  # fmt: skip
        people = [(key, name, role, title) for key, name, role, title in words.CAST]
        names = self._names(count)
        people += [(None, f"{first} {last}", *self._post(n)) for n, (first, last) in enumerate(names)]
        for key, name, role, title in people:
            person = Person(key, name, role)
            person.ref = self.ref()
            person.email = f"{key}@{words.DOMAIN}" if key else self._email(name)
            is_staff = role in permissions.STAFF_ROLES
            phone = f"01632 960{self.rng.randrange(1000):03}" if is_staff else ""
            booking = f"https://booking.{words.DOMAIN}/{person.email.partition('@')[0]}" if is_staff else ""
            person.id = table.add(
                person.ref, person.email, person.email, name, fold(f"{name} {person.email} {title}"), title, phone,
                role, self.midnight - timedelta(days=self.rng.randrange(300, 2000)), booking,
            )  # fmt: skip
            if key:
                self.cast[key] = person
            if is_staff:
                self.staff.append(person)
            else:
                self._emails.add(person.email)
        table.close()

    def _post(self, number):
        title = words.TITLES[number % len(words.TITLES)]
        if number % 50 == 1:
            return permissions.DIRECTOR, "Assistant Head, Pastoral" if number == 1 else "Assistant Head"
        if number % 8 == 2:
            return permissions.KEY_USER, title
        if number % 8 == 5:
            return permissions.GROUP_MANAGER, title
        return permissions.STAFF, title

    def _names(self, count):
        """`count` pairs of first and last name, no pair twice while there are enough of them."""
        first, last = words.FIRST_NAMES, words.LAST_NAMES
        every = range(len(first) * len(last))
        drawn = self.rng.sample(every, min(count, len(every)))
        drawn += self.rng.choices(every, k=count - len(drawn))
        return [(first[n % len(first)], last[n // len(first)].replace("-", " ")) for n in drawn]

    def _email(self, name):
        stem = ".".join(fold(name).split())
        stem = "".join(c for c in stem if c.isascii() and (c.isalnum() or c == "."))
        email, number = f"{stem}@{words.DOMAIN}", 1
        while email in self._emails:
            number += 1
            email = f"{stem}{number}@{words.DOMAIN}"
        self._emails.add(email)
        return email

    # --- Groups and categories ---

    def add_groups(self, count):
        """`count` groups in departments: Counselling with Gil as its member and Mo as its manager, the Safeguarding team
        of the cast, the others among the colleagues."""
        departments, directors = Table(Department, "ref", "name"), Table(DepartmentDirector, "department", "account")
        groups = Table(Group, "ref", "name", "department")
        by_ada = {"added_by": self.person("ada").id, "added_at": self.midnight - timedelta(days=300)}
        members = Table(GroupMember, "group", "account", **by_ada)
        managers = Table(GroupManager, "group", "account", **by_ada)
        named = (words.COUNSELLING, *words.GROUPS)
        named += self._further_groups(count - len(named))
        houses = {}
        for name, department in named:
            if department not in houses:
                houses[department] = departments.add(self.ref(), department)
            ref = self.ref()
            self.groups[name] = (groups.add(ref, name, houses[department]), ref)
            self.members[name], self.managers[name] = self._people_of(name)
        for name, (group, _ref) in self.groups.items():
            for person in self.members[name]:
                members.add(group, person.id)
            for person in self.managers[name]:
                managers.add(group, person.id)
        leading = [person for person in self.staff if person.role == permissions.DIRECTOR]
        for number, person in enumerate(leading):
            directors.add(list(houses.values())[number % len(houses)], person.id)
        for table in (departments, directors, groups, members, managers):
            table.close()

    def _further_groups(self, count):
        """`count` more pairs (name, department) of a large school, no name twice."""
        kinds, departments = case_words.GROUP_KINDS, case_words.FURTHER_DEPARTMENTS
        drawn = self.rng.sample(range(MOST_GROUPS - len(words.GROUPS) - 1), count)
        names = [f"{case_words.GROUP_SUBJECTS[n // len(kinds)]} {kinds[n % len(kinds)]}" for n in drawn]
        return tuple((name, departments[n % len(departments)]) for n, name in enumerate(names))

    def _people_of(self, name):
        """(members, managers) of a group."""
        if name == words.COUNSELLING[0]:
            return [self.person("gil")], [self.person("mo")]
        if name == words.GROUPS[0][0]:
            return [self.person(key) for key in ("ada", "kay", "ken")], []
        colleagues = [one for one in self.staff if one.key is None]
        heads = [one for one in colleagues if one.role == permissions.GROUP_MANAGER]
        manager = [heads[len(self.groups) % len(heads)]] if heads else []
        return self.rng.sample(colleagues, min(len(colleagues), self.rng.choice((5, 6, 6, 8)))), manager

    def add_categories(self):
        """The tree, with Disclosure open to Counselling only. Remembers (id, name, parent's name, weight) of leaves."""
        table = Table(Category, "ref", "parent", "name", "colour", "guidance", "position")
        closed = Table(CategoryGroup, "category", "group")
        for position, (name, colour, guidance, weight, children) in enumerate(words.CATEGORIES):
            parent = table.add(self.ref(), None, name, colour, guidance, position)
            for place, (child, advice) in enumerate(children):
                leaf = table.add(self.ref(), parent, child, colour, advice, place)
                self.categories.append((leaf, child, name, weight / len(children)))
                if child == words.NEED_TO_KNOW:
                    closed.add(leaf, self.groups[words.COUNSELLING[0]][0])
        table.close()
        closed.close()

    # --- Students ---

    def add_students(self, count):
        """`count` students, Stu among them, with their contacts."""
        table = Table(
            Student, "ref", "first_name", "last_name", "preferred_name", "sort_name", "search_text", "email",
            "email_folded", "date_of_birth", "year_group", "tutor_group", "admission_number", "upn", "address",
            created_at=self.midnight - timedelta(days=400),
        )  # fmt: skip
        contacts = Table(StudentContact, "ref", "student", "name", "relationship", "phone", "email")
        names = [("Stu", "Sturgeon"), *self._names(max(0, count - 1))]
        names[1 : 1 + len(words.LONG_NAMES)] = words.LONG_NAMES[: max(0, count - 1)]
        for number, (first, last) in enumerate(names, start=1):
            self._add_student(table, contacts, number, first, last)
            if number % 2000 == 0:
                table.write()
                contacts.write()
        table.close()
        contacts.close()

    def _add_student(self, table, contacts, number, first, last):
        rng, stu = self.rng, number == 1
        preferred = words.PREFERRED.get(first, "") if rng.random() < 0.8 else ""
        year = "9" if stu else rng.choice(YEARS)
        email = f"stu@{words.DOMAIN}" if stu else self._email(f"{first} {last}") if rng.random() < 0.9 else ""
        admission = f"{20000 + number}"
        upn = f"{rng.choice('ABCDEFGHJK')}{rng.randrange(10**6, 10**7)}{number:05}" if rng.random() < 0.9 else None
        street = f"{rng.randrange(1, 120)} {rng.choice(words.STREETS)}, {rng.choice(words.TOWNS)}"
        keys = search_keys(first, last, preferred, admission, email)
        ref = self.ref()
        student = table.add(
            ref, first, last, preferred, keys["sort_name"], keys["search_text"], email, keys["email_folded"],
            self._birthday(int(year)), year, "9B" if stu else year + rng.choice(TUTORS), admission, upn, street,
        )  # fmt: skip
        self.pupils.append(Pupil(student, ref, preferred or first, year, f"{preferred or first} {last}", email))
        for relationship in rng.sample(words.RELATIONSHIPS, rng.choice((1, 1, 2))):
            name = f"{rng.choice(words.FIRST_NAMES)} {last}"
            phone = f"07700 900{rng.randrange(1000):03}"
            contacts.add(self.ref(), student, name, relationship, phone, "")

    def _birthday(self, year):
        """Eleven at the start of Year 7, in school years that begin in September."""
        start = self.today.year - (self.today.month < 9)
        return date(start - year - 5, 9, 1) + timedelta(days=self.rng.randrange(365))
