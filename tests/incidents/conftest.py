"""A small world that the tests about incidents share: two categories, one of them need-to-know, and Sam's incident."""

from types import SimpleNamespace

import pytest

from models import Incident
from tests import factories

TEXT = "Stu was pushed against the lockers after lunch."


@pytest.fixture
def world(app, cast):
    """cast, `bullying`, `disclosure` (need-to-know: Counselling), `incident` by Sam about Stu, and refs by name."""
    bullying = factories.category("Bullying", guidance="Say who saw it.")
    disclosure = factories.category("Disclosure", need_to_know=[cast.counselling])
    incident = factories.incident(cast.sam, [(cast.student, [bullying])], text=TEXT, place="Corridor")
    return SimpleNamespace(cast=cast, bullying=bullying, disclosure=disclosure, incident=incident)


@pytest.fixture
def again():
    """again(row): the row as it stands in the database now."""
    return lambda row: type(row).get_by_id(row.id)


@pytest.fixture
def new_incident():
    """The incident that was added last."""
    return lambda: Incident.select().order_by(Incident.id.desc()).first()
