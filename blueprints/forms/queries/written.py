"""Responses as plain text, many at once: for pages and files about a student that show them among other things. Whoever calls
has asked whether the reader may see the responses; a student in an answer is named to those alone who may know that student.
"""

import json

from blueprints.forms import fields as definition
from blueprints.forms.queries.answers import beside_questions, names
from blueprints.kit import prepared
from models import Form, FormVersion


def in_lines(user, sent):
    """What each of `sent` [(reference of the form, number of its version, answers as they are stored)] says: a line for each
    question that was answered, in the words of the version that it answers."""
    answers = [json.loads(each) for _, _, each in sent]
    asked = _asked({ref for ref, _, _ in sent}) if sent else {}
    named = names(user, answers)
    texts = []
    for (ref, number, _), given in zip(sent, answers, strict=True):
        shown = beside_questions(asked.get((ref, number), ()), given, named)
        texts.append("\n".join(f"{one.field.label}: {one.words}" for one in shown if one.words))
    return texts


def _asked(refs):
    """{(reference of the form, number): [Field]} of every version of these forms."""
    return {(ref, number): definition.read(text) for ref, number, text in prepared.rows(_versions_of, refs=sorted(refs))}


def _versions_of(refs):
    return FormVersion.select(Form.ref, FormVersion.number, FormVersion.fields).join(Form).where(Form.ref.in_(refs))
