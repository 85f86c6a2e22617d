"""What the dictionary opens when something happens to a student: called as the parts call it, inside a transaction."""

import json

import pytest

import permissions
from blueprints.cases import actions
from extensions import db
from models import (
    Case,
    CaseGroup,
    CaseRecord,
    CaseStaff,
    CaseType,
    Exclusion,
    Notification,
    OutboxEmail,
    Trigger,
    TriggerGroup,
    TriggerStaff,
)
from tests import factories

KINDS = ("form", "plan", "task", "meeting", "review", "file")


@pytest.fixture
def student(cast):
    return factories.student("Ann", "Finch", year_group="7")


class Row:
    """What a part made: the trigger reads its id and its reference."""

    def __init__(self, number):
        self.id, self.ref = number, f"R{number:09}"


def switch(kind, on=True, *, groups=(), staff=(), form=None, **fields):
    trigger = Trigger.get_or_none((Trigger.kind == kind) & Trigger.form.is_null()) if form is None else None
    trigger = trigger or Trigger.create(kind=kind, form=form)
    Trigger.update(is_on=on, **fields).where(Trigger.id == trigger.id).execute()
    for group in groups:
        TriggerGroup.create(trigger=trigger, group=group)
    for account in staff:
        TriggerStaff.create(trigger=trigger, account=account)
    return trigger


def happen(kind, student, number, actor, **more):
    with db.atomic():
        actions.happened(kind, student, Row(number), actor=actor, **more)


@pytest.mark.parametrize("kind", KINDS)
def test_off_nothing_opens_on_a_case_does_and_the_next_joins_it(kind, cast, student):
    happen(kind, student, 1, cast.sam)
    assert not Case.select().exists()
    switch(kind, groups=[cast.counselling], staff=[cast.ken], title="Look into it", changed_by=cast.ada)
    assert not Case.select().exists(), "switching on opens nothing for the past"
    happen(kind, student, 2, cast.sam)
    case = Case.get()
    assert (case.title, case.status, case.opened_by, case.student_id) == ("Look into it", "Open", None, student.id)
    seen = {account.name: reasons for account, reasons in permissions.who_can_see_case(case)}
    assert seen["Gil Gannet"] == ["group"] and seen["Ken Kittiwake"] == ["assigned"] and "Sam Swift" not in seen
    assert CaseGroup.get().attached_by == cast.ada and CaseStaff.get().attached_by == cast.ada
    happen(kind, student, 3, cast.sam)
    assert Case.select().count() == 1
    rows = CaseRecord.select().order_by(CaseRecord.id)
    assert [(row.kind, row.record_id, row.how) for row in rows] == [(kind, 2, "opened"), (kind, 3, "joined")]


def test_the_newest_open_case_of_the_type_is_joined(cast, student):
    first, second = CaseType.select().order_by(CaseType.position).limit(2)
    older = factories.case(student, cast.kay, "Older", case_type=first.name)
    newer = factories.case(student, cast.kay, "Newer", case_type=first.name)
    factories.case(student, cast.kay, "Another type", case_type=second.name)
    closed = factories.case(student, cast.kay, "Closed", case_type=first.name, status="Closed")
    switch("task", case_type=first)
    happen("task", student, 1, cast.sam)
    assert [row.case_id for row in CaseRecord.select()] == [newer.id]
    assert older.id < newer.id < closed.id


def test_joining_widens_nothing_and_tells_who_is_on_the_case(cast, student):
    case = factories.case(student, cast.kay, staff=[cast.ken], case_type=CaseType.get().name)
    switch("task", case_type=case.case_type, groups=[cast.counselling])
    happen("task", student, 1, cast.sam)
    assert not CaseGroup.select().exists()
    told = [(row.account.name, row.kind, row.detail) for row in Notification.select()]
    assert told == [("Ken Kittiwake", "case_changed", "task")]


def test_the_people_are_told_and_emailed_only_if_the_box_is_ticked(cast, student):
    switch("file", groups=[cast.counselling])
    happen("file", student, 1, cast.sam)
    assert Notification.get().account == cast.gil and not OutboxEmail.select().exists()
    other = factories.student("Bo", "Brown")
    switch("file", email_staff=True)
    happen("file", other, 2, cast.gil)
    assert [(row.account.name, row.kind) for row in OutboxEmail.select()] == [("Gil Gannet", "case_added")]


def test_somebody_kept_from_the_student_is_not_attached(cast, student):
    Exclusion.create(account=cast.ken, student=student, reason="An uncle", excluded_by=cast.ada)
    switch("plan", staff=[cast.ken, cast.gil])
    happen("plan", student, 1, cast.sam)
    assert [row.account for row in CaseStaff.select()] == [cast.gil]


def test_a_form_goes_by_its_own_trigger(cast, student):
    form, other = factories.form("Worry"), factories.form("Praise")
    switch("form", title="In general")
    switch("form", False, form=other)
    switch("form", True, form=form, title="At risk", field="risk", answer="yes")
    happen("form", student, 1, cast.sam, form=other, answers="{}")
    happen("form", student, 2, cast.sam, form=form, answers=json.dumps({"risk": False}))
    assert not Case.select().exists()
    happen("form", student, 3, cast.sam, form=form, answers=json.dumps({"risk": True}))
    assert Case.get().title == "At risk"
    switch("form", False)
    happen("form", factories.student("Bo", "Brown"), 4, cast.sam, form=form, answers=json.dumps({"risk": True}))
    assert Case.select().count() == 1, "the dictionary's own switch is off"


def test_a_retired_case_type_gives_way_to_the_first_in_use(cast, student):
    kind = CaseType.create(name="Old", is_retired=True)
    switch("task", case_type=kind)
    happen("task", student, 1, cast.sam)
    assert Case.get().case_type == CaseType.select().where(~CaseType.is_retired).order_by(CaseType.position).first()


def test_it_belongs_into_a_transaction(cast, student):
    with pytest.raises(RuntimeError, match="transaction"):
        actions.happened("task", student, Row(1), actor=cast.sam)


def test_both_or_neither(cast, student):
    switch("task")
    with pytest.raises(ZeroDivisionError), db.atomic():
        actions.happened("task", student, Row(1), actor=cast.sam)
        raise ZeroDivisionError
    assert not Case.select().exists() and not CaseRecord.select().exists()
