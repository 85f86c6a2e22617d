"""Opening a case: from the form, from a student's page, from an incident with one click; and what is refused."""

import re

import pytest

import permissions
from blueprints.account import actions as account_actions
from blueprints.account import queries as accounts
from blueprints.cases import actions
from extensions import clock
from models import Case, CaseIncident, CasePresenting, CaseType, Event, IncidentStudent, Notification
from tests import factories
from tests.web import forms, text_of


@pytest.fixture
def kind(app):
    return CaseType.get(CaseType.name == "Attendance")


@pytest.fixture
def incident(cast):
    return factories.incident(cast.sam, [cast.student], text="Pushed against the lockers.")


def given(cast, kind, **more):
    return {"student_ref": [cast.student.ref], "title": "Support plan", "case_type": kind.ref, **more}


def newest():
    return Case.select().order_by(Case.id.desc()).first()


def open_one(actor, **fields):
    first = CaseType.get(CaseType.name == "Wellbeing").id
    return actions.open_case(actor=actor, **{"title": "A plan", "case_type": first, **fields})


# --- Rules -----------------------------------------------------------------------------------------------------------


def test_a_case_is_opened_with_its_event(cast, kind):
    case = open_one(cast.kay, student=cast.student, case_type=kind.id)
    assert re.fullmatch(r"C-[0-9A-HJKMNP-TV-Z]{6}", case.ref)
    row = Case.get_by_id(case.id)
    assert (row.status, row.opened_by_id, row.student_id, row.case_type_id) == ("Open", cast.kay.id, cast.student.id, kind.id)
    assert row.opened_at == row.last_activity_at
    event = Event.get(Event.verb == "case.opened")
    assert (event.target, event.actor_id) == (case.ref, cast.kay.id)
    assert event.data == f'{{"case_type": "{kind.ref}", "student": "{cast.student.ref}"}}'
    assert permissions.case_reasons(cast.kay, case) == ["opened_it"]
    assert CasePresenting.select().count() == 0


def test_only_key_users_and_admins_open_cases(cast):
    for who in ("sam", "gil", "mo", "oli"):
        with pytest.raises(permissions.Denied):
            open_one(getattr(cast, who), student=cast.student)
    for who in ("rae", "stu"):
        with pytest.raises(permissions.NotVisible):
            open_one(getattr(cast, who), student=cast.student)
    assert Case.select().count() == 0


def test_a_student_who_is_closed_to_the_actor_is_not_there(cast):
    factories.exclusion(cast.kay, cast.ada, student=cast.student)
    with pytest.raises(permissions.NotVisible):
        open_one(cast.kay, student=cast.student)


def test_a_retired_type_is_refused_where_it_is_saved_too(cast, kind):
    CaseType.update(is_retired=True).where(CaseType.id == kind.id).execute()
    for wrong in (kind.id, -1):
        with pytest.raises(actions.Refused, match="can't be chosen any more"):
            open_one(cast.kay, student=cast.student, case_type=wrong)


def test_an_incident_is_linked_only_by_who_sees_it_and_this_students_part(cast, incident):
    secret = factories.category("Disclosure", need_to_know=[cast.counselling])
    bea = factories.student("Bea", "Finch")
    both = factories.incident(cast.sam, [(cast.student, [secret]), (bea, [])])
    hidden = factories.incident(cast.sam, [(cast.student, [secret])])
    with pytest.raises(permissions.NotVisible):
        open_one(cast.kay, student=cast.student, incident=hidden)
    for student in (cast.student, factories.student()):
        with pytest.raises(actions.Refused, match="who has a part"):
            open_one(cast.kay, student=student, incident=both)
    assert Case.select().count() == 0
    case = open_one(cast.kay, student=bea, incident=both)
    assert CaseIncident.get().incident_id == both.id
    event = Event.get(Event.verb == "case.incident_linked")
    assert (event.target, event.data) == (case.ref, f'{{"incident": "{both.ref}"}}')


def test_references_are_given_once(cast, monkeypatch):
    taken = factories.case(cast.student).ref
    refs = iter([taken, taken, "C-AAAAAA"])
    monkeypatch.setattr("blueprints.cases.actions.opening.new_ref", lambda *_: next(refs))
    assert open_one(cast.kay, student=cast.student).ref == "C-AAAAAA"


