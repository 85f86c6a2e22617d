"""A form that is sent five times, and one that is sent ten times at once, takes effect once and shows one result."""

import threading
import urllib.error
import urllib.request
import uuid
from datetime import date

import pytest

from blueprints.cases.queries.people import confirmation_of, new_readers
from blueprints.kit import bodymap
from models import (
    Account,
    Announcement,
    BodyMark,
    Case,
    CaseAgency,
    CaseClosure,
    CaseEntry,
    CaseEntryVersion,
    CaseFollower,
    CaseGroup,
    CaseIncident,
    CasePresenting,
    CaseStaff,
    Category,
    CloseReason,
    Event,
    Exclusion,
    Form,
    FormResponse,
    FormVersion,
    Group,
    Incident,
    IncidentAction,
    IncidentAlert,
    IncidentAssignment,
    IncidentVersion,
    InterventionGroup,
    InterventionMember,
    Meeting,
    MeetingStaff,
    MeetingStudent,
    MeetingType,
    Notification,
    OutboxEmail,
    Plan,
    PlanIntervention,
    PlanPoint,
    PlanReview,
    Referral,
    SavedReport,
    StoredFile,
    Student,
    StudentContact,
    Task,
    TaskNote,
    Trigger,
)
from tests import factories
from tests.web import filled_in, text_of

