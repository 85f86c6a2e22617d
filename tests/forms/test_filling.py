"""Filling in a form: what is asked of whom, what is kept, what is refused, and what comes of it."""

import io
import json

import pytest

import permissions
from blueprints.forms import actions
from extensions import clock
from models import (
    Case,
    CaseRecord,
    Draft,
    Event,
    Form,
    FormResponse,
    FormVersion,
    School,
    StoredFile,
    Trigger,
)
from tests import factories
from tests.web import forms, text_of

FIELDS = [
    {"key": "f1", "type": "text", "label": "Subject", "help": "In a few words.", "required": True},
    {"key": "f2", "type": "long_text", "label": "What happened"},
    {"key": "f3", "type": "number", "label": "How often"},
    {"key": "f4", "type": "date", "label": "Since"},
    {"key": "f5", "type": "one_of", "label": "Where", "options": ["Home", "School"]},
    {"key": "f6", "type": "several_of", "label": "Signs", "options": ["Tired", "Sad", "Late"]},
    {"key": "f7", "type": "scale", "label": "How worried", "from": 1, "to": 5},
    {"key": "f8", "type": "yes_no", "label": "Told the parents"},
    {"key": "f9", "type": "person", "label": "Who knows"},
    {"key": "f10", "type": "student", "label": "Friend"},
    {"key": "f11", "type": "file", "label": "Papers"},
    {"key": "f12", "type": "heading", "label": "At the end"},
    {"key": "f13", "type": "text", "label": "What they said", "required": True, "only_if": {"field": "f8", "is": "yes"}},
]


@pytest.fixture
def form(cast):
    return factories.form("Worry", cast.ada, FIELDS, for_students=True)


def new(form, student=None):
    return f"/forms/{form.ref}/responses/new" + (f"?student={student.ref}" if student else "")


def answers():
    return json.loads(FormResponse.get().answers)


# --- Who ---------------------------------------------------------------------------------------------------------------


def test_who_is_asked(cast, client_for, form):
    outside = factories.form("Referral", cast.ada, FIELDS, for_staff=False, for_referral_users=True)
    unpublished = factories.form("Later", cast.ada, FIELDS, published=False)
    for who in ("ada", "kay", "gil", "mo", "sam", "oli"):
        assert client_for(who).get(new(form)).status_code == 200, who
        assert client_for(who).get(new(outside)).status_code == 404, who
    for who, status in (("rae", 200), ("stu", 404)):
        assert client_for(who).get(new(outside)).status_code == status
    assert client_for("rae").get(new(form)).status_code == 404
    assert client_for("stu").get(new(form)).status_code == 404, "while students see nothing"
    School.update(student_visibility_at=clock.now()).execute()
    assert client_for("stu").get(new(form)).status_code == 200
    for who in ("ada", "sam", "rae", "stu"):
        assert client_for(who).get(new(unpublished)).status_code == 404


def test_the_action_asks_too(cast, form):
    for who in ("rae", "stu"):
        with pytest.raises(permissions.NotVisible):
            actions.submit(actor=getattr(cast, who), form=form, number=1, answers={"f1": "x"}, student=cast.student)
    kept = factories.student("Bea", "Brown")
    factories.exclusion(cast.sam, cast.ada, student=kept)
    with pytest.raises(actions.Refused, match="not known"):
        actions.submit(actor=cast.sam, form=form, number=1, answers={"f1": "x"}, student=kept)
    friend = {"f1": "x", "f10": {"ref": kept.ref, "name": "Bea Brown"}}
    with pytest.raises(actions.Refused, match="not known"):
        actions.submit(actor=cast.sam, form=form, number=1, answers=friend, student=cast.student)
    assert FormResponse.select().count() == 0


# --- What is sent --------------------------------------------------------------------------------------------------------


def test_every_type_of_field(cast, client_for, post, form):
    friend = factories.student("Fay", "Friend")
    sent = {
        "student_ref": [cast.student.ref], "answer_f1": "  A word  ", "answer_f2": "Line one\nline two", "answer_f3": "2,5",
        "answer_f4": "2026-01-15", "answer_f5": "Home", "answer_f6": ["Tired", "Late"], "answer_f7": "4", "answer_f8": "yes",
        "answer_f9": cast.gil.ref, "answer_f10_ref": [friend.ref], "answer_f11": (io.BytesIO(b"Notes.\n"), "notes.txt"),
        "answer_f13": "Nothing new",
    }  # fmt: skip
    answer = post(client_for("sam"), new(form), sent)
    response = FormResponse.get()
    assert (answer.status_code, answer.location) == (303, f"/responses/{response.ref}")
    assert (response.student_id, response.author_id, response.number) == (cast.student.id, cast.sam.id, 1)
    file = StoredFile.get()
    assert (file.form_response_id, file.form_field, file.name) == (response.id, "f11", "notes.txt")
    assert answers() == {
        "f1": "A word", "f2": "Line one\nline two", "f3": 2.5, "f4": "2026-01-15", "f5": "Home", "f6": ["Tired", "Late"], "f7": 4,
        "f8": True, "f9": {"ref": cast.gil.ref, "name": "Gil Gannet"}, "f10": {"ref": friend.ref, "name": "Fay Friend"},
        "f11": [file.ref], "f13": "Nothing new",
    }  # fmt: skip
    event = Event.get(Event.verb == "response.submitted")
    assert (event.actor_id, event.target) == (cast.sam.id, response.ref)
    words = text_of(client_for("sam").get(answer.location))
    for text in ("A word", "2.5", "15 January 2026", "Home", "Tired, Late", "4", "Yes", "Gil Gannet", "Fay Friend", "notes.txt"):
        assert text in words


