"""Case Management System Student Visibility: what the settings page says and saves, and that a student reaches nothing but
their own pages, whether it is Enabled or Disabled, and a Referral User nothing but theirs: the whole URL map is tried, and
each page about a response, a referral or a form with every reference there is."""

import pytest
from werkzeug.routing import AnyConverter

import models
from blueprints.cohorts import queries
from extensions import clock
from models import Account, Cohort, Event, FormResponse, School, StoredFile, Student
from tests import factories
from tests.access import world as access_world
from tests.access.routes import values
from tests.access.visitor import Visitor, masked, undone
from tests.web import forms, text_of

URL, LABEL = "/admin/settings", "Case Management System Student Visibility"


# --- The setting -------------------------------------------------------------------------------------------------------


@pytest.fixture
def counted(cast):
    """Five students in cohorts: two to invite, one without an email, one with an account, one with the email of staff."""
    Account.update(password_hash="set").where(Account.id == cast.stu.id).execute()
    emails = ("a@pupils.example.org", "b@pupils.example.org", "", "gil@school.example.org")
    students = [factories.student(email=email) for email in emails]
    left = factories.student(email="left@pupils.example.org", is_active=False)
    factories.cohort("First years", "Autumn", [*students, left, cast.student])
    factories.cohort("First years", "Spring", students[:1])
    factories.cohort("First years", "Old", [factories.student(email="old@pupils.example.org")], archived=True)
    factories.student(email="in-none@pupils.example.org")
    cast.students = students
    return cast


def test_the_page_says_what_follows(counted, client_for):
    page = client_for("ada").get(URL)
    form = next(form for form in forms(page) if "student_visibility" in form.controls)
    assert form.values["student_visibility"] == ["Disabled"]
    text = text_of(page)
    assert f">{LABEL}</label>" in page.text and "Disabled Enabled" in text and "Update" in text
    assert "When you save it as Enabled: 2 students in cohorts are invited by email" in text
    assert "1 student in cohorts has an account already." in text
    assert "1 student in cohorts has no email and can’t be invited." in text
    assert "1 student in cohorts has the email of an account that is no student’s" in text
    assert "Nothing about cases or incidents" in text


def test_a_student_who_is_closed_to_the_admin_is_in_no_count(counted):
    before = queries.visibility_effect(counted.ada)
    assert before == (2, 1, 1, 1)
    factories.exclusion(counted.ada, counted.kay, student=counted.students[0])
    assert queries.visibility_effect(counted.ada) == (1, 1, 1, 1)


def test_enabling_and_disabling(cast, client_for, post, clock):
    clock.freeze(clock.now())
    ada = client_for("ada")
    assert post(ada, URL, {"student_visibility": "Enabled"}).status_code == 303
    first = School.get().student_visibility_at
    assert first == clock.now()
    event = Event.get(Event.verb == "settings.changed")
    assert '"student_visibility"' in event.data and event.actor_id == cast.ada.id
    page = ada.get(URL)
    form = next(form for form in forms(page) if "student_visibility" in form.controls)
    assert form.values["student_visibility"] == ["Enabled"] and "It is Enabled." in text_of(page)
    clock.move(minutes=9)
    assert post(ada, URL, {"name": "Finch Valley"}).status_code == 303
    assert School.get().student_visibility_at == first, "saving it again is no new beginning"
    assert post(ada, URL, {"student_visibility": "Disabled"}).status_code == 303
    assert School.get().student_visibility_at is None


@pytest.mark.parametrize("value", ["", "True", "enabled", "1"])
def test_a_forged_choice_is_refused(cast, client_for, post, value):
    answer = post(client_for("ada"), URL, {"student_visibility": value})
    assert answer.status_code == 422 and "is not known" in text_of(answer) and School.get().student_visibility_at is None


def test_two_editors_see_both_in_words(cast, client_for, post):
    ada = client_for("ada")
    post(ada, URL, {"student_visibility": "Enabled"})
    late = post(ada, URL, {"student_visibility": "Disabled", "version": "1"})
    assert late.status_code == 409 and f"{LABEL} on off" in text_of(late)
    assert School.get().student_visibility


def test_it_takes_effect_on_the_next_request_both_ways(cast, client_for, post):
    factories.milestone(factories.cohort("First years", "Autumn", [cast.student]), "Meet your advisor")
    ada, stu = client_for("ada"), client_for("stu")
    assert "Meet your advisor" not in stu.get("/").text
    post(ada, URL, {"student_visibility": "Enabled"})
    assert "Meet your advisor" in stu.get("/").text
    post(ada, URL, {"student_visibility": "Disabled"})
    assert "Meet your advisor" not in stu.get("/").text


