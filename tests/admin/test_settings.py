"""Settings: each value checked, saved by version, recorded, and in force from the next request on."""

import pytest

import permissions
from blueprints.admin import actions
from models import Conflict, Event, School
from tests.web import forms, text_of

URL = "/admin/settings"


def test_nobody_else_changes_settings(cast):
    for person in (cast.oli, cast.kay, cast.mo, cast.rae, cast.stu):
        with pytest.raises(permissions.Denied):
            actions.change_settings(1, actor=person, name="Mine")
    assert School.get().name == "Kestrel Hill School"


def test_a_stale_version_changes_nothing(cast):
    actions.change_settings(1, actor=cast.ada, name="One")
    with pytest.raises(Conflict):
        actions.change_settings(1, actor=cast.ada, name="Two")
    assert School.get().name == "One"
    assert Event.select().where(Event.verb == "settings.changed").count() == 1


def test_saving_all_of_them(cast, client_for, post):
    ada = client_for("ada")
    page = ada.get(URL)
    assert "incident Status and Assigned to" in text_of(page) and ">Cases module</label>" in page.get_data(as_text=True)
    response = post(ada, URL, {
        "name": "Finch Valley", "timezone": "Pacific/Auckland", "student_word": "Young person", "cases_module": None,
        "session_idle_minutes": "45", "session_absolute_hours": "10", "alert_hour": "6"})  # fmt: skip
    assert response.status_code == 303
    school = School.get()
    assert (school.name, school.timezone, school.student_word) == ("Finch Valley", "Pacific/Auckland", "Young person")
    assert (school.cases_module, school.session_idle_minutes, school.session_absolute_hours) == (False, 45, 10)
    assert (school.alert_hour, school.version) == (6, 2)
    event = Event.get(Event.verb == "settings.changed")
    assert event.actor_id == cast.ada.id and '"alert_hour"' in event.data and "Finch" not in event.data
    assert "Young people" in text_of(ada.get(URL)) and "Update" in text_of(ada.get(URL))


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("name", " ", "Give the school's name."),
        ("timezone", "Europe/Atlantis", "is not known"),
        ("timezone", "../etc/passwd", "is not known"),
        ("student_word", "Inmate", "is not known"),
        ("session_idle_minutes", "4", "from 5 to 240"),
        ("session_idle_minutes", "241", "from 5 to 240"),
        ("session_idle_minutes", "ten", "Write a whole number."),
        ("session_absolute_hours", "0", "from 1 to 24"),
        ("session_absolute_hours", "25", "from 1 to 24"),
        ("session_absolute_hours", "", "Write a number of hours."),
        ("alert_hour", "24", "from 0 to 23"),
        ("alert_hour", "9" * 40, "Write a whole number."),
    ],
)
def test_bad_values(cast, client_for, post, field, value, sentence):
    page = post(client_for("ada"), URL, {field: value})
    assert page.status_code == 422 and sentence in text_of(page)
    assert School.get().version == 1


def test_two_editors_see_both_versions(cast, client_for, post):
    ada = client_for("ada")
    assert post(ada, URL, {"name": "One", "cases_module": None}).status_code == 303
    late = post(ada, URL, {"name": "Two", "cases_module": "y", "version": "1"})
    assert late.status_code == 409
    text = text_of(late)
    assert "Somebody else saved this while you were editing." in text and "School name One Two" in text
    assert "Cases module off on" in text
    form = next(form for form in forms(late) if "alert_hour" in form.controls)
    assert ada.post(URL, data=form.values).status_code == 303
    assert School.get().name == "Two"


def test_who_may_not(cast, client_for, post):
    for who, status in (("oli", 403), ("kay", 403), ("mo", 403), ("rae", 404), ("stu", 404)):
        client = client_for(who)
        assert client.get(URL).status_code == status
        assert client.get("/admin").status_code == status
        assert post(client, URL, {"name": "Mine", "version": "1"}, form_url="/account").status_code == status
    assert School.get().name == "Kestrel Hill School"


def test_the_first_page_of_admin(cast, client_for):
    page = client_for("ada").get("/admin")
    text = text_of(page)
    for label in ("Users", "Groups", "Categories", "Bulk Management", "Settings", "Email", "Audit log", "Needs attention"):
        assert label in text
    assert "There is no backup" in text
