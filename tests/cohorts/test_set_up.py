"""The set-up checklist: ten lines read from the real state, each with the page that does it; what other staff see of it."""

from datetime import date

import pytest

import permissions
from blueprints.cohorts import queries
from extensions import clock
from models import (
    Account,
    Cohort,
    CohortCategory,
    CohortGroup,
    CohortStudent,
    Event,
    Group,
    GroupMember,
    Milestone,
    School,
    Student,
)
from tests import factories
from tests.web import text_of

URL = "/case-management"
LABELS = ["Groups and group members with staff cards", "Student email addresses", "Create Category", "+Add Cohort",
          "Add Students", "Custom Milestone", "Due date of the milestone", "Reminders of the milestone",
          "Attach Student Support Groups", "Case Management System Student Visibility"]  # fmt: skip


@pytest.fixture
def empty(app, cast):
    """A school in which nobody has begun."""
    GroupMember.delete().execute()
    Student.update(email="", email_folded=None).execute()
    School.update(student_visibility_at=None).execute()
    return cast


def done(user):
    """The labels of the lines that are done, in their order."""
    found = queries.checklist(user)
    assert [step.label for step in (*found.before, *found.steps)] == LABELS
    assert len(found.missing) + len([step for step in (*found.before, *found.steps) if step.done]) == found.total == 10
    return [step.label for step in (*found.before, *found.steps) if step.done]


def test_each_line_is_read_from_the_real_state_one_after_the_other(empty):
    ada, counselling, student = empty.ada, empty.counselling, empty.student
    assert done(ada) == []
    GroupMember.create(group=counselling, account=empty.gil)
    assert done(ada) == LABELS[:1]
    Student.update(email="stu@school.example.org", email_folded="stu@school.example.org").execute()
    assert done(ada) == LABELS[:2]
    category = CohortCategory.create(name="First-Year Students", created_by=ada)
    assert done(ada) == LABELS[:3]
    cohort = Cohort.create(category=category, name="Fall 26", created_by=ada)
    assert done(ada) == LABELS[:4]
    CohortStudent.create(cohort=cohort, student=student, added_by=ada)
    assert done(ada) == LABELS[:5]
    milestone = Milestone.create(cohort=cohort, created_by=ada)
    assert done(ada) == LABELS[:5], "a draft"
    Milestone.update(saved_at=clock.now()).execute()
    assert done(ada) == LABELS[:5], "saved without a title of its own"
    Milestone.update(title="Meet an advisor").execute()
    assert done(ada) == LABELS[:6]
    Milestone.update(reminders="1,7").execute()
    assert done(ada) == LABELS[:6], "a reminder of no date"
    Milestone.update(reminders="", due_on=date(2027, 1, 8)).execute()
    assert done(ada) == LABELS[:7]
    Milestone.update(reminders="1").execute()
    assert done(ada) == LABELS[:8]
    CohortGroup.create(cohort=cohort, group=counselling, attached_by=ada)
    assert done(ada) == LABELS[:9]
    School.update(student_visibility_at=clock.now()).execute()
    assert done(ada) == LABELS
    for undone, change in (
        (LABELS[0], lambda: Account.update(is_active=False).where(Account.id == empty.gil.id).execute()),
        (LABELS[5], lambda: Milestone.update(removed_at=clock.now(), removed_by=ada).where(Milestone.id == milestone.id).execute()),
        (LABELS[8], lambda: Group.update(is_active=False).execute()),
        (LABELS[3], lambda: Cohort.update(archived_at=clock.now(), archived_by=ada).execute()),
        (LABELS[1], lambda: Student.update(is_active=False).execute()),
    ):  # fmt: skip
        change()
        assert undone not in done(ada)
    assert done(ada) == [LABELS[2], LABELS[9]]


def finished(cast):
    """A school in which all ten are done."""
    cast.cohort = factories.cohort("First years", "Autumn", [cast.student], [cast.counselling], created_by=cast.ada)
    cast.milestone = factories.milestone(cast.cohort, due_on=date(2027, 1, 8), reminders="1")
    School.update(student_visibility_at=clock.now()).execute()


def test_the_lines_about_a_cohort_are_those_of_one_cohort(cast):
    finished(cast)
    assert done(cast.ada) == LABELS
    CohortStudent.delete().execute()
    other = factories.cohort("First years", "Spring", [cast.student])
    assert LABELS[4] not in done(cast.ada), "Autumn has got further, and nobody is in it"
    CohortGroup.create(cohort=other, group=cast.counselling, attached_by=cast.ada)
    factories.milestone(other, due_on=date(2027, 1, 8), reminders="7")
    assert done(cast.ada) == LABELS


