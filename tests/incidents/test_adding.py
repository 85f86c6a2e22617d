"""Adding an incident: who may set what, what is refused with everything kept, and what hangs on it afterwards."""

import io
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import permissions
from blueprints.incidents import actions, queries
from extensions import clock
from models import (
    Account,
    Draft,
    Event,
    GroupMember,
    Incident,
    IncidentAlert,
    IncidentAssignment,
    IncidentClosure,
    IncidentStudent,
    IncidentVersion,
    OutboxEmail,
    PartCategory,
    School,
    StoredFile,
)
from tests import factories
from tests.web import forms, text_of

NEW = "/incidents/new"
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c636060606000000005000157a4"
    "1c2b0000000049454e44ae426082"
)


@pytest.fixture
def filled(world):
    """What a browser sends of a form that is filled in well."""
    return {"students_ref": world.cast.student.ref, "category": world.bullying.ref, "text": "He was pushed."}


def add(world, **changes):
    part = actions.NewPart(world.cast.student, "subject", [world.bullying.id])
    given = {"actor": world.cast.sam, "text": "He was pushed.", "happened_at": clock.now(), "parts": [part]}
    return actions.add(**given | changes)


# --- Rules -----------------------------------------------------------------------------------------------------------


def test_an_incident_has_everything_that_hangs_on_it(world):
    cast = world.cast
    row = add(world, actor=cast.kay, accounts=[cast.oli], groups=[cast.counselling], status="Closed",
              assigned_to=cast.ken, place="Hall")  # fmt: skip
    assert row.ref.startswith("I-") and len(row.ref) == 8
    assert (row.status, row.assigned_to, row.author, row.place) == ("Closed", cast.ken, cast.kay, "Hall")
    (version,) = IncidentVersion.select().where(IncidentVersion.incident == row)
    assert (version.number, version.text, version.author) == (1, "He was pushed.", cast.kay)
    (part,) = IncidentStudent.select().where(IncidentStudent.incident == row)
    assert [pick.category for pick in PartCategory.select().where(PartCategory.part == part)] == [world.bullying]
    assert IncidentClosure.select().where(IncidentClosure.incident == row).count() == 1
    assert IncidentAssignment.get(IncidentAssignment.incident == row).to == cast.ken
    alerts = list(IncidentAlert.select().where(IncidentAlert.incident == row))
    assert {(alert.account, alert.group) for alert in alerts} == {(cast.oli, None), (None, cast.counselling)}
    mails = {(mail.kind, mail.account) for mail in OutboxEmail.select()}
    assert mails == {("incident_assigned", cast.ken), ("incident_alerted", cast.oli), ("incident_alerted", cast.gil)}
    (event,) = Event.select().where(Event.verb == "incident.added")
    assert event.target == row.ref and "pushed" not in event.data and "Stu" not in event.data


def test_nobody_emails_themselves(world):
    cast = world.cast
    GroupMember.create(group=cast.counselling, account=cast.kay)
    add(world, actor=cast.kay, accounts=[cast.kay], groups=[cast.counselling], assigned_to=cast.kay, status="Active")
    assert [mail.account for mail in OutboxEmail.select()] == [cast.gil]


@pytest.mark.parametrize("who", ["sam", "mo", "gil", "oli"])
def test_only_key_users_set_status_and_assigned_to(world, who):
    before = Incident.select().count()
    for choice in ({"status": "Active"}, {"assigned_to": world.cast.ken, "status": "Active"}):
        with pytest.raises(permissions.Denied):
            add(world, actor=getattr(world.cast, who), **choice)
    assert Incident.select().count() == before


@pytest.mark.parametrize("who", ["rae", "stu"])
def test_people_outside_staff_add_nothing(world, who):
    with pytest.raises(permissions.Denied):
        add(world, actor=getattr(world.cast, who))