def test_what_is_wrong_is_said_and_what_was_typed_stays(cast, client_for, post, form):
    wrong = {"student_ref": [cast.student.ref], "answer_f2": "A long story", "answer_f3": "many", "answer_f4": "31 February",
             "answer_f6": ["Sad"], "answer_f8": "yes"}  # fmt: skip
    answer = post(client_for("sam"), new(form), wrong)
    assert answer.status_code == 422 and FormResponse.select().count() == 0
    words = text_of(answer)
    for sentence in ("Subject: Fill this in.", "How often: This is not a number.", "What they said: Fill this in."):
        assert sentence in words
    assert 'aria-invalid="true"' in answer.text and "A long story" in answer.text and "many" in answer.text
    (page,) = [one for one in forms(answer.text) if "answer_f1" in one.controls]
    assert page.values["answer_f6"] == ["Sad"] and page.values["student_ref"] == [cast.student.ref]


@pytest.mark.parametrize("name, value", [("answer_f5", "The moon"), ("answer_f6", ["Tired", "Blue"]), ("answer_f7", "9"),
                                         ("answer_f8", "maybe"), ("answer_f9", "NOBODY"), ("answer_f10_ref", ["NOBODY"]),
                                         ("student_ref", ["NOBODY"]), ("answer_f3", "1e400")])  # fmt: skip
def test_a_forged_choice_is_refused(cast, client_for, post, form, name, value):
    sent = {"student_ref": [cast.student.ref], "answer_f1": "A word"}
    answer = post(client_for("sam"), new(form), sent | {name: value})
    assert answer.status_code == 422 and FormResponse.select().count() == 0


def test_an_excluded_student_is_like_a_missing_one(cast, client_for, post, form):
    kept = factories.student("Bea", "Brown")
    factories.exclusion(cast.sam, cast.ada, student=kept)
    sam = client_for("sam")
    assert sam.get(new(form, kept)).status_code == 404
    refused = [post(sam, new(form), {"student_ref": [ref], "answer_f1": "x"}) for ref in (kept.ref, "AAAAAAAAAA")]
    assert [answer.status_code for answer in refused] == [422, 422] and "Brown" not in refused[0].text
    typed = text_of(post(sam, new(form), {"student": "Bea Brown", "student_ref": None, "answer_f1": "x"}))
    assert "No student called “Bea Brown” is known." in typed


def test_without_a_script_a_typed_name_is_enough(cast, client_for, post, form):
    post(client_for("sam"), new(form), {"student": "Stu Sturgeon", "answer_f1": "x"})
    assert FormResponse.get().student_id == cast.student.id


def test_what_was_not_asked_does_not_count(cast, client_for, post, form):
    sent = {"student_ref": [cast.student.ref], "answer_f1": "x", "answer_f8": "no", "answer_f13": "Typed before"}
    assert post(client_for("sam"), new(form), sent).status_code == 303
    assert answers() == {"f1": "x", "f8": False}


def test_a_form_about_nobody(cast, client_for, post):
    form = factories.form("Idea", cast.ada, FIELDS[:1], names_student=False)
    assert post(client_for("sam"), new(form), {"answer_f1": "More trees", "student_ref": [cast.student.ref]}).status_code == 303
    assert FormResponse.get().student_id is None


def test_a_student_writes_about_themselves(cast, client_for, post, form):
    School.update(student_visibility_at=clock.now()).execute()
    other = factories.student("Bea", "Brown")
    stu = client_for("stu")
    page = stu.get(new(form)).text
    assert "/students/suggest" not in page and "Gil Gannet" not in page, "a student is given no names"
    answer = post(stu, new(form), {"answer_f1": "I am tired", "student_ref": [other.ref], "answer_f10": "Bea"})
    assert FormResponse.get().student_id == cast.student.id and answers()["f10"] == {"ref": None, "name": "Bea"}
    words = text_of(stu.get(answer.location))
    assert "I am tired" in words and "Who can see this" not in words
    assert "Worry" in text_of(stu.get("/")) and "Worry" in text_of(stu.get("/responses"))
    School.update(student_visibility_at=None).execute()
    assert stu.get(answer.location).status_code == 404 and stu.get("/responses").status_code == 404


