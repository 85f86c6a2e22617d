"""Responses: the list with its filters and files, one beside the questions that it answered, and who sees what of it."""

import csv
import io
import json
from datetime import timedelta

import pytest

import permissions
from blueprints.forms import actions
from blueprints.forms.queries import responses
from extensions import clock
from models import Event, FormGroup, FormVersion, SavedReport, StoredFile
from tests import factories
from tests.web import text_of

FIELDS = [
    {"key": "f1", "type": "text", "label": "Subject", "required": True},
    {"key": "f2", "type": "one_of", "label": "Where", "options": ["Home", "School"]},
    {"key": "f3", "type": "several_of", "label": "Signs", "options": ["Tired", "Sad"]},
    {"key": "f4", "type": "yes_no", "label": "Told the parents"},
    {"key": "f5", "type": "scale", "label": "How worried", "from": 1, "to": 5},
    {"key": "f6", "type": "student", "label": "Friend"},
    {"key": "f7", "type": "number", "label": "How often"},
]


@pytest.fixture
def form(cast):
    return factories.form("Worry", cast.ada, FIELDS)


def listed(client, form, query=""):
    answer = client.get(f"/forms/{form.ref}/responses{query}")
    assert answer.status_code == 200, query
    return text_of(answer)


def file_of(client, address):
    """The bytes of a file, read to their end."""
    with client.get(address) as answer:
        assert answer.status_code == 200
        return answer.data.decode("utf-8-sig") if "csv" in address else answer.data


def rows_of(text):
    return list(csv.reader(io.StringIO(text)))


# --- Who sees what -----------------------------------------------------------------------------------------------------


def test_each_sees_their_own_part_of_the_list(cast, client_for, form):
    mine = factories.response(form, cast.sam, cast.student, {"f1": "By Sam"})
    other = factories.response(form, cast.gil, cast.student, {"f1": "By Gil"})
    for who, seen in (("ada", 2), ("kay", 2), ("sam", 1), ("gil", 1), ("oli", 0), ("mo", 0)):
        words = listed(client_for(who), form)
        assert (mine.ref in words) + (other.ref in words) == seen, who
    for who in ("rae", "stu"):
        assert client_for(who).get(f"/forms/{form.ref}/responses").status_code == 404
        assert client_for(who).get(f"/forms/{form.ref}/responses.csv").status_code == 404
        assert client_for(who).get(f"/responses/{mine.ref}").status_code == 404
        assert client_for(who).get(f"/responses/{mine.ref}/access").status_code == 404


def test_readers_of_a_group_read_in_the_place_of_key_users(cast, client_for, form):
    response = factories.response(form, cast.sam, cast.student, {"f1": "x"})
    FormGroup.create(form=form, group=cast.counselling)
    for who, status in (("ada", 200), ("gil", 200), ("sam", 200), ("kay", 404), ("mo", 404), ("oli", 404)):
        assert client_for(who).get(f"/responses/{response.ref}").status_code == status, who


def test_who_is_kept_from_the_student_meets_nothing_of_it(cast, client_for, form):
    response = factories.response(form, cast.sam, cast.student, {"f1": "Secret word"})
    for person in (cast.ada, cast.kay, cast.sam):
        factories.exclusion(person, cast.ken, student=cast.student)
    for who in ("ada", "kay", "sam"):
        client = client_for(who)
        assert client.get(f"/responses/{response.ref}").status_code == 404
        assert response.ref not in listed(client, form) and response.ref not in listed(client, form, "?q=Stu&a_f1=secret")
        assert len(rows_of(file_of(client, f"/forms/{form.ref}/responses.csv"))) == 1
    assert response.ref in listed(client_for("ken"), form)


def test_a_student_in_an_answer_is_named_to_those_alone_who_may_know_them(cast, client_for, form):
    friend = factories.student("Fay", "Friend")
    response = factories.response(form, cast.sam, cast.student, {"f1": "x", "f6": {"ref": friend.ref, "name": "Fay Friend"}})
    factories.exclusion(cast.kay, cast.ada, student=friend)
    for who, sees in (("ken", True), ("kay", False)):
        client = client_for(who)
        pages = [client.get(f"/responses/{response.ref}").text, file_of(client, f"/forms/{form.ref}/responses.csv")]
        assert ["Fay Friend" in page for page in pages] == [sees, sees]
        assert (friend.ref in pages[0]) == sees


def test_who_can_see_it(cast, client_for, form):
    response = factories.response(form, cast.sam, cast.student, {"f1": "x"})
    words = text_of(client_for("sam").get(f"/responses/{response.ref}/access"))
    for name in ("Ada Adler", "Kay Kestrel", "Ken Kittiwake", "Sam Swift"):
        assert name in words
    assert "Oli Ouzel" not in words
    assert Event.select().where((Event.verb == "response.access_read") & (Event.target == response.ref)).exists()


# --- What was asked ----------------------------------------------------------------------------------------------------


