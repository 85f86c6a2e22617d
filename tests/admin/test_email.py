"""Admin > Email: the state of the queue, and having a failed one tried again."""

from datetime import timedelta

import pytest

import permissions
from blueprints.admin import actions, queries
from extensions import clock, db
from models import Event, OutboxEmail
from tests import factories
from tests.web import text_of

URL = "/admin/email"


@pytest.fixture
def world(cast):
    now = clock.now()

    def email(number, **fields):
        fields.setdefault("is_waiting", False)
        return OutboxEmail.create(kind="incident_assigned", account=cast.kay, target="I-7K3FQ2", message_id=f"m{number}", **fields)

    cast.waiting = email(1, is_waiting=True, created_at=now - timedelta(hours=2), last_error="451 busy")
    cast.failed = email(2, failed_at=now - timedelta(days=20), last_error="550 no such mailbox", attempts=3)
    cast.dropped = email(3, dropped_at=now, dropped_why="the incident is not assigned to this account any more")
    cast.sent = email(4, sent_at=now)
    email(5, sent_at=now - timedelta(days=8))
    return cast


def test_counts(world):
    state = queries.email_state(world.ada)
    assert (state.waiting, state.failed, state.dropped, state.sent) == (1, 1, 1, 1)
    assert clock.now() - state.oldest > timedelta(hours=1)


def test_a_failed_email_is_tried_again(world):
    assert actions.retry_email("m2", actor=world.ada)
    row = OutboxEmail.get_by_id(world.failed.id)
    assert row.is_waiting and row.failed_at is None and row.attempts == 0 and row.next_try_at <= clock.now()
    assert Event.get(Event.verb == "email.retried").actor_id == world.ada.id


@pytest.mark.parametrize("key", ["m1", "m3", "m4"])
def test_what_has_not_failed_is_left_alone(world, key):
    assert actions.retry_email(key, actor=world.ada) is None
    assert not Event.select().where(Event.verb == "email.retried").exists()


def test_nobody_else(world):
    for person in (world.oli, world.kay, world.rae, world.stu):
        with pytest.raises(permissions.Denied):
            actions.retry_email("m2", actor=person)
        with pytest.raises(permissions.Denied):
            queries.email_state(person)


def test_the_pages(world, client_for, post):
    ada = client_for("ada")
    text = text_of(ada.get(URL))
    assert "550 no such mailbox" in text and "Kay Kestrel" in text and "I-7K3FQ2" not in text
    assert "451 busy" in text_of(ada.get(f"{URL}?state=waiting"))
    assert "not assigned to this account any more" in text_of(ada.get(f"{URL}?state=dropped"))
    assert "1 email" in text_of(ada.get(f"{URL}?state=sent"))
    assert ada.get(f"{URL}?state=lost").status_code == 404
    assert "could not be sent" in text_of(ada.get("/admin"))
    done = post(ada, f"{URL}/m2/retry", form_url=URL, follow=True)
    assert "waits to be sent again" in text_of(done)
    assert post(ada, f"{URL}/zz/retry", form_url="/account").status_code == 404


@pytest.mark.settings(CASEWARD_SMTP="")
def test_without_a_mail_server_the_page_says_so(world, client_for):
    assert "No mail server is configured" in text_of(client_for("ada").get(URL))
    assert "No mail server is configured" in text_of(client_for("ada").get("/admin"))


def test_who_may_not(world, client_for, post):
    for who, status in (("oli", 403), ("kay", 403), ("rae", 404), ("stu", 404)):
        client = client_for(who)
        assert client.get(URL).status_code == status and client.get(f"{URL}.csv").status_code == status
        assert post(client, f"{URL}/m2/retry", form_url="/account").status_code == 404


def test_export_and_cost(world, client_for, count_queries):
    ada = client_for("ada")
    with ada.get(f"{URL}.csv?state=failed") as file:
        assert "550 no such mailbox" in file.text
    with db.atomic():
        for number in range(120):
            OutboxEmail.create(kind="action_due", account=world.kay, message_id=f"n{number}", failed_at=clock.now(), is_waiting=False)
    with count_queries(most=10):
        assert "1–50 of 121 emails" in text_of(ada.get(URL))


def test_emails_to_a_student_are_closed_to_an_admin_who_is_excluded_from_them(world, client_for):
    OutboxEmail.create(kind="milestone_reminder", account=world.stu, target="x", message_id="m9", sent_at=clock.now(), is_waiting=False)
    ada, pages = client_for("ada"), (f"{URL}?state=sent", f"{URL}.csv?state=sent")
    assert all("Stu Sturgeon" in ada.get(page).text for page in pages)
    factories.exclusion(world.ada, world.kay, student=world.student)
    assert not any("Stu Sturgeon" in ada.get(page).text for page in pages)
    assert "Kay Kestrel" in ada.get(pages[0]).text
