"""Assign Group or Staff: a whole group follows its membership, individuals are a snapshot; who may, and what is refused."""

import re

import pytest

import permissions
from blueprints.cases import actions, queries
from models import Account, CaseGroup, CaseStaff, Event, Group, GroupMember, Notification
from tests import factories
from tests.web import forms, text_of


@pytest.fixture
def case(cast):
    return factories.case(cast.student, opened_by=cast.kay, title="Quiet corners")


@pytest.fixture
def url(case):
    return f"/cases/{case.ref}"


@pytest.fixture
def step(cast, url):
    """The second step's address for Counselling."""
    return f"{url}/assignment/{cast.counselling.ref}"


def attach_group(case, group, actor, **options):
    confirmed = queries.confirmation_of(queries.new_readers(case, group))
    return actions.attach_group(case, group, actor=actor, **{"confirmed": confirmed, **options})


def on_case(case):
    """(names of groups, names of individuals) on the case."""
    groups = [row.group.name for row in CaseGroup.select().where(CaseGroup.case == case.id)]
    return groups, sorted(row.account.name for row in CaseStaff.select().where(CaseStaff.case == case.id))


def join(group, account):
    return GroupMember.create(group=group, account=account)


def leave(group, account):
    GroupMember.delete().where((GroupMember.group == group) & (GroupMember.account == account)).execute()


# --- Whole group against individuals ---------------------------------------------------------------------------------


def test_a_whole_group_follows_its_membership_in_sessions_that_are_open(cast, client_for, post, url, step, case):
    oli, gil = client_for("oli"), client_for("gil")
    assert (oli.get(url).status_code, gil.get(url).status_code) == (404, 404)
    assert post(client_for("kay"), f"{url}/groups", whole(client_for("kay"), step), form_url=step).status_code == 303
    assert (oli.get(url).status_code, gil.get(url).status_code) == (404, 200)
    join(cast.counselling, cast.oli)
    assert oli.get(url).status_code == 200
    leave(cast.counselling, cast.gil)
    assert gil.get(url).status_code == 404


def test_select_all_is_a_snapshot(cast, client_for, post, url, step, case):
    oli, gil, kay = client_for("oli"), client_for("gil"), client_for("kay")
    (form,) = [form for form in forms(kay.get(step)) if "staff" in form.controls]
    everybody = form.choices["staff"]
    assert post(kay, f"{url}/staff", {"staff": everybody}, form_url=step).status_code == 303
    assert on_case(case) == ([], ["Gil Gannet"])
    join(cast.counselling, cast.oli)
    assert oli.get(url).status_code == 404
    leave(cast.counselling, cast.gil)
    assert gil.get(url).status_code == 200


@pytest.mark.parametrize("ends", ["group", "staff", "membership"])
def test_assigned_both_ways_one_ending_keeps_access(cast, client_for, post, url, case, ends):
    gil, kay = client_for("gil"), client_for("kay")
    attach_group(case, cast.counselling, cast.kay)
    actions.attach_staff(case, cast.counselling, [cast.gil], actor=cast.kay)
    if ends == "membership":
        leave(cast.counselling, cast.gil)
    else:
        ref = cast.counselling.ref if ends == "group" else cast.gil.ref
        assert post(kay, f"{url}/{'groups' if ends == 'group' else 'staff'}/{ref}/removal", form_url=url).status_code == 303
    assert gil.get(url).status_code == 200
    if ends == "staff":
        actions.detach_group(case, cast.counselling.ref, actor=cast.kay)
    else:
        actions.detach_staff(case, cast.gil.ref, actor=cast.kay)
    assert gil.get(url).status_code == 404


# --- Rules -----------------------------------------------------------------------------------------------------------


