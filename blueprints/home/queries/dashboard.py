"""What the start page shows. Every row comes from another part's queries, or through the permission
helper; nothing here widens what somebody sees. Must not write anything but the audit row of a read and a seen mark.
"""

from datetime import date, datetime, timedelta
from functools import reduce
from types import SimpleNamespace
from typing import NamedTuple
from zoneinfo import ZoneInfo

from peewee import SQL, Select, Value

import events
import permissions
from blueprints.cases import queries as cases
from blueprints.home.queries import notifications
from blueprints.incidents import queries as incidents
from blueprints.kit import prepared
from extensions import clock
from models import Incident, IncidentAction

AT_MOST, A_FEW, UNREAD = 30, 10, 5  # rows of My Assigned, of other sections, of unread notifications
MOST = {"mine": AT_MOST, "alerted": A_FEW, "unassigned": A_FEW}  # the lists of incidents; the whole list is one link away
RECENTLY = timedelta(days=90)  # what "Alerted to me" shows: over the summer holidays and a little more


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
    found = SimpleNamespace(
        notices=[], announcements=[], told=None, students=None, cases=None, mine=None, alerted=None, actions=None, tasks=None,
        meetings=None, unassigned=None, unread=0, is_empty=True,
    )  # fmt: skip
    if not permissions.can(user, "incident.read"):
        return found
    now = clock.now()
    today = now.astimezone(ZoneInfo(school.timezone)).date()
    found.announcements, told, found.unread = notifications.news(user, today, UNREAD)
    found.told = Section(told, UNREAD)
    if school.cases_module and permissions.can(user, "incident.be_assigned"):
        found.notices = incidents.bulk_notices(user)
    for name, rows in _incidents(user, school.cases_module, now - RECENTLY).items():
        setattr(found, name, Section(rows, MOST[name]))
    found.actions = Section(_open_actions(user), A_FEW)
    found.tasks = Section(cases.my_tasks(user, A_FEW + 1), A_FEW)
    found.meetings = Section(cases.next_meetings(user, A_FEW + 1), A_FEW)
    found.students = _students(user)
    if found.mine is None:  # whoever has My Assigned to work on finds their cases one link away
        found.cases = Section(cases.paging(user, mine=True, status="Open")[0](A_FEW + 1, 0), A_FEW)
    found.is_empty = found.mine is None and not any(each.rows for each in vars(found).values() if isinstance(each, Section))
    _record(user, found)
    return found


def _students(user):
    """The students this person looks after, as far as the first A_FEW of their cases reach."""
    rows = cases.my_students(user, A_FEW + 1)
    section = Section(rows, A_FEW)
    section.has_more = sum(len(row.cases) for row in rows) > A_FEW
    return section


def _record(user, found):
    """One audit row: how many incidents were on the page, and how many rows about cases, tasks and meetings."""
    lists = {name: len(section.rows) for name, section in vars(found).items() if isinstance(section, Section)}
    shown = sum(lists[name] for name in (*MOST, "actions") if name in lists)
    of_cases = {name: lists[name] for name in ("cases", "students", "tasks", "meetings") if lists.get(name)}
    events.record_alone("incident.listed", actor=user, count=shown, list="dashboard", **of_cases)


# --- Incidents -------------------------------------------------------------------------------------------------------


def _incidents(user, is_on, since):
    """{list: its rows} of the lists of incidents that are this person's. One query for all of them, one for their parts."""
    lists = {"alerted": []}
    if is_on and permissions.can(user, "incident.be_assigned"):
        lists["mine"] = []
    if is_on and user.role == permissions.ADMIN:
        lists["unassigned"] = []
    rows = prepared.rows(_first_of_all, user, since=since)
    summaries = {row.id: row for row in incidents.summaries(user, {row[0]: row[:-1] for row in rows}.values())}
    for row in rows:
        lists[row[-1]].append(summaries[row[0]])
    return lists


def _first_of_all(user, since):
    """The first rows of each list, with the list's name behind them."""
    queries = {"alerted": incidents.alerted_to_me(user, since)}
    if permissions.can(user, "incident.be_assigned"):
        queries["mine"] = incidents.my_assigned(user)
    if user.role == permissions.ADMIN:
        queries["unassigned"] = incidents.unassigned_active(user)
    chosen = _heads({name: (query, Incident.id, MOST[name] + 1) for name, query in queries.items()})
    listed = incidents.listed(Incident.select().join(chosen, on=(chosen.c.id == Incident.id)))
    return listed.select_extend(chosen.c.list)


def _heads(queries):
    """Ids of the first rows of several queries, {name: (query, id field, how many)}, as one table `id`, `list` to join with.
    Wrapped, because SQLite takes no LIMIT in a part of a UNION."""
    heads = [
        Select([query.select(field.alias("id"), Value(name).alias("list")).limit(most).alias(f"head_{name}")], [SQL("*")])
        for name, (query, field, most) in queries.items()
    ]
    return reduce(lambda one, other: one.union_all(other), heads).alias("chosen")


def _open_actions(user):
    """The first of the reader's open actions: by date, then those without one."""
    rows = [Todo(*row) for row in prepared.rows(_first_actions, user)]
    return sorted(rows, key=lambda row: (row.due_on is None, row.due_on, row.at))[: A_FEW + 1]


def _first_actions(user):
    dated, undated = incidents.my_open_actions(user, dated=True), incidents.my_open_actions(user, dated=False)
    chosen = _heads({"dated": (dated, IncidentAction.id, A_FEW + 1), "undated": (undated, IncidentAction.id, A_FEW + 1)})
    fields = (IncidentAction.ref, IncidentAction.text, IncidentAction.due_on, IncidentAction.at, Incident.ref)
    query = IncidentAction.select(*fields).join(chosen, on=(chosen.c.id == IncidentAction.id))
    return query.join_from(IncidentAction, Incident)
