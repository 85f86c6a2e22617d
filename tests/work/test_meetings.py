"""Student meetings: scheduling, the page, moving, people added and taken off, the outcome, cancelling; who may, who is shown what."""

from datetime import UTC, datetime, timedelta

import pytest

import permissions
from blueprints.cases import actions, queries
from extensions import clock
from models import (
    Account,
    Case,
    CaseRecord,
    Conflict,
    Draft,
    Event,
    Meeting,
    MeetingStaff,
    MeetingStudent,
    MeetingType,
    MeetingVersion,
    Notification,
    OutboxEmail,
    Student,
    Trigger,
)
from tests import factories
from tests.web import text_of

START = datetime(2027, 3, 3, 10, 0, tzinfo=UTC)  # a Wednesday in winter: the school's clock shows the same


@pytest.fixture(autouse=True)
def _three_weeks_before(clock):
    """Whenever the tests run, START is still to come."""
    clock.freeze(START - timedelta(days=21))


@pytest.fixture
def ann(cast):
    return factories.student("Ann", "Finch", year_group="7", tutor_group="7A")


@pytest.fixture
def bo(cast):
    return factories.student("Bo", "Brown")


@pytest.fixture
def meeting(cast, ann):
    return factories.meeting(cast.sam, [ann], [cast.gil], starts_at=START, place="Room 12", agenda="How the first weeks went.")


def now(meeting):
    return Meeting.get_by_id(meeting.id)


def typed(ann, **given):
    kind = MeetingType.select().order_by(MeetingType.position).first()
    return {
        "students_ref": [ann.ref], "staff": "Gil Gannet", "meeting_type": kind.ref, "starts_at": "2027-03-03T10:00",
        "ends_at": "2027-03-03T10:45", "place": "Room 12", "agenda": "Attendance\nHomework", **given,
    }  # fmt: skip


def on_case(meeting, student, by, **people):
    """The meeting belongs to a case about this student."""
    case = factories.case(student, by, **people)
    CaseRecord.create(case=case, kind="meeting", record_id=meeting.id, record=meeting.ref, how="joined", by=by)
    return case


# --- Scheduling ------------------------------------------------------------------------------------------------------


def test_scheduling_on_the_page(cast, ann, client_for, post):
    sam = client_for("sam")
    page = sam.get(f"/meetings/new?student={ann.ref}").text
    for label in ("Students", "Staff", "Type", "Starts", "Ends", "Place", "Agenda"):
        assert f">{label}</label>" in page, label
    assert f'value="{ann.ref}" checked' in page, "the student whose page it was asked from"
    answer = post(sam, "/meetings/new", typed(ann))
    row = Meeting.get()
    assert (answer.status_code, answer.location) == (303, f"/meetings/{row.ref}")
    assert (row.starts_at, row.ends_at) == (START, START + timedelta(minutes=45))
    assert (row.place, row.agenda, row.sequence, row.state) == ("Room 12", "Attendance\nHomework", 0, "planned")
    assert [part.student for part in row.students] == [ann] and [one.account for one in row.staff] == [cast.gil]
    event = Event.get(Event.verb == "meeting.scheduled")
    assert event.target == row.ref and ann.ref in event.data and cast.gil.ref in event.data and "Room" not in event.data
    words = text_of(sam.get(answer.location))
    for part in ("Ann Finch", "Gil Gannet", "3 Mar 2027, 10:00", "3 Mar 2027, 10:45", "Room 12", "Homework", "Planned",
                 "Scheduled by Sam Swift", "is to be there", "scheduled it"):  # fmt: skip
        assert part in words, part


def test_who_is_to_be_there_is_told_and_invited(cast, ann, client_for, post):
    post(client_for("gil"), "/meetings/new", typed(ann, staff="Gil Gannet; Kay Kestrel"))
    assert [(row.account, row.kind) for row in Notification.select()] == [(cast.kay, "meeting_invited")], "never oneself"
    assert [(row.account, row.kind) for row in OutboxEmail.select()] == [(cast.kay, "meeting_invited")]
    page = client_for("kay").get("/notifications")
    assert f"/meetings/{Meeting.get().ref}" in client_for("kay").get(f"/notifications/{Notification.get().ref}").location or page
    assert "You are to be at a student meeting" in text_of(page)


