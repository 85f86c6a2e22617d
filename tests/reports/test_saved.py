"""Saved reports: filters under a name, run with the reader's own access."""

import pytest

import permissions
from blueprints.reports import actions, queries
from models import Conflict, Event, SavedReport
from tests.factories import category, incident, student
from tests.web import forms, text_of

URL = "/reports/incidents"


@pytest.fixture
def world(cast):
    secret = category("Self-harm", need_to_know=[cast.counselling])
    cast.plain = incident(cast.sam, [(student(), [])])
    cast.secret = incident(cast.sam, [(student(), [secret])])
    cast.report = actions.save_report("Active ones", "status=Active", True, actor=cast.kay)
    return cast


# --- The rules -------------------------------------------------------------------------------------------------------


def test_shared_ones_are_for_those_who_may_run_reports(world):
    own = actions.save_report("Mine alone", "status=Closed", False, actor=world.kay)
    mine, shared = queries.saved_reports(world.kay)
    assert [row.name for row in mine] == ["Active ones", "Mine alone"] and not shared
    mine, shared = queries.saved_reports(world.ken)
    assert not mine and [(row.name, row.owner) for row in shared] == [("Active ones", "Kay Kestrel")]
    with pytest.raises(permissions.NotVisible):
        queries.saved_report(world.ken, own.ref)
    for person in (world.oli, world.sam, world.rae, world.stu):
        with pytest.raises(permissions.Denied):
            queries.saved_report(person, world.report.ref)
        with pytest.raises(permissions.Denied):
            actions.save_report("X", "", False, actor=person)


def test_only_the_owner_changes_or_removes(world):
    for person in (world.ken, world.ada):
        with pytest.raises(permissions.Denied):
            actions.change_report(world.report, 1, name="X", is_shared=False, actor=person)
        with pytest.raises(permissions.Denied):
            actions.remove_report(world.report, actor=person)
    actions.change_report(world.report, 1, name="Open ones", is_shared=False, actor=world.kay)
    with pytest.raises(Conflict):
        actions.change_report(SavedReport.get(), 1, name="Late", is_shared=False, actor=world.kay)
    actions.remove_report(world.report, actor=world.kay)
    assert not SavedReport.select().exists()
    assert [row.verb for row in Event.select().order_by(Event.id)] == ["report.saved", "report.changed", "report.removed"]


# --- The pages -------------------------------------------------------------------------------------------------------


def test_saving_what_one_looks_at(world, client_for, post):
    kay = client_for("kay")
    address = f"{URL}?status=Active&from=&csrf_token=x&page=2&student_ref=&unassigned=y"
    page = kay.get(address)
    assert "Save report" in text_of(page)
    done = post(kay, "/reports/saved", {"name": "To assign", "is_shared": "y"}, form_url=address)
    assert done.status_code == 303
    row = SavedReport.get(SavedReport.name == "To assign")
    assert (row.query, row.is_shared, row.owner_id) == ("status=Active&unassigned=y", True, world.kay.id)
    assert "To assign" in text_of(kay.get("/reports"))


def test_a_shared_report_runs_with_the_readers_own_access(world, client_for):
    for who, sees_secret in (("ada", True), ("ken", False), ("kay", False)):
        page = client_for(who).get(f"/reports/saved/{world.report.ref}", follow_redirects=True)
        assert page.request.path == URL and page.request.args["status"] == "Active"
        assert world.plain.ref in page.text
        assert (world.secret.ref in page.text) == sees_secret


def test_a_report_without_filters_shows_everything(world, client_for):
    row = actions.save_report("All", "", False, actor=world.kay)
    page = client_for("kay").get(f"/reports/saved/{row.ref}", follow_redirects=True)
    assert "1 incident" in text_of(page)


def test_a_name_is_needed_and_the_filters_are_kept(world, client_for, post):
    kay = client_for("kay")
    refused = post(kay, "/reports/saved", {"name": " "}, form_url=f"{URL}?status=Closed")
    assert refused.status_code == 422 and "Give the report a name." in text_of(refused)
    form = next(form for form in forms(refused) if form.action == "/reports/saved")
    assert form.values["query"] == ["status=Closed"]
    assert kay.post("/reports/saved", data=form.values | {"name": "Closed ones"}).status_code == 303
    assert SavedReport.get(SavedReport.name == "Closed ones").query == "status=Closed"


def test_renaming_and_removing(world, client_for, post):
    kay = client_for("kay")
    edit = f"/reports/saved/{world.report.ref}/edit"
    assert post(kay, edit, {"name": "Open ones", "is_shared": None}).status_code == 303
    late = post(kay, edit, {"name": "Late", "version": "1"})
    assert late.status_code == 409 and "Open ones" in text_of(late) and 'value="Late"' in late.text
    assert post(kay, edit, {"name": ""}).status_code == 422
    assert post(kay, f"/reports/saved/{world.report.ref}/removal", form_url="/reports").status_code == 303
    assert not SavedReport.select().exists()


def test_who_may_not(world, client_for, post):
    base = f"/reports/saved/{world.report.ref}"
    for who in ("oli", "sam", "rae", "stu"):
        client = client_for(who)
        for url in (base, f"{base}/edit"):
            assert client.get(url).status_code == 404
        assert post(client, f"{base}/removal", form_url="/account").status_code == 404
    for who in ("oli", "sam"):
        assert post(client_for(who), "/reports/saved", {"name": "X"}, form_url="/account").status_code == 403
    assert client_for("ken").get(f"{base}/edit").status_code == 403
    assert post(client_for("ken"), f"{base}/removal", form_url="/account").status_code == 403
    assert client_for("kay").get("/reports/saved/ZZZZZZZZZZ").status_code == 404
    assert SavedReport.select().count() == 1


def test_a_hostile_query_stays_a_query(world, client_for, post):
    kay = client_for("kay")
    hostile = "status=Active&next=//evil.example&from=%0d%0aSet-Cookie:x&text=" + "y" * 3000
    post(kay, "/reports/saved", {"name": "Odd", "query": hostile}, form_url=f"{URL}?status=Active")
    row = SavedReport.get(SavedReport.name == "Odd")
    assert "evil" not in row.query and len(row.query) <= 2000
    moved = kay.get(f"/reports/saved/{row.ref}")
    assert moved.location.startswith("/reports/incidents?status=Active") and "\n" not in moved.location
