"""The tab Milestones: Custom Milestone, Save Milestone with everything on the page, files, order, removal, and bad input."""

from datetime import date, timedelta
from io import BytesIO

import pytest

import permissions
from blueprints.cohorts import actions
from extensions import clock
from models import Conflict, Event, Milestone, StoredFile
from tests import factories
from tests.web import forms, text_of

WHO_ELSE = ("kay", "gil", "mo", "sam", "oli", "rae", "stu")


@pytest.fixture
def cohort(cast):
    return factories.cohort("First years", "Autumn", [cast.student], [cast.counselling], created_by=cast.ada)


def url_of(cohort, milestone=None):
    return f"/cohorts/{cohort.ref}/milestones" + (f"/{milestone.ref}" if milestone else "")


def fresh(row):
    return type(row).get_by_id(row.id)


def custom_milestone(client, post, cohort):
    answer = post(client, url_of(cohort), {})
    assert answer.status_code == 303
    return Milestone.select().order_by(Milestone.id.desc()).get()


# --- From Custom Milestone to Save Milestone ----------------------------------------------------------------------------


def test_custom_milestone_puts_a_new_milestone_into_assigned_milestones(cohort, client_for, post):
    ada = client_for("ada")
    row = custom_milestone(ada, post, cohort)
    page = ada.get(url_of(cohort))
    assert row.saved_at is None and row.title == "New Milestone"
    assert "Assigned Milestones" in text_of(page) and f'href="{url_of(cohort, row)}">New Milestone</a>' in page.text
    assert Event.get(Event.verb == "milestone.added").target == row.ref


def test_save_milestone_takes_all_of_it(cohort, client_for, post):
    ada = client_for("ada")
    row = custom_milestone(ada, post, cohort)
    file = (BytesIO(b"Bring this form.\n"), "form.txt")
    typed = {"title": "Meet your advisor", "due_on": "14/11/2026", "description": "Room 4.\nBring a pen.",
             "reminders": ["7", "1"], "files": file}  # fmt: skip
    assert post(ada, url_of(cohort, row), typed).status_code == 303
    row = fresh(row)
    assert (row.title, row.due_on, row.reminders) == ("Meet your advisor", date(2026, 11, 14), "1,7")
    assert row.description == "Room 4.\nBring a pen." and row.saved_at and row.scheduled_at
    stored = StoredFile.get(StoredFile.milestone == row)
    assert ada.get(f"{url_of(cohort, row)}/files/{stored.ref}").data == b"Bring this form.\n"
    page = text_of(ada.get(url_of(cohort, row)))
    assert "form.txt" in page and "One day before" in page and "30 days before" in page


def test_the_labels_are_those_of_the_reference_page(cohort, client_for):
    row = factories.milestone(cohort)
    page = client_for("ada").get(url_of(cohort, row)).text
    for label in ("Title", "Due date", "Description", "Files", "Reminders"):
        assert f">{label}</label>" in page or f"<legend>{label}</legend>" in page, label
    for label in ("One day before", "Two days before", "One week before", "Two weeks before", "30 days before"):
        assert label in page
    assert ">Save Milestone</button>" in page


def test_only_a_changed_date_or_reminder_moves_the_schedule(app, cast, cohort):
    then = clock.now() - timedelta(days=3)
    row = factories.milestone(cohort, due_on=date(2027, 3, 1), reminders="7", scheduled_at=then, saved_at=then)
    same = {"due_on": row.due_on, "description": "", "reminders": [7]}
    row = actions.save_milestone(row, actor=cast.ada, version=1, title="Another title", **same)
    assert fresh(row).scheduled_at == then and fresh(row).saved_at == then
    actions.save_milestone(row, actor=cast.ada, version=2, title="Another title", **{**same, "reminders": [7, 1]})
    assert fresh(row).scheduled_at > then and fresh(row).saved_at == then


def test_a_date_in_the_past_is_saved_and_said(cohort, client_for, post):
    row, ada = factories.milestone(cohort), client_for("ada")
    answer = post(ada, url_of(cohort, row), {"due_on": "2020-02-29"}, follow=True)
    assert fresh(row).due_on == date(2020, 2, 29)
    assert "Its due date is in the past" in text_of(answer)


