"""The tab Progress: the grid, marking one by one and many at once, what somebody else marked first, filters, chart, exports."""

from datetime import UTC, date, datetime, timedelta

import pytest

import permissions
from blueprints.cohorts import actions
from blueprints.cohorts.forms.progress import letters
from extensions import clock
from models import CohortStudent, Event, MilestoneRequest, OutboxEmail, School, StudentMilestone
from tests import factories
from tests.web import forms, text_of

TODAY = date(2026, 11, 14)


@pytest.fixture
def world(cast, clock):
    """Two students and two milestones, on a day on which the first is overdue. By name: Ann, Bea; by place: A, B."""
    clock.freeze(datetime(2026, 11, 14, 12, tzinfo=UTC))
    cast.ann, cast.bea = factories.student("Ann", "Adams"), factories.student("Bea", "Brown")
    cast.cohort = factories.cohort("First years", "Autumn", [cast.bea, cast.ann], [cast.counselling], created_by=cast.ada)
    cast.fair = factories.milestone(cast.cohort, "Job fair", due_on=TODAY - timedelta(days=1))
    cast.form = factories.milestone(cast.cohort, "Hand in the form", due_on=TODAY)
    cast.url = f"/cohorts/{cast.cohort.ref}/progress"
    return cast


def state(milestone, student):
    row = StudentMilestone.get_or_none(StudentMilestone.milestone == milestone, StudentMilestone.student == student)
    return row.state if row else None


def tick(client, post, world, *names, how="completed", **more):
    """Tick these boxes of the first page and press a button."""
    given = {"state": how, **dict.fromkeys(names, "on"), **more}
    return post(client, world.url, given)


# --- The grid -----------------------------------------------------------------------------------------------------------


def test_the_grid_shows_students_by_name_and_saved_milestones(world, client_for):
    factories.milestone(world.cohort, "Still a draft", saved=False)
    removed = factories.milestone(world.cohort, "Removed")
    actions.remove_milestone(removed, actor=world.ada)
    actions.mark(world.form, [world.bea], "waived", actor=world.gil)
    page = client_for("ada").get(world.url)
    words = text_of(page)
    assert words.index("Ann Adams") < words.index("Bea Brown") and words.index("Job fair") < words.index("Hand in the form")
    assert "Still a draft" not in words and "Removed" not in words
    assert 'name=0A aria-labelledby="0 A l"' in page.text, "Ann's job fair is overdue"
    assert 'name=0B aria-labelledby="0 B o"' in page.text, "what is due today is not"
    assert '–<input type=checkbox name=1B aria-labelledby="1 B w"' in page.text


def test_a_student_who_has_left_or_is_closed_is_in_no_count(world, client_for):
    gone = factories.student("Gus", "Gone", is_active=False)
    other_admin = factories.account(role=permissions.ADMIN)
    secret = factories.student("Zoe", "Zander")
    cohort = factories.cohort("Second", "Spring", [gone, secret, world.ann], created_by=world.ada)
    row = factories.milestone(cohort, "Job fair")
    actions.mark(row, [secret], "completed", actor=other_admin)
    factories.exclusion(world.ada, other_admin, student=secret)
    ada = client_for("ada")
    for address in ("", "/chart", f"/{row.ref}", "/export.csv", "?q=Zander", "?state=completed"):
        page = ada.get(f"/cohorts/{cohort.ref}/progress{address}")
        assert page.status_code == 200 and "Zander" not in text_of(page.text.replace('value="Zander"', "")).replace(
            "Name: Zander", ""
        ), address
        page.close()
    assert "1 student at the school" in text_of(ada.get(f"/cohorts/{cohort.ref}/progress/chart"))
    assert "Mark Completed for 1 student" in ada.get(f"/cohorts/{cohort.ref}/progress/{row.ref}").text


# --- Marking ------------------------------------------------------------------------------------------------------------


def test_one_cell(world, client_for, post):
    answer = tick(client_for("ada"), post, world, "0A")
    assert answer.status_code == 303 and answer.location.endswith(world.url)
    assert state(world.fair, world.ann) == "completed" and StudentMilestone.select().count() == 1
    said = Event.get(Event.verb == "milestone.marked")
    assert said.target == world.ann.ref and said.actor == world.ada and world.fair.ref in said.data


def test_many_cells_of_several_milestones(world, client_for, post):
    tick(client_for("ada"), post, world, "0A", "1B", how="waived")
    assert (state(world.fair, world.ann), state(world.form, world.bea)) == ("waived", "waived")
    assert StudentMilestone.select().count() == 2