def test_without_staff_the_one_who_schedules_is_there(cast, ann, client_for, post):
    post(client_for("sam"), "/meetings/new", typed(ann, staff=""))
    assert [row.account for row in MeetingStaff.select()] == [cast.sam]


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"students_ref": []}, "Students: Say which student this is about."),
        ({"students_ref": ["ZZZZZZZZZZ"]}, "Students: Somebody you chose is not known. Choose again."),
        ({"students": "Nobody Known"}, "Students: No student called “Nobody Known” is known."),
        ({"staff": "Nobody Known"}, "Staff: Nobody Known is not known. Check the spelling."),
        ({"staff_ref": ["ZZZZZZZZZZ"]}, "Staff: Somebody you chose is not known."),
        ({"meeting_type": ""}, "Type: Choose a type."),
        ({"meeting_type": "ZZZZZZZZZZ"}, "Type: This type can't be chosen. Choose one from the list."),
        ({"starts_at": ""}, "Starts: Say when the meeting starts."),
        ({"ends_at": ""}, "Ends: Say when the meeting ends."),
        ({"ends_at": "2027-03-03T09:59"}, "Ends: The meeting ends before it begins."),
        ({"ends_at": "2027-03-03T10:00"}, "Ends: The meeting ends before it begins."),
        ({"ends_at": "2028-03-03T10:00"}, "Ends: The meeting would last 366 days. Check the dates."),
        ({"starts_at": "31/02/2027 10:00"}, "Starts: 31 February 2027 is not a date."),
        ({"starts_at": "2027-03-03"}, "Starts: Give a time as well"),
        ({"starts_at": "0001-01-01T00:00"}, "Starts: The year 1 can't be right."),
        # The night in which the clocks go forward in London: 01:00 to 02:00 does not happen.
        ({"starts_at": "2027-03-28T01:30", "ends_at": "2027-03-28T03:00"}, "Starts: 28 March 2027, 01:30 is not a time"),
        ({"starts_at": "2027-03-28T00:30", "ends_at": "2027-03-28T01:30"}, "Ends: 28 March 2027, 01:30 is not a time"),
        ({"place": "x" * 201}, "Place: This is 201 characters long."),
        ({"agenda": "x" * 100_001}, "Agenda: This is 100,001 characters long."),
    ],
)
def test_bad_input_is_said_and_nothing_is_lost(cast, ann, client_for, post, data, sentence):
    answer = post(client_for("sam"), "/meetings/new", typed(ann) | data)
    assert answer.status_code == 422 and sentence in text_of(answer)
    assert "Attendance" in answer.text or "agenda" in data
    assert "Gil Gannet" in answer.text or "staff" in data
    assert Meeting.select().count() == 0


def test_an_hour_that_happens_twice_means_the_first(cast, ann, client_for, post):
    post(client_for("sam"), "/meetings/new", typed(ann, starts_at="2027-10-31T00:30", ends_at="2027-10-31T01:30"))
    row = Meeting.get()
    assert row.ends_at - row.starts_at == timedelta(hours=1), "01:30 summer time, not an hour later"


def test_a_student_who_left_and_a_retired_type(cast, ann, bo, client_for, post):
    Student.update(is_active=False).where(Student.id == bo.id).execute()
    answer = post(client_for("sam"), "/meetings/new", typed(ann, students_ref=[ann.ref, bo.ref]))
    assert answer.status_code == 422
    assert "Bo Brown left the school: no meeting can be scheduled about them any more." in text_of(answer)
    kind = MeetingType.select().first()
    data = typed(ann, meeting_type=kind.ref)
    MeetingType.update(is_retired=True).where(MeetingType.id == kind.id).execute()
    assert post(client_for("sam"), "/meetings/new", data).status_code == 422
    with pytest.raises(actions.Refused, match="can't be chosen any more"):
        schedule(cast.sam, [ann], meeting_type=kind.id)
    assert Meeting.select().count() == 0


def schedule(by, students, staff=(), **given):
    kind = MeetingType.select().where(~MeetingType.is_retired).first()
    given = {"meeting_type": kind.id, "starts_at": START, "ends_at": START + timedelta(hours=1)} | given
    return actions.schedule_meeting(actor=by, students=students, staff=list(staff), **given)


def test_whoever_is_kept_from_a_student_is_refused_like_somebody_who_has_left(cast, ann, bo, client_for, post):
    factories.exclusion(cast.gil, cast.ada, student=bo)
    said = {}
    for about in ([ann, bo], [bo]):
        with pytest.raises(actions.Refused) as refused:
            schedule(cast.sam, about, [cast.gil, cast.kay])
        said[refused.value.sentence] = refused.value.field
    Account.update(is_active=False).where(Account.id == cast.gil.id).execute()
    with pytest.raises(actions.Refused) as refused:
        schedule(cast.sam, [ann], [cast.gil, cast.kay])
    said[refused.value.sentence] = refused.value.field
    assert said == {"Gil Gannet can't be at this meeting. Choose somebody else.": "staff"}
    assert Meeting.select().count() == 0
    answer = post(client_for("sam"), "/meetings/new", typed(bo, staff_ref=[cast.gil.ref], staff=""))
    assert answer.status_code == 422 and "can't be at this meeting" in text_of(answer)


def test_nobody_schedules_about_a_student_they_are_kept_from(cast, ann, client_for, post):
    factories.exclusion(cast.ken, cast.ada, student=ann)
    with pytest.raises(permissions.NotVisible):
        schedule(cast.ken, [ann])
    missing = client_for("ken").get("/meetings/new?student=ZZZZZZZZZZ")
    kept = client_for("ken").get(f"/meetings/new?student={ann.ref}")
    assert missing.status_code == kept.status_code == 404 and text_of(missing) == text_of(kept)
    answer = post(client_for("ken"), "/meetings/new", typed(ann))
    assert answer.status_code == 422 and "is not known" in text_of(answer) and "Ann Finch" not in answer.text


def test_a_draft_comes_back_and_goes_when_it_is_sent(cast, ann, client_for, post):
    sam = client_for("sam")
    assert post(sam, "/drafts/meeting-new", typed(ann, agenda="Half a thought"), form_url="/meetings/new").status_code == 204
    page = client_for("sam").get("/meetings/new").text
    assert "Half a thought" in page and 'value="2027-03-03T10:00"' in page and "Draft from" in page
    post(sam, "/meetings/new", typed(ann))
    assert "Draft from" not in sam.get("/meetings/new").text
    assert "Half a thought" not in Draft.get().body


def test_what_happens_twice_happens_once(cast, ann, client_for, post):
    sam = client_for("sam")
    once = {"once": "the-same-key-for-both"}
    answers = [post(sam, "/meetings/new", typed(ann, **once)) for _ in range(2)]
    assert len({answer.location for answer in answers}) == 1 and Meeting.select().count() == 1


# --- The trigger -----------------------------------------------------------------------------------------------------


