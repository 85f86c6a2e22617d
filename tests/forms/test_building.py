"""Building forms in the browser's way: adding, changing, moving and removing fields one at a time, publishing, who reads the
responses, retiring; what something else uses stays."""

import re
import threading
from dataclasses import replace

import pytest

import permissions
from blueprints.forms import actions, queries
from blueprints.forms import fields as definition
from blueprints.forms.fields import Condition, Field
from blueprints.kit.refusing import confirmation_of
from extensions import db
from models import Event, Form, FormGroup, FormVersion, GroupMember, SavedReport, Trigger
from permissions import Denied
from tests import factories
from tests.web import forms, text_of

OTHERS = ("kay", "mo", "gil", "sam", "oli", "rae", "stu")
FIELDS = [
    {"key": "f1", "type": "yes_no", "label": "Hurt?"},
    {"key": "f2", "type": "one_of", "label": "Where?", "options": ["Arm", "Leg"], "only_if": {"field": "f1", "is": "yes"}},
    {"key": "f3", "type": "text", "label": "Name"},
]


@pytest.fixture
def form(cast):
    return factories.form("Accident", cast.ada, FIELDS)


@pytest.fixture
def ada(client_for):
    return client_for("ada")


def edited(form):
    return definition.read(queries.edited(form).fields)


def keys(form):
    return " ".join(field.key for field in edited(form))


def field(form, key):
    return definition.find(edited(form), key)


def home(form, page="edit"):
    return f"/forms/{form.ref}/{page}"


# --- A new form ------------------------------------------------------------------------------------------------------


def test_a_referral_form_in_three_steps(cast, ada, post, client_for):
    answer = post(ada, "/forms/new?start=referral", {})
    row = Form.get()
    assert answer.status_code == 303 and answer.location.endswith(home(row))
    assert (row.name, row.for_staff, row.for_referral_users, row.names_student, row.published) == ("Referral", True, True, True, 0)
    assert "What is the concern?" in text_of(ada.get(home(row)))
    assert "No forms to fill in" in text_of(client_for("rae").get("/forms"))
    page = text_of(ada.get(home(row, "publication")))
    assert "Staff, Referral Users" in page and "Key Users and Admin Key Holders" in page
    assert post(ada, home(row, "publication"), {}).status_code == 303
    assert "+NEW" in text_of(client_for("rae").get("/forms")) and "+NEW" in text_of(client_for("sam").get("/forms"))


def test_an_empty_form_and_a_copy(cast, ada, post, form):
    post(ada, "/forms/new", {"name": "Blank", "audience": ["for_students"], "description": "x"})
    blank = Form.get(Form.name == "Blank")
    assert (blank.for_staff, blank.for_students) == (False, True) and edited(blank) == []
    post(ada, "/forms/new", {"name": "Second", "start": f"copy-{form.ref}"})
    assert edited(Form.get(Form.name == "Second")) == edited(form)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"name": ""}, "Give the form a name."),
        ({"name": "ACCIDENT"}, "There is a form of this name already."),
        ({"name": "New", "audience": []}, "Choose whom the form is for."),
        ({"name": "New", "audience": ["for_parents"]}, "One of these can't be chosen"),
        ({"name": "New", "audience": ["for_referral_users"], "names_student": None}, "a referral is about a student"),
        ({"name": "New", "start": "copy-ZZZZZZZZZZ"}, "Choose what to start from."),
        ({"name": "x" * 121}, "at most 120"),
    ],
)
def test_a_refused_form_keeps_everything(ada, post, form, data, sentence):
    answer = post(ada, "/forms/new", {"description": "What I typed"} | data)
    assert answer.status_code == 422 and sentence in text_of(answer) and "What I typed" in answer.text
    assert Form.select().count() == 1


# --- Fields ----------------------------------------------------------------------------------------------------------


