"""Files of an incident follow the incident: read, add and remove, and never past its rules."""

import io

import pytest

from models import Event, IncidentAlert, StoredFile
from tests import factories


@pytest.fixture
def url(world):
    return f"/incidents/{world.incident.ref}"


@pytest.fixture
def stored(client_for, post, url):
    """A file that Sam added."""
    sent = {"files": (io.BytesIO(b"He said that it was nothing.\n"), "état <b>1.txt")}
    assert post(client_for("sam"), f"{url}/files", sent).status_code == 303
    return StoredFile.get()


def test_whoever_reads_the_incident_reads_its_files_and_that_is_recorded(world, client_for, url, stored):
    answer = client_for("kay").get(f"{url}/files/{stored.ref}", buffered=True)
    assert answer.data == b"He said that it was nothing.\n"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "no-store"
    event = Event.get(Event.verb == "incident.file_read")
    assert event.actor == world.cast.kay and event.target == world.incident.ref and stored.ref in event.data


@pytest.mark.parametrize("who", ["oli", "gil", "rae", "stu"])
def test_others_meet_a_missing_file(world, client_for, post, url, stored, who):
    client = client_for(who)
    assert client.get(f"{url}/files/{stored.ref}").status_code == 404
    assert client.get(f"/incidents/I-ZZZZZZ/files/{stored.ref}").status_code == 404
    sent = {"files": (io.BytesIO(b"x"), "x.txt")}
    assert post(client, f"{url}/files", sent, form_url="/").status_code == 404
    assert post(client, f"{url}/files/{stored.ref}/removal", form_url="/").status_code == 404
    assert StoredFile.select().where(StoredFile.removed_at.is_null()).count() == 1


def test_a_file_is_not_reached_through_another_incident(world, client_for, stored):
    own = factories.incident(world.cast.oli, [world.cast.student])
    assert client_for("oli").get(f"/incidents/{own.ref}/files/{stored.ref}").status_code == 404


def test_access_that_ended_ends_for_files(world, client_for, url, stored):
    alert = IncidentAlert.create(incident=world.incident, account=world.cast.oli, alerted_by=world.cast.sam)
    client = client_for("oli")
    assert client.get(f"{url}/files/{stored.ref}", buffered=True).status_code == 200
    alert.delete_instance()
    assert client.get(f"{url}/files/{stored.ref}").status_code == 404


def test_removing_keeps_the_bytes(world, app, client_for, post, url, stored):
    IncidentAlert.create(incident=world.incident, account=world.cast.oli, alerted_by=world.cast.sam)
    where = f"{url}/files/{stored.ref}/removal"
    assert post(client_for("oli"), where, form_url=url).status_code == 403
    assert post(client_for("kay"), where, form_url=url).status_code == 303
    row = StoredFile.get()
    assert row.removed_by == world.cast.kay
    assert (app.settings.instance / "files" / row.path_name).exists()
    assert client_for("sam").get(f"{url}/files/{row.ref}").status_code == 404
    assert post(client_for("kay"), where, form_url=url).status_code == 404


def test_what_cannot_be_taken_is_said_at_the_field(world, client_for, post, url):
    client = client_for("sam")
    for file, sentence in (((io.BytesIO(b"MZ" + b"\0" * 90), "a.exe"), "a.exe"),
                           ((io.BytesIO(b""), "empty.txt"), "empty.txt is empty")):  # fmt: skip
        answer = post(client, f"{url}/files", {"files": file})
        assert answer.status_code == 422 and sentence in answer.get_data(as_text=True)
    assert post(client, f"{url}/files", {}).status_code == 422
    assert StoredFile.select().count() == 0


def test_bytes_that_are_gone_are_a_missing_page(app, client_for, url, stored):
    (app.settings.instance / "files" / stored.path_name).unlink()
    assert client_for("kay").get(f"{url}/files/{stored.ref}").status_code == 404
