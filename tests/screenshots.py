"""`python -m tests.screenshots`: pictures of every main page of the demo school, into docs/screenshots.

Serves a demo instance of its own from a temporary folder, always the same school. `--whole` takes pages from top to
bottom, `--into FOLDER` puts them elsewhere, names choose some of them.
"""

import argparse
import io
import os
import secrets
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from tests import services
from tests.browser import steps

DOMAIN = "demo.example.org"
DESK, PHONE = (1366, 768), (390, 844)
SHEET, MARGIN = (794, 1123), (57, 68)  # A4 and the margins of static/caseward.css, at 96 dots an inch
ON_PAPER = (SHEET[0] - 2 * MARGIN[0], SHEET[1] - 2 * MARGIN[1])
COLOURS = 128  # enough for a page; makes a picture a third as heavy

# Which records make good pictures: the incident on which most hangs, the student with most incidents, …
RECORDS = {
    "incident": """SELECT i.ref FROM incident i ORDER BY
        (SELECT count(*) FROM stored_file f WHERE f.incident_id = i.id) * 9
        + (SELECT count(*) FROM body_mark m WHERE m.incident_id = i.id)
        + (SELECT count(*) FROM incident_action a WHERE a.incident_id = i.id)
        + (SELECT count(*) FROM incident_student s WHERE s.incident_id = i.id) DESC, i.id DESC LIMIT 1""",
    "marked": "SELECT i.ref FROM incident i JOIN body_mark m ON m.incident_id = i.id ORDER BY m.id DESC LIMIT 1",
    "student": "SELECT s.ref FROM student s JOIN incident_student p ON p.student_id = s.id "
               "GROUP BY s.id ORDER BY count(*) DESC, s.id LIMIT 1",
    "user": "SELECT ref FROM account WHERE name = 'Kay Kestrel'",
    "case": "SELECT c.ref FROM student_case c JOIN student s ON s.id = c.student_id WHERE s.last_name = 'Sturgeon'",
    "stu": "SELECT ref FROM student WHERE last_name = 'Sturgeon'",
    "group": "SELECT ref FROM staff_group WHERE name = 'Counselling'",
    "category": "SELECT ref FROM category ORDER BY length(guidance) DESC, id LIMIT 1",
    "cohort": "SELECT ref FROM cohort WHERE archived_at IS NULL ORDER BY id LIMIT 1",
    "milestone": "SELECT m.ref FROM milestone m JOIN stored_file f ON f.milestone_id = m.id",
    "asked": "SELECT m.ref FROM milestone m JOIN milestone_request r ON r.milestone_id = m.id",
    "request": "SELECT ref FROM milestone_request",
    "task": "SELECT t.ref FROM task t JOIN student s ON s.id = t.student_id JOIN account a ON a.id = t.assigned_to_id "
            "WHERE s.last_name = 'Sturgeon' AND a.name = 'Gil Gannet' AND t.state = 'open'",
    "meeting": "SELECT m.ref FROM meeting m JOIN meeting_student ms ON ms.meeting_id = m.id JOIN student s ON s.id = ms.student_id "
               "WHERE s.last_name = 'Sturgeon' ORDER BY m.starts_at DESC LIMIT 1",
    "plan": "SELECT p.ref FROM plan p JOIN student s ON s.id = p.student_id WHERE s.last_name = 'Sturgeon' AND p.state = 'active'",
    "intervention": "SELECT g.ref FROM intervention_group g JOIN account a ON a.id = g.lead_id WHERE a.name = 'Kay Kestrel'",
    "worry": "SELECT ref FROM form WHERE for_staff AND NOT for_referral_users AND published ORDER BY id LIMIT 1",
    "referring": "SELECT ref FROM form WHERE for_referral_users AND published ORDER BY id LIMIT 1",
    "check_in": "SELECT ref FROM form WHERE for_students AND published ORDER BY id LIMIT 1",
    "response": "SELECT r.ref FROM form_response r JOIN form f ON f.id = r.form_id "
                "WHERE f.for_staff AND NOT f.for_referral_users ORDER BY length(r.answers) DESC, r.id LIMIT 1",
    "referral": "SELECT r.ref FROM referral r WHERE r.state = 'received' ORDER BY r.id LIMIT 1",
    "first_day": "SELECT date(min(happened_at)) FROM incident",
    "last_day": "SELECT date(max(happened_at), '-60 days') FROM incident",
}  # fmt: skip


