"""The body map: marks by click and from the list, notes, removing, and the pictures."""

import pytest

from blueprints.incidents import actions, queries
from models import BodyMark, IncidentAlert
from tests import factories
from tests.web import text_of


@pytest.fixture
def url(world):
    return f"/incidents/{world.incident.ref}/body-map"


def test_a_click_places_a_mark_without_script(world, client_for, post, url):
    client = client_for("sam")
    assert '<input type="image" name="front"' in client.get(url).get_data(as_text=True)
    answer = post(client, url, {"front.x": "52", "front.y": "130", "region": None, "note": None})
    assert answer.status_code == 303
    (mark,) = BodyMark.select()
    assert (mark.number, mark.view, mark.x, mark.y, mark.region) == (1, "front", 52, 130, "right-upper-arm")
    page = text_of(client.get(f"/incidents/{world.incident.ref}"))
    assert "Right upper arm" in page


def test_the_list_places_a_mark_without_a_pointer(world, client_for, post, url):
    client = client_for("sam")
    assert post(client, url, {"region": "left-knee", "note": "A graze"}).status_code == 303
    mark = BodyMark.get()
    assert (mark.view, mark.region, mark.note) == ("front", "left-knee", "A graze")
    assert "A graze" in text_of(client.get(url))


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"region": "tail"},
        {"front.x": "0", "front.y": "0"},
        {"front.x": "x", "front.y": "1"},
        {"front.x": "9" * 400, "front.y": "1"},
        {"side.x": "1", "side.y": "1"},
        {"region": "left-knee", "note": "x" * 501},
    ],
)
def test_what_is_no_place_is_refused(world, client_for, post, url, sent):
    assert post(client_for("sam"), url, sent).status_code == 422
    assert BodyMark.select().count() == 0


def test_a_click_beside_the_picture_is_moved_onto_it(world, client_for, post, url):
    post(client_for("sam"), url, {"back.x": "9999", "back.y": "441"})
    assert (BodyMark.get().x, BodyMark.get().y) == (200, 440)


def test_notes_change_and_removed_marks_keep_their_number(world, client_for, post, url, again):
    client = client_for("sam")
    first, second = (
        actions.add_mark(world.incident, view="front", x=100, y=y, actor=world.cast.sam) for y in (100, 300)
    )
    assert post(client, f"{url}/{first.ref}", {"note": "A bruise"}).status_code == 303
    assert again(first).note == "A bruise"
    actions.change_mark(world.incident, again(first), note="Theirs", actor=world.cast.kay, version=2)
    answer = post(client, f"{url}/{first.ref}", {"note": "Mine", "version": "2"})
    assert answer.status_code == 409 and "Theirs" in text_of(answer) and "Mine" in answer.get_data(as_text=True)
    assert post(client, f"{url}/{second.ref}/removal", form_url=url).status_code == 303
    assert again(second).removed_by == world.cast.sam
    assert client.get(f"{url}/{second.ref}").status_code == 404
    third = actions.add_mark(world.incident, view="back", x=1, y=1, actor=world.cast.sam)
    assert third.number == 3 and [mark.number for mark in queries.marks(world.cast.sam, world.incident)] == [1, 3]


def test_the_pictures_carry_numbers_and_no_word(world, client_for, url):
    actions.add_mark(world.incident, view="front", x=52.4, y=130, note="<script>Stu</script>", actor=world.cast.sam)
    picture = client_for("kay").get(f"{url}/front.svg")
    assert picture.mimetype == "image/svg+xml" and b">1</text>" in picture.data and b"Stu" not in picture.data
    assert picture.data.count(b"<svg") == picture.data.count(b"</svg>") == 1
    assert b">1</text>" not in client_for("kay").get(f"{url}/back.svg").data
    assert client_for("kay").get(f"{url}/side.svg").status_code == 404


def test_readers_mark_and_only_some_change(world, client_for, post, url):
    mark = actions.add_mark(world.incident, view="front", x=1, y=1, actor=world.cast.sam)
    for who in ("oli", "rae"):
        assert client_for(who).get(url).status_code == 404
        assert post(client_for(who), url, {"region": "left-knee"}, form_url="/").status_code == 404
        assert post(client_for(who), f"{url}/{mark.ref}/removal", form_url="/").status_code == 404
    IncidentAlert.create(incident=world.incident, account=world.cast.oli, alerted_by=world.cast.sam)
    oli = client_for("oli")
    assert post(oli, url, {"region": "left-knee"}).status_code == 303
    assert post(oli, f"{url}/{mark.ref}", {"note": "x"}).status_code == 403
    assert post(oli, f"{url}/{mark.ref}/removal", form_url=url).status_code == 403
    other = factories.incident(world.cast.oli, [world.cast.student])
    assert oli.get(f"/incidents/{other.ref}/body-map/{mark.ref}").status_code == 404
