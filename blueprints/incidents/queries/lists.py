"""Many incidents: filters, the rows of a list with the parts their reader may see, and what the dashboard asks for.

The functions that name a list (my_assigned, alerted_to_me, unassigned_active …) return a query of ROW columns, newest
entered first: page it with kit.listing, then give its rows to summaries(). No text of an incident is in a list.
"""

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from peewee import JOIN, SQL, Expression, NodeList, fn

import permissions
from blueprints.kit import fulltext, prepared
from blueprints.kit.text import reference
from models import (
    Account,
    BulkClosing,
    BulkClosingNotice,
    Category,
    CohortStudent,
    GroupMember,
    Incident,
    IncidentAction,
    IncidentAlert,
    IncidentClosure,
    IncidentStudent,
    PartCategory,
    School,
    Student,
    is_postgres,
)

AT_ONCE = 500  # rows whose parts are fetched with one query
REFERENCE = re.compile(r"I-[0-9A-HJKMNP-TV-Z]{6}")

Author = Account.alias("author")
Assignee = Account.alias("assignee")
Parent = Category.alias("parent_category")


class Part(NamedTuple):
    """One student's part in an incident; `categories` is a list of (name, colour)."""

    student_ref: str
    student_name: str
    role: str
    categories: list


class Summary(NamedTuple):
    """One row of a list; `parts` holds only what the reader may see."""

    id: int
    ref: str
    status: str
    happened_at: datetime
    entered_at: datetime
    place: str
    author_name: str
    assigned_ref: str | None
    assigned_name: str | None
    open_actions: int
    parts: list

    @property
    def categories(self):
        """(name, colour) of all parts, each once."""
        return list(dict.fromkeys(category for part in self.parts for category in part.categories))

    @property
    def student_names(self):
        return ", ".join(part.student_name for part in self.parts)

    @property
    def category_names(self):
        """The categories of all the parts, each once."""
        return list(dict.fromkeys(name for part in self.parts for name, _ in part.categories))


# --- Filters ---------------------------------------------------------------------------------------------------------


def filtered(
    user,
    *,
    from_day=None,
    to_day=None,
    categories=(),
    student=None,
    year_group=None,
    cohort=None,
    author=None,
    text=None,
    status=None,
    assigned_to=None,
    unassigned=False,
    alerted_to=None,
    alerted_since=None,
    zone=None,
):
    """The incidents that `user` may see and that fit, as a query on Incident to select from, order and count.

    `from_day`, `to_day`: days of When it happened in school time, both included. `categories`: rows (a parent counts with
    its children). `student`, `author`, `assigned_to`, `alerted_to`: rows; `cohort`: an id. Category, student, year group
    and cohort have to fit one and the same part, and one that the reader may see. `assigned_to` and `unassigned` together
    mean either. `alerted_since`: a moment; older alerts of `alerted_to` do not count. `zone` spares the look at the
    school's row.
    """
    among = []
    if from_day or to_day:
        among.append(whole_days(Incident.happened_at, from_day, to_day, zone or _zone()))
    if status:
        among.append(Incident.status == status)
    if author:
        among.append(Incident.author == author)
    if assigned_to or unassigned:
        nobody = Incident.assigned_to.is_null()
        person = Incident.assigned_to == assigned_to
        among.append((person | nobody) if assigned_to and unassigned else person if assigned_to else nobody)
    if alerted_to:
        among.append(Incident.id.in_(_alerts_of(alerted_to, alerted_since)))
    if text and text.strip():
        asked = fulltext.words(text)
        among.append(Incident.id.in_(fulltext.rows_with(Incident, asked)) if asked else SQL("1 = 0"))
    part = []
    if categories:
        part.append(_in_categories(categories))
    if year_group:
        of_year = Student.select(Student.id).where(Student.year_group == year_group)
        part.append(Expression(_one_by_one(IncidentStudent.student), "in", of_year))
    if cohort:
        members = CohortStudent.select(CohortStudent.student).where(CohortStudent.cohort == cohort)
        part.append(Expression(_one_by_one(IncidentStudent.student), "in", members))
    if student:
        # The list of one student's incidents is short: starting from it spares a look at every incident.
        mine = IncidentStudent.alias("student_part")
        among.append(Incident.id.in_(mine.select(mine.incident).where(mine.student == student)))
        part.append(IncidentStudent.student == student)
    return permissions.visible_incidents(user, among=among, part=part or None)


