"""The Custom Report: each filter, who sees what in rows, counts, charts and exports, and what it costs."""

import io
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from openpyxl import load_workbook

from blueprints.reports import queries
from blueprints.reports.queries import incidents as report
from extensions import db
from models import Event, GroupMember, School
from tests.factories import account, category, cohort, exclusion, group, incident, student
from tests.web import forms, text_of

URL = "/reports/incidents"
COUNTS = URL + "/counts"


@pytest.fixture
def world(cast, clock):
    """Six incidents that differ in everything one can filter by."""
    clock.freeze(datetime(2026, 11, 20, 12, tzinfo=UTC))
    bullying = category("Bullying")
    online = category("Online", parent=bullying)
    secret = category("Self-harm", need_to_know=[cast.counselling])
    ann, ben = student("Ann", "Finch", year_group="7"), student("Ben", "Wren", year_group="10")

    def at(day, month=11):
        return datetime(2026, month, day, 10, tzinfo=UTC)

    cast.rows = {
        "plain": incident(cast.sam, [(ann, [bullying])], text="A shove in the corridor", happened_at=at(2)),
        "online": incident(cast.kay, [(ben, [online])], text="Messages at night", happened_at=at(5), assigned_to=cast.ken),
        "closed": incident(cast.sam, [(ann, [])], happened_at=at(9), status="Closed", assigned_to=cast.kay),
        "secret": incident(cast.gil, [(ann, [secret])], text="Marks on the arm", happened_at=at(10)),
        "october": incident(cast.sam, [(ben, [bullying])], happened_at=at(30, 10)),
        "both": incident(cast.mo, [(ann, [bullying]), (ben, [secret])], happened_at=at(12), status="Closed"),
    }
    cast.categories = {"bullying": bullying, "online": online, "secret": secret}
    cast.ann, cast.ben = ann, ben
    return cast


def found(client, world, **args):
    """The names of the incidents in the report with these filters."""
    page = client.get(URL, query_string={"from": "", **args})
    assert page.status_code == 200, text_of(page)
    body = page.get_data(as_text=True)
    return {name for name, row in world.rows.items() if f"/incidents/{row.ref}" in body}


def test_without_filters_everything_one_may_see_is_there(world, client_for):
    assert found(client_for("ada"), world) == set(world.rows)
    assert found(client_for("kay"), world) == set(world.rows) - {"secret"}


@pytest.mark.parametrize(
    ("args", "names"),
    [
        ({"from": "2026-11-05", "to": "2026-11-09"}, {"online", "closed"}),
        ({"to": "2026-10-31"}, {"october"}),
        ({"year_group": "10"}, {"online", "october"}),
        ({"text": "corridor shove"}, {"plain"}),
        ({"status": "Closed"}, {"closed", "both"}),
        ({"unassigned": "y", "status": "Active"}, {"plain", "october"}),
        ({"student": "Ann Finch"}, {"plain", "closed", "both"}),
        ({"student": "Ann Finch", "status": "Active"}, {"plain"}),
    ],
)
def test_each_filter(world, client_for, args, names):
    assert found(client_for("kay"), world, **args) == names


def test_filters_that_name_a_row(world, client_for):
    kay = client_for("kay")
    bullying, online = world.categories["bullying"], world.categories["online"]
    assert found(kay, world, category=bullying.ref) == {"plain", "online", "october", "both"}
    assert found(kay, world, category=online.ref) == {"online"}
    assert found(kay, world, author=world.sam.ref) == {"plain", "closed", "october"}
    assert found(kay, world, assigned_to=world.ken.ref) == {"online"}
    assert found(kay, world, student_ref=world.ben.ref) == {"online", "october"}
    assert found(client_for("ada"), world, category=world.categories["secret"].ref) == {"secret", "both"}


