"""Tasks that repeat: on which day the next one is due, and that completing one makes exactly one."""

from datetime import date, timedelta

import pytest

from blueprints.cases import actions
from blueprints.cases.repeating import next_due
from models import Account, Case, CaseRecord, Event, Notification, Student, Task, Trigger
from tests import factories
from tests.web import text_of


@pytest.fixture
def ann(cast):
    return factories.student("Ann", "Finch")


def series(ann, cast, repeats="weekly", due_on=date(2026, 3, 2), **fields):
    return factories.task(ann, cast.gil, cast.sam, due_on=due_on, repeats=repeats, **fields)


def complete(task, who, day):
    return actions.complete_task(task, today=day, actor=who, version=Task.get_by_id(task.id).version).successor


@pytest.mark.parametrize(("due_on", "repeats", "today", "expected"), [
    ("2026-03-02", "weekly", "2026-03-02", "2026-03-09"),
    ("2026-03-02", "weekly", "2026-02-20", "2026-03-09"),
    ("2026-03-02", "weekly", "2026-03-08", "2026-03-09"),
    ("2026-03-02", "weekly", "2026-03-09", "2026-03-09"),
    ("2026-03-02", "weekly", "2026-03-10", "2026-03-16"),
    ("2026-03-02", "fortnightly", "2026-03-05", "2026-03-16"),
    ("2026-03-02", "fortnightly", "2026-03-17", "2026-03-30"),
    ("2026-03-02", "monthly", "2026-03-02", "2026-04-02"),
    ("2026-01-31", "monthly", "2026-01-31", "2026-02-28"),
    ("2028-01-31", "monthly", "2028-01-31", "2028-02-29"),
    ("2026-12-15", "monthly", "2026-12-15", "2027-01-15"),
    ("2026-01-31", "monthly", "2026-03-05", "2026-03-31"),
    ("2026-10-25", "weekly", "2026-10-25", "2026-11-01"),  # the clocks change: days are days
])  # fmt: skip
def test_the_day_of_the_next_one(due_on, repeats, today, expected):
    assert next_due(date.fromisoformat(due_on), repeats, date.fromisoformat(today)) == date.fromisoformat(expected)


def test_no_series_ever_stands_still_or_goes_back():
    for repeats in ("weekly", "fortnightly", "monthly"):
        for days in range(0, 400, 7):
            due_on, today = date(2027, 12, 31), date(2027, 12, 1) + timedelta(days=days)
            found = next_due(due_on, repeats, today)
            assert found > due_on and found >= today
            assert repeats == "monthly" or (found - due_on).days % (7 if repeats == "weekly" else 14) == 0


@pytest.mark.parametrize(("first", "expected"), [
    (date(2026, 1, 31), ["2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"]),
    (date(2026, 1, 30), ["2026-02-28", "2026-03-30", "2026-04-30", "2026-05-30"]),
    (date(2026, 1, 28), ["2026-02-28", "2026-03-28", "2026-04-28", "2026-05-28"]),
])  # fmt: skip
def test_a_monthly_series_keeps_its_day_through_short_months(cast, ann, first, expected):
    task, found = series(ann, cast, "monthly", first), []
    for _ in expected:
        task = complete(task, cast.gil, task.due_on)
        found.append(task.due_on.isoformat())
    assert found == expected


def test_a_month_that_is_skipped_does_not_shorten_the_series(cast, ann):
    april = complete(series(ann, cast, "monthly", date(2026, 3, 31)), cast.gil, date(2026, 3, 31))
    june = complete(april, cast.gil, date(2026, 6, 2))
    assert (april.due_on, june.due_on) == (date(2026, 4, 30), date(2026, 6, 30))
    assert complete(june, cast.gil, date(2026, 6, 30)).due_on == date(2026, 7, 31)


