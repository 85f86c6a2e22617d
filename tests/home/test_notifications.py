"""Notifications: who is told of what, what is listed and counted while the record is seen, and each person's choices."""

import re
from datetime import timedelta

import pytest

import events
import permissions
from blueprints.home import actions, queries
from blueprints.incidents import actions as incidents
from blueprints.kit import csvread
from blueprints.students import actions as students
from blueprints.students import import_rows, imports, telling
from extensions import clock, db
from models import (
    Account,
    CaseFollower,
    Event,
    GroupMember,
    Incident,
    Notification,
    NotificationChoice,
    OutboxEmail,
    Student,
    StudentContact,
)
from tests import factories
from tests.home.telling import tell
from tests.web import filled_in, text_of


@pytest.fixture
def world(app, cast):
    """A record of each kind that Gil sees, and a notification to him about each."""
    cast.ann = factories.student("Ann", "Finch")
    cast.incident = factories.incident(cast.sam, [cast.ann], alerted=[cast.counselling])
    cast.case = factories.case(cast.ann, opened_by=cast.kay, groups=[cast.counselling], following=[cast.gil])
    now = clock.now()
    for age, (kind, about) in enumerate((("incident_alerted", cast.incident), ("case_changed", cast.case), ("student_changed", cast.ann))):
        tell(cast.gil, kind, about, at=now - timedelta(hours=age), detail="file" if kind == "case_changed" else "")
    return cast


def bell(page):
    """What a screen reader says of the link in the header; None where there is none."""
    found = re.search(r'<a class="bell" href="/notifications" aria-label="([^"]*)"', page.get_data(as_text=True))
    return found and found[1]


def listed(client):
    """References of the notifications on the page."""
    return re.findall(r'href="/notifications/([0-9A-Z]{10})"', client.get("/notifications").text)


def told(kind=None):
    rows = Notification.select().order_by(Notification.id)
    return [(row.account.name.split()[0], row.kind, row.target, row.detail) for row in rows if kind in (None, row.kind)]


def mailed():
    return sorted((mail.kind, mail.account.name.split()[0]) for mail in OutboxEmail.select())


def choose(account, kind, choice):
    NotificationChoice.create(account=account, kind=kind, choice=choice)


# --- Who is told -----------------------------------------------------------------------------------------------------


def test_the_assignee_is_told_and_never_the_actor(world):
    incidents.assign(world.incident, world.ken, actor=world.kay, version=1)
    incidents.assign(Incident.get_by_id(world.incident.id), world.kay, actor=world.kay, version=2)
    assert told("incident_assigned") == [("Ken", "incident_assigned", world.incident.ref, "")]
    assert mailed() == [("incident_assigned", "Ken")]
    choose(world.ken, "incident_assigned", events.NEVER)  # a row that no page writes
    incidents.assign(Incident.get_by_id(world.incident.id), world.ken, actor=world.kay, version=3)
    assert mailed() == [("incident_assigned", "Ken")] * 2, "being assigned always emails"


@pytest.mark.parametrize(("choice", "emails"), [(events.AT_ONCE, 1), (events.DAILY, 0), (events.NEVER, 0)])
def test_an_alert_is_listed_in_any_case_and_emailed_as_chosen(world, choice, emails):
    choose(world.oli, "incident_alerted", choice)
    incidents.alert(world.incident, [world.oli], [], actor=world.sam)
    assert told("incident_alerted")[-1] == ("Oli", "incident_alerted", world.incident.ref, "")
    assert len(mailed()) == emails
    row = Notification.get(Notification.account == world.oli)
    assert (row.digest_on is not None) == (choice == events.DAILY)


