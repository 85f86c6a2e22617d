"""What the membership model is held against: the oracle, which knows who sees a case from sets of names alone, the school
in which it happens, and the pages on which somebody could find a case. Must not know the rules of the application.
"""

import re

from extensions import clock
from models import Account, Case, Department, DepartmentDirector
from tests import factories
from tests.access.visitor import Visitor
from tests.conftest import _sign_in

STAFF = {"admin", "director", "group_manager", "key_user", "staff"}
MANAGERS, DIRECTORS = {"admin", "director", "group_manager"}, {"admin", "director"}
MANAGE = {"primary_advocate", "coordinator", "group_manager", "opened_it", "admin"}
BY_NAME = ("primary_advocate", "coordinator", "following", "assigned", "opened_it")


class Oracle:
    """Who sees a case, and why, as DOMAIN.md says it: sets of names."""

    def __init__(self, roles, cases):
        self.role, self.cases = dict(roles), cases  # {case: {"student": …, "groups": {…}, a reason of BY_NAME: {…}}}
        self.members, self.managers = set(), set()  # (group, person)
        self.inactive, self.directors, self.directed = set(), set(), set()  # people, people, groups
        self.excluded = set()  # (person, case or student)

    def reasons(self, person, case):
        role, on = self.role[person], self.cases[case]
        if person in self.inactive or role not in STAFF:
            return set()
        if {(person, case), (person, on["student"])} & self.excluded:
            return set()
        found = {reason for reason in BY_NAME if person in on[reason]}
        found |= {"group"} if any((group, person) in self.members for group in on["groups"]) else set()
        found |= {"group_manager"} if self.managed(person) & on["groups"] else set()
        return found | ({"admin"} if role == "admin" else set())

    def managed(self, person):
        role = self.role[person]
        own = {group for group, manager in self.managers if manager == person and role in MANAGERS}
        return own | self.directed if person in self.directors and role in DIRECTORS else own


ROLES = {
    "ada": "admin", "abe": "admin", "dee": "director", "mo": "group_manager", "kay": "key_user", "gil": "staff",
    "sam": "staff", "oli": "staff", "rae": "referral_user", "stu": "student",
}  # fmt: skip
# Ada does everything here, so nothing happens to her.
PEOPLE = [key for key in ROLES if key != "ada"]
GROUPS, CASES = ["counselling", "tutors"], ["one", "two"]


class World:
    """The school in which it happens: made once, put back after each run."""

    def __init__(self, app):
        self.app, done = app, {"two_step_at": clock.now(), "totp_secret": "A" * 32}
        self.people = {key: factories.account(f"{key.title()} Person", role=role, **done) for key, role in ROLES.items()}
        self.key_of = {account.id: key for key, account in self.people.items()}
        self.key_by_ref = {account.ref: key for key, account in self.people.items()}
        self.department = Department.create(name="Pastoral")
        DepartmentDirector.create(department=self.department, account=self.people["dee"])
        gil, mo = self.people["gil"], self.people["mo"]
        departments = {"counselling": None, "tutors": self.department}
        self.groups = {name: factories.group(name, [gil], [mo], departments[name]) for name in GROUPS}
        self.students = {name: factories.student(f"Student{name}") for name in CASES}
        self.cases = {name: factories.case(self.students[name], self.people["kay"], f"Title{name}") for name in CASES}
        Case.update(opened_by=None).where(Case.id == self.cases["two"].id).execute()  # opened by itself
        for case in self.cases.values():
            factories.entry(case, self.people["ada"], "An unmistakable word.")
        self.name_of = {case.ref: name for name, case in self.cases.items()}
        self.case_of = {case.id: name for name, case in self.cases.items()}
        self.cookies = {key: _sign_in(app, account) for key, account in self.people.items()}

    def oracle(self):
        on = {name: {reason: set() for reason in (*BY_NAME, "groups")} | {"student": f"student {name}"} for name in CASES}
        on["one"]["opened_it"] = {"kay"}
        start = Oracle(ROLES, on)
        start.members, start.managers = ({(group, person) for group in GROUPS} for person in ("gil", "mo"))
        start.directors, start.directed = {"dee"}, {"tutors"}
        return start

    def account(self, key):
        """As it stands, like the one that a request loads."""
        return Account.get_by_id(self.people[key].id)

    def visitor(self, key):
        return Visitor(self.app, key, self.cookies[key])

    def sign_in(self, key):
        return Visitor(self.app, key, _sign_in(self.app, self.people[key]))


# --- Pages: each says which of the two cases somebody finds there ---


def get(visitor, url):
    answer = visitor.get(url)
    assert answer.status in (200, 302, 303, 403, 404), answer
    return answer


def led_to(world, *answers):
    """The cases whose page these answers lead to."""
    found = {ref for answer in answers for ref in re.findall(r"/cases/(C-[0-9A-Z]{6})", answer.text + answer.location)}
    return {world.name_of[ref] for ref in found if ref in world.name_of}


def told_by(world, *answers):
    """The cases whose reference stands anywhere in these answers."""
    return {name for name, case in world.cases.items() for answer in answers if case.ref.casefold() in answer.words}


PAGES = {
    "its page": lambda w, v: {name for name, case in w.cases.items() if get(v, f"/cases/{case.ref}").status == 200},
    "Cases": lambda w, v: led_to(w, get(v, "/cases")),
    "My Cases": lambda w, v: led_to(w, get(v, "/cases/mine")),
    "the student's page": lambda w, v: led_to(w, *[get(v, f"/students/{row.ref}/cases") for row in w.students.values()]),
    "the export": lambda w, v: told_by(w, get(v, "/cases.csv")),
    "My Cases as XLSX": lambda w, v: told_by(w, get(v, "/cases/mine.xlsx")),
    "its number": lambda w, v: led_to(w, *[get(v, f"/search?q={case.ref}") for case in w.cases.values()]),
    "its words": lambda w, v: led_to(w, get(v, "/search?q=unmistakable")),
    "a suggestion": lambda w, v: led_to(w, *[get(v, f"/search/suggest?q={case.ref}") for case in w.cases.values()]),
}