def test_attaching_and_detaching_is_on_record_with_references(cast, case):
    attach_group(case, cast.counselling, cast.kay)
    actions.attach_staff(case, cast.counselling, [cast.gil], actor=cast.mo)
    assert actions.detach_group(case, cast.counselling.ref, actor=cast.kay) == "Counselling"
    assert actions.detach_staff(case, cast.gil.ref, actor=cast.kay) == "Gil Gannet"
    rows = [(row.verb, row.actor_id, row.data) for row in Event.select().order_by(Event.id)]
    group, gil = f'{{"accounts": [], "groups": ["{cast.counselling.ref}"]}}', f'{{"accounts": ["{cast.gil.ref}"], "groups": []}}'
    assert rows == [
        ("case.attached", cast.kay.id, group),
        ("case.attached", cast.mo.id, gil),
        ("case.detached", cast.kay.id, group),
        ("case.detached", cast.kay.id, gil),
    ]
    assert on_case(case) == ([], [])


def test_an_individual_remembers_the_group_they_were_ticked_in(cast, case):
    actions.attach_staff(case, cast.counselling, [cast.gil], actor=cast.kay)
    row = CaseStaff.get()
    assert (row.from_group_id, row.attached_by_id) == (cast.counselling.id, cast.kay.id)


def test_who_attaches_and_detaches(cast, case):
    attach_group(case, cast.counselling, cast.kay)
    for who, expected in (("gil", permissions.Denied), ("oli", permissions.NotVisible), ("sam", permissions.NotVisible),
                          ("rae", permissions.NotVisible), ("stu", permissions.NotVisible)):  # fmt: skip
        for act in (
            lambda actor: actions.attach_group(case, cast.counselling, actor=actor, confirmed=""),
            lambda actor: actions.attach_staff(case, cast.counselling, [cast.gil], actor=actor),
            lambda actor: actions.detach_group(case, cast.counselling.ref, actor=actor),
            lambda actor: actions.detach_staff(case, cast.gil.ref, actor=actor),
        ):
            with pytest.raises(expected):
                act(getattr(cast, who))
    for who in ("kay", "mo", "ada"):
        actions.attach_staff(case, cast.counselling, [cast.gil], actor=getattr(cast, who))
        actions.detach_staff(case, cast.gil.ref, actor=getattr(cast, who))


def test_attaching_wants_exactly_those_confirmed_who_gain_access(cast, case):
    with pytest.raises(actions.Unconfirmed) as question:
        actions.attach_group(case, cast.counselling, actor=cast.kay, confirmed="")
    assert [person.name for person in question.value.people] == ["Gil Gannet", "Mo Merlin"]
    join(cast.counselling, cast.sam)
    with pytest.raises(actions.Unconfirmed) as changed:
        actions.attach_group(case, cast.counselling, actor=cast.kay, confirmed=question.value.confirmation)
    assert [person.name for person in changed.value.people] == ["Gil Gannet", "Mo Merlin", "Sam Swift"]
    assert on_case(case) == ([], []) and Event.select().count() == 0
    actions.attach_group(case, cast.counselling, actor=cast.kay, confirmed=changed.value.confirmation)
    assert on_case(case) == (["Counselling"], [])


def test_an_empty_group_is_confirmed_too(cast, case):
    group = factories.group("Nobody yet")
    with pytest.raises(actions.Unconfirmed) as question:
        actions.attach_group(case, group, actor=cast.kay, confirmed="")
    assert question.value.people == []
    actions.attach_group(case, group, actor=cast.kay, confirmed=question.value.confirmation)
    assert on_case(case) == (["Nobody yet"], [])


