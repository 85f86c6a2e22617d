"""Intervention groups: who may do what, the template, students who come (all or none) and leave, and what nobody is told."""

import time
from datetime import timedelta
from io import BytesIO

import pytest

import permissions
from blueprints.kit.refusing import Refused, Unconfirmed, confirmation_of
from blueprints.plans import actions, queries
from models import (
    Case,
    CaseRecord,
    Conflict,
    Event,
    GroupMember,
    InterventionGroup,
    InterventionMember,
    InterventionStep,
    Plan,
    PlanPoint,
    Student,
    Trigger,
)
from tests import factories
from tests.web import forms, text_of

SAID = {"name": "Reading club", "description": "", "tier": 2, "concern": "Reads slowly", "goal": "Read aloud", "measure": "Words",
        "baseline": 40.0, "target": 90.0, "review_weeks": 6}  # fmt: skip


@pytest.fixture
def ann(cast):
    return factories.student("Ann", "Finch", year_group="7", tutor_group="7F", email="ann@example.org")


@pytest.fixture
def bea(cast):
    return factories.student("Bea", "Wren", year_group="7", tutor_group="7W", email="bea@example.org")


@pytest.fixture
def group(cast):
    """Sam leads it; Counselling, with Gil in it, runs it."""
    return factories.intervention_group(
        cast.sam, "Reading club", group=cast.counselling, goal="Read aloud", measure="Words", review_weeks=6
    )


def address(group, rest=""):
    return f"/interventions/{group.ref}{rest}"


def inside(user, group, **options):
    return [member.student_name for member in queries.members(user, queries.intervention(user, group.ref), **options)]


def open_cases_by_plans(cast):
    assert Trigger.update(is_on=True, changed_by=cast.ada).where((Trigger.kind == "plan") & Trigger.form.is_null()).execute()


# --- Who may ---------------------------------------------------------------------------------------------------------


def test_who_sees_a_group(cast, group):
    for who in (cast.ada, cast.kay, cast.ken, cast.mo, cast.sam, cast.gil):
        assert queries.intervention(who, group.ref).may_change == (who not in (cast.gil,))
        assert [row.name for row in queries.intervention_groups(who)] == ["Reading club"]
    for who in (cast.oli, cast.rae, cast.stu):
        assert queries.intervention_groups(who) == []
        with pytest.raises(permissions.NotVisible):
            queries.intervention(who, group.ref)
    GroupMember.delete().where(GroupMember.account == cast.gil).execute()
    assert queries.intervention_groups(cast.gil) == []
    assert [row.name for row in queries.intervention_groups(cast.sam, mine=True)] == ["Reading club"]
    assert queries.intervention_groups(cast.kay, mine=True) == []


def test_who_manages_groups_is_not_told_who_is_in_them(cast, group, ann, bea):
    actions.add_students(group, [ann], actor=cast.gil)
    actions.add_students(group, [bea], actor=cast.kay)
    assert inside(cast.gil, group) == inside(cast.sam, group) == inside(cast.ada, group) == ["Ann Finch", "Bea Wren"]
    assert inside(cast.kay, group) == ["Bea Wren"]  # whose plan she created
    assert inside(cast.mo, group) == inside(cast.ken, group) == []
    counts = {who: queries.intervention_groups(getattr(cast, who))[0].students for who in ("gil", "kay", "mo")}
    assert counts == {"gil": 2, "kay": 1, "mo": 0}


def test_somebody_hidden_is_added_as_anybody_else(cast, group, ann):
    """Else the answer would tell that the student is in the group already."""
    actions.add_students(group, [ann], actor=cast.gil)
    group_now = queries.intervention(cast.kay, group.ref)
    assert [row.id for row in queries.candidates(cast.kay, group_now, year="7")[0]] == [ann.id]
    assert actions.add_students(group, [ann], actor=cast.kay) == 1
    assert actions.add_students(group, [ann], actor=cast.kay) == actions.add_students(group, [ann], actor=cast.gil) == 0
    assert inside(cast.kay, group) == ["Ann Finch"]
    assert queries.intervention_groups(cast.gil)[0].students == 1


