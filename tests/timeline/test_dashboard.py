"""The Case Management Dashboard: which cases and which work on them a reader finds, what a tile counts, and what it costs."""

from datetime import timedelta
from types import SimpleNamespace

import pytest

from blueprints.cases import queries as case_queries
from blueprints.timeline import queries
from extensions import clock
from models import Case, CaseRecord, Event, GroupMember, Meeting, MeetingStudent, Plan, Task
from tests import factories
from tests.web import forms, text_of

ADDRESS = "/case-management/dashboard"


@pytest.fixture
def ann(cast):
    return factories.student("Ann", "Finch", year_group="7", tutor_group="7F")


@pytest.fixture
def case(cast, ann):
    return factories.case(ann, opened_by=cast.kay, title="Support plan", groups=[cast.counselling])


def today():
    return factories.today()


def days(number):
    return today() + timedelta(days=number)


def asked(user, **filters):
    """What the page shows of all cases with these filters: the rows, and the numbers above them."""
    day, wanted = queries.Day(today(), clock.now()), queries.Asked(**filters)
    numbers = queries.counts(user, day, wanted)
    return SimpleNamespace(rows=queries.rows(user, day, wanted), tiles=numbers.tiles, total=numbers.total)


def found(user, **filters):
    """{reference: Work} of the cases on the dashboard."""
    return {row.ref: row.work for row in asked(user, **filters).rows}


def belongs(case, kind, row, by, how="joined"):
    CaseRecord.create(case=case, kind=kind, record_id=row.id, record=row.ref, how=how, by=by)


# --- Access ----------------------------------------------------------------------------------------------------------


def test_the_cases_are_those_one_sees(cast, case):
    for who in (cast.ada, cast.kay, cast.gil, cast.mo):
        assert found(who).keys() == {case.ref}
    for who in (cast.ken, cast.sam, cast.oli, cast.rae, cast.stu):
        assert found(who) == {}
    GroupMember.delete().where(GroupMember.account == cast.gil).execute()
    assert found(cast.gil) == {}
    factories.exclusion(cast.ada, cast.kay, case=case)
    assert found(cast.ada) == {}


def test_a_task_counts_for_who_may_see_it(cast, ann, case):
    task = factories.task(ann, cast.sam, cast.oli, due_on=days(-1))
    assert found(cast.ada)[case.ref][:2] == (1, 1)
    assert found(cast.kay)[case.ref][:2] == found(cast.gil)[case.ref][:2] == (0, 0)
    factories.task(ann, cast.gil, cast.sam, due_on=days(0))
    assert found(cast.gil)[case.ref][:2] == (1, 0)
    belongs(case, "task", task, cast.sam)
    assert found(cast.kay)[case.ref][:2] == (1, 1)
    assert found(cast.gil)[case.ref][:2] == (2, 1)
    Task.update(state="completed").where(Task.id == task.id).execute()
    assert found(cast.gil)[case.ref][:2] == (1, 0)


def test_a_task_of_a_case_that_is_closed_to_the_reader_leaves_no_trace(cast, ann, case):
    hidden = factories.case(ann, opened_by=cast.ken)
    task = factories.task(ann, cast.sam, cast.gil, due_on=days(-1))
    before = found(cast.kay), found(cast.gil)
    belongs(hidden, "task", task, cast.sam)
    belongs(hidden, "task", factories.task(ann, cast.sam, cast.sam), cast.sam)
    assert (found(cast.kay), found(cast.gil)) == before
    assert before[1][case.ref][:2] == (1, 1)  # Gil set it


def test_the_next_meeting_is_one_that_the_reader_sees(cast, ann, case):
    def meeting(hours, *students, **fields):
        return factories.meeting(cast.sam, students, [cast.sam], starts_at=clock.now() + timedelta(hours=hours), **fields)

    meeting(-1, ann), meeting(1, ann, state="cancelled"), meeting(2, ann)
    later = meeting(3, ann)
    assert found(cast.kay)[case.ref].meeting_at is None
    belongs(case, "meeting", later, cast.sam)
    assert found(cast.kay)[case.ref].meeting_ref == found(cast.gil)[case.ref].meeting_ref == later.ref
    assert found(cast.ada)[case.ref].meeting_ref == Meeting.get(Meeting.starts_at < later.starts_at, Meeting.id == later.id - 1).ref
    MeetingStudent.update(removed_at=clock.now()).where(MeetingStudent.meeting == later).execute()
    assert found(cast.kay)[case.ref].meeting_at is None


