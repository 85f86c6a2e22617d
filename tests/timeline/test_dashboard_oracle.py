"""The Case Management Dashboard against a slow oracle: every record is asked about by itself, as permissions.py says who may see
it, and counted, filtered and ordered here, one after another."""

import random
from datetime import timedelta
from types import SimpleNamespace

import pytest

import permissions
from blueprints.timeline import queries
from blueprints.timeline.queries import Asked
from extensions import clock
from models import Case, CaseGroup, CaseRecord, Exclusion, Group, Meeting, MeetingStudent, Plan, Student, Task
from tests import factories

PEOPLE = ("ada", "abe", "kay", "gil", "mo", "oli", "gone")
TITLES = ("apple", "Apple", "Éclair", "straße", "STRASSE", "zebra", "Support plan", "support", "Über", "a b", "a-b", "")
YEARS = ("7", "8", "10", "")


@pytest.fixture
def school(cast):
    """Some forty cases with work on their students, drawn the same way each time; who sees what differs from person to person."""
    clock.freeze(clock.now().replace(hour=12))
    draw = random.Random(7)
    cast.abe = factories.account("Abe Admin", role=permissions.ADMIN)
    cast.gone = factories.account("Gone Gander", role=permissions.ADMIN, is_active=False)
    staff = [cast.ada, cast.kay, cast.ken, cast.gil, cast.mo, cast.sam]
    groups = [cast.counselling, factories.group("Nurture", members=[cast.kay]), factories.group("Empty"),
              factories.group("Former", members=[cast.sam], managers=[])]  # fmt: skip
    students = [
        factories.student(name, "Wren" if number % 3 else "finch", year_group=YEARS[number % 4], tutor_group="T",
                          preferred_name="Zed" if number == 5 else "")
        for number, name in enumerate(("Ann", "Bea", "Cal", "Dot", "Eve", "Flo", "Gus", "Hal", "Ida", "Jon"))
    ]  # fmt: skip
    # The last of the students has no case.
    cases = [_case(draw, students[number % 9], staff, groups) for number in range(40)]
    _work(draw, cast, students, staff, cases)
    Group.update(is_active=False).where(Group.name == "Former").execute()
    for person, kept in ((cast.ada, students[0]), (cast.gil, students[1]), (cast.kay, students[2])):
        factories.exclusion(person, cast.abe, student=kept)
    for person, kept in ((cast.ada, cases[1]), (cast.kay, cases[3]), (cast.mo, cases[4])):
        factories.exclusion(person, cast.abe, case=kept)
    over = factories.exclusion(cast.ada, cast.abe, student=students[3])
    type(over).update(ended_at=clock.now(), ended_by=cast.abe).where(type(over).id == over.id).execute()
    return cast


def _case(draw, student, staff, groups):
    by = draw.choice([None, None, *staff])
    return factories.case(
        student, by, draw.choice(TITLES), case_type=draw.choice(["Wellbeing", "Attendance"]),
        status=draw.choice(["Open", "Open", "Open", "Closed"]), opened_at=_ago(draw, 1, 6, 7, 8, 40),
        last_activity_at=_ago(draw, 0, 1, 29, 30, 31, 60), primary_advocate=draw.choice([None, *staff]),
        coordinator=draw.choice([None, None, *staff]), groups=draw.sample(groups, draw.choice([0, 0, 1])),
        staff=draw.sample(staff, draw.choice([0, 0, 1])), following=draw.sample(staff, draw.choice([0, 0, 1])),
    )  # fmt: skip


def _work(draw, cast, students, staff, cases):
    kinds = {"task": [], "meeting": [], "plan": []}
    for student in students * 3:
        due = draw.choice([None, _day(-3), _day(-1), _day(0), _day(2)])
        state = draw.choice(["open", "open", "completed"])
        kinds["task"].append(factories.task(student, draw.choice(staff), draw.choice(staff), due_on=due, state=state))
        with_whom = draw.sample(students, draw.choice([0, 0, 1]))
        starts_at = clock.now() + draw.choice([timedelta(hours=-1), timedelta(0), timedelta(days=3), timedelta(days=7), timedelta(9)])
        meeting = factories.meeting(draw.choice(staff), {student, *with_whom}, draw.sample(staff, 1), starts_at=starts_at,
                                    state=draw.choice(["planned", "planned", "cancelled"]))  # fmt: skip
        kinds["meeting"].append(meeting)
        review = draw.choice([None, _day(-2), _day(0), _day(1), _day(20)])
        plan = factories.plan(student, draw.choice(staff), draw.choice(staff), tier=draw.choice([1, 2, 3]), review_by=review,
                              state=draw.choice(["active", "active", "ended"]))  # fmt: skip
        kinds["plan"].append(plan)
    gone = MeetingStudent.select().order_by(MeetingStudent.id).limit(3)
    MeetingStudent.update(removed_at=clock.now()).where(MeetingStudent.id.in_([part.id for part in gone])).execute()
    for kind, made in kinds.items():
        for row in made:
            if draw.random() < 0.6:
                on = draw.choice([case for case in cases if kind == "meeting" or case.student_id == row.student_id] or cases)
                how = draw.choice(["opened", "joined"])
                CaseRecord.create(case=on, kind=kind, record_id=row.id, record=row.ref, how=how, by=cast.abe)