CLASS_LIST = """Forename,Surname,DOB,Yr,Reg group,Adm no,House
Zoë,O’Brien,07/03/2012,7,7B,A1001,Red
Mia,Berg,2012-05-01,7,7B,A1002,Blue
"""


class Picture(NamedTuple):
    """A page as `who` sees it; `prepare(page)` is done before the picture is taken."""

    name: str
    who: str | None
    address: str
    prepare: object = None
    also: tuple = ()  # "phone", "dark"; "paper" is the first sheet as printed, less the browser's page numbers


def fill_in(page):
    """An incident half written, with a student, a category and its guidance."""
    steps.pick(page, "Students", "an", "")
    page.locator("select[name=category]").select_option(index=3)
    steps.fill(page, "What happened", "At the end of lunch two of them came to me and said that their bags were gone.")


def choose_file(page):
    """A class list on its way in, up to the question which column is what."""
    file = {"name": "class list.csv", "mimeType": "text/csv", "buffer": CLASS_LIST.encode()}
    steps.field(page, "CSV file").set_input_files(file)
    steps.press(page, "Upload")


def refuse(page):
    """A form that was sent too early."""
    steps.press(page, "Add incident")


def mark(page):
    """Two marks on the body map, one by a click and one from the list."""
    page.locator("input[type=image]").first.click(position={"x": 70, "y": 150})
    steps.choose(page, "Part of the body", steps.field(page, "Part of the body").locator("option").nth(7).inner_text())
    steps.fill(page, "Note", "A graze, about 2 cm")
    page.get_by_role("main").get_by_role("button", name="Add mark").click()


def assign(page):
    """The dialog Assign Group or Staff with a group chosen."""
    steps.press(page, "Assign Group or Staff")
    steps.choose(page, "Group", "Year 9 tutors")
    page.get_by_label("Select All", exact=True).check()


def attach_whole(page):
    """What attaching a whole group implies."""
    assign(page)
    steps.press(page, "Attach Whole Group")


def to_the_people(page):
    """The three fields and the section below, further down on the page of a case."""
    page.get_by_role("heading", name="People", exact=True).scroll_into_view_if_needed()
    page.evaluate("document.querySelector('#people').scrollIntoView()")


def add_member(page):
    """What somebody who joins the group will see."""
    steps.choose(page, "Staff member", "Sam Swift")
    page.get_by_role("button", name="Confirm", exact=True).wait_for()


def open_add(page):
    """The menu + of a student's page."""
    page.get_by_label("Add", exact=True).click()


def say_who_gains(page):
    """A trigger that is switched on, with a group, and who gets access by it."""
    page.get_by_label("Assign a Task", exact=True).check()
    page.get_by_role("group", name="Assign a Task", exact=True).get_by_label("Groups", exact=True).press_sequentially("Coun")
    page.get_by_role("option", name="Counselling").first.click()
    page.get_by_text("This gives").scroll_into_view_if_needed()


def to_the_chart(page):
    """The measured values of a plan, further down."""
    page.evaluate("document.querySelector('#progress').scrollIntoView()")


def type_a_name(page):
    """The search bar with its suggestions."""
    page.get_by_role("search").get_by_label("Search", exact=True).press_sequentially("an")
    page.get_by_role("listbox", name="Suggestions").get_by_role("option").first.wait_for()
    page.keyboard.press("ArrowDown")


