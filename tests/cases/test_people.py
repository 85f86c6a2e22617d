"""Primary Advocate, Coordinator and Following Case: who may save them, who is told, two at once; and My students."""

import re

import pytest

import permissions
from blueprints.cases import actions, queries
from models import Account, Case, CaseFollower, Conflict, Event, Notification, OutboxEmail
from tests import factories
from tests.web import forms, text_of


@pytest.fixture
def case(cast):
    return factories.case(cast.student, opened_by=cast.kay, title="Quiet corners")


@pytest.fixture
def url(case):
    return f"/cases/{case.ref}"


def save(case, actor, **people):
    """As the form would: what is not named stays as it is."""
    row = queries.case(actor, case.ref, audit=False)
    given = {
        "primary_advocate": row.primary_advocate,
        "coordinator": row.coordinator,
        "following": [follower.account for follower in CaseFollower.select().where(CaseFollower.case == case.id)],
        "version": row.version,
    }
    return actions.save_people(row, actor=actor, **{**given, **people})


def followers(case):
    return {row.account_id for row in CaseFollower.select().where(CaseFollower.case == case.id)}


# --- Rules -----------------------------------------------------------------------------------------------------------


def test_the_three_are_kept_and_everybody_new_is_told_once(cast, case):
    save(case, cast.kay, primary_advocate=cast.sam, coordinator=cast.ken, following=[cast.gil, cast.sam])
    row = Case.get_by_id(case.id)
    assert (row.primary_advocate_id, row.coordinator_id, row.version) == (cast.sam.id, cast.ken.id, 2)
    assert followers(case) == {cast.gil.id, cast.sam.id}
    told = sorted(row.account.name for row in Notification.select())
    assert told == sorted(row.account.name for row in OutboxEmail.select()) == ["Gil Gannet", "Ken Kittiwake", "Sam Swift"]
    event = Event.get()
    assert (event.verb, event.target) == ("case.people_saved", case.ref)
    assert all(ref in event.data for ref in (cast.sam.ref, cast.ken.ref, cast.gil.ref)) and "Sam" not in event.data


def test_the_same_again_changes_nothing_and_only_the_new_are_told(cast, case):
    save(case, cast.kay, primary_advocate=cast.sam, following=[cast.gil])
    save(case, cast.kay, primary_advocate=cast.sam, following=[cast.gil])
    assert Event.select().count() == 1 and Case.get_by_id(case.id).version == 2
    save(case, cast.kay, following=[cast.gil, cast.mo])
    assert [row.account.name for row in Notification.select().order_by(Notification.id)][2:] == ["Mo Merlin"]
    save(case, cast.kay, primary_advocate=None, following=[])
    assert Case.get_by_id(case.id).primary_advocate_id is None and followers(case) == set()
    assert permissions.case_reasons(cast.sam, case) == []


def test_choosing_oneself_emails_nobody(cast, case):
    save(case, cast.kay, coordinator=cast.kay)
    assert OutboxEmail.select().count() == 0


def test_coordinator_and_primary_advocate_manage_and_those_on_it_do_not(cast, case):
    save(case, cast.kay, primary_advocate=cast.sam, coordinator=cast.ken, following=[cast.gil])
    save(case, cast.sam, following=[cast.gil, cast.mo])
    save(case, cast.ken, following=[cast.gil])
    with pytest.raises(permissions.Denied):
        save(case, cast.gil, following=[])
    for who in ("oli", "mo", "rae", "stu"):
        with pytest.raises(permissions.NotVisible):
            actions.save_people(case, primary_advocate=None, coordinator=None, following=[], actor=getattr(cast, who), version=1)


@pytest.mark.parametrize("who", ["stu", "rae", "deactivated", "excluded", "excluded from the student"])
def test_who_can_not_be_chosen_anywhere(cast, case, who):
    person = {"stu": cast.stu, "rae": cast.rae}.get(who, cast.sam)
    if who == "deactivated":
        Account.update(is_active=False).where(Account.id == person.id).execute()
    elif who.startswith("excluded"):
        factories.exclusion(person, cast.ada, **({"student": cast.student} if "student" in who else {"case": case}))
    for field, value in (("primary_advocate", person), ("coordinator", person), ("following", [person])):
        with pytest.raises(actions.Refused) as refused:
            save(case, cast.kay, **{field: value})
        assert refused.value.field == field
        assert refused.value.sentence.endswith("Choose somebody else.") and "exclu" not in refused.value.sentence
    assert Case.get_by_id(case.id).version == 1 and Event.select().count() == 0


