"""axe-core in real Chromium on every page of the URL map: light and dark, on a desk and at 320 px.

A new page is found by itself; tests/access/routes.py knows what to put into its address. Must not skip a page: one that
nobody can open fails.
"""

import json
import re
from datetime import timedelta

import pytest

from blueprints.forms.fields import TYPES, WITH_OPTIONS
from extensions import clock
from models import OutboxEmail, PlanPoint, SavedReport
from tests import factories
from tests.access import routes, world
from tests.browser import steps

# Addresses that the URL map doesn't name: lists that are filtered, empty or full, a preview, a page that is not there.
FURTHER = {
    "ada": (
        "/incidents?status=Active&q=ball", "/incidents?list=unassigned", "/incidents?q=nothing", "/incidents/I-ZZZZZZ",
        "/students?q=zz-nobody", "/search?q=finch", "/search?q=nothing+at+all", "/reports/incidents?status=Active",
        "/reports/incidents/counts?status=Active",
        "/reports/incidents?text=nothing", "/admin/bulk-closing?from={month}&to={today}",
        "/admin/bulk-closing?from={today}&to={month}", "/admin/email?state=sent", "/admin/audit?verb=incident.read",
        "/admin/users?q=zz-nobody", "/cases?status=Closed&q=zz-nothing", "/admin/groups?q=zz-nothing",
        "/cases/{closed}", "/cases/{closed}/reopening", "/cases/{closed}/assignment", "/search?q=Rang", "/search?q=support",
        "/search?q=Finch&show=students", "/cases/new?incident={incident}",
        "/case-management/dashboard?show=overdue", "/case-management/dashboard?q=zz-nothing", "/tasks?list=all&state=any",
        "/tasks?q=zz-nothing", "/meetings?when=all&mine=1", "/meetings?q=zz-nothing", "/plans?show=due&tier=2", "/plans?q=zz-nothing",
        "/interventions?show=archived", "/students/{student}/timeline?kind=plan&kind=task", "/students/{student}/timeline?text=nothing",
        "/students/{student}/timeline?from=never", "/students/{student}/timeline/print?kind=incident", "/students/{left}",
        "/students/{left}/plans", "/forms?q=zz-nothing", "/forms?student={student}", "/forms/new?start=referral",
        "/forms/{every}/preview", "/forms/{every}/edit", "/forms/{every}/responses?from={month}", "/forms/{every}/responses?q=zz",
        "/referrals?state=all", "/referrals?q=zz-nothing", "/dictionary?since={month}",
    ),
    "kay": ("/", "/incidents", "/incidents/new", "/students", "/cases", "/cases/mine", "/cases/{open}", "/search?q=Finch",
            "/case-management/dashboard", "/tasks", "/meetings", "/plans", "/forms", "/referrals", "/interventions"),
    "sam": ("/", "/incidents", "/incidents/new", "/students", "/admin/users", "/cases/mine", "/cases/{open}", "/groups",
            "/tasks", "/plans/{plan}", "/students/{student}/timeline", "/forms/{every}/responses/new", "/students/{student}/plans"),
    "mo": ("/", "/groups", "/cases/mine", "/cases/{secret}", "/personnel"),
    "gil": ("/", "/cases/{secret}", "/students/{student}", "/students/{student}/cases", "/notifications",
            "/tasks/{task}", "/meetings/{meeting}", "/students/{student}/timeline", "/students/{student}/files", "/case-management/dashboard"),
    "oli": ("/", "/cases", "/cases/mine", "/students/{student}/cases", "/notifications",
            "/case-management/dashboard", "/tasks", "/meetings", "/plans", "/students/{student}/timeline"),
    "rae": ("/", "/forms", "/forms/{every}/responses/new", "/referrals", "/responses"),
    "stu": ("/", "/forms", "/forms/{every}/responses/new", "/responses"),
}  # fmt: skip
# They answer a browser with a page of their own only in the middle of something, which other tests walk through.
ON_THE_WAY = {"account.set_up", "account.two_step", "imports.mapping", "admin.effect_of_adding"}
PARTS = 4  # every page takes longer than all other tests in a browser: two processes share it
# A field of every type, and one that waits for the answer to another.
EVERY_FIELD = [{"key": f"f{place}", "type": name, "label": f"About {name}", "help": "In your own words." if place % 2 else ""}
               | ({"options": ["One", "Another"]} if name in WITH_OPTIONS else {})
               | ({"low": 1, "high": 5} if name == "scale" else {}) for place, name in enumerate(TYPES)]  # fmt: skip
