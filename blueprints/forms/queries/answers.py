"""Answers as people read them, beside the question that was asked. A student in an answer stands there for those alone who may
know that student; for everybody else it was not answered. Writes nothing.
"""

from typing import NamedTuple

import permissions
from blueprints.forms import fields as definition
from blueprints.kit.days import parse_day, show_day
from blueprints.kit.text import fold
from models import FormVersion, StoredFile, Student

BATCH = 500  # references in one question to the database
# Types of fields whose answers a list can be filtered by.
FILTERED = (*definition.LISTED, "text", "long_text", "number", "date", "person")


class Shown(NamedTuple):
    """A field of a response: `words` "" where it was not answered; `student_ref` where the words name a student of the school;
    `files` [(reference, name)]."""

    field: definition.Field
    words: str
    student_ref: str | None
    files: list


class Names(NamedTuple):
    """What references in answers stand for: {reference: name} of the students whom the reader may know, and of files."""

    students: dict
    files: dict


def names(user, answers, files=()):
    """The Names that these answers (dicts as FormResponse.answers has them) need; `files` are (reference, name)."""
    refs = {value["ref"] for each in answers for value in each.values() if isinstance(value, dict) and value.get("ref")}
    found = {}
    for batch in _batches(sorted(refs)):
        for row in permissions.visible_students(user, Student).where(Student.ref.in_(batch)):
            found[row.ref] = row.name
    return Names(found, dict(files))


def _batches(refs):
    return [refs[start : start + BATCH] for start in range(0, len(refs), BATCH)]


def files_of(response_ids):
    """[(id of the response, key of the field, reference, name)] of the files that these responses came with."""
    query = StoredFile.select(StoredFile.form_response, StoredFile.form_field, StoredFile.ref, StoredFile.name)
    found = []
    for batch in _batches(list(response_ids)):
        mine = StoredFile.form_response.in_(batch) & StoredFile.removed_at.is_null()
        found.extend(query.where(mine).order_by(StoredFile.id).tuples())
    return found


def in_words(field, value, names):
    """One answer as a text; "" for none."""
    if value is None:
        return ""
    if field.type == "yes_no":
        return "Yes" if value else "No"
    if field.type == "date":
        return show_day(parse_day(value))
    if field.type == "file":
        return ", ".join(names.files[ref] for ref in value if ref in names.files)
    if field.type == "several_of":
        return ", ".join(value)
    if field.type == "student" and value.get("ref"):
        return names.students.get(value["ref"], "")
    return value["name"] if isinstance(value, dict) else definition.as_text(value)


def beside_questions(fields, answers, names, sent=None):
    """[Shown] of everything that was asked, in its order. `sent`: the files of the response as files_of() has them."""
    asked = definition.shown(fields, answers)
    found = []
    for field in fields:
        if field.key not in asked:
            continue
        value = answers.get(field.key)
        words = in_words(field, value, names) if field.is_asked else ""
        student = value.get("ref") if field.type == "student" and value and words else None
        files = [(ref, name) for _, key, ref, name in sent or () if key == field.key]
        found.append(Shown(field, words, student, files))
    return found


def fits(field, value, wanted):
    """Whether an answer is the one that is looked for: one of the listed ones, or one with these words in it."""
    if field.type in definition.LISTED:
        given = value if isinstance(value, list) else [value]
        return wanted in [definition.as_text(one) for one in given]
    text = value["name"] if isinstance(value, dict) else definition.as_text(value)
    return fold(wanted) in fold(text)


def all_fields(form):
    """{number: {key: Field}} of every published version of a form that was loaded."""
    rows = FormVersion.select(FormVersion.number, FormVersion.fields).where(
        (FormVersion.form == form.id) & FormVersion.published_at.is_null(False)
    )
    return {number: {field.key: field for field in definition.read(text)} for number, text in rows.tuples()}


def columns(versions):
    """Every field that any of these versions asks ({number: {key: Field}}), each once as the newest version has it: those of
    the newest in their order, then those that are no longer asked."""
    found = {}
    for number in sorted(versions, reverse=True):
        for key, field in versions[number].items():
            if field.is_asked:
                found.setdefault(key, field)
    return list(found.values())

