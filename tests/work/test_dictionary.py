"""Case Management Dictionary: switching triggers on and off, whom that gives access to, and what is different for one form."""

import json

import pytest

import permissions
from blueprints.cases import actions, queries
from extensions import db
from models import (
    Account,
    Case,
    CaseGroup,
    CaseStaff,
    CaseType,
    DepartmentDirector,
    Event,
    Group,
    GroupMember,
    Trigger,
    TriggerGroup,
    TriggerStaff,
)
from tests import factories
from tests.web import forms, text_of

URL = "/dictionary"
LABELS = ("Submit a Form", "Create a Plan", "Assign a Task", "Schedule a Meeting", "Conduct a Plan Review", "Submit a File")


@pytest.fixture
def ada(client_for, cast):
    return client_for("ada")


def state(kind):
    row = Trigger.get((Trigger.kind == kind) & Trigger.form.is_null())
    groups = [one.group.name for one in TriggerGroup.select().where(TriggerGroup.trigger == row.id)]
    return row, groups, [one.account.name for one in TriggerStaff.select().where(TriggerStaff.trigger == row.id)]


def update(client, post, data, **more):
    """Sends the form, and sends it again where it asks whom it gives access."""
    answer = post(client, URL, data, **more)
    if answer.status_code == 200:
        confirmed = [form for form in forms(answer.text) if form.method == "post" and "confirmed" in form.values]
        assert "Nothing was saved yet" in text_of(answer)
        answer = post(client, URL, data | {"confirmed": confirmed[0].values["confirmed"]}, **more)
    return answer


def fill(kind, row):
    return {f"groups-{kind}_ref": [one.ref for one in row if isinstance(one, Group)],
            f"staff-{kind}_ref": [one.ref for one in row if isinstance(one, Account)]}  # fmt: skip


# --- Who may ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["kay", "mo", "gil", "sam", "oli", "rae", "stu"])
def test_for_everybody_else_there_is_no_dictionary(who, client_for, post, cast):
    form = factories.form("Worry")
    client = client_for(who)
    pages = [URL, f"{URL}/effect", f"{URL}/suggest/groups?q=co", f"{URL}/suggest/staff?q=gil", f"{URL}/forms/{form.ref}"]
    for page in pages:
        answer = client.get(page)
        assert answer.status_code == 404 and "Dictionary" not in answer.text, page
    assert post(client, URL, {"is_on-task": "y", "version-task": "1"}, form_url="/account").status_code == 404
    assert not Trigger.select().where(Trigger.is_on).exists()


def test_the_page_has_a_checkbox_for_each_trigger_all_off(ada, count_queries):
    with count_queries(most=10):
        page = ada.get(URL)
    form = next(one for one in forms(page.text) if "version-task" in one.values)
    assert not [name for name in form.values if name.startswith("is_on-")]
    for label in LABELS:
        assert f">{label}</label>" in page.text
    assert ">Update</button>" in page.text and 'href="/dictionary"' in ada.get("/").text


# --- Saving ----------------------------------------------------------------------------------------------------------


def test_one_tick_and_update(ada, post, cast):
    answer = post(ada, URL, {"is_on-task": "y"})
    assert answer.status_code == 303
    assert [row.kind for row in Trigger.select().where(Trigger.is_on)] == ["task"]
    row = state("task")[0]
    assert row.changed_by == cast.ada and row.version == 2
    assert not Case.select().exists()
    told = [json.loads(event.data) for event in Event.select().where(Event.verb == "dictionary.changed")]
    assert told == [{"fields": ["is_on"], "kind": "task"}]
    assert "only Admin Key Holders will see these cases" in text_of(ada.get(URL))
    post(ada, URL, {"is_on-task": None})
    assert not state("task")[0].is_on


def test_everything_is_kept_and_shown_again(ada, post, cast):
    kind = CaseType.create(name="Being late")
    data = {"is_on-plan": "y", "case_type-plan": kind.ref, "title-plan": "Plan to follow", "email-plan": "y"}
    assert update(ada, post, data | fill("plan", [cast.counselling, cast.ken])).status_code == 303
    row, groups, staff = state("plan")
    assert (row.is_on, row.case_type, row.title, row.email_staff) == (True, kind, "Plan to follow", True)
    assert groups == ["Counselling"] and staff == ["Ken Kittiwake"]
    form = next(one for one in forms(ada.get(URL).text) if "version-task" in one.values)
    kept = {name: form.values[name] for name in ("case_type-plan", "title-plan", "groups-plan_ref")}
    assert kept == {
        "case_type-plan": [kind.ref], "title-plan": ["Plan to follow"], "groups-plan_ref": [cast.counselling.ref],
    }  # fmt: skip
    assert 'class="chip-label">Counselling' in ada.get(URL).text and 'class="chip-label">Ken Kittiwake' in ada.get(URL).text
    with db.atomic():
        actions.happened("plan", cast.student, factories.plan(cast.student, cast.sam), actor=cast.sam)
    assert {account.name for account, _ in permissions.who_can_see_case(Case.get())} >= {"Gil Gannet", "Ken Kittiwake"}