WAITING = {"key": "waiting", "type": "text", "label": "Which other", "only_if": {"field": f"f{[*TYPES].index('one_of')}", "is": "Another"}}
COLOURS = ["color-contrast", "link-in-text-block"]


@pytest.fixture
def school(app, cast):
    """The world of the access tests, with what a list needs to show its other sides."""
    made = world.build(app, cast)
    now = clock.now()
    factories.action(made.secret, cast.sam, person=cast.ada, due_on=now.date() - timedelta(days=3))
    factories.action(made.secret, cast.sam, "Done.", done_at=now, done_by=cast.ken)
    factories.incident(cast.sam, [made.ann], assigned_to=cast.ada, alerted=[cast.ada])
    SavedReport.create(owner=cast.ada, name="All that is Active", query="status=Active", is_shared=True)
    OutboxEmail.create(kind="incident_assigned", account=cast.kay, target=made.incident.ref,
                       target_id=made.incident.id, message_id="a" * 32, sent_at=now, is_waiting=False)  # fmt: skip
    _with_every_part(made, cast, now)
    return made


def _with_every_part(made, cast, now):
    """What the pages of plans, tasks, meetings and forms show when there is something: a chart, a warning, an answer."""
    for days, value in ((12, 2.5), (8, 3), (4, 5)):
        PlanPoint.create(plan=made.plan, day=now.date() - timedelta(days=days), value=value, author=cast.sam)
    made.left = factories.student("Kit", "Away", is_active=False, left_at=now)
    factories.task(made.student, cast.ada, cast.sam, "Ring the nurse", due_on=now.date() - timedelta(days=1))
    factories.meeting(cast.sam, [made.student, made.ann], [cast.ada, cast.gil])
    factories.meeting(cast.sam, [made.student], [cast.ada])
    audience = {"for_staff": True, "for_referral_users": True, "for_students": True}
    made.every = factories.form("Every field", cast.ada, [*EVERY_FIELD, WAITING], readers=[cast.counselling], **audience)
    factories.response(made.every, cast.sam, made.student, {"f0": "Nothing much.", WAITING["key"]: "Long ago."})


def pages(app, school, client_for):
    """[(who, address)] of every page, each once, for whoever of Ada, Ken, Stu and nobody it opens for."""
    clients = {"ada": client_for("ada"), "ken": client_for("ken"), "stu": client_for("stu"), None: app.test_client()}
    found, unseen = [], []
    for endpoint, methods, address in routes.samples(app, school):
        if "GET" not in methods or endpoint == "static" or endpoint in ON_THE_WAY:
            continue
        tries = ((who, *_try(client, address)) for who, client in clients.items())
        who, is_in, is_page = next((each for each in tries if each[1]), (None, False, False))
        if is_page:
            found.append((who, address))
        elif not is_in:
            unseen.append(f"{endpoint} ({address})")
    assert not unseen, f"none of {list(clients)} can open: {', '.join(unseen)}"
    return found


def _try(client, address):
    """(whether this person may be here, whether it is a page: not a file, a part of a page or the way to another)."""
    with client.get(address) as answer:
        is_in = answer.status_code in (200, 422) or (answer.status_code < 400 and "/sign-in" not in answer.location)
        return is_in, answer.mimetype == "text/html" and answer.data.lstrip().lower().startswith(b"<!doctype html>")


@pytest.fixture
def look(page_for, axe, record):
    """look(page): axe and the width of the page in both schemes and at both widths, without loading it again."""

    def check(page):
        axe(page)
        page.emulate_media(color_scheme="dark")
        axe(page, COLOURS)
        page.set_viewport_size({"width": 320, "height": 640})
        axe(page, COLOURS)
        page.emulate_media(color_scheme="light")
        axe(page)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 320, f"{page.url} is {wide} px wide on a screen of 320 px: {_culprits(page)}"
        page.set_viewport_size({"width": 1366, "height": 768})
        record.append(page.url)

    return check