def test_the_cohort_filter_offers_those_that_one_supports(world, client_for):
    autumn = cohort("First years", "Autumn", [world.ben], [world.counselling])
    archived = cohort("First years", "Last autumn", [world.ann], [world.counselling], archived=True)
    kay, ada = client_for("kay"), client_for("ada")
    assert found(ada, world, cohort=autumn.ref) == {"online", "october", "both"}
    for client, row in ((kay, autumn), (kay, archived), (ada, archived)):
        assert client.get(URL, query_string={"cohort": row.ref}).status_code == 422
        assert row.ref not in client.get(URL).get_data(as_text=True)
    assert "First years" not in text_of(kay.get(URL))
    GroupMember.create(group=world.counselling, account=world.kay)
    assert "First years: Autumn" in text_of(kay.get(URL))
    assert found(kay, world, cohort=autumn.ref) == {"online", "october", "both"}
    assert found(kay, world, cohort=autumn.ref, status="Closed") == {"both"}
    page = text_of(kay.get(URL, query_string={"cohort": autumn.ref}))
    assert "Cohort: First years: Autumn" in page, "as a chip"
    exclusion(world.kay, world.ada, student=world.ben)
    assert found(kay, world, cohort=autumn.ref) == set()


def test_the_page_offers_exactly_these_filters(world, client_for):
    page = client_for("kay").get(URL)
    text = text_of(page)
    labels = ["From", "To", "Category", "Student", "Year group", "Cohort", "Author", "Text", "Status", "Assigned to", "Unassigned"]
    for label in labels:
        assert f">{label}</label>" in page.get_data(as_text=True), label
    assert "Custom Report" in text and "Filter Incidents" in text and "Show results" in text
    assert not Event.select().where(Event.verb == "report.run").exists()


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        ({"category": "ZZZZZZZZZZ"}, "This category is not known."),
        ({"author": "ZZZZZZZZZZ"}, "This author is not known."),
        ({"assigned_to": "ZZZZZZZZZZ"}, "This Key User is not known."),
        ({"status": "Open"}, "This status is not known."),
        ({"cohort": "ZZZZZZZZZZ"}, "This cohort is not known."),
        ({"year_group": "99"}, "No student is in this year group."),
        ({"student_ref": "ZZZZZZZZZZ"}, "This student is not known."),
        ({"student": "Nobody Atall"}, "is known"),
        ({"from": "2026-02-31"}, "is not a date"),
        ({"from": "2026-11-09", "to": "2026-11-01"}, "This day is before the day in From."),
        ({"text": "x" * 300}, "at most 200"),
    ],
)
def test_bad_values_get_a_sentence_at_the_field(world, client_for, args, sentence):
    page = client_for("kay").get(URL, query_string=args)
    assert page.status_code == 422
    assert sentence in text_of(page)
    assert 'aria-invalid="true"' in page.get_data(as_text=True)
    assert client_for("kay").get(URL + ".csv", query_string=args).status_code == 422
    assert not Event.select().where(Event.verb.startswith("report.")).exists()


def test_somebody_and_nobody_at_once_is_refused(world, client_for):
    page = client_for("kay").get(URL, query_string={"assigned_to": world.ken.ref, "unassigned": "y"})
    assert page.status_code == 422 and "but not both" in text_of(page)


def test_staff_are_told_whom_to_ask_and_others_find_nothing(world, client_for):
    for who, status in (("oli", 403), ("sam", 403), ("gil", 403), ("rae", 404), ("stu", 404)):
        for url in ("/reports", URL, URL + "?status=Active", COUNTS, URL + ".csv", URL + ".xlsx"):
            assert client_for(who).get(url).status_code == status, (who, url)


def test_need_to_know_incidents_are_in_no_row_count_chart_or_export(world, client_for):
    kay = client_for("kay")
    page = kay.get(URL, query_string={"from": ""})
    assert "5 incidents" in text_of(page) and "Incidents 5 Counts" in text_of(page)
    assert world.rows["secret"].ref not in page.get_data(as_text=True)
    counts = text_of(kay.get(COUNTS, query_string={"from": ""}))
    assert "Incidents 5 Counts" in counts
    assert "Self-harm" not in counts.split("Incidents by category", 1)[1]
    for kind in ("csv", "xlsx"):
        rows = exported(kay.get(f"{URL}.{kind}"))
        assert len(rows) == 6
        assert "Self-harm" not in str(rows) and world.rows["secret"].ref not in str(rows)
    both = next(row for row in exported(kay.get(URL + ".csv")) if world.rows["both"].ref in row)
    assert "Ben Wren" not in both


def exported(response):
    assert response.status_code == 200
    body = response.data
    response.close()
    if "csv" in response.content_type:
        return body.decode("utf-8-sig").splitlines()
    return list(load_workbook(io.BytesIO(body)).active.values)


