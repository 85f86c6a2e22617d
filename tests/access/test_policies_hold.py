"""Test the tests: each permission check is taken out, one at a time, and the checks of access have to notice.

What runs here is a fast choice of the same checks that the other files of this folder make in full.
"""

import json
from functools import reduce
from operator import or_

import pytest
from peewee import SQL

import app as application
import permissions
from blueprints.account import queries as account_queries
from blueprints.account.queries import accounts
from blueprints.admin.queries import audit
from blueprints.cases import actions as cases_actions
from blueprints.cases import queries as cases
from blueprints.cases.actions import records as record_actions
from blueprints.cases.actions import student_files as file_actions
from blueprints.cases.actions import tasks as task_actions
from blueprints.cases.queries import lists as case_lists
from blueprints.cases.queries import record as case_record
from blueprints.cases.views import common as case_views
from blueprints.incidents import actions as incident_actions
from blueprints.incidents.queries import record as incident_record
from blueprints.incidents.views import changing, common, status
from blueprints.kit import prepared, presentation
from blueprints.kit.refusing import Refused, Unconfirmed
from blueprints.plans import actions as plan_actions
from extensions import csrf
from models import (
    Account,
    Case,
    CaseRecord,
    Event,
    Exclusion,
    FormResponse,
    Incident,
    IncidentStudent,
    Meeting,
    MeetingStudent,
    School,
    Student,
)
from tests import factories
from tests.access.relations import CASE_RELATIONS, RELATIONS
from tests.access.routes import (
    IN,
    READS_FILE,
    READS_MEETING,
    READS_PLAN,
    READS_RESPONSE,
    READS_TASK,
    expected,
    outcome,
    route_of,
    samples,
)
from tests.access.test_actions_refuse import ACTIONS, refusals, refused
from tests.access.test_canary import ask as ask_masked
from tests.access.test_canary import found, hidden_from
from tests.access.test_matrix import ask
from tests.access.visitor import Visitor, undone

EVERYTHING = SQL("1 = 1")
NOTHING = SQL("1 = 0")

# A few pages of each kind, and who is sent there.
PAGES = {
    "incidents.incident", "incidents.file", "incidents.text", "incidents.assignment", "incidents.exclusions",
    "incidents.change_preview", "incidents.mark_removal", "students.student", "students.edit", "students.exclusions",
    "imports.run", "reports.index", "reports.edit_report", "admin.settings", "admin.users", "admin.user_edit",
    "admin.bulk_closing", "account.revoke_session", "home.search", "account.details", "cases.case", "cases.people",
    "cases.closure", "cases.file", "cases.new", "cases.exclusions", "cases.entry", "cases.incident_removal", "admin.own_group",
    "admin.own_groups", "home.announcements", "home.notification", "account.personnel", "cases.dictionary", "cases.meeting",
    "cases.meetings", "cases.submit_file", "cases.task", "cases.tasks", "forms.new", "forms.referral", "forms.response",
    "forms.responses_to", "plans.index", "plans.intervention", "plans.new_intervention", "plans.plan", "timeline.timeline",
}  # fmt: skip
PEOPLE = ("nobody", "kay", "gil", "sam", "stu", "oli")


# --- The fast choice ---------------------------------------------------------------------------------------------------


def check_pages(app, school, visitors):
    for endpoint, methods, url in samples(app, school):
        for person in PEOPLE if endpoint in PAGES else ():
            for method in sorted(methods):
                wanted = expected(route_of(endpoint, method), person)
                if outcome(ask(visitors[person], method, endpoint, url, school)) != wanted:
                    yield f"{person}: {method} {endpoint}, expected {wanted}"


def check_relations(app, school, visitors):
    """Each reason alone, taken away, and with an exclusion: the page, the list and the count."""
    yield from each_relation(school, visitors, RELATIONS, sees, ("student",))


def check_case_relations(app, school, visitors):
    yield from each_relation(school, visitors, CASE_RELATIONS, sees_the_case, ("student", "case"))