# --- Bad input ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"due_on": "31/02/2027"}, "31 February 2027 is not a date."),
        ({"title": "  "}, "Give the milestone a title."),
        ({"title": "x" * 201}, "It can be at most 200."),
        ({"description": "x" * 1_000_000}, "It can be at most 20,000."),
        ({"reminders": ["3"], "due_on": "2027-03-01"}, "can't be chosen"),
        ({"reminders": ["many"], "due_on": "2027-03-01"}, "can't be chosen"),
        ({"reminders": ["7"], "due_on": ""}, "Reminders count back from the due date"),
        ({"files": (BytesIO(b""), "empty.pdf")}, "empty.pdf is empty."),
        ({"files": (BytesIO(b"MZ\x90\0" + b"\0" * 100), "virus.pdf")}, "virus.pdf"),
    ],
)
def test_bad_input_is_refused_and_kept(cohort, client_for, post, typed, sentence):
    row, ada = factories.milestone(cohort, "Old title"), client_for("ada")
    answer = post(ada, url_of(cohort, row), {"description": "Kept as it was typed.", **typed})
    assert answer.status_code == 422
    assert sentence in text_of(answer).replace("’", "'").replace("&#39;", "'")
    assert 'aria-invalid="true"' in answer.text
    assert "description" in typed or "Kept as it was typed." in answer.text
    assert fresh(row).version == 1 and fresh(row).title == "Old title" and not StoredFile.select().exists()


def test_what_is_typed_is_shown_as_text(cohort, client_for, post):
    row, ada = factories.milestone(cohort), client_for("ada")
    post(ada, url_of(cohort, row), {"title": "<b>Fair</b>", "description": "<script>alert(1)</script>"})
    for page in (ada.get(url_of(cohort, row)).text, ada.get(url_of(cohort)).text):
        assert "<b>Fair" not in page and "<script>alert" not in page and "&lt;b&gt;Fair" in page


def test_nothing_is_kept_of_a_file_when_saving_fails(app, cast, cohort, client_for, post):
    row, ada = factories.milestone(cohort), client_for("ada")
    file = (BytesIO(b"Bring this form.\n"), "form.txt")
    assert post(ada, url_of(cohort, row), {"files": file, "version": "7"}).status_code == 409
    folder = app.settings.instance / "files"
    assert not StoredFile.select().exists() and not [path for path in folder.rglob("*") if path.is_file()]


# --- Somebody else was first --------------------------------------------------------------------------------------------


def test_a_conflict_shows_both_and_can_be_saved_over(cast, cohort, client_for, post):
    row, ada = factories.milestone(cohort, "Old title"), client_for("ada")
    actions.save_milestone(row, actor=cast.ada, version=1, title="Theirs", due_on=None, description="", reminders=[])
    typed = {"title": "Mine", "version": "1"}
    answer = post(ada, url_of(cohort, row), typed)
    assert answer.status_code == 409
    assert "Mine" in answer.text and "Theirs" in answer.text and fresh(row).title == "Theirs"
    again = next(form for form in forms(answer.text) if "title" in form.values)
    assert again.values["version"] == ["2"] or again.values["version"] == "2"


@pytest.mark.parametrize("version", ["", "x", "-1", "99999999999999999999"])
def test_a_forged_version_never_wins(cohort, client_for, post, version):
    row = factories.milestone(cohort, "Old title")
    assert post(client_for("ada"), url_of(cohort, row), {"title": "Mine", "version": version}).status_code in (409, 422)
    assert fresh(row).title == "Old title"


def test_the_same_form_sent_twice_adds_one(cohort, client_for):
    ada = client_for("ada")
    form = next(form for form in forms(ada.get(url_of(cohort)).text) if form.action == url_of(cohort))
    sent = {"csrf_token": form.values["csrf_token"], "once": form.values["once"]}
    for _ in range(2):
        assert ada.post(url_of(cohort), data=sent).status_code == 303
    assert Milestone.select().count() == 1