def test_who_is_kept_from_a_student_meets_nothing_of_them(cast, group, ann, bea, client_for):
    actions.add_students(group, [ann, bea], actor=cast.sam)
    for who in (cast.ada, cast.gil):
        factories.exclusion(who, cast.kay, student=ann)
        assert inside(who, group) == ["Bea Wren"]
        assert queries.intervention_groups(who)[0].students == 1
        assert queries.candidates(who, group, year="7")[0] == []
        client = client_for(who)
        for page in ("", "/students?year=7", "/students.csv", "/leaving"):
            assert "Ann Finch" not in client.get(address(group, page), buffered=True).get_data(as_text=True)
        with pytest.raises(permissions.NotVisible):
            actions.add_students(group, [ann], actor=who)
        plan = Plan.get(Plan.student == ann)
        with pytest.raises(permissions.NotVisible):
            actions.leave_group(group, [plan.ref], actor=who)
        assert plan.ref not in client_for("ada").get("/admin/audit").text


# --- Students come ---------------------------------------------------------------------------------------------------


def test_each_gets_a_plan_from_the_template(cast, group, ann, bea):
    InterventionStep.create(group=group, text="Paired reading", how_often="daily")
    assert actions.add_students(group, [ann, bea, ann], actor=cast.gil) == 2
    day = factories.today()
    for student in (ann, bea):
        plan = Plan.get(Plan.student == student)
        assert (plan.goal, plan.lead, plan.created_by, plan.intervention_group) == ("Read aloud", cast.sam, cast.gil, group)
        assert (plan.starts_on, plan.review_by) == (day, day + timedelta(weeks=6))
        assert [one.text for one in plan.interventions] == ["Paired reading"]
    event = Event.get(Event.verb == "intervention.students_added")
    assert (event.target, event.actor) == (group.ref, cast.gil) and '"count": 2' in event.data


@pytest.mark.alone
def test_thirty_come_in_one_transaction_within_a_second(cast, group, figure):
    open_cases_by_plans(cast)
    several = [factories.student(f"S{number}", "Wren") for number in range(30)]
    started = time.perf_counter()
    assert actions.add_students(group, several, actor=cast.sam) == 30
    taken = time.perf_counter() - started
    assert taken <= 1, f"{taken:.2f} s"
    figure("an intervention group", f"30 students, with 30 plans and 30 cases: {taken * 1000:.0f} ms")
    assert Plan.select().count() == InterventionMember.select().count() == Case.select().count() == 30
    assert {row.how for row in CaseRecord.select()} == {"opened"}


def test_one_who_cannot_be_added_keeps_all_out(cast, group, ann):
    open_cases_by_plans(cast)
    gone = factories.student("Bo", "Left", is_active=False)
    with pytest.raises(Refused, match="Bo Left has left the school"):
        actions.add_students(group, [ann, gone], actor=cast.sam)
    kept = factories.student("Cy", "Kept")
    factories.exclusion(cast.sam, cast.ada, student=kept)
    with pytest.raises(Refused, match="Sam Swift can't be given a plan for Cy Kept"):
        actions.add_students(group, [ann, kept], actor=cast.gil)
    with pytest.raises(Refused, match="at most 200 at once"):
        actions.add_students(group, [ann] * 201, actor=cast.sam)
    for table in (Plan, Case, InterventionMember):
        assert not table.select().exists()


def test_nobody_comes_to_an_archived_group(cast, group, ann, client_for):
    actions.archive_intervention(group, version=1, actor=cast.sam)
    with pytest.raises(Refused, match="archived"):
        actions.add_students(group, [ann], actor=cast.sam)
    assert "This group is archived" in text_of(client_for("sam").get(address(group, "/students")))
    assert queries.intervention_groups(cast.sam) == []
    assert [row.name for row in queries.intervention_groups(cast.sam, archived=True)] == ["Reading club"]
    actions.restore_intervention(InterventionGroup.get(), version=2, actor=cast.kay)
    assert actions.add_students(group, [ann], actor=cast.sam) == 1


