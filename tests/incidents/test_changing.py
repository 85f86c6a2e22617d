"""Text, details, students and categories: nothing is overwritten, nothing of a part one doesn't see is touched."""

import pytest

import permissions
from blueprints.incidents import actions, queries
from models import Conflict, Event, IncidentVersion, PartCategory, School
from tests import factories
from tests.web import forms, text_of


@pytest.fixture
def url(world):
    return f"/incidents/{world.incident.ref}"


def edit(world, text, who="sam", number=1):
    person = getattr(world.cast, who)
    return actions.edit_text(world.incident, text, "A slip.", actor=person, number=number)


def form_with(page, name):
    return next(form for form in forms(page) if form.method == "post" and name in form.controls)


# --- Text ------------------------------------------------------------------------------------------------------------


def test_an_edit_is_a_new_version(world, again):
    edit(world, "He fell.", who="kay")
    row = again(world.incident)
    assert (row.text, row.text_version) == ("He fell.", 2)
    versions = queries.version_texts(world.cast.sam, row)
    told = [(one.number, one.author, one.reason) for one in versions]
    assert told == [(2, "Kay Kestrel", "A slip."), (1, "Sam Swift", "")]
    assert versions[1].text == world.incident.text
    assert [one.ref for one in queries.filtered(world.cast.kay, text="fell")] == [row.ref]
    assert not queries.filtered(world.cast.kay, text="lockers").count()


@pytest.mark.parametrize("who", ["oli", "gil", "rae", "stu"])
def test_others_edit_nothing(world, who):
    with pytest.raises(permissions.NotVisible):
        edit(world, "Mine.", who=who)
    factories.IncidentAlert.create(incident=world.incident, account=world.cast.oli, alerted_by=world.cast.sam)
    if who == "oli":
        with pytest.raises(permissions.Denied):
            edit(world, "Mine.", who=who)


def test_two_writers_lose_nothing(world, again):
    edit(world, "Theirs.", who="kay")
    with pytest.raises(Conflict):
        edit(world, "Mine.", number=1)
    assert again(world.incident).text == "Theirs." and IncidentVersion.select().count() == 2


def test_other_changes_do_not_stand_in_the_way_of_an_edit(world, again):
    actions.set_status(world.incident, "Closed", actor=world.cast.kay, version=1)
    edit(world, "He fell.")
    assert (again(world.incident).text, again(world.incident).status) == ("He fell.", "Closed")


def test_sam_edits_with_a_reason(world, client_for, post, url):
    client = client_for("sam")
    assert ">Edit text</button>" in client.get(url).get_data(as_text=True)
    for missing in ({"reason": ""}, {"text": " "}, {"text": "x" * 100_001}):
        answer = post(client, f"{url}/text", {"text": "He fell.", "reason": "A slip."} | missing)
        assert answer.status_code == 422
    assert post(client, f"{url}/text", {"text": "He fell.", "reason": "A slip."}).status_code == 303
    page = client.get(f"{url}/versions")
    assert "A slip." in text_of(page) and "lockers" in text_of(page) and "He fell." in text_of(page)
    assert "<ins>" in page.get_data(as_text=True)
    assert "version 2" in text_of(client.get(url))
    for who in ("oli", "rae"):
        assert post(client_for(who), f"{url}/text", {"text": "x", "reason": "y"}, form_url="/").status_code == 404


def test_the_second_sees_both_texts_and_loses_nothing(world, client_for, url, again):
    client = client_for("sam")
    form = form_with(client.get(f"{url}/text"), "text")
    edit(world, "Theirs stands now.", who="kay")
    answer = client.post(f"{url}/text", data={**form.values, "text": "Mine, not saved.", "reason": "More."})
    assert answer.status_code == 409
    assert "Theirs stands now." in text_of(answer) and "Mine, not saved." in text_of(answer)
    form = form_with(answer, "text")
    assert form.values["text"] == ["Mine, not saved."] and form.values["reason"] == ["More."]
    assert again(world.incident).text == "Theirs stands now."
    assert client.post(f"{url}/text", data={**form.values, "text": "Both."}).status_code == 303
    versions = queries.version_texts(world.cast.sam, world.incident)
    assert [one.text for one in versions][:2] == ["Both.", "Theirs stands now."]


def test_the_reader_without_the_right_gets_403(world, client_for, url):
    factories.IncidentAlert.create(incident=world.incident, account=world.cast.oli, alerted_by=world.cast.sam)
    client = client_for("oli")
    assert "Edit text" not in client.get(url).get_data(as_text=True)
    for page in ("text", "details", "students", "alerts", "access-preview"):
        assert client.get(f"{url}/{page}").status_code == 403


