"""A list of staff: what becomes of each row, of rights, sessions and groups, and who is deactivated."""

import json

import pytest

from blueprints.imports import runs
from blueprints.imports.kinds import KINDS
from blueprints.kit.csvread import CsvProblem
from models import Account, Event, Group, GroupMember, OutboxEmail, PasswordLink, Session
from tests import factories
from tests.imports.files import checked, counts, rows, staff, whole


def plan(data, actor=None, **options):
    kind = KINDS["staff"]
    sheet = kind.read(data)
    return kind.resolve(kind.parse(sheet, kind.guess(sheet)), actor=actor, **options)


def outcomes(data, **options):
    return [(row.outcome, row.sentence) for row in plan(data, **options).rows]


def refused(data, **options):
    return {row.line: row.sentence for row in plan(data, **options).of("refused")}


def of(email):
    return Account.get(Account.email_folded == email)


def memberships(account):
    links = GroupMember.select(Group.name, GroupMember.from_import).join(Group).where(GroupMember.account == account)
    return dict(links.tuples())


# --- Rows ------------------------------------------------------------------------------------------------------------


def test_the_headings_are_guessed():
    sheet = KINDS["staff"].read(b"Forename;Surname;Work email;Job title;Telephone;Booking URL;Role;Teams\r\na;b;c;d;e;f;g;h\r\n")
    assert list(KINDS["staff"].guess(sheet).values()) == [0, 1, None, 2, 3, 4, 5, 6, 7]


def test_new_staff_are_added_with_all_that_stands_on_their_card(app, cast):
    run = whole(app, cast.ada, staff("Fay,Fulmar,Fay@x.org,Head of Year,0123,https://book.example/fay,Key User,Counselling",
                                     "Guy,Gull,guy@x.org,,,,,"))  # fmt: skip
    assert counts(run) == {"added": 2}
    fay, guy = of("fay@x.org"), of("guy@x.org")
    assert (fay.name, fay.email, fay.title, fay.phone, fay.role) == ("Fay Fulmar", "Fay@x.org", "Head of Year", "0123", "key_user")
    assert (fay.booking_url, fay.search_text, fay.password_hash) == ("https://book.example/fay", "fay fulmar fay@x.org", None)
    assert memberships(fay) == {"Counselling": True}
    assert (guy.role, guy.is_active, memberships(guy)) == ("staff", True, {})
    assert rows(run, "added") == [(2, "Key User; joins Counselling.", "Fay Fulmar"), (3, "Staff.", "Guy Gull")]
    assert not OutboxEmail.select().exists()
    told = {(event.verb, event.target) for event in Event.select().where(Event.target.in_([fay.ref, cast.counselling.ref]))}
    assert told == {("account.added", fay.ref), ("group.member_added", cast.counselling.ref)}
    assert Event.get(Event.verb == "import.saved").target == run.ref


def test_one_column_may_hold_the_whole_name(app, cast):
    whole(app, cast.ada, staff("Fay Fulmar,fay@x.org", heading="Name,Email"))
    assert of("fay@x.org").name == "Fay Fulmar"


def test_whoever_is_added_is_invited_by_choice(app, cast):
    whole(app, cast.ada, staff("Fay,Fulmar,fay@x.org,,,,,", "Kay,Kestrel,kay@school.example.org,,,,,"), invite=True)
    fay = of("fay@x.org")
    email = OutboxEmail.get()
    assert (email.kind, email.account_id, email.target) == ("invitation", fay.id, fay.ref)
    assert PasswordLink.get().account_id == fay.id
    assert json.loads(Event.get(Event.verb == "account.invited").data)["kind"] == "invite"