def test_a_whole_column_stands_for_what_is_open(world, client_for, post):
    actions.mark(world.fair, [world.ann], "waived", actor=world.ada)
    tick(client_for("ada"), post, world, "A")
    assert (state(world.fair, world.ann), state(world.fair, world.bea)) == ("waived", "completed")


def test_a_whole_row(world, client_for, post):
    tick(client_for("ada"), post, world, "1")
    assert (state(world.fair, world.bea), state(world.form, world.bea), state(world.fair, world.ann)) == (
        "completed", "completed", None,
    )  # fmt: skip
    tick(client_for("ada"), post, world, "1", how="open")
    assert (state(world.fair, world.bea), state(world.form, world.bea)) == ("open", "open")


def test_marking_again_changes_and_records_nothing(world, client_for, post):
    ada = client_for("ada")
    tick(ada, post, world, "0A")
    tick(ada, post, world, "0A")
    assert StudentMilestone.get().version == 1
    assert Event.select().where(Event.verb == "milestone.marked").count() == 1


def test_nothing_ticked(world, client_for, post):
    answer = tick(client_for("ada"), post, world)
    assert answer.status_code == 422 and "Tick at least one cell" in text_of(answer)


def test_the_filters_stay_after_marking(world, client_for, post):
    address = f"{world.url}?q=Ann&page=1"
    answer = post(client_for("ada"), address, {"state": "completed", "0A": "on"}, form_url=address)
    assert answer.status_code == 303 and answer.location.endswith("/progress?q=Ann&page=1")


def test_completing_answers_what_is_asked(world, client_for, post):
    School.update(student_visibility_at=clock.now()).execute()
    asked = [MilestoneRequest.create(milestone=world.fair, student=who) for who in (world.ann, world.bea)]
    tick(client_for("ada"), post, world, "0A")
    asked = [MilestoneRequest.get_by_id(row.id) for row in asked]
    assert [row.outcome for row in asked] == ["confirmed", ""] and asked[0].decided_by == world.ada
    assert Event.get(Event.verb == "milestone.answered").target == world.ann.ref
    assert not OutboxEmail.select().exists(), "Ann has no account"


# --- Somebody else was first ----------------------------------------------------------------------------------------------


def sent_by(client, world, *names, how):
    """What a browser sends that still shows the page as it is now."""
    form = next(form for form in forms(client.get(world.url)) if "m" in form.values)
    return {**form.values, **dict.fromkeys(names, "on"), "state": how}


def test_what_somebody_else_marked_is_not_overwritten(world, client_for):
    ada = client_for("ada")
    sent = sent_by(ada, world, "0A", "1B", how="completed")
    actions.mark(world.fair, [world.ann], "waived", actor=world.mo)
    answer = ada.post(world.url, data=sent)
    assert answer.status_code == 409
    words = text_of(answer)
    assert "Somebody else was first: nothing was marked" in words and "Ann Adams Job fair Completed Waived: Mo Merlin" in words
    assert 'name=0A aria-labelledby="0 A w" checked' in answer.text and 'name=1B aria-labelledby="1 B o" checked' in answer.text
    assert (state(world.fair, world.ann), state(world.form, world.bea)) == ("waived", None), "all of it or nothing"
    again = next(form for form in forms(answer) if "m" in form.values).values
    assert ada.post(world.url, data={**again, "state": "completed"}).status_code == 303
    assert (state(world.fair, world.ann), state(world.form, world.bea)) == ("completed", "completed")


def test_a_row_that_changed_below_the_page_is_a_conflict_too(world, client_for):
    ada = client_for("ada")
    sent = sent_by(ada, world, "0", how="waived")
    actions.mark(world.fair, [world.ann], "completed", actor=world.mo)
    assert ada.post(world.url, data=sent).status_code == 409
    assert state(world.fair, world.ann) == "completed" and state(world.form, world.ann) is None


def test_two_who_want_the_same_do_not_meet(world, client_for):
    ada = client_for("ada")
    sent = sent_by(ada, world, "0A", how="completed")
    actions.mark(world.fair, [world.ann], "completed", actor=world.mo)
    assert ada.post(world.url, data=sent).status_code == 303
    assert StudentMilestone.get().marked_by == world.mo


# --- Bad input ------------------------------------------------------------------------------------------------------------