def test_a_draft_of_the_text_comes_back_and_goes(world, client_for, post, url):
    client = client_for("sam")
    form = form_with(client.get(f"{url}/text"), "text")
    key = f"/drafts/incident-text:{world.incident.ref.lower()}"
    assert client.post(key, data={**form.values, "text": "Half a sente"}).status_code == 204
    edit(world, "Theirs.", who="kay")
    page = client.get(f"{url}/text")
    assert "Draft from" in text_of(page) and form_with(page, "text").values["text"] == ["Half a sente"]
    # The draft still knows which version it was made from, so it can't overwrite what came in between.
    assert post(client, f"{url}/text", {"reason": "More."}).status_code == 409
    assert "Half a sente" not in client_for("kay").get(f"{url}/text").get_data(as_text=True)
    assert post(client, f"{url}/text/draft-removal", form_url=f"{url}/text").status_code == 303
    assert form_with(client.get(f"{url}/text"), "text").values["text"] == ["Theirs."]
    assert client.post(key, data={**form.values, "text": "Again", "once": "another-key-1"}).status_code == 204
    assert post(client, f"{url}/text", {"text": "All of it.", "reason": "More.", "number": "2"}).status_code == 303
    assert "Draft from" not in text_of(client.get(f"{url}/text"))
    assert post(client_for("oli"), f"{url}/text/draft-removal", form_url="/").status_code == 404


# --- Details ---------------------------------------------------------------------------------------------------------


def test_when_and_where(world, client_for, post, url, again):
    client = client_for("sam")
    assert post(client, f"{url}/details", {"place": "Hall"}).status_code == 303
    row = again(world.incident)
    assert (row.place, row.happened_at) == ("Hall", world.incident.happened_at)
    for wrong in ({"happened_at": "2199-01-01T10:00"}, {"happened_at": ""}, {"place": "x" * 300}):
        assert post(client, f"{url}/details", wrong).status_code == 422
    form = form_with(client.get(f"{url}/details"), "place")
    actions.set_status(row, "Closed", actor=world.cast.kay, version=row.version)
    answer = client.post(f"{url}/details", data={**form.values, "place": "Yard"})
    assert answer.status_code == 409 and form_with(answer, "place").values["place"] == ["Yard"]
    assert again(row).place == "Hall"
    event = Event.get(Event.verb == "incident.details_changed")
    assert "Hall" not in event.data
    assert post(client_for("oli"), f"{url}/details", {"place": "x"}, form_url="/").status_code == 404


# --- Students and categories -----------------------------------------------------------------------------------------


def parts(incident):
    def picks(part):
        return sorted(pick.category.name for pick in part.categories)

    return {part.student.name: (part.role, picks(part)) for part in incident.parts}


def test_a_role_and_categories_change_and_a_student_is_added(world, client_for, post, url):
    bea, theft = factories.student("Bea", "Finch"), factories.category("Theft")
    ref = world.cast.student.ref
    sent = {f"role-{ref}": "witness", f"categories-{ref}": [theft.ref], "students_ref": bea.ref,
            "category": world.bullying.ref}  # fmt: skip
    assert post(client_for("sam"), f"{url}/students", sent).status_code == 303
    assert parts(world.incident) == {"Stu Sturgeon": ("witness", ["Theft"]), "Bea Finch": ("subject", ["Bullying"])}
    event = Event.get(Event.verb == "incident.students_changed")
    assert world.bullying.ref in event.data and "Stu" not in event.data


def test_bad_choices_are_refused(world, client_for, post, url):
    ref = world.cast.student.ref
    retired = factories.category("Old", is_retired=True)
    client = client_for("sam")
    for wrong in ({f"role-{ref}": "culprit"}, {f"categories-{ref}": []}, {f"categories-{ref}": ["ZZZZZZZZZZ"]},
                  {f"categories-{ref}": [retired.ref]}, {"students_ref": "ZZZZZZZZZZ"},
                  {"students_ref": factories.student().ref}):  # fmt: skip
        assert post(client, f"{url}/students", wrong).status_code == 422, wrong
    assert parts(world.incident) == {"Stu Sturgeon": ("subject", ["Bullying"])}


