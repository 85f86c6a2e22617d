"""Tasks: setting one, who sees and does what, lists and files, the case it belongs to, and what is told to whom."""

import re
from datetime import timedelta

import pytest

import permissions
from blueprints.cases import actions
from extensions import clock
from models import (
    Account,
    Case,
    CaseRecord,
    Conflict,
    Draft,
    Event,
    GroupMember,
    Notification,
    OutboxEmail,
    Student,
    Task,
    TaskNote,
    Trigger,
)
from tests import factories
from tests.web import forms, text_of

OUTSIDERS = ["oli", "kay", "rae", "stu"]


@pytest.fixture
def ann(cast):
    return factories.student("Ann", "Finch", year_group="7")


@pytest.fixture
def today():
    return factories.today()


@pytest.fixture
def task(cast, ann, today):
    """Sam set it for Gil."""
    return factories.task(ann, cast.gil, cast.sam, notes="She likes to be rung after four.", due_on=today + timedelta(days=3))


@pytest.fixture
def url(task):
    return f"/tasks/{task.ref}"


def new_task(ann, who, **fields):
    return {"student_ref": ann.ref, "title": "Ring home", "assigned_to": who.ref, "due_on": "2031-05-06", **fields}


def saved(task):
    return Task.get_by_id(task.id)


# --- Setting one -----------------------------------------------------------------------------------------------------


def test_a_task_is_set_and_its_assignee_is_told(cast, ann, client_for, post):
    client = client_for("sam")
    page = client.get(f"/tasks/new?student={ann.ref}").get_data(as_text=True)
    for label in ("Student", "Title", "Assigned to", "Due date", "Notes", "Repeats"):
        assert f">{label}</label>" in page, label
    answer = post(client, f"/tasks/new?student={ann.ref}", new_task(ann, cast.gil, notes="After four."))
    task = Task.get()
    assert answer.status_code == 303 and answer.location == f"/tasks/{task.ref}"
    assert (task.student, task.assigned_to, task.set_by, task.title) == (ann, cast.gil, cast.sam, "Ring home")
    assert (task.notes, str(task.due_on), task.state) == ("After four.", "2031-05-06", "open")
    told = Notification.get()
    assert (told.account, told.kind, told.target) == (cast.gil, "task_assigned", task.ref)
    assert OutboxEmail.get().account == cast.gil
    event = Event.get(Event.verb == "task.set")
    assert event.target == task.ref and "Ring" not in event.data and ann.ref in event.data
    shown = text_of(client_for("gil").get(answer.location))
    assert "Ring home" in shown and "After four." in shown and "Ann Finch" in shown
    assert "A task was assigned to you" in text_of(client_for("gil").get("/notifications"))


def test_nobody_is_told_of_what_they_give_to_themselves(cast, ann, client_for, post):
    post(client_for("oli"), f"/tasks/new?student={ann.ref}", new_task(ann, cast.oli))
    assert Task.get().assigned_to == cast.oli and not Notification.select().exists() and not OutboxEmail.select().exists()


@pytest.mark.parametrize(("given", "field", "sentence"), [
    ({"title": " "}, "title", "Say what is to be done."),
    ({"title": "x" * 201}, "title", "at most 200"),
    ({"assigned_to": ""}, "assigned_to", "Say who is to do it."),
    ({"assigned_to": "ZZZZZZZZZZ"}, "assigned_to", "This person can&#39;t be given this. Choose somebody else."),
    ({"due_on": "2031-02-30"}, "due_on", "is not a date"),
    ({"repeats": "hourly"}, "repeats", "Choose one from the list."),
    ({"repeats": "weekly", "due_on": ""}, "due_on", "Give the first due date"),
    ({"student_ref": None}, "student", "Say which student this task is about."),
    ({"student_ref": "ZZZZZZZZZZ"}, "student", "Somebody you chose is not known."),
])  # fmt: skip
def test_a_refused_form_keeps_what_was_typed(cast, ann, client_for, post, given, field, sentence):
    fields = new_task(ann, cast.gil, notes="Quite a long story.") | given
    answer = post(client_for("sam"), "/tasks/new", fields)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422 and sentence in page and "Quite a long story." in page
    assert f'id="{field}-error"' in page and 'aria-invalid="true"' in page
    assert not Task.select().exists()


