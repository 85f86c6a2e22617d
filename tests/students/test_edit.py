"""Adding and changing students and their contacts; leaving and returning."""

import pytest

import permissions
from blueprints.students import actions, queries
from models import Conflict, Event, Student, StudentContact
from tests import factories
from tests.web import text_of

NEW = {
    "first_name": "Zoë",
    "last_name": "O’Brien",
    "year_group": "7",
    "tutor_group": "7A",
    "email": "Zoe@School.example.org",
    "date_of_birth": "30/09/2012",
    "admission_number": "N1",
    "upn": "U1",
    "address": "1 High Street",
}


def stored(row):
    return Student.get_by_id(row.id)


def test_adding(cast, client_for, post):
    answer = post(client_for("kay"), "/students/new", NEW)
    row = Student.get(Student.admission_number == "N1")
    assert answer.status_code == 303 and answer.location.endswith(f"/students/{row.ref}")
    assert (row.email, row.email_folded) == ("Zoe@School.example.org", "zoe@school.example.org")
    assert row.sort_name == "obrien zoe"
    assert row.date_of_birth.isoformat() == "2012-09-30"
    assert queries.suggest(cast.oli, "zoe ob")[0]["ref"] == row.ref
    assert Event.get(Event.verb == "student.added").target == row.ref


@pytest.mark.parametrize(
    ("change", "sentence"),
    [({"first_name": " "}, "Give the first name."), ({"last_name": ""}, "Give the last name."),
     ({"email": "not an address"}, "is not an email address"), ({"date_of_birth": "31/02/2012"}, "is not a date"),
     ({"date_of_birth": "2090-01-01"}, "can&#39;t be in the future"), ({"first_name": "x" * 101}, "at most 100"),
     ({"address": "x" * 1001}, "at most 1,000")],
)  # fmt: skip
def test_what_can_not_be_taken_is_said_at_the_field_and_kept(cast, client_for, post, change, sentence):
    answer = post(client_for("kay"), "/students/new", NEW | change)
    assert answer.status_code == 422
    assert sentence in answer.text and 'aria-invalid="true"' in answer.text
    assert "1 High Street" in answer.text or "address" in change
    assert not Student.select().where(Student.upn == "U1").exists()


@pytest.mark.parametrize("name", ["email", "admission_number", "upn"])
def test_what_another_student_has_is_refused_with_its_name(cast, client_for, post, name):
    post(client_for("kay"), "/students/new", NEW)
    second = {"first_name": "Another", "last_name": "One", name: NEW[name].upper() if name == "email" else NEW[name]}
    answer = post(client_for("kay"), "/students/new", second)
    assert answer.status_code == 422
    assert "Another student has this" in answer.text
    assert Student.select().where(Student.last_name == "One").count() == 0


def test_the_sentence_about_a_taken_number_is_the_same_for_a_closed_student(cast, client_for, post):
    data = NEW | {"admission_number": cast.student.admission_number}
    before = post(client_for("kay"), "/students/new", data)
    factories.exclusion(cast.kay, cast.ada, student=cast.student)
    after = post(client_for("kay"), "/students/new", data)
    assert text_of(before) == text_of(after)


def test_editing_saves_and_records_which_fields(cast, client_for, post):
    ref = cast.student.ref
    answer = post(client_for("kay"), f"/students/{ref}/edit", {"tutor_group": "9C", "first_name": "Stuart"})
    assert answer.status_code == 303
    row = stored(cast.student)
    assert (row.tutor_group, row.first_name, row.version) == ("9C", "Stuart", 2)
    assert row.email == "stu@school.example.org"
    assert queries.suggest(cast.oli, "stuart sturgeon")
    event = Event.get(Event.verb == "student.changed")
    assert event.target == ref and '["first_name", "tutor_group"]' in event.data and "Stuart" not in event.data
    assert "<label for=\"tutor_group\">Tutor group</label>" in client_for("kay").get(f"/students/{ref}/edit").text


def test_the_second_editor_sees_both_versions_and_loses_nothing(cast, client_for, post):
    address = f"/students/{cast.student.ref}/edit"
    actions.change_student(cast.student, {"tutor_group": "9D"}, version=1, actor=cast.ken)
    answer = post(client_for("kay"), address, {"tutor_group": "9E", "address": "My new address", "version": "1"})
    assert answer.status_code == 409
    text = text_of(answer)
    assert "9E" in text and "9D" in text and "My new address" in answer.text
    assert stored(cast.student).tutor_group == "9D"
    again = post(client_for("kay"), address, {"tutor_group": "9E"})
    assert again.status_code == 303 and stored(cast.student).tutor_group == "9E"


def test_saving_over_a_conflict_from_its_own_page(cast, client_for):
    from tests.web import filled_in

    kay, address = client_for("kay"), f"/students/{cast.student.ref}/edit"
    body = filled_in(kay.get(address), address, {"tutor_group": "9E"})
    actions.change_student(cast.student, {"tutor_group": "9D"}, version=1, actor=cast.ken)
    conflict = kay.post(address, data=body)
    assert conflict.status_code == 409
    final = kay.post(address, data=filled_in(conflict, address, {}))
    assert final.status_code == 303 and stored(cast.student).tutor_group == "9E"


