"""What the forms about a case as a whole offer: case types and reasons for closing. Both are the school's own lists."""

from typing import NamedTuple

from blueprints.kit import prepared
from models import CaseType, CloseReason


class Offered(NamedTuple):
    """A case type or a reason for closing; a retired one stays where it was used and is offered no more."""

    id: int
    ref: str
    name: str
    is_retired: bool


def case_types(user, *, retired=False):
    """The case types that can be chosen, in the school's order; `retired` for lists, which filter by all of them."""
    return [row for row in _offered(_case_types) if retired or not row.is_retired]


def close_reasons(user):
    """The reasons for closing that can be chosen, in the school's order."""
    return [row for row in _offered(_close_reasons) if not row.is_retired]


def _offered(build):
    return [Offered(*row) for row in prepared.rows(build)]


def _case_types():
    return CaseType.select(CaseType.id, CaseType.ref, CaseType.name, CaseType.is_retired).order_by(
        CaseType.position, CaseType.name
    )


def _close_reasons():
    return CloseReason.select(CloseReason.id, CloseReason.ref, CloseReason.name, CloseReason.is_retired).order_by(
        CloseReason.position, CloseReason.name
    )
