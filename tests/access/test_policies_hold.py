"""Test the tests: each permission check is taken out, one at a time, and the checks of access have to notice.

What runs here is a fast choice of the same checks that the other files of this folder make in full.
"""

from functools import reduce
from operator import or_

import pytest
from peewee import SQL

import app as application
import permissions
from blueprints.account import queries as account_queries
from blueprints.account.queries import accounts
from blueprints.cases import queries as cases
from blueprints.cases.queries import lists as case_lists
from blueprints.cases.queries import record as case_record
from blueprints.cases.views import common as case_views
from blueprints.incidents.queries import record
from blueprints.incidents.views import changing, common, status
from blueprints.kit import prepared
from extensions import csrf
from models import Account, Case, Incident, IncidentStudent, School
from tests import factories
from tests.access.relations import CASE_RELATIONS, RELATIONS
from tests.access.routes import IN, expected, outcome, route_of, samples
from tests.access.test_actions_refuse import refusals
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
    "admin.own_groups", "home.announcements", "home.notification", "account.personnel",
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


CHECKS = {
    "pages": lambda app, school, visitors, clock: check_pages(app, school, visitors),
    "case relations": lambda app, school, visitors, clock: check_case_relations(app, school, visitors),
    "relations": lambda app, school, visitors, clock: check_relations(app, school, visitors),
    "canaries": lambda app, school, visitors, clock: check_canaries(app, school, visitors),
    "sessions": check_sessions_and_module,
    "actions": lambda app, school, visitors, clock: refusals(app, school, ("gil", "mo", "oli", "stu")),
}


def forget_prepared():
    """SQL that was put together with a check, or without it, is not used for the other."""
    prepared._plans.clear()
    for kept in (record._reason_names, case_record._reason_names, case_lists._words):
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


def closed_to_nobody(user):
    return Incident.select(Incident.ref).where(NOTHING)


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
    "all parts by role": (replace(permissions, "sees_all_parts", lambda *given, **named: True), ["canaries"]),
    "roles of reasons": (
        replace(permissions, "_has_role", lambda *given, **named: permissions._ALWAYS), ["relations"],
    ),
    "students only for staff": (
        replace(permissions, "visible_students", lambda user, *fields: permissions.Student.select(*fields)), ["canaries"],
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


def without_guard(monkeypatch, app):
    """The request knows who asks; nothing is held against the policy of the view."""

    def who_asks_only():
        application.g.user = application.g.session_row = None
        if application.request.endpoint in (None, *application.WITHOUT_DATABASE):
            return
        who = account_queries.who_asks(application.g.school)
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


IN_THE_APP = {
    "the guard": (without_guard, ["pages"]),
    "the module switch": (without_module, ["sessions"]),
    "signing in for one's own pages": (without_signing_in, ["pages"]),
    **{
        f"the policy {kind}": (without_policy(kind), ["pages"])
        for kind in ("admin.users", "admin.settings", "bulk_closing", "report.run", "search", "exclusion", "student.edit",
                     "announcement", "group.manage", "case.open", "personnel.read")
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
