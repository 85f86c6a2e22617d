"""Files on a student's profile: submitting them, who sees them and is named beforehand, changing that, taking one off."""

import io

import pytest

import permissions
from blueprints.cases import actions
from extensions import clock
from models import (
    Account,
    Case,
    CaseRecord,
    CaseStaff,
    Event,
    FileCategory,
    Group,
    GroupMember,
    StoredFile,
    StudentFileGroup,
    Task,
    Trigger,
)
from tests import factories
from tests.web import text_of


@pytest.fixture
def ann(cast):
    return factories.student("Ann", "Finch", year_group="7")


@pytest.fixture
def url(ann):
    return f"/students/{ann.ref}/files"


@pytest.fixture
def consent(app):
    return FileCategory.select().order_by(FileCategory.position).first()


def text_file(name="note.txt", content=b"It was nothing.\n"):
    return (io.BytesIO(content), name)


@pytest.fixture
def stored(client_for, post, url):
    """A file that Sam submitted, for everybody who works with Ann."""
    assert post(client_for("sam"), f"{url}/new", {"files": text_file("état <b>1.txt")}).location == url
    return StoredFile.get()


@pytest.fixture
def narrow(cast, client_for, post, url):
    """Another, for Counselling alone."""
    given = {"files": text_file("narrow.txt"), "shown_to": "groups", "groups": [cast.counselling.ref]}
    assert post(client_for("sam"), f"{url}/new", given).location == url
    return StoredFile.get(StoredFile.name == "narrow.txt")


def sees(client_for, url, file, who):
    listed = file.name.replace("<", "_").replace(">", "_") in client_for(who).get(url).get_data(as_text=True)
    answer = client_for(who).get(f"{url}/{file.ref}", buffered=True)
    assert listed == (answer.status_code == 200), who
    assert listed == (client_for(who).get(f"{url}/{file.ref}/access").status_code == 200)
    return listed


# --- Submitting ------------------------------------------------------------------------------------------------------


def test_a_file_is_submitted_listed_and_read(cast, ann, client_for, url, stored):
    assert (stored.student, stored.shown_to, stored.file_category, stored.uploaded_by) == (ann, "related", None, cast.sam)
    assert "état _b_1.txt" in text_of(client_for("kay").get(url))
    answer = client_for("kay").get(f"{url}/{stored.ref}", buffered=True)
    assert answer.data == b"It was nothing.\n" and answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    event = Event.get(Event.verb == "student.file_read")
    assert (event.actor, event.target, event.reasons) == (cast.kay, ann.ref, "related") and stored.ref in event.data
    assert "état" not in Event.get(Event.verb == "student.file_added").data


def test_several_files_with_a_category(client_for, post, url, consent):
    given = {"files": [text_file("a.txt"), text_file("b.txt")], "category": consent.ref}
    assert post(client_for("sam"), f"{url}/new", given).status_code == 303
    assert {row.file_category for row in StoredFile.select()} == {consent}
    assert consent.name in text_of(client_for("kay").get(url))
    given = {"files": [text_file("c.txt"), text_file("d.exe", b"MZ" + b"\0" * 90)]}
    assert post(client_for("sam"), f"{url}/new", given).status_code == 422
    assert StoredFile.select().count() == 2


def test_the_form_names_everybody_it_would_give_access_to(cast, ann, client_for, url):
    case = factories.case(ann, cast.kay, staff=[cast.gil])
    factories.task(ann, cast.oli, cast.sam)
    shown = text_of(client_for("sam").get(f"{url}/new"))
    related = shown.partition("Everybody who works with Ann Finch")[2].partition("; and to whoever else")[0]
    assert "Oli Ouzel" in related and "Kay Kestrel" in related
    assert "Sam Swift" not in related, "setting a task is no relation"
    assert "Gil Gannet" not in related, "that would tell Sam that there is a case"
    assert "Counselling Gives access to Gil Gannet" in shown and "the Admin Key Holders (Ada Adler)" in shown
    shown = text_of(client_for("kay").get(f"{url}/new"))
    related = shown.partition("Everybody who works with Ann Finch")[2].partition("; and to whoever else")[0]
    assert "Gil Gannet" in related and "Oli Ouzel" not in related, "Kay is on the case, and not on the task"
    CaseStaff.delete().where(CaseStaff.case == case).execute()
    factories.exclusion(cast.gil, cast.ada, student=ann)
    assert "Gil Gannet" not in text_of(client_for("sam").get(f"{url}/new"))


