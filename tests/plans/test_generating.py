"""Plans that an intervention group's template makes: all in one transaction, in the order asked for, or none."""

from datetime import timedelta

import pytest

from blueprints.kit.refusing import Refused
from blueprints.plans import actions
from extensions import db
from models import Case, CaseRecord, Event, InterventionStep, Plan, PlanIntervention, Trigger
from tests import factories


@pytest.fixture
def group(cast):
    made = factories.intervention_group(
        cast.sam, "Reading club", tier=3, concern="Reads slowly", goal="Read aloud", measure="Words a minute", baseline=20.0,
        target=60.5, review_weeks=6,
    )  # fmt: skip
    InterventionStep.create(group=made, text="Paired reading", how_often="Daily", position=1)
    InterventionStep.create(group=made, text="Phonics", position=2)
    return made


def generate(group, students, actor):
    with db.atomic():
        return actions.generate(group, students, actor=actor)


def test_the_template_makes_the_plans(cast, group, clock):
    students = [factories.student(name) for name in ("Zoe", "Ann", "Mia")]
    made = generate(group, students, cast.kay)
    assert [plan.student.first_name for plan in made] == ["Zoe", "Ann", "Mia"]
    today = factories.today()
    for plan in Plan.select():
        assert (plan.tier, plan.concern, plan.goal, plan.measure) == (3, "Reads slowly", "Read aloud", "Words a minute")
        assert (plan.baseline, plan.target, plan.lead, plan.created_by) == (20.0, 60.5, cast.sam, cast.kay)
        assert (plan.starts_on, plan.review_by, plan.state) == (today, today + timedelta(weeks=6), "active")
        steps = plan.interventions.order_by(PlanIntervention.id)
        assert [(step.text, step.how_often, step.started_on) for step in steps] == [
            ("Paired reading", "Daily", today), ("Phonics", "", today),
        ]  # fmt: skip
    told = Event.select().where(Event.verb == "plan.created")
    assert {event.target for event in told} == {plan.ref for plan in made}
    assert not Case.select().exists(), "the trigger is off"


def test_on_each_plan_opens_a_case(cast, group):
    Trigger.update(is_on=True, changed_by=cast.ada).where(Trigger.kind == "plan").execute()
    if not Trigger.select().where(Trigger.kind == "plan").exists():
        Trigger.create(kind="plan", is_on=True, changed_by=cast.ada)
    made = generate(group, [factories.student() for _ in range(3)], cast.kay)
    assert {row.record for row in CaseRecord.select()} == {plan.ref for plan in made}
    assert Case.select().count() == 3


def test_one_who_cannot_be_makes_none(cast, group):
    ann, gone, kept = factories.student("Ann"), factories.student("Bo", "Left", is_active=False), factories.student("Cy", "Kept")
    factories.exclusion(cast.sam, cast.ada, student=kept)
    with pytest.raises(Refused, match="Bo Left has left the school"):
        generate(group, [ann, gone], cast.kay)
    with pytest.raises(Refused, match="Sam Swift can't be given a plan for Cy Kept"):
        generate(group, [ann, kept], cast.kay)
    assert not Plan.select().exists()


def test_it_does_not_open_a_transaction_of_its_own(cast, group):
    with pytest.raises(RuntimeError):
        actions.generate(group, [factories.student()], actor=cast.kay)


def test_thirty_students_are_a_matter_of_a_few_statements(cast, group, count_queries):
    students = [factories.student() for _ in range(30)]
    with count_queries() as counted:
        generate(group, students, cast.kay)
    assert len(counted) <= 10 and Plan.select().count() == 30


def test_the_plan_leads_to_its_group_whoever_may_open_that(cast, group, client_for, count_queries):
    """Oli works on the plan and does not run the group: they read its name, no address."""
    plan = factories.plan(factories.student("Ann", "Finch"), cast.sam, staff=[cast.oli, cast.kay], intervention_group=group)
    group_page = f"/interventions/{group.ref}"
    for who, opens in (("oli", False), ("sam", True), ("kay", True), ("ada", True)):
        client = client_for(who)
        with count_queries(most=10):
            page = client.get(f"/plans/{plan.ref}").text
        assert group.name in page and (f'href="{group_page}"' in page) is opens, who
        assert client.get(group_page).status_code == (200 if opens else 404)
