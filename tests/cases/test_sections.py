"""Presenting, Law Enforcement, Child Protection Services, Prosecution: filled in by everybody on the case, never lost."""

from datetime import date

import pytest

import permissions
from blueprints.cases import actions, queries
from blueprints.cases.queries import sections
from models import Case, CaseAgency, CaseAgencyVersion, CasePresenting, Conflict, Event, Notification
from tests import factories
from tests.web import forms, text_of

OUTSIDERS = ["oli", "ken", "rae", "stu"]
PRESENTING = {"referral_date": date(2026, 1, 5), "source": "School nurse", "concern": "Bruises", "narrative": "Seen at PE."}
AGENCY = {"agency": "City Police", "person": "PC Bell", "phone": "0123", "reference": "CP/77", "status": "Open"}
AGENCY |= {"started_on": date(2026, 1, 6), "ended_on": None, "notes": "Rings back on Monday."}
SENT = AGENCY | {"started_on": "2026-01-06", "ended_on": ""}


@pytest.fixture
def case(cast):
    """Opened by Kay; Sam and Gil are assigned and only add to it."""
    return factories.case(cast.student, opened_by=cast.kay, staff=[cast.sam, cast.gil])


@pytest.fixture
def url(case):
    return f"/cases/{case.ref}"


@pytest.fixture
def agency(cast, case):
    return actions.add_agency(case, "law_enforcement", AGENCY, actor=cast.kay)


def save(cast, case, who="sam", number=0, **changed):
    return actions.save_presenting(case, PRESENTING | changed, actor=getattr(cast, who), number=number)


def change(cast, case, agency, who="sam", number=1, **changed):
    return actions.change_agency(case, agency, AGENCY | changed, actor=getattr(cast, who), number=number)


def close(case):
    Case.update(status="Closed").where(Case.id == case.id).execute()


def form_with(page, name):
    return next(form for form in forms(page) if form.method == "post" and name in form.controls)


# --- Presenting ------------------------------------------------------------------------------------------------------


def test_before_anything_is_saved_there_are_no_versions(client_for, url):
    page = client_for("sam").get(f"{url}/presenting/versions")
    assert page.status_code == 200


def test_each_save_of_presenting_is_a_row_of_its_own(cast, case):
    assert [save(cast, case).number, save(cast, case, number=1, concern="Bruises, older").number] == [1, 2]
    assert save(cast, case, number=2, concern="Bruises, older").number == 2, "nothing changed, so nothing is saved"
    now, before = queries.presenting_wordings(cast.gil, case)
    assert dict(now.fields)["Concern"] == "Bruises, older" and dict(before.fields)["Concern"] == "Bruises"
    assert dict(now.fields)["Referral date"] == "5 January 2026" and now.author == "Sam Swift"
    event = Event.select().where(Event.verb == "case.presenting_saved").order_by(Event.id.desc()).first()
    assert event.target == case.ref and "Bruises" not in event.data
    assert {row.account for row in Notification.select()} == {cast.gil}
    assert {row.detail for row in Notification.select()} == {"section"}


def test_two_who_save_presenting_lose_nothing(cast, case):
    save(cast, case)
    with pytest.raises(Conflict) as conflict:
        save(cast, case, who="gil", concern="Mine")
    assert conflict.value.row.concern == "Bruises" and CasePresenting.select().count() == 1


@pytest.mark.parametrize("who", OUTSIDERS)
def test_nobody_else_fills_in_a_section(cast, case, agency, who):
    with pytest.raises(permissions.NotVisible):
        save(cast, case, who=who)
    with pytest.raises(permissions.NotVisible):
        actions.add_agency(case, "prosecution", AGENCY, actor=getattr(cast, who))
    with pytest.raises(permissions.NotVisible):
        change(cast, case, agency, who=who, person="Mine")
    with pytest.raises(permissions.NotVisible):
        actions.remove_agency(case, agency, actor=getattr(cast, who))


def test_a_closed_case_takes_nothing(cast, case, agency):
    close(case)
    for work in (
        lambda: save(cast, case),
        lambda: actions.add_agency(case, "prosecution", AGENCY, actor=cast.ada),
        lambda: change(cast, case, agency, person="Late"),
        lambda: actions.remove_agency(case, agency, actor=cast.kay),
    ):
        with pytest.raises(actions.Refused, match="This case is closed. Reopen it first."):
            work()
    assert CaseAgency.get().removed_at is None and not CasePresenting.select().exists()