@pytest.mark.parametrize(("given", "sentence"), [
    ({"files": []}, "Choose a file."),
    ({"shown_to": "groups"}, "Tick at least one group."),
    ({"shown_to": "everybody"}, "Say who may see it."),
    ({"shown_to": "groups", "groups": ["ZZZZZZZZZZ"]}, "A group you ticked can't be chosen any more."),
    ({"groups": "COUNSELLING"}, "Groups are ticked"),
    ({"category": "ZZZZZZZZZZ"}, "Choose one from the list."),
    ({"files": (io.BytesIO(b""), "empty.txt")}, "empty.txt is empty"),
])  # fmt: skip
def test_what_cannot_be_taken_is_said_and_nothing_is_kept(app, cast, client_for, post, url, given, sentence):
    fields = {"files": text_file()} | given
    fields["groups"] = [cast.counselling.ref] if fields.get("groups") == "COUNSELLING" else fields.get("groups", [])
    answer = post(client_for("sam"), f"{url}/new", fields)
    assert answer.status_code == 422 and sentence in text_of(answer)
    assert not StoredFile.select().exists() and not list((app.settings.instance / "files").glob("*/*"))


def test_a_retired_group_or_category_is_not_offered_and_refused(app, cast, ann, client_for, url, consent):
    FileCategory.update(is_retired=True).where(FileCategory.id == consent.id).execute()
    Group.update(is_active=False).where(Group.id == cast.counselling.id).execute()
    page = client_for("sam").get(f"{url}/new").get_data(as_text=True)
    assert consent.ref not in page and cast.counselling.ref not in page
    for given in ({"shown_to": "groups", "groups": [cast.counselling]},
                  {"shown_to": "related", "category": FileCategory.get_by_id(consent.id)}):  # fmt: skip
        with pytest.raises(actions.Refused):
            actions.submit_files(ann, [], actor=cast.sam, **given)


# --- Who sees it -----------------------------------------------------------------------------------------------------


def test_who_sees_a_file_for_everybody_who_works_with_the_student(cast, ann, client_for, url, stored):
    who = lambda: {key for key in ("ada", "kay", "ken", "gil", "mo", "sam", "oli") if sees(client_for, url, stored, key)}  # noqa: E731
    assert who() == {"ada", "kay", "ken", "sam"}
    task = factories.task(ann, cast.oli, cast.sam)
    assert who() == {"ada", "kay", "ken", "sam", "oli"}
    Task.update(state="completed").where(Task.id == task.id).execute()
    assert who() == {"ada", "kay", "ken", "sam"}


def test_who_sees_a_file_for_a_group(cast, client_for, url, narrow):
    who = lambda: {key for key in ("ada", "kay", "gil", "mo", "sam", "oli") if sees(client_for, url, narrow, key)}  # noqa: E731
    assert who() == {"ada", "gil", "sam"}
    GroupMember.delete().where(GroupMember.account == cast.gil).execute()
    GroupMember.create(group=cast.counselling, account=cast.oli)
    assert who() == {"ada", "oli", "sam"}


def test_the_list_of_who_can_see_it_tells_of_no_case(cast, ann, client_for, url, stored):
    factories.case(ann, cast.ken, staff=[cast.gil])
    page = f"{url}/{stored.ref}/access"
    assert "Gil Gannet" not in text_of(client_for("sam").get(page))
    assert "Gil Gannet Staff is a Key User, or works with the student" in text_of(client_for("ken").get(page))
    assert "Sam Swift Staff submitted it" in text_of(client_for("kay").get(page))
    assert Event.get(Event.verb == "student.file_access_read").target == ann.ref


def test_the_list_of_who_can_see_it_tells_of_no_part_in_a_meeting(cast, ann, client_for, url, stored):
    """Ken sees the meeting because of Bo's case, and of its students Bo alone: that Gil meets Ann there is not for him."""
    bo = factories.student("Bo", "Brown")
    meeting = factories.meeting(cast.sam, [bo, ann], [cast.gil])

    def belongs_to_a_case_of(student):
        CaseRecord.create(case=factories.case(student, cast.ken), kind="meeting", record_id=meeting.id, record=meeting.ref,
                          how="joined", by=cast.sam)  # fmt: skip

    def named_to(reader):
        listed = "Gil Gannet Staff is a Key User, or works with the student" in text_of(client_for(reader).get(f"{url}/{stored.ref}/access"))
        assert listed == (cast.gil in permissions.who_works_with(ann, reader))
        return listed

    belongs_to_a_case_of(bo)
    page = text_of(client_for("ken").get(f"/meetings/{meeting.ref}"))
    assert bo.name in page and "Gil Gannet" in page and ann.name not in page
    assert named_to(cast.sam) and not named_to(cast.ken)
    belongs_to_a_case_of(ann)
    assert named_to(cast.ken)