@pytest.mark.parametrize("choice", [events.AT_ONCE, events.DAILY, events.NEVER])
def test_a_due_action_is_told_once_whatever_was_chosen(world, choice):
    today = factories.today()
    choose(world.kay, "action_due", choice)
    factories.action(world.incident, world.sam, person=world.kay, due_on=today)
    assert [incidents.queue_due_actions(today) for _ in range(3)] == [1, 0, 0]
    assert [incidents.queue_due_actions(today + timedelta(days=each)) for each in range(3)] == [0, 0, 0]
    assert told("action_due") == [("Kay", "action_due", world.incident.ref, today.isoformat())]
    assert len(mailed()) == (choice == events.AT_ONCE)
    Notification.delete().execute()  # the email stands for it as well: it went out before there were notifications
    assert incidents.queue_due_actions(today) == (choice != events.AT_ONCE)


def test_two_actions_of_one_incident_are_two_things(world):
    today = factories.today()
    choose(world.kay, "action_due", events.NEVER)
    for _ in range(2):
        factories.action(world.incident, world.sam, person=world.kay, due_on=today)
    assert [incidents.queue_due_actions(today) for _ in range(2)] == [2, 0]


def test_whoever_looks_after_a_student_is_told_what_kind_of_change(world):
    Notification.delete().execute()
    who = {"actor": world.kay}
    row = students.change_student(world.ann, {"tutor_group": "9X"}, version=1, **who)
    students.change_student(row, {"tutor_group": "9X"}, version=2, **who)  # nothing differs
    contact = students.add_contact(world.ann, {"name": "Secret Mother"}, **who)
    students.change_contact(contact, {"name": "Other Name"}, version=1, **who)
    students.remove_contact(contact, **who)
    students.remove_contact(StudentContact.get_by_id(contact.id), **who)  # done already
    students.leave(world.ann, **who)
    students.leave(world.ann, **who)
    students.take_back(world.ann, **who)
    assert [detail for _, _, _, detail in told()] == ["details", "contact", "contact", "contact", "left", "returned"]
    assert {(name, kind, target) for name, kind, target, _ in told()} == {("Gil", "student_changed", world.ann.ref)}
    assert mailed() == [("student_changed", "Gil")] * 6
    kept = [getattr(row, name) for row in Notification.select() for name in ("kind", "target", "detail")]
    assert not any(word in text for text in kept for word in ("9X", "Secret", "Other Name") if text != world.ann.ref)


def test_only_those_who_look_after_them_are_told(world):
    Notification.delete().execute()
    factories.case(world.ann, primary_advocate=world.mo, coordinator=world.sam, staff=[world.oli], opened_by=world.ken)
    away = factories.account("Away Person", is_active=False)
    factories.case(world.ann, primary_advocate=away, coordinator=world.rae, following=[world.ada])
    factories.case(world.ann, primary_advocate=world.ken, status="Closed")
    factories.exclusion(world.mo, world.ada, student=world.ann)
    students.leave(world.ann, actor=world.kay)
    assert sorted(name for name, *_ in told()) == ["Ada", "Gil", "Sam"]
    Notification.delete().execute()
    students.take_back(world.ann, actor=Account.get_by_id(world.ada.id))
    assert sorted(name for name, *_ in told()) == ["Gil", "Sam"], "not the one who did it"


def test_nobody_is_told_of_a_conflict_of_interest(world):
    Notification.delete().execute()
    row = students.exclude(world.oli, student=world.ann, reason="x", actor=world.ada)
    students.end_exclusion(row, actor=world.ada)
    assert told() == [] and mailed() == []


def test_a_change_that_is_refused_tells_nobody(world):
    Notification.delete().execute()
    taken = {"admission_number": world.student.admission_number}
    with pytest.raises(students.Taken):
        students.change_student(world.ann, taken, version=1, actor=world.kay)
    assert told() == [] and mailed() == []


