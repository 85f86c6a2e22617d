"""A reference however it was typed, and what was typed as the full-text search asks for it."""

import random

import pytest

from blueprints.kit import fulltext
from blueprints.kit.text import reference
from models import CaseEntry, Incident
from tests import factories


@pytest.mark.parametrize("text", ["I-7K10Q2", "i-7k10q2", "7k10q2", "I 7K 10 Q2", "17K10Q2", "l7kloq2", "I–7KIOQ2", "\tI7K10Q2\n"])
def test_an_incident_however_it_was_typed(text):
    assert reference(text, "I") == "I-7K10Q2"


@pytest.mark.parametrize("text", ["C-9M2T4V", "c9m2t4v", "9m2t4v", "C 9M2T4V"])
def test_a_case_however_it_was_typed(text):
    assert reference(text, "C") == "C-9M2T4V"


@pytest.mark.parametrize("text", ["", "I-", "7K10Q", "I-7K10Q22", "C-7K10Q2", "I-7K10QU", "Ann Finch", "٣٣٣٣٣٣", "x" * 10_000])
def test_what_is_no_reference_of_an_incident(text):
    assert reference(text, "I") is None


def found(text):
    asked = fulltext.words(text)
    return Incident.select().where(Incident.id << fulltext.rows_with(Incident, asked)).count() if asked else 0


def test_words_quotes_and_minus(app, cast):
    factories.incident(cast.sam, text="A quarrel about a scooter, and Zoë's bag.")
    for text in ("scooter", "SCOOTERS", "scooter quarrel", '"quarrel about"', "scooter -bicycle", "zoe", "Zoë", "bicycle OR scooter"):
        assert found(text) == 1, text
    for text in ("scoot", "scoo*", "scooter -quarrel", '"scooter quarrel"', "bicycle", "text:scooter", "*", "-scooter", "%", ""):
        assert found(text) == 0, text


def test_nothing_raises(app, cast):
    factories.incident(cast.sam)
    tokens = ["the", "AND", "OR", "NOT", "-", '"', "(", ")", "*", "^", ":", "+", "{", "}", "NEAR(", "text", "'", "é", "🙂", "\0", "\\",
              "&", "|", "!", "<->", "/", ";", "--"]  # fmt: skip
    chance = random.Random(3)
    for _ in range(400):
        text = "".join(chance.choice(tokens) + chance.choice(["", " "]) for _ in range(chance.randrange(1, 12)))
        found(text)
        asked = fulltext.words(text)
        if asked:
            tables = fulltext.newest(Incident, asked, Incident.version > 0, 5)
            list(Incident.select().join(tables[-1], on=(tables[-1].c.id == Incident.id)).with_cte(*tables))
            list(CaseEntry.select(CaseEntry.id).where(CaseEntry.id << fulltext.rows_with(CaseEntry, asked)))
