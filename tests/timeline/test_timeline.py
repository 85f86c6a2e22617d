"""The timeline of a student: each event for who may see its record, and for nobody else; filters, pages, files."""

import io
import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import openpyxl
import pytest

import permissions
from blueprints.cases.actions import add_task_note
from blueprints.timeline.queries import Filters, cursor, everything, page
from blueprints.timeline.queries.sources import SOURCES, SUBJECTS
from blueprints.timeline.queries.timeline import PER_PAGE
from extensions import clock
from models import Account, Event, MeetingStaff, MeetingStudent, PlanPoint, School, Student
from tests import factories
from tests.timeline.busy import busy
from tests.timeline.everything import belongs, may_find, stored
from tests.timeline.everything import everything as one_of_each
from tests.web import text_of

STAFF = ("ada", "kay", "ken", "gil", "mo", "sam", "oli")
ZONE = ZoneInfo("Europe/London")
ALL = Filters(ZONE)


@pytest.fixture
def ann(cast):
    return factories.student("Ann", "Finch", year_group="7")


@pytest.fixture
def made(cast, ann):
    return one_of_each(ann, cast)


def shown(made, text):
    """Which of the words stand in the text."""
    return {word for word in made.words if re.search(rf"\b{word}\b", text)}


def written(items):
    return "\n".join(item.everything_written for item in items)


def pages_of(client, address):
    """The HTML of every page of a timeline, as its links lead from one to the next."""
    found = []
    while address:
        found.append(client.get(address).get_data(as_text=True))
        older = re.search(r'<a href="([^"]+)" rel="next">Older</a>', found[-1])
        address = older and older[1].replace("&amp;", "&")
        assert len(found) < 50, "the pages go in circles"
    return found


# --- Who sees what ---------------------------------------------------------------------------------------------------


def test_every_source_has_an_event_for_somebody_who_sees_all(cast, ann, made):
    found = everything(cast.ada, ann, ALL)
    assert shown(made, written(found)) == set(made.words)
    assert sorted(name for sources in SUBJECTS.values() for name in sources) == sorted(SOURCES)
    for name in SOURCES:
        alone = [item for item in found if item.source == name]
        assert alone, f"no event of {name}"


@pytest.mark.parametrize("who", STAFF)
def test_each_reader_finds_the_events_of_the_records_they_see(cast, ann, made, client_for, who):
    account = getattr(cast, who)
    expected = may_find(made, account, ann)
    assert shown(made, text_of("".join(pages_of(client_for(who), f"/students/{ann.ref}/timeline")))) == expected
    assert shown(made, written(everything(account, ann, ALL))) == expected
    assert shown(made, text_of(client_for(who).get(f"/students/{ann.ref}/timeline/print"))) == expected


def test_the_cast_sees_different_things(cast, ann, made):
    """So that the test above is about something."""
    found = {who: frozenset(may_find(made, getattr(cast, who), ann)) for who in STAFF}
    assert len(set(found.values())) == len(STAFF)
    for word, (kind, _) in made.words.items():
        seen_by = {who for who in STAFF if word in found[who]}
        assert "ada" in seen_by
        assert kind == "student" or seen_by < set(STAFF), f"everybody sees {word}"


def test_records_of_a_case_are_there_for_its_readers(cast, ann, made):
    before = shown(made, written(everything(cast.oli, ann, ALL)))
    case = factories.case(ann, None, staff=[cast.oli])
    for kind, row in (("task", made.task), ("meeting", made.meeting), ("plan", made.plan)):
        belongs(case, kind, row, cast.sam)
    gained = shown(made, written(everything(cast.oli, ann, ALL))) - before
    # Of the meeting they see this student's part: not the agenda, nor the outcome for everybody.
    assert gained >= {"Zqtask", "Zqgoal", "Zqownoutcome"}
    assert not gained & {"Zqagenda", "Zqheld", "Zqcancelled", "Zqplace"}