# --- The form --------------------------------------------------------------------------------------------------------


def test_the_form_opens_a_case(cast, kind, client_for, post):
    page = client_for("kay").get("/cases/new").text
    for label in (">Title<", ">Case type<", ">Referral date<", ">Source<", ">Concern<", ">Narrative<", ">Open case<"):
        assert label in page
    answer = post(client_for("kay"), "/cases/new", given(cast, kind))
    case = newest()
    assert (answer.status_code, answer.location) == (303, f"/cases/{case.ref}")
    assert (case.title, case.case_type_id, case.opened_by_id) == ("Support plan", kind.id, cast.kay.id)
    words = text_of(client_for("kay").get(answer.location))
    assert "Support plan" in words and case.ref in words and "Stu Sturgeon" in words


def test_presenting_information_is_saved_with_it(cast, kind, client_for, post):
    more = {"referral_date": "2026-01-15", "source": "Form tutor", "concern": "Often tired.", "narrative": "Since\nautumn."}
    post(client_for("kay"), "/cases/new", given(cast, kind, **more))
    row = CasePresenting.get()
    assert (row.number, row.source, row.concern, row.narrative) == (1, "Form tutor", "Often tired.", "Since\nautumn.")
    assert (str(row.referral_date), row.author_id, row.case_id) == ("2026-01-15", cast.kay.id, newest().id)
    assert Event.get(Event.verb == "case.presenting_saved").data == '{"number": 1}'


def test_a_students_page_leads_to_a_form_about_them(cast, client_for):
    page = client_for("kay").get(f"/cases/new?student={cast.student.ref}").text
    (form,) = [form for form in forms(page) if "title" in form.controls]
    assert form.values["student_ref"] == [cast.student.ref]


def test_only_active_types_are_offered(cast, kind, client_for):
    CaseType.update(is_retired=True).where(CaseType.id == kind.id).execute()
    page = client_for("kay").get("/cases/new").text
    assert "Attendance" not in page and "Wellbeing" in page


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"title": "  "}, "Title: Give the case a title."),
        ({"title": "x" * 201}, "Title: This is 201 characters long. It can be at most 200."),
        ({"case_type": ""}, "Case type: Choose a case type."),
        ({"case_type": "ZZZZZZZZZZ"}, "Case type: This case type can't be chosen. Choose one from the list."),
        ({"student_ref": None}, "Student: Say which student this case is about."),
        ({"student_ref": ["ZZZZZZZZZZ"]}, "Student: Somebody you chose is not known. Choose again."),
        ({"student_ref": ["\0", "x" * 999]}, "Student: Somebody you chose is not known. Choose again."),
        ({"student_ref": None, "student": "Nobody Known"}, "No student called “Nobody Known” is known."),
        ({"referral_date": "2090-01-01"}, "Referral date: This day is in the future."),
        ({"referral_date": "yesterday"}, "Referral date: "),
        ({"source": "x" * 201}, "Source: This is 201 characters long."),
    ],
)
def test_bad_input_is_refused_with_a_sentence_and_kept(cast, kind, client_for, post, change, sentence):
    answer = post(client_for("kay"), "/cases/new", given(cast, kind, concern="Keep this.") | change)
    assert answer.status_code == 422
    assert sentence in text_of(answer).replace("’", "'") and 'aria-invalid="true"' in answer.text
    assert "Keep this." in answer.text
    assert Case.select().count() == 0


def test_a_retired_type_is_refused(cast, kind, client_for, post):
    CaseType.update(is_retired=True).where(CaseType.id == kind.id).execute()
    answer = post(client_for("kay"), "/cases/new", given(cast, kind))
    assert answer.status_code == 422 and "This case type can" in text_of(answer)


def test_a_case_is_about_one_student(cast, kind, client_for, post):
    bea = factories.student("Bea", "Finch")
    answer = post(client_for("kay"), "/cases/new", given(cast, kind) | {"student_ref": [cast.student.ref, bea.ref]})
    assert answer.status_code == 422 and "A case is about one student. Choose one." in text_of(answer)
    assert "Stu Sturgeon" in answer.text and "Bea Finch" in answer.text