def test_sam_fills_in_presenting(case, client_for, post, url):
    client = client_for("sam")
    assert "Fill in Presenting" in text_of(client.get(url))
    sent = PRESENTING | {"referral_date": "2026-01-05"}
    assert post(client, f"{url}/presenting", sent).location == f"{url}#presenting"
    page = text_of(client.get(url))
    assert all(words in page for words in ("5 Jan 2026", "School nurse", "Bruises", "Seen at PE.", "Edit Presenting"))
    assert post(client, f"{url}/presenting", {"source": "A <b>parent</b>"}).status_code == 303
    versions = client_for("gil").get(f"{url}/presenting/versions")
    assert "School nurse" in text_of(versions) and "<b>" not in versions.get_data(as_text=True).split("<main")[1]
    for who in OUTSIDERS:
        for page in ("", "/versions"):
            assert client_for(who).get(f"{url}/presenting{page}").status_code == 404
        assert post(client_for(who), f"{url}/presenting", sent, form_url="/").status_code == 404
    assert CasePresenting.select().count() == 2


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({}, "Fill in at least one field."),
        ({"source": " ", "narrative": "\0\n"}, "Fill in at least one field."),
        ({"referral_date": "2026-02-31"}, "31 February 2026 is not a date."),
        ({"referral_date": "soon"}, "Referral date"),
        ({"referral_date": "2126-01-01"}, "This day is in the future."),
        ({"source": "x" * 201}, "It can be at most 200."),
        ({"narrative": "x" * 1_000_000}, "It can be at most 100,000."),
    ],
)
def test_what_presenting_cannot_take_is_said(case, client_for, post, url, sent, sentence):
    answer = post(client_for("sam"), f"{url}/presenting", {"concern": ""} | sent)
    assert answer.status_code == 422 and sentence in text_of(answer)
    for name, text in sent.items():
        assert form_with(answer, "concern").values[name][0].strip() == text.strip("\0 \n")
    assert not CasePresenting.select().exists()


def test_the_second_sees_both_wordings_of_presenting(cast, case, client_for, url):
    client = client_for("sam")
    form = form_with(client.get(f"{url}/presenting"), "concern")
    save(cast, case, who="gil")
    answer = client.post(f"{url}/presenting", data={**form.values, "concern": "Mine", "source": "School nurse"})
    assert answer.status_code == 409 and "Mine" in text_of(answer) and "Bruises" in text_of(answer)
    form = form_with(answer, "concern")
    assert form.values["concern"] == ["Mine"] and CasePresenting.select().count() == 1
    assert client.post(f"{url}/presenting", data=form.values).status_code == 303
    assert [one.number for one in queries.presenting_wordings(cast.sam, case)] == [2, 1]


def test_half_a_section_is_never_lost(cast, case, client_for, post, url):
    client, key = client_for("sam"), f"/drafts/case-presenting:{case.ref.lower()}"
    form = form_with(client.get(f"{url}/presenting"), "concern")
    assert client.post(key, data={**form.values, "concern": "Half"}).status_code == 204
    assert "not saved yet" in text_of(client.get(url)) and "not saved yet" not in text_of(client_for("gil").get(url))
    assert form_with(client.get(f"{url}/presenting"), "concern").values["concern"] == ["Half"]
    save(cast, case, who="gil")
    assert post(client, f"{url}/presenting", {}).status_code == 409, "the draft was made before Gil's"
    assert post(client, f"{url}/presenting", {"number": "1"}).status_code == 303
    assert "not saved yet" not in text_of(client.get(url)) and sections.presenting(cast.sam, case).concern == "Half"


# --- Agencies --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("section", "title"), sections.SECTIONS.items())
def test_sam_adds_agencies_to_each_section(cast, case, client_for, post, url, section, title):
    client, there = client_for("sam"), f"{url}/agencies/new?section={section}"
    assert f"Add to {title}" in text_of(client.get(url))
    for _ in range(2):
        assert post(client, there, SENT).location == f"{url}#{section.replace('_', '-')}"
    page = text_of(client.get(url))
    assert all(words in page for words in ("City Police", "PC Bell", "0123", "CP/77", "6 Jan 2026", "Rings back on Monday."))
    assert {(row.section, row.author) for row in CaseAgency.select()} == {(section, cast.sam)}
    event = Event.get(Event.verb == "case.agency_added")
    assert section in event.data and "Police" not in event.data
    for who in OUTSIDERS:
        assert client_for(who).get(there).status_code == 404
        assert post(client_for(who), there, SENT, form_url="/").status_code == 404
    assert CaseAgency.select().count() == 2