# name: (who, page with the form, address it posts to, what is typed, {table: rows more than before})
FORMS = {
    "add incident": ("kay", "/incidents/new", "/incidents/new", {
        "students_ref": "{student}", "category": "{category}", "text": "It happened twice.", "happened_at": "2026-01-05T10:00",
        "status": "Active", "assigned_to": "{ken}", "alert_ref": "a:{sam}",
    }, {Incident: 1, IncidentVersion: 1, IncidentAlert: 1, IncidentAssignment: 1, OutboxEmail: 2}),
    "edit text": ("kay", "/incidents/{incident}/text", None, {"text": "Another wording.", "reason": "More is known"},
                  {IncidentVersion: 1}),
    "details": ("kay", "/incidents/{incident}/details", None, {"place": "Elsewhere"}, {Event: 1}),
    "assign": ("kay", "/incidents/{incident}/assignment", None, {"assigned_to": "{ken}"}, {IncidentAssignment: 1, OutboxEmail: 1}),
    "close": ("kay", "/incidents/{incident}/status", None, {"status": "Closed"}, {Event: 1}),
    "alert": ("kay", "/incidents/{incident}/alerts", None, {"alert_ref": "a:{oli}"}, {IncidentAlert: 1, OutboxEmail: 1}),
    "add action": ("kay", "/incidents/{incident}/actions", None, {"text": "Rang home."}, {IncidentAction: 1}),
    "action done": ("kay", "/incidents/{incident}", "/incidents/{incident}/actions/{action}/completion", {}, {Event: 1}),
    "add mark": ("kay", "/incidents/{incident}/body-map", None, {"region": "{region}", "note": "A bruise"}, {BodyMark: 1}),
    "add file": ("kay", "/incidents/{incident}/files", None, {"files": ("notes.txt", b"Notes.\n")}, {StoredFile: 1}),
    "add student": ("kay", "/students/new", None, {"first_name": "Eve", "last_name": "Egret", "admission_number": "N1"},
                    {Student: 1}),
    "add contact": ("kay", "/students/{student}/contacts/new", None, {"name": "Ed Egret"}, {StudentContact: 1}),
    "exclude": ("ada", "/students/{student}/exclusions", None, {"staff_member": "{oli}", "reason": "A relative"},
                {Exclusion: 1}),
    "save report": ("kay", "/reports/incidents?from=", "/reports/saved", {"name": "All of it"}, {SavedReport: 1}),
    "add category": ("ada", "/admin/categories/new", None, {"name": "Truancy"}, {Category: 1}),
    "add group": ("ada", "/admin/groups/new", None, {"name": "Mentors"}, {Group: 1}),
    "add user": ("ada", "/admin/users/new", None, {"name": "Eve Egret", "email": "eve@school.example.org", "role": "staff"},
                 {Account: 1, OutboxEmail: 1}),
    "open case": ("kay", "/cases/new", None, {"student_ref": "{student}", "title": "Reading", "case_type": "{case_type}",
                                               "concern": "He can't read."}, {Case: 1, CasePresenting: 1}),
    "case of an incident": ("kay", "/incidents/{incident}", "/incidents/{incident}/case", {}, {Case: 1, CaseIncident: 1}),
    "add entry": ("kay", "/cases/{case}/entries", None, {"text": "Rang home."},
                  {CaseEntry: 1, CaseEntryVersion: 1, Notification: 1}),
    "presenting": ("kay", "/cases/{case}/presenting", None, {"concern": "He can't read."}, {CasePresenting: 1}),
    "agency": ("kay", "/cases/{case}/agencies/new?section=prosecution", None, {"agency": "The court"}, {CaseAgency: 1}),
    "file of a case": ("kay", "/cases/{case}/files", None, {"files": ("notes.txt", b"Notes.\n")}, {StoredFile: 1}),
    "link incident": ("kay", "/cases/{case}/incidents", None, {"incident": "{incident}"}, {CaseIncident: 1}),
    "people": ("kay", "/cases/{case}/people", None, {"primary_advocate_ref": "{sam}", "following_ref": "{oli}"},
               {CaseFollower: 1, Notification: 2, OutboxEmail: 2}),
    "attach whole group": ("kay", "/cases/{case}/assignment/{group}", "/cases/{case}/groups",
                           {"group": "{group}", "confirmed": "{confirmed}", "email": "y"},
                           {CaseGroup: 1, Notification: 1, OutboxEmail: 1}),
    "attach staff": ("kay", "/cases/{case}/assignment/{group}", "/cases/{case}/staff", {"staff": "{gil}", "email": "y"},
                     {CaseStaff: 1}),
    "detach group": ("kay", "/cases/{case}", "/cases/{case}/groups/{group}/removal", {}, {CaseGroup: -1}),
    "exclude from a case": ("ada", "/cases/{case}/exclusions", None, {"staff_member": "{ken}", "reason": "A relative"},
                            {Exclusion: 1}),
    "close case": ("kay", "/cases/{case}/closure", None, {"reason": "{close_reason}", "outcome": "Done."}, {CaseClosure: 1}),
    "announce": ("ada", "/announcements/new", None, {"title": "Snow", "text": "Stay at home.", "ends_on": "2099-01-01"},
                 {Announcement: 1}),
    "New task": ("kay", "/tasks/new", None, {"student_ref": "{student}", "title": "Ring home", "assigned_to": "{sam}"},
                 {Task: 1, Notification: 1, OutboxEmail: 1}),
    "note of a task": ("sam", "/tasks/{task}", "/tasks/{task}", {"text": "Nobody answers."}, {TaskNote: 1}),
    "Complete": ("sam", "/tasks/{task}", "/tasks/{task}/completion", {}, {Task: 1}),
    "New meeting": ("kay", "/meetings/new", None, {
        "students_ref": "{student}", "staff_ref": "{sam}", "meeting_type": "{meeting_type}", "starts_at": "2099-01-05T10:00",
        "ends_at": "2099-01-05T11:00", "agenda": "School",
    }, {Meeting: 1, MeetingStudent: 1, MeetingStaff: 1, OutboxEmail: 1}),
    "move a meeting": ("kay", "/meetings/{meeting}/time", None, {"starts_at": "2099-02-05T10:00", "ends_at": "2099-02-05T11:00"},
                       {Meeting: 0, OutboxEmail: 1}),
    "Create a Plan": ("kay", "/plans/new", None, {
        "student_ref": "{student}", "tier": "2", "goal": "On time", "starts_on": "2026-01-05", "steps-0-text": "A card",
    }, {Plan: 1, PlanIntervention: 1}),
    "progress point": ("kay", "/plans/{plan}/points", None, {"day": "2026-01-06", "value": "3"}, {PlanPoint: 1}),
    "Conduct a Plan Review": ("kay", "/plans/{plan}/reviews/new", None, {"day": "2026-01-07", "decision": "continue"}, {PlanReview: 1}),
    "Submit a File": ("kay", "/students/{student}/files/new", None, {"files": ("notes.txt", b"Notes.\n")}, {StoredFile: 1}),
    "Submit": ("kay", "/forms/{form}/responses/new", None, {"student_ref": "{student}", "answer_f1": "Cold"}, {FormResponse: 1}),
    "refer": ("rae", "/forms/{form}/responses/new", None, {"first_name": "Eve", "last_name": "Egret", "answer_f1": "Cold"},
              {FormResponse: 1, Referral: 1}),
    "Accept": ("kay", "/referrals/{referral}", "/referrals/{referral}/acceptance", {"student_ref": "{student}"},
               {Referral: 0, FormResponse: 0}),
    "make a new student": ("kay", "/referrals/{second}/new-student", None, {"first_name": "Ida", "last_name": "Ibis"}, {Student: 1}),
    "Decline": ("kay", "/referrals/{third}", "/referrals/{third}/declining", {"reason": "Another school"}, {Referral: 0}),
    "new intervention group": ("kay", "/interventions/new", None, {"name": "Phonics", "goal": "Reads"}, {InterventionGroup: 1}),
    "add to an intervention group": ("kay", "/interventions/{run}/students", None, {"students_ref": "{student}"},
                                     {InterventionMember: 1, Plan: 1}),
    "dictionary": ("ada", "/dictionary", None, {"is_on-task": "y", "title-task": "Look", "staff-task_ref": "{ada}"},
                   {Trigger: 0}),
    "type of meeting": ("ada", "/dictionary/meeting-types", None, {"name": "Hearing"}, {MeetingType: 1}),
    "new form": ("ada", "/forms/new", None, {"name": "Worry", "for_staff": "y"}, {Form: 1, FormVersion: 1}),
    "publish": ("ada", "/forms/{draft}/publication", None, {}, {FormVersion: 0}),
    "settings": ("ada", "/admin/settings", None, {"name": "Another School"}, {Event: 1}),
    "ask for a link": (None, "/account/password-link", None, {"email": "kay@school.example.org"}, {OutboxEmail: 1}),
}  # fmt: skip
# Recorded once for each form that takes effect, whatever it is.
EFFECTS = ("case.", "announcement.added", "incident.", "student.", "exclusion.", "report.saved", "category.added", "group.added", "account.added",
           "settings.changed", "account.password_link_asked", "task.", "meeting.", "plan.", "intervention.", "form.", "response.",
           "referral.", "dictionary.")  # fmt: skip
