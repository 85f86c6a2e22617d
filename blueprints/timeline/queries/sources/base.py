"""What the sources of the timeline share: the kinds of events, the columns of each, and the statement they end in.

A source says where events of one kind lie. It starts from what permissions.py lets the reader see of the student's records
and only ever narrows it; it decides nothing itself.
"""

import operator
from functools import reduce
from typing import NamedTuple

from peewee import CTE, JOIN, Expression, ForeignKeyField, Join, Model, Select, Value, fn

from models import Account, UtcDateTimeField, is_postgres

# What a reader can filter by, in the order of the page: name in the address and its label.
KINDS = {
    "incident": "Incidents",
    "case": "Cases",
    "task": "Tasks",
    "meeting": "Meetings",
    "plan": "Plans",
    "form": "Form responses",
    "file": "Files",
    "milestone": "Milestones",
    "student": "Arrival and leaving",
}

# Every source with the kinds it counts as. Of two events of one moment the one that stands later here came later.
SOURCES = {
    "student": ("student",),
    "incident": ("incident",),
    "incident_file": ("incident", "file"),
    "incident_action": ("incident",),
    "incident_action_done": ("incident",),
    "incident_closed": ("incident",),
    "incident_reopened": ("incident",),
    "case_opened": ("case",),
    "case_presenting": ("case",),
    "case_agency": ("case",),
    "case_entry": ("case",),
    "case_file": ("case", "file"),
    "case_closed": ("case",),
    "case_reopened": ("case",),
    "plan": ("plan",),
    "plan_intervention": ("plan",),
    "plan_point": ("plan",),
    "plan_review": ("plan",),
    "plan_ended": ("plan",),
    "task": ("task",),
    "task_note": ("task",),
    "task_ended": ("task",),
    "meeting": ("meeting",),
    "meeting_moved": ("meeting",),
    "meeting_held": ("meeting",),
    "meeting_cancelled": ("meeting",),
    "response": ("form",),
    "response_file": ("form", "file"),
    "file": ("file",),
    "milestone": ("milestone",),
}
NUMBERS = {name: number for number, name in enumerate(SOURCES)}
NAMES = list(SOURCES)
# Sources that need Status, which is gone with the Cases module.
OF_CASES_MODULE = ("incident_closed", "incident_reopened")

_WORDS = ("ref", "title", "detail", "text")


class Row(NamedTuple):
    """An event as the statement gives it. `source`: a number of NUMBERS. `id`: of the row behind it, for the order of one
    moment. `ref`: what the address of its record ends with. `number` and `moment` mean what the source says."""

    source: int
    at: object
    id: int
    ref: str
    title: str
    detail: str
    text: str
    number: float | None
    moment: object
    who: str | None
    other: str | None


class Perhaps(NamedTuple):
    """A table for Arms.add() of which there may be no row."""

    model: type[Model]
    on: object


