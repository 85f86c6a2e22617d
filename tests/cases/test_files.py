"""Files of a case follow the case: read and add for everybody who sees it, remove for who added it or manages."""

import io

import pytest

import permissions
from blueprints.cases import actions
from models import Case, CaseStaff, Event, Notification, StoredFile
from tests import factories
from tests.web import text_of

OUTSIDERS = ["oli", "ken", "rae", "stu"]


@pytest.fixture
def case(cast):
    """Opened by Kay; Sam and Gil are assigned and only add to it."""
    return factories.case(cast.student, opened_by=cast.kay, staff=[cast.sam, cast.gil])


@pytest.fixture
def url(case):
    return f"/cases/{case.ref}"


def text_file(name="note.txt", content=b"It was nothing.\n"):
    return (io.BytesIO(content), name)


@pytest.fixture
def stored(client_for, post, url):
    """A file that Sam added."""
    sent = {"files": text_file("état <b>1.txt")}
    assert post(client_for("sam"), f"{url}/files", sent).location == f"{url}#files"
    return StoredFile.get()


def close(case):
    Case.update(status="Closed").where(Case.id == case.id).execute()


def test_whoever_sees_the_case_reads_its_files_and_that_is_recorded(cast, case, client_for, url, stored):
    assert "état _b_1.txt" in text_of(client_for("gil").get(url))
    answer = client_for("gil").get(f"{url}/files/{stored.ref}", buffered=True)
    assert answer.data == b"It was nothing.\n"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert answer.headers["Cache-Control"] == "no-store"
    event = Event.get(Event.verb == "case.file_read")
    assert (event.actor, event.target, event.reasons) == (cast.gil, case.ref, "assigned") and stored.ref in event.data
    assert (stored.case, stored.incident) == (case, None)
    assert "état" not in Event.get(Event.verb == "case.file_added").data
    assert {(row.account, row.detail) for row in Notification.select()} == {(cast.gil, "file")}


def test_several_files_are_taken_or_none(case, client_for, post, url):
    client = client_for("sam")
    assert post(client, f"{url}/files", {"files": [text_file("a.txt"), text_file("b.txt")]}).status_code == 303
    assert StoredFile.select().count() == 2
    assert post(client, f"{url}/files", {"files": [text_file("c.txt"), text_file("d.exe", b"MZ" + b"\0" * 90)]}).status_code == 422
    assert StoredFile.select().count() == 2


@pytest.mark.parametrize("who", OUTSIDERS)
def test_others_meet_a_missing_file(client_for, post, url, stored, who):
    client = client_for(who)
    assert client.get(f"{url}/files").status_code == client.get(f"{url}/files/{stored.ref}").status_code == 404
    assert client.get(f"/cases/C-ZZZZZZ/files/{stored.ref}").status_code == 404
    assert post(client, f"{url}/files", {"files": text_file()}, form_url="/").status_code == 404
    assert post(client, f"{url}/files/{stored.ref}/removal", form_url="/").status_code == 404
    assert StoredFile.select().where(StoredFile.removed_at.is_null()).count() == 1


def test_a_file_is_not_reached_through_another_record(cast, client_for, post, stored):
    own = factories.case(opened_by=cast.kay, staff=[cast.oli])
    incident = factories.incident(cast.oli, [cast.student])
    client = client_for("oli")
    for record in (f"/cases/{own.ref}", f"/incidents/{incident.ref}"):
        assert client.get(f"{record}/files/{stored.ref}").status_code == 404
        assert post(client, f"{record}/files/{stored.ref}/removal", form_url="/").status_code == 404
    assert client.get(f"/cases/{own.ref}/files/%00").status_code == 404


def test_a_file_of_an_incident_is_not_reached_through_a_linked_case(cast, case, client_for, url):
    incident = factories.incident(cast.oli, [cast.student])
    kept = StoredFile.create(
        incident=incident, name="a.txt", path_name="aa/x", media_type="text/plain", size=1, sha256="", uploaded_by=cast.oli
    )
    assert client_for("kay").get(f"{url}/files/{kept.ref}").status_code == 404


