"""Referrals: what outsiders send and see, and what staff decide. Most important: nothing that staff find out reaches the sender."""

import csv
import io
import re
from datetime import date

import pytest

import permissions
import tasks
from blueprints.forms import actions, queries
from extensions import clock
from models import (
    Case,
    Conflict,
    Event,
    FormResponse,
    Notification,
    NotificationChoice,
    OutboxEmail,
    Referral,
    Student,
    Trigger,
)
from tests import factories
from tests.web import text_of

FIELDS = [{"key": "f1", "type": "long_text", "label": "Concern", "required": True},
          {"key": "f2", "type": "person", "label": "Who knows"}, {"key": "f3", "type": "student", "label": "Sibling"},
          {"key": "f4", "type": "file", "label": "Papers"}]  # fmt: skip


@pytest.fixture
def form(cast):
    return factories.form("Refer somebody", cast.ada, FIELDS, for_staff=False, for_referral_users=True)


@pytest.fixture
def ann(cast):
    return factories.student("Ann", "Finch", year_group="7", date_of_birth=date(2014, 5, 6))


def send(client, post, form, first="Ann", last="Finch", **more):
    fields = {"first_name": first, "last_name": last, "answer_f1": "What I saw"} | more
    answer = post(client, f"/forms/{form.ref}/responses/new", fields)
    assert answer.status_code == 303, text_of(answer)
    return Referral.select().order_by(Referral.id.desc()).get()


def waiting(cast, form, first="Ann", last="Finch", **fields):
    return factories.referral(form, cast.rae, first, last, answers={"f1": "What I saw"}, **fields)


def loaded(user, referral):
    return queries.referral(user, referral.ref, audit=False)


# --- The sender ----------------------------------------------------------------------------------------------------------


def test_rae_sends_and_reads_her_own(cast, client_for, post, form):
    rae = client_for("rae")
    page = rae.get(f"/forms/{form.ref}/responses/new").text
    for label in (">First name<", ">Last name<", ">Date of birth<", ">About<", ">Submit<"):
        assert label in page
    assert "/students/suggest" not in page and "Gil Gannet" not in page, "no names of the school"
    referral = send(rae, post, form, date_of_birth="2014-05-06", about="Year 7", answer_f2="Her teacher", answer_f3="Bob")
    assert (referral.first_name, referral.last_name, referral.sort_name) == ("Ann", "Finch", "finch ann")
    assert (referral.date_of_birth, referral.about, referral.state) == (date(2014, 5, 6), "Year 7", "received")
    assert referral.response.student_id is None and Case.select().count() == 0
    for address in (f"/referrals/{referral.ref}", f"/responses/{referral.response.ref}"):
        words = text_of(rae.get(address))
        for text in ("Ann Finch", "Received", "What I saw", "Her teacher", "Bob", "6 May 2014"):
            assert text in words
    for address in ("/referrals", "/responses", "/"):
        words = text_of(rae.get(address))
        assert "Ann Finch" in words and "Received" in words
    assert rae.get("/forms").status_code == 200
    menu = re.search(r'<nav aria-label="Main">.*?</nav>', rae.get("/").text, re.S).group(0)
    assert re.findall(r'href="([^"]*)"', menu) == ["/", "/forms", "/referrals"]


def test_only_her_own(cast, client_for, post, form, ann):
    other = factories.account(name="Rob Other", role=permissions.REFERRAL_USER)
    theirs = factories.referral(form, other, "Beatrix", "Brown")
    rae = client_for("rae")
    for address in (f"/referrals/{theirs.ref}", f"/responses/{theirs.response.ref}", f"/responses/{theirs.response.ref}/access",
                    f"/forms/{form.ref}/responses", f"/forms/{form.ref}/responses.csv", f"/students/{ann.ref}",
                    "/students/suggest?q=a"):  # fmt: skip
        assert rae.get(address).status_code == 404, address
    for end in ("acceptance", "merging", "declining", "new-student"):
        assert post(rae, f"/referrals/{theirs.ref}/{end}", {}, form_url="/").status_code == 404
    assert "Beatrix" not in rae.get("/referrals").text + file_of(rae, "/referrals.csv") + rae.get("/").text
    for who in ("stu",):
        assert client_for(who).get("/referrals").status_code == 404
        assert client_for(who).get("/referrals.csv").status_code == 404
    assert client_for("oli").get(f"/referrals/{theirs.ref}").status_code == 404
    assert "Beatrix" not in client_for("oli").get("/referrals").text


