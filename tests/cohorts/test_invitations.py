"""Students are invited once each while visibility is on: who is, who is not, what the email says, and what a killed run leaves."""

from types import SimpleNamespace

import pytest

import tasks
from blueprints.account import actions as account_actions
from blueprints.account.queries import newest_link_url, password_link
from blueprints.cohorts import actions
from blueprints.cohorts.actions import invitations
from extensions import clock
from models import Account, Cohort, CohortStudent, Event, OutboxEmail, PasswordLink, School, Student
from tests import factories

INVITED = OutboxEmail.kind == "student_invitation"


@pytest.fixture
def world(app, cast):
    School.update(student_visibility_at=clock.now()).execute()
    ann = factories.student("Ann", "Finch", preferred_name="Annie", email="Ann@pupils.example.org")
    cohort = factories.cohort("First years", "Autumn", [ann, cast.student], [cast.counselling])
    Account.update(password_hash="set").where(Account.id == cast.stu.id).execute()
    return SimpleNamespace(app=app, cast=cast, ann=ann, cohort=cohort)


def of_ann():
    return Account.get(Account.email_folded == "ann@pupils.example.org")


def test_an_account_and_an_invitation(world):
    assert actions.invite_students() == 1
    account = of_ann()
    assert (account.name, account.email, account.role) == ("Annie Finch", "Ann@pupils.example.org", "student")
    assert account.is_active and account.password_hash is None
    email = OutboxEmail.get(INVITED)
    assert email.account_id == account.id and PasswordLink.get().id == email.target_id
    event = Event.get(Event.verb == "student.invited")
    assert event.target == world.ann.ref and account.ref in event.data and event.actor_id is None
    assert actions.invite_students() == 0 and OutboxEmail.select().count() == 1, "nobody twice"


def test_nobody_before_visibility_is_on(world):
    School.update(student_visibility_at=None).execute()
    assert actions.invite_students() == 0
    assert not OutboxEmail.select().exists() and Account.select().where(Account.role == "student").count() == 1


@pytest.mark.parametrize("why", ["left", "no email", "no cohort", "archived", "staff", "unfit", "invited by hand"])
def test_who_is_not_invited(world, why):
    ann, accounts = world.ann, Account.select().count()
    if why == "left":
        Student.update(is_active=False).where(Student.id == ann.id).execute()
    elif why == "no email":
        Student.update(email="", email_folded=None).where(Student.id == ann.id).execute()
    elif why == "no cohort":
        CohortStudent.delete().where(CohortStudent.student == ann).execute()
    elif why == "archived":
        Cohort.update(archived_at=clock.now()).execute()
    elif why == "unfit":
        Student.update(email="änn@pupils.example.org", email_folded="änn@pupils.example.org").where(Student.id == ann.id).execute()
    elif why == "staff":
        factories.account("Ann Finch", "ann@pupils.example.org", role="staff")
        accounts += 1
    else:
        account_actions.add_account(name="Ann", email=ann.email, role="student", actor=world.cast.ada)
        accounts += 1
    assert actions.invite_students() == 0
    assert Account.select().count() == accounts and not OutboxEmail.select().where(INVITED).exists()


def test_an_unfit_address_holds_up_nobody(world, monkeypatch):
    monkeypatch.setattr(invitations, "MOST", 1)
    first = factories.student("Aaa", email="ä@pupils.example.org")
    Student.update(id=0).where(Student.id == first.id).execute()
    CohortStudent.create(cohort=world.cohort, student=0, added_by=world.cast.ada)
    assert actions.invite_students(1) == 1 and of_ann()


def test_so_many_a_run(world):
    for number in range(5):
        row = factories.student(email=f"s{number}@pupils.example.org")
        CohortStudent.create(cohort=world.cohort, student=row, added_by=world.cast.ada)
    assert [actions.invite_students(most=4), actions.invite_students(most=4), actions.invite_students(most=4)] == [4, 2, 0]


def test_the_cost_of_a_run_with_nothing_to_do(world, count_queries):
    actions.invite_students()
    for _ in range(20):
        CohortStudent.create(cohort=world.cohort, student=factories.student(), added_by=world.cast.ada)
    with count_queries(most=2):
        actions.invite_students()