def test_a_name_that_was_typed_without_a_script_is_understood(cast, ann, client_for, post):
    assert post(client_for("sam"), "/tasks/new", new_task(ann, cast.gil, student_ref=None, student="ann finch")).status_code == 303
    assert Task.get().student == ann


def test_no_task_for_a_student_who_left(cast, ann, client_for, post):
    Student.update(is_active=False).where(Student.id == ann.id).execute()
    client = client_for("sam")
    assert "has left the school" in text_of(client.get(f"/tasks/new?student={ann.ref}"))
    answer = post(client, f"/tasks/new?student={ann.ref}", new_task(ann, cast.gil, notes="Kept."))
    assert answer.status_code == 422 and "Ann Finch has left the school: no task can be set about them." in text_of(answer)
    assert "Kept." in answer.get_data(as_text=True) and not Task.select().exists()
    assert "New task" not in text_of(client.get(f"/students/{ann.ref}/tasks"))


def test_whoever_is_kept_from_the_student_is_refused_like_a_deactivated_account(cast, ann, client_for, post):
    factories.exclusion(cast.gil, cast.ada, student=ann)
    Account.update(is_active=False).where(Account.id == cast.oli.id).execute()
    client = client_for("sam")
    page = client.get(f"/tasks/new?student={ann.ref}").get_data(as_text=True)
    assert "Kay Kestrel" in page and "Gil Gannet" not in page and "Oli Ouzel" not in page
    for person in (cast.gil, cast.oli, cast.rae):
        answer = post(client, f"/tasks/new?student={ann.ref}", new_task(ann, person))
        name = person.name if person != cast.rae else "This person"
        assert answer.status_code == 422 and f"{name} can't be given this. Choose somebody else." in text_of(answer)
    assert not Task.select().exists()


def test_a_student_one_is_kept_from_is_a_missing_one(cast, ann, client_for, post):
    factories.exclusion(cast.sam, cast.ada, student=ann)
    client = client_for("sam")
    assert client.get(f"/tasks/new?student={ann.ref}").status_code == 404
    answer = post(client, "/tasks/new", new_task(ann, cast.gil))
    assert answer.status_code == 422 and "Somebody you chose is not known." in text_of(answer)
    with pytest.raises(permissions.NotVisible):
        actions.set_task(actor=cast.sam, student=ann, title="x", assigned_to=cast.gil)


def test_the_draft_comes_back_until_the_task_is_set(cast, ann, client_for, post):
    client, key = client_for("sam"), f"task-new:{ann.ref.lower()}"
    address = f"/tasks/new?student={ann.ref}"
    post(client, f"/drafts/{key}", {"title": "Ring", "notes": "Half a sen", "student_ref": ann.ref}, form_url=address)
    page = client_for("sam").get(address).get_data(as_text=True)
    assert "Half a sen" in page and "Discard draft" in page
    post(client, address, new_task(ann, cast.gil))
    assert "Half a sen" not in client.get(address).get_data(as_text=True)
    post(client, f"/drafts/{key}", {"notes": "Other"}, form_url=address)
    post(client, f"/tasks/new/draft-removal?student={ann.ref}", form_url=address)
    assert "Other" not in client.get(address).get_data(as_text=True) and Draft.select().count() == 1


# --- Its page --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", OUTSIDERS)
def test_others_meet_a_missing_task(client_for, post, url, task, who):
    client = client_for(who)
    for page in ("", "/edit", "/access"):
        answer, missing = client.get(url + page), client.get(f"/tasks/ZZZZZZZZZZ{page}")
        assert answer.status_code == missing.status_code == 404
    for page in ("", "/edit", "/completion", "/cancellation", "/reopening", "/draft-removal"):
        assert post(client, url + page, {"text": "x", "version": "1"}, form_url="/").status_code == 404
    assert saved(task).state == "open" and not TaskNote.select().exists()


