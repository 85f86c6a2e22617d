"""Every route in the URL map × method × persona, and every relation to an incident and a student.

What is expected stands in routes.py, written by hand. Whatever a request changes is taken back at once, so that each
meets the same world.
"""

import pytest

from models import Account, CategoryGroup, GroupMember, IncidentAlert, School
from tests import factories
from tests.access.routes import (
    CHANGES,
    CONCERNED,
    EXCLUDES,
    FORBIDDEN,
    IN,
    MISSING,
    PERSONAS,
    READS,
    ROUTES,
    SETS,
    SIGN_IN,
    expected,
    outcome,
    route_of,
    samples,
)
from tests.access.visitor import masked, undone


def bodies(school):
    """What a form has to carry so that its view comes to the question who may do this."""
    return {
        "account.save_draft": {"text": "typed"},
        "incidents.mark": {"note": "Changed", "version": "1"},
        "account.sign_in": {"email": "nobody@school.example.org", "password": "wrong"},
    }


def ask(visitor, method, endpoint, url, school):
    with undone():
        if method == "POST":
            return visitor.post(url, bodies(school).get(endpoint))
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
    """HEAD is answered like GET, and a method that an address doesn't have gets nobody anywhere."""
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
                answer = ask(visitors[person], method, endpoint, url, school) if method not in taken[url] else None
                if answer and answer.status not in (404, 405):
                    wrong.append(f"{person}: {answer}, expected 405")
    assert not wrong, "\n".join(wrong)


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

# Each gives one member of the cast exactly one reason to see the secret incident, and can be taken away again.


def open_the_category(school, person):
    CategoryGroup.delete().execute()


def close_the_category(school, person):
    CategoryGroup.create(category=school.secret_category, group=school.cast.counselling)


def join_the_group(school, person):
    GroupMember.create(group=school.cast.counselling, account=person)


def leave_the_group(school, person):
    GroupMember.delete().where(GroupMember.account == person).execute()


def alert(school, person):
    IncidentAlert.create(incident=school.secret, account=person, alerted_by=school.cast.sam)


def alert_the_group(school, person):
    IncidentAlert.create(incident=school.secret, group=school.other_group, alerted_by=school.cast.sam)


def take_alerts_back(school, person):
    IncidentAlert.delete().execute()


def assign(school, person):
    update_secret(school, assigned_to=person)


def assign_to_nobody(school, person):
    update_secret(school, assigned_to=None)


def write(school, person):
    update_secret(school, author=person)


def written_by_another(school, person):
    update_secret(school, author=school.lou)


def update_secret(school, **fields):
    model = type(school.secret)
    model.update(**fields).where(model.id == school.secret.id).execute()


def become_admin(school, person):
    Account.update(role="admin").where(Account.id == person.id).execute()


def become_staff_again(school, person):
    Account.update(role="staff").where(Account.id == person.id).execute()


def nothing(school, person):
    pass


# reason: (member of the cast, gives it, takes it away)
RELATIONS = {
    "none": ("oli", nothing, nothing),
    "none, Key User outside the group": ("kay", nothing, nothing),
    "none, manages the group": ("mo", nothing, nothing),
    "key_user": ("kay", open_the_category, close_the_category),
    "category_group": ("oli", join_the_group, leave_the_group),
    "alerted": ("oli", alert, take_alerts_back),
    "alerted, as a member of a group": ("oli", alert_the_group, leave_the_group),
    "assigned": ("kay", assign, assign_to_nobody),
    "wrote_it": ("oli", write, written_by_another),
    "admin": ("oli", become_admin, become_staff_again),
}


def should(route, reason, role, sees):
    """What somebody gets who sees the incident or does not, by what the page asks of its reader."""
    if not sees:
        return MISSING
    is_key = role in ("key_user", "admin")
    if route is EXCLUDES:
        return IN if role == "admin" else MISSING
    if route is SETS:
        return IN if is_key else FORBIDDEN
    if route is CHANGES or route is CONCERNED:
        return IN if is_key or reason == "wrote_it" else FORBIDDEN
    assert route is READS
    return IN


def incident_routes(app, school):
    return [each for each in samples(app, school) if ROUTES[each[0]].on == "incident"]


def check_relation(app, school, visitors, name, stage, sees, only=None):
    """Asks every page of the incident as the person of this relation; returns sentences about what is wrong."""
    person = RELATIONS[name][0]
    role = Account.get_by_id(getattr(school.cast, person).id).role
    wrong = []
    for endpoint, methods, url in incident_routes(app, school):
        for method in sorted(methods & {only} if only else methods):
            wanted = should(route_of(endpoint, method), name, role, sees)
            found = outcome(ask(visitors[person], method, endpoint, url, school))
            if found != wanted:
                wrong.append(f"{name}, {stage}: {method} {endpoint} as {person}: {found}, expected {wanted}")
    return wrong


@pytest.mark.parametrize("name", RELATIONS)
def test_each_relation_to_an_incident(app, school, visitors, full, name):
    person, give, take = RELATIONS[name]
    account = getattr(school.cast, person)
    sees = not name.startswith("none")
    give(school, account)
    wrong = check_relation(app, school, visitors, name, "given", sees)
    if sees:
        for how, only in (({"incident": school.secret}, "GET"), ({"student": school.student}, "POST")):
            with undone():
                factories.exclusion(account, school.cast.ada, **how)
                stage = f"excluded from the {next(iter(how))}"
                wrong += check_relation(app, school, visitors, name, stage, False, None if full else only)
        take(school, account)
        wrong += check_relation(app, school, visitors, name, "taken away", False)
    assert not wrong, "\n".join(wrong)


# --- Relations to a student --------------------------------------------------------------------------------------------


def test_everything_about_a_student_is_closed_to_whom_is_excluded(app, school, visitors):
    wrong = []
    for person in ("ada", "kay", "sam", "oli"):
        factories.exclusion(getattr(school.cast, person), school.lou, student=school.student)
        for endpoint, methods, url in samples(app, school):
            if ROUTES[endpoint].on != "student":
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
    unknown = {school.secret.ref: "I-ZZZZZZ", school.student.ref: "ZZZZZZZZZZ", school.report.ref: "ZZZZZZZZZZ",
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