def each_relation(school, visitors, relations, sees_it, exclusions):
    for name, (person, give, take) in relations.items():
        with undone():
            account = getattr(school.cast, person)
            give(school, account)
            yield from sees_it(school, visitors[person], account, not name.startswith("none"), name)
            for kind in exclusions:
                with undone():
                    factories.exclusion(account, school.ada2, **{kind: getattr(school, kind)})
                    yield from sees_it(school, visitors[person], account, False, f"{name}, excluded from the {kind}")
            take(school, account)
            yield from sees_it(school, visitors[person], account, False, f"{name}, taken away")


def sees(school, visitor, account, wanted, name):
    account = Account.get_by_id(account.id)
    listed = permissions.visible_incidents(account).where(Incident.id == school.secret.id).exists()
    yield from opens(visitor, f"/incidents/{school.secret.ref}", listed, wanted, name)


def sees_the_case(school, visitor, account, wanted, name):
    account = Account.get_by_id(account.id)
    listed = permissions.visible_cases(account).where(Case.id == school.case.id).exists()
    yield from opens(visitor, f"/cases/{school.case.ref}", listed, wanted, name)


def opens(visitor, url, listed, wanted, name):
    with undone():
        opened = visitor.get(url).status == 200
    yield from [f"{name}: {what}" for what, is_so in (("listed", listed), ("opened", opened)) if is_so != wanted]


def check_canaries(app, school, visitors):
    """A few pages and exports that show several records at once."""
    pages = ["/incidents", "/incidents/export.csv", f"/incidents/{school.shared.ref}", "/students/export.csv?show=all",
             f"/students/{school.student.ref}", "/students?show=all", "/", f"/students/{school.hidden.ref}/incidents",
             "/cases", "/cases.csv", f"/students/{school.student.ref}/cases", f"/search?q={school.case.ref}", "/notifications",
             f"/cases/{school.case.ref}", f"/cases/{school.case.ref}/incidents", f"/cases/{school.case.ref}/history"]  # fmt: skip
    for person in ("kay", "oli", "stu", "mo"):
        answers = []
        for url in pages:
            with undone():
                answers.append(visitors[person].get(url))
        yield from found(school, answers, hidden_from(person))
    about = []
    for url in ("/incidents", f"/incidents/{school.shared.ref}", f"/incidents/{school.shared.ref}/students"):
        with undone():
            about.append(visitors["kay"].get(url))
    yield from found(school, about, ["part"])
    with undone():
        factories.exclusion(school.cast.ada, school.ada2, case=school.case)
        yield from found(school, [visitors["ada"].get("/admin/audit")], ["case"])
    with undone():
        factories.exclusion(school.cast.kay, school.ada2, student=school.student)
        for url in ("/students?show=all", "/students/export.csv", f"/students/suggest?q={school.student.last_name}"):
            yield from found(school, [visitors["kay"].get(url)], ["student", "details"])


# {kind: (the record, its page, who of the cast sees it, all that somebody sees)}
WORK = {
    "task": (lambda w: w.task, lambda w: f"/tasks/{w.task.ref}", READS_TASK.may, permissions.visible_tasks),
    "meeting": (lambda w: w.meeting, lambda w: f"/meetings/{w.meeting.ref}", READS_MEETING.may, permissions.visible_meetings),
    "plan": (lambda w: w.plan, lambda w: f"/plans/{w.plan.ref}", READS_PLAN.may, permissions.visible_plans),
    "form": (lambda w: w.response, lambda w: f"/responses/{w.response.ref}", READS_RESPONSE.may, permissions.visible_responses),
    "file": (lambda w: w.student_file, lambda w: f"/students/{w.student.ref}/files/{w.student_file.ref}/access", READS_FILE.may,
             permissions.visible_student_files),
}  # fmt: skip


def check_work(app, school, visitors, clock):
    """A task, a meeting, a plan, a response and a file: who sees each, also when they are excluded from its student, and when
    their role doesn't admit any reason."""
    for person in ("oli", "kay", "ken", "gil", "mo", "sam", "ada", "rae", "stu"):
        yield from sees_the_work(school, visitors[person], person, lambda may, person=person: person in may, "as it is")
    for person in ("ada", "gil", "sam", "mo"):
        with undone():
            factories.exclusion(getattr(school.cast, person), school.ada2, student=school.student)
            yield from sees_the_work(school, visitors[person], person, lambda may: False, "excluded")
            yield from found(school, [visitors[person].get("/admin/audit")] if person == "ada" else [], WORK_TOKENS)
    with undone():
        Account.update(role=permissions.REFERRAL_USER).where(Account.id == school.cast.gil.id).execute()
        yield from sees_the_work(school, visitors["gil"], "gil", lambda may: False, "a Referral User now")