def test_by_name_by_address_by_file_and_from_a_list(cast, group, ann, bea, client_for, post):
    cy, di = factories.student("Cy", "Wren", email="cy@example.org"), factories.student("Di", "Wren", year_group="8")
    url, gil = address(group, "/students"), client_for("gil")
    page = text_of(gil.get(url + "?year=8"))
    assert "1 student" in page and "Di Wren" in page and "Ann Finch" not in page
    answer = post(gil, url, {
        "students": "Ann Finch", "emails": "Bea <BEA@example.org>", "file": (BytesIO(b"Email\ncy@example.org\n"), "a.csv"),
        "student": [di.ref],
    }, form_url=url + "?year=8")  # fmt: skip
    assert (answer.status_code, answer.location) == (303, address(group))
    assert inside(cast.gil, group) == ["Ann Finch", "Bea Wren", "Cy Wren", "Di Wren"]
    assert "4 students came to Reading club, each with a plan." in text_of(gil.get(address(group)))
    answer = post(gil, url, {"emails": "ann@example.org", "students_ref": [bea.ref, cy.ref]}, follow=True)
    assert "0 students came" in text_of(answer) and "3 already in it: nothing changed for them." in text_of(answer)
    assert Plan.select().count() == 4


def test_a_bad_address_adds_nobody_and_loses_nothing(cast, group, ann, client_for, post):
    url = address(group, "/students")
    factories.student("Bo", "Left", email="bo@example.org", is_active=False)
    file = (BytesIO(b"Email\nann@example.org\nnobody@example.org\n"), "a.csv")
    answer = post(client_for("gil"), url, {"emails": "foo, bo@example.org", "file": file})
    words = text_of(answer)
    assert answer.status_code == 422 and not Plan.select().exists()
    for part in ("Nobody was added.", "nobody@example.org: No student has this email address", "foo is not an email address",
                 "bo@example.org: This student has left the school"):  # fmt: skip
        assert part in words, part
    kept = next(form for form in forms(answer.text) if form.method == "post" and "emails" in form.values).values["emails"][0]
    assert kept.split() == ["foo,", "bo@example.org", "ann@example.org", "nobody@example.org"]
    answer = post(client_for("gil"), url, {"file": (BytesIO(b"Name\nAnn\n"), "a.csv")})
    assert answer.status_code == 422 and not Plan.select().exists()
    assert post(client_for("gil"), url, {}).status_code == 422
    answer = post(client_for("gil"), url + "?year=7", {"students": "Nobody Known", "student": [ann.ref]})
    assert answer.status_code == 422 and f'value="{ann.ref}" checked' in answer.text


def test_an_address_of_somebody_one_is_kept_from_is_unknown(cast, group, ann, client_for, post):
    factories.exclusion(cast.gil, cast.ada, student=ann)
    gil, url = client_for("gil"), address(group, "/students")
    known, unknown = (post(gil, url, {"emails": one}) for one in ("ann@example.org", "xyz@example.org"))
    assert known.status_code == unknown.status_code == 422
    assert text_of(known).replace("ann@", "xyz@") == text_of(unknown)


def test_cohorts_to_choose_from_are_those_one_supports(cast, group, ann, bea, client_for):
    cohort = factories.cohort(name="Autumn intake", students=[ann], groups=[cast.counselling])
    page = text_of(client_for("gil").get(address(group, f"/students?cohort={cohort.ref}")))
    assert "Autumn intake" in page and "Ann Finch" in page and "Bea Wren" not in page
    page = client_for("kay").get(address(group, f"/students?cohort={cohort.ref}"))
    assert "Autumn intake" not in page.text and "Ann Finch" not in text_of(page)


def test_the_answer_is_the_same_whether_a_case_opens_or_not(cast, group, client_for, post):
    answers = []
    for is_on in (False, True):
        if is_on:
            open_cases_by_plans(cast)
        student = factories.student("Ann", "Finch")
        answer = post(client_for("sam"), address(group, "/students"), {"students_ref": [student.ref]})
        answers.append((answer.status_code, answer.location, answer.data))
        assert Case.select().count() == is_on
    assert answers[0] == answers[1]


# --- Students leave --------------------------------------------------------------------------------------------------