# --- Order, files, removal ----------------------------------------------------------------------------------------------


def titles(cohort):
    rows = Milestone.select().where(Milestone.cohort == cohort, Milestone.removed_at.is_null())
    return [row.title for row in rows.order_by(Milestone.position, Milestone.id)]


def test_order(cohort, client_for, post):
    ada = client_for("ada")
    rows = [factories.milestone(cohort, name, due_on=day) for name, day in
            (("A", None), ("B", date(2027, 2, 1)), ("C", date(2027, 1, 1)))]  # fmt: skip
    order = f"{url_of(cohort)}/order"
    move = {"form_url": url_of(cohort)}
    post(ada, order, {"how": "up", "milestone": rows[2].ref}, **move)
    assert titles(cohort) == ["A", "C", "B"]
    post(ada, order, {"how": "down", "milestone": rows[0].ref}, **move)
    assert titles(cohort) == ["C", "A", "B"]
    post(ada, order, {"how": "up", "milestone": rows[2].ref}, **move)  # it stands first already
    assert titles(cohort) == ["C", "A", "B"]
    post(ada, order, {"how": "date", "milestone": None}, **move)
    assert titles(cohort) == ["C", "B", "A"]
    elsewhere = factories.milestone(factories.cohort())
    for forged in ({"how": "up", "milestone": elsewhere.ref}, {"how": "sideways", "milestone": rows[0].ref}, {"how": "up"}):
        given = {"milestone": None, **forged}
        assert post(ada, order, given, **move).status_code == 404
    assert titles(cohort) == ["C", "B", "A"]


def test_a_removed_milestone_is_gone_everywhere(cohort, client_for, post):
    ada, row = client_for("ada"), factories.milestone(cohort, "Job fair")
    assert post(ada, f"{url_of(cohort, row)}/removal", {}, form_url=url_of(cohort, row)).status_code == 303
    assert fresh(row).removed_at and fresh(row).removed_by_id
    assert "Job fair" not in text_of(ada.get(url_of(cohort))).replace("“Job fair” was removed.", "")
    assert ada.get(url_of(cohort, row)).status_code == 404
    for path in ("", "/removal", "/template"):
        assert post(ada, url_of(cohort, row) + path, {}, form_url=url_of(cohort)).status_code == 404
    assert post(ada, f"{url_of(cohort)}/order", {"how": "up", "milestone": row.ref}, form_url=url_of(cohort)).status_code == 404


def test_files_are_taken_off_and_belong_to_one_milestone(cast, cohort, client_for, post):
    ada, row, other = client_for("ada"), factories.milestone(cohort), factories.milestone(cohort)
    post(ada, url_of(cohort, row), {"files": (BytesIO(b"A form.\n"), "form.txt")})
    file = StoredFile.get()
    assert ada.get(f"{url_of(cohort, other)}/files/{file.ref}").status_code == 404
    assert post(ada, f"{url_of(cohort, other)}/files/{file.ref}/removal", {}, form_url="/").status_code == 404
    read = Event.select().where(Event.verb == "milestone.file_read").count
    assert read() == 0 and ada.get(f"{url_of(cohort, row)}/files/{file.ref}").status_code == 200 and read() == 1
    where = url_of(cohort, row)
    assert post(ada, f"{where}/files/{file.ref}/removal", {}, form_url=where).status_code == 303
    assert fresh(file).removed_by == cast.ada
    assert ada.get(f"{where}/files/{file.ref}").status_code == 404


# --- Archived: read only -------------------------------------------------------------------------------------------------


