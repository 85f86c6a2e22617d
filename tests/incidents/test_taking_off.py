"""A student is taken off an incident that isn't about them: nothing of it stays with them, and nothing of it is lost."""

import json

import pytest

import permissions
from blueprints.admin.queries import audit
from blueprints.incidents import actions, queries
from blueprints.incidents.actions import NewPart
from blueprints.kit.refusing import confirmation_of
from models import Event, IncidentRemoval, IncidentStudent, PartCategory
from tests import factories
from tests.web import forms, text_of

REASON = "Another Stu was meant."


@pytest.fixture
def bea(world):
    """A second student in the world's incident."""
    row = factories.student("Bea", "Finch")
    part = IncidentStudent.create(incident=world.incident, student=row, role="witness")
    PartCategory.create(part=part, category=world.bullying)
    return row


@pytest.fixture
def url(world):
    return f"/incidents/{world.incident.ref}"


@pytest.fixture
def removal(world, url):
    return f"{url}/students/{world.cast.student.ref}/removal"


def take_off(world, student=None, who="kay", version=1, confirmed=""):
    person, ref = getattr(world.cast, who), (student or world.cast.student).ref
    loaded = queries.incident(person, world.incident.ref, audit=False)
    return actions.take_off(loaded, ref, REASON, actor=person, version=version, confirmed=confirmed)


def add(world, part, version=2):
    kay = world.cast.kay
    loaded = queries.incident(kay, world.incident.ref, audit=False)
    actions.change_students(loaded, [part], actor=kay, version=version)


def steps(world, person):
    row = queries.incident(person, world.incident.ref, audit=False)
    return [(step.who, step.name, step.text) for step in queries.trail(person, row) if step.kind == "taken_off"]


def test_nothing_of_it_stays_with_the_student(world, client_for, post, bea, url, removal):
    cast, ref = world.cast, world.incident.ref
    client = client_for("kay")
    below = [f"/students/{cast.student.ref}{page}" for page in ("", "/incidents", "/timeline")]
    below.append(f"/reports/incidents?student_ref={cast.student.ref}")
    assert all(ref in text_of(client.get(page)) for page in below[1:])
    assert "Take Stu Sturgeon off this incident" in text_of(client.get(f"{url}/students"))
    assert post(client, removal, {"reason": REASON}).location == url
    assert not any(ref in text_of(client.get(page)) for page in below)
    assert [part.student_ref for part in queries.parts(cast.sam, queries.incident(cast.sam, ref))] == [bea.ref]
    assert ref in text_of(client.get(f"/students/{bea.ref}/incidents"))


def test_what_the_part_said_is_kept_with_the_reason(world, bea):
    take_off(world)
    row = IncidentRemoval.get()
    assert (row.student, row.role, row.removed_by) == (world.cast.student, "subject", world.cast.kay)
    assert (row.categories, row.reason) == (world.bullying.ref, REASON)
    event = Event.get(Event.verb == "incident.student_removed")
    assert (event.target, json.loads(event.data)) == (world.incident.ref, {"student": world.cast.student.ref})


def test_who_sees_the_whole_reads_of_it_and_the_rest_do_not(world, client_for, bea, url):
    cast = world.cast
    take_off(world)
    said = [("Kay Kestrel", "Stu Sturgeon", REASON)]
    assert {name: steps(world, getattr(cast, name)) for name in ("kay", "sam", "ada", "ken")} == {
        "kay": said, "sam": said, "ada": said, "ken": []}  # fmt: skip
    assert f"took Stu Sturgeon off this incident: {REASON}" in text_of(client_for("sam").get(url))
    assert "Sturgeon" not in text_of(client_for("ken").get(url))
    factories.exclusion(cast.ada, cast.kay, student=cast.student)
    assert steps(world, cast.ada) == []


def test_it_says_who_comes_to_see_the_rest(world, client_for, post, bea, url, removal):
    """Ken was kept away by an exclusion from Stu, and Gil's group by nothing: only Ken is new."""
    cast = world.cast
    factories.exclusion(cast.ken, cast.ada, student=cast.student)
    client = client_for("kay")
    answer = post(client, removal, {"reason": REASON})
    assert answer.status_code == 422 and "Ken Kittiwake" in text_of(answer) and "Gil Gannet" not in text_of(answer)
    assert IncidentStudent.select().count() == 2
    form = next(form for form in forms(answer) if "reason" in form.controls)
    assert form.values["reason"] == [REASON]
    sent = form.values | {"confirmed": form.choices["confirmed"]}
    assert client.post(removal, data=sent).status_code == 303
    assert permissions.incident_reasons(cast.ken, world.incident) == ["key_user"]
    assert "Sturgeon" not in text_of(client_for("ken").get(url))