def test_twice_and_gone_are_said_and_nothing_is_doubled(cast, case):
    attach_group(case, cast.counselling, cast.kay)
    with pytest.raises(actions.Refused, match="Counselling is attached to this case already"):
        attach_group(case, cast.counselling, cast.ada)
    actions.attach_staff(case, cast.counselling, [cast.gil], actor=cast.kay)
    with pytest.raises(actions.Refused, match="Gil Gannet is assigned to this case already"):
        actions.attach_staff(case, cast.counselling, [cast.gil], actor=cast.ada)
    assert on_case(case) == (["Counselling"], ["Gil Gannet"])
    actions.detach_group(case, cast.counselling.ref, actor=cast.kay)
    actions.detach_staff(case, cast.gil.ref, actor=cast.kay)
    for detach, ref in ((actions.detach_group, cast.counselling.ref), (actions.detach_staff, cast.gil.ref)):
        with pytest.raises(actions.Refused, match="any more"):
            detach(case, ref, actor=cast.kay)
        with pytest.raises(actions.Refused, match="any more"):
            detach(case, "ZZZZZZZZZZ", actor=cast.kay)
    assert Event.select().count() == 4


def test_who_is_new_is_attached_beside_who_was_there(cast, case):
    join(cast.counselling, cast.sam)
    actions.attach_staff(case, cast.counselling, [cast.gil], actor=cast.kay)
    assert actions.attach_staff(case, cast.counselling, [cast.gil, cast.sam], actor=cast.ada) == [cast.sam]
    assert on_case(case) == ([], ["Gil Gannet", "Sam Swift"])
    assert sorted(row.account.name for row in Notification.select()) == ["Gil Gannet", "Sam Swift"]


@pytest.mark.parametrize("why", ["deactivated", "excluded", "excluded from the student", "student", "no member"])
def test_who_can_not_be_attached(cast, case, why):
    person = cast.stu if why == "student" else cast.gil
    if why == "deactivated":
        Account.update(is_active=False).where(Account.id == cast.gil.id).execute()
    elif why == "no member":
        leave(cast.counselling, cast.gil)
    elif why == "student":
        join(cast.counselling, cast.stu)
    else:
        factories.exclusion(cast.gil, cast.ada, **({"student": cast.student} if "student" in why else {"case": case}))
    with pytest.raises(actions.Refused) as refused:
        actions.attach_staff(case, cast.counselling, [person], actor=cast.kay)
    assert refused.value.field == "staff" and re.search(r"Choose (somebody else|again)\.$", refused.value.sentence)
    assert "exclu" not in refused.value.sentence and on_case(case) == ([], [])
    assert person.name not in [row.name for row in queries.group_members(case, cast.counselling)]


def test_excluded_and_deactivated_members_gain_nothing_and_are_not_told(cast, case):
    for account in (cast.sam, cast.oli):
        join(cast.counselling, account)
    factories.exclusion(cast.sam, cast.ada, case=case)
    Account.update(is_active=False).where(Account.id == cast.oli.id).execute()
    assert [person.name for person in queries.new_readers(case, cast.counselling)] == ["Gil Gannet", "Mo Merlin"]
    attach_group(case, cast.counselling, cast.kay)
    assert [row.account.name for row in Notification.select()] == ["Gil Gannet"]


def test_a_retired_group_is_not_attached_any_more(cast, case):
    Group.update(is_active=False).where(Group.id == cast.counselling.id).execute()
    for act in (
        lambda: attach_group(case, cast.counselling, cast.kay),
        lambda: actions.attach_staff(case, cast.counselling, [cast.gil], actor=cast.kay),
    ):
        with pytest.raises(actions.Refused, match="Counselling was retired"):
            act()


def test_a_closed_case_keeps_who_is_on_it(cast):
    case = factories.case(cast.student, opened_by=cast.kay, status="Closed", groups=[cast.counselling], staff=[cast.sam])
    other = factories.group(members=[cast.oli])
    for act in (
        lambda: attach_group(case, other, cast.kay),
        lambda: actions.attach_staff(case, other, [cast.oli], actor=cast.kay),
        lambda: actions.detach_group(case, cast.counselling.ref, actor=cast.kay),
        lambda: actions.detach_staff(case, cast.sam.ref, actor=cast.kay),
    ):
        with pytest.raises(actions.Refused, match="closed"):
            act()
    assert on_case(case) == (["Counselling"], ["Sam Swift"])


# --- Pages -----------------------------------------------------------------------------------------------------------


