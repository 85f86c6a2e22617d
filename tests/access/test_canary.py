"""Every field and file of what somebody may not see carries a token that occurs nowhere else. They then go wherever an
address leads them, and nothing that comes back may hold one: not a status line, a header, a page, a cookie, an export,
a log line or an email. Those who may see it do find each of them, so the search would not miss one.
"""

import logging
import re
from collections import Counter, deque
from types import SimpleNamespace
from urllib.parse import parse_qsl, quote, urlsplit

import pytest

import tasks
from blueprints.kit.text import fold
from extensions import clock, db
from models import Case, CaseGroup, CaseStaff, Notification, OutboxEmail
from tests import factories
from tests.access.routes import (
    KEY,
    MANAGES_MEETING,
    ON_CASE,
    READS_FILE,
    READS_MEETING,
    READS_PLAN,
    READS_REFERRAL,
    READS_RESPONSE,
    READS_TASK,
    STAFF,
    samples,
)
from tests.access.visitor import masked, undone
from tests.conftest import FULL

# How many links one after another may each bring a path or the name of a filter that was nowhere before. The pages may become
# more and so may their filters, but every route is a start, so all is near; an address that grows as it is followed never is.
FAR = 12
OF_EACH = 50 if FULL else 2

# Who may find which kind of secret (see world.py). Everybody else finds none of that kind; "never" is for nobody.
ALLOWED = {
    "incident": {"ada", "ken", "gil", "sam"},
    "part": {"ada", "ken", "gil", "sam"},
    "case": ON_CASE.may,
    "removed": ON_CASE.may,  # what was taken off the case; nobody has to find it
    "student": STAFF,
    "details": KEY | ON_CASE.may | READS_PLAN.may,
    "plan": READS_PLAN.may,
    "meeting": MANAGES_MEETING.may,
    "meeting reference": READS_MEETING.may,
    "task": READS_TASK.may,
    "file": READS_FILE.may,
    "response": READS_RESPONSE.may,
    "referral": READS_REFERRAL.may,
    "exclusion": {"ada"},
    "announcement": STAFF,
    "over": {"ada"},
    "personnel": STAFF,
    "own": {"ken"},
    "milestones": {"ada", "gil", "mo"},  # Gil is in the group that supports the cohort, Mo manages it
    "cohorts": {"ada"},
    "session": {"ken", "ada"},
    "import": {"ada"},
    "never": set(),
}
# All staff may find students by name: that one of them has a part in an incident is what is hidden of `part`.
NAMES_IN_LISTS = {"part"}


def crawl(visitor, start, of_each=OF_EACH):
    """Every answer to GET from these addresses on. Links are followed once for each page and kind of filter;
    `of_each` of the pages about one thing, and of the filters of one list. The nearest are asked first."""
    waiting, seen, answers = deque((url, 0) for url in start), {shape(url) for url in start}, []
    alike, known = Counter(), {part for url in start for part in shape(url)}
    match = visitor.app.url_map.bind("127.0.0.1").match
    while waiting:
        url, links = waiting.popleft()
        with undone():
            answer = visitor.get(url)
        answers.append(answer)
        assert links < FAR, f"{visitor} goes in circles: {[each.url for each in answers[-20:]]}"
        for link in sorted(answer.links):
            if shape(link) in seen:
                continue
            seen.add(shape(link))
            endpoint, given = match(urlsplit(link).path)
            alike[endpoint] += bool(given) or "?" in link
            if alike[endpoint] <= of_each:
                waiting.append((link, links + (not known.issuperset(shape(link)))))
                known.update(shape(link))
    return answers


def shape(url):
    """A page, with the names of the filters in its address and not what they are set to."""
    parts = urlsplit(url)
    return parts.path, *sorted({name for name, _ in parse_qsl(parts.query, keep_blank_values=True)})