@pytest.mark.parametrize("wrong", ["sam", "rae", "inactive"])
def test_only_active_key_users_can_be_assigned(world, wrong):
    cast = world.cast
    Account.update(is_active=False).where(Account.id == cast.ken.id).execute()
    chosen = cast.ken if wrong == "inactive" else getattr(cast, wrong)
    with pytest.raises(actions.Refused) as refused:
        add(world, actor=cast.kay, status="Active", assigned_to=chosen)
    assert refused.value.field == "assigned_to"


def test_a_student_who_is_closed_to_the_author_is_not_known(world):
    factories.exclusion(world.cast.sam, world.cast.ada, student=world.cast.student)
    with pytest.raises(actions.Refused) as refused:
        add(world)
    assert refused.value.field == "students"


def test_letting_somebody_past_a_need_to_know_group_wants_a_confirmation_of_exactly_them(world):
    cast = world.cast
    secret = [actions.NewPart(cast.student, "subject", [world.disclosure.id])]
    team = factories.group("Tutors", members=[cast.oli, cast.gil])
    choice = {"parts": secret, "actor": cast.ada, "groups": [team], "assigned_to": cast.ken, "status": "Active"}
    with pytest.raises(actions.Unconfirmed) as question:
        add(world, **choice)
    assert [person.name for person in question.value.people] == ["Ken Kittiwake", "Oli Ouzel"]
    GroupMember.create(group=team, account=cast.mo)
    with pytest.raises(actions.Unconfirmed):
        add(world, **choice, confirmed=question.value.confirmation)
    GroupMember.delete().where(GroupMember.account == cast.mo).execute()
    row = add(world, **choice, confirmed=question.value.confirmation)
    assert permissions.incident_reasons(cast.oli, row) == ["alerted"]
    other = add(world, parts=secret)
    assert permissions.incident_reasons(cast.oli, other) == []


def test_members_of_the_group_the_author_and_admins_need_no_confirmation(world):
    cast = world.cast
    secret = [actions.NewPart(cast.student, "subject", [world.disclosure.id])]
    assert add(world, parts=secret, accounts=[cast.gil, cast.ada, cast.sam])


def test_somebody_excluded_cannot_be_alerted_or_assigned(world):
    factories.exclusion(world.cast.ken, world.cast.ada, student=world.cast.student)
    for choice in ({"accounts": [world.cast.ken]}, {"assigned_to": world.cast.ken, "status": "Active"}):
        with pytest.raises(actions.Refused) as refused:
            add(world, actor=world.cast.kay, **choice)
        assert "exclu" not in str(refused.value)


def test_the_preview_and_the_page_agree(world):
    """Whatever is chosen: who would see it, said before saving, is who sees it afterwards."""
    cast = world.cast
    child = factories.category("Neglect", parent=world.disclosure)
    students = [cast.student, factories.student("Bea")]
    factories.exclusion(cast.ken, cast.ada, student=students[1])
    people, groups = [cast.oli, cast.gil, cast.kay, cast.mo], [cast.counselling, factories.group(members=[cast.mo])]
    categories = [world.bullying, world.disclosure, child]

    @settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        st.lists(st.tuples(st.sampled_from(students), st.sets(st.sampled_from(categories), min_size=1)), min_size=1,
                 max_size=2, unique_by=lambda one: one[0].id),
        st.sets(st.sampled_from(people), max_size=3), st.sets(st.sampled_from(groups), max_size=2),
        st.sampled_from([None, cast.kay, cast.ada]), st.sampled_from([cast.sam, cast.kay, cast.gil]),
    )  # fmt: skip
    def agree(parts, accounts, teams, assigned_to, author):
        asked = [(student.id, [category.id for category in picks]) for student, picks in parts]
        said = queries.form_audience(author, parts=asked, accounts=accounts, groups=teams, assigned_to=assigned_to)
        row = factories.incident(author, [(student, picks) for student, picks in parts],
                                 alerted=[*accounts, *teams], assigned_to=assigned_to)  # fmt: skip
        now = permissions.who_can_see_incident(row)
        assert [(person.id, why) for person, why in said.readers] == [(person.id, why) for person, why in now]
        same = queries.incident_audience(row)
        assert [(person.id, why) for person, why in same.readers] == [(person.id, why) for person, why in now]
        assert same.new == same.outside == []

    agree()


