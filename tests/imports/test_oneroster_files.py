"""What a OneRoster set can get wrong: the zip, the manifest, headings, single rows. And what it may leave out."""

import io
import time
import zipfile

import pytest

from blueprints.imports import oneroster
from blueprints.imports.kinds import KINDS
from blueprints.imports.oneroster import bundle
from blueprints.kit.csvread import CsvProblem
from models import ImportRun, Student
from tests.imports.files import HEADINGS, RosterSet, counts, packed, rows, school, whole
from tests.imports.test_oneroster import VERSIONS, check_set, import_set, refused


@pytest.fixture(params=VERSIONS)
def version(request):
    return request.param


def problem_of(data):
    """The sentence that a zip is refused with, before anything is kept."""
    with pytest.raises(CsvProblem) as raised:
        KINDS["oneroster"].read(data)
    return str(raised.value)


# --- What may be missing, or be there as well --------------------------------------------------------------------------


def test_users_alone_are_enough(app, cast, version):
    made = RosterSet(version).user("s1", identifier="A1").user("t1", "teacher", "Tom", "Tern", email="tom@x.org")
    assert counts(import_set(app, cast, made)) == {"added": 2}


def test_unknown_columns_files_and_orders_are_no_matter(app, cast, version):
    made = school(version)
    for name in made.tables:
        heading = HEADINGS[version][name].split(",")
        made.headings[name] = ",".join(["metadata.colour", *reversed(heading), "", "ext"])
    files = made.files() | {"notes.txt": b"hello", "lineItems.csv": b"\xff\xfe", "readme.csv": b'"'}
    run = whole(app, cast.ada, packed(files), "oneroster")
    assert counts(run)["added"] == 7 and rows(run, "refused") == []


def test_columns_that_are_not_required_may_be_missing(app, cast, version):
    made = school(version)
    for name in made.tables:
        heading = HEADINGS[version][name].split(",")
        made.headings[name] = ",".join(one for one in heading if one not in ("status", "dateLastModified", "phone", "sms"))
    assert counts(import_set(app, cast, made))["added"] == 7


@pytest.mark.parametrize("folder", ["", "export/", "a/b/c/"])
def test_the_files_may_lie_in_a_folder_of_the_zip(app, cast, folder):
    data = school().zip(folder)
    with zipfile.ZipFile(io.BytesIO(data), "a") as archive:
        archive.writestr("__MACOSX/" + folder + "._users.csv", b"x")
        archive.writestr("__MACOSX/users.csv", b"x")
    assert len(KINDS["oneroster"].read(data)) == 5


def test_byte_order_marks_crlf_quotes_and_upper_case_names(app, cast):
    files = {name: b"\xef\xbb\xbf" + data for name, data in RosterSet().user("s1", given='Zoë "Z"', identifier="A1").files().items()}
    whole(app, cast.ada, packed({name.upper(): data for name, data in files.items()}), "oneroster")
    assert Student.get(Student.source_id == "s1").first_name == 'Zoë "Z"'


def test_a_file_that_the_manifest_calls_absent_is_not_read(app, cast, version):
    made = school(version)
    made.modes["enrollments"] = "absent"
    import_set(app, cast, made)
    assert Student.get(Student.source_id == "s1").tutor_group == ""


def test_enrollments_without_classes_have_no_consequences(app, cast, version):
    made = school(version)
    made.tables.pop("classes")
    run = import_set(app, cast, made)
    assert "classes.csv is absent, so nothing follows from enrollments.csv." in run.counts
    assert Student.get(Student.source_id == "s1").tutor_group == ""


# --- Rows that can't be right ------------------------------------------------------------------------------------------


def test_wrong_references_are_told_by_file_and_line(app, cast, version):
    made = school(version)
    made.homeroom("9z", "9Z", schoolSourcedId="nowhere")
    made.enroll("nobody", "7a").enroll("s1", "noclass").enroll("s1", "7a", schoolSourcedId="nowhere").enroll("s1", "9z")
    made.user("s9", identifier="A9", org="nowhere")
    users, classes, enrollments = (1 + len(made.tables[name]) for name in ("users", "classes", "enrollments"))
    unknown = "The org nowhere is not in orgs.csv."
    wanted = {
        f"classes.csv line {classes}": unknown,
        f"enrollments.csv line {enrollments - 3}": "The user nobody is not in users.csv.",
        f"enrollments.csv line {enrollments - 2}": "The class noclass is not in classes.csv.",
        f"enrollments.csv line {enrollments - 1}": unknown,
        f"users.csv line {users}": unknown,
    }
    if version == "1.2":
        line = f"roles.csv line {1 + len(made.tables['roles'])}"
        wanted |= {line: unknown, f"users.csv line {users}": f"The role is refused: see {line}."}
    assert refused(app, cast, made) == wanted
    assert import_set(app, cast, made).state == "done"
    assert Student.get(Student.source_id == "s1").tutor_group == "7A"


