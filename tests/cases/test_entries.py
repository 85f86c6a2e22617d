"""Entries of a case: everybody who sees it adds, authors and managers edit, nothing that was typed is ever lost."""

import pytest

import permissions
from blueprints.cases import actions, queries
from blueprints.cases.queries.sections import LONGEST_SHOWN, ON_THE_PAGE
from models import Account, Case, CaseEntry, CaseEntryVersion, CaseStaff, Conflict, Event, Notification
from tests import factories
from tests.web import forms, text_of

OUTSIDERS = ["oli", "ken", "rae", "stu"]


@pytest.fixture
def case(cast):
    """Opened by Kay, who manages it; Sam and Gil are assigned and only add to it."""
    return factories.case(cast.student, opened_by=cast.kay, staff=[cast.sam, cast.gil])


@pytest.fixture
def entry(cast, case):
    return factories.entry(case, cast.sam, "Rang the mother.")


@pytest.fixture
def url(case):
    return f"/cases/{case.ref}"


def close(case):
    Case.update(status="Closed").where(Case.id == case.id).execute()


def form_with(page, name):
    return next(form for form in forms(page) if form.method == "post" and name in form.controls)


def edit(cast, case, entry, text, who="sam", number=1):
    return actions.edit_entry(case, entry, text, "A slip.", actor=getattr(cast, who), number=number)


# --- Adding ----------------------------------------------------------------------------------------------------------


def test_whoever_sees_the_case_adds_and_the_others_are_told(cast, case):
    before = Case.get_by_id(case.id).last_activity_at
    entry = actions.add_entry(case, "Rang the mother.", actor=cast.sam)
    assert CaseEntryVersion.get().text == entry.text == "Rang the mother."
    event = Event.get(Event.verb == "case.entry_added")
    assert (event.actor, event.target) == (cast.sam, case.ref) and entry.ref in event.data and "mother" not in event.data
    assert Case.get_by_id(case.id).last_activity_at > before
    assert [row.account for row in Notification.select()] == [cast.gil]
    assert Notification.get().kind == "case_changed" and Notification.get().detail == "entry"


@pytest.mark.parametrize("who", OUTSIDERS)
def test_nobody_else_adds(cast, case, who):
    with pytest.raises(permissions.NotVisible):
        actions.add_entry(case, "Mine.", actor=getattr(cast, who))
    assert not CaseEntry.select().exists() and not Notification.select().exists()


def test_a_closed_case_takes_no_entry_and_no_edit(cast, case, entry):
    close(case)
    with pytest.raises(actions.Refused, match="This case is closed. Reopen it first."):
        actions.add_entry(case, "Late.", actor=cast.kay)
    with pytest.raises(actions.Refused, match="closed"):
        edit(cast, case, entry, "Late.")
    assert CaseEntryVersion.select().count() == 1


def test_sam_adds_an_entry_on_the_page_of_the_case(case, client_for, post, url):
    client = client_for("sam")
    assert post(client, f"{url}/entries", {"text": "Rang the mother."}, form_url=url).location == f"{url}#entries"
    page = client.get(url)
    assert "Rang the mother." in text_of(page) and "Add entry" in text_of(page)
    assert "Rang the mother." in text_of(client.get(f"{url}/entries"))
    for who in OUTSIDERS:
        assert post(client_for(who), f"{url}/entries", {"text": "x"}, form_url="/").status_code == 404
        assert client_for(who).get(f"{url}/entries").status_code == 404
    assert CaseEntry.select().count() == 1


def test_what_cannot_be_taken_is_said_and_stays_typed(case, client_for, post, url):
    client = client_for("sam")
    for text, sentence in ((" \n", "Write the entry."), ("x" * 1_000_000, "It can be at most 100,000"), ("\0", "Write the entry.")):
        answer = post(client, f"{url}/entries", {"text": text})
        assert answer.status_code == 422 and sentence in text_of(answer)
        assert form_with(answer, "text").values["text"][0].strip() == text.strip("\0 \n")
    assert post(client, f"{url}/entries", {"text": "a\0b<script>"}).status_code == 303
    assert CaseEntry.get().text == "ab<script>"
    assert "<script>" not in client.get(url).get_data(as_text=True).split("<main")[1]


def test_a_case_closed_while_typing_keeps_what_was_typed(case, client_for, url):
    client = client_for("sam")
    form = form_with(client.get(url), "text")
    close(case)
    answer = client.post(f"{url}/entries", data={**form.values, "text": "Too late, but not lost."})
    assert answer.status_code == 422 and "This case is closed. Reopen it first." in text_of(answer)
    assert form_with(answer, "text").values["text"] == ["Too late, but not lost."]
    assert "Add entry" not in text_of(client.get(url)) and "closed" in text_of(client.get(f"{url}/entries"))