def whole_days(field, from_day, to_day, zone):
    """Expression: the moment lies on one of these days of `zone`; either end may be missing."""
    expression = SQL("1 = 1")
    if from_day:
        expression &= field >= _midnight(from_day, zone)
    if to_day:
        expression &= field < _midnight(to_day + timedelta(days=1), zone)
    return expression


def _midnight(day, zone):
    return datetime.combine(day, time.min, zone).astimezone(UTC)


def _zone():
    return ZoneInfo(School.select(School.timezone).scalar())


def _in_categories(categories):
    ids = [getattr(category, "id", category) for category in categories]
    chosen = Category.alias("chosen_category")
    pick = PartCategory.alias("chosen_pick")
    family = chosen.select(chosen.id).where(chosen.id.in_(ids) | chosen.parent.in_(ids))
    fits = Expression(_one_by_one(pick.category), "in", family)
    return fn.EXISTS(pick.select(SQL("1")).where((pick.part == IncidentStudent.id) & fits))


def _one_by_one(field):
    """The field, for SQLite with a plus before it: then it checks the one or two rows there are, and does not look up every
    value of a list in an index to find them. Postgres knows that better."""
    return field if is_postgres() else NodeList((SQL("+"), field))


# --- Rows ------------------------------------------------------------------------------------------------------------


def listed(query):
    """The query with the columns that summaries() needs, as named tuples, newest entered first."""
    todo = IncidentAction.alias("todo")
    open_actions = todo.select(fn.COUNT(todo.id)).where((todo.incident == Incident.id) & todo.done_at.is_null())
    return (
        query.select(
            Incident.id,
            Incident.ref,
            Incident.status,
            Incident.happened_at,
            Incident.entered_at,
            Incident.place,
            Author.name.alias("author_name"),
            Assignee.ref.alias("assigned_ref"),
            Assignee.name.alias("assigned_name"),
            open_actions.alias("open_actions"),
        )
        .join_from(Incident, Author, on=(Incident.author == Author.id))
        .join_from(Incident, Assignee, JOIN.LEFT_OUTER, on=(Incident.assigned_to == Assignee.id))
        .order_by(Incident.entered_at.desc(), Incident.id.desc())
        .namedtuples()
    )


def summaries(user, rows):
    """The rows of listed() (as tuples, or the query itself) as Summary, each with the parts that `user` may see.

    One query for every 500 rows, however many lists they come from; a query that is passed in costs one more.
    """
    rows = list(rows)
    parts = {}
    for start in range(0, len(rows), AT_ONCE):
        _collect_parts(user, [row[0] for row in rows[start : start + AT_ONCE]], parts)
    return [Summary(*row, parts=list(parts.get(row[0], {}).values())) for row in rows]


def _parts_of(user, ids):
    """What the visible parts of these incidents consist of, a row for each category of each."""
    return (
        IncidentStudent.select(
            IncidentStudent.incident_id,
            IncidentStudent.id,
            Student.ref,
            Student.preferred_name,
            Student.first_name,
            Student.last_name,
            IncidentStudent.role,
            Category.name,
            Category.colour,
        )
        .join_from(IncidentStudent, Incident)
        .join_from(IncidentStudent, Student)
        .join_from(IncidentStudent, PartCategory, JOIN.LEFT_OUTER)
        .join_from(PartCategory, Category, JOIN.LEFT_OUTER)
        .where(IncidentStudent.incident.in_(ids) & permissions.sees_part(user))
        .order_by(IncidentStudent.id, PartCategory.id)
    )


def _collect_parts(user, ids, parts):
    """Add {part id: Part} of each of these incidents to `parts`."""
    rows = prepared.rows(_parts_of, user, ids=ids)
    for incident_id, part_id, ref, preferred, first, last, role, category, colour in rows:
        of_incident = parts.setdefault(incident_id, {})
        part = of_incident.get(part_id)
        if part is None:
            part = of_incident[part_id] = Part(ref, f"{preferred or first} {last}", role, [])
        if category is not None:
            part.categories.append((category, colour))


def export_rows(user, query):
    """Every Summary of the query in its order, fetched in blocks; the access of `user` is asked for each block."""
    rows = listed(query).iterator()
    block = []
    for row in rows:
        block.append(row)
        if len(block) == AT_ONCE:
            yield from summaries(user, block)
            block = []
    yield from summaries(user, block)


