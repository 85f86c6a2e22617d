"""People join and leave groups, are put on cases and taken off, excluded, deactivated, given other roles, while cases
close and reopen: after each step whoever sees a case, and why, is what a few lines of sets say it is. Asked of the
rules, of rows, lists and counts, and of the pages in browsers that were open all the time.
"""

from collections import Counter
from contextlib import ExitStack

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from peewee import SQL, fn

import permissions
from blueprints.account import actions as accounts
from blueprints.admin import actions as admin
from blueprints.cases import actions, queries
from blueprints.cases.queries.people import confirmation_of, new_readers
from blueprints.cases.queries.people import members as group_members
from blueprints.kit import prepared
from blueprints.students import actions as students
from extensions import db
from models import Case, CloseReason, Exclusion, Group
from tests.access.visitor import undone
from tests.conftest import DATABASE
from tests.torture.membership import CASES, DIRECTORS, GROUPS, MANAGE, MANAGERS, PAGES, PEOPLE, ROLES, STAFF, World

REFUSALS = (permissions.NotVisible, permissions.Denied, actions.Refused)
anybody, any_group, any_case = st.sampled_from(PEOPLE), st.sampled_from(GROUPS), st.sampled_from(CASES)
somebody = st.just("ada") | anybody  # who does it
mostly = st.sampled_from([True, True, True, False])


