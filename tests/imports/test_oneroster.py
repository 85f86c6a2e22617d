"""A OneRoster set, 1.1 and 1.2, from the zip to students, accounts, departments and groups; and sent again."""

import json

import pytest

from models import Account, Department, Event, Group, GroupMember, OutboxEmail, Session, Student
from tests import factories
from tests.imports.files import RosterSet, checked, counts, rows, school, whole

VERSIONS = ("1.1", "1.2")
TABLES = (Student, Account, Group, GroupMember, Department)


def import_set(app, cast, made, **options):
    return whole(app, cast.ada, made.zip(), "oneroster", **options)


def check_set(app, cast, made, **options):
    return checked(app, cast.ada, made.zip(), "oneroster", **options)


def refused(app, cast, made, **options):
    """{where: sentence} of what a set is refused for."""
    return {line: sentence for line, sentence, _ in rows(check_set(app, cast, made, **options), "refused")}


def notes(run):
    return " ".join(json.loads(run.counts)["notes"])


def everything():
    return [list(model.select().order_by(model.id).tuples()) for model in TABLES]


def member_names(group):
    links = GroupMember.select(Account.name).join(Account, on=(GroupMember.account == Account.id)).switch(GroupMember)
    return sorted(name for (name,) in links.join(Group).where(Group.name == group).tuples())


@pytest.fixture(params=VERSIONS)
def version(request):
    return request.param


# --- A whole set -----------------------------------------------------------------------------------------------------


def test_a_school_arrives(app, cast, version):
    run = import_set(app, cast, school(version))
    assert rows(run, "refused") == []
    ann, bo = (Student.get(Student.source_id == one) for one in ("s1", "s2"))
    assert (ann.name, ann.year_group, ann.tutor_group) == ("Ann Finch", "7", "7A")
    assert (ann.admission_number, ann.email_folded) == ("A1", "ann@pupils.example.org")
    assert (bo.year_group, bo.tutor_group, bo.email_folded) == ("8", "8B", None)
    tom, pat = (Account.get(Account.source_id == one) for one in ("t1", "p1"))
    assert (tom.name, tom.role, tom.title, tom.phone) == ("Tom Tern", "staff", "Teacher", "0123")
    assert (pat.role, pat.title) == ("staff", "Administrator" if version == "1.1" else "Principal")
    assert not Account.select().where(Account.name == "Gus Finch").exists()
    assert "1 parent, guardian or relative is not imported" in notes(run)
    assert "Students: 2 added. Staff: 2 added. Groups: 3 added." in notes(run)


def test_staff_groups_follow_from_departments_and_homerooms(app, cast, version):
    import_set(app, cast, school(version))
    science = Group.get(Group.name == "Science")
    assert (science.department.name, science.source_id) == ("Science", "org:science")
    assert member_names("Science") == ["Tom Tern"]
    assert member_names("Office") == ["Pat Plover"]
    assert member_names("Year 7 tutors") == ["Tom Tern"]
    assert Group.get(Group.name == "Year 7 tutors").department is None
    assert all(link.from_import for link in science.members)
    assert {name for (name,) in Group.select(Group.name).tuples()} == {"Counselling", "Science", "Office", "Year 7 tutors"}
    assert Department.select().count() == 2


def test_groups_can_be_left_out(app, cast, version):
    import_set(app, cast, school(version), groups=False)
    assert Group.select().count() == 1 and not Department.select().exists()
    assert Account.select().where(Account.source_id == "t1").exists()


def test_again_changes_nothing_that_has_not_changed(app, cast, version):
    import_set(app, cast, school(version))
    before, last = everything(), Event.select().order_by(Event.id.desc()).get().id
    run = import_set(app, cast, school(version), deactivate=True, invite=True, reactivate=True, typed="1")
    assert counts(run) == {"left": 1, "same": 4}  # Stu is in no set
    Student.update(is_active=True, left_at=None, version=1).where(Student.id == cast.student.id).execute()
    Account.update(is_active=True, closed_with_student=False, version=1).where(Account.id == cast.stu.id).execute()
    assert everything() == before
    known = (cast.stu.ref, cast.student.ref)
    new = {event.verb for event in Event.select().where((Event.id > last) & Event.target.not_in(known))}
    assert new == {"import.uploaded", "import.checked", "import.saved", "student.imported"}
    assert not OutboxEmail.select().exists()