WORK_TOKENS = ["task", "meeting", "meeting reference", "plan", "response"]


def sees_the_work(school, visitor, person, wanted, stage):
    account = Account.get_by_id(getattr(school.cast, person).id)
    for kind, (row, page, may, visible) in WORK.items():
        listed = visible(account).where(visible(account).model.id == row(school).id).exists()
        yield from opens(visitor, page(school), listed, wanted(may), f"{kind}, {person}, {stage}")


def check_parts_of_meetings(app, school, visitors, clock):
    """Who sees a meeting because of a case sees that case's student and no other, neither agenda nor place, nor the names of
    those who meet the other."""
    with undone():
        MeetingStudent.create(meeting=school.meeting, student=school.ann, added_by=school.cast.sam)
        for person, whole in (("mo", False), ("ken", False), ("sam", True), ("gil", True)):
            answer = visitors[person].get(f"/meetings/{school.meeting.ref}")
            if ("ann finch" in answer.words) != whole:
                yield f"{person}: another student of the meeting"
            if bool(found(school, [answer], ["meeting"])) != whole:
                yield f"{person}: what was written about the meeting"
            if (school.cast.gil in permissions.who_works_with(school.ann, getattr(school.cast, person))) != whole:
                yield f"{person}: who meets another student of the meeting"


def check_offered_records(app, school, visitors, clock):
    """What somebody sees because of a case alone is not offered to be put onto another one."""
    with undone():
        other = factories.case(school.student, school.cast.ken, "Another", staff=[school.cast.mo, school.cast.gil])
        for person, offered in (("mo", False), ("gil", True)):
            page = visitors[person].get(f"/cases/{other.ref}/records")
            if (f"/records/task/{school.task.ref}" in page.text) != offered:
                yield f"{person}: a task is offered, or not, {page}"


def check_referrals(app, school, visitors, clock):
    """Who sees a referral because of a case alone decides nothing; one that waits is kept from whoever is excluded from a
    student of that name; what somebody sent is read by nobody else of the outsiders."""
    waiting, cast = school.referral, school.cast
    with undone(), app.app_context():
        CaseRecord.create(case=school.case, kind="form", record_id=waiting.response_id, record=waiting.response.ref, how="linked", by=cast.ada)
        if visitors["mo"].get(f"/referrals/{waiting.ref}").status != 200:
            yield "a reader of the case doesn't see its referral"
        for name in ("forms.accept", "forms.merge", "forms.decline"):
            yield from refused(school, name, ACTIONS[name][1], cast.mo, "mo, by a case")
    with undone():
        row = factories.student(waiting.first_name, waiting.last_name)
        type(row).update(sort_name=waiting.sort_name).where(type(row).id == row.id).execute()
        for person in ("ada", "gil"):
            exclusion = factories.exclusion(getattr(cast, person), school.ada2, student=row)
            yield from opens(visitors[person], f"/referrals/{waiting.ref}", False, False, f"{person}, excluded by name")
            Exclusion.delete().where(Exclusion.id == exclusion.id).execute()
    own = {"rae": {school.raes_response.ref, waiting.response.ref}, "stu": {school.stus_response.ref}}
    for person, refs in own.items():
        sent = {row.ref for row in permissions.own_responses(getattr(cast, person))}
        if sent != refs:
            yield f"{person} has sent {sorted(sent)}"
        shown = visitors[person].get("/responses.csv").text
        for ref in {row.ref for row in FormResponse.select()} - refs:
            if ref in shown:
                yield f"{person}: {ref} of somebody else in the list of what they sent"


