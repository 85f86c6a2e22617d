"""Plan reviews: what each decision makes of the plan, what is refused, the case that opens, and who is reminded."""

import json
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

import permissions
import tasks
from blueprints.plans import actions
from models import (
    Case,
    CaseRecord,
    Conflict,
    Event,
    Notification,
    NotificationChoice,
    OutboxEmail,
    Plan,
    PlanReview,
    PlanStaff,
    PlanVersion,
    School,
    Trigger,
)
from tests import factories
from tests.web import forms, text_of


def day(days=0):
    return factories.today() + timedelta(days=days)


@pytest.fixture
def plan(cast):
    ann = factories.student("Ann", "Finch")
    return factories.plan(ann, cast.sam, cast.kay, staff=[cast.gil], starts_on=day(-30), review_by=day())


@pytest.fixture
def url(plan):
    return f"/plans/{plan.ref}"


def review(plan, actor, decision="continue", **fields):
    fields = {"day": day(), "number": Plan.get_by_id(plan.id).version} | fields
    return actions.review_plan(plan, decision=decision, actor=actor, **fields)


def form_of(page):
    return next(form for form in forms(page) if "decision" in form.controls).values


# --- Decisions -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "decision, tier, state", [("continue", 2, "active"), ("change", 2, "active"), ("step_up", 3, "active"), ("step_down", 1, "active"),
                              ("end", 2, "ended")]
)  # fmt: skip
def test_what_follows_from_a_decision(cast, plan, decision, tier, state):
    next_on = None if decision == "end" else day(30)
    made = review(plan, cast.gil, decision, notes="Going well", next_on=next_on)
    now = Plan.get()
    assert (now.tier, now.state, now.version) == (tier, state, 2)
    assert (now.review_by, now.end_reason) == ((day(), "Ended by a review") if decision == "end" else (day(30), ""))
    assert (made.day, made.decision, made.notes, made.next_on, made.author) == (day(), decision, "Going well", next_on, cast.gil)
    event = Event.get(Event.verb == "plan.reviewed")
    assert event.target == plan.ref and json.loads(event.data) == {"decision": decision, "review": made.ref}
    assert PlanVersion.select().exists() == (decision != "end"), "another day to review it is another wording"


def test_a_review_without_a_next_date_leaves_none(cast, plan):
    review(plan, cast.sam)
    assert Plan.get().review_by is None


def test_sam_conducts_one_on_the_page(cast, plan, client_for, post, url):
    sam = client_for("sam")
    assert "Conduct a Plan Review" in text_of(sam.get(url))
    answer = post(sam, f"{url}/reviews/new", {"decision": "step_up", "notes": "Needs more", "next_on": day(14).isoformat()})
    assert answer.status_code == 303 and answer.location == f"{url}#reviews"
    words = text_of(sam.get(url))
    assert "Step up a tier." in words and "Needs more" in words and "reviewed the plan: Step up a tier." in text_of(
        sam.get(f"{url}/history")
    )
    answer = post(sam, f"{url}/reviews/new", {"decision": "change"})
    assert answer.location == f"{url}/edit", "what changes is said next"


def test_the_students_tab_has_the_button_for_those_who_may(cast, plan, client_for):
    address = f"/students/{plan.student.ref}/plans"
    assert "Conduct a Plan Review" in text_of(client_for("sam").get(address))
    case = factories.case(plan.student, opened_by=cast.ken)
    CaseRecord.create(case=case, kind="plan", record_id=plan.id, record=plan.ref, how="joined", by=cast.sam)
    page = text_of(client_for("ken").get(address))
    assert "Be on time" in page and "Conduct a Plan Review" not in page


# --- What is refused -------------------------------------------------------------------------------------------------


