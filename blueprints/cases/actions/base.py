"""What the writes share: refusing with a sentence at a field, and telling the people on a case that something came in."""

import events
import permissions
from blueprints.kit.refusing import Refused
from extensions import clock
from models import Case


def refuse_closed(case, field):
    """In the open transaction: Refused at `field` where the case is closed. Holds its row, so that nobody closes it before
    this transaction has ended."""
    still_open = (Case.id == case.id) & (Case.status == "Open")
    if not Case.update(status="Open").where(still_open).execute():
        raise Refused(field, "This case is closed. Reopen it first.")


def people_on(case):
    """The accounts of everybody who works on the case as it stands."""
    return [account for account, reasons in permissions.who_can_see_case(case) if permissions.ON_CASE & set(reasons)]


def note_activity(case, detail, *, actor, record_id=None):
    """In the open transaction: the case moved just now, and everybody who is on it is told, without what it was.

    `detail` is a word of ours: entry, section, file, incident, closing, reopening, or the kind of the record that came to it,
    with its id. Of a meeting those are not told who are excluded from somebody else whom it is about.
    """
    Case.update(last_activity_at=clock.now()).where(Case.id == case.id).execute()
    people = people_on(case)
    if detail == "meeting":
        kept = {account for (account,) in permissions.kept_from_record(detail, record_id).tuples()}
        people = [account for account in people if account.id not in kept]
    events.notify("case_changed", people, actor=actor, target=case.ref, target_id=case.id, detail=detail)