@pytest.fixture
def trigger(cast):
    Trigger.update(is_on=True, changed_by=cast.ada).where(Trigger.kind == "meeting").execute()


def test_each_student_of_a_meeting_gets_a_case_on_scheduling_and_later(cast, ann, bo, trigger):
    cy = factories.student("Cy", "Crane")
    made = schedule(cast.sam, [ann, bo], [cast.gil])
    assert {case.student_id for case in Case.select()} == {ann.id, bo.id}
    assert {(row.kind, row.record_id, row.record, row.how) for row in CaseRecord.select()} == {
        ("meeting", made.id, made.ref, "opened")
    }
    actions.add_meeting_students(made, [cy], actor=cast.gil)
    assert Case.select().where(Case.student == cy).count() == 1
    schedule(cast.sam, [ann])
    assert Case.select().where(Case.student == ann).count() == 1
    assert [row.how for row in CaseRecord.select().order_by(CaseRecord.id)] == ["opened", "opened", "opened", "joined"]


def test_the_pages_are_the_same_whether_a_case_opened_or_not(cast, ann, client_for, post):
    clock.freeze(START - timedelta(days=9))
    pages = []
    for is_on in (False, True, True):
        Trigger.update(is_on=is_on, changed_by=cast.ada).where(Trigger.kind == "meeting").execute()
        sam = client_for("sam")
        answer = post(sam, "/meetings/new", typed(ann))
        ref = answer.location.rpartition("/")[2]
        seen = [answer.data, *(sam.get(f"/meetings/{ref}{tail}").data for tail in ("", "", "/access", "/history"))]
        seen = [page.replace(ref.encode(), b"REF").replace(ref.lower().encode(), b"REF") for page in seen]
        pages.append([text_of(page.decode()) for page in seen])
        Meeting.update(starts_at=START - timedelta(days=5), ends_at=START - timedelta(days=5)).execute()  # no clash
    assert Case.select().count() == 1 and pages[0] == pages[1] == pages[2]


# --- Who may do what -------------------------------------------------------------------------------------------------

PAGES = ("", "/access", "/history", "/invitation.ics", "/time", "/edit", "/students", "/staff", "/outcome", "/cancellation")


def test_whose_pages_they_are(cast, ann, meeting, client_for, post):
    on_case(meeting, ann, cast.kay)
    for tail in PAGES:
        address = f"/meetings/{meeting.ref}{tail}"
        for who in ("sam", "gil", "ada"):
            assert client_for(who).get(address).status_code == 200, (who, tail)
        assert client_for("kay").get(address).status_code == (200 if tail in PAGES[:4] else 403), tail
        missing = text_of(client_for("oli").get(f"/meetings/ZZZZZZZZZZ{tail}"))
        for who in ("oli", "ken", "mo", "rae", "stu"):
            answer = client_for(who).get(address)
            assert answer.status_code == 404, (who, tail)
            if who == "oli":
                assert text_of(answer) == missing
    removal = f"/meetings/{meeting.ref}/staff/{cast.gil.ref}/removal"
    data = {"starts_at": "2027-03-04T10:00", "ends_at": "2027-03-04T11:00", "reason": "x", "version": "1", "outcome": "x",
            "students_ref": [ann.ref], "staff_ref": [cast.oli.ref], "agenda": "x"}  # fmt: skip
    for tail in (*PAGES[4:], removal.removeprefix(f"/meetings/{meeting.ref}")):
        for who, code in (("kay", 403), ("oli", 404), ("rae", 404), ("stu", 404)):
            assert post(client_for(who), f"/meetings/{meeting.ref}{tail}", data, form_url="/").status_code == code, (who, tail)
    assert now(meeting).version == 1 and MeetingStaff.select().where(MeetingStaff.removed_at.is_null()).count() == 1


@pytest.mark.parametrize("address", ["/meetings", "/meetings/new", "/meetings.csv", "/meetings/staff-suggest", "/meetings/clashes"])
def test_no_student_or_referral_user_has_meetings(cast, client_for, address):
    assert {client_for(who).get(address).status_code for who in ("rae", "stu")} == {404}
    assert client_for("oli").get(address).status_code == 200


def test_through_a_case_its_student_alone_is_shown(cast, ann, bo, client_for):
    meeting = factories.meeting(cast.sam, [ann, bo], [cast.gil], starts_at=START, place="At the Browns", agenda="About Bo")
    actions.record_outcome(
        meeting, outcome="Bo cried.", parts={ann.ref: ("yes", "Ann is fine."), bo.ref: ("no", "Bo stays.")}, actor=cast.gil, version=1
    )
    on_case(meeting, ann, cast.kay)
    kay = client_for("kay")
    for tail in ("", "/access", "/history"):
        words = text_of(kay.get(f"/meetings/{meeting.ref}{tail}"))
        for secret in ("Bo", "Brown", "cried", "Students 2"):
            assert secret not in words.replace("Book", ""), (tail, secret)
    words = text_of(kay.get(f"/meetings/{meeting.ref}"))
    assert "Ann is fine." in words and "Students 1" in words and "Gil Gannet" in words
    for address in ("/meetings?when=all", "/meetings.csv?when=all", f"/students/{ann.ref}/meetings"):
        page = kay.get(address)
        assert "Brown" not in page.text and page.status_code == 200
    assert meeting.ref in kay.get("/meetings.csv?when=all").text
    assert "Brown" in client_for("gil").get("/meetings.csv?when=all").text
    assert meeting.ref not in kay.get(f"/students/{bo.ref}/meetings").text
    assert meeting.ref in client_for("gil").get(f"/students/{bo.ref}/meetings").text
    assert meeting.ref not in kay.get("/meetings?when=all&q=Brown").text
    assert meeting.ref in kay.get("/meetings?when=all&q=Finch").text