def whole(client, step):
    """What Confirm sends: the form of the second step."""
    (form,) = [form for form in forms(client.get(step)) if "staff" in form.controls or "confirmed" in form.controls]
    return {name: form.values[name] for name in ("group", "confirmed")}


def test_the_section_has_its_labels(cast, client_for, url, case):
    attach_group(case, cast.counselling, cast.kay)
    actions.attach_staff(case, cast.counselling, [cast.gil], actor=cast.kay)
    page = client_for("kay").get(url).get_data(as_text=True)
    assert '<span id="assigned-title">Assigned Groups/Staff Members</span>' in page
    assert ">Assign Group or Staff</button>" in page and '<label for="group">Group</label>' in page
    assert "<h3>Assigned Staff</h3>" in page
    assert 'aria-label="Detach Counselling"' in page and 'aria-label="Detach Gil Gannet"' in page
    words = text_of(page)
    assert "Group Members Attached Detach Counselling Gil Gannet Kay Kestrel," in words
    assert "Name Chosen from Attached Detach Gil Gannet Counselling Kay Kestrel," in words


def test_the_second_step_has_its_labels(client_for, step):
    page = client_for("kay").get(step).get_data(as_text=True)
    assert '<label for="attach-email">Email Staff Being Added to Case</label>' in page
    assert ">Attach Whole Group</button>" in page and ">Confirm</button>" in page and ">Attach to Case</button>" in page
    assert '<label for="attach-all">Select All</label>' in page and ">Gil Gannet</label>" in page


def test_kay_attaches_a_whole_group_without_a_script(cast, client_for, post, url, case):
    kay = client_for("kay")
    retired = factories.group("Retired", members=[cast.sam])
    Group.update(is_active=False).where(Group.id == retired.id).execute()
    (form,) = [form for form in forms(kay.get(f"{url}/assignment")) if "group" in form.controls]
    assert form.choices["group"] == ["", cast.counselling.ref]
    answer = kay.get(f"{url}/assignment?group={cast.counselling.ref}")
    step = answer.location
    assert (answer.status_code, step) == (303, f"{url}/assignment/{cast.counselling.ref}")
    words = text_of(kay.get(step))
    assert "All members of Counselling will have access to this case" in words
    assert "Whoever joins Counselling later is assigned automatically, whoever leaves it is unassigned." in words
    assert "This gives 2 people access now: Gil Gannet Mo Merlin" in words
    answer = post(kay, f"{url}/groups", whole(kay, step), form_url=step)
    assert (answer.status_code, answer.location) == (303, f"{url}#assigned")
    assert "Counselling is attached to this case." in text_of(kay.get(url))
    assert on_case(case) == (["Counselling"], [])
    again = kay.get(step)
    assert "Counselling is attached to this case." in text_of(again) and b"Attach Whole Group" not in again.data


def test_a_set_that_changed_is_shown_again_and_not_saved(cast, client_for, post, url, step, case):
    kay = client_for("kay")
    (form,) = [form for form in forms(kay.get(step)) if "confirmed" in form.controls]
    join(cast.counselling, cast.oli)
    answer = kay.post(f"{url}/groups", data={**form.values, "email": "y"})
    assert answer.status_code == 422 and on_case(case) == ([], [])
    words = text_of(answer)
    assert "has changed in the meantime" in words and "3 people access now: Gil Gannet Mo Merlin Oli Ouzel" in words
    (form,) = [form for form in forms(answer) if "confirmed" in form.controls]
    assert form.values["email"] == ["y"]
    assert kay.post(f"{url}/groups", data=form.values).status_code == 303
    assert on_case(case) == (["Counselling"], [])


def test_confirm_without_having_been_asked_asks(cast, client_for, post, url, step, case):
    answer = post(client_for("kay"), f"{url}/groups", {"group": cast.counselling.ref}, form_url=step)
    assert answer.status_code == 422 and "2 people access now" in text_of(answer)
    assert "changed in the meantime" not in text_of(answer) and on_case(case) == ([], [])


