"""Two worlds that differ only in a record which the reader may not see: every answer about the student is the same, byte for
byte, on the page, behind it, in the files and on paper."""

from types import SimpleNamespace

import pytest

from models import StoredFile
from tests import factories
from tests.access.visitor import Answer, masked, undone
from tests.timeline.busy import busy
from tests.timeline.everything import case, incident, meetings, plan, profile, sent, task


def sent_to_others(made, student, cast, at):
    """Without the file that everybody who works with the student sees."""
    sent(made, student, cast, at)
    StoredFile.delete().where(StoredFile.name == "Zqfilerelated.pdf").execute()


SECRETS = {"incident": incident, "case": case, "task": task, "meeting": meetings, "plan": plan, "sent": sent_to_others}
ADDRESSES = (
    "", "?kind=incident&kind=file&kind=meeting", "?text=zq", "?author=s", "?from=2020-01-01", ".csv", ".xlsx", "/print",
)  # fmt: skip


class Nobodys:
    """The cast of records that nobody of the real cast has anything to do with."""

    def __init__(self, cast):
        stranger = factories.account("Nora Nobody")
        self.ada = cast.ada
        for name in ("kay", "ken", "gil", "mo", "sam", "oli"):
            setattr(self, name, stranger)
        self.counselling = factories.group("Strangers", members=[stranger])


@pytest.fixture
def ann(cast):
    row = factories.student("Ann", "Finch")
    busy(row, cast.kay, cast.gil, 0.02)
    return row


def answers(client, student):
    found = []
    for address in ADDRESSES:
        url = f"/students/{student.ref}/timeline{address}"
        found.append(Answer("GET", url, client.get(url)))
    return found


@pytest.mark.parametrize("who", ["gil", "mo", "oli"])
@pytest.mark.parametrize("secret", SECRETS)
def test_a_record_that_the_reader_may_not_see_makes_no_difference(cast, ann, client_for, clock, who, secret):
    clock.freeze(clock.now())
    nobody, client = Nobodys(cast), client_for(who)
    with undone():
        without = answers(client, ann)
    with undone():
        SECRETS[secret](SimpleNamespace(words={}), ann, nobody, clock.now())
        beside = answers(client, ann)
        seen_by_ada = Answer("GET", "", client_for("ada").get(f"/students/{ann.ref}/timeline?text=zq"))
    assert b"Zq" in seen_by_ada.body, "there is something to hide"
    for one, other in zip(without, beside, strict=True):
        assert one.status == 200
        assert masked(one) == masked(other), one.url


def test_a_key_user_and_a_part_that_is_need_to_know(cast, ann, client_for, clock):
    clock.freeze(clock.now())
    kept, client = factories.category("Kept away", need_to_know=[factories.group()]), client_for("kay")
    with undone():
        without = answers(client, ann)
    with undone():
        factories.incident(cast.sam, [(ann, [kept]), (factories.student(), [])], "Zqsecret", happened_at=clock.now())
        beside = answers(client, ann)
    for one, other in zip(without, beside, strict=True):
        assert masked(one) == masked(other), one.url


def test_a_milestone_of_a_cohort_that_others_support(cast, ann, client_for, clock):
    clock.freeze(clock.now())
    nobody, client = Nobodys(cast), client_for("oli")
    with undone():
        without = Answer("GET", "", client.get(f"/students/{ann.ref}/timeline?kind=milestone"))
    with undone():
        profile(SimpleNamespace(words={}), ann, nobody, clock.now())
        beside = Answer("GET", "", client.get(f"/students/{ann.ref}/timeline?kind=milestone"))
    assert masked(without) == masked(beside)