def test_two_hundred_fields(cast, client_for, post, count_queries):
    kinds = ["text", "long_text", "number", "date", "yes_no", "several_of", "scale", "one_of"]
    fields = [{"key": f"f{n}", "type": kinds[n % 8], "label": f"Question {n}", "options": ["A", "B"]} for n in range(200)]
    form = factories.form("Long", cast.ada, fields)
    given = {"text": "word", "long_text": "x" * 2_000, "number": "7", "date": "2026-01-15", "yes_no": "yes", "several_of": ["A"],
             "scale": "3", "one_of": "B"}  # fmt: skip
    sent = {f"answer_f{n}": given[kinds[n % 8]] for n in range(200)}
    sam = client_for("sam")
    with count_queries(most=10):
        sam.get(new(form))
    answer = post(sam, new(form), sent | {"student_ref": [cast.student.ref]})
    assert len(answers()) == 200
    with count_queries(most=11):
        assert text_of(sam.get(answer.location)).count("Question") == 200


# --- Drafts ------------------------------------------------------------------------------------------------------------


def typed(client, form, fields, student=None):
    key = f"form:{form.ref.lower()}" + (f":{student.ref.lower()}" if student else "")
    page = client.get(new(form, student)).text
    assert f'data-draft="{key}"' in page
    token = next(one for one in forms(page) if "answer_f1" in one.controls).values
    safety = {"csrf_token": token["csrf_token"], "once": token["once"]}
    assert client.post(f"/drafts/{key}", data=fields | safety).status_code == 204


def test_a_draft_survives_signing_out_a_closed_browser_and_the_end_of_the_session(cast, client_for, post, form, clock):
    sam = client_for("sam")
    given = {"answer_f1": "Half a thought", "answer_f6": ["Tired", "Sad"], "student_ref": [cast.student.ref], "answer_f8": "yes"}
    typed(sam, form, given)
    post(sam, "/account/sign-out", {}, form_url="/")
    assert sam.get(new(form)).status_code == 302, "signed out"
    another = client_for("sam")  # a new browser, a new session
    clock.freeze(clock.now())
    clock.move(hours=13)
    assert another.get(new(form)).status_code == 302, "this session has ended too"
    page = client_for("sam").get(new(form))
    (found,) = [one for one in forms(page.text) if "answer_f1" in one.controls]
    assert found.values["answer_f1"] == ["Half a thought"] and found.values["answer_f6"] == ["Tired", "Sad"]
    assert found.values["student_ref"] == [cast.student.ref] and found.values["answer_f8"] == ["yes"]
    assert "Draft from" in text_of(page)
    assert "Half a thought" not in client_for("kay").get(new(form)).text


def test_a_draft_ends_with_sending_and_with_discarding(cast, client_for, post, form):
    sam = client_for("sam")
    typed(sam, form, {"answer_f1": "Half"})
    typed(sam, form, {"answer_f1": "About Stu", "student_ref": [cast.student.ref]}, cast.student)
    post(sam, new(form, cast.student), {"answer_f1": "About Stu"})
    assert FormResponse.get().student_id == cast.student.id
    assert "Draft from" not in sam.get(new(form, cast.student)).text
    assert "Half" in sam.get(new(form)).text, "the other draft stays"
    post(sam, f"/forms/{form.ref}/responses/draft-removal", {}, form_url=new(form))
    assert "Half" not in sam.get(new(form)).text


def test_a_draft_names_nobody_who_was_closed_meanwhile(cast, client_for, form):
    sam = client_for("sam")
    typed(sam, form, {"answer_f1": "Half", "student_ref": [cast.student.ref]})
    factories.exclusion(cast.sam, cast.ada, student=cast.student)
    assert "Sturgeon" not in sam.get(new(form)).text


def test_an_old_draft_of_many_fields_fits(cast, client_for, form):
    typed(client_for("sam"), form, {"answer_f2": "x" * 200_000})
    assert Draft.select().count() == 1


# --- A form that changes -----------------------------------------------------------------------------------------------


def change(form, fields):
    FormVersion.create(form=form, number=2, fields=json.dumps(fields), published_at=clock.now())
    Form.update(published=2).where(Form.id == form.id).execute()