def test_known_staff_are_updated_by_email_and_empty_cells_leave_what_is_stored(app, cast):
    Account.update(title="Old", phone="0999").where(Account.id == cast.kay.id).execute()
    run = whole(app, cast.ada, staff("Kay,Kestrel,KAY@School.example.org,New,,,,", "Gil,Gannet,gil@school.example.org,,,,,"))
    assert counts(run) == {"changed": 1, "same": 1}
    assert rows(run, "changed") == [(2, "Title: Old → New.", "Kay Kestrel")]
    kay = Account.get_by_id(cast.kay.id)
    assert (kay.title, kay.phone, kay.role, kay.version) == ("New", "0999", "key_user", cast.kay.version + 1)
    assert kay.email == "kay@school.example.org"


def test_the_same_file_again_changes_nothing(app, cast):
    data = staff("Fay,Fulmar,fay@x.org,Head,01,,Key User,Counselling;New Group", "Kay,Kestrel,kay@school.example.org,T,,,,")
    whole(app, cast.ada, data, make_groups=True)
    tables = (Account, Group, GroupMember)
    before = [list(table.select().order_by(table.id).tuples()) for table in tables]
    last = Event.select().order_by(Event.id.desc()).get().id
    run = whole(app, cast.ada, data, make_groups=True, invite=True)
    assert counts(run) == {"same": 2}
    assert [list(table.select().order_by(table.id).tuples()) for table in tables] == before
    verbs = {event.verb for event in Event.select().where(Event.id > last)}
    assert verbs == {"import.uploaded", "import.checked", "import.saved"}


@pytest.mark.parametrize(
    ("row", "sentence"),
    [(",,fay@x.org,,,,,", "The name is missing."), ("Fay,Fulmar,,,,,,", "The email is missing."),
     ("Fay,Fulmar,nonsense,,,,,", "Email: This is not an email address. Write one like kay@school.example."),
     ("Fay,Fulmar,fay@x.org,,,javascript:x,,",
      "Booking link: This is not the address of a web page. Write one like https://booking.example/kay."),
     ("Fay,Fulmar,fay@x.org," + "x" * 256 + ",,,,", "Title: This can have at most 255 characters."),
     ("Fay,Fulmar,fay@x.org,,,,Wizard,", "Wizard is no role. Roles are: Admin Key Holder, Director, Group Manager, Key User, "
      "Staff, Referral User, Student."),
     ("Fay,Fulmar,fay@x.org,,,,,Nowhere", "There is no group called “Nowhere”."),
     ("Rae,Raven,rae@school.example.org,,,,,Counselling", "Only staff are in groups, and the role is Referral User."),
     ("Fay,Fulmar,fay@x.org,,,,Student,Counselling", "Only staff are in groups, and the role is Student."),
     ("Stu,Sturgeon,stu@school.example.org,,,,,", "This is the account of a student. Change its role under Admin > Users, if "
      "that is meant."),
     ("Fay,Fulmar,fay@x.org,,,,", "Line 2 has 7 cells, but there are 8 headings.")],
)  # fmt: skip
def test_what_is_wrong_with_a_row_is_said(cast, row, sentence):
    assert refused(staff(row)) == {2: sentence}


def test_an_email_twice_is_refused_twice(cast):
    data = staff("Fay,Fulmar,fay@x.org,,,,,", "Fay,Other,FAY@x.org,,,,,")
    assert refused(data) == {2: "Line 3 has the same email (fay@x.org).", 3: "Line 2 has the same email (FAY@x.org)."}


def test_an_email_of_a_student_is_refused_unless_that_student_is_closed_to_the_importer(cast):
    hidden = factories.student("Hid", "Den", email="hid@x.org")
    data = staff("Fay,Fulmar,hid@x.org,,,,,")
    assert "belongs to a student" in refused(data, actor=cast.ada)[2]
    assert plan(staff("Hid,Den,hid@x.org,,,,Student,"), actor=cast.ada).counts["added"] == 1
    factories.exclusion(cast.ada, cast.kay, student=hidden)
    assert outcomes(data, actor=cast.ada) == [("added", "Staff.")]


