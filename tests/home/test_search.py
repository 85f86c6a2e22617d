"""The search of the header: students as they may be found, an incident by reference, nothing one may not see."""

import json
import re
from datetime import timedelta

import pytest

from blueprints.kit import prepared
from extensions import clock as house_clock
from extensions import db
from models import CasePresenting, Event, GroupMember, Incident, School
from tests import factories
from tests.web import text_of


@pytest.fixture
def world(app, cast):
    cast.zoe = factories.student("Zoë", "O’Brien-Łoś", email="zoe.los@school.example.org", admission_number="A7781")
    cast.plain = factories.incident(cast.sam, [cast.zoe], "A quarrel about a scooter.", ref="I-7K10Q2")
    cast.disclosure = factories.category("Disclosure", need_to_know=[cast.counselling])
    cast.secret = factories.incident(
        cast.sam, [(cast.zoe, [cast.disclosure])], "She told of the zanzibar.", ref="I-SECRET"[:8]
    )
    cast.case = factories.case(
        of=cast.zoe, title="Attendance", ref="C-9M2T4V", groups=[cast.counselling], entries=[(cast.gil, "Rang the xylophonist.")]
    )
    return cast


def found(page):
    """{heading of a group: its visible text}."""
    groups = re.findall(r'<section class="panel"[^>]*aria-labelledby="([^"]+)">(.*?)</section>', page.text, re.S)
    return {re.search(rf'id="{label}">([^<]*)<', body)[1]: text_of(body) for label, body in groups}


def plain(page):
    """The status and all that is not drawn anew for each answer."""
    return page.status_code, re.sub(r'(name="(?:csrf_token|once)" value=)"[^"]*"', r"\1", page.text)


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