# --- The form --------------------------------------------------------------------------------------------------------


def test_the_form_has_its_labels(world, client_for):
    html = client_for("kay").get(NEW).get_data(as_text=True)
    for label in ("Students", "Category", "What happened", "When it happened", "Place", "Alert", "Files", "Status",
                  "Assigned to"):  # fmt: skip
        assert f">{label}</label>" in html, label
    assert ">Add incident</button>" in html and "Say who saw it." in html
    sam = client_for("sam").get(NEW).get_data(as_text=True)
    assert ">Status</label>" not in sam and ">Assigned to</label>" not in sam
    for who in ("rae", "stu"):
        assert client_for(who).get(NEW).status_code == 404
    assert client_for("oli").get(NEW).status_code == 200


def test_the_form_costs_few_queries(world, client_for, count_queries):
    client = client_for("kay")
    with count_queries(most=8):
        assert client.get(NEW).status_code == 200


def test_sam_adds_an_incident(world, client_for, post, filled, new_incident, clock):
    clock.freeze(datetime(2026, 11, 14, 9, 40, tzinfo=UTC))
    answer = post(client_for("sam"), NEW, filled | {"place": "Yard", f"role-{world.cast.student.ref}": "affected"})
    row = new_incident()
    assert answer.status_code == 303 and answer.location == f"/incidents/{row.ref}"
    assert (row.text, row.place, row.author, row.status) == ("He was pushed.", "Yard", world.cast.sam, "Active")
    assert row.happened_at == datetime(2026, 11, 14, 9, 40, tzinfo=UTC)
    assert IncidentStudent.get(IncidentStudent.incident == row).role == "affected"


@pytest.mark.parametrize("who", ["sam", "oli"])
@pytest.mark.parametrize("forged", [{"status": "Closed"}, {"assigned_to": "ken"}, {"assigned_to": ""}, {"status": ""}])
def test_forged_fields_save_nothing(world, client_for, post, filled, who, forged):
    before = Incident.select().count()
    if forged.get("assigned_to"):
        forged = {"assigned_to": world.cast.ken.ref}
    assert post(client_for(who), NEW, filled | forged).status_code == 403
    assert Incident.select().count() == before


def test_forged_fields_are_refused_while_the_module_is_off(world, client_for, post, filled):
    School.update(cases_module=False).execute()
    client = client_for("kay")
    assert post(client, NEW, filled | {"status": "Active"}).status_code == 403
    assert post(client, NEW, filled).status_code == 303


def test_kay_sets_status_and_assigned_to(world, client_for, post, filled, new_incident):
    answer = post(client_for("kay"), NEW, filled | {"status": "Active", "assigned_to": world.cast.ken.ref})
    assert answer.status_code == 303 and new_incident().assigned_to == world.cast.ken
    offered = next(form for form in forms(client_for("kay").get(NEW)) if "assigned_to" in form.controls)
    cast = world.cast
    assert offered.choices["assigned_to"] == ["", cast.ada.ref, cast.kay.ref, cast.ken.ref]


BAD = [
    ({"happened_at": "2199-01-01T10:00"}, "in the future"),
    ({"happened_at": "2026-02-31T10:00"}, "31 February 2026 is not a date."),
    ({"happened_at": "yesterday"}, "is not a date"),
    ({"happened_at": ""}, "Say when it happened."),
    ({"happened_at": None}, "Say when it happened."),
    ({"text": ""}, "Say what happened."),
    ({"text": "x" * 1_048_576}, "1,048,576 characters long"),
    ({"category": ""}, "Choose a category."),
    ({"category": "ZZZZZZZZZZ"}, "can&#39;t be chosen any more"),
    ({"further": "ZZZZZZZZZZ"}, "can&#39;t be chosen any more"),
    ({"students_ref": "ZZZZZZZZZZ"}, "not known"),
    ({"students_ref": None}, "Say which student this is about."),
    ({"students_ref": None, "students": "Nobody Here"}, "Nobody Here"),
    ({"alert_ref": "a:ZZZZZZZZZZ"}, "not there any more"),
    ({"alert_ref": "nonsense"}, "not there any more"),
    ({"alert": "Nobody Here"}, "Nobody Here is not known"),
    ({"assigned_to": "sam"}, "Key Users only"),
    ({"assigned_to": "ZZZZZZZZZZ"}, "Key Users only"),
    ({"assigned_to": "inactive"}, "Ken Kittiwake was deactivated"),
    ({"status": "Forgotten"}, "Not a valid choice"),
    ({"place": "x" * 201}, "201 characters long"),
    ({"files": (io.BytesIO(b"MZ\x90\x00" + b"\0" * 100), "setup.exe")}, "setup.exe"),
]