def test_adding_fields_of_every_type(ada, post, form):
    for kind in definition.TYPES:
        options = "Red\n\n  Green  \r\nBlue" if kind in definition.WITH_OPTIONS else "left over"
        answer = post(ada, home(form), {"label": f"A {kind}", "type": kind, "options": options, "required": "y"})
        assert answer.status_code == 303, kind
    made = edited(form)[3:]
    assert [one.type for one in made] == list(definition.TYPES)
    assert all(one.options == (("Red", "Green", "Blue") if one.type in definition.WITH_OPTIONS else ()) for one in made)
    assert [one.type for one in made if not one.required] == ["heading"]
    assert definition.problems(edited(form)) == []
    assert [event.verb for event in Event.select().where(Event.target == form.ref, Event.verb == "form.fields_changed")] == [
        "form.fields_changed"] * len(definition.TYPES)  # fmt: skip


def test_the_next_field_takes_the_type_of_the_last_one(ada, post, form):
    answer = post(ada, home(form), {"label": "Sure?", "type": "yes_no"})
    (add,) = [one for one in forms(ada.get(answer.location).text) if one.action == home(form)]
    assert add.values["type"] == ["yes_no"] and answer.location.endswith("?added=f4")


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"label": ""}, "Say what is asked."),
        ({"label": "x" * 301}, "at most 300"),
        ({"label": "Colour", "type": "one_of", "options": "Red"}, "needs at least two answers"),
        ({"label": "Colour", "type": "several_of", "options": "Red\nred"}, "stands twice"),
        ({"label": "Film", "type": "video"}, "This is not known."),
    ],
)
def test_a_refused_field(ada, post, form, data, sentence):
    answer = post(ada, home(form), {"required": "y"} | data)
    assert answer.status_code == 422 and sentence in text_of(answer) and "checked" in answer.text
    assert keys(form) == "f1 f2 f3" and FormVersion.select().count() == 1


def test_changing_one_field(ada, post, form):
    answer = post(ada, home(form, "fields/f3"), {
        "label": "Full name", "help": "As written", "required": "y", "only_if": "f2", "answer": "Arm"}, follow=False)  # fmt: skip
    # The answers of a field are offered once it is chosen: without a script that takes a second step.
    assert answer.status_code == 303, text_of(answer)
    assert field(form, "f3") == Field("f3", "text", "Full name", "As written", True, only_if=Condition("f2", "Arm"))
    assert [one.label for one in definition.read(queries.version(form, 1).fields)] == ["Hurt?", "Where?", "Name"]
    assert queries.edited(form).number == 2


def test_without_a_script_the_answers_are_offered_in_a_second_step(ada, post, form):
    answer = post(ada, home(form, "fields/f3"), {"label": "Full name", "only_if": "f2"})
    assert answer.status_code == 422 and "Choose the answer that brings this field up." in text_of(answer)
    assert '<option value="Arm">Arm</option>' in answer.text and 'value="Full name"' in answer.text
    assert ">Leg<" in ada.get(home(form, "answers") + "?only_if=f2").text
    assert "option" not in ada.get(home(form, "answers") + "?only_if=f3").text + ada.get(home(form, "answers")).text


@pytest.mark.parametrize(
    ("key", "data", "sentence"),
    [
        ("f3", {"only_if": "f1", "answer": "maybe"}, "This is none of its answers."),
        ("f3", {"only_if": "f9", "answer": "yes"}, "This field is not there any more."),
        ("f3", {"only_if": "f3", "answer": "x"}, "This field is not there any more."),
        ("f1", {"only_if": "f2", "answer": "Arm"}, "“Hurt?” and “Where?” wait for each other"),
        ("f2", {"options": "Arm"}, "needs at least two answers"),
        ("f2", {"place": "1"}, "“Where?” is shown only after an answer to “Hurt?”, so it has to stand below it."),
        ("f2", {"place": "9"}, "This is not known."),
        ("f3", {"type": "number"}, "This is not known."),
    ],
)
def test_a_refused_change(ada, post, form, key, data, sentence):
    answer = post(ada, home(form, f"fields/{key}"), {"help": "What I typed"} | data)
    assert answer.status_code == 422 and sentence in text_of(answer), text_of(answer)
    assert "What I typed" in answer.text and FormVersion.select().count() == 1


