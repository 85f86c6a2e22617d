"""The rows and counts of the report and of the filters behind it, beside plain loops over every row there is."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest

from blueprints.incidents import queries as incidents
from blueprints.reports import queries
from blueprints.reports.queries.incidents import PER_PAGE
from models import (
    Category,
    CategoryGroup,
    Exclusion,
    GroupMember,
    Incident,
    IncidentAlert,
    IncidentStudent,
    PartCategory,
    School,
    Student,
)
from tests.factories import category, exclusion, group, incident, student

ZONE = ZoneInfo("Europe/London")
START = datetime(2026, 9, 1, 9, tzinfo=UTC)


@pytest.fixture
def crowd(cast, clock):
    """Incidents of up to three students and five categories, some of them need-to-know, some below such a one; written by,
    assigned to and alerted to everybody, with exclusions from incidents and from students."""
    clock.freeze(START + timedelta(days=100))
    chance = random.Random(12)
    other = group("Other", members=[cast.ken, cast.sam])
    secret, shared = category("Secret", need_to_know=[cast.counselling]), category("Shared", need_to_know=[other])
    open_one = category("Open")
    kinds = [secret, shared, open_one, category("Plain"), category("Below secret", parent=secret)]
    kinds += [category("Below open", parent=open_one), category("Closed below", parent=open_one, need_to_know=[other])]
    pupils = [student(f"Pupil{place}", year_group=str(7 + place % 3)) for place in range(9)]
    people = [cast.ada, cast.kay, cast.ken, cast.gil, cast.mo, cast.sam]
    rows = []
    for number in range(90):
        parts = [(one, chance.sample(kinds, chance.choice((0, 1, 1, 2)))) for one in chance.sample(pupils, chance.choice((1, 1, 2, 3)))]
        rows.append(incident(
            chance.choice(people), parts, happened_at=START + timedelta(hours=26 * number),
            status=chance.choice(("Active", "Closed")), assigned_to=chance.choice((None, None, cast.kay, cast.ken, cast.ada)),
            alerted=chance.sample([*people, cast.counselling, other], chance.choice((0, 0, 1))),
        ))  # fmt: skip
    for person in (cast.ada, cast.kay, cast.ken, cast.gil, cast.sam):
        exclusion(person, cast.ada, student=chance.choice(pupils[5:]))
        exclusion(person, cast.ada, incident=chance.choice(rows))
        ended = exclusion(person, cast.ada, student=pupils[0])
        Exclusion.update(ended_at=clock.now()).where(Exclusion.id == ended.id).execute()
    return SimpleNamespace(people=people, kinds=kinds, pupils=pupils, cast=cast)


class Plain:
    """What one person sees, found by looking at every row: DOMAIN.md, "Access is a reason", in loops."""

    def __init__(self, user):
        self.user = user
        mine = {row.group_id for row in GroupMember.select() if row.account_id == user.id}
        groups = {}
        for row in CategoryGroup.select():
            groups.setdefault(row.category_id, set()).add(row.group_id)
        self.granted = {key for key, those in groups.items() if those & mine}
        self.restricted = set(groups) - self.granted
        self.parents = {row.id: row.parent_id for row in Category.select()}
        self.picks = {}
        for row in PartCategory.select():
            self.picks.setdefault(row.part_id, []).append(row.category_id)
        self.parts = {}
        for row in IncidentStudent.select():
            self.parts.setdefault(row.incident_id, []).append(row)
        self.years = {row.id: row.year_group for row in Student.select()}
        self.alerted = {row.incident_id for row in IncidentAlert.select()
                        if row.account_id == user.id or row.group_id in mine}  # fmt: skip
        barred = [row for row in Exclusion.select() if row.account_id == user.id and row.ended_at is None]
        self.barred_from = {row.incident_id for row in barred}, {row.student_id for row in barred}
        self.module = School.get().cases_module

    def family(self, key):
        return {key, self.parents[key]}

    def whole(self, row):
        key = self.user.role in ("admin", "key_user")
        assigned = key and self.module and row.assigned_to_id == self.user.id
        return self.user.role == "admin" or row.author_id == self.user.id or row.id in self.alerted or assigned

    def shown(self, row):
        """The parts that the person is shown, none where the incident is not seen at all."""
        parts = self.parts[row.id]
        if row.id in self.barred_from[0] or any(part.student_id in self.barred_from[1] for part in parts):
            return []
        if self.whole(row):
            return parts
        is_open = [part for part in parts if not any(self.family(key) & self.restricted for key in self.picks.get(part.id, ()))]
        granted = any(self.family(key) & self.granted for part in is_open for key in self.picks.get(part.id, ()))
        return is_open if self.user.role == "key_user" or granted else []

    def fitting(self, *, category=None, year_group=None, student=None, status=None, unassigned=False):
        """{incident: its parts that are shown} of those that fit."""
        found = {}
        for row in Incident.select():
            parts = self.shown(row)
            fits = [
                part for part in parts
                if (not category or any(category.id in self.family(key) for key in self.picks.get(part.id, ())))
                and (not year_group or self.years[part.student_id] == year_group)
                and (not student or part.student_id == student.id)
            ]  # fmt: skip
            if fits and (not status or row.status == status) and not (unassigned and row.assigned_to_id):
                found[row] = parts
        return found


def choices_of(crowd):
    """Filters on parts, alone and together."""
    some = [{"category": one} for one in (None, *crowd.kinds)]
    some += [{"year_group": "8"}, {"student": crowd.pupils[6]}, {"category": crowd.kinds[0], "year_group": "7"}]
    some += [{"category": crowd.kinds[2], "student": crowd.pupils[1]}, {"category": crowd.kinds[2], "status": "Active"}]
    return [*some, {"status": "Closed", "year_group": "9"}, {"unassigned": True, "category": crowd.kinds[3]}]


@pytest.mark.parametrize("module", [True, False])
def test_counts_and_rows_of_the_report_are_those_of_a_plain_loop(crowd, module):
    School.update(cases_module=module).execute()
    for user in (crowd.cast.ada, crowd.cast.kay, crowd.cast.ken):
        plain, choices = Plain(user), queries.choices(user)
        for chosen in choices_of(crowd):
            wanted = plain.fitting(**chosen)
            given = {name: value for name, value in chosen.items() if name != "category"}
            filters = queries.Filters(categories=[chosen["category"]] if chosen.get("category") else [], **given)
            counts, page = queries.counted(user, filters, choices, ZONE), queries.run(user, filters, 1, ZONE)
            at = (user.name, chosen)
            newest = sorted(wanted, key=lambda row: (row.happened_at, row.id), reverse=True)
            assert [row.id for row in page.items] == [row.id for row in newest][:PER_PAGE], at
            assert counts.total == page.total == len(wanted), at
            assert counts.by_status == Counter(row.status for row in wanted), at
            assert counts.by_month == Counter(row.happened_at.astimezone(ZONE).date().replace(day=1) for row in wanted), at
            keys = [{key for part in parts for key in plain.picks.get(part.id, ())} for parts in wanted.values()]
            assert counts.by_category == Counter(key for each in keys for key in each), at
            years = [{plain.years[part.student_id] for part in parts} for parts in wanted.values()]
            assert counts.by_year == Counter(year for each in years for year in each), at


def test_the_filters_of_the_lists_are_those_of_a_plain_loop_for_every_role(crowd):
    for user in crowd.people:
        plain = Plain(user)
        for chosen in choices_of(crowd):
            given = {name: value for name, value in chosen.items() if name != "category"}
            query = incidents.filtered(user, categories=[chosen["category"]] if chosen.get("category") else (), **given)
            assert {row.id for row in query.select(Incident.id)} == {row.id for row in plain.fitting(**chosen)}, (user.name, chosen)


def test_the_crowd_tells_these_rules_apart(crowd):
    """Each rule changes what somebody sees; else the comparisons would compare nothing."""
    sizes = {user.name: len(Plain(user).fitting()) for user in crowd.people}
    assert 0 < sizes["Gil Gannet"] < sizes["Kay Kestrel"] < sizes["Ada Adler"] < 90
    kay = Plain(crowd.cast.kay)
    seen = kay.fitting()
    assert any(len(parts) < len(kay.parts[row.id]) for row, parts in seen.items())
    assert any(kay.whole(row) and any(kay.family(key) & kay.restricted for part in parts for key in kay.picks.get(part.id, ()))
               for row, parts in seen.items())  # fmt: skip
    assert any(len(parts) > 1 and len({kay.years[part.student_id] for part in parts}) == 1 for parts in seen.values())