def test_fifty_old_responses_still_show_what_was_asked(cast, client_for, form):
    old = [factories.response(form, cast.sam, cast.student, {"f1": f"Word {n}", "f2": "Home"}) for n in range(50)]
    new = [
        {"key": "f1", "type": "text", "label": "Headline"},
        {"key": "f2", "type": "one_of", "label": "Place", "options": ["Elsewhere", "School"]},
        {"key": "f8", "type": "text", "label": "Something new"},
    ]
    FormVersion.create(form=form, number=2, fields=json.dumps(new), published_at=clock.now())
    type(form).update(published=2).where(type(form).id == form.id).execute()
    form.published = 2
    young = factories.response(form, cast.sam, cast.student, {"f1": "Now", "f2": "Elsewhere", "f8": "Yes indeed"})
    kay = client_for("kay")
    for n, response in enumerate(old):
        words = text_of(kay.get(f"/responses/{response.ref}"))
        assert f"Subject Word {n} Where Home Signs Not answered" in words, n
        assert "Headline" not in words and "Something new" not in words and "Version 1 of 2" in words
    assert "Headline Now Place Elsewhere Something new Yes indeed" in text_of(kay.get(f"/responses/{young.ref}"))
    header, first, *rest = rows_of(file_of(kay, f"/forms/{form.ref}/responses.csv"))
    assert header[-8:] == ["Headline", "Place", "Something new", "Signs", "Told the parents", "How worried", "Friend", "How often"]
    assert first[-8:-5] == ["Now", "Elsewhere", "Yes indeed"] and rest[-1][-8:-5] == ["Word 0", "Home", ""] and len(rest) == 50


def test_questions_that_were_not_asked_do_not_stand_there(cast, client_for):
    fields = [FIELDS[3], {"key": "f9", "type": "text", "label": "What they said", "only_if": {"field": "f4", "is": "yes"}}]
    form = factories.form("Call", cast.ada, fields)
    no, yes = (factories.response(form, cast.sam, cast.student, {"f4": told}) for told in (False, True))
    assert "What they said" not in text_of(client_for("sam").get(f"/responses/{no.ref}"))
    assert "What they said Not answered" in text_of(client_for("sam").get(f"/responses/{yes.ref}"))


# --- Filters and files -------------------------------------------------------------------------------------------------


@pytest.fixture
def three(cast, form):
    bea = factories.student("Bea", "Brown")
    now = clock.now()
    return [
        factories.response(form, cast.sam, cast.student, {"f1": "Crying in class", "f2": "Home", "f3": ["Tired", "Sad"], "f4": True,
                                                          "f5": 4, "f7": 2.5}),
        factories.response(form, cast.gil, bea, {"f1": "Äpfel", "f2": "School", "f3": ["Tired"], "f4": False, "f5": 2},
                           submitted_at=now - timedelta(days=3)),
        factories.response(form, cast.gil, cast.student, {"f1": "Nothing"}, submitted_at=now - timedelta(days=9)),
    ]  # fmt: skip


@pytest.mark.parametrize("query, found", [
    ("?q=sturgeon", [0, 2]), ("?q=bea", [1]), ("?by=gannet", [1, 2]), ("?by=gil&q=stu", [2]), ("?a_f1=CRYING", [0]),
    ("?a_f1=apfel", [1]), ("?a_f2=Home", [0]), ("?a_f2=Ho", []), ("?a_f3=Tired", [0, 1]), ("?a_f3=Tired&a_f4=no", [1]),
    ("?a_f4=yes", [0]), ("?a_f5=2", [1]), ("?a_f7=2.5", [0]), ("?q=100%25", []), ("?a_f9=x", [0, 1, 2]), ("?from=x", [0, 1, 2]),
    ("?q=!!", [0, 1, 2]), ("?by=%00", [0, 1, 2]), ("?a_f6=Bea", [0, 1, 2]),
])  # fmt: skip
def test_filters(cast, client_for, form, three, query, found):
    kay = client_for("kay")
    if query == "?q=!!":
        found = [n for n, row in enumerate(three) if row.ref in listed(kay, form, query)]
    words = listed(kay, form, query)
    assert [n for n, row in enumerate(three) if row.ref in words] == found
    file = file_of(kay, f"/forms/{form.ref}/responses.csv{query}")
    assert [n for n, row in enumerate(three) if row.ref in file] == found


def test_days_are_whole_days_of_the_school(cast, client_for, form, three):
    day = factories.today() - timedelta(days=3)
    words = listed(client_for("kay"), form, f"?from={day}&to={day}")
    assert three[1].ref in words and three[0].ref not in words and three[2].ref not in words


def test_the_files_are_safe_and_on_record(cast, client_for, form):
    factories.response(form, cast.sam, cast.student, {"f1": "=1+1", "f7": 2})
    for kind in ("csv", "xlsx"):
        assert file_of(client_for("kay"), f"/forms/{form.ref}/responses.{kind}")
    assert "'=1+1" in file_of(client_for("kay"), f"/forms/{form.ref}/responses.csv")
    event = Event.select().where(Event.verb == "response.exported").order_by(Event.id).first()
    assert json.loads(event.data) == {"count": 1, "format": "csv", "form": form.ref}
    assert len(rows_of(file_of(client_for("oli"), f"/forms/{form.ref}/responses.csv"))) == 1, "their own: none"