def test_a_student_who_is_closed_to_the_reader_counts_for_no_line(cast):
    finished(cast)
    factories.exclusion(cast.ada, factories.account(role=permissions.ADMIN), student=cast.student)
    assert [label for label in LABELS if label not in done(cast.ada)] == [LABELS[1], LABELS[4]]
    assert done(cast.gil) == LABELS


def test_admins_get_a_link_on_every_line_and_see_how_far_they_are(empty, client_for):
    page = client_for("ada").get(URL)
    text = text_of(page)
    for label in LABELS:
        assert f">{label}</a>" in page.text
    assert "Set-up checklist: 0 of 10" in text and "Pre-Setup Checklist" in text and "Case Management Setup" in text
    assert page.text.count("To do") == 10


def test_every_link_leads_to_a_page(cast, client_for):
    client = client_for("ada")

    def follow():
        found = queries.checklist(cast.ada)
        for step in (*found.before, *found.steps):
            assert client.get(step.url).status_code == 200, step
        return {step.label: step.url for step in found.steps}

    assert set(follow().values()) == {"/cohorts", "/admin/settings"}
    finished(cast)
    there = f"/cohorts/{cast.cohort.ref}"
    assert follow() == dict(zip(LABELS[2:], [
        "/cohorts", "/cohorts", f"{there}/add-students", f"{there}/milestones", f"{there}/milestones/{cast.milestone.ref}",
        f"{there}/milestones/{cast.milestone.ref}", f"{there}/attach-support-groups", "/admin/settings"], strict=True))  # fmt: skip


def test_other_staff_see_what_is_missing_and_nothing_to_click(empty, client_for):
    for who in ("kay", "gil", "mo", "sam", "oli"):
        page = client_for(who).get(URL)
        assert page.status_code == 200 and page.text.count("To do") == 10
        text = text_of(page)
        assert "can’t be used until it is set up" in text and "10 lines are still to do" in text
        main = page.text.partition("<main")[2]
        assert "/cohorts" not in main and "/admin/" not in main and "/students/import" not in main
        assert "/cohorts" not in page.text.partition("<main")[0].replace("/cohorts/x", "")


def test_when_it_is_complete_staff_see_what_the_menu_offers_them(cast, client_for):
    finished(cast)
    offers = {"oli": {"/milestones"}, "gil": {"/milestones"}, "mo": {"/milestones", "/groups"}}
    for who, expected in offers.items():
        main = client_for(who).get(URL).text.partition("<main")[2]
        assert "Case Management is set up and enabled." in main and "To do" not in main
        assert {url for url in ("/milestones", "/groups", "/cohorts") if f'href="{url}"' in main} == expected
    main = client_for("ada").get(URL).text.partition("<main")[2]
    assert all(f">{label}</a>" in main for label in LABELS) and "10 of 10" in text_of(main)


def test_referral_users_and_students_find_nothing(cast, client_for):
    missing = client_for("oli").get("/case-management/nothing")
    assert missing.status_code == 404
    for who in ("rae", "stu"):
        assert client_for(who).get(URL).status_code == 404
        with pytest.raises(permissions.Denied):
            queries.checklist(getattr(cast, who))


def test_the_menu_names_it_for_all_staff_and_cohorts_for_admins_only(cast, client_for):
    for who in ("ada", "kay", "gil", "mo", "sam", "oli"):
        page = client_for(who).get(URL).text
        assert ">Case Management</a>" in page and ">Set-up checklist</a>" in page
        assert (">Cohorts</a>" in page) == (who == "ada")
    for who in ("rae", "stu"):
        assert "Case Management" not in client_for(who).get("/").text


def test_reading_it_is_recorded(cast, client_for):
    client_for("oli").get(URL)
    (event,) = Event.select().where(Event.verb == "set_up.read")
    assert event.actor == cast.oli


def test_the_school_may_call_its_students_otherwise(cast, client_for):
    School.update(student_word="Pupil").execute()
    page = text_of(client_for("ada").get(URL).text.partition("<main")[2]).replace(LABELS[9], "the setting")
    assert "Add Pupils" in page and "Attach Pupil Support Groups" in page and "tudent" not in page


def test_a_few_queries_whatever_there_is(cast, client_for, count_queries):
    finished(cast)
    client = client_for("ada")
    client.get(URL)
    with count_queries(most=10) as few:
        client.get(URL)
    for number in range(20):
        factories.cohort("First years", f"Number {number}", milestones=3)
    with count_queries() as more:
        client.get(URL)
    assert len(more) == len(few)