def test_an_import_tells_of_each_student_and_emails_each_person_once(world):
    Notification.delete().execute()
    gone = factories.student("Gus", "Gone", is_active=False)
    left, nobodys = factories.student("Lia", "Left"), factories.student("Nia", "Nobody")
    for one in (gone, left):
        factories.case(one, coordinator=world.gil, primary_advocate=world.mo)
    text = "Admission number,Tutor group\n"
    text += "".join(f"{one.admission_number},9Z\n" for one in (world.ann, gone, nobodys, world.student))
    sheet = csvread.read(text.encode())
    mapping = import_rows.guess(sheet.header)
    for _ in range(2):
        with db.atomic():
            plan = imports.check(sheet, mapping, actor=world.ada, deactivate=True)
            imports.apply(plan, actor=world.ada, run_ref="run")
    refs = {one.ref: one.first_name for one in Student.select()}
    found = sorted((name, refs[target], detail) for name, _, target, detail in told())
    assert found == [("Gil", "Ann", "details"), ("Gil", "Gus", "returned"), ("Gil", "Lia", "left"),
                     ("Mo", "Gus", "returned"), ("Mo", "Lia", "left")]  # fmt: skip
    assert mailed() == [("student_changed", "Gil"), ("student_changed", "Mo")]


def test_an_import_asks_little(world, count_queries):
    plan = type("Plan", (), {"of": lambda self, outcome: []})()
    with db.atomic(), count_queries(most=0):
        telling.tell_of_import(plan, actor=world.ada)


# --- The list and the count ------------------------------------------------------------------------------------------


def test_the_list_is_newest_first_with_words_and_links(world, client_for):
    gil = client_for("gil")
    rows = [(row.words, row.about, row.url) for row in queries.listing(world.gil, None)]
    assert rows == [
        ("You were alerted to an incident", world.incident.ref, f"/incidents/{world.incident.ref}"),
        ("Something was added to a case you are on: a file", world.case.ref, f"/cases/{world.case.ref}"),
        ("The profile of a student you look after was changed", "Ann Finch", f"/students/{world.ann.ref}"),
    ]
    page = gil.get("/notifications")
    assert bell(page) == "Notifications, 3 unread" and len(listed(gil)) == 3
    words = text_of(page)
    assert words.count("New") == 3 and world.incident.ref in words and "Ann Finch" in words
    assert Event.select().where(Event.verb == "notification.listed").count() == 3


def test_a_due_action_says_its_day(world):
    tell(world.gil, "action_due", world.incident, detail="2026-11-16")
    (row,) = (row for row in queries.listing(world.gil, None) if "due" in row.words)
    assert row.words == "An action is due: 16 November 2026"
    assert row.url == f"/incidents/{world.incident.ref}#actions"


def test_every_kind_has_its_record_and_its_address():
    assert set(events.NOTIFICATIONS) == {kind for kinds in permissions.NOTIFIED_OF.values() for kind in kinds}


def test_opening_one_marks_it_and_leads_to_the_record(world, client_for):
    gil = client_for("gil")
    first, second, _ = listed(gil)
    answer = gil.get(f"/notifications/{first}")
    assert (answer.status_code, answer.location) == (302, f"/incidents/{world.incident.ref}")
    assert bell(gil.get("/")) == "Notifications, 2 unread"
    before = Notification.get(Notification.ref == first).read_at
    assert gil.get(f"/notifications/{first}").status_code == 302
    assert Notification.get(Notification.ref == first).read_at == before
    for who in ("oli", "ada", "rae", "stu"):
        assert client_for(who).get(f"/notifications/{second}").status_code == 404
    assert gil.get("/notifications/0000000000").status_code == 404
    with pytest.raises(permissions.NotVisible):
        actions.see(Notification.get(Notification.ref == second), actor=world.oli)
    assert Notification.select().where(Notification.read_at.is_null()).count() == 2


def gone(world, how):
    """Takes away what the notification was about; returns the words that must not be found any more."""
    if how == "incident":
        factories.exclusion(world.gil, world.ada, incident=world.incident)
        return world.incident.ref
    if how == "case":
        CaseFollower.delete().execute()
        GroupMember.delete().execute()
        return world.case.ref
    factories.exclusion(world.gil, world.ada, student=world.ann)
    return "Ann Finch"