def test_what_is_bound_to_an_answer_keeps_it(ada, cast, form):
    actions.change_field(form, "f3", Field("", "text", "Name", only_if=Condition("f2", "Arm")), actor=cast.ada,
                         before=definition.fingerprint(field(form, "f3")))  # fmt: skip
    where = field(form, "f2")
    sentence = "“Name” is shown only if “Where?” is “Arm”, which is none of its answers."
    with pytest.raises(actions.Refused, match=re.escape(sentence)) as problem:
        actions.change_field(form, "f2", replace(where, options=("Hand", "Leg")), actor=cast.ada,
                             before=definition.fingerprint(where))  # fmt: skip
    assert problem.value.field == "options" and field(form, "f2") == where


def test_a_published_field_keeps_its_type(cast, form):
    now = field(form, "f3")
    with pytest.raises(actions.Refused, match="was published as text"):
        actions.change_field(form, "f3", Field("", "number", "Name"), before=definition.fingerprint(now), actor=cast.ada)
    new = actions.add_field(form, Field("", "text", "Size"), actor=cast.ada)
    assert actions.change_field(form, new.key, Field("", "number", "Size"), before=definition.fingerprint(new), actor=cast.ada).type == "number"


def test_moving_and_copying(ada, post, form):
    assert post(ada, home(form, "order"), {"up": "f3"}, form_url=home(form)).status_code == 303
    assert keys(form) == "f1 f3 f2"
    post(ada, home(form, "order"), {"down": "f3"}, form_url=home(form))
    post(ada, home(form, "order"), {"down": "f3"}, form_url=home(form))
    assert keys(form) == "f1 f2 f3", "the last one stays where it is"
    answer = post(ada, home(form, "order"), {"up": "f2"}, form_url=home(form), follow=True)
    assert "“Where?” is shown only after an answer to “Hurt?”, so it has to stand below it." in text_of(answer)
    answer = post(ada, home(form, "order"), {"up": "f99"}, form_url=home(form), follow=True)
    assert "Somebody else removed this field meanwhile." in text_of(answer) and keys(form) == "f1 f2 f3"
    answer = post(ada, home(form, "fields/f2/copy"), {}, form_url=home(form, "fields/f2"))
    assert answer.location.endswith(home(form, "fields/f4")) and keys(form) == "f1 f2 f4 f3"
    assert field(form, "f4").only_if == Condition("f1", "yes") and field(form, "f4").label == "Where? (copy)"
    post(ada, home(form, "fields/f4"), {"place": "4"})
    assert keys(form) == "f1 f2 f3 f4"


def test_removing(ada, post, form):
    answer = post(ada, home(form, "fields/f3/removal"), {}, form_url=home(form, "fields/f3"))
    assert answer.status_code == 303 and keys(form) == "f1 f2"
    assert ada.get(home(form, "fields/f3")).status_code == 404
    post(ada, home(form), {"label": "New", "type": "text"})
    assert keys(form) == "f1 f2 f4", "an answer never changes its question"
    answer = post(ada, home(form, "fields/f3/removal"), {}, form_url=home(form), follow=True)
    assert "Somebody else removed this field meanwhile." in text_of(answer)


def test_a_field_that_another_one_waits_for_stays(ada, post, form):
    answer = post(ada, home(form, "fields/f1/removal"), {}, form_url=home(form, "fields/f1"), follow=True)
    assert "“Hurt?” can't be removed: “Where?” is shown only after an answer to it." in text_of(answer)
    assert keys(form) == "f1 f2 f3"