def test_a_meeting_seen_for_one_student_shows_nothing_on_anothers_case(cast, ann, case):
    bea = factories.student("Bea", "Wren")
    other = factories.case(bea, opened_by=cast.kay)
    meeting = factories.meeting(cast.sam, [ann, bea], [cast.sam])
    belongs(case, "meeting", meeting, cast.sam)
    assert found(cast.kay)[case.ref].meeting_ref == meeting.ref
    assert found(cast.kay)[other.ref].meeting_at is None
    factories.exclusion(cast.gil, cast.ada, student=bea)
    assert found(cast.gil)[case.ref].meeting_at is None  # kept from everything about Bea, this meeting too


def test_plans_that_the_reader_sees(cast, ann, case):
    first = factories.plan(ann, cast.sam, tier=2, review_by=days(30))
    assert found(cast.kay)[case.ref].plans == 0
    belongs(case, "plan", first, cast.sam)
    assert found(cast.kay)[case.ref][4:] == (1, first.ref, 2, days(30))
    second = factories.plan(ann, cast.kay, tier=3, review_by=days(-1))
    factories.plan(ann, cast.kay, tier=1, state="ended", review_by=days(-9))
    work = found(cast.kay)[case.ref]
    assert (work.plans, work.tier, work.review_by) == (2, 3, days(-1))
    assert found(cast.gil)[case.ref][4:] == (1, first.ref, 2, days(30))
    Plan.update(review_by=None).where(Plan.id == second.id).execute()
    assert found(cast.kay)[case.ref].review_by == days(30)


@pytest.mark.parametrize(("number", "state"), [(-1, "overdue"), (0, "due"), (13, "due"), (14, ""), (None, "")])
def test_how_a_review_stands(number, state):
    assert queries.review_state(None if number is None else days(number), today()) == state


# --- Filters, tiles, order -------------------------------------------------------------------------------------------


@pytest.fixture
def several(cast, ann, case):
    """Four more cases of Kay's: late, quiet, by itself, closed; by these names."""
    made = {}
    for name, fields in {
        "late": {"case_type": "Attendance"},
        "quiet": {"last_activity_at": clock.now() - timedelta(days=31)},
        "itself": {"staff": [cast.kay]},
        "closed": {"status": "Closed"},
    }.items():
        student = factories.student(name.capitalize(), "Wren", year_group="8")
        by = None if name == "itself" else cast.kay
        made[name] = factories.case(student, opened_by=by, title=name, **fields)
    factories.task(made["late"].student, cast.kay, cast.kay, due_on=days(-3))
    opener = factories.task(made["itself"].student, cast.sam, cast.sam)
    belongs(made["itself"], "task", opener, cast.sam, how="opened")
    factories.meeting(cast.kay, [ann], starts_at=clock.now() + timedelta(days=6))
    factories.plan(ann, cast.kay, review_by=days(0))
    return {name: row.ref for name, row in made.items()} | {"case": case.ref}


def listed(user, several, **filters):
    back = {ref: name for name, ref in several.items()}
    return [back[row.ref] for row in asked(user, **filters).rows]


def test_filters(cast, several):
    def of(**filters):
        return set(listed(cast.kay, several, **filters))

    assert of() == {"case", "late", "quiet", "itself", "closed"}
    assert of(status="Open") == {"case", "late", "quiet", "itself"}
    assert of(status="Closed") == {"closed"}
    assert of(text="finch sup") == {"case"}
    assert of(text="wren", status="Open") == {"late", "quiet", "itself"}
    assert of(year="7") == {"case"}
    assert of(year="nothing of the kind") == set()
    assert of(group=cast.counselling.ref) == {"case"}
    assert of(type_ref=Case.get(Case.ref == several["late"]).case_type.ref) == {"late"}
    assert of(quiet_before=clock.now() - timedelta(days=30)) == {"quiet"}
    assert of(text="finch", group=cast.counselling.ref, status="Open", mine="mine") == {"case"}


def test_mine(cast, several):
    assert listed(cast.ada, several, mine="mine") == listed(cast.kay, several, mine="after") == []
    Case.update(coordinator=cast.ada).where(Case.ref == several["late"]).execute()
    for mine in ("mine", "after"):
        assert listed(cast.ada, several, mine=mine) == ["late"]
        assert listed(cast.ada, several, mine=mine, text="late", status="Open") == ["late"]
        assert listed(cast.ada, several, mine=mine, text="quiet") == []


