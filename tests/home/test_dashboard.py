"""The start page: each person's own sections, nothing of anybody else's, and what a bulk closing leaves to be said."""

import json
import re
from datetime import timedelta

import pytest

from extensions import clock, db
from models import Announcement, BulkClosing, BulkClosingNotice, Event, GroupMember, School
from tests import factories
from tests.home.telling import tell
from tests.web import text_of

SECTIONS = ("My Assigned", "Alerted to me", "My open actions", "Unassigned Active incidents")


def regions(page):
    """The sections of a page: heading -> HTML, named as a screen reader names them."""
    html = page.get_data(as_text=True)
    found = {}
    for label, body in re.findall(r'<section class="panel"[^>]*aria-labelledby="([^"]+)">(.*?)</section>', html, re.S):
        heading = re.search(rf'id="{label}">([^<]*)<', body)[1]
        found[heading] = body
    return found


@pytest.fixture
def world(app, cast):
    """One incident of each kind, told apart by their references."""
    bullying = factories.category("Bullying")
    secret = factories.category("Disclosure", need_to_know=[cast.counselling])
    ann, ben = factories.student("Ann", "Finch"), factories.student("Ben", "Egret")
    now = clock.now()
    cast.kays = factories.incident(
        cast.sam, [(ann, [bullying]), (ben, [])], assigned_to=cast.kay, entered_at=now - timedelta(days=3, hours=1)
    )
    cast.kens = factories.incident(cast.sam, [ben], assigned_to=cast.ken)
    cast.closed = factories.incident(cast.sam, [ann], assigned_to=cast.kay, status="Closed", alerted=[cast.gil])
    cast.nobodys = factories.incident(cast.sam, [ann])
    cast.secret = factories.incident(cast.sam, [(ben, [secret])], alerted=[cast.counselling])
    return cast


def test_key_user_sees_what_is_assigned_to_them(client_for, world):
    page = client_for("kay").get("/")
    found = regions(page)
    assert set(found) == {"My Assigned", "Alerted to me", "My open actions"}
    mine = found["My Assigned"]
    assert f'href="/incidents/{world.kays.ref}"' in mine
    words = text_of(mine)
    assert "Ann Finch" in words and "Ben Egret" in words and "Bullying" in words and "3 days" in words
    for other in (world.kens, world.closed, world.nobodys, world.secret):
        assert other.ref not in page.text
    assert 'href="/incidents/new"' in page.text


def test_closing_takes_off_and_reopening_puts_back(client_for, world):
    kay = client_for("kay")
    world.kays.change(world.kays.version, status="Closed")
    assert world.kays.ref not in regions(kay.get("/"))["My Assigned"]
    world.kays.change(world.kays.version, status="Active")
    assert world.kays.ref in regions(kay.get("/"))["My Assigned"]


def test_newest_entered_first(client_for, world):
    newer = factories.incident(world.sam, assigned_to=world.kay, entered_at=clock.now() - timedelta(minutes=1))
    oldest = factories.incident(
        world.sam, assigned_to=world.kay, entered_at=clock.now() - timedelta(days=9), happened_at=clock.now()
    )
    mine = regions(client_for("kay").get("/"))["My Assigned"]
    assert mine.index(newer.ref) < mine.index(world.kays.ref) < mine.index(oldest.ref)


def test_open_actions_are_counted(client_for, world):
    factories.action(world.kays, world.sam)
    factories.action(world.kays, world.sam, done_at=clock.now(), done_by=world.sam)
    row = re.search(rf"<tr>(?:(?!</tr>).)*{world.kays.ref}.*?</tr>", client_for("kay").get("/").text, re.S)[0]
    assert text_of(row).endswith(" 1")


def test_admin_also_sees_what_nobody_is_assigned(client_for, world):
    found = regions(client_for("ada").get("/"))
    assert set(found) == set(SECTIONS)
    unassigned = found["Unassigned Active incidents"]
    assert world.nobodys.ref in unassigned and world.secret.ref in unassigned
    assert world.kays.ref not in unassigned and world.closed.ref not in unassigned


def test_staff_see_what_they_were_alerted_to_with_its_state(client_for, world):
    page = client_for("gil").get("/")
    found = regions(page)
    assert set(found) == {"Alerted to me", "My open actions"}
    words = text_of(found["Alerted to me"])
    assert world.closed.ref in words and "Closed" in words
    assert world.secret.ref in words and "Active" in words and "Disclosure" in words
    GroupMember.delete().where(GroupMember.account == world.gil).execute()
    assert world.secret.ref not in client_for("gil").get("/").text