@pytest.mark.parametrize("who", ["oli", "rae", "stu"])
def test_others_meet_a_missing_file(client_for, post, url, stored, narrow, who):
    client = client_for(who)
    for file in (stored.ref, narrow.ref, "ZZZZZZZZZZ", "%00"):
        for page in ("", "/access", "/edit"):
            assert client.get(f"{url}/{file}{page}").status_code == 404
        for page in ("/edit", "/removal"):
            assert post(client, f"{url}/{file}{page}", {"shown_to": "related"}, form_url="/").status_code == 404
    assert "narrow.txt" not in client.get(url).get_data(as_text=True)
    assert StoredFile.select().where(StoredFile.removed_at.is_null()).count() == 2


@pytest.mark.parametrize("who", ["rae", "stu"])
def test_the_tab_is_for_staff(client_for, post, url, who):
    for page in ("", "/new", "/export.csv"):
        assert client_for(who).get(url + page).status_code == 404
    assert post(client_for(who), f"{url}/new", {"files": text_file()}, form_url="/").status_code == 404
    assert not StoredFile.select().exists()


def test_exclusion_beats_every_reason(cast, ann, client_for, post, url, stored, narrow):
    for person in (cast.sam, cast.gil, cast.ada):
        factories.exclusion(person, cast.ada, student=ann)
        client = client_for(person)
        assert client.get(url).status_code == client.get(f"{url}/{stored.ref}").status_code == 404
        assert post(client, f"{url}/{narrow.ref}/removal", form_url="/").status_code == 404
        with pytest.raises(permissions.NotVisible):
            actions.remove_student_file(ann, stored, actor=person)


def test_a_file_is_not_reached_through_another_record(cast, ann, client_for, post, url, stored):
    other = factories.student("Bo", "Brown")
    incident = factories.incident(cast.sam, [ann])
    kept = StoredFile.create(
        incident=incident, name="a.txt", path_name="aa/x", media_type="text/plain", size=1, sha256="", uploaded_by=cast.sam
    )
    client = client_for("sam")
    assert client.get(f"/students/{other.ref}/files/{stored.ref}").status_code == 404
    assert client.get(f"{url}/{kept.ref}").status_code == client.get(f"/incidents/{incident.ref}/files/{stored.ref}").status_code == 404
    for student, file in ((other, stored), (ann, kept)):
        with pytest.raises(permissions.NotVisible):
            actions.remove_student_file(student, file, actor=cast.sam)


# --- Changing and removing -------------------------------------------------------------------------------------------


def test_changing_who_sees_it(cast, client_for, post, url, stored, consent):
    page = f"{url}/{stored.ref}/edit"
    given = {"category": consent.ref, "shown_to": "groups", "groups": [cast.counselling.ref]}
    assert post(client_for("sam"), page, given).location == url
    assert not sees(client_for, url, StoredFile.get(), "kay") and sees(client_for, url, StoredFile.get(), "gil")
    assert '"category"' not in Event.get(Event.verb == "student.file_changed").data
    assert '["file_category", "groups", "shown_to"]' in Event.get(Event.verb == "student.file_changed").data
    assert consent.name in text_of(client_for("sam").get(url)) and "Counselling" in text_of(client_for("sam").get(url))
    assert post(client_for("sam"), page, {}).status_code == 303, "as it stands"
    assert Event.select().where(Event.verb == "student.file_changed").count() == 1
    assert post(client_for("ada"), page, {"shown_to": "related", "groups": None}).status_code == 303
    assert not StudentFileGroup.select().exists() and StoredFile.get().version == 3


def test_other_readers_change_nothing(cast, ann, client_for, post, url, stored):
    client = client_for("kay")
    assert f"{stored.ref}/edit" not in client.get(url).get_data(as_text=True)
    assert client.get(f"{url}/{stored.ref}/edit").status_code == 403
    for step in ("edit", "removal"):
        assert post(client, f"{url}/{stored.ref}/{step}", {"shown_to": "related", "version": "1"}, form_url=url).status_code == 403
    with pytest.raises(permissions.Denied):
        actions.remove_student_file(ann, stored, actor=cast.kay)


def test_two_who_change_it_at_once(cast, client_for, post, url, stored):
    StoredFile.update(version=2).execute()
    answer = post(client_for("sam"), f"{url}/{stored.ref}/edit", {"shown_to": "groups", "groups": [cast.counselling.ref], "version": "1"})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 409 and "Somebody else changed this in the meantime" in page
    assert f'value="{cast.counselling.ref}" checked' in page and StoredFile.get().shown_to == "related"
    assert 'name="version" type="hidden" value="2"' in page


def test_removing_keeps_the_bytes(app, cast, client_for, post, url, stored):
    assert post(client_for("sam"), f"{url}/{stored.ref}/removal", form_url=url).location == url
    row = StoredFile.get()
    assert row.removed_by == cast.sam and (app.settings.instance / "files" / row.path_name).exists()
    assert client_for("sam").get(f"{url}/{stored.ref}").status_code == 404
    assert "état" not in client_for("kay").get(url).get_data(as_text=True)
    assert post(client_for("sam"), f"{url}/{stored.ref}/removal", form_url=url).status_code == 404
    assert Event.select().where(Event.verb == "student.file_removed").count() == 1