@pytest.mark.parametrize(("changes", "sentence"), BAD, ids=[f"{next(iter(bad))}-{n}" for n, (bad, _) in enumerate(BAD)])
def test_bad_input_gets_a_sentence_and_keeps_what_was_typed(world, client_for, post, filled, changes, sentence):
    client, cast = client_for("kay"), world.cast
    before = Incident.select().count()
    page = client.get(NEW)
    changes = dict(changes)
    if changes.get("assigned_to") in ("sam", "inactive"):
        changes["assigned_to"] = (cast.sam if changes["assigned_to"] == "sam" else cast.ken).ref
        Account.update(is_active=False).where(Account.id == cast.ken.id).execute()
    assert page.status_code == 200
    answer = post(client, NEW, filled | {"place": "Upper yard"} | changes)
    html = answer.get_data(as_text=True)
    assert answer.status_code == 422 and sentence in html
    assert 'aria-invalid="true"' in html and "Please check this" in html
    assert Incident.select().count() == before
    kept = next(form for form in forms(answer) if "text" in form.controls).values
    sent = {"place": "Upper yard", "text": "He was pushed.", **changes}
    assert kept["text"] == [sent["text"]] and kept["place"] == [sent["place"]]
    if "students_ref" not in changes:
        assert kept["students_ref"] == [cast.student.ref]
    for name in ("happened_at", "alert", "students"):
        if changes.get(name):
            assert kept[name] == [changes[name]]


def test_a_file_of_200_mb_is_refused_and_nothing_else_is_lost(world, client_for, post, filled):
    class Zeros(io.RawIOBase):
        """200 MB that were never in memory."""

        left = 200 * 1024 * 1024

        def readable(self):
            return True

        def readinto(self, buffer):
            size = min(len(buffer), self.left)
            buffer[:size] = bytes(size)
            self.left -= size
            return size

    answer = post(client_for("sam"), NEW, filled | {"files": (io.BufferedReader(Zeros()), "film.mp4")})
    assert answer.status_code == 422 and "film.mp4 is 200 MB" in answer.get_data(as_text=True)
    assert "He was pushed." in answer.get_data(as_text=True)
    assert StoredFile.select().count() == 0


def test_files_are_stored_and_a_failed_form_leaves_none_behind(world, app, client_for, post, filled, new_incident):
    files = [(io.BytesIO(PNG), "note.png"), (io.BytesIO(b"plain words\n"), "words.txt")]
    assert post(client_for("sam"), NEW, filled | {"files": files}).status_code == 303
    rows = list(StoredFile.select().where(StoredFile.incident == new_incident()))
    assert [row.name for row in rows] == ["note.png", "words.txt"]
    folder = app.settings.instance / "files"
    on_disk = {path.name for path in folder.rglob("*") if path.is_file()}
    assert len(on_disk) == 2
    factories.exclusion(world.cast.oli, world.cast.ada, student=world.cast.student)
    answer = post(client_for("sam"), NEW, filled | {"files": (io.BytesIO(PNG), "b.png"),
                                                    "alert_ref": f"a:{world.cast.oli.ref}"})  # fmt: skip
    assert answer.status_code == 422 and "Choose your files again" in answer.get_data(as_text=True)
    assert {path.name for path in folder.rglob("*") if path.is_file()} == on_disk