NO_EFFECT = (".read", "_read", ".listed", "_listed", ".exported", "_exported")
# More than one thing comes of these: an account and its invitation, a case with its incident, the next task of a series, …
RECORDED_TWICE = ("add user", "open case", "case of an incident", "Complete", "Create a Plan", "add to an intervention group",
                  "make a new student")  # fmt: skip


@pytest.fixture
def world(app, cast):
    """What the forms are about; each test starts from it."""
    category = factories.category("Bullying")
    incident = factories.incident(cast.sam, [(cast.student, [category])])
    action = factories.action(incident, cast.sam)
    case = factories.case(cast.student, cast.kay, staff=[cast.sam])
    confirmed = confirmation_of(new_readers(case, cast.counselling))
    reason = CloseReason.select().order_by(CloseReason.id).first()
    return work(cast) | {
        "case": case.ref, "case_type": case.case_type.ref, "close_reason": reason.ref, "group": cast.counselling.ref,
        "gil": cast.gil.ref, "confirmed": confirmed,
        "student": cast.student.ref, "category": category.ref, "incident": incident.ref, "action": action.ref,
        "region": bodymap.REGIONS[0].key, **{key: getattr(cast, key).ref for key in ("ken", "sam", "oli", "kay")},
    }  # fmt: skip


def work(cast):
    """Something of each kind that a form is about: to be done, moved, reviewed, decided on, published."""
    question = [{"key": "f1", "type": "text", "label": "What is it?"}]
    form = factories.form("Concern", cast.ada, question, for_referral_users=True)
    rows = {
        "task": factories.task(cast.student, cast.sam, cast.kay, repeats="weekly", due_on=date(2026, 1, 5)),
        "meeting": factories.meeting(cast.kay, [cast.student], [cast.sam]),
        "plan": factories.plan(cast.student, cast.kay, starts_on=date(2026, 1, 1)),
        "run": factories.intervention_group(cast.kay, "Reading club"),
        "form": form, "draft": factories.form("Visit", cast.ada, question, published=False),
        **{name: factories.referral(form, cast.rae, "Eve", name) for name in ("referral", "second", "third")},
    }  # fmt: skip
    return {name: row.ref for name, row in rows.items()} | {
        "meeting_type": MeetingType.select().first().ref, "ada": cast.ada.ref,
    }  # fmt: skip


def fill(value, world):
    return value.format(**world) if isinstance(value, str) else value