def test_files_that_can_not_be_taken(app, cast):
    for data in (b"", b"Name,Email\r\n", b"\x00\x01", staff(*["a,b,c@x.org,,,,,"] * 20_001)):
        with pytest.raises(CsvProblem):
            runs.upload(data, "x.csv", actor=cast.ada, folder=app.settings.files, kind="staff")


def test_a_mapping_needs_an_email_and_a_name():
    kind = KINDS["staff"]
    sheet = kind.read(b"A,B,C\r\n1,2,3\r\n")
    problems = kind.mapping_problems(sheet, {"email": None, "first_name": 0})
    assert set(problems) == {"email", "last_name"}
    assert kind.mapping_problems(sheet, {"email": 0, "name": 1}) == {}
    assert kind.mapping_problems(sheet, {"email": 0, "first_name": 1, "last_name": 2}) == {}
    assert "is chosen for First name already" in kind.mapping_problems(sheet, {"email": 0, "first_name": 0, "last_name": 1})["email"]


# --- Roles -----------------------------------------------------------------------------------------------------------


def test_another_role_signs_out_everywhere_and_is_recorded(app, cast):
    Session.create(account=cast.sam, token_hash="a" * 64)
    whole(app, cast.ada, staff("Sam,Swift,sam@school.example.org,,,,key-user,"))
    assert of("sam@school.example.org").role == "key_user"
    assert Session.get(Session.account == cast.sam).revoked_at
    event = Event.get(Event.verb == "account.role_changed")
    assert (event.target, event.actor_id, json.loads(event.data)) == (cast.sam.ref, cast.ada.id, {"old": "staff", "new": "key_user"})


def test_a_change_of_title_signs_nobody_out(app, cast):
    Session.create(account=cast.sam, token_hash="a" * 64)
    whole(app, cast.ada, staff("Sam,Swift,sam@school.example.org,New title,,,Staff,"))
    assert Session.get(Session.account == cast.sam).revoked_at is None


def test_whoever_becomes_an_admin_is_named(app, cast, client_for):
    data = staff("Sam,Swift,sam@school.example.org,,,,Admin Key Holder,", "Fay,Fulmar,fay@x.org,,,,admin,",
                 "Ada,Adler,ada@school.example.org,,,,Admin Key Holder,")  # fmt: skip
    run = checked(app, cast.ada, data)
    notes = json.loads(run.counts)["notes"]
    assert notes == [f"{name} becomes an Admin Key Holder, who may do and read everything." for name in ("Sam Swift", "Fay Fulmar")]
    assert "Sam Swift becomes an Admin Key Holder" in client_for("ada").get(f"/import/{run.ref}").text


def test_nobody_takes_their_own_rights_away(app, cast):
    row = "Ada,Adler,ada@school.example.org,,,,Staff,"
    assert "This is your own account" in refused(staff(row), actor=cast.ada)[2]
    run = whole(app, cast.ada, staff("Kay,Kestrel,kay@school.example.org,,,,,"), deactivate=True, typed="5")
    assert Account.get_by_id(cast.ada.id).is_active
    assert json.loads(run.counts)["notes"] == ["Your own account would be among those who leave. It stays as it is."]


def test_the_last_admin_key_holder_stays(cast):
    sentence = "Ada Adler is the last active Admin Key Holder. Make somebody else an Admin Key Holder first."
    assert refused(staff("Ada,Adler,ada@school.example.org,,,,Staff,")) == {2: sentence}
    leaving = plan(staff("Kay,Kestrel,kay@school.example.org,,,,,"), deactivate=True)
    assert "Ada Adler" not in [row.name for row in leaving.of("left")]
    assert leaving.notes == ["Ada Adler is the last active Admin Key Holder and stays."]
    amy = factories.account("Amy Avocet", email="amy@x.org", role="admin")
    both = staff("Ada,Adler,ada@school.example.org,,,,Staff,", "Amy,Avocet,amy@x.org,,,,Staff,")
    assert list(refused(both)) == [2]
    Account.update(is_active=False).where(Account.id == amy.id).execute()
    assert list(refused(both)) == [2]