def addresses(app, school, every=True):
    """Where a curious person would go: the whole URL map with the secret's references, and filters that would find it."""
    gets = [url for _, methods, url in samples(app, school, every) if "GET" in methods]
    others = ((school.secret, school.shared), (school.case, school.open_case))
    with_open = [url.replace(one.ref, other.ref) for one, other in others for url in gets if one.ref in url]
    reports = [
        "from=",
        f"category={school.secret_category.ref}",
        f"student_ref={school.student.ref}",
        "year_group=8",
        f"author={school.cast.sam.ref}",
        f"assigned_to={school.cast.ken.ref}",
        "unassigned=y",
    ]
    lists = [f"/incidents?list={name}" for name in ("all", "assigned", "unassigned", "alerted", "written")]
    lists += ["/incidents?status=Active", "/students?show=all", "/students?year=8", "/admin/email?state=waiting"]
    lists += [f"/reports/incidents{kind}?{query}" for query in reports for kind in ("", "/counts", *(".csv", ".xlsx") * every)]
    lists += [f"/admin/bulk-closing{kind}?from=2000-01-01&to={factories.today()}" for kind in ("", ".csv", ".xlsx")]
    lists += [f"/incidents/new?student={school.student.ref}", "/students/suggest?q=zq", "/students/suggest?q=z"]
    lists += [f"/cases/new?student={school.student.ref}", f"/cases/new?incident={school.secret.ref}"]
    lists += ["/cases?status=Open", "/cases?status=Closed", f"/cases?type={school.case.case_type.ref}", "/notifications?page=2"]
    lists += [f"/cases/{school.case.ref}/assignment/members?group={school.cast.counselling.ref}",
              f"/cases/{school.open_case.ref}/assignment/members?group={school.cast.counselling.ref}"]  # fmt: skip
    lists += [f"/incidents/access-preview?students_ref={school.student.ref}&category={school.secret_category.ref}"]
    return gets + with_open + lists


def forged(app, school):
    """[(address, form)] of posts that name the secret in every field that could take it."""
    posts = [(url, {}) for _, methods, url in samples(app, school) if "POST" in methods]
    posts.append(("/incidents/new", {
        "students_ref": school.student.ref, "category": school.secret_category.ref, "text": "What I heard.",
        "happened_at": "2026-01-05T10:00", "preview": "1",
    }))  # fmt: skip
    posts.append(("/incidents/new", {"students": "Zqlastname", "text": "What I heard."}))
    posts.append((f"/incidents/{school.incident.ref}/students", {"students_ref": school.student.ref, "version": "1"}))
    posts.append((f"/incidents/{school.incident.ref}/actions/{school.action.ref}/completion", {}))
    posts.append((f"/incidents/{school.incident.ref}/body-map/{school.mark.ref}/removal", {}))
    posts.append((f"/incidents/{school.incident.ref}/files/{school.file.ref}/removal", {}))
    posts += forged_about_cases(school)
    posts.append((f"/students/{school.ann.ref}/contacts/{school.contact.ref}/removal", {}))
    posts.append((f"/students/{school.ann.ref}/exclusions/{school.student_exclusion.ref}/end", {}))
    posts.append(("/reports/saved", {"name": "Mine", "query": f"student_ref={school.student.ref}"}))
    return posts


def forged_about_cases(school):
    """The parts of the secret case by the address of the open one, and the secret incident and student in its forms."""
    opened, pieces = f"/cases/{school.open_case.ref}", school
    posts = [(f"{opened}/entries/{pieces.entry.ref}", {"text": "Mine.", "number": "2", "reason": "x"}),
             (f"{opened}/agencies/{pieces.agency.ref}", {"agency": "Mine.", "number": "2"}),
             (f"{opened}/agencies/{pieces.agency.ref}/removal", {}), (f"{opened}/files/{pieces.case_file.ref}/removal", {}),
             (f"{opened}/incidents/{school.secret.ref}/removal", {}), (f"{opened}/incidents", {"incident": school.secret.ref}),
             (f"{opened}/exclusions/{pieces.case_exclusion.ref}/end", {}),
             (f"{opened}/staff/{pieces.ida.ref}/removal", {}), (f"{opened}/groups/{school.cast.counselling.ref}/removal", {})]  # fmt: skip
    new = {"title": "Mine", "case_type": school.case.case_type.ref, "student_ref": school.student.ref}
    posts += [("/cases/new", new), (f"/cases/new?incident={school.secret.ref}", new), ("/cases/new", {"student": "Zqlastname"})]
    return [*posts, ("/notifications/reading", {"newest": school.notification.ref})]


def found(school, answers, kinds):
    """Sentences about the tokens of these kinds that stand in the answers, as far as the request did not bring them."""
    words = [word for kind in kinds for word in school.tokens.of(kind)]
    every = re.compile("|".join(map(re.escape, sorted(words))))
    leaks = []
    for answer in answers:
        for word in sorted(set(every.findall(answer.words)) - set(every.findall(fold(answer.asked) + answer.asked.casefold()))):
            leaks.append(f"{school.tokens.name(word)}: in {answer}")
    return leaks


def hidden_from(person):
    return [kind for kind, allowed in ALLOWED.items() if person not in allowed and kind not in NAMES_IN_LISTS]


