"""The search of the header: students as they may be found, an incident by reference, nothing one may not see."""

import json

import pytest

from extensions import db
from models import Event
from tests import factories
from tests.web import text_of


@pytest.fixture
def world(app, cast):
    cast.zoe = factories.student("Zoë", "O’Brien-Łoś", email="zoe.los@school.example.org", admission_number="A7781")
    cast.plain = factories.incident(cast.sam, [cast.zoe], ref="I-7K10Q2")
    cast.secret = factories.incident(
        cast.sam, [(cast.zoe, [factories.category("Disclosure", need_to_know=[cast.counselling])])], ref="I-SECRET"[:8]
    )
    return cast


def ask(client, text, **more):
    return client.get("/search", query_string={"q": text, **more})


@pytest.mark.parametrize("text", ["zoe", "obrien", "O'Brien", "los zoe", "A7781", "zoe.los@school"])
def test_students_are_found_by_name_number_and_email(client_for, world, text):
    page = ask(client_for("kay"), text)
    assert page.status_code == 200
    assert f'href="/students/{world.zoe.ref}"' in page.text


def test_staff_without_the_details_find_no_number_and_no_email(client_for, world):
    for text in ("A7781", "zoe.los@school"):
        assert world.zoe.ref not in ask(client_for("sam"), text).text
    assert world.zoe.ref in ask(client_for("sam"), "zoe").text


@pytest.mark.parametrize("text", ["I-7K10Q2", "i-7k10q2", "7K10Q2", "I 7K10Q2", "I-7KIOQ2", "i-7kl0q2", " I7K10Q2 "])
def test_a_reference_leads_straight_to_the_incident(client_for, world, text):
    answer = ask(client_for("kay"), text)
    assert answer.status_code == 302 and answer.location.endswith("/incidents/I-7K10Q2")


def test_a_foreign_reference_finds_as_little_as_a_missing_one(client_for, world):
    oli = client_for("oli")
    for_foreign, for_missing = ask(oli, "I-7K10Q2"), ask(oli, "I-ZZZZZZ")
    assert for_foreign.status_code == for_missing.status_code == 200
    same = text_of(for_foreign).replace("I-7K10Q2", "")
    assert same == text_of(for_missing).replace("I-ZZZZZZ", "")
    assert "Nothing found" in same
    assert "Nothing found" in ask(client_for("kay"), world.secret.ref).text
    assert ask(client_for("gil"), world.secret.ref).status_code == 302


def test_an_excluded_student_is_not_found(client_for, world):
    factories.exclusion(world.kay, world.ada, student=world.zoe)
    assert "Nothing found" in ask(client_for("kay"), "zoe").text
    assert "Nothing found" in ask(client_for("kay"), "I-7K10Q2").text


def test_searches_are_on_record_with_their_count_only(client_for, world):
    ask(client_for("kay"), "zoe")
    (event,) = Event.select().where(Event.verb == "search.run")
    assert json.loads(event.data) == {"count": 1} and event.target == ""
    ask(client_for("kay"), "  ")
    assert Event.select().where(Event.verb == "search.run").count() == 1


@pytest.mark.parametrize("text", ["", "%", "'", '"', "\x00", "<script>", "I-", "x" * 5000, "OR 1=1 --", "🙂"])
def test_nothing_that_is_typed_does_harm(client_for, world, text):
    page = ask(client_for("kay"), text, page="-1")
    assert page.status_code == 200 and "<script>" not in page.text.replace("<script defer", "")


@pytest.mark.parametrize("who", ["stu", "rae"])
def test_students_and_referral_users_have_no_search(client_for, world, who):
    assert ask(client_for(who), "zoe").status_code == 404


def test_nobody_signed_in_is_led_to_sign_in(client, world):
    assert ask(client, "zoe").status_code == 302


def test_queries_are_few(client_for, world, count_queries):
    kay = client_for("kay")
    ask(kay, "zoe")
    with db.atomic():
        for _ in range(60):
            factories.student("Zoe")
    with count_queries(most=10):
        page = ask(kay, "zoe")
    assert "61" in text_of(page)
    assert "Zoe" in text_of(ask(kay, "zoe", page=2))