@pytest.mark.parametrize("section", ["", "?section=", "?section=fire", "?section=Law+Enforcement", "?section=%00"])
def test_an_unknown_section_is_a_missing_page(cast, case, client_for, post, url, section):
    client = client_for("sam")
    assert client.get(f"{url}/agencies/new{section}").status_code == 404
    assert post(client, f"{url}/agencies/new{section}", SENT, form_url="/").status_code == 404
    assert post(client, f"{url}/agencies/draft-removal{section}", form_url="/").status_code == 404
    with pytest.raises(permissions.NotVisible):
        actions.add_agency(case, "fire", AGENCY, actor=cast.sam)


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({}, "Fill in at least one field."),
        ({"agency": " \0"}, "Fill in at least one field."),
        ({"agency": "Police", "ended_on": "2026-02-30"}, "30 February 2026 is not a date."),
        ({"started_on": "2026-03-02", "ended_on": "2026-03-01"}, "This day is before the one in Started."),
        ({"agency": "x" * 201}, "It can be at most 200."),
        ({"phone": "x" * 61}, "It can be at most 60."),
        ({"notes": "x" * 1_000_000}, "It can be at most 10,000."),
    ],
)
def test_what_an_agency_cannot_be_is_said(case, client_for, post, url, sent, sentence):
    answer = post(client_for("sam"), f"{url}/agencies/new?section=prosecution", sent)
    assert answer.status_code == 422 and sentence in text_of(answer)
    for name, text in sent.items():
        assert form_with(answer, "agency").values[name][0].strip() == text.strip("\0 ")
    assert not CaseAgency.select().exists()


def test_a_change_leaves_the_earlier_values(cast, case, agency, client_for, post, url):
    client, there = client_for("sam"), f"{url}/agencies/{agency.ref}"
    assert post(client, there, {"person": "PC Cole", "started_on": ""}).status_code == 303
    row = CaseAgency.get()
    assert (row.person, row.started_on, row.version, row.author) == ("PC Cole", None, 2, cast.sam)
    assert CaseAgencyVersion.get().author == cast.kay
    now, before = queries.agency_wordings(cast.gil, row)
    assert dict(before.fields) | {} == {**dict(now.fields), "Person": "PC Bell", "Started": "6 January 2026"}
    assert '"fields": ["person", "started_on"]' in Event.get(Event.verb == "case.agency_changed").data
    page = text_of(client_for("gil").get(f"{there}/versions"))
    assert "PC Bell" in page and "PC Cole" in page
    assert post(client, there, {}).status_code == 303 and CaseAgency.get().version == 2, "nothing was changed"
    for who in OUTSIDERS:
        for page in ("", "/versions"):
            assert client_for(who).get(there + page).status_code == 404
        for page in ("", "/removal", "/draft-removal"):
            assert post(client_for(who), there + page, SENT, form_url="/").status_code == 404


def test_two_who_change_an_agency_lose_nothing(cast, case, agency, client_for, url):
    client, there = client_for("sam"), f"{url}/agencies/{agency.ref}"
    form = form_with(client.get(there), "agency")
    change(cast, case, agency, who="gil", person="Theirs", ended_on=date(2026, 2, 1))
    with pytest.raises(Conflict):
        change(cast, case, agency, person="Mine")
    answer = client.post(there, data={**form.values, "person": "Mine"})
    assert answer.status_code == 409
    assert all(words in text_of(answer) for words in ("Mine", "Theirs", "1 February 2026"))
    form = form_with(answer, "agency")
    assert form.values["person"] == ["Mine"] and CaseAgency.get().person == "Theirs"
    assert client.post(there, data=form.values).status_code == 303
    assert [dict(one.fields)["Person"] for one in queries.agency_wordings(cast.sam, CaseAgency.get())] == [
        "Mine", "Theirs", "PC Bell"
    ]  # fmt: skip


@pytest.mark.parametrize("number", ["", "x", "0", "-1", "9" * 30])
def test_an_odd_version_overwrites_nothing(case, agency, client_for, url, number):
    client, there = client_for("sam"), f"{url}/agencies/{agency.ref}"
    form = form_with(client.get(there), "agency")
    assert client.post(there, data={**form.values, "person": "Mine", "number": number}).status_code in (409, 422)
    assert CaseAgency.get().person == "PC Bell"


def test_removing_keeps_the_row_and_its_wordings(cast, case, agency, client_for, post, url):
    client, there = client_for("sam"), f"{url}/agencies/{agency.ref}"
    form = form_with(client.get(there), "agency")
    assert post(client, f"{there}/removal", form_url=url).location == f"{url}#law-enforcement"
    row = CaseAgency.get()
    assert row.removed_at and row.removed_by == cast.sam and Event.get(Event.verb == "case.agency_removed").actor == cast.sam
    page = client.get(url).get_data(as_text=True)
    assert "0123" not in page and "Removed from Law Enforcement: 1" in page
    assert "Removed by Sam Swift" in text_of(client.get(f"{there}/versions")) and client.get(there).status_code == 404
    assert post(client, f"{there}/removal", form_url="/").status_code == 404
    answer = client.post(there, data={**form.values, "person": "Typed meanwhile"})
    assert answer.status_code == 422 and "Somebody removed this" in text_of(answer)
    assert form_with(answer, "agency").values["person"] == ["Typed meanwhile"]