def look_everywhere(app, school, visitor, follow=True):
    """Every answer this person can get hold of; with `follow` also by the links that come with them."""
    answers = crawl(visitor, addresses(app, school, every=follow), OF_EACH if follow else 0)
    for url, form in forged(app, school):
        with undone():
            answers.append(visitor.post(url, form))
        answers[-1].asked += " ".join(form.values())
    return answers


@pytest.fixture
def logged():
    """All that any logger says, as one text."""
    lines = []

    class Keep(logging.Handler):
        def emit(self, record):
            if not record.name.startswith("peewee"):
                lines.append(self.format(record))

    handler, root = Keep(logging.DEBUG), logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    logging.getLogger("peewee").setLevel(logging.WARNING)
    yield lines
    root.removeHandler(handler)
    root.setLevel(before)
    logging.getLogger("peewee").setLevel(logging.NOTSET)


# --- The tests -------------------------------------------------------------------------------------------------------


def test_a_crawl_that_goes_in_circles_is_noticed(app, school):
    """The control of crawl(): an address that grows by itself, and one that grows by what is asked of it."""
    for start, more in ((f"/students/{school.student.ref}", "x"), ("/reports/incidents?a0=1", "&a{}=1")):
        number = iter(range(1, 1000))
        growing = SimpleNamespace(app=app, get=lambda url, more=more, number=number:
                                  SimpleNamespace(url=url, links={url + more.format(next(number))}))  # fmt: skip
        with pytest.raises(AssertionError, match="goes in circles"):
            crawl(growing, [start], of_each=2 * FAR)


@pytest.mark.parametrize("person", ["nobody", "kay", "oli", "mo", "rae", "stu"])
def test_whoever_may_not_see_it_finds_no_trace(app, school, visitors, logged, figure, person):
    answers = look_everywhere(app, school, visitors[person])
    leaks = found(school, answers, hidden_from(person))
    assert not leaks, f"{person} found:\n" + "\n".join(leaks)
    nothing_in_the_log(school, logged)
    figure(f"canary, {person}", f"{len(answers)} answers, {len(school.tokens.all())} tokens: 0 found")


@pytest.mark.parametrize("person", ["ada", "kay", "sam", "gil"])
def test_whoever_is_excluded_finds_no_trace_of_the_student(app, school, visitors, logged, figure, person):
    """Admin, Key User and author: exclusion beats the reason, in every place."""
    factories.exclusion(getattr(school.cast, person), school.ada2, student=school.student)
    answers = look_everywhere(app, school, visitors[person], follow=person == "ada" or FULL)
    kinds = {"incident", "case", "task", "meeting", "meeting reference", "file", "response", "removed", "student", "details", "own", "never", *hidden_from(person)} - {"exclusion"}
    leaks = found(school, answers, kinds)
    assert not leaks, f"{person} found:\n" + "\n".join(leaks)
    nothing_in_the_log(school, logged)
    figure(f"canary, {person} excluded", f"{len(answers)} answers: 0 found")


@pytest.mark.parametrize("person", ["ada", "ken", "gil", "mo"])
def test_whoever_is_excluded_from_the_case_finds_no_trace_of_it(app, school, visitors, logged, figure, person):
    """Admin, whoever opened it, a member and a manager of its group; all but Mo go on seeing the incident linked to it."""
    factories.exclusion(getattr(school.cast, person), school.ada2, case=school.case)
    answers = look_everywhere(app, school, visitors[person], follow=person == "ada" or FULL)
    leaks = found(school, answers, {"case", "removed", "never"})
    assert not leaks, f"{person} found:\n" + "\n".join(leaks)
    nothing_in_the_log(school, logged)
    figure(f"canary, {person} excluded from the case", f"{len(answers)} answers: 0 found")


def test_whoever_may_see_it_finds_all_of_it(app, school, visitors, logged):
    """The positive control: the same search, by those who have a reason, finds each token; and nothing else."""
    told = {}
    elsewhere = ("/admin", "/account", "/setup", "/static", "/students/import", "/import", "/reports/saved")
    for person in ("ada", "ken", "gil", "sam", "mo"):
        if person == "ada" or FULL:
            answers = look_everywhere(app, school, visitors[person])
        else:
            urls = [url for url in addresses(app, school, every=False) if not url.startswith(elsewhere)]
            answers = crawl(visitors[person], urls, 0)
        told[person] = "\n".join(answer.words for answer in answers)
        leaks = found(school, answers, hidden_from(person))
        assert not leaks, f"{person} found:\n" + "\n".join(leaks)
    for person, words in told.items():
        kinds = [kind for kind in ("incident", "case", "student", "announcement", "personnel") if person in ALLOWED[kind]]
        lost = [school.tokens.name(word) for kind in kinds for word in school.tokens.of(kind)
                if word not in words and word != school.mark.ref.casefold()]  # fmt: skip
        assert not lost, f"{person} may see it and found no: {lost}"
    lost = [school.tokens.name(word) for kind in ALLOWED if kind not in ("never", "removed") for word in school.tokens.of(kind)
            if word not in told["ada"] + told["ken"]]  # fmt: skip
    assert not lost, f"nobody ever finds: {lost}"
    nothing_in_the_log(school, logged)