def test_words_that_the_specification_does_not_have(app, cast):
    made = RosterSet("1.2").org("school", "Kestrel Hill").org("x", "X", "kingdom").org("y", "", "department")
    made.user("s1", identifier="A1").user("s2", "pupil", identifier="A2").user("s3", identifier="A3", enabledUser="maybe")
    made.user("s4", identifier="A4", status="inactive").user("", identifier="A5").user("s6", identifier="A6", grades="7")
    made.user("v1", "ext:coach", email="v@x.org")
    made.role("s1", "student", roleType="tertiary").role("s1", "student", beginDate="1 September").role("noone", "student")
    made.homeroom("h1", "H1", classType="party").homeroom("h2", "").homeroom("h3", "H3").homeroom("h3", "H3 again")
    made.enroll("s1", "h3", "wizard").enroll("s1", "h3", beginDate="2026-13-01").enroll("s1", "h3", sourcedId="")
    made.add("academicSessions", sourcedId="t", title="T", type="term", startDate="2026-09-01", endDate="soon", schoolYear="2026")
    made.add("demographics", sourcedId="s6", birthDate="2090-01-01")
    assert refused(app, cast, made) == {
        "orgs.csv line 3": "kingdom is no type of org.",
        "orgs.csv line 4": "A department needs a name of at most 255 characters.",
        "users.csv line 3": "The role is refused: see roles.csv line 3.",
        "users.csv line 4": "enabledUser is “maybe”. It can be true or false.",
        "users.csv line 5": "inactive is no status. It can be active or tobedeleted.",
        "users.csv line 6": "The sourcedId is missing.",
        "users.csv line 7": "Date of birth: a date in the future can't be right.",
        "roles.csv line 3": "pupil is no role of a user.",
        "roles.csv line 5": "The user s4 is not in users.csv.",
        "roles.csv line 6": "The userSourcedId is missing.",
        "roles.csv line 9": "tertiary is no roleType. It can be primary or secondary.",
        "roles.csv line 10": "beginDate is “1 September”, which is no date like 2026-09-01.",
        "roles.csv line 11": "The user noone is not in users.csv.",
        "classes.csv line 2": "party is no type of class.",
        "classes.csv line 3": "A homeroom class needs a title.",
        "classes.csv line 5": "The sourcedId h3 stands in the file twice.",
        "enrollments.csv line 2": "wizard is no role in a class.",
        "enrollments.csv line 3": "beginDate is “2026-13-01”, which is no date like 2026-09-01.",
        "enrollments.csv line 4": "The sourcedId is missing.",
        "academicSessions.csv line 2": "endDate is “soon”, which is no date like 2026-09-01.",
    }


def test_a_row_with_cells_missing(app, cast):
    made = RosterSet().user("s1", identifier="A1")
    data = made.files()["users.csv"] + b"s2,,,true\r\n\r\n"
    run = whole(app, cast.ada, made.zip(users=data), "oneroster")
    assert rows(run, "refused") == [("users.csv line 3", "There are 4 cells, but 18 headings.", "")]


def test_what_no_column_holds(app, cast):
    made = RosterSet().user("x" * 256, identifier="A1").user("a\0b", identifier="A2").user("s3", identifier="A\0" + "3")
    made.homeroom("h1", "H1", grades="9" * 51).homeroom("h2", "T" * 51).enroll("s3", "h1")
    made.user("s4", identifier="A4").enroll("s4", "h2")
    assert refused(app, cast, made) == {
        "users.csv line 2": "A sourcedId has at most 255 characters, all of them visible.",
        "users.csv line 3": "A sourcedId has at most 255 characters, all of them visible.",
        "users.csv line 5": "Tutor group is 51 characters long. It can be at most 50.",
        "classes.csv line 2": "A grade has at most 50 characters.",
    }
    import_set(app, cast, made)
    assert Student.get(Student.source_id == "s3").admission_number == "A3"


def test_a_user_without_a_role_now(app, cast):
    made = RosterSet("1.2").user("s1", identifier="A1")
    made.add("users", sourcedId="s2", enabledUser="true", username="s2", givenName="A", familyName="B")
    assert refused(app, cast, made) == {"users.csv line 3": "roles.csv has no role for this user now."}


def test_a_set_with_thousands_of_wrong_rows_is_the_wrong_set(app, cast):
    made = RosterSet().user("s1", identifier="A1").homeroom("h", "H")
    for number in range(5_001):
        made.enroll(f"n{number}", "h")
    from tests.imports.files import now, start, work

    run = start(app, cast.ada, made.zip(), "oneroster")
    work(app)
    assert now(run).state == "failed"
    assert now(run).problem.startswith("More than 5,000 rows can't be taken. The last one: enrollments.csv line 5002: The user")