def test_a_case_shows_nothing_of_a_meeting_that_its_student_was_taken_off(cast, ann, bo, client_for):
    case = factories.case(ann, cast.kay, staff=[cast.gil])
    meeting = factories.meeting(cast.sam, [ann, bo], [cast.sam])
    CaseRecord.create(case=case, kind="meeting", record_id=meeting.id, record=meeting.ref, how="joined", by=cast.sam)
    gil = client_for("gil")
    assert gil.get(f"/meetings/{meeting.ref}").status_code == 200
    actions.remove_meeting_student(meeting, ann.ref, actor=cast.sam)
    assert gil.get(f"/meetings/{meeting.ref}").status_code == 404
    assert meeting.ref not in gil.get("/meetings?when=all").text + gil.get(f"/cases/{case.ref}").text
    assert "Gil Gannet" not in {account.name for account, _ in permissions.who_can_see_record("meeting", meeting)}
    actions.add_meeting_students(meeting, [ann], actor=cast.sam)
    assert gil.get(f"/meetings/{meeting.ref}").status_code == 200


def test_who_can_see_it_tells_of_no_case(cast, ann, meeting, client_for):
    on_case(meeting, ann, cast.kay, staff=[cast.gil])
    seen = {who: text_of(client_for(who).get(f"/meetings/{meeting.ref}/access")) for who in ("sam", "gil", "ada")}
    assert "Kay Kestrel" not in seen["sam"] and "case" not in seen["sam"]
    assert "Kay Kestrel" in seen["gil"] and "Kay Kestrel" in seen["ada"], "they see the case"


def test_an_exclusion_ends_everything_at_once(cast, ann, meeting, client_for):
    gil = client_for("gil")
    assert meeting.ref in gil.get("/meetings").text and meeting.ref in gil.get("/").text
    factories.exclusion(cast.gil, cast.ada, student=ann)
    assert gil.get(f"/meetings/{meeting.ref}").status_code == 404
    for address in ("/meetings", "/meetings?when=all", "/meetings.csv", "/"):
        assert meeting.ref not in gil.get(address).text
    with pytest.raises(permissions.NotVisible):
        actions.cancel_meeting(now(meeting), reason="x", actor=cast.gil, version=1)


# --- Moving ----------------------------------------------------------------------------------------------------------


def test_moving_counts_and_tells_those_who_are_to_be_there(cast, meeting, client_for, post):
    address = f"/meetings/{meeting.ref}/time"
    answer = post(client_for("sam"), address, {"starts_at": "2027-03-04T10:00", "ends_at": "2027-03-04T11:00"})
    assert (answer.status_code, answer.location) == (303, f"/meetings/{meeting.ref}")
    row = now(meeting)
    assert (row.starts_at, row.sequence, row.place) == (START + timedelta(days=1), 1, "Room 12")
    told = Notification.get()
    assert (told.account, told.kind, told.detail) == (cast.gil, "meeting_changed", "time")
    assert "A student meeting was moved or cancelled: its time" in text_of(client_for("gil").get("/notifications"))
    history = text_of(client_for("gil").get(f"/meetings/{meeting.ref}/history"))
    assert "Sam Swift moved it. It was to start 3 Mar 2027, 10:00 ." in history
    assert [row.kind for row in OutboxEmail.select()] == ["meeting_changed"]


def test_another_place_is_no_move_for_calendars(cast, meeting):
    times = {"starts_at": meeting.starts_at, "ends_at": meeting.ends_at}
    actions.move_meeting(meeting, **times, place="Library", actor=cast.gil, version=1)
    row = now(meeting)
    assert (row.place, row.sequence, row.version) == ("Library", 0, 2)
    assert [event.verb for event in Event.select().where(Event.verb.startswith("meeting."))] == ["meeting.changed"]
    actions.move_meeting(row, **times, place="Library", actor=cast.gil, version=2)
    assert now(meeting).version == 2, "nothing changed"


def test_two_who_move_it_at_once(cast, meeting, client_for, post):
    data = {"starts_at": "2027-03-05T10:00", "ends_at": "2027-03-05T11:00", "place": "My room", "version": "1"}
    actions.move_meeting(
        now(meeting), starts_at=START + timedelta(days=1), ends_at=START + timedelta(days=2), place="Hall", actor=cast.gil, version=1
    )
    answer = post(client_for("sam"), f"/meetings/{meeting.ref}/time", data)
    words = text_of(answer)
    assert answer.status_code == 409 and "4 Mar 2027, 10:00" in words and "Hall" in words and "My room" in answer.text
    assert 'name="version" type="hidden" value="2"' in answer.text and 'value="2027-03-05T10:00"' in answer.text
    with pytest.raises(Conflict):
        actions.cancel_meeting(meeting, reason="x", actor=cast.sam, version=1)
    assert now(meeting).sequence == 1


def test_moving_to_an_end_before_the_beginning(cast, meeting, client_for, post):
    data = {"starts_at": "2027-03-05T10:00", "ends_at": "2027-03-05T09:00"}
    answer = post(client_for("sam"), f"/meetings/{meeting.ref}/time", data)
    assert answer.status_code == 422 and "Ends: The meeting ends before it begins." in text_of(answer)
    with pytest.raises(actions.Refused, match="ends before it begins"):
        actions.move_meeting(meeting, starts_at=START, ends_at=START, place="", actor=cast.sam, version=1)
    assert now(meeting).version == 1


