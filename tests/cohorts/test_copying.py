"""Copying a cohort for next year: milestones, files and reminders with shifted dates, no students."""

import io
import json
from datetime import date

import pytest

from blueprints.cohorts import actions, queries
from blueprints.cohorts.shifts import TooFar, by_days, from_first, year_later
from blueprints.incidents.queries import choices
from blueprints.kit import uploads
from models import Cohort, CohortGroup, CohortStudent, Event, Group, Milestone, StoredFile, StudentMilestone
from permissions import Denied
from tests.factories import cohort, group, student
from tests.web import text_of

OTHERS = ("oli", "kay", "mo", "rae", "stu")


@pytest.fixture
def autumn(app, cast):
    """Three milestones in an order of their own: dated with reminders and a file, a draft, and one that was removed."""
    cast.folder = app.settings.files
    old = group("Retired")
    Group.update(is_active=False).where(Group.id == old.id).execute()
    cast.cohort = cohort("First years", "Autumn", [student()], [cast.counselling, old], created_by=cast.ada)
    made = {"cohort": cast.cohort, "created_by": cast.ada}
    cast.first = Milestone.create(title="Meet your adviser", due_on=date(2024, 2, 29), reminders="1,7", position=2,
                                  description="Bring the form.", saved_at=cast.cohort.created_at, **made)  # fmt: skip
    cast.draft = Milestone.create(title="Job fair", due_on=date(2024, 5, 1), position=1, **made)
    Milestone.create(title="Gone", position=3, saved_at=cast.cohort.created_at, removed_at=cast.cohort.created_at, **made)
    StudentMilestone.create(milestone=cast.first, student=student(), state="completed", marked_by=cast.ada)
    for name, removed_at in (("form.txt", None), ("old.txt", cast.cohort.created_at)):
        stored = uploads.store(cast.folder, io.BytesIO(b"The form.\n"), name)
        StoredFile.create(milestone=cast.first, name=name, path_name=stored.path_name, size=stored.size, sha256=stored.sha256,
                          media_type=stored.media_type, uploaded_by=cast.ada, removed_at=removed_at)  # fmt: skip
    cast.url = f"/cohorts/{cast.cohort.ref}/copy"
    return cast


def copy(autumn, name="Next", shift=year_later, groups=True, actor=None):
    return actions.copy_cohort(autumn.cohort, name, autumn.cohort.category, shift=shift, groups=groups, folder=autumn.folder,
                               actor=actor or autumn.ada)  # fmt: skip


def milestones(row):
    return list(Milestone.select().where(Milestone.cohort == row.id).order_by(Milestone.position))


def test_everything_but_the_students_is_copied(autumn, clock):
    clock.freeze(autumn.cohort.created_at)
    clock.move(days=300)
    new = copy(autumn)
    draft, first = milestones(new)
    assert (first.title, first.description, first.reminders) == ("Meet your adviser", "Bring the form.", "1,7")
    assert (first.due_on, draft.due_on) == (date(2025, 2, 28), date(2025, 5, 1))
    # what was saved counts from now, so no reminder for a moment that has passed goes out; a draft stays one
    assert first.saved_at == first.scheduled_at == clock.now() and draft.saved_at is None and draft.scheduled_at is None
    assert first.ref != autumn.first.ref and first.created_by == autumn.ada
    assert [link.group.name for link in CohortGroup.select().where(CohortGroup.cohort == new.id)] == ["Counselling"]
    assert not CohortStudent.select().where(CohortStudent.cohort == new.id).exists()
    assert not StudentMilestone.select().where(StudentMilestone.milestone == first.id).exists()
    event = Event.get(Event.verb == "cohort.copied")
    told = {"copied_from": autumn.cohort.ref, "milestones": 2, "groups": 1}
    assert (event.target, json.loads(event.data)) == (new.ref, told)


def test_a_copied_file_lives_on_its_own(autumn):
    (file,) = StoredFile.select().where(StoredFile.milestone == milestones(copy(autumn))[1].id)
    old = StoredFile.get((StoredFile.milestone == autumn.first.id) & StoredFile.removed_at.is_null())
    assert file.name == "form.txt" and file.path_name != old.path_name and file.sha256 == old.sha256
    uploads.discard(autumn.folder, old.path_name)
    with uploads.open_stored(autumn.folder, file.path_name) as content:
        assert content.read() == b"The form.\n"