def test_foreign_references_in_the_grid_are_missing_ones(world, client_for):
    ada = client_for("ada")
    stranger, elsewhere = factories.student(), factories.milestone(factories.cohort())
    draft = factories.milestone(world.cohort, saved=False)
    sent = sent_by(ada, world, "0A", how="completed")
    missing = ada.post(world.url, data={**sent, "m": ["0000000000", world.form.ref]})
    assert missing.status_code == 404
    versions = f"{world.ann.ref}.0.0 {stranger.ref}.0.0"
    for forged in ({"m": [elsewhere.ref, world.form.ref]}, {"m": [draft.ref, world.form.ref]}, {"s": versions}):
        answer = ada.post(world.url, data={**sent, **forged})
        assert answer.status_code == 404 and len(answer.data) == len(missing.data), forged
    assert not StudentMilestone.select().exists()


@pytest.mark.parametrize(
    "forged",
    [
        {"state": "expelled"}, {"state": ""}, {"s": ""}, {"s": "x"}, {"s": "' OR 1=1 --"}, {"m": []},
        {"s": "A.9999999999.0"}, {"99A": "on"}, {"0ZZ": "on"}, {"C": "on"}, {"2": "on"},
    ],
)  # fmt: skip
def test_what_no_page_of_ours_sends_is_missing(world, client_for, forged):
    ada = client_for("ada")
    sent = sent_by(ada, world, "0A", how="completed")
    assert ada.post(world.url, data={**sent, **forged}).status_code == 404
    assert not StudentMilestone.select().exists()


def test_a_milestone_removed_meanwhile_is_missing(world, client_for):
    ada = client_for("ada")
    sent = sent_by(ada, world, "0A", how="completed")
    actions.remove_milestone(world.fair, actor=world.ada)
    assert ada.post(world.url, data=sent).status_code == 404
    with pytest.raises(permissions.NotVisible):
        actions.mark(world.fair, [world.ann], "completed", actor=world.ada)
    assert not StudentMilestone.select().exists()


def test_an_archived_cohort_is_read_only(world, client_for):
    ada = client_for("ada")
    actions.mark(world.fair, [world.ann], "waived", actor=world.ada)
    sent = sent_by(ada, world, "0A", how="completed")
    type(world.cohort).update(archived_at=clock.now(), archived_by=world.ada).execute()
    page = ada.get(world.url)
    assert "Waived" in text_of(page) and "type=checkbox" not in page.text
    assert ada.post(world.url, data=sent).status_code == 422
    with pytest.raises(permissions.NotVisible):
        actions.mark(world.fair, [world.ann], "completed", actor=world.gil)
    assert state(world.fair, world.ann) == "waived"


def test_nobody_marks_a_student_who_is_not_in_the_cohort(app, world):
    for actor in (world.ada, world.gil):
        with pytest.raises(permissions.NotVisible):
            actions.mark(world.fair, [world.ann, factories.student()], "completed", actor=actor)
    with pytest.raises(ValueError, match="is not a state"):
        actions.mark(world.fair, [world.ann], "asked", actor=world.ada)
    assert not StudentMilestone.select().exists()


@pytest.mark.parametrize("who", ["kay", "sam", "oli", "rae", "stu"])
def test_marking_is_for_those_who_support(app, world, who):
    with pytest.raises((permissions.NotVisible, permissions.Denied)):
        actions.mark(world.fair, [world.ann], "completed", actor=getattr(world, who))
    assert not StudentMilestone.select().exists()


def test_columns_have_letters():
    assert [letters(place) for place in (0, 1, 25, 26, 27, 701, 702)] == ["A", "B", "Z", "AA", "AB", "ZZ", "AAA"]


# --- Everybody at once ------------------------------------------------------------------------------------------------------


def test_mark_everybody_for_whom_it_is_open(world, client_for, post):
    ada, address = client_for("ada"), f"{world.url}/{world.fair.ref}"
    actions.mark(world.fair, [world.ann], "waived", actor=world.mo)
    assert "Mark Completed for 1 student" in ada.get(address).text
    assert post(ada, address, {"state": "completed"}).status_code == 303
    assert (state(world.fair, world.ann), state(world.fair, world.bea)) == ("waived", "completed")
    assert "It is open for nobody." in text_of(ada.get(address))


