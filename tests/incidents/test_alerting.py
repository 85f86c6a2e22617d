"""Alerts: who may send them, who reads from then on, and exactly one email for each who can read."""

import pytest

import permissions
import tasks
from blueprints.incidents import actions
from models import Account, GroupMember, IncidentAlert, OutboxEmail
from tests import factories
from tests.web import forms, text_of


def alert(world, accounts=(), groups=(), who="sam", **more):
    return actions.alert(world.incident, accounts, groups, actor=getattr(world.cast, who), **more)


def mailed():
    return sorted(mail.account.name for mail in OutboxEmail.select())


def test_accounts_and_members_as_they_stand_are_emailed_once(world):
    cast = world.cast
    GroupMember.create(group=cast.counselling, account=cast.oli)
    GroupMember.create(group=cast.counselling, account=cast.sam)
    away = factories.account("Away Person", is_active=False)
    GroupMember.create(group=cast.counselling, account=away)
    alert(world, [cast.oli, cast.kay], [cast.counselling])
    assert mailed() == ["Gil Gannet", "Kay Kestrel", "Oli Ouzel"]
    alert(world, [cast.oli], [cast.counselling])
    assert len(mailed()) == 3 and IncidentAlert.select().count() == 3


def test_who_was_told_alone_is_not_told_again_by_the_group(world):
    alert(world, [world.cast.gil])
    alert(world, [], [world.cast.counselling])
    assert mailed() == ["Gil Gannet"]


def test_who_joins_later_reads_but_gets_no_email(world):
    cast = world.cast
    alert(world, [], [cast.counselling])
    GroupMember.create(group=cast.counselling, account=cast.oli)
    assert permissions.incident_reasons(cast.oli, world.incident) == ["alerted"]
    assert mailed() == ["Gil Gannet"]


def test_who_left_before_it_was_sent_gets_nothing(world, app, smtp):
    alert(world, [], [world.cast.counselling])
    GroupMember.delete().where(GroupMember.account == world.cast.gil).execute()
    with app.app_context():
        tasks.deliver()
    assert smtp.messages == [] and "does not see" in OutboxEmail.get().dropped_why


@pytest.mark.parametrize("who", ["oli", "gil", "rae", "stu"])
def test_others_alert_nobody(world, who):
    with pytest.raises(permissions.NotVisible):
        alert(world, [world.cast.ken], who=who)
    IncidentAlert.create(incident=world.incident, account=world.cast.oli, alerted_by=world.cast.sam)
    if who == "oli":
        with pytest.raises(permissions.Denied):
            alert(world, [world.cast.ken], who=who)


def test_referral_users_and_students_cannot_be_chosen(world, client_for, post):
    for person in (world.cast.rae, world.cast.stu):
        answer = post(client_for("sam"), f"/incidents/{world.incident.ref}/alerts", {"alert_ref": f"a:{person.ref}"})
        assert answer.status_code == 422
    with pytest.raises(actions.Refused):
        alert(world, [world.cast.rae])


def test_an_excluded_person_cannot_be_alerted(world):
    factories.exclusion(world.cast.oli, world.cast.ada, incident=world.incident)
    with pytest.raises(actions.Refused):
        alert(world, [world.cast.oli])
    GroupMember.create(group=world.cast.counselling, account=world.cast.oli)
    alert(world, [], [world.cast.counselling])
    assert mailed() == ["Gil Gannet"]


def test_the_page(world, client_for, post, smtp, app):
    cast, where = world.cast, f"/incidents/{world.incident.ref}/alerts"
    client = client_for("kay")
    query = f"alert_ref=a:{cast.oli.ref}&alert_ref=a:{cast.ken.ref}"
    said = client.get(f"/incidents/{world.incident.ref}/access-preview?{query}")
    assert text_of(said) == "This gives 1 more person access: Oli Ouzel."
    assert "This gives 1 more person" in text_of(post(client, where, {"alert": "Oli Ouzel", "preview": "1"}))
    assert IncidentAlert.select().count() == 0
    assert post(client, where, {}).status_code == 422
    assert post(client, where, {"alert_ref": [f"a:{cast.oli.ref}", f"g:{cast.counselling.ref}"]}).status_code == 303
    assert client_for("oli").get(f"/incidents/{world.incident.ref}").status_code == 200
    assert "alerted Oli Ouzel" in text_of(client.get(f"/incidents/{world.incident.ref}"))
    with app.app_context():
        tasks.deliver()
    mails = smtp.wait_for(2)
    assert sorted(mail.to[0] for mail in mails) == sorted([cast.oli.email, cast.gil.email])
    for mail in mails:
        raw = mail.raw.decode()
        assert f"/incidents/{world.incident.ref}" in raw
        assert not any(word in raw for word in ("Sturgeon", "Swift", "Bullying", "lockers", "Kestrel Hill"))
    for who in ("gil", "rae", "stu"):
        expected = 403 if who == "gil" else 404
        assert post(client_for(who), where, {"alert_ref": f"a:{cast.ken.ref}"}, form_url="/").status_code == expected


def test_the_confirmation_on_the_page(world, client_for, post):
    cast = world.cast
    secret = factories.incident(cast.sam, [(cast.student, [world.disclosure])])
    where, client = f"/incidents/{secret.ref}/alerts", client_for("sam")
    answer = post(client, where, {"alert_ref": f"a:{cast.oli.ref}"})
    assert answer.status_code == 422 and "Oli Ouzel" in text_of(answer)
    form = next(form for form in forms(answer) if "alert" in form.controls and form.method == "post")
    assert client.post(where, data={**form.values, "confirmed": form.choices["confirmed"]}).status_code == 303
    assert permissions.incident_reasons(cast.oli, secret) == ["alerted"]
    assert post(client, where, {"alert_ref": f"a:{cast.gil.ref}"}).status_code == 303


def test_a_deactivated_person_gets_no_email(world, app, smtp):
    alert(world, [world.cast.oli])
    Account.update(is_active=False).where(Account.id == world.cast.oli.id).execute()
    with app.app_context():
        tasks.deliver()
    assert smtp.messages == []