def test_exclusions_beat_everything(cast, ann, made, client_for):
    assert "Zqincident" in written(everything(cast.sam, ann, ALL))
    factories.exclusion(cast.sam, cast.ada, incident=made.incident)
    assert not shown(made, written(everything(cast.sam, ann, ALL))) & {"Zqincident", "Zqaction", "Zqcategory"}
    factories.exclusion(cast.kay, cast.ada, case=made.case)
    assert "Zqentry" not in written(everything(cast.kay, ann, ALL))
    factories.exclusion(cast.ada, cast.ada, student=ann)
    missing = client_for("ada").get("/students/ZZZZZZZZZZ/timeline")
    for part in ("", ".csv", ".xlsx", "/print"):
        answer = client_for("ada").get(f"/students/{ann.ref}/timeline{part}")
        assert (answer.status_code, text_of(answer)) == (404, text_of(missing))
    assert everything(cast.ada, ann, ALL) == []


def test_outsiders_get_the_page_of_a_missing_student(ann, made, client_for):
    for who in ("rae", "stu"):
        for part in ("", ".csv", "/print"):
            answer = client_for(who).get(f"/students/{ann.ref}/timeline{part}")
            missing = client_for(who).get(f"/students/ZZZZZZZZZZ/timeline{part}")
            assert (answer.status_code, text_of(answer)) == (404, text_of(missing))


def test_oli_meets_only_their_own(cast, ann, made, client_for):
    found = text_of(client_for("oli").get(f"/students/{ann.ref}/timeline"))
    assert shown(made, found) == {"Zqanswer", "Zqresponsefile", "Left the school", "Returned to the school"}


# --- Several students ------------------------------------------------------------------------------------------------


def test_an_incident_by_this_students_part(cast, ann):
    bo = factories.student("Bo", "Brown")
    kept = factories.category("Zqkept", need_to_know=[factories.group()])
    factories.incident(cast.sam, [(ann, [factories.category("Zqopen")], "witness"), (bo, [kept])], "Zqboth")
    of_ann, of_bo = everything(cast.kay, ann, ALL), everything(cast.kay, bo, ALL)
    assert [item.categories[0][0] for item in of_ann] == ["Zqopen"]
    assert of_bo == [], "of Bo's part Kay may not know"
    (item,) = everything(cast.sam, bo, ALL)
    assert [name for name, _ in item.categories] == ["Zqkept"]
    assert "Witness" in everything(cast.ada, ann, ALL)[0].facts


def test_a_meeting_by_this_students_part(cast, ann):
    bo = factories.student("Bo", "Brown")
    meeting = factories.meeting(cast.sam, [ann, bo], [cast.gil], agenda="Zqagenda")
    belongs(factories.case(ann, None, staff=[cast.oli]), "meeting", meeting, cast.sam)
    assert [item.text for item in everything(cast.oli, ann, Filters(ZONE, ("meeting",)))] == [""]
    assert everything(cast.oli, bo, ALL) == [], "through the case of Ann nothing of Bo is seen"
    assert [item.text for item in everything(cast.gil, bo, ALL)] == ["Zqagenda"]
    MeetingStaff.update(removed_at=clock.now()).execute()
    assert everything(cast.gil, bo, ALL) == []


def test_a_student_in_an_answer_is_named_to_those_alone_who_may_know_them(cast, ann):
    bo = factories.student("Bo", "Brown")
    form = factories.form("Who", cast.ada, [{"key": "f1", "type": "student", "label": "With whom?"}])
    factories.response(form, cast.sam, ann, {"f1": {"ref": bo.ref, "name": "Bo Brown"}})
    assert "With whom?: Bo Brown" in written(everything(cast.sam, ann, ALL))
    factories.exclusion(cast.sam, cast.ada, student=bo)
    assert "Bo Brown" not in written(everything(cast.sam, ann, ALL))


def test_files_of_one_student_are_those_of_the_rule(cast, ann, made):
    for account in Account.select():
        rule = permissions.visible_student_files(account).where(permissions.StoredFile.student == ann)
        assert set(permissions.visible_files_of(account, ann.id)) == set(rule), account.name


# --- The page --------------------------------------------------------------------------------------------------------


