"""Closing a case with a reason and an outcome, and reopening it: who may, what it leaves behind, two at once."""

import pytest

import permissions
from blueprints.cases import actions
from models import Case, CaseClosure, CloseReason, Event, Notification
from tests import factories
from tests.web import text_of


@pytest.fixture
def case(cast):
    return factories.case(cast.student, opened_by=cast.kay, title="Support plan", staff=[cast.sam], groups=[cast.counselling])


@pytest.fixture
def resolved(app):
    return CloseReason.get(CloseReason.name == "Resolved")


def now(case):
    return Case.get_by_id(case.id)


def close(case, by, reason, outcome="", version=None):
    row = now(case)
    return actions.close_case(row, reason=reason.id, outcome=outcome, actor=by, version=version or row.version)


# --- Rules -----------------------------------------------------------------------------------------------------------


def test_closing_leaves_a_row_an_event_and_word_to_those_on_it(cast, case, resolved):
    close(case, cast.kay, resolved, "The family is supported.")
    assert now(case).status == "Closed" and now(case).last_activity_at > case.last_activity_at
    row = CaseClosure.get()
    assert (row.closed_by_id, row.reason_id, row.outcome) == (cast.kay.id, resolved.id, "The family is supported.")
    event = Event.get(Event.verb == "case.closed")
    assert (event.target, event.actor_id, event.data) == (case.ref, cast.kay.id, f'{{"reason": "{resolved.ref}"}}')
    told = {(row.account_id, row.kind, row.detail) for row in Notification.select()}
    assert told == {(person.id, "case_changed", "closing") for person in (cast.sam, cast.gil)}


def test_reopening_keeps_the_closing(cast, case, resolved):
    close(case, cast.kay, resolved)
    actions.reopen_case(now(case), reason="It began again.", actor=cast.mo, version=2)
    row = CaseClosure.get()
    assert (row.reopened_by_id, row.reopen_reason, now(case).status) == (cast.mo.id, "It began again.", "Open")
    assert Event.get(Event.verb == "case.reopened").actor_id == cast.mo.id
    close(case, cast.kay, resolved)
    assert CaseClosure.select().count() == 2


def test_who_closes_and_reopens(cast, case, resolved):
    Case.update(coordinator=cast.ken, primary_advocate=cast.oli).execute()
    for who in ("sam", "gil"):
        with pytest.raises(permissions.Denied):
            close(case, getattr(cast, who), resolved)
        with pytest.raises(permissions.Denied):
            actions.reopen_case(now(case), reason="x", actor=getattr(cast, who), version=1)
    for who in ("rae", "stu"):
        with pytest.raises(permissions.NotVisible):
            close(case, getattr(cast, who), resolved)
    for who in ("kay", "mo", "ken", "oli", "ada"):
        close(case, getattr(cast, who), resolved)
        actions.reopen_case(now(case), reason="Again", actor=getattr(cast, who), version=now(case).version)


def test_a_retired_or_unknown_reason_is_refused(cast, case, resolved):
    CloseReason.update(is_retired=True).where(CloseReason.id == resolved.id).execute()
    with pytest.raises(actions.Refused, match="can't be chosen any more"):
        close(case, cast.kay, resolved)
    assert now(case).status == "Open" and CaseClosure.select().count() == 0


def test_a_closed_case_takes_nothing_in_and_is_still_read(cast, case, resolved, client_for):
    incident = factories.incident(cast.kay, [cast.student])
    close(case, cast.kay, resolved)
    with pytest.raises(actions.Refused, match="This case is closed"):
        actions.link_incident(now(case), incident, actor=cast.kay)
    with pytest.raises(actions.Refused, match="This case is closed"):
        actions.change_case(now(case), title="New", case_type=case.case_type_id, actor=cast.kay, version=2)
    for who in ("kay", "sam", "gil", "mo", "ada"):
        page = client_for(who).get(f"/cases/{case.ref}")
        assert page.status_code == 200 and "nothing can be added or changed" in text_of(page)


# --- Pages -----------------------------------------------------------------------------------------------------------


