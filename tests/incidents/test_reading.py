"""Who finds what in lists, filters and on the page of an incident: rules first, then the pages."""

import re
from datetime import UTC, date, datetime

import pytest

import events
import permissions
from blueprints.incidents import queries
from extensions import clock, db
from models import Account, Event, GroupMember, IncidentAlert, School
from tests import factories
from tests.web import text_of


def found(user, **filters):
    return [row.ref for row in queries.summaries(user, queries.listed(queries.filtered(user, **filters)))]


def events_of(verb):
    return list(Event.select().where(Event.verb == verb))


# --- Rules -----------------------------------------------------------------------------------------------------------


def test_each_person_lists_what_they_have_a_reason_for(world):
    cast, ref = world.cast, world.incident.ref
    assert [found(person) for person in (cast.ada, cast.kay, cast.sam)] == [[ref]] * 3
    assert [found(person) for person in (cast.oli, cast.gil, cast.mo, cast.rae, cast.stu)] == [[]] * 5


def test_filters(world):
    cast, ref = world.cast, world.incident.ref
    other = factories.incident(cast.kay, [(factories.student(year_group="7"), [world.bullying])], status="Closed",
                               assigned_to=cast.ken, text="Nothing of the kind.")  # fmt: skip
    assert found(cast.ada, text="lockers") == found(cast.ada, text="LOCKER pushing") == [ref]
    assert found(cast.ada, text="LÖCKERS") == [ref]
    assert found(cast.ada, student=cast.student) == found(cast.ada, year_group="9") == [ref]
    assert found(cast.ada, author=cast.kay) == found(cast.ada, assigned_to=cast.ken) == [other.ref]
    assert found(cast.ada, status="Active") == found(cast.ada, unassigned=True) == [ref]
    assert sorted(found(cast.ada, unassigned=True, assigned_to=cast.ken)) == sorted([ref, other.ref])
    assert sorted(found(cast.ada, categories=[world.bullying])) == sorted([ref, other.ref])
    assert found(cast.ada, categories=[world.disclosure]) == []


@pytest.mark.parametrize("text", ['"', "*", "(", "a AND", "NEAR(", "text:x", "\0", "'; DROP TABLE incident; --", "-"])
def test_hostile_words_find_nothing_and_break_nothing(world, text):
    assert found(world.cast.ada, text=text) == [] or text.strip("\0 ") in ("", "-", "*")


def test_a_category_counts_with_its_children(world):
    child = factories.category("Cyber", parent=world.bullying)
    row = factories.incident(world.cast.sam, [(world.cast.student, [child])])
    assert row.ref in found(world.cast.ada, categories=[world.bullying])
    assert found(world.cast.ada, categories=[child]) == [row.ref]


def test_days_are_whole_days_of_the_school(world):
    School.update(timezone="America/New_York").execute()
    late = datetime(2026, 3, 9, 3, 30, tzinfo=UTC)  # the evening of the 8th in New York, the day clocks go forward
    row = factories.incident(world.cast.sam, [world.cast.student], happened_at=late)
    assert found(world.cast.ada, from_day=date(2026, 3, 8), to_day=date(2026, 3, 8)) == [row.ref]
    assert found(world.cast.ada, from_day=date(2026, 3, 9), to_day=date(2026, 3, 9)) == []


@pytest.fixture
def mixed(world):
    """Stu's part is need-to-know, Bea's is not: Kay sees the incident through Bea."""
    bea = factories.student("Bea", "Finch", year_group="8")
    row = factories.incident(
        world.cast.sam, [(world.cast.student, [world.disclosure]), (bea, [world.bullying], "witness")]
    )
    return row, bea


def test_a_part_that_is_closed_leaves_no_trace(world, mixed):
    row, bea = mixed
    cast = world.cast
    (listed,) = [one for one in queries.summaries(cast.kay, queries.listed(queries.filtered(cast.kay)))
                 if one.ref == row.ref]  # fmt: skip
    assert [(part.student_name, part.role, part.categories) for part in listed.parts] == [
        ("Bea Finch", "witness", [("Bullying", world.bullying.colour)])
    ]
    assert row.ref not in found(cast.kay, student=cast.student)
    assert row.ref not in found(cast.kay, categories=[world.disclosure])
    assert row.ref not in found(cast.kay, year_group="9")
    assert row.ref in found(cast.kay, student=bea)
    assert row.ref in found(cast.gil, student=cast.student) + found(cast.sam, student=cast.student)


