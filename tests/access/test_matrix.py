"""Every route in the URL map × method × persona, and every relation to an incident and a student.

What is expected stands in routes.py, written by hand. Whatever a request changes is taken back at once, so that each
meets the same world.
"""

from urllib.parse import urlsplit

import pytest
from werkzeug.exceptions import MethodNotAllowed, NotFound

from models import Account, School
from tests import factories
from tests.access.relations import CASE_RELATIONS, MANAGING, RELATIONS
from tests.access.routes import (
    CASE_EXCLUDES,
    CHANGES,
    CONCERNED,
    EDITS_ENTRY,
    EXCLUDES,
    FORBIDDEN,
    IN,
    MANAGES_CASE,
    MISSING,
    ON_CASE,
    OPENS_FROM,
    PERSONAS,
    PUTS_ONTO_CASE,
    READS,
    ROUTES,
    SETS,
    SIGN_IN,
    UNLINKS,
    expected,
    outcome,
    route_of,
    samples,
)
from tests.access.visitor import masked, undone


def bodies(school, person):
    """What a form has to carry so that its view comes to the question who may do this."""
    account = getattr(school.cast, person, None)
    return {
        "home.read_notifications": {"newest": school.notifications.get(account and account.id, "ZZZZZZZZZZ")},
        "account.save_draft": {"text": "typed"},
        "incidents.mark": {"note": "Changed", "version": "1"},
        "cohorts.mark_everybody": {"state": "completed", "number": "1"},
        "cohorts.milestones_order": {"how": "date"},
        "cohorts.progress": {"state": "completed"},
        "cohorts.student_milestone_state": {"state": "completed", "version": "0"},
        "account.sign_in": {"email": "nobody@school.example.org", "password": "wrong"},
    }


def ask(visitor, method, endpoint, url, school):
    with undone():
        if method == "POST":
            return visitor.post(url, bodies(school, visitor.name).get(endpoint))
        return visitor.send(method, url)


# --- The table -------------------------------------------------------------------------------------------------------


def test_every_route_is_in_the_table_and_nothing_else(app):
    routes = {rule.endpoint for rule in app.url_map.iter_rules()}
    declared = {name.rpartition(" ")[2] for name in ROUTES}
    undeclared, stale = sorted(routes - declared), sorted(declared - routes)
    assert not undeclared, f"add to ROUTES in tests/access/routes.py who may call: {', '.join(undeclared)}"
    assert not stale, f"ROUTES in tests/access/routes.py names pages that are not there: {', '.join(stale)}"


def test_every_route_answers_each_persona_as_declared(app, school, visitors, figure):
    wrong, asked = [], 0
    for endpoint, methods, url in samples(app, school):
        for person in PERSONAS:
            for method in sorted(methods):
                answer = ask(visitors[person], method, endpoint, url, school)
                wanted = expected(route_of(endpoint, method), person)
                asked += 1
                if outcome(answer) != wanted:
                    wrong.append(f"{person}: {endpoint} {answer}, expected {wanted}")
    assert not wrong, f"{len(wrong)} of {asked} answers are not as declared:\n" + "\n".join(wrong)
    figure("permission matrix", f"{len(ROUTES)} routes, all declared; {asked} route × method × persona: 0 wrong")


def test_other_methods_open_no_other_door(app, school, visitors, full):
    """HEAD is answered like GET, and a method that an address doesn't have gets nobody anywhere. Where another route takes the
    address for that method, its last word for the reference of something, there is nothing of that reference."""
    taken, wrong = {}, []
    for _, methods, url in samples(app, school):
        taken.setdefault(url, set()).update(methods)
    for endpoint, methods, url in samples(app, school):
        for person in ("oli", "stu", "nobody") if full else ("oli",):
            if "GET" in methods:
                wanted, found = expected(route_of(endpoint, "GET"), person), ask(visitors[person], "HEAD", endpoint, url, school)
                if outcome(found) != wanted or found.body:
                    wrong.append(f"{person}: {found}, expected {wanted}")
            for method in {"GET", "PUT", "PATCH", "DELETE"} if full else {"DELETE"}:
                if method in taken[url]:
                    continue
                other, answer = taker(app, method, url), ask(visitors[person], method, endpoint, url, school)
                wanted = expected(route_of(other, method), person) if other and person == "nobody" else MISSING
                if outcome(answer) != wanted and (other or answer.status != 405):
                    wrong.append(f"{person}: {answer}, expected {wanted if other else '405'}")
    assert not wrong, "\n".join(wrong)