def test_leaving_ends_the_plan_and_keeps_it(cast, group, ann, bea, client_for, post):
    actions.add_students(group, [ann, bea], actor=cast.sam)
    plan = Plan.get(Plan.student == ann)
    PlanPoint.create(plan=plan, day=factories.today(), value=55, author=cast.sam)
    gil = client_for("gil")
    asked = gil.get(address(group, f"/leaving?plan={plan.ref}"))
    assert "1 student leaves the group" in text_of(asked) and "Ann Finch" in text_of(asked) and "Bea Wren" not in text_of(asked)
    answer = post(gil, address(group, "/leaving"), {"plan": [plan.ref]}, form_url=address(group, f"/leaving?plan={plan.ref}"))
    assert (answer.status_code, answer.location) == (303, address(group))
    plan = Plan.get_by_id(plan.id)
    assert (plan.state, plan.end_reason, plan.ended_by) == ("ended", "Left the group", cast.gil)
    assert plan.points.count() == 1
    assert (inside(cast.sam, group), inside(cast.sam, group, left=True)) == (["Bea Wren"], ["Ann Finch"])
    assert Event.get(Event.verb == "intervention.student_left").target == plan.ref
    page = text_of(gil.get(address(group) + "?show=left"))
    assert "Ann Finch" in page and "55" in page and "Ended" in page
    assert actions.leave_group(group, [plan.ref], actor=cast.sam) == 0
    assert actions.add_students(group, [ann], actor=cast.sam) == 1
    assert Plan.select().where(Plan.student == ann).count() == 2


def test_a_plan_of_another_group_does_not_leave_this_one(cast, group, ann):
    other = factories.intervention_group(cast.sam, students=[ann])
    with pytest.raises(permissions.NotVisible):
        actions.leave_group(group, [Plan.get().ref], actor=cast.sam)
    assert Plan.get().state == "active" and other.members.where(InterventionMember.left_at.is_null()).count() == 1


def test_nobody_chosen(cast, group, client_for, post):
    sam = client_for("sam")
    assert "Nobody is chosen" in text_of(sam.get(address(group, "/leaving")))
    assert post(sam, address(group, "/leaving"), {}, form_url=address(group)).status_code == 422


# --- The template ----------------------------------------------------------------------------------------------------


def new_group(**fields):
    return {"name": "Phonics", "goal": "Know the sounds", "steps-0-text": "Small group", "steps-0-how_often": "twice a week", **fields}


def test_adding_a_group(cast, client_for, post):
    answer = post(client_for("kay"), "/interventions/new", new_group(group=cast.counselling.ref, measure="Sounds", target="44"))
    row = InterventionGroup.get(InterventionGroup.name == "Phonics")
    assert (answer.status_code, answer.location) == (303, address(row, "/students"))
    assert (row.lead, row.group, row.tier, row.target, row.review_weeks) == (cast.kay, cast.counselling, 2, 44.0, 6)
    assert [(step.text, step.how_often) for step in row.steps] == [("Small group", "twice a week")]
    assert Event.get(Event.verb == "intervention.added").target == row.ref


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"name": ""}, "Give the group a name."),
        ({"name": "reading CLUB"}, "There is an intervention group of this name already."),
        ({"goal": ""}, "Say what the plans are to reach."),
        ({"target": "9"}, "Say what is measured"),
        ({"target": "many", "measure": "x"}, "many is not a number"),
        ({"review_weeks": "1.5"}, "Give a whole number of weeks"),
        ({"tier": "9"}, "Choose a tier from the list."),
        ({"group": "x"}, "This group is not known."),
        ({"lead_ref": [], "lead": "Nobody Known"}, "Nobody Known is not known."),
        ({"lead_ref": []}, "Say who leads the group."),
        ({"steps-1-how_often": "daily"}, "Say what is done so often."),
    ],
)
def test_what_is_refused_is_said_and_kept(cast, group, client_for, post, fields, sentence):
    answer = post(client_for("kay"), "/interventions/new", new_group(description="Mondays", **fields))
    assert answer.status_code == 422 and sentence in text_of(answer)
    assert "Mondays" in answer.text and "Small group" in answer.text
    assert InterventionGroup.select().count() == 1