def test_a_change_of_a_part_that_is_closed_is_no_step_of_the_history(world, mixed):
    row, bea = mixed
    cast = world.cast

    def changes(person):
        loaded = queries.incident(person, row.ref, audit=False)
        return [step.kind for step in queries.trail(person, loaded)].count("students")

    with db.atomic():
        events.record("incident.students_changed", actor=cast.sam, target=row.ref, added=[cast.student.ref], changed=[])
    assert {person.name: changes(person) for person in (cast.kay, cast.sam)} == {"Kay Kestrel": 0, "Sam Swift": 1}
    with db.atomic():
        events.record("incident.students_changed", actor=cast.sam, target=row.ref, added=[], changed=[bea.ref])
    assert changes(cast.kay) == 1


def test_parts_of_a_page_are_those_of_the_list(world, mixed):
    row, _ = mixed
    IncidentAlert.create(incident=row, account=world.cast.oli, alerted_by=world.cast.sam)
    for name in ("ada", "kay", "gil", "sam", "oli"):
        person = getattr(world.cast, name)
        listed = queries.summaries(person, queries.listed(queries.filtered(person)))
        (parts,) = [one.parts for one in listed if one.ref == row.ref]
        loaded = queries.incident(person, row.ref, audit=False)
        assert [part.student_name for part in queries.parts(person, loaded)] == [part.student_name for part in parts]


def test_category_and_student_must_fit_the_same_part(world, mixed):
    row, bea = mixed
    assert row.ref not in found(world.cast.ada, student=bea, categories=[world.disclosure])
    assert row.ref in found(world.cast.ada, student=bea, categories=[world.bullying])


def test_loading_is_authorising_and_recorded_with_its_reasons(world):
    row = queries.incident(world.cast.kay, world.incident.ref)
    assert (row.id, row.reasons, row.author.name) == (world.incident.id, ["key_user"], "Sam Swift")
    assert events_of("incident.read")[0].reasons == "key_user"
    for person in (world.cast.oli, world.cast.stu, world.cast.rae):
        with pytest.raises(permissions.NotVisible):
            queries.incident(person, world.incident.ref)
    for ref in ("I-ZZZZZZ", "nonsense", "I-\0ABCDE", "x" * 500):
        with pytest.raises(permissions.NotVisible):
            queries.incident(world.cast.ada, ref)


def test_a_reference_is_found_however_it_was_typed(world):
    ref = world.incident.ref
    for typed in (ref, ref.lower(), ref[2:], f" {ref[2:].lower()} ", ref.replace("-", " ")):
        assert queries.by_reference(world.cast.kay, typed).ref == ref
        assert queries.by_reference(world.cast.oli, typed) is None
    assert queries.by_reference(world.cast.kay, "I-ZZZZZZ") is None


def test_the_lists_of_the_dashboard(world):
    cast = world.cast
    row = factories.incident(cast.sam, [cast.student], assigned_to=cast.kay, alerted=[cast.counselling])
    factories.incident(cast.sam, [cast.student], assigned_to=cast.kay, status="Closed")
    todo = factories.action(row, cast.sam, person=cast.gil)
    factories.action(row, cast.sam, person=cast.gil, done_at=clock.now(), done_by=cast.gil)
    factories.action(world.incident, cast.sam, person=cast.gil)  # Gil does not see this one
    assert [(one.ref, one.open_actions) for one in queries.my_assigned(cast.kay)] == [(row.ref, 1)]
    assert [one.ref for one in queries.alerted_to_me(cast.gil)] == [row.ref]
    assert [one.ref for one in queries.my_open_actions(cast.gil, dated=False)] == [todo.ref]
    assert [one.ref for one in queries.unassigned_active(cast.ada)] == [world.incident.ref]
    assert len(list(queries.written_by_me(cast.sam))) == 3
    School.update(cases_module=False).execute()
    assert list(queries.my_assigned(cast.kay)) == list(queries.unassigned_active(cast.ada)) == []


# --- Pages -----------------------------------------------------------------------------------------------------------