def test_a_name_that_was_typed_is_enough(cast, kind, client_for, post):
    post(client_for("kay"), "/cases/new", given(cast, kind) | {"student_ref": None, "student": "stu sturgeon"})
    assert newest().student_id == cast.student.id


def test_a_name_that_several_share_is_asked_about(cast, kind, client_for, post):
    factories.student("Stu", "Sturgeon")
    kay = client_for("kay")
    typed = given(cast, kind) | {"student_ref": None, "student": "Stu Sturgeon"}
    answer = post(kay, "/cases/new", typed)
    assert answer.status_code == 422 and "Several students match" in text_of(answer) and "Who do you mean?" in answer.text
    chosen = typed | {"student_choice": [cast.student.ref], "student_asked": "Stu Sturgeon"}
    post(kay, "/cases/new", chosen)
    assert newest().student_id == cast.student.id


def test_an_excluded_student_is_as_unknown_as_a_missing_one(cast, kind, client_for, post):
    factories.exclusion(cast.kay, cast.ada, student=cast.student)
    kay = client_for("kay")
    theirs = post(kay, "/cases/new", given(cast, kind))
    missing = post(kay, "/cases/new", given(cast, kind) | {"student_ref": ["ZZZZZZZZZZ"]})
    assert theirs.status_code == missing.status_code == 422
    assert text_of(theirs) == text_of(missing)
    assert kay.get(f"/cases/new?student={cast.student.ref}").status_code == 404
    assert kay.get("/cases/new?student=ZZZZZZZZZZ").status_code == 404
    assert kay.get("/cases/new?student=%00").status_code == 200


def test_who_may_open_the_form(cast, kind, client_for, post):
    for who in ("sam", "gil", "mo", "oli"):
        assert client_for(who).get("/cases/new").status_code == 403
        assert post(client_for(who), "/cases/new", given(cast, kind), form_url="/").status_code == 403
    for who in ("rae", "stu"):
        assert client_for(who).get("/cases/new").status_code == 404
    assert Case.select().count() == 0


def test_sending_it_twice_opens_one(cast, kind, client_for, post):
    kay = client_for("kay")
    data = given(cast, kind, once="same-key-twice")
    first, second = post(kay, "/cases/new", data), post(kay, "/cases/new", data)
    assert first.location == second.location and Case.select().count() == 1


# --- Drafts ----------------------------------------------------------------------------------------------------------


def test_what_was_typed_comes_back(cast, kind, client_for, post):
    kay = client_for("kay")
    (form,) = [form for form in forms(kay.get("/cases/new").text) if "title" in form.controls]
    typed = {"student_ref": [cast.student.ref], "title": ["Half typed"], "concern": ["Not lost"]}
    account_actions.save_draft("case-new", typed, actor=cast.kay, once=form.values["once"][0])
    page = kay.get("/cases/new")
    assert "Half typed" in page.text and "Not lost" in page.text and "Stu Sturgeon" in page.text
    assert "Half typed" not in kay.get(f"/cases/new?student={cast.student.ref}").text
    assert "Half typed" not in client_for("ada").get("/cases/new").text
    post(kay, "/cases/new", given(cast, kind))
    assert accounts.draft(cast.kay, "case-new") is None


def test_a_draft_can_be_discarded(cast, incident, client_for, post):
    kay, address = client_for("kay"), f"/cases/new?incident={incident.ref}&student={cast.student.ref}"
    key = re.search(r'data-draft="([^"]+)"', kay.get(address).text)[1]
    assert re.fullmatch(r"[a-z0-9:-]{1,80}", key)
    account_actions.save_draft(key, {"title": ["Half typed"]}, actor=cast.kay)
    assert "Half typed" in kay.get(address).text
    answer = post(kay, f"/cases/new/draft-removal?incident={incident.ref}&student={cast.student.ref}", {}, form_url=address)
    assert (answer.status_code, answer.location) == (303, address)
    assert "Half typed" not in kay.get(address).text