def test_counts_of_the_charts(world, client_for, app):
    choices = queries.choices(world.ada)
    zone = ZoneInfo("Europe/London")
    counts = queries.counts(world.ada, queries.Filters(), choices, zone)
    assert counts.total == 6
    assert counts.by_status == {"Active": 4, "Closed": 2}
    assert {day.month: count for day, count in counts.by_month.items()} == {10: 1, 11: 5}
    ids = {name: row.id for name, row in world.categories.items()}
    assert counts.by_category == {ids["bullying"]: 3, ids["online"]: 1, ids["secret"]: 2}
    assert counts.by_year == {"7": 4, "10": 3}
    counts = queries.counts(world.kay, queries.Filters(), choices, zone)
    assert counts.total == 5
    assert counts.by_category == {ids["bullying"]: 3, ids["online"]: 1}
    assert counts.by_year == {"7": 3, "10": 2}


def test_counts_keep_the_filters_and_lead_back_to_the_list(world, client_for):
    kay = client_for("kay")
    state = f"year_group=7&amp;author={world.sam.ref}"
    args = {"year_group": "7", "author": world.sam.ref}
    for shown, other in ((URL, COUNTS), (COUNTS, URL)):
        body = kay.get(shown, query_string=args).get_data(as_text=True)
        assert f'href="{other}?{state}"' in body and f'action="{shown}"' in body
        assert (f'href="{URL}.csv?{state}"' in body) == (shown == URL), "what is exported is the list"
        # Taking a filter away, or clearing them all, stays where one is.
        assert f'href="{shown}?author={world.sam.ref}"' in body and f'href="{shown}">Clear</a>' in body
    everything = kay.get(COUNTS)
    assert everything.status_code == 200 and "Incidents 5 Counts" in text_of(everything)
    refused = kay.get(COUNTS, query_string={"status": "Open"})
    assert refused.status_code == 422 and "Incidents by month" not in text_of(refused)
    assert "No incident that you may see fits" in text_of(kay.get(COUNTS, query_string={"text": "nothing of the kind"}))


def test_the_list_stops_counting_and_the_counts_do_not(world, client_for, monkeypatch):
    monkeypatch.setattr(report, "PER_PAGE", 2)
    monkeypatch.setattr(report, "MOST_COUNTED", 3)
    kay = client_for("kay")
    text = text_of(kay.get(URL, query_string={"from": ""}))
    assert "Incidents 3+ Counts" in text and "1–2 of more than 3 incidents" in text
    recorded = Event.select().where(Event.verb == "report.run").get()
    assert '"count": 3' in recorded.data and '"and_more": true' in recorded.data
    assert "Incidents 5 Counts" in text_of(kay.get(COUNTS, query_string={"from": ""}))
    exact = text_of(kay.get(URL, query_string={"student_ref": world.ann.ref}))
    assert "1–2 of 3 incidents" in exact


def test_months_are_those_of_the_school_clock(world, client_for):
    School.update(timezone="Pacific/Auckland").execute()
    incident(world.kay, [world.ann], happened_at=datetime(2026, 9, 30, 20, tzinfo=UTC))  # 1 October there
    text = text_of(client_for("ada").get(COUNTS, query_string={"to": "2026-10-15"}))
    assert "Oct 2026" in text and "Sep 2026" not in text


def test_a_bar_leads_to_the_narrower_report(world, client_for):
    body = client_for("kay").get(COUNTS, query_string={"from": "", "author": world.sam.ref}).get_data(as_text=True)
    assert f'href="{URL}?from=&amp;author={world.sam.ref}&amp;status=Closed"' in body
    assert f"category={world.categories['bullying'].ref}" in body
    assert "from=2026-10-30" not in body and "from=2026-10-01" in body


def test_chips_name_what_is_on_and_take_it_away(world, client_for):
    page = client_for("kay").get(URL, query_string={"status": "Active", "student_ref": world.ann.ref, "unassigned": "y"})
    body = page.get_data(as_text=True)
    assert "Remove filter Status: Active" in body and "Remove filter Student: Ann Finch" in body
    assert f'href="{URL}?status=Active&amp;unassigned=y"' in body


