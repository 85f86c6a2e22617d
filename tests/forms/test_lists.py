"""Tools > Forms: who finds which forms there, from a student's page too, and what those who build them see of all."""

import csv
import io

import pytest

import permissions
from blueprints.forms import queries
from extensions import clock
from models import Event, Form, School
from tests import factories
from tests.web import text_of


@pytest.fixture
def kinds(cast):
    """A form for each audience, one for nobody yet, one that is retired."""
    ada = cast.ada
    return {
        "staff": factories.form("For staff", ada, description="Among us."),
        "referral": factories.form("For partners", ada, for_staff=False, for_referral_users=True),
        "students": factories.form("For pupils", ada, for_staff=False, for_students=True),
        "all": factories.form("For all", ada, for_referral_users=True, for_students=True, names_student=False),
        "draft": factories.form("Only a draft", ada, published=False),
        "retired": factories.form("An old one", ada, retired_at=clock.now()),
    }


def found(user, **narrowed):
    return [form.name for form in queries.fillable(user, **narrowed)]


def test_who_fills_in_which(cast, kinds):
    School.update(student_visibility_at=clock.now()).execute()
    for who in ("ada", "kay", "mo", "gil", "oli"):
        assert found(getattr(cast, who)) == ["For all", "For staff"]
    assert found(cast.rae) == ["For all", "For partners"]
    assert found(cast.stu) == ["For all", "For pupils"]
    assert found(cast.oli, names_student=True) == ["For staff"]
    seen = {"oli": ("staff", "all"), "rae": ("referral", "all"), "stu": ("students", "all")}
    for who, names in seen.items():
        for name, form in kinds.items():
            if name in names:
                assert queries.form(getattr(cast, who), form.ref) == form
            else:
                with pytest.raises(permissions.NotVisible):
                    queries.form(getattr(cast, who), form.ref)


def test_the_page_of_each(cast, client_for, kinds):
    School.update(student_visibility_at=clock.now()).execute()
    for who, own in {"oli": "For staff", "rae": "For partners", "stu": "For pupils"}.items():
        page = client_for(who).get("/forms")
        said = text_of(page)
        assert own in said and "For all" in said and "+NEW" in said
        assert not [form.name for form in kinds.values() if form.name in said and form.name not in (own, "For all")]
        assert "/edit" not in page.text and "New form" not in said
    assert f"/forms/{kinds['staff'].ref}/responses/new" in client_for("oli").get("/forms").text
    assert "/responses\"" not in client_for("rae").get("/forms").text


def test_students_find_nothing_before_their_pages_are_open(cast, client_for, kinds):
    stu = client_for("stu")
    assert stu.get("/forms").status_code == 404 and 'href="/forms"' not in stu.get("/").text
    School.update(student_visibility_at=clock.now()).execute()
    assert stu.get("/forms").status_code == 200 and 'href="/forms"' in stu.get("/").text
    somebody = factories.account("Nobody's Child", role=permissions.STUDENT)
    assert client_for(somebody).get("/forms").status_code == 404, "an account that belongs to no student"


def test_the_menu(cast, client_for):
    School.update(student_visibility_at=clock.now()).execute()
    assert "Tools" in text_of(client_for("sam").get("/forms"))
    for who in ("rae", "stu"):
        menu = client_for(who).get("/forms").text.partition('aria-label="Main"')[2].partition("</nav>")[0]
        assert "Tools" not in menu and menu.count(">Forms</a>") == 1 and 'aria-current="page">Forms' in menu


def test_from_a_students_page(cast, client_for, kinds):
    address = f"/forms?student={cast.student.ref}"
    page = client_for("sam").get(address)
    assert "Form Response" in text_of(page) and "Stu Sturgeon" in text_of(page)
    assert f"/forms/{kinds['staff'].ref}/responses/new?student={cast.student.ref}" in page.text
    assert "For all" not in text_of(page), "it is about nobody"
    assert "Only a draft" not in text_of(client_for("ada").get(address))
    factories.exclusion(cast.sam, cast.ada, student=cast.student)
    closed, missing = client_for("sam").get(address), client_for("sam").get("/forms?student=ZZZZZZZZZZ")
    assert closed.status_code == missing.status_code == 404
    for who in ("rae",):
        assert "Stu" not in text_of(client_for(who).get(address)), "who may not look for students is not told of one"


