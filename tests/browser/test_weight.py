"""Pages are light: a list of 50 rows under 60 kB of HTML, a first visit under 40 kB gzipped."""

import gzip

import pytest

from extensions import clock
from models import OutboxEmail, Student
from tests import factories

LISTS = ("/incidents", "/students", "/reports/incidents?status=Active", "/admin/users", "/admin/audit", "/admin/groups",
         "/admin/email?state=waiting", "/admin/categories", "/", "/incidents/new", "/tasks?list=all", "/meetings?when=all", "/plans?show=all",
         "/case-management/dashboard", "/students/{student}/timeline", "/forms", "/referrals", "/dictionary")  # fmt: skip


@pytest.fixture
def crowd(cast):
    """Enough of everything for a full page, with names of the length that people have."""
    categories = [factories.category(f"Category of concern {n}", guidance="Say who was there.") for n in range(12)]
    names = [f"Featherstonehaugh{n}" for n in range(60)]
    students = [factories.student("Bartholomew", name, year_group="10", tutor_group="10C") for name in names]
    for n in range(60):
        factories.account(f"Wilhelmina Featherstonehaugh {n}", role="key_user" if n % 4 == 0 else "staff")
        parts = [(students[n], [categories[n % 12]]), (students[n - 1], [categories[n % 7]])]
        row = factories.incident(cast.sam, parts, assigned_to=cast.ada if n % 2 else None, alerted=[cast.ada])
        factories.group(f"Group of tutors {n}")
        OutboxEmail.create(kind="incident_assigned", account=cast.kay, target=row.ref, target_id=row.id,
                           message_id=f"{n:032}", next_try_at=clock.now())  # fmt: skip
    _work(cast, students)
    return cast


def _work(cast, students):
    """More than a page of tasks, meetings, plans, cases, forms and referrals; the first student has had all of it happen."""
    fields = [{"key": "what", "type": "long_text", "label": "What have you noticed since the last half term?"}]
    for n, student in enumerate(students):
        about = student if n % 2 else students[0]
        factories.case(student, cast.ada, f"Support plan for the second half of the autumn term {n}")
        factories.task(student, cast.ada, cast.sam, f"Ring the family about the second meeting of the term {n}", due_on=factories.today())
        factories.task(about, cast.sam, cast.ada, f"Ask the form tutor how the week has been {n}")
        factories.meeting(cast.sam, [student, about] if about != student else [student], [cast.ada, cast.gil], place="Head of year's office")
        factories.plan(about, cast.sam, staff=[cast.ada], goal=f"Arrive on time on at least four days of every week, term {n}")
        form = factories.form(f"How the week went for somebody in year 10, {n}", cast.ada, fields, for_referral_users=True,
                              description="Something has been different for a while and you would like somebody to look.")  # fmt: skip
        factories.referral(form, cast.rae, "Bartholomew", student.last_name, about="Year 10", answers={"what": "Very quiet since May."})


def test_lists_are_light(crowd, client_for, figure):
    ada = client_for("ada")
    student = Student.select().order_by(Student.id).first()
    answers = {address: ada.get(address.format(student=student.ref)) for address in LISTS}
    assert {answer.status_code for answer in answers.values()} == {200}
    weights = {address: len(answer.data) for address, answer in answers.items()}
    heaviest = max(weights, key=weights.get)
    figure("the heaviest list", f"{weights[heaviest] / 1000:.1f} kB of HTML ({heaviest})")
    heavy = {address: weight for address, weight in weights.items() if weight > 60_000}
    assert not heavy, f"more than 60,000 bytes: {heavy}"


@pytest.mark.parametrize(("address", "most"), [("/", 40_000), ("/incidents/new", 45_000)])
def test_a_first_visit_is_light(site, crowd, page_for, figure, address, most):
    """The pickers of a form are half of all bytes: a page without any does not load them."""
    loaded = {}

    def note(answer):
        loaded[answer.url] = len(gzip.compress(answer.body(), 6))

    page = page_for("ada")
    page.on("response", note)
    page.goto(address)
    page.wait_for_load_state("networkidle")
    total = sum(loaded.values())
    figure(f"a first visit, {address}", f"{total / 1000:.1f} kB gzipped in {len(loaded)} requests")
    assert total <= most, loaded
