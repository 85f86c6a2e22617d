"""Lists of cases: who finds what, in which order, with which filters, in the files too, and what a list costs."""

from datetime import timedelta

import pytest

import permissions
from blueprints.cases import queries
from extensions import clock
from models import Case, CaseType, Event, GroupMember, Student
from tests import factories
from tests.web import text_of


@pytest.fixture
def case(cast):
    return factories.case(cast.student, opened_by=cast.kay, title="Support plan", groups=[cast.counselling])


def found(user, **filters):
    return {row.ref: row.because for row in queries.export_rows(user, **filters)}


def csv(client, address):
    return client.get(address, buffered=True).get_data(as_text=True)


# --- Rules -----------------------------------------------------------------------------------------------------------


def test_each_list_says_why_its_reader_sees_a_case(cast, case):
    assert found(cast.kay) == {case.ref: "Opened it"}
    assert found(cast.ada) == {case.ref: "Admin Key Holder"}
    assert found(cast.gil) == {case.ref: "Member of an attached group"}
    assert found(cast.mo) == {case.ref: "Manager of an attached group"}
    for who in (cast.oli, cast.sam, cast.ken, cast.rae, cast.stu):
        assert found(who) == found(who, mine=True) == {}


def test_several_reasons_stand_together(cast, case):
    Case.update(coordinator=cast.gil).execute()
    assert found(cast.gil) == {case.ref: "Coordinator, Member of an attached group"}


def test_being_an_admin_key_holder_alone_is_not_being_on_a_case(cast, case):
    assert found(cast.ada, mine=True) == {}
    followed = factories.case(cast.student, opened_by=cast.kay, following=[cast.ada])
    assert found(cast.ada, mine=True) == {followed.ref: "Following Case, Admin Key Holder"}
    factories.exclusion(cast.ada, cast.kay, case=followed)
    assert found(cast.ada, mine=True) == {}
    assert found(cast.kay, mine=True).keys() == {case.ref, followed.ref}


def test_my_cases_are_what_one_sees_for_everybody_else(cast, case):
    for who in (cast.kay, cast.gil, cast.mo, cast.oli):
        assert found(who, mine=True) == found(who)
    GroupMember.delete().where(GroupMember.account == cast.gil).execute()
    assert found(cast.gil, mine=True) == {}


def test_filters(cast, case):
    attendance = factories.case(factories.student("Bea", "Finch"), cast.kay, "Late in the mornings", case_type="Attendance")
    closed = factories.case(cast.student, opened_by=cast.kay, title="Old 100% plan", status="Closed")
    kind = CaseType.get(CaseType.name == "Attendance")
    assert found(cast.kay, status="Closed").keys() == {closed.ref}
    assert found(cast.kay, status="Open").keys() == {case.ref, attendance.ref}
    assert found(cast.kay, type_id=kind.id).keys() == {attendance.ref}
    assert found(cast.kay, student_id=cast.student.id).keys() == {case.ref, closed.ref}
    assert found(cast.kay, text="SUPPORT").keys() == {case.ref}
    assert found(cast.kay, text="sturgeon plan").keys() == {case.ref, closed.ref}
    assert found(cast.kay, text="finch").keys() == found(cast.kay, text="bea morn").keys() == {attendance.ref}
    assert found(cast.kay, text="100%").keys() == {closed.ref}
    assert found(cast.kay, text="%").keys() == {closed.ref}
    assert found(cast.kay, text="nothing of the kind") == found(cast.oli, text="sturgeon") == {}


def test_the_admission_number_is_no_guess_that_comes_true(cast, case):
    Student.update(search_text="stu sturgeon | a12345").where(Student.id == cast.student.id).execute()
    assert found(cast.kay, text="a12345").keys() == {case.ref}
    assert found(cast.gil, text="a12345") == {}