def test_without_the_cases_module_its_filters_are_gone(world, client_for):
    kay = client_for("kay")
    School.update(cases_module=False).execute()
    for shown in (URL, COUNTS):
        text = text_of(kay.get(shown, query_string={"from": ""}))
        assert "Unassigned" not in text and "Assigned to" not in text and "Incidents by status" not in text
    for args in ({"status": "Active"}, {"assigned_to": world.ken.ref}, {"unassigned": "y"}, {"status": ""}):
        assert kay.get(URL, query_string=args).status_code == kay.get(COUNTS, query_string=args).status_code == 404
        assert kay.get(URL + ".csv", query_string=args).status_code == 404
    assert "Assigned to" not in exported(kay.get(URL + ".csv"))[0]
    School.update(cases_module=True).execute()
    assert found(kay, world, status="Closed") == {"closed", "both"}


def test_exclusion_beats_the_admin(world, client_for):
    exclusion(world.ada, world.kay, student=world.ben)
    assert found(client_for("ada"), world) == {"plain", "closed", "secret"}
    page = client_for("ada").get(URL, query_string={"student": "Ben Wren"})
    assert page.status_code == 422 and "No student called" in text_of(page)


def test_runs_and_exports_are_recorded_without_what_was_typed(world, client_for):
    kay = client_for("kay")
    kay.get(URL, query_string={"text": "shove", "year_group": "7"})
    kay.get(URL + ".xlsx", query_string={"text": "shove"}).close()
    kay.get(COUNTS, query_string={"text": "shove", "year_group": "7"})
    run, export, counted = Event.select().where(Event.verb.startswith("report.")).order_by(Event.id)
    assert run.actor_id == export.actor_id == counted.actor_id == world.kay.id
    assert '"year_group": "7"' in run.data and "shove" not in run.data + export.data + counted.data
    assert counted.verb == run.verb and '"shown": "counts"' in counted.data and '"count": 1' in counted.data
    assert '"count": 1' in run.data and '"format": "xlsx"' in export.data


def test_a_report_costs_the_same_for_ten_rows_and_for_many(world, client_for, count_queries):
    kay = client_for("kay")
    args = {"from": "2026-01-01", "student_ref": world.ann.ref, "status": "Active"}

    def add(many):
        with db.atomic():
            for number in range(many):
                at = datetime(2026, 11, 1, tzinfo=UTC) + timedelta(hours=number)
                incident(world.sam, [world.ann, world.ben], happened_at=at)
                account(name=f"Person {many} {number}")

    kay.get(URL, query_string=args)
    with count_queries() as fewest:
        assert kay.get(URL, query_string=args).status_code == 200
    add(50)
    with count_queries() as few:
        assert kay.get(URL, query_string=args).status_code == 200
    assert sum("pg_advisory" not in statement for statement in few.statements) <= 10
    assert len(few) == len(fewest) + 1, "how many there are on all pages"
    add(40)
    with count_queries() as many:
        page = kay.get(URL, query_string=args)
    assert len(few) == len(many) and "1–25 of 91 incidents" in text_of(page)
    kay.get(COUNTS, query_string=args)
    with count_queries() as counting:
        assert kay.get(COUNTS, query_string=args).status_code == 200
    assert sum("pg_advisory" not in statement for statement in counting.statements) <= 10
    second = kay.get(URL, query_string=args | {"page": 4})
    assert "76–91 of 91 incidents" in text_of(second)


def test_nothing_fits(world, client_for):
    page = client_for("kay").get(URL, query_string={"from": "2026-11-19"})
    assert page.status_code == 200 and "No incidents" in text_of(page)


def test_an_empty_school(cast, client_for):
    assert client_for("ada").get(URL, query_string={"from": ""}).status_code == 200


def test_members_read_their_need_to_know_category_and_lose_it_at_once(world, client_for):
    from models import GroupMember

    group("Another")
    kay = client_for("kay")
    GroupMember.create(group=world.counselling, account=world.kay)
    assert found(kay, world) == set(world.rows)
    GroupMember.delete().where(GroupMember.account == world.kay).execute()
    assert found(kay, world) == set(world.rows) - {"secret"}


def test_the_filter_form_sends_its_state_in_the_address(world, client_for):
    page = client_for("kay").get(URL)
    form = next(form for form in forms(page) if form.action == URL)
    assert form.method == "get"
    assert {"from", "to", "category", "student", "year_group", "cohort", "author", "text", "status", "assigned_to", "unassigned"} <= set(
        form.controls
    )
