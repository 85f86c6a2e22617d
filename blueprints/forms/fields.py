"""The definition of a form: its fields as they stand in FormVersion.fields, what makes them good, when each is asked.

Asks nothing of the database and knows no person: what triggers and saved filters use of a form is for
queries/definitions.py.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

TYPES = {
    "text": "Text",
    "long_text": "Long text",
    "number": "Number",
    "date": "Date",
    "one_of": "One of",
    "several_of": "Several of",
    "scale": "Scale",
    "yes_no": "Yes / no",
    "person": "Person",
    "student": "Student",
    "file": "File",
    "heading": "Heading",
}
WITH_OPTIONS = ("one_of", "several_of")
# Types whose answers can be listed beforehand: what another field, or a trigger, can be bound to.
LISTED = ("one_of", "several_of", "scale", "yes_no")
YES, NO = "yes", "no"

MOST_FIELDS = 300
MOST_OPTIONS = 100
LONGEST_LABEL = 300  # characters, as the ones below
LONGEST_HELP = 2_000
LONGEST_OPTION = 200
LOWEST, HIGHEST = 0, 10  # of a scale
_KEY = re.compile(r"[a-z][a-z0-9_]{0,19}")
_NUMBERED = re.compile(r"f([0-9]{1,9})")


@dataclass(frozen=True, slots=True)
class Condition:
    """A field is asked only if the field with this key has the answer `answer`, a text as as_text() writes it."""

    field: str
    answer: str


@dataclass(frozen=True, slots=True)
class Field:
    """One field. `options`: the answers of one_of and several_of. `low` and `high`: the ends of a scale, whole numbers."""

    key: str
    type: str
    label: str
    help: str = ""
    required: bool = False
    options: tuple[str, ...] = ()
    low: int = 1
    high: int = 5
    only_if: Condition | None = None

    @property
    def is_asked(self) -> bool:
        """Whether people answer it; a heading only stands there."""
        return self.type != "heading"

    @property
    def named(self) -> str:
        """Its question in quotation marks, cut short, for sentences about it."""
        return f"“{self.label if len(self.label) <= 80 else self.label[:79] + '…'}”"

    @property
    def type_word(self) -> str:
        """What the builder calls its type."""
        return TYPES[self.type]

    def answers(self) -> list[tuple[str, str]]:
        """[(text as as_text() writes it, words)] of the answers that can be listed beforehand."""
        if self.type in WITH_OPTIONS:
            return [(option, option) for option in self.options]
        if self.type == "scale":
            return [(str(step), str(step)) for step in range(self.low, self.high + 1)]
        return [(YES, "Yes"), (NO, "No")] if self.type == "yes_no" else []

    def as_dict(self) -> dict[str, Any]:
        """As it stands in FormVersion.fields and in an exported definition."""
        found: dict[str, Any] = {"key": self.key, "type": self.type, "label": self.label, "help": self.help}
        found["required"] = self.required
        if self.type in WITH_OPTIONS:
            found["options"] = list(self.options)
        if self.type == "scale":
            found |= {"from": self.low, "to": self.high}
        found["only_if"] = {"field": self.only_if.field, "is": self.only_if.answer} if self.only_if else None
        return found


def read(text: str) -> list[Field]:
    """The fields of a FormVersion, in their order. Trusts what it reads: publishing and importing have checked it."""
    return [_field(one) for one in json.loads(text)]


def _field(given: Mapping[str, Any]) -> Field:
    condition = given.get("only_if")
    return Field(
        key=given["key"],
        type=given["type"],
        label=given["label"],
        help=given.get("help") or "",
        required=bool(given.get("required")),
        options=tuple(given.get("options") or ()),
        low=given.get("from", 1),
        high=given.get("to", 5),
        only_if=Condition(condition["field"], condition["is"]) if condition else None,
    )


def write(fields: Iterable[Field]) -> str:
    """The text for FormVersion.fields."""
    return json.dumps([field.as_dict() for field in fields], ensure_ascii=False)


def find(fields: Iterable[Field], key: str) -> Field | None:
    """The field with this key, or None."""
    return next((field for field in fields if field.key == key), None)


def fingerprint(field: Field) -> str:
    """A word for the field exactly as it is: what a page that changes it was opened on."""
    return hashlib.sha256(write([field]).encode()).hexdigest()[:16]


def new_key(keys: Iterable[str]) -> str:
    """A key that none of `keys` is: those of every version of the form, so that no answer changes its question."""
    numbers = [int(found[1]) for key in keys if (found := _NUMBERED.fullmatch(key))]
    return f"f{max(numbers, default=0) + 1}"


# --- When a field is asked -------------------------------------------------------------------------------------------


def as_text(value: Any) -> str:
    """One answer as conditions and triggers compare it: "yes" or "no" for true or false, "" for none."""
    if isinstance(value, bool):
        return YES if value else NO
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if value is None else str(value)


def shown(fields: Iterable[Field], answers: Mapping[str, Any]) -> set[str]:
    """The keys of the fields that are asked, given these answers {key: value}. An answer to a field that is not asked
    itself brings up nothing."""
    keys: set[str] = set()
    for field in fields:
        condition = field.only_if
        if condition is None or (condition.field in keys and condition.answer in _given(answers.get(condition.field))):
            keys.add(field.key)
    return keys


def _given(value: Any) -> list[str]:
    return [as_text(one) for one in (value if isinstance(value, list) else [value])]


def condition_words(field: Field, fields: Iterable[Field]) -> str:
    """When the field is asked: "only if “Injured” is Yes"; "" for always."""
    if field.only_if is None:
        return ""
    on = find(fields, field.only_if.field)
    answer = dict(on.answers()).get(field.only_if.answer, field.only_if.answer) if on else field.only_if.answer
    return f"only if {on.named if on else field.only_if.field} is {answer}"


# --- What makes a definition good ------------------------------------------------------------------------------------


def problems(fields: list[Field]) -> list[str]:
    """What is wrong with these fields, a sentence each; empty when they can be published."""
    found = []
    if len(fields) > MOST_FIELDS:
        found.append(f"A form can have at most {MOST_FIELDS} fields. This one has {len(fields):,}.")
    keys: set[str] = set()
    for field in fields:
        if field.key in keys:
            found.append(f"The key “{field.key[:40]}” stands at two fields. Each needs its own.")
        keys.add(field.key)
        found += [sentence for _, sentence in own_problems(field)]
    return found + condition_problems(fields)


def own_problems(field: Field) -> list[tuple[str, str]]:
    """[(name of the attribute, sentence)] of what is wrong with a field by itself."""
    checks = (_key_problem, _label_problem, _options_problem, _scale_problem)
    found = [(name, sentence) for check in checks for name, sentence in check(field)]
    if field.type == "heading" and field.required:
        found.append(("required", f"{field.named} is a heading: nobody can be required to answer it."))
    return found


def _key_problem(field):
    if not _KEY.fullmatch(field.key):
        yield "key", f"“{field.key[:40]}” is no key. A key is a small letter, then up to 19 small letters, digits or _."


def _label_problem(field):
    if field.type not in TYPES:
        yield "type", f"“{field.type[:40]}” is no type of field. Use one of: {', '.join(TYPES)}."
    if not field.label:
        yield "label", "Say what is asked."
    if len(field.label) > LONGEST_LABEL:
        yield "label", f"This is {len(field.label):,} characters long, and can have {LONGEST_LABEL}: put the rest into the help."
    if len(field.help) > LONGEST_HELP:
        yield "help", f"The help is {len(field.help):,} characters long. It can have at most {LONGEST_HELP:,}."


def _options_problem(field):
    if field.type not in WITH_OPTIONS:
        return
    if len(field.options) < 2:
        yield "options", f"{field.named} needs at least two answers to choose from."
    if len(field.options) > MOST_OPTIONS:
        yield "options", f"{field.named} has {len(field.options):,} answers. It can have at most {MOST_OPTIONS}."
    seen: set[str] = set()
    for option in field.options:
        if not option or len(option) > LONGEST_OPTION:
            yield "options", f"An answer of {field.named} is empty or longer than {LONGEST_OPTION} characters."
        if option.casefold() in seen:
            yield "options", f"“{option[:80]}” stands twice among the answers of {field.named}."
        seen.add(option.casefold())


def _scale_problem(field):
    if field.type == "scale" and not LOWEST <= field.low < field.high <= HIGHEST:
        within = f"It has to rise, within {LOWEST} to {HIGHEST}."
        yield "high", f"The scale of {field.named} runs from {field.low} to {field.high}. {within}"


def condition_problems(fields: list[Field]) -> list[str]:
    """What is wrong with when the fields are asked, a sentence each."""
    places = {field.key: place for place, field in enumerate(fields)}
    rings = _rings({field.key: field.only_if.field for field in fields if field.only_if})
    found = []
    for ring in rings:
        if len(ring) == 1:
            found.append(f"{fields[places[ring[0]]].named} is shown only if it is answered itself: it would never be shown.")
        else:
            names = " and ".join(fields[places[key]].named for key in ring)
            found.append(f"{names} wait for each other: none of them would ever be shown.")
    in_ring = {key for ring in rings for key in ring}
    for field in fields:
        if field.only_if and field.key not in in_ring:
            found += _condition_problem(field, fields, places)
    return found


def _condition_problem(field, fields, places):
    place = places.get(field.only_if.field)
    if place is None:
        return [f"{field.named} is shown only if the field “{field.only_if.field[:40]}” is answered, and there is no such field."]
    on = fields[place]
    if on.type not in LISTED:
        return [f"{field.named} waits for {on.named}, whose answers can't be known beforehand. "
                "It can wait for one of, several of, scale, or yes / no."]  # fmt: skip
    if field.only_if.answer not in dict(on.answers()):
        return [f"{field.named} is shown only if {on.named} is “{field.only_if.answer[:80]}”, which is none of its answers."]
    if place > places[field.key]:
        return [f"{field.named} is shown only after an answer to {on.named}, so it has to stand below it."]
    return []


def _rings(waits):
    """The circles in {key: the key it waits for}, each as the list of its keys."""
    rings, done = [], set()
    for start in waits:
        path, key = [], start
        while key in waits and key not in done and key not in path:
            path.append(key)
            key = waits[key]
        if key in path:
            rings.append(path[path.index(key) :])
        done.update(path)
    return rings


def waiting_for(fields: Iterable[Field], key: str) -> list[Field]:
    """The fields that are shown only if the field with this key has an answer."""
    return [field for field in fields if field.only_if and field.only_if.field == key]


# --- Changing a list of fields ---------------------------------------------------------------------------------------


def put(fields: list[Field], field: Field, place: int | None = None) -> list[Field]:
    """The list with this field in it, instead of the one of its key. `place`: its number in the new list, counted from 1;
    None leaves it where it is, a new one at the end."""
    at = next((number for number, one in enumerate(fields) if one.key == field.key), len(fields))
    rest = [one for one in fields if one.key != field.key]
    at = at if place is None else max(0, min(place - 1, len(rest)))
    return [*rest[:at], field, *rest[at:]]


def without(fields: list[Field], key: str) -> list[Field]:
    """The list without the field of this key."""
    return [field for field in fields if field.key != key]


# --- What changed ----------------------------------------------------------------------------------------------------


def differences(old: list[Field], new: list[Field]) -> list[str]:
    """What makes `new` different from `old`, a sentence each, in the order of the fields."""
    before = {field.key: field for field in old}
    after = {field.key for field in new}
    found = []
    for field in new:
        was = before.get(field.key)
        if was is None:
            found.append(f"Added: {field.named} ({field.type_word.lower()})")
        elif was != field:
            found.append(f"Changed: {field.named} ({', '.join(_changed(was, field))})")
    found += [f"Removed: {field.named}" for field in old if field.key not in after]
    kept_before = [field.key for field in old if field.key in after]
    if kept_before != [field.key for field in new if field.key in before]:
        found.append("The order")
    return found


_PARTS = {"type": "type", "label": "question", "help": "help", "required": "required", "options": "answers",
          "low": "scale", "high": "scale", "only_if": "shown only if"}  # fmt: skip


def _changed(was, now):
    words = [word for name, word in _PARTS.items() if getattr(was, name) != getattr(now, name)]
    return list(dict.fromkeys(words))


# --- Saved filters ---------------------------------------------------------------------------------------------------


def filter_name(key: str) -> str:
    """What the filter by this field's answers is called in an address, and so in a saved filter's query."""
    return f"a_{key}"
