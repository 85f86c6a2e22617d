"""Finding students: folding, what each role may search by, suggestions and typed names."""

import pytest

from blueprints.students import queries
from models import Student
from tests import factories


def add(first, last, **fields):
    """A student with the keys that the application itself makes."""
    row = factories.student(first, last, **fields)
    keys = queries.search_keys(first, last, row.preferred_name, row.admission_number, row.email)
    Student.update(**keys).where(Student.id == row.id).execute()
    return row


@pytest.fixture
def school(cast):
    add("José", "García", admission_number="ZZ100", email="jose@school.example.org")
    add("Liam", "O’Brien", preferred_name="Zoë-Łucja", year_group="10", tutor_group="10X")
    add("Ann", "Finch", year_group="7", tutor_group="7A")
    add("Annika", "Finch-Hatton", year_group="7", tutor_group="7B", is_active=False)
    return cast


def found(user, text, **filters):
    return [row.first_name for row in queries.listing(user, text=text, **filters)]


@pytest.mark.parametrize(
    ("text", "name"),
    [("Jose", "José"), ("garcía", "José"), ("GARC jos", "José"), ("o'brien", "Liam"), ("OBrien", "Liam"),
     ("zoe lucja", "Liam"), ("ZOË-ŁUCJA", "Liam"), ("finch ann", "Ann")],
)  # fmt: skip
def test_names_are_found_without_accents_capitals_and_apostrophes(school, text, name):
    for user in (school.kay, school.oli):
        assert found(user, text) == [name]


def test_every_word_must_occur_and_wildcards_are_letters(school):
    assert found(school.kay, "jose finch") == []
    for text in ("%", "_", "j%e", "j_sé", "!", "\\", "a|q"):
        assert found(school.kay, text) == found(school.oli, text) == []


def test_admission_number_and_email_are_searched_only_by_who_may_read_them(school):
    for text in ("zz100", "ZZ1", "jose@school"):
        assert found(school.kay, text) == ["José"]
        assert found(school.ada, text) == ["José"]
        assert found(school.oli, text) == []
        assert found(school.sam, text) == []


def test_order_is_by_name_and_filters_narrow(school):
    assert found(school.kay, "") == ["Ann", "José", "Liam", "Stu"]
    assert found(school.kay, "", active=None) == ["Ann", "Annika", "José", "Liam", "Stu"]
    assert found(school.kay, "", active=False) == ["Annika"]
    assert found(school.kay, "", year_group="10") == ["Liam"]
    assert found(school.kay, "", tutor_group="7A", year_group="7") == ["Ann"]
    assert queries.groups(school.kay) == (["7", "9", "10"], ["7A", "7B", "9B", "10X"])


def test_students_and_referral_users_find_nobody(school):
    for user in (school.rae, school.stu):
        assert found(user, "") == []
        assert queries.suggest(user, "ann") == []
        assert queries.pick(user, [school.student.ref]) == []
        assert queries.resolve_typed(user, "Ann Finch")[0] == []


def test_suggestions_begin_with_who_is_called_so(school):
    labels = [one["label"] for one in queries.suggest(school.oli, "ann")]
    assert labels == ["Ann Finch", "Annika Finch-Hatton"]
    assert queries.suggest(school.oli, "finch a")[0]["hint"] == "Year 7, 7A"
    assert queries.suggest(school.oli, "annika")[0]["hint"] == "Year 7, 7B, left"
    assert queries.suggest(school.oli, " ") == []
    for number in range(20):
        add("Anna", f"Wren{number}")
    assert len(queries.suggest(school.oli, "anna")) == 12


def test_pick_keeps_the_order_and_leaves_out_what_is_unknown(school):
    ann = Student.get(Student.first_name == "Ann")
    wanted = [school.student.ref, "NOSUCHREF0", ann.ref, ann.ref]
    assert [row.first_name for row in queries.pick(school.oli, wanted)] == ["Stu", "Ann"]
    assert queries.pick(school.oli, []) == []


@pytest.mark.parametrize("text", ["Ann Finch", "finch, ann", "Finch Ann", " ann   finch ", "Ann Finch\n"])
def test_a_typed_name_is_resolved(school, text):
    rows, problem = queries.resolve_typed(school.oli, text)
    assert [row.first_name for row in rows] == ["Ann"]
    assert problem is None


def test_several_typed_names(school):
    for text in ("Ann Finch; Jose Garcia", "Ann Finch, José García", "Ann Finch\nJosé García"):
        rows, problem = queries.resolve_typed(school.oli, text)
        assert [row.first_name for row in rows] == ["Ann", "José"]
        assert problem is None


def test_a_typed_name_that_is_not_one_student(school):
    assert queries.resolve_typed(school.oli, "Nobody Here") == (
        [], "No student called “Nobody Here” is known. Check the spelling, or choose from the list.")  # fmt: skip
    assert queries.resolve_typed(school.oli, "finch") == (
        [], "Several students match “finch”. Choose one from the list.")  # fmt: skip
    assert queries.resolve_typed(school.oli, "") == ([], None)
    rows, problem = queries.resolve_typed(school.oli, "Ann Finch; Nobody Here")
    assert [row.first_name for row in rows] == ["Ann"]
    assert "Nobody Here" in problem


def test_who_is_excluded_finds_and_resolves_as_if_the_student_were_not_there(school):
    ann = Student.get(Student.first_name == "Ann")
    without = queries.resolve_typed(school.oli, "Ann Finch")
    factories.exclusion(school.oli, school.ada, student=ann)
    Student.delete().where(Student.first_name == "Annika").execute()
    assert found(school.oli, "finch", active=None) == []
    assert queries.suggest(school.oli, "finch") == []
    assert queries.pick(school.oli, [ann.ref]) == []
    assert queries.groups(school.oli) == (["9", "10"], ["9B", "10X"])
    assert without != queries.resolve_typed(school.oli, "Ann Finch") == (
        [], "No student called “Ann Finch” is known. Check the spelling, or choose from the list.")  # fmt: skip