def test_an_archived_cohort_is_read_only(cast, client_for, post):
    cohort, ada = factories.cohort(students=[cast.student], archived=True, created_by=cast.ada), client_for("ada")
    row = factories.milestone(cohort, "Job fair", description="Read me.")
    page = ada.get(url_of(cohort, row))
    assert "Read me." in text_of(page) and "Save Milestone" not in page.text
    assert "Custom Milestone" not in ada.get(url_of(cohort)).text
    assert post(ada, url_of(cohort), {}, form_url="/").status_code == 303
    for path, data in (("/removal", {}), ("/order", {"how": "up"})):
        address = url_of(cohort, row if path == "/removal" else None) + path
        post(ada, address, {**data, **({"milestone": row.ref} if path == "/order" else {})}, form_url="/")
    answer = post(ada, url_of(cohort, row), {"title": "Changed", "version": "1"}, form_url="/")
    assert answer.status_code == 422 and "This cohort is archived" in text_of(answer)
    assert Milestone.select().count() == 1 and fresh(row).title == "Job fair" and not fresh(row).removed_at


# --- Nobody else -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", WHO_ELSE)
def test_nobody_but_admins_finds_any_of_it(cast, cohort, client_for, post, who):
    row, client = factories.milestone(cohort), client_for(who)
    file = StoredFile.create(milestone=row, name="a.txt", path_name="00/" + "0" * 32, media_type="text/plain", size=1,
                             sha256="0" * 64, uploaded_by=cast.ada)  # fmt: skip
    home = url_of(cohort, row)
    missing = client.get("/cohorts/0000000000/milestones")
    assert missing.status_code == 404
    for address in (url_of(cohort), home, f"{home}/files/{file.ref}", f"{url_of(cohort)}/export.csv"):
        assert client.get(address).status_code == 404, address
    for address in (url_of(cohort), home, f"{url_of(cohort)}/order", f"{home}/removal", f"{home}/template",
                    f"{home}/files/{file.ref}/removal"):  # fmt: skip
        assert post(client, address, {"title": "x", "version": "1"}, form_url="/").status_code == 404, address
    assert Milestone.select().count() == 1 and not fresh(row).removed_at and not fresh(file).removed_at


@pytest.mark.parametrize("who", WHO_ELSE)
def test_the_actions_refuse_everybody_else(app, cast, cohort, who):
    row, actor = factories.milestone(cohort), getattr(cast, who)
    given = {"version": 1, "title": "x", "due_on": None, "description": "", "reminders": []}
    for work in (
        lambda: actions.add_milestone(cohort, actor=actor),
        lambda: actions.remove_milestone(row, actor=actor),
        lambda: actions.order_milestones(cohort, "date", actor=actor),
        lambda: actions.save_milestone(row, actor=actor, **given),
    ):
        with pytest.raises((permissions.Denied, permissions.NotVisible)):
            work()
    assert fresh(row).version == 1 and Milestone.select().count() == 1


def test_a_stale_version_is_a_conflict(app, cast, cohort):
    row = factories.milestone(cohort)
    given = {"title": "x", "due_on": None, "description": "", "reminders": []}
    actions.save_milestone(row, actor=cast.ada, version=1, **given)
    with pytest.raises(Conflict):
        actions.save_milestone(row, actor=cast.ada, version=1, **{**given, "title": "y"})


# --- Exports and cost ------------------------------------------------------------------------------------------------------


def test_export(cohort, client_for):
    factories.milestone(cohort, "=Job fair", due_on=date(2027, 1, 2), reminders="1,7")
    csv = client_for("ada").get(f"{url_of(cohort)}/export.csv").data.decode("utf-8-sig")
    assert "'=Job fair" in csv and "2027-01-02" in csv and "One day, one week" in csv
    assert Event.get(Event.verb == "cohort.exported").target == cohort.ref


def test_queries_do_not_grow_with_milestones(cohort, client_for, count_queries):
    ada = client_for("ada")
    row = factories.milestone(cohort)
    ada.get(url_of(cohort)), ada.get(url_of(cohort, row))
    with count_queries(most=10) as few:
        ada.get(url_of(cohort))
    with count_queries() as few_of_one:
        ada.get(url_of(cohort, row))
    for number in range(20):
        factories.milestone(cohort, f"Milestone {number}", reminders="7")
    with count_queries(most=10) as many:
        ada.get(url_of(cohort))
    with count_queries() as many_of_one:
        ada.get(url_of(cohort, row))
    assert len(many) == len(few) and len(many_of_one) == len(few_of_one) <= 12