def test_deactivated_accounts_stay_so_unless_it_is_wished(app, cast):
    Account.update(is_active=False).where(Account.id == cast.sam.id).execute()
    data = staff("Sam,Swift,sam@school.example.org,New,,,Key User,Counselling")
    assert outcomes(data) == [("same", "The account is deactivated and stays so.")]
    assert outcomes(data, reactivate=True) == [
        ("changed", "Is reactivated; Title: nothing → New; Role: Staff → Key User; joins Counselling.")
    ]
    whole(app, cast.ada, data, reactivate=True)
    assert of("sam@school.example.org").is_active
    assert Event.select().where((Event.verb == "account.reactivated") & (Event.target == cast.sam.ref)).exists()


def test_a_profile_that_gets_its_first_role_is_invited_by_choice(app, cast):
    profile = factories.account("Pru Profile", email="pru@x.org", role="")
    whole(app, cast.ada, staff("Pru,Profile,pru@x.org,,,,Staff,"), invite=True)
    assert of("pru@x.org").role == "staff"
    assert OutboxEmail.get().account_id == profile.id


# --- Groups ----------------------------------------------------------------------------------------------------------


def test_groups_are_made_by_choice(app, cast):
    data = staff("Fay,Fulmar,fay@x.org,,,,,New group; counselling ;NEW GROUP", "Guy,Gull,guy@x.org,,,,,new group")
    assert refused(data) == {2: "There is no group called “New group”.", 3: "There is no group called “new group”."}
    run = whole(app, cast.ada, data, make_groups=True)
    assert memberships(of("fay@x.org")) == {"Counselling": True, "New group": True}
    assert memberships(of("guy@x.org")) == {"New group": True}
    assert rows(run, "added")[0][1] == "Staff; joins New group (new), Counselling."
    assert Group.select().where(Group.name == "New group").count() == 1


def test_a_group_that_only_a_refused_row_names_is_not_made(app, cast):
    whole(app, cast.ada, staff("Fay,Fulmar,nonsense,,,,,Made up", "Guy,Gull,guy@x.org,,,,,"), make_groups=True)
    assert not Group.select().where(Group.name == "Made up").exists()


def test_only_memberships_that_an_import_made_are_ended(app, cast):
    other = factories.group("Other")
    whole(app, cast.ada, staff("Gil,Gannet,gil@school.example.org,,,,,Other"))
    assert memberships(cast.gil) == {"Counselling": False, "Other": True}
    third = factories.group("Third")
    run = whole(app, cast.ada, staff("Gil,Gannet,gil@school.example.org,,,,,Third"))
    assert rows(run, "changed") == [(2, "joins Third; leaves Other.", "Gil Gannet")]
    assert memberships(cast.gil) == {"Counselling": False, "Third": True}
    whole(app, cast.ada, staff("Gil,Gannet,gil@school.example.org,New,,,,"))
    assert memberships(cast.gil) == {"Counselling": False, "Third": True}
    assert not other.members.count() and third.members.count() == 1


def test_a_group_out_of_use_takes_nobody(cast):
    Group.update(is_active=False).where(Group.id == cast.counselling.id).execute()
    assert refused(staff("Fay,Fulmar,fay@x.org,,,,,counselling")) == {2: "The group “Counselling” is not in use any more."}


# --- Who leaves ------------------------------------------------------------------------------------------------------


CAST = [f"{name.split()[0]},{name.split()[1]},{name.split()[0].lower()}@school.example.org,,,,," for name in (
    "Ada Adler", "Kay Kestrel", "Ken Kittiwake", "Gil Gannet", "Mo Merlin", "Sam Swift", "Oli Ouzel")]  # fmt: skip


