"""A form's definition as a file, out and in. A file comes from anywhere: everything in it is checked, and one that is not
good changes nothing."""

import json
from typing import Any, NamedTuple

import events
import permissions
from blueprints.forms import fields as definition
from blueprints.forms.actions.building import AUDIENCE, BUILD, create
from blueprints.forms.queries import definitions
from blueprints.kit.text import clean, one_line
from extensions import db

KIND, FORMAT = "caseward_form", 1
LONGEST_FILE = 1_000_000  # characters
LONGEST_NAME, LONGEST_DESCRIPTION = 120, 2_000
MOST_SENTENCES = 20


class Definition(NamedTuple):
    """A checked definition: what create() takes."""

    name: str
    description: str
    audience: list[str]
    names_student: bool
    fields: list[definition.Field]


class NotGood(Exception):
    """The definition can't be taken; `sentences` say why."""

    def __init__(self, sentences):
        super().__init__(" ".join(sentences))
        self.sentences = sentences


def export_form(form, *, actor):
    """The text of the form's definition as it is being edited. Raises Denied."""
    permissions.require(BUILD, actor)
    row = definitions.edited(form)
    events.record_alone("form.exported", actor=actor, target=form.ref, format="json")
    found = {
        KIND: FORMAT,
        "name": form.name,
        "description": form.description,
        "audience": [column.removeprefix("for_") for column in AUDIENCE if getattr(form, column)],
        "names_student": form.names_student,
        "fields": [field.as_dict() for field in definition.read(row.fields)],
    }
    return json.dumps(found, ensure_ascii=False, indent=2) + "\n"


def import_form(text, *, actor, name=""):
    """Add a form from the text of a definition, as a draft; `name` instead of the one in it. Raises Denied, NotGood with
    everything that is wrong, or Refused where a form has this name."""
    permissions.require(BUILD, actor)
    good = checked(text, actor=actor)
    with db.atomic():
        wanted = name or definitions.free_name(good.name)
        row = create(wanted, good.description, good.audience, good.names_student, good.fields, actor=actor)
        events.record("form.imported", actor=actor, target=row.ref, fields=len(good.fields))
    return row


def checked(text, *, actor):
    """The Definition in this text. Raises Denied, or NotGood with what is wrong: at most 20 sentences."""
    permissions.require(BUILD, actor)
    given = _parsed(text)
    name, description = one_line(_text(given.get("name"))), clean(_text(given.get("description"))).strip()
    sentences = _name_problems(name, description)
    audience = _audience(given.get("audience"), sentences)
    names_student = given.get("names_student", True)
    if not isinstance(names_student, bool):
        sentences.append("“names_student” has to be true or false.")
    elif "for_referral_users" in audience and not names_student:
        sentences.append("What a Referral User sends is a referral, and a referral is about a student: “names_student” is false.")
    fields = _fields(given.get("fields"), sentences)
    if not sentences:
        sentences = definition.problems(fields)
    if sentences:
        more = len(sentences) - MOST_SENTENCES
        raise NotGood(sentences[:MOST_SENTENCES] + ([f"And {more} more."] if more > 0 else []))
    return Definition(name, description, audience, names_student, fields)


def _parsed(text):
    if len(text) > LONGEST_FILE:
        raise NotGood([f"The definition has {len(text):,} characters. It can have at most {LONGEST_FILE:,}."])
    try:
        given = json.loads(text.removeprefix("\ufeff"))
    except RecursionError:
        raise NotGood(["The definition is nested too deep to be one of a form."]) from None
    except json.JSONDecodeError as problem:
        raise NotGood([f"This is not JSON: line {problem.lineno}, column {problem.colno} can't be read."]) from None
    except ValueError:
        raise NotGood(["This is not JSON: it holds a number that is too long."]) from None
    if not isinstance(given, dict) or given.get(KIND) != FORMAT:
        raise NotGood([f"This is no definition of a form: it has to begin with \"{KIND}\": {FORMAT}."])
    return given


def _text(value):
    return value if isinstance(value, str) else ""


def _name_problems(name, description):
    found = [] if name else ["The definition has no “name”."]
    if len(name) > LONGEST_NAME:
        found.append(f"The name has {len(name):,} characters. It can have at most {LONGEST_NAME}.")
    if len(description) > LONGEST_DESCRIPTION:
        found.append(f"The description has {len(description):,} characters. It can have at most {LONGEST_DESCRIPTION:,}.")
    return found


def _audience(given, sentences):
    known = {column.removeprefix("for_"): column for column in AUDIENCE}
    if not isinstance(given, list) or not given or not all(isinstance(one, str) and one in known for one in given):
        sentences.append(f"“audience” has to be a list of {', '.join(known)}, at least one of them.")
        return []
    return [known[one] for one in given]


def _fields(given, sentences):
    if not isinstance(given, list) or not given:
        sentences.append("The definition has no “fields”.")
        return []
    if len(given) > definition.MOST_FIELDS:
        sentences.append(f"A form can have at most {definition.MOST_FIELDS} fields. This one has {len(given):,}.")
        return []
    found = []
    for number, one in enumerate(given, 1):
        wrong = _wrong(one)
        if wrong:
            sentences.append(f"Field {number}: {wrong}")
        else:
            found.append(_field(one))
    return found


_SHAPES: dict[str, tuple[type, str]] = {
    "key": (str, "a text"),
    "type": (str, "a text"),
    "label": (str, "a text"),
    "help": (str, "a text"),
    "required": (bool, "true or false"),
    "options": (list, "a list of texts"),
    "from": (int, "a whole number"),
    "to": (int, "a whole number"),
}


def _wrong(one: Any) -> str:
    """What about the shape of a field keeps it from being read; "" for nothing."""
    if not isinstance(one, dict):
        return "it is no object."
    for name, (kind, words) in _SHAPES.items():
        if name in one and (not isinstance(one[name], kind) or (kind is int and isinstance(one[name], bool))):
            return f"“{name}” has to be {words}."
    missing = [name for name in ("key", "type", "label") if name not in one]
    if missing:
        return f"“{missing[0]}” is missing."
    if not all(isinstance(option, str) for option in one.get("options", ())):
        return "“options” has to be a list of texts."
    condition = one.get("only_if")
    if condition is not None and not _is_condition(condition):
        return "“only_if” has to be null or an object with the texts “field” and “is”."
    if any(abs(one.get(end, 0)) > definition.HIGHEST for end in ("from", "to")):
        return f"a scale runs within {definition.LOWEST} to {definition.HIGHEST}."
    unknown = sorted(set(one) - set(_SHAPES) - {"only_if"})
    return f"“{one_line(unknown[0])[:40]}” is nothing that a field has." if unknown else ""


def _is_condition(given):
    return isinstance(given, dict) and set(given) == {"field", "is"} and all(isinstance(value, str) for value in given.values())


def _field(one):
    condition = one.get("only_if")
    return definition.Field(
        key=one_line(one["key"]),
        type=one_line(one["type"]),
        label=one_line(one["label"]),
        help=clean(one.get("help", "")).strip(),
        required=one.get("required", False),
        options=tuple(one_line(option) for option in one.get("options", ())),
        low=one.get("from", 1),
        high=one.get("to", 5),
        only_if=definition.Condition(one_line(condition["field"]), one_line(condition["is"])) if condition else None,
    )
