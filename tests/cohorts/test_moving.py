"""Moving a student to another cohort and taking one out: what it says before, and what it then does."""

import json

import pytest

import permissions
from blueprints.cases.queries import confirmation_of
from blueprints.cohorts import actions, queries
from models import CohortGroup, CohortStudent, Event, Student
from permissions import Denied, NotVisible
from tests.factories import account, cohort, exclusion, group, student
from tests.web import forms, text_of

OTHERS = ("oli", "kay", "mo", "rae", "stu")


@pytest.fixture
def two(cast):
    """Ann is in Autumn, which Counselling supports; Spring is supported by Oli alone."""
    cast.ann = student("Ann", "Finch")
    cast.cohort = cohort("First years", "Autumn", [cast.ann], [cast.counselling], created_by=cast.ada)
    cast.spring = cohort("First years", "Spring", groups=[group("Tutors", [cast.oli])], created_by=cast.ada)
    cast.at = f"/cohorts/{cast.cohort.ref}/students/{cast.ann.ref}"
    return cast


def members(row):
    return {link.student_id for link in CohortStudent.select().where(CohortStudent.cohort == row.id)}


def test_removing_says_who_loses_sight_of_the_student(client_for, post, two):
    ada = client_for("ada")
    text = text_of(ada.get(f"{two.at}/removal"))
    assert "2 people no longer see this student's milestones: Gil Gannet, Mo Merlin." in text
    assert members(two.cohort) == {two.ann.id}
    assert post(ada, f"{two.at}/removal", {}).status_code == 303
    assert not members(two.cohort)
    event = Event.get(Event.verb == "cohort.student_removed")
    assert (event.target, json.loads(event.data)) == (two.ann.ref, {"cohort": two.cohort.ref})
    assert ada.get(f"{two.at}/removal").status_code == 404
    with pytest.raises(NotVisible):
        actions.remove_student(two.cohort, two.ann, actor=two.ada)


def test_an_archived_cohort_can_be_left_and_nobody_loses_by_it(client_for, post, two):
    actions.archive_cohort(two.cohort, version=1, actor=two.ada)
    ada = client_for("ada")
    assert "no longer see this student" not in text_of(ada.get(f"{two.at}/removal"))
    assert post(ada, f"{two.at}/removal", {}).status_code == 303 and not members(two.cohort)


def test_moving_asks_first_whom_it_gives_access(client_for, post, two):
    ada = client_for("ada")
    page = ada.get(f"{two.at}/move")
    assert "First years: Spring" in page.text and "First years: Autumn" not in page.text
    asked = post(ada, f"{two.at}/move", {"to": two.spring.ref})
    text = text_of(asked)
    assert asked.status_code == 200 and members(two.cohort) == {two.ann.id}
    assert "This gives 1 person access to the milestones of this student: Oli Ouzel." in text
    assert "2 people lose it: Gil Gannet, Mo Merlin." in text
    shown = next(one for one in forms(asked.text) if "to" in one.values)
    assert post(ada, f"{two.at}/move", shown.values).status_code == 303
    assert not members(two.cohort) and members(two.spring) == {two.ann.id}
    event = Event.get(Event.verb == "cohort.student_moved")
    assert (event.target, json.loads(event.data)) == (two.ann.ref, {"cohort": two.cohort.ref, "to": two.spring.ref})


def test_what_the_page_says_is_what_the_rules_then_show(two):
    gained, lost = queries.changed_by_moving(two.ada, two.ann, two.cohort, two.spring)
    before = {person.id for person, _ in permissions.who_can_see_milestones(two.ann)}
    actions.move_student(two.cohort, two.ann, two.spring, confirmed=confirmation_of(gained), actor=two.ada)
    after = {person.id for person, _ in permissions.who_can_see_milestones(two.ann)}
    assert {person.id for person in gained} == after - before and {person.id for person in lost} == before - after


def test_the_effect_of_moving_is_shown_while_choosing(client_for, two):
    ada = client_for("ada")
    assert "Oli Ouzel" in ada.get(f"{two.at}/move/effect?to={two.spring.ref}").text
    for to in ("", "ZZZZZZZZZZ", two.cohort.ref):
        assert ada.get(f"{two.at}/move/effect?to={to}").text.strip() == ""
    for who in OTHERS:
        assert client_for(who).get(f"{two.at}/move/effect?to={two.spring.ref}").status_code == 404


def test_moving_asks_again_when_others_would_gain(client_for, post, two):
    ada = client_for("ada")
    asked = post(ada, f"{two.at}/move", {"to": two.spring.ref})
    shown = next(one for one in forms(asked.text) if "to" in one.values).values
    CohortGroup.create(cohort=two.spring, group=group("More", [two.sam]), attached_by=two.ada)
    again = post(ada, f"{two.at}/move", shown)
    assert again.status_code == 422 and "has changed in the meantime" in text_of(again) and "Sam Swift" in text_of(again)
    assert members(two.cohort) == {two.ann.id}


def test_somebody_excluded_from_the_student_gains_nothing_and_is_not_named(two):
    exclusion(two.oli, two.ada, student=two.ann)
    assert queries.changed_by_moving(two.ada, two.ann, two.cohort, two.spring)[0] == []


def test_moving_to_where_the_student_is_already_only_leaves(two):
    CohortStudent.create(cohort=two.spring, student=two.ann, added_by=two.ada)
    gained, _ = queries.changed_by_moving(two.ada, two.ann, two.cohort, two.spring)
    assert gained == []
    actions.move_student(two.cohort, two.ann, two.spring, confirmed=confirmation_of(gained), actor=two.ada)
    assert not members(two.cohort) and members(two.spring) == {two.ann.id}


def test_what_can_not_be_moved(two):
    def refused(student, to):
        with pytest.raises(actions.Refused) as found:
            actions.move_student(two.cohort, student, to, confirmed="", actor=two.ada)
        return found.value.sentence

    archived = cohort("First years", "Old", archived=True)
    assert "archived" in refused(two.ann, archived) and "already" in refused(two.ann, two.cohort)
    Student.update(is_active=False).where(Student.id == two.ann.id).execute()
    assert "has left the school" in refused(Student.get_by_id(two.ann.id), two.spring)
    assert members(two.cohort) == {two.ann.id}


def test_the_actions_refuse_by_themselves(two):
    for who in (two.oli, two.kay, two.mo, two.rae, two.stu):
        with pytest.raises((Denied, NotVisible)):
            actions.remove_student(two.cohort, two.ann, actor=who)
        with pytest.raises((Denied, NotVisible)):
            actions.move_student(two.cohort, two.ann, two.spring, confirmed="", actor=who)
    exclusion(two.ada, account(role="admin"), student=two.ann)
    with pytest.raises(NotVisible):
        actions.remove_student(two.cohort, two.ann, actor=two.ada)
    with pytest.raises(NotVisible):
        actions.move_student(two.cohort, two.ann, two.spring, confirmed="", actor=two.ada)
    assert members(two.cohort) == {two.ann.id}