@pytest.mark.parametrize("text", ['"', "!", "!!", "_", "\\", "a'; DROP TABLE student_case; --", "|", "\0"])
def test_hostile_words_break_nothing(cast, case, client_for, text):
    assert found(cast.kay, text=text).keys() <= {case.ref}
    assert client_for("kay").get("/cases", query_string={"q": text, "status": text, "type": text}).status_code == 200


# --- Pages -----------------------------------------------------------------------------------------------------------


def test_the_pages_show_the_rows_and_their_reasons(cast, case, client_for):
    for address, who, because in (
        ("/cases", "kay", "Opened it"),
        ("/cases/mine", "kay", "Opened it"),
        ("/cases", "ada", "Admin Key Holder"),
        ("/cases/mine", "gil", "Member of an attached group"),
        (f"/students/{cast.student.ref}/cases", "gil", "Member of an attached group"),
    ):
        page = client_for(who).get(address)
        words = text_of(page)
        for part in (case.ref, "Support plan", "Wellbeing", "Open", "Because", because, "1 case"):
            assert part in words, (address, who, part)
        assert f'href="/cases/{case.ref}"' in page.text
    assert f'href="/students/{cast.student.ref}"' in client_for("kay").get("/cases").text


def test_the_menu_and_the_tabs_lead_to_both_lists(cast, case, client_for):
    page = client_for("kay").get("/cases").text
    assert '<a href="/cases/mine">My Cases</a>' in page
    assert '<a href="/cases" aria-current="page">All cases</a>' in page
    assert '<a href="/cases/mine?status=Open">My Cases</a>' in client_for("kay").get("/cases?status=Open").text


def test_newest_activity_stands_first(cast, case, client_for):
    other = factories.case(cast.student, opened_by=cast.kay, title="Newer")
    Case.update(last_activity_at=clock.now() + timedelta(minutes=5)).where(Case.id == case.id).execute()
    words = text_of(client_for("kay").get("/cases"))
    assert words.index(case.ref) < words.index(other.ref)


def test_filters_are_chips_that_can_be_taken_away(cast, case, client_for):
    kind = CaseType.get(CaseType.name == "Wellbeing")
    page = client_for("kay").get(f"/cases?q=support&status=Open&type={kind.ref}")
    for chip in ("Text: support", "Status: Open", "Case type: Wellbeing"):
        assert f"Remove filter {chip}" in page.text
    assert f'href="/cases?q=support&amp;type={kind.ref}"' in page.text
    nothing = client_for("kay").get("/cases?status=Closed")
    assert "No case fits" in text_of(nothing) and case.ref not in nothing.text
    odd = client_for("kay").get("/cases?status=Everything&type=ZZZZ&page=x")
    assert odd.status_code == 200 and "Remove filter" not in odd.text


def test_oli_finds_no_trace(cast, case, client_for):
    oli = client_for("oli")
    for address in ("/cases", "/cases/mine", f"/students/{cast.student.ref}/cases"):
        page = oli.get(address)
        assert page.status_code == 200
        assert case.ref not in page.text and "Support plan" not in page.text
    assert "You are not on any case" in text_of(oli.get("/cases/mine"))
    for address in ("/cases.csv", "/cases/mine.csv", f"/students/{cast.student.ref}/cases/export.csv"):
        assert "C-" not in csv(oli, address)


def test_students_and_partners_find_no_page(cast, case, client_for):
    for who in ("stu", "rae"):
        for address in ("/cases", "/cases/mine", "/cases.csv", "/cases/mine.xlsx", f"/students/{cast.student.ref}/cases"):
            assert client_for(who).get(address).status_code == 404, (who, address)


def test_a_student_who_is_closed_to_the_reader_has_no_list(cast, case, client_for):
    factories.exclusion(cast.kay, cast.ada, student=cast.student)
    kay = client_for("kay")
    theirs, missing = kay.get(f"/students/{cast.student.ref}/cases"), kay.get("/students/ZZZZZZZZZZ/cases")
    assert theirs.status_code == missing.status_code == 404
    assert text_of(theirs) == text_of(missing)
    assert case.ref not in kay.get("/cases").text