def test_my_open_actions_with_what_is_overdue(client_for, world):
    today = factories.today()
    for text, days in (("Ring the family", -2), ("Ask the tutor", 5)):
        factories.action(world.closed, world.sam, text, person=world.gil, due_on=today + timedelta(days=days))
    factories.action(world.nobodys, world.sam, "On a record Gil does not see", person=world.gil)
    words = text_of(regions(client_for("gil").get("/"))["My open actions"])
    assert words.index("Ring the family") < words.index("Ask the tutor")
    assert words.count("Overdue") == 1
    assert "does not see" not in words


def test_the_outsider_sees_no_incident(client_for, world):
    page = client_for("oli").get("/")
    assert page.status_code == 200
    assert not re.search(r"[IC]-[0-9A-Z]{6}", text_of(page))
    assert regions(page) == {} and "Welcome, Oli Ouzel" in text_of(page) and "Nothing waits for you" in text_of(page)
    assert page.text.count('href="/incidents/new"') == 1


@pytest.mark.parametrize("who", ["stu", "rae"])
def test_students_and_referral_users_are_welcomed_and_no_more(client_for, world, who):
    page = client_for(who).get("/")
    assert page.status_code == 200 and "Welcome" in page.text
    assert regions(page) == {} and "/incidents" not in page.text
    assert not Event.select().where(Event.verb == "incident.listed").exists()


def test_without_the_module(client_for, world):
    School.update(cases_module=False).execute()
    for who in ("kay", "ada"):
        page = client_for(who).get("/")
        assert regions(page) == {} and "Welcome" in page.text
        assert "My Assigned" not in page.text and "Unassigned" not in page.text
    assert "Closed" not in client_for("gil").get("/").text
    School.update(cases_module=True).execute()
    assert world.kays.ref in client_for("kay").get("/").text


# --- Students, cases, notifications ----------------------------------------------------------------------------------


def test_my_students_with_the_reason_and_the_case(client_for, world):
    ivy = factories.student("Ivy", "Ibis", year_group="8", tutor_group="8C")
    one = factories.case(ivy, opened_by=world.kay, primary_advocate=world.sam, title="Mornings")
    two = factories.case(ivy, opened_by=world.kay, coordinator=world.sam, following=[world.sam])
    factories.case(ivy, opened_by=world.kay, coordinator=world.sam, status="Closed")
    seen_only = factories.case(world.student, opened_by=world.kay, staff=[world.sam], groups=[world.counselling])
    hidden = factories.case(world.student, opened_by=world.kay, coordinator=world.ken)
    page = client_for("sam").get("/")
    mine = regions(page)["My students"]
    words = text_of(mine)
    assert f'href="/students/{ivy.ref}"' in mine and f'href="/cases/{one.ref}"' in mine and words.count("Ivy Ibis") == 1
    assert "8 8C" in words and "Mornings (Primary Advocate)" in words and "(Coordinator, Following Case)" in words
    assert seen_only.ref not in mine and "Sturgeon" not in mine and hidden.ref not in page.text
    one.change(1, primary_advocate=None)
    two.change(1, status="Closed")
    assert "My students" not in regions(client_for("sam").get("/"))


def test_my_students_go_with_a_conflict_of_interest(client_for, world):
    case = factories.case(world.student, opened_by=world.kay, primary_advocate=world.sam)
    factories.exclusion(world.sam, world.ada, student=world.student)
    page = client_for("sam").get("/")
    assert case.ref not in page.text and "Sturgeon" not in page.text and "My students" not in regions(page)


def test_my_cases_newest_activity_first(client_for, world):
    now = clock.now()
    cases = [
        factories.case(world.student, opened_by=world.kay, groups=[world.counselling], last_activity_at=now - timedelta(hours=hours))
        for hours in (5, 1, 3)
    ]
    hidden = factories.case(world.student, opened_by=world.kay)
    mine = regions(client_for("gil").get("/"))["My Cases"]
    assert re.findall(r'<td class="ref"><a href="/cases/([^"]*)"', mine) == [cases[place].ref for place in (1, 2, 0)]
    assert 'href="/cases/mine"' in mine and "Member of an attached group" in text_of(mine) and hidden.ref not in mine
    GroupMember.delete().execute()
    assert "My Cases" not in regions(client_for("gil").get("/"))
    assert "My Cases" not in regions(client_for("ada").get("/")), "seeing them all is not being on them"
    assert "My Cases" not in regions(client_for("kay").get("/")), "she has My Assigned, and a link"


def test_long_lists_of_cases_end_with_a_link(client_for, world):
    with db.atomic():
        for _ in range(35):
            factories.case(factories.student(), opened_by=world.kay, coordinator=world.sam)
    found = regions(client_for("sam").get("/"))
    assert text_of(found["My Cases"]).count("Coordinator") == 10 and "10+" in found["My Cases"]
    assert text_of(found["My students"]).count("(Coordinator)") in (10, 11) and 'href="/cases/mine"' in found["My students"]