def test_a_field_that_a_trigger_uses_stays(ada, post, cast, form):
    trigger = Trigger.create(kind="form", form=form, field="f3", answer="")
    answer = post(ada, home(form, "fields/f3/removal"), {}, form_url=home(form, "fields/f3"), follow=True)
    assert "“Name” can't be removed: the Case Management Dictionary opens a case by its answers." in text_of(answer)
    Trigger.update(field="f2", answer="Leg").where(Trigger.id == trigger.id).execute()
    answer = post(ada, home(form, "fields/f2"), {"options": "Arm\nHand"})
    assert answer.status_code == 422 and "The answer “Leg” has to stay: the Case Management Dictionary opens a case" in text_of(answer)
    assert post(ada, home(form, "fields/f2"), {"options": "Leg\nHand"}).status_code == 303


def test_a_field_that_a_saved_filter_uses_stays(ada, post, cast, form):
    def saved(owner, name, query, shared=False, of=form):
        SavedReport.create(owner=owner, name=name, query=query, is_shared=shared, form=of)

    saved(cast.ada, "My names", "q=x&a_f3=Ann")
    saved(cast.kay, "Shared names", "a_f3=", shared=True)
    saved(cast.kay, "About Ann Finch", "a_f3=Ann")
    saved(cast.kay, "Something else", "a_f30=Ann&q=a_f3")
    saved(cast.kay, "Of another form", "a_f3=Ann", of=factories.form("Other", cast.ada))
    answer = post(ada, home(form, "fields/f3/removal"), {}, form_url=home(form, "fields/f3"), follow=True)
    assert ("“Name” can't be removed: the saved filter “My names” of Ada Adler uses it; the saved filter “Shared names” of "
            "Kay Kestrel uses it; a saved filter of Kay Kestrel uses it.") in text_of(answer)  # fmt: skip
    assert keys(form) == "f1 f2 f3" and "Ann Finch" not in answer.text


def test_publishing_asks_again_what_uses_a_field(ada, post, cast, form):
    actions.remove_field(form, "f3", actor=cast.ada)
    Trigger.create(kind="form", form=form, field="f3", answer="x")
    answer = post(ada, home(form, "publication"), {})
    assert answer.status_code == 422
    assert "“Name” was taken out of the draft, but the Case Management Dictionary opens a case by its answers." in text_of(answer)
    assert Form.get_by_id(form.id).published == 1


def test_two_people_change_two_fields(cast, form):
    one, other = field(form, "f1"), field(form, "f3")
    actions.change_field(form, "f1", Field("", "yes_no", "Injured?"), before=definition.fingerprint(one), actor=cast.ada)
    actions.change_field(form, "f3", Field("", "text", "Who?"), before=definition.fingerprint(other), actor=cast.ada)
    assert [one.label for one in edited(form)] == ["Injured?", "Where?", "Who?"]


def test_two_people_change_one_field(cast, ada, post, form):
    page = home(form, "fields/f3")
    (mine,) = [one for one in forms(ada.get(page).text) if "before" in one.values]
    before = field(form, "f3")
    actions.change_field(form, "f3", Field("", "text", "Theirs", "Their help"), before=definition.fingerprint(before), actor=cast.ada)
    answer = post(ada, page, {"before": mine.values["before"][0], "label": "Mine"})
    said = text_of(answer)
    assert answer.status_code == 409 and "Somebody else saved a change while you were typing." in said
    assert "Theirs" in said and "Their help" in said and 'value="Mine"' in answer.text
    (again,) = [one for one in forms(answer.text) if "before" in one.values]
    assert again.values["before"] == [definition.fingerprint(field(form, "f3"))], "it can be sent again over theirs"
    answer = post(ada, page, {"label": "Mine"} | {"before": again.values["before"][0]})
    assert answer.status_code == 303 and field(form, "f3").label == "Mine"


