"""Two worlds that differ only in what somebody may not see answer them with the same bytes (ruling 10).

The second world is made, asked and taken back, then the same is asked of the first. Time stands still and references
are drawn from the same dice, so that only the hidden record could make a difference.
"""

import io
import json
import random
from types import SimpleNamespace

import pytest

import models
from blueprints.kit import uploads
from models import (
    BodyMark,
    Draft,
    Event,
    GroupMember,
    IncidentStudent,
    OutboxEmail,
    PartCategory,
    SavedReport,
    Session,
    StoredFile,
    StudentContact,
)
from tests import factories
from tests.access.routes import ROUTES, samples
from tests.access.test_canary import addresses, crawl, forged
from tests.access.visitor import masked, undone
from tests.conftest import FULL


def incident(school, student, **options):
    """An incident with everything that hangs on one, as the application leaves it behind."""
    cast = school.cast
    options = {"alerted": [school.lou, school.other_group], "assigned_to": cast.ken, "place": "The shed"} | options
    row = factories.incident(cast.sam, [(student, [school.secret_category])], "Nobody else may know this.", **options)
    factories.action(row, cast.sam, "Ring home.", person=cast.kay, due_on=row.happened_at.date())
    BodyMark.create(incident=row, number=1, view="front", x=80, y=120, region="chest", author=cast.sam, note="A bruise")
    stored = uploads.store(school.settings.files, io.BytesIO(b"Notes.\n"), "notes.txt")
    StoredFile.create(incident=row, name="notes.txt", path_name=stored.path_name, size=stored.size,
                      media_type=stored.media_type, sha256=stored.sha256, uploaded_by=cast.sam)  # fmt: skip
    school.second = row
    return row


def told(school, row, student):
    """The audit rows and emails that an incident leaves."""
    data = json.dumps({"students": [student.ref], "status": "Active", "assigned_to": school.cast.ken.ref})
    Event.create(actor=school.cast.sam, verb="incident.added", target=row.ref, data=data)
    Event.create(actor=school.cast.ken, verb="incident.read", target=row.ref, reasons="assigned")
    Event.create(actor=school.cast.ken, verb="student.read", target=student.ref)
    OutboxEmail.create(kind="incident_assigned", account=school.cast.ken, target=row.ref, target_id=row.id,
                       message_id="d" * 32, sent_at=row.entered_at, is_waiting=False)  # fmt: skip


# --- What only the second world has ------------------------------------------------------------------------------------


def need_to_know(school, person):
    """An incident of a need-to-know category, about Stu."""
    told(school, incident(school, school.cast.student, alerted=[school.lou]), school.cast.student)


def one_they_are_excluded_from(school, person):
    row = incident(school, school.ann)
    factories.exclusion(person, school.ada2, incident=row)


def one_of_a_student_they_are_excluded_from(school, person):
    incident(school, school.student)


def a_student_they_are_excluded_from(school, person):
    """A student with a year and tutor group that nobody else has, and an incident."""
    row = factories.student("Ivy", "Ibis", year_group="13", tutor_group="13Z", email="ivy@pupils.example.org",
                            upn="Z999", ref="2WRLD22222")  # fmt: skip
    StudentContact.create(student=row, name="Ira Ibis")
    factories.exclusion(person, school.ada2, student=row)
    incident(school, row)
    school.second_student = row


def another_student_in_it(school, person):
    """A second student in an incident that this person reads because of the first."""
    part = IncidentStudent.create(incident=school.incident, student=school.student, role="affected")
    PartCategory.create(part=part, category=school.secret_category)


def what_belongs_to_somebody_else(school, person):
    ken = school.cast.ken
    SavedReport.create(owner=ken, name="Mine alone", query="text=x")
    Draft.create(account=ken, key="incident-7", body='{"fields": {"text": ["typed"]}}')
    Session.create(account=ken, token_hash="7" * 64, browser="Lynx", address="203.0.113.7")


# Whom each difference comes closest to (the bounded run), and who else is asked by `make torture`.
WORLDS = [
    (need_to_know, ["kay", "stu"], ["oli", "mo", "rae", "nobody"]),
    (one_they_are_excluded_from, ["ada"], ["kay", "ken", "sam"]),
    (one_of_a_student_they_are_excluded_from, ["kay"], ["ada", "sam"]),
    (a_student_they_are_excluded_from, ["ada"], ["kay", "oli"]),
    (another_student_in_it, ["kay"], []),
    (what_belongs_to_somebody_else, ["kay"], ["oli"]),
]
CASES = [(make, person) for make, closest, others in WORLDS for person in closest + (others if FULL else [])]
# The audit log tells an admin who did what: what it may say about a record closed to them has a test of its own.
AS_EVER = ("/static/", "/account", "/setup")
AUDIT = ("/admin/audit", "/admin/email", "/health")