def test_names_typed_without_a_script(ada, post, cast):
    assert update(ada, post, {"is_on-task": "y", "groups-task": "counsel", "staff-task": "Ken Kittiwake; gil"}).status_code == 303
    assert state("task")[1:] == (["Counselling"], ["Ken Kittiwake", "Gil Gannet"])
    answer = post(ada, URL, {"staff-file": "Nobody Known", "title-plan": "Kept"})
    assert answer.status_code == 422 and "Nobody Known is not known" in text_of(answer)
    assert 'value="Nobody Known"' in answer.text and 'value="Kept"' in answer.text and state("plan")[0].title == ""


def test_bad_input_is_refused_with_a_sentence(ada, post, cast):
    assert "250 characters" in text_of(post(ada, URL, {"title-task": "x" * 250}))
    assert "can't be chosen" in text_of(post(ada, URL, {"case_type-task": "nothing"}))
    assert "not there any more" in text_of(post(ada, URL, {"groups-task_ref": ["nothing\0"]}))
    assert post(ada, URL, {"staff-task_ref": [cast.stu.ref]}).status_code == 422
    CaseType.update(is_retired=True).execute()
    answer = post(ada, URL, {"is_on-task": "y"})
    assert answer.status_code == 422 and "no case type is in use" in text_of(answer)
    assert not Trigger.select().where((Trigger.version > 1) | Trigger.is_on).exists()


def test_whoever_was_retired_stays_in_the_form_and_is_left_out_of_the_case(ada, post, cast):
    update(ada, post, {"is_on-task": "y", **fill("task", [cast.counselling, cast.ken])})
    Group.update(is_active=False).where(Group.id == cast.counselling.id).execute()
    Account.update(is_active=False).where(Account.id == cast.ken.id).execute()
    page = text_of(ada.get(URL))
    assert "Retired" in page and "Deactivated" in page and "only Admin Key Holders will see these cases" in page
    assert post(ada, URL, {"title-task": "Still saved"}).status_code == 303
    assert state("task")[1:] == (["Counselling"], ["Ken Kittiwake"])
    assert post(ada, URL, fill("file", [cast.counselling])).status_code == 422


# --- Whom it gives access --------------------------------------------------------------------------------------------


def test_it_says_by_name_whom_it_gives_access_before_it_saves(ada, post, cast):
    data = {"is_on-task": "y", **fill("task", [cast.counselling, cast.sam])}
    answer = post(ada, URL, data)
    assert answer.status_code == 200
    page = text_of(answer)
    assert "This gives 3 people access" in page and "Gil Gannet, Mo Merlin, Sam Swift" in page
    assert not state("task")[0].is_on
    effect = ada.get(f"{URL}/effect", query_string=data)
    assert "Gil Gannet, Mo Merlin, Sam Swift" in text_of(effect)
    confirmed = forms(f"<form method=post>{effect.text}</form>")[0].values["confirmed"]
    assert post(ada, URL, data | {"confirmed": confirmed}).status_code == 303
    assert "Nobody gets access by this" in text_of(ada.get(URL))


def test_a_confirmation_is_for_exactly_the_people_who_were_shown(ada, post, cast):
    data = {"is_on-task": "y", **fill("task", [cast.counselling])}
    confirmed = [one.values["confirmed"] for one in forms(post(ada, URL, data).text) if "confirmed" in one.values][0]
    GroupMember.create(group=cast.counselling, account=cast.oli)
    answer = post(ada, URL, data | {"confirmed": confirmed})
    assert answer.status_code == 422 and "Oli Ouzel" in text_of(answer) and not state("task")[0].is_on


def test_who_would_see_is_who_does_see(cast):
    kit = factories.account(role=permissions.DIRECTOR)
    department = factories.group("Teams", members=[cast.sam], managers=[cast.mo], department="Care").department
    DepartmentDirector.create(department=department, account=kit)
    teams = Group.get(Group.name == "Teams")
    asked = {"a": ([teams.id], [cast.ken.id]), "b": ([], []), "c": ([cast.counselling.id, teams.id], [])}
    found = permissions.who_would_see_opened(asked)
    for key, (groups, staff) in asked.items():
        case = Case.create(student=cast.student, case_type=CaseType.get(), title=key)
        for one in groups:
            CaseGroup.create(case=case, group=one, attached_by=cast.ada)
        for one in staff:
            CaseStaff.create(case=case, account=one, attached_by=cast.ada)
        now = [(account.id, reasons) for account, reasons in permissions.who_can_see_case(case)]
        assert now == [(account.id, reasons) for account, reasons in found[key]], key


# --- Two people at once ----------------------------------------------------------------------------------------------


def test_somebody_else_saved_first(ada, post, cast, client_for):
    other = factories.account(role=permissions.ADMIN)
    page = next(one for one in forms(ada.get(URL).text) if "version-task" in one.values)
    post(client_for(other), URL, {"title-task": "Theirs", "is_on-file": "y"})
    data = {**page.values, "title-task": "Mine"}
    answer = ada.post(URL, data=data)
    assert answer.status_code == 409
    assert "Theirs" in text_of(answer) and 'value="Mine"' in answer.text and state("task")[0].title == "Theirs"
    again = next(one for one in forms(answer.text) if "version-task" in one.values)
    assert ada.post(URL, data=again.values).status_code in (200, 303)