@pytest.fixture
def record(figure, request):
    seen = []
    yield seen
    what = request.node.name.removeprefix("test_").replace("_", " ").replace("[", ", ").removesuffix("]")
    figure(f"axe, {what}", f"{len(seen)} pages, 4 looks at each, nothing found")


def _culprits(page):
    return json.dumps(page.evaluate(
        "[...document.body.querySelectorAll('*')]"
        ".filter(e => e.getBoundingClientRect().right > 321 && !e.closest('.scroll'))"
        ".slice(0, 5).map(e => `${e.tagName}.${e.className} ${(e.textContent || '').trim().slice(0, 40)}`)"))


@pytest.mark.parametrize("part", range(PARTS), ids=lambda part: f"part {part + 1} of {PARTS}")
def test_every_page(app, site, school, client_for, page_for, look, part):
    today = factories.today()
    days = {"today": today, "month": today - timedelta(days=30)}
    records = {"open": school.open_case.ref, "closed": school.closed_case.ref, "secret": school.case.ref,
               "student": school.student.ref, "incident": school.incident.ref, "left": school.left.ref,
               "plan": school.plan.ref, "task": school.task.ref, "meeting": school.meeting.ref, "every": school.every.ref}  # fmt: skip
    todo = pages(app, school, client_for)
    todo += [(who, address.format(**days, **records)) for who, addresses in FURTHER.items() for address in addresses]
    opened, problems = {}, []
    for who, address in todo[part::PARTS]:
        if who not in opened:
            opened[who] = page_for(who)
        opened[who].goto(address)
        try:
            look(opened[who])
        except AssertionError as problem:
            problems.append(str(problem))
    assert not problems, "\n\n".join(problems)


def test_what_opens_on_a_page(site, school, page_for, look):
    """The account menu, a picker's suggestions, a chip with its own categories, a refused form, a dialog, the navigation."""
    kay = page_for("kay")
    kay.goto("/incidents/new")
    kay.locator("summary").filter(has_text="account menu").click()
    look(kay)
    steps.pick(kay, "Students", "Finch", "Ann Finch")
    kay.get_by_text("Own categories").click()
    kay.get_by_text("Further categories").first.click()
    steps.choose(kay, "Category", "Bullying")
    steps.field(kay, "Alert").press_sequentially("co")
    kay.get_by_role("option", name="Counselling").wait_for()
    look(kay)
    kay.goto("/incidents/new")
    steps.send(kay, "Add incident")
    look(kay)
    ada = page_for("ada")
    ada.goto(f"/incidents/{school.secret.ref}")
    ada.get_by_role("button", name=f"Remove {school.file.name}").click()
    look(ada)
    ada.set_viewport_size({"width": 390, "height": 844})
    ada.goto("/")
    ada.get_by_text("Menu", exact=True).click()
    look(ada)


def test_what_opens_on_the_page_of_a_case(site, school, page_for, look):
    """Assign Group or Staff in its steps, a question before detaching, chips of people, suggestions of the search bar."""
    ken = page_for("ken")
    ken.goto(f"/cases/{school.case.ref}")
    steps.press(ken, "Assign Group or Staff")
    look(ken)
    steps.choose(ken, "Group", "First aiders")
    steps.field(ken, "Select All").check()
    look(ken)
    steps.press(ken, "Attach Whole Group")
    look(ken)
    ken.goto(f"/cases/{school.case.ref}")
    steps.press(ken, "Detach Counselling")
    look(ken)
    ken.goto(f"/cases/{school.case.ref}")
    steps.pick(ken, "Following Case", "Sam", "Sam Swift")
    steps.field(ken, "Primary Advocate").press_sequentially("o")
    look(ken)
    ken.goto("/cases")
    ken.get_by_role("search").get_by_label("Search", exact=True).press_sequentially("fin")
    ken.get_by_role("listbox", name="Suggestions").get_by_role("option").first.wait_for()
    ken.keyboard.press("ArrowDown")
    look(ken)


