"""Status and Assigned to: who may, the emails, two people at once, and the module switched off."""

from datetime import date

import pytest

import permissions
import tasks
from blueprints.incidents import actions, queries
from models import (
    Account,
    BulkClosing,
    BulkClosingNotice,
    Conflict,
    Event,
    GroupMember,
    Incident,
    IncidentAlert,
    IncidentAssignment,
    IncidentClosure,
    OutboxEmail,
    School,
)
from tests import factories
from tests.web import forms, text_of


@pytest.fixture
def url(world):
    return f"/incidents/{world.incident.ref}"


def load(world, who="kay"):
    return queries.incident(getattr(world.cast, who), world.incident.ref, audit=False)


def assign(world, to, who="kay", **changes):
    row = load(world, who)
    return actions.assign(row, to, **{"actor": getattr(world.cast, who), "version": row.version} | changes)


# --- Rules -----------------------------------------------------------------------------------------------------------


def test_assigning_is_kept_and_emailed_once(world, again):
    cast = world.cast
    assign(world, cast.ken)
    assign(world, cast.ken)
    assert again(world.incident).assigned_to == cast.ken
    assert [(row.to, row.assigned_by) for row in IncidentAssignment.select()] == [(cast.ken, cast.kay)]
    assert [(mail.kind, mail.account) for mail in OutboxEmail.select()] == [("incident_assigned", cast.ken)]
    assign(world, None)
    assert again(world.incident).assigned_to is None
    assert [event.verb for event in Event.select()] == ["incident.assigned"] * 2


def test_assigning_oneself_emails_nobody(world):
    assign(world, world.cast.kay)
    assert OutboxEmail.select().count() == 0


@pytest.mark.parametrize("who", ["sam", "oli", "rae", "stu", "gil"])
def test_only_key_users_assign_and_close(world, who):
    person = getattr(world.cast, who)
    expected = permissions.Denied if who == "sam" else permissions.NotVisible
    with pytest.raises(expected):
        actions.assign(world.incident, world.cast.ken, actor=person, version=1)
    with pytest.raises(expected):
        actions.set_status(world.incident, "Closed", actor=person, version=1)


def test_nothing_while_the_module_is_off(world):
    School.update(cases_module=False).execute()
    with pytest.raises(permissions.NotVisible):
        actions.assign(world.incident, world.cast.ken, actor=world.cast.kay, version=1)
    with pytest.raises(permissions.NotVisible):
        actions.set_status(world.incident, "Closed", actor=world.cast.kay, version=1)


@pytest.mark.parametrize("who", ["sam", "rae", "stu"])
def test_assigning_to_anybody_else_is_refused(world, who):
    with pytest.raises(actions.Refused):
        assign(world, getattr(world.cast, who))
    assert IncidentAssignment.select().count() == 0


def test_the_loser_of_a_race_is_told(world):
    assign(world, world.cast.ken)
    with pytest.raises(Conflict) as conflict:
        assign(world, world.cast.ada, version=1)
    assert conflict.value.row.assigned_to == world.cast.ken
    with pytest.raises(Conflict):
        actions.set_status(load(world), "Closed", actor=world.cast.kay, version=1)


def test_assigning_past_a_need_to_know_group_is_confirmed(world, again):
    cast = world.cast
    GroupMember.create(group=cast.counselling, account=cast.kay)
    secret = factories.incident(cast.sam, [(cast.student, [world.disclosure])])
    row = queries.incident(cast.kay, secret.ref, audit=False)
    with pytest.raises(actions.Unconfirmed) as question:
        actions.assign(row, cast.ken, actor=cast.kay, version=1)
    assert question.value.people == [cast.ken]
    actions.assign(row, cast.ken, actor=cast.kay, version=1, confirmed=question.value.confirmation)
    assert permissions.incident_reasons(cast.ken, row) == ["assigned"]


@pytest.fixture
def mixed(world):
    """Stu's part is need-to-know, Bea's is not: Kay and Ken see the incident through Bea alone."""
    bea = factories.student("Bea", "Finch")
    parts = [(world.cast.student, [world.disclosure]), (bea, [world.bullying])]
    return factories.incident(world.cast.sam, parts)


def parts_seen(person, row):
    return len(queries.parts(person, queries.incident(person, row.ref, audit=False)))


