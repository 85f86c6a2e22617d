"""The page of a case: who gets it, what stands on it, its history, who can see it, and what it costs."""

import pytest

from blueprints.cases import queries
from extensions import clock
from models import (
    Account,
    Case,
    CaseAgency,
    CaseFollower,
    CaseGroup,
    CaseIncident,
    CaseStaff,
    CaseType,
    Event,
    Group,
    GroupMember,
)
from tests import factories
from tests.web import text_of

PAGES = ("", "/access", "/history", "/incidents")


@pytest.fixture
def incident(cast):
    return factories.incident(cast.sam, [cast.student], text="Pushed against the lockers.")


@pytest.fixture
def case(cast, incident):
    return factories.case(
        cast.student, opened_by=cast.kay, title="Support plan", staff=[cast.sam], groups=[cast.counselling],
        incidents=[incident],
    )  # fmt: skip


def step(case, actor, verb, **data):
    """An event as an action records it."""
    import json

    Event.create(actor=actor, verb=verb, target=case.ref, data=json.dumps(data), at=clock.now())


def words_of(user, case):
    loaded = queries.case(user, case.ref, audit=False)
    return [f"{row.who}: {row.words}" for row in queries.history(user, loaded)]


# --- Who gets it -----------------------------------------------------------------------------------------------------


def test_everybody_with_a_reason_reads_it_and_nobody_else(cast, case, client_for):
    for who in ("kay", "ada", "sam", "gil", "mo"):
        for tail in PAGES:
            assert client_for(who).get(f"/cases/{case.ref}{tail}").status_code == 200, (who, tail)
    for who in ("oli", "ken", "rae", "stu"):
        client = client_for(who)
        for tail in PAGES:
            theirs, missing = client.get(f"/cases/{case.ref}{tail}"), client.get(f"/cases/C-ZZZZZZ{tail}")
            assert theirs.status_code == missing.status_code == 404, (who, tail)
            assert text_of(theirs) == text_of(missing)


def test_an_exclusion_closes_every_page(cast, case, client_for):
    factories.exclusion(cast.kay, cast.ada, case=case)
    factories.exclusion(cast.sam, cast.ada, student=cast.student)
    for who in ("kay", "sam"):
        for tail in (*PAGES, "/edit", "/closure", "/reopening"):
            assert client_for(who).get(f"/cases/{case.ref}{tail}").status_code == 404


def test_leaving_a_group_takes_effect_in_an_open_session(cast, case, client_for):
    gil = client_for("gil")
    assert gil.get(f"/cases/{case.ref}").status_code == 200
    GroupMember.delete().where(GroupMember.account == cast.gil).execute()
    assert gil.get(f"/cases/{case.ref}").status_code == 404


def test_the_read_is_on_record_with_its_reasons(cast, case, client_for):
    client_for("sam").get(f"/cases/{case.ref}")
    event = Event.get(Event.verb == "case.read")
    assert (event.actor_id, event.target, event.reasons) == (cast.sam.id, case.ref, "assigned")
    client_for("oli").get(f"/cases/{case.ref}")
    assert Event.get(Event.verb == "access.denied").actor_id == cast.oli.id
    client_for("kay").get(f"/cases/{case.ref}/access")
    assert Event.get(Event.verb == "case.access_read").actor_id == cast.kay.id


@pytest.mark.parametrize("ref", ["nonsense", "C-", "C-\x01AAAAA", "x" * 500, "c-zzzzzz", "mine.pdf"])
def test_odd_references_are_missing(cast, client_for, ref):
    assert client_for("ada").get(f"/cases/{ref}").status_code == 404


# --- What stands on it -----------------------------------------------------------------------------------------------