def test_the_list_asks_the_database_as_often_for_many_as_for_few(cast, client_for, form, count_queries):
    kay = client_for("kay")
    friend = factories.student("Fay", "Friend")
    for many in (2, 40):
        for n in range(many):
            answers = {"f1": f"Word {n}", "f6": {"ref": friend.ref, "name": "Fay Friend"}}
            last = factories.response(form, cast.sam, cast.student, answers)
        for address in (f"/forms/{form.ref}/responses", f"/forms/{form.ref}/responses?a_f1=word", f"/responses/{last.ref}"):
            kay.get(address)
            with count_queries(most=10):
                kay.get(address)
    with count_queries(most=10):
        file_of(kay, f"/forms/{form.ref}/responses.csv")


def test_the_list_of_a_form_with_many_questions_stays_light(cast, client_for):
    fields = [{"key": f"f{n}", "type": ("text", "yes_no")[n % 2], "label": f"What is the answer to {n}?"} for n in range(200)]
    form = factories.form("Long", cast.ada, fields)
    for n in range(50):
        factories.response(form, cast.sam, cast.student, {f"f{n}": "word" for n in range(0, 200, 2)})
    page = client_for("kay").get(f"/forms/{form.ref}/responses?a_f198=word")
    assert len(page.data) < 60_000 and 'name="a_f198" value="word"' in page.text and 'name="a_f1"' in page.text
    assert 'name="a_f2"' not in page.text and "This form asks 200 questions; these 41 are offered here." in text_of(page)


def test_a_filter_can_be_saved_shared_and_removed(cast, client_for, post, form, three):
    kay = client_for("kay")
    page = f"/forms/{form.ref}/responses?a_f2=Home"
    answer = post(kay, f"/forms/{form.ref}/responses/saved", {"name": "At home", "is_shared": "y"}, form_url=page)
    assert answer.status_code == 303 and answer.location == page
    row = SavedReport.get()
    assert (row.form_id, row.query, row.owner_id) == (form.id, "a_f2=Home", cast.kay.id)
    assert "At home" in listed(client_for("ken"), form) and "Remove At home" not in client_for("ken").get(page).text
    assert "At home" not in client_for("kay").get("/reports").text, "it is no saved report of incidents"
    removal = f"/forms/{form.ref}/responses/saved/{row.ref}/removal"
    assert post(client_for("ken"), removal, {}, form_url="/").status_code == 404
    with pytest.raises(permissions.NotVisible):
        actions.remove_filters(row, actor=cast.ken)
    assert post(kay, removal, {}, form_url=page).status_code == 303 and SavedReport.select().count() == 0
    refused = post(kay, f"/forms/{form.ref}/responses/saved", {"name": " "}, form_url=page)
    assert refused.status_code == 422 and "Give it a name." in refused.text


def test_filters_are_saved_by_those_alone_who_open_the_list(cast, client_for, post):
    form = factories.form("Outside", cast.ada, FIELDS, for_staff=False, for_referral_users=True, readers=[cast.counselling])
    for who in ("oli", "rae", "stu", "sam"):
        assert client_for(who).get(f"/forms/{form.ref}/responses").status_code == 404, who
        assert post(client_for(who), f"/forms/{form.ref}/responses/saved", {"name": "x"}, form_url="/").status_code == 404
        with pytest.raises(permissions.NotVisible):
            actions.save_filters(form, "x", "", False, actor=getattr(cast, who))


# --- Files of a response -----------------------------------------------------------------------------------------------


def test_a_file_is_for_those_who_see_the_response(cast, client_for, post):
    form = factories.form("Papers", cast.ada, [{"key": "f1", "type": "file", "label": "Papers"}])
    sent = {"student_ref": [cast.student.ref], "answer_f1": (io.BytesIO(b"Secret notes.\n"), "notes.txt")}
    answer = post(client_for("sam"), f"/forms/{form.ref}/responses/new", sent)
    url = f"{answer.location}/files/{StoredFile.get().ref}"
    for who in ("sam", "kay", "ada"):
        assert file_of(client_for(who), url) == b"Secret notes.\n"
    for who in ("oli", "gil", "rae", "stu"):
        assert client_for(who).get(url).status_code == 404, who
    other = factories.response(form, cast.oli, cast.student)
    assert client_for("oli").get(f"/responses/{other.ref}/files/{StoredFile.get().ref}").status_code == 404
    assert "notes.txt" in text_of(client_for("kay").get(answer.location))
    assert "notes.txt" in file_of(client_for("kay"), f"/forms/{form.ref}/responses.csv")


def test_addresses_that_are_none(cast, client_for, form):
    for address in ("/responses/NONE", "/responses/A%00B", "/forms/NONE/responses", "/forms/NONE/responses/new",
                    "/responses/NONE/files/NONE", "/referrals/NONE", "/responses/NONE/access"):  # fmt: skip
        for who in ("ada", "oli", "rae", "stu"):
            assert client_for(who).get(address).status_code == 404, (who, address)
    assert responses.Filters().answers == {}
