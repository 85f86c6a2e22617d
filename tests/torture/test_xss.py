"""Script in every text that a person can type, shown by every page that shows it, in a real Chromium: nothing runs, and
the content policy has nothing to report."""

import json
from itertools import cycle

import pytest

from models import (
    Account,
    Announcement,
    Case,
    CaseAgency,
    CaseAgencyVersion,
    CaseClosure,
    CaseEntry,
    CaseEntryVersion,
    CasePresenting,
    CaseType,
    CloseReason,
    Cohort,
    CohortCategory,
    Incident,
    IncidentVersion,
    Milestone,
    MilestoneRequest,
    MilestoneTemplate,
    SavedReport,
    School,
    StoredFile,
    StudentContact,
)
from tests import factories
from tests.access import world as worlds
from tests.access.routes import samples

pytestmark = pytest.mark.browser

PAYLOADS = [
    "<script>window.ran=1</script>",
    "\"><img src=x onerror=window.ran=1>",
    "'><svg onload=window.ran=1>",
    "</title></textarea></script><script>window.ran=1</script>",
    "\" autofocus onfocus=window.ran=1 x=\"",
    "javascript:window.ran=1//",
    "{{constructor.constructor('window.ran=1')()}}",
    "<a href=\"javascript:window.ran=1\">x</a><style>@import '//evil.example'</style>",
    "<iframe srcdoc='<script>parent.ran=1</script>'></iframe>",
    "<details open ontoggle=window.ran=1>",
    "' onmouseover='window.ran=1' x='",
    "<body onload=window.ran=1>",
    "<svg><script>window.ran=1</script></svg>",
    "<svg><animate onbegin=window.ran=1 attributeName=x dur=1s>",
    "<math><mtext><table><mglyph><style><img src=x onerror=window.ran=1>",
    "<noscript><p title=\"</noscript><img src=x onerror=window.ran=1>\">",
    "<form action=javascript:window.ran=1><button>x</button></form>",
    "<input autofocus onfocus=window.ran=1>",
    "<video><source onerror=window.ran=1></video>",
    "<object data=\"data:text/html,<script>parent.ran=1</script>\"></object>",
    "<embed src=\"javascript:window.ran=1\">",
    "<base href=//evil.example/>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "<meta http-equiv=refresh content=\"0;url=javascript:window.ran=1\">",
    "<marquee onstart=window.ran=1>x</marquee>",
    "<template><script>window.ran=1</script></template><script>window.ran=1</script>",
    "<!--><script>window.ran=1</script>-->",
    "]]><script>window.ran=1</script>",
    "<scr<script>ipt>window.ran=1</scr</script>ipt>",
    "<SCRIPT SRC=//evil.example/x.js></SCRIPT>",
    "<img src=x:x onerror\x0b=window.ran=1>",
    "<a\thref=\"java\tscript:window.ran=1\" id=x>y</a>",
    "\u003cscript\u003ewindow.ran=1\u003c/script\u003e",
    "＜script＞window.ran=1＜/script＞",
    "&lt;script&gt;window.ran=1&lt;/script&gt;",
    "&#60;img src=x onerror=window.ran=1&#62;",
    "%3Cscript%3Ewindow.ran=1%3C/script%3E",
    "${window.ran=1}`;window.ran=1;//",
    "';window.ran=1;'", "\";window.ran=1;\"", "\\\";window.ran=1;//", "`;window.ran=1;`",
    "__proto__[ran]=1", "#{window.ran=1}", "<%= 7*7 %>", "{% import os %}{{7*7}}",
    "x\" style=\"background:url(//evil.example)\"", "<p style=\"animation-name:x\" onanimationstart=window.ran=1>",
    "<x onclick=window.ran=1 tabindex=1 autofocus>", "--!><img src=x onerror=window.ran=1>",
]  # fmt: skip


@pytest.fixture
def payloads(full):
    assert len(PAYLOADS) == 50
    return PAYLOADS if full else PAYLOADS[:8]