def test_the_check_writes_nothing_and_equals_what_is_saved(app, cast, version):
    before = everything()
    dry = check_set(app, cast, school(version))
    assert everything() == before
    done = import_set(app, cast, school(version))
    assert rows(done) == rows(dry) and all(row[4] for row in json.loads(done.result))


def test_new_staff_are_invited_by_choice(app, cast):
    import_set(app, cast, school(), invite=True)
    invited = {row.account.name for row in OutboxEmail.select().where(OutboxEmail.kind == "invitation")}
    assert invited == {"Tom Tern", "Pat Plover"}


# --- Who is found again ----------------------------------------------------------------------------------------------


def test_students_are_found_by_source_then_admission_number_then_email(app, cast):
    by_number = factories.student("Old", "Name", admission_number="A1", year_group="6")
    by_email = factories.student("Bo", "Wren", admission_number=None, email="bo@x.org")
    by_source = factories.student("Cy", "Tern", admission_number="A9", source_id="s3")
    made = RosterSet().user("s1", identifier="A1", grades="07").user("s2", given="Bo", family="Wren", email="BO@x.org")
    made.user("s3", given="Cy", family="Tern", identifier="A10")
    run = import_set(app, cast, made)
    assert counts(run) == {"changed": 3}
    assert {Student.get_by_id(one.id).source_id for one in (by_number, by_email, by_source)} == {"s1", "s2", "s3"}
    assert Student.get_by_id(by_source.id).admission_number == "A10"
    sentences = {name: sentence for _, sentence, name in rows(run, "changed")}
    assert "Source ID: nothing → s1" in sentences["Ann Finch"] and "Year group: 6 → 7" in sentences["Ann Finch"]


def test_staff_keep_their_role_and_what_they_keep_themselves(app, cast):
    Account.update(title="Head of Year", phone="").where(Account.id == cast.kay.id).execute()
    made = RosterSet().user("k", "teacher", "Kay", "Kestrel-Hawke", email="KAY@school.example.org", phone="0777")
    made.user("a", "teacher", "Ada", "Adler", email="ada@school.example.org")
    import_set(app, cast, made)
    kay, ada = Account.get_by_id(cast.kay.id), Account.get_by_id(cast.ada.id)
    assert (kay.role, kay.title, kay.phone, kay.name) == ("key_user", "Head of Year", "0777", "Kay Kestrel-Hawke")
    assert (kay.source_id, ada.source_id, ada.role) == ("k", "a", "admin")
    assert "kay kestrel hawke" in kay.search_text


def test_another_email_moves_the_account_and_voids_its_links(app, cast, client_for):
    import_set(app, cast, school(), invite=True)
    tom = Account.get(Account.source_id == "t1")
    made = RosterSet().user("t1", "teacher", "Tom", "Tern", email="tom.tern@school.example.org")
    import_set(app, cast, made)
    assert Account.get_by_id(tom.id).email_folded == "tom.tern@school.example.org"
    assert all(link.used_at for link in tom.password_links)