def test_completing_one_makes_the_next(cast, ann, client_for, post, clock):
    clock.freeze(clock.now())
    today = factories.today()
    task = series(ann, cast, due_on=today, notes="After four.", title="Ring home")
    client = client_for("gil")
    answer = post(client, f"/tasks/{task.ref}/completion", form_url=f"/tasks/{task.ref}")
    new = Task.get(Task.follows == task.id)
    assert (new.student, new.assigned_to, new.set_by, new.title) == (ann, cast.gil, cast.sam, "Ring home")
    assert (new.notes, new.repeats, new.state, new.due_on) == ("After four.", "weekly", "open", today + timedelta(days=7))
    assert "The next one is due on" in text_of(client.get(answer.location))
    assert f"/tasks/{new.ref}" in client.get("/tasks").get_data(as_text=True)
    assert "completed the task before it; this one followed." in text_of(client.get(f"/tasks/{new.ref}"))
    assert task.ref in Event.get((Event.verb == "task.set") & (Event.target == new.ref)).data
    assert not Notification.select().exists(), "Gil has done it himself"


def test_whoever_else_completes_it_tells_the_assignee_of_the_next(cast, ann):
    complete(series(ann, cast), cast.sam, date(2026, 3, 2))
    assert [(row.account, row.kind) for row in Notification.select()] == [(cast.gil, "task_assigned")]


def test_completing_it_again_makes_no_second(cast, ann):
    task = series(ann, cast)
    assert complete(task, cast.gil, date(2026, 3, 2))
    actions.reopen_task(task, actor=cast.gil, version=2)
    assert complete(task, cast.gil, date(2026, 3, 2)) is None
    assert Task.select().count() == 2


def test_cancelling_ends_the_series(cast, ann):
    actions.cancel_task(series(ann, cast), actor=cast.gil, version=1)
    assert Task.select().count() == 1


def test_nothing_follows_for_a_student_who_left(cast, ann):
    task = series(ann, cast)
    Student.update(is_active=False).where(Student.id == ann.id).execute()
    assert complete(task, cast.gil, date(2026, 3, 2)) is None
    assert Task.get_by_id(task.id).state == "completed" and Task.select().count() == 1


@pytest.mark.parametrize("gone", ["assignee", "assignee and setter"])
def test_who_cannot_be_given_the_next_one_is_replaced(cast, ann, gone):
    task = series(ann, cast)
    Account.update(is_active=False).where(Account.id == cast.gil.id).execute()
    if gone != "assignee":
        factories.exclusion(cast.sam, cast.ada, student=ann)
    new = complete(task, cast.ada, date(2026, 3, 2))
    expected = cast.sam if gone == "assignee" else cast.ada
    assert (new.assigned_to, new.set_by) == (expected, expected)


def test_the_next_one_triggers_alike(cast, ann):
    task = series(ann, cast)
    Trigger.update(is_on=True).where(Trigger.kind == "task").execute()
    new = complete(task, cast.gil, date(2026, 3, 2))
    record = CaseRecord.get()
    assert (record.record_id, record.how) == (new.id, "opened") and Case.get().student == ann
    newer = complete(new, cast.gil, date(2026, 3, 9))
    assert CaseRecord.get(CaseRecord.record_id == newer.id).how == "joined" and Case.select().count() == 1


def test_the_next_one_stays_on_the_open_cases_the_last_was_put_onto(cast, ann):
    task, cases = series(ann, cast), [factories.case(ann, cast.kay), factories.case(ann, cast.kay, status="Closed")]
    for case in cases:
        CaseRecord.create(case=case, kind="task", record_id=task.id, record=task.ref, how="linked", by=cast.kay)
    new = complete(task, cast.gil, date(2026, 3, 2))
    assert [record.case for record in CaseRecord.select().where(CaseRecord.record_id == new.id)] == [cases[0]]
    assert Event.get(Event.verb == "case.record_linked").target == cases[0].ref


def test_two_who_complete_it_at_once_make_one(cast, ann, client_for, post):
    task = series(ann, cast, due_on=factories.today())
    url = f"/tasks/{task.ref}"
    codes = [post(client_for(who), f"{url}/completion", {"version": "1"}, form_url=url).status_code for who in ("gil", "sam")]
    assert codes == [303, 409] and Task.select().count() == 2


@pytest.mark.parametrize("who", ["oli", "kay", "rae", "stu"])
def test_others_complete_nothing(cast, ann, client_for, post, who):
    task = series(ann, cast)
    assert post(client_for(who), f"/tasks/{task.ref}/completion", {"version": "1"}, form_url="/").status_code == 404
    assert Task.select().count() == 1