@pytest.mark.parametrize("who", ["rae", "stu"])
def test_tasks_are_for_staff(ann, client_for, who):
    for page in ("/tasks", "/tasks/new", "/tasks/export.csv", f"/students/{ann.ref}/tasks", f"/students/{ann.ref}/tasks/export.csv"):
        assert client_for(who).get(page).status_code == 404
    assert "Tasks" not in text_of(client_for(who).get("/"))


def test_the_page_says_who_can_see_it_and_why(cast, client_for, url):
    shown = text_of(client_for("gil").get(url))
    assert "Gil Gannet Staff is assigned this task" in shown and "Sam Swift Staff set it" in shown
    assert "Ada Adler Admin Key Holder is an Admin Key Holder" in shown and "Kay Kestrel" not in shown
    assert text_of(client_for("sam").get(f"{url}/access")).count("set it") == 1
    assert Event.select().where(Event.verb == "task.access_read").count() == 1
    assert Event.get(Event.verb == "task.read").reasons == "assigned"


def test_notes_are_added_by_everybody_who_sees_it(cast, ann, client_for, post, url, task):
    case = factories.case(ann, cast.kay)
    CaseRecord.create(case=case, kind="task", record_id=task.id, record=task.ref, how="linked", by=cast.kay)
    assert post(client_for("kay"), url, {"text": "Rang, nobody in."}).location == url
    assert post(client_for("gil"), url, {"text": "Rang again."}).status_code == 303
    shown = text_of(client_for("sam").get(url))
    assert shown.index("She likes") < shown.index("Rang, nobody in.") < shown.index("Rang again.")
    assert "Kay Kestrel added a note." in shown
    assert post(client_for("gil"), url, {"text": " "}).status_code == 422
    assert TaskNote.select().count() == 2 and "Rang" not in Event.get(Event.verb == "task.note_added").data


def test_the_draft_of_a_note_survives_until_it_is_sent(client_for, post, url, task):
    client, key = client_for("gil"), f"task-note:{task.ref.lower()}"
    post(client, f"/drafts/{key}", {"text": "Half a no"}, form_url=url)
    assert "Half a no" in client_for("gil").get(url).get_data(as_text=True)
    assert "Half a no" not in client_for("sam").get(url).get_data(as_text=True)
    post(client, url, {"text": "A whole note"})
    assert "Half a no" not in client.get(url).get_data(as_text=True)
    post(client, f"/drafts/{key}", {"text": "Another"}, form_url=url)
    post(client, f"{url}/draft-removal", form_url=url)
    assert "Another" not in client.get(url).get_data(as_text=True)


def test_complete_and_reopen(cast, client_for, post, url, task):
    client = client_for("gil")
    assert f'action="{url}/completion"' in client.get(url).get_data(as_text=True)
    assert post(client, f"{url}/completion", form_url=url).location == url
    row = saved(task)
    assert (row.state, row.ended_by) == ("completed", cast.gil) and row.ended_at
    shown = text_of(client.get(url))
    assert "Gil Gannet completed it." in shown and "The task is completed." in shown
    assert post(client_for("sam"), f"{url}/reopening", form_url=url).status_code == 303
    assert (saved(task).state, saved(task).ended_at, saved(task).ended_by) == ("open", None, None)


def test_cancelling_ends_it(cast, client_for, post, url, task):
    assert post(client_for("sam"), f"{url}/cancellation", form_url=url).status_code == 303
    assert saved(task).state == "cancelled" and "Sam Swift cancelled it." in text_of(client_for("gil").get(url))


def test_who_is_second_meets_a_conflict(cast, client_for, post, url, task):
    late = next(form for form in forms(client_for("sam").get(url).get_data(as_text=True)) if form.action.endswith("/completion"))
    actions.change_task(task, title="Other", assigned_to=cast.gil, due_on=None, repeats="", actor=cast.sam, version=1)
    answer = post(client_for("gil"), f"{url}/completion", {"version": late.values["version"]}, form_url=url)
    assert answer.status_code == 409 and saved(task).state == "open"
    for version in ("", "x", "99999999999"):
        assert post(client_for("gil"), f"{url}/completion", {"version": version}, form_url=url).status_code == 409
    done = actions.complete_task(task, today=factories.today(), actor=cast.gil, version=2)
    with pytest.raises(Conflict):
        actions.cancel_task(task, actor=cast.sam, version=done.version)
    actions.reopen_task(task, actor=cast.gil, version=done.version)
    with pytest.raises(Conflict):
        actions.reopen_task(task, actor=cast.gil, version=done.version + 1)