def test_the_quota_is_a_sentence(world, client_for, post, filled, monkeypatch):
    from blueprints.incidents.queries import choices

    monkeypatch.setattr(choices, "QUOTA", 20)
    answer = post(client_for("sam"), NEW, filled | {"files": (io.BytesIO(b"x" * 100), "a.txt")})
    assert answer.status_code == 422 and "there is room for" in answer.get_data(as_text=True)


def test_names_typed_without_a_script(world, client_for, post, filled, new_incident):
    ann = factories.student("Ann", "Finch")
    factories.student("Anna", "Fisher")
    client = client_for("sam")
    sent = {**filled, "students_ref": None, "students": "Stu Sturgeon; Ann Finch", "alert": "kay kestrel, Counselling"}
    assert post(client, NEW, sent).status_code == 303
    row = new_incident()
    assert {part.student for part in row.parts} == {world.cast.student, ann}
    assert {alert.account or alert.group for alert in row.alerts} == {world.cast.kay, world.cast.counselling}


def test_typed_names_that_fit_several_offer_a_choice(world, client_for, post, filled, new_incident):
    ann, anna = factories.student("Ann", "Finch"), factories.student("Anna", "Fisher")
    client = client_for("sam")
    answer = post(client, NEW, {**filled, "students_ref": None, "students": "Ann"})
    form = next(form for form in forms(answer) if "text" in form.controls)
    assert answer.status_code == 422 and form.choices["students_choice"] == [ann.ref, anna.ref]
    answer = client.post(NEW, data={**form.values, "students_choice": anna.ref})
    assert answer.status_code == 303
    assert [part.student for part in new_incident().parts] == [anna]


def test_several_students_with_their_own_categories(world, client_for, post, filled, new_incident):
    bea, theft = factories.student("Bea"), factories.category("Theft")
    sent = filled | {"students_ref": [world.cast.student.ref, bea.ref], f"role-{bea.ref}": "witness",
                     f"categories-{bea.ref}": [theft.ref], "further": [theft.ref]}  # fmt: skip
    assert post(client_for("sam"), NEW, sent).status_code == 303
    parts = {
        part.student: (part.role, {pick.category for pick in part.categories}) for part in new_incident().parts
    }
    assert parts == {world.cast.student: ("subject", {world.bullying, theft}), bea: ("witness", {theft})}


def test_a_forged_role_is_refused(world, client_for, post, filled):
    answer = post(client_for("sam"), NEW, filled | {f"role-{world.cast.student.ref}": "culprit"})
    assert answer.status_code == 422


def test_the_warning_and_its_confirmation(world, client_for, post, filled, new_incident):
    cast, client = world.cast, client_for("sam")
    sent = filled | {"category": world.disclosure.ref, "alert_ref": f"a:{cast.oli.ref}"}
    before = Incident.select().count()
    answer = post(client, NEW, sent)
    assert answer.status_code == 422 and "Oli Ouzel" in text_of(answer) and "need-to-know" in text_of(answer)
    assert Incident.select().count() == before
    form = next(form for form in forms(answer) if "text" in form.controls)
    (confirmation,) = form.choices["confirmed"]
    for forged in ("", "yes", confirmation[:-1]):
        assert post(client, NEW, sent | {"confirmed": forged}).status_code == 422
    assert client.post(NEW, data={**form.values, "confirmed": confirmation}).status_code == 303
    assert permissions.incident_reasons(cast.oli, new_incident()) == ["alerted"]


def test_who_will_see_this_is_said_before_saving(world, client_for, post, filled):
    cast, client = world.cast, client_for("sam")
    query = f"students_ref={cast.student.ref}&category={world.bullying.ref}&alert_ref=g:{cast.counselling.ref}"
    said = text_of(client.get(f"/incidents/access-preview?{query}"))
    assert said == "This gives 5 people access: Ada Adler, Gil Gannet, Kay Kestrel, Ken Kittiwake, Sam Swift."
    said = text_of(client.get(f"/incidents/access-preview?category={world.disclosure.ref}"))
    assert said == "This gives 3 people access: Ada Adler, Gil Gannet, Sam Swift."
    before = Incident.select().count()
    answer = post(client, NEW, filled | {"preview": "1", "text": "Half a sente"})
    assert answer.status_code == 200 and Incident.select().count() == before
    assert "This gives 4 people access" in text_of(answer) and "Half a sente" in answer.get_data(as_text=True)
    assert client_for("rae").get(f"/incidents/access-preview?{query}").status_code == 404