def test_the_page_says_what_is_known(cast, case, incident, client_for):
    page = client_for("kay").get(f"/cases/{case.ref}")
    words = text_of(page)
    for part in ("Support plan", case.ref, "Status: Open", "Stu Sturgeon", "Wellbeing", "Opened by Kay Kestrel",
                 "Linked incidents", incident.ref, "Who can see this", "History", "Primary Advocate",
                 "Assigned Groups/Staff Members", "Law Enforcement", "Child Protection Services",
                 "Prosecution", "Presenting", "Entries", "Add entry", "Files"):  # fmt: skip
        assert part in words, part
    assert "lockers" not in page.text
    assert f'href="/students/{cast.student.ref}"' in page.text and f'href="/incidents/{incident.ref}"' in page.text


def test_the_sections_stand_in_their_order(case, client_for):
    page = client_for("kay").get(f"/cases/{case.ref}").text
    sections = ("presenting", "law-enforcement", "child-protection", "prosecution")
    ids = (*sections, "entries", "incidents", "files", "people", "assigned", "who", "history")
    places = [page.index(f'<section class="panel" id="{name}"') for name in ids]
    assert places == sorted(places)


def test_it_can_be_printed_and_says_whose_it_is(case, client_for):
    page = client_for("kay").get(f"/cases/{case.ref}").text
    head = page[: page.index('<div class="record">')]
    for part in ("Kestrel Hill School", "printed by Kay Kestrel", "<h1>Support plan</h1>", case.ref):
        assert part in head, part


def test_a_case_that_opened_by_itself_says_so(cast, client_for):
    case = factories.case(cast.student)
    words = text_of(client_for("ada").get(f"/cases/{case.ref}"))
    assert "Opened by itself" in words
    assert "It opened by itself." in text_of(client_for("ada").get(f"/cases/{case.ref}/history"))


def test_only_those_who_manage_it_are_offered_to(cast, case, client_for):
    address = f"/cases/{case.ref}"
    for who, offered in (("kay", True), ("ada", True), ("mo", True), ("sam", False), ("gil", False)):
        page = client_for(who).get(address).text
        for link in (f"{address}/edit", f"{address}/closure"):
            assert (link in page) is offered, (who, link)


def test_who_can_see_this_tells_people_and_reasons_never_exclusions(cast, case, client_for):
    factories.exclusion(cast.gil, cast.ada, case=case)
    for tail in ("", "/access"):
        words = text_of(client_for("kay").get(f"/cases/{case.ref}{tail}"))
        assert "Sam Swift Staff is assigned to it" in words
        assert "Kay Kestrel Key User opened it" in words
        assert "Ada Adler Admin Key Holder is an Admin Key Holder" in words
        assert "Gil Gannet Staff" not in words and "xclu" not in words


def test_hostile_titles_are_text(cast, client_for):
    case = factories.case(cast.student, opened_by=cast.kay, title="<script>alert(1)</script>")
    kay = client_for("kay")
    for address in (f"/cases/{case.ref}", "/cases", f"/cases/{case.ref}/edit", f"/students/{cast.student.ref}/cases"):
        assert "<script>alert" not in kay.get(address).text


# --- History ---------------------------------------------------------------------------------------------------------


def test_every_step_is_told_in_words(cast, case):
    group, kay, sam = cast.counselling, cast.kay, cast.sam
    step(case, sam, "case.entry_added", entry="E1")
    step(case, sam, "case.entry_changed", entry="E1", number=2)
    step(case, kay, "case.presenting_saved", number=3)
    step(case, kay, "case.agency_added", agency="A1", section="child_protection")
    step(case, kay, "case.attached", accounts=[sam.ref, cast.ken.ref], groups=[group.ref])
    step(case, kay, "case.detached", accounts=[], groups=[group.ref])
    step(case, kay, "case.people_saved", primary_advocate=sam.ref, coordinator=None, following=[cast.gil.ref, cast.ken.ref])
    step(case, kay, "case.changed", fields=["case_type", "title"])
    step(case, kay, "case.file_added", file="F1", size=10)
    assert words_of(cast.sam, case) == [
        "Kay Kestrel: added a file.",
        "Kay Kestrel: changed the case type and the title.",
        "Kay Kestrel: saved Primary Advocate: Sam Swift; Coordinator: nobody; Following Case: Gil Gannet, Ken Kittiwake.",
        "Kay Kestrel: detached Counselling.",
        "Kay Kestrel: attached Counselling, Sam Swift and Ken Kittiwake.",
        "Kay Kestrel: added an agency to Child Protection Services.",
        "Kay Kestrel: saved Presenting (version 3).",
        "Sam Swift: changed an entry (version 2).",
        "Sam Swift: added an entry.",
        "Kay Kestrel: opened the case.",
    ]