PICTURES = (
    Picture("sign-in", None, "/account/sign-in", also=("phone",)),
    Picture("dashboard", "kay", "/", also=("phone", "dark")),
    Picture("dashboard-admin", "ada", "/"),
    Picture("incidents", "kay", "/incidents", also=("phone",)),
    Picture("incident", "kay", "/incidents/{incident}", also=("phone", "dark")),
    Picture("add-incident", "kay", "/incidents/new", fill_in, ("phone",)),
    Picture("add-incident-refused", "sam", "/incidents/new", refuse, ("phone",)),
    Picture("status", "kay", "/incidents/{incident}/status"),
    Picture("assignment", "kay", "/incidents/{incident}/assignment"),
    Picture("body-map", "kay", "/incidents/{marked}/body-map", mark, ("phone",)),
    Picture("who-can-see-this", "kay", "/incidents/{incident}/access"),
    Picture("cases", "kay", "/cases"),
    Picture("my-cases", "kay", "/cases/mine", also=("phone",)),
    Picture("case", "kay", "/cases/{case}", also=("phone", "dark")),
    Picture("case-people", "kay", "/cases/{case}", to_the_people, ("phone",)),
    Picture("assign", "kay", "/cases/{case}", assign, ("phone",)),
    Picture("assign-whole-group", "kay", "/cases/{case}", attach_whole, ("phone",)),
    Picture("open-case", "kay", "/cases/new?student={stu}"),
    Picture("close-case", "kay", "/cases/{case}/closure"),
    Picture("student-cases", "kay", "/students/{stu}/cases"),
    Picture("dashboard-my-students", "sam", "/", also=("phone",)),
    Picture("own-groups", "mo", "/groups"),
    Picture("own-group", "mo", "/groups/{group}", also=("phone",)),
    Picture("add-member", "mo", "/groups/{group}/members/new", add_member, ("phone",)),
    Picture("notifications", "sam", "/notifications", also=("phone",)),
    Picture("notification-choices", "sam", "/notifications/choices"),
    Picture("announcements", "ada", "/announcements"),
    Picture("personnel", "kay", "/personnel", also=("phone",)),
    Picture("personnel-profile", "kay", "/personnel/{user}"),
    Picture("students", "kay", "/students", also=("phone",)),
    Picture("student", "kay", "/students/{student}", also=("phone",)),
    Picture("student-incidents", "kay", "/students/{student}/incidents"),
    Picture("student-add", "kay", "/students/{stu}", open_add, ("phone",)),
    Picture("timeline", "kay", "/students/{stu}/timeline", also=("phone", "dark")),
    Picture("chronology", "kay", "/students/{stu}/timeline/print", also=("paper",)),
    Picture("student-plans", "kay", "/students/{stu}/plans"),
    Picture("student-files", "kay", "/students/{stu}/files"),
    Picture("submit-file", "kay", "/students/{stu}/files/new"),
    Picture("tasks", "kay", "/tasks?list=all", also=("phone",)),
    Picture("task", "gil", "/tasks/{task}", also=("phone",)),
    Picture("new-task", "kay", "/tasks/new?student={stu}", also=("phone",)),
    Picture("meetings", "kay", "/meetings", also=("phone",)),
    Picture("meeting", "gil", "/meetings/{meeting}", also=("phone",)),
    Picture("new-meeting", "kay", "/meetings/new?student={stu}"),
    Picture("plans", "kay", "/plans", also=("phone",)),
    Picture("plan", "sam", "/plans/{plan}", also=("phone", "dark")),
    Picture("plan-progress", "sam", "/plans/{plan}", to_the_chart, ("phone",)),
    Picture("plan-review", "sam", "/plans/{plan}/reviews/new"),
    Picture("create-plan", "sam", "/plans/new?student={stu}"),
    Picture("intervention-groups", "kay", "/interventions"),
    Picture("intervention-group", "kay", "/interventions/{intervention}", also=("phone",)),
    Picture("forms", "ada", "/forms", also=("phone",)),
    Picture("form-builder", "ada", "/forms/{referring}/edit", also=("phone",)),
    Picture("form-preview", "ada", "/forms/{referring}/preview"),
    Picture("form-readers", "ada", "/forms/{worry}/readers"),
    Picture("fill-in-form", "sam", "/forms/{worry}/responses/new?student={stu}", also=("phone",)),
    Picture("responses", "ada", "/forms/{worry}/responses"),
    Picture("response", "kay", "/responses/{response}"),
    Picture("referrals", "kay", "/referrals?state=all", also=("phone",)),
    Picture("referral", "kay", "/referrals/{referral}", also=("phone",)),
    Picture("referral-user", "rae", "/", also=("phone",)),
    Picture("refer", "rae", "/forms/{referring}/responses/new", also=("phone",)),
    Picture("own-form", "stu", "/forms/{check_in}/responses/new", also=("phone",)),
    Picture("search", "kay", "/search?q=family"),
    Picture("search-suggestions", "kay", "/cases", type_a_name, ("phone",)),
    Picture("report", "kay", "/reports/incidents?status=Active"),
    Picture("report-counts", "kay", "/reports/incidents/counts?status=Active", also=("phone", "dark")),
    Picture("reports", "kay", "/reports"),
    Picture("case-management-dashboard", "ada", "/case-management/dashboard", also=("phone", "dark")),
    Picture("dictionary", "ada", "/dictionary", also=("phone",)),
    Picture("dictionary-effect", "ada", "/dictionary", say_who_gains),
    Picture("dictionary-looking-back", "ada", "/dictionary/suggestions/task"),
    Picture("case-types", "ada", "/dictionary/case-types"),
    Picture("case-management", "ada", "/case-management", also=("phone",)),
    Picture("cohorts", "ada", "/cohorts", also=("phone",)),
    Picture("cohort", "ada", "/cohorts/{cohort}"),
    Picture("cohort-add-students", "ada", "/cohorts/{cohort}/add-students", also=("phone",)),
    Picture("cohort-milestones", "ada", "/cohorts/{cohort}/milestones", also=("phone",)),
    Picture("milestone", "ada", "/cohorts/{cohort}/milestones/{milestone}", also=("phone",)),
    Picture("cohort-progress", "ada", "/cohorts/{cohort}/progress", also=("phone", "dark")),
    Picture("cohort-chart", "ada", "/cohorts/{cohort}/progress/chart"),
    Picture("cohort-support-groups", "ada", "/cohorts/{cohort}/support-groups"),
    Picture("cohort-attach", "ada", "/cohorts/{cohort}/attach-support-groups"),
    Picture("cohort-copy", "ada", "/cohorts/{cohort}/copy"),
    Picture("milestones", "gil", "/milestones", also=("phone",)),
    Picture("student-milestones", "gil", "/students/{stu}/milestones", also=("phone",)),
    Picture("answer", "gil", "/students/{stu}/milestones/requests/{request}/answer"),
    Picture("own-dashboard", "stu", "/", also=("phone", "dark")),
    Picture("own-milestone", "stu", "/my/milestones/{asked}", also=("phone",)),
    Picture("own-calendar", "stu", "/my/calendar"),
    Picture("imports", "ada", "/import"),
    Picture("import-staff", "ada", "/import/staff"),
    Picture("import-oneroster", "ada", "/import/oneroster"),
    Picture("import", "ada", "/students/import"),
    Picture("import-mapping", "ada", "/students/import", choose_file),
    Picture("bulk-closing", "ada", "/admin/bulk-closing?from={first_day}&to={last_day}", also=("phone",)),
    Picture("admin", "ada", "/admin"),
    Picture("users", "ada", "/admin/users"),
    Picture("user", "ada", "/admin/users/{user}"),
    Picture("groups", "ada", "/admin/groups"),
    Picture("group", "ada", "/admin/groups/{group}"),
    Picture("categories", "ada", "/admin/categories"),
    Picture("category", "ada", "/admin/categories/{category}"),
    Picture("settings", "ada", "/admin/settings", also=("phone",)),
    Picture("email", "ada", "/admin/email?state=sent"),
    Picture("audit", "ada", "/admin/audit"),
    Picture("account", "kay", "/account"),
    Picture("two-step", "kay", "/account/two-step/setup", also=("phone",)),
    Picture("not-found", "kay", "/incidents/I-ZZZZZZ"),
)


