"""Who is late with a task is told once, and emails about tasks say nothing."""

from datetime import timedelta

import pytest

import events
import tasks as background
from blueprints.cases import actions
from extensions import db
from models import Account, Notification, NotificationChoice, OutboxEmail, School, Student, Task
from tests import factories


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


def overdue_told():
    return [(row.account.name.split()[0], row.target, row.detail) for row in Notification.select().where(Notification.kind == "task_overdue")]


def test_who_is_late_is_told_once_for_a_task_and_its_date(cast, ann, task, today):
    day = task.due_on
    assert actions.queue_overdue_tasks(day) == 0, "it is due today, not overdue"
    assert actions.queue_overdue_tasks(day + timedelta(days=1)) == 1
    assert actions.queue_overdue_tasks(day + timedelta(days=1)) == actions.queue_overdue_tasks(day + timedelta(days=2)) == 0
    assert overdue_told() == [("Gil", task.ref, day.isoformat())] and OutboxEmail.get().kind == "task_overdue"
    Task.update(due_on=day + timedelta(days=5)).execute()
    assert actions.queue_overdue_tasks(day + timedelta(days=6)) == 1
    assert actions.queue_overdue_tasks(day + timedelta(days=7)) == 0 and len(overdue_told()) == 2


def test_who_wants_no_email_is_told_once_as_well(cast, task):
    NotificationChoice.create(account=cast.gil, kind="task_overdue", choice=events.NEVER)
    for days in (1, 1, 2):
        actions.queue_overdue_tasks(task.due_on + timedelta(days=days))
    assert len(overdue_told()) == 1 and not OutboxEmail.select().exists()


@pytest.mark.parametrize("why", ["done", "cancelled", "long ago", "left", "excluded", "no date"])
def test_who_is_not_told(cast, ann, task, why):
    day = task.due_on + timedelta(days=1)
    if why == "done":
        Task.update(state="completed").execute()
    elif why == "cancelled":
        Task.update(state="cancelled").execute()
    elif why == "long ago":
        day += timedelta(days=7)
    elif why == "left":
        Account.update(is_active=False).where(Account.id == cast.gil.id).execute()
    elif why == "no date":
        Task.update(due_on=None).execute()
    else:
        factories.exclusion(cast.gil, cast.ada, student=ann)
    assert actions.queue_overdue_tasks(day) == 0 and overdue_told() == []


def test_the_sweep_reminds_from_the_schools_hour_on(app, cast, task, clock):
    School.update(alert_hour=7, timezone="Europe/London").execute()
    start = clock.now().replace(hour=5, minute=30, second=0, microsecond=0)
    Task.update(due_on=start.date() - timedelta(days=1)).execute()
    clock.freeze(start)
    with app.app_context():
        background.sweep()
        assert overdue_told() == []
        clock.move(hours=3)
        background.sweep()
    assert len(overdue_told()) == 1


def test_emails_name_nobody_and_go_to_who_still_has_the_task(app, cast, ann, smtp, clock):
    Student.update(first_name="Zacharia").execute()
    with db.atomic():
        row = actions.set_task(actor=cast.sam, student=ann, title="Secret title", assigned_to=cast.gil, due_on=factories.today())
        other = actions.set_task(actor=cast.sam, student=ann, title="Secret title", assigned_to=cast.oli, notes="Secret notes")
    actions.queue_overdue_tasks(factories.today() + timedelta(days=1))
    Task.update(assigned_to=cast.sam).where(Task.id == other.id).execute()
    with app.app_context():
        background.deliver()
    assert {(one.to[0], one.subject) for one in smtp.messages} == {
        ("gil@school.example.org", "A task was assigned to you"), ("gil@school.example.org", "A task of yours is overdue"),
    }  # fmt: skip
    for one in smtp.messages:
        assert row.ref in one.text and "Secret" not in one.raw.decode() and "Zacharia" not in one.raw.decode()
    assert OutboxEmail.get(OutboxEmail.account == cast.oli).dropped_why
