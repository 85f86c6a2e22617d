"""The world and the visitors of tests/access, for tests that send something to every page."""

from pathlib import Path

from tests.access.conftest import school, visitors

__all__ = ["school", "visitors"]

# What these count would be another number on a busy machine: seconds, megabytes, how far something got until a kill.
ALONE = {
    "test_alerts", "test_bombs", "test_connections", "test_kills", "test_migration_kills", "test_triggers", "test_writers",
}  # fmt: skip


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.parent == Path(__file__).parent and item.path.stem in ALONE:
            item.add_marker("alone")