@pytest.mark.parametrize("whom", ["kay", "ken"])
def test_whoever_sees_a_part_lets_nobody_into_the_rest(world, mixed, whom, client_for, post):
    """Not themselves either; and the answer is the one about somebody who is excluded, so that it tells of no other part."""
    cast, person = world.cast, getattr(world.cast, whom)
    assigning = lambda: actions.assign(mixed, person, actor=cast.kay, version=1)  # noqa: E731
    alerting = lambda: actions.alert(mixed, [person], [], actor=cast.kay)  # noqa: E731
    for give, verb in ((assigning, "be assigned"), (alerting, "be alerted to")):
        with pytest.raises(actions.Refused) as told:
            give()
        assert told.value.sentence == f"{person.name} can't {verb} this incident. Choose somebody else."
    answer = post(client_for("kay"), f"/incidents/{mixed.ref}/assignment", {"assigned_to": person.ref})
    assert answer.status_code == 422 and "need-to-know" not in text_of(answer) and "Sturgeon" not in text_of(answer)
    assert parts_seen(person, mixed) == 1
    actions.assign(mixed, cast.ada, actor=cast.kay, version=1)  # sees all of it anyway


def test_a_group_is_no_way_round_it(world, mixed, client_for):
    cast = world.cast
    team = factories.group("Year tutors", members=[cast.kay])
    with pytest.raises(actions.Refused):
        actions.alert(mixed, [], [team], actor=cast.kay)
    preview = f"/incidents/{mixed.ref}/access-preview?alert_ref=g:{team.ref}&alert_ref=a:{cast.oli.ref}"
    kay, sam = text_of(client_for("kay").get(preview)), text_of(client_for("sam").get(preview))
    assert "need-to-know" not in kay and "Outside the need-to-know group of its category: Kay Kestrel, Oli Ouzel" in sam
    actions.alert(mixed, [], [cast.counselling], actor=cast.kay)  # Gil reads Stu's part as it is
    assert parts_seen(cast.kay, mixed) == 1


def test_whoever_sees_a_part_and_would_see_all_is_named_before(world, mixed):
    cast = world.cast
    with pytest.raises(actions.Unconfirmed) as question:
        actions.assign(mixed, cast.ken, actor=cast.ada, version=1)
    assert question.value.people == [cast.ken]
    actions.assign(mixed, cast.ken, actor=cast.ada, version=1, confirmed=question.value.confirmation)
    assert parts_seen(cast.ken, mixed) == 2


def test_closing_and_reopening_leave_records(world, again):
    cast = world.cast
    actions.set_status(load(world), "Closed", actor=cast.kay, version=1)
    (closure,) = IncidentClosure.select()
    assert again(world.incident).status == "Closed" and closure.closed_by == cast.kay
    with pytest.raises(actions.Refused) as refused:
        actions.set_status(load(world), "Active", actor=cast.ken, version=2)
    assert refused.value.field == "reason"
    actions.set_status(load(world), "Active", actor=cast.ken, version=2, reason="It went on.")
    closure = again(closure)
    assert (closure.reopened_by, closure.reopen_reason) == (cast.ken, "It went on.")
    assert again(world.incident).status == "Active"


def test_closed_leaves_my_assigned_and_reopened_comes_back(world):
    assign(world, world.cast.ken)
    assert [row.ref for row in queries.my_assigned(world.cast.ken)] == [world.incident.ref]
    actions.set_status(load(world), "Closed", actor=world.cast.ken, version=2)
    assert list(queries.my_assigned(world.cast.ken)) == []
    actions.set_status(load(world), "Active", actor=world.cast.ken, version=3, reason="Again.")
    assert [row.ref for row in queries.my_assigned(world.cast.ken)] == [world.incident.ref]


def test_notices_of_bulk_closings_are_shown_until_seen(world):
    cast = world.cast
    closing = BulkClosing.create(closed_by=cast.ada, from_day=date(2026, 1, 1), to_day=date(2026, 6, 30), count=3)
    BulkClosingNotice.create(bulk_closing=closing, account=cast.ken, count=2)
    (notice,) = queries.bulk_notices(cast.ken)
    assert (notice.count, notice.closed_by, notice.to_day) == (2, "Ada Adler", date(2026, 6, 30))
    assert queries.bulk_notices(cast.kay) == []
    actions.see_bulk_notices(actor=cast.kay)
    assert queries.bulk_notices(cast.ken)
    actions.see_bulk_notices(actor=cast.ken)
    assert queries.bulk_notices(cast.ken) == []


