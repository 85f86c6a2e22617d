"""Bulk Management: what the preview shows is what closes, or nothing closes at all."""

from datetime import UTC, date, datetime

import pytest

import permissions
from blueprints.admin import actions, queries
from extensions import db
from models import (
    BulkClosing,
    BulkClosingNotice,
    Event,
    Incident,
    IncidentClosure,
    OutboxEmail,
    School,
)
from tests.factories import account, action, exclusion, incident, student
from tests.web import forms, text_of

URL = "/admin/bulk-closing"
OCTOBER = (date(2026, 10, 1), date(2026, 10, 31))
FRAME = {"from": "2026-10-01", "to": "2026-10-31"}


@pytest.fixture
def world(cast, clock):
    """Four Active incidents in October by London's clock, one before, one after, one closed already."""
    clock.freeze(datetime(2026, 11, 20, 12, tzinfo=UTC))

    def at(*moment, **options):
        return incident(cast.sam, happened_at=datetime(2026, *moment, tzinfo=UTC), **options)

    cast.october = [
        at(9, 30, 23, 0, assigned_to=cast.kay),  # midnight of 1 October in London
        at(10, 10, 9, assigned_to=cast.kay),
        at(10, 20, 9, assigned_to=cast.ken),
        at(10, 31, 23, 59),
    ]
    cast.others = [at(9, 30, 22, 59), at(11, 1, 0, 0), at(10, 5, 9, status="Closed")]
    action(cast.october[1], cast.sam, person=cast.kay)
    action(cast.october[2], cast.sam, done_at=clock.now())
    return cast


def closed():
    return {ref for (ref,) in Incident.select(Incident.ref).where(Incident.status == "Closed").tuples()}


def look(actor, *days):
    return queries.preview(actor, *(days or OCTOBER), url=str)[0]


def close(world, actor=None):
    found = look(actor or world.ada)
    return actions.close_between(*OCTOBER, found.count, found.digest, actor=actor or world.ada)


# --- The rule --------------------------------------------------------------------------------------------------------


def test_the_preview_says_how_many_whose_and_with_open_actions(world):
    found, page = queries.preview(world.ada, *OCTOBER, url=str)
    assert found.count == 4 and found.open_actions == 1
    assert found.assignees == [("Kay Kestrel", 2), (None, 1), ("Ken Kittiwake", 1)]
    assert [row.ref for row in page] == [row.ref for row in world.october]


def test_what_was_previewed_closes_and_nothing_else(world, clock):
    before = closed()
    closing = close(world)
    assert closed() - before == {row.ref for row in world.october}
    closures = list(IncidentClosure.select().where(IncidentClosure.bulk_closing == closing))
    assert {row.incident_id for row in closures} == {row.id for row in world.october}
    assert all(row.closed_by_id == world.ada.id and row.closed_at == clock.now() for row in closures)
    assert all(row.reopened_at is None and row.reopen_reason == "" for row in closures)
    assert (closing.count, closing.from_day, closing.to_day) == (4, *OCTOBER)
    assert Incident.get_by_id(world.october[0].id).version == world.october[0].version + 1
    assert Incident.get_by_id(world.others[0].id).version == world.others[0].version


def test_it_is_recorded_tells_assignees_and_emails_nobody(world):
    closing = close(world)
    event = Event.get(Event.verb == "incident.bulk_closed")
    assert (event.actor_id, event.target) == (world.ada.id, closing.ref)
    assert '"count": 4' in event.data and '"from_day": "2026-10-01"' in event.data
    assert Event.select().where(Event.verb == "incident.bulk_closing_previewed").count() == 1
    notices = {row.account_id: row.count for row in BulkClosingNotice.select()}
    assert notices == {world.kay.id: 2, world.ken.id: 1}
    assert OutboxEmail.select().count() == 0


def test_days_go_by_the_school_clock(world):
    School.update(timezone="America/New_York").execute()
    assert look(world.ada).count == 4  # the one of 1 November 00:00 UTC came, the first went
    assert look(world.ada, date(2026, 9, 30), date(2026, 9, 30)).count == 2


def test_incidents_closed_to_the_actor_are_left_out(world):
    someone = student("Eve")
    kept = incident(world.sam, [someone], happened_at=datetime(2026, 10, 15, tzinfo=UTC))
    exclusion(world.ada, world.kay, student=someone)
    exclusion(world.ada, world.kay, incident=world.october[3])
    closing = close(world)
    assert closing.count == 3
    assert Incident.get_by_id(kept.id).status == Incident.get_by_id(world.october[3].id).status == "Active"


