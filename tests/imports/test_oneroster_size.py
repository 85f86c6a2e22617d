"""20,000 users in at most thirty seconds, and again: a set as a large trust's system makes it."""

import time

import pytest

from blueprints.imports.kinds import KINDS
from extensions import db
from models import Account, GroupMember, Student
from tests.imports.files import RosterSet

USERS, STAFF, CLASSES = 20_000, 1_500, 600
MOST_SECONDS = 30


def large(version, year=7):
    made = RosterSet(version)
    made.org("school", "Kestrel Hill")
    for number in range(20):
        made.org(f"d{number}", f"Department {number}", "department")
    for number in range(CLASSES):
        made.homeroom(f"h{number}", f"{7 + number % 7}-{number}", f"{7 + number % 7:02}")
        made.homeroom(f"c{number}", f"Class {number}", classType="scheduled")
    for number in range(STAFF):
        made.user(f"t{number}", "teacher", f"Tom{number}", "Tern", f"d{number % 20}", email=f"tom{number}@school.example.org")
        made.enroll(f"t{number}", f"h{number % CLASSES}", "teacher")
    for number in range(USERS - STAFF):
        made.user(f"s{number}", given=f"José{number}", family="O'Brien", grades=f"{year + number % 7:02}",
                  identifier=f"{number:06}", email=f"s{number}@pupils.example.org")  # fmt: skip
        made.enroll(f"s{number}", f"h{number % CLASSES}")
        for lesson in range(6):
            made.enroll(f"s{number}", f"c{(number + lesson) % CLASSES}")
    return made.zip()


def timed(app, data):
    """The seconds that it takes to read a set, hold it against the school and save it, and the counts."""
    kind = KINDS["oneroster"]
    with app.app_context():
        began = time.monotonic()
        parsed = kind.parse(kind.read(data), {})
        with db.atomic():
            kind.hold()
            plan = kind.resolve(parsed, actor=None)
            kind.apply(plan, actor=None, run_ref="test")
        took = time.monotonic() - began
    return took, {outcome: count for outcome, count in plan.counts.items() if count}


@pytest.mark.slow
@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_twenty_thousand_users(app, cast, version, figure):
    data = large(version)
    first, counts = timed(app, data)
    assert counts == {"added": USERS + 20 + 7}
    assert Student.select().where(Student.source_id.is_null(False)).count() == USERS - STAFF
    assert Account.select().where(Account.source_id.is_null(False)).count() == STAFF
    assert GroupMember.select().where(GroupMember.from_import).count() == 2 * STAFF
    again, counts = timed(app, data)
    assert counts == {"same": USERS}
    changed, counts = timed(app, large(version, year=8))
    assert counts == {"changed": USERS - STAFF, "same": STAFF}
    figure(f"OneRoster {version}, {USERS:,} users", f"{first:.1f} s to add, {again:.1f} s again, {changed:.1f} s to change")
    assert max(first, again, changed) <= MOST_SECONDS