class Membership(RuleBasedStateMachine):
    """Each rule does it twice: with the application's own actions, and to the sets of the oracle."""

    world = None  # set by the test
    counts = None
    every_page = False
    beginning = ()  # [(name of a rule, its arguments)]: what happens before anything else

    def __init__(self):
        super().__init__()
        self.all_of_it = ExitStack()
        self.all_of_it.enter_context(undone())
        world, self.oracle = self.world, self.world.oracle()
        self.open = {key: world.visitor(key) for key in PEOPLE}
        self.seen = {case: {key: self.oracle.reasons(key, case) for key in ROLES} for case in CASES}
        self.turn, self.signed_out, self.closed = 0, set(), set()
        self.counts["runs"] += 1

    def teardown(self):
        self.all_of_it.close()

    @initialize()
    def begin(self):
        for name, arguments in self.beginning:
            getattr(self, name)(**arguments)
            self.everybody_sees_what_the_sets_say()

    # --- Groups ---

    @rule(group=any_group, person=anybody, kind=st.sampled_from(["member", "member", "manager"]), actor=somebody)
    def join(self, group, person, kind, actor):
        account = self.world.account(person)
        roles = STAFF if kind == "member" else MANAGERS
        fits = person not in self.oracle.inactive and self.oracle.role[person] in roles
        refusal = self.group_refusal(group, kind, actor) or (None if fits else permissions.Denied)
        if self.does(refusal, lambda who: admin.add_person(self.world.groups[group], account, kind, actor=who), actor):
            self.links(kind).add((group, person))

    @rule(group=any_group, person=anybody, kind=st.sampled_from(["member", "manager"]), actor=somebody)
    def leave(self, group, person, kind, actor):
        account, refusal = self.world.account(person), self.group_refusal(group, kind, actor)
        if self.does(refusal, lambda who: admin.remove_person(self.world.groups[group], account, kind, actor=who), actor):
            self.links(kind).discard((group, person))

    def links(self, kind):
        return self.oracle.members if kind == "member" else self.oracle.managers

    def group_refusal(self, group, kind, actor):
        """What changing this group is refused with; members are changed by whoever manages it."""
        role = None if actor in self.oracle.inactive else self.oracle.role[actor]
        if role not in ({"admin"} if kind == "manager" else MANAGERS):
            return permissions.Denied
        return None if role == "admin" or group in self.oracle.managed(actor) else permissions.NotVisible

    @rule(person=st.just("dee") | anybody, directs=mostly)
    def direct(self, person, directs):
        account, department = self.world.account(person), self.world.department
        if not directs:
            admin.remove_director(department, account, actor=self.world.account("ada"))
            self.oracle.directors.discard(person)
            return
        fits = person not in self.oracle.inactive and self.oracle.role[person] in DIRECTORS
        if self.does(None if fits else permissions.Denied, lambda who: admin.add_director(department, account, actor=who)):
            self.oracle.directors.add(person)

    @rule(group=any_group, inside=mostly)
    def move_group(self, group, inside):
        row = Group.get_by_id(self.world.groups[group].id)
        department = self.world.department if inside else None
        admin.change_group(row, row.version, name=row.name, department=department, is_active=True, actor=self.world.account("ada"))
        (self.oracle.directed.add if inside else self.oracle.directed.discard)(group)

    def does(self, refusal, work, actor="ada"):
        """Whether it was done; where the sets say that it has to be refused, it has to be refused in just that way."""
        try:
            with db.atomic():
                work(self.world.account(actor))
        except REFUSALS as problem:
            if type(problem) is refusal:
                return False
            raise AssertionError(f"refused with {problem!r}, and should have been {_words(refusal)}") from problem
        assert refusal is None, f"done, and should have been {_words(refusal)}"
        return True

    # --- A case ---

    @rule(case=any_case, group=any_group, actor=somebody)
    def attach_whole_group(self, case, group, actor):
        on = self.oracle.cases[case]
        row, refusal = self.row(case), self.case_refusal(case, actor, group in on["groups"])
        gaining = new_readers(row, self.world.groups[group])
        confirmed = confirmation_of(gaining)
        if self.does(refusal, lambda who: actions.attach_group(row, self.world.groups[group], actor=who, confirmed=confirmed), actor):
            before = {key for key in ROLES if self.oracle.reasons(key, case)}
            on["groups"].add(group)
            gained = {key for key in ROLES if self.oracle.reasons(key, case)} - before
            assert {self.world.key_of[account.id] for account in gaining} == gained, "not those who were named before"

    @rule(case=any_case, group=any_group, actor=somebody)
    def detach_group(self, case, group, actor):
        groups = self.oracle.cases[case]["groups"]
        refusal = self.case_refusal(case, actor, group not in groups)
        ref = self.world.groups[group].ref
        if self.does(refusal, lambda who: actions.detach_group(self.row(case), ref, actor=who), actor):
            groups.discard(group)

    @rule(case=any_case, group=any_group, actor=somebody, people=st.none() | st.sets(anybody, min_size=1, max_size=2))
    def attach_individuals(self, case, group, actor, people):
        """Some of the group's members, or with Select All those of this moment, each by themselves."""
        members = {person for its, person in self.oracle.members if its == group}
        offered = {self.world.key_by_ref[row.ref] for row in group_members(self.row(case), self.world.groups[group])}
        assert offered == {person for person in members if self.fits(person, case)}
        chosen, assigned = people or offered, self.oracle.cases[case]["assigned"]
        no_good = not chosen <= offered or not chosen - assigned
        accounts = [self.world.account(person) for person in sorted(chosen)]
        work = lambda who: actions.attach_staff(self.row(case), self.world.groups[group], accounts, actor=who)  # noqa: E731
        if self.does(self.case_refusal(case, actor, no_good), work, actor):
            assigned |= chosen

    @rule(case=any_case, person=anybody, actor=somebody)
    def detach_individual(self, case, person, actor):
        assigned = self.oracle.cases[case]["assigned"]
        refusal = self.case_refusal(case, actor, person not in assigned)
        ref = self.world.people[person].ref
        if self.does(refusal, lambda who: actions.detach_staff(self.row(case), ref, actor=who), actor):
            assigned.discard(person)

    @rule(case=any_case, actor=somebody, primary=st.none() | anybody, coordinator=st.none() | anybody,
          following=st.sets(anybody, max_size=3))  # fmt: skip
    def save_people(self, case, actor, primary, coordinator, following):
        row, on = self.row(case), self.oracle.cases[case]
        chosen = {"primary_advocate": {primary} - {None}, "coordinator": {coordinator} - {None}, "following": following}
        new = {person for name, people in chosen.items() for person in people - on[name]}
        account = {person: self.world.account(person) for people in chosen.values() for person in people}
        fields = {"primary_advocate": account.get(primary), "coordinator": account.get(coordinator)}
        fields["following"] = [account[person] for person in sorted(following)]
        refusal = self.case_refusal(case, actor, not all(self.fits(person, case) for person in new))
        if self.does(refusal, lambda who: actions.save_people(row, **fields, actor=who, version=row.version), actor):
            on |= chosen

    @rule(case=any_case, actor=somebody, wanted=st.sampled_from(["Open", "Open", "Closed"]))
    def close_or_reopen(self, case, actor, wanted):
        row = self.row(case)
        refusal = self.case_refusal(case, actor, row.status == wanted, while_closed=True)
        version = row.version
        if wanted == "Closed":
            reason = CloseReason.select().first().id
            work = lambda who: actions.close_case(row, reason=reason, outcome="", actor=who, version=version)  # noqa: E731
        else:
            work = lambda who: actions.reopen_case(row, reason="Again", actor=who, version=version)  # noqa: E731
        if self.does(refusal, work, actor):
            (self.closed.add if wanted == "Closed" else self.closed.discard)(case)

    def row(self, case):
        return Case.get_by_id(self.world.cases[case].id)

    def fits(self, person, case):
        """Whether somebody can be assigned: staff, without a conflict of interest."""
        closed_to = {(person, case), (person, self.oracle.cases[case]["student"])} & self.oracle.excluded
        return person not in self.oracle.inactive and self.oracle.role[person] in STAFF and not closed_to

    def case_refusal(self, case, actor, no_good, while_closed=False):
        """What changing this case is refused with: `no_good` says that it is for another reason than the actor."""
        reasons = self.oracle.reasons(actor, case)
        if not reasons:
            return permissions.NotVisible
        if not reasons & MANAGE:
            return permissions.Denied
        return actions.Refused if no_good or (case in self.closed and not while_closed) else None

    # --- Exclusions, accounts ---

    @rule(case=any_case, person=anybody, whole=st.booleans())
    def exclude(self, case, person, whole):
        on = {"student": self.world.students[case]} if whole else {"case": self.row(case)}
        key = (person, f"student {case}" if whole else case)
        if key in self.oracle.excluded:
            return
        students.exclude(self.world.account(person), reason="A relative", actor=self.world.account("ada"), **on)
        self.oracle.excluded.add(key)

    @rule(case=any_case, person=anybody, whole=st.booleans())
    def end_exclusion(self, case, person, whole):
        about = Exclusion.student == self.world.students[case] if whole else Exclusion.case == self.world.cases[case]
        row = Exclusion.get_or_none((Exclusion.account == self.world.people[person]) & about & Exclusion.ended_at.is_null())
        key = (person, f"student {case}" if whole else case)
        assert (row is not None) == (key in self.oracle.excluded)
        if row is not None:
            students.end_exclusion(row, actor=self.world.account("ada"))
            self.oracle.excluded.discard(key)

    @rule(person=anybody)
    def deactivate(self, person):
        accounts.deactivate(self.world.account(person), actor=self.world.account("ada"))
        self.oracle.inactive.add(person)

    @rule(person=anybody)
    def reactivate(self, person):
        accounts.reactivate(self.world.account(person), actor=self.world.account("ada"))
        if person in self.oracle.inactive:
            self.oracle.inactive.discard(person)
            self.signed_out.add(person)

    @rule(person=anybody, role=st.sampled_from(sorted({*ROLES.values()})))
    def change_role(self, person, role):
        row = self.world.account(person)
        accounts.change_account(row, version=row.version, role=role, actor=self.world.account("ada"))
        if self.oracle.role[person] != role:
            self.oracle.role[person] = role
            self.signed_out.add(person)

    # --- After each step ---

    @invariant()
    def everybody_sees_what_the_sets_say(self):
        self.counts["steps"] += 1
        wanted = {case: {key: self.oracle.reasons(key, case) for key in ROLES} for case in CASES}
        told = self.by_the_rules()
        assert told == wanted
        changed = {key for key in PEOPLE for case in CASES if wanted[case][key] != self.seen[case][key]}
        self.seen, self.turn = wanted, self.turn + 1
        asked = sorted(changed | {list(ROLES)[(self.turn + each) % len(ROLES)] for each in (0, 5)})
        self.compare_lists(asked, wanted)
        for key in sorted(changed | {PEOPLE[self.turn % len(PEOPLE)]}):
            self.compare_pages(key, {case: wanted[case][key] for case in CASES})

    def by_the_rules(self):
        """{case: {person: reasons}} by "Who can see this"; each person is asked alone by compare_lists()."""
        found = {case: {key: set() for key in ROLES} for case in CASES}
        for case, row in self.world.cases.items():
            for account, reasons in prepared_readers(self.world.people["ada"], row):
                found[case][self.world.key_of[account]] = reasons
        return found

    def compare_lists(self, asked, wanted):
        for key in asked:
            account = self.world.account(key)
            mine = {case for case in CASES if wanted[case][key]}
            listed = {self.world.case_of[each] for (each,) in prepared.rows(_visible, account)}
            assert listed == mine, f"{key} has {listed} in a list, and should have {mine}"
            assert prepared.rows(_counted, account) == [(len(mine),)], f"{key} counts other than {len(mine)}"
            on = {self.world.case_of[each] for (each,) in prepared.rows(_on, account)}
            assert on == {case for case in mine if wanted[case][key] - {"admin"}}, f"{key}: My Cases"
            for case, row in self.world.cases.items():
                try:
                    reasons = set(queries.case(account, row.ref, audit=False).reasons)
                except permissions.NotVisible:
                    reasons = set()
                assert reasons == wanted[case][key], f"{key} sees {case} because of {reasons}, and should {wanted[case][key]}"

    def compare_pages(self, key, wanted):
        if key in self.signed_out and key not in self.oracle.inactive:
            assert not PAGES["Cases"](self.world, self.open[key]), f"{key} still sees with the session from before"
            self.signed_out.discard(key)
            self.open[key] = self.world.sign_in(key)
        sees = {case for case in CASES if wanted[case]}
        for name, asked in PAGES.items() if self.every_page else self.some_pages():
            expected = {case for case in sees if wanted[case] - {"admin"}} if name.startswith("My") else sees
            found = asked(self.world, self.open[key])
            self.counts["pages"] += 1
            assert found == expected, f"{key} finds {found} by {name}, and should find {expected}"


    def some_pages(self):
        """The case itself and one other channel, each in its turn."""
        others = list(PAGES.items())
        return [others[0], others[1 + self.counts["pages"] % (len(others) - 1)]]