def test_an_agency_of_another_case_is_a_missing_one(cast, case, agency, client_for, post):
    own = factories.case(opened_by=cast.kay, staff=[cast.oli])
    client, there = client_for("oli"), f"/cases/{own.ref}/agencies/{agency.ref}"
    assert [client.get(there + page).status_code for page in ("", "/versions")] == [404, 404]
    for page in ("", "/removal", "/draft-removal"):
        assert post(client, there + page, SENT, form_url="/").status_code == 404
    for work in (lambda: change(cast, own, agency, who="oli"), lambda: actions.remove_agency(own, agency, actor=cast.oli)):
        with pytest.raises(permissions.NotVisible):
            work()


def test_half_an_agency_is_never_lost(cast, case, agency, client_for, post, url):
    client, key = client_for("sam"), f"/drafts/case-agency:{case.ref.lower()}:child-protection"
    there = f"{url}/agencies/new?section=child_protection"
    assert client.post(key, data={**form_with(client.get(there), "agency").values, "agency": "Half"}).status_code == 204
    assert "not saved yet" in text_of(client.get(url))
    assert form_with(client.get(there), "agency").values["agency"] == ["Half"]
    assert form_with(client.get(f"{url}/agencies/new?section=prosecution"), "agency").values["agency"] == [""]
    assert post(client, f"{url}/agencies/draft-removal?section=child_protection", form_url=there).status_code == 303
    assert "not saved yet" not in text_of(client.get(url))
    there, key = f"{url}/agencies/{agency.ref}", f"/drafts/case-agency-change:{agency.ref.lower()}"
    assert client.post(key, data={**form_with(client.get(there), "agency").values, "person": "Half"}).status_code == 204
    change(cast, case, agency, who="gil", person="Theirs")
    assert post(client, there, {}).status_code == 409
    assert post(client, f"{there}/draft-removal", form_url=there).status_code == 303
    assert form_with(client.get(there), "agency").values["person"] == ["Theirs"]


def test_a_case_closed_while_typing_keeps_what_was_typed(cast, case, agency, client_for, post, url):
    client = client_for("sam")
    pages = {f"{url}/presenting": "concern", f"{url}/agencies/new?section=prosecution": "agency", f"{url}/agencies/{agency.ref}": "agency"}
    typed = {page: form_with(client.get(page), name) for page, name in pages.items()}
    close(case)
    for page, name in pages.items():
        answer = client.post(page, data={**typed[page].values, name: "Not lost"})
        assert answer.status_code == 422 and "This case is closed. Reopen it first." in text_of(answer)
        assert form_with(answer, name).values[name] == ["Not lost"]
        assert "This case is closed. Reopen it first." in text_of(client.get(page))
    assert post(client, f"{url}/agencies/{agency.ref}/removal", form_url="/", follow=True).status_code == 200
    assert CaseAgency.get().removed_at is None
    page = text_of(client.get(url))
    assert "Fill in Presenting" not in page and "Add to Prosecution" not in page


# --- The words of a case ---------------------------------------------------------------------------------------------


def find(user, text, most=10):
    fetch, _ = queries.with_words(user, text)
    return [hit.ref for hit in fetch(most, 0)]


@pytest.mark.parametrize("common", [10_000, 1])
def test_the_search_finds_what_stands_there_now_and_only_for_who_sees_it(cast, case, monkeypatch, common):
    monkeypatch.setattr("blueprints.cases.queries.words.COMMON", common)
    entry = actions.add_entry(case, "The mother mentioned a café.", actor=cast.sam)
    save(cast, case, concern="Bruises")
    save(cast, case, number=1, concern="A broken wrist")
    Case.update(title="Plan for the spring").where(Case.id == case.id).execute()
    other = factories.case(opened_by=cast.ken, entries=[(cast.ken, "A mother, and nothing else.")])
    for text in ("mother", "mothers", "cafe", '"mother mentioned"', "broken wrist", "PLAN spring", "mother -nothing", "zebra OR wrist"):
        assert find(cast.gil, text) == [case.ref], text
        assert find(cast.oli, text) == find(cast.stu, text) == []
    for text in ("bruises", "mother wrist", "plan -spring", "mother -café", "", " ", "\0", '"', "-", "*", "a" * 5_000, "' OR 1=1"):
        assert find(cast.gil, text) == [], text
    assert set(find(cast.ada, "mother")) == {case.ref, other.ref} and find(cast.ken, "mother") == [other.ref]
    assert find(cast.ada, "mother", most=1) == [other.ref], "the one with the latest activity"
    actions.edit_entry(case, entry, "The father.", "A slip.", actor=cast.sam, number=1)
    assert find(cast.gil, "mother") == []
    factories.exclusion(cast.gil, cast.ada, case=case)
    assert find(cast.gil, "father") == []
