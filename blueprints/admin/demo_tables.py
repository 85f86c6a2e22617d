"""Many rows at once, for the demo school: numbered here and written past the models, in batches and in order.

Only for an empty instance: no rule is asked, no event recorded, no version checked. Must not be used by anything else.
"""

import json
from operator import itemgetter

from peewee import fn
from psycopg import sql

from extensions import db
from models import Event, is_postgres


class Table:
    """Rows of one model on their way into the database. Times must be naive UTC, as the columns hold them."""

    def __init__(self, model, *names, **fixed):
        """`names`: the fields that add() is given, in its order; every other field has one value for all rows."""
        meta = model._meta
        fixed_fields = [field for field in meta.sorted_fields if field.name not in (*names, "id")]
        self.model = model
        self.fields = [model.id, *(meta.fields[name] for name in names), *fixed_fields]
        self._fixed = tuple(
            fixed[field.name] if field.name in fixed else field.db_value(_default(field)) for field in fixed_fields
        )
        self._waiting = []
        self.last_id = model.select(fn.MAX(model.id)).scalar() or 0

    def add(self, *values):
        """Take one row; returns the id it will have."""
        self.last_id += 1
        self._waiting.append((self.last_id, *values, *self._fixed))
        return self.last_id

    def write(self):
        """Write what was added since the last time, in the open transaction."""
        if not self._waiting:
            return
        rows, self._waiting = self._waiting, []
        cursor = db.connection().cursor()
        if is_postgres():
            self._copy(cursor, rows)
        else:
            statement, _ = self.model.insert_many([[None] * len(self.fields)], fields=self.fields).sql()
            cursor.executemany(statement, rows)

    def _copy(self, cursor, rows):
        names = sql.SQL(", ").join(sql.Identifier(field.column_name) for field in self.fields)
        table = sql.Identifier(self.model._meta.table_name)
        with cursor.copy(sql.SQL("COPY {} ({}) FROM STDIN").format(table, names)) as copy:
            for row in rows:
                copy.write_row(row)

    def close(self):
        """Write the rest, and let Postgres go on counting after the ids that were given here."""
        self.write()
        if is_postgres() and self.last_id:
            sequence = fn.pg_get_serial_sequence(f'"{self.model._meta.table_name}"', "id")
            db.execute(self.model.select(fn.setval(sequence, self.last_id)).limit(1))


def _default(field):
    if field.default is not None:
        return field.default() if callable(field.default) else field.default
    if not field.null:
        raise ValueError(f"{field.model.__name__}.{field.name} needs a value")
    return None


class Log:
    """The audit rows of the demo school, gathered while its records are made and written in the order of time."""

    def __init__(self):
        self._rows = []

    def add(self, at, actor, verb, target, **data):
        """`actor`: anything with the id of an account."""
        self._rows.append((at, actor.id, verb, target, json.dumps(data, sort_keys=True)))

    def write(self, seal):
        """Write all, sealed in stretches so that no seal has to hold all of them."""
        self._rows.sort(key=itemgetter(0))
        table = Table(Event, "at", "actor", "verb", "target", "data", reasons="", address="")
        for start in range(0, len(self._rows), 20_000):
            for row in self._rows[start : start + 20_000]:
                table.add(*row)
            table.write()
            seal()
        table.close()
