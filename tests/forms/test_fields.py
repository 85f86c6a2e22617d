"""The definition of a form by itself: reading and writing, when a field is asked, what makes it good, what changed."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blueprints.forms import fields as definition
from blueprints.forms.fields import Condition, Field
from blueprints.forms.starters import STARTERS

HURT = Field("f1", "yes_no", "Was somebody hurt?")
WHERE = Field("f2", "several_of", "Where?", options=("Head", "Arm"), only_if=Condition("f1", "yes"))
HOW = Field("f3", "scale", "How badly?", low=0, high=10, only_if=Condition("f2", "Head"))
TELL = Field("f4", "long_text", "Tell more", "In your own words.", True)
ALL = [HURT, WHERE, HOW, TELL]


def test_what_is_written_is_read_again():
    assert definition.read(definition.write(ALL)) == ALL
    assert definition.read("[]") == []
    assert definition.read('[{"key": "f1", "type": "text", "label": "Name"}]') == [Field("f1", "text", "Name")]


def test_each_type_has_only_what_belongs_to_it():
    assert Field("f1", "text", "Name", options=("A",), high=9).as_dict() == {
        "key": "f1", "type": "text", "label": "Name", "help": "", "required": False, "only_if": None}  # fmt: skip
    assert HOW.as_dict() == {"key": "f3", "type": "scale", "label": "How badly?", "help": "", "required": False, "from": 0, "to": 10,
                             "only_if": {"field": "f2", "is": "Head"}}  # fmt: skip
    for kind in definition.TYPES:
        field = Field("f1", kind, "Asked", options=("A", "B") if kind in definition.WITH_OPTIONS else ())
        assert definition.read(definition.write([field])) == [field]
        assert bool(field.answers()) is (kind in definition.LISTED), kind


@pytest.mark.parametrize(
    ("answers", "asked"),
    [
        ({}, "f1 f4"),
        ({"f1": False}, "f1 f4"),
        ({"f1": True}, "f1 f2 f4"),
        ({"f1": True, "f2": ["Arm"]}, "f1 f2 f4"),
        ({"f1": True, "f2": ["Arm", "Head"]}, "f1 f2 f3 f4"),
        # An answer to a question that is not asked any more brings up nothing.
        ({"f1": False, "f2": ["Head"]}, "f1 f4"),
        ({"f1": "yes"}, "f1 f2 f4"),
    ],
)
def test_when_a_field_is_asked(answers, asked):
    assert definition.shown(ALL, answers) == set(asked.split())


def test_a_scale_brings_up_a_field_however_its_number_is_kept():
    fields = [Field("f1", "scale", "How was it?"), Field("f2", "text", "Why?", only_if=Condition("f1", "2"))]
    assert definition.shown(fields, {"f1": 2}) == definition.shown(fields, {"f1": 2.0}) == {"f1", "f2"}
    assert definition.shown(fields, {"f1": 3}) == {"f1"}


def test_conditions_in_words():
    assert definition.condition_words(WHERE, ALL) == "only if “Was somebody hurt?” is Yes"
    assert definition.condition_words(HOW, ALL) == "only if “Where?” is Head"
    assert definition.condition_words(HURT, ALL) == ""


@pytest.mark.parametrize(
    ("field", "name", "sentence"),
    [
        (replace(HURT, label=""), "label", "Say what is asked."),
        (replace(HURT, label="x" * 301), "label", "301 characters"),
        (replace(HURT, help="x" * 2_001), "help", "2,001 characters"),
        (replace(HURT, type="maybe"), "type", "“maybe” is no type of field"),
        (replace(HURT, key="F1"), "key", "no key"),
        (replace(HURT, key="f" * 21), "key", "no key"),
        (replace(HURT, key="f1\n"), "key", "no key"),
        (replace(WHERE, options=("Head",)), "options", "at least two answers"),
        (replace(WHERE, options=("Head", "head")), "options", "“head” stands twice"),
        (replace(WHERE, options=("Head", "")), "options", "empty"),
        (replace(WHERE, options=tuple(map(str, range(101)))), "options", "101 answers"),
        (replace(HOW, low=5, high=5), "high", "from 5 to 5"),
        (replace(HOW, low=1, high=11), "high", "from 1 to 11"),
        (replace(HOW, low=-1), "high", "from -1 to 10"),
        (Field("f1", "heading", "Part one", required=True), "required", "nobody can be required to answer"),
    ],
)
def test_what_is_wrong_with_one_field(field, name, sentence):
    ((blamed, said),) = definition.own_problems(field)
    assert blamed == name and sentence in said


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ([replace(WHERE, only_if=Condition("f9", "yes"))], "“Where?” is shown only if the field “f9” is answered, and there is no such field."),
        ([WHERE, HURT], "“Where?” is shown only after an answer to “Was somebody hurt?”, so it has to stand below it."),
        ([replace(WHERE, only_if=Condition("f2", "Arm"))], "shown only if it is answered itself"),
        (
            [replace(HURT, only_if=Condition("f3", "1")), WHERE, HOW],
            "“Was somebody hurt?” and “How badly?” and “Where?” wait for each other: none of them would ever be shown.",
        ),
        ([HURT, replace(WHERE, only_if=Condition("f1", "Yes"))], "is shown only if “Was somebody hurt?” is “Yes”, which is none of its answers"),
        ([TELL, replace(WHERE, only_if=Condition("f4", "x"))], "“Where?” waits for “Tell more”, whose answers can't be known beforehand."),
        ([HURT, replace(TELL, key="f1")], "The key “f1” stands at two fields."),
        ([replace(TELL, key=f"f{number}") for number in range(301)], "at most 300 fields. This one has 301."),
    ],
)  # fmt: skip
def test_what_is_wrong_with_fields_together(fields, sentence):
    said = definition.problems(fields)
    assert len(said) == 1 and sentence in said[0], said


def test_a_ring_is_said_once_and_who_waits_for_it_is_not_blamed():
    ring = [replace(HURT, only_if=Condition("f5", "yes")), Field("f5", "yes_no", "Sure?", only_if=Condition("f1", "yes")), WHERE]
    (said,) = definition.problems(ring)
    assert "“Was somebody hurt?” and “Sure?” wait for each other" in said


def test_the_examples_are_good():
    for key, starter in STARTERS.items():
        assert definition.problems(list(starter.fields)) == [], key
        assert starter.audience and ("for_referral_users" not in starter.audience or starter.names_student)


_KEYS = st.sampled_from(["f1", "f2", "f3", "f4"])
_CONDITIONS = st.none() | st.builds(Condition, _KEYS, st.sampled_from(["yes", "no", "other"]))
_FIELDS = st.lists(st.builds(Field, _KEYS, st.sampled_from(["yes_no", "text"]), st.just("Asked"), only_if=_CONDITIONS),
                   max_size=4, unique_by=lambda field: field.key)  # fmt: skip


@given(_FIELDS, st.dictionaries(_KEYS, st.booleans()))
def test_without_a_problem_every_field_can_come_up(fields, answers):
    if not definition.problems(fields):
        wanted = {field.only_if.field: field.only_if.answer == "yes" for field in fields if field.only_if}
        waits_alike = len({(field.only_if.field, field.only_if.answer) for field in fields if field.only_if}) == len(wanted)
        if waits_alike:
            assert definition.shown(fields, wanted) == {field.key for field in fields}
    assert definition.shown(fields, answers) <= {field.key for field in fields}


def test_keys_are_not_used_again():
    assert definition.new_key([]) == "f1"
    assert definition.new_key(["f1", "f9", "age", "f10x"]) == "f10"


def test_putting_moving_and_taking_out():
    new = Field("f9", "text", "New")
    keys = lambda fields: " ".join(field.key for field in fields)  # noqa: E731
    assert keys(definition.put(ALL, new)) == "f1 f2 f3 f4 f9"
    assert keys(definition.put(ALL, new, 1)) == "f9 f1 f2 f3 f4"
    assert keys(definition.put(ALL, new, 99)) == "f1 f2 f3 f4 f9"
    assert keys(definition.put(ALL, WHERE, 4)) == "f1 f3 f4 f2"
    assert keys(definition.put(ALL, replace(WHERE, label="Other"))) == "f1 f2 f3 f4"
    assert keys(definition.without(ALL, "f2")) == "f1 f3 f4"
    assert definition.waiting_for(ALL, "f1") == [WHERE] and definition.waiting_for(ALL, "f4") == []


def test_what_changed_in_words():
    new = [replace(HURT, label="Is somebody hurt?", required=True), TELL, replace(WHERE, options=("Head", "Leg"))]
    assert definition.differences(ALL, [*new, Field("f7", "date", "When?")]) == [
        "Changed: “Is somebody hurt?” (question, required)",
        "Changed: “Where?” (answers)",
        "Added: “When?” (date)",
        "Removed: “How badly?”",
        "The order",
    ]
    assert definition.differences(ALL, ALL) == []
    assert definition.differences(ALL, [*ALL[:2], replace(HOW, low=1, high=9), TELL]) == ["Changed: “How badly?” (scale)"]


def test_a_long_question_is_cut_in_sentences():
    assert replace(HURT, label="x" * 300).named == f"“{'x' * 79}…”"