def test_a_tile_counts_the_rows_it_leads_to(cast, several):
    everything = asked(cast.kay, status="Open")
    assert everything.total == len(everything.rows) == 4
    expected = {"overdue": ["late"], "meeting": ["case"], "review": ["case"], "quiet": ["quiet"], "itself": ["itself"]}
    assert {tile.key for tile in everything.tiles} == expected.keys() == queries.TILES.keys()
    for tile in everything.tiles:
        behind = asked(cast.kay, status="Open", tile=tile.key)
        assert listed(cast.kay, several, status="Open", tile=tile.key) == expected[tile.key]
        assert tile.count == len(behind.rows) == 1
        assert (behind.tiles, behind.total) == (everything.tiles, 4)  # the other numbers stay as they are
    assert [tile.count for tile in asked(cast.kay, status="Open", year="7").tiles] == [0, 1, 1, 0, 0]


def test_orders(cast, several):
    def first(sort):
        return listed(cast.kay, several, status="Open", sort=sort)[0]

    def last(sort):
        return listed(cast.kay, several, status="Open", sort=sort)[-1]

    assert last("-activity") == first("activity") == "quiet"
    assert first("-tasks") == "late"
    assert first("meeting") == first("-meeting") == first("plan") == first("-plan") == "case"
    assert first("student") == last("-student") == "case"
    assert first("title") == "itself"
    for sort in queries.SORTS:
        assert len(listed(cast.kay, several, sort=sort)) == len(listed(cast.kay, several, sort="-" + sort)) == 5


def test_the_groups_to_choose_are_those_of_ones_own_cases(cast, case):
    factories.case(None, opened_by=cast.ken, groups=[factories.group("Secret circle")])
    assert [name for _, name in queries.choices(cast.kay)[1]] == ["Counselling"]
    assert queries.choices(cast.oli)[1] == []
    types = [(row.ref, row.name) for row in case_queries.case_types(cast.oli, retired=True)]
    assert queries.choices(cast.oli)[0] == types and len(types) > 1


# --- The page --------------------------------------------------------------------------------------------------------


def test_the_page_shows_the_work_and_leads_to_it(cast, ann, case, client_for):
    task = factories.task(ann, cast.kay, cast.kay, due_on=days(-1))
    meeting = factories.meeting(cast.kay, [ann])
    plan = factories.plan(ann, cast.kay, tier=3, review_by=days(-1))
    Case.update(opened_by=None).where(Case.id == case.id).execute()
    belongs(case, "task", task, cast.kay, how="opened")
    page = client_for("gil").get(ADDRESS)
    words = text_of(page)
    for part in (case.ref, "Ann Finch", "7F", "Support plan", "Wellbeing", "1 open", "1 overdue", "by itself: task", "1 Open cases"):
        assert part in words, part
    assert "Tier 3" not in words and meeting.ref not in page.text
    belongs(case, "plan", plan, cast.kay)
    belongs(case, "meeting", meeting, cast.kay)
    page = client_for("gil").get(ADDRESS).text
    for address in (f"/cases/{case.ref}", f"/students/{ann.ref}", f"/students/{ann.ref}/tasks", f"/meetings/{meeting.ref}",
                    f"/plans/{plan.ref}"):  # fmt: skip
        assert f'href="{address}"' in page, address
    assert "Tier 3" in page and "overdue" in page


def test_several_plans_lead_to_the_students_plans(cast, ann, case, client_for):
    factories.plan(ann, cast.kay, tier=1), factories.plan(ann, cast.kay, tier=2)
    page = client_for("kay").get(ADDRESS)
    assert "2 plans, tier 2" in text_of(page)
    assert f'href="/students/{ann.ref}/plans"' in page.text


def test_filters_stand_in_the_address_and_can_be_taken_off(cast, several, client_for):
    kay = client_for("kay")
    page = kay.get(ADDRESS + "?show=overdue&year=8&sort=-tasks&status=Any")
    words = text_of(page)
    assert "Late Wren" in words and "Quiet Wren" not in words
    for chip in ("Status: Any", "Year group: 8", "Overdue tasks"):
        assert f"Remove filter {chip}" in page.text, chip
    filters = next(form for form in forms(page.text) if form.action == ADDRESS)
    assert filters.values | {"show": ["overdue"], "sort": ["-tasks"], "year": ["8"], "status": ["Any"]} == filters.values
    assert "Quiet Wren" in text_of(kay.get(ADDRESS + "?show=nothing&sort=nothing"))


