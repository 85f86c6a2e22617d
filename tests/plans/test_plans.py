"""A plan as a whole: who creates it, what it says and said, who works on it, its end; bad input loses nothing."""

from datetime import timedelta

import pytest

import permissions
from blueprints.plans import actions
from extensions import db
from models import Account, Case, CaseRecord, Conflict, Draft, Event, Plan, PlanIntervention, PlanStaff, PlanVersion, Trigger
from tests import factories
from tests.web import forms, text_of

OUTSIDERS = ("oli", "ken", "rae", "stu")


@pytest.fixture
def ann(cast):
    return factories.student("Ann", "Finch", year_group="7")


@pytest.fixture
def plan(cast, ann):
    """Sam leads it, Kay created it, Gil works on it."""
    return factories.plan(ann, cast.sam, cast.kay, staff=[cast.gil], starts_on=day(-40))


@pytest.fixture
def url(plan):
    return f"/plans/{plan.ref}"


def day(days=0):
    return factories.today() + timedelta(days=days)


def said(**changes):
    known = {"tier": 2, "goal": "Be on time", "concern": "", "measure": "", "baseline": None, "target": None,
             "starts_on": day(), "review_by": None}  # fmt: skip
    return known | changes


def typed(**changes):
    return {"tier": "2", "goal": "Be on time", "starts_on": day().isoformat()} | changes


def form_with(page, name):
    return next(form for form in forms(page) if form.method == "post" and name in form.controls)


def switch_on(cast, kind="plan"):
    trigger, _ = Trigger.get_or_create(kind=kind, form=None)
    Trigger.update(is_on=True, changed_by=cast.ada).where(Trigger.id == trigger.id).execute()


# --- Creating --------------------------------------------------------------------------------------------------------


def test_any_staff_create_a_plan_and_those_on_it_see_it(cast, ann):
    steps = [("Paired reading", "Daily"), ("Breakfast club", "")]
    plan = actions.create_plan(ann, lead=cast.gil, staff=[cast.sam, cast.gil], interventions=steps, actor=cast.oli, **said())
    assert (plan.state, plan.created_by, plan.lead) == ("active", cast.oli, cast.gil)
    assert [row.account for row in PlanStaff.select()] == [cast.sam], "the lead is not put on it twice"
    assert [(row.text, row.how_often, row.started_on) for row in PlanIntervention.select()] == [
        ("Paired reading", "Daily", day()), ("Breakfast club", "", day()),
    ]  # fmt: skip
    event = Event.get(Event.verb == "plan.created")
    assert event.target == plan.ref and ann.ref in event.data and "Ann" not in event.data and "time" not in event.data
    assert {one.name.split()[0] for one, _ in permissions.who_can_see_record("plan", plan)} == {"Ada", "Gil", "Oli", "Sam"}


def test_the_dictionary_opens_a_case_in_the_same_transaction(cast, ann, monkeypatch):
    actions.create_plan(ann, lead=cast.sam, actor=cast.sam, **said())
    assert not Case.select().exists(), "off"
    switch_on(cast)
    second = actions.create_plan(ann, lead=cast.sam, actor=cast.sam, **said())
    third = actions.create_plan(ann, lead=cast.sam, actor=cast.sam, **said())
    rows = [(row.kind, row.record, row.how) for row in CaseRecord.select().order_by(CaseRecord.id)]
    assert rows == [("plan", second.ref, "opened"), ("plan", third.ref, "joined")] and Case.select().count() == 1


