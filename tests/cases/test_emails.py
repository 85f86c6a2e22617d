"""Emails about being assigned to a case: with the box ticked exactly one each, without it none, and none to who is not on
it any more. Sent through a real mail server."""

import pytest

import events
import permissions
import tasks
from blueprints.cases import actions, queries
from extensions import db
from models import Account, Case, CaseStaff, GroupMember, Notification, NotificationChoice, OutboxEmail
from tests import factories
from tests.web import filled_in

SECRETS = ("Stu", "Sturgeon", "Quiet", "corners", "Kay", "Kestrel", "Counselling", "Wellbeing", "Gil", "Gannet", "family")


@pytest.fixture
def case(cast):
    return factories.case(cast.student, opened_by=cast.kay, title="Quiet corners", entries=[(cast.kay, "Spoke to the family.")])


@pytest.fixture
def url(case):
    return f"/cases/{case.ref}"


@pytest.fixture
def step(cast, url):
    return f"{url}/assignment/{cast.counselling.ref}"


@pytest.fixture
def members(cast):
    """Counselling: Gil, Sam and Oli, besides Kay, who assigns."""
    for account in (cast.sam, cast.oli, cast.kay):
        GroupMember.create(group=cast.counselling, account=account)
    return [cast.gil, cast.sam, cast.oli]


@pytest.fixture
def sent(app, smtp):
    """sent(): who the mail server got an email for, in order of their addresses."""

    def deliver():
        with app.app_context():
            tasks.deliver()
        return sorted(address.partition("@")[0] for mail in smtp.messages for address in mail.to)

    return deliver


def attach_group(case, group, actor, **options):
    confirmed = queries.confirmation_of(queries.new_readers(case, group))
    return actions.attach_group(case, group, actor=actor, confirmed=confirmed, **options)


def told():
    return sorted(row.account.name.split()[0].lower() for row in Notification.select())


# --- The box ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ticked", [True, False])
def test_each_individual_gets_one_email_with_the_box_and_none_without(
    cast, case, members, client_for, post, url, step, sent, smtp, ticked
):
    data = {"staff": [cast.gil.ref, cast.sam.ref], **({"email": "y"} if ticked else {})}
    assert post(client_for("kay"), f"{url}/staff", data, form_url=step).status_code == 303
    assert sent() == (["gil", "sam"] if ticked else []) and told() == ["gil", "sam"]
    for mail in smtp.messages:
        assert f"{url}\r\n" in mail.text and case.ref in mail.text
        raw = (mail.raw.decode() + mail.text + mail.subject).replace(mail.to[0], "")
        assert not [word for word in SECRETS if word in raw]


@pytest.mark.parametrize("ticked", [True, False])
def test_each_member_gets_one_email_with_the_box_and_none_without(cast, case, members, client_for, post, url, step, sent, ticked):
    kay = client_for("kay")
    new = queries.confirmation_of(queries.new_readers(case, cast.counselling))
    data = {"group": cast.counselling.ref, "confirmed": new, **({"email": "y"} if ticked else {})}
    assert post(kay, f"{url}/groups", data, form_url=step).status_code == 303
    assert sent() == (["gil", "oli", "sam"] if ticked else []) and told() == ["gil", "oli", "sam"]


def test_who_joins_later_reads_but_gets_no_email_for_the_past(cast, case, sent):
    attach_group(case, cast.counselling, cast.kay, email=True)
    GroupMember.create(group=cast.counselling, account=cast.oli)
    assert permissions.case_reasons(cast.oli, case) == ["group"] and sent() == ["gil"]


def test_nobody_gets_two_who_is_assigned_both_ways(cast, case, members, sent):
    actions.attach_staff(case, cast.counselling, [cast.gil], actor=cast.kay, email=True)
    attach_group(case, cast.counselling, cast.kay, email=True)
    actions.attach_staff(case, cast.counselling, [cast.sam], actor=cast.kay, email=True)
    assert sent() == ["gil", "oli", "sam"]


def test_the_box_reaches_who_was_added_without_it(cast, case, members, sent):
    actions.attach_staff(case, cast.counselling, [cast.gil], actor=cast.kay)
    attach_group(case, cast.counselling, cast.kay, email=True)
    assert sent() == ["gil", "oli", "sam"]


