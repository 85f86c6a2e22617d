"""Actions: adding, letting their person in, done and open again, and the email on the day they are due."""

from datetime import UTC, date, datetime, timedelta

import pytest

import permissions
import tasks
from blueprints.incidents import actions
from models import Account, Conflict, IncidentAction, IncidentAlert, OutboxEmail, School
from tests import factories
from tests.web import forms, text_of


@pytest.fixture
def url(world):
    return f"/incidents/{world.incident.ref}"


def form_with(page, name):
    return next(form for form in forms(page) if form.method == "post" and name in form.controls)


def test_whoever_reads_adds_an_action(world, client_for, post, url, clock):
    client = client_for("sam")
    assert post(client, f"{url}/actions", {"text": "Ring home", "person": "kay kestrel"}).status_code == 303
    (action,) = IncidentAction.select()
    assert (action.text, action.author, action.person) == ("Ring home", world.cast.sam, world.cast.kay)
    page = text_of(client.get(url))
    assert "Ring home" in page and "Open" in page
    for wrong in ({"text": ""}, {"person": "Nobody Here"}, {"person_ref": "a:ZZZZZZZZZZ"},
                  {"person_ref": f"g:{world.cast.counselling.ref}"}, {"person": "Counselling"},
                  {"due_on": "2026-02-31"}, {"due_on": "2020-01-01"}):  # fmt: skip
        assert post(client, f"{url}/actions", {"text": "Write"} | wrong).status_code == 422, wrong
    assert IncidentAction.select().count() == 1
    for who in ("oli", "gil", "rae", "stu"):
        assert post(client_for(who), f"{url}/actions", {"text": "x"}, form_url="/").status_code == 404


def test_a_person_who_does_not_see_it_is_alerted_after_a_question(world, client_for, post, url):
    client = client_for("sam")
    answer = post(client, f"{url}/actions", {"text": "Ring home", "person": "Oli Ouzel"})
    assert answer.status_code == 422 and "alerts them" in text_of(answer) and IncidentAction.select().count() == 0
    form = form_with(answer, "due_on")
    assert form.values["text"] == ["Ring home"]
    answer = client.post(f"{url}/actions", data={**form.values, "confirmed": form.choices["confirmed"]})
    assert answer.status_code == 303
    assert permissions.incident_reasons(world.cast.oli, world.incident) == ["alerted"]
    assert [(mail.kind, mail.account) for mail in OutboxEmail.select()] == [("incident_alerted", world.cast.oli)]


def test_only_those_who_may_alert_let_somebody_in(world, client_for, post, url):
    IncidentAlert.create(incident=world.incident, account=world.cast.gil, alerted_by=world.cast.sam)
    answer = post(client_for("gil"), f"{url}/actions", {"text": "Ring", "person": "Oli Ouzel"})
    assert answer.status_code == 422 and "does not see this incident" in text_of(answer)
    assert post(client_for("gil"), f"{url}/actions", {"text": "Ring", "person": "Kay Kestrel"}).status_code == 303


def test_done_and_open_again(world, client_for, post, url, again):
    action = factories.action(world.incident, world.cast.sam, person=world.cast.gil)
    IncidentAlert.create(incident=world.incident, group=world.cast.counselling, alerted_by=world.cast.sam)
    IncidentAlert.create(incident=world.incident, account=world.cast.oli, alerted_by=world.cast.sam)
    where = f"{url}/actions/{action.ref}"
    assert post(client_for("gil"), f"{where}/completion", form_url=url).status_code == 303
    assert again(action).done_by == world.cast.gil
    assert "Done" in text_of(client_for("kay").get(url))
    assert post(client_for("oli"), f"{where}/reopening", form_url=url).status_code == 403
    assert post(client_for("kay"), f"{where}/reopening", form_url=url).status_code == 303
    assert again(action).done_at is None
    assert post(client_for("rae"), f"{where}/completion", form_url="/").status_code == 404
    assert post(client_for("kay"), f"{url}/actions/ZZZZZZZZZZ/completion", form_url=url).status_code == 404
    with pytest.raises(Conflict):
        actions.set_done(world.incident, again(action), True, actor=world.cast.kay, version=1)