def test_suggestions_of_people_to_alert(world, client_for):
    client = client_for("sam")
    found = client.get("/incidents/alert-suggest?q=ke").json
    assert [one["label"] for one in found] == ["Kay Kestrel", "Ken Kittiwake"]
    assert client.get("/incidents/alert-suggest?q=couns").json == [
        {"ref": f"g:{world.cast.counselling.ref}", "label": "Counselling", "hint": "Group, 1 member"}
    ]
    assert client.get("/incidents/alert-suggest?q=stu").json == client.get("/incidents/alert-suggest?q=").json == []
    assert client_for("stu").get("/incidents/alert-suggest?q=ke").status_code == 404


def test_sent_twice_it_is_added_once(world, client_for, filled):
    client = client_for("sam")
    form = next(form for form in forms(client.get(NEW)) if "text" in form.controls)
    before = Incident.select().count()
    first, second = (client.post(NEW, data={**form.values, **filled}) for _ in range(2))
    assert first.location == second.location and Incident.select().count() == before + 1


def test_a_draft_comes_back_and_goes_when_it_is_sent(world, client_for, post, filled):
    client = client_for("sam")
    form = next(form for form in forms(client.get(NEW)) if "text" in form.controls)
    typed = {**form.values, **filled, "text": "Half a sente", "alert_ref": f"a:{world.cast.kay.ref}"}
    assert client.post("/drafts/incident-new", data=typed).status_code == 204
    page = client.get(NEW)
    assert "Half a sente" in page.get_data(as_text=True) and "Draft from" in text_of(page)
    kept = next(form for form in forms(page) if "text" in form.controls).values
    assert kept["students_ref"] == [world.cast.student.ref] and kept["alert_ref"] == [f"a:{world.cast.kay.ref}"]
    assert "Half a sente" not in client_for("oli").get(NEW).get_data(as_text=True)
    assert post(client, NEW, {"text": "All of it."}).status_code == 303
    assert "Draft from" not in text_of(client.get(NEW))
    client.post("/drafts/incident-new", data=typed | {"once": "another-one-time-key"})
    assert "Draft from" in text_of(client.get(NEW))
    assert post(client, "/incidents/new/draft-removal", form_url=NEW).status_code == 303
    assert "Draft from" not in text_of(client.get(NEW))
    assert Draft.select().count() == 1


def test_a_reference_that_is_taken_is_not_given_again(world, monkeypatch):
    from blueprints.incidents.actions import adding

    given = iter([world.incident.ref, "I-000000"])
    monkeypatch.setattr(adding, "new_ref", lambda *_: next(given))
    assert add(world).ref == "I-000000"


def test_the_page_of_a_student_leads_here_with_the_student_chosen(world, client_for):
    page = client_for("sam").get(f"{NEW}?student={world.cast.student.ref}")
    assert next(form for form in forms(page) if "text" in form.controls).values["students_ref"]
    assert client_for("sam").get(f"{NEW}?student=ZZZZZZZZZZ").status_code == 200


def test_the_future_is_judged_by_the_schools_clock(world, client_for, post, filled, clock):
    School.update(timezone="America/New_York").execute()
    clock.freeze(datetime(2026, 3, 1, 3, 0, tzinfo=UTC))  # 22:00 on 28 February in New York
    client = client_for("sam")
    assert post(client, NEW, filled | {"happened_at": "2026-03-01T01:00"}).status_code == 422
    assert post(client, NEW, filled | {"happened_at": "2026-02-28T21:59"}).status_code == 303
    newest = Incident.select().order_by(Incident.id.desc()).first()
    assert newest.happened_at == clock.now() - timedelta(minutes=1)