def test_a_plan_is_not_reviewed_before_it_starts(cast, client_for, post):
    later = factories.plan(factories.student(), cast.sam, starts_on=day(5))
    address = f"/plans/{later.ref}/reviews/new"
    assert "it can’t be reviewed before it starts." in text_of(client_for("sam").get(address))
    answer = post(client_for("sam"), address, {"decision": "continue", "notes": "Kept."})
    assert answer.status_code == 422 and "it can't be reviewed before it starts." in text_of(answer)
    assert form_of(answer)["notes"][0].strip() == "Kept." and not PlanReview.select().exists()


@pytest.mark.parametrize(
    "changes, sentence",
    [
        ({"day": "-31"}, "give that day or a later one."),
        ({"day": "1"}, "This day is in the future."),
        ({"day": ""}, "Say on which day the plan was reviewed."),
        ({"decision": ""}, "Say what was decided."),
        ({"decision": "burn"}, "Choose a decision from the list."),
        ({"next_on": "0"}, "The next review comes after this one."),
        ({"next_on": "30", "decision": "end"}, "A plan that ends is not reviewed again."),
        ({"notes": "x" * 100_001}, "It can be at most 100,000."),
    ],
)
def test_what_cannot_be_taken_is_said_and_stays_typed(cast, plan, client_for, post, url, changes, sentence):
    moved = {name: day(int(text)).isoformat() for name, text in changes.items() if text.lstrip("-").isdigit()}
    given = {"day": day().isoformat(), "decision": "continue", "notes": "Kept."} | changes | moved
    answer = post(client_for("sam"), f"{url}/reviews/new", given)
    assert answer.status_code == 422 and sentence in text_of(answer)
    kept = form_of(answer)
    assert kept["notes"][0].strip() == given["notes"] and kept["day"] == [given["day"]] and not PlanReview.select().exists()


def test_there_is_no_tier_above_three_or_below_one(cast, client_for, post):
    for tier, decision, words in ((3, "step_up", "there is no tier above it"), (1, "step_down", "there is no tier below it")):
        plan = factories.plan(factories.student(), cast.sam, tier=tier)
        answer = post(client_for("sam"), f"/plans/{plan.ref}/reviews/new", {"decision": decision})
        assert answer.status_code == 422 and words in text_of(answer) and Plan.get_by_id(plan.id).tier == tier


def test_a_review_does_not_come_before_the_last_one(cast, plan, client_for, post, url):
    review(plan, cast.sam, day=day(-3))
    answer = post(client_for("sam"), f"{url}/reviews/new", {"decision": "continue", "day": day(-4).isoformat()})
    assert answer.status_code == 422 and "The last review was on" in text_of(answer)
    assert post(client_for("sam"), f"{url}/reviews/new", {"decision": "continue", "day": day(-3).isoformat()}).status_code == 303


def test_a_plan_that_ended_is_not_reviewed(cast, plan, client_for, post, url):
    actions.end_plan(plan, reason="x", actor=cast.sam, version=1)
    answer = post(client_for("sam"), f"{url}/reviews/new", {"decision": "continue"})
    assert answer.status_code == 422 and "This plan has ended. Resume it first." in text_of(answer)


def test_two_reviews_at_once_the_second_is_shown_the_first(cast, plan, client_for, url):
    sam, gil = client_for("sam"), client_for("gil")
    mine, theirs = form_of(sam.get(f"{url}/reviews/new")), form_of(gil.get(f"{url}/reviews/new"))
    assert gil.post(f"{url}/reviews/new", data={**theirs, "decision": "step_up"}).status_code == 303
    answer = sam.post(f"{url}/reviews/new", data={**mine, "decision": "step_up", "notes": "Mine"})
    assert answer.status_code == 409 and "at tier 3" in text_of(answer) and form_of(answer)["notes"][0].strip() == "Mine"
    assert Plan.get().tier == 3 and PlanReview.select().count() == 1
    with pytest.raises(Conflict):
        review(plan, cast.sam, number=1)