def test_every_form_for_those_who_build(cast, client_for, kinds, count_queries):
    ada = client_for("ada")
    with count_queries(most=10) as few:
        page = ada.get("/forms")
    said = text_of(page)
    assert all(form.name in said for form in kinds.values()) and "6 forms" in said
    assert "Not published yet" in said and "Retired" in said
    for number in range(30):
        factories.form(f"More {number}", cast.ada)
    with count_queries() as many:
        ada.get("/forms")
    assert len(many) == len(few)
    assert "For pupils" in text_of(ada.get("/forms?q=PUPILS")) and "For staff" not in text_of(ada.get("/forms?q=PUPILS"))
    assert "For staff" in text_of(ada.get("/forms?q=among"))
    assert "Only a draft" in text_of(ada.get("/forms?state=draft")) and "For staff" not in text_of(ada.get("/forms?state=draft"))
    assert "No form found" in text_of(ada.get("/forms?q=%00xyz")) and "36 forms" in text_of(ada.get("/forms?state=nonsense"))


def test_no_form_yet_says_what_to_do(cast, client_for):
    assert "No forms yet" in text_of(client_for("ada").get("/forms")) and "No forms to fill in" in text_of(client_for("sam").get("/forms"))


def test_no_count_tells_of_a_student_who_is_closed(cast, client_for, kinds):
    eve = factories.account("Eve Egret", role=permissions.ADMIN)
    form = kinds["staff"]
    factories.response(form, cast.sam, cast.student)
    factories.response(form, cast.sam, factories.student("Ann", "Finch"))
    factories.exclusion(eve, cast.ada, student=cast.student)
    counts = [{row.name: row.responses for row in queries.forms_export(user)}["For staff"] for user in (cast.ada, eve)]
    assert counts == [2, 1]
    assert [queries.form_versions(user, form)[0].responses for user in (cast.ada, eve)] == [2, 1]


def test_the_export(cast, client_for, kinds):
    Form.update(name="=1+1", description="@cmd").where(Form.id == kinds["draft"].id).execute()
    with client_for("ada").get("/forms.csv") as answer:
        rows = list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))
    by_name = {row["Form"]: row for row in rows}
    assert len(rows) == 6 and by_name["For all"]["For"] == "Staff, Referral Users, Students"
    assert by_name["For staff"]["State"] == "In use" and by_name["'=1+1"]["Description"] == "'@cmd"
    with client_for("ada").get("/forms.xlsx?state=retired") as answer:
        assert answer.status_code == 200
    assert [event.data for event in Event.select().where(Event.verb == "form.exported")][1].count('"count": 1') == 1


def test_who_has_to_do_with_a_form(cast, kinds):
    """The pages with responses open for staff who fill the form in, build it, or read what was answered."""
    partners = kinds["referral"]
    assert queries.known_form(cast.kay, partners.ref) == partners, "a Key User, as no group reads it"
    for who in ("sam", "oli", "rae", "stu"):
        with pytest.raises(permissions.NotVisible):
            queries.known_form(getattr(cast, who), partners.ref)
    closed = factories.form("Counselling only", cast.ada, for_staff=False, for_students=True, readers=[cast.counselling])
    assert queries.known_form(cast.gil, closed.ref) == closed and queries.known_form(cast.ada, closed.ref) == closed
    with pytest.raises(permissions.NotVisible):
        queries.known_form(cast.kay, closed.ref)
    retired = kinds["retired"]
    with pytest.raises(permissions.NotVisible):
        queries.known_form(cast.sam, retired.ref)
    factories.response(retired, cast.sam, cast.student)
    assert queries.known_form(cast.sam, retired.ref) == retired, "what they sent themselves they still find"