def test_of_a_shared_incident_only_the_open_part_is_shown(app, school, visitors):
    """Kay sees the incident through Ann: the other student's name, reference and category stand on no page about it."""
    answers = [each for each in crawl(visitors["kay"], [f"/incidents/{school.shared.ref}"]) if school.shared.ref in each.url]
    answers += crawl(visitors["kay"], ["/incidents"])[:1]
    assert any(answer.status == 200 and school.shared.ref in answer.text for answer in answers)
    leaks = found(school, answers, ["part"])
    assert not leaks, "\n".join(leaks)


def test_a_case_that_came_of_an_incident_does_not_tell_of_it(app, school, visitors):
    """Ken opens it with one click on the incident. Mo works on the case, and has never heard of the incident."""
    CaseGroup.delete().execute()
    answer = visitors["ken"].post(f"/incidents/{school.secret.ref}/case")
    assert answer.status == 303 and answer.location.startswith("/cases/C-")
    new = Case.get(Case.ref == answer.location.rpartition("/")[2])
    CaseStaff.create(case=new, account=school.cast.mo, attached_by=school.cast.ken)
    answers = crawl(visitors["mo"], [f"/cases/{new.ref}", "/cases", "/", "/notifications", f"/search?q={new.ref}"])
    shown = {each.url for each in answers if each.status == 200 and new.ref in each.text}
    assert {f"/cases/{new.ref}", "/cases"} <= shown
    leaks = found(school, answers, ["incident"])
    assert not leaks, "\n".join(leaks)


def searches(word):
    """Every place where a word can be typed; those that look into most come first."""
    typed = quote(word)
    places = ["/search?q=", "/search/suggest?q=", "/cases?q=", "/incidents?q=", "/students?show=all&q=", "/reports/incidents?text=",
              "/students/suggest?q=", "/cases/mine?q=", "/cases.csv?q=", "/personnel?q=", "/reports/incidents?student=",
              "/incidents/alert-suggest?q=", "/reports/incidents.csv?text=", "/incidents/export.csv?q=", "/students/export.csv?q=",
              "/incidents/access-preview?students=", "/cases/mine.csv?q=", "/search?show=cases&q=", "/search?show=incidents&q="]  # fmt: skip
    return [place + typed for place in places]


@pytest.mark.parametrize("person", ["kay", "oli", "stu"])
def test_searching_for_a_secret_word_is_like_searching_for_no_word_at_all(app, school, visitors, full, person):
    """In the bounded run each word goes to the places that look into most, and to one of the others in turn."""
    visitor = visitors[person]
    nonsense, always = "Qqnothingatallx", 3
    nothing = [plain(ask(visitor, url), nonsense) for url in searches(nonsense)]
    different = []
    for number, word in enumerate(sorted(word for kind in hidden_from(person) if kind != "never" for word in school.tokens.of(kind))):
        for place, (url, expected) in enumerate(zip(searches(word), nothing, strict=True)):
            in_turn = always + number % (len(nothing) - always)
            if (full or place < always or place == in_turn) and plain(ask(visitor, url), word) != expected:
                different.append(f"{school.tokens.name(word)}: {url}")
    assert not different, f"{person} can tell that these words exist:\n" + "\n".join(different)


def ask(visitor, url):
    with undone():
        return masked(visitor.get(url))


def plain(body, word):
    for form in {word, quote(word), fold(word)}:
        body = re.sub(re.escape(form.encode()), b"", body, flags=re.IGNORECASE)
    return body