def _ago(draw, *days):
    return clock.now() - timedelta(days=draw.choice(days))


def _day(number):
    return factories.today() + timedelta(days=number)


# --- The oracle ------------------------------------------------------------------------------------------------------


def seen(user):
    """Everything about each case that this person sees, newest activity first."""
    found, works = [], {student.id: work(user, student) for student in Student.select()}
    for case in Case.select().order_by(Case.last_activity_at.desc(), Case.id.desc()):
        reasons = set(permissions.case_reasons(user, case))
        if reasons:
            attached = [row.group for row in CaseGroup.select().where(CaseGroup.case == case)]
            one = SimpleNamespace(case=case, student=case.student, reasons=reasons, groups=attached, opener=opener(user, case))
            one.kind, one.work = case.case_type, works[case.student_id]
            found.append(one)
    return found


def work(user, student):
    """As queries' Work, as a tuple."""
    tasks = [task for task in Task.select().where(Task.student == student, Task.state == "open") if sees("task", user, task)]
    plans = [plan for plan in Plan.select().where(Plan.student == student, Plan.state == "active") if sees("plan", user, plan)]
    parts = MeetingStudent.select().where(MeetingStudent.student == student)
    meetings = [part.meeting for part in parts if sees("meeting", user, part.meeting) and shows(user, part)]
    meetings = [each for each in meetings if each.state == "planned" and each.starts_at >= clock.now()]
    meeting = min(meetings, key=lambda each: (each.starts_at, each.id), default=None)
    return (
        len(tasks), sum(task.due_on is not None and task.due_on < factories.today() for task in tasks),
        meeting and meeting.starts_at, meeting.ref if meeting else "", len(plans), min((plan.ref for plan in plans), default=""),
        max((plan.tier for plan in plans), default=0), min((plan.review_by for plan in plans if plan.review_by), default=None),
    )  # fmt: skip


def sees(kind, user, row):
    return bool(permissions.record_reasons(kind, user, row))


def shows(user, part):
    query = MeetingStudent.select().join(Meeting).where(MeetingStudent.id == part.id)
    return query.where(permissions.sees_meeting_student(user)).exists()


def opener(user, case):
    """"" for a meeting about somebody else as well, from whom they are excluded: that the case opened by itself is all they read."""
    rows = CaseRecord.select().where(CaseRecord.case == case, CaseRecord.how == "opened")
    kinds = ["" if row.kind == "meeting" and is_closed(user, row.record_id) else row.kind for row in rows]
    return min(kinds, default=None) if case.opened_by_id is None else None


def is_closed(user, meeting):
    about = [part.student_id for part in MeetingStudent.select().where(MeetingStudent.meeting == meeting)]
    kept = Exclusion.select().where(Exclusion.account == user, Exclusion.student.in_(about), Exclusion.ended_at.is_null())
    return kept.exists()


TILES = {
    "overdue": lambda one: one.work[1] > 0,
    "meeting": lambda one: one.work[2] is not None and one.work[2] < clock.now() + timedelta(days=7),
    "review": lambda one: one.work[7] is not None and one.work[7] <= factories.today(),
    "quiet": lambda one: one.case.last_activity_at < clock.now() - timedelta(days=30),
    "itself": lambda one: one.opener is not None and one.case.opened_at >= clock.now() - timedelta(days=7),
}
SORTS = {
    "student": lambda one: one.student.sort_name,
    "title": lambda one: (one.case.title.casefold(), one.kind.name),
    "tasks": lambda one: (one.work[1], one.work[0]),
    "meeting": lambda one: one.work[2],
    "plan": lambda one: one.work[7],
    "activity": lambda one: one.case.last_activity_at,
    "opened": lambda one: one.case.opened_at,
}


def widely(one, asked):
    """Whether the case fits, but for the filters that the choice of year groups does not follow."""
    return (
        (not asked.status or one.case.status == asked.status)
        and (not asked.group or asked.group in {group.ref for group in one.groups})
        and (asked.mine != "mine" or bool(one.reasons - {"admin"}))
        and (asked.mine != "after" or bool(one.reasons & {"primary_advocate", "coordinator", "following"}))
        and all(word in f"{one.case.title} {one.student.search_text}".casefold() for word in asked.text.split())
    )


def narrowly(one, asked):
    return (
        (not asked.type_ref or one.kind.ref == asked.type_ref)
        and (not asked.year or one.student.year_group == asked.year)
        and (asked.quiet_before is None or one.case.last_activity_at < asked.quiet_before)
    )