def test_an_admin_who_is_excluded_from_an_incident_counts_it_in_no_closing(world):
    close(world)
    closing = BulkClosing.get()
    other = account(role=permissions.ADMIN)
    exclusion(other, world.kay, incident=world.october[3])
    assert [row.count for row in queries.bulk_closings(other, 1)] == [queries.bulk_closing(other, closing.ref).count] == [3]
    assert len(queries.closed_incidents(other, closing.ref, 1)) == 3
    for row in world.october[:3]:
        exclusion(other, world.kay, incident=row)
    assert list(queries.bulk_closings(other, 1)) == []
    with pytest.raises(permissions.NotVisible):
        queries.bulk_closing(other, closing.ref)
    assert queries.bulk_closing(world.ada, closing.ref).count == 4


@pytest.mark.parametrize("off_by", [-1, 1, 100])
def test_another_number_closes_nothing(world, off_by):
    found = look(world.ada)
    with pytest.raises(actions.SetChanged):
        actions.close_between(*OCTOBER, found.count + off_by, found.digest, actor=world.ada)
    nothing_happened(world)


def test_a_set_that_changed_closes_nothing(world):
    found = look(world.ada)
    Incident.update(status="Closed").where(Incident.id == world.october[0].id).execute()
    incident(world.sam, happened_at=datetime(2026, 10, 15, tzinfo=UTC))  # the number is the same again
    with pytest.raises(actions.SetChanged):
        actions.close_between(*OCTOBER, found.count, found.digest, actor=world.ada)
    assert not BulkClosing.select().exists()


def nothing_happened(world):
    assert closed() == {world.others[2].ref}
    assert not BulkClosing.select().exists() and not BulkClosingNotice.select().exists()
    assert not IncidentClosure.select().where(IncidentClosure.bulk_closing.is_null(False)).exists()
    assert not Event.select().where(Event.verb == "incident.bulk_closed").exists()


@pytest.mark.parametrize("step", ["_leave_notices", "digest_of"])
def test_broken_off_in_the_middle_nothing_is_half_done(world, monkeypatch, step):
    found = look(world.ada)

    def power_cut(*_):
        raise RuntimeError("power cut")

    monkeypatch.setattr(f"blueprints.admin.actions.bulk_closing.{step}", power_cut)
    with pytest.raises(RuntimeError):
        actions.close_between(*OCTOBER, found.count, found.digest, actor=world.ada)
    nothing_happened(world)


def test_only_admin_key_holders_and_only_with_the_module(world):
    found = look(world.ada)
    for person in (world.oli, world.kay, world.sam, world.rae, world.stu):
        with pytest.raises(permissions.Denied):
            actions.close_between(*OCTOBER, found.count, found.digest, actor=person)
    School.update(cases_module=False).execute()
    with pytest.raises(permissions.NotVisible):
        actions.close_between(*OCTOBER, found.count, found.digest, actor=world.ada)
    nothing_happened(world)


def test_a_single_one_can_be_reopened_afterwards(world):
    from blueprints.incidents import actions as incident_actions

    close(world)
    row = Incident.get_by_id(world.october[0].id)
    incident_actions.set_status(row, "Active", actor=world.kay, version=row.version, reason="Closed by mistake")
    assert Incident.get_by_id(row.id).status == "Active"
    assert look(world.ada).count == 1


# --- The page --------------------------------------------------------------------------------------------------------


def test_from_the_time_frame_to_closed(world, client_for, post):
    ada = client_for("ada")
    page = ada.get(URL)
    assert "Bulk Management" in text_of(page) and "irreversible" in text_of(page)
    assert [control for form in forms(page) for control in form.controls if form.action == URL] == ["from", "to"]
    preview = ada.get(URL, query_string=FRAME)
    text = text_of(preview)
    assert "4 Active incidents" in text and "1 of them still has open actions" in text
    assert "Number of incidents" in text and "Update Status To Closed" in text
    confirm = next(form for form in forms(preview) if form.id == "confirm")
    assert confirm.values["number"] == [""]
    address = f"{URL}?from=2026-10-01&to=2026-10-31"
    response = post(ada, URL, {"number": "4"}, form_url=address, form="confirm")
    assert response.status_code == 303
    record = ada.get(response.location)
    assert "4 incidents closed." in text_of(record) and world.october[0].ref in record.get_data(as_text=True)
    assert "Past bulk closings" in text_of(ada.get(URL))
    assert text_of(ada.get(address)).count("Nothing to close") == 1


def test_a_number_that_differs_previews_again(world, client_for, post):
    ada = client_for("ada")
    for number, status, sentence in (
        ("3", 422, "You typed 3. 4 incidents would be closed"),
        ("", 422, "Type how many incidents will be closed."),
        ("four", 422, "Write a whole number."),
    ):
        page = post(ada, URL, {"number": number}, form_url=f"{URL}?from=2026-10-01&to=2026-10-31", form="confirm")
        assert page.status_code == status and sentence in text_of(page)
        assert "4 Active incidents" in text_of(page) and 'aria-invalid="true"' in page.get_data(as_text=True)
    nothing_happened(world)