def test_the_positive_control_of_the_search(app, school, visitors):
    """Those who may do find it by its words, so the comparison above compares something."""
    text = next(word for word in school.tokens.of("incident") if "text" in word)
    name = next(word for word in school.tokens.of("student") if "lastname" in word)
    ref = school.secret.ref.casefold()
    for url in (f"/incidents?q={text}", f"/reports/incidents?text={text}", f"/incidents/export.csv?q={text}"):
        assert ref in visitors["ada"].get(url).words, f"{url} does not find it"
    for url in (f"/search?q={name}", f"/students?q={name}", f"/students/suggest?q={name}"):
        assert school.student.ref.casefold() in visitors["ada"].get(url).words, f"{url} does not find the student"
    for row, page in ((school.secret, "incidents"), (school.case, "cases")):
        assert visitors["ada"].get(f"/search?q={row.ref}").location == f"/{page}/{row.ref}"
        assert row.ref.casefold() in visitors["ada"].get(f"/search/suggest?q={row.ref}").words
    for what in ("title", "entry", "concern", "narrative"):
        word = next(word for word in school.tokens.of("case") if school.tokens.name(word) == f"case: {what}")
        assert school.case.ref.casefold() in visitors["gil"].get(f"/search?q={word}").words, f"the search finds no {what}"


# --- What goes out by itself -------------------------------------------------------------------------------------------


def nothing_in_the_log(school, logged):
    """Logs carry references, never names or text (TRUST.md, rule 15), whoever asked."""
    rows = (school.secret, school.action, school.mark, school.file, school.hidden, school.case, school.entry, school.case_file, school.plan,
            school.task, school.meeting, school.referral.response)
    refs = {each.ref.casefold() for each in (*rows, *school.case.agencies)}
    secret = school.tokens.all()
    told = [line for line in logged if any(word in line.casefold() for word in secret - refs)]
    assert not told, "the log tells:\n" + "\n".join(told)[:2000]


def test_no_email_holds_a_token(app, school, smtp, logged):
    """One of every kind to everybody: each goes out to whom it may, and says nothing."""
    cast, today = school.cast, factories.today()
    people = [cast.ada, cast.kay, cast.ken, cast.gil, cast.mo, cast.sam, cast.rae, cast.stu, cast.oli]
    targets = {"incident_assigned": school.secret.id, "incident_alerted": school.secret.id, "action_due": school.action.id,
               "password_link": school.link.id, "invitation": school.link.id, "case_added": school.case.id,
               "referral_received": school.referral.response_id, "case_changed": school.case.id, "student_changed": school.student.id, "digest": None,
               "milestone_asked": cast.student.id, "milestone_answered": school.own_milestone.id,
               **dict.fromkeys(("meeting_invited", "meeting_changed", "meeting_cancelled"), school.meeting.id),
               "task_assigned": school.task.id, "task_overdue": school.task.id, "plan_review_due": school.plan.id, "milestone_reminder": school.own_reminder.id, "student_invitation": school.own_link.id}  # fmt: skip
    Notification.update(digest_on=today, digested_at=clock.now()).execute()
    with db.atomic():
        for person in [*people, school.lou, school.fay, school.ida]:
            for kind in tasks.EMAILS:
                number = len(OutboxEmail.select())
                target = today.isoformat() if kind == "digest" else ""
                OutboxEmail.create(kind=kind, account=person, target=target, target_id=targets[kind], message_id=f"{number:032}")
    with app.app_context():
        while tasks.deliver():
            pass
    sent = {(received.to[0].partition("@")[0], received.subject) for received in smtp.messages}
    on_the_case, news = ("gil", "lou", "fay", "ida"), ("ada", "kay", "ken", "gil", "mo", "sam", "oli", "lou")
    assert sent == {
        ("ken", "An incident was assigned to you"),
        ("gil", "An action is due today"),
        ("gil", "You are to be at a student meeting"),
        ("gil", "A student meeting was moved or cancelled"),
        ("gil", "A task was assigned to you"),
        *((key, "A referral came in") for key in ("ada", "gil")),
        ("gil", "A task of yours is overdue"),
        *((key, "A plan is due for review") for key in ("sam", "gil")),
        ("oli", "Set a new Caseward password"),
        ("oli", "Your Caseward account"),
        *((key, "You were alerted to an incident") for key in ("ada", "ken", "gil", "sam", "lou")),
        *((key, "You were assigned to a case") for key in on_the_case),
        *((key, "Something was added to a case you are on") for key in on_the_case),
        *((key, "The profile of a student you look after was changed") for key in ("lou", "fay")),
        *((key, "What is new for you in Caseward") for key in news),
        *((key, "A milestone waits for your answer") for key in ("ada", "gil", "mo")),
        ("stu", "Your request about a milestone was answered"),
        ("stu", "A milestone is due soon"),
        ("stu", "Your account at school"),
    }
    named = (school.secret, school.case, school.task, school.meeting, school.plan, school.referral.response)
    secret = school.tokens.all() - {row.ref.casefold() for row in named}
    for received in smtp.messages:
        words = received.raw.decode(errors="replace").casefold()
        assert not [word for word in secret if word in words], received.raw
    nothing_in_the_log(school, logged)