def test_a_form_sent_twice_adds_one_entry(case, client_for, url):
    client = client_for("sam")
    values = {**form_with(client.get(url), "text").values, "text": "Once."}
    assert [client.post(f"{url}/entries", data=values).status_code for _ in range(2)] == [303, 303]
    assert CaseEntry.select().count() == 1


# --- Reading ---------------------------------------------------------------------------------------------------------


def test_the_newest_stand_first_and_the_rest_is_one_link_away(cast, case, client_for, url):
    for number in range(ON_THE_PAGE + 2):
        factories.entry(case, cast.sam, f"Entry number {number:03}.")
    page = text_of(client_for("gil").get(url))
    assert page.index("number 051") < page.index("number 050") and "number 002" in page and "number 001" not in page
    assert "Show all 52 entries" in page
    assert "number 001" in text_of(client_for("gil").get(f"{url}/entries?page=2"))


def test_a_very_long_entry_is_cut_in_lists_and_whole_on_its_page(cast, case, client_for, url):
    entry = factories.entry(case, cast.sam, "x" * LONGEST_SHOWN + "THE END")
    client = client_for("gil")
    assert "THE END" not in text_of(client.get(url)) and "Read the whole entry" in text_of(client.get(url))
    assert "THE END" in text_of(client.get(f"{url}/entries/{entry.ref}/versions"))


def test_the_page_costs_the_same_with_many_entries(cast, case, entry, client_for, url, count_queries):
    client = client_for("kay")
    client.get(url)
    with count_queries() as few:
        client.get(url)
    for _ in range(60):
        factories.entry(case, cast.sam)
    with count_queries(most=len(few)):
        client.get(url)
    with count_queries(most=10):
        client.get(f"{url}/entries")


# --- Editing ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["sam", "kay", "ada"])
def test_the_author_and_who_manages_the_case_edit(cast, case, entry, who):
    edit(cast, case, entry, "Rang the grandmother.", who=who)
    row = CaseEntry.get_by_id(entry.id)
    assert (row.text, row.text_version, row.author) == ("Rang the grandmother.", 2, cast.sam)
    now, before = queries.entry_wordings(cast.gil, row)
    assert (now.number, now.author, now.reason) == (2, getattr(cast, who).name, "A slip.")
    assert before.fields == [("Entry", "Rang the mother.")]
    assert Event.get(Event.verb == "case.entry_changed").actor == getattr(cast, who)


def test_others_do_not_edit(cast, case, entry):
    with pytest.raises(permissions.Denied):
        edit(cast, case, entry, "Mine.", who="gil")
    for who in OUTSIDERS:
        with pytest.raises(permissions.NotVisible):
            edit(cast, case, entry, "Mine.", who=who)
    CaseStaff.delete().where(CaseStaff.account == cast.sam).execute()
    with pytest.raises(permissions.NotVisible):
        edit(cast, case, entry, "Off the case, so not mine any more.")


def test_an_entry_of_another_case_is_a_missing_one(cast, case, entry, client_for, post):
    own = factories.case(opened_by=cast.oli)
    Account.update(role=permissions.KEY_USER).where(Account.id == cast.oli.id).execute()
    client = client_for("oli")
    assert client.get(f"/cases/{own.ref}").status_code == 200
    there = f"/cases/{own.ref}/entries/{entry.ref}"
    assert [client.get(there + more).status_code for more in ("", "/versions")] == [404, 404]
    assert post(client, there, {"text": "x", "reason": "y"}, form_url="/").status_code == 404
    for odd in ("ZZZZZZZZZZ", "x" * 500, "%00", "new"):
        assert client.get(f"/cases/{own.ref}/entries/{odd}").status_code == 404
    with pytest.raises(permissions.NotVisible):
        actions.edit_entry(own, entry, "x", "y", actor=cast.ada, number=1)


def test_sam_edits_with_a_reason_and_all_versions_stay(case, entry, client_for, post, url):
    client, there = client_for("sam"), f"{url}/entries/{entry.ref}"
    assert f"{there}\">Edit entry" in client.get(url).get_data(as_text=True)
    for missing in ({"reason": ""}, {"text": " "}, {"text": "x" * 100_001}, {"reason": "x" * 251}):
        assert post(client, there, {"text": "He rang.", "reason": "A slip."} | missing).status_code == 422
    assert post(client, there, {"text": "Rang the <b>father</b>.", "reason": "A slip."}).status_code == 303
    page = client_for("gil").get(f"{there}/versions")
    assert all(words in text_of(page) for words in ("Version 2", "A slip.", "mother", "father"))
    assert "<ins>" in page.get_data(as_text=True) and "<b>father" not in page.get_data(as_text=True)
    assert "Version 2: read all versions" in text_of(client.get(url))
    gil = client_for("gil")
    assert "Edit entry" not in text_of(gil.get(url)) and gil.get(there).status_code == 403
    for who in OUTSIDERS:
        for page in ("", "/versions"):
            assert client_for(who).get(there + page).status_code == 404
        assert post(client_for(who), there, {"text": "x", "reason": "y"}, form_url="/").status_code == 404