def _words(refusal):
    return f"refused with {refusal.__name__}" if refusal else "done"


def _visible(user):
    return permissions.visible_cases(user, Case.id)


def _counted(user):
    return permissions.visible_cases(user, fn.COUNT(Case.id))


def _on(user):
    return permissions.cases_on(user, Case.id)


def _readers(user, case_id):
    return permissions.case_readers_query(case_id)


def prepared_readers(user, case):
    names = list(permissions.READ_CASE)
    for account, _, _, _, *holds in prepared.rows(_readers, user, case_id=case.id):
        yield account, {name for name, is_true in zip(names, holds, strict=True) if is_true}


@pytest.fixture
def world(app):
    """Ada, the others, two groups, two students with a case each."""
    app.extensions["caseward_nudge"] = lambda name="deliver": None
    return World(app)


def forget():
    """SQL that was put together with a mistake in the rules, or without it, is not used for the other."""
    prepared._plans.clear()
    permissions.reason_names.cache_clear()


def play(world, runs, steps, phases=tuple(Phase), every_page=False, beginning=()):
    """Runs the machine; returns what was counted."""
    Membership.world, Membership.counts, Membership.every_page = world, Counter(), every_page
    Membership.beginning = beginning
    chosen = settings(
        max_examples=runs, stateful_step_count=steps, phases=phases, database=None, suppress_health_check=list(HealthCheck)
    )
    forget()
    try:
        run_state_machine_as_test(Membership, settings=chosen)
    finally:
        forget()
    return Membership.counts