def test_conflicts_are_told(app, cast):
    factories.student("Known", "Student", admission_number="A5", source_id="x1", email="known@x.org")
    factories.account("Known Staff", email="staff@x.org", source_id="y1")
    made = RosterSet()
    made.user("s1", identifier="B1").user("s1", identifier="B2")
    made.user("s2", identifier="B3", email="kay@school.example.org")
    made.user("x1", "teacher", "Was", "Student", email="was@x.org")
    made.user("y1", "student", "Was", "Staff", identifier="B4")
    made.user("t1", "teacher", "A", "B", email="stu@school.example.org")
    made.user("t2", "teacher", "A", "B", email="known@x.org")
    made.user("t3", "teacher", "A", "B", email="staff@x.org")
    made.user("t4", "teacher", "A", "B")
    made.user("t5", "teacher", "A", "B", email="both@x.org").user("s5", identifier="B5", email="both@x.org")
    made.user("s6", identifier="A5")
    made.user("t6", "teacher", "A", "B", email="rae@school.example.org")
    made.user("t7", "teacher", "A", "B", email="nonsense@")
    made.user("z", "teacher", "A", "B", email="z@x.org").user("z", identifier="B6")
    found = {where.removeprefix("users.csv line "): sentence for where, sentence in refused(app, cast, made).items()}
    assert found == {
        "2": "Line 3 has the same source ID (s1).",
        "3": "Line 2 has the same source ID (s1).",
        "4": "Email: It belongs to an account that is no student's.",
        "5": "The sourcedId belongs to a student here.",
        "6": "The sourcedId belongs to an account here that is no student's.",
        "7": "The email belongs to a student's account.",
        "8": "The email belongs to a student, whose account would be tied to it.",
        "9": "The email belongs to an account with another sourcedId.",
        "10": "Staff need an email: it is what they sign in with.",
        "11": "Line 12 has the same email.",
        "12": "Line 11 has the same email.",
        "13": "The admission number belongs to a student with another source ID.",
        "14": "The email belongs to an account that is no staff account.",
        "15": "Email: This is not an email address. Write one like kay@school.example.",
        "16": "Line 17 has the same sourcedId.",
        "17": "Line 16 has the same sourcedId.",
    }


# --- Who leaves ------------------------------------------------------------------------------------------------------


def many(version="1.1", mode="bulk", count=12, gone=()):
    made = RosterSet(version, mode)
    for number in range(count):
        if f"s{number}" not in gone:
            made.user(f"s{number}", identifier=f"A{number}", given=f"Ann{number}")
        if f"t{number}" not in gone:
            made.user(f"t{number}", "teacher", f"Tom{number}", "Tern", email=f"tom{number}@x.org")
    return made


def active(model, prefix):
    query = model.select(model.source_id).where(model.is_active & model.source_id.startswith(prefix))
    return {source for (source,) in query.tuples()}


def test_who_is_missing_leaves_by_choice_and_is_listed_first(app, cast, version):
    Student.update(is_active=False).execute()
    by_hand = factories.account("Made By Hand")
    import_set(app, cast, many(version))
    tom = Account.get(Account.source_id == "t3")
    Session.create(account=tom, token_hash="a" * 64)
    gone = many(version, gone={"s2", "t3"})
    assert counts(check_set(app, cast, gone)) == {"same": 22}
    run = check_set(app, cast, gone, deactivate=True)
    assert [row[1:4:2] for row in rows(run)[:2]] == [("left", "Ann2 Finch"), ("left", "Tom3 Tern")]
    run = import_set(app, cast, gone, deactivate=True)
    assert not Student.get(Student.source_id == "s2").is_active and Student.get(Student.source_id == "s2").left_at
    assert not Account.get_by_id(tom.id).is_active and Session.get(Session.account == tom).revoked_at
    assert Account.get_by_id(by_hand.id).is_active and Account.get_by_id(cast.kay.id).is_active
    again = import_set(app, cast, many(version))  # they come back, the account only if that is wished
    assert counts(again) == {"changed": 1, "same": 23}
    assert Student.get(Student.source_id == "s2").is_active and not Account.get_by_id(tom.id).is_active
    import_set(app, cast, many(version), reactivate=True)
    assert Account.get_by_id(tom.id).is_active


def test_disabled_users_leave_by_choice(app, cast, version):
    Student.update(is_active=False).execute()
    import_set(app, cast, many(version))
    made = many(version)
    for row in made.tables["users"]:
        if row["sourcedId"] in ("s4", "t4"):
            row["enabledUser"] = "false"
    made.user("s99", enabledUser="false", identifier="A99")
    assert counts(check_set(app, cast, made)) == {"same": 25}
    run = import_set(app, cast, made, deactivate=True)
    assert counts(run) == {"left": 2, "same": 23}
    assert not Student.select().where(Student.source_id == "s99").exists()
    assert "s4" not in active(Student, "s") and "t4" not in active(Account, "t")