def test_what_opens_for_a_student(site, school, page_for, look):
    """A milestone that waits and is taken back, the form with its errors, the calendar with and without an address."""
    stu = page_for("stu", width=390, height=844)
    stu.goto("/")
    stu.get_by_role("link", name="Meet your advisor").click()
    look(stu)
    steps.press(stu, "Take it back")
    steps.field(stu, "Note").fill("x" * 2001)
    steps.press(stu, "Ask to mark as completed")
    stu.get_by_role("heading", name="Please check this").wait_for()
    look(stu)
    steps.field(stu, "Note").fill("I met her.")
    steps.press(stu, "Ask to mark as completed")
    stu.get_by_text("You have asked. Your school will answer.", exact=True).wait_for()
    stu.goto("/my/calendar")
    look(stu)
    steps.press(stu, "Switch it off")
    look(stu)
    stu.get_by_role("dialog").get_by_role("button", name="Switch it off").click()
    stu.get_by_role("button", name="Make an address").wait_for()
    look(stu)


def test_what_opens_about_a_student(site, school, page_for, look):
    """The menu +, the timeline's filters, the dashboard's, the chart's table, a plan and a file refused, a question before a
    removal, two meetings at once."""
    ada = page_for("ada")
    ada.goto(f"/students/{school.student.ref}")
    ada.get_by_label("Add", exact=True).click()
    look(ada)
    ada.goto(f"/students/{school.student.ref}/timeline")
    ada.get_by_text("Filter the timeline").click()
    look(ada)
    ada.goto("/case-management/dashboard")
    ada.get_by_text("Filters", exact=True).click()
    look(ada)
    ada.goto(f"/plans/{school.plan.ref}")
    ada.locator("figure.chart summary").click()
    ada.get_by_role("button", name=re.compile("^Remove the point of")).first.click()
    look(ada)
    ada.goto(f"/plans/new?student={school.student.ref}")
    steps.press(ada, "Create a Plan")
    look(ada)
    ada.goto(f"/students/{school.student.ref}/files/new")
    ada.get_by_label("Only members of the groups ticked here").check()
    steps.press(ada, "Submit a File")
    look(ada)
    ada.goto(f"/tasks/new?student={school.student.ref}")
    steps.press(ada, "New task")
    look(ada)
    ada.goto(f"/meetings/new?student={school.student.ref}")
    begin = (clock.now() + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
    steps.fill(ada, "Starts", begin)
    steps.fill(ada, "Ends", begin[:-5] + "23:59")
    steps.field(ada, "Ends").blur()
    ada.get_by_text("is in another meeting").first.wait_for()
    look(ada)


def test_what_opens_of_forms_and_the_dictionary(site, school, page_for, look):
    """Whom a choice gives access to, a field of the builder with what its type needs, a form refused, a referral's answer."""
    ada = page_for("ada")
    ada.goto("/dictionary")
    ada.get_by_label("Assign a Task", exact=True).check()
    ada.get_by_role("group", name="Assign a Task").get_by_label("Staff", exact=True).press_sequentially("sam")
    ada.get_by_role("option", name="Sam Swift").click()
    ada.get_by_text("This gives 1 person access").wait_for()
    look(ada)
    ada.goto(f"/interventions/{school.intervention.ref}/edit")
    steps.choose(ada, "Staff group", "First aiders")
    ada.get_by_text("access to the plans of everybody in this group").wait_for()
    look(ada)
    ada.goto(f"/forms/{school.every.ref}/edit")
    ada.get_by_label("Type").select_option("one_of")
    steps.press(ada, "Add field")
    ada.get_by_role("alert").wait_for()
    look(ada)
    ada.goto(f"/forms/{school.every.ref}/readers")
    ada.get_by_label("First aiders", exact=True).check()
    ada.get_by_text("access: ").first.wait_for()
    look(ada)
    ada.goto(f"/referrals/{school.referral.ref}")
    steps.press(ada, "Decline")
    ada.get_by_role("alert").wait_for()
    look(ada)
    stu = page_for("stu")
    stu.goto(f"/forms/{school.every.ref}/responses/new")
    stu.get_by_label("Another", exact=True).first.check()
    stu.get_by_label("About number").fill("many")
    steps.press(stu, "Submit")
    stu.get_by_role("alert").wait_for()
    look(stu)