class Browser:
    """Sends forms to the live server, keeping no cookies but the session's."""

    def __init__(self, url, name, cookie):
        self.url, self.cookie = url, f"{name}={cookie}" if cookie else ""
        self.opener = urllib.request.build_opener(_Stay())

    def open(self, path, body=None, kind=None):
        headers = {"Cookie": self.cookie} | ({"Content-Type": kind} if kind else {})
        asked = urllib.request.Request(self.url + path, data=body, headers=headers)
        try:
            answer = self.opener.open(asked, timeout=60)
        except urllib.error.HTTPError as refused:
            answer = refused
        with answer:
            if answer.headers.get("Set-Cookie"):
                self.cookie = answer.headers["Set-Cookie"].partition(";")[0]
            return answer.status, answer.headers.get("Location", ""), answer.read()


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def packed(fields):
    """The fields as multipart/form-data."""
    boundary, parts = uuid.uuid4().hex, []
    for name, values in fields.items():
        for value in values:
            file = f'; filename="{value[0]}"\r\nContent-Type: text/plain' if isinstance(value, tuple) else ""
            content = value[1] if isinstance(value, tuple) else value.encode()
            parts.append(f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'.encode() + content + b"\r\n")
    return b"".join(parts) + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


def effects():
    verbs = [verb for (verb,) in Event.select(Event.verb).tuples()]
    return sum(verb.startswith(EFFECTS) and not verb.endswith(NO_EFFECT) for verb in verbs)


def send(browser, page, target, typed, world, times, at_once):
    """Sends one and the same form so many times; returns [(status, location)]."""
    path, target = fill(page, world), fill(target or page, world)
    status, _, html = browser.open(path)
    assert status == 200, f"{path} answered {status}"
    fields = filled_in(html, target.partition("?")[0], {name: fill(value, world) for name, value in typed.items()}, borrow=path != target)
    body, kind = packed(fields)
    answers, lock, gate = [], threading.Lock(), threading.Barrier(times)

    def once():
        if at_once:
            gate.wait(20)
        answer = browser.open(target, body, kind)
        with lock:
            answers.append(answer)

    if at_once:
        threads = [threading.Thread(target=once) for _ in range(times)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(90)
    else:
        for _ in range(times):
            once()
    return answers


def browser_for(server, app, cookie_for, who):
    return Browser(server.url, app.config["SESSION_COOKIE_NAME"], cookie_for(who) if who else None)


@pytest.mark.parametrize("at_once", [False, True], ids=["5 times", "10 times at once"])
def test_a_form_that_is_sent_again_takes_effect_once(app, world, live, cookie_for, figure, at_once):
    server, wrong = live(args=("app.py", "web")), []
    for name, (who, page, target, typed, rows) in FORMS.items():
        browser = browser_for(server, app, cookie_for, who)
        before = {model: model.select().count() for model in rows if model is not Event}
        done = effects()
        answers = send(browser, page, target, typed, world, 10 if at_once else 5, at_once)
        results = {(status, location) for status, location, _ in answers}
        if len(results) != 1 or next(iter(results))[0] not in (302, 303):
            why = next((text_of_errors(body) for status, _, body in answers if status >= 400), "")
            wrong.append(f"{name}: answered {sorted(results)} {why}")
        for model in before:
            more = model.select().count() - before[model]
            if more != rows[model]:
                wrong.append(f"{name}: {more} rows more in {model.__name__}, expected {rows[model]}")
        recorded = effects() - done
        allowed = {1, 2} if name in RECORDED_TWICE else {1}
        if recorded not in allowed:
            wrong.append(f"{name}: recorded {recorded} times")
        undo(name)
    assert not wrong, "\n".join(wrong) + "\n" + "\n".join(line for line in server.lines if "rror" in line)[:3000]
    how = "10 times at once" if at_once else "5 times"
    figure(f"double submit, {how}", f"{len(FORMS)} forms: 1 effect and 1 result each")


def undo(name):
    """Let the next form meet the incident as it was."""
    if name == "close":
        Incident.update(status="Active").execute()
    if name == "exclude":
        Exclusion.delete().execute()


def text_of_errors(html):
    words = text_of(html)
    at = words.find("problem")
    return words[max(0, at - 200) : at + 300]


def test_another_form_of_the_same_page_takes_effect_again(app, world, live, cookie_for):
    """The key belongs to one form that was shown once: whoever opens the page again means it again."""
    server = live(args=("app.py", "web"))
    browser = browser_for(server, app, cookie_for, "kay")
    for _ in range(2):
        send(browser, "/incidents/{incident}/actions", None, {"text": "Rang home."}, world, 2, False)
    assert IncidentAction.select().count() == 3  # one was there before


def test_the_key_of_somebody_else_is_worth_nothing(app, world, client_for, post):
    """A key is bound to its session and address: sent by another, or to another page, it is a key like any other."""
    url = f"/incidents/{world['incident']}/actions"
    for who in ("kay", "ken"):
        assert post(client_for(who), url, {"text": f"By {who}.", "once": "the same key"}).status_code == 303
    assert IncidentAction.select().count() == 3
    other = factories.incident(Account.get(Account.name == "Sam Swift"))
    kay = client_for("kay")
    for ref in (world["incident"], other.ref):
        assert post(kay, f"/incidents/{ref}/actions", {"text": "Twice.", "once": "k2"}).status_code == 303
    assert IncidentAction.select().count() == 5
