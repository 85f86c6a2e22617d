"""Milestone templates: saving a milestone as one, using it in another cohort, changing and removing it, its files."""

from io import BytesIO

import pytest

import permissions
from blueprints.cohorts import actions
from models import Event, Milestone, MilestoneTemplate, StoredFile
from tests import factories
from tests.web import text_of


@pytest.fixture
def cohort(cast):
    return factories.cohort("First years", "Autumn", created_by=cast.ada)


@pytest.fixture
def template(cast, cohort):
    row = factories.milestone(cohort, "Job fair", description="Bring a pen.", reminders="1,30")
    return actions.add_template(row, actor=cast.ada)


def fresh(row):
    return type(row).get_by_id(row.id)


def with_a_file(client, post, cohort):
    row = factories.milestone(cohort, "Job fair", description="Bring a pen.", reminders="")
    post(client, f"/cohorts/{cohort.ref}/milestones/{row.ref}", {"files": (BytesIO(b"A form.\n"), "form.txt")})
    return row


def test_a_milestone_is_used_again_with_its_files(cast, cohort, client_for, post):
    ada = client_for("ada")
    row = with_a_file(ada, post, cohort)
    home = f"/cohorts/{cohort.ref}/milestones/{row.ref}"
    assert post(ada, f"{home}/template", {}, form_url=home).status_code == 303
    template = MilestoneTemplate.get()
    assert (template.title, template.description) == ("Job fair", "Bring a pen.")
    other = factories.cohort(created_by=cast.ada)
    answer = post(ada, f"/cohorts/{other.ref}/milestones", {"template": template.ref})
    new = Milestone.get(Milestone.cohort == other)
    assert answer.location.endswith(f"/cohorts/{other.ref}/milestones/{new.ref}")
    assert (new.title, new.description, new.due_on, new.saved_at) == ("Job fair", "Bring a pen.", None, None)
    first, of_template, of_new = StoredFile.select().order_by(StoredFile.id)
    assert of_template.milestone_template == template and of_new.milestone == new
    assert len({first.path_name, of_template.path_name, of_new.path_name}) == 3
    assert len({first.sha256, of_template.sha256, of_new.sha256}) == 1
    for address in (f"/milestone-templates/{template.ref}/files/{of_template.ref}", f"{answer.location}/files/{of_new.ref}"):
        assert ada.get(address).data == b"A form.\n"


def test_a_copy_outlives_what_it_was_copied_from(app, cast, cohort, client_for, post):
    ada = client_for("ada")
    row = with_a_file(ada, post, cohort)
    folder, file = app.settings.instance / "files", StoredFile.get()
    with actions.copied(folder, [file]) as copies:
        template = actions.add_template(row, actor=cast.ada, files=[file], copies=copies)
    (folder / file.path_name).unlink()
    copy = StoredFile.get(StoredFile.milestone_template == template)
    assert ada.get(f"/milestone-templates/{template.ref}/files/{copy.ref}").data == b"A form.\n"
    with actions.copied(folder, [file]) as copies:
        assert copies == {}, "what is gone can't be copied, and does not stop the rest"


def test_copies_are_discarded_when_it_does_not_come_to_pass(app, cast, cohort, client_for, post):
    ada = client_for("ada")
    row = with_a_file(ada, post, cohort)
    folder, file = app.settings.instance / "files", StoredFile.get()
    with pytest.raises(permissions.Denied), actions.copied(folder, [file]) as copies:
        actions.add_template(row, actor=cast.gil, files=[file], copies=copies)
    assert [path.name for path in folder.rglob("*") if path.is_file()] == [file.path_name.rpartition("/")[2]]


def test_the_quota_holds_for_copies(app, cast, cohort, client_for, post, monkeypatch):
    ada = client_for("ada")
    row = with_a_file(ada, post, cohort)
    monkeypatch.setattr("blueprints.cohorts.actions.files.room_for_files", lambda: 3)
    home = f"/cohorts/{cohort.ref}/milestones/{row.ref}"
    answer = post(ada, f"{home}/template", {}, form_url=home, follow=True)
    assert "there is room for 3 bytes only" in text_of(answer) and not MilestoneTemplate.select().exists()