def test_newest_first_and_what_stands_there(cast, ann, made, client_for):
    found = everything(cast.ada, ann, ALL)
    assert [item.at for item in found] == sorted((item.at for item in found), reverse=True)
    text = text_of("".join(pages_of(client_for("ada"), f"/students/{ann.ref}/timeline")))
    for words in (
        f"Incident {made.incident.ref}", "Action on an incident done", f"Case opened {made.case.ref}", "Task set: Zqtask",
        "for Gil Gannet", "Task completed: Zqtask", "Progress point: 3.5", "Plan created, tier 2", "Milestone completed",
        "Agency added to Law Enforcement", "Form response: Worry form", "What is it about?: Zqanswer", "moved", "held",
    ):  # fmt: skip
        assert words in text, words


def test_each_link_leads_to_a_page_that_its_reader_may_open(ann, made, client_for):
    for who in STAFF:
        client = client_for(who)
        html = "".join(pages_of(client, f"/students/{ann.ref}/timeline"))
        addresses = set(re.findall(r'<div><p><a href="([^"]+)"', html))
        assert addresses
        for address in addresses:
            assert client.get(address).status_code == 200, f"{who}: {address}"


def test_the_tab_and_the_read_in_the_audit_log(cast, ann, made, client_for):
    html = client_for("kay").get(f"/students/{ann.ref}/timeline").get_data(as_text=True)
    assert re.search(r'aria-current="page">Timeline<', html)
    event = Event.select().order_by(Event.id.desc()).first()
    assert (event.verb, event.target, event.actor_id) == ("student.timeline_read", ann.ref, cast.kay.id)
    assert f'"count": {len(page(cast.kay, ann, ALL)[0])}' in event.data


def test_nothing_yet(ann, client_for):
    assert "Nothing here yet" in text_of(client_for("kay").get(f"/students/{ann.ref}/timeline"))


def test_without_the_cases_module_status_is_gone(cast, ann, made, client_for):
    School.update(cases_module=False).execute()
    text = text_of("".join(pages_of(client_for("ada"), f"/students/{ann.ref}/timeline")))
    assert "Incident closed" not in text and "Zqreopened" not in text
    assert "Zqincident" in text and "Zqentry" in text


# --- Filters ---------------------------------------------------------------------------------------------------------


def test_by_kind(cast, ann, made, client_for):
    found = everything(cast.ada, ann, Filters(ZONE, ("task", "file")))
    assert {item.source for item in found} == {name for name, kinds in SOURCES.items() if {"task", "file"} & set(kinds)}
    text = text_of(client_for("ada").get(f"/students/{ann.ref}/timeline?kind=task&kind=milestone"))
    assert shown(made, text) == {"Zqtask", "Zqnotes", "Zqprogress", "Zqmilestone"}
    assert "Show: Tasks" in text


def test_by_day_in_school_time_both_ends_included(cast, ann):
    with_hours = {"23:30 on the 1st": (30, 22, 30), "00:30 on the 2nd": (31, 23, 30), "23:30 on the 2nd": (32, 22, 30)}
    start = datetime(2026, 5, 2, tzinfo=UTC) - timedelta(days=31)
    for text, (days, hours, minutes) in with_hours.items():
        factories.incident(cast.sam, [ann], text, happened_at=start + timedelta(days=days - 1, hours=hours, minutes=minutes))
    day = (start + timedelta(days=31)).date()
    found = everything(cast.ada, ann, Filters(ZONE, from_day=day, to_day=day))
    assert [item.text for item in found] == ["23:30 on the 2nd", "00:30 on the 2nd"]