def test_the_page_says_what_is_known(world, client_for):
    page = client_for("kay").get(f"/incidents/{world.incident.ref}")
    words = text_of(page)
    for expected in ("Stu was pushed against the lockers", "Stu Sturgeon", "Bullying", "Corridor", "Sam Swift",
                     "Status: Active", "Assigned to: Nobody", "Who can see this", "Kay Kestrel", "is a Key User",
                     "Ada Adler", "is an Admin Key Holder", "wrote it"):  # fmt: skip
        assert expected in words
    assert "Oli Ouzel" not in words.replace("Oli Ouzel account menu", "")
    html = page.get_data(as_text=True)
    assert f'href="/incidents/{world.incident.ref}/status"' in html
    assert f'href="/incidents/{world.incident.ref}/assignment"' in html


def test_staff_read_status_without_a_link(world, client_for):
    html = client_for("sam").get(f"/incidents/{world.incident.ref}").get_data(as_text=True)
    assert "Status: Active" in text_of(html) and "Assigned to: Nobody" in text_of(html)
    assert f"/incidents/{world.incident.ref}/status" not in html
    assert f"/incidents/{world.incident.ref}/assignment" not in html


def test_without_the_module_neither_appears(world, client_for):
    factories.incident(world.cast.sam, [world.cast.student], assigned_to=world.cast.ken)
    School.update(cases_module=False).execute()
    for who in ("ada", "kay", "sam"):
        client = client_for(who)
        for url in (f"/incidents/{world.incident.ref}", "/incidents", f"/students/{world.cast.student.ref}/incidents"):
            words = text_of(client.get(url))
            assert "Assigned to" not in words and "Status" not in words and "Unassigned" not in words, url
        here = f"/incidents/{world.incident.ref}"
        lists = ("/incidents?status=Active", "/incidents?list=assigned", "/incidents?list=unassigned")
        for url in (*lists, f"{here}/status", f"{here}/assignment"):
            assert client.get(url).status_code == 404, url
    assert "Status" not in client_for("kay").get("/incidents/export.csv", buffered=True).get_data(as_text=True)
    School.update(cases_module=True).execute()
    assert "Assigned to" in text_of(client_for("kay").get("/incidents"))


PAGES = (
    *("", "/access", "/versions", "/text", "/details", "/students", "/alerts", "/actions", "/files", "/body-map"),
    *("/body-map/front.svg", "/status", "/assignment", "/exclusions", "/access-preview", "/staff-suggest?q=k"),
)


@pytest.mark.parametrize("who", ["oli", "gil", "rae", "stu"])
def test_an_incident_one_may_not_see_is_a_missing_one(world, client_for, who, clock):
    clock.freeze(clock.now())  # the page says for the printer when it was made
    client = client_for(who)

    def answer(ref, tail):
        response = client.get(f"/incidents/{ref}{tail}")
        html = response.get_data(as_text=True)
        html = re.sub(r'name="(csrf_token|once)" value="[^"]*"', "", html)
        return response.status_code, html.replace(ref, "REF")

    for tail in PAGES:
        assert answer(world.incident.ref, tail) == answer("I-ZZZZZZ", tail), tail
        assert answer(world.incident.ref, tail)[0] == 404, tail


def test_an_excluded_admin_meets_the_same_404(world, client_for):
    factories.exclusion(world.cast.ada, world.cast.ada, student=world.cast.student)
    client = client_for("ada")
    assert all(client.get(f"/incidents/{world.incident.ref}{tail}").status_code == 404 for tail in PAGES)
    assert world.incident.ref not in client.get("/incidents").get_data(as_text=True)


def test_the_page_of_a_partly_closed_incident_names_nobody_closed(world, mixed, client_for):
    row, _ = mixed
    words = text_of(client_for("kay").get(f"/incidents/{row.ref}"))
    assert "Bea Finch" in words and "Stu Sturgeon" not in words and "Disclosure" not in words