def test_type_and_agenda_and_what_it_said_before(cast, meeting, client_for, post):
    family = MeetingType.get(MeetingType.name == "Family meeting")
    post(client_for("gil"), f"/meetings/{meeting.ref}/edit", {"meeting_type": family.ref, "agenda": "Another agenda"})
    row = now(meeting)
    assert (row.meeting_type, row.agenda, row.sequence) == (family, "Another agenda", 0)
    assert MeetingVersion.get().author == cast.gil and OutboxEmail.select().count() == 0
    words = text_of(client_for("sam").get(f"/meetings/{meeting.ref}/history"))
    assert "Gil Gannet changed the agenda and the type." in words and "How the first weeks went." in words


# --- Students and staff ----------------------------------------------------------------------------------------------


def test_adding_and_taking_off_a_student(cast, ann, bo, meeting, client_for, post):
    gil, address = client_for("gil"), f"/meetings/{meeting.ref}"
    assert "Take off Ann" not in gil.get(address).text, "the last one stays"
    answer = post(gil, f"{address}/students", {"students": "Bo Brown"})
    assert answer.status_code == 303 and "Bo Brown" in text_of(gil.get(address))
    assert "Choose somebody who is not on the meeting yet." in text_of(post(gil, f"{address}/students", {"students_ref": [bo.ref]}))
    post(gil, f"{address}/students/{ann.ref}/removal", {}, form_url=address, follow=True)
    assert "Ann Finch" not in text_of(gil.get(address))
    answer = post(gil, f"{address}/students/{bo.ref}/removal", {}, form_url="/", follow=True)
    assert "A meeting is about somebody." in text_of(answer)
    assert post(gil, f"{address}/students/{ann.ref}/removal", {}, form_url="/").status_code == 404, "not on it any more"
    actions.add_meeting_students(meeting, [ann], actor=cast.gil)
    assert MeetingStudent.select().count() == 2 and MeetingStudent.get(MeetingStudent.student == ann).removed_at is None
    history = text_of(gil.get(f"{address}/history"))
    assert "Gil Gannet added Bo Brown." in history and "Gil Gannet took off Ann Finch." in history


def test_a_student_whom_somebody_there_is_kept_from(cast, bo, meeting):
    factories.exclusion(cast.gil, cast.ada, student=bo)
    with pytest.raises(actions.Refused, match="Gil Gannet can't be at a meeting about them"):
        actions.add_meeting_students(meeting, [bo], actor=cast.sam)
    with pytest.raises(permissions.NotVisible):
        actions.add_meeting_students(meeting, [bo], actor=cast.gil)
    Student.update(is_active=False).execute()
    with pytest.raises(actions.Refused, match="left the school"):
        actions.add_meeting_students(meeting, [bo], actor=cast.sam)


def test_adding_and_taking_off_staff(cast, ann, meeting, client_for, post):
    sam, address = client_for("sam"), f"/meetings/{meeting.ref}"
    assert client_for("oli").get(address).status_code == 404
    post(sam, f"{address}/staff", {"staff": "Oli Ouzel"})
    assert client_for("oli").get(address).status_code == 200
    assert [row.kind for row in OutboxEmail.select()] == ["meeting_invited"]
    post(sam, f"{address}/staff/{cast.oli.ref}/removal", {}, form_url=address)
    assert client_for("oli").get(address).status_code == 404
    assert [(row.kind, row.account) for row in OutboxEmail.select().order_by(OutboxEmail.id)][1:] == [("meeting_cancelled", cast.oli)]
    answer = post(sam, f"{address}/staff/{cast.gil.ref}/removal", {}, form_url="/", follow=True)
    assert "Somebody has to be there." in text_of(answer)
    answer = post(sam, f"{address}/staff", {"staff_ref": [cast.gil.ref]})
    assert answer.status_code == 422 and "Choose somebody who is not to be there yet." in text_of(answer)
    assert "Say who is to be there." in text_of(post(sam, f"{address}/staff", {}))
    factories.exclusion(cast.oli, cast.ada, student=ann)
    answer = post(sam, f"{address}/staff", {"staff": "Oli Ouzel"})
    assert answer.status_code == 422 and "Oli Ouzel can't be at this meeting. Choose somebody else." in text_of(answer)
    assert "Oli" not in sam.get(f"/meetings/staff-suggest?q=oli&meeting={meeting.ref}").text


def test_whoever_was_kept_from_a_student_taken_off_is_not_let_in(cast, ann, bo, meeting):
    actions.add_meeting_students(meeting, [bo], actor=cast.gil)
    actions.remove_meeting_student(meeting, ann.ref, actor=cast.gil)
    factories.exclusion(cast.oli, cast.ada, student=ann)
    with pytest.raises(actions.Refused, match="can't be at this meeting"):
        actions.add_meeting_staff(meeting, [cast.oli], actor=cast.gil)


def test_whoever_takes_themselves_off_is_led_to_the_list(cast, meeting, client_for, post):
    actions.add_meeting_staff(meeting, [cast.kay], actor=cast.sam)
    address = f"/meetings/{meeting.ref}"
    answer = post(client_for("gil"), f"{address}/staff/{cast.gil.ref}/removal", {}, form_url=address)
    assert (answer.status_code, answer.location) == (303, "/meetings")
    assert "meeting_cancelled" not in {row.kind for row in OutboxEmail.select()}


def test_suggestions(cast, client_for):
    assert [row["label"] for row in client_for("sam").get("/meetings/staff-suggest?q=gann").json] == ["Gil Gannet"]
    assert client_for("sam").get("/meetings/staff-suggest?q=").json == []
    assert client_for("sam").get("/meetings/staff-suggest?q=raven").json == []