def test_two_editors_see_both_texts_and_lose_nothing(cast, case, entry, client_for, url):
    client, there = client_for("sam"), f"{url}/entries/{entry.ref}"
    form = form_with(client.get(there), "reason")
    edit(cast, case, entry, "Theirs stands now.", who="kay")
    with pytest.raises(Conflict):
        edit(cast, case, entry, "Mine.", number=1)
    answer = client.post(there, data={**form.values, "text": "Mine, not saved.", "reason": "More."})
    assert answer.status_code == 409
    assert "Theirs stands now." in text_of(answer) and "Mine, not saved." in text_of(answer)
    form = form_with(answer, "reason")
    assert form.values["text"] == ["Mine, not saved."] and form.values["reason"] == ["More."]
    assert CaseEntry.get_by_id(entry.id).text == "Theirs stands now."
    assert client.post(there, data={**form.values, "text": "Both."}).status_code == 303
    wordings = queries.entry_wordings(cast.sam, entry)
    assert [one.fields[0][1] for one in wordings] == ["Both.", "Theirs stands now.", "Rang the mother."]


@pytest.mark.parametrize("number", ["", "x", "0", "-1", "9" * 30])
def test_an_odd_version_overwrites_nothing(case, entry, client_for, url, number):
    client, there = client_for("sam"), f"{url}/entries/{entry.ref}"
    form = form_with(client.get(there), "reason")
    answer = client.post(there, data={**form.values, "text": "Mine.", "reason": "More.", "number": number})
    assert answer.status_code in (409, 422)
    assert CaseEntry.get_by_id(entry.id).text == "Rang the mother."


def test_a_form_without_a_version_overwrites_nothing(case, entry, client_for, url):
    client, there = client_for("sam"), f"{url}/entries/{entry.ref}"
    values = {name: value for name, value in form_with(client.get(there), "reason").values.items() if name != "number"}
    assert client.post(there, data={**values, "text": "Mine.", "reason": "More."}).status_code in (409, 422)
    assert CaseEntry.get_by_id(entry.id).text == "Rang the mother."


# --- Drafts ----------------------------------------------------------------------------------------------------------


def test_a_draft_comes_back_on_the_page_and_goes_when_it_is_sent(case, client_for, post, url):
    client = client_for("sam")
    key = f"/drafts/case-entry:{case.ref.lower()}"
    assert f'data-draft="{key.removeprefix("/drafts/")}"' in client.get(url).get_data(as_text=True)
    assert client.post(key, data={**form_with(client.get(url), "text").values, "text": "Half a sente"}).status_code == 204
    for page in (url, f"{url}/entries"):
        assert "Draft from" in text_of(client.get(page))
        assert form_with(client.get(page), "text").values["text"] == ["Half a sente"]
        assert "Half a sente" not in client_for("kay").get(page).get_data(as_text=True)
    assert post(client, f"{url}/entries", {"text": "Half a sentence."}).status_code == 303
    assert "Draft from" not in text_of(client.get(url))
    again = form_with(client.get(url), "text").values
    assert client.post(key, data={**again, "text": "More"}).status_code == 204
    assert post(client, f"{url}/entries/draft-removal", form_url=url).status_code == 303
    assert "Draft from" not in text_of(client.get(url))
    assert post(client_for("oli"), f"{url}/entries/draft-removal", form_url="/").status_code == 404


def test_a_draft_of_an_edit_knows_the_version_it_was_made_from(cast, case, entry, client_for, post, url):
    client, there = client_for("sam"), f"{url}/entries/{entry.ref}"
    form = form_with(client.get(there), "reason")
    key = f"/drafts/case-entry-text:{entry.ref.lower()}"
    assert client.post(key, data={**form.values, "text": "Half a sente"}).status_code == 204
    edit(cast, case, entry, "Theirs.", who="kay")
    assert form_with(client.get(there), "reason").values["text"] == ["Half a sente"]
    assert post(client, there, {"reason": "More."}).status_code == 409
    assert post(client, f"{there}/draft-removal", form_url=there).status_code == 303
    assert form_with(client.get(there), "reason").values["text"] == ["Theirs."]
    assert post(client_for("gil"), f"{there}/draft-removal", form_url="/").status_code == 403
    assert post(client_for("oli"), f"{there}/draft-removal", form_url="/").status_code == 404