def file_of(client, address):
    """The text of a file, read to its end."""
    with client.get(address) as answer:
        assert answer.status_code == 200
        return answer.data.decode("utf-8-sig") if "csv" in address else answer.data


MASKED = (re.compile(rb'(name="(?:csrf_token|once)"[^>]*value=")[^"]*'),)


def seen_by_the_sender(client, referral):
    """Every page that the sender has, without tokens and references."""
    found = []
    for address in (f"/referrals/{referral.ref}", f"/responses/{referral.response.ref}", "/referrals", "/responses", "/",
                    "/referrals.csv", "/responses.csv", "/forms"):  # fmt: skip
        with client.get(address) as answer:
            body = answer.data
        for pattern in MASKED:
            body = pattern.sub(rb"\1", body)
        for ref in (referral.ref, referral.response.ref):
            body = body.replace(ref.encode(), b"REF")
        found.append((answer.status, dict(answer.headers) | {"Set-Cookie": "", "Date": "", "Content-Length": ""}, body))
    return found


def test_the_sender_learns_one_word_however_it_was_accepted(cast, client_for, post, form, ann, clock, count_queries):
    """Onto a known student with a case that opens by itself, as a new student, merged: the same bytes and the same queries."""
    clock.freeze(clock.now())
    Trigger.create(kind="form", is_on=True)
    Trigger.update(is_on=True).where(Trigger.kind == "form").execute()
    rob = factories.account(name="Rob Other", role=permissions.REFERRAL_USER)
    earlier = factories.referral(form, rob)
    actions.accept(loaded(cast.kay, earlier), ann, version=1, actor=cast.kay)
    values = {"first_name": "Ann", "last_name": "Finch", "date_of_birth": None, "email": ""}
    ways = {
        "known": lambda row: actions.accept(row, ann, version=1, actor=cast.kay),
        "new": lambda row: actions.accept_as_new(row, values, version=1, actor=cast.kay),
        "merged": lambda row: actions.merge(row, loaded(cast.kay, earlier), version=1, actor=cast.kay),
    }
    pages, asked = {}, {}
    for way, decide in ways.items():
        person = factories.account(name="Una Same", role=permissions.REFERRAL_USER)
        referral = factories.referral(form, person, answers={"f1": "What I saw"})
        decide(loaded(cast.kay, referral))
        assert Referral.get_by_id(referral.id).how == way
        client = client_for(person)
        with count_queries() as made:
            pages[way] = seen_by_the_sender(client, referral)
        asked[way] = [re.sub(r"\d+", "", statement) for statement in made.statements]
    assert pages["known"] == pages["new"] == pages["merged"]
    assert asked["known"] == asked["new"] == asked["merged"]
    assert b"Accepted" in pages["known"][0][2]
    assert not Notification.select().where(Notification.account == person).exists()


def test_sending_is_the_same_whether_the_student_is_known(cast, client_for, post, form, ann):
    rae = client_for("rae")
    answers = []
    for last in ("Finch", "Wench"):  # the first one is known
        answer = post(rae, f"/forms/{form.ref}/responses/new",
                      {"first_name": "Ann", "last_name": last, "answer_f1": "x"}, follow=True)  # fmt: skip
        row = Referral.select().order_by(Referral.id.desc()).get()
        body = answer.text.replace(row.ref, "R").replace(row.response.ref, "R").replace(last, "L")
        answers.append(re.sub(r'(name="(?:csrf_token|once)"[^>]*value=")[^"]*|<time[^>]*>[^<]*</time>', r"\1", body))
    assert answers[0] == answers[1]


def test_a_declined_one_says_declined_and_no_reason(cast, client_for, form):
    referral = waiting(cast, form)
    actions.decline(loaded(cast.kay, referral), "Known to us already", version=1, actor=cast.kay)
    page = client_for("rae").get(f"/referrals/{referral.ref}").text
    assert "Declined" in page and "Known to us" not in page and "Kay Kestrel" not in page
    assert "Known to us already" in client_for("kay").get(f"/referrals/{referral.ref}").text