def test_sent_twice_adds_once(cast, client_for):
    from tests.web import filled_in

    kay = client_for("kay")
    body = filled_in(kay.get("/students/new"), "/students/new", NEW)
    first, second = kay.post("/students/new", data=body), kay.post("/students/new", data=body)
    assert first.location == second.location
    assert Student.select().where(Student.upn == "U1").count() == 1


def test_only_those_allowed_change_anything(cast, client_for, post):
    ref = cast.student.ref
    for who in ("oli", "sam", "mo"):
        assert client_for(who).get("/students/new").status_code == 403
        assert client_for(who).get(f"/students/{ref}/edit").status_code == 403
        for tail in ("edit", "departure", "return", "contacts/new"):
            forged = post(client_for(who), f"/students/{ref}/{tail}", {"first_name": "X"}, form_url="/students")
            assert forged.status_code == 403
    for who in ("rae", "stu"):
        assert client_for(who).get(f"/students/{ref}/edit").status_code == 404
    assert stored(cast.student).version == 1
    with pytest.raises(permissions.Denied):
        actions.change_student(cast.student, {"first_name": "X"}, version=1, actor=cast.oli)
    with pytest.raises(permissions.Denied):
        actions.add_student({"first_name": "X", "last_name": "Y"}, actor=cast.sam)
    factories.exclusion(cast.kay, cast.ada, student=cast.student)
    with pytest.raises(permissions.NotVisible):
        actions.leave(cast.student, actor=cast.kay)


def test_leaving_and_returning(cast, client_for, post):
    kay, ref = client_for("kay"), cast.student.ref
    assert post(kay, f"/students/{ref}/departure", form_url=f"/students/{ref}").status_code == 303
    assert not stored(cast.student).is_active and stored(cast.student).left_at
    assert "Stu Sturgeon is marked as left." in text_of(kay.get("/students"))
    assert "No students match" in text_of(kay.get("/students?q=sturgeon"))
    assert "Sturgeon" in text_of(kay.get("/students?show=left"))
    assert post(kay, f"/students/{ref}/return", form_url=f"/students/{ref}").status_code == 303
    assert stored(cast.student).is_active and stored(cast.student).left_at is None
    verbs = [event.verb for event in Event.select().where(Event.target == ref).order_by(Event.id)]
    assert [verb for verb in verbs if verb != "student.read"] == ["student.left", "student.returned"]


def test_contacts_are_added_changed_and_taken_off_but_kept(cast, client_for, post):
    kay, home = client_for("kay"), f"/students/{cast.student.ref}"
    assert post(kay, f"{home}/contacts/new", {"name": ""}).status_code == 422
    assert post(kay, f"{home}/contacts/new", {"name": "Marta", "phone": "123", "email": "no"}).status_code == 422
    assert post(kay, f"{home}/contacts/new", {"name": "Marta", "phone": "123"}).status_code == 303
    contact = StudentContact.get()
    assert "Marta" in text_of(kay.get(home))
    assert post(kay, f"{home}/contacts/{contact.ref}", {"phone": "01632 960456"}).status_code == 303
    assert StudentContact.get().phone == "01632 960456"
    stale = post(kay, f"{home}/contacts/{contact.ref}", {"phone": "01632 960789", "version": "1"})
    assert stale.status_code == 409 and "01632 960456" in stale.text and "01632 960789" in stale.text
    assert post(kay, f"{home}/contacts/{contact.ref}/removal", form_url=home).status_code == 303
    assert "Marta" not in text_of(kay.get(home)).replace("The contact", "")
    assert StudentContact.get().removed_by_id == cast.kay.id
    assert kay.get(f"{home}/contacts/{contact.ref}").status_code == 404
    ways = [event.data for event in Event.select().where(Event.verb == "student.contact_changed").order_by(Event.id)]
    assert len(ways) == 3 and not any("Marta" in data or "960456" in data for data in ways)


def test_a_contact_of_another_student_is_not_there(cast, client_for):
    other = factories.student()
    contact = StudentContact.create(student=other, name="Marta")
    assert client_for("kay").get(f"/students/{cast.student.ref}/contacts/{contact.ref}").status_code == 404


def test_a_race_for_the_same_number_is_told(cast, monkeypatch):
    """The check passes for both, the table refuses the second."""
    monkeypatch.setattr(actions, "_refuse_taken", lambda *given: None)
    values = {"first_name": "A", "last_name": "B", "admission_number": cast.student.admission_number}
    with pytest.raises(actions.Taken, match="Another student has this admission number"):
        actions.add_student(values, actor=cast.kay)


def test_two_editors_of_different_fields(cast):
    actions.change_student(cast.student, {"tutor_group": "9D"}, version=1, actor=cast.ken)
    with pytest.raises(Conflict):
        actions.change_student(cast.student, {"year_group": "10"}, version=1, actor=cast.kay)
    # the same text as is stored: nothing to lose
    actions.change_student(cast.student, {"tutor_group": "9D"}, version=1, actor=cast.kay)