def test_access_that_ended_ends_for_files(cast, client_for, url, stored):
    client = client_for("sam")
    assert client.get(f"{url}/files/{stored.ref}", buffered=True).status_code == 200
    CaseStaff.delete().where(CaseStaff.account == cast.sam).execute()
    assert client.get(f"{url}/files/{stored.ref}").status_code == 404


def test_removing_keeps_the_bytes(cast, app, case, client_for, post, url, stored):
    where = f"{url}/files/{stored.ref}/removal"
    assert post(client_for("gil"), where, form_url=url).status_code == 403
    with pytest.raises(permissions.Denied):
        actions.remove_file(case, stored, actor=cast.gil)
    assert post(client_for("kay"), where, form_url=url).location == f"{url}#files"
    row = StoredFile.get()
    assert row.removed_by == cast.kay and (app.settings.instance / "files" / row.path_name).exists()
    assert Event.get(Event.verb == "case.file_removed").actor == cast.kay
    assert client_for("sam").get(f"{url}/files/{row.ref}").status_code == 404
    assert post(client_for("kay"), where, form_url=url).status_code == 404
    assert "état" not in client_for("sam").get(url).get_data(as_text=True)


def test_who_added_a_file_removes_it(client_for, post, url, stored):
    assert post(client_for("sam"), f"{url}/files/{stored.ref}/removal", form_url=url).status_code == 303
    assert StoredFile.get().removed_at


def test_what_cannot_be_taken_is_said_at_the_field(app, client_for, post, url):
    client = client_for("sam")
    for file, sentence in (
        (text_file("a.exe", b"MZ" + b"\0" * 90), "a.exe"),
        (text_file("empty.txt", b""), "empty.txt is empty"),
        (text_file("big.txt", b"x" * (25 * 1024 * 1024 + 1)), "A file can be at most 25 MB."),
    ):
        answer = post(client, f"{url}/files", {"files": file})
        assert answer.status_code == 422 and sentence in answer.get_data(as_text=True)
    assert post(client, f"{url}/files", {}).status_code == 422
    assert post(client, f"{url}/files", {"files": [text_file(f"{n}.txt") for n in range(11)]}).status_code == 422
    assert not StoredFile.select().exists() and not list((app.settings.instance / "files").glob("*/*"))


def test_the_quota_counts_the_files_of_cases_and_incidents_together(app, client_for, post, url, stored, monkeypatch):
    monkeypatch.setattr("blueprints.incidents.queries.choices.QUOTA", stored.size + 3)
    answer = post(client_for("sam"), f"{url}/files", {"files": text_file("more.txt")})
    assert answer.status_code == 422 and "there is room for 3 bytes only" in text_of(answer)
    assert StoredFile.select().count() == 1


def test_a_closed_case_takes_no_file_and_gives_none_up(cast, app, case, client_for, post, url, stored):
    close(case)
    client = client_for("sam")
    assert "This case is closed. Reopen it first." in text_of(client.get(f"{url}/files"))
    answer = post(client, f"{url}/files", {"files": text_file("late.txt")}, form_url="/")
    assert answer.status_code == 422 and "This case is closed. Reopen it first." in text_of(answer)
    assert post(client, f"{url}/files/{stored.ref}/removal", form_url="/").status_code == 303
    assert StoredFile.select().count() == 1 and StoredFile.get().removed_at is None
    assert len(list((app.settings.instance / "files").glob("*/*"))) == 1, "bytes of a refused file are not kept"
    assert client.get(f"{url}/files/{stored.ref}", buffered=True).status_code == 200


def test_bytes_that_are_gone_are_a_missing_page(app, client_for, url, stored):
    (app.settings.instance / "files" / stored.path_name).unlink()
    assert client_for("sam").get(f"{url}/files/{stored.ref}").status_code == 404