def test_an_action_of_another_incident_is_not_reached_through_this_one(world, client_for, post, url, again):
    other = factories.incident(world.cast.kay, [world.cast.student])
    action = factories.action(other, world.cast.kay)
    assert post(client_for("sam"), f"{url}/actions/{action.ref}/completion", form_url=url).status_code == 404
    assert again(action).done_at is None


# --- The email -------------------------------------------------------------------------------------------------------


TODAY = date(2026, 11, 16)


def queued():
    return [(mail.account.name, mail.once) for mail in OutboxEmail.select().order_by(OutboxEmail.id)]


def test_due_actions_are_queued_once(world, again):
    cast = world.cast
    due = factories.action(world.incident, cast.sam, person=cast.kay, due_on=TODAY)
    missed = factories.action(world.incident, cast.sam, person=cast.sam, due_on=TODAY - timedelta(days=7))
    factories.action(world.incident, cast.sam, person=cast.kay, due_on=TODAY - timedelta(days=8))
    factories.action(world.incident, cast.sam, person=cast.kay, due_on=TODAY + timedelta(days=1))
    factories.action(world.incident, cast.sam, person=cast.kay, due_on=TODAY, done_at=world.incident.entered_at)
    factories.action(world.incident, cast.sam, due_on=TODAY)
    Account.update(is_active=False).where(Account.id == cast.ken.id).execute()
    factories.action(world.incident, cast.sam, person=cast.ken, due_on=TODAY)
    assert actions.queue_due_actions(TODAY) == 2
    assert actions.queue_due_actions(TODAY) == actions.queue_due_actions(TODAY + timedelta(days=0)) == 0
    assert queued() == [("Kay Kestrel", f"action_due:{due.id}:2026-11-16"),
                        ("Sam Swift", f"action_due:{missed.id}:2026-11-09")]  # fmt: skip
    IncidentAction.update(due_on=TODAY + timedelta(days=2)).where(IncidentAction.id == due.id).execute()
    assert actions.queue_due_actions(TODAY + timedelta(days=2)) == 2  # the new date, and tomorrow's that fell due


def test_it_goes_out_at_the_schools_hour(world, app, smtp, clock):
    School.update(timezone="America/New_York", alert_hour=7).execute()
    factories.action(world.incident, world.cast.sam, person=world.cast.kay, due_on=TODAY)
    for hour, minute, expected in ((11, 59, 0), (12, 0, 1), (12, 1, 1)):
        clock.freeze(datetime(2026, 11, 16, hour, minute, tzinfo=UTC))
        with app.app_context():
            tasks.remind_actions()
            tasks.deliver()
        assert len(smtp.messages) == expected
    mail = smtp.messages[0]
    assert f"/incidents/{world.incident.ref}" in mail.text and "Sturgeon" not in mail.text and "Spoke" not in mail.text


@pytest.mark.parametrize("change", ["done", "closed to them", "deactivated", "given to another"])
def test_what_is_over_is_not_sent(world, app, smtp, change):
    cast = world.cast
    action = factories.action(world.incident, cast.sam, person=cast.kay, due_on=TODAY)
    actions.queue_due_actions(TODAY)
    if change == "done":
        actions.set_done(world.incident, action, True, actor=cast.kay, version=1)
    elif change == "closed to them":
        factories.exclusion(cast.kay, cast.ada, student=cast.student)
    elif change == "deactivated":
        Account.update(is_active=False).where(Account.id == cast.kay.id).execute()
    else:
        IncidentAction.update(person=cast.ken).where(IncidentAction.id == action.id).execute()
    with app.app_context():
        tasks.deliver()
    assert smtp.messages == [] and OutboxEmail.get().dropped_why