def test_changing_the_template_changes_no_plan(cast, group, ann, client_for, post):
    actions.add_students(group, [ann], actor=cast.sam)
    answer = post(client_for("sam"), address(group, "/edit"), {"goal": "Read to others", "steps-0-text": "Daily diary", "tier": "3"})
    assert answer.status_code == 303
    row = InterventionGroup.get()
    assert (row.goal, row.tier, row.version, row.lead) == ("Read to others", 3, 2, cast.sam)
    assert [step.text for step in row.steps] == ["Daily diary"]
    assert Plan.get().goal == "Read aloud"
    assert '["goal", "steps", "tier"]' in Event.get(Event.verb == "intervention.changed").data
    assert post(client_for("sam"), address(group, "/edit"), {}).status_code == 303
    assert InterventionGroup.get().version == 2  # nothing was changed, nothing is recorded


def test_a_new_lead_or_staff_group_is_confirmed_by_name(cast, group, ann, client_for, post):
    actions.add_students(group, [ann], actor=cast.sam)
    circle = factories.group("Circle", members=[cast.oli, cast.gil])
    kay, url = client_for("kay"), address(group, "/edit")
    effect = kay.get(address(group, f"/effect?lead_ref={cast.ken.ref}&group={circle.ref}"))
    assert "This gives 2 people access" in text_of(effect) and "Ken Kittiwake, Oli Ouzel" in text_of(effect)
    answer = post(kay, url, {"lead_ref": [cast.ken.ref], "group": circle.ref})
    assert answer.status_code == 422 and "Ken Kittiwake, Oli Ouzel" in text_of(answer)
    assert not permissions.record_reasons("plan", cast.oli, Plan.get())
    word = next(form for form in forms(answer.text) if "confirmed" in form.values).values["confirmed"]
    assert word == [confirmation_of([cast.ken, cast.oli])]
    answer = post(kay, url, {"lead_ref": [cast.ken.ref], "group": circle.ref, "confirmed": word})
    assert answer.status_code == 303
    for who in (cast.ken, cast.oli, cast.gil):
        assert "intervention_group" in permissions.record_reasons("plan", who, Plan.get())
    row = InterventionGroup.get()
    with pytest.raises(Unconfirmed):
        actions.change_intervention_group(row, **SAID, lead=cast.mo, group=circle, steps=[], number=row.version, confirmed="",
                                          actor=cast.kay)  # fmt: skip


def test_somebody_else_was_first(cast, group, client_for, post):
    InterventionGroup.update(goal="Theirs", version=2).execute()
    sam = client_for("sam")
    answer = post(sam, address(group, "/edit"), {"number": "1", "goal": "Mine", "name": "Other"})
    assert answer.status_code == 409 and "Theirs" in text_of(answer) and "Mine" in answer.text
    assert InterventionGroup.get().goal == "Theirs"
    again = next(form for form in forms(answer.text) if "number" in form.values).values
    assert post(sam, address(group, "/edit"), again).status_code == 303
    assert InterventionGroup.get().goal == "Mine"
    with pytest.raises(Conflict):
        actions.archive_intervention(InterventionGroup.get(), version=1, actor=cast.sam)
    answer = post(client_for("sam"), address(group, "/archive"), {"version": "1"})
    assert answer.status_code == 409 and InterventionGroup.get().archived_at is None


def test_a_draft_survives(cast, group, client_for, post):
    sam = client_for("sam")
    page = sam.get(address(group, "/edit"))
    form = next(form for form in forms(page.text) if "goal" in form.values)
    sent = {**form.values, "goal": ["Half a thought"]}
    assert sam.post(f"/drafts/intervention:{group.ref.lower()}", data=sent).status_code in (200, 204)
    page = client_for("sam").get(address(group, "/edit"))
    assert "Half a thought" in page.text and "Draft from" in text_of(page)
    assert post(sam, address(group, "/edit/draft-removal"), {}, form_url=address(group, "/edit")).status_code == 303
    assert "Half a thought" not in sam.get(address(group, "/edit")).text