def test_a_delta_takes_away_only_what_it_says(app, cast, version):
    Student.update(is_active=False).execute()
    import_set(app, cast, many(version))
    delta = RosterSet(version, "delta")
    delta.user("s1", identifier="A1", given="Anna").user("s50", identifier="A50")
    # a row to be deleted need carry no more than its sourcedId
    for gone in ("s5", "t5"):
        delta.add("users", sourcedId=gone, status="tobedeleted", enabledUser="false")
    assert counts(check_set(app, cast, delta)) == {"added": 1, "changed": 1, "same": 2}
    run = import_set(app, cast, delta, deactivate=True)
    assert counts(run) == {"left": 2, "added": 1, "changed": 1}
    assert len(active(Student, "s")) == 12 and len(active(Account, "t")) == 11


def test_a_delta_speaks_of_users_that_it_does_not_carry(app, cast, version):
    import_set(app, cast, school(version))
    delta = RosterSet(version, "delta")
    delta.user("s3", given="Cy", family="Tern", identifier="A3").homeroom("7c", "7C")
    delta.enroll("s1", "7c").enroll("p1", "7c", "teacher").enroll("nobody", "7c").enroll("s1", "elsewhere")
    run = import_set(app, cast, delta)
    assert Student.get(Student.source_id == "s1").tutor_group == "7C"
    assert member_names("Year 7 tutors") == ["Pat Plover", "Tom Tern"]
    assert [row[:2] for row in rows(run, "refused")] == [
        ("enrollments.csv line 4", "The user nobody is not in users.csv, and not known here.")
    ]
    assert "1 enrollment in classes that classes.csv, a delta, does not have" in notes(run)


def test_more_than_a_fifth_asks_for_the_number(app, cast):
    from blueprints.imports import runs

    Student.update(is_active=False).execute()
    import_set(app, cast, many())
    run = check_set(app, cast, many(gone={"s0", "s1", "s2"}), deactivate=True)
    assert json.loads(run.counts)["empties_school"]
    with pytest.raises(runs.NotConfirmed, match="students and staff who would leave: 3"):
        runs.confirm(run, "2", version=run.version, actor=cast.ada)
    run = check_set(app, cast, many(gone={"t0", "t1", "t2", "t3", "t4"}), deactivate=True)
    assert json.loads(run.counts)["empties_school"]
    assert not json.loads(check_set(app, cast, many(gone={"s0", "t1"}), deactivate=True).counts)["empties_school"]


def test_refused_rows_speak_for_their_students_and_staff(app, cast):
    Student.update(is_active=False).execute()
    import_set(app, cast, many())
    made = many()
    for row in made.tables["users"]:
        if row["sourcedId"] == "s1":
            row["role"] = "pupil"
        if row["sourcedId"] == "s2":
            row["enabledUser"] = "perhaps"
        if row["sourcedId"] == "t1":
            row["email"] = "nonsense"
        if row["sourcedId"] == "t2":
            row["role"] = "wizard"
    run = check_set(app, cast, made, deactivate=True)
    assert counts(run) == {"refused": 4, "same": 20}


def test_the_last_admin_and_oneself_stay(app, cast):
    amy = factories.account("Amy Avocet", email="amy@x.org", role="admin", source_id="amy")
    Account.update(source_id="ada").where(Account.id == cast.ada.id).execute()
    made = many()
    run = check_set(app, cast, made, deactivate=True)
    assert [name for _, _, name in rows(run, "left") if name in ("Amy Avocet", "Ada Adler")] == ["Amy Avocet"]
    assert "Your own account would be among those who leave" in notes(run)
    Account.update(is_active=False).where(Account.id == cast.ada.id).execute()
    from blueprints.imports.kinds import KINDS

    kind = KINDS["oneroster"]
    plan = kind.resolve(kind.parse(kind.read(made.zip()), {}), actor=None, deactivate=True)
    assert amy.name not in [row.name for row in plan.rows if row.outcome == "left"]
    assert "Amy Avocet is the last active Admin Key Holder and stays." in plan.notes


# --- Groups ----------------------------------------------------------------------------------------------------------


