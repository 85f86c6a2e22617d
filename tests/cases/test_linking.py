"""Incidents linked to a case: a link carries nothing over, and whoever does not see the incident sees no link."""

import pytest

import permissions
from blueprints.cases import actions, queries
from models import Case, CaseIncident, Event, Notification
from tests import factories
from tests.web import text_of


@pytest.fixture
def case(cast):
    return factories.case(cast.student, opened_by=cast.kay, staff=[cast.sam, cast.oli], following=[cast.gil])


@pytest.fixture
def incident(cast):
    return factories.incident(cast.sam, [cast.student], text="Pushed against the lockers.")


@pytest.fixture
def hidden(cast):
    """Sam's and Counselling's; Kay and Oli do not see it."""
    secret = factories.category("Disclosure", need_to_know=[cast.counselling])
    return factories.incident(cast.sam, [(cast.student, [secret])], text="Nobody else may know.")


def refs(user, case):
    return [link.ref for link in queries.linked_incidents(user, case)]


# --- Rules -----------------------------------------------------------------------------------------------------------


def test_everybody_on_the_case_links_what_they_see(cast, case, incident, hidden):
    actions.link_incident(case, incident, actor=cast.sam)
    row = CaseIncident.get()
    assert (row.case_id, row.incident_id, row.linked_by_id) == (case.id, incident.id, cast.sam.id)
    event = Event.get(Event.verb == "case.incident_linked")
    assert (event.target, event.data) == (case.ref, f'{{"incident": "{incident.ref}"}}')
    for who in (cast.oli, cast.gil):  # on the case, without a reason to see the incident
        with pytest.raises(permissions.NotVisible):
            actions.link_incident(case, incident, actor=who)
    for who in (cast.ken, cast.mo, cast.rae, cast.stu):
        with pytest.raises(permissions.NotVisible):
            actions.link_incident(case, incident, actor=who)
    with pytest.raises(permissions.NotVisible):
        actions.link_incident(case, hidden, actor=cast.kay)


def test_a_link_is_made_once(cast, case, incident):
    actions.link_incident(case, incident, actor=cast.sam)
    with pytest.raises(actions.Refused, match="linked already"):
        actions.link_incident(case, incident, actor=cast.kay)
    assert CaseIncident.select().count() == Event.select().where(Event.verb == "case.incident_linked").count() == 1


def test_each_reader_sees_the_links_of_what_they_see(cast, case, incident, hidden):
    for one in (incident, hidden):
        actions.link_incident(case, one, actor=cast.sam)
    assert set(refs(cast.sam, case)) == set(refs(cast.ada, case)) == {incident.ref, hidden.ref}
    assert refs(cast.kay, case) == [incident.ref]
    assert refs(cast.gil, case) == [hidden.ref]
    assert refs(cast.oli, case) == []
    for who in (cast.sam, cast.ada, cast.kay, cast.gil, cast.oli):
        assert {row.ref for row in queries.linked_summaries(who, case)} == set(refs(who, case))


def test_an_invisible_link_moves_nothing_and_tells_nobody_else(cast, case, hidden):
    actions.link_incident(case, hidden, actor=cast.sam)
    assert Case.get_by_id(case.id).last_activity_at == case.last_activity_at
    assert {row.account_id for row in Notification.select()} == {cast.gil.id}


def test_who_takes_a_link_away(cast, case, incident, hidden):
    def link(one):
        return actions.link_incident(case, one, actor=cast.sam)

    link(incident)
    link(hidden)
    with pytest.raises(permissions.Denied):
        actions.unlink_incident(case, hidden, actor=cast.gil)
    for who, one in ((cast.kay, hidden), (cast.oli, incident), (cast.ken, incident)):
        with pytest.raises(permissions.NotVisible):
            actions.unlink_incident(case, one, actor=who)
    actions.unlink_incident(case, incident, actor=cast.kay)
    actions.unlink_incident(case, hidden, actor=cast.sam)
    assert CaseIncident.select().count() == 0
    assert Event.select().where(Event.verb == "case.incident_unlinked").count() == 2
    with pytest.raises(permissions.NotVisible):
        actions.unlink_incident(case, incident, actor=cast.kay)


# --- Pages -----------------------------------------------------------------------------------------------------------