# --- What a student reaches ------------------------------------------------------------------------------------------------

EVERYBODYS = {
    "static", "home.health", "home.dashboard", "account.ask_password_link", "account.change_password", "account.index",
    "account.password_link_sent", "account.recovery_codes", "account.revoke_other_sessions", "account.save_draft",
    "account.set_password", "account.sign_in", "account.sign_out", "account.two_step", "account.two_step_setup",
}  # fmt: skip
OWN = {
    "cohorts.own_address", "cohorts.own_address_revocation", "cohorts.own_calendar", "cohorts.own_file",
    "cohorts.own_milestone", "cohorts.own_photo", "cohorts.own_request", "cohorts.own_request_withdrawal",
}  # fmt: skip
# Forms that are for them, and what they sent.
SENDS = {
    "forms.fill", "forms.fill_draft_removal", "forms.index", "forms.response", "forms.response_file", "forms.sent",
    "forms.sent_export",
}  # fmt: skip
REFERS = SENDS | {"forms.referral", "forms.referrals", "forms.referrals_export"}
ALLOWED = {
    ("stu", True): EVERYBODYS | OWN | SENDS | {"cohorts.feed"},
    ("stu", False): EVERYBODYS,
    ("rae", True): EVERYBODYS | REFERS | {"account.details", "cohorts.feed"},
    ("rae", False): EVERYBODYS | REFERS | {"account.details"},
}
# Which records the address of a page may name, and of which of them it is somebody's own page.
ABOUT = {"forms.fill": "form", "forms.fill_draft_removal": "form", "forms.response": "response", "forms.response_file": "response",
         "forms.referral": "referral"}  # fmt: skip


def theirs(school, who):
    """{kind: references of what is somebody's own}"""
    of = {"stu": ([school.form], [school.stus_response], []),
          "rae": ([school.form, school.open_form], [school.raes_response, school.referral.response], [school.referral])}[who]  # fmt: skip
    return {kind: {row.ref for row in rows} for kind, rows in zip(("form", "response", "referral"), of, strict=True)}


@pytest.fixture
def school(app, cast, clock):
    clock.freeze(clock.now().replace(hour=10, minute=30, second=0, microsecond=0))
    app.extensions["caseward_nudge"] = lambda name="deliver": None
    return access_world.build(app, cast)


def every_ref():
    """References of all there is: what an address could name."""
    found = []
    for table in models.tables():
        if "ref" in table._meta.fields:
            found += [ref for (ref,) in table.select(table.ref).tuples()]
    return found


def addresses(app, school, full):
    """(endpoint, methods, address, what stands in it) for the whole URL map, each with real references: those that tests/access
    knows for it, and for pages about forms, and with `full` everywhere, every reference there is in every place."""
    refs = every_ref()
    for rule in app.url_map.iter_rules():
        known = values(school, rule.endpoint)
        choices = {name: sorted(each.items) for name, each in rule._converters.items() if isinstance(each, AnyConverter)}
        given = {name: choices.get(name, [known.get(name, school.cast.student.ref)])[0] for name in rule.arguments}
        chosen, others = [given], [name for name in given if name.endswith("ref")]
        sent = "/forms/<ref>" in rule.rule or rule.rule.startswith(("/responses/", "/referrals/"))
        if full or sent or rule.endpoint.startswith("cohorts.") and rule.endpoint not in OWN:
            some = refs if full or sent else [school.cast.student.ref, school.own_milestone.ref, school.own_milestone.cohort.ref]
            chosen += [given | dict.fromkeys(others, ref) for ref in some] if others else []
        if rule.endpoint == "forms.response_file":  # each file by the address of each response
            pairs = [(row.ref, file.ref) for row in FormResponse.select() for file in StoredFile.select()]
            chosen += [{"ref": ref, "file_ref": file} for ref, file in pairs]
        for one in chosen:
            yield rule.endpoint, rule.methods - {"HEAD", "OPTIONS"}, rule.build(one)[1], one


@pytest.mark.parametrize("is_on", [True, False], ids=["Enabled", "Disabled"])
@pytest.mark.parametrize("who", ["stu", "rae"])
def test_the_whole_url_map_is_closed_but_for_their_own(app, school, cookie_for, full, who, is_on, figure):
    if not is_on:
        School.update(student_visibility_at=None).execute()
    visitor, open_, asked, own = Visitor(app, who, cookie_for(getattr(school.cast, who))), [], 0, theirs(school, who)
    for endpoint, methods, url, given in addresses(app, school, full):
        if endpoint in ALLOWED[who, is_on] and (endpoint not in ABOUT or is_own(school, own, who, endpoint, given)):
            continue
        for method in sorted(methods):
            with undone():
                answer = visitor.post(url) if method == "POST" else visitor.send(method, url)
            asked += 1
            if answer.status != 404:
                open_.append(f"{method} {endpoint}: {answer}")
    assert not open_, f"{len(open_)} of {asked} answers to {who} are no 404:\n" + "\n".join(open_)
    figure(f"what {who} reaches while visibility is {'on' if is_on else 'off'}", f"{asked} foreign addresses, all 404")


