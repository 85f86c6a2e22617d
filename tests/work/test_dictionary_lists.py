"""Case types, reasons for closing, meeting types, categories of files: the school's own lists on the dictionary's pages."""

import pytest

import permissions
from blueprints.cases import actions, queries
from models import CaseType, CloseReason, Conflict, Event, FileCategory, MeetingType, StoredFile, Trigger
from tests import factories
from tests.web import forms, text_of

LISTS = {"case-types": CaseType, "close-reasons": CloseReason, "meeting-types": MeetingType, "file-categories": FileCategory}


@pytest.fixture
def ada(client_for, cast):
    return client_for("ada")


def use(which, row, cast):
    """Something in the school has this entry."""
    if which == "case-types":
        factories.case(cast.student, cast.kay, case_type=row.name)
    elif which == "close-reasons":
        case = factories.case(cast.student, cast.kay)
        actions.close_case(case, reason=row.id, outcome="", actor=cast.kay, version=1)
    elif which == "meeting-types":
        factories.meeting(cast.kay, [cast.student], meeting_type=row)
    else:
        StoredFile.create(
            student=cast.student, name="a", path_name="a", media_type="x", size=1, sha256="0", uploaded_by=cast.sam, file_category=row
        )


def names(which, user):
    return [row.name for row in queries.list_entries(user, which) if not row.is_retired]


@pytest.mark.parametrize("which", LISTS)
def test_an_entry_lives(which, ada, post, cast, count_queries):
    url, model = f"/dictionary/{which}", LISTS[which]
    with count_queries(most=10):
        assert ada.get(url).status_code == 200
    assert post(ada, url, {"name": "  Something  new "}).status_code == 303
    row = model.get(model.name == "Something new")
    assert names(which, cast.ada)[-1] == "Something new"
    assert post(ada, f"{url}/{row.ref}/up", {}, form_url=url).status_code == 303
    assert names(which, cast.ada)[-2] == "Something new"
    post(ada, f"{url}/{row.ref}/down", {}, form_url=url)
    assert names(which, cast.ada)[-1] == "Something new"
    assert post(ada, f"{url}/{row.ref}", {"name": "Another name"}).status_code == 303
    use(which, model.get_by_id(row.id), cast)
    answer = post(ada, f"{url}/{row.ref}/removal", {}, form_url=url, follow=True)
    assert "was used, so it can't be deleted" in text_of(answer) and model.get_or_none(model.id == row.id)
    post(ada, f"{url}/{row.ref}", {"is_retired": "y"})
    assert "Another name" not in names(which, cast.ada) and "Not in use" in ada.get(url).text
    post(ada, f"{url}/{row.ref}", {"is_retired": None})
    assert "Another name" in names(which, cast.ada)
    verbs = [event.verb for event in Event.select().where(Event.target == row.ref)]
    assert verbs == ["dictionary.list_changed"] * 6


@pytest.mark.parametrize("which", LISTS)
def test_what_was_never_used_can_be_deleted(which, ada, post, cast):
    url, model = f"/dictionary/{which}", LISTS[which]
    row = model.create(name="Never used", position=99)
    assert "Never used was deleted" in text_of(post(ada, f"{url}/{row.ref}/removal", {}, form_url=url, follow=True))
    assert model.get_or_none(model.id == row.id) is None
    assert post(ada, f"{url}/{row.ref}/removal", {}, form_url=url).status_code == 404


@pytest.mark.parametrize("which", LISTS)
def test_the_last_one_in_use_stays(which, ada, post, cast):
    url, model = f"/dictionary/{which}", LISTS[which]
    model.update(is_retired=True).execute()
    row = model.create(name="The last")
    answer = post(ada, f"{url}/{row.ref}", {"is_retired": "y"})
    assert answer.status_code == 422 and "the only" in text_of(answer)
    assert "the only" in text_of(post(ada, f"{url}/{row.ref}/removal", {}, form_url=url, follow=True))
    assert not model.get_by_id(row.id).is_retired


def test_names_are_there_once(ada, post, cast):
    url, first = "/dictionary/case-types", CaseType.select().order_by(CaseType.position).first()
    row = CaseType.create(name="Mine", is_retired=True)
    answer = post(ada, url, {"name": first.name.upper()})
    assert answer.status_code == 422 and "one of this name already" in text_of(answer) and first.name.upper() in answer.text
    assert post(ada, f"{url}/{row.ref}", {"name": first.name}).status_code == 422
    assert post(ada, url, {"name": " "}).status_code == 422
    assert post(ada, url, {"name": "x" * 101}).status_code == 422


def test_a_type_that_a_trigger_has_is_used(cast):
    row = CaseType.create(name="Of a trigger", position=99)
    Trigger.update(case_type=row).where(Trigger.kind == "task").execute()
    assert queries.list_entry(cast.ada, "case-types", row.ref).is_used


def test_somebody_else_saved_first(ada, post, cast):
    row = CaseType.create(name="Mine")
    page = forms(ada.get(f"/dictionary/case-types/{row.ref}").text)[-1]
    actions.change_list_entry("case-types", row.ref, name="Theirs", is_retired=False, version=1, actor=cast.ada)
    answer = ada.post(f"/dictionary/case-types/{row.ref}", data={**page.values, "name": "Ours"})
    assert answer.status_code == 409 and "Theirs" in text_of(answer) and 'value="Ours"' in answer.text
    again = forms(answer.text)[-1]
    assert ada.post(f"/dictionary/case-types/{row.ref}", data=again.values).status_code == 303
    assert CaseType.get_by_id(row.id).name == "Ours"
    with pytest.raises(Conflict):
        actions.change_list_entry("case-types", row.ref, name="X", is_retired=False, version=None, actor=cast.ada)


def test_exports(ada, cast):
    CaseType.create(name="=cmd()", position=99)
    answer = ada.get("/dictionary/case-types.csv")
    assert answer.status_code == 200 and "'=cmd()" in answer.text
    assert ada.get("/dictionary/case-types.xlsx").status_code == 200
    assert Event.select().where(Event.verb == "admin.exported").count() == 2


@pytest.mark.parametrize("who", ["kay", "mo", "oli", "rae", "stu"])
def test_nobody_else_finds_them(who, client_for, post, cast):
    client, row = client_for(who), CaseType.get()
    for page in ("/dictionary/case-types", "/dictionary/case-types.csv", f"/dictionary/case-types/{row.ref}"):
        assert client.get(page).status_code == 404
    for page in ("/dictionary/case-types", *(f"/dictionary/case-types/{row.ref}{end}" for end in ("", "/up", "/removal"))):
        assert post(client, page, {"name": "X"}, form_url="/account").status_code == 404
    assert not CaseType.select().where(CaseType.name == "X").exists()


def test_actions_ask_for_the_capability(cast):
    row = CaseType.get()
    for work in (
        lambda: actions.add_list_entry("case-types", "X", actor=cast.kay),
        lambda: actions.change_list_entry("case-types", row.ref, name="X", is_retired=True, version=1, actor=cast.kay),
        lambda: actions.move_list_entry("case-types", row.ref, True, actor=cast.kay),
        lambda: actions.remove_list_entry("case-types", row.ref, actor=cast.kay),
        lambda: queries.list_entries(cast.kay, "case-types"),
    ):
        with pytest.raises(permissions.Denied):
            work()