def test_a_students_tab_shows_that_students_own_categories(world, mixed, client_for):
    row, bea = mixed
    words = text_of(client_for("kay").get(f"/students/{bea.ref}/incidents"))
    assert row.ref in words and "Bullying" in words and "Disclosure" not in words and "Stu Sturgeon" not in words
    words = text_of(client_for("kay").get(f"/students/{world.cast.student.ref}/incidents"))
    assert row.ref not in words and world.incident.ref in words
    words = text_of(client_for("ada").get(f"/students/{world.cast.student.ref}/incidents"))
    assert row.ref in words and "Disclosure" in words and "Bea Finch" in words
    oli = client_for("oli").get(f"/students/{world.cast.student.ref}/incidents")
    assert oli.status_code == 200 and world.incident.ref not in text_of(oli)
    assert client_for("rae").get(f"/students/{world.cast.student.ref}/incidents").status_code == 404


def test_lists_and_exports_hold_the_same_and_are_recorded(world, mixed, client_for):
    row, _ = mixed
    client = client_for("kay")
    exported = client.get("/incidents/export.csv", buffered=True).get_data(as_text=True)
    assert row.ref in exported and world.incident.ref in exported
    assert "Bea Finch (witness)" in exported and "Disclosure" not in exported
    assert client.get("/incidents/export.xlsx", buffered=True).status_code == 200
    assert client.get("/incidents/export.pdf").status_code == 404
    assert [one.actor_id for one in events_of("incident.exported")] == [world.cast.kay.id] * 2
    oli = client_for("oli").get("/incidents/export.csv", buffered=True).get_data(as_text=True)
    assert "I-" not in oli
    client.get("/incidents")
    assert events_of("incident.listed")


def test_tabs_and_filters_of_the_list(world, client_for):
    cast = world.cast
    mine = factories.incident(cast.sam, [cast.student], assigned_to=cast.kay, alerted=[cast.kay])
    closed = factories.incident(cast.sam, [cast.student], status="Closed", assigned_to=cast.kay)
    client = client_for("kay")

    def refs(query):
        html = client.get(f"/incidents?{query}").get_data(as_text=True)
        return {one.ref for one in (world.incident, mine, closed) if one.ref in html}

    assert refs("") == {world.incident.ref, mine.ref, closed.ref}
    assert refs("list=assigned") == {mine.ref, closed.ref}
    assert refs("list=assigned&status=Active") == {mine.ref}
    assert refs("list=alerted") == {mine.ref}
    assert refs("list=unassigned") == {world.incident.ref}
    assert refs("list=written") == set()
    assert refs("q=lockers") == {world.incident.ref}
    assert client.get("/incidents?list=nonsense").status_code == 404
    assert client.get("/incidents?page=999999&status=%00").status_code == 200
    assert client_for("sam").get("/incidents?list=unassigned").status_code == 404


def test_queries_are_few_and_do_not_grow(world, client_for, count_queries, database):
    cast = world.cast
    groups = [factories.group(members=[factories.account()]) for _ in range(3)]
    client = client_for("kay")
    urls = ("/incidents", "/incidents?q=lockers", f"/incidents/{world.incident.ref}",
            f"/students/{cast.student.ref}/incidents")  # fmt: skip

    def measure():
        counts = []
        for url in urls:
            with count_queries(most=10) as queries_made:
                assert client.get(url).status_code == 200
            counts.append(len(queries_made))
        return counts

    for _ in range(55):
        factories.incident(cast.sam, [(cast.student, [world.bullying])], text="lockers", alerted=groups)
    few = measure()
    for _ in range(100):
        factories.incident(cast.sam, [(cast.student, [world.bullying])], text="lockers", alerted=groups)
    for number in range(20):
        factories.action(world.incident, cast.sam, text=f"Step {number}")
        IncidentAlert.create(incident=world.incident, account=factories.account(), alerted_by=cast.sam)
    assert measure() == few


def test_who_can_see_this_follows_membership_at_once(world, client_for):
    IncidentAlert.create(incident=world.incident, group=world.cast.counselling, alerted_by=world.cast.sam)
    page = f"/incidents/{world.incident.ref}/access"
    assert "Gil Gannet" in text_of(client_for("kay").get(page))
    gil = client_for("gil")
    assert gil.get(page).status_code == 200
    GroupMember.delete().where(GroupMember.account == world.cast.gil).execute()
    assert gil.get(page).status_code == 404
    assert "Gil Gannet" not in text_of(client_for("kay").get(page))
    Account.update(is_active=False).where(Account.id == world.cast.ken.id).execute()
    assert "Ken Kittiwake" not in text_of(client_for("kay").get(page))