def test_a_draft_of_hers_is_hers(cast, client_for, form):
    rae = client_for("rae")
    key = f"form:{form.ref.lower()}"
    token = re.search(r'name="csrf_token"[^>]*value="([^"]*)"', rae.get(f"/forms/{form.ref}/responses/new").text).group(1)
    rae.post(f"/drafts/{key}", data={"csrf_token": token, "once": "abcdefgh12", "first_name": "Ann", "answer_f1": "Half"})
    page = client_for("rae").get(f"/forms/{form.ref}/responses/new").text
    assert 'value="Ann"' in page and "Half" in page


# --- Who is told -------------------------------------------------------------------------------------------------------


def told():
    return {row.account.name.split()[0] for row in Notification.select().where(Notification.kind == "referral_received")}


def test_key_users_are_told(cast, client_for, post, form, app):
    send(client_for("rae"), post, form)
    assert told() == {"Kay", "Ken"}
    queued = OutboxEmail.get(OutboxEmail.kind == "referral_received")
    response = FormResponse.get()
    _, context_of = tasks.EMAILS["referral_received"]
    assert context_of(queued, cast.kay) == {"ref": response.ref}
    assert isinstance(context_of(queued, cast.oli), str)
    words = text_of(client_for("kay").get("/notifications"))
    assert "A referral came in" in words and "Ann" not in words
    actions.decline(loaded(cast.ken, Referral.get()), "x", version=1, actor=cast.ken)
    assert context_of(queued, cast.kay) == "the referral has been decided on"


def test_the_group_is_told_in_their_place_and_nobody_who_is_kept_out(cast, client_for, post, ann):
    form = factories.form("R2", cast.ada, FIELDS, for_referral_users=True, readers=[cast.counselling])
    send(client_for("rae"), post, form)
    assert told() == {"Gil"}
    Notification.delete().execute()
    factories.exclusion(cast.gil, cast.ada, student=ann)
    send(client_for("rae"), post, form)
    assert told() == {"Ada"}, "nobody of the group may know: the Admin Key Holders"
    assert NotificationChoice.select().count() == 0


# --- The queue ---------------------------------------------------------------------------------------------------------


def test_the_queue_with_suggestions(cast, client_for, form, ann):
    referral = waiting(cast, form, date_of_birth=date(2014, 5, 6))
    nobody = waiting(cast, form, "Zed", "Zorro")
    kay = client_for("kay")
    words = text_of(kay.get("/referrals"))
    assert "Ann Finch, Year 7? (same name and date of birth)" in words and "Nobody of that name" in words
    assert "Zed" not in text_of(kay.get("/referrals?q=finch"))
    actions.accept(loaded(cast.kay, referral), ann, version=1, actor=cast.kay)
    assert "Ann" not in text_of(kay.get("/referrals")).replace("Ann Finch, Year", "")
    assert "Ann Finch" in text_of(kay.get("/referrals?state=accepted")) and nobody.ref in kay.get("/referrals?state=all").text
    rows = list(csv.reader(io.StringIO(file_of(kay, "/referrals.csv?state=all"))))
    assert sorted(row[1] for row in rows[1:]) == ["Ann", "Zed"]
    assert file_of(kay, "/referrals.xlsx").startswith(b"PK")
    assert text_of(client_for("oli").get("/referrals")).count("Finch") == 0


def test_a_date_of_birth_speaks_to_those_alone_who_may_read_one(cast, ann):
    named = {"r": ("Ann", "Finch", date(2014, 5, 6))}
    assert [match.why for match in queries.matches(cast.kay, named)["r"]] == ["same name and date of birth"]
    assert [match.why for match in queries.matches(cast.gil, named)["r"]] == ["same name"]
    assert queries.matches(cast.gil, {"r": ("Somebody", "Else", date(2014, 5, 6))})["r"] == []
    assert queries.matches(cast.rae, named)["r"] == []
    factories.exclusion(cast.kay, cast.ada, student=ann)
    assert queries.matches(cast.kay, named)["r"] == []


