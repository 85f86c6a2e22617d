"""One student's page: what each role is shown, and nothing at all to whom the student is closed."""

import pytest

from blueprints.students import queries
from models import Event, GroupMember, Student, StudentContact
from permissions import NotVisible
from tests import factories
from tests.web import text_of


@pytest.fixture
def secret(cast):
    row = cast.student
    details = {"date_of_birth": "2012-03-04", "address": "12 Secret Lane", "upn": "UPN-SECRET"}
    Student.update(**details).where(Student.id == row.id).execute()
    StudentContact.create(student=row, name="Marta Sturgeon", phone="01234 567890", relationship="Mother")
    return row


def test_key_users_read_everything(secret, cast, client_for):
    for who in ("kay", "ada"):
        text = text_of(client_for(who).get(f"/students/{secret.ref}"))
        for part in ("Stu Sturgeon", "4 Mar 2012", "12 Secret Lane", "UPN-SECRET", secret.admission_number,
                     "Marta Sturgeon", "01234 567890", "stu@school.example.org", "9B", "Edit"):  # fmt: skip
            assert part in text


def test_other_staff_read_name_year_and_tutor_group(secret, cast, client_for):
    for who in ("oli", "sam", "gil", "mo"):
        page = client_for(who).get(f"/students/{secret.ref}")
        text = text_of(page)
        assert page.status_code == 200
        assert "Stu Sturgeon" in text and "9B" in text and "are shown to Key Users" in text
        for part in ("Mar 2012", "2012-03-04", "Secret", secret.admission_number, "Marta", "stu@school", "Edit"):
            assert part not in page.text


def test_what_may_not_be_read_is_not_even_fetched(secret, cast):
    row = queries.student(cast.oli, secret.ref)
    assert row.name == "Stu Sturgeon"
    assert (row.date_of_birth, row.email, row.address, row.upn, row.admission_number) == (None,) * 5
    assert queries.contacts(cast.oli, row) == []
    whole = queries.student(cast.oli, secret.ref, whole=True)
    assert (whole.shows_details, whole.date_of_birth, whole.address) == (False, None, None)
    assert queries.pick(cast.oli, [secret.ref])[0].email is None


DETAILS = ("4 Mar 2012", "12 Secret Lane", "UPN-SECRET", "Marta Sturgeon", "01234 567890", "stu@school.example.org")


def test_being_on_a_case_about_the_student_shows_the_details(secret, cast, client_for):
    case = factories.case(secret, opened_by=cast.kay, staff=[cast.sam], groups=[cast.counselling])
    factories.case(factories.student(), opened_by=cast.kay, staff=[cast.oli])
    for who in ("sam", "gil", "mo"):
        text = text_of(client_for(who).get(f"/students/{secret.ref}"))
        assert all(part in text for part in DETAILS) and "are shown to Key Users" not in text, who
        assert "Edit" not in text and "Add contact" not in text
    text = text_of(client_for("oli").get(f"/students/{secret.ref}"))
    assert not any(part in text for part in DETAILS) and "are shown to Key Users" in text
    factories.exclusion(cast.sam, cast.ada, case=case)
    text = text_of(client_for("sam").get(f"/students/{secret.ref}"))
    assert not any(part in text for part in DETAILS)


def test_the_details_end_with_the_membership(secret, cast, client_for):
    factories.case(secret, opened_by=cast.kay, groups=[cast.counselling])
    gil = client_for("gil")
    assert "12 Secret Lane" in gil.get(f"/students/{secret.ref}").text
    GroupMember.delete().where(GroupMember.account == cast.gil).execute()
    assert "12 Secret Lane" not in gil.get(f"/students/{secret.ref}").text


def test_lists_and_search_go_by_the_role_alone(secret, cast, client_for):
    factories.case(secret, opened_by=cast.kay, staff=[cast.sam])
    sam = client_for("sam")
    for address in ("/students", f"/students?q={secret.admission_number}", "/students/export.csv"):
        page = sam.get(address, buffered=True).get_data(as_text=True)
        assert "stu@school" not in page and f">{secret.admission_number}<" not in page, address
    assert "Sturgeon" not in sam.get(f"/students?q={secret.admission_number}").text


def test_tabs_are_links(cast, client_for):
    ref = cast.student.ref
    page = client_for("oli").get(f"/students/{ref}").text
    assert f'<a href="/students/{ref}" aria-current="page">Overview' in page
    assert f'<a href="/students/{ref}/incidents">Incidents' in page
    assert "Conflicts of interest" not in page
    labels = [label for label, *_ in queries.tabs(cast.ada, cast.student)]
    assert labels == [
        "Overview", "Incidents", "Case", "Timeline", "Tasks", "Meetings", "Plans", "Files", "Conflicts of interest",
    ]  # fmt: skip


def test_missing_and_excluded_are_the_same_answer(cast, client_for):
    factories.exclusion(cast.kay, cast.ada, student=cast.student)
    for method, tail in (("get", ""), ("get", "/edit"), ("post", "/departure"), ("post", "/return"),
                         ("get", "/contacts/new")):  # fmt: skip
        client = client_for("kay")
        token = {"data": {"csrf_token": csrf(client)}} if method == "post" else {}
        theirs = getattr(client, method)(f"/students/{cast.student.ref}{tail}", **token)
        missing = getattr(client, method)(f"/students/ZZZZZZZZZZ{tail}", **token)
        assert theirs.status_code == missing.status_code == 404
        assert text_of(theirs) == text_of(missing)
    assert "Sturgeon" not in client_for("kay").get("/students").text
    with pytest.raises(NotVisible):
        queries.student(cast.kay, cast.student.ref)


def csrf(client):
    from tests.web import forms

    return next(form.values["csrf_token"][0] for form in forms(client.get("/students")) if "csrf_token" in form.values)


def test_the_read_is_audited_with_the_reason(cast, client_for):
    client_for("oli").get(f"/students/{cast.student.ref}")
    event = Event.get(Event.verb == "student.read")
    assert (event.target, event.actor_id, event.reasons) == (cast.student.ref, cast.oli.id, "staff")


def test_a_denied_read_is_audited(cast, client_for):
    factories.exclusion(cast.oli, cast.ada, student=cast.student)
    client_for("oli").get(f"/students/{cast.student.ref}")
    assert Event.select().where(Event.verb == "student.read").count() == 0
    assert Event.get(Event.verb == "access.denied").actor_id == cast.oli.id


def test_the_page_takes_few_queries(secret, cast, client_for, count_queries):
    factories.case(secret, opened_by=cast.kay, staff=[cast.sam])
    for who in ("kay", "sam", "oli"):
        client = client_for(who)
        client.get("/students")
        with count_queries(most=9):
            client.get(f"/students/{secret.ref}")


def test_hostile_names_are_text(cast, client_for):
    row = factories.student("<script>alert(1)</script>", "\"><img src=x>", year_group="<b>")
    for address in ("/students?q=script", f"/students/{row.ref}", f"/students/{row.ref}/edit"):
        page = client_for("kay").get(address).text
        assert "<script>alert" not in page and "<img src=x" not in page