def test_who_holds_it_already_may_stay(cast, case):
    save(case, cast.kay, primary_advocate=cast.sam, following=[cast.gil])
    Account.update(is_active=False).where(Account.id.in_([cast.sam.id, cast.gil.id])).execute()
    save(case, cast.kay, coordinator=cast.ken)
    assert Case.get_by_id(case.id).primary_advocate_id == cast.sam.id and followers(case) == {cast.gil.id}


def test_the_loser_of_a_race_is_told_and_nothing_of_theirs_is_saved(cast, case):
    save(case, cast.kay, primary_advocate=cast.sam)
    with pytest.raises(Conflict):
        save(case, cast.ada, primary_advocate=cast.gil, following=[cast.mo], version=1)
    assert Case.get_by_id(case.id).primary_advocate_id == cast.sam.id and followers(case) == set()


def test_a_closed_case_stays_as_it_is(cast):
    case = factories.case(cast.student, opened_by=cast.kay, status="Closed")
    with pytest.raises(actions.Refused, match="closed"):
        save(case, cast.kay, coordinator=cast.ken)


# --- Pages -----------------------------------------------------------------------------------------------------------


def people_form(page, url):
    (form,) = [form for form in forms(page) if form.action == f"{url}/people"]
    return form


def test_kay_saves_them_on_the_case_page(cast, case, client_for, post, url):
    client = client_for("kay")
    staff = (cast.ada, cast.kay, cast.ken, cast.gil, cast.mo, cast.sam, cast.oli)
    offered = [one["ref"] for one in client.get(f"{url}/people/suggest?q=school.example.org").get_json()]
    assert offered == [account.ref for account in sorted(staff, key=lambda account: account.name)]
    sent = {"primary_advocate_ref": cast.sam.ref, "coordinator_ref": cast.ken.ref}
    sent["following_ref"] = [cast.gil.ref, cast.mo.ref]
    answer = post(client, f"{url}/people", sent, form_url=url)
    assert answer.status_code == 303 and answer.location == f"{url}#people"
    assert followers(case) == {cast.gil.id, cast.mo.id}
    form = people_form(client.get(url), url)
    held = {"primary_advocate": [cast.sam.ref], "coordinator": [cast.ken.ref], "following": [cast.gil.ref, cast.mo.ref]}
    assert {name: form.values[f"{name}_ref"] for name in held} == held
    assert post(client, f"{url}/people", {"following_ref": []}, form_url=url).status_code == 303
    assert followers(case) == set() and Case.get_by_id(case.id).primary_advocate_id == cast.sam.id
    assert post(client, f"{url}/people", {"primary_advocate_ref": []}, form_url=url).status_code == 303
    assert (Case.get_by_id(case.id).primary_advocate_id, Case.get_by_id(case.id).coordinator_id) == (None, cast.ken.id)


def test_labels_are_exactly_these(client_for, url):
    page = client_for("kay").get(url).get_data(as_text=True)
    labels = {"primary_advocate": "Primary Advocate", "coordinator": "Coordinator", "following": "Following Case"}
    for name, label in labels.items():
        assert re.search(f'<label for="{name}">{label}</label>', page), label
    assert ">Save</button>" in page


def test_who_is_on_it_reads_the_names_and_gets_no_form(cast, case, client_for, post, url):
    save(case, cast.kay, primary_advocate=cast.sam, following=[cast.gil])
    client = client_for("gil")
    page = client.get(url)
    assert "Primary Advocate Sam Swift Coordinator Nobody Following Case Gil Gannet" in text_of(page)
    assert not [form for form in forms(page) if form.action.startswith(f"{url}/people")]
    assert client.get(f"{url}/people").status_code == 403
    assert client.get(f"{url}/people/suggest?q=sam").status_code == 403
    assert post(client, f"{url}/people", {"version": "2", "coordinator_ref": cast.gil.ref}, form_url="/").status_code == 403
    assert Case.get_by_id(case.id).coordinator_id is None


@pytest.mark.parametrize("who", ["oli", "mo", "rae", "stu"])
def test_for_others_there_is_no_such_case(cast, case, client_for, post, url, who):
    client = client_for(who)
    for page in ("people", "people/suggest?q=sam"):
        assert client.get(f"{url}/{page}").status_code == 404
    assert post(client, f"{url}/people", {"version": "1", "coordinator_ref": getattr(cast, who).ref}, form_url="/").status_code == 404
    assert Case.get_by_id(case.id).version == 1