# --- The trigger, the list -------------------------------------------------------------------------------------------


def test_submitting_triggers_and_the_page_does_not_tell(cast, ann, client_for, post, url, clock):
    clock.freeze(clock.now())
    client, pages = client_for("oli"), []
    for state in ("off", "opens", "joins"):
        Trigger.update(is_on=state != "off").where(Trigger.kind == "file").execute()
        answer = post(client, f"{url}/new", {"files": [text_file("a.txt"), text_file("b.txt")]})
        pages.append((answer.status_code, answer.location, text_of(client.get(url))))
        StoredFile.update(removed_at=clock.now()).execute()
    assert pages[0] == pages[1] == pages[2] and pages[0][0] == 303
    records = list(CaseRecord.select().order_by(CaseRecord.id))
    assert [record.how for record in records] == ["opened", "joined", "joined", "joined"] and Case.select().count() == 1
    assert {record.record for record in records} <= {file.ref for file in StoredFile.select()}


def test_the_case_and_the_file_are_there_together_or_not_at_all(app, cast, ann, client_for, post, url, monkeypatch):
    Trigger.update(is_on=True).where(Trigger.kind == "file").execute()

    def broken(*arguments, **given):
        raise RuntimeError("killed")

    monkeypatch.setattr("blueprints.cases.actions.triggering._attach", broken)
    assert post(client_for("sam"), f"{url}/new", {"files": text_file()}).status_code == 500
    assert not StoredFile.select().exists() and not Case.select().exists()
    assert not list((app.settings.instance / "files").glob("*/*"))


def test_the_list_as_a_file(cast, client_for, url, stored, narrow):
    StoredFile.update(name="=1+1.txt").where(StoredFile.id == stored.id).execute()
    rows = client_for("sam").get(f"{url}/export.csv", buffered=True).get_data(as_text=True).splitlines()
    assert rows[0].endswith("File,Category,Bytes,Submitted by,Submitted,Who may see it") and len(rows) == 3
    assert rows[1].startswith("narrow.txt") and rows[1].endswith("Counselling") and rows[2].startswith("'=1+1.txt")
    assert len(client_for("kay").get(f"{url}/export.csv", buffered=True).get_data(as_text=True).splitlines()) == 2
    assert client_for("kay").get(f"{url}/export.xlsx", buffered=True).data[:2] == b"PK"
    assert Event.select().where(Event.verb == "student.files_exported").count() == 3


def test_pages_cost_the_same_whatever_is_on_them(cast, ann, client_for, url, stored, narrow, count_queries):
    client = client_for("sam")

    def cost():
        found = []
        for page in (url, f"{url}/new", f"{url}/{stored.ref}/access", f"{url}/{narrow.ref}/edit"):
            client.get(page)
            with count_queries(most=14 if page.endswith("edit") else 10) as queries:
                assert client.get(page).status_code == 200
            found.append(len(queries))
        return found

    before = cost()
    for number in range(20):
        row = StoredFile.create(student=ann, name=f"{number}.txt", path_name=f"x{number}", media_type="text/plain", size=1, sha256="",
                                uploaded_by=cast.sam, shown_to="groups")  # fmt: skip
        StudentFileGroup.create(file=row, group=cast.counselling)
        factories.group(f"Group {number}", members=[cast.oli, cast.gil])
        FileCategory.create(name=f"Kind {number}")
    assert cost() == before


# --- The menu + ------------------------------------------------------------------------------------------------------


def test_the_menu_offers_what_the_role_may_add(cast, ann, client_for):
    Account.update(role="staff").where(Account.id == cast.mo.id).execute()
    entries = {"New task", "New meeting", "Create a Plan", "Submit a File", "Form Response", "Add incident"}
    for section in ("", "/incidents", "/cases", "/tasks", "/files"):
        for who, extra in (("oli", set()), ("kay", {"Open case"})):
            page = client_for(who).get(f"/students/{ann.ref}{section}").get_data(as_text=True)
            menu = page.partition('<details class="add-menu">')[2].partition("</details>")[0]
            assert 'aria-label="Add"' in menu and page.count('class="add-menu"') == 1
            assert {entry for entry in entries | {"Open case"} if f">{entry}</a>" in menu} == entries | extra, (section, who)


def test_a_student_who_left_gets_no_task(cast, ann, client_for):
    type(ann).update(is_active=False, left_at=clock.now()).execute()
    page = client_for("kay").get(f"/students/{ann.ref}").get_data(as_text=True)
    menu = page.partition('<details class="add-menu">')[2].partition("</details>")[0]
    assert ">New task</a>" not in menu and ">Submit a File</a>" in menu
