"""Categories and cohorts: creating, naming, listing, archiving; who sees them, and what a conflict of interest hides in them."""

import io
import json

import pytest
from openpyxl import load_workbook

from blueprints.cohorts import actions, queries
from blueprints.cohorts.actions import cohorts as writing
from extensions import db
from models import Cohort, CohortCategory, CohortStudent, Conflict, Event, GroupMember
from permissions import Denied, NotVisible
from tests.factories import account, cohort, exclusion, student
from tests.web import forms, text_of

OTHERS = ("oli", "kay", "mo", "rae", "stu")


@pytest.fixture
def autumn(cast):
    """A cohort with three students that Counselling supports."""
    cast.ann = student("Ann", "Finch", email="ann@pupils.example.org", year_group="7")
    cast.bob = student("Bob", "Heron", email="bob@pupils.example.org", is_active=False)
    cast.cohort = cohort("First years", "Autumn", [cast.ann, cast.bob, cast.student], [cast.counselling], milestones=2)
    return cast


def csv(client, address):
    """The lines of an export."""
    with client.get(address) as answer:
        assert answer.status_code == 200
        return answer.data.decode("utf-8-sig")


def last_event(verb):
    row = Event.select().where(Event.verb == verb).order_by(Event.id.desc()).first()
    return (row.target, json.loads(row.data)) if row else None


# --- Creating --------------------------------------------------------------------------------------------------------


def test_a_category_then_a_cohort_as_the_ten_steps_say(client_for, post):
    ada = client_for("ada")
    assert "No cohorts yet" in text_of(ada.get("/cohorts"))
    answer = post(ada, "/cohorts/categories/new", {"name": "First-Year Students"})
    category = CohortCategory.get()
    assert answer.status_code == 303 and answer.location == f"/cohorts#category-{category.ref}"
    page = ada.get("/cohorts")
    assert "First-Year Students" in text_of(page) and "+Add Cohort" in text_of(page)
    assert f"/cohorts/new?category={category.ref}" in page.text
    answer = post(ada, "/cohorts/new", {"name": "Autumn 2026"}, form_url=f"/cohorts/new?category={category.ref}")
    row = Cohort.get()
    assert (row.name, row.category, row.archived_at) == ("Autumn 2026", category, None)
    assert answer.location == f"/cohorts/{row.ref}/add-students"
    assert last_event("cohort.category_added") == (category.ref, {})
    assert last_event("cohort.added") == (row.ref, {"category": category.ref})


def test_a_name_is_needed_and_is_there_once(client_for, post, cast):
    row = cohort("First years", "Autumn")
    ada = client_for("ada")
    refused = post(ada, "/cohorts/categories/new", {"name": "  "})
    assert refused.status_code == 422 and "Give the category a name." in text_of(refused)
    refused = post(ada, "/cohorts/categories/new", {"name": "FIRST YEARS"})
    assert refused.status_code == 422 and "There is a category of this name already." in text_of(refused)
    refused = post(ada, f"/cohorts/new?category={row.category.ref}", {"name": "autumn"})
    assert refused.status_code == 422 and "First years has a cohort of this name already." in text_of(refused)
    other = CohortCategory.create(name="Leavers", created_by=cast.ada)
    assert post(ada, f"/cohorts/new?category={other.ref}", {"name": "Autumn"}).status_code == 303
    refused = post(ada, "/cohorts/new", {"name": "X", "category": "ZZZZZZZZZZ"})
    assert refused.status_code == 422 and "This is not known." in text_of(refused)
    assert Cohort.select().count() == 2


def test_two_who_choose_the_same_name_at_once(cast):
    """The second passed the check before the first was there: the unique index says so."""
    row = cohort("First years", "Autumn", created_by=cast.ada)
    spring = cohort(row.category, "Spring", created_by=cast.ada)
    with pytest.raises(actions.Refused), db.atomic():
        writing._saved("Taken.", spring.change, 1, name="Autumn")


# --- The list --------------------------------------------------------------------------------------------------------


def test_the_list_shows_categories_with_their_cohorts_and_folds_the_archive(client_for, autumn):
    cohort("First years", "Older", archived=True)
    page = client_for("ada").get("/cohorts")
    text = text_of(page)
    assert "Archived cohorts (1)" in text
    assert text.index("Autumn") < text.index("Archived cohorts") < text.index("Older")
    (row,) = [one for one in queries.live_cohorts(autumn.ada) if one.ref == autumn.cohort.ref]
    assert (row.students, row.milestones, row.groups) == (3, 2, 1)
    assert last_event("cohort.listed") == ("", {"count": 2})


def test_searching_leaves_out_what_does_not_fit(client_for, autumn):
    cohort("Leavers", "Summer")
    text = text_of(client_for("ada").get("/cohorts?q=leav").text)
    assert "Summer" in text and "Autumn" not in text and "First years" not in text
    assert "No cohort found" in text_of(client_for("ada").get("/cohorts?q=nothing"))