def is_own(school, own, who, endpoint, given):
    """Whether an address of such a page names what is this person's own."""
    if endpoint == "forms.response_file":
        return who == "stu" and given == {"ref": school.stus_response.ref, "file_ref": school.stus_file.ref}
    return given["ref"] in own[ABOUT[endpoint]]


@pytest.mark.parametrize("who", ["stu", "rae"])
def test_what_is_open_to_them_is_really_there(app, school, cookie_for, who):
    """Else the list above could name pages that nobody gets; of their own each is opened, of others' none."""
    visitor, opened, own = Visitor(app, who, cookie_for(getattr(school.cast, who))), set(), theirs(school, who)
    wanted = OWN | SENDS | {"cohorts.feed"} if who == "stu" else REFERS - {"forms.response_file"}
    for endpoint, methods, url, given in addresses(app, school, False):
        if endpoint in wanted and (endpoint not in ABOUT or is_own(school, own, who, endpoint, given)):
            for method in methods:
                with undone():
                    answer = visitor.post(url) if method == "POST" else visitor.send(method, url)
                assert answer.status in (200, 303, 409, 422), f"{method} {endpoint}: {answer}"
                opened.add(endpoint)
    assert opened == wanted


def test_while_disabled_a_form_tells_a_student_nothing(app, school, cookie_for, clock):
    """The 404 of their own form and response is, but for its one-time values, the 404 for what never was."""
    clock.freeze(clock.now())
    School.update(student_visibility_at=None).execute()
    stu = Visitor(app, "stu", cookie_for(school.cast.stu))
    for method, url, ref in (("GET", "/forms/{}/responses/new", school.form.ref), ("POST", "/forms/{}/responses/new", school.form.ref),
                             ("POST", "/forms/{}/responses/draft-removal", school.form.ref),
                             ("GET", "/responses/{}", school.stus_response.ref),
                             ("GET", f"/responses/{{}}/files/{school.stus_file.ref}", school.stus_response.ref)):  # fmt: skip
        answers = []
        for asked in (ref, "ZZZZZZZZZZ"):
            answer = stu.post(url.format(asked)) if method == "POST" else stu.get(url.format(asked))
            assert answer.status == 404, answer
            answers.append(masked(answer).replace(url.format(asked).encode(), b""))
        assert answers[0] == answers[1], f"{method} {url}"
    for url in ("/forms", "/responses", "/responses.csv"):
        assert stu.get(url).status == 404
    assert "/forms" not in stu.get("/").text and "/responses" not in stu.get("/").text


@pytest.mark.parametrize("is_on", [True, False], ids=["Enabled", "Disabled"])
def test_every_link_a_student_finds_is_open_and_says_nothing_of_others(app, school, cookie_for, is_on):
    if not is_on:
        School.update(student_visibility_at=None).execute()
    stu, seen, todo = Visitor(app, "stu", cookie_for(school.cast.stu)), {}, ["/"]
    while todo:
        url = todo.pop()
        if url in seen or url.startswith("/static"):
            continue
        answer = seen[url] = stu.get(url)
        assert answer.status == 200, answer
        todo += [link for link in answer.links if link.startswith("/")]
    assert ("/my/calendar" in seen) == is_on
    pages = {url: answer for url, answer in seen.items() if answer.is_html}
    for url, answer in pages.items():
        words = answer.words
        assert "incident" not in words and "safeguarding" not in words, url
        assert "/students" not in words and "/cases" not in words and "/search" not in words, url
        for name in ("oli ouzel", "kay kestrel", "ada adler", "finch"):
            assert name not in words, url
    assert not is_on or any("/my/milestones/" in url for url in pages)


def test_left_or_in_no_cohort(app, school, cookie_for):
    """Left: nothing. In an archived cohort alone: a dashboard with nothing on it."""
    stu = Visitor(app, "stu", cookie_for(school.cast.stu))
    Cohort.update(archived_at=clock.now()).execute()
    assert "There is nothing for you to do yet." in stu.get("/").text
    Student.update(is_active=False).where(Student.id == school.cast.student.id).execute()
    assert "Welcome, Stu Sturgeon" in stu.get("/").text and stu.get("/my/calendar").status == 404