# --- Lists with a name -----------------------------------------------------------------------------------------------


def _module_is_on():
    return fn.EXISTS(School.select(SQL("1")).where(School.cases_module))


def my_assigned(user):
    """Active incidents assigned to `user`; none while the Cases module is off."""
    return listed(filtered(user, assigned_to=user, status="Active").where(_module_is_on()))


def unassigned_active(user):
    """Active incidents that nobody is assigned; none while the Cases module is off."""
    return listed(filtered(user, unassigned=True, status="Active").where(_module_is_on()))


def alerted_to_me(user, since=None):
    """Incidents that `user` was alerted to, by name or as a member of a group; with `since`, not longer ago than that."""
    return listed(filtered(user, alerted_to=user, alerted_since=since))


def _alerts_of(account, since):
    # Two queries and not one with OR, which would look at every alert there is.
    by_name, by_group = IncidentAlert.alias("my_alert"), IncidentAlert.alias("our_alert")
    member = GroupMember.alias("alerted_member")
    mine = by_name.select(by_name.incident).where(by_name.account == account)
    ours = by_group.select(by_group.incident).join(member, on=(member.group == by_group.group))
    ours = ours.where(member.account == account)
    if since:
        mine, ours = mine.where(by_name.at >= since), ours.where(by_group.at >= since)
    return mine.union_all(ours)


def written_by_me(user):
    """Incidents that `user` entered."""
    return listed(filtered(user, author=user))


def of_student(user, student):
    """Incidents with a part of this student that `user` may see."""
    return listed(filtered(user, student=student))


def my_open_actions(user, *, dated):
    """Open actions that name `user`, on incidents they see: with `dated` those that have a date, the earliest due first,
    else those that have none. Apart, because then an index knows the order, and only what is shown is looked at.

    Named tuples: ref, text, due_on, at, incident_ref.
    """
    return (
        permissions.visible_incidents(
            user,
            IncidentAction.ref,
            IncidentAction.text,
            IncidentAction.due_on,
            IncidentAction.at,
            Incident.ref.alias("incident_ref"),
        )
        .join(IncidentAction, on=(IncidentAction.incident == Incident.id))
        .where((IncidentAction.person == user) & IncidentAction.done_at.is_null())
        .where(IncidentAction.due_on.is_null(not dated))
        .order_by(IncidentAction.due_on, IncidentAction.id)
        .namedtuples()
    )


class BulkNotice(NamedTuple):
    """What one bulk closing closed of the incidents assigned to somebody, without those that are closed to them by now."""

    id: int
    count: int
    closed_by: str
    closed_at: datetime
    from_day: date
    to_day: date


def bulk_notices(user):
    """The BulkNotices that `user` has not been shown yet; actions.see_bulk_notices() marks them as shown."""
    notices = [BulkNotice(*row) for row in prepared.rows(_unseen_notices, user)]
    return [notice for notice in notices if notice.count > 0]


def closed_but_hidden(user, *conditions):
    """How many incidents that a bulk closing closed `user` is excluded from, as a query beside BulkClosing."""
    hidden = Incident.select(fn.COUNT(Incident.id)).join(IncidentClosure, on=(IncidentClosure.incident == Incident.id))
    return hidden.where((IncidentClosure.bulk_closing == BulkClosing.id) & ~permissions.not_excluded(user), *conditions)


def _unseen_notices(user):
    return (
        BulkClosingNotice.select(
            BulkClosingNotice.id,
            BulkClosingNotice.count - closed_but_hidden(user, Incident.assigned_to == user),
            Account.name,
            BulkClosing.closed_at,
            BulkClosing.from_day,
            BulkClosing.to_day,
        )
        .join(BulkClosing)
        .join(Account, on=(BulkClosing.closed_by == Account.id))
        .where((BulkClosingNotice.account == user) & BulkClosingNotice.seen_at.is_null())
        .order_by(BulkClosingNotice.id)
    )


def by_reference(user, text):
    """The Summary of the incident whose reference was typed ("i-7k3fq2", "7K3FQ2"), or None: missing and not visible
    are the same."""
    ref = reference(text, "I")
    if ref is None:
        return None
    found = summaries(user, listed(permissions.visible_incidents(user).where(Incident.ref == ref)))
    return found[0] if found else None