def test_kay_attaches_individuals(cast, client_for, post, url, step, case):
    join(cast.counselling, cast.sam)
    kay = client_for("kay")
    answer = post(kay, f"{url}/staff", {"staff": [cast.sam.ref]}, form_url=step)
    assert (answer.status_code, answer.location) == (303, f"{url}#assigned")
    assert "Sam Swift is assigned to this case." in text_of(kay.get(url)) and on_case(case) == ([], ["Sam Swift"])
    (form,) = [form for form in forms(kay.get(step)) if "staff" in form.controls]
    assert form.choices["staff"] == [cast.gil.ref]


@pytest.mark.parametrize("forged", ["nobody", "stu", "unknown", "oli", "inactive", "already"])
def test_what_can_not_be_ticked_is_refused_with_a_sentence(cast, client_for, post, url, step, case, forged):
    for account in (cast.ken, cast.sam):
        join(cast.counselling, account)
    Account.update(is_active=False).where(Account.id == cast.ken.id).execute()
    if forged == "already":
        actions.attach_staff(case, cast.counselling, [cast.gil], actor=cast.ada)
    refs = {"nobody": [], "unknown": ["ZZZZZZZZZZ"], "inactive": [cast.sam.ref, cast.ken.ref], "already": [cast.gil.ref],
            "stu": [cast.sam.ref, cast.stu.ref], "oli": [cast.oli.ref]}[forged]  # fmt: skip
    before = on_case(case)
    answer = post(client_for("kay"), f"{url}/staff", {"staff": refs, "email": "y"}, form_url=step)
    words = {"nobody": "Choose at least one", "unknown": "is not known", "stu": "is not known", "oli": "not in Counselling",
             "inactive": "Ken Kittiwake was deactivated", "already": "is assigned to this case already"}[forged]  # fmt: skip
    assert answer.status_code == 422 and words in text_of(answer) and on_case(case) == before
    (form,) = [form for form in forms(answer) if "staff" in form.controls]
    assert form.values["email"] == ["y"] and (cast.sam.ref in form.values.get("staff", [])) == (cast.sam.ref in refs)


@pytest.mark.parametrize("forged", ["", "ZZZZZZZZZZ", "retired", "a\0b"])
def test_a_group_that_is_not_there_is_refused_with_a_sentence(cast, client_for, post, url, step, case, forged):
    retired = factories.group("Old tutors", members=[cast.gil])
    Group.update(is_active=False).where(Group.id == retired.id).execute()
    ref = retired.ref if forged == "retired" else forged
    kay = client_for("kay")
    for page in ("groups", "staff"):
        answer = post(kay, f"{url}/{page}", {"group": ref, "staff": [cast.gil.ref]}, form_url=step)
        assert answer.status_code == 422 and 'aria-invalid="true"' in answer.get_data(as_text=True)
        assert ("Old tutors was retired" in text_of(answer)) == (forged == "retired")
    assert kay.get(f"{url}/assignment", query_string={"group": ref}).status_code == 422
    assert kay.get(f"{url}/assignment/{retired.ref}").status_code == 422
    assert kay.get(f"{url}/assignment/ZZZZZZZZZZ").status_code == 404
    assert kay.get(f"{url}/assignment/members", query_string={"group": ref}).status_code == 200
    assert on_case(case) == ([], [])


def test_the_dialog_asks_for_the_second_step(cast, client_for, url):
    kay = client_for("kay")
    piece = kay.get(f"{url}/assignment/members?group={cast.counselling.ref}").get_data(as_text=True)
    assert "Attach Whole Group" in piece and "<html" not in piece
    assert "Choose a group." in text_of(kay.get(f"{url}/assignment/members"))