@pytest.fixture
def hostile(app, cast, payloads):
    """The world of the access tests with one payload in all its texts, and a row with each of the others in every list."""
    school = worlds.build(app, cast)
    app.extensions["caseward_nudge"] = lambda name="deliver": None
    School.update(name=f"Hill {payloads[0]}"[:200], student_word="Student").execute()
    for number, payload in enumerate(payloads):
        student = factories.student(payload, payload, preferred_name=payload, year_group=payload[:40], tutor_group=payload[:40],
                                    admission_number=f"X{number}", address=payload)  # fmt: skip
        StudentContact.create(student=student, name=payload, relationship=payload, phone=payload, email=payload, notes=payload)
        author = factories.account(payload, f"x{number}@school.example.org", title=payload, phone=payload)
        category = factories.category(f"{payload} {number}", guidance=payload)
        row = factories.incident(author, [(student, [category])], payload, place=payload, alerted=[cast.kay], assigned_to=cast.ada)
        IncidentVersion.create(incident=row, number=2, text=payload, author=author, reason=payload)
        Incident.update(text_version=2).where(Incident.id == row.id).execute()
        factories.action(row, author, payload, person=cast.ada)
        factories.group(f"{payload} {number}", members=[cast.oli], department=f"{payload} {number}")
        SavedReport.create(owner=cast.ada, name=payload, query="from=", is_shared=True)
        school.rows = [*getattr(school, "rows", []), (student, row, category)]
    replace_texts(school, payloads)
    return school


def replace_texts(school, payloads):
    """The one incident that everything hangs on: each text of it another payload."""
    texts = cycle(payloads)
    fields = [
        (school.secret, ("text", "place")), (school.student, ("first_name", "last_name", "preferred_name", "address")),
        (school.action, ("text",)), (school.mark, ("note",)), (school.contact, ("name", "notes")),
        (school.exclusion, ("reason",)), (school.student_exclusion, ("reason",)), (school.report, ("name",)),
        (school.import_run, ("file_name",)), (school.session, ("browser",)), (school.email, ("last_error",)),
        (school.cast.counselling, ("name",)), (school.department, ("name",)), (school.secret_category, ("name", "guidance")),
    ]  # fmt: skip
    for row, names in fields:
        model = type(row)
        model.update({name: next(texts) for name in names}).where(model.id == row.id).execute()
    agency = ("agency", "person", "phone", "reference", "status", "notes")
    everywhere = {
        Case: ("title",), CaseEntry: ("text",), CaseEntryVersion: ("text", "reason"), CaseAgency: agency,
        CasePresenting: ("source", "concern", "narrative"), CaseClosure: ("outcome", "reopen_reason"),
        Announcement: ("title", "text"), Cohort: ("name",), CohortCategory: ("name",), Milestone: ("title", "description"),
        MilestoneRequest: ("note", "answer"), MilestoneTemplate: ("title", "description"),
    }  # fmt: skip
    for model, names in everywhere.items():
        for row in model.select(model.id):
            # a cohort and a category of cohorts have names of their own
            own = f" {row.id}" if names == ("name",) else ""
            model.update({name: next(texts) + own for name in names}).where(model.id == row.id).execute()
    CaseAgencyVersion.update(fields=json.dumps(dict.fromkeys(agency, next(texts)))).execute()
    for model in (CaseType, CloseReason):
        for row in model.select():
            model.update(name=f"{next(texts)} {row.id}").where(model.id == row.id).execute()
    case_exclusion = {"reason": next(texts)}
    type(school.case_exclusion).update(case_exclusion).where(type(school.case_exclusion).id == school.case_exclusion.id).execute()
    StoredFile.update(name=f"{payloads[1]}.txt").execute()
    card = {"title": next(texts), "phone": next(texts), "booking_url": f"https://x.example/{next(texts)}"}
    Account.update(name=f"Ken {payloads[2]}"[:200], **card).where(Account.id == school.cast.ken.id).execute()