def test_suggestions_for_a_meeting_are_for_who_may_add_somebody(cast, ann, meeting, client_for):
    on_case(meeting, ann, cast.kay)
    codes = {who: client_for(who).get(f"/meetings/staff-suggest?q=oli&meeting={meeting.ref}").status_code for who in ("sam", "kay", "oli")}
    assert codes == {"sam": 200, "kay": 403, "oli": 404}


# --- What came of it -------------------------------------------------------------------------------------------------


def test_the_outcome_and_its_correction(cast, ann, bo, meeting, client_for, post):
    actions.add_meeting_students(meeting, [bo], actor=cast.gil)
    gil, address = client_for("gil"), f"/meetings/{meeting.ref}"
    form = gil.get(f"{address}/outcome").text
    assert ">Outcome</label>" in form and ">Ann Finch was there</label>" in form and ">Outcome for Bo Brown</label>" in form
    data = {"outcome": "We agreed.", f"attended_{ann.ref}": "yes", f"outcome_{ann.ref}": "Sees Kay weekly.", f"attended_{bo.ref}": "no"}
    post(gil, f"{address}/outcome", data)
    row = now(meeting)
    assert (row.state, row.outcome, row.ended_by) == ("held", "We agreed.", cast.gil)
    parts = {part.student.first_name: (part.attended, part.outcome) for part in MeetingStudent.select()}
    assert parts == {"Ann": ("yes", "Sees Kay weekly."), "Bo": ("no", "")}
    words = text_of(gil.get(address))
    for part in ("Held", "We agreed.", "Sees Kay weekly.", "Outcome recorded by Gil Gannet", "Change outcome"):
        assert part in words, part
    post(gil, f"{address}/outcome", {"outcome": "We agreed on two things."})
    assert "We agreed." in text_of(gil.get(f"{address}/history")) and MeetingVersion.select().count() == 1
    with pytest.raises(actions.Refused, match="it was held"):
        actions.cancel_meeting(now(meeting), reason="x", actor=cast.gil, version=3)
    with pytest.raises(actions.Refused, match="its time stays"):
        actions.move_meeting(now(meeting), starts_at=START, ends_at=START + timedelta(hours=9), place="", actor=cast.gil, version=3)


def test_two_outcomes_at_once(cast, ann, meeting, client_for, post):
    address = f"/meetings/{meeting.ref}/outcome"
    actions.record_outcome(now(meeting), outcome="Theirs", parts={}, actor=cast.sam, version=1)
    answer = post(client_for("gil"), address, {"outcome": "Mine", "version": "1", f"outcome_{ann.ref}": "Hers"})
    assert answer.status_code == 409 and "Theirs" in answer.text and "Mine" in answer.text and "Hers" in answer.text
    assert now(meeting).outcome == "Theirs" and MeetingStudent.get().outcome == ""
    assert MeetingVersion.select().count() == 0


@pytest.mark.parametrize("data", [{"outcome": "x" * 100_001}, {"attended_REF": "perhaps"}, {"outcome_REF": "x" * 100_001}])
def test_bad_input_to_the_outcome(cast, ann, meeting, client_for, post, data):
    data = {name.replace("REF", ann.ref): value for name, value in data.items()}
    answer = post(client_for("gil"), f"/meetings/{meeting.ref}/outcome", {"outcome": "Kept", **data})
    assert answer.status_code == 422 and now(meeting).state == "planned"
    with pytest.raises(actions.Refused):
        actions.record_outcome(meeting, outcome="", parts={ann.ref: ("perhaps", "")}, actor=cast.gil, version=1)
    with pytest.raises(actions.Refused, match="taken off"):
        actions.record_outcome(now(meeting), outcome="", parts={"ZZZZZZZZZZ": ("yes", "")}, actor=cast.gil, version=1)
    assert now(meeting).state == "planned"


def test_a_draft_of_the_outcome(cast, meeting, client_for, post):
    gil, address = client_for("gil"), f"/meetings/{meeting.ref}/outcome"
    key = f"/drafts/meeting-outcome:{meeting.ref.lower()}"
    assert post(gil, key, {"outcome": "Half a"}, form_url=address).status_code == 204
    page = client_for("gil").get(address)
    assert "Half a" in page.text and "Draft from" in page.text and 'name="version" type="hidden" value="1"' in page.text
    post(gil, f"{address}/draft-removal", {}, form_url=address)
    assert "Half a" not in gil.get(address).text
    post(gil, key, {"outcome": "Half a"}, form_url=address)
    assert post(gil, address, {"outcome": "Whole"}).status_code == 303
    assert now(meeting).outcome == "Whole" and "Draft from" not in gil.get(address).text


# --- Cancelling ------------------------------------------------------------------------------------------------------