def test_a_date_that_is_none_is_said_and_kept(cast, case, client_for):
    for path in (ADDRESS, ADDRESS + ".csv"):
        answer = client_for("kay").get(path + "?quiet=32/1/2026&q=finch")
        assert answer.status_code == 422
        assert "32 January 2026 is not a date." in text_of(answer)
        assert 'value="finch"' in answer.text and 'value="32/1/2026"' in answer.text
    for wrong in ("status=Lost", "type=x", "group=x", "mine=x"):
        assert client_for("kay").get(f"{ADDRESS}?{wrong}").status_code == 422


@pytest.mark.parametrize("text", ['"', "!", "%", "\\", "a'; DROP TABLE student_case; --", "\0"])
def test_hostile_words_break_nothing(cast, case, client_for, text):
    answer = client_for("kay").get(ADDRESS, query_string={"q": text, "year": text, "show": text, "sort": text})
    assert answer.status_code == 200 and case.ref not in answer.text


def test_no_activity_since_is_a_school_day(cast, case, client_for):
    clock.freeze(clock.now().replace(month=6, day=10, hour=12))
    Case.update(last_activity_at=clock.now()).execute()
    kay = client_for("kay")
    assert case.ref not in kay.get(ADDRESS + "?quiet=" + today().isoformat()).text
    assert case.ref in kay.get(ADDRESS + "?quiet=" + days(1).isoformat()).text


def test_exports_hold_what_the_list_shows(cast, ann, case, client_for):
    factories.task(ann, cast.gil, cast.sam, due_on=days(-1))
    Case.update(title="=HYPERLINK(1)").execute()
    csv = client_for("gil").get(ADDRESS + ".csv?show=overdue", buffered=True).get_data(as_text=True)
    heading, row, *rest = csv.strip().splitlines()
    assert heading.lstrip("\ufeff").startswith("Case,Student,Title,Case type,Status,Year group")
    assert row.startswith(f"{case.ref},Ann Finch,'=HYPERLINK(1),Wellbeing,Open,7,7F,1,1,") and not rest
    assert client_for("kay").get(ADDRESS + ".csv?show=overdue", buffered=True).get_data(as_text=True).count("\n") == 1
    assert client_for("gil").get(ADDRESS + ".xlsx", buffered=True).status_code == 200
    event = Event.select().where(Event.verb == "case_management.exported").order_by(Event.id).first()
    assert event.actor == cast.gil and '"count": 1' in event.data


def test_opening_it_is_in_the_audit_log(cast, case, client_for):
    client_for("kay").get(ADDRESS)
    assert Event.get(Event.verb == "case_management.read").actor == cast.kay


def test_the_menu_leads_to_it(cast, client_for):
    page = client_for("sam").get(ADDRESS).text
    assert '<a href="/case-management/dashboard" aria-current="page">Dashboard</a>' in page


def test_outsiders_referral_users_and_students(cast, case, client_for):
    page = client_for("oli").get(ADDRESS)
    assert "No open cases" in text_of(page) and "0 Open cases" in text_of(page) and case.ref not in page.text
    assert case.ref not in client_for("oli").get(ADDRESS + ".csv", buffered=True).get_data(as_text=True)
    for who in ("rae", "stu"):
        for path in (ADDRESS, ADDRESS + ".csv"):
            assert client_for(who).get(path).status_code == 404


# --- Cost ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["ada", "kay", "gil"])
def test_the_number_of_queries_does_not_grow(cast, client_for, count_queries, who):
    client = client_for(who)
    addresses = [ADDRESS, *(f"{ADDRESS}?sort={sort}&show=quiet&status=Any" for sort in queries.SORTS), f"{ADDRESS}?page=9"]
    for address in addresses:
        client.get(address)
    few = [_queries(client, address, count_queries) for address in addresses]
    for number in range(60):
        student = factories.student(f"S{number}", "Wren")
        long_ago = clock.now() - timedelta(days=31)
        made = factories.case(student, opened_by=cast.kay, groups=[cast.counselling], last_activity_at=long_ago)
        belongs(made, "task", factories.task(student, cast.sam, cast.sam), cast.sam)
        factories.meeting(cast.kay, [student], [cast.gil])
        factories.plan(student, cast.gil)
    assert [_queries(client, address, count_queries) for address in addresses] == few
    page = client.get(ADDRESS)
    assert "1–50 of 60 cases" in text_of(page)
    assert len(page.data) < 60_000
    assert "51–60 of 60 cases" in text_of(client.get(addresses[-1]))


def _queries(client, address, count_queries):
    with count_queries(most=10) as found:
        client.get(address)
    return len(found)