def main(arguments=None):
    options = argparse.ArgumentParser(prog="python -m tests.screenshots", description=__doc__.split("\n")[0])
    options.add_argument("names", nargs="*", help="only these")
    options.add_argument("--whole", action="store_true", help="from top to bottom instead of one screen")
    options.add_argument("--into", type=Path, default=services.ROOT / "docs" / "screenshots")
    chosen = options.parse_args(arguments)
    chosen.into.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="caseward-demo-") as folder:
        password = secrets.token_urlsafe(12)
        environ = {"CASEWARD_INSTANCE": folder, "CASEWARD_DEMO_PASSWORD": password}
        make_demo(environ)
        server = services.LiveServer(environ)
        try:
            with services.browser() as browser:
                take(browser, server.url, password, records(Path(folder) / "caseward.db"), chosen)
        finally:
            server.kill()


def make_demo(environ):
    """The demo school, the same one each time."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("CASEWARD_")}
    command = [sys.executable, "-m", "flask", "demo", "--seed", "7"]
    subprocess.run(command, cwd=services.ROOT, env=inherited | environ, check=True, stdout=subprocess.DEVNULL)


def records(path):
    with sqlite3.connect(path) as database:
        found = {name: (database.execute(query).fetchone() or [""])[0] for name, query in RECORDS.items()}
    database.close()
    return found


def take(browser, url, password, known, chosen):
    cookies = {}
    for picture in PICTURES:
        if chosen.names and picture.name not in chosen.names:
            continue
        for look in (None, *picture.also):
            width, height = PHONE if look == "phone" else ON_PAPER if look == "paper" else DESK
            context = browser.new_context(
                base_url=url, viewport={"width": width, "height": height}, reduced_motion="reduce", locale="en-GB",
                color_scheme="dark" if look == "dark" else "light")  # fmt: skip
            page = context.new_page()
            if picture.who:
                enter(page, picture.who, password, cookies)
            page.goto(picture.address.format(**known))
            if picture.prepare:
                picture.prepare(page)
            page.wait_for_load_state("networkidle")
            if picture.prepare not in (to_the_people, to_the_chart, say_who_gains):
                page.evaluate("scrollTo(0, 0)")
            name = f"{picture.name}-{look}.png" if look else f"{picture.name}.png"
            save(first_sheet(page) if look == "paper" else page.screenshot(full_page=chosen.whole), chosen.into / name)
            print(name, flush=True)
            context.close()


def first_sheet(page):
    """What stands on the first sheet of paper: up to the end of the cover sheet, with the margins around it."""
    page.emulate_media(media="print")
    cover = page.locator(".cover").bounding_box()
    shot = page.screenshot(clip={"x": 0, "y": 0, "width": ON_PAPER[0], "height": min(cover["y"] + cover["height"], ON_PAPER[1])})
    sheet, png = Image.new("RGB", SHEET, "white"), io.BytesIO()
    sheet.paste(Image.open(io.BytesIO(shot)), MARGIN)
    sheet.save(png, "PNG")
    return png.getvalue()


def enter(page, who, password, cookies):
    """Sign in once for each person; later pages bring the cookie along."""
    if who in cookies:
        page.context.add_cookies(cookies[who])
        return
    page.goto("/account/sign-in")
    steps.sign_in(page, f"{who}@{DOMAIN}", password)
    page.get_by_role("heading", name="Dashboard").wait_for()
    cookies[who] = page.context.cookies()


def save(png, path):
    """As few bytes as a page of flat colours needs."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    picture.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(path, optimize=True)


if __name__ == "__main__":
    main()