def test_archive_and_restore(cast, group, ann, client_for, post):
    actions.add_students(group, [ann], actor=cast.sam)
    sam = client_for("sam")
    assert post(sam, address(group, "/archive"), {}, follow=True).status_code == 200
    assert InterventionGroup.get().archived_by == cast.sam and Plan.get().state == "active"
    assert inside(cast.gil, group) == ["Ann Finch"]
    assert post(sam, address(group, "/restore"), {}).status_code == 303
    assert InterventionGroup.get().archived_at is None
    assert client_for("gil").get(address(group, "/archive")).status_code == 403


# --- Pages -----------------------------------------------------------------------------------------------------------


def test_pages_and_exports(cast, group, ann, client_for):
    actions.add_students(group, [ann], actor=cast.sam)
    Plan.update(goal="=1+1").execute()
    sam = client_for("sam")
    words = text_of(sam.get(address(group)))
    for part in ("Reading club", "Sam Swift", "Counselling", "after 6 weeks", "Ann Finch", "7F", "1 student", "Gil Gannet, Sam Swift"):
        assert part in words, part
    assert "Reading club" in text_of(sam.get("/interventions?q=read")) and "No intervention group fits" in text_of(sam.get("/interventions?q=x"))
    csv = sam.get(address(group, "/students.csv"), buffered=True).get_data(as_text=True)
    assert "Ann Finch,7,7F,'=1+1,Active" in csv
    assert "Reading club,2,Sam Swift,Counselling,1" in sam.get("/interventions.csv", buffered=True).get_data(as_text=True)
    assert sam.get(address(group, "/students.xlsx"), buffered=True).status_code == 200
    verbs = {event.verb for event in Event.select().where(Event.actor == cast.sam)}
    assert {"intervention.read", "intervention.listed", "intervention.exported"} <= verbs


def test_outsiders_referral_users_and_students(cast, group, ann, client_for, post):
    actions.add_students(group, [ann], actor=cast.sam)
    pages = ("", "/students", "/students.csv", "/edit", "/effect", "/leaving", "/archive", "/restore")
    for who in ("oli", "rae", "stu"):
        client = client_for(who)
        for page in pages:
            assert client.get(address(group, page)).status_code == client.get(f"/interventions/0000000000{page}").status_code == 404
        for page in ("/students", "/edit", "/leaving", "/archive", "/restore", "/edit/draft-removal"):
            assert post(client, address(group, page), {"student": ann.ref, "plan": Plan.get().ref}, form_url="/account").status_code == 404
    assert client_for("oli").get("/interventions/new").status_code == 403
    assert "No intervention groups yet" in text_of(client_for("oli").get("/interventions"))
    for who in ("rae", "stu"):
        assert client_for(who).get("/interventions").status_code == 404
    assert Plan.get().state == "active"


@pytest.mark.parametrize("page", ["", "/students?year=9", "/edit"])
def test_the_number_of_queries_does_not_grow(cast, group, client_for, count_queries, page):
    sam = client_for("sam")
    sam.get(address(group, page))
    with count_queries(most=10) as few:
        sam.get(address(group, page))
    actions.add_students(group, [factories.student(f"S{number}", "Wren") for number in range(40)], actor=cast.sam)
    factories.student("Di", "Wren", year_group="9")
    InterventionStep.create(group=group, text="Paired reading")
    for plan in Plan.select().limit(10):
        PlanPoint.create(plan=plan, day=factories.today(), value=3, author=cast.sam)
    with count_queries(most=10) as many:
        assert sam.get(address(group, page)).status_code == 200
    assert len(many) == len(few)


def test_the_list_costs_the_same_for_many_groups(cast, group, client_for, count_queries):
    sam = client_for("sam")
    sam.get("/interventions")
    with count_queries(most=10) as few:
        sam.get("/interventions")
    for _ in range(20):
        factories.intervention_group(cast.sam, students=[factories.student()])
    with count_queries(most=10) as many:
        assert "21 intervention groups" in text_of(sam.get("/interventions"))
    assert len(many) == len(few) and Student.select().count() > 20
