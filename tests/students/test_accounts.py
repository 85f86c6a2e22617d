"""A student's account keeps in step with the student: leaving, coming back, another email or name; never onto somebody else's
address."""

import pytest

import permissions
from blueprints.account import actions as account_actions
from blueprints.account.actions import OPERATOR
from blueprints.kit import csvread
from blueprints.students import accounts, actions, import_rows, imports
from extensions import db
from models import Account, Event, OutboxEmail, PasswordLink, School, Session, Student
from tests import factories
from tests.students.sheets import sheet
from tests.web import text_of


@pytest.fixture
def ann(cast):
    return factories.student("Ann", "Finch", email="ann@pupils.example.org")


@pytest.fixture
def anns(ann):
    return factories.account("Ann Finch", "ann@pupils.example.org", role="student", password_hash="set")


def now(row):
    return type(row).get_by_id(row.id)


def values(student, **changed):
    names = ("first_name", "last_name", "preferred_name", "email", "date_of_birth", "year_group", "tutor_group",
             "admission_number", "upn", "address")  # fmt: skip
    return {name: getattr(student, name) for name in names} | changed


def change(student, actor, **changed):
    return actions.change_student(now(student), values(now(student), **changed), version=now(student).version, actor=actor)


def test_leaving_closes_and_coming_back_opens(cast, ann, anns, client_for):
    client = client_for(anns)
    assert client.get("/account").status_code == 200
    actions.leave(ann, actor=cast.kay)
    assert not now(anns).is_active and client.get("/account").status_code == 302, "on the next request"
    actions.take_back(now(ann), actor=cast.kay)
    assert now(anns).is_active and now(anns).password_hash == "set"
    assert client.get("/account").status_code == 302, "the old session stays ended"
    verbs = [event.verb for event in Event.select().where(Event.target == anns.ref).order_by(Event.id)]
    assert verbs[-2:] == ["account.deactivated", "account.reactivated"]


def test_what_an_admin_closed_does_not_come_back_by_itself(cast, ann, anns):
    account_actions.deactivate(anns, actor=cast.ada)
    actions.leave(ann, actor=cast.kay)
    actions.take_back(now(ann), actor=cast.kay)
    assert not now(anns).is_active
    account_actions.reactivate(now(anns), actor=cast.ada)
    assert now(anns).is_active


def test_another_email_takes_the_account_along(cast, ann, anns, client_for):
    client = client_for(anns)
    School.update(student_visibility_at=anns.created_at).execute()
    link = account_actions.invite(anns, actor=cast.ada)
    change(ann, cast.kay, email="Ann.Finch@pupils.example.org")
    account = now(anns)
    assert (account.email, account.email_folded) == ("Ann.Finch@pupils.example.org", "ann.finch@pupils.example.org")
    assert "ann.finch" in account.search_text and account.password_hash == "set"
    assert client.get("/account").status_code == 302 and not Session.select().where(
        (Session.account == anns) & Session.revoked_at.is_null()).exists()  # fmt: skip
    assert PasswordLink.get_by_id(link.id).used_at is not None, "a link to the old address is worth nothing"
    assert permissions.own_student(account, School.get()) == ann


def test_only_the_name_ends_no_session(cast, ann, anns, client_for):
    client = client_for(anns)
    change(ann, cast.kay, preferred_name="Annie")
    assert now(anns).name == "Annie Finch" and client.get("/account").status_code == 200


def test_never_onto_an_address_that_another_account_has(cast, ann, anns, client_for, post):
    kay, url = client_for("kay"), f"/students/{ann.ref}/edit"
    answer = post(kay, url, {"email": "GIL@school.example.org"})
    assert answer.status_code == 422 and 'id="email-error"' in answer.text
    assert "Somebody else signs in with this email." in text_of(answer) and "GIL@school" in answer.text
    assert now(ann).email == "ann@pupils.example.org" and now(anns).email == "ann@pupils.example.org"
    assert now(cast.gil).email == "gil@school.example.org"


def test_without_an_email_nobody_signs_in(cast, ann, anns):
    change(ann, cast.kay, email="")
    assert not now(anns).is_active
    # The address may go to somebody else, who must not get in with what Ann once chose.
    with pytest.raises(actions.Taken) as refused:
        change(factories.student("Bob", "Bunting"), cast.kay, email="ann@pupils.example.org")
    assert "The account of a student who left has this email." in refused.value.problems["email"]
    with pytest.raises(actions.Taken):
        actions.add_student(values(Student(first_name="Cy", last_name="Coot"), email="ann@pupils.example.org"), actor=cast.kay)
    account_actions.reactivate(now(anns), actor=cast.ada)
    change(ann, cast.kay, email="ann@pupils.example.org")
    assert now(ann).email == "ann@pupils.example.org" and now(anns).is_active