def test_a_version_that_was_not_sent_wins_no_race(ada, post):
    assert post(ada, URL, {"title-task": "Mine", "version-task": None}).status_code == 409
    assert state("task")[0].title == ""


def test_what_was_not_touched_is_not_saved(ada, post):
    assert post(ada, URL, {"title-task": "Mine"}).status_code == 303
    assert [row.version for row in Trigger.select().order_by(Trigger.id)].count(1) == 5
    assert "Nothing was different" in text_of(post(ada, URL, {}, follow=True))


# --- One form --------------------------------------------------------------------------------------------------------

RISK = [
    {"key": "f1", "type": "yes_no", "label": "At risk?"},
    {"key": "f2", "type": "one_of", "label": "How soon", "options": ["Today", "This week"]},
    {"key": "f3", "type": "scale", "label": "How bad", "from": 1, "to": 3},
    {"key": "f4", "type": "text", "label": "What"},
]


@pytest.fixture
def form(cast):
    return factories.form("Worry", fields=RISK)


def own(form):
    return Trigger.get_or_none(Trigger.form == form.id)


def test_a_form_goes_its_own_way_for_one_answer(ada, post, cast, form):
    url = f"{URL}/forms/{form.ref}"
    page = ada.get(url).text
    for words in ("At risk?: Yes", "How soon: This week", "How bad: 3", "Any answer"):
        assert words in page
    data = {"rule": "own", "answer": "f2:Today", "title": "Urgent", "staff_ref": [cast.ken.ref]}
    answer = post(ada, url, data)
    assert answer.status_code == 200 and "Ken Kittiwake" in text_of(answer) and own(form) is None
    confirmed = [one.values["confirmed"] for one in forms(answer.text) if "confirmed" in one.values][0]
    assert post(ada, url, data | {"confirmed": confirmed}).status_code == 303
    row = own(form)
    assert (row.is_on, row.field, row.answer, row.title) == (True, "f2", "Today", "Urgent")
    assert "In its own way, for the answer Today" in text_of(ada.get(URL))
    post(ada, url, {"rule": "never"})
    assert own(form).is_on is False and "Opens no case" in text_of(ada.get(URL))
    post(ada, url, {"rule": "as"})
    assert own(form) is None and not TriggerStaff.select().exists()


def test_an_answer_of_another_form_is_refused(ada, post, form):
    answer = post(ada, f"{URL}/forms/{form.ref}", {"rule": "own", "answer": "f9:Today"})
    assert answer.status_code == 422 and own(form) is None
    assert ada.get(f"{URL}/forms/nothing").status_code == 404


def test_an_answer_that_left_the_form_stays_until_it_is_changed(ada, post, form, cast):
    Trigger.create(kind="form", form=form, is_on=True, field="f9", answer="Gone")
    assert "Gone (not in the form any more)" in text_of(ada.get(f"{URL}/forms/{form.ref}"))
    assert post(ada, f"{URL}/forms/{form.ref}", {"title": "Kept"}).status_code == 303
    assert (own(form).answer, own(form).title) == ("Gone", "Kept")


def test_two_admins_give_one_form_a_trigger(ada, post, cast, form, client_for):
    url = f"{URL}/forms/{form.ref}"
    page = next(one for one in forms(ada.get(url).text) if "rule" in one.values)
    other = factories.account(role=permissions.ADMIN)
    post(client_for(other), url, {"rule": "never"})
    answer = ada.post(url, data={**page.values, "rule": "own", "title": "Mine"})
    assert answer.status_code == 409 and not own(form).is_on and 'value="Mine"' in answer.text
    again = next(one for one in forms(answer.text) if "rule" in one.values)
    assert ada.post(url, data=again.values).status_code == 303 and own(form).is_on


def test_the_effect_of_a_forms_trigger_is_asked_again(ada, form, cast):
    answer = ada.get(f"{URL}/forms/{form.ref}/effect", query_string={"rule": "own", "groups_ref": cast.counselling.ref})
    assert "Gil Gannet, Mo Merlin" in text_of(answer)
    assert "Gil" not in text_of(ada.get(f"{URL}/forms/{form.ref}/effect?rule=never&groups_ref={cast.counselling.ref}"))


def test_pickers_suggest_groups_and_staff_in_use(ada, cast):
    assert [one["label"] for one in ada.get(f"{URL}/suggest/groups?q=couns").json] == ["Counselling"]
    assert [one["label"] for one in ada.get(f"{URL}/suggest/staff?q=ken").json] == ["Ken Kittiwake"]
    assert ada.get(f"{URL}/suggest/staff?q=stu").json == [] and ada.get(f"{URL}/suggest/groups").json == []


def test_actions_ask_for_the_capability(cast):
    with pytest.raises(permissions.Denied):
        actions.change_dictionary({}, {}, confirmed="", actor=cast.kay)
    with pytest.raises(permissions.Denied):
        queries.trigger_settings(cast.kay)
