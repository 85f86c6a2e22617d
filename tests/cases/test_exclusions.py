"""Conflicts of interest on one case: the rules, the page, and what it does to everything else."""

import pytest

import permissions
from blueprints.students import actions, queries
from models import Event, Exclusion
from tests import factories
from tests.web import text_of


@pytest.fixture
def case(cast):
    return factories.case(cast.student, opened_by=cast.kay, staff=[cast.sam], groups=[cast.counselling])


@pytest.fixture
def url(case):
    return f"/cases/{case.ref}"


@pytest.fixture
def amy(cast):
    """A second Admin Key Holder."""
    return factories.account("Amy Avocet", role=permissions.ADMIN)


# --- Rules -----------------------------------------------------------------------------------------------------------


def test_it_beats_every_reason_on_this_case_alone_and_ends(cast, case):
    other = factories.case(cast.student, staff=[cast.sam])
    row = actions.exclude(cast.sam, case=case, reason="A relative", actor=cast.ada)
    assert permissions.case_reasons(cast.sam, case) == [] and permissions.case_reasons(cast.sam, other) == ["assigned"]
    assert (row.case_id, row.student_id, row.incident_id) == (case.id, None, None)
    with pytest.raises(actions.NotPossible, match="already"):
        actions.exclude(cast.sam, case=case, reason="Again", actor=cast.ada)
    actions.end_exclusion(row, actor=cast.ada)
    assert permissions.case_reasons(cast.sam, case) == ["assigned"]
    told = [(event.verb, event.target, event.data) for event in Event.select().order_by(Event.id)]
    data = f'{{"account": "{cast.sam.ref}", "on": "case"}}'
    assert told == [("exclusion.added", case.ref, data), ("exclusion.ended", case.ref, data)]


def test_an_admin_key_holder_must_be_left(cast, case, amy):
    with pytest.raises(permissions.NotVisible):
        actions.exclude(cast.kay, case=case, reason="x", actor=cast.oli)
    actions.exclude(amy, case=case, reason="Subject of it", actor=cast.ada)
    assert permissions.case_reasons(amy, case) == []
    with pytest.raises(actions.NotPossible, match="other Admin Key Holder"):
        actions.exclude(cast.ada, case=case, reason="Relative", actor=cast.ada)
    # and not by way of the student either: the case would have nobody
    with pytest.raises(actions.NotPossible, match="A case of this student"):
        actions.exclude(cast.ada, student=cast.student, reason="Relative", actor=cast.ada)
    assert Exclusion.select().count() == 1


def test_who_is_excluded_does_not_learn_of_it_or_end_it(cast, case, amy):
    row = actions.exclude(amy, case=case, reason="Subject of it", actor=cast.ada)
    for act in (
        lambda: queries.exclusions(amy, case=case),
        lambda: actions.end_exclusion(row, actor=amy),
        lambda: actions.exclude(cast.kay, case=case, reason="x", actor=amy),
    ):
        with pytest.raises(permissions.NotVisible):
            act()
    assert [one.account.name for one in queries.exclusions(cast.ada, case=case)] == ["Amy Avocet"]
    with pytest.raises(permissions.Denied):
        queries.exclusions(cast.kay, case=case)


# --- The page --------------------------------------------------------------------------------------------------------


def test_ada_keeps_somebody_out_and_lets_them_in_again(cast, client_for, post, url):
    ada, sam = client_for("ada"), client_for("sam")
    assert sam.get(url).status_code == 200
    assert post(ada, f"{url}/exclusions", {"staff_member": cast.sam.ref, "reason": ""}).status_code == 422
    assert post(ada, f"{url}/exclusions", {"staff_member": cast.sam.ref, "reason": "A relative"}).status_code == 303
    assert sam.get(url).status_code == 404
    page = text_of(ada.get(f"{url}/exclusions"))
    assert "Sam Swift" in page and "A relative" in page
    assert "Sam Swift" not in text_of(ada.get(f"{url}/access"))
    ref = Exclusion.get().ref
    assert post(ada, f"{url}/exclusions/{ref}/end", form_url=f"{url}/exclusions").status_code == 303
    assert sam.get(url).status_code == 200


def test_an_admin_steps_back(cast, client_for, post, url, amy):
    answer = post(client_for("ada"), f"{url}/exclusions", {"staff_member": cast.ada.ref, "reason": "My nephew"})
    assert (answer.status_code, answer.location) == (303, "/cases/mine")
    assert client_for("ada").get(url).status_code == 404 and client_for(amy).get(url).status_code == 200


def test_an_exclusion_of_another_record_is_not_ended_here(cast, client_for, post, url, case):
    row = factories.exclusion(cast.sam, cast.ada, case=factories.case())
    assert post(client_for("ada"), f"{url}/exclusions/{row.ref}/end", form_url=f"{url}/exclusions").status_code == 404
    assert Exclusion.get().ended_at is None


@pytest.mark.parametrize("who", ["kay", "mo", "gil", "sam", "oli", "rae", "stu"])
def test_nobody_else_learns_of_it(cast, client_for, post, url, case, who):
    row = factories.exclusion(cast.ken, cast.ada, case=case)
    client = client_for(who)
    assert client.get(f"{url}/exclusions").status_code == 404
    sent = {"staff_member": cast.sam.ref, "reason": "x"}
    assert post(client, f"{url}/exclusions", sent, form_url="/").status_code == 404
    assert post(client, f"{url}/exclusions/{row.ref}/end", form_url="/").status_code == 404
    assert Exclusion.select().where(Exclusion.ended_at.is_null()).count() == 1


def test_a_forged_person_and_the_last_admin_are_refused(cast, client_for, post, url):
    for ref in ("ZZZZZZZZZZ", cast.stu.ref, "", cast.ada.ref):
        answer = post(client_for("ada"), f"{url}/exclusions", {"staff_member": ref, "reason": "x"})
        assert answer.status_code == 422
    assert Exclusion.select().count() == 0