def expected(everything, asked):
    """(counts, cases in order) as they have to be, of what seen() gave."""
    wide = [one for one in everything if widely(one, asked)]
    kept = [one for one in wide if narrowly(one, asked)]
    years = {one.student.year_group for one in wide} | {asked.year}
    tiles = {key: sum(map(counts, kept)) for key, counts in TILES.items()}
    shown = [one for one in kept if not asked.tile or TILES[asked.tile](one)]
    key, backwards = SORTS[asked.sort.removeprefix("-")], asked.sort.startswith("-")
    known = sorted((one for one in shown if key(one) is not None), key=key, reverse=backwards)
    return (len(kept), tiles, sorted(years - {""}, key=int)), known + [one for one in shown if key(one) is None]


# --- Against it ------------------------------------------------------------------------------------------------------


def filters():
    group = Group.get(Group.name == "Counselling").ref
    type_ref = Case.select().first().case_type.ref
    month = clock.now() - timedelta(days=30)
    return [
        {}, {"status": "Open"}, {"status": "Closed"}, {"status": "Open", "mine": "mine"}, {"mine": "after"}, {"group": group},
        {"type_ref": type_ref}, {"status": "Open", "year": "8"}, {"quiet_before": month}, {"text": "wren"}, {"text": "zed pp"},
        {"status": "Open", "mine": "mine", "text": "wren"}, {"mine": "after", "text": "up"}, {"year": "12"},
        {"status": "Open", "group": group, "type_ref": type_ref, "year": "7", "quiet_before": month, "mine": "mine"},
    ]  # fmt: skip


def day():
    return queries.Day(factories.today(), clock.now())


def check(user, everything, asked):
    (total, tiles, years), order = expected(everything, asked)
    found = queries.counts(user, day(), asked)
    assert (found.total, {tile.key: tile.count for tile in found.tiles}, found.years) == (total, tiles, years)
    assert found.shown == len(order)
    wanted = [(one.case.ref, one.work, one.opener, one.student.name) for one in order]
    rows = queries.rows(user, day(), asked)
    assert [(row.ref, tuple(row.work), row.opened_by, row.student_name) for row in rows] == wanted
    assert queries.rows(user, day(), asked, 7, 3) == rows[3:10]


@pytest.mark.parametrize("who", PEOPLE)
def test_numbers_and_rows(school, who):
    user = getattr(school, who)
    everything = seen(user)
    keys = list(queries.TILES)
    for tile in ("", *keys):
        check(user, everything, Asked(status="Open", tile=tile))
    for number, each in enumerate(filters()):
        check(user, everything, Asked(**each, tile=keys[number % 5] if number % 2 else ""))


@pytest.mark.parametrize("who", PEOPLE)
def test_orders(school, who):
    user = getattr(school, who)
    everything = seen(user)
    assert queries.SORTS.keys() == SORTS.keys()
    for sort in SORTS:
        check(user, everything, Asked(sort=sort))
        check(user, everything, Asked(status="Open", tile="quiet", sort=f"-{sort}"))
    check(user, everything, Asked(mine="mine", text="wren", sort="-title"))


@pytest.mark.parametrize("who", PEOPLE)
def test_groups_to_choose(school, who):
    user = getattr(school, who)
    attached = {group for one in seen(user) for group in one.groups}
    wanted = sorted((group.name, group.ref) for group in attached if group.is_active)
    assert [(name, ref) for ref, name in queries.choices(user)[1]] == wanted


def test_the_world_tells_them_apart(school):
    """What the tests above compare is worth comparing: the numbers differ, and every tile counts some cases and leaves some."""
    sizes = {who: len(seen(getattr(school, who))) for who in PEOPLE}
    assert sizes["abe"] == Case.select().count() == 40
    assert sizes["oli"] == sizes["gone"] == 0
    kept = Case.student == Student.get(Student.first_name == "Ann")
    assert sizes["ada"] == 40 - Case.select().where(kept).count() - 1
    assert 5 < sizes["gil"] < 35 and 5 < sizes["kay"] < 35
    found = queries.counts(school.ada, day(), Asked())
    assert all(0 < tile.count < found.total for tile in found.tiles)
    assert sum(tile.count for tile in queries.counts(school.kay, day(), Asked()).tiles[:3]) > 2
    openers = {one.opener for who in PEOPLE for one in seen(getattr(school, who))}
    assert openers >= {None, "", "task", "meeting", "plan"}


def test_a_case_that_closes_to_an_admin_is_gone_at_once(school):
    before = queries.counts(school.abe, day(), Asked())
    case = next(row for row in queries.rows(school.abe, day(), Asked()) if row.last_activity_at < clock.now() - timedelta(days=31))
    factories.exclusion(school.abe, school.ada, case=case.id)
    after = queries.counts(school.abe, day(), Asked())
    assert after.total == before.total - 1 and after.tiles[3].count == before.tiles[3].count - 1
    factories.exclusion(school.abe, school.ada, student=case.student_id)
    gone = Case.select().where(Case.student == case.student_id).count()
    assert queries.counts(school.abe, day(), Asked()).total == before.total - gone
    assert case.student_ref not in {row.student_ref for row in queries.rows(school.abe, day(), Asked(sort="title"))}