def pages(app, school, full):
    """Every page with GET for the one incident; the record pages of the others; lists with a payload as their filter."""
    unseen = (".csv", ".xlsx", "/health", "/static", "/files/", "/sealed-log", "/setup", "/account/sign-in", "/account/password/", "/photo", "/calendar/")
    found = [url for _, methods, url in samples(app, school, every=True) if "GET" in methods and not any(part in url for part in unseen)]
    for student, incident, category in school.rows if full else school.rows[:3]:
        found += [f"/students/{student.ref}", f"/incidents/{incident.ref}", f"/incidents/{incident.ref}/versions",
                  f"/admin/categories/{category.ref}", f"/students/{student.ref}/edit"]  # fmt: skip
    typed = "%22%3E%3Cimg%20src%3Dx%20onerror%3Dwindow.ran%3D1%3E"
    members = f"/assignment/members?group={school.cast.counselling.ref}"
    found += [f"/cases/{row.ref}{page}" for row in (school.case, school.closed_case) for page in ("", "/history", members)]
    found += [f"/cases?q={typed}", f"/personnel?q={typed}", f"/cases/new?student={school.student.ref}", "/notifications"]
    found += [f"/search?q={typed}", f"/students?q={typed}", f"/incidents?q={typed}", f"/reports/incidents?text={typed}&student={typed}",
              f"/admin/users?q={typed}", f"/admin/audit?person={typed}&reference={typed}", "/reports/incidents?from=", "/incidents",
              f"/incidents/new?student={school.student.ref}", f"/{typed}"]  # fmt: skip
    return list(dict.fromkeys(found))


def own_pages(school):
    """What a student sees of all this: their own dashboard and one milestone."""
    return ["/", f"/my/milestones/{school.own_milestone.ref}", "/my/calendar"]


def test_nothing_that_was_typed_runs(app, hostile, page_for, payloads, full, figure):
    ran, shown, count = [], "", 0
    for who, urls in (("ada", pages(app, hostile, full)), ("stu", own_pages(hostile))):
        page = page_for(who)
        page.on("dialog", lambda dialog: dialog.dismiss())
        for url in urls:
            page.goto(url, wait_until="domcontentloaded")
            page.evaluate("() => new Promise(done => setTimeout(done, 0))")
            count += 1
            found = page.evaluate("""() => [window.ran === 1, document.querySelectorAll('[onerror],[onload],[onfocus],[ontoggle],'
                + 'script:not([src]),iframe,object,embed,base,meta[http-equiv=refresh],a[href^="javascript:"]').length]""")
            if found != [False, 0]:
                ran.append(f"{url}: ran {found[0]}, {found[1]} elements that were typed")
            shown += page.content()
    assert not ran, "\n".join(ran)
    # the pages did show them, as text
    missing = [payload for payload in payloads if escaped(payload) not in shown and payload not in shown]
    assert not missing, f"no page showed {missing}"
    figure("XSS", f"{len(payloads)} payloads in every text, {count} pages in Chromium: 0 executed, 0 reports of the content policy")


def escaped(text):
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def test_what_was_typed_does_not_run_in_what_the_script_builds(app, hostile, page_for, payloads):
    """The picker, the combobox and the preview put names into the page themselves."""
    page = page_for("ada")
    page.goto("/incidents/new")
    for letter in ("window", "script"):
        page.get_by_label("Students").fill(letter)
        page.wait_for_timeout(400)
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        page.get_by_label("Alert", exact=True).fill(letter)
        page.wait_for_timeout(400)
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
    assert page.evaluate("window.ran") is None
    assert page.locator("[data-chosen] li").count() >= 1, "no payload was chosen: nothing was put into the page"
    assert page.evaluate("document.querySelectorAll('[onerror],[onload],iframe,object').length") == 0


def test_a_file_that_is_a_page_is_only_ever_downloaded(app, hostile, page_for):
    """HTML and SVG under an allowed name: given out as an attachment, with a policy of its own."""
    page = page_for("ada")
    answer = page.request.get(f"/incidents/{hostile.secret.ref}/files/{hostile.file.ref}")
    assert answer.headers["content-disposition"].startswith("attachment")
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_the_browser_would_have_reported_it(app, hostile, page_for):
    """The positive control: the same text put into a page unescaped is blocked by the policy, and seen by this test."""
    page = page_for("ada", tolerate=True)

    def unescape(route):
        answer = route.fetch()
        body = answer.text().replace("&lt;", "<").replace("&gt;", ">").replace("&#34;", '"').replace("&#39;", "'")
        route.fulfill(response=answer, body=body)

    page.route(f"**/incidents/{hostile.rows[0][1].ref}", unescape)
    page.goto(f"/incidents/{hostile.rows[0][1].ref}")
    page.wait_for_timeout(200)
    assert any("Content Security Policy" in problem or "policy" in problem.lower() for problem in page.problems), page.problems
    assert page.evaluate("window.ran") is None, "the content policy itself holds"