# --- From an incident ------------------------------------------------------------------------------------------------


def test_an_incident_becomes_a_case_with_one_click(cast, incident, client_for, post):
    kay = client_for("kay")
    answer = post(kay, f"/incidents/{incident.ref}/case", {}, form_url=f"/incidents/{incident.ref}")
    case = newest()
    assert (answer.status_code, answer.location) == (303, f"/cases/{case.ref}")
    first = CaseType.select().order_by(CaseType.position, CaseType.name).first()
    assert (case.title, case.student_id, case.opened_by_id) == (first.name, cast.student.id, cast.kay.id)
    assert case.case_type_id == first.id
    assert CaseIncident.get().incident_id == incident.id
    assert CasePresenting.select().count() == 0
    assert "lockers" not in kay.get(answer.location).text


def test_with_several_students_the_reader_says_who_it_is_about(cast, incident, kind, client_for, post):
    bea = factories.student("Bea", "Finch")
    IncidentStudent.create(incident=incident, student=bea, role="witness")
    kay = client_for("kay")
    answer = post(kay, f"/incidents/{incident.ref}/case", {}, form_url=f"/incidents/{incident.ref}")
    assert (answer.status_code, answer.location) == (303, f"/cases/new?incident={incident.ref}")
    assert Case.select().count() == 0
    page = kay.get(answer.location).text
    address = f"/cases/new?incident={incident.ref}&student={bea.ref}"
    assert f'href="{address.replace("&", "&amp;")}"' in page
    assert post(kay, address, {"title": "About Bea"}).status_code == 303
    assert (newest().student_id, newest().title, CaseIncident.get().incident_id) == (bea.id, "About Bea", incident.id)
    stranger = factories.student("Cy", "Coot")
    answer = post(kay, address, given(cast, kind) | {"student_ref": [stranger.ref]})
    assert answer.status_code == 422 and "Choose somebody who has a part in the incident" in text_of(answer)


def test_parts_that_are_closed_to_the_reader_do_not_count(cast, incident, client_for, post):
    secret = factories.category("Disclosure", need_to_know=[cast.counselling])
    both = factories.incident(cast.sam, [(cast.student, [secret]), (factories.student("Bea", "Finch"), [])])
    kay = client_for("kay")
    post(kay, f"/incidents/{both.ref}/case", {}, form_url=f"/incidents/{both.ref}")
    assert newest().student.first_name == "Bea"
    assert "Sturgeon" not in kay.get(f"/cases/new?incident={both.ref}").text


def test_who_may_open_one_from_an_incident(cast, incident, client_for, post):
    def answer(who):
        return post(client_for(who), f"/incidents/{incident.ref}/case", {}, form_url="/").status_code

    assert answer("sam") == 403
    assert [answer(who) for who in ("oli", "gil", "mo", "rae", "stu")] == [404] * 5
    factories.exclusion(cast.kay, cast.ada, incident=incident)
    assert answer("kay") == 404
    missing = post(client_for("kay"), "/incidents/I-ZZZZZZ/case", {}, form_url="/")
    assert missing.status_code == client_for("kay").get(f"/cases/new?incident={incident.ref}").status_code == 404
    assert Case.select().count() == 0
    assert "Open case" not in client_for("sam").get(f"/incidents/{incident.ref}").text


def test_without_an_active_type_the_form_says_so(cast, incident, client_for, post):
    CaseType.update(is_retired=True).execute()
    kay = client_for("kay")
    answer = post(kay, f"/incidents/{incident.ref}/case", {}, form_url=f"/incidents/{incident.ref}")
    assert answer.location == f"/cases/new?incident={incident.ref}"
    answer = post(kay, "/cases/new", {"student_ref": [cast.student.ref], "title": "A plan"})
    assert answer.status_code == 422 and "Choose a case type." in text_of(answer)