def test_who_was_taken_off_and_comes_back_is_emailed_again(cast, case, sent):
    actions.attach_staff(case, cast.counselling, [cast.gil], actor=cast.kay, email=True)
    actions.detach_staff(case, cast.gil.ref, actor=cast.kay)
    actions.attach_staff(case, cast.counselling, [cast.gil], actor=cast.kay, email=True)
    assert sent() == ["gil", "gil"]


def test_a_double_click_sends_one(cast, case, client_for, post, url, step, sent):
    kay = client_for("kay")
    body = filled_in(kay.get(step), f"{url}/staff", {"staff": [cast.gil.ref], "email": "y"})
    for _ in range(3):
        assert kay.post(f"{url}/staff", data=body).status_code == 303
    assert sent() == ["gil"]


def test_nobody_chooses_away_the_email_about_being_added(cast, case, sent):
    NotificationChoice.create(account=cast.gil, kind="case_added", choice="never")
    actions.attach_staff(case, cast.counselling, [cast.gil], actor=cast.kay, email=True)
    assert sent() == ["gil"]


# --- The three fields ------------------------------------------------------------------------------------------------


def test_the_three_fields_email_everybody_new_once(cast, case, client_for, post, url, sent):
    following = [cast.gil.ref, cast.mo.ref, cast.kay.ref]
    data = {"primary_advocate_ref": cast.sam.ref, "coordinator_ref": cast.sam.ref, "following_ref": following}
    assert post(client_for("kay"), f"{url}/people", data, form_url=url).status_code == 303
    assert sent() == ["gil", "mo", "sam"]
    assert post(client_for("kay"), f"{url}/people", form_url=url).status_code == 303
    assert sent() == ["gil", "mo", "sam"]


# --- Asked again when it is sent -------------------------------------------------------------------------------------


@pytest.mark.parametrize("change", ["left", "detached", "deactivated", "no staff", "excluded", "excluded from the student"])
def test_who_is_not_on_it_any_more_gets_none(cast, case, sent, change):
    attach_group(case, cast.counselling, cast.kay, email=True)
    if change == "left":
        GroupMember.delete().where(GroupMember.account == cast.gil).execute()
    elif change == "detached":
        actions.detach_group(case, cast.counselling.ref, actor=cast.kay)
    elif change == "deactivated":
        Account.update(is_active=False).where(Account.id == cast.gil.id).execute()
    elif change == "no staff":
        Account.update(role=permissions.REFERRAL_USER).where(Account.id == cast.gil.id).execute()
    else:
        factories.exclusion(cast.gil, cast.ada, **({"student": cast.student} if "student" in change else {"case": case}))
    assert sent() == []
    row = OutboxEmail.get()
    assert row.dropped_at and not row.is_waiting


def test_who_left_the_group_but_is_on_it_by_name_still_gets_it(cast, case, sent):
    attach_group(case, cast.counselling, cast.kay, email=True)
    CaseStaff.create(case=case, account=cast.gil, attached_by=cast.kay)
    GroupMember.delete().where(GroupMember.account == cast.gil).execute()
    assert sent() == ["gil"]


def test_seeing_it_as_admin_alone_is_not_being_on_it(cast, case):
    row = OutboxEmail(kind="case_added", account=cast.ada, target=case.ref, target_id=case.id)
    for ask in (queries.email_case_added, queries.email_case_changed):
        assert ask(row, cast.ada) == "this account is not on the case any more"
        Case.update(coordinator=cast.ada).where(Case.id == case.id).execute()
        assert ask(row, cast.ada) == {"ref": case.ref}
        Case.update(coordinator=None).where(Case.id == case.id).execute()
    row.target_id = -1
    assert queries.email_case_added(row, cast.ada) == "this account is not on the case any more"


def test_the_email_about_a_change_says_nothing_and_links(cast, case, url, sent, smtp):
    Case.update(coordinator=cast.ken).where(Case.id == case.id).execute()
    with db.atomic():
        events.email("case_changed", cast.ken, target=case.ref, target_id=case.id)
    assert sent() == ["ken"]
    (mail,) = smtp.messages
    assert f"{url}\r\n" in mail.text and not [word for word in SECRETS if word in mail.text + mail.subject]