def test_closing_and_reopening_on_the_pages(cast, case, resolved, client_for, post):
    kay, address = client_for("kay"), f"/cases/{case.ref}"
    page = kay.get(address).text
    assert f'<a href="{address}/closure"><span>Status:</span> Open' in page and ">Close case</button>" in page
    form = kay.get(f"{address}/closure").text
    assert ">Reason</label>" in form and ">Outcome</label>" in form and ">Close case</button>" in form
    answer = post(kay, f"{address}/closure", {"reason": resolved.ref, "outcome": "All is <b>well</b>."})
    assert (answer.status_code, answer.location) == (303, address)
    closed = kay.get(address)
    words = text_of(closed)
    for part in ("Closed by Kay Kestrel", "Resolved", "All is <b>well</b>.", "Reopen case", "Status: Closed"):
        assert part in words, part
    assert kay.get(f"{address}/closure").location == f"{address}/reopening"
    answer = post(kay, f"{address}/reopening", {"reason": "Not yet, it seems."})
    assert (answer.status_code, answer.location) == (303, address)
    assert "Status: Open" in text_of(kay.get(address))
    assert kay.get(f"{address}/reopening").location == f"{address}/closure"
    history = text_of(kay.get(f"{address}/history"))
    assert "Kay Kestrel closed the case: Resolved. Outcome: All is <b>well</b>." in history
    assert "Kay Kestrel reopened the case: Not yet, it seems." in history


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"reason": ""}, "Reason: Choose a reason."),
        ({"reason": "ZZZZZZZZZZ"}, "Reason: This reason can't be chosen. Choose one from the list."),
        ({"outcome": "x" * 10_001}, "Outcome: This is 10,001 characters long."),
    ],
)
def test_bad_input_to_closing(case, resolved, client_for, post, data, sentence):
    answer = post(client_for("kay"), f"/cases/{case.ref}/closure", {"reason": resolved.ref, "outcome": "Kept"} | data)
    assert answer.status_code == 422 and sentence in text_of(answer)
    assert now(case).status == "Open"


@pytest.mark.parametrize("reason", ["", "   ", "x" * 251])
def test_bad_input_to_reopening(cast, case, resolved, client_for, post, reason):
    close(case, cast.kay, resolved)
    answer = post(client_for("kay"), f"/cases/{case.ref}/reopening", {"reason": reason})
    assert answer.status_code == 422 and "Reason: " in text_of(answer)
    assert now(case).status == "Closed"


def test_two_closings_at_once(cast, case, resolved, client_for, post):
    address = f"/cases/{case.ref}/closure"
    data = {"reason": resolved.ref, "outcome": "Mine", "version": "1"}
    close(case, cast.ada, resolved, "Theirs")
    answer = post(client_for("kay"), address, data, form_url=f"/cases/{case.ref}/reopening")
    words = text_of(answer)
    assert answer.status_code == 422 and "This case is closed already." in words
    assert "Ada Adler closed this case" in words and "Outcome: Theirs" in words and "Mine" in answer.text
    assert CaseClosure.select().count() == 1


def test_a_change_in_between_is_said_and_nothing_is_lost(cast, case, resolved, client_for, post):
    now(case).change(1, coordinator=cast.ken)
    answer = post(client_for("kay"), f"/cases/{case.ref}/closure", {"reason": resolved.ref, "outcome": "Mine", "version": "1"})
    assert answer.status_code == 409 and "Mine" in answer.text and "Somebody else changed this case" in text_of(answer)
    assert now(case).status == "Open"
    assert 'name="version" type="hidden" value="2"' in answer.text


def test_two_who_loaded_it_at_the_same_moment(cast, case, resolved):
    first, second = now(case), now(case)
    actions.close_case(first, reason=resolved.id, outcome="", actor=cast.kay, version=1)
    with pytest.raises(Exception, match="changed by somebody else"):
        actions.close_case(second, reason=resolved.id, outcome="", actor=cast.ada, version=1)
    assert CaseClosure.select().count() == Event.select().where(Event.verb == "case.closed").count() == 1


def test_reopening_what_is_open_is_refused(case, client_for, post):
    data = {"reason": "Because", "version": "1"}
    answer = post(client_for("kay"), f"/cases/{case.ref}/reopening", data, form_url=f"/cases/{case.ref}/closure")
    assert answer.status_code == 422 and "This case is open already." in text_of(answer)


def test_whose_pages_they_are(cast, case, resolved, client_for, post):
    for tail, data in (("closure", {"reason": resolved.ref, "version": "1"}), ("reopening", {"reason": "x", "version": "1"})):
        address = f"/cases/{case.ref}/{tail}"
        for who in ("sam", "gil"):
            assert client_for(who).get(address).status_code == 403
            assert post(client_for(who), address, data, form_url="/").status_code == 403
        for who in ("oli", "ken", "rae", "stu"):
            assert client_for(who).get(address).status_code == 404
            assert post(client_for(who), address, data, form_url="/").status_code == 404
        missing = client_for("oli").get(f"/cases/C-ZZZZZZ/{tail}")
        assert text_of(missing) == text_of(client_for("oli").get(address))
    assert now(case).status == "Open"
    assert "Close case" not in client_for("sam").get(f"/cases/{case.ref}").text
