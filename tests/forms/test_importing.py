"""A form's definition as a file: out, in again, and everything that can be wrong with one, each with a clear sentence."""

import json
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blueprints.forms import actions, queries
from blueprints.forms import fields as definition
from blueprints.forms.actions.importing import checked
from blueprints.forms.starters import STARTERS
from models import Event, Form, FormVersion
from permissions import Denied
from tests import factories
from tests.web import text_of

GOOD = {
    "caseward_form": 1,
    "name": "Concern",
    "description": "Say what worries you.",
    "audience": ["staff"],
    "names_student": True,
    "fields": [
        {"key": "hurt", "type": "yes_no", "label": "Hurt?", "required": True},
        {"key": "where", "type": "one_of", "label": "Where?", "options": ["Arm", "Leg"], "only_if": {"field": "hurt", "is": "yes"}},
    ],
}  # fmt: skip


def changed(**fields):
    return json.dumps(GOOD | fields)


def with_field(**values):
    return changed(fields=[*GOOD["fields"], {"key": "x", "type": "text", "label": "X"} | values])


def test_out_and_in_again(cast, client_for, post):
    ada = client_for("ada")
    row = actions.add_form("Referral", "Please.", audience=["for_staff", "for_referral_users"], names_student=True,
                           start="referral", actor=cast.ada)  # fmt: skip
    answer = ada.get(f"/forms/{row.ref}/definition.json")
    assert answer.mimetype == "application/json" and "Referral.json" in answer.headers["Content-Disposition"]
    assert answer.json["audience"] == ["staff", "referral_users"] and answer.json["fields"][0]["key"] == "f1"
    Form.update(name="Old referral").execute()
    sent = post(ada, "/forms/import", {"file": (BytesIO(answer.data), "referral.json")})
    new = Form.get(Form.name == "Referral")
    assert sent.status_code == 303 and sent.location.endswith(f"/forms/{new.ref}/edit")
    assert (new.published, new.for_staff, new.for_referral_users, new.for_students) == (0, True, True, False)
    assert definition.read(FormVersion.get(FormVersion.form == new).fields) == list(STARTERS["referral"].fields)
    assert [event.verb for event in Event.select().where(Event.verb.startswith("form.ex") | Event.verb.startswith("form.im"))] == [
        "form.exported", "form.imported"]  # fmt: skip


def test_a_taken_name_gets_a_number_unless_one_was_typed(cast):
    for wanted in ("Concern", "Concern (2)", "Concern (3)"):
        assert actions.import_form(changed(), actor=cast.ada).name == wanted
    with pytest.raises(actions.Refused, match="name already"):
        actions.import_form(changed(), name="concern", actor=cast.ada)


def test_nobody_else_imports(cast, client_for, post):
    for who in ("kay", "mo", "sam", "oli", "rae", "stu"):
        with pytest.raises(Denied):
            actions.import_form(changed(), actor=getattr(cast, who))
        assert client_for(who).get("/forms/import").status_code == 404
        assert post(client_for(who), "/forms/import", {"text": changed()}, form_url="/").status_code == 404
    assert not Form.select().exists()


DEEP = "[" * 100_000
BAD = {
    "not JSON": ("{", "This is not JSON: line 1, column 2"),
    "empty": ("", "This is not JSON"),
    "nested": (DEEP, "nested too deep"),
    "a huge number": ('{"caseward_form": ' + "9" * 5_000 + "}", "a number that is too long"),
    "a list": ("[]", "has to begin with"),
    "another format": (changed(caseward_form=2), "has to begin with"),
    "no name": (changed(name=""), "no “name”"),
    "a name that is a number": (changed(name=7), "no “name”"),
    "a long name": (changed(name="x" * 121), "121 characters"),
    "nobody": (changed(audience=[]), "“audience” has to be a list of staff, referral_users, students"),
    "who is that": (changed(audience=["parents"]), "“audience” has to be"),
    "audience of lists": (changed(audience=[["staff"]]), "“audience” has to be"),
    "names_student": (changed(names_student="yes"), "“names_student” has to be true or false"),
    "a referral about nobody": (changed(audience=["referral_users"], names_student=False), "a referral is about a student"),
    "no fields": (changed(fields=[]), "no “fields”"),
    "fields that are text": (changed(fields="f1"), "no “fields”"),
    "a field that is text": (changed(fields=["f1"]), "Field 1: it is no object."),
    "too many": (changed(fields=[{}] * 301), "This one has 301."),
    "no key": (changed(fields=[{"type": "text", "label": "X"}]), "Field 1: “key” is missing."),
    "a bad key": (with_field(key="X Y"), "“X Y” is no key"),
    "the same key": (with_field(key="hurt"), "The key “hurt” stands at two fields."),
    "an unknown type": (with_field(type="video"), "“video” is no type of field"),
    "required as text": (with_field(required="yes"), "Field 3: “required” has to be true or false."),
    "options as text": (with_field(type="one_of", options="A, B"), "Field 3: “options” has to be a list of texts."),
    "options that are numbers": (with_field(type="one_of", options=[1, 2]), "Field 3: “options” has to be a list of texts."),
    "no options": (with_field(type="one_of"), "“X” needs at least two answers"),
    "a scale of truth": (with_field(type="scale", **{"from": True}), "Field 3: “from” has to be a whole number."),
    "an endless scale": (with_field(type="scale", to=10**9), "Field 3: a scale runs within 0 to 10."),
    "a scale that falls": (with_field(type="scale", **{"from": 5, "to": 2}), "from 5 to 2"),
    "something else": (with_field(colour="red"), "Field 3: “colour” is nothing that a field has."),
    "a condition that is text": (with_field(only_if="hurt"), "Field 3: “only_if” has to be null or an object"),
    "half a condition": (with_field(only_if={"field": "hurt"}), "Field 3: “only_if” has to be null or an object"),
    "an unknown reference": (with_field(only_if={"field": "gone", "is": "yes"}), "the field “gone” is answered, and there is no such field"),
    "itself": (with_field(type="yes_no", only_if={"field": "x", "is": "yes"}), "“X” is shown only if it is answered itself"),
    "a ring": (changed(fields=[
        {"key": "a", "type": "yes_no", "label": "A", "only_if": {"field": "b", "is": "yes"}},
        {"key": "b", "type": "yes_no", "label": "B", "only_if": {"field": "a", "is": "yes"}}]),
        "“A” and “B” wait for each other: none of them would ever be shown."),
    "no such answer": (with_field(only_if={"field": "where", "is": "Head"}), "“Where?” is “Head”, which is none of its answers"),
    "upside down": (changed(fields=GOOD["fields"][::-1]), "so it has to stand below it"),
    "an empty question": (with_field(label="  "), "Say what is asked."),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD)