def test_what_can_not_be_saved_leaves_no_bytes_behind(autumn):
    before = sorted(path.name for path in autumn.folder.rglob("*") if path.is_file())
    with pytest.raises(actions.Refused, match="already"):
        copy(autumn, name="Autumn")
    with pytest.raises(actions.Refused, match="beyond the end of the calendar"):
        copy(autumn, shift=by_days(3_000_000))
    assert sorted(path.name for path in autumn.folder.rglob("*") if path.is_file()) == before
    assert Cohort.select().count() == 1 and Milestone.select().count() == 3


def test_how_dates_are_shifted():
    days = [date(2024, 2, 29), date(2024, 12, 31)]
    assert [year_later(day) for day in days] == [date(2025, 2, 28), date(2025, 12, 31)]
    assert [by_days(366)(day) for day in days] == [date(2025, 3, 1), date(2026, 1, 1)]
    assert by_days(-1)(days[0]) == date(2024, 2, 28)
    shift = from_first(days, date(2025, 9, 1))
    assert [shift(day) for day in days] == [date(2025, 9, 1), date(2026, 7, 4)]
    assert from_first([], date(2025, 9, 1))(days[0]) == days[0]
    for shift in (year_later, by_days(1)):
        with pytest.raises(TooFar):
            shift(date(9999, 12, 31))


@pytest.mark.parametrize(
    ("typed", "due"),
    [
        ({"dates": "year"}, date(2025, 2, 28)),
        ({"dates": "days", "days": "364"}, date(2025, 2, 27)),
        ({"dates": "days", "days": "-1"}, date(2024, 2, 28)),
        ({"dates": "first", "first": "2026-09-01"}, date(2026, 9, 1)),
        ({"dates": "keep"}, date(2024, 2, 29)),
    ],
)
def test_the_page_offers_each_way(client_for, post, autumn, typed, due):
    answer = post(client_for("ada"), autumn.url, {"name": "Next", "groups": None, **typed})
    new = Cohort.get(Cohort.name == "Next")
    assert answer.status_code == 303 and answer.location == f"/cohorts/{new.ref}/milestones"
    assert milestones(new)[1].due_on == due and new.category == autumn.cohort.category
    assert not CohortGroup.select().where(CohortGroup.cohort == new.id).exists()


def test_what_is_typed_wrong_is_kept_and_said(client_for, post, autumn):
    ada = client_for("ada")
    assert "Meet your adviser" in ada.get(autumn.url).text and "Gone" not in ada.get(autumn.url).text
    for typed, sentence in (
        ({"name": ""}, "Name: Give the cohort a name."),
        ({"name": "Autumn"}, "Name: First years has a cohort of this name already."),
        ({"name": "X", "dates": "days", "days": "many"}, "Number of days: Write a whole number of days"),
        ({"name": "X", "dates": "days", "days": "99999"}, "at most 3,660"),
        ({"name": "X", "dates": "first"}, "First due date: Say on which day the first one falls."),
        ({"name": "X", "dates": "first", "first": "31 Feb 2026"}, "First due date: 31 Feb"),
        ({"name": "X", "dates": "backwards"}, "Due dates: Choose how the due dates change."),
    ):
        refused = post(ada, autumn.url, typed)
        assert refused.status_code == 422 and sentence in text_of(refused), typed
        assert f'value="{typed["name"]}"' in refused.text
    assert Cohort.select().count() == 1


def test_without_room_for_the_files_it_says_so_and_copies_nothing(client_for, post, autumn, monkeypatch):
    monkeypatch.setattr(choices, "QUOTA", 0)
    refused = post(client_for("ada"), autumn.url, {"name": "Next"})
    assert refused.status_code == 422 and "there is room for" in text_of(refused) and 'value="Next"' in refused.text
    assert Cohort.select().count() == 1


def test_an_archived_cohort_can_be_copied(autumn):
    actions.archive_cohort(autumn.cohort, version=1, actor=autumn.ada)
    assert copy(autumn).archived_at is None


def test_for_the_rest_there_is_nothing_to_copy(client_for, post, autumn):
    for who in OTHERS:
        client = client_for(who)
        assert client.get(autumn.url).status_code == 404
        assert post(client, autumn.url, {"name": "X", "dates": "year"}, form_url="/").status_code == 404
        with pytest.raises(Denied):
            copy(autumn, actor=getattr(autumn, who))
    assert queries.cohort_choices(autumn.ada, but=autumn.cohort) == [] and Cohort.select().count() == 1