def test_membership_is_what_the_sets_say(world, full, figure):
    runs, steps = (500, 50) if full else (15, 30)
    counts = play(world, runs, steps, every_page=full)
    assert counts["runs"] >= runs
    figure("membership model", f"{counts['runs']} runs, {counts['steps']} steps, {counts['pages']} pages: 0 mismatches")


# --- Test the test: each of these is a mistake that somebody could make -----------------------------------------------


def everything(*given, **named):
    return SQL("1 = 1")


def nothing(*given, **named):
    return SQL("1 = 0")


# What is wrong then, and what happens first so that it has to show, whichever examples are drawn.
BROKEN = {
    "exclusions forgotten": ({"_excluded_cases": nothing}, [("exclude", {"case": "one", "person": "kay", "whole": False})]),
    "lists that are not narrowed": ({"sees_case": everything}, []),
    "roles forgotten": ({"_has_role": everything}, []),
    "a manager whose role has ended": (
        {"MANAGER_ROLES": permissions.STAFF_ROLES},
        [
            ("attach_whole_group", {"case": "one", "group": "counselling", "actor": "ada"}),
            ("change_role", {"person": "mo", "role": "staff"}),
        ],
    ),
    "Directors forgotten": (
        {"DIRECTOR_ROLES": ()},
        [("attach_whole_group", {"case": "one", "group": "tutors", "actor": "ada"})],
    ),
    "a group for ever": ({"READ_CASE": permissions.READ_CASE | {"group": everything}}, []),
    "individuals lost": (
        {"READ_CASE": permissions.READ_CASE | {"assigned": nothing}},
        [("attach_individuals", {"case": "one", "group": "counselling", "actor": "ada", "people": None})],
    ),
    "managing by whoever reads": (
        {"MANAGE_CASE": set(permissions.READ_CASE)},
        [
            ("attach_individuals", {"case": "one", "group": "counselling", "actor": "ada", "people": None}),
            ("detach_individual", {"case": "one", "person": "gil", "actor": "gil"}),
        ],
    ),
}


@pytest.mark.skipif(DATABASE != "sqlite", reason="says something about the test, not about the database")
@pytest.mark.parametrize("what", BROKEN)
def test_a_mistake_in_the_rules_is_noticed(world, monkeypatch, what):
    mistake, beginning = BROKEN[what]
    play(world, 1, 1, phases=[Phase.generate], beginning=beginning)  # which is in order without the mistake
    for name, value in mistake.items():
        monkeypatch.setattr(permissions, name, value)
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        play(world, 20, 30, phases=[Phase.generate], beginning=beginning)