def test_staff_who_are_not_in_the_file_are_deactivated_by_choice(app, cast):
    factories.account("Pru Profile", email="pru@x.org", role="")
    Session.create(account=cast.oli, token_hash="a" * 64)
    PasswordLink.create(account=cast.oli, kind="reset", nonce="n", expires_at=cast.oli.created_at)
    data = staff(*CAST[:-1])
    assert counts(checked(app, cast.ada, data)) == {"same": 6}
    run = whole(app, cast.ada, data, deactivate=True)
    assert rows(run)[0] == (None, "left", "", "Oli Ouzel")
    assert {row.name for row in Account.select().where(~Account.is_active)} == {"Oli Ouzel"}
    assert Session.get(Session.account == cast.oli).revoked_at and PasswordLink.get().used_at
    assert Event.select().where((Event.verb == "account.deactivated") & (Event.target == cast.oli.ref)).count() == 1
    assert counts(checked(app, cast.ada, data, deactivate=True)) == {"same": 6}


def test_a_refused_row_speaks_for_its_account(cast):
    data = staff(*CAST[:5], "Sam,Swift,sam@school.example.org,,,,Wizard,", "Oli,oli@school.example.org")
    assert plan(data, deactivate=True).counts["left"] == 0


def test_more_than_a_fifth_asks_for_the_number(app, cast):
    run = checked(app, cast.ada, staff(*CAST[:5]), deactivate=True)
    assert json.loads(run.counts)["empties_school"]
    with pytest.raises(runs.NotConfirmed, match="accounts that would be deactivated: 2"):
        runs.confirm(run, "3", version=run.version, actor=cast.ada)
    runs.confirm(run, " 2 ", version=run.version, actor=cast.ada)
    assert not json.loads(checked(app, cast.ada, staff(*CAST[:6]), deactivate=True).counts)["empties_school"]


# --- Runs ------------------------------------------------------------------------------------------------------------


def test_the_check_writes_nothing_and_equals_what_is_saved(app, cast):
    data = staff("Fay,Fulmar,fay@x.org,,,,,New", "Sam,Swift,sam@school.example.org,,,,Key User,", "x,y,z,,,,,")
    dry = checked(app, cast.ada, data, make_groups=True)
    assert not Account.select().where(Account.email_folded == "fay@x.org").exists() and Group.select().count() == 1
    done = whole(app, cast.ada, data, make_groups=True)
    assert rows(done) == rows(dry)
    refs = {row[3]: row[4] for row in json.loads(done.result)}
    assert refs["Fay Fulmar"] == of("fay@x.org").ref


def test_a_change_meanwhile_goes_back_to_the_check(app, cast):
    from tests.imports.files import now, work

    run = checked(app, cast.ada, staff("Fay,Fulmar,fay@x.org,,,,,"))
    runs.confirm(run, "", version=run.version, actor=cast.ada)
    factories.account("Somebody Else", email="fay@x.org")
    work(app)
    assert now(run).state == "checked" and "Accounts or groups changed" in now(run).problem
    assert of("fay@x.org").name == "Somebody Else"


def test_few_statements_for_many(app, cast, count_queries):
    from tests.imports.files import work

    data = staff(*(f"Fay{n},Fulmar,fay{n}@x.org,T,,,,Counselling" for n in range(1500)))
    run = checked(app, cast.ada, data)
    runs.confirm(run, "", version=run.version, actor=cast.ada)
    with count_queries(most=40):
        work(app)
    assert GroupMember.select().where(GroupMember.from_import).count() == 1500


def test_the_account_of_a_student_who_is_closed_to_the_importer_is_not_named(cast):
    listed = staff(f"{cast.stu.email},Student", heading="Email,Role")
    assert plan(listed, cast.ada).rows[0].name == "Stu Sturgeon"
    factories.exclusion(cast.ada, cast.kay, student=cast.student)
    (row,) = plan(listed, cast.ada).rows
    assert (row.outcome, row.name, row.ref) == ("refused", "", "") and "Ask another Admin Key Holder" in row.sentence
    assert plan(listed).rows[0].name == "Stu Sturgeon", "the command line sees everybody"