@pytest.mark.parametrize("many, told", [(2, [1]), (1, [])])
def test_a_notice_counts_nothing_that_is_closed_to_its_reader(world, many, told):
    """Ken was excluded from one of the students, before the closing or after it."""
    cast, bea = world.cast, factories.student("Bea", "Finch")
    closing = BulkClosing.create(closed_by=cast.ada, from_day=date(2026, 1, 1), to_day=date(2026, 6, 30), count=many)
    BulkClosingNotice.create(bulk_closing=closing, account=cast.ken, count=many)
    for student in [bea, cast.student][:many]:
        row = factories.incident(cast.sam, [student], assigned_to=cast.ken)
        IncidentClosure.create(incident=row, closed_by=cast.ada, bulk_closing=closing)
    factories.exclusion(cast.ken, cast.ada, student=bea)
    assert [notice.count for notice in queries.bulk_notices(cast.ken)] == told


# --- Pages -----------------------------------------------------------------------------------------------------------


def test_kay_assigns_on_the_page(world, client_for, post, url, again):
    client = client_for("kay")
    (form,) = [form for form in forms(client.get(f"{url}/assignment")) if "assigned_to" in form.controls]
    cast = world.cast
    assert form.choices["assigned_to"] == ["", cast.ada.ref, cast.kay.ref, cast.ken.ref]
    answer = post(client, f"{url}/assignment", {"assigned_to": cast.ken.ref})
    assert answer.status_code == 303 and answer.location == url
    page = text_of(client.get(url))
    assert "Assigned to: Ken Kittiwake" in page and "assigned it to Ken Kittiwake" in page


def test_kay_closes_and_reopens_on_the_page(world, client_for, post, url, again):
    factories.action(world.incident, world.cast.sam, text="Ring home")
    client = client_for("kay")
    assert "1 action is still open" in text_of(client.get(f"{url}/status"))
    assert post(client, f"{url}/status", {"status": "Closed"}).status_code == 303
    assert "Status: Closed" in text_of(client.get(url))
    answer = post(client, f"{url}/status", {"status": "Active"})
    assert answer.status_code == 422 and "Say why" in text_of(answer)
    assert post(client, f"{url}/status", {"status": "Active", "reason": "It went on."}).status_code == 303
    assert "made it Active again: It went on." in text_of(client.get(url))
    assert post(client, f"{url}/status", {"status": "Gone"}).status_code == 422


@pytest.mark.parametrize("page", ["assignment", "status"])
def test_others_get_403_for_what_they_see_and_404_for_the_rest(world, client_for, post, url, again, page):
    sent = {"assigned_to": world.cast.ken.ref, "status": "Closed", "version": "1"}
    for who, code in (("sam", 403), ("oli", 404), ("gil", 404), ("rae", 404), ("stu", 404)):
        client = client_for(who)
        assert client.get(f"{url}/{page}").status_code == code
        assert post(client, f"{url}/{page}", sent, form_url="/").status_code == code
    assert (again(world.incident).assigned_to, again(world.incident).status) == (None, "Active")


@pytest.mark.parametrize("page", ["assignment", "status"])
def test_the_addresses_are_gone_without_the_module(world, client_for, post, url, again, page):
    factories.incident(world.cast.sam, [world.cast.student], assigned_to=world.cast.kay)
    School.update(cases_module=False).execute()
    client = client_for("kay")
    assert client.get(f"{url}/{page}").status_code == 404
    sent = {"assigned_to": world.cast.ken.ref, "status": "Closed", "version": "1"}
    assert post(client, f"{url}/{page}", sent, form_url="/").status_code == 404
    assert again(world.incident).version == 1
    School.update(cases_module=True).execute()
    assert client.get(f"{url}/{page}").status_code == 200