def test_linking_on_the_pages(cast, case, incident, client_for, post):
    kay, address = client_for("kay"), f"/cases/{case.ref}/incidents"
    assert "No incident is linked" in text_of(kay.get(address))
    for typed in (incident.ref.lower(), f" {incident.ref[2:]} "):
        CaseIncident.delete().execute()
        answer = post(kay, address, {"incident": typed})
        assert (answer.status_code, answer.location) == (303, address)
        assert CaseIncident.get().incident_id == incident.id
    page = kay.get(address)
    assert incident.ref in page.text and "Stu Sturgeon" in page.text and "lockers" not in page.text
    case_page = kay.get(f"/cases/{case.ref}")
    assert f'href="/incidents/{incident.ref}"' in case_page.text and "lockers" not in case_page.text
    answer = post(kay, f"{address}/{incident.ref}/removal", {}, form_url=address)
    assert (answer.status_code, answer.location) == (303, address)
    assert CaseIncident.select().count() == 0


def test_missing_and_invisible_get_the_same_sentence(cast, case, hidden, client_for, post):
    kay, address = client_for("kay"), f"/cases/{case.ref}/incidents"
    theirs, missing = post(kay, address, {"incident": hidden.ref}), post(kay, address, {"incident": "I-ZZZZZZ"})
    assert theirs.status_code == missing.status_code == 422
    assert text_of(theirs) == text_of(missing)
    assert "No incident with this number is known." in text_of(theirs)


@pytest.mark.parametrize("typed", ["", "   ", "nonsense", "\0", "x" * 41, "C-7K3FQ2", "'; DROP TABLE case_incident; --"])
def test_bad_numbers_are_refused(case, client_for, post, typed):
    answer = post(client_for("kay"), f"/cases/{case.ref}/incidents", {"incident": typed})
    assert answer.status_code == 422 and "Incident number: " in text_of(answer)


def test_linking_it_again_says_so(cast, case, incident, client_for, post):
    actions.link_incident(case, incident, actor=cast.sam)
    answer = post(client_for("kay"), f"/cases/{case.ref}/incidents", {"incident": incident.ref})
    assert answer.status_code == 422 and "This incident is linked already." in text_of(answer)


def test_no_page_tells_of_a_link_that_is_not_the_readers(cast, case, incident, hidden, client_for):
    actions.link_incident(case, hidden, actor=cast.sam)
    for who in ("kay", "oli"):
        client = client_for(who)
        for tail in ("", "/incidents", "/history"):
            page = client.get(f"/cases/{case.ref}{tail}")
            assert page.status_code == 200 and hidden.ref not in page.text and "linked the incident" not in page.text
    assert hidden.ref in client_for("gil").get(f"/cases/{case.ref}/history").text


def test_whose_pages_they_are(cast, case, incident, hidden, client_for, post):
    actions.link_incident(case, incident, actor=cast.sam)
    actions.link_incident(case, hidden, actor=cast.sam)
    address = f"/cases/{case.ref}/incidents"

    def removal(who, one):
        return post(client_for(who), f"{address}/{one.ref}/removal", {}, form_url="/").status_code

    for who in ("ken", "mo", "rae", "stu"):
        assert client_for(who).get(address).status_code == 404
        assert post(client_for(who), address, {"incident": incident.ref}, form_url="/").status_code == 404
        assert removal(who, incident) == 404
    assert [removal("oli", incident), removal("kay", hidden), removal("gil", hidden)] == [404, 404, 403]
    other = factories.incident(cast.sam, [cast.student])
    assert removal("sam", other) == 404
    assert CaseIncident.select().count() == 2


def test_a_closed_case_keeps_its_links(cast, case, incident, client_for, post):
    actions.link_incident(case, incident, actor=cast.sam)
    Case.update(status="Closed").execute()
    kay, address = client_for("kay"), f"/cases/{case.ref}/incidents"
    assert ">Link incident</button>" not in kay.get(address).text and ">Unlink</button>" not in kay.get(address).text
    other = factories.incident(cast.sam, [cast.student])
    answer = post(kay, address, {"incident": other.ref}, form_url="/")
    assert answer.status_code == 422 and "This case is closed. Reopen it first." in text_of(answer)
    post(kay, f"{address}/{incident.ref}/removal", {}, form_url="/")
    assert [row.incident_id for row in CaseIncident.select()] == [incident.id]


def test_the_page_costs_the_same_for_many(cast, case, client_for, count_queries):
    kay, counts = client_for("kay"), []
    for number in (2, 30):
        for _ in range(number):
            actions.link_incident(case, factories.incident(cast.sam, [cast.student]), actor=cast.kay)
        with count_queries(most=10) as made:
            kay.get(f"/cases/{case.ref}/incidents")
        counts.append(len(made))
    assert counts[0] == counts[1]