def check_who_is_chosen(app, school, visitors, clock):
    """Nobody who is excluded from the student is given a task, a meeting or a plan about them."""
    cast, day = school.cast, factories.today()
    times = {"starts_at": clock.now(), "ends_at": clock.now()}
    said = {"tier": 2, "goal": "x", "concern": "", "measure": "", "baseline": None, "target": None, "starts_on": day, "review_by": None}
    gives = {
        "task": lambda: cases_actions.set_task(actor=cast.sam, student=school.student, title="x", assigned_to=cast.oli),
        "plan": lambda: plan_actions.create_plan(school.student, lead=cast.oli, actor=cast.sam, **said),
        "meeting": lambda: cases_actions.schedule_meeting(
            actor=cast.sam, students=[school.student], staff=[cast.oli], meeting_type=school.meeting.meeting_type_id, **times),
    }  # fmt: skip
    with undone(), app.app_context():
        factories.exclusion(cast.oli, school.ada2, student=school.student)
        for kind, give in gives.items():
            try:
                give()
            except Refused:
                continue
            yield f"{kind}: given to somebody who is excluded"


def check_sessions_and_module(app, school, visitors, clock):
    with undone():
        School.update(cases_module=False).execute()
        for url in ("/admin/bulk-closing", f"/incidents/{school.secret.ref}/status"):
            if visitors["ada"].get(url).status != 404:
                yield f"{url} is there without the Cases module"
    with undone():
        Account.update(two_step_at=None).where(Account.id == school.cast.ada.id).execute()
        if visitors["ada"].get("/students").location != "/account/two-step/setup":
            yield "without a second step Ada gets on"
    with undone():
        Account.update(is_active=False).where(Account.id == school.cast.kay.id).execute()
        if outcome(visitors["kay"].get("/students")) == IN:
            yield "a deactivated account gets in"
    now = clock.now()
    clock.move(minutes=31)
    try:
        with undone():
            is_in = outcome(visitors["kay"].get("/students")) == IN
    finally:
        clock.freeze(now)
    if is_in:
        yield "a session that has been idle for too long gets in"
    with undone():
        if visitors["kay"].post("/account/details", {"title": "Boss", "version": "1"}, token=False).status != 400:
            yield "a form without a token is taken"


def check_parts_of_incidents(app, school, visitors, clock):
    """Kay, who sees a part of an incident, assigns it to nobody who would see the rest, and reads of no change of it."""
    row = school.shared
    with undone(), app.app_context():
        try:
            incident_actions.assign(row, school.cast.kay, actor=school.cast.kay, version=row.version)
        except Refused:
            pass
        except Unconfirmed:
            yield "kay: is asked whether to let herself into all of an incident"
        else:
            yield "kay: let herself into all of an incident"
    with undone():
        data = json.dumps({"added": [school.hidden.ref], "changed": []})
        Event.create(actor=school.cast.sam, verb="incident.students_changed", target=row.ref, data=data)
        if "changed students or categories" in visitors["kay"].get(f"/incidents/{row.ref}").text:
            yield "kay: a part that she does not see was changed"


def check_meetings_of_cases(app, school, visitors, clock):
    """A meeting of a case is gone from it with the case's student, and is not in it at all for whoever is excluded from another
    of its students."""
    page = f"/meetings/{school.meeting.ref}"
    with undone():
        MeetingStudent.create(meeting=school.meeting, student=school.ann, added_by=school.cast.sam)
        gone = (MeetingStudent.meeting == school.meeting) & (MeetingStudent.student == school.student)
        MeetingStudent.update(removed_at=clock.now()).where(gone).execute()
        yield from opens(visitors["mo"], page, False, False, "mo, of a case whose student was taken off")
    with undone():
        MeetingStudent.create(meeting=school.meeting, student=school.ann, added_by=school.cast.sam)
        factories.exclusion(school.cast.mo, school.ada2, student=school.ann)
        if "meeting" in visitors["mo"].get(f"/cases/{school.case.ref}/records").text.partition("<table")[2].partition("</table")[0]:
            yield "mo: a meeting with somebody she is excluded from"
        if (school.cast.mo.id,) not in permissions.kept_from_record("meeting", school.meeting.id).tuples():
            yield "mo: is told of a meeting with somebody she is excluded from"