@pytest.mark.parametrize("first, last, born, why", [
    ("Ann", "Finch", None, "same name"), ("ANN", "finch", date(2014, 5, 7), "same name, another date of birth"),
    ("Andrea", "Finch", None, "similar name"), ("Ann", "Wren", date(2014, 5, 6), "same date of birth"), ("Zoe", "Finch", None, None),
    ("Ann", "Wren", None, None), ("Annie", "Finch", None, "same name"), ("A%", "F%", None, None),
])  # fmt: skip
def test_how_likely_a_suggestion_is(cast, ann, first, last, born, why):
    Student.update(preferred_name="Annie").where(Student.id == ann.id).execute()
    assert [match.why for match in queries.matches(cast.kay, {"r": (first, last, born)})["r"]] == ([why] if why else [])


def test_the_pages_ask_the_database_seldom(cast, client_for, form, ann, count_queries):
    kay = client_for("kay")
    for many in (2, 30):
        referrals = [waiting(cast, form, date_of_birth=date(2014, 5, 6)) for _ in range(many)]
        for row in referrals[1:]:
            Referral.update(state="accepted", how="known", decided_by=cast.kay, decided_at=clock.now()).where(
                Referral.id == row.id).execute()
            FormResponse.update(student=ann).where(FormResponse.id == row.response_id).execute()
        for address in ("/referrals?state=all", f"/referrals/{referrals[0].ref}"):
            kay.get(address)
            with count_queries(most=10):
                kay.get(address)
    rae = client_for("rae")
    for address in ("/referrals", "/", f"/referrals/{referrals[0].ref}"):
        with count_queries(most=10):
            rae.get(address)


# --- Deciding ------------------------------------------------------------------------------------------------------------


def page_of(referral):
    return f"/referrals/{referral.ref}"


def test_accepting_onto_a_student(cast, client_for, post, form, ann):
    referral = waiting(cast, form)
    kay = client_for("kay")
    assert "Same name" in text_of(kay.get(page_of(referral)))
    answer = post(kay, f"{page_of(referral)}/acceptance", {"student_ref": [ann.ref]}, form="acceptance", form_url=page_of(referral))
    assert (answer.status_code, answer.location) == (303, page_of(referral))
    row = Referral.get_by_id(referral.id)
    assert (row.state, row.how, row.decided_by_id, row.response.student_id) == ("accepted", "known", cast.kay.id, ann.id)
    event = Event.get(Event.verb == "referral.accepted")
    assert event.target == referral.response.ref and ann.ref in event.data
    words = text_of(kay.get(page_of(referral)))
    assert "Accepted" in words and "Kay Kestrel accepted the referral" in words and "Accept onto" not in words
    assert "Ann Finch" in text_of(kay.get(f"/forms/{form.ref}/responses?q=finch"))


def test_accepting_triggers_like_a_form(cast, form, ann):
    Trigger.create(kind="form", is_on=True)
    Trigger.update(is_on=True).where(Trigger.kind == "form").execute()
    referral = waiting(cast, form)
    assert Case.select().count() == 0
    actions.accept(loaded(cast.kay, referral), ann, version=1, actor=cast.kay)
    case = Case.get()
    assert case.student_id == ann.id and case.records.get().record == referral.response.ref


def test_accepting_as_a_new_student(cast, client_for, post, form):
    referral = waiting(cast, form, "Zed", "Zorro", date_of_birth=date(2013, 1, 2))
    answer = post(client_for("kay"), f"{page_of(referral)}/new-student", {"year_group": "8"})
    assert (answer.status_code, answer.location) == (303, page_of(referral))
    student = Student.get(Student.last_name == "Zorro")
    assert (student.first_name, student.date_of_birth, student.year_group) == ("Zed", date(2013, 1, 2), "8")
    row = Referral.get_by_id(referral.id)
    assert (row.how, row.response.student_id) == ("new", student.id)


def test_a_new_student_who_clashes_is_refused_and_nothing_is_left(cast, client_for, post, form, ann):
    Student.update(admission_number="A1").where(Student.id == ann.id).execute()
    referral = waiting(cast, form, "Zed", "Zorro")
    answer = post(client_for("kay"), f"{page_of(referral)}/new-student", {"admission_number": "A1"})
    assert answer.status_code == 422 and "Another student has this admission number already." in text_of(answer)
    assert Referral.get_by_id(referral.id).state == "received" and not Student.select().where(Student.last_name == "Zorro").exists()