def test_an_address_that_nobody_can_sign_in_with(cast, ann, anns):
    with pytest.raises(actions.Taken):
        change(ann, cast.kay, email="änn@pupils.example.org")
    plain = factories.student("Bob", "Bunting")
    assert change(plain, cast.kay, email="böb@pupils.example.org").email == "böb@pupils.example.org"


def test_accounts_of_staff_are_left_alone(cast):
    """A student with the email of somebody on the staff: leaving is no business of that account."""
    student = factories.student("Gil", "Gannet", email="gil@school.example.org")
    actions.leave(student, actor=cast.kay)
    change(student, cast.kay, email="other@pupils.example.org", first_name="Gill")
    gil = now(cast.gil)
    assert gil.is_active and (gil.email, gil.name) == ("gil@school.example.org", "Gil Gannet")
    with pytest.raises(permissions.NotVisible):
        account_actions.keep_in_step(gil, name="x", actor=cast.kay)


def test_a_leaver_whose_email_changes_stays_out(cast, ann, anns):
    actions.leave(ann, actor=cast.kay)
    change(ann, cast.kay, email="later@pupils.example.org")
    assert now(anns).email == "later@pupils.example.org" and not now(anns).is_active
    actions.take_back(now(ann), actor=cast.kay)
    assert now(anns).is_active


def test_many_cost_few_queries(cast, count_queries):
    """What an import asks: one query for five hundred, however many have an account."""
    for number in range(30):
        factories.student(email=f"s{number}@pupils.example.org")
    changes = [(f"s{number}@pupils.example.org", {"is_active": False}) for number in range(30)]
    with count_queries(most=1):
        accounts.follow(changes, actor=None)
    with count_queries(most=1):
        assert accounts.problems([(old, f"new-{old}") for old, _ in changes]) == [None] * 30


def test_the_operator_may_and_staff_may_not(cast, anns):
    for person in (cast.gil, cast.oli, cast.rae, cast.stu):
        with pytest.raises(permissions.Denied):
            account_actions.keep_in_step(anns, name="x", actor=person)
    with db.atomic():
        account_actions.keep_in_step(anns, is_active=False, actor=OPERATOR)
    assert not Account.get_by_id(anns.id).is_active


# --- Imports -------------------------------------------------------------------------------------------------------------


def import_(*lines, actor=None, deactivate=False):
    read = csvread.read(sheet(*lines))
    plan = imports.check(read, import_rows.guess(read.header), actor=actor, deactivate=deactivate)
    with db.atomic():
        imports.apply(plan, actor=actor, run_ref="a test")
    return plan


@pytest.mark.parametrize("who", ["ada", None])
def test_an_import_takes_accounts_along(cast, ann, anns, who):
    """From the browser, and from the command line where nobody is the actor."""
    actor, number = getattr(cast, who) if who else None, ann.admission_number
    import_(f"Anna,Finch,,anna@pupils.example.org,,,,{number},", actor=actor)
    assert (now(anns).name, now(anns).email, now(anns).is_active) == ("Anna Finch", "anna@pupils.example.org", True)
    import_("Somebody,Else,,,,,,Z9,", actor=actor, deactivate=True)
    assert not now(ann).is_active and not now(anns).is_active
    import_(f"Anna,Finch,,,,,,{number},", actor=actor)
    assert now(ann).is_active and now(anns).is_active


def test_an_import_moves_no_account_onto_another(cast, ann, anns):
    factories.account("Bob Bunting", "bob@pupils.example.org", role="student")
    plan = import_(f"Ann,Finch,,bob@pupils.example.org,,,,{ann.admission_number},")
    (row,) = plan.of("refused")
    assert "Somebody else signs in with this email." in row.sentence
    assert now(ann).email == now(anns).email == "ann@pupils.example.org"


def test_nobody_writes_to_a_student_before_visibility_is_on(cast, ann, anns, client_for, post):
    with pytest.raises(account_actions.Refused, match="sent nothing before"):
        account_actions.invite(anns, actor=cast.ada)
    typed = {"name": "Bo Wren", "email": "bo@pupils.example.org", "role": "student"}
    answer = post(client_for("ada"), "/admin/users/new", typed)
    assert answer.status_code == 422 and "sent nothing before" in text_of(answer)
    assert not OutboxEmail.select().exists() and Account.get_or_none(Account.email == "bo@pupils.example.org") is None


def test_the_email_that_ties_is_changed_on_the_student_alone(cast, ann, anns):
    with pytest.raises(account_actions.Refused, match="Change it there") as refused:
        account_actions.change_account(anns, version=anns.version, email="else@pupils.example.org", actor=cast.ada)
    assert refused.value.field == "email" and now(anns).email == "ann@pupils.example.org"
    Student.update(email="", email_folded=None).execute()
    account_actions.change_account(anns, version=anns.version, email="else@pupils.example.org", actor=cast.ada)
    assert now(anns).email == "else@pupils.example.org"