def taker(app, method, url):
    """The endpoint that the URL map leads to from this address with this method; None if there is none."""
    try:
        return app.url_map.bind("127.0.0.1").match(urlsplit(url).path, method)[0]
    except (MethodNotAllowed, NotFound):
        return None


def test_without_the_cases_module_its_pages_are_gone_for_everybody(app, school, visitors, full):
    School.update(cases_module=False).execute()
    wrong = []
    for endpoint, methods, url in samples(app, school):
        if not ROUTES[endpoint].module:
            continue
        for person in PERSONAS[1:] if full else ("ada", "ken", "oli"):
            for method in sorted(methods):
                found = outcome(ask(visitors[person], method, endpoint, url, school))
                if found != MISSING:
                    wrong.append(f"{person}: {method} {endpoint}: {found}")
    assert not wrong, "still there without the Cases module:\n" + "\n".join(wrong)


def test_before_two_step_is_set_up_there_is_nothing_else(app, school, visitors, full):
    """Whoever can read what others wrote sets up the second step first; until then every page leads there."""
    Account.update(two_step_at=None).where(Account.id.in_([school.cast.ada.id, school.cast.oli.id])).execute()
    there = {"account.two_step_setup", "account.sign_out", "account.two_step"}
    wrong = []
    for endpoint, methods, url in samples(app, school):
        if ROUTES[endpoint].nobody in (IN, MISSING) or endpoint in there | {"account.save_draft"}:
            continue
        for person in ("ada", "oli") if full else ("ada",):
            for method in sorted(methods):
                answer = ask(visitors[person], method, endpoint, url, school)
                if not (answer.status == 302 and answer.location == "/account/two-step/setup"):
                    wrong.append(f"{person}: {answer}")
    assert not wrong, "\n".join(wrong)


# --- Relations to an incident ----------------------------------------------------------------------------------------

def should(route, reason, role, sees):
    """What somebody gets who sees the incident or does not, by what the page asks of its reader."""
    if not sees:
        return MISSING
    is_key = role in ("key_user", "admin")
    if route is EXCLUDES:
        return IN if role == "admin" else MISSING
    if route is SETS or route is OPENS_FROM:
        return IN if is_key else FORBIDDEN
    if route is CHANGES or route is CONCERNED:
        return IN if is_key or reason == "wrote_it" else FORBIDDEN
    assert route is READS
    return IN


def check_relation(app, school, visitors, name, person, wanted_of, stage, only=None):
    """Asks every page of the record as the person of this relation; returns sentences about what is wrong. `wanted_of`:
    (the record, what a route of it should answer)."""
    on, should_be = wanted_of
    wrong = []
    for endpoint, methods, url in [each for each in samples(app, school) if ROUTES[each[0]].on == on]:
        for method in sorted(methods & {only} if only else methods):
            wanted = should_be(route_of(endpoint, method))
            found = outcome(ask(visitors[person], method, endpoint, url, school))
            if found != wanted:
                wrong.append(f"{name}, {stage}: {method} {endpoint} as {person}: {found}, expected {wanted}")
    return wrong


@pytest.mark.parametrize("name", RELATIONS)
def test_each_relation_to_an_incident(app, school, visitors, full, name):
    person, give, take = RELATIONS[name]
    account = getattr(school.cast, person)

    def incident(sees):
        role = Account.get_by_id(account.id).role
        return "incident", lambda route: should(route, name, role, sees)

    records = {"incident": school.secret}, {"student": school.student}
    wrong = check_stages(app, school, visitors, full, name, (person, give, take), incident, records)
    assert not wrong, "\n".join(wrong)


