"""Lists of tasks and their files, the dashboard, and what they cost."""

from datetime import timedelta

import pytest

from extensions import clock
from models import Event, Task, TaskNote
from tests import factories
from tests.web import text_of


@pytest.fixture
def ann(cast):
    return factories.student("Ann", "Finch", year_group="7")


@pytest.fixture
def today():
    return factories.today()


@pytest.fixture
def task(cast, ann, today):
    """Sam set it for Gil."""
    return factories.task(ann, cast.gil, cast.sam, notes="She likes to be rung after four.", due_on=today + timedelta(days=3))


def test_mine_set_by_me_and_all(cast, ann, task, client_for, today):
    own = factories.task(ann, cast.sam, cast.kay, "Own work", due_on=today - timedelta(days=1))
    done = factories.task(ann, cast.sam, cast.sam, "Old work", state="completed", ended_at=clock.now(), ended_by=cast.sam)
    client = client_for("sam")

    def titles(address):
        page = client.get(address).get_data(as_text=True)
        return {one.title for one in (own, done, task) if f">{one.title}</a>" in page}

    assert titles("/tasks") == {"Own work"}
    assert titles("/tasks?list=set") == {"Ring the family"}
    assert titles("/tasks?list=all") == {"Own work", "Ring the family"}
    assert titles("/tasks?list=all&state=any") == {"Own work", "Ring the family", "Old work"}
    assert titles("/tasks?list=all&state=completed") == {"Old work"}
    assert titles("/tasks?list=all&state=overdue") == {"Own work"}
    assert titles("/tasks?list=all&q=ring+finch") == {"Ring the family"}
    assert titles("/tasks?list=all&q=RING%25") == set()
    assert titles(f"/tasks?list=all&from={today}") == {"Ring the family"}
    assert titles(f"/tasks?list=all&to={today}") == {"Own work"}
    assert titles("/tasks?list=all&from=nonsense&page=x&list=none") == {"Own work", "Ring the family"}
    assert titles(f"/students/{ann.ref}/tasks") == {"Own work", "Ring the family", "Old work"}
    assert titles(f"/students/{ann.ref}/tasks?state=completed") == {"Old work"}
    assert titles(f"/students/{cast.student.ref}/tasks") == set()
    shown = text_of(client.get("/tasks"))
    assert "Overdue" in shown and "1 task" in shown


@pytest.mark.parametrize("who", ["oli", "kay"])
def test_others_tasks_are_in_nobodys_list(ann, task, client_for, who):
    client = client_for(who)
    for page in ("/tasks?list=all&state=any", "/tasks?list=set", f"/students/{ann.ref}/tasks", "/tasks/export.csv?list=all&state=any", "/"):
        assert "Ring the family" not in client.get(page, buffered=True).get_data(as_text=True)


def test_the_files_hold_what_the_list_shows(cast, ann, task, client_for):
    Task.update(title="=1+1").execute()
    client = client_for("gil")
    rows = client.get("/tasks/export.csv", buffered=True).get_data(as_text=True).splitlines()
    assert rows[0].endswith("Task,Student,Title,Assigned to,Due date,State,Repeats,Set by,Set,Ended,Notes")
    assert "Ann Finch,'=1+1,Gil Gannet" in rows[1] and "She likes" in rows[1] and len(rows) == 2
    assert client.get("/tasks/export.xlsx", buffered=True).status_code == 200
    assert len(client.get(f"/students/{ann.ref}/tasks/export.csv", buffered=True).get_data(as_text=True).splitlines()) == 2
    assert len(client.get(f"/students/{cast.student.ref}/tasks/export.csv", buffered=True).get_data(as_text=True).splitlines()) == 1
    assert {event.target for event in Event.select().where(Event.verb == "task.exported")} == {"", ann.ref, cast.student.ref}


def test_whoever_is_kept_from_the_student_meets_nothing_of_it(cast, ann, task, client_for):
    factories.task(ann, cast.ada, cast.sam, "For Ada")
    for person in (cast.gil, cast.ada):
        factories.exclusion(person, cast.ada, student=ann)
        client = client_for(person)
        for page in ("/tasks?list=all&state=any", "/", "/tasks/export.csv?list=all", "/notifications"):
            shown = client.get(page, buffered=True).get_data(as_text=True)
            assert "Ring the family" not in shown and "For Ada" not in shown
        assert client.get(f"/tasks/{task.ref}").status_code == 404


def test_the_dashboard_lists_my_open_tasks_the_next_first(cast, ann, client_for, today):
    later = factories.task(ann, cast.oli, cast.sam, "Later", due_on=today + timedelta(days=9))
    some_day = factories.task(ann, cast.oli, cast.sam, "Some day")
    late = factories.task(ann, cast.oli, cast.sam, "Late", due_on=today - timedelta(days=1))
    factories.task(ann, cast.oli, cast.sam, "Done", state="completed")
    page = client_for("oli").get("/").get_data(as_text=True)
    assert 'id="my-tasks"' in page and ">My tasks</span>" in page and ">Done</a>" not in page
    places = [page.index(f"/tasks/{one.ref}") for one in (late, later, some_day)]
    assert places == sorted(places) and "Overdue" in page
    assert 'id="my-tasks"' not in client_for("sam").get("/").get_data(as_text=True)
    assert '"tasks": 3' in Event.get((Event.verb == "incident.listed") & (Event.actor == cast.oli)).data


def test_pages_cost_the_same_whatever_is_on_them(cast, ann, task, client_for, count_queries):
    client = client_for("gil")
    pages = ("/tasks", "/tasks?list=all&state=any&q=ring", f"/students/{ann.ref}/tasks", f"/tasks/{task.ref}", "/tasks/new")

    def cost():
        found = []
        for page in pages:
            client.get(page)
            with count_queries(most=10) as queries:
                assert client.get(page).status_code == 200
            found.append(len(queries))
        return found

    before = cost()
    for number in range(20):
        factories.task(ann, cast.gil, cast.sam, f"Ring {number}")
        TaskNote.create(task=task, author=cast.sam, text=f"Note {number}")
    assert cost() == before