def check_students_accounts(app, school, visitors, clock):
    """The account of a student and what the audit log names beside its targets, for an admin who is excluded from them."""
    with undone():
        factories.exclusion(school.cast.ada, school.ada2, student=school.cast.student)
        if "stu sturgeon" in visitors["ada"].get("/admin/users").words:
            yield "ada: the account of a student she is excluded from"
    with undone():
        factories.exclusion(school.cast.ada, school.ada2, student=school.student)
        visitors["oli"].get(f"/cases/{school.case.ref}")
        if school.case.ref in visitors["ada"].get("/admin/audit").text:
            yield "ada: somebody asked for a case that is closed to her"


CHECKS = {
    "pages": lambda app, school, visitors, clock: check_pages(app, school, visitors),
    "case relations": lambda app, school, visitors, clock: check_case_relations(app, school, visitors),
    "relations": lambda app, school, visitors, clock: check_relations(app, school, visitors),
    "canaries": lambda app, school, visitors, clock: check_canaries(app, school, visitors),
    "sessions": check_sessions_and_module,
    "work": check_work,
    "parts of meetings": check_parts_of_meetings,
    "offered records": check_offered_records,
    "referrals": check_referrals,
    "who is chosen": check_who_is_chosen,
    "parts of incidents": check_parts_of_incidents,
    "meetings of cases": check_meetings_of_cases,
    "accounts of students": check_students_accounts,
    "actions": lambda app, school, visitors, clock: refusals(app, school, ("gil", "mo", "oli", "stu")),
}


def forget_prepared():
    """SQL that was put together with a check, or without it, is not used for the other."""
    prepared._plans.clear()
    for kept in (permissions.reason_names, case_lists._words, presentation._menu):
        kept.cache_clear()


class Broken(Exception):
    """A page answered 500: what was taken out was missed for the wrong reason."""


@pytest.fixture(autouse=True)
def nothing_breaks(monkeypatch):
    send = Visitor.send

    def sending(self, method, url, **given):
        answer = send(self, method, url, **given)
        if answer.status >= 500:
            raise Broken(answer)
        return answer

    monkeypatch.setattr(Visitor, "send", sending)


@pytest.fixture
def holds(app, school, visitors, clock):
    """holds(names): the first sentence about what the chosen checks find wrong, None when nothing is."""

    def run(names):
        forget_prepared()
        for name in names:
            for sentence in CHECKS[name](app, school, visitors, clock):
                return sentence
        return None

    yield run
    forget_prepared()


# --- What is taken out -------------------------------------------------------------------------------------------------


def reason_always_holds(name, *tables):
    def remove(monkeypatch, app):
        for reasons in tables:
            if name in reasons:
                monkeypatch.setitem(reasons, name, lambda *given, **named: EVERYTHING)

    return remove


def replace(target, name, value):
    return lambda monkeypatch, app: monkeypatch.setattr(target, name, value)


def without_exclusions(reasons):
    def any_reason(u):
        found = [expression for reason in reasons.values() if (expression := reason(u)) is not None]
        return reduce(or_, found) if found else NOTHING

    return any_reason


def every_incident(user, *fields, among=(), part=None):
    fitting = [Incident.id.in_(IncidentStudent.select(IncidentStudent.incident).where(*part))] if part else []
    return Incident.select(*fields).where(*among, *fitting, EVERYTHING)


def every_student(user, *fields, among=None):
    return Student.select(*fields).where(EVERYTHING if among is None else among)


def closed_to_nobody(user):
    return Incident.select(Incident.ref).where(NOTHING)


def meeting_on_any_case(u, *shown):
    return permissions._on_case(u, "meeting", Meeting.id, *shown)


def case_of_anybody(user, ref, audit=True):
    """The case, whoever asks: with the reasons of somebody who sees it and manages nothing."""
    row = CASE_AS_EVER(Account(id=user.id, role=permissions.ADMIN, is_active=True), ref, audit=False)
    row.reasons = ["assigned"]
    return row


CASE_AS_EVER = case_record.case
INCIDENT_REASONS = (permissions.READ_INCIDENT, permissions.WHOLE_INCIDENT, permissions.OPEN_PARTS)