@pytest.mark.parametrize("how", ["incident", "case", "student"])
def test_what_is_closed_to_its_reader_leaves_no_trace(world, client_for, how):
    gil = client_for("gil")
    refs = listed(gil)
    kept = {"incident": 2, "case": 1, "student": 0}[how]  # leaving the group closes the incident too
    word = gone(world, how)
    page = gil.get("/notifications")
    assert word not in page.text and len(listed(gil)) == kept == len(queries.unread(world.gil))
    assert bell(page) == f"Notifications, {kept or 'none'} unread"
    assert word not in gil.get("/").text
    assert sum(gil.get(f"/notifications/{ref}").status_code == 302 for ref in refs) == kept


def test_what_comes_back_is_listed_again(world):
    CaseFollower.delete().execute()
    member = GroupMember.get()
    member.delete_instance()
    assert len(queries.unread(world.gil)) == 1
    actions.see_all(queries.unread(world.gil)[0], actor=world.gil)
    GroupMember.create(group=world.counselling, account=world.gil)
    assert len(queries.unread(world.gil)) == 2, "what was not shown was not read"


def test_the_outsider_has_an_empty_list(world, client_for):
    page = client_for("oli").get("/notifications")
    assert bell(page) == "Notifications, none unread"
    assert "No notifications" in text_of(page) and world.case.ref not in page.text


@pytest.mark.parametrize("who", ["rae", "stu"])
def test_others_than_staff_have_no_notifications(world, client_for, post, who):
    tell(getattr(world, who), "incident_alerted", world.incident)
    client = client_for(who)
    for url in ("/notifications", "/notifications/choices", f"/notifications/{Notification.select().order_by(-Notification.id).get().ref}"):
        assert client.get(url).status_code == 404
    assert post(client, "/notifications/reading", {"newest": "0000000000"}, form_url="/").status_code == 404
    assert post(client, "/notifications/choices", {"action_due": "never"}, form_url="/").status_code == 404
    assert bell(client.get("/")) is None and queries.unread(getattr(world, who)) == []


def test_whoever_loses_their_role_loses_the_list(world):
    Account.update(role="student").where(Account.id == world.gil.id).execute()
    gil = Account.get_by_id(world.gil.id)
    assert queries.unread(gil) == [] and len(queries.listing(gil, None)) == 0


# --- All read --------------------------------------------------------------------------------------------------------


def test_all_read_leaves_what_came_in_meanwhile(world, client_for):
    gil = client_for("gil")
    body = filled_in(gil.get("/notifications"), "/notifications/reading", {})
    late = tell(world.gil, "incident_alerted", world.incident, at=clock.now() + timedelta(seconds=1))
    tell(world.oli, "student_changed", world.ann)
    first, second = (gil.post("/notifications/reading", data=body) for _ in range(2))
    assert first.status_code == second.status_code == 303
    assert queries.unread(world.gil) == [late.ref] and len(queries.unread(world.oli)) == 1
    assert "3 notifications marked as read" in text_of(gil.get("/notifications"))


def test_all_read_of_somebody_else_does_nothing(world, client_for, post):
    newest = queries.unread(world.gil)[0]
    for who in ("oli", "ada"):
        assert post(client_for(who), "/notifications/reading", {"newest": newest}, form_url="/").status_code == 404
    assert post(client_for("gil"), "/notifications/reading", {"newest": ""}, form_url="/").status_code == 404
    assert len(queries.unread(world.gil)) == 3


def test_the_count_stops_at_ninety_nine(world, client_for):
    with db.atomic():
        for _ in range(120):
            tell(world.gil, "incident_alerted", world.incident)
    gil = client_for("gil")
    page = gil.get("/notifications")
    assert bell(page) == "Notifications, 99+ unread" and "123 notifications" in text_of(page)
    assert "1–50" in text_of(page) and len(listed(gil)) == 50
    assert len(re.findall(r'href="/notifications/[0-9A-Z]{10}"', gil.get("/notifications?page=3").text)) == 23
    assert len(page.data) < 60_000