def test_killed_between_the_two_writes_neither_is_there(cast, ann, monkeypatch):
    switch_on(cast)
    monkeypatch.setattr("blueprints.cases.actions.happened", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        actions.create_plan(ann, lead=cast.sam, actor=cast.sam, **said())
    assert not Plan.select().exists() and not Case.select().exists()


def test_the_page_is_the_same_whether_a_case_opened_or_not(cast, ann, client_for, post, clock):
    clock.freeze(clock.now())
    answers = []
    for on in (False, True, True):
        if on:
            switch_on(cast)
        client = client_for("sam")
        made = post(client, f"/plans/new?student={ann.ref}", typed())
        page = client.get(made.location).text.replace(made.location.rpartition("/")[2], "REF")
        answers.append((made.status_code, text_of(page)))
    assert answers[0] == answers[1] == answers[2] and Case.select().count() == 1


def test_sam_creates_a_plan_on_the_page(cast, ann, client_for, post):
    client = client_for("sam")
    page = client.get(f"/students/{ann.ref}/plans")
    assert "Create a Plan" in text_of(page)
    fields = typed(measure="Days on time", baseline="2", target="4.5", review_by=day(30).isoformat(), staff="Gil Gannet")
    fields |= {"steps-0-text": "Paired reading", "steps-0-how_often": "Daily", "steps-2-text": "Breakfast club"}
    made = post(client, f"/plans/new?student={ann.ref}", fields)
    plan = Plan.get()
    assert made.status_code == 303 and made.location == f"/plans/{plan.ref}"
    assert (plan.student, plan.lead, plan.baseline, plan.target, plan.review_by) == (ann, cast.sam, 2.0, 4.5, day(30))
    assert [row.account for row in PlanStaff.select()] == [cast.gil] and PlanIntervention.select().count() == 2
    shown = text_of(client.get(made.location))
    for words in ("Be on time", "Days on time, from 2 to 4.5", "Paired reading", "Daily", "Conduct a Plan Review", "Gil Gannet"):
        assert words in shown


@pytest.mark.parametrize(
    "changes, sentence",
    [
        ({"goal": " "}, "Say what the plan is to reach."),
        ({"tier": ""}, "Choose a tier."),
        ({"tier": "4"}, "Choose a tier from the list."),
        ({"tier": "0"}, "Choose a tier from the list."),
        ({"starts_on": ""}, "Say when the plan starts."),
        ({"starts_on": "31/02/2026"}, "31 February 2026 is not a date."),
        ({"review_by": "BEFORE"}, "The review would be before the plan starts."),
        ({"baseline": "two"}, "two is not a number. Write it like 12 or 4.5."),
        ({"baseline": "1,5"}, "1,5 is not a number."),
        ({"target": "nan"}, "nan is not a number."),
        ({"target": "1e400"}, "1e400 is not a number."),
        ({"target": "99999999999"}, "is too large a number."),
        ({"baseline": "3"}, "Say what is measured: without that the baseline means nothing."),
        ({"steps-1-how_often": "Daily"}, "Say what is done so often."),
        ({"lead_ref": None, "lead": ""}, "Say who leads the plan."),
        ({"lead_ref": None, "lead": "Zzz"}, "Zzz is not known."),
        ({"student_ref": None}, "Say which student this plan is about."),
        ({"student_ref": None, "student": "Nobody Here"}, "No student called “Nobody Here” is known."),
        ({"measure": "x" * 201}, "It can be at most 200."),
    ],
)
def test_what_cannot_be_taken_is_said_and_stays_typed(cast, ann, client_for, post, changes, sentence):
    if changes.get("review_by") == "BEFORE":
        changes = {"review_by": day(-1).isoformat()}
    answer = post(client_for("sam"), f"/plans/new?student={ann.ref}", typed(concern="Kept.") | changes)
    assert answer.status_code == 422 and sentence in text_of(answer)
    kept = form_with(answer, "goal").values
    assert kept["concern"] == ["Kept."]
    for name, value in changes.items():
        if value is not None and not name.startswith(("lead", "student")) and name not in ("tier", "goal"):
            assert kept[name] == [value], name
    assert not Plan.select().exists()


def test_a_lead_kept_from_the_student_is_refused_like_anybody_who_cannot(cast, ann, client_for, post):
    gone = factories.account("Gus Gone", is_active=False)
    factories.exclusion(cast.gil, cast.ada, student=ann)
    for field in ("lead", "staff"):
        for who in (cast.gil, gone):
            fields = typed() | ({"lead_ref": who.ref} if field == "lead" else {"staff_ref": who.ref})
            answer = post(client_for("sam"), f"/plans/new?student={ann.ref}", fields)
            assert answer.status_code == 422
            assert f"{who.name} can't be given this. Choose somebody else." in text_of(answer)
    found = client_for("sam").get(f"/plans/staff-suggest?student={ann.ref}&q=g").get_json()
    assert not {"Gil Gannet", "Gus Gone"} & {one["label"] for one in found}
    assert not Plan.select().exists()


def test_a_student_who_left_or_is_closed(cast, ann, client_for, post):
    gone = factories.student("Bo", "Left", is_active=False)
    answer = post(client_for("sam"), f"/plans/new?student={gone.ref}", typed())
    assert answer.status_code == 422 and "Bo Left has left the school: a plan can't be made for them." in text_of(answer)
    factories.exclusion(cast.sam, cast.ada, student=ann)
    assert client_for("sam").get(f"/plans/new?student={ann.ref}").status_code == 404
    answer = post(client_for("sam"), "/plans/new", typed(student_ref=ann.ref))
    assert answer.status_code == 422 and "Ann" not in text_of(answer)
    with pytest.raises(permissions.NotVisible):
        actions.create_plan(ann, lead=cast.kay, actor=cast.sam, **said())


def test_a_form_sent_twice_creates_one_plan(cast, ann, client_for):
    client = client_for("sam")
    form = form_with(client.get(f"/plans/new?student={ann.ref}"), "goal")
    values = {**form.values, **typed()}
    first, second = (client.post(f"/plans/new?student={ann.ref}", data=values) for _ in range(2))
    assert first.location == second.location and Plan.select().count() == 1


def test_a_draft_comes_back_and_goes_when_sent(cast, ann, client_for, post):
    client, address = client_for("sam"), f"/plans/new?student={ann.ref}"
    form = form_with(client.get(address), "goal")
    client.post(f"/drafts/plan-new:{ann.ref.lower()}", data={**form.values, "goal": "Half a thought", "steps-1-text": "Walks"})
    page = client_for("sam").get(address)
    kept = form_with(page, "goal").values
    assert kept["goal"] == ["Half a thought"] and kept["steps-1-text"] == ["Walks"] and "Draft from" in text_of(page)
    assert post(client, address, {"tier": "1"}).status_code == 303
    assert Plan.get().goal == "Half a thought" and '"sent"' in Draft.get().body
    assert "Draft from" not in text_of(client.get(address))


# --- Reading ---------------------------------------------------------------------------------------------------------


def test_the_page_says_why_each_reader_sees_it(cast, plan, client_for, url):
    for who, manages in (("sam", True), ("gil", True), ("kay", True), ("ada", True)):
        words = text_of(client_for(who).get(url))
        assert "leads the plan" in words and ("Conduct a Plan Review" in words) == manages
    assert Event.select().where((Event.verb == "plan.read") & (Event.target == plan.ref)).count() == 4


def test_whoever_reads_it_because_of_a_case_changes_nothing(cast, plan, client_for, post, url, ann):
    case = factories.case(ann, opened_by=cast.ken)
    CaseRecord.create(case=case, kind="plan", record_id=plan.id, record=plan.ref, how="joined", by=cast.sam)
    ken = client_for("ken")
    page = text_of(ken.get(url))
    assert "is on a case that it belongs to" in page and "Conduct a Plan Review" not in page and "End plan" not in page
    for below in ("edit", "people", "ending", "resumption", "reviews/new", "interventions/new"):
        assert ken.get(f"{url}/{below}").status_code == 403, below
    assert post(ken, f"{url}/points", {"day": day().isoformat(), "value": "1"}, form_url="/").status_code == 403


@pytest.mark.parametrize("who", OUTSIDERS)
def test_nobody_else_finds_any_page_of_it(cast, plan, client_for, post, who, url):
    client, missing = client_for(who), "/plans/0000000000"
    for below in ("", "/edit", "/people", "/ending", "/resumption", "/interventions/new", "/points", "/reviews/new", "/history",
                  "/versions", "/access", "/points/export.csv"):  # fmt: skip
        here, there = client.get(url + below), client.get(missing + below)
        assert here.status_code == there.status_code == 404, below
        if below in ("", "/access"):
            assert text_of(here) == text_of(there)
    for below, data in (("edit", typed()), ("people", {"lead_ref": cast.oli.ref}), ("ending", {"reason": "x"}), ("resumption", {}),
                        ("points", {"day": day().isoformat(), "value": "1"}), ("reviews/new", {"decision": "end"})):  # fmt: skip
        assert post(client, f"{url}/{below}", data, form_url="/").status_code == 404, below
    assert (Plan.get().state, Plan.get().version) == ("active", 1)


def test_an_admin_who_is_kept_from_the_student_meets_nothing_of_it(cast, plan, ann, client_for, url):
    factories.exclusion(cast.ada, cast.ada, student=ann)
    ada = client_for("ada")
    assert ada.get(url).status_code == 404 and "Be on time" not in ada.get("/plans?show=all").text
    assert "Be on time" not in ada.get("/plans.csv?show=all", buffered=True).text
    assert "Ada Adler" not in text_of(client_for("sam").get(f"{url}/access"))


@pytest.mark.parametrize("below", ["", "/history", "/points", "/reviews/new", "/versions"])
def test_a_page_costs_the_same_however_much_is_in_it(cast, plan, client_for, count_queries, url, below):
    client = client_for("sam")
    with count_queries(most=10) as few:
        assert client.get(url + below).status_code == 200
    for number in range(20):
        actions.add_point(plan, day=day(-number), value=number, actor=cast.sam)
        actions.add_intervention(plan, text=f"Step {number}", how_often="", started_on=day(-3), actor=cast.sam)
        actions.review_plan(plan, day=day(), decision="continue", number=Plan.get().version, actor=cast.gil)
    with count_queries(most=10) as many:
        assert client.get(url + below).status_code == 200
    assert len(many) <= len(few) + 1, "the names in the history are one more"


# --- What it says ----------------------------------------------------------------------------------------------------


def test_an_edit_keeps_what_was_said_before(cast, plan, client_for, post, url):
    sam = client_for("sam")
    assert post(sam, f"{url}/edit", {"goal": "Be early", "tier": "3"}).status_code == 303
    now = Plan.get()
    assert (now.goal, now.tier, now.version) == ("Be early", 3, 2)
    assert '"goal": "Be on time"' in PlanVersion.get().fields
    assert post(sam, f"{url}/edit", {}).status_code == 303 and PlanVersion.select().count() == 1, "unchanged is no edit"
    shown = text_of(sam.get(f"{url}/versions"))
    assert shown.index("Version 2 (now)") < shown.index("Be early") < shown.index("Version 1") < shown.rindex("Be on time")
    assert "Kay Kestrel" in shown.partition("Version 1 ")[2], "who wrote the first wording"
    assert "changed goal and tier." in text_of(sam.get(f"{url}/history"))


def test_two_who_edit_at_once_lose_nothing(cast, plan, client_for, url):
    sam, gil = client_for("sam"), client_for("gil")
    pages = {who: form_with(client.get(f"{url}/edit"), "goal").values for who, client in (("sam", sam), ("gil", gil))}
    assert sam.post(f"{url}/edit", data={**pages["sam"], "goal": "Sam's words"}).status_code == 303
    answer = gil.post(f"{url}/edit", data={**pages["gil"], "goal": "Gil's words"})
    words = text_of(answer)
    assert answer.status_code == 409 and "Sam's words" in words and "Somebody else changed this plan" in words
    again = form_with(answer, "goal").values
    assert again["goal"] == ["Gil's words"]
    assert gil.post(f"{url}/edit", data=again).status_code == 303 and Plan.get().goal == "Gil's words"
    assert PlanVersion.select().count() == 2


def test_a_start_behind_what_was_measured_is_refused(cast, plan, client_for, post, url):
    actions.add_point(plan, day=day(-10), value=1, actor=cast.sam)
    answer = post(client_for("sam"), f"{url}/edit", {"starts_on": day(-5).isoformat()})
    assert answer.status_code == 422 and "There is a progress point or a review before this day." in text_of(answer)
    assert post(client_for("sam"), f"{url}/edit", {"starts_on": day(-10).isoformat()}).status_code == 303


@pytest.mark.parametrize("number", [None, "", "0", "99", "x"])
def test_a_version_that_was_never_there_wins_no_race(cast, plan, client_for, post, url, number):
    answer = post(client_for("sam"), f"{url}/edit", {"goal": "Mine", "number": number})
    assert answer.status_code in (409, 422) and Plan.get().goal == "Be on time"


# --- Interventions ---------------------------------------------------------------------------------------------------


def test_an_intervention_is_added_changed_and_ended(cast, plan, client_for, post, url):
    sam = client_for("sam")
    assert post(sam, f"{url}/interventions/new", {"text": "Reading", "how_often": "Daily"}).status_code == 303
    step = PlanIntervention.get()
    address = f"{url}/interventions/{step.ref}"
    assert post(sam, address, {"ended_on": day().isoformat()}).status_code == 303
    assert PlanIntervention.get().ended_on == day() and "Reading" in text_of(sam.get(url))
    for fields, sentence in (({"text": " "}, "Say what is done."), ({"ended_on": day(-50).isoformat()}, "end before it started"),
                             ({"started_on": day(-41).isoformat()}, "This is before the plan starts.")):  # fmt: skip
        answer = post(sam, address, fields)
        assert answer.status_code == 422 and sentence in text_of(answer)
    stale = form_with(sam.get(address), "text").values
    assert post(client_for("gil"), address, {"text": "Singing"}).status_code == 303
    answer = sam.post(address, data={**stale, "text": "Mine"})
    assert answer.status_code == 409 and "Singing" in text_of(answer) and form_with(answer, "text").values["text"][0].strip() == "Mine"


def test_an_intervention_of_another_plan_is_not_there(cast, plan, ann, client_for, url):
    other = factories.plan(ann, cast.oli)
    step = actions.add_intervention(other, text="Theirs", how_often="", started_on=day(), actor=cast.oli)
    assert client_for("sam").get(f"{url}/interventions/{step.ref}").status_code == 404
    with pytest.raises(permissions.NotVisible):
        actions.change_intervention(plan, step, text="x", how_often="", started_on=day(), ended_on=None, actor=cast.sam, version=1)


# --- Who works on it -------------------------------------------------------------------------------------------------


def test_who_is_put_on_sees_it_and_who_is_taken_off_does_not(cast, plan, client_for, post, url):
    sam = client_for("sam")
    assert post(sam, f"{url}/people", {"lead_ref": cast.sam.ref, "staff_ref": [cast.oli.ref]}).status_code == 303
    assert client_for("oli").get(url).status_code == 200 and client_for("gil").get(url).status_code == 404
    assert "put on the plan: Oli Ouzel; took off: Gil Gannet." in text_of(sam.get(f"{url}/history"))
    answer = post(sam, f"{url}/people", {"lead_ref": cast.oli.ref, "staff_ref": None, "staff": ""})
    assert answer.status_code == 303 and answer.location == "/plans", "Sam has taken themselves off it"
    assert Plan.get().lead == cast.oli and not PlanStaff.select().exists() and sam.get(url).status_code == 404


def test_the_form_of_the_people_refuses_and_keeps(cast, plan, ann, client_for, post, url):
    factories.exclusion(cast.oli, cast.ada, student=ann)
    sam = client_for("sam")
    for fields, sentence in (
        ({"lead_ref": [cast.sam.ref, cast.kay.ref]}, "A plan has one lead."),
        ({"lead_ref": None}, "Say who leads the plan."),
        ({"lead_ref": cast.oli.ref}, "Oli Ouzel can't be given this. Choose somebody else."),
        ({"staff_ref": [cast.gil.ref, cast.oli.ref]}, "Oli Ouzel can't be given this. Choose somebody else."),
        ({"staff_ref": cast.rae.ref}, "Somebody you chose is not known."),
    ):
        answer = post(sam, f"{url}/people", {"lead_ref": cast.sam.ref, "staff_ref": cast.gil.ref} | fields)
        assert answer.status_code == 422 and sentence in text_of(answer), fields
    stale = form_with(sam.get(f"{url}/people"), "lead").values
    assert post(client_for("gil"), f"{url}/people", {"staff": "Mo Merlin", "staff_ref": cast.gil.ref}).status_code == 303
    answer = sam.post(f"{url}/people", data={**stale, "staff_ref": []})
    assert answer.status_code == 409 and "Mo Merlin" in text_of(answer) and PlanStaff.select().count() == 2


# --- Its end ---------------------------------------------------------------------------------------------------------


def test_a_plan_ends_with_a_reason_takes_nothing_and_goes_on(cast, plan, client_for, post, url):
    sam = client_for("sam")
    assert post(sam, f"{url}/ending", {"reason": " "}).status_code == 422
    assert post(sam, f"{url}/ending", {"reason": "Goal reached"}).status_code == 303
    page = text_of(sam.get(url))
    assert "Goal reached" in page and "Resume plan" in page and "Conduct a Plan Review" not in page
    for below, fields in (("edit", {"goal": "Late"}), ("interventions/new", {"text": "Late"}), ("people", {"staff": "Mo Merlin"})):
        answer = post(sam, f"{url}/{below}", fields)
        assert answer.status_code == 422 and "This plan has ended. Resume it first." in text_of(answer), below
    assert sam.get(f"{url}/ending").location == f"{url}/resumption"
    assert post(sam, f"{url}/resumption", {}).status_code == 303
    now = Plan.get()
    assert (now.state, now.ended_at, now.ended_by, now.end_reason) == ("active", None, None, "")
    assert "ended the plan." in text_of(sam.get(f"{url}/history"))


def test_ending_it_twice_is_said(cast, plan, client_for, url):
    sam = client_for("sam")
    values = form_with(sam.get(f"{url}/ending"), "reason").values
    actions.end_plan(plan, reason="Moved away", actor=cast.gil, version=1)
    answer = sam.post(f"{url}/ending", data={**values, "reason": "Mine"})
    assert answer.status_code == 422 and "This plan has ended already." in text_of(answer)
    assert form_with(answer, "reason").values["reason"] == ["Mine"] and Plan.get().end_reason == "Moved away"
    with pytest.raises(Conflict):
        actions.end_plan(Plan(**Plan.get().__data__ | {"state": "active"}), reason="x", actor=cast.sam, version=1)


def test_a_plan_of_a_student_who_left_is_not_resumed(cast, plan, ann, client_for, post, url):
    actions.end_plan(plan, reason="x", actor=cast.sam, version=1)
    type(ann).update(is_active=False).execute()
    answer = post(client_for("sam"), f"{url}/resumption", {})
    assert answer.status_code == 422 and "Ann Finch has left the school" in text_of(answer)


def test_many_plans_end_at_once_and_those_that_ended_stay_as_they_are(cast, plan, ann):
    other = factories.plan(ann, cast.sam)
    over = factories.plan(ann, cast.sam, state="ended", end_reason="Long ago")
    with db.atomic():
        assert actions.end_each([plan, other, over], "Left the group", actor=cast.kay) == 2
    assert [row.end_reason for row in Plan.select().order_by(Plan.id)] == ["Left the group", "Left the group", "Long ago"]
    assert {event.target for event in Event.select().where(Event.verb == "plan.ended")} == {plan.ref, other.ref}
    with pytest.raises(RuntimeError):
        actions.end_each([plan], "x", actor=cast.kay)


def test_a_deactivated_lead_is_named_as_such(cast, plan, client_for, url):
    Account.update(is_active=False).where(Account.id == cast.sam.id).execute()
    assert "Sam Swift deactivated" in text_of(client_for("gil").get(url))