def test_by_text_and_author(cast, ann, made, client_for):
    assert [item.source for item in everything(cast.ada, ann, Filters(ZONE, text="ZQENTRY  said"))] == ["case_entry"]
    assert everything(cast.ada, ann, Filters(ZONE, text="Zqentry Zqtask")) == []
    by_gil = everything(cast.ada, ann, Filters(ZONE, author="gannet"))
    assert {item.who for item in by_gil} == {"Gil Gannet"} and len(by_gil) == 3
    text = text_of(client_for("ada").get(f"/students/{ann.ref}/timeline?text=zqagenda&author=swift"))
    assert shown(made, text) == {"Zqagenda", "Zqplace"}
    assert "No events fit these filters" in text_of(client_for("oli").get(f"/students/{ann.ref}/timeline?text=zqagenda"))


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("from=31/02/2026&text=kept", "is not a date"),
        ("from=2026-05-02&to=2026-05-01&text=kept", "This day is before the day in From."),
        ("kind=secrets&text=kept", "This kind of event is not known."),
        ("text=kept&author=" + "x" * 101, "Author: "),
    ],
)
def test_a_filter_that_makes_no_sense(ann, made, client_for, query, sentence):
    for part in ("", ".csv", "/print"):
        answer = client_for("kay").get(f"/students/{ann.ref}/timeline{part}?{query}")
        assert answer.status_code == 422
        assert sentence in text_of(answer)
        assert 'value="kept"' in answer.get_data(as_text=True)


# --- Pages -----------------------------------------------------------------------------------------------------------


def all_pages(user, student, filters=ALL):
    found, after, pages = [], None, 0
    while True:
        items, following = page(user, student, filters, after)
        found, pages = found + items, pages + 1
        if following is None:
            return found, pages
        after = cursor(str(following))
        assert after == following