def test_bad_definitions(cast, what):
    text, sentence = BAD[what]
    with pytest.raises(actions.NotGood) as problem:
        actions.import_form(text, actor=cast.ada)
    assert any(sentence in one for one in problem.value.sentences), problem.value.sentences
    assert not Form.select().exists() and not FormVersion.select().exists()


def test_the_page_says_everything_that_is_wrong_and_loses_nothing(cast, client_for, post):
    text = changed(fields=[{"key": "a", "type": "video", "label": "A"}, {"key": "a", "type": "one_of", "label": "B"}])
    answer = post(client_for("ada"), "/forms/import", {"file": (BytesIO(text.encode()), "bad.json"), "name": "Mine"})
    page = text_of(answer)
    assert answer.status_code == 422
    for sentence in ("“video” is no type of field", "The key “a” stands at two fields.", "“B” needs at least two answers"):
        assert sentence in page
    assert "&#34;video&#34;" in answer.text and 'value="Mine"' in answer.text, "the file's text can be mended on the page"
    assert not Form.select().exists()


def test_files_that_are_none(cast, client_for, post, monkeypatch):
    ada = client_for("ada")
    answer = post(ada, "/forms/import", {})
    assert answer.status_code == 422 and "Choose a file, or paste a definition." in text_of(answer)
    answer = post(ada, "/forms/import", {"file": (BytesIO(b"\x89PNG\r\n\x1a\n\x00\xff"), "photo.json")})
    assert answer.status_code == 422 and "This is not JSON" in text_of(answer)
    monkeypatch.setattr("blueprints.forms.views.building.LONGEST_FILE", 10_000)
    answer = post(ada, "/forms/import", {"file": (BytesIO(b"x" * 10_001), "long.json")})
    assert answer.status_code == 422 and "longer than 10,000 characters" in text_of(answer) and "x" * 100 not in answer.text


def test_at_most_twenty_sentences(cast):
    with pytest.raises(actions.NotGood) as problem:
        actions.import_form(changed(fields=[{"key": f"f{n}", "type": "video", "label": "X"} for n in range(50)]), actor=cast.ada)
    assert len(problem.value.sentences) == 21 and problem.value.sentences[-1] == "And 30 more."


def test_odd_characters_are_put_away(cast):
    text = changed(name="Con\x00cern\ud800", fields=[
        {"key": "x", "type": "text", "label": "A\x07\nB\u202e", "help": "one\r\ntwo\x00"}])  # fmt: skip
    row = actions.import_form("\ufeff" + text, actor=cast.ada)
    (field,) = definition.read(FormVersion.get(FormVersion.form == row).fields)
    assert row.name == "Concern" and field.help == "one\ntwo" and "\n" not in field.label and "\x07" not in field.label


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from([
        "caseward_form", "name", "audience", "names_student", "fields", "key", "type", "label", "options", "from", "to", "only_if",
        "field", "is"]), inner, max_size=5),
    max_leaves=20,
)  # fmt: skip


@given(st.dictionaries(st.sampled_from(["name", "description", "audience", "names_student", "fields"]), _JSON), st.lists(_JSON, max_size=3))
def test_whatever_stands_in_it_is_taken_or_refused_with_sentences(given_values, fields):
    admin = factories.Account(role="admin", is_active=True)
    for text in (json.dumps(GOOD | given_values), json.dumps(GOOD | {"fields": [*GOOD["fields"], *fields]})):
        try:
            assert definition.problems(checked(text, actor=admin).fields) == []
        except actions.NotGood as problem:
            assert problem.sentences and all(sentence.encode() for sentence in problem.sentences)


def test_an_export_of_a_form_that_is_edited_holds_the_draft(cast):
    row = factories.form("Check", cast.ada, [{"key": "f1", "type": "text", "label": "One"}])
    actions.add_field(row, definition.Field("", "text", "Two"), actor=cast.ada)
    assert [one["label"] for one in json.loads(actions.export_form(row, actor=cast.ada))["fields"]] == ["One", "Two"]
    assert [one.label for one in queries.published_fields(row)] == ["One"]
