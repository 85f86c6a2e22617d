"""Conflicts of interest on one incident: the page, and what it does to everything else."""

import pytest

from models import Exclusion, IncidentAlert
from tests.web import text_of


@pytest.fixture
def url(world):
    return f"/incidents/{world.incident.ref}"


def test_an_admin_keeps_somebody_out_and_lets_them_in_again(world, client_for, post, url):
    cast, ada = world.cast, client_for("ada")
    kay = client_for("kay")
    assert kay.get(url).status_code == 200
    assert post(ada, f"{url}/exclusions", {"staff_member": cast.kay.ref, "reason": ""}).status_code == 422
    sent = {"staff_member": cast.kay.ref, "reason": "A relative"}
    assert post(ada, f"{url}/exclusions", sent).status_code == 303
    assert kay.get(url).status_code == 404
    page = text_of(ada.get(f"{url}/exclusions"))
    assert "Kay Kestrel" not in text_of(ada.get(f"{url}/access"))
    assert "Kay Kestrel" in page and "A relative" in page
    ref = Exclusion.get().ref
    assert post(ada, f"{url}/exclusions/{ref}/end", form_url=f"{url}/exclusions").status_code == 303
    assert kay.get(url).status_code == 200


def test_nobody_else_learns_of_it(world, client_for, post, url):
    for who in ("kay", "sam", "oli", "rae", "stu"):
        client = client_for(who)
        assert client.get(f"{url}/exclusions").status_code == 404
        sent = {"staff_member": world.cast.kay.ref, "reason": "x"}
        assert post(client, f"{url}/exclusions", sent, form_url="/").status_code == 404
    assert Exclusion.select().count() == 0


def test_the_last_admin_who_sees_it_stays(world, client_for, post, url):
    sent = {"staff_member": world.cast.ada.ref, "reason": "Me"}
    answer = post(client_for("ada"), f"{url}/exclusions", sent)
    assert answer.status_code == 422 and Exclusion.select().count() == 0


def test_a_forged_person_is_refused(world, client_for, post, url):
    for ref in ("ZZZZZZZZZZ", world.cast.stu.ref, ""):
        answer = post(client_for("ada"), f"{url}/exclusions", {"staff_member": ref, "reason": "x"})
        assert answer.status_code == 422
    IncidentAlert.create(incident=world.incident, account=world.cast.oli, alerted_by=world.cast.sam)
    assert client_for("oli").get(f"{url}/exclusions").status_code == 404