def check_stages(app, school, visitors, full, name, relation, record, closed_by):
    """The relation given, with an exclusion in every way there is, taken away. `record(sees)` is for check_relation()."""
    person, give, take = relation
    account = getattr(school.cast, person)
    sees = not name.startswith("none")
    give(school, account)
    wrong = check_relation(app, school, visitors, name, person, record(sees), "given")
    if sees:
        for how, only in zip(closed_by, ("GET", "POST"), strict=True):
            with undone():
                factories.exclusion(account, school.cast.ada, **how)
                stage = f"excluded from the {next(iter(how))}"
                wrong += check_relation(app, school, visitors, name, person, record(False), stage, None if full else only)
        take(school, account)
        wrong += check_relation(app, school, visitors, name, person, record(False), "taken away")
    return wrong


# --- Relations to a case -----------------------------------------------------------------------------------------------


def should_of_case(route, reason, role, sees, sees_incident):
    """The same for a case: what its pages answer to somebody with this reason."""
    manages = reason.startswith(MANAGING)
    if not sees:
        return MISSING
    if route is CASE_EXCLUDES:
        return IN if role == "admin" else MISSING
    if route is UNLINKS and not sees_incident:
        return MISSING
    if route in (MANAGES_CASE, UNLINKS, EDITS_ENTRY) and route is not ON_CASE:
        return IN if manages else FORBIDDEN
    if route is PUTS_ONTO_CASE:
        return IN if role == "admin" else FORBIDDEN  # the others see its task because of the case alone
    assert route is ON_CASE
    return IN


@pytest.mark.parametrize("name", CASE_RELATIONS)
def test_each_relation_to_a_case(app, school, visitors, full, name):
    account = getattr(school.cast, CASE_RELATIONS[name][0])

    def case(sees):
        role = Account.get_by_id(account.id).role
        return "case", lambda route: should_of_case(route, name, role, sees, sees_incident=role == "admin")

    records = {"case": school.case}, {"student": school.student}
    wrong = check_stages(app, school, visitors, full, name, CASE_RELATIONS[name], case, records)
    assert not wrong, "\n".join(wrong)


# --- Relations to a student --------------------------------------------------------------------------------------------


def test_everything_about_a_student_is_closed_to_whom_is_excluded(app, school, visitors):
    wrong = []
    for person in ("ada", "kay", "sam", "oli"):
        factories.exclusion(getattr(school.cast, person), school.lou, student=school.student)
        for endpoint, methods, url in samples(app, school):
            if ROUTES[endpoint].on not in ("student", "case"):
                continue
            for method in sorted(methods):
                route = route_of(endpoint, method)
                wanted = MISSING if person in route.may else expected(route, person)
                found = outcome(ask(visitors[person], method, endpoint, url, school))
                if found != wanted:
                    wrong.append(f"{person}: {method} {endpoint}: {found}, expected {wanted}")
    assert not wrong, "\n".join(wrong)


# --- Missing and forbidden are the same --------------------------------------------------------------------------------


def test_forbidden_is_answered_exactly_like_missing(app, school, visitors):
    """The 404 for what one may not see is, but for its one-time values, the 404 for what never was."""
    unknown = {school.case.ref: "C-ZZZZZZ", school.secret.ref: "I-ZZZZZZ", school.student.ref: "ZZZZZZZZZZ", school.report.ref: "ZZZZZZZZZZ",
               school.session.ref: "ZZZZZZZZZZ", school.import_run.ref: "ZZZZZZZZZZ"}  # fmt: skip
    different = []
    for endpoint, methods, url in samples(app, school):
        there = next((ref for ref in unknown if f"/{ref}" in url), None)
        if there is None:
            continue
        other = url.replace(there, unknown[there])
        for person in ("kay", "oli", "stu"):
            for method in sorted(methods):
                if expected(route_of(endpoint, method), person) != MISSING:
                    continue
                real = masked(ask(visitors[person], method, endpoint, url, school))
                made_up = masked(ask(visitors[person], method, endpoint, other, school))
                if real.replace(url.encode(), b"") != made_up.replace(other.encode(), b""):
                    different.append(f"{person}: {method} {endpoint}")
    assert not different, "these tell a hidden record from a missing one:\n" + "\n".join(different)


def test_a_page_asked_for_before_signing_in_is_only_remembered(app, school, visitors):
    for ref in (school.secret.ref, "I-ZZZZZZ"):
        answer = visitors["nobody"].get(f"/incidents/{ref}")
        assert outcome(answer) == SIGN_IN and answer.location == f"/account/sign-in?next=/incidents/{ref}"