def test_merging(cast, client_for, post, form, ann):
    earlier, referral = waiting(cast, form), waiting(cast, form)
    actions.accept(loaded(cast.kay, earlier), ann, version=1, actor=cast.kay)
    kay = client_for("kay")
    url = f"{page_of(referral)}/merging"
    assert post(kay, url, {"earlier": None}, form="merging", form_url=page_of(referral)).status_code == 422
    assert post(kay, url, {"earlier": [earlier.ref]}, form="merging", form_url=page_of(referral)).status_code == 303
    row = Referral.get_by_id(referral.id)
    assert (row.how, row.merged_into_id, row.response.student_id) == ("merged", earlier.id, ann.id)
    assert page_of(earlier) in kay.get(page_of(referral)).text


def test_one_that_waits_is_named_and_can_not_be_merged_with(cast, client_for, post, form):
    waits, referral = waiting(cast, form), waiting(cast, form)
    page = client_for("kay").get(page_of(referral)).text
    assert page_of(waits) in page and "Another referral is alike" in page and 'id="merging"' not in page
    sent = {"earlier": [waits.ref], "version": "1"}
    assert post(client_for("kay"), f"{page_of(referral)}/merging", sent, form_url=page_of(referral)).status_code == 422


def test_what_can_not_be_merged(cast, form, ann):
    waits, referral = waiting(cast, form, "Bob", "Brown"), waiting(cast, form)
    for wrong in (waits, referral):
        with pytest.raises(actions.Refused, match="can't be merged"):
            actions.merge(loaded(cast.kay, referral), loaded(cast.kay, wrong), version=1, actor=cast.kay)
    hidden = waiting(cast, form, "Cid", "Crow")
    actions.accept(loaded(cast.kay, hidden), cast.student, version=1, actor=cast.kay)
    row = loaded(cast.kay, hidden)
    factories.exclusion(cast.kay, cast.ada, student=cast.student)
    with pytest.raises(permissions.NotVisible):
        actions.merge(loaded(cast.kay, referral), row, version=1, actor=cast.kay)


def test_declining_needs_a_reason(cast, client_for, post, form):
    referral = waiting(cast, form)
    url = f"{page_of(referral)}/declining"
    answer = post(client_for("kay"), url, {"reason": " "}, form="declining", form_url=page_of(referral))
    assert answer.status_code == 422 and "Give the reason." in answer.text
    assert post(client_for("kay"), url, {"reason": "Not ours"}, form="declining", form_url=page_of(referral)).status_code == 303
    row = Referral.get_by_id(referral.id)
    assert (row.state, row.reason, row.response.student_id) == ("declined", "Not ours", None)


def test_who_comes_second_sees_what_the_first_decided(cast, client_for, post, form, ann):
    referral = waiting(cast, form)
    url = page_of(referral)
    stale = {"version": "1", "student_ref": [ann.ref]}
    actions.decline(loaded(cast.ken, referral), "Not ours", version=1, actor=cast.ken)
    for end, data in (("acceptance", stale), ("declining", {"version": "1", "reason": "Mine"})):
        answer = post(client_for("kay"), f"{url}/{end}", data, form_url=url)
        words = text_of(answer)
        assert answer.status_code == 409 and "Ken Kittiwake" in words and "Not ours" in words
        assert ("You wrote: Mine" in words) == (end == "declining") and ("You chose: Ann Finch" in words) == (end == "acceptance")
    answer = post(client_for("kay"), f"{url}/new-student", {"version": "1", "first_name": "Ann", "last_name": "New"}, form_url=url)
    assert answer.status_code == 409 and 'value="New"' in answer.text
    assert Referral.get_by_id(referral.id).state == "declined" and Student.select().where(Student.last_name == "New").count() == 0


def test_an_old_version_is_a_conflict(cast, form, ann):
    referral = waiting(cast, form)
    with pytest.raises(Conflict):
        actions.accept(loaded(cast.kay, referral), ann, version=7, actor=cast.kay)
    assert FormResponse.get_by_id(referral.response_id).student_id is None
    assert not Event.select().where(Event.verb == "referral.accepted").exists()