@pytest.mark.parametrize("forged", ["stu", "unknown", "group", "inactive"])
def test_a_forged_choice_is_refused_at_the_field_and_the_rest_is_kept(cast, case, client_for, post, url, forged):
    Account.update(is_active=False).where(Account.id == cast.ken.id).execute()
    ref = {"stu": cast.stu.ref, "unknown": "ZZZZZZZZZZ", "group": cast.counselling.ref, "inactive": cast.ken.ref}[forged]
    for field in ("coordinator_ref", "following_ref"):
        sent = {"primary_advocate_ref": cast.sam.ref, "following_ref": [cast.gil.ref], field: [ref]}
        answer = post(client_for("kay"), f"{url}/people", sent, form_url=url)
        assert answer.status_code == 422 and 'aria-invalid="true"' in answer.get_data(as_text=True)
        assert ("Ken Kittiwake was deactivated" in text_of(answer)) == (forged == "inactive")
        form = people_form(answer, url)
        assert form.values["primary_advocate_ref"] == [cast.sam.ref]
        if field == "coordinator_ref":
            assert form.values["following_ref"] == [cast.gil.ref]
    assert Case.get_by_id(case.id).version == 1


def test_excluded_staff_are_not_offered(cast, case, client_for, url):
    factories.exclusion(cast.sam, cast.ada, case=case)
    client = client_for("kay")
    assert client.get(f"{url}/people/suggest?q=swift").get_json() == []
    hint = {"ref": cast.gil.ref, "label": "Gil Gannet", "hint": "Staff"}
    assert client.get(f"{url}/people/suggest?q=gannet").get_json() == [hint]
    assert client.get(f"{url}/people/suggest?q=sturgeon").get_json() == []
    assert client.get(f"{url}/people/suggest?q=").get_json() == []


def test_typed_names_work_without_a_script(cast, case, client_for, post, url):
    client = client_for("kay")
    twin = factories.account("Gil Gannet", email="gil.two@school.example.org")
    answer = post(client, f"{url}/people", {"following": "Sam Swift, Gil"}, form_url=url)
    assert answer.status_code == 422 and "Gil fits several people" in text_of(answer)
    assert people_form(answer, url).values["following"] == ["Sam Swift, Gil"]
    answer = post(client, f"{url}/people", {"following": "Nobody Known"}, form_url=url)
    assert answer.status_code == 422 and "Nobody Known is not known" in text_of(answer)
    assert post(client, f"{url}/people", {"following": f"sam swift; {twin.email}"}, form_url=url).status_code == 303
    assert followers(case) == {cast.sam.id, twin.id}
    # two people of one name are told apart
    labels = [one["label"] for one in client.get(f"{url}/people/suggest?q=gannet").get_json()]
    assert set(labels) == {f"Gil Gannet ({cast.gil.email})", f"Gil Gannet ({twin.email})"}


def test_a_typed_name_takes_the_place_of_who_stood_there(cast, case, client_for, post, url):
    client = client_for("kay")
    assert post(client, f"{url}/people", {"primary_advocate": "Sam Swift", "coordinator": "Ken"}, form_url=url).status_code == 303
    assert post(client, f"{url}/people", {"primary_advocate": "gil gannet"}, form_url=url).status_code == 303
    row = Case.get_by_id(case.id)
    assert (row.primary_advocate_id, row.coordinator_id) == (cast.gil.id, cast.ken.id)
    for sent in ({"coordinator": "Sam, Mo"}, {"coordinator_ref": [cast.ken.ref, cast.sam.ref]}):
        answer = post(client, f"{url}/people", sent, form_url=url)
        assert answer.status_code == 422 and "Choose one person." in text_of(answer)
    assert post(client, f"{url}/people", {"coordinator": " , "}, form_url=url).status_code == 303
    answer = post(client, f"{url}/people", {"coordinator": "Nobody Known"}, form_url=url)
    form = people_form(answer, url)
    assert answer.status_code == 422 and form.values["coordinator"] == ["Nobody Known"]
    assert form.values["coordinator_ref"] == [cast.ken.ref]
    assert Case.get_by_id(case.id).coordinator_id == cast.ken.id