def test_only_memberships_that_an_import_made_are_ended(app, cast, version):
    import_set(app, cast, school(version))
    science = Group.get(Group.name == "Science")
    GroupMember.create(group=science, account=cast.kay)
    GroupMember.create(group=cast.counselling, account=Account.get(Account.source_id == "t1"))
    moved = RosterSet(version)
    moved.org("school", "Kestrel Hill").org("science", "Science", "department").org("office", "Office", "department")
    moved.user("t1", "teacher", "Tom", "Tern", "office", email="tom@school.example.org")
    moved.user("k", "teacher", "Kay", "Kestrel", "office", email="kay@school.example.org")
    moved.homeroom("7a", "7A").enroll("k", "7a", "teacher")
    run = import_set(app, cast, moved)
    assert (member_names("Science"), member_names("Office")) == (["Kay Kestrel"], ["Kay Kestrel", "Pat Plover", "Tom Tern"])
    assert member_names("Counselling") == ["Gil Gannet", "Tom Tern"]
    assert member_names("Year 7 tutors") == ["Kay Kestrel"]
    (sentence,) = [sentence for _, sentence, name in rows(run, "changed") if name == "Tom Tern"]
    assert sentence == "joins Office; leaves Science, Year 7 tutors."
    told = Event.select().where(Event.verb.in_(["group.member_added", "group.member_removed"]) & (Event.target == science.ref))
    assert [event.verb for event in told.order_by(Event.id)] == ["group.member_added", "group.member_removed"]


def test_without_enrollments_the_tutors_stay(app, cast):
    import_set(app, cast, school())
    made = school()
    made.tables.pop("enrollments")
    import_set(app, cast, made)
    assert member_names("Year 7 tutors") == ["Tom Tern"]
    assert Student.get(Student.source_id == "s1").tutor_group == "7A"


def test_a_group_made_by_hand_is_not_joined(app, cast):
    """Whoever is in it may read what it is attached to."""
    made = RosterSet().org("c", "counselling", "department")
    made.user("t1", "teacher", "Tom", "Tern", "c", email="tom@x.org")
    run = import_set(app, cast, made)
    assert member_names("Counselling") == ["Gil Gannet"]
    assert rows(run, "refused") == [
        ("orgs.csv line 2", "There is another group called “counselling”. Rename it under Groups, if this one is to be made.",
         "counselling")
    ]  # fmt: skip


def test_a_group_may_be_renamed_or_retired_by_hand(app, cast):
    import_set(app, cast, school())
    Group.update(name="Sciences").where(Group.name == "Science").execute()
    Group.update(is_active=False).where(Group.name == "Office").execute()
    made = school().user("t2", "teacher", "Ted", "Teal", "science", email="ted@x.org")
    made.user("t3", "teacher", "Tia", "Teal", "office", email="tia@x.org")
    import_set(app, cast, made)
    assert member_names("Sciences") == ["Ted Teal", "Tom Tern"]
    assert "Tia Teal" not in member_names("Office")
    assert Group.select().count() == 4


# --- Roles and dates -------------------------------------------------------------------------------------------------


def test_the_first_primary_role_says_who_somebody_is(app, cast):
    made = RosterSet("1.2").org("school", "Kestrel Hill").org("art", "Art", "department")
    made.add("users", sourcedId="u1", enabledUser="true", username="u1", givenName="Una", familyName="Owl", email="una@x.org",
             identifier="A1", preferredGivenName="Oona")  # fmt: skip
    made.role("u1", "aide", roleType="secondary").role("u1", "student").role("u1", "teacher", "art")
    made.add("users", sourcedId="u2", enabledUser="true", username="u2@x.org", givenName="Ulf", familyName="Owl")
    made.role("u2", "student", endDate="2001-01-01").role("u2", "counselor", "art", beginDate="2001-01-01", endDate="2099-01-01")
    import_set(app, cast, made)
    una = Student.get(Student.source_id == "u1")
    assert (una.first_name, una.preferred_name, una.name) == ("Una", "Oona", "Oona Owl")
    ulf = Account.get(Account.source_id == "u2")
    assert (ulf.title, ulf.email) == ("Counselor", "u2@x.org")
    assert member_names("Art") == ["Ulf Owl"]