# --- The manifest and the headings --------------------------------------------------------------------------------------


def test_what_is_required_must_be_there(version):
    made = school(version)
    assert problem_of(packed({name: data for name, data in made.files().items() if name != "manifest.csv"})) == (
        "There is no manifest.csv. A OneRoster set says in it which files it has."
    )
    assert problem_of(made.zip(users=None)) == "manifest.csv says that users.csv is there (bulk), and it is missing."
    for mode, word in (("delta", "bulk, delta or absent"), ("sometimes", "sometimes")):
        made = school(version)
        made.modes["orgs"] = mode
        data = made.zip(orgs=None) if mode == "delta" else made.zip()
        assert "orgs.csv is there (delta), and it is missing" in problem_of(data) if mode == "delta" else word in problem_of(data)
    made = school(version)
    made.modes["users"] = "absent"
    assert problem_of(made.zip()) == f"users.csv is absent. OneRoster {version} can't be imported without it."
    if version == "1.2":
        assert "roles.csv is absent" in problem_of(RosterSet(version).add("users", sourcedId="s").zip())


@pytest.mark.parametrize(("said", "shown"), [("1.0", "1.0"), ("", "nowhere"), ("2.0.1", "2.0.1")])
def test_other_versions_are_refused(said, shown):
    data = school().zip(manifest=f"propertyName,value\r\noneroster.version,{said}\r\n".encode())
    assert problem_of(data) == f"manifest.csv names the OneRoster version {shown}. Caseward reads 1.1 and 1.2."


def test_a_manifest_that_names_no_files_takes_those_that_are_there(app, cast):
    data = RosterSet().user("s1", identifier="A1").zip(manifest=b"propertyName,value\r\noneroster.version,1.1.1\r\n")
    assert counts(whole(app, cast.ada, data, "oneroster")) == {"added": 1}


REQUIRED = {
    "1.1": {"users": ("sourcedId", "enabledUser", "orgSourcedIds", "role", "username", "givenName", "familyName"),
            "orgs": ("sourcedId", "name", "type"), "enrollments": ("classSourcedId", "userSourcedId", "role"),
            "classes": ("sourcedId", "title", "classType", "termSourcedIds")},
    "1.2": {"users": ("sourcedId", "enabledUser", "username", "givenName", "familyName"),
            "roles": ("sourcedId", "userSourcedId", "roleType", "role", "orgSourcedId")},
}  # fmt: skip


def test_a_missing_required_column_is_named(version):
    for name, columns in REQUIRED[version].items():
        for column in columns:
            made = school(version)
            made.headings[name] = ",".join(one for one in HEADINGS[version][name].split(",") if one != column)
            assert problem_of(made.zip()) == f"{name}.csv has no column {column}, which OneRoster requires."


def test_a_delta_needs_its_status(version):
    made = school(version, "delta")
    made.headings["users"] = ",".join(one for one in HEADINGS[version]["users"].split(",") if one != "dateLastModified")
    assert problem_of(made.zip()) == "users.csv has no column dateLastModified, which OneRoster requires."


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [("users", "sourcedId,é\r\n".encode("cp1252"), "users.csv is not in UTF-8, as OneRoster demands."),
     ("users", b'sourcedId,"role\r\na,b\r\n', 'users.csv: a quotation mark (") is out of place or never closed.'),
     ("users", b"", "users.csv has no column sourcedId and none enabledUser"),
     ("users", HEADINGS["1.1"]["users"].encode() + b"\r\n", "users.csv has headings but no rows under them."),
     ("users", b"x," * 300 + b"\r\n", "users.csv line 1 has more than 200 columns."),
     ("users", b"x" * 600_000, 'users.csv line 1 is too long. Perhaps a quotation mark (") is missing.'),
     ("users", b"x" * 20_000, "users.csv line 1 has a cell of more than 10,000 characters."),
     ("orgs", b"\r\n" * 2000, "orgs.csv has more than 1,000 empty lines")],
)  # fmt: skip
def test_a_file_that_can_not_be_read(name, data, sentence):
    assert problem_of(school().zip(**{name: data})).startswith(sentence)


# --- The zip -----------------------------------------------------------------------------------------------------------


def with_entry(name, **attributes):
    """A good set with one more entry of this name."""
    made = io.BytesIO(school().zip())
    with zipfile.ZipFile(made, "a") as archive:
        info = zipfile.ZipInfo("x" * len(name))
        for key, value in attributes.items():
            setattr(info, key, value)
        archive.writestr(info, b"/etc/passwd")
    return made.getvalue().replace(b"x" * len(name), name.encode())


@pytest.mark.parametrize("name", ["../users.csv", "/etc/users.csv", "a/../../users.csv", "..\\..\\users.csv", "C:\\users.csv"])
def test_names_that_lead_out_of_the_zip_are_refused(name):
    assert "leads out of it" in problem_of(with_entry(name))


