"""How an action says that something can't be done, or that somebody has to say yes to it first. Decides neither."""

import hashlib
from collections.abc import Iterable

from models import Account


class Refused(Exception):
    """It can't be done; `field` names the form's field that the sentence belongs to."""

    def __init__(self, field: str, sentence: str):
        super().__init__(sentence)
        self.field = field
        self.sentence = sentence


class Unconfirmed(Exception):
    """It would let people in, and nobody has said yes to exactly them: `people`, and `confirmation` to send back."""

    def __init__(self, people: list[Account]):
        super().__init__(f"{len(people)} people would get access")
        self.people = people
        self.confirmation = confirmation_of(people)


def confirmation_of(accounts: Iterable[Account]) -> str:
    """A word for exactly these accounts, whatever their order."""
    return hashlib.sha256(" ".join(sorted(account.ref for account in accounts)).encode()).hexdigest()[:16]


def confirm(people: list[Account], confirmed: str) -> None:
    """Go on if there is nobody to confirm, or exactly these people were confirmed."""
    if people and confirmed != confirmation_of(people):
        raise Unconfirmed(people)
