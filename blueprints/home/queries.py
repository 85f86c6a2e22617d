"""What the start page and the search show. Every row comes from another part's queries, or through the permission
helper; nothing here widens what somebody sees. Must not write anything but the audit row of a read and a seen mark.
"""

from datetime import date, datetime, timedelta
from types import SimpleNamespace
from typing import NamedTuple

import events
import permissions
from blueprints.incidents import queries as incidents
from blueprints.kit import prepared
from blueprints.kit.listing import paginate
from blueprints.kit.text import one_line
from blueprints.students import queries as students
from extensions import clock

AT_MOST, A_FEW = 30, 10  # rows of My Assigned and of the other sections; the whole list is one link away
RECENTLY = timedelta(days=90)  # what "Alerted to me" shows: over the summer holidays and a little more
LONGEST_SEARCH = 200  # characters


class Section:
    """The first rows of a list; `has_more` when there are more than are shown."""

    def __init__(self, rows, most):
        self.rows, self.has_more = rows[:most], len(rows) > most


class Todo(NamedTuple):
    """An open action of the reader, as incidents.my_open_actions() gives it."""

    ref: str
    text: str
    due_on: date | None
    at: datetime
    incident_ref: str


def dashboard(user, school):
    """The sections of this person's start page, each None when it is not theirs. Records one read of the lists."""
    found = SimpleNamespace(notices=[], mine=None, alerted=None, actions=None, unassigned=None)
    if not permissions.can(user, "incident.read"):
        return found
    is_on = school.cases_module
    lists = {"alerted": prepared.rows(_alerted_lately, user, since=clock.now() - RECENTLY)}
    if is_on and permissions.can(user, "incident.be_assigned"):
        found.notices = incidents.bulk_notices(user)
        lists["mine"] = prepared.rows(_my_assigned, user)
    if is_on and user.role == permissions.ADMIN:
        lists["unassigned"] = prepared.rows(_unassigned, user)
    for name, rows in _with_parts(user, lists).items():
        setattr(found, name, Section(rows, AT_MOST if name == "mine" else A_FEW))
    found.actions = Section(_open_actions(user), A_FEW)
    shown = sum(len(each.rows) for each in vars(found).values() if isinstance(each, Section))
    events.record_alone("incident.listed", actor=user, count=shown, list="dashboard")
    return found


def _my_assigned(user):
    return incidents.my_assigned(user).limit(AT_MOST + 1)


def _alerted_lately(user, since):
    return incidents.alerted_to_me(user, since).limit(A_FEW + 1)


def _unassigned(user):
    return incidents.unassigned_active(user).limit(A_FEW + 1)


def _open_actions(user):
    """The first of the reader's open actions: by date, then those without one."""
    rows = prepared.rows(_dated_actions, user)
    if len(rows) <= A_FEW:
        rows += prepared.rows(_undated_actions, user)
    return [Todo(*row) for row in rows[: A_FEW + 1]]


def _dated_actions(user):
    return incidents.my_open_actions(user, dated=True).limit(A_FEW + 1)


def _undated_actions(user):
    return incidents.my_open_actions(user, dated=False).limit(A_FEW + 1)


def _with_parts(user, lists):
    """The lists with the students and categories of all their rows, which one query brings for all of them."""
    rows = {row[0]: row for rows in lists.values() for row in rows}
    summaries = {row.id: row for row in incidents.summaries(user, rows.values())}
    return {name: [summaries[row[0]] for row in rows] for name, rows in lists.items()}


# --- Search ----------------------------------------------------------------------------------------------------------

def search(user, text, page):
    """What a search from the header finds: `.reference` (an incident to go to at once), `.incidents`, `.students`.

    `text` empty finds nothing and records nothing.
    """
    text = one_line(text or "")[:LONGEST_SEARCH]
    found = SimpleNamespace(text=text, reference=None, incidents=[], students=None)
    if not text:
        return found
    incident = incidents.by_reference(user, text) if permissions.can(user, "incident.read") else None
    found.incidents = [incident] if incident else []
    found.students = paginate(students.listing(user, text=text, active=None), page)
    events.record_alone("search.run", actor=user, count=len(found.incidents) + found.students.total)
    if incident and not found.students.total:
        found.reference = incident.ref
    return found