def test_pages_hold_every_event_once(cast, ann):
    total = busy(ann, cast.kay, cast.gil, 0.05)
    for who in (cast.ada, cast.kay, cast.gil):
        whole = everything(who, ann, ALL)
        found, pages = all_pages(who, ann)
        assert found == whole
        assert pages == -(-len(whole) // PER_PAGE)
    assert len(everything(cast.ada, ann, ALL)) == total
    by_words = Filters(ZONE, text="sentence")
    assert all_pages(cast.ada, ann, by_words)[0] == everything(cast.ada, ann, by_words)


def test_a_page_shows_what_came_late_to_what_ended_long_ago(cast, ann):
    """The newest events of one kind bound what is looked for of the others: by the record's end, not by its beginning."""
    long_ago, now = clock.now() - timedelta(days=700), clock.now()
    ended = {"ended_at": long_ago + timedelta(days=1), "ended_by": cast.sam}
    form = factories.form(cast.ada)
    for number in range(PER_PAGE + 5):
        factories.response(form, cast.sam, ann, submitted_at=now - timedelta(hours=number + 1))
    noted = factories.task(ann, cast.sam, cast.sam, set_at=long_ago, state="completed", **ended)
    add_task_note(noted, "They rang back after all.", actor=cast.sam)
    held = {"scheduled_at": long_ago, "state": "held", **ended}
    joined = factories.meeting(cast.sam, staff=[cast.sam], starts_at=long_ago, **held)
    MeetingStudent.create(meeting=joined, student=ann, added_by=cast.sam, at=now)
    early = factories.meeting(cast.sam, staff=[cast.sam], starts_at=now + timedelta(days=1), **held)
    MeetingStudent.create(meeting=early, student=ann, added_by=cast.sam, at=long_ago)
    plan = factories.plan(ann, cast.sam, created_at=long_ago)
    PlanPoint.create(plan=plan, day=now.date(), value=3, author=cast.sam, at=now)
    found, _ = page(cast.ada, ann, ALL)
    assert found == everything(cast.ada, ann, ALL)[:PER_PAGE]
    assert {"meeting_held", "meeting", "task_note", "plan_point", "response"} == {item.source for item in found}


def test_pages_of_events_of_one_moment(cast, ann):
    at = clock.now() - timedelta(days=3)
    for number in range(PER_PAGE * 2 + 7):
        factories.task(ann, cast.gil, cast.sam, f"Task {number}", set_at=at)
    found, pages = all_pages(cast.ada, ann)
    assert pages == 3 and len({item.what for item in found}) == PER_PAGE * 2 + 7
    assert found == everything(cast.ada, ann, ALL)


def test_links_lead_through_the_pages(cast, ann, client_for):
    busy(ann, cast.kay, cast.gil, 0.03)
    pages = pages_of(client_for("kay"), f"/students/{ann.ref}/timeline?kind=case&kind=task")
    seen = [html.count('class="timeline-when"') for html in pages]
    assert len(seen) > 1 and sum(seen) == len(everything(cast.kay, ann, Filters(ZONE, ("case", "task"))))
    assert ">Newest</a>" in pages[-1]


@pytest.mark.parametrize("after", ["x", "2026-01-01~x", "~", "2026-01-01T00:00:00~-1", "9999-12-31T23:59:59~0", "0001-01-01~0",
                                   "2026-01-01~99999999999", "\0~1", "2026-01-01T10:00:00+05:00~0"])  # fmt: skip
def test_a_cursor_that_is_none_is_no_error(ann, made, client_for, after):
    answer = client_for("ada").get(f"/students/{ann.ref}/timeline", query_string={"after": after})
    assert answer.status_code == 200


def test_the_page_costs_the_same_however_much_there_is(cast, ann, client_for, count_queries):
    """Six statements, one for each subject that is asked about access, and what every section of the page asks; the house's
    ten are not enough for that, and one statement for all is slower (sources/__init__.py)."""
    busy(ann, cast.kay, cast.gil, 0.01)
    client = client_for("kay")
    client.get(f"/students/{ann.ref}/timeline")
    with count_queries(most=13) as few:
        client.get(f"/students/{ann.ref}/timeline")
    busy(ann, cast.kay, cast.gil, 0.1)
    with count_queries(most=13) as many:
        client.get(f"/students/{ann.ref}/timeline")
    assert len(many) <= len(few)


# --- Files -----------------------------------------------------------------------------------------------------------


def test_exports_hold_all_of_it(cast, ann, made, client_for):
    busy(ann, cast.kay, cast.gil, 0.05)
    whole = everything(cast.kay, ann, ALL)
    answer = client_for("kay").get(f"/students/{ann.ref}/timeline.csv")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert shown(made, answer.get_data(as_text=True)) == may_find(made, cast.kay, ann)
    sheet = openpyxl.load_workbook(io.BytesIO(client_for("kay").get(f"/students/{ann.ref}/timeline.xlsx").data)).active
    assert sheet.max_row == len(whole) + 1
    event = Event.select().where(Event.verb == "student.timeline_exported").order_by(Event.id.desc()).first()
    assert event.target == ann.ref and f'"count": {len(whole)}, "format": "xlsx"' in event.data
    narrowed = client_for("kay").get(f"/students/{ann.ref}/timeline.csv?text=zqentry").get_data(as_text=True)
    assert len(narrowed.splitlines()) == 2 and "Zqentry was said." in narrowed


def test_exports_are_safe_against_formulas(cast, ann, client_for):
    case = factories.case(ann, cast.kay, title="=1+1")
    factories.entry(case, cast.kay, "=cmd|'/c calc'!A1")
    stored("@SUM(A1)", cast.kay, case=case)
    text = client_for("kay").get(f"/students/{ann.ref}/timeline.csv").get_data(as_text=True)
    assert '"=' not in text and ",=" not in text and ",@" not in text
    assert "'=cmd" in text


def test_hostile_texts_stay_texts(cast, ann, client_for):
    factories.incident(cast.sam, [ann], "<script>alert(1)</script>", place="<b>here</b>")
    for part in ("", "/print"):
        html = client_for("kay").get(f"/students/{ann.ref}/timeline{part}").get_data(as_text=True)
        assert "<script>alert" not in html and "<b>here" not in html
        assert "&lt;script&gt;alert" in html


def test_long_texts_are_cut_on_the_page_alone(cast, ann, client_for):
    factories.incident(cast.sam, [ann], "word " * 200 + "Zqlast")
    client = client_for("kay")
    assert "Zqlast" not in text_of(client.get(f"/students/{ann.ref}/timeline"))
    assert "Zqlast" in text_of(client.get(f"/students/{ann.ref}/timeline/print"))
    assert "Zqlast" in client.get(f"/students/{ann.ref}/timeline.csv").get_data(as_text=True)


def test_another_student_is_not_touched(cast, ann, made):
    bo = factories.student("Bo", "Brown")
    assert everything(cast.ada, bo, ALL) == []
    assert Student.select().count() > 1