class Arms:
    """The statement of a subject while its sources are added: tables of what the reader sees, and a SELECT for each source.

    Asked for are events of one student (an id) from the moment `since` on and before `until`, none after `before`, at most
    `most` of them, of the sources that `shown` {"with_" and its name: 1 or 0} has as 1. All of these are values of
    kit/prepared.py, so that each subject is put together once for a role.
    """

    def __init__(self, student, since, until, before, most, **shown):
        self.student = student
        # As they are stored: what they are compared with is not always the field itself, which would see to it.
        moments = [Value(moment, UtcDateTimeField().db_value) for moment in (since, until, before)]
        self._span, self._shown = (*moments, most), shown
        self.since, self.most = moments[0], most
        self._tables, self._selects = [], []

    def seen(self, query, *columns) -> CTE:
        """Records that the reader sees, as a table with an id and these columns; worked out once for all their events."""
        return self._table(query, ["id", *columns], materialized=True)

    def _table(self, query, names, **options):
        table = query.cte(f"seen_{len(self._tables)}", columns=names, **options)
        table.names = names
        self._tables.append(table)
        return table

    def newest(self, seen, at, *where) -> CTE:
        """The records of a table of seen() whose moment in its column `at` is asked for, as a table of the same columns: no more
        of them than can be shown, so that nothing is looked up for the others."""
        query = Select([seen], [seen.c[name] for name in seen.names]).where(seen.c[at].is_null(False), *where)
        query = query.where(*self.asked(seen.c[at])).order_by(seen.c[at].desc(), seen.c.id.desc()).limit(self._span[-1])
        return self._table(query, seen.names)

    def newest_of(self, seen, link: ForeignKeyField, at, *where) -> CTE:
        """The same for the rows that `link` ties to records of seen(), by their moment `at`: a table with the `id` of the
        record, the `row` and its `at`."""
        row = link.model
        query = row.select(seen.c.id, row.id, at).from_(Join(seen, row, JOIN.CROSS))
        query = query.where(belongs_to(link, seen.c.id), *where, *self.asked(at)).order_by(at.desc(), row.id.desc())
        return self._table(query.limit(self._span[-1]), ["id", "row", "at"])

    def recent(self, ended, *others) -> Expression:
        """Records that can have an event from `since` on: they have not ended, or their end (the moment `ended`) or one of the
        moments `others` came later. What came to an end long ago need not be looked through. `others` are those of their events
        that can come after the end."""
        return reduce(operator.or_, (moment >= self.since for moment in others), ended.is_null() | (ended >= self.since))

    def asked(self, at):
        """Expressions: the moment `at` is one that is asked for."""
        since, until, before, _ = self._span
        return at >= since, at < until, at <= before

    def add(self, source, seen, tables, *where, at, row, who=None, other=None, number=None, moment=None, **words):
        """The events of a source: `seen` (a table of seen(), or None) with each of `tables` joined to it in turn, as `where`
        ties them. `who` did it, `other` is somebody else it names (ids of accounts); `words`: ref, title, detail, text."""
        main, most = tables[0], self._span[-1]
        source_of = main if seen is None else Join(seen, main, JOIN.CROSS)
        for table in tables[1:]:
            if isinstance(table, Perhaps):
                source_of = Join(source_of, table.model, JOIN.LEFT_OUTER, table.on)
            else:
                source_of = Join(source_of, table, JOIN.CROSS)
        columns = {
            "source": Value(NUMBERS[source]).cast("integer"),
            "at": at,
            "id": row,
            **{name: fn.COALESCE(words.get(name), "") if words.get(name) is not None else _NOTHING for name in _WORDS},
            "number": _NO_NUMBER if number is None else number.cast("double precision"),
            "moment": _NO_MOMENT if moment is None else moment,
            "who": _NOBODY if who is None else who,
            "other": _NOBODY if other is None else other,
        }
        query = main.select(*(value.alias(name) for name, value in columns.items())).from_(source_of)
        query = query.where(Value(self._shown[f"with_{source}"]) == 1, *where, *self.asked(at))
        newest = query.order_by(at.desc(), row.desc()).limit(most).alias("newest")
        self._selects.append(Select([newest], [newest.c[name] for name in columns]))

    def statement(self):
        """The newest events of all sources together, as Row has them."""
        every = reduce(lambda a, b: a.union_all(b), self._selects).alias("every")
        who, other = Account.alias("who"), Account.alias("other")
        columns = [every.c[name] for name in Row._fields[:-2]]
        with_who = Join(every, who, JOIN.LEFT_OUTER, every.c.who == who.id)
        query = (
            who.select(*columns, who.name, other.name)
            .from_(Join(with_who, other, JOIN.LEFT_OUTER, every.c.other == other.id))
            .order_by(every.c.at.desc(), every.c.source.desc(), every.c.id.desc())
            .limit(self._span[-1])
        )
        return query.with_cte(*self._tables)


def belongs_to(link, record) -> Expression:
    """The rows whose field `link` is this record (an id): a foreign key, or their own id. SQLite is told a range: for `=` it may
    first read the whole table into an index of its own, where most of its rows are tied to nothing."""
    return link == record if is_postgres() else link.between(record, record)


_NOTHING = Value("").cast("text")
_NOBODY = Value(None).cast("integer")
_NO_NUMBER = Value(None).cast("double precision")
_NO_MOMENT = Value(None).cast("timestamp")