def test_a_reader_through_a_case_adds_notes_and_changes_nothing(cast, ann, client_for, post, url, task):
    case = factories.case(ann, cast.kay)
    CaseRecord.create(case=case, kind="task", record_id=task.id, record=task.ref, how="joined", by=cast.sam)
    client = client_for("kay")
    page = client.get(url).get_data(as_text=True)
    assert f"{url}/completion" not in page and f"{url}/edit" not in page
    for step in ("completion", "cancellation", "reopening", "edit"):
        assert post(client, f"{url}/{step}", {"version": "1"}, form_url=url).status_code == 403
    with pytest.raises(permissions.Denied):
        actions.change_task(task, title="x", assigned_to=cast.kay, due_on=None, repeats="", actor=cast.kay, version=1)


# --- Changing it -----------------------------------------------------------------------------------------------------


def test_changing_it_tells_whom_it_goes_to(cast, client_for, post, url, task):
    client = client_for("sam")
    given = {"title": "Write home", "assigned_to": cast.oli.ref, "due_on": "2031-01-02"}
    assert post(client, f"{url}/edit", given).location == url
    row = saved(task)
    assert (row.title, row.assigned_to, str(row.due_on), row.notes) == ("Write home", cast.oli, "2031-01-02", task.notes)
    assert Notification.get().account == cast.oli
    shown = text_of(client.get(url))
    assert "changed whom it is assigned to to Oli Ouzel, the due date to 2 January 2031 and the title." in shown
    assert client_for("gil").get(url).status_code == 404
    assert client_for("oli").get(url).status_code == 200


def test_whoever_hands_a_task_on_and_loses_it_is_led_to_their_tasks(cast, client_for, post, url, task):
    assert post(client_for("gil"), f"{url}/edit", {"assigned_to": cast.oli.ref}).location == "/tasks"


def test_saving_nothing_new_is_no_event(cast, client_for, post, url, task):
    assert post(client_for("sam"), f"{url}/edit").status_code == 303
    assert saved(task).version == 1 and not Event.select().where(Event.verb == "task.changed").exists()


def test_two_who_change_it_at_once_see_both(cast, client_for, post, url, task):
    Task.update(title="Theirs", version=2).where(Task.id == task.id).execute()
    answer = post(client_for("sam"), f"{url}/edit", {"title": "Mine", "version": "1"})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 409 and "“Theirs”" in page and 'value="Mine"' in page
    again = next(form for form in forms(page) if form.values.get("title") == ["Mine"])
    assert again.values["version"] == ["2"]


def test_it_stays_with_who_has_it_although_they_could_not_be_given_it_any_more(cast, ann, client_for, post, url, task):
    Account.update(is_active=False).where(Account.id == cast.gil.id).execute()
    assert post(client_for("sam"), f"{url}/edit", {"title": "Other"}).status_code == 303
    assert saved(task).title == "Other"
    answer = post(client_for("sam"), f"{url}/edit", {"assigned_to": cast.rae.ref})
    assert answer.status_code == 422 and "can't be given this" in text_of(answer)


def test_a_task_that_ended_is_not_changed(cast, client_for, post, url, task):
    Task.update(state="completed", ended_at=clock.now(), ended_by=cast.gil).execute()
    answer = post(client_for("sam"), f"{url}/edit", {"title": "Other"})
    assert answer.status_code == 422 and "Reopen it first." in text_of(answer) and saved(task).title == task.title


# --- Cases -----------------------------------------------------------------------------------------------------------


