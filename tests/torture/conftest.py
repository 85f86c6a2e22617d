"""The world and the visitors of tests/access, for tests that send something to every page."""

from tests.access.conftest import school, visitors

__all__ = ["school", "visitors"]
