"""Every field and file of what somebody may not see carries a token that occurs nowhere else. They then go wherever an
address leads them, and nothing that comes back may hold one: not a status line, a header, a page, a cookie, an export,
a log line or an email. Those who may see it do find each of them, so the search would not miss one.
"""

import logging
import re
from collections import Counter
from urllib.parse import parse_qsl, quote, urlsplit

import pytest

import tasks
from blueprints.kit.text import fold
from extensions import clock, db
from models import OutboxEmail
from tests import factories
from tests.access.routes import samples
from tests.access.visitor import masked, undone
from tests.conftest import FULL

ENOUGH = 800  # pages of one crawl; more means that it goes in circles
OF_EACH = 50 if FULL else 2

# Who may find which kind of secret (see world.py). Everybody else finds none of that kind; "never" is for nobody.
ALLOWED = {
    "incident": {"ada", "ken", "gil", "sam"},
    "part": {"ada", "ken", "gil", "sam"},
    "student": {"ada", "kay", "ken", "gil", "mo", "sam", "oli"},
    "details": {"ada", "kay", "ken"},
    "exclusion": {"ada"},
    "own": {"ken"},
    "session": {"ken", "ada"},
    "import": {"ada"},
    "never": set(),
}
# All staff may find students by name: that one of them has a part in an incident is what is hidden of `part`.
NAMES_IN_LISTS = {"part"}


def crawl(visitor, start, of_each=OF_EACH):
    """Every answer to GET from these addresses on. Links are followed once for each page and kind of filter;
    `of_each` of the pages about one thing, and of the filters of one list."""
    waiting, seen, answers = list(start), {shape(url) for url in start}, []
    alike = Counter()
    match = visitor.app.url_map.bind("127.0.0.1").match
    while waiting:
        with undone():
            answer = visitor.get(waiting.pop())
        answers.append(answer)
        assert len(answers) < ENOUGH, f"{visitor} goes in circles: {[each.url for each in answers[-20:]]}"
        for link in sorted(answer.links):
            if shape(link) in seen:
                continue
            seen.add(shape(link))
            endpoint, given = match(urlsplit(link).path)
            alike[endpoint] += bool(given) or "?" in link
            if alike[endpoint] <= of_each:
                waiting.append(link)
    return answers


def shape(url):
    """A page, with the names of the filters in its address and not what they are set to."""
    parts = urlsplit(url)
    return parts.path, *sorted({name for name, _ in parse_qsl(parts.query, keep_blank_values=True)})


def addresses(app, school, every=True):
    """Where a curious person would go: the whole URL map with the secret's references, and filters that would find it."""
    gets = [url for _, methods, url in samples(app, school, every) if "GET" in methods]
    with_open = [url.replace(school.secret.ref, school.shared.ref) for url in gets if school.secret.ref in url]
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
    lists += [f"/reports/incidents{kind}?{query}" for query in reports for kind in ("", *(".csv", ".xlsx") * every)]
    lists += [f"/admin/bulk-closing{kind}?from=2000-01-01&to={clock.now().date()}" for kind in ("", ".csv", ".xlsx")]
    lists += [f"/incidents/new?student={school.student.ref}", "/students/suggest?q=zq", "/students/suggest?q=z"]
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
    posts.append((f"/students/{school.ann.ref}/contacts/{school.contact.ref}/removal", {}))
    posts.append((f"/students/{school.ann.ref}/exclusions/{school.student_exclusion.ref}/end", {}))
    posts.append(("/reports/saved", {"name": "Mine", "query": f"student_ref={school.student.ref}"}))
    return posts


def found(school, answers, kinds):
    """Sentences about the tokens of these kinds that stand in the answers, as far as the address did not bring them."""
    words = [word for kind in kinds for word in school.tokens.of(kind)]
    every = re.compile("|".join(map(re.escape, sorted(words))))
    leaks = []
    for answer in answers:
        for word in sorted(set(every.findall(answer.words)) - set(every.findall(fold(answer.url) + answer.url.casefold()))):
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


@pytest.mark.parametrize("person", ["nobody", "kay", "oli", "mo", "rae", "stu"])
def test_whoever_may_not_see_it_finds_no_trace(app, school, visitors, logged, figure, person):
    answers = look_everywhere(app, school, visitors[person])
    leaks = found(school, answers, hidden_from(person))
    assert not leaks, f"{person} found:\n" + "\n".join(leaks)
    nothing_in_the_log(school, logged)
    figure(f"canary, {person}", f"{len(answers)} answers, {len(school.tokens.all())} tokens: 0 found")