def test_the_archive_is_paged(client_for, cast):
    for number in range(27):
        cohort("Old ones", f"Year {number:02}", archived=True, created_by=cast.ada)
    ada = client_for("ada")
    assert "Year 26" in ada.get("/cohorts").text and "Year 01" not in ada.get("/cohorts").text
    assert "Year 01" in ada.get("/cohorts?page=2").text


def test_few_queries_however_many_cohorts(client_for, cast, count_queries):
    ada = client_for("ada")

    def costs(url):
        ada.get(url)
        with count_queries(most=10) as found:
            assert ada.get(url).status_code == 200
        return len(found)

    row = cohort("First", "One", [student()], [cast.counselling], created_by=cast.ada)
    before = costs("/cohorts"), costs(f"/cohorts/{row.ref}")
    for number in range(12):
        cohort(f"Category {number % 4}", f"Cohort {number}", [student()], [cast.counselling], created_by=cast.ada)
        CohortStudent.create(cohort=row, student=student(), added_by=cast.ada)
    assert (costs("/cohorts"), costs(f"/cohorts/{row.ref}")) == before


def test_the_list_as_a_file(client_for, autumn):
    ada = client_for("ada")
    lines = csv(ada, "/cohorts.csv").splitlines()
    assert lines[0] == "Category,Cohort,Students,Milestones,Student Support Groups,State,Added"
    assert lines[1].startswith("First years,Autumn,3,2,1,,")
    with ada.get("/cohorts.xlsx") as answer:
        book = load_workbook(io.BytesIO(answer.data))
    assert [cell.value for cell in book.active[2]][:3] == ["First years", "Autumn", 3]
    assert last_event("cohort.exported") == ("", {"count": 1, "format": "xlsx", "list": "cohorts"})


# --- One cohort ------------------------------------------------------------------------------------------------------


def test_the_tabs_read_as_the_ten_steps_say(client_for, autumn):
    page = client_for("ada").get(f"/cohorts/{autumn.cohort.ref}")
    for label in ("Students", "Add Students", "Milestones", "Progress", "Student Support Groups", "Attach Student Support Groups"):
        assert f">{label}</a>" in page.text, label
    assert last_event("cohort.read") == (autumn.cohort.ref, {})


def test_the_students_are_listed_searched_and_exported(client_for, autumn):
    ada, url = client_for("ada"), f"/cohorts/{autumn.cohort.ref}"
    text = text_of(ada.get(url))
    assert "Ann Finch" in text and "3 students" in text
    assert "Bob Heron Left" in text
    found = text_of(ada.get(f"{url}?q=finch"))
    assert "Ann Finch" in found and "Bob Heron" not in found
    lines = csv(ada, f"{url}/students.csv?q=finch").splitlines()
    assert lines[0].startswith("First name,Last name") and len(lines) == 2 and "ann@pupils.example.org" in lines[1]
    assert last_event("cohort.exported") == (autumn.cohort.ref, {"count": 1, "format": "csv", "list": "students"})
    assert last_event("student.listed") == (autumn.cohort.ref, {"count": 1})


def test_an_excluded_admin_sees_neither_the_student_nor_a_count_with_them(client_for, autumn):
    exclusion(autumn.ada, account(role="admin"), student=autumn.ann)
    ada, url = client_for("ada"), f"/cohorts/{autumn.cohort.ref}"
    page = ada.get(url)
    assert "Finch" not in page.text and "2 students" in text_of(page)
    assert queries.live_cohorts(autumn.ada)[0].students == 2
    assert queries.count_students(autumn.ada, autumn.cohort) == 2
    assert "Finch" not in csv(ada, f"{url}/students.csv")
    assert ",2,2,1," in csv(ada, "/cohorts.csv")
    assert "2 students no longer see" in text_of(ada.get(f"{url}/archive"))
    for page in ("removal", "move", "move/effect"):
        assert ada.get(f"{url}/students/{autumn.ann.ref}/{page}").status_code == 404, page


def test_editing_changes_name_and_category(client_for, post, autumn):
    other = CohortCategory.create(name="Leavers", created_by=autumn.ada)
    url = f"/cohorts/{autumn.cohort.ref}/edit"
    answer = post(client_for("ada"), url, {"name": "Autumn 26", "category": other.ref})
    row = Cohort.get_by_id(autumn.cohort.id)
    assert answer.status_code == 303 and (row.name, row.category) == ("Autumn 26", other)
    assert last_event("cohort.changed") == (row.ref, {"fields": ["name", "category"]})


def test_who_saves_second_sees_both(client_for, post, autumn):
    ada = client_for("ada")
    for url, row in ((f"/cohorts/{autumn.cohort.ref}/edit", autumn.cohort),
                     (f"/cohorts/categories/{autumn.cohort.category.ref}/edit", autumn.cohort.category)):  # fmt: skip
        assert post(ada, url, {"name": "Theirs"}).status_code == 303
        late = post(ada, url, {"name": "Mine", "version": "1"})
        assert late.status_code == 409
        assert "Somebody else saved this" in text_of(late) and "Name: Theirs" in text_of(late) and 'value="Mine"' in late.text
        assert type(row).get_by_id(row.id).name == "Theirs"
        again = forms(late.text)[-1].values
        assert post(ada, url, again).status_code == 303
        assert type(row).get_by_id(row.id).name == "Mine"


