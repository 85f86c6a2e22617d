"""The world of world.py, and a browser for each of the ten personas in it."""

from pathlib import Path

import pytest

from tests.access import routes, world
from tests.access.visitor import Visitor
from tests.conftest import FULL


def pytest_collection_modifyitems(items):
    """`make torture` runs these as well, with every persona and every page."""
    for item in items:
        if FULL and Path(__file__).parent in item.path.parents:
            item.add_marker("torture")


@pytest.fixture
def school(app, cast, clock):
    """The world, at a moment that stands still."""
    clock.freeze(clock.now().replace(hour=10, minute=30, second=0, microsecond=0))
    app.extensions["caseward_nudge"] = lambda name="deliver": None  # nothing is sent: what is posted here is taken back
    return world.build(app, cast)


@pytest.fixture
def visitors(app, school, cookie_for):
    """{"nobody": Visitor, "ada": Visitor, …}"""
    found = {"nobody": Visitor(app, "nobody")}
    for key in routes.PERSONAS[1:]:
        found[key] = Visitor(app, key, cookie_for(getattr(school.cast, key)))
    return found