def test_an_incidents_page_lists_the_cases_its_reader_sees(cast, incident, client_for):
    mine = factories.case(cast.student, opened_by=cast.kay, title="Seen by Kay", incidents=[incident])
    theirs = factories.case(cast.student, opened_by=cast.ken, title="Seen by Ken", incidents=[incident])
    page = client_for("kay").get(f"/incidents/{incident.ref}").text
    assert f'href="/cases/{mine.ref}"' in page and "Seen by Kay" in page
    assert theirs.ref not in page and "Seen by Ken" not in page
    sam = client_for("sam").get(f"/incidents/{incident.ref}").text
    assert "Seen by" not in sam and 'id="cases"' not in sam


def test_an_incidents_page_costs_no_more(cast, incident, client_for, count_queries):
    for _ in range(12):
        factories.case(cast.student, opened_by=cast.kay, incidents=[incident])
    kay = client_for("kay")
    kay.get("/incidents")
    with count_queries(most=10):
        kay.get(f"/incidents/{incident.ref}")


def test_nobody_is_told_of_a_case_that_has_just_been_opened(cast, incident):
    open_one(cast.kay, student=cast.student, incident=incident)
    assert Notification.select().count() == 0


# --- Title and type --------------------------------------------------------------------------------------------------


@pytest.fixture
def case(cast):
    return factories.case(cast.student, opened_by=cast.kay, title="Support plan", staff=[cast.sam])


def test_title_and_type_can_be_changed(case, kind, client_for, post):
    answer = post(client_for("kay"), f"/cases/{case.ref}/edit", {"title": "Better words", "case_type": kind.ref})
    assert (answer.status_code, answer.location) == (303, f"/cases/{case.ref}")
    row = Case.get_by_id(case.id)
    assert (row.title, row.case_type_id, row.version) == ("Better words", kind.id, 2)
    assert Event.get(Event.verb == "case.changed").data == '{"fields": ["case_type", "title"]}'


def test_a_type_retired_meanwhile_stays_where_it_is(case, kind, client_for, post):
    CaseType.update(is_retired=True).where(CaseType.name.in_(["Wellbeing", "Attendance"])).execute()
    page = client_for("kay").get(f"/cases/{case.ref}/edit").text
    assert "Wellbeing" in page and "Attendance" not in page
    assert post(client_for("kay"), f"/cases/{case.ref}/edit", {"title": "New"}).status_code == 303
    answer = post(client_for("kay"), f"/cases/{case.ref}/edit", {"case_type": kind.ref})
    assert answer.status_code == 422


@pytest.mark.parametrize("title", ["", "x" * 201])
def test_a_bad_title_is_refused(case, client_for, post, title):
    assert post(client_for("kay"), f"/cases/{case.ref}/edit", {"title": title}).status_code == 422
    assert Case.get_by_id(case.id).title == "Support plan"


def test_two_changes_at_once_are_both_shown(case, client_for, post):
    answer = post(client_for("ada"), f"/cases/{case.ref}/edit", {"title": "Theirs"})
    answer = post(client_for("kay"), f"/cases/{case.ref}/edit", {"title": "Mine", "version": "1"})
    assert answer.status_code == 409
    assert "Theirs" in answer.text and 'value="Mine"' in answer.text and 'name="version" type="hidden" value="2"' in answer.text
    assert Case.get_by_id(case.id).title == "Theirs"


def test_who_may_change_it(case, cast, client_for, post):
    address = f"/cases/{case.ref}/edit"
    assert client_for("sam").get(address).status_code == 403
    assert post(client_for("sam"), address, {"title": "x", "version": "1"}, form_url="/").status_code == 403
    for who in ("oli", "ken", "rae", "stu"):
        assert client_for(who).get(address).status_code == 404
        assert post(client_for(who), address, {"title": "x", "version": "1"}, form_url="/").status_code == 404
    Case.update(status="Closed").execute()
    answer = post(client_for("kay"), address, {"title": "Anything"})
    assert answer.status_code == 422 and "This case is closed" in text_of(answer)
    assert Case.get_by_id(case.id).title == "Support plan"


def test_saving_it_unchanged_changes_nothing(case, client_for, post):
    before = clock.now()
    assert post(client_for("kay"), f"/cases/{case.ref}/edit", {}).status_code == 303
    row = Case.get_by_id(case.id)
    assert row.version == 1 and row.last_activity_at < before
    assert Event.select().where(Event.verb == "case.changed").count() == 0