def test_cancelling_is_for_good(cast, ann, bo, meeting, client_for, post):
    sam, address = client_for("sam"), f"/meetings/{meeting.ref}"
    assert "Reason: Say why the meeting is cancelled." in text_of(post(sam, f"{address}/cancellation", {"reason": " "}))
    assert post(sam, f"{address}/cancellation", {"reason": "Half term"}).status_code == 303
    row = now(meeting)
    assert (row.state, row.cancel_reason, row.sequence, row.ended_by) == ("cancelled", "Half term", 1, cast.sam)
    assert Notification.get().detail == "cancellation"
    words = text_of(sam.get(address))
    assert "Sam Swift cancelled this meeting" in words and "Half term" in words and "Reschedule" not in words
    for tail in ("time", "edit", "outcome", "cancellation"):
        assert sam.get(f"{address}/{tail}").location == address, tail
    given = {"starts_at": START, "ends_at": START + timedelta(hours=2), "place": ""}
    for refused in (
        lambda: actions.move_meeting(row, **given, actor=cast.sam, version=2),
        lambda: actions.change_meeting(row, meeting_type=row.meeting_type_id, agenda="x", actor=cast.sam, version=2),
        lambda: actions.record_outcome(row, outcome="x", parts={}, actor=cast.sam, version=2),
        lambda: actions.cancel_meeting(row, reason="x", actor=cast.sam, version=2),
        lambda: actions.add_meeting_students(row, [bo], actor=cast.sam),
        lambda: actions.add_meeting_staff(row, [cast.oli], actor=cast.sam),
        lambda: actions.remove_meeting_staff(row, cast.gil.ref, actor=cast.sam),
        lambda: actions.remove_meeting_student(row, ann.ref, actor=cast.sam),
    ):
        with pytest.raises(actions.Refused, match="This meeting was cancelled"):
            refused()
    data = {"starts_at": "2027-03-05T10:00", "ends_at": "2027-03-05T11:00", "version": "2"}
    answer = post(sam, f"{address}/time", data, form_url="/")
    assert answer.status_code == 422 and "This meeting was cancelled." in text_of(answer)
    assert now(meeting).version == 2


# --- Lists -----------------------------------------------------------------------------------------------------------


def test_the_lists_and_their_filters(cast, ann, bo, client_for):
    clock.freeze(START)
    day = timedelta(days=1)
    family = MeetingType.get(MeetingType.name == "Family meeting")
    soon = factories.meeting(cast.sam, [ann], [cast.gil], starts_at=START + day)
    later = factories.meeting(cast.sam, [bo], [cast.gil], starts_at=START + 9 * day, meeting_type=family)
    over = factories.meeting(cast.sam, [ann], [cast.gil], starts_at=START - day)
    held = factories.meeting(cast.gil, [ann], [cast.kay], starts_at=START - 2 * day, state="held")
    off = factories.meeting(cast.sam, [ann], [cast.gil], starts_at=START + day, state="cancelled")
    gil = client_for("gil")

    def listed(query):
        page = gil.get(f"/meetings{query}")
        assert page.status_code == 200
        body = page.text.partition("<tbody>")[2].partition("</tbody>")[0]
        return [part.partition('"')[0] for part in body.split('href="/meetings/')[1:]]

    assert listed("") == [soon.ref, later.ref]
    assert listed("?when=past") == [over.ref, held.ref]
    assert set(listed("?when=all")) == {one.ref for one in (soon, later, over, held, off)}
    assert listed(f"?when=all&type={family.ref}") == [later.ref]
    assert listed("?when=all&state=cancelled") == [off.ref]
    assert listed("?q=brown") == [later.ref] and listed("?q=finch+ann") == [soon.ref] and listed("?q=%25") == []
    assert listed("?when=all&from=2027-03-04&to=2027-03-04") == sorted([soon.ref, off.ref], key=[off.ref, soon.ref].index)
    assert listed("?when=all&from=rubbish&type=ZZ&state=x&page=-1&mine=2") == listed("?when=all")
    assert listed("?when=nonsense") == [soon.ref, later.ref]
    assert "No outcome yet" in text_of(gil.get("/meetings?when=past"))
    kay = client_for("kay").get("/meetings?when=all&mine=1").text
    assert held.ref in kay and soon.ref not in kay
    ada = client_for("ada")
    assert soon.ref in ada.get("/meetings").text and soon.ref not in ada.get("/meetings?mine=1").text
    chips = text_of(gil.get("/meetings?when=all&from=2027-03-04&q=ann&mine=1"))
    assert "From: 4 March 2027" in chips and "Student: ann" in chips and "Mine" in chips


def test_what_an_export_holds(cast, ann, client_for):
    row = factories.meeting(cast.sam, [ann], [cast.gil], place="=HYPERLINK(1)", agenda="Secret agenda")
    answer = client_for("gil").get("/meetings.csv")
    assert "Meeting,Starts,Ends,Type,Students,Staff,Place,State" in answer.text.splitlines()[0]
    assert f"{row.ref}," in answer.text and "Ann Finch,Gil Gannet,'=HYPERLINK(1),Planned" in answer.text
    assert "Secret agenda" not in answer.text
    event = Event.get(Event.verb == "meeting.exported")
    assert event.actor == cast.gil and '"count": 1' in event.data
    assert client_for("oli").get("/meetings.csv").text.count("\n") == 1
    assert client_for("gil").get("/meetings.xlsx").data[:2] == b"PK"
    of_ann = client_for("gil").get(f"/students/{ann.ref}/meetings/export.csv")
    assert row.ref in of_ann.text
    assert client_for("oli").get(f"/students/{ann.ref}/meetings/export.csv").text.count("\n") == 1


def test_the_tab_of_a_student(cast, ann, meeting, client_for):
    page = client_for("gil").get(f"/students/{ann.ref}/meetings")
    assert meeting.ref in page.text and f"/meetings/new?student={ann.ref}" in page.text
    assert "There is no meeting about Ann Finch" in text_of(client_for("oli").get(f"/students/{ann.ref}/meetings"))
    Student.update(is_active=False).where(Student.id == ann.id).execute()
    assert "/meetings/new" not in client_for("gil").get(f"/students/{ann.ref}/meetings").text, "left"
    factories.exclusion(cast.oli, cast.ada, student=ann)
    for who in ("oli", "rae", "stu"):
        assert client_for(who).get(f"/students/{ann.ref}/meetings").status_code == 404