def test_a_field_removed_under_the_hands_loses_nothing(cast, ada, post, form):
    page = home(form, "fields/f3")
    (mine,) = [one for one in forms(ada.get(page).text) if "before" in one.values]
    actions.remove_field(form, "f3", actor=cast.ada)
    answer = post(ada, page, {name: values[0] for name, values in mine.values.items()} | {"label": "What I typed"}, form_url=home(form))
    assert answer.status_code == 422 and "Somebody else removed this field meanwhile." in text_of(answer)
    assert 'value="What I typed"' in answer.text and keys(form) == "f1 f2"


@pytest.mark.torture
def test_fields_added_at_the_same_moment_are_all_there(app, cast, form, full):
    count = 20 if full else 6

    def add(number):
        with app.app_context():
            actions.add_field(form, Field("", "text", f"Number {number}"), actor=cast.ada)
        db.close()

    threads = [threading.Thread(target=add, args=(number,)) for number in range(count)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(edited(form)) == 3 + count and FormVersion.select().count() == 2
    assert len({one.key for one in edited(form)}) == 3 + count


def test_two_hundred_fields(cast, ada, post, count_queries):
    row = actions.add_form("Long", "", audience=["for_staff"], names_student=True, actor=cast.ada)
    fields = [Field(f"f{number}", "yes_no", f"Question {number}?", "Help " * 20) for number in range(1, 201)]
    FormVersion.update(fields=definition.write(fields)).where(FormVersion.form == row).execute()
    with count_queries(most=10):
        page = ada.get(home(row))
    assert len(page.data) < 70_000 and "Question 100?" in page.text and "Question 101?" not in page.text
    for path in ("edit?page=2", "fields/f150", "preview", "publication", "versions"):
        with count_queries(most=10):
            assert ada.get(home(row, path)).status_code == 200
    assert max(len(one.controls) for one in forms(page.text)) < 10
    answer = post(ada, home(row), {"label": "One more", "type": "text"})
    assert answer.status_code == 303 and "page=3" in answer.location and "One more" in ada.get(answer.location).text
    post(ada, home(row, "fields/f150"), {"place": "1"})
    assert edited(row)[0].key == "f150"
    answer = post(ada, home(row, "order"), {"up": "f101"}, form_url=home(row, "edit?page=2"))
    assert "page=2" in answer.location and answer.location.endswith("#field-f101")


def test_no_more_than_three_hundred(cast, ada, post, form):
    fields = [Field(f"f{number}", "text", "x") for number in range(300)]
    FormVersion.update(fields=definition.write(fields)).where(FormVersion.form == form).execute()
    answer = post(ada, home(form), {"label": "One more", "type": "text"})
    assert answer.status_code == 422 and "A form can have at most 300 fields, and this one has them." in text_of(answer)


# --- Preview, versions, publishing -----------------------------------------------------------------------------------


def test_preview_asks_what_people_will_be_asked(cast, ada, form):
    actions.add_field(form, Field("", "scale", "How bad?", low=0, high=3), actor=cast.ada)
    page = ada.get(home(form, "preview"))
    assert "The draft of version 2" in text_of(page) and "How bad?" in text_of(page)
    assert "Only if “Hurt?” is Yes" in text_of(page)
    assert not [one for one in forms(page.text) if "responses" in (one.action or "")], "nothing can be sent from there"
    old = text_of(ada.get(home(form, "versions/1")))
    assert "How bad?" not in old and "as people are asked now" in old
    assert ada.get(home(form, "versions/9")).status_code == 404
    assert ada.get(home(form, f"versions/{10**30}")).status_code == 404


def test_versions_say_what_changed(cast, ada, post, form):
    factories.response(form, cast.sam, cast.student, {"f3": "Ann"})
    post(ada, home(form), {"label": "When?", "type": "date"})
    post(ada, home(form, "publication"), {})
    factories.response(Form.get_by_id(form.id), cast.sam, cast.student, {"f3": "Ben"})
    post(ada, home(form, "fields/f3"), {"label": "Who?"})
    rows = queries.form_versions(cast.ada, form)
    assert [(row.number, bool(row.published_at), row.responses, row.changes) for row in rows] == [
        (3, False, 0, ["Changed: “Who?” (question)"]), (2, True, 1, ["Added: “When?” (date)"]), (1, True, 1, [])]  # fmt: skip
    page = text_of(ada.get(home(form, "versions")))
    assert "Added: “When?” (date)" in page and "Draft" in page and "In use" in page
    assert "Changed: “Who?” (question)" in text_of(ada.get(home(form, "publication")))


def test_what_was_asked_of_fifty_stays(cast, ada, post, form):
    for number in range(50):
        factories.response(form, cast.sam, cast.student, {"f3": f"Answer {number}"})
    before = queries.version(form, 1).fields
    post(ada, home(form, "fields/f3"), {"label": "Something quite different"})
    post(ada, home(form, "fields/f2/removal"), {}, form_url=home(form, "fields/f2"))
    assert post(ada, home(form, "publication"), {}).status_code == 303
    assert queries.version(form, 1).fields == before and Form.get_by_id(form.id).published == 2


@pytest.mark.parametrize(("fields", "sentence"), [
    ([], "There is nothing to answer yet."),
    ([Field("f1", "heading", "Part one")], "There is nothing to answer yet."),
])  # fmt: skip
def test_what_is_empty_is_not_published(cast, ada, post, fields, sentence):
    row = factories.form("Empty", cast.ada, [one.as_dict() for one in fields], published=False)
    answer = post(ada, home(row, "publication"), {})
    assert answer.status_code == 422 and sentence in text_of(answer)
    assert not Form.get_by_id(row.id).published


def test_nothing_new_is_not_published(cast, ada, post, form):
    answer = post(ada, home(form, "publication"), {})
    assert answer.status_code == 422 and "Nothing was changed since version 1 was published." in text_of(answer)
    post(ada, home(form, "order"), {"up": "f3"}, form_url=home(form))
    post(ada, home(form, "order"), {"down": "f3"}, form_url=home(form))
    answer = post(ada, home(form, "publication"), {})
    assert answer.status_code == 422 and "Nothing is different from version 1." in text_of(answer)


def test_what_somebody_changed_meanwhile_is_not_published_unseen(cast, ada, post, form):
    post(ada, home(form), {"label": "One", "type": "text"})
    (button,) = [one for one in forms(ada.get(home(form, "publication")).text) if "draft" in one.controls or "version" in one.values]
    actions.add_field(form, Field("", "text", "Sneaked in"), actor=cast.ada)
    answer = post(ada, home(form, "publication"), {"version": button.values["version"][0]})
    assert answer.status_code == 409 and "Sneaked in" in text_of(answer) and Form.get_by_id(form.id).published == 1
    assert post(ada, home(form, "publication"), {}).status_code == 303


def test_discarding_changes(cast, ada, post, form):
    post(ada, home(form), {"label": "One", "type": "text"})
    assert post(ada, home(form, "draft/removal"), {}, form_url=home(form)).status_code == 303
    assert keys(form) == "f1 f2 f3" and FormVersion.select().count() == 1
    answer = post(ada, home(form, "draft/removal"), {"version": "1"}, form_url=home(form), follow=True)
    assert "Nothing was changed since version 1 was published." in text_of(answer)
    fresh = factories.form("Fresh", cast.ada, FIELDS, published=False)
    answer = post(ada, home(fresh, "draft/removal"), {"version": "1"}, form_url=home(fresh), follow=True)
    assert "never published" in text_of(answer) and keys(fresh) == "f1 f2 f3"


def test_discarding_what_somebody_else_just_changed_asks_again(cast, ada, post, form):
    post(ada, home(form), {"label": "One", "type": "text"})
    answer = post(ada, home(form, "draft/removal"), {"version": "99"}, form_url=home(form), follow=True)
    assert "Somebody else changed the form meanwhile." in text_of(answer) and keys(form) == "f1 f2 f3 f4"


def test_retiring_and_restoring(cast, ada, post, client_for, form):
    assert "Accident" in text_of(client_for("sam").get("/forms"))
    assert post(ada, home(form, "retirement"), {}, form_url=home(form)).status_code == 303
    assert "Accident" not in text_of(client_for("sam").get("/forms"))
    with pytest.raises(permissions.NotVisible):
        queries.form(cast.sam, form.ref)
    assert "Retired" in text_of(ada.get("/forms?state=retired")) and "Accident" not in text_of(ada.get("/forms?state=in_use"))
    assert post(ada, "/forms/new", {"name": "Accident"}).status_code == 422
    assert post(ada, home(form, "restoration"), {}, form_url=home(form)).status_code == 303
    assert queries.form(cast.sam, form.ref) == form
    answer = post(ada, home(form, "retirement"), {"version": "1"}, form_url=home(form), follow=True)
    assert "Somebody else changed the form meanwhile." in text_of(answer) and Form.get_by_id(form.id).retired_at is None


# --- Settings and readers --------------------------------------------------------------------------------------------


def test_settings(cast, ada, post, form):
    answer = post(ada, home(form, "settings"), {"name": "Injury", "audience": ["for_staff", "for_students"], "names_student": None})
    row = Form.get_by_id(form.id)
    assert answer.status_code == 303
    assert (row.name, row.for_staff, row.for_students, row.for_referral_users, row.names_student) == ("Injury", True, True, False, False)
    event = Event.get(Event.verb == "form.changed")
    assert "for_students" in event.data and "Injury" not in event.data


def test_settings_that_somebody_else_changed(cast, ada, post, form):
    old = Form.get_by_id(form.id)
    actions.change_form(old, version=1, actor=cast.ada, name="Theirs", description="", audience=["for_students"], names_student=True)
    answer = post(ada, home(form, "settings"), {"version": "1", "name": "Mine", "audience": ["for_staff"]})
    said = text_of(answer)
    assert answer.status_code == 409 and "Theirs" in said and "Students" in said and 'value="Mine"' in answer.text
    assert post(ada, home(form, "settings"), {"version": "2", "name": "Mine"}).status_code == 303


def readers_now(form, author, student):
    """Who reads a response, as the record itself says; without who sent it."""
    response = factories.response(form, author, student)
    return [who.name for who, reasons in permissions.who_can_see_record("form", response) if reasons != ["sent_it"]]


def test_who_reads_is_said_by_name_before_it_is_saved(cast, ada, post, form):
    page = home(form, "readers")
    answer = post(ada, page, {"groups": [cast.counselling.ref]})
    said = text_of(answer)
    assert answer.status_code == 200 and not FormGroup.select().exists()
    assert "This gives 1 person access: Gil Gannet." in said and "2 people lose it: Kay Kestrel, Ken Kittiwake." in said
    (asked,) = [one for one in forms(answer.text) if "confirmed" in one.values]
    confirmed = {"groups": [cast.counselling.ref], "confirmed": asked.values["confirmed"][0]}
    assert post(ada, page, confirmed).status_code == 303
    assert readers_now(form, cast.sam, cast.student) == ["Ada Adler", "Gil Gannet"]
    assert [one.name for one in queries.all_readers(cast.ada, form)] == ["Ada Adler", "Gil Gannet"]
    assert Event.get(Event.verb == "form.readers_changed").target == form.ref


def test_what_the_page_says_is_what_holds_afterwards(cast, form):
    eve = factories.account("Eve Egret", role="staff")
    left = factories.account("Fay Finch", role="key_user", is_active=False)
    seven = factories.group("Year 7", members=[eve, cast.gil, cast.rae, left, cast.kay])
    for groups in ([], [seven], [seven, cast.counselling], [cast.counselling], []):
        gained, lost = queries.readers_effect(cast.ada, form, groups)
        before = set(readers_now(form, cast.oli, cast.student))
        version = Form.get_by_id(form.id).version
        actions.set_readers(form, groups, version=version, confirmed=confirmation_of(gained), actor=cast.ada)
        after = set(readers_now(form, cast.oli, cast.student))
        assert ({one.name for one in gained}, {one.name for one in lost}) == (after - before, before - after)
        assert {one.name for one in queries.all_readers(cast.ada, form)} == after


def test_a_group_that_grew_meanwhile_is_asked_about_again(cast, ada, post, form):
    page = home(form, "readers")
    answer = post(ada, page, {"groups": [cast.counselling.ref]})
    (asked,) = [one for one in forms(answer.text) if "confirmed" in one.values]
    GroupMember.create(group=cast.counselling, account=cast.oli)
    answer = post(ada, page, {"groups": [cast.counselling.ref], "confirmed": asked.values["confirmed"][0]})
    assert answer.status_code == 422 and "Who would get access has changed in the meantime." in text_of(answer)
    assert "Gil Gannet, Oli Ouzel" in text_of(answer) and not FormGroup.select().exists()


def test_the_effect_follows_the_boxes(cast, ada, form):
    part = text_of(ada.get(home(form, "readers/effect") + f"?groups={cast.counselling.ref}"))
    assert "This gives 1 person access: Gil Gannet." in part
    assert "Nobody gets access by this" in text_of(ada.get(home(form, "readers/effect")))


# --- Nobody else -----------------------------------------------------------------------------------------------------


def test_nobody_else_builds(cast, client_for, post, form):
    pages = ["edit", "fields/f1", "answers", "settings", "readers", "readers/effect", "preview", "versions", "versions/1",
             "publication", "definition.json"]  # fmt: skip
    steps = ["edit", "order", "fields/f3", "fields/f3/copy", "fields/f3/removal", "settings", "readers", "publication",
             "draft/removal", "retirement", "restoration"]  # fmt: skip
    for who in OTHERS:
        client = client_for(who)
        missing = client.get("/forms/ZZZZZZZZZZ/edit")
        for page in pages:
            assert client.get(home(form, page)).status_code == 404, (who, page)
        assert client.get("/forms/new").status_code == 404 and client.get("/forms.csv").status_code == 404
        assert missing.status_code == 404
        for step in steps:
            assert post(client, home(form, step), {"label": "x", "version": "1"}, form_url="/").status_code == 404, (who, step)
    assert keys(form) == "f1 f2 f3" and FormVersion.select().count() == 1


def test_the_actions_ask_too(cast, form):
    for who in OTHERS:
        actor = getattr(cast, who)
        calls = [
            lambda actor: actions.add_form("New", "", audience=["for_staff"], names_student=True, actor=actor),
            lambda actor: actions.add_field(form, Field("", "text", "x"), actor=actor),
            lambda actor: actions.change_field(form, "f3", Field("", "text", "x"), before="", actor=actor),
            lambda actor: actions.copy_field(form, "f3", actor=actor),
            lambda actor: actions.move_field(form, "f3", "up", actor=actor),
            lambda actor: actions.remove_field(form, "f3", actor=actor),
            lambda actor: actions.publish(form, version=1, actor=actor),
            lambda actor: actions.discard_draft(form, version=1, actor=actor),
            lambda actor: actions.set_readers(form, [], version=1, confirmed="", actor=actor),
            lambda actor: actions.change_form(form, version=1, actor=actor, name="x", description="", audience=["for_staff"],
                                              names_student=True),
            lambda actor: actions.retire_form(form, version=1, actor=actor),
            lambda actor: actions.restore_form(form, version=1, actor=actor),
            lambda actor: actions.export_form(form, actor=actor),
        ]  # fmt: skip
        for call in calls:
            with pytest.raises(Denied):
                call(actor)
    assert not Event.select().where(Event.verb.startswith("form.") & (Event.target == form.ref)).exists()