def test_names_are_those_of_today(cast, case):
    step(case, cast.kay, "case.attached", accounts=[cast.ken.ref], groups=[cast.counselling.ref])
    Account.update(name="Ken Kingfisher").where(Account.id == cast.ken.id).execute()
    Group.update(name="Listening").where(Group.id == cast.counselling.id).execute()
    assert words_of(cast.kay, case)[0] == "Kay Kestrel: attached Listening and Ken Kingfisher."


def test_reads_and_exclusions_are_no_steps(cast, case, client_for):
    for verb in ("case.read", "exclusion.added", "case.access_read", "case.file_read"):
        step(case, cast.ada, verb, account=cast.gil.ref, on="case", file="F")
    other = factories.case(cast.student, opened_by=cast.kay)
    step(other, cast.kay, "case.entry_added", entry="E1")
    assert words_of(cast.kay, case) == ["Kay Kestrel: opened the case."]


def test_every_verb_about_a_case_is_a_step_or_left_out_on_purpose():
    import events
    from blueprints.cases.queries.history import WORDS

    told = {"case.opened", "case.closed", "case.reopened"}  # from the case's own rows
    silent = {"case.read", "case.listed", "case.exported", "case.access_read", "case.file_read"}
    assert {verb for verb in events.VERBS if verb.startswith("case.")} == set(WORDS) | told | silent


def test_a_long_history_has_pages(cast, case, client_for):
    for _ in range(60):
        step(case, cast.kay, "case.entry_added", entry="E")
    kay = client_for("kay")
    assert "1–50 of 61 steps" in text_of(kay.get(f"/cases/{case.ref}/history"))
    assert "opened the case." in text_of(kay.get(f"/cases/{case.ref}/history?page=2"))


# --- Cost ------------------------------------------------------------------------------------------------------------


def test_the_pages_cost_the_same_for_much_and_little(cast, case, client_for, count_queries):
    kay = client_for("kay")

    def measure():
        counts = []
        for tail in PAGES:
            with count_queries(most=10) as made:
                assert kay.get(f"/cases/{case.ref}{tail}").status_code == 200
            counts.append(len(made))
        return counts

    def fill(number):
        for one in range(number):
            CaseStaff.create(case=case, account=factories.account(), attached_by=cast.kay)
            CaseGroup.create(case=case, group=factories.group(members=[factories.account()]), attached_by=cast.kay)
            factories.entry(case, cast.kay, f"Entry {one}")
            CaseAgency.create(case=case, section="prosecution", agency=f"Agency {one}", author=cast.kay)
            CaseFollower.create(case=case, account=factories.account(), added_by=cast.kay)
            incident = factories.incident(cast.kay, [cast.student])
            CaseIncident.create(case=case, incident=incident, linked_by=cast.kay)
            step(case, cast.kay, "case.attached", accounts=[cast.sam.ref], groups=[cast.counselling.ref])
            step(case, cast.kay, "case.incident_linked", incident=incident.ref)

    fill(2)
    few = measure()
    fill(25)
    assert measure() == few


def test_a_closed_case_costs_no_more(cast, incident, client_for, count_queries):
    case = factories.case(cast.student, opened_by=cast.kay, status="Closed", incidents=[incident])
    kay = client_for("kay")
    with count_queries(most=10):
        kay.get(f"/cases/{case.ref}")
    assert Case.get_by_id(case.id).case_type_id == CaseType.get(CaseType.name == "Wellbeing").id