def test_the_dashboard_has_the_next_ones(cast, ann, bo, client_for):
    soon = factories.meeting(cast.sam, [ann, bo], [cast.gil], place="Room 12")
    over = factories.meeting(cast.sam, [ann], [cast.gil], starts_at=clock.now() - timedelta(days=1))
    off = factories.meeting(cast.sam, [ann], [cast.gil], state="cancelled")
    page = client_for("gil").get("/")
    words = text_of(page)
    assert "My next meetings" in words and "Bo Brown , Ann Finch" in words and "Room 12" in words
    assert soon.ref in page.text and over.ref not in page.text and off.ref not in page.text
    assert "My next meetings" not in text_of(client_for("sam").get("/")), "Sam scheduled it and is not to be there"


# --- Clashes ---------------------------------------------------------------------------------------------------------


def test_clashes_are_said_as_far_as_the_reader_sees(cast, ann, bo, client_for):
    seen = factories.meeting(cast.sam, [ann], [cast.gil], starts_at=START)
    factories.meeting(cast.kay, [bo], [cast.oli], starts_at=START)

    def asked(who, **given):
        data = {"starts_at": "2027-03-03T10:15", "ends_at": "2027-03-03T11:00", **given}
        return text_of(client_for(who).get("/meetings/clashes", query_string=data))

    people = {"students_ref": [ann.ref, bo.ref], "staff_ref": [cast.gil.ref, cast.oli.ref]}
    words = asked("sam", **people)
    assert "Ann Finch is in another meeting" in words and "Gil Gannet is in another meeting" in words
    assert "Bo" not in words and "Oli" not in words, "Sam does not see that meeting"
    assert "Oli Ouzel is in another meeting" in asked("ada", **people)
    assert "Nobody you chose" in asked("sam", students_ref=[ann.ref], starts_at="2027-03-03T10:30")
    assert "Choose people and a time" in asked("sam", starts_at="")
    assert "Nobody you chose" in asked("sam", **people, ends_at="2027-03-03T10:00")
    seen.change(1, state="cancelled")
    assert "Nobody you chose" in asked("sam", **people)


def test_a_clash_with_a_student_who_is_not_shown_is_none(cast, ann, bo, client_for):
    hidden = factories.meeting(cast.sam, [ann, bo], [cast.gil], starts_at=START)
    on_case(hidden, ann, cast.kay)
    given = {"student_ids": [ann.id, bo.id], "account_ids": [cast.gil.id]}
    found = queries.meeting_clashes(cast.kay, START, START + timedelta(hours=1), **given)
    assert [clash.who for clash in found] == ["Ann Finch", "Gil Gannet"]


def test_the_page_and_the_refused_form_say_the_clash_and_save_all_the_same(cast, ann, client_for, post):
    factories.meeting(cast.sam, [ann], [cast.gil], starts_at=START)
    sam = client_for("sam")
    refused = post(sam, "/meetings/new", typed(ann, meeting_type=""))
    assert "Gil Gannet is in another meeting" in text_of(refused)
    preview = post(sam, "/meetings/new", typed(ann, preview="1"))
    assert preview.status_code == 200 and "Gil Gannet is in another meeting" in text_of(preview) and Meeting.select().count() == 1
    answer = post(sam, "/meetings/new", typed(ann))
    assert answer.status_code == 303 and "Ann Finch is in another meeting" in text_of(sam.get(answer.location))


# --- What it costs ---------------------------------------------------------------------------------------------------


def test_pages_cost_the_same_however_many_there_are(cast, ann, client_for, count_queries):
    sam = client_for("sam")
    first = schedule(cast.sam, [ann], [cast.gil])
    actions.add_meeting_staff(first, [cast.mo], actor=cast.sam)
    addresses = ("/meetings", "/meetings?when=all&q=ann", f"/students/{ann.ref}/meetings", f"/meetings/{first.ref}", "/meetings.csv",
                 f"/meetings/{first.ref}/history", "/meetings/new", f"/meetings/{first.ref}/outcome")  # fmt: skip
    few = {}
    for address in addresses:
        sam.get(address)
        with count_queries(most=10) as asked:
            sam.get(address)
        few[address] = len(asked)
    staff = [cast.gil, cast.kay, cast.oli, cast.mo]
    for number in range(40):
        factories.meeting(cast.sam, [ann, factories.student("Di", f"Dove {number}")], staff, starts_at=START + timedelta(days=number + 3))
    actions.add_meeting_staff(first, [cast.kay, cast.oli], actor=cast.sam)
    actions.add_meeting_students(first, [factories.student("Eve", "Egret")], actor=cast.sam)
    for address in addresses:
        with count_queries(most=10) as asked:
            assert sam.get(address).status_code == 200
        assert len(asked) <= few[address], address


def test_reads_are_recorded(cast, ann, meeting, client_for):
    gil = client_for("gil")
    for tail in ("", "/access", "/history", "/invitation.ics"):
        gil.get(f"/meetings/{meeting.ref}{tail}")
    gil.get("/meetings")
    verbs = [event.verb for event in Event.select().where(Event.verb.startswith("meeting.")).order_by(Event.id)]
    assert verbs == ["meeting.read", "meeting.access_read", "meeting.read", "meeting.file_read", "meeting.listed"]
    assert {event.reasons for event in Event.select().where(Event.verb == "meeting.read")} == {"invited"}
    client_for("oli").get(f"/meetings/{meeting.ref}")
    assert Event.select().where(Event.verb == "access.denied").count() == 1