def test_mark_everybody_repeats_the_number(world, client_for, post):
    ada, address = client_for("ada"), f"{world.url}/{world.fair.ref}"
    for number in ("1", "", "two"):
        answer = post(ada, address, {"state": "waived", "number": number})
        assert answer.status_code == 409 and "Nothing was marked" in text_of(answer)
    for wanted in ("open", "expelled"):
        assert post(ada, address, {"state": wanted}).status_code == 404
    assert ada.get(f"{world.url}/0000000000").status_code == 404
    assert not StudentMilestone.select().exists()


# --- Filters, chart, exports --------------------------------------------------------------------------------------------------


def names(client, address):
    return [name for name in ("Ann Adams", "Bea Brown") if f">{name}</a>" in client.get(address).text]


def test_filters(world, client_for):
    ada = client_for("ada")
    actions.mark(world.fair, [world.ann], "completed", actor=world.ada)
    actions.mark(world.form, [world.bea], "waived", actor=world.ada)
    MilestoneRequest.create(milestone=world.form, student=world.ann)
    for query, found in {
        "": ["Ann Adams", "Bea Brown"],
        "q=bro": ["Bea Brown"],
        "state=completed": ["Ann Adams"],
        "state=waived": ["Bea Brown"],
        "state=overdue": ["Bea Brown"],
        "state=asked": ["Ann Adams"],
        f"state=open&milestone={world.form.ref}": ["Ann Adams"],
        f"state=completed&milestone={world.form.ref}": [],
        "state=nonsense&milestone=0000000000": ["Ann Adams", "Bea Brown"],
        "q=%00%25": [],
    }.items():
        assert names(ada, f"{world.url}?{query}") == found, query


def test_the_chart_counts(world, client_for):
    actions.mark(world.fair, [world.ann, world.bea], "completed", actor=world.ada)
    actions.mark(world.form, [world.bea], "waived", actor=world.ada)
    MilestoneRequest.create(milestone=world.form, student=world.ann)
    page = client_for("ada").get(f"{world.url}/chart")
    words = text_of(page)
    assert "<svg role=\"img\"" in page.text and "Job fair 13 Nov 2026 2 0 0 0 100 %" in words
    assert "Hand in the form 14 Nov 2026 0 1 1 1 50 %" in words


def test_export(world, client_for):
    world.ann.change(1, first_name="=Ann")
    actions.mark(world.form, [world.ann], "waived", actor=world.ada)
    ada = client_for("ada")
    csv = ada.get(f"{world.url}/export.csv").data.decode("utf-8-sig").splitlines()
    assert csv[0] == "Student,Year group,Tutor group,Job fair,Hand in the form"
    assert csv[1] == "'=Ann Adams,,,Overdue,Waived" and csv[2] == "Bea Brown,,,Overdue,Open"
    assert len(ada.get(f"{world.url}/export.csv?q=bea").data.decode().splitlines()) == 2
    said = Event.select().where(Event.verb == "cohort.exported").order_by(Event.id).get()
    assert said.target == world.cohort.ref and '"count": 2' in said.data and world.ann.ref not in said.data


# --- Nobody else, and what it costs ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["kay", "gil", "mo", "sam", "oli", "rae", "stu"])
def test_nobody_but_admins_finds_it(world, client_for, post, who):
    client = client_for(who)
    for address in ("", "/chart", f"/{world.fair.ref}", "/export.csv"):
        assert client.get(world.url + address).status_code == 404, address
    sent = {"state": "completed", "m": world.fair.ref, "s": f"{world.ann.ref}.0", "0A": "on"}
    assert post(client, world.url, sent, form_url="/").status_code == 404
    assert post(client, f"{world.url}/{world.fair.ref}", {"state": "completed", "number": "2"}, form_url="/").status_code == 404
    assert not StudentMilestone.select().exists()


def test_the_grid_is_light_and_asks_no_more_for_more(world, client_for, count_queries):
    ada = client_for("ada")
    ada.get(world.url)
    with count_queries(most=10) as few:
        ada.get(world.url)
    students = [factories.student("Bartholomew", f"Featherstonehaugh{n}") for n in range(60)]
    for one in students:
        CohortStudent.create(cohort=world.cohort, student=one, added_by=world.ada)
    rows = [factories.milestone(world.cohort, f"See the advisor, part {n}", due_on=TODAY) for n in range(10)]
    for row in rows[:6]:
        actions.mark(row, students, "completed", actor=world.ada)
    with count_queries(most=10) as many:
        page = ada.get(world.url)
    assert len(many) - len(few) <= 1, "one for the number of students, where there are several pages"
    assert len(page.data) <= 60_000, f"{len(page.data)} bytes"