def test_a_review_sent_twice_is_one(cast, plan, client_for, url):
    sam = client_for("sam")
    values = {**form_of(sam.get(f"{url}/reviews/new")), "decision": "step_up"}
    assert {sam.post(f"{url}/reviews/new", data=values).status_code for _ in range(2)} == {303}
    assert PlanReview.select().count() == 1 and Plan.get().tier == 3


def test_a_draft_of_a_review_keeps_what_it_was_made_from(cast, plan, client_for, url):
    sam = client_for("sam")
    values = form_of(sam.get(f"{url}/reviews/new"))
    sam.post(f"/drafts/plan-review:{plan.ref.lower()}", data={**values, "notes": "Half a thought", "decision": "step_up"})
    review(plan, cast.gil)
    sam = client_for("sam")
    page = sam.get(f"{url}/reviews/new")
    assert form_of(page)["notes"][0].strip() == "Half a thought" and "Draft from" in text_of(page)
    assert sam.post(f"{url}/reviews/new", data=form_of(page)).status_code == 409


@pytest.mark.parametrize("who", ["oli", "ken", "rae", "stu"])
def test_nobody_else_reviews(cast, plan, client_for, post, url, who):
    assert post(client_for(who), f"{url}/reviews/new", {"decision": "end"}, form_url="/").status_code == 404
    with pytest.raises(permissions.NotVisible):
        review(plan, getattr(cast, who))
    assert not PlanReview.select().exists()


# --- The case that opens ---------------------------------------------------------------------------------------------


def switch_on(cast):
    trigger, _ = Trigger.get_or_create(kind="review", form=None)
    Trigger.update(is_on=True, changed_by=cast.ada).where(Trigger.id == trigger.id).execute()


def test_a_review_opens_a_case_the_next_joins_it_and_the_page_does_not_tell(cast, plan, client_for, post, url, clock):
    clock.freeze(clock.now())
    sam, answers = client_for("sam"), []
    for on in (False, True, True):
        if on:
            switch_on(cast)
        made = post(sam, f"{url}/reviews/new", {"decision": "continue", "notes": "Same"})
        page = text_of(sam.get(url))
        answers.append((made.status_code, made.location, page.partition("Reviews")[0], page.partition("Who works on it")[2]))
    assert answers[0] == answers[1] == answers[2]
    second, third = PlanReview.select().order_by(PlanReview.id)[1:]
    rows = [(row.kind, row.record_id, row.record, row.how) for row in CaseRecord.select().order_by(CaseRecord.id)]
    assert rows == [("review", second.id, plan.ref, "opened"), ("review", third.id, plan.ref, "joined")]
    assert Case.select().count() == 1


