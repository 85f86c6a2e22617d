"""Suggestions of the search bar while somebody types: students, then a record whose reference it is; nothing closed."""

import pytest

from extensions import db
from models import Event
from tests import factories


@pytest.fixture
def world(app, cast):
    cast.ann = factories.student(
        "Ann", "Finch", year_group="7", tutor_group="7A", email="ann.f@school.example.org", admission_number="A7781"
    )
    cast.row = factories.incident(cast.sam, [cast.ann], "A quarrel about a scooter.", ref="I-7K10Q2")
    cast.case = factories.case(of=cast.ann, title="Attendance", ref="C-9M2T4V", groups=[cast.counselling])
    return cast


def suggested(client, text):
    answer = client.get("/search/suggest", query_string={"q": text})
    assert answer.status_code == 200 and answer.mimetype == "application/json"
    return answer.json


def labels(client, text):
    return [one["label"] for one in suggested(client, text)]


def test_students_come_with_their_address(client_for, world):
    assert suggested(client_for("oli"), "finch a") == [
        {"label": "Ann Finch", "hint": "Year 7, 7A", "url": f"/students/{world.ann.ref}", "kind": "student"}
    ]


def test_at_most_eight_and_who_is_called_so_first(client_for, world):
    for number in range(12):
        factories.student("Johanna", f"Wren{number}")
    found = labels(client_for("oli"), "ann")
    assert len(found) == 8 and found[0] == "Ann Finch"


@pytest.mark.parametrize("text", ["A7781", "a778", "ann.f@", "school.example"])
def test_number_and_email_are_for_readers_of_the_details(client_for, world, text):
    assert "Ann Finch" in labels(client_for("kay"), text)
    for who in ("sam", "gil", "mo", "oli"):
        assert labels(client_for(who), text) == []


def test_who_is_excluded_is_suggested_nobody(client_for, world):
    factories.exclusion(world.kay, world.ada, student=world.ann)
    for text in ("ann", "I-7K10Q2", "C-9M2T4V"):
        assert suggested(client_for("kay"), text) == []


@pytest.mark.parametrize("text", ["I-7K10Q2", "i7k1oq2", "7k10q2", " i 7k10q2 "])
def test_an_incident_by_its_reference(client_for, world, text):
    expected = [{"label": "I-7K10Q2", "hint": "Incident", "url": "/incidents/I-7K10Q2", "kind": "incident"}]
    for who in ("kay", "ada", "sam"):
        assert suggested(client_for(who), text) == expected
    for who in ("oli", "gil", "mo"):
        assert suggested(client_for(who), text) == suggested(client_for(who), "I-ZZZZZZ") == []


@pytest.mark.parametrize("text", ["C-9M2T4V", "c9m2t4v", "9m2t4v"])
def test_a_case_by_its_reference(client_for, world, text):
    expected = [{"label": "C-9M2T4V", "hint": "Case", "url": "/cases/C-9M2T4V", "kind": "case"}]
    for who in ("gil", "mo", "ada"):
        assert suggested(client_for(who), text) == expected
    for who in ("kay", "sam", "oli"):
        assert suggested(client_for(who), text) == suggested(client_for(who), "C-ZZZZZZ") == []


def test_an_answer_about_a_hidden_record_is_that_about_none(client_for, world):
    oli = client_for("oli")
    texts = ("C-9M2T4W", "I-7K10Q3", "9M2T4W", "ann", "zanzibar")
    before = [oli.get("/search/suggest", query_string={"q": text}).data for text in texts]
    factories.case(of=world.ann, title="zanzibar", ref="C-9M2T4W", entries=[(world.ada, "zanzibar")])
    factories.incident(world.sam, [world.ann], "zanzibar", ref="I-7K10Q3")
    assert [oli.get("/search/suggest", query_string={"q": text}).data for text in texts] == before


def test_words_of_a_text_are_not_suggested(client_for, world):
    for text in ("scooter", "Attendance"):
        assert suggested(client_for("ada"), text) == []


@pytest.mark.parametrize("who", ["stu", "rae"])
def test_students_and_referral_users_have_none(client_for, world, who):
    for text in ("", "ann", "I-7K10Q2"):
        assert client_for(who).get("/search/suggest", query_string={"q": text}).status_code == 404


def test_nobody_signed_in_is_led_to_sign_in(client, world):
    assert client.get("/search/suggest?q=ann").status_code == 302


HOSTILE = [
    "", " ", "%", "_", "!", "'", '"', "\x00", "a\x00nn", "<script>", "x" * 10_000, "a " * 5_000, "I-" * 3_000, "🙂", "NEAR(",
    "OR 1=1 --", "\\", "|", "ann|", "٣٣٣٣٣٣",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_nothing_that_is_typed_does_harm(client_for, world, text):
    for who in ("kay", "sam"):
        assert isinstance(suggested(client_for(who), text), list)


def test_a_percent_sign_is_a_letter(client_for, world):
    factories.student("Per%Cent", "Under_Score")
    for who in ("kay", "sam"):
        for text, expected in (("r%c", 1), ("r_c", 0), ("e_s", 0), ("r_s", 1), ("!", 0)):
            assert len(suggested(client_for(who), text)) == expected


def test_typing_is_not_on_record_and_costs_few_queries(client_for, world, count_queries):
    kay = client_for("kay")
    counts = []
    for rows in (0, 40):
        with db.atomic():
            for _ in range(rows):
                factories.incident(world.sam, [factories.student("Ann")])
        for text in ("ann", "7k10q2"):
            suggested(kay, text)
            with count_queries(most=4) as queries:
                suggested(kay, text)
            counts.append(len(queries))
    assert counts == [2, 3, 2, 3]
    assert not Event.select().where(Event.verb.startswith("search") | Event.verb.endswith("listed")).exists()