def test_an_admin_excluded_from_the_student_reads_nothing_of_it_in_the_audit_log(world, bea):
    cast = world.cast
    factories.exclusion(cast.ada, cast.kay, student=cast.student)
    take_off(world, confirmed=confirmation_of([cast.ada]))
    found = audit.events_found(cast.ada, 1, None, {})
    assert world.incident.ref not in {row.target for row in found.items}
    assert not any(cast.student.ref in row.details for row in found.items)


def test_the_last_one_stays(world, client_for, post, bea, url, removal):
    client = client_for("kay")
    assert post(client, removal, {"reason": REASON}).status_code == 303
    assert "Add the right one and save; then Bea Finch can be taken off." in text_of(client.get(f"{url}/students"))
    answer = post(client, f"{url}/students/{bea.ref}/removal", {"reason": REASON})
    assert answer.status_code == 422 and "Add the right person first" in text_of(answer)
    assert IncidentStudent.get().student == bea


def test_the_last_one_that_is_seen_stays_too(world):
    """Whether there are others is not for somebody who sees one part: the answer is the same."""
    secret = factories.student("Cai", "Crane")
    part = IncidentStudent.create(incident=world.incident, student=secret)
    PartCategory.create(part=part, category=world.disclosure)
    with pytest.raises(actions.Refused) as told:
        take_off(world)
    assert "Add the right person first" in told.value.sentence
    with pytest.raises(permissions.NotVisible):
        take_off(world, secret)
    take_off(world, who="sam")
    assert IncidentStudent.get().student == secret


def test_it_can_be_added_again(world, bea):
    take_off(world)
    part = NewPart(world.cast.student, "affected", [world.bullying.id])
    add(world, part)
    assert {part.student.name for part in world.incident.parts} == {"Stu Sturgeon", "Bea Finch"}
    take_off(world, version=3)
    assert IncidentRemoval.select().count() == 2


def test_of_two_at_once_the_second_is_told(world, bea, client_for, post, removal):
    """Both saw three: whoever comes second looks again, and can't take off the last."""
    add(world, NewPart(factories.student("Cai", "Crane"), "subject", [world.bullying.id]), version=1)
    take_off(world, bea, version=2)
    client = client_for("kay")
    answer = post(client, removal, {"reason": REASON, "version": "2"})
    assert answer.status_code == 409 and "nothing was saved yet" in text_of(answer)
    assert IncidentStudent.select().count() == 2 and IncidentRemoval.select().count() == 1
    form = next(form for form in forms(answer) if "reason" in form.controls)
    assert client.post(removal, data=form.values).status_code == 303


def test_the_page_names_the_cases_that_keep_their_link(world, client_for, bea, removal):
    case = factories.case(world.cast.student, world.cast.kay, incidents=[world.incident])
    assert case.ref in text_of(client_for("kay").get(removal))
    assert case.ref not in text_of(client_for("ken").get(removal))


def test_a_reason_is_asked_for(world, client_for, post, bea, removal):
    for wrong in ({"reason": " "}, {"reason": "x" * 300}, {"reason": REASON, "version": None}):
        assert post(client_for("kay"), removal, wrong).status_code in (409, 422)
    assert IncidentStudent.select().count() == 2


def test_nobody_else_takes_anybody_off(world, client_for, post, bea, url, removal):
    missing = f"/incidents/I-ZZZZZZ/students/{bea.ref}/removal"
    for who in ("oli", "gil", "rae", "stu"):
        there, nowhere = (client_for(who).get(page) for page in (removal, missing))
        assert there.status_code == nowhere.status_code == 404 and text_of(there) == text_of(nowhere)
        assert post(client_for(who), removal, {"reason": "x"}, form_url="/").status_code == 404
    assert client_for("kay").get(f"{url}/students/ZZZZZZZZZZ/removal").status_code == 404
    factories.IncidentAlert.create(incident=world.incident, account=world.cast.oli, alerted_by=world.cast.sam)
    assert client_for("oli").get(removal).status_code == 403