@pytest.mark.parametrize("person", ["ada", "kay", "sam"])
def test_whoever_is_excluded_finds_no_trace_of_the_student(app, school, visitors, logged, figure, person):
    """Admin, Key User and author: exclusion beats the reason, in every place."""
    factories.exclusion(getattr(school.cast, person), school.ada2, student=school.student)
    answers = look_everywhere(app, school, visitors[person], follow=person == "ada" or FULL)
    kinds = {"incident", "student", "details", "own", "never", *hidden_from(person)} - {"exclusion"}
    leaks = found(school, answers, kinds)
    assert not leaks, f"{person} found:\n" + "\n".join(leaks)
    nothing_in_the_log(school, logged)
    figure(f"canary, {person} excluded", f"{len(answers)} answers: 0 found")


def test_whoever_may_see_it_finds_all_of_it(app, school, visitors, logged):
    """The positive control: the same search, by those who have a reason, finds each token; and nothing else."""
    told = {}
    for person in ("ada", "ken", "gil", "sam"):
        answers = look_everywhere(app, school, visitors[person], follow=person == "ada" or FULL)
        told[person] = "\n".join(answer.words for answer in answers)
        leaks = found(school, answers, hidden_from(person))
        assert not leaks, f"{person} found:\n" + "\n".join(leaks)
    for person, words in told.items():
        lost = [school.tokens.name(word) for kind in ("incident", "student") for word in school.tokens.of(kind)
                if word not in words and word != school.mark.ref.casefold()]  # fmt: skip
        assert not lost, f"{person} may see it and found no: {lost}"
    lost = [school.tokens.name(word) for kind in ALLOWED if kind != "never" for word in school.tokens.of(kind)
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


def searches(school, word):
    """Every place where a word can be typed."""
    typed = quote(word)
    return [f"/search?q={typed}", f"/students?q={typed}&show=all", f"/students/suggest?q={typed}", f"/incidents?q={typed}",
            f"/reports/incidents?text={typed}", f"/reports/incidents?student={typed}", f"/incidents/alert-suggest?q={typed}",
            f"/reports/incidents.csv?text={typed}", f"/incidents/export.csv?q={typed}", f"/students/export.csv?q={typed}",
            f"/incidents/access-preview?students={typed}"]  # fmt: skip


@pytest.mark.parametrize("person", ["kay", "oli", "stu"])
def test_searching_for_a_secret_word_is_like_searching_for_no_word_at_all(app, school, visitors, person):
    visitor = visitors[person]
    nonsense = "Qqnothingatallx"
    nothing = [plain(ask(visitor, url), nonsense) for url in searches(school, nonsense)]
    different = []
    for word in sorted(word for kind in hidden_from(person) if kind != "never" for word in school.tokens.of(kind)):
        for url, expected in zip(searches(school, word), nothing, strict=True):
            if plain(ask(visitor, url), word) != expected:
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
    assert visitors["ada"].get(f"/search?q={school.secret.ref}").location == f"/incidents/{school.secret.ref}"


# --- What goes out by itself -------------------------------------------------------------------------------------------


def nothing_in_the_log(school, logged):
    """Logs carry references, never names or text (TRUST.md, rule 15), whoever asked."""
    secret = {word for kind in ("incident", "part", "student", "details", "own", "session", "exclusion", "import", "never")
              for word in school.tokens.of(kind)}  # fmt: skip
    refs = {each.ref.casefold() for each in (school.secret, school.action, school.mark, school.file, school.hidden)}
    told = [line for line in logged if any(word in line.casefold() for word in secret - refs)]
    assert not told, "the log tells:\n" + "\n".join(told)[:2000]


def test_no_email_holds_a_token(app, school, smtp, logged):
    """One of every kind to everybody: each goes out to whom it may, and says nothing."""
    cast = school.cast
    people = [cast.ada, cast.kay, cast.ken, cast.gil, cast.mo, cast.sam, cast.rae, cast.stu, cast.oli, school.lou]
    with db.atomic():
        for person in people:
            targets = {"incident_assigned": school.secret.id, "incident_alerted": school.secret.id,
                       "action_due": school.action.id, "password_link": school.link.id, "invitation": school.link.id}
            for kind in tasks.EMAILS:
                number = len(OutboxEmail.select())
                OutboxEmail.create(kind=kind, account=person, target="", target_id=targets[kind], message_id=f"{number:032}")
    with app.app_context():
        tasks.deliver()
    for _ in range(4):
        with app.app_context():
            tasks.deliver()
    sent = {(received.to[0].partition("@")[0], received.subject) for received in smtp.messages}
    assert sent == {
        ("ken", "An incident was assigned to you"),
        ("gil", "An action is due today"),
        ("oli", "Set a new Caseward password"),
        ("oli", "Your Caseward account"),
        *((key, "You were alerted to an incident") for key in ("ada", "ken", "gil", "sam", "lou")),
    }
    secret = school.tokens.all() - {school.secret.ref.casefold()}
    for received in smtp.messages:
        words = received.raw.decode(errors="replace").casefold()
        assert not [word for word in secret if word in words], received.raw
    nothing_in_the_log(school, logged)