def test_killed_in_the_middle(world, monkeypatch):
    """Each student is a transaction: what was interrupted left nothing, and the next run does it."""
    record = invitations.events.record

    def killed(verb, **given):
        if verb == "student.invited":
            raise KeyboardInterrupt
        return record(verb, **given)

    with monkeypatch.context() as patched:
        patched.setattr(invitations.events, "record", killed)
        with pytest.raises(KeyboardInterrupt):
            actions.invite_students()
    assert not OutboxEmail.select().exists() and not Account.select().where(Account.email_folded.startswith("ann@")).exists()
    assert actions.invite_students() == 1 and OutboxEmail.select().where(INVITED).count() == 1


def test_two_runs_at_the_same_moment(world, monkeypatch):
    """The second has read who is to be invited before the first has written."""
    stale = list(invitations.students_to_invite())
    assert actions.invite_students() == 1
    monkeypatch.setattr(invitations, "students_to_invite", lambda: stale)
    assert actions.invite_students() == 0
    assert OutboxEmail.select().where(INVITED).count() == 1


def test_the_sweep_does_it_and_the_email_goes_out(world, smtp):
    with world.app.app_context():
        tasks.sweep()
    (message,) = smtp.wait_for(1)
    assert message.to == ["Ann@pupils.example.org"]
    assert "/account/password/" in message.text and "/account/password-link" in message.text, "and how to ask for a new one"
    for word in ("Ann", "Finch", "case", "incident", "safeguarding", "milestone"):
        assert word not in message.text and word not in message.subject
    token = message.text.partition("/account/password/")[2].split()[0]
    with world.app.app_context():
        assert password_link(token).account_id == of_ann().id


def test_an_invitation_that_comes_late_says_how_to_get_a_link(world, smtp, clock):
    clock.freeze(clock.now())
    actions.invite_students()
    clock.move(hours=3)
    with world.app.app_context():
        tasks.deliver()
    (message,) = smtp.wait_for(1)
    assert "/account/password-link" in message.text and "/account/password/" not in message.text
    assert OutboxEmail.get().sent_at is not None


@pytest.mark.parametrize("end", ["visibility", "left", "cohort"])
def test_checked_again_at_sending_and_made_good_later(world, smtp, end):
    actions.invite_students()
    if end == "visibility":
        School.update(student_visibility_at=None).execute()
    elif end == "left":
        Student.update(is_active=False).where(Student.id == world.ann.id).execute()
    else:
        Cohort.update(archived_at=clock.now()).execute()
    with world.app.app_context():
        assert tasks.deliver() == 0
    assert OutboxEmail.get().dropped_at is not None and not smtp.messages
    assert actions.invite_students() == 0
    School.update(student_visibility_at=clock.now()).execute()
    Student.update(is_active=True).where(Student.id == world.ann.id).execute()
    Cohort.update(archived_at=None).execute()
    assert actions.invite_students() == 1, "the invitation that was dropped is made good"
    with world.app.app_context():
        assert tasks.deliver() == 1
    assert actions.invite_students() == 0 and Account.select().where(Account.email_folded.startswith("ann@")).count() == 1


def test_the_invited_student_sets_a_password_and_sees_the_dashboard(world, client, post):
    actions.invite_students()
    with world.app.app_context():
        path = "/" + newest_link_url(of_ann()).partition("//")[2].partition("/")[2]
    assert post(client, path, {"password": "green paper lantern"}).status_code == 303
    answer = post(client, "/account/sign-in", {"email": "ann@pupils.example.org", "password": "green paper lantern"}, follow=True)
    assert "Your support network" in answer.text and "Gil Gannet" in answer.text


def test_an_invitation_by_hand_says_nothing_of_safeguarding_to_a_student(world, smtp):
    account_actions.add_account(name="Ann", email=world.ann.email, role="student", actor=world.cast.ada)
    account_actions.add_account(name="Zed", email="zed@school.example.org", role="staff", actor=world.cast.ada)
    with world.app.app_context():
        tasks.deliver()
    texts = {message.to[0]: message.text for message in smtp.wait_for(2)}
    assert "safeguarding" not in texts["Ann@pupils.example.org"] and "safeguarding" in texts["zed@school.example.org"]