def test_who_decides(cast, client_for, post, form, ann):
    """Key Users, or the group in their place, and Admin Key Holders. A reader because of a case reads, and no more."""
    referral = waiting(cast, form)
    for who in ("oli", "sam", "gil", "mo", "stu", "rae"):
        for call in (lambda row, one: actions.accept(row, ann, version=1, actor=one),
                     lambda row, one: actions.accept_as_new(row, {"first_name": "A", "last_name": "B"}, version=1, actor=one),
                     lambda row, one: actions.merge(row, row, version=1, actor=one),
                     lambda row, one: actions.decline(row, "x", version=1, actor=one)):  # fmt: skip
            with pytest.raises(permissions.NotVisible):
                call(loaded(cast.ada, referral), getattr(cast, who))
        for end in ("acceptance", "merging", "declining", "new-student"):
            assert post(client_for(who), f"/referrals/{referral.ref}/{end}", {}, form_url="/").status_code == 404
    narrow = factories.form("Narrow", cast.ada, FIELDS, for_referral_users=True, readers=[cast.counselling])
    theirs = waiting(cast, narrow)
    assert client_for("kay").get(page_of(theirs)).status_code == 404
    gil = client_for("gil")
    assert "Accept as a new" not in text_of(gil.get(page_of(theirs)))
    assert gil.get(f"{page_of(theirs)}/new-student").status_code == 403
    with pytest.raises(permissions.Denied):
        actions.accept_as_new(loaded(cast.gil, theirs), {"first_name": "A", "last_name": "B"}, version=1, actor=cast.gil)
    actions.accept(loaded(cast.gil, theirs), ann, version=1, actor=cast.gil)
    case = factories.case(ann, cast.ada, staff=[cast.oli])
    case.records.model.create(case=case, kind="form", record_id=theirs.response_id, record=theirs.response.ref, how="linked",
                              by=cast.ada)  # fmt: skip
    assert client_for("oli").get(page_of(theirs)).status_code == 200
    assert post(client_for("oli"), f"{page_of(theirs)}/declining", {"reason": "x"}, form_url="/").status_code == 403


def test_who_is_kept_from_a_student_of_the_name_meets_nothing(cast, client_for, post, form, ann):
    referral = waiting(cast, form)
    factories.exclusion(cast.kay, cast.ada, student=ann)
    factories.exclusion(cast.ada, cast.ken, student=ann)
    for who in ("kay", "ada"):
        client = client_for(who)
        assert client.get(page_of(referral)).status_code == 404
        assert "Finch" not in client.get("/referrals?state=all").text + file_of(client, "/referrals.csv")
    other = waiting(cast, form, "Bob", "Brown")
    client = client_for("kay")
    forged = post(client, f"{page_of(other)}/acceptance", {"student_ref": [ann.ref]}, form="acceptance", form_url=page_of(other))
    missing = post(client, f"{page_of(other)}/acceptance", {"student_ref": ["AAAAAAAAAA"]}, form="acceptance", form_url=page_of(other))
    assert forged.status_code == missing.status_code == 422 and "Ann Finch" not in forged.text
    with pytest.raises(actions.Refused, match="not known"):
        actions.accept(loaded(cast.kay, other), ann, version=1, actor=cast.kay)


def test_accepting_answers_the_same_whatever_the_case(cast, client_for, post, form, ann):
    """Gil decides and is on no case: nothing tells him whether one opened, was joined or nothing happened."""
    narrow = factories.form("Narrow", cast.ada, FIELDS, for_referral_users=True, readers=[cast.counselling])
    pages = []
    for switched_on in (False, True, True):
        Trigger.delete().where(Trigger.kind == "form").execute()
        Trigger.create(kind="form", is_on=switched_on)
        referral = waiting(cast, narrow)
        url = page_of(referral)
        answer = post(client_for("gil"), f"{url}/acceptance", {"student_ref": [ann.ref]}, form="acceptance", form_url=url, follow=True)
        text = answer.text.replace(referral.ref, "R").replace(referral.response.ref, "R")
        pages.append(re.sub(r'(name="(?:csrf_token|once)"[^>]*value=")[^"]*|<time[^>]*>[^<]*</time>', r"\1", text))
    assert Case.select().count() == 1 and pages[0] == pages[1] == pages[2]