def test_changing_and_removing(template, cohort, client_for, post):
    ada, home = client_for("ada"), f"/milestone-templates/{template.ref}"
    assert "Job fair" in text_of(ada.get("/milestone-templates")) and "One day, 30 days" in text_of(ada.get("/milestone-templates"))
    typed = {"title": "Careers fair", "reminders": ["7"], "files": (BytesIO(b"A map.\n"), "map.txt")}
    assert post(ada, home, typed).status_code == 303
    assert (fresh(template).title, fresh(template).reminders) == ("Careers fair", "7")
    assert Milestone.get().title == "Job fair", "milestones made from it, or that it was made from, stay"
    file = StoredFile.get()
    assert post(ada, f"{home}/files/{file.ref}/removal", {}, form_url=home).status_code == 303
    assert ada.get(f"{home}/files/{file.ref}").status_code == 404
    assert post(ada, f"{home}/removal", {}, form_url=home).status_code == 303
    assert ada.get(home).status_code == 404
    assert post(ada, f"/cohorts/{cohort.ref}/milestones", {"template": template.ref}, form_url="/").status_code == 404
    assert post(ada, home, {"title": "x", "version": "2"}, form_url="/").status_code == 404
    verbs = [row.verb for row in Event.select(Event.verb).where(Event.target == template.ref).order_by(Event.id)]
    assert verbs == ["milestone.template_added", "milestone.template_changed", "milestone.file_added",
                     "milestone.file_removed", "milestone.template_removed"]  # fmt: skip


def test_a_conflict_shows_both(cast, template, client_for, post):
    actions.save_template(template, actor=cast.ada, version=1, title="Theirs", description="", reminders=[])
    answer = post(client_for("ada"), f"/milestone-templates/{template.ref}", {"title": "Mine", "version": "1"})
    assert answer.status_code == 409 and "Mine" in answer.text and "Theirs" in answer.text
    assert fresh(template).title == "Theirs"


@pytest.mark.parametrize(("typed", "sentence"), [({"title": ""}, "Give the milestone a title."),
                                                 ({"description": "x" * 1_000_000}, "It can be at most 20,000."),
                                                 ({"reminders": ["-1"]}, "chosen")])  # fmt: skip
def test_bad_input_is_refused(template, client_for, post, typed, sentence):
    answer = post(client_for("ada"), f"/milestone-templates/{template.ref}", typed)
    assert answer.status_code == 422 and sentence in text_of(answer) and fresh(template).version == 1


def test_export(template, client_for):
    csv = client_for("ada").get("/milestone-templates/export.csv").data.decode("utf-8-sig")
    assert 'Job fair,"One day, 30 days",0,Ada Adler' in csv


@pytest.mark.parametrize("who", ["kay", "gil", "mo", "sam", "oli", "rae", "stu"])
def test_nobody_but_admins_finds_any_of_it(cast, template, client_for, post, who):
    client, home = client_for(who), f"/milestone-templates/{template.ref}"
    for address in ("/milestone-templates", "/milestone-templates/export.csv", home, "/milestone-templates/0000000000"):
        assert client.get(address).status_code == 404
    for address in (home, f"{home}/removal"):
        assert post(client, address, {"title": "x", "version": "1"}, form_url="/").status_code == 404
    actor = getattr(cast, who)
    with pytest.raises(permissions.Denied):
        actions.remove_template(template, actor=actor)
    with pytest.raises(permissions.Denied):
        actions.save_template(template, actor=actor, version=1, title="x", description="", reminders=[])
    with pytest.raises(permissions.Denied):
        actions.add_template(Milestone.get(), actor=actor)
    assert fresh(template).title == "Job fair" and MilestoneTemplate.select().count() == 1