REMOVALS = {
    **{f"reason {name} always holds": (reason_always_holds(name, *INCIDENT_REASONS), ["relations"])
       for name in permissions.READ_INCIDENT},
    "exclusion from incidents": (replace(permissions, "_excluded_incidents", lambda *given, **named: NOTHING), ["relations"]),
    "exclusion in the list": (replace(permissions, "sees_incident", without_exclusions(permissions.READ_INCIDENT)), ["relations"]),
    "exclusion on one incident's page": (replace(permissions, "not_excluded", lambda *given, **named: EVERYTHING), ["relations"]),
    "exclusion from students": (replace(permissions, "_excluded_students", lambda *given, **named: NOTHING), ["canaries"]),
    "need-to-know": (replace(permissions, "open_part", lambda *given, **named: EVERYTHING), ["relations"]),
    "membership of a need-to-know group": (
        replace(permissions, "_my_categories", lambda *given: permissions.CategoryGroup.select(permissions.CategoryGroup.category)),
        ["relations"],
    ),
    "the parts of a shared incident": (replace(permissions, "sees_part", lambda *given, **named: EVERYTHING), ["canaries"]),
    "who reads that a student was taken off": (
        replace(permissions, "sees_removal", lambda *given: EVERYTHING), ["canaries"],
    ),
    "all parts by role": (replace(permissions, "sees_all_parts", lambda *given, **named: True), ["canaries"]),
    "roles of reasons": (
        replace(permissions, "_has_role", lambda *given, **named: permissions._ALWAYS), ["relations"],
    ),
    "students only for staff": (
        replace(permissions, "visible_students", every_student), ["canaries"],
    ),
    "capabilities": (replace(permissions, "can", lambda *given, **named: True), ["pages"]),
    "require() in the actions": (replace(permissions, "require", lambda *given, **named: None), ["actions"]),
    "who may change an incident": (replace(permissions, "may_change_incident", lambda *given, **named: True), ["pages"]),
    "need() in the views": (replace(status, "need", lambda *given, **named: None), ["pages"]),
    "changeable() in the views": (replace(changing, "changeable", common.loaded), ["pages"]),
    "two-step sign-in": (replace(account_queries, "must_set_up_two_step", lambda *given, **named: False), ["sessions"]),
    "limits of a session": (replace(accounts, "_is_live", lambda *given, **named: True), ["sessions"]),
    "the token of forms": (replace(csrf, "protect", lambda *given, **named: None), ["sessions"]),
}  # fmt: skip
REMOVALS |= {
    **{f"reason {name} for a case always holds": (reason_always_holds(name, permissions.READ_CASE), ["case relations"])
       for name in permissions.READ_CASE},
    "exclusion from cases": (replace(permissions, "_excluded_cases", lambda *given: NOTHING), ["case relations"]),
    "exclusion in the list of cases": (
        replace(permissions, "sees_case", without_exclusions(permissions.READ_CASE)), ["case relations"],
    ),
    "exclusion on one case's page": (
        replace(permissions, "not_excluded_from_case", lambda *given: EVERYTHING), ["case relations"],
    ),
    "the managing role": (replace(permissions, "MANAGER_ROLES", permissions.STAFF_ROLES), ["case relations"]),
    "who manages a case": (replace(permissions, "MANAGE_CASE", set(permissions.READ_CASE)), ["actions"]),
    "require_managing() in the actions": (replace(permissions, "require_managing", lambda *given: None), ["actions"]),
    "managed() in the views": (replace(cases, "may_manage", lambda *given: True), ["pages"]),
    "loaded() in the views": (replace(case_views.queries, "case", case_of_anybody), ["pages"]),
    "whose group it is": (replace(permissions, "require_group", lambda *given: None), ["actions"]),
    "whose details of a student": (replace(permissions, "may_see_details", lambda *given: True), ["canaries"]),
    "whose record a notification is about": (replace(permissions, "sees_notified", lambda *given: EVERYTHING), ["canaries"]),
    "incidents linked to a case": (replace(permissions, "visible_incidents", every_incident), ["canaries"]),
    "what the audit log leaves out": (replace(permissions, "closed_targets", closed_to_nobody), ["canaries"]),
}  # fmt: skip