def test_a_task_of_a_case_belongs_to_it(cast, ann, client_for, post):
    case = factories.case(ann, cast.kay, staff=[cast.ken])
    address = f"/tasks/new?case={case.ref}"
    page = client_for("kay").get(address).get_data(as_text=True)
    assert "everybody on the case sees it" in page and "Ann Finch" in page
    answer = post(client_for("kay"), address, {"title": "Ring home", "assigned_to": cast.gil.ref})
    task, record = Task.get(), CaseRecord.get()
    assert (record.case, record.kind, record.record_id, record.record, record.how) == (case, "task", task.id, task.ref, "linked")
    assert Event.get(Event.verb == "case.record_linked").target == case.ref
    assert {(row.account, row.kind) for row in Notification.select()} == {(cast.gil, "task_assigned"), (cast.ken, "case_changed")}
    assert case.ref in text_of(client_for("ken").get(answer.location))
    shown = text_of(client_for("gil").get(answer.location))
    assert case.ref not in shown and "Ken Kittiwake" not in shown, "who has the task learns nothing of the case"
    assert "Ken Kittiwake Key User is on a case that it belongs to" in text_of(client_for("kay").get(answer.location))


def test_what_cannot_be_put_onto_a_case(cast, ann, client_for, post):
    case = factories.case(ann, cast.kay)
    assert client_for("sam").get(f"/tasks/new?case={case.ref}").status_code == 404
    other = factories.student("Bo", "Brown")
    answer = post(client_for("kay"), f"/tasks/new?case={case.ref}", new_task(other, cast.gil))
    assert answer.status_code == 422 and "is about somebody else" in text_of(answer)
    Case.update(status="Closed").execute()
    answer = post(client_for("kay"), f"/tasks/new?case={case.ref}", new_task(ann, cast.gil))
    assert answer.status_code == 422 and "This case is closed." in text_of(answer)
    assert not Task.select().exists() and not CaseRecord.select().exists()
    with pytest.raises(permissions.NotVisible):
        actions.set_task(actor=cast.sam, student=ann, title="x", assigned_to=cast.gil, case=case)


def masked(response):
    """The page without what is random in it."""
    text = re.sub(r'(name="(?:csrf_token|once)"[^>]*value=")[^"]*', r"\1", response.get_data(as_text=True))
    return re.sub(Task.select().order_by(Task.id.desc()).get().ref, "REF", text, flags=re.IGNORECASE)


def test_the_page_is_the_same_whether_a_case_opened_was_joined_or_nothing_happened(cast, ann, client_for, post, clock):
    clock.freeze(clock.now())
    client, pages = client_for("sam"), []
    for state in ("off", "opens", "joins"):
        Trigger.update(is_on=state != "off").where(Trigger.kind == "task").execute()
        answer = post(client, f"/tasks/new?student={ann.ref}", new_task(ann, cast.gil))
        pages.append((answer.status_code, masked(client.get(answer.location))))
        Task.update(student=cast.student).where(Task.ref == answer.location.rpartition("/")[2]).execute()
    assert pages[0] == pages[1] == pages[2] and pages[0][0] == 303
    assert Case.select().count() == 1
    assert [record.how for record in CaseRecord.select().order_by(CaseRecord.id)] == ["opened", "joined"]


def test_giving_a_task_to_somebody_else_is_assigning_one(cast, ann, task, client_for, post):
    Trigger.update(is_on=True).where(Trigger.kind == "task").execute()
    post(client_for("sam"), f"/tasks/{task.ref}/edit", {"title": "Only the title"})
    assert not Case.select().exists()
    post(client_for("sam"), f"/tasks/{task.ref}/edit", {"assigned_to": cast.oli.ref})
    post(client_for("sam"), f"/tasks/{task.ref}/edit", {"assigned_to": cast.gil.ref})
    assert CaseRecord.get().record == task.ref and Case.select().count() == 1


def test_a_right_that_is_lost_is_lost_with_the_group(cast, ann, task, client_for):
    case = factories.case(ann, cast.kay, groups=[cast.counselling])
    CaseRecord.create(case=case, kind="task", record_id=task.id, record=task.ref, how="linked", by=cast.kay)
    Task.update(assigned_to=cast.sam).execute()
    client = client_for("gil")
    assert client.get(f"/tasks/{task.ref}").status_code == 200
    GroupMember.delete().where(GroupMember.account == cast.gil).execute()
    assert client.get(f"/tasks/{task.ref}").status_code == 404