def test_files_hold_what_the_list_holds(cast, case, client_for):
    Case.update(title="=1+1").where(Case.id == case.id).execute()
    closed = factories.case(cast.student, opened_by=cast.kay, status="Closed")
    kay = client_for("kay")
    text = csv(kay, "/cases.csv?status=Open")
    assert case.ref in text and closed.ref not in text and "Stu Sturgeon" in text and "Opened it" in text
    assert '"=1+1' not in text and ",=1+1" not in text
    assert "Because" in text.splitlines()[0]
    assert csv(client_for("ada"), "/cases/mine.csv").count("C-") == 0
    assert kay.get("/cases/mine.xlsx", buffered=True).data[:2] == b"PK"
    assert kay.get("/cases.pdf").status_code == 404
    assert closed.ref in csv(kay, f"/students/{cast.student.ref}/cases/export.csv")


def test_lists_and_files_are_on_record(cast, case, client_for):
    kay = client_for("kay")
    for address in ("/cases", "/cases/mine", f"/students/{cast.student.ref}/cases"):
        kay.get(address)
    lists = [(event.target, event.data) for event in Event.select().where(Event.verb == "case.listed").order_by(Event.id)]
    assert lists == [
        ("", '{"count": 1, "list": "all"}'),
        ("", '{"count": 1, "list": "mine"}'),
        (cast.student.ref, '{"count": 1, "list": "student"}'),
    ]
    csv(kay, "/cases.csv")
    assert Event.get(Event.verb == "case.exported").data == '{"count": 1, "format": "csv"}'


# --- The Case tab ----------------------------------------------------------------------------------------------------


def test_the_tab_offers_to_open_a_case_to_those_who_may(cast, case, client_for):
    address = f"/students/{cast.student.ref}/cases"
    kay, gil = client_for("kay").get(address).text, client_for("gil").get(address).text
    assert f'<a href="{address}" aria-current="page">Case</a>' in kay
    assert "Open case" in kay and "Open case" not in gil


# --- Cost ------------------------------------------------------------------------------------------------------------


def many(cast, number):
    kind, now = CaseType.get(CaseType.name == "Wellbeing"), clock.now()
    with Case._meta.database.atomic():
        Case.insert_many(
            [
                {
                    "student": cast.student,
                    "case_type": kind,
                    "title": f"Plan {one}",
                    "opened_by": cast.kay if one % 3 else cast.ken,
                    "last_activity_at": now - timedelta(minutes=one),
                }
                for one in range(number)
            ]
        ).execute()


def test_lists_cost_the_same_for_few_and_many(cast, case, client_for, count_queries):
    clients = [client_for(who) for who in ("kay", "ada")]
    addresses = ("/cases", "/cases/mine", "/cases?q=plan", f"/students/{cast.student.ref}/cases", "/cases.csv")

    def measure():
        counts = []
        for client in clients:
            for address in addresses:
                with count_queries(most=10) as made:
                    assert client.get(address, buffered=True).status_code == 200
                counts.append(len(made))
        return counts

    many(cast, 200)
    few = measure()
    many(cast, 400)
    assert measure() == few


def test_no_row_of_a_list_is_a_model(cast, case):
    fetch, count = queries.paging(cast.kay, mine=True)
    assert isinstance(fetch(51, 0)[0], tuple) and count(501) == 1


def test_admins_lists_go_through_the_same_rule(cast, case):
    """cases_on() is a part of visible_cases(), for everybody."""
    for who in (cast.ada, cast.kay, cast.gil, cast.mo, cast.oli, cast.stu):
        seen = {row.id for row in permissions.visible_cases(who, Case.id)}
        assert {row.id for row in permissions.cases_on(who, Case.id)} <= seen
