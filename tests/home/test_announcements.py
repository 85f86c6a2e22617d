"""Announcements: written by Admin Key Holders, read by all staff until the end of a day in school time."""

from datetime import UTC, date, datetime, timedelta

import pytest

import permissions
from blueprints.home import actions, queries
from extensions import clock, db
from models import Announcement, Conflict, Event, School
from tests.web import filled_in, text_of

TODAY = date(2026, 11, 16)
GIVEN = {"title": "Inset day", "text": "No lessons on Friday.\nBring a cup.", "ends_on": "2026-11-20"}
STAFF = ("ada", "kay", "ken", "gil", "mo", "sam", "oli")


@pytest.fixture
def cast(cast, clock):
    clock.freeze(datetime(2026, 11, 16, 12, 0, tzinfo=UTC))
    return cast


def announce(cast, **fields):
    given = {"title": "Inset day", "text": "No lessons on Friday.", "ends_on": TODAY + timedelta(days=4)} | fields
    return actions.add_announcement(**given, actor=cast.ada)


def stored(row):
    return Announcement.get_by_id(row.id)


def test_added_on_the_page_and_read_by_all_staff(cast, client_for, post):
    ada = client_for("ada")
    assert 'href="/announcements"' in ada.get("/").text and "No announcements" in text_of(ada.get("/announcements"))
    assert post(ada, "/announcements/new", GIVEN).status_code == 303
    row = Announcement.get()
    assert (row.title, row.text, row.ends_on, row.author) == (GIVEN["title"], GIVEN["text"], date(2026, 11, 20), cast.ada)
    event = Event.get(Event.verb == "announcement.added")
    assert event.target == row.ref and "Inset" not in event.data
    for who in STAFF:
        page = client_for(who).get("/")
        words = text_of(page)
        assert "Inset day" in words and "No lessons on Friday. Bring a cup." in words and "Ada Adler" in words, who
        assert 'aria-labelledby="announcement-1"' in page.text
    for who in ("rae", "stu"):
        assert "Inset day" not in client_for(who).get("/").text
    assert "Shown" in text_of(ada.get("/announcements"))


def test_shown_to_the_end_of_its_last_day_in_school_time(cast, client_for):
    School.update(timezone="America/New_York").execute()
    announce(cast, ends_on=TODAY)
    oli = client_for("oli")
    for moment, is_shown in (((16, 23, 59), True), ((17, 4, 59), True), ((17, 5, 0), False)):  # 05:00 UTC is midnight there
        clock.freeze(datetime(2026, 11, *moment, tzinfo=UTC))
        assert ("Inset day" in client_for("oli").get("/").text) == is_shown, moment
    assert "Ended" in text_of(client_for("ada").get("/announcements"))
    assert oli.get("/announcements").status_code in (302, 403)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"title": " "}, "Give it a title."),
        ({"title": "x" * 121}, "at most 120"),
        ({"text": ""}, "Say what staff should know."),
        ({"ends_on": ""}, "Say on which day it is shown last."),
        ({"ends_on": "2026-11-15"}, "This day is over."),
        ({"ends_on": "2026-02-31"}, "is not a date"),
    ],
)
def test_refused_with_everything_typed_kept(cast, client_for, post, wrong, sentence):
    answer = post(client_for("ada"), "/announcements/new", GIVEN | wrong)
    assert answer.status_code == 422 and sentence in text_of(answer) and "error-summary" in answer.text
    kept = GIVEN | wrong
    assert kept["text"].splitlines()[0] in answer.text if kept["text"] else True
    assert Announcement.select().count() == 0


def test_the_last_day_is_todays_by_the_schools_clock(cast):
    School.update(timezone="Pacific/Auckland").execute()  # it is the 17th there
    with pytest.raises(actions.Refused):
        announce(cast, ends_on=TODAY)
    assert announce(cast, ends_on=TODAY + timedelta(days=1))


