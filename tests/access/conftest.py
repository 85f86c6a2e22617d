"""The world of world.py, and a browser for each of the ten personas in it."""

from pathlib import Path

import pytest

from tests.access import routes
from tests.access.visitor import Visitor
from tests.conftest import FULL


def pytest_collection_modifyitems(items):
    """`make torture` runs these as well, with every persona and every page."""
    for item in items:
        if FULL and Path(__file__).parent in item.path.parents:
            item.add_marker("torture")


@pytest.fixture
def school(app, whole_school):
    """The world, at a moment that stands still."""
    app.extensions["caseward_nudge"] = lambda name="deliver": None  # nothing is sent: what is posted here is taken back
    return whole_school


@pytest.fixture
def visitors(app, school):
    """{"nobody": Visitor, "ada": Visitor, …}"""
    return {key: Visitor(app, key, school.cookies.get(key)) for key in routes.PERSONAS}