@pytest.mark.parametrize("forged", ["sam", "stu", "unknown", "group", "inactive"])
def test_a_forged_choice_is_refused_at_the_field(world, client_for, post, url, again, forged):
    cast = world.cast
    Account.update(is_active=False).where(Account.id == cast.ken.id).execute()
    ref = {"sam": cast.sam.ref, "stu": cast.stu.ref, "unknown": "ZZZZZZZZZZ", "group": cast.counselling.ref,
           "inactive": cast.ken.ref}[forged]  # fmt: skip
    answer = post(client_for("kay"), f"{url}/assignment", {"assigned_to": ref})
    assert answer.status_code == 422 and 'aria-invalid="true"' in answer.get_data(as_text=True)
    assert ("Ken Kittiwake was deactivated" in text_of(answer)) == (forged == "inactive")
    assert again(world.incident).assigned_to is None


def test_the_second_of_two_sees_what_stands_now_and_keeps_the_choice(world, client_for, post, url, again):
    cast, client = world.cast, client_for("kay")
    (form,) = [form for form in forms(client.get(f"{url}/assignment")) if "assigned_to" in form.controls]
    assign(world, cast.ken, who="ada")
    answer = client.post(f"{url}/assignment", data={**form.values, "assigned_to": cast.kay.ref})
    assert answer.status_code == 409 and "It is now assigned to Ken Kittiwake" in text_of(answer)
    assert again(world.incident).assigned_to == cast.ken
    (form,) = [form for form in forms(answer) if "assigned_to" in form.controls]
    assert form.values["assigned_to"] == [cast.kay.ref]
    assert client.post(f"{url}/assignment", data=form.values).status_code == 303
    assert again(world.incident).assigned_to == cast.kay


def test_a_conflict_about_status_says_what_stands_now(world, client_for, url, again):
    client = client_for("kay")
    (form,) = [form for form in forms(client.get(f"{url}/status")) if "status" in form.controls]
    actions.set_status(load(world, "ada"), "Closed", actor=world.cast.ada, version=1)
    answer = client.post(f"{url}/status", data={**form.values, "status": "Closed"})
    assert answer.status_code == 409 and "Its status is now Closed" in text_of(answer)


def test_the_confirmation_on_the_page(world, client_for, post, again):
    cast = world.cast
    secret = factories.incident(cast.sam, [(cast.student, [world.disclosure])])
    client, where = client_for("ada"), f"/incidents/{secret.ref}/assignment"
    answer = post(client, where, {"assigned_to": cast.ken.ref})
    assert answer.status_code == 422 and "Ken Kittiwake" in text_of(answer)
    (form,) = [form for form in forms(answer) if "assigned_to" in form.controls]
    assert client.post(where, data=form.values).status_code == 422
    assert client.post(where, data={**form.values, "confirmed": form.choices["confirmed"]}).status_code == 303
    assert again(secret).assigned_to == cast.ken


# --- Emails ----------------------------------------------------------------------------------------------------------


def test_the_email_says_nothing_and_links(world, app, smtp, client_for, post, url):
    post(client_for("kay"), f"{url}/assignment", {"assigned_to": world.cast.ken.ref})
    with app.app_context():
        tasks.deliver()
    (mail,) = smtp.wait_for(1)
    assert mail.to == [world.cast.ken.email] and f"{app.settings.base_url}{url}" in mail.text
    raw = mail.raw.decode()
    for word in ("Stu", "Sturgeon", "Sam", "Swift", "Bullying", "lockers", "Corridor"):
        assert word not in raw


@pytest.mark.parametrize("change", ["unassigned", "deactivated", "demoted", "excluded", "module"])
def test_what_is_over_when_it_is_sent_is_not_sent(world, app, smtp, change):
    cast = world.cast
    assign(world, cast.ken)
    if change == "unassigned":
        assign(world, None)
    elif change == "deactivated":
        Account.update(is_active=False).where(Account.id == cast.ken.id).execute()
    elif change == "demoted":
        Account.update(role=permissions.STAFF).where(Account.id == cast.ken.id).execute()
    elif change == "excluded":
        factories.exclusion(cast.ken, cast.ada, incident=world.incident)
    else:
        School.update(cases_module=False).execute()
    with app.app_context():
        tasks.deliver()
    assert smtp.messages == [] and OutboxEmail.get().dropped_at


def test_nothing_else_is_touched(world):
    assign(world, world.cast.ken)
    assert IncidentAlert.select().count() == 0 and Incident.get_by_id(world.incident.id).text_version == 1