def test_detaching_on_the_page_and_what_is_gone(cast, client_for, post, url, case):
    attach_group(case, cast.counselling, cast.kay)
    actions.attach_staff(case, cast.counselling, [cast.gil], actor=cast.kay)
    kay = client_for("kay")
    for part, ref, name in (("groups", cast.counselling.ref, "Counselling"), ("staff", cast.gil.ref, "Gil Gannet")):
        where = f"{url}/{part}/{ref}/removal"
        page = kay.get(url)
        assert post(kay, where, form_url=url).location == f"{url}#assigned"
        assert f"{name} is detached from this case." in text_of(kay.get(url))
        stale = next(form.values for form in forms(page) if form.action == where)
        assert kay.post(where, data={**stale, "once": "another-key"}).status_code == 303
        assert "any more." in text_of(kay.get(url))
    assert on_case(case) == ([], []) and Event.select().where(Event.verb == "case.detached").count() == 2


def test_whoever_detaches_their_own_reason_is_led_elsewhere(cast, client_for, post, url, case):
    attach_group(case, cast.counselling, cast.kay)
    answer = post(client_for("mo"), f"{url}/groups/{cast.counselling.ref}/removal", form_url=url)
    assert (answer.status_code, answer.location) == (303, "/cases/mine")


def test_a_double_click_does_it_once(cast, client_for, url, step, case):
    kay = client_for("kay")
    (form,) = [form for form in forms(kay.get(step)) if "staff" in form.controls]
    answers = [kay.post(f"{url}/groups", data=form.values) for _ in range(2)]
    assert [(answer.status_code, answer.location) for answer in answers] == [(303, f"{url}#assigned")] * 2
    (form,) = [form for form in forms(kay.get(step)) if "staff" in form.controls]
    answers = [kay.post(f"{url}/staff", data={**form.values, "staff": [cast.gil.ref]}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303] * 2
    where = f"{url}/staff/{cast.gil.ref}/removal"
    sent = next(form.values for form in forms(kay.get(url)) if form.action == where)
    answers = [kay.post(where, data=sent) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303] * 2
    assert [row.verb for row in Event.select().where(Event.verb.startswith("case.") & (Event.verb != "case.read"))] == [
        "case.attached", "case.attached", "case.detached",
    ]  # fmt: skip


@pytest.mark.parametrize(("who", "code"), [("gil", 403), ("oli", 404), ("sam", 404), ("rae", 404), ("stu", 404)])
def test_others_neither_see_nor_send_any_of_it(cast, client_for, post, url, case, who, code):
    group = factories.group(members=[cast.sam])
    attach_group(case, cast.counselling, cast.kay)
    client, step = client_for(who), f"{url}/assignment/{group.ref}"
    for page in (f"{url}/assignment", step, f"{url}/assignment/members?group={group.ref}"):
        assert client.get(page).status_code == code
    sent = {"group": group.ref, "staff": [cast.sam.ref], "confirmed": "x"}
    for page in ("groups", "staff", f"groups/{cast.counselling.ref}/removal", f"staff/{cast.gil.ref}/removal"):
        assert post(client, f"{url}/{page}", sent, form_url="/").status_code == code
    assert on_case(case) == (["Counselling"], [])
    missing = client.get("/cases/C-000000/assignment")
    assert missing.status_code == 404
    if code == 403:
        page = client.get(url).get_data(as_text=True)
        assert "Assigned Groups/Staff Members" in page and "Assign Group or Staff" not in page and "Detach" not in page


def test_few_queries_however_many_there_are(cast, client_for, count_queries, url, step, case):
    kay = client_for("kay")
    pages = (f"{url}/assignment", step, f"{url}/assignment/members?group={cast.counselling.ref}", f"{url}/people")

    def asked():
        found = []
        for page in pages:
            with count_queries(most=10) as queries_run:
                assert kay.get(page).status_code == 200
            found.append(len(queries_run))
        return found

    before = asked()
    for account in [factories.account() for _ in range(12)]:
        join(cast.counselling, account)
        CaseStaff.create(case=case, account=account, attached_by=cast.kay)
        CaseGroup.create(case=case, group=factories.group(members=[account]), attached_by=cast.kay)
    assert asked() == before