HOSTILE = [
    "", "%", "_", "'", '"', "\x00", "a\x00b", "<script>", "I-", "C-", "x" * 10_000, "zoe " * 2_500, "OR 1=1 --", "🙂",
    "🙂 scooter", "AND", "NOT", "NEAR(a b)", "text:scooter", "scooter*", "*", "^scooter", '"scooter', "-scooter", "(scooter",
    "{a b}: c", "scooter OR", "a & b | !c", "!!", "\\", "I-" + "9" * 5_000, "!%_", "٣٣٣٣٣٣",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_nothing_that_is_typed_does_harm(client_for, world, text):
    for show in (None, "students", "cases", "incidents", "nonsense"):
        page = ask(client_for("kay"), text, show=show, page="-1")
        assert page.status_code == 200 and "<script>" not in page.text.replace("<script defer", "")


@pytest.mark.parametrize("who", ["stu", "rae"])
def test_students_and_referral_users_have_no_search(client_for, world, who):
    assert ask(client_for(who), "zoe").status_code == 404


def test_nobody_signed_in_is_led_to_sign_in(client, world):
    assert ask(client, "zoe").status_code == 302


@pytest.mark.parametrize("who", ["kay", "sam"])
def test_queries_are_few(client_for, world, count_queries, who):
    client = client_for(who)
    few = ("scooter", "zoe", "7K3FQ2", "attendance")
    for text in few:
        ask(client, text)
    counts = []
    for rows in (0, 60):
        with db.atomic():
            for _ in range(rows):
                factories.student("Zoe")
                factories.incident(world.sam, [world.zoe, world.student], "The scooter again.")
                factories.case(world.zoe, opened_by=world.sam, title="Attendance again", entries=[(world.sam, "scooter")])
        counts.append([])
        for text in few:
            with count_queries(most=10) as queries:
                ask(client, text)
            counts[-1].append(len(queries))
    assert counts[0] == counts[1]


def test_one_group_by_itself_is_paged(client_for, world):
    with db.atomic():
        for _ in range(60):
            factories.student("Zoe")
    kay = client_for("kay")
    page = ask(kay, "zoe")
    assert "of 61 students" in found(page)["Students"] and "show=students" in page.text
    second = ask(kay, "zoe", show="students", page=2)
    assert "26–50 of 61 students" in text_of(second) and set(found(second)) == {"Students"}
    assert "61 students" in text_of(ask(kay, "zoe", show="students", page=999))


# --- Cases -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["C-9M2T4V", "c-9m2t4v", "9M2T4V", "c 9m2t4v", "c9m2t4v", "C–9M2T4V"])
def test_a_reference_leads_straight_to_the_case(client_for, world, text):
    answer = ask(client_for("gil"), text)
    assert answer.status_code == 302 and answer.location.endswith("/cases/C-9M2T4V")
    GroupMember.delete().where(GroupMember.account == world.gil).execute()
    assert "Nothing found" in ask(client_for("gil"), text).text


def test_a_reference_that_is_two_records_or_a_name_as_well_is_offered(client_for, world):
    factories.case(of=world.zoe, opened_by=world.kay, ref="C-7K10Q2")
    both = ask(client_for("kay"), "7k10q2")
    assert both.status_code == 200
    assert 'href="/incidents/I-7K10Q2"' in both.text and 'href="/cases/C-7K10Q2"' in both.text
    assert ask(client_for("kay"), "I-7K10Q2").status_code == ask(client_for("kay"), "C-7K10Q2").status_code == 302
    factories.student("Nellie", "SCH001")
    factories.incident(world.sam, ref="I-SCH001")
    named = ask(client_for("kay"), "sch001")
    assert named.status_code == 200 and 'href="/incidents/I-SCH001"' in named.text and "Nellie" in named.text


@pytest.mark.parametrize("text", ["xylophonist", "Attendance", "attend", '"rang the"'])
def test_cases_are_found_by_words_by_whoever_is_on_them(client_for, world, text):
    for who in ("gil", "mo", "ada"):
        shown = found(ask(client_for(who), text))
        assert "C-9M2T4V" in shown["Cases"] and "1 case" in shown["Cases"]
    for who in ("kay", "sam", "oli"):
        assert "Nothing found" in ask(client_for(who), text).text


def test_presenting_is_searched_as_it_stands_now(client_for, world):
    for number, text in enumerate(("the marimba", "the celesta"), start=1):
        CasePresenting.create(case=world.case, number=number, concern="Home", narrative=text, author=world.gil)
    assert "C-9M2T4V" in ask(client_for("gil"), "celesta").text
    assert "C-9M2T4V" not in ask(client_for("gil"), "marimba").text


# --- Words of incidents ----------------------------------------------------------------------------------------------


def test_incidents_are_found_by_words_by_whoever_may_read_them(client_for, world):
    for who in ("kay", "ada", "sam"):
        shown = found(ask(client_for(who), "scooters quarrel"))
        assert set(shown) == {"Incidents"} and "I-7K10Q2" in shown["Incidents"] and "1 incident" in shown["Incidents"]
    assert "I-7K10Q2" not in ask(client_for("gil"), "scooter").text
    assert world.secret.ref in ask(client_for("gil"), "zanzibar").text
    assert "Nothing found" in ask(client_for("kay"), "zanzibar").text


def test_no_text_is_shown_and_no_part_that_is_closed(client_for, world):
    both = factories.incident(
        world.oli, [world.student, (world.zoe, [world.disclosure])], "A scooter, and the bassoon.", ref="I-B0TH22"
    )
    page = ask(client_for("kay"), "scooter")
    assert both.ref in page.text and "Stu Sturgeon" in page.text
    assert "quarrel" not in page.text and "bassoon" not in page.text and "Disclosure" not in page.text
    row = re.search(rf"<tr>(?:(?!</tr>).)*{both.ref}.*?</tr>", page.text, re.S)[0]
    assert "Brien" not in row


def test_the_last_added_come_first(client_for, world):
    newest = factories.incident(world.sam, [world.zoe], "The scooter.", happened_at=house_clock.now() - timedelta(days=2000))
    page = ask(client_for("kay"), "scooter").text
    assert page.index(newest.ref) < page.index("I-7K10Q2")


def test_very_many_results_are_bounded_honestly(client_for, world):
    now = house_clock.now()
    rows = [
        {"text": "A saxophone.", "author": world.oli, "happened_at": now, "entered_at": now, "ref": f"I-{number:06}"}
        for number in range(520)
    ]
    with db.atomic():
        for start in range(0, len(rows), 100):
            Incident.insert_many([Incident(**row).__data__ for row in rows[start : start + 100]]).execute()
    ada = client_for("ada")
    assert "1–10 of more than 500 incidents" in text_of(ask(ada, "saxophone"))
    assert json.loads(Event.select().where(Event.verb == "search.run").get().data) == {"count": 500}
    assert "501–520 of 520 incidents" in text_of(ask(ada, "saxophone", show="incidents", page=21))
    assert "more than 500 incidents" in text_of(ada.get("/incidents?q=saxophone"))
    assert "501–520 of 520" in text_of(ada.get("/incidents?q=saxophone&page=11"))
    assert "Nothing found" in ask(client_for("kay"), "saxophone").text  # they have no part that is open to her


@pytest.mark.parametrize("few, little", [(0, 1000), (0, 0)])
def test_where_the_search_starts_changes_nothing(client_for, world, monkeypatch, few, little):
    """At the words, at what is near the reader, or at the last added: the same incidents, in the same order."""
    for who in (world.sam, world.oli, world.gil):
        for number in range(3):
            parts = [(world.zoe, [world.disclosure])] if number == 1 else [world.zoe]
            alerted = [world.counselling] if number == 2 else []
            factories.incident(who, parts, f"The quarrel, number {number}.", alerted=alerted)
    factories.exclusion(world.gil, world.ada, incident=world.plain)
    people = ("ada", "kay", "ken", "sam", "gil", "oli")

    def everything():
        prepared._plans.clear()
        return [(who, re.findall(r'"/incidents/(I-\w+)"', ask(client_for(who), "quarrel").text)) for who in people]

    before = everything()
    assert {who: len(refs) for who, refs in before} == {"ada": 10, "kay": 7, "ken": 7, "sam": 4, "gil": 7, "oli": 3}
    monkeypatch.setattr("blueprints.kit.fulltext.FEW", few)
    monkeypatch.setattr("blueprints.kit.fulltext.LITTLE", little)
    assert everything() == before
    prepared._plans.clear()


def test_what_may_not_be_seen_leaves_no_trace(client_for, world, clock):
    """The very same bytes before and after a record is added that the reader may not see."""
    clock.freeze(clock.now())
    texts = ("scooter", "zanzibar", "xylophonist", "attendance", "zoe", "7K10Q3", "C-7K10Q4", "-scooter zanzibar")
    people = {who: client_for(who) for who in ("oli", "kay", "sam")}

    def everything():
        return [
            plain(ask(client, text, show=show))
            for client in people.values()
            for text in texts
            for show in (None, "students", "cases", "incidents")
        ]

    before = everything()
    factories.incident(
        world.gil, [(world.zoe, [world.disclosure])], "zanzibar scooter xylophonist attendance zoe", ref="I-7K10Q3"
    )
    factories.case(
        of=world.zoe, opened_by=world.mo, title="zanzibar attendance", ref="C-7K10Q4", groups=[world.counselling],
        entries=[(world.gil, "scooter zanzibar xylophonist zoe")], status="Closed",
    )  # fmt: skip
    assert everything() == before


def test_without_the_module_no_status_is_shown(client_for, world):
    assert "Active" in found(ask(client_for("kay"), "scooter"))["Incidents"]
    School.update(cases_module=False).execute()
    assert "Active" not in found(ask(client_for("kay"), "scooter"))["Incidents"]