def test_killed_between_the_two_writes_neither_is_there(cast, plan, monkeypatch):
    switch_on(cast)
    monkeypatch.setattr("blueprints.cases.actions.happened", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        review(plan, cast.sam, "step_up")
    assert not PlanReview.select().exists() and not Case.select().exists() and Plan.get().tier == 2


# --- Reminders -------------------------------------------------------------------------------------------------------


def told():
    rows = Notification.select().where(Notification.kind == "plan_review_due")
    return sorted((row.account.name.split()[0], row.detail) for row in rows)


def choose(account, choice):
    NotificationChoice.create(account=account, kind="plan_review_due", choice=choice)


def test_who_works_on_a_plan_is_told_once_that_it_is_due(cast, plan):
    assert actions.queue_due_reviews(day(-1)) == 0 and told() == []
    assert actions.queue_due_reviews(day()) == 2
    assert actions.queue_due_reviews(day()) == actions.queue_due_reviews(day(1)) == 0
    assert told() == [("Gil", day().isoformat()), ("Sam", day().isoformat())]
    Plan.update(review_by=day(1)).execute()
    assert actions.queue_due_reviews(day(1)) == 2, "another date is another reminder"


def test_who_chose_an_email_at_once_gets_one_however_often_it_is_looked(cast, plan):
    choose(cast.sam, "at_once")
    for _ in range(3):
        actions.queue_due_reviews(day())
    assert [(mail.kind, mail.account) for mail in OutboxEmail.select()] == [("plan_review_due", cast.sam)]
    Notification.delete().execute()
    assert actions.queue_due_reviews(day()) == 1, "Gil, whose row is gone; Sam's email stands"


def test_a_server_that_was_down_tells_what_is_still_worth_telling(cast, plan):
    Plan.update(review_by=day(-7)).execute()
    assert actions.queue_due_reviews(day()) == 2
    Plan.update(review_by=day(-8)).execute()
    assert actions.queue_due_reviews(day()) == 0


def test_nobody_is_told_who_is_kept_from_it_or_gone_and_nobody_of_a_plan_that_ended(cast, plan):
    factories.exclusion(cast.gil, cast.ada, student=plan.student)
    type(cast.sam).update(is_active=False).where(type(cast.sam).id == cast.sam.id).execute()
    assert actions.queue_due_reviews(day()) == 0
    PlanStaff.create(plan=plan, account=cast.oli, added_by=cast.kay)
    Plan.update(state="ended").execute()
    assert actions.queue_due_reviews(day()) == 0
    Plan.update(state="active").execute()
    assert actions.queue_due_reviews(day()) == 1 and told() == [("Oli", day().isoformat())]


def test_the_sweep_waits_for_the_schools_hour(app, cast, plan, clock):
    School.update(alert_hour=8, timezone="Europe/London").execute()
    clock.freeze(clock.now().astimezone(ZoneInfo("Europe/London")).replace(hour=7, minute=30))
    Plan.update(review_by=day()).execute()
    with app.app_context():
        tasks.remind_reviews()
        assert told() == []
        clock.move(hours=1)
        tasks.remind_reviews()
    assert len(told()) == 2


def test_the_email_names_nobody_and_is_dropped_when_it_is_not_true_any_more(app, cast, plan, smtp):
    choose(cast.sam, "at_once")
    choose(cast.gil, "at_once")
    actions.queue_due_reviews(day())
    PlanStaff.delete().execute()
    with app.app_context():
        tasks.deliver()
    (mail,) = smtp.wait_for(1)
    assert mail.to == ["sam@school.example.org"] or "sam" in mail.to[0]
    assert f"/plans/{plan.ref}" in mail.text and not {"Ann", "Finch", "time", "Sam"} & set(mail.text.replace(".", " ").split())
    dropped = OutboxEmail.get(OutboxEmail.account == cast.gil)
    assert dropped.dropped_why == "this account does not see the plan any more"


@pytest.mark.parametrize("what, why", [({"state": "ended"}, "the plan has ended"), ({"review_by": None}, "was reviewed"),
                                       ({"lead": "kay"}, "does not work on the plan")])  # fmt: skip
def test_why_an_email_is_not_sent_any_more(app, cast, plan, what, why, smtp):
    choose(cast.kay, "at_once")
    Plan.update(lead=cast.kay, created_by=cast.kay).execute()
    actions.queue_due_reviews(day())
    if "lead" in what:
        Plan.update(lead=cast.sam).execute()
    else:
        Plan.update(**what).execute()
    with app.app_context():
        tasks.deliver()
    assert why in OutboxEmail.get(OutboxEmail.account == cast.kay).dropped_why


def test_the_notification_leads_to_the_plan_and_goes_with_the_access(cast, plan, client_for):
    actions.queue_due_reviews(day())
    page = client_for("gil").get("/notifications")
    assert "A plan is due for review: " in text_of(page) and plan.ref in page.text
    row = Notification.get(Notification.account == cast.gil)
    assert f"/plans/{plan.ref}" in page.text or client_for("gil").get(f"/notifications/{row.ref}").location.endswith(plan.ref)
    PlanStaff.delete().execute()
    assert plan.ref not in client_for("gil").get("/notifications").text