def test_the_second_of_two_sees_both_and_keeps_their_choice(cast, case, client_for, url):
    save(case, cast.kay, coordinator=cast.ken)
    kay, ken = client_for("kay"), client_for("ken")
    first, second = people_form(kay.get(url), url), people_form(ken.get(url), url)
    theirs = {**first.values, "primary_advocate_ref": cast.sam.ref, "following_ref": [cast.mo.ref]}
    assert kay.post(f"{url}/people", data=theirs).status_code == 303
    mine = {**second.values, "primary_advocate_ref": cast.gil.ref, "following_ref": [cast.oli.ref]}
    answer = ken.post(f"{url}/people", data=mine)
    page = text_of(answer)
    assert answer.status_code == 409 and "Primary Advocate: Sam Swift" in page and "Following Case: Mo Merlin" in page
    assert Case.get_by_id(case.id).primary_advocate_id == cast.sam.id and followers(case) == {cast.mo.id}
    form = people_form(answer, url)
    assert form.values["primary_advocate_ref"] == [cast.gil.ref] and form.values["following_ref"] == [cast.oli.ref]
    assert ken.post(f"{url}/people", data=form.values).status_code == 303
    assert Case.get_by_id(case.id).primary_advocate_id == cast.gil.id and followers(case) == {cast.oli.id}


def test_sent_twice_it_is_saved_once(cast, case, client_for, url):
    client = client_for("kay")
    sent = {**people_form(client.get(url), url).values, "coordinator_ref": cast.ken.ref}
    answers = [client.post(f"{url}/people", data=sent) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    assert Event.select().where(Event.verb == "case.people_saved").count() == 1 and Notification.select().count() == 1


@pytest.mark.parametrize("version", ["9" * 30, "3000000000", "-1", "", "x", None])
def test_an_odd_version_overwrites_nothing(cast, case, client_for, post, url, version):
    sent = {"version": version, "coordinator_ref": cast.ken.ref}
    assert post(client_for("kay"), f"{url}/people", sent, form_url=url).status_code in (409, 422)
    assert Case.get_by_id(case.id).coordinator_id is None


def test_a_closed_case_has_no_form(cast, client_for, post):
    case = factories.case(cast.student, opened_by=cast.kay, status="Closed")
    url, client = f"/cases/{case.ref}", client_for("kay")
    assert not [form for form in forms(client.get(url)) if form.action == f"{url}/people"]
    answer = post(client, f"{url}/people", {"coordinator_ref": cast.ken.ref})
    assert answer.status_code == 422 and "closed" in text_of(answer)


def test_who_takes_themselves_off_is_led_elsewhere(cast, case, client_for, post, url):
    save(case, cast.kay, coordinator=cast.ken)
    answer = post(client_for("ken"), f"{url}/people", {"coordinator_ref": []}, form_url=url)
    assert (answer.status_code, answer.location) == (303, "/cases/mine")


def test_two_queries_however_many_people(cast, case, count_queries):
    def asked(actor):
        row = queries.case(actor, case.ref, audit=False)
        with count_queries() as found:
            queries.people_page(actor, row)
        return len(found)

    assert asked(cast.kay) == 2
    group = factories.group(members=[factories.account() for _ in range(20)])
    actions.attach_group(case, group, actor=cast.kay, confirmed=queries.confirmation_of(queries.new_readers(case, group)))
    save(case, cast.kay, following=[factories.account() for _ in range(20)])
    assert asked(cast.kay) == 2
    save(case, cast.kay, following=[cast.gil])
    assert asked(cast.gil) == 2


# --- My students -----------------------------------------------------------------------------------------------------


def test_my_students_are_those_one_looks_after(cast, case, count_queries):
    other = factories.student("Ann", "Avocet", year_group="8")
    second = factories.case(other, opened_by=cast.kay, coordinator=cast.sam, primary_advocate=cast.sam, title="Second")
    factories.case(other, coordinator=cast.sam, status="Closed")
    factories.case(factories.student(), staff=[cast.sam])
    CaseFollower.create(case=case, account=cast.sam, added_by=cast.kay)
    with count_queries(most=1):
        mine = queries.my_students(cast.sam, 50)
    assert [(row.name, row.year_group, row.cases) for row in mine] == [
        ("Ann Avocet", "8", [(second.ref, "Second", ["Primary Advocate", "Coordinator"])]),
        ("Stu Sturgeon", "9", [(case.ref, "Quiet corners", ["Following Case"])]),
    ]
    for other in (cast.ada, cast.stu, cast.oli):
        assert queries.my_students(other, 50) == []
    factories.exclusion(cast.sam, cast.ada, student=cast.student)
    assert [row.name for row in queries.my_students(cast.sam, 50)] == ["Ann Avocet"]


def test_my_students_stop_where_they_are_told_to(cast):
    for _ in range(3):
        factories.case(factories.student(), coordinator=cast.sam)
    assert len(queries.my_students(cast.sam, 2)) == 2
