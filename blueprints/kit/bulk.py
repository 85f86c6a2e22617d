"""Many rows with one statement that the database keeps: compiling a statement for hundreds of rows takes longer than running
it. Knows no table: whoever calls owns the transaction and says what changes.
"""

from peewee import Value

from extensions import db

BATCH = 500  # values of one IN; below what either database takes as parameters


def insert_each(model, rows):
    """Add rows, all with the same columns: dicts of field name to value. What is not given has the model's default."""
    if not rows:
        return
    fields = [field for field in model._meta.sorted_fields if field.name in rows[0] or field.default is not None]
    statement, _ = model.insert_many([[None] * len(fields)], fields=fields).sql()
    given = [[_value(field, row) for field in fields] for row in rows]
    db.connection().cursor().executemany(statement, given)


def _value(field, row):
    if field.name in row:
        return field.db_value(row[field.name])
    return field.db_value(field.default() if callable(field.default) else field.default)


def update_each(model, rows, **always):
    """One UPDATE, run for every row: dicts with `id` and the same columns. `always`: what is set on all of them."""
    if not rows:
        return
    fields = [model._meta.fields[name] for name in rows[0]]
    slots = {field: Value(field.name, converter=False) for field in fields if field.name != "id"}
    fixed = {model._meta.fields[name]: value for name, value in always.items()}
    query = model.update({**slots, **fixed}).where(model.id == Value("id", converter=False))
    statement, order = query.sql()
    by_name = {field.name: field for field in fields}
    # Whatever of the parameters is one of our names stands for a value of the row.
    values = [[by_name[slot].db_value(row[slot]) if slot in by_name else slot for slot in order] for row in rows]
    db.connection().cursor().executemany(statement, values)


def batches(rows, size=BATCH):
    """The rows in lists of at most `size`."""
    for start in range(0, len(rows), size):
        yield rows[start : start + size]