def requests(app, school, visitor, full):
    """[(address, form or None)]: the URL map with the references of what is hidden, lists, searches, forged posts."""
    if full:
        gets = [answer.url for answer in crawl(visitor, addresses(app, school))]
    else:
        # a page that is closed to the role alone answers the same whatever there is: test_matrix.py sees to that
        closed = {url for endpoint, _, url in samples(app, school)
                  if not ROUTES[endpoint].on and visitor.name not in ROUTES[endpoint].may}  # fmt: skip
        gets = [url for url in addresses(app, school, every=False) if url not in closed and not url.startswith(AS_EVER)]
    gets += ["/", f"/search?q={school.secret.ref}", "/search?q=ib", "/students?q=ib&show=all", "/incidents?q=know"]
    gets += [f"/students/{school.ann.ref}/incidents", f"/incidents/{school.incident.ref}", "/reports/incidents?text=know"]
    gets += [f"/incidents/{school.incident.ref}/access", f"/incidents/{school.incident.ref}/versions"]
    hidden = [(school.secret.ref, "second"), (school.student.ref, "second_student")]
    for old, name in hidden:
        new = getattr(school, name, None)
        if new is not None:
            gets += [url.replace(old, new.ref) for _, methods, url in samples(app, school) if old in url and "GET" in methods]
            gets += [f"/search?q={new.ref}", f"/incidents/new?student={new.ref}", f"/reports/incidents?student_ref={new.ref}"]
    return [(url, None) for url in dict.fromkeys(gets)] + (forged(app, school) if full else forged(app, school)[-10:])


@pytest.fixture
def same_dice(monkeypatch):
    """References are drawn alike in both worlds; call it before each request."""

    def again():
        chance = random.Random(7)
        monkeypatch.setattr(models, "secrets", SimpleNamespace(choice=chance.choice))

    yield again


def ask(visitor, asked, same_dice):
    answers = {}
    for number, (url, form) in enumerate(asked):
        same_dice()
        with undone():
            answers[number, url] = masked(visitor.get(url) if form is None else visitor.post(url, form))
    return answers


def differences(app, school, visitor, person, make, same_dice, full, skip=()):
    with undone():
        make(school, person)
        asked = [each for each in requests(app, school, visitor, full) if not each[0].startswith(tuple(skip))]
        second = ask(visitor, asked, same_dice)
    first = ask(visitor, asked, same_dice)
    return [f"{url}: {where(first[key], second[key])}" for key in first if first[key] != second[key] for url in [key[1]]], len(first)


def where(one, other):
    """The first place at which two answers differ."""
    at = next((place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    return f"{one[max(0, at - 60) : at + 60]!r} … {other[max(0, at - 60) : at + 60]!r}"


@pytest.mark.parametrize(("make", "person"), CASES, ids=[f"{make.__name__}-{person}" for make, person in CASES])
def test_both_worlds_look_the_same(app, school, visitors, same_dice, full, figure, make, person):
    account = getattr(school.cast, person, None)
    if make is one_of_a_student_they_are_excluded_from:
        factories.exclusion(account, school.ada2, student=school.student)
    skip = AUDIT if person == "ada" else ("/health",)
    found, count = differences(app, school, visitors[person], account, make, same_dice, full, skip)
    assert not found, f"{person} can tell the worlds apart:\n" + "\n".join(found)
    figure(f"two worlds, {make.__name__.replace('_', ' ')}, {person}", f"{count} answers: 0 differing bytes")


def test_the_audit_log_tells_an_excluded_admin_nothing(app, school, visitors, same_dice, full):
    """Whoever reads, writes and is emailed about a record: to an admin who is excluded from it nothing of it happened."""
    factories.exclusion(school.cast.ada, school.ada2, student=school.student)

    def reported(school, person):
        told(school, incident(school, school.student), school.student)

    found, _ = differences(app, school, visitors["ada"], school.cast.ada, reported, same_dice, False, skip=("/admin/email", "/health"))
    assert not found, "Ada can tell the worlds apart:\n" + "\n".join(found)


def test_the_comparison_notices_a_difference(app, school, visitors, same_dice):
    """The positive control: to Ada, who sees the incident, and to Kay, once she may, the two worlds differ."""
    pages = ["/incidents", "/incidents/export.csv", "/reports/incidents?from=", "/reports/incidents.xlsx?from="]
    for person, make in (("ada", need_to_know), ("kay", one_of_a_student_they_are_excluded_from)):
        GroupMember.insert(group=school.cast.counselling, account=school.cast.kay).on_conflict_ignore().execute()
        asked = [(url, None) for url in pages]
        with undone():
            make(school, None)
            second = ask(visitors[person], asked, same_dice)
        first = ask(visitors[person], asked, same_dice)
        assert all(first[key] != second[key] for key in first), [key for key in first if first[key] == second[key]]
