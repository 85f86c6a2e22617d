"""Queries that are built and turned into SQL once for each role, and from then on only run.

Putting together the SQL of a rule about access costs Peewee several milliseconds, more than the database needs to
answer; on a page that asks four such questions it was most of the page. Decides nothing: the SQL is the one that the
query would have had anyway, with the person's id and the given values in their places.
"""

from collections.abc import Callable, Hashable, Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from peewee import (
    SQL,
    AutoField,
    CharField,
    FloatField,
    ForeignKeyField,
    IntegerField,
    Model,
    ModelSelect,
    NodeList,
    TextField,
)

from extensions import db
from models import Account

# Stand-ins that no real value equals; each is looked for among the parameters and replaced when the query runs.
_SOMEBODY = -7_203_003
_NUMBER = -7_300_000
_MOMENT = datetime(1, 2, 3, tzinfo=UTC)
_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
# Fields whose values come out of either database as they went in.
_AS_STORED = (AutoField, CharField, FloatField, ForeignKeyField, IntegerField, TextField)

_plans: dict[tuple, "_Plan"] = {}


def rows(build: Callable[..., ModelSelect], user: Account | None = None, *shape: Hashable, **values: Any) -> list[tuple]:
    """The rows of `build(user, *shape, **values)` as tuples; of `build(**values)` where no person is asked about.

    `build` is a function of a module (it is the key under which the SQL is kept) and may depend on the user's id, role
    and activity and on the values, on nothing else: no clock, no request, no school. A value is a whole number, a text,
    a day, a moment, or a list of whole numbers or of texts (at most 512, in which the order does not count). For each `shape`
    the SQL is made and kept by itself: what decides how the query looks, of few kinds and never what somebody typed.
    """
    if "<" in build.__qualname__:
        raise ValueError(f"{build.__qualname__} is made anew for each call: the SQL would be kept for nothing")
    values = {name: _padded(value) if isinstance(value, list) else value for name, value in values.items()}
    kinds = tuple((name, _shape(value)) for name, value in values.items())
    key = (build, user and (user.role, user.is_active), shape, type(db.obj), kinds)
    plan = _plans.get(key)
    if plan is None:
        plan = _plans[key] = _Plan(build, user, shape, values)
    return plan.run(user, values)


def records(build: Callable[..., ModelSelect], *models: type[Model], **values: Any) -> list[tuple[Model, ...]]:
    """The rows of `build(**values)`, which selects all columns of these models, as instances of them; further columns stand
    after them as they are."""
    return [_records(models, row) for row in rows(build, **values)]


def _records(models, row):
    found, start = [], 0
    for model in models:
        names = model._meta.sorted_field_names
        record = model(__no_default__=True)
        # not by its attributes: each would take note that it is to be saved
        record.__data__.update(zip(names, row[start : start + len(names)], strict=True))
        found.append(record)
        start += len(names)
    return *found, *row[start:]


def pattern(value: str) -> NodeList:
    """A pattern to stand behind LIKE. By itself as a parameter, SQLite takes each new one for a reason to look for an index that
    serves it, and compiles the whole statement again."""
    return NodeList((value, SQL("|| ''")), parens=True)


def _padded(values: Iterable[int | str]) -> list[int] | list[str]:
    """The list filled up with its last value to one of a few lengths, so that there are few different statements."""
    values = list(values) or [-1]
    size = next(size for size in _SIZES if size >= len(values))
    return values + values[-1:] * (size - len(values))


class _Plan:
    """SQL with its parameters; `_places` says which of them to fill in, `_converters` which columns to convert."""

    def __init__(self, build, user, shape, values):
        somebody = [Account(id=_SOMEBODY, role=user.role, is_active=user.is_active)] if user else []
        stand_ins = {name: _stand_in(number, value) for number, (name, value) in enumerate(values.items())}
        self._query = build(*somebody, *shape, **stand_ins).tuples()
        self._sql, self._parameters = self._query.sql()
        known = {_SOMEBODY: (None, None)}
        for name, stand_in in stand_ins.items():
            for place, one in enumerate(stand_in if isinstance(stand_in, list) else [stand_in]):
                known[_stored(one)] = (name, place if isinstance(stand_in, list) else None)
        found = [(place, known[value]) for place, value in enumerate(self._parameters) if value in known]
        self._places = [(place, name, item) for place, (name, item) in found]
        missing = values.keys() - {name for _, name, _ in self._places}
        if missing:
            raise ValueError(f"{build.__name__} does not use {missing}: it can't be prepared")
        self._converters = None

    def run(self, user, values):
        parameters = list(self._parameters)
        for place, name, item in self._places:
            value = user.id if name is None else values[name] if item is None else values[name][item]
            parameters[place] = _stored(value)
        cursor = db.execute_sql(self._sql, parameters)
        if self._converters is None:
            self._converters = self._find_converters(cursor)
        found = cursor.fetchall()
        return [self._converted(row) for row in found] if self._converters else found

    def _converted(self, row):
        row = list(row)
        for place, convert in self._converters:
            row[place] = convert(row[place])
        return tuple(row)

    def _find_converters(self, cursor):
        wrapper = self._query._get_cursor_wrapper(cursor)
        wrapper.initialize()
        converters = list(enumerate(wrapper.converters))
        return [
            (place, convert)
            for place, convert in converters
            if convert is not None and not isinstance(getattr(convert, "__self__", None), _AS_STORED)
        ]


def _shape(value):
    return (len(value), type(value[0])) if isinstance(value, list) else type(value)


def _stand_in(number, value):
    if isinstance(value, list) and isinstance(value[0], str):
        return [f"\0stand-in {number} {place}" for place in range(len(value))]
    if isinstance(value, list):
        return [_NUMBER - 1000 * number - place for place in range(len(value))]
    if isinstance(value, datetime):
        return _MOMENT + timedelta(days=number)
    if isinstance(value, date):
        return _MOMENT.date() + timedelta(days=number)
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise TypeError(f"{type(value).__name__} can't be filled in afterwards")
    return _NUMBER - 1000 * number if isinstance(value, int) else f"\0stand-in {number}"


def _stored(value):
    """As the parameter stands in the statement: moments are naive, in UTC (models.UtcDateTimeField)."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None)
    return value