def test_a_form_that_was_changed_meanwhile_keeps_what_was_typed(cast, client_for, post, form):
    sam = client_for("sam")
    page = [one for one in forms(sam.get(new(form)).text) if "answer_f1" in one.controls][0].values
    change(form, [FIELDS[0], {"key": "f20", "type": "text", "label": "A new question"}])
    answer = sam.post(new(form), data=page | {"student_ref": [cast.student.ref], "answer_f1": "Kept", "answer_f2": "Not asked now"})
    assert answer.status_code == 409 and FormResponse.select().count() == 0
    words = text_of(answer)
    assert "was changed while you were filling it in" in words and "A new question" in words
    assert "Not asked now" in words and 'value="Kept"' in answer.text
    again = [one for one in forms(answer.text) if "answer_f1" in one.controls][0].values
    assert sam.post(new(form), data=again).status_code == 303
    assert FormResponse.get().number == 2 and answers() == {"f1": "Kept"}


def test_a_form_that_was_retired_meanwhile_keeps_what_was_typed(cast, client_for, form):
    sam = client_for("sam")
    page = [one for one in forms(sam.get(new(form)).text) if "answer_f1" in one.controls][0].values
    Form.update(retired_at=clock.now()).execute()
    answer = sam.post(new(form), data=page | {"student_ref": [cast.student.ref], "answer_f1": "Kept"})
    assert answer.status_code == 422 and "taken out of use" in text_of(answer) and 'value="Kept"' in answer.text
    assert sam.get(new(form)).status_code == 404 and FormResponse.select().count() == 0


@pytest.mark.parametrize("number", [None, "", "0", "²", "99999999999", "x", "-1"])
def test_a_forged_version_is_a_conflict(cast, client_for, post, form, number):
    sent = {"student_ref": [cast.student.ref], "answer_f1": "x", "number": number}
    assert post(client_for("sam"), new(form), sent).status_code == 409


# --- What comes of it --------------------------------------------------------------------------------------------------


def switch_on(**fields):
    Trigger.update(is_on=True, **fields).where((Trigger.kind == "form") & Trigger.form.is_null()).execute()
    if not Trigger.select().where(Trigger.kind == "form").exists():
        Trigger.create(kind="form", is_on=True, **fields)


def test_it_opens_a_case_and_tells_nobody_who_may_not_know(cast, client_for, post, form):
    def send():
        answer = post(client_for("sam"), new(form), {"student_ref": [cast.student.ref], "answer_f1": "x"}, follow=True)
        response = FormResponse.select().order_by(FormResponse.id.desc()).first()
        return answer.text.replace(response.ref, "R")

    without = send()
    assert Case.select().count() == 0
    switch_on()
    opened, joined = send(), send()
    assert Case.select().count() == 1 and [row.how for row in CaseRecord.select().order_by(CaseRecord.id)] == ["opened", "joined"]
    page = [masked(text) for text in (without, opened, joined)]
    assert page[0] == page[1] == page[2]


def masked(text):
    import re

    text = re.sub(r'(name="(?:csrf_token|once)"[^>]*value=")[^"]*', r"\1", text)
    return re.sub(r"<time[^>]*>[^<]*</time>", "", text)


def test_a_trigger_can_wait_for_an_answer(cast, client_for, post, form):
    switch_on()
    Trigger.create(kind="form", form=form, is_on=True, field="f8", answer="yes")
    for value in ("no", "yes"):
        sent = {"student_ref": [cast.student.ref], "answer_f1": "x", "answer_f8": value, "answer_f13": "x"}
        post(client_for("sam"), new(form), sent)
        assert Case.select().count() == (value == "yes")


def test_a_form_sent_twice_is_one_response(cast, client_for, form):
    sam = client_for("sam")
    page = [one for one in forms(sam.get(new(form)).text) if "answer_f1" in one.controls][0].values
    sent = page | {"student_ref": [cast.student.ref], "answer_f1": "x"}
    first, second = sam.post(new(form), data=sent), sam.post(new(form), data=sent)
    assert first.location == second.location and FormResponse.select().count() == 1


def test_nothing_is_left_of_a_response_that_failed(cast, form, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError

    monkeypatch.setattr("blueprints.forms.actions.filling.cases.happened", fail)
    with pytest.raises(RuntimeError):
        actions.submit(actor=cast.sam, form=form, number=1, answers={"f1": "x"}, student=cast.student)
    assert FormResponse.select().count() == 0 and not Event.select().where(Event.verb == "response.submitted").exists()


def test_files_that_are_too_large_or_unknown_are_refused(cast, client_for, post, form):
    sent = {"student_ref": [cast.student.ref], "answer_f1": "x", "answer_f11": (io.BytesIO(b"MZ\x00\x01binary"), "run.exe")}
    answer = post(client_for("sam"), new(form), sent)
    assert answer.status_code == 422 and StoredFile.select().count() == 0
    assert "Choose your files again" in text_of(answer)