def test_changed_and_both_shown_after_a_race(cast, client_for, post):
    row = announce(cast)
    url, ada = f"/announcements/{row.ref}", client_for("ada")
    body = filled_in(ada.get(url), url, {"title": "Mine", "ends_on": "2026-11-30"})
    actions.change_announcement(row, 1, title="Theirs", text=row.text, ends_on=row.ends_on, actor=cast.ada)
    conflict = ada.post(url, data=body)
    words = text_of(conflict)
    assert conflict.status_code == 409 and "Theirs" in words and "Mine" in conflict.text and "30 November 2026" in words
    assert stored(row).title == "Theirs"
    final = ada.post(url, data=filled_in(conflict, url, {}))
    assert final.status_code == 303 and (stored(row).title, stored(row).version) == ("Mine", 3)
    assert [event.data for event in Event.select().where(Event.verb == "announcement.changed").order_by(Event.id)] == [
        '{"fields": ["title"]}', '{"fields": ["title", "ends_on"]}']  # fmt: skip


def test_an_announcement_that_ended_needs_a_new_day(cast, client_for, post):
    row = announce(cast)
    clock.freeze(datetime(2026, 11, 30, 12, 0, tzinfo=UTC))
    url, ada = f"/announcements/{row.ref}", client_for("ada")
    assert post(ada, url, {"title": "Again"}).status_code == 422
    assert post(ada, url, {"title": "Again", "ends_on": "2026-12-01"}).status_code == 303
    assert "Again" in client_for("oli").get("/").text


def test_removed(cast, client_for, post):
    row = announce(cast)
    url, ada = f"/announcements/{row.ref}", client_for("ada")
    late = filled_in(ada.get(url), url, {"title": "Too late"})
    assert post(ada, f"{url}/removal", form_url=url).status_code == 303
    assert "Inset day" not in client_for("oli").get("/").text and "Inset day" not in text_of(ada.get("/announcements")).replace(
        "Announcements", "")  # fmt: skip
    assert stored(row).removed_by == cast.ada
    assert ada.get(url).status_code == 404 and ada.post(url, data=late).status_code == 404
    actions.remove_announcement(row, actor=cast.ada)
    assert Event.select().where(Event.verb == "announcement.removed").count() == 1
    with pytest.raises(Conflict):
        actions.change_announcement(row, 1, title="x", text="y", ends_on=TODAY, actor=cast.ada)


def test_sent_twice_adds_once(cast, client_for):
    ada, url = client_for("ada"), "/announcements/new"
    body = filled_in(ada.get(url), url, GIVEN)
    first, second = ada.post(url, data=body), ada.post(url, data=body)
    assert first.location == second.location and Announcement.select().count() == 1


@pytest.mark.parametrize("who", ["kay", "mo", "gil", "sam", "oli", "rae", "stu"])
def test_others_write_none(cast, client_for, post, who):
    row, client = announce(cast), client_for(who)
    is_staff = who in STAFF
    for url in ("/announcements", "/announcements/new"):
        answer = client.get(url)
        assert answer.status_code == (403 if is_staff else 404)
        assert not is_staff or "Ada Adler" in answer.text
    for url in (f"/announcements/{row.ref}", f"/announcements/{row.ref}/removal"):
        assert post(client, url, GIVEN, form_url="/").status_code == 404
    assert post(client, "/announcements/new", GIVEN, form_url="/").status_code == (403 if is_staff else 404)
    assert 'href="/announcements' not in client.get("/").text
    assert stored(row).removed_at is None and Announcement.select().count() == 1
    actor = getattr(cast, who)
    for forbidden in (
        lambda: actions.add_announcement(title="x", text="x", ends_on=TODAY, actor=actor),
        lambda: actions.change_announcement(row, 1, title="x", text="x", ends_on=TODAY, actor=actor),
        lambda: actions.remove_announcement(row, actor=actor),
        lambda: queries.announcements(actor, None),
        lambda: queries.announcement(actor, row.ref),
    ):
        with pytest.raises(permissions.Denied):
            forbidden()


def test_one_that_is_missing_is_missing(cast, client_for):
    assert client_for("ada").get("/announcements/0000000000").status_code == 404


def test_what_is_typed_stays_text(cast, client_for):
    announce(cast, title="<b>Bold</b>", text="<script>alert(1)</script>")
    page = client_for("oli").get("/").text
    assert "&lt;b&gt;Bold" in page and "<script>alert" not in page


def test_queries_do_not_grow(cast, client_for, count_queries):
    with db.atomic():
        for number in range(60):
            announce(cast, title=f"News {number}")
    ada = client_for("ada")
    ada.get("/announcements")
    with count_queries(most=6):
        page = ada.get("/announcements")
    assert "60 announcements" in text_of(page) and page.text.count("News ") == 50