WORK_REASONS = {"task": permissions.READ_TASK, "meeting": permissions.READ_MEETING, "plan": permissions.READ_PLAN,
                "form": permissions.READ_RESPONSE, "file": permissions.READ_FILE}  # fmt: skip


def kept_from_nothing(kind):
    """Nobody is kept from a record of this kind by an exclusion from its student."""

    def remove(monkeypatch, app):
        monkeypatch.setitem(permissions._KINDS, kind, permissions._KINDS[kind]._replace(kept_from=lambda u: NOTHING))

    return remove


REMOVALS |= {
    **{f"reason {name} for a {kind} always holds": (reason_always_holds(name, reasons), ["work"])
       for kind, reasons in WORK_REASONS.items() for name in reasons},
    **{f"exclusion from a {kind}": (kept_from_nothing(kind), ["work"]) for kind in WORK_REASONS},
    "exclusion from the student of a record": (replace(permissions, "_kept_from", lambda *given: NOTHING), ["work"]),
    "exclusion from a meeting, in the audit log": (replace(permissions, "_kept_from_meeting", lambda *given: NOTHING), ["work"]),
    "exclusion from a response, in the audit log": (replace(permissions, "_kept_from_response", lambda *given: NOTHING), ["work"]),
    "exclusion by the name of a referral": (kept_from_nothing("form"), ["referrals"]),
    "exclusion on a record's page": (replace(permissions, "not_kept_from", lambda *given: EVERYTHING), ["work"]),
    "the staff role of a reason": (replace(permissions, "_of_staff", lambda u, condition: condition), ["work"]),
    **{f"who sees a {kind}": (replace(permissions, f"sees_{name}", lambda *given: EVERYTHING), ["work"]) for kind, name in (
        ("task", "task"), ("meeting", "meeting"), ("plan", "plan"), ("response", "response"), ("file", "student_file"))},
    "which students of a meeting are shown": (replace(permissions, "sees_meeting_student", lambda *given: EVERYTHING), ["parts of meetings"]),
    "whom somebody knows to meet a student": (
        replace(permissions, "_shown_in_meetings", lambda reader: MeetingStudent.select(MeetingStudent.id)), ["parts of meetings"],
    ),
    "who sees a whole meeting": (replace(permissions, "sees_whole_meeting", lambda *given: EVERYTHING), ["parts of meetings"]),
    "who decides on a referral": (replace(permissions, "DECIDE_REFERRAL", set(permissions.READ_RESPONSE)), ["referrals"]),
    "whose responses one reads as one's own": (
        replace(permissions, "own_responses", lambda user, *fields: FormResponse.select(*fields)), ["referrals"],
    ),
    "who manages a task": (replace(task_actions, "MANAGE", set(permissions.READ_TASK)), ["actions"]),
    "who manages a file": (replace(file_actions, "MANAGE", set(permissions.READ_FILE)), ["actions"]),
    "who manages a meeting": (replace(permissions, "MANAGE_MEETING", set(permissions.READ_MEETING)), ["actions"]),
    "who manages a plan": (replace(permissions, "MANAGE_PLAN", set(permissions.READ_PLAN)), ["actions"]),
    "require_record() in the actions": (replace(permissions, "require_record", lambda *given: []), ["actions"]),
    "what may be put onto a case": (replace(permissions, "puts_onto_case", lambda *given: EVERYTHING), ["offered records"]),
    "who puts a record onto a case": (replace(record_actions, "require_own_reason", lambda *given: None), ["actions"]),
    "who runs an intervention group": (replace(permissions, "runs_intervention", lambda *given: EVERYTHING), ["pages"]),
    "require_intervention() in the actions": (
        replace(permissions, "require_intervention", lambda *given, **named: None), ["actions"],
    ),
    "whom something about a student is given to": (
        replace(permissions, "fit_for_all", lambda ids, *fields: permissions.staff(*fields)), ["who is chosen"],
    ),
}  # fmt: skip