def test_links_encrypted_and_double_files_are_refused():
    assert "a link in it" in problem_of(with_entry("link.csv", external_attr=0o120777 << 16))
    data = bytearray(school().zip())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    assert "encrypted" in problem_of(bytes(data))
    with pytest.warns(UserWarning, match="Duplicate name"):
        made = io.BytesIO(school().zip())
        with zipfile.ZipFile(made, "a") as archive:
            archive.writestr("users.csv", b"other")
    assert problem_of(made.getvalue()) == "The zip has users.csv twice."
    two = school().files() | {f"b/{name}": data for name, data in school().files().items()}
    assert "more than one manifest.csv" in problem_of(packed(two))


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"hello", b"PK\x03\x04" + b"\0" * 100, b"PK\x05\x06" + b"\0" * 18,
                                  school().zip()[:-30], school().zip()[200:]])  # fmt: skip
def test_what_is_no_zip(data):
    assert "zip" in problem_of(data)


def test_damaged_bytes_are_told(app):
    data = bytearray(school().zip())
    with zipfile.ZipFile(io.BytesIO(bytes(data))) as archive:
        entry = archive.getinfo("users.csv")
    for place in range(entry.header_offset + 45, entry.header_offset + 60):
        data[place] ^= 0xFF
    assert "damaged" in problem_of(bytes(data)) or "UTF-8" in problem_of(bytes(data))


def bomb(size, count=1):
    files = school().files() | {"users.csv": None}
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, data in files.items():
            if data is not None:
                archive.writestr(name, data)
        for number in range(count):
            with archive.open("users.csv" if not number else f"{number}.csv", "w") as file:
                for _ in range(size // 1_000_000):
                    file.write(b"a,b\r\n" * 200_000)
    return made.getvalue()


def test_what_unpacks_to_too_much_is_refused_at_once():
    data, many = bomb(70_000_000), bomb(30_000_000, 10)
    began = time.process_time()  # the promise is about a machine that is not shared
    assert problem_of(data) == "users.csv is 67 MB. A file can be at most 64 MB."
    assert problem_of(many) == "Unpacked, the zip would be more than 256 MB."
    assert "more than 500 files" in problem_of(packed({f"{number}.txt": b"" for number in range(501)}))
    assert "more than 500 files" in problem_of(packed({f"{number:0100}.txt": b"" for number in range(5000)}))
    assert time.process_time() - began < 2


def test_a_size_that_lies_is_found_out(monkeypatch):
    """The table of contents says less than the file holds: what comes is cut there, and the check sum tells."""
    data = bytearray(bomb(2_000_000))
    with zipfile.ZipFile(io.BytesIO(bytes(data))) as archive:
        real = archive.getinfo("users.csv").file_size.to_bytes(4, "little")
    lie = bytes(data).replace(real, (500).to_bytes(4, "little"))
    assert "users.csv" in problem_of(lie)


def test_nothing_is_kept_of_what_is_refused(app, cast):
    from blueprints.imports import runs

    with pytest.raises(CsvProblem):
        runs.upload(b"PK\x03\x04", "x.zip", actor=cast.ada, folder=app.settings.files, kind="oneroster")
    assert not ImportRun.select().exists() and not list(app.settings.files.rglob("*/*"))


# --- A folder ----------------------------------------------------------------------------------------------------------


def test_a_folder_a_folder_in_it_or_a_zip(tmp_path):
    folder = tmp_path / "set"
    folder.mkdir()
    for name, data in school().files().items():
        (folder / name).write_bytes(data)
    (tmp_path / "set.zip").write_bytes(school().zip())
    for path in (folder, tmp_path, tmp_path / "set.zip"):
        assert len(oneroster.read_folder(path)) == 5
    other = tmp_path / "other"
    other.mkdir()
    (other / "manifest.csv").write_bytes(b"propertyName,value\r\n")
    with pytest.raises(CsvProblem, match="more than one folder"):
        oneroster.read_folder(tmp_path)
    with pytest.raises(CsvProblem, match="no manifest.csv"):
        oneroster.read_folder(_empty(tmp_path))


def _empty(tmp_path):
    (tmp_path / "empty").mkdir()
    return tmp_path / "empty"


def test_limits_hold_for_folders_too(tmp_path, monkeypatch):
    for name, data in school().files().items():
        (tmp_path / name).write_bytes(data)
    monkeypatch.setattr(bundle, "MAX_FILE", 100)
    with pytest.raises(CsvProblem, match="can be at most 100 bytes"):
        oneroster.read_folder(tmp_path)


def test_checking_twice_says_the_same(app, cast, version):
    assert rows(check_set(app, cast, school(version))) == rows(check_set(app, cast, school(version)))