def test_queries_do_not_grow(world, client_for, count_queries):
    gil = client_for("gil")

    def ask():
        gil.get("/notifications?page=1")
        with count_queries(most=7) as queries_made:
            gil.get("/notifications?page=1")
        return len(queries_made)

    ask()
    with db.atomic():
        for _ in range(150):
            tell(world.gil, "case_changed", world.case)
    assert ask() <= 7


def test_the_header_asks_only_about_kinds_that_there_are(world, client_for, count_queries):
    def asked(who, page):
        client = client_for(who)
        client.get(page)
        with count_queries() as made:
            client.get(page)
        return [each for each in made.statements if '"notification"' in each and '"session"' not in each]

    tell(world.gil, "case_changed", world.case)
    for page in ("/students", "/"):
        (statement,) = asked("gil", page)
        assert '"student_case"' in statement and '"meeting"' not in statement
    assert not asked("mo", "/students")


# --- Choices ---------------------------------------------------------------------------------------------------------


def test_choices_are_saved_for_what_can_be_chosen(world, client_for, post):
    gil, url = client_for("gil"), "/notifications/choices"
    words = text_of(gil.get(url))
    for kind, (sentence, _, _) in events.NOTIFICATIONS.items():
        assert sentence in words, kind
    assert words.index("Always emailed at once") < words.index("An incident was assigned to you")
    answer = post(gil, url, {"student_changed": "daily", "incident_alerted": "never", "incident_assigned": "never"})
    assert answer.status_code == 303
    saved = {row.kind: row.choice for row in NotificationChoice.select()}
    assert saved == {"student_changed": "daily", "incident_alerted": "never"}
    event = Event.get(Event.verb == "notification.choices_saved")
    assert '["incident_alerted", "student_changed"]' in event.data
    assert post(gil, url, {"incident_alerted": "at_once"}).status_code == 303
    assert {row.kind: row.choice for row in NotificationChoice.select()} == saved | {"incident_alerted": "at_once"}
    kinds = {each.kind: each.choice for each in queries.choices(world.gil)}
    assert kinds["student_changed"] == "daily" and kinds["case_changed"] == "daily" and kinds["action_due"] == "at_once"
    assert {each.choice for each in queries.choices(world.oli)} == {"at_once", "daily"}


@pytest.mark.parametrize("value", ["hourly", ""])
def test_a_choice_that_is_none_is_refused(world, client_for, post, value):
    answer = post(client_for("gil"), "/notifications/choices", {"action_due": value})
    assert answer.status_code == 422 and "error-summary" in answer.text
    assert NotificationChoice.select().count() == 0


def test_the_action_takes_only_what_can_be_chosen(world):
    for wrong in ({"incident_assigned": "never"}, {"action_due": "hourly"}):
        with pytest.raises(ValueError, match="can't be chosen"):
            actions.save_choices(wrong, actor=world.gil)
    for who in (world.rae, world.stu):
        with pytest.raises(permissions.Denied):
            actions.save_choices({"action_due": "never"}, actor=who)


def test_never_takes_back_what_waits_for_the_digest(world):
    row = tell(world.gil, "case_changed", world.case, digest_on=factories.today())
    actions.save_choices({"case_changed": events.AT_ONCE}, actor=world.gil)
    assert Notification.get_by_id(row.id).digest_on
    actions.save_choices({"case_changed": events.NEVER}, actor=world.gil)
    assert Notification.get_by_id(row.id).digest_on is None


def test_one_email_for_several_people_needs_the_account_in_its_name(world):
    with db.atomic(), pytest.raises(ValueError, match="one person only"):
        events.notify("action_due", [world.gil, world.kay], actor=None, target=world.incident.ref, once="due:1")