def test_a_set_that_changed_previews_again(world, client_for, post):
    ada = client_for("ada")
    page = ada.get(URL, query_string=FRAME)
    digest = next(form for form in forms(page) if form.id == "confirm").values["digest"][0]
    incident(world.sam, happened_at=datetime(2026, 10, 15, tzinfo=UTC))
    address = f"{URL}?from=2026-10-01&to=2026-10-31"
    again = post(ada, URL, {"number": "4", "digest": digest}, form_url=address, form="confirm")
    assert again.status_code == 409
    assert "changed meanwhile" in text_of(again) and "5 Active incidents" in text_of(again)
    nothing_happened(world)


@pytest.mark.parametrize(
    ("frame", "sentence"),
    [
        ({"from": "2026-10-31", "to": "2026-10-01"}, "This day is before the day in From."),
        ({"from": "2026-02-31", "to": "2026-10-01"}, "is not a date"),
        ({"from": "2026-10-01", "to": ""}, "Say to which day."),
        ({"from": "2026-10-01", "to": "2027-01-01"}, "This day is in the future."),
    ],
)
def test_impossible_time_frames(world, client_for, post, frame, sentence):
    ada = client_for("ada")
    page = ada.get(URL, query_string=frame)
    assert page.status_code == 422 and sentence in text_of(page)
    forged = post(ada, URL, frame | {"number": "4", "digest": ""}, form_url="/admin")
    assert forged.status_code == 422 and sentence in text_of(forged)
    assert ada.get(f"{URL}.csv", query_string=frame).status_code == 422
    nothing_happened(world)


def test_who_may_not(world, client_for, post):
    closing = close(world)
    pages = (URL, f"{URL}?from=2026-10-01&to=2026-10-31", f"{URL}.csv?from=2026-10-01&to=2026-10-31")
    for who, status in (("oli", 403), ("kay", 403), ("mo", 403), ("rae", 404), ("stu", 404)):
        client = client_for(who)
        for url in pages:
            assert client.get(url).status_code == status, (who, url)
        assert client.get(f"{URL}/{closing.ref}").status_code == 404
        assert client.get(f"{URL}/{closing.ref}.csv").status_code == 404
        sent = post(client, URL, FRAME | {"number": "4", "digest": "x"}, form_url="/account")
        assert sent.status_code == status


def test_without_the_cases_module_it_is_not_there(world, client_for, post):
    ada = client_for("ada")
    closing = close(world)
    School.update(cases_module=False).execute()
    for url in (URL, f"{URL}?from=2026-10-01&to=2026-10-31", f"{URL}/{closing.ref}", f"{URL}/{closing.ref}.csv"):
        assert ada.get(url).status_code == 404
    assert post(ada, URL, FRAME | {"number": "4", "digest": "x"}, form_url="/account").status_code == 404
    assert "Bulk Management" not in text_of(ada.get("/admin"))
    School.update(cases_module=True).execute()
    assert ada.get(f"{URL}/{closing.ref}").status_code == 200


def test_exports_of_the_preview_and_of_what_was_closed(world, client_for):
    ada = client_for("ada")
    with ada.get(f"{URL}.csv", query_string=FRAME) as file:
        assert len(file.text.splitlines()) == 5
    closing = close(world)
    with ada.get(f"{URL}/{closing.ref}.xlsx") as file:
        assert file.status_code == 200
    assert Event.select().where(Event.verb == "incident.exported").count() == 2


def test_the_page_of_a_bulk_closing_shows_only_what_one_may_see(world, client_for):
    closing = close(world)
    exclusion(world.ada, world.kay, incident=world.october[0])
    body = client_for("ada").get(f"{URL}/{closing.ref}").get_data(as_text=True)
    assert world.october[0].ref not in body and world.october[1].ref in body
    assert client_for("ada").get(f"{URL}/ZZZZZZZZZZ").status_code == 404


def test_the_cost_does_not_grow_with_the_number(world, client_for, count_queries):
    ada = client_for("ada")
    ada.get(URL, query_string=FRAME)
    with count_queries(most=10) as few:
        ada.get(URL, query_string=FRAME)
    with db.atomic():
        for _ in range(80):
            incident(world.sam, happened_at=datetime(2026, 10, 15, tzinfo=UTC), assigned_to=world.kay)
    with count_queries(most=10) as many:
        ada.get(URL, query_string=FRAME)
    assert len(many) == len(few)
    found = look(world.ada)
    with count_queries(most=10):
        actions.close_between(*OCTOBER, found.count, found.digest, actor=world.ada)