def test_the_newest_unread_notifications(client_for, world):
    now = clock.now()
    rows = [tell(world.gil, "incident_alerted", world.closed, at=now - timedelta(hours=hours)) for hours in range(7)]
    tell(world.gil, "incident_alerted", world.kens)  # Gil does not see it
    tell(world.gil, "incident_alerted", world.closed, read_at=now)
    page = client_for("gil").get("/")
    mine = regions(page)["Notifications"]
    assert re.findall(r'href="/notifications/([^"]+)"', mine) == [row.ref for row in rows[:5]]
    assert 'href="/notifications"' in mine and "Notifications 7" in text_of(mine) and world.kens.ref not in page.text
    assert 'aria-label="Notifications, 7 unread"' in page.text


def test_announcements_stand_on_top(client_for, world):
    tell(world.gil, "incident_alerted", world.closed)
    today = factories.today()
    for days, fields in ((0, {"title": "Fire drill"}), (-2, {"title": "Over"}), (3, {"title": "Taken back", "removed_at": clock.now()})):
        Announcement.create(text="At ten.", author=world.ada, ends_on=today + timedelta(days=days), **fields)
    page = client_for("gil").get("/").text
    assert "Over" not in page and "Taken back" not in page
    assert page.index("Fire drill") < page.index("At ten.") < page.index('id="notifications"')


def test_the_record_of_the_visit_counts_cases_too(client_for, world):
    factories.case(world.student, opened_by=world.kay, coordinator=world.gil)
    client_for("gil").get("/")
    (event,) = Event.select().where(Event.verb == "incident.listed")
    assert json.loads(event.data) == {"count": 2, "list": "dashboard", "cases": 1, "students": 1}


def test_a_bulk_closing_is_told_once(client_for, world):
    closing = BulkClosing.create(
        closed_by=world.ada, from_day=factories.today(), to_day=factories.today(), count=20
    )
    BulkClosingNotice.create(bulk_closing=closing, account=world.kay, count=12)
    assert "closed by a bulk closing" not in client_for("ken").get("/").text
    words = text_of(client_for("kay").get("/"))
    assert "12 of your incidents were closed by a bulk closing on" in words and "by Ada Adler" in words
    assert "bulk closing" not in client_for("kay").get("/").text


def test_each_visit_is_on_record_once(client_for, world):
    client_for("kay").get("/")
    (event,) = Event.select().where(Event.verb == "incident.listed")
    assert event.actor_id == world.kay.id and json.loads(event.data) == {"count": 1, "list": "dashboard"}


@pytest.mark.parametrize("who", ["ada", "kay", "sam"])
def test_queries_are_few_and_the_same_for_many_rows(client_for, world, count_queries, who):
    def ask():
        client = client_for(who)
        client.get("/")
        with count_queries(most=10) as queries:
            client.get("/")
        return len(queries)

    def happen():
        factories.case(factories.student(), opened_by=world.oli, coordinator=getattr(world, who), groups=[world.counselling])
        tell(getattr(world, who), "student_changed", world.student)
        Announcement.create(title="News", text="New.", author=world.ada, ends_on=factories.today())

    factories.incident(world.oli, [world.student], alerted=[world.sam])
    happen()
    few = ask()
    with db.atomic():
        for _ in range(40):
            happen()
        for number in range(60):
            row = factories.incident(
                world.oli, [factories.student()], assigned_to=[world.kay, None][number % 2], alerted=[world.sam]
            )
            factories.action(row, world.oli, person=world.sam)
    assert ask() == few


def test_long_sections_end_with_a_link_to_the_whole_list(client_for, world):
    with db.atomic():
        for _ in range(50):
            factories.incident(world.sam, [world.student], assigned_to=world.kay)
    page = client_for("kay").get("/")
    mine = regions(page)["My Assigned"]
    assert len(re.findall(r'<td class="ref">', mine)) == 30 and "30+" in mine
    link = re.search(r'href="([^"]*list=assigned[^"]*)"', mine)[1].replace("&amp;", "&")
    assert world.kays.ref in client_for("kay").get(link + "&page=2").text  # the oldest of 51


def test_pages_stay_light(client_for, world):
    category = factories.category("Friendship difficulties")
    with db.atomic():
        for person in [world.ada] * 60 + [None] * 25:
            parts = [(factories.student("Maximiliano", "Fernandez de Cordoba"), [category])]
            factories.incident(world.sam, parts, assigned_to=person, alerted=[world.ada])
    assert len(client_for("ada").get("/").data) < 60_000