def test_the_second_sees_who_is_part_of_it_now(world, client_for, post, url):
    """Somebody added a student since the form was opened: what stands is said, what was chosen is kept, and neither is lost."""
    client, ref = client_for("sam"), world.cast.student.ref
    form = form_with(client.get(f"{url}/students"), f"role-{ref}")
    bea = factories.student("Bea", "Finch")
    added = {"students_ref": bea.ref, "category": world.bullying.ref, f"role-{ref}": "affected"}
    assert post(client_for("kay"), f"{url}/students", added).status_code == 303
    answer = client.post(f"{url}/students", data={**form.values, f"role-{ref}": "witness"})
    said = text_of(answer)
    assert answer.status_code == 409
    assert "As it stands now: Stu Sturgeon: Affected, Bullying Bea Finch: Subject, Bullying" in said
    assert form_with(answer, f"role-{ref}").values[f"role-{ref}"] == ["witness"]
    assert parts(world.incident) == {"Stu Sturgeon": ("affected", ["Bullying"]), "Bea Finch": ("subject", ["Bullying"])}


def test_a_retired_category_stays_where_it_is(world, client_for, post, url):
    world.bullying.is_retired = True
    world.bullying.save()
    ref = world.cast.student.ref
    assert post(client_for("sam"), f"{url}/students", {f"role-{ref}": "witness"}).status_code == 303
    assert parts(world.incident) == {"Stu Sturgeon": ("witness", ["Bullying"])}


def test_opening_a_need_to_know_incident_says_whom_it_lets_in(world, client_for, post):
    cast = world.cast
    secret = factories.incident(cast.sam, [(cast.student, [world.disclosure])])
    where, ref = f"/incidents/{secret.ref}/students", cast.student.ref
    client = client_for("sam")
    answer = post(client, where, {f"categories-{ref}": [world.bullying.ref]})
    assert answer.status_code == 422 and "Kay Kestrel" in text_of(answer) and "Ken Kittiwake" in text_of(answer)
    assert parts(secret) == {"Stu Sturgeon": ("subject", ["Disclosure"])}
    form = form_with(answer, f"role-{ref}")
    assert client.post(where, data={**form.values, "confirmed": form.choices["confirmed"]}).status_code == 303
    assert permissions.incident_reasons(cast.kay, secret) == ["key_user"]


def test_whoever_shuts_themselves_out_lands_on_the_list(world, client_for, post, url):
    ref, client = world.cast.student.ref, client_for("kay")
    answer = post(client, f"{url}/students", {f"categories-{ref}": [world.disclosure.ref]})
    form = form_with(answer, f"role-{ref}")
    assert answer.status_code == 422 and "Gil Gannet" in text_of(answer)  # the group comes to see it
    answer = client.post(f"{url}/students", data={**form.values, "confirmed": form.choices["confirmed"]})
    assert answer.status_code == 303 and answer.location == "/incidents"
    assert client_for("kay").get(url).status_code == 404


def test_a_part_one_does_not_see_stays_as_it_is(world, client_for, post):
    cast, bea = world.cast, factories.student("Bea", "Finch")
    row = factories.incident(cast.sam, [(cast.student, [world.disclosure]), (bea, [world.bullying])])
    where, client = f"/incidents/{row.ref}/students", client_for("kay")
    page = client.get(where)
    assert "Stu Sturgeon" not in text_of(page) and "Bea Finch" in text_of(page)
    forged = {f"role-{cast.student.ref}": "witness", f"categories-{cast.student.ref}": [world.bullying.ref]}
    assert post(client, where, forged | {f"role-{bea.ref}": "affected"}).status_code == 303
    assert parts(row) == {"Stu Sturgeon": ("subject", ["Disclosure"]), "Bea Finch": ("affected", ["Bullying"])}
    answer = post(client, where, {"students_ref": cast.student.ref, "category": world.bullying.ref})
    assert answer.status_code == 422 and PartCategory.select().where(
        PartCategory.category == world.disclosure).exists()  # fmt: skip


def test_the_word_of_the_school(world, client_for, url):
    School.update(student_word="Pupil").execute()
    page = text_of(client_for("sam").get("/incidents/new"))
    assert "Pupils" in page and "Students" not in page
    assert "Students" not in text_of(client_for("sam").get(f"{url}/students"))


def test_a_form_without_its_version_saves_nothing(cast, client_for, post):
    row = factories.incident(cast.kay, [cast.student], place="Hall")
    answer = post(client_for("kay"), f"/incidents/{row.ref}/details", {"place": "Gym", "version": None})
    assert answer.status_code in (409, 422)
    assert type(row).get_by_id(row.id).place == "Hall"