def test_the_tutor_group_is_that_of_the_homeroom_now(app, cast, clock):
    from datetime import UTC, datetime

    clock.freeze(datetime(2026, 10, 5, 9, tzinfo=UTC))
    made = RosterSet()
    for term, start, end in (("old", "2025-09-01", "2026-07-31"), ("new", "2026-09-01", "2027-07-31")):
        made.add("academicSessions", sourcedId=term, title=term, type="schoolYear", startDate=start, endDate=end,
                 schoolYear=end[:4])  # fmt: skip
    made.homeroom("6a", "6A", termSourcedIds="old").homeroom("7a", "7A", termSourcedIds="new")
    made.homeroom("7b", "7B", termSourcedIds="new,old").homeroom("7c", "7C", termSourcedIds="")
    made.user("s1", identifier="1").enroll("s1", "7a").enroll("s1", "6a")
    made.user("s2", identifier="2").enroll("s2", "7a", endDate="2026-10-04").enroll("s2", "7b", beginDate="2026-10-05")
    made.user("s3", identifier="3").enroll("s3", "7c", beginDate="2026-11-01").enroll("s3", "7a", beginDate="2026-09-01")
    made.user("s4", identifier="4").enroll("s4", "7b", beginDate="2027-01-01").enroll("s4", "7c", beginDate="2026-11-01")
    made.user("s5", identifier="5").enroll("s5", "7b", "teacher")
    import_set(app, cast, made)
    found = dict(Student.select(Student.source_id, Student.tutor_group).where(Student.source_id.is_null(False)).tuples())
    assert found == {"s1": "7A", "s2": "7B", "s3": "7A", "s4": "7C", "s5": ""}


@pytest.mark.parametrize(("grade", "year"), [("07", "7"), ("KG", "KG"), ("12,13", "12"), ("", ""), ("0", "0"), ("UG", "UG")])
def test_grades_become_year_groups(app, cast, grade, year):
    import_set(app, cast, RosterSet().user("s1", grades=grade, identifier="A1"))
    assert Student.get(Student.source_id == "s1").year_group == year


def test_dates_of_birth_come_from_the_demographics(app, cast):
    made = RosterSet().user("s1", identifier="A1").add("demographics", sourcedId="s1", birthDate="2012-09-30", sex="female")
    import_set(app, cast, made)
    assert Student.get(Student.source_id == "s1").date_of_birth.isoformat() == "2012-09-30"


# --- Conflicts of interest -------------------------------------------------------------------------------------------


def test_a_student_closed_to_the_importer_is_neither_changed_nor_among_the_leavers(app, cast):
    hidden = factories.student("Hid", "Den", source_id="h1", admission_number="H1", year_group="6")
    factories.exclusion(cast.ada, cast.kay, student=hidden)
    run = import_set(app, cast, RosterSet().user("s1", identifier="A1"), deactivate=True, typed="1")
    assert Student.get_by_id(hidden.id).is_active
    assert not any("Hid" in name for *_, name in rows(run))
    made = RosterSet().user("h1", given="Hid", family="Den", identifier="H1", grades="07")
    (row,) = rows(check_set(app, cast, made), "refused")
    assert "can't be used with your account. Ask another Admin Key Holder" in row[1]
    # gone, left long ago and never known look alike
    factories.student("Long", "Gone", source_id="g1", admission_number="G1", is_active=False)
    made = RosterSet(mode="delta")
    for source in ("h1", "g1", "n1"):
        made.add("users", sourcedId=source, status="tobedeleted", enabledUser="false", role="student", givenName="X",
                 familyName="Y")  # fmt: skip
    found = {(outcome, sentence, name) for _, outcome, sentence, name in rows(check_set(app, cast, made, deactivate=True))}
    assert found == {("same", "Not at the school any more: nothing changes.", "X Y")}
    assert Student.get_by_id(hidden.id).is_active


def test_a_student_closed_since_is_in_no_result(app, cast, client_for):
    run = check_set(app, cast, RosterSet().user("s", given="Stu", family="Sturgeon", email="stu@school.example.org"))
    factories.exclusion(cast.ada, cast.kay, student=cast.student)
    for address in ("", "?only=changed", "/result.csv"):
        assert "Sturgeon" not in client_for("ada").get(f"/import/{run.ref}{address}").text