def without_guard(monkeypatch, app):
    """The request knows who asks; nothing is held against the policy of the view."""

    def who_asks_only():
        application.g.user = application.g.session_row = None
        if application.request.endpoint in (None, *application.WITHOUT_DATABASE):
            return
        who = account_queries.who_asks(application.g.school, application.g.signed_in)
        if who is not None:
            application.g.user, application.g.session_row = who.account, who.row

    before = app.before_request_funcs[None]
    monkeypatch.setitem(
        app.before_request_funcs, None, [who_asks_only if each is application._guard else each for each in before]
    )


def without_module(monkeypatch, app):
    for view in app.view_functions.values():
        if getattr(view, "policy", ("", None, False))[1]:
            monkeypatch.setattr(view, "policy", (view.policy[0], None, view.policy[2]))


def without_policy(kind):
    """Every view of one kind is open to whoever is signed in."""

    def remove(monkeypatch, app):
        for view in app.view_functions.values():
            capability, module, is_record = getattr(view, "policy", (permissions.PUBLIC, None, False))
            if capability == kind:
                monkeypatch.setattr(view, "policy", (permissions.SIGNED_IN, module, is_record))

    return remove


def without_signing_in(monkeypatch, app):
    for view in app.view_functions.values():
        capability, module, is_record = getattr(view, "policy", (permissions.PUBLIC, None, False))
        if capability == permissions.SIGNED_IN:
            monkeypatch.setattr(view, "policy", (permissions.PUBLIC, module, is_record))


REMOVALS |= {
    "who lets somebody into all of an incident": (
        replace(permissions, "sees_every_part", lambda *given: True), ["parts of incidents"],
    ),
    "whose part of an incident was changed": (
        replace(incident_record, "_names_somebody_shown", lambda *given: EVERYTHING), ["parts of incidents"],
    ),
    "whom a meeting of a case is still about": (
        lambda monkeypatch, app: monkeypatch.setitem(permissions.READ_MEETING, "case", meeting_on_any_case), ["meetings of cases"],
    ),
    "meetings that leave no trace in a case": (
        replace(permissions, "leaves_a_trace", lambda *given: EVERYTHING), ["meetings of cases"],
    ),
    "who is told of a meeting of a case": (
        replace(permissions, "kept_from_record", lambda *given: Account.select(Account.id).where(NOTHING)), ["meetings of cases"],
    ),
    "the accounts of students": (
        replace(permissions, "closed_accounts", lambda user: Account.select(Account.id).where(NOTHING)), ["accounts of students"],
    ),
    "what the audit log names beside its targets": (replace(audit, "NAMING", []), ["accounts of students"]),
}

IN_THE_APP = {
    "the guard": (without_guard, ["pages"]),
    "the module switch": (without_module, ["sessions"]),
    "signing in for one's own pages": (without_signing_in, ["pages"]),
    **{
        f"the policy {kind}": (without_policy(kind), ["pages"])
        for kind in ("admin.users", "admin.settings", "bulk_closing", "report.run", "search", "exclusion", "student.edit",
                     "announcement", "group.manage", "case.open", "personnel.read", "task.read", "meeting.read", "plan.read",
                     "dictionary", "form.build", "intervention.manage")
    },
}


def test_the_chosen_checks_find_nothing_wrong_as_it_is(holds):
    assert holds(CHECKS) is None, holds(CHECKS)


def test_each_check_that_is_taken_out_is_missed(app, holds, monkeypatch, figure):
    unnoticed = []
    for what, (remove, names) in (REMOVALS | IN_THE_APP).items():
        with monkeypatch.context() as patched:
            remove(patched, app)
            if holds(names) is None:
                unnoticed.append(what)
    assert not unnoticed, f"nothing notices that these are gone: {unnoticed}"
    figure("test the tests", f"{len(REMOVALS) + len(IN_THE_APP)} checks taken out, one at a time: every removal caught")


def test_the_masks_hide_nothing_but_what_they_name(app, school, visitors):
    """Masking the one-time values must not make two different pages alike."""
    one, other = (ask_masked(visitors["ada"], f"/incidents/{row.ref}") for row in (school.secret, school.incident))
    assert one != other and school.secret.ref.encode() in one
    assert ask_masked(visitors["ada"], "/students/new") == ask_masked(Visitor(app, "ada", visitors["ada"].cookie), "/students/new")