# --- The archive -----------------------------------------------------------------------------------------------------


def test_archiving_says_who_loses_what_and_restoring_who_gains_it(client_for, post, autumn):
    ada, url = client_for("ada"), f"/cohorts/{autumn.cohort.ref}"
    text = text_of(ada.get(f"{url}/archive"))
    assert "3 students no longer see its milestones" in text
    assert "2 people of its support groups no longer see them: Gil Gannet, Mo Merlin." in text
    assert post(ada, f"{url}/archive", {}).status_code == 303
    assert Cohort.get_by_id(autumn.cohort.id).archived_by == autumn.ada and "Archived" in text_of(ada.get(url))
    assert ada.get(f"{url}/archive").location == url
    text = text_of(ada.get(f"{url}/restore"))
    assert "This gives 2 people of its support groups access to the milestones of 3 students: Gil Gannet, Mo Merlin." in text
    assert post(ada, f"{url}/restore", {}).status_code == 303
    assert Cohort.get_by_id(autumn.cohort.id).archived_at is None
    assert [last_event(f"cohort.{verb}")[0] for verb in ("archived", "restored")] == [autumn.cohort.ref] * 2


def test_restoring_asks_again_when_others_would_gain(client_for, post, autumn):
    ada, url = client_for("ada"), f"/cohorts/{autumn.cohort.ref}"
    post(ada, f"{url}/archive", {})
    stale = forms(ada.get(f"{url}/restore").text)[-1].values
    GroupMember.create(group=autumn.counselling, account=autumn.oli)
    answer = post(ada, f"{url}/restore", {"confirmed": stale["confirmed"]})
    assert answer.status_code == 422 and "has changed in the meantime" in text_of(answer) and "Oli Ouzel" in text_of(answer)
    assert Cohort.get_by_id(autumn.cohort.id).archived_at is not None


def test_what_is_archived_already_is_a_conflict(autumn):
    row = autumn.cohort
    actions.archive_cohort(row, version=1, actor=autumn.ada)
    with pytest.raises(Conflict):
        actions.archive_cohort(row, version=row.version, actor=autumn.ada)
    with pytest.raises(Conflict):
        actions.archive_cohort(Cohort.get_by_id(row.id), version=1, actor=autumn.ada)


# --- Everybody else --------------------------------------------------------------------------------------------------


def test_for_the_rest_there_are_no_cohorts(client_for, autumn):
    category = autumn.cohort.category.ref
    known = ["/cohorts", "/cohorts.csv", "/cohorts/new", "/cohorts/categories/new"]
    pages = ("", "/edit", "/archive", "/restore", "/copy", "/add-students", "/support-groups", "/attach-support-groups",
             "/students.csv", "/support-groups.csv", f"/students/{autumn.ann.ref}/move", f"/students/{autumn.ann.ref}/removal",
             f"/support-groups/{autumn.counselling.ref}/removal")  # fmt: skip
    for who in OTHERS:
        client = client_for(who)
        for url in [*known, f"/cohorts/categories/{category}/edit"]:
            assert client.get(url).status_code == 404, (who, url)
        for page in pages:
            real, made_up = client.get(f"/cohorts/{autumn.cohort.ref}{page}"), client.get(f"/cohorts/ZZZZZZZZZZ{page}")
            assert (real.status_code, made_up.status_code) == (404, 404), (who, page)
            assert text_of(real) == text_of(made_up)
        assert "/cohorts" not in client.get("/").text


def test_the_rest_may_not_send_anything_either(client_for, post, autumn):
    url = f"/cohorts/{autumn.cohort.ref}"
    urls = ["/cohorts/categories/new", "/cohorts/new", *(f"{url}/{page}" for page in ("edit", "archive", "copy", "add-students"))]
    for who in OTHERS:
        client = client_for(who)
        for each in urls:
            assert post(client, each, {"name": "X", "email": "x@y.example"}, form_url="/").status_code == 404, (who, each)
    assert Cohort.select().count() == 1 and CohortCategory.select().count() == 1


def test_the_actions_refuse_by_themselves(autumn):
    row, category = autumn.cohort, autumn.cohort.category
    for who in (autumn.oli, autumn.kay, autumn.mo, autumn.rae, autumn.stu):
        for call in (
            lambda who: actions.add_category("X", actor=who),
            lambda who: actions.change_category(category, "X", version=1, actor=who),
            lambda who: actions.add_cohort(category, "X", actor=who),
            lambda who: actions.change_cohort(row, name="X", category=category, version=1, actor=who),
            lambda who: actions.archive_cohort(row, version=1, actor=who),
            lambda who: actions.restore_cohort(row, confirmed="", version=1, actor=who),
        ):
            with pytest.raises(Denied):
                call(who)
        with pytest.raises(NotVisible):
            queries.cohort(who, row.ref)
        with pytest.raises(NotVisible):
            queries.category(who, category.ref)
        with pytest.raises(Denied):
            queries.live_cohorts(who)
