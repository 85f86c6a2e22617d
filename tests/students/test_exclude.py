"""Conflicts of interest: who may exclude whom, what is left, and who learns of it."""

import pytest

import permissions
from blueprints.students import actions, queries
from models import Event, Exclusion
from tests import factories
from tests.web import text_of


@pytest.fixture
def amy(cast):
    """A second Admin Key Holder."""
    return factories.account("Amy Avocet", role=permissions.ADMIN)


def test_the_last_admin_can_not_be_excluded(cast):
    with pytest.raises(actions.NotPossible, match="other Admin Key Holder"):
        actions.exclude(cast.ada, student=cast.student, reason="Relative", actor=cast.ada)
    assert Exclusion.select().count() == 0
    assert Event.select().where(Event.verb == "exclusion.added").count() == 0


def test_an_inactive_admin_does_not_count(cast, amy):
    type(amy).update(is_active=False).where(type(amy).id == amy.id).execute()
    with pytest.raises(actions.NotPossible):
        actions.exclude(cast.ada, student=cast.student, reason="Relative", actor=cast.ada)


def test_two_admins_can_not_shut_each_other_out(cast, amy):
    actions.exclude(amy, student=cast.student, reason="Relative", actor=cast.ada)
    with pytest.raises(permissions.NotVisible):
        actions.exclude(cast.ada, student=cast.student, reason="Relative", actor=amy)
    with pytest.raises(actions.NotPossible):
        actions.exclude(cast.ada, student=cast.student, reason="Relative", actor=cast.ada)


def test_the_same_for_an_incident(cast, amy):
    incident = factories.incident(cast.sam, [cast.student])
    actions.exclude(amy, incident=incident, reason="Subject of it", actor=cast.ada)
    assert permissions.incident_reasons(amy, incident) == []
    with pytest.raises(actions.NotPossible):
        actions.exclude(cast.ada, incident=incident, reason="Subject of it", actor=cast.ada)
    # and not by way of the student either: the incident would have nobody
    with pytest.raises(actions.NotPossible, match="incident of this student"):
        actions.exclude(cast.ada, student=cast.student, reason="Relative", actor=cast.ada)


def test_once_is_enough(cast):
    actions.exclude(cast.kay, student=cast.student, reason="Relative", actor=cast.ada)
    with pytest.raises(actions.NotPossible, match="already"):
        actions.exclude(cast.kay, student=cast.student, reason="Relative", actor=cast.ada)


def test_it_beats_every_reason_and_ends(cast):
    incident = factories.incident(cast.kay, [cast.student], assigned_to=cast.kay, alerted=[cast.kay])
    row = actions.exclude(cast.kay, student=cast.student, reason="Relative", actor=cast.ada)
    assert permissions.incident_reasons(cast.kay, incident) == []
    assert queries.pick(cast.kay, [cast.student.ref]) == []
    assert actions.end_exclusion(row, actor=cast.ada).ended_by_id == cast.ada.id
    assert permissions.incident_reasons(cast.kay, incident)
    assert queries.exclusions(cast.ada, student=cast.student) == []
    assert [event.verb for event in Event.select().order_by(Event.id)] == ["exclusion.added", "exclusion.ended"]
    assert "Relative" not in Event.get().data


def test_who_may(cast, amy):
    for actor in (cast.kay, cast.oli, cast.mo):
        with pytest.raises(permissions.Denied):
            actions.exclude(cast.sam, student=cast.student, reason="x", actor=actor)
        with pytest.raises(permissions.Denied):
            queries.exclusions(actor, student=cast.student)
    row = actions.exclude(amy, student=cast.student, reason="x", actor=cast.ada)
    with pytest.raises(permissions.NotVisible):
        actions.end_exclusion(row, actor=amy)
    with pytest.raises(permissions.NotVisible):
        queries.exclusions(amy, student=cast.student)
    assert [one.account.name for one in queries.exclusions(cast.ada, student=cast.student)] == ["Amy Avocet"]


def test_the_page(cast, amy, client_for, post):
    ada, address = client_for("ada"), f"/students/{cast.student.ref}/exclusions"
    assert "Nobody is excluded." in text_of(ada.get(address))
    assert post(ada, address, {"staff_member": "", "reason": ""}).status_code == 422
    assert "is not known" in post(ada, address, {"staff_member": "FORGED", "reason": "x"}).text
    assert "is not known" in post(ada, address, {"staff_member": cast.rae.ref, "reason": "x"}).text
    assert post(ada, address, {"staff_member": amy.ref, "reason": "Her nephew"}).status_code == 303
    text = text_of(ada.get(address))
    assert "Amy Avocet" in text and "Her nephew" in text and "Ada Adler" in text
    refused = post(ada, address, {"staff_member": cast.ada.ref, "reason": "x"})
    assert refused.status_code == 422 and "other Admin Key Holder" in refused.text
    excluded, missing = client_for(amy).get(address), client_for(amy).get("/students/ZZZZZZZZZZ/exclusions")
    assert excluded.status_code == missing.status_code == 404
    assert text_of(excluded) == text_of(missing)
    row = Exclusion.get()
    assert post(client_for(amy), f"{address}/{row.ref}/end", form_url="/students").status_code == 404
    assert post(ada, f"{address}/{row.ref}/end", form_url=address).status_code == 303
    assert client_for(amy).get(address).status_code == 200


def test_a_meeting_of_two_keeps_an_admin_who_sees_it(cast, amy, client_for, post):
    """Ada is kept from one of its students: who is left for the other would leave the meeting with nobody."""
    other = factories.student("Bo", "Brown")
    factories.meeting(cast.sam, [cast.student, other], [cast.sam])
    factories.exclusion(cast.ada, amy, student=other)
    address = f"/students/{cast.student.ref}/exclusions"
    answer = post(client_for("ada"), address, {"staff_member": amy.ref, "reason": "My niece"})
    assert answer.status_code == 422 and "A meeting of this student would be left" in text_of(answer)


def test_stepping_back_oneself(cast, amy, client_for, post):
    address = f"/students/{cast.student.ref}/exclusions"
    answer = post(client_for("ada"), address, {"staff_member": cast.ada.ref, "reason": "My niece"})
    assert answer.status_code == 303 and answer.location.endswith("/students")
    assert client_for("ada").get(address).status_code == 404


def test_others_do_not_reach_the_page(cast, client_for, post):
    address = f"/students/{cast.student.ref}/exclusions"
    for who, code in (("kay", 403), ("oli", 403), ("mo", 403), ("rae", 404), ("stu", 404)):
        assert client_for(who).get(address).status_code == code
        if code == 403:
            data = {"staff_member": cast.ada.ref, "reason": "x"}
            assert post(client_for(who), address, data, form_url="/students").status_code == 403
    assert Exclusion.select().count() == 0


def test_an_exclusion_from_something_else_is_not_ended_here(cast, client_for, post):
    other = factories.student()
    row = factories.exclusion(cast.kay, cast.ada, student=other)
    address = f"/students/{cast.student.ref}/exclusions"
    assert post(client_for("ada"), f"{address}/{row.ref}/end", form_url=address).status_code == 404
